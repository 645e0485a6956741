package identity

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"mianti/ledger"
	"mianti/policies"
)

// Kind says as what somebody signs in (登录身份).
type Kind string

// The kinds. Each has a provider of its own.
const (
	Staff   Kind = "staff"   // 工作人员
	Citizen Kind = "citizen" // 申请人
)

// Person (人员) is somebody who has signed in, or who may.
type Person struct {
	// ID holds no name and no number. It is what logs and entries know of him.
	ID   string
	Kind Kind
	// Issuer and Subject are by whom and as whom he is known: of a member of
	// staff as the provider says, of a citizen no issuer and the keyed digest of
	// his number (policies.Caller.Subject).
	Issuer, Subject string
	// Name is how a member of staff is shown to his administrators. A citizen's is
	// not kept.
	Name        string
	Deactivated bool
	CreatedAt   time.Time
	Duties      []Assignment
}

// LogValue keeps everything but the identifier out of logs.
func (p Person) LogValue() slog.Value { return slog.StringValue(p.ID) }

// Departments are those for which the person has duties, in order.
func (p *Person) Departments() []string {
	var codes []string
	for _, a := range p.Duties {
		codes = append(codes, a.Department)
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}

// DutiesIn are the person's duties for a department.
func (p *Person) DutiesIn(department string) []policies.Duty {
	var duties []policies.Duty
	for _, a := range p.Duties {
		if a.Department == department {
			duties = append(duties, a.Duty)
		}
	}
	return duties
}

// Assignment (岗位分派) gives a person a duty for one department.
type Assignment struct {
	Person     string
	Department string
	Duty       policies.Duty
	By         string // who assigned it: the person's ID, or ledger.Operator
	At         time.Time
}

// Filter says which persons are listed: those with a duty for the department,
// and members of staff who have none at all; all of them without a department.
type Filter struct {
	Department string
	After      string // an ID; the list goes on behind it
	Limit      int
}

// Persons keeps who signs in.
type Persons interface {
	// SignIn finds a person by kind, issuer and subject, or stores him as he is,
	// and the entry with him as who acted. The name of a known person is brought up
	// to date. It is fault.Denied, and nothing is stored, when he is deactivated.
	SignIn(ctx context.Context, p *Person, e ledger.Entry) (*Person, error)
	// Register stores a person who has not signed in yet, with the entry about
	// him. It is a fault.Conflict when he is known.
	Register(ctx context.Context, p *Person, e ledger.Entry) error
	// Person gives a person with all his duties; fault.NotFound for none.
	Person(ctx context.Context, id string) (*Person, error)
	// Persons lists people by ID, with all their duties.
	Persons(ctx context.Context, f Filter) ([]Person, error)
}

// Assignments keeps who has which duty. Each change is stored together with its
// entry or not at all.
type Assignments interface {
	// Assign gives a duty. Nothing is changed, and nothing recorded, when the
	// person has it.
	Assign(ctx context.Context, a Assignment, e ledger.Entry) error
	// Remove takes a duty away; fault.NotFound when the person does not have it.
	// With keepAdmin it is a fault.Conflict to leave a department without any
	// administrator who may sign in.
	Remove(ctx context.Context, a Assignment, e ledger.Entry, keepAdmin bool) error
	// Deactivate ends a person's access for good. keepAdmin is as with Remove.
	Deactivate(ctx context.Context, id string, e ledger.Entry, keepAdmin bool) error
}
