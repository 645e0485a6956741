package identity

import (
	"context"
	"errors"
	"slices"
	"time"

	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// Office (岗位管理) assigns duties: an administrator those of his own department,
// the operator at the machine all.
type Office struct {
	Persons     Persons
	Assignments Assignments
	// Known reports whether the catalog has a department.
	Known func(ctx context.Context, department string) (bool, error)
	Now   func() time.Time
	// AtTheMachine is set where the operator works at the machine itself.
	AtTheMachine bool
}

// List gives the people whom the caller may give duties to: those of his
// department, and those who have no duty anywhere.
func (o *Office) List(ctx context.Context, by policies.Caller, after string, limit int) ([]Person, error) {
	f := Filter{Department: by.Department, After: after, Limit: limit}
	if o.AtTheMachine {
		f.Department = ""
	}
	return o.Persons.Persons(ctx, f)
}

// Assign gives a person a duty for the caller's department.
func (o *Office) Assign(ctx context.Context, by policies.Caller, person string, duty policies.Duty) (*Person, error) {
	if err := o.mayAssign(by, person, duty); err != nil {
		return nil, err
	}
	if known, err := o.Known(ctx, by.Department); err != nil {
		return nil, err
	} else if !known {
		return nil, fault.New(fault.Invalid, "unknown-department", "目录中没有这个部门。")
	}
	p, err := o.find(ctx, person)
	if err != nil {
		return nil, err
	}
	switch {
	case p.Kind != Staff:
		return nil, unknownPerson() // an applicant is nobody's colleague
	case p.Deactivated:
		return nil, fault.New(fault.Conflict, "person-deactivated", "这个人员已停用，不能分派岗位。")
	}
	a := Assignment{Person: person, Department: by.Department, Duty: duty, By: by.Person, At: o.Now().UTC()}
	if err := o.Assignments.Assign(ctx, a, o.entry(ledger.DutyAssigned, by, person, duty)); err != nil {
		return nil, err
	}
	return o.Persons.Person(ctx, person)
}

// Remove takes a duty for the caller's department away.
func (o *Office) Remove(ctx context.Context, by policies.Caller, person string, duty policies.Duty) error {
	if err := o.checkDuty(duty); err != nil {
		return err
	}
	a := Assignment{Person: person, Department: by.Department, Duty: duty}
	return o.Assignments.Remove(ctx, a, o.entry(ledger.DutyRemoved, by, person, duty), !o.AtTheMachine)
}

// Deactivate ends a person's access: his sessions end with their next request. An
// administrator can do so only to somebody who has duties for his department and
// for no other.
func (o *Office) Deactivate(ctx context.Context, by policies.Caller, person string) error {
	if !o.AtTheMachine {
		p, err := o.find(ctx, person)
		if err != nil {
			return err
		}
		switch departments := p.Departments(); {
		case !slices.Contains(departments, by.Department):
			return unknownPerson()
		case len(departments) > 1:
			return fault.New(fault.Conflict, "duties-elsewhere", "这个人员在其他部门还有岗位，不能由本部门停用。请移除其在本部门的岗位，或联系运维人员。")
		}
	}
	return o.Assignments.Deactivate(ctx, person, o.entry(ledger.PersonDeactivated, by, person, ""), !o.AtTheMachine)
}

// find reads a person. Whom nobody knows is answered like whom the caller has
// nothing to do with: the answer does not tell who exists.
func (o *Office) find(ctx context.Context, person string) (*Person, error) {
	p, err := o.Persons.Person(ctx, person)
	if errors.Is(err, fault.NotFound) {
		return nil, unknownPerson()
	}
	return p, err
}

// mayAssign refuses what nobody may do for himself, and what is not for a
// department to give.
func (o *Office) mayAssign(by policies.Caller, person string, duty policies.Duty) error {
	if err := o.checkDuty(duty); err != nil {
		return err
	}
	if by.Person == person {
		return fault.New(fault.Denied, "own-duty", "不能给自己分派岗位。请由本部门另一名管理员分派。")
	}
	if duty == policies.DutyOperator && !o.AtTheMachine {
		return fault.New(fault.Denied, "duty-beyond-department", "运维岗位的作用不限于本部门，只能由运维人员在服务器上分派。")
	}
	return nil
}

// checkDuty refuses what is no duty of staff.
func (o *Office) checkDuty(duty policies.Duty) error {
	if slices.Contains(Assignable(), duty) {
		return nil
	}
	return fault.New(fault.Invalid, "unknown-duty", "没有这个岗位。").
		With(fault.Detail{Location: "path.duty", Code: "unknown-duty", Message: "可用的岗位见 docs/duties.md。"})
}

// Assignable are the duties that can be assigned.
func Assignable() []policies.Duty {
	return []policies.Duty{
		policies.DutyClerk, policies.DutySharingOfficer, policies.DutyPolicyEditor, policies.DutyPolicyReviewer,
		policies.DutyDepartmentAdmin, policies.DutyAuditor, policies.DutyOperator,
	}
}

func (o *Office) entry(kind ledger.Kind, by policies.Caller, person string, duty policies.Duty) ledger.Entry {
	return ledger.Entry{
		Kind: kind, At: o.Now().UTC(), System: by.System, Person: by.Person, Department: by.Department,
		Object: "person:" + person, Result: string(duty),
	}
}

func unknownPerson() error {
	return fault.New(fault.NotFound, "unknown-person", "没有这个人员，或其不属于本部门。")
}
