package sharing

import (
	"slices"
	"time"

	"mianti/catalog"
	"mianti/internal/fault"
	"mianti/policies"
)

// Grant (共享授权) is what policies.Grant is to a decision, with where it comes
// from and what was done about it since.
type Grant struct {
	policies.Grant
	// Request is the sharing request that it comes from; empty for one that was
	// given by command.
	Request  string
	Scenario string
	Scope    string
	Manner   Manner
	// CorrectBy is the last day of an order to correct (限期整改), while there is
	// one.
	CorrectBy string
	History   []Note
	Version   int
}

// GrantAct (授权动作) is what somebody does about a grant (条例, art. 27).
type GrantAct string

// The acts.
const (
	Suspend   GrantAct = "suspension"       // 暂停
	Order     GrantAct = "correction_order" // 限期整改
	Resume    GrantAct = "resumption"       // 恢复
	Terminate GrantAct = "termination"      // 终止
	Narrow    GrantAct = "narrowing"        // 缩小范围
)

// GrantEvent (授权变更) is an act on a grant with what it says.
type GrantEvent struct {
	Act GrantAct
	// Why is the reason; every act has one.
	Why string
	// CorrectBy is the last day of an order to correct.
	CorrectBy string
	// Fields are those that are left by a narrowing.
	Fields []string
}

// grantsOf are the grants that a delivery makes: one for each matter.
func grantsOf(r *Request, ids []string, now time.Time) []Grant {
	from, until, _ := r.Application.term() // checked when it was received
	if from.Before(now) {
		from = now
	}
	grants := make([]Grant, len(r.Application.Matters))
	for i, matter := range r.Application.Matters {
		grants[i] = Grant{
			Grant: policies.Grant{
				ID: ids[i], Department: r.Applicant, Matter: matter, Dataset: r.Application.Dataset, Fields: r.agreedFields(),
				Basis: r.Application.Basis, From: from, Until: until, State: policies.GrantActive,
			},
			Request: r.ID, Scenario: r.Application.Scenario, Scope: r.Application.Scope, Manner: r.Application.Manner, History: []Note{}, Version: 1,
		}
	}
	return grants
}

// ApplyToGrant gives a grant as it is after an act, or says why the act is not
// possible. The provider is the department whose dataset it is.
func (p Procedure) ApplyToGrant(g Grant, provider string, e GrantEvent, by policies.Caller, now time.Time) (Grant, error) {
	if err := mayActOnGrant(&g, provider, e.Act, by); err != nil {
		return g, err
	}
	if err := g.open(now); err != nil {
		return g, err
	}
	if err := checkReason("body.reason", e.Why); err != nil {
		return g, err
	}
	next := g
	next.History = slices.Clone(g.History)
	if err := next.change(e, by, now); err != nil {
		return g, err
	}
	next.History = append(next.History, noteOf(string(e.Act), e.Why, by, now))
	next.Version++
	return next, nil
}

// mayActOnGrant says whose an act is. The provider suspends, orders, resumes and
// ends; the holder may give up what it no longer needs; an operator at the
// machine carries out what was decided elsewhere.
func mayActOnGrant(g *Grant, provider string, act GrantAct, by policies.Caller) error {
	if atMachine(by) {
		return nil
	}
	isProvider := by.Department == provider && provider != ""
	isHolder := by.Department == g.Department && (act == Terminate || act == Narrow)
	if !isProvider && !isHolder {
		return fault.New(fault.Denied, "not-the-provider", "这是提供部门的事。使用部门可以缩小或者终止自己不再需要的授权。")
	}
	if by.Person == "" || !by.Has(policies.DutySharingOfficer) {
		return fault.New(fault.Denied, "not-your-duty", "须由部门的政务数据共享工作机构人员本人办理。")
	}
	return nil
}

// open refuses every act on a grant that has ended.
func (g *Grant) open(now time.Time) error {
	switch {
	case g.State == policies.GrantTerminated:
		return fault.New(fault.Conflict, "grant-terminated", "这项共享授权已经终止，不能再办理。")
	case !now.Before(g.Until):
		return fault.New(fault.Conflict, "grant-expired", "这项共享授权已经到期，不能再办理。确有需要的，请重新申请。")
	}
	return nil
}

func (g *Grant) change(e GrantEvent, by policies.Caller, now time.Time) error {
	suspended := g.State == policies.GrantSuspended
	switch e.Act {
	case Suspend:
		if suspended {
			return fault.New(fault.Conflict, "grant-suspended", "这项共享授权已经暂停。")
		}
		g.State = policies.GrantSuspended
	case Order:
		return g.order(e.CorrectBy, now)
	case Resume:
		if !suspended {
			return notSuspended("没有暂停，不需要恢复。")
		}
		g.State, g.CorrectBy = policies.GrantActive, ""
	case Terminate:
		return g.terminate(by, now)
	case Narrow:
		return g.narrow(e.Fields)
	default:
		return fault.New(fault.Invalid, "invalid-request", "没有这种办理。")
	}
	return nil
}

func notSuspended(what string) error {
	return fault.New(fault.Conflict, "grant-not-suspended", "这项共享授权%s", what)
}

func (g *Grant) order(correctBy string, now time.Time) error {
	if g.State != policies.GrantSuspended {
		return notSuspended("没有暂停。先暂停，再责令限期整改。")
	}
	day, err := time.ParseInLocation(time.DateOnly, correctBy, catalog.TimeZone())
	if err != nil || day.Before(startOfDay(now)) {
		return fault.New(fault.Invalid, "invalid-correction-order", "整改期限须为今天或者以后的日期。").
			With(fault.Detail{Location: "body.correct_by", Code: "out-of-range", Message: "须为今天或者以后的日期，如 2026-11-23。"})
	}
	g.CorrectBy = correctBy
	return nil
}

// terminate ends a grant. Its provider may do so after it was suspended, ordered
// to be corrected, and not corrected in time: no service ends without a reason
// (条例, art. 27).
func (g *Grant) terminate(by policies.Caller, now time.Time) error {
	isProvider := by.Department != "" && by.Department != g.Department
	if isProvider && (g.State != policies.GrantSuspended || g.CorrectBy == "") {
		return fault.New(fault.Conflict, "no-correction-order", "提供部门不能径行终止。先暂停并责令限期整改，逾期不改的才能终止。")
	}
	if isProvider {
		last, err := time.ParseInLocation(time.DateOnly, g.CorrectBy, catalog.TimeZone())
		if err == nil && now.Before(last.AddDate(0, 0, 1)) {
			return fault.New(fault.Conflict, "correction-under-way", "整改期限（%s）还没有过，不能终止。", g.CorrectBy)
		}
	}
	g.State, g.CorrectBy = policies.GrantTerminated, ""
	return nil
}

// narrow leaves a grant with fewer fields. More fields are a new request.
func (g *Grant) narrow(fields []string) error {
	wrong := func(code, message string) error {
		return fault.New(fault.Invalid, code, "%s", message).With(fault.Detail{Location: "body.fields", Code: code, Message: message})
	}
	for _, field := range fields {
		if !slices.Contains(g.Fields, field) {
			return wrong("wider-needs-request", "授权中没有这个数据项。扩大范围须重新申请。")
		}
	}
	left := slices.DeleteFunc(slices.Clone(g.Fields), func(field string) bool { return !slices.Contains(fields, field) })
	switch len(left) {
	case 0:
		return wrong("nothing-left", "至少保留一个数据项。全部不再需要的，请终止授权。")
	case len(g.Fields):
		return wrong("nothing-changes", "与现有的数据项相同，没有缩小。")
	}
	g.Fields = left
	return nil
}
