package sharing

import (
	"context"
	"fmt"
	"time"

	"mianti/catalog"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// Catalogs gives the catalog as it is now.
type Catalogs interface {
	Current(ctx context.Context, about ...string) (*catalog.Revision, error)
}

// Requests keeps sharing requests.
type Requests interface {
	// SharingRequest gives a request; fault.NotFound for none.
	SharingRequest(ctx context.Context, id string) (*Request, error)
	// SharingRequests gives those that a filter chooses, the oldest first.
	SharingRequests(ctx context.Context, f Filter) ([]Request, error)
	// SaveSharingRequest stores a request with its grants and its entries, all or
	// nothing. It is a fault.Conflict when the request is not at the version
	// before, or when a grant overlaps another.
	SaveSharingRequest(ctx context.Context, c Commit) error
	// OverdueSharing counts the requests whose deadline is gone at a moment, by
	// provider and article; those of one provider, or of all.
	OverdueSharing(ctx context.Context, provider string, now time.Time) ([]Overdue, error)
}

// Grants keeps grants.
type Grants interface {
	// SharingGrant gives a grant; fault.NotFound for none.
	SharingGrant(ctx context.Context, id string) (*Grant, error)
	// SharingGrants gives those that a filter chooses, by id.
	SharingGrants(ctx context.Context, f GrantFilter) ([]Grant, error)
	// SaveSharingGrant stores a change of a grant with its entry. It is a
	// fault.Conflict when the grant is not at the version before.
	SaveSharingGrant(ctx context.Context, g *Grant, e ledger.Entry) error
	// OverlappingGrant gives a grant that lets the same department use one of the
	// same fields for one of the same matters at the same time; nil for none.
	OverlappingGrant(ctx context.Context, u Use) (*Grant, error)
}

// Use (授权用途) is what a grant is for: who uses what, for which matters, when.
type Use struct {
	Department string
	Dataset    string
	Fields     []string
	Matters    []string
	From       time.Time
	Until      time.Time
}

// Commit (同时保存) is what is stored in one transaction.
type Commit struct {
	Request *Request
	Grants  []Grant
	Entries []ledger.Entry
}

// Filter chooses sharing requests.
type Filter struct {
	// Applicant and Provider are departments. Where both are set, either may be
	// the request's; where neither is, it is any.
	Applicant string
	Provider  string
	State     State // empty: any
	Overdue   bool  // those alone whose deadline is gone
	Now       time.Time
	After     string // id of the last one of the page before
	Limit     int
}

// GrantFilter chooses grants.
type GrantFilter struct {
	// Department holds them, or Datasets are those of whoever provides them. Where
	// both are set, either is enough; where neither is, it is any.
	Department string
	Datasets   []string
	State      policies.GrantState // empty: any
	Matter     string              // empty: any
	Dataset    string              // empty: any
	After      string              // id of the last one of the page before
	Limit      int
}

// Overdue (逾期) counts the requests of one provider whose deadline by one
// article is gone.
type Overdue struct {
	Department string    `json:"department"`
	Article    string    `json:"article" doc:"政务数据共享条例的条款"`
	Count      int       `json:"count"`
	OldestDue  time.Time `json:"oldest_due" doc:"最早的到期时间"`
}

// Config is what the use cases are made of. All fields are required, but for
// Authority, and Giver where no grants are given without a request.
type Config struct {
	Catalogs Catalogs
	Requests Requests
	Grants   Grants
	Giver    Giver
	Procedure
	Now   func() time.Time
	NewID func() string
}

// Sharing (共享管理) is the use cases. It is safe for concurrent use.
type Sharing struct{ Config }

// New returns the use cases.
func New(c Config) *Sharing { return &Sharing{c} }

// Submit receives an application of the caller's department.
func (s *Sharing) Submit(ctx context.Context, by policies.Caller, a Application) (*Request, error) {
	rev, err := s.Catalogs.Current(ctx, a.Matters...)
	if err != nil {
		return nil, fmt.Errorf("receive a sharing request: %w", err)
	}
	now := s.Now().UTC()
	items, err := checkApplication(rev, by.Department, &a, now)
	if err != nil {
		return nil, err
	}
	if err := s.refuseOverlap(ctx, by.Department, &a); err != nil {
		return nil, err
	}
	e := Event{Act: Submit, Application: &a, Items: items, Revision: rev.Number}
	r := s.Procedure.Submit(s.NewID(), rev.Dataset(a.Dataset).Department, e, by, now)
	if err := s.Requests.SaveSharingRequest(ctx, Commit{Request: &r, Entries: []ledger.Entry{requestEntry(&r, e, by, now)}}); err != nil {
		return nil, fmt.Errorf("receive a sharing request: %w", err)
	}
	return &r, nil
}

// refuseOverlap refuses an application for what is granted already.
func (s *Sharing) refuseOverlap(ctx context.Context, applicant string, a *Application) error {
	from, until, err := a.term()
	if err != nil {
		return fmt.Errorf("look for overlapping grants: %w", err)
	}
	found, err := s.Grants.OverlappingGrant(ctx, Use{applicant, a.Dataset, a.Fields, a.Matters, from, until})
	if err != nil {
		return fmt.Errorf("look for overlapping grants: %w", err)
	}
	if found != nil {
		return Overlaps(found)
	}
	return nil
}

// Overlaps is the failure of what a grant stands in the way of.
func Overlaps(g *Grant) error {
	return fault.New(fault.Conflict, "overlapping-grant", "事项 %s 在这段时间已有共享授权 %s，含同样的数据项。请只申请没有的数据项，或者错开使用时限。", g.Matter, g.ID).
		With(fault.Detail{Location: "grant:" + g.ID, Code: "overlapping-grant", Message: "数据资源 " + g.Dataset + "，事项 " + g.Matter + "。"})
}

// Request gives a request to who is party to it: the applicant, the provider and
// the authority. It does not exist for anybody else.
func (s *Sharing) Request(ctx context.Context, by policies.Caller, id string) (*Request, error) {
	r, err := s.request(ctx, by, id)
	if err != nil {
		return nil, err
	}
	now := r.At(s.Now())
	return &now, nil
}

func (s *Sharing) request(ctx context.Context, by policies.Caller, id string) (*Request, error) {
	r, err := s.Requests.SharingRequest(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("read a sharing request: %w", err)
	}
	if by.Department != r.Applicant && by.Department != r.Provider && !s.isAuthority(by) {
		return nil, fault.New(fault.NotFound, "unknown-sharing-request", "没有这个共享申请")
	}
	return r, nil
}

func (s *Sharing) isAuthority(by policies.Caller) bool {
	return s.Authority != "" && by.Department == s.Authority
}

// Side (参与方) is how a department is party to requests and grants.
type Side string

// The sides.
const (
	AsApplicant Side = "applicant" // 需求部门
	AsProvider  Side = "provider"  // 提供部门
)

// List gives the requests that the caller's department is party to on a side;
// on both, and for the authority those of everybody, where no side is named.
func (s *Sharing) List(ctx context.Context, by policies.Caller, as Side, f Filter) ([]Request, error) {
	if by.Department == "" {
		return []Request{}, nil
	}
	f.Now = s.Now().UTC()
	if as != AsProvider && (as != "" || !s.isAuthority(by)) {
		f.Applicant = by.Department
	}
	if as != AsApplicant && (as != "" || !s.isAuthority(by)) {
		f.Provider = by.Department
	}
	found, err := s.Requests.SharingRequests(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("list sharing requests: %w", err)
	}
	for i := range found {
		found[i] = found[i].At(f.Now)
	}
	return found, nil
}

// Act does something about a request. Version is the one that the caller has
// read; 0 for whichever it is.
func (s *Sharing) Act(ctx context.Context, by policies.Caller, id string, version int, e Event) (*Request, error) {
	r, err := s.request(ctx, by, id)
	if err != nil {
		return nil, err
	}
	if version != 0 && version != r.Version {
		return nil, changedSinceRead()
	}
	now := s.Now().UTC()
	if e, err = s.prepare(ctx, r, e, now); err != nil {
		return nil, err
	}
	next, err := s.Apply(*r, e, by, now)
	if err != nil {
		return nil, err
	}
	c := Commit{Request: &next, Entries: []ledger.Entry{requestEntry(&next, e, by, now)}}
	if e.Act == Deliver {
		c.Grants = grantsOf(&next, next.Grants, now)
		for i := range c.Grants {
			c.Entries = append(c.Entries, grantEntry(&c.Grants[i], ledger.GrantGiven, next.Application.Basis, by, now))
		}
	}
	if err := s.Requests.SaveSharingRequest(ctx, c); err != nil {
		return nil, fmt.Errorf("change a sharing request: %w", err)
	}
	next = next.At(now)
	return &next, nil
}

func changedSinceRead() error {
	return fault.New(fault.Conflict, "changed-since-read", "在您读取之后已有变更。请重新读取后再办理。")
}

// prepare adds to an event what follows from the catalog and what is drawn.
func (s *Sharing) prepare(ctx context.Context, r *Request, e Event, now time.Time) (Event, error) {
	switch {
	case e.Act == Deliver:
		e.Grants = make([]string, len(r.Application.Matters))
		for i := range e.Grants {
			e.Grants[i] = s.NewID()
		}
	case e.Act == Complete && r.State == Incomplete: // else Apply says what is wrong
		rev, err := s.Catalogs.Current(ctx, e.Application.Matters...)
		if err != nil {
			return e, fmt.Errorf("complete a sharing request: %w", err)
		}
		if e.Items, err = checkApplication(rev, r.Applicant, e.Application, now); err != nil {
			return e, err
		}
		e.Revision = rev.Number
		return e, s.refuseOverlap(ctx, r.Applicant, e.Application)
	}
	return e, nil
}

// Overdue counts what is overdue: of all departments for the authority and for
// auditors, of the caller's own for others.
func (s *Sharing) Overdue(ctx context.Context, by policies.Caller) ([]Overdue, error) {
	provider := by.Department
	if s.isAuthority(by) || by.Has(policies.DutyAuditor) {
		provider = ""
	} else if provider == "" {
		return []Overdue{}, nil
	}
	found, err := s.Requests.OverdueSharing(ctx, provider, s.Now().UTC())
	if err != nil {
		return nil, fmt.Errorf("count what is overdue: %w", err)
	}
	return found, nil
}
