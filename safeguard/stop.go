package safeguard

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// Held (停用记录) is a stop in force, with whose thing it holds.
type Held struct {
	policies.Stop
	// Owner is the department whose thing it is: of a system its own, of all else
	// the one that provides the data.
	Owner string `json:"owner" doc:"被停用对象所属的部门"`
	// Department is that of who put it up; empty when an operator did, or the
	// exchange by itself.
	Department string `json:"department,omitempty" doc:"提出停用的部门; 空为运维或系统自动停用"`
}

// StopKeeper keeps stops. Each act is stored together with its entry or not at
// all.
type StopKeeper interface {
	// PutStop puts up a stop. It is a fault.Conflict when the thing is stopped.
	// When it returns, nothing more is released that rests on the thing.
	PutStop(ctx context.Context, h Held, e ledger.Entry) error
	// LiftStop takes down a stop; fault.NotFound for none.
	LiftStop(ctx context.Context, kind policies.StopKind, id string, e ledger.Entry) error
	// Held gives all stops, in the order in which they were put up.
	Held(ctx context.Context) ([]Held, error)
	// IsStopped reports whether a thing is stopped.
	IsStopped(ctx context.Context, kind policies.StopKind, id string) (bool, error)
}

// Owners says whose a thing is that can be stopped, and what there is to limit.
type Owners interface {
	// OwnerOf gives the department of a system, and the providing department of a
	// grant, a dataset and a source; fault.NotFound when there is no such thing.
	OwnerOf(ctx context.Context, kind policies.StopKind, id string) (string, error)
	// Known reports whether there is what a meter counts for.
	Known(ctx context.Context, m Meter) (bool, error)
}

// Stop puts up a stop: it ends the use of a system, a grant, a dataset or a
// source at once, on every replica.
func (s *Safeguard) Stop(ctx context.Context, by policies.Caller, kind policies.StopKind, id, reason string) (*Held, error) {
	why, err := checkReason(reason)
	if err != nil {
		return nil, err
	}
	owner, err := s.mayStop(ctx, by, kind, id)
	if err != nil {
		return nil, err
	}
	h := Held{Stop: policies.Stop{Kind: kind, ID: id, Reason: why, By: by.Person, At: s.Now().UTC()}, Owner: owner}
	if !by.Has(policies.DutyOperator) {
		h.Department = by.Department
	}
	if err := s.Stops.PutStop(ctx, h, s.entry(ledger.Stopped, by, string(kind)+":"+id, why)); err != nil {
		return nil, fmt.Errorf("stop: %w", err)
	}
	return &h, nil
}

// Lift takes down a stop. What an operator put up, only an operator takes down.
func (s *Safeguard) Lift(ctx context.Context, by policies.Caller, kind policies.StopKind, id string) error {
	held, err := s.held(ctx, by)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(held, func(h Held) bool { return h.Kind == kind && h.ID == id })
	if at < 0 {
		return fault.New(fault.NotFound, "unknown-stop", "没有这个停用")
	}
	if !by.Has(policies.DutyOperator) && (!mayStopKind(by, kind) || held[at].Department != by.Department) {
		return fault.New(fault.Denied, "not-your-stop", "这个停用由运维或其他岗位提出，只能由其恢复。请联系运维人员。")
	}
	if err := s.Stops.LiftStop(ctx, kind, id, s.entry(ledger.StopLifted, by, string(kind)+":"+id, "")); err != nil {
		return fmt.Errorf("lift a stop: %w", err)
	}
	return nil
}

// ListStops gives the stops in force: all of them to an operator and an auditor,
// and those of the own department's things to anybody else.
func (s *Safeguard) ListStops(ctx context.Context, by policies.Caller) ([]Held, error) {
	return s.held(ctx, by)
}

func (s *Safeguard) held(ctx context.Context, by policies.Caller) ([]Held, error) {
	held, err := s.Stops.Held(ctx)
	if err != nil {
		return nil, fmt.Errorf("list stops: %w", err)
	}
	if by.Has(policies.DutyOperator) || by.Has(policies.DutyAuditor) {
		return held, nil
	}
	foreign := func(h Held) bool { return by.Department == "" || h.Owner != by.Department }
	return slices.DeleteFunc(held, foreign), nil
}

// SystemStopped refuses a system that is stopped.
func (s *Safeguard) SystemStopped(ctx context.Context, id string) error {
	stopped, err := s.Stops.IsStopped(ctx, policies.StopSystem, id)
	if err != nil {
		return fmt.Errorf("read a stop: %w", err)
	}
	if stopped {
		return fault.New(fault.Denied, "stopped", "这个接入系统已被停用，在恢复之前不能使用。请联系运维人员。")
	}
	return nil
}

// mayStopKind reports whether a caller who is no operator may stop such things
// of the own department.
func mayStopKind(by policies.Caller, kind policies.StopKind) bool {
	if kind == policies.StopSystem {
		return by.Has(policies.DutyDepartmentAdmin)
	}
	return by.Has(policies.DutySharingOfficer)
}

// mayStop gives whose a thing is, when the caller may stop it. What is another
// department's looks like what there is not.
func (s *Safeguard) mayStop(ctx context.Context, by policies.Caller, kind policies.StopKind, id string) (owner string, err error) {
	operator := by.Has(policies.DutyOperator)
	if !operator && (!mayStopKind(by, kind) || by.Department == "") {
		return "", fault.New(fault.Denied, "not-your-duty", "您的岗位不能停用这一类对象。请联系运维人员。")
	}
	unknown := fault.New(fault.NotFound, "unknown-stoppable", "没有这个可以停用的对象，或它不属于本部门。请核对类别和代码。")
	owner, err = s.Owners.OwnerOf(ctx, kind, id)
	if errors.Is(err, fault.NotFound) {
		return "", unknown.Because(err)
	}
	if err != nil {
		return "", fmt.Errorf("stop: %w", err)
	}
	if !operator && owner != by.Department {
		return "", unknown
	}
	return owner, nil
}
