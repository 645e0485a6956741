package sharing

import (
	"slices"
	"time"

	"mianti/internal/fault"
	"mianti/policies"
)

// Procedure (共享程序) holds the rules by which requests and grants change. It is
// pure.
type Procedure struct {
	Days Workdays
	// Authority is the code of the department that is the authority for
	// government data (政务数据共享主管部门); empty where there is none.
	Authority string
}

// Submit makes a request of an application whose items have been checked.
func (p Procedure) Submit(id, provider string, e Event, by policies.Caller, now time.Time) Request {
	r := Request{
		ID: id, Applicant: by.Department, Provider: provider, Application: *e.Application, Items: e.Items, State: Submitted,
		ReceivedAt: now.UTC(), Revision: e.Revision, Version: 1, History: []Note{},
	}
	r.Deadline = r.replyDeadline(p.Days)
	r.note(Event{Act: Submit}, by, now)
	return r
}

// Apply gives the request as it is after an act, or says why the act is not
// possible. The request that it was called with does not change.
func (p Procedure) Apply(r Request, e Event, by policies.Caller, now time.Time) (Request, error) {
	if err := p.mayAct(&r, e.Act, by); err != nil {
		return r, err
	}
	current := r.At(now)
	if e.Act == Withdraw { // what nobody answered in time can still be taken back
		current = r
	}
	if err := possible(current, e.Act); err != nil {
		return r, err
	}
	next := r.clone()
	err := p.change(&next, e, now.UTC())
	if err != nil {
		return r, err
	}
	next.note(e, by, now)
	next.Version++
	return next, nil
}

func (p Procedure) change(r *Request, e Event, now time.Time) error {
	switch e.Act {
	case AskCompletion:
		return p.askCompletion(r, e, now)
	case Complete:
		return p.complete(r, e, now)
	case AskExtension:
		return p.askExtension(r, e, now)
	case ConsentExtension:
		return p.consentExtension(r, now)
	case Decide:
		return p.decide(r, e, now)
	case Deliver:
		r.State, r.Deadline, r.Grants = Delivered, nil, e.Grants
	case Withdraw:
		if err := checkReason("body.reason", e.Why); err != nil {
			return err
		}
		r.State, r.Deadline = Withdrawn, nil
	default:
		return fault.New(fault.Invalid, "invalid-request", "没有这种办理。")
	}
	return nil
}

// mayAct says whether an act is the caller's: of the right department, by a
// sharing officer in person where something is decided, and by nobody who wrote
// what he would judge.
func (p Procedure) mayAct(r *Request, act Act, by policies.Caller) error {
	switch act.side() {
	case sideApplicant:
		if by.Department != r.Applicant {
			return fault.New(fault.Denied, "not-the-applicant", "这是需求部门的事，由提出申请的部门办理。")
		}
		return nil
	case sideAuthority:
		if p.Authority == "" || by.Department != p.Authority {
			return fault.New(fault.Denied, "extension-without-consent", "延长答复须由政务数据共享主管部门同意，其他部门不能代为同意。")
		}
	default:
		if by.Department != r.Provider {
			return fault.New(fault.Denied, "not-the-provider", "这是提供部门的事，由提供数据的部门办理。")
		}
	}
	if by.Person == "" || !by.Has(policies.DutySharingOfficer) {
		return fault.New(fault.Denied, "not-your-duty", "须由部门的政务数据共享工作机构人员本人办理。")
	}
	if r.did(by.Person, Submit, Complete) || act == ConsentExtension && r.did(by.Person, AskExtension) {
		return fault.New(fault.Denied, "own-application", "您是这项申请的经办人，不能自己审核或者同意。请由其他人员办理。")
	}
	return nil
}

// possible says whether an act is possible in the state that the request is in.
func possible(r Request, act Act) error {
	if slices.Contains(act.from(), r.State) {
		return nil
	}
	switch {
	case r.State == Expired:
		return fault.New(fault.Conflict, "request-expired", "申请的使用时限已过，不能再办理。确有需要的，请需求部门重新申请。")
	case r.State == Withdrawn:
		return fault.New(fault.Conflict, "request-withdrawn", "申请已经撤回，不能再办理。")
	case r.State == Delivered:
		return fault.New(fault.Conflict, "already-delivered", "申请已经开通，之后的变化在共享授权上办理。")
	case act == Deliver:
		return fault.New(fault.Conflict, "not-agreed", "提供部门没有同意这项申请，同意之后才能开通。")
	case r.State == Agreed || r.State == PartlyAgreed || r.State == Refused:
		return fault.New(fault.Conflict, "already-decided", "申请已经答复，不能再改。")
	case act == AskCompletion && r.Completion != nil:
		return fault.New(fault.Conflict, "second-completion", "补正只能一次性告知，这项申请已经告知过。请就现有内容答复。")
	case r.State == Incomplete:
		return fault.New(fault.Conflict, "awaiting-completion", "申请正在补正，补正之后才能办理。")
	default:
		return fault.New(fault.Conflict, "no-completion-asked", "现在没有要求补正，申请不能更改。可以撤回后重新申请。")
	}
}

// clone gives a copy that shares nothing that an act changes.
func (r Request) clone() Request {
	r.Items, r.History, r.Grants = slices.Clone(r.Items), slices.Clone(r.History), slices.Clone(r.Grants)
	if r.Completion != nil {
		completion := *r.Completion
		r.Completion = &completion
	}
	if r.Extension != nil {
		extension := *r.Extension
		r.Extension = &extension
	}
	return r
}

// note adds what was done to the request's own record.
func (r *Request) note(e Event, by policies.Caller, now time.Time) {
	r.History = append(r.History, noteOf(string(e.Act), e.Why, by, now))
}

func noteOf(act, why string, by policies.Caller, now time.Time) Note {
	return Note{Act: act, At: now.UTC(), Department: by.Department, Person: by.Person, System: by.System, Why: why}
}
