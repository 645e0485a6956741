package correction

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"mianti/internal/fault"
	"mianti/policies"
)

// Workdays counts working days (工作日); internal/workday holds the calendar.
type Workdays interface {
	// Add gives the end of the n-th working day after the day of a moment.
	Add(from time.Time, n int) time.Time
	// Between gives how many working days after the day of from have ended by to.
	Between(from, to time.Time) int
}

// answerDays is how many working days a department has to check, correct and
// answer (条例, art. 26).
const answerDays = 10

// article26 is by which article it has them.
const article26 = "26"

// Act (校核动作) is what somebody does about a correction.
type Act string

// The acts.
const (
	Submit   Act = "submission" // 提出
	Take     Act = "taking"     // 受理核实
	Answer   Act = "answer"     // 答复
	PassOn   Act = "passing_on" // 转有关部门
	Escalate Act = "escalation" // 提请上一级处理
	Mediate  Act = "mediation"  // 主管部门协调意见
	Decide   Act = "decision"   // 登记本级政府决定
	Withdraw Act = "withdrawal" // 撤回
)

// Event (校核办理) is an act with what it says. Each act reads what concerns it.
type Event struct {
	Act Act
	// Result is Corrected or Upheld, in an answer, a mediation or a decision.
	Result State
	Reason Reason
	Why    string
	// To is the department that it is passed on to; Document the number of the
	// government's decision.
	To       string
	Document string
}

// Procedure (校核程序) holds the rules by which corrections change. It is pure.
type Procedure struct {
	Days Workdays
	// Authority is the code of the department that is the authority for
	// government data (政务数据共享主管部门); empty where there is none.
	Authority string
}

// Submit makes a correction. c has what is said of which record.
func (p Procedure) Submit(c Correction, by policies.Caller, now time.Time) Correction {
	c.State, c.Version, c.OpenedAt, c.History = Open, 1, now.UTC(), nil
	c.Opener = Opener{Department: by.Department, System: by.System, Person: by.Person, Subject: by.Subject}
	c.Deadline = p.deadline(now)
	c.note(Event{Act: Submit}, by, now)
	return c
}

func (p Procedure) deadline(now time.Time) *Term {
	return &Term{Article: article26, DueAt: p.Days.Add(now, answerDays).UTC()}
}

// Apply gives the correction as it is after an act, or says why the act is not
// possible. The correction that it was called with does not change.
func (p Procedure) Apply(c Correction, e Event, by policies.Caller, now time.Time) (Correction, error) {
	c = c.At(p.Days, now)
	if err := p.mayAct(&c, e.Act, by); err != nil {
		return c, err
	}
	if err := possible(&c, e.Act, by); err != nil {
		return c, err
	}
	next := c.clone()
	if err := p.change(&next, e, now.UTC()); err != nil {
		return c, err
	}
	next.note(e, by, now)
	next.History[len(next.History)-1].Late = c.Overdue
	next.Version++
	return next.At(p.Days, now), nil
}

func (c *Correction) note(e Event, by policies.Caller, now time.Time) {
	c.History = append(c.History, Trace{
		Act: e.Act, At: now.UTC(), Department: by.Department, Person: by.Person, System: by.System, State: c.State,
		Reason: e.Reason, Why: e.Why, Document: e.Document,
	})
}

// isOpener reports whether the caller stands for who opened it: the person
// himself, or his department's system and clerks.
func (c *Correction) isOpener(by policies.Caller) bool {
	if c.Opener.Department == "" {
		return by.Department == "" && by.Subject != "" && by.Subject == c.Opener.Subject
	}
	return by.Department == c.Opener.Department && (by.System != "" || by.Has(policies.DutyClerk))
}

// isOfficer reports whether the caller is an officer of a department, in person.
func isOfficer(by policies.Caller, department string) bool {
	return by.Person != "" && department != "" && by.Department == department && by.Has(policies.DutySharingOfficer)
}

// mayAct says whether an act is the caller's.
func (p Procedure) mayAct(c *Correction, act Act, by policies.Caller) error {
	switch act {
	case Withdraw:
		if !c.isOpener(by) {
			return fault.New(fault.Denied, "not-the-opener", "这是提出校核的人的事。")
		}
	case Escalate:
		if !c.isOpener(by) && !(isOfficer(by, c.Provider) && c.State == Ordered) {
			return fault.New(fault.Denied, "not-the-opener", "由提出校核的人提请；对协调意见有异议的提供部门也可以提请。")
		}
	case Mediate, Decide:
		if !isOfficer(by, p.Authority) {
			return fault.New(fault.Denied, "not-the-authority", "须由政务数据共享主管部门的工作机构人员本人办理。")
		}
		return p.notOwn(c, by)
	default:
		if by.Department != c.Provider {
			return fault.New(fault.Denied, "not-the-provider", "这是提供部门的事，由提供数据的部门办理。")
		}
		if !isOfficer(by, c.Provider) {
			return fault.New(fault.Denied, "not-your-duty", "须由部门的政务数据共享工作机构人员本人办理。")
		}
		return p.notOwn(c, by)
	}
	return nil
}

// notOwn keeps who said that a record is wrong from judging it.
func (Procedure) notOwn(c *Correction, by policies.Caller) error {
	if by.Person == c.Opener.Person {
		return fault.New(fault.Denied, "own-correction", "这是您自己提出的校核，请由其他人员办理。")
	}
	return nil
}

