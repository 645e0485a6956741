package draft

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// Act (草案办理) is what can be done about a draft.
type Act string

// The acts.
const (
	Create   Act = "create"
	Change   Act = "change"   // 改写: an edit is put or taken out
	Rebase   Act = "merge"    // 合并到现行目录
	Submit   Act = "submit"   // 提交审核
	Recall   Act = "recall"   // 收回修改
	Return   Act = "return"   // 退回
	Approve  Act = "approve"  // 审核通过
	Schedule Act = "schedule" // 定期发布
	Publish  Act = "publish"  // 发布
	Block    Act = "block"    // 到期未能发布, by itself
	Withdraw Act = "withdraw" // 撤销
)

// Name gives the act in Chinese.
func (a Act) Name() string {
	return map[Act]string{
		Create: "起草", Change: "改写", Rebase: "合并", Submit: "提交审核", Recall: "收回修改", Return: "退回", Approve: "审核通过",
		Schedule: "定期发布", Publish: "发布", Block: "到期未能发布", Withdraw: "撤销",
	}[a]
}

// from are the states in which an act is possible.
func (a Act) from() []State {
	switch a {
	case Change, Rebase, Submit:
		return []State{Editing, Returned}
	case Recall, Return:
		return []State{Submitted, Approved, Scheduled}
	case Approve:
		return []State{Submitted}
	case Schedule, Publish:
		return []State{Approved, Scheduled}
	case Block:
		return []State{Scheduled}
	case Withdraw:
		return []State{Editing, Submitted, Returned, Approved, Scheduled}
	default:
		return nil
	}
}

// ofReviewer reports whether an act is that of a reviewer who wrote nothing of it.
func (a Act) ofReviewer() bool {
	return a == Return || a == Approve || a == Schedule || a == Publish
}

// Event (草案事项) is an act with what comes with it.
type Event struct {
	Act Act
	Why string
	On  time.Time // for Schedule: when
}

// Procedure (草案程序) holds the rules by which drafts change. It is pure.
type Procedure struct{}

// May lists what a caller may do about a draft, in the order of its life.
func (p Procedure) May(d *Draft, by policies.Caller) []Act {
	may := []Act{}
	for _, act := range []Act{Change, Rebase, Submit, Approve, Publish, Schedule, Return, Recall, Withdraw} {
		if possible(d, act) == nil && p.mayAct(d, act, by) == nil {
			may = append(may, act)
		}
	}
	return may
}

// Apply gives the draft as it is after an act, or says why the act is not possible.
// The draft that it was called with does not change. Edits and the published
// revision are the caller's to set.
func (p Procedure) Apply(d *Draft, e Event, by policies.Caller, now time.Time) (Draft, error) {
	if err := p.check(d, e, by, now); err != nil {
		return *d, err
	}
	next := d.clone()
	switch e.Act {
	case Submit:
		next.State = Submitted
	case Recall, Block:
		next.State, next.PublishAt, next.Reviewer = Editing, nil, ""
	case Return:
		next.State, next.PublishAt, next.Reviewer = Returned, nil, ""
	case Approve:
		next.State, next.Reviewer = Approved, by.Person
	case Schedule:
		at := e.On.UTC()
		next.State, next.PublishAt, next.Reviewer = Scheduled, &at, by.Person
	case Publish:
		next.State, next.PublishAt = Published, nil
	case Withdraw:
		next.State, next.PublishAt = Withdrawn, nil
	}
	if (e.Act == Change || e.Act == Rebase || e.Act == Submit) && by.Person != "" && !d.WrittenBy(by.Person) {
		next.Writers = append(next.Writers, by.Person)
	}
	next.note(e, by, now)
	return next, nil
}

// check says why an act is not possible, or nil.
func (p Procedure) check(d *Draft, e Event, by policies.Caller, now time.Time) error {
	if err := p.mayAct(d, e.Act, by); err != nil {
		return err
	}
	if err := possible(d, e.Act); err != nil {
		return err
	}
	switch {
	case e.Act == Submit && len(d.Edits) == 0:
		return fault.New(fault.Conflict, "draft-empty", "草案还没有任何改动，不能提交。请先加入要改的内容。")
	case e.Act == Return || e.Act == Withdraw:
		return textError("reason-missing", "body.reason", e.Why, true)
	case e.Act == Schedule && !e.On.After(now):
		return fault.New(fault.Invalid, "invalid-publish-date", "发布日期应在今天之后。要今天发布的，请立即发布。").
			With(fault.Detail{Location: "body.on", Code: "date-past", Message: "请填写今天以后的日期，如 2026-12-01。"})
	default:
		return textError("invalid-text", "body.reason", e.Why, false)
	}
}