// from says in which states an act is possible.
func (a Act) from() []State {
	switch a {
	case Take:
		return []State{Open}
	case Answer:
		return []State{Open, Taken, Negotiating, Ordered}
	case PassOn:
		return []State{Open, Taken}
	case Escalate:
		return []State{Open, Taken, Upheld, Negotiating, Ordered}
	case Mediate:
		return []State{Mediating}
	case Decide:
		return []State{Referred}
	case Withdraw:
		return []State{Open, Taken, Negotiating, Mediating, Referred, Ordered}
	default:
		return nil
	}
}

// possible says whether an act is possible as things stand.
func possible(c *Correction, act Act, by policies.Caller) error {
	if !slices.Contains(act.from(), c.State) {
		return fault.New(fault.Conflict, "correction-state", "这项校核现在是「%s」，不能这样办理。请重新读取。", c.State)
	}
	switch {
	case act != Escalate:
	case (c.State == Open || c.State == Taken) && !c.Overdue:
		return fault.New(fault.Conflict, "answer-awaited", "提供部门还在答复期限之内。期限过后仍未答复，或不同意答复的，才可以提请上一级处理。")
	case c.Step == lastStep:
		return fault.New(fault.Conflict, "correction-final", "本级政府已经决定，不再有上一级。依法可以申请行政复议或者提起行政诉讼。")
	case c.State == Ordered && c.isOpener(by) && !c.Overdue:
		return fault.New(fault.Conflict, "correction-state", "协调意见是应予更正，等待提供部门更正。")
	}
	return nil
}

// The steps of a dispute (条例, art. 28): the departments talk, the authority for
// government data mediates, the government at the same level decides.
const (
	stepTalk    = 1
	stepMediate = 2
	lastStep    = 3
)

func (p Procedure) change(c *Correction, e Event, now time.Time) error {
	if err := checkEvent(c, e); err != nil {
		return err
	}
	switch e.Act {
	case Take:
		c.State = Taken
	case Answer:
		c.State, c.Deadline = e.Result, nil
	case PassOn:
		c.Passed, c.Provider = append(c.Passed, c.Provider), e.To
		c.State, c.Deadline = Open, p.deadline(now)
	case Escalate:
		return p.escalate(c)
	case Mediate, Decide:
		if c.State, c.Deadline = Upheld, nil; e.Result == Corrected {
			c.State, c.Deadline = Ordered, p.deadline(now)
		}
	case Withdraw:
		c.State, c.Deadline = Withdrawn, nil
	default:
		return fault.New(fault.Invalid, "invalid-request", "没有这种办理。")
	}
	return nil
}

// escalate goes one step up. The authority does not mediate in a dispute of its
// own: that goes to the government at once.
func (p Procedure) escalate(c *Correction) error {
	c.Step++
	if c.Step == stepMediate && (p.Authority == c.Provider || p.Authority == c.Receiver) {
		c.Step++
	}
	if c.Step > stepTalk && p.Authority == "" {
		return fault.New(fault.Conflict, "no-authority", "本平台没有登记政务数据共享主管部门，不能提请协调。请联系运维人员。")
	}
	c.State, c.Deadline = map[int]State{stepTalk: Negotiating, stepMediate: Mediating, lastStep: Referred}[c.Step], nil
	return nil
}

// checkEvent holds what an act says to what it has to say.
func checkEvent(c *Correction, e Event) error {
	var wrong []fault.Detail
	add := func(part, code, message string) {
		wrong = append(wrong, fault.Detail{Location: "body." + part, Code: code, Message: message})
	}
	switch e.Act {
	case Answer:
		if !e.Reason.fits(e.Result) {
			add("reason", "reason-does-not-fit", "更正的理由：wrongly_recorded、not_collected、out_of_date；记录无误的理由：record_right、not_proven、other_procedure。")
		}
		if c.State == Ordered && e.Result != Corrected {
			add("result", "correction-ordered", "协调意见或决定是应予更正。不同意协调意见的，请提请上一级处理。")
		}
		if e.Result == Upheld && blank(e.Why) {
			add("explanation", "missing", "记录无误的，请说明理由。")
		}
	case PassOn:
		if e.To == c.Provider || slices.Contains(c.Passed, e.To) {
			add("department", "already-passed", "这个部门已经转出过，不能再转回。有争议的，请答复后由提出人提请协商。")
		}
		if blank(e.Why) {
			add("explanation", "missing", "请说明为什么应由该部门核实。")
		}
	case Mediate, Decide:
		if e.Result != Corrected && e.Result != Upheld {
			add("result", "unknown-option", "请填 corrected（应予更正）或 upheld（记录无误）。")
		}
		if blank(e.Why) {
			add("explanation", "missing", "请说明理由。")
		}
		if e.Act == Decide && blank(e.Document) {
			add("document", "missing", "请填写本级政府决定的文号。")
		}
	case Escalate, Withdraw:
		if blank(e.Why) {
			add("explanation", "missing", "请说明理由。")
		}
	}
	for part, text := range map[string]string{"explanation": e.Why, "document": e.Document} {
		if !readable(text, longestText) {
			add(part, "invalid-text", "至多 2000 字，不能有不可见字符。")
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return fault.New(fault.Invalid, "invalid-correction-act", "办理内容有 %d 处不符合要求，没有登记。", len(wrong)).With(wrong...)
}

// longestText bounds a text in words, and longestValue a claimed value, in
// characters.
const (
	longestText  = 2000
	longestValue = 500
)

// blank reports whether a text says nothing.
func blank(text string) bool { return strings.TrimSpace(text) == "" }

// readable reports whether a text can be kept: no longer than that, and nothing
// invisible in it.
func readable(text string, most int) bool {
	return utf8.ValidString(text) && utf8.RuneCountInString(text) <= most && !strings.ContainsFunc(text, func(r rune) bool {
		return r != '\n' && unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
	})
}