// mayAct says whether an act is the caller's: policy staff of the draft's
// department write it, a reviewer who wrote nothing of it judges it. Who sits at
// the machine may write any.
func (p Procedure) mayAct(d *Draft, act Act, by policies.Caller) error {
	switch {
	case act == Block:
		return nil // nobody's act
	case by.Person == "" || !by.Has(policies.DutyPolicyEditor) && !by.Has(policies.DutyPolicyReviewer):
		return fault.New(fault.Denied, "not-your-duty", "草案由目录编辑、目录审核人员本人办理。")
	case !act.ofReviewer():
		if d.Department != "" && d.Department != by.Department && by.Person != ledger.Operator {
			return fault.New(fault.Denied, "not-the-drafting-department", "草案由起草部门的人员编写。可以另起一份草案，或者请对方改写。")
		}
		return nil
	case !by.Has(policies.DutyPolicyReviewer):
		return fault.New(fault.Denied, "not-your-duty", "审核和发布由目录审核人员办理。")
	case d.WrittenBy(by.Person):
		return fault.New(fault.Denied, "own-draft", "您参与编写了这份草案，不能自己审核或者发布。请由其他审核人员办理。")
	}
	return nil
}

// possible says why an act is not possible in the state that the draft is in, and
// what is.
func possible(d *Draft, act Act) error {
	if slices.Contains(act.from(), d.State) {
		return nil
	}
	now := "草案现在是“" + d.State.Name() + "”，"
	switch {
	case d.State == Published:
		return fault.New(fault.Conflict, "draft-published", "草案已经发布为修订 %d，不能再办理。要再改的，请另起一份草案。", d.Revision)
	case d.State == Withdrawn:
		return fault.New(fault.Conflict, "draft-withdrawn", "草案已经撤销，不能再办理。请另起一份草案。")
	case act == Change || act == Rebase || act == Submit:
		return fault.New(fault.Conflict, "draft-state", "%s不能改写。请先收回修改，改好后重新提交审核。", now)
	case act == Approve && d.State != Submitted && d.State != Editing && d.State != Returned:
		return fault.New(fault.Conflict, "draft-state", "%s已经审核过。可以发布，或者退回。", now)
	case act == Publish || act == Schedule:
		return fault.New(fault.Conflict, "draft-state", "%s审核通过之后才能发布。", now)
	default:
		return fault.New(fault.Conflict, "draft-state", "%s还没有提交审核。", now)
	}
}

// note adds what was done to the draft's own record. Changes of a row are not each
// a line of it: the last one stands.
func (d *Draft) note(e Event, by policies.Caller, now time.Time) {
	n := Deed{Act: e.Act, At: now.UTC(), Department: by.Department, Person: by.Person, State: d.State, Why: strings.TrimSpace(e.Why)}
	d.UpdatedAt = n.At
	d.Version++
	if last := len(d.History) - 1; e.Act == Change && last >= 0 && d.History[last].Act == Change && d.History[last].Person == by.Person {
		d.History[last] = n
		return
	}
	d.History = append(d.History, n)
}

// longestTitle and longestText bound texts, in characters.
const (
	longestTitle = 100
	longestText  = 2000
	// digitsOfPerson is from how many digits in a row on a text is taken to hold a
	// person's number. Reasons go into the ledger, which holds none.
	digitsOfPerson = 15
)

// textError says what is wrong with a text that is kept, at its place.
func textError(code, location, text string, needed bool) error {
	message, which := "", "invalid-text"
	switch {
	case strings.TrimSpace(text) == "":
		if !needed {
			return nil
		}
		message, which = "请说明理由。", "missing"
	case !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && r != '\r' && unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }):
		message = "不能有不可见字符。"
	case utf8.RuneCountInString(text) > longestText:
		message = "至多 2000 字。"
	case manyDigits(text):
		message = "不能含有身份号码等个人信息。"
	default:
		return nil
	}
	return fault.New(fault.Invalid, code, "%s", message).With(fault.Detail{Location: location, Code: which, Message: message})
}

func manyDigits(text string) bool {
	digits := 0
	for _, r := range text {
		if digits++; !unicode.IsDigit(r) {
			digits = 0
		}
		if digits == digitsOfPerson {
			return true
		}
	}
	return false
}
