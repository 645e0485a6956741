package department

import (
	"cmp"
	"slices"
	"strings"

	"mianti/correction"
	"mianti/policies"
	"mianti/web/frame"
)

type correctionsView struct {
	around
	Form   *frame.Form
	States []frame.Option
	Sides  []frame.Option
	Rows   []correction.Brief
	Pager  frame.Pager
}

func correctionStates(v *frame.Visit) []frame.Option {
	return options(v, "全部状态", "open", "待核实", "taken", "核实中", "corrected", "已更正", "upheld", "记录无误", "negotiating", "部门协商",
		"mediating", "主管部门协调", "referred", "提请本级政府决定", "ordered", "应予更正", "withdrawn", "已撤回")
}

// listCorrections shows what is said to be wrong with the department's records, or
// what came up in its own cases.
func (p *pages) listCorrections(v *frame.Visit) (frame.Answer, error) {
	data := correctionsView{around: p.around(v, "/department/corrections"), Form: frame.NewForm(v, "state", "as", "overdue"), States: correctionStates(v)}
	data.Sides = []frame.Option{{Value: "provider", Title: v.T("向本部门提出的")}, {Value: "receiver", Title: v.T("本部门办件中提出的")}, {Value: "authority", Title: v.T("提请协调或决定的")}}
	found, err := p.Config.Corrections.List(v.Context(), v.Caller, correction.Side(cmp.Or(known(v, "as", data.Sides), "provider")), correction.Filter{
		State: correction.State(known(v, "state", data.States)), Overdue: v.Query("overdue") == "yes", After: v.Query("after"), Limit: pageSize + 1,
	})
	if err != nil {
		return frame.Answer{}, err
	}
	found, next := onePage(found, func(one correction.Brief) string { return one.ID })
	data.Rows, data.Pager = found, pager(v, "/department/corrections", next, v.Query("after"), len(found))
	return frame.Show("corrections.html", "校核", data), nil
}

type correctionView struct {
	around
	One     *correction.View
	Claims  []claim
	Steps   []frame.Step
	Form    *frame.Form
	Reasons []frame.Option
	Others  []frame.Option
	Rulings []frame.Option
	// What the caller can do now.
	CanTake, CanAnswer, CanPass, CanMediate, CanDecide, CanEscalate bool
}

// claim is what a field should say.
type claim struct{ Name, Value string }

// showCorrection shows one correction, with whose record it is where it is the
// department's own. The reading is recorded.
func (p *pages) showCorrection(v *frame.Visit) (frame.Answer, error) {
	c, err := p.Config.Corrections.Correction(v.Context(), v.Caller, v.Param("id"))
	if err != nil {
		return frame.Answer{}, err
	}
	return p.correction(v, c, correctionForm(v)), nil
}

func correctionForm(v *frame.Visit) *frame.Form {
	return frame.NewForm(v, "act", "version", "reason", "why", "to", "remark", "result", "explanation", "document", "grounds")
}

func (p *pages) correction(v *frame.Visit, c *correction.View, form *frame.Form) frame.Answer {
	data := correctionView{around: p.around(v, "/department/corrections"), One: c, Form: form}
	for _, code := range c.Fields {
		data.Claims = append(data.Claims, claim{data.Field(c.Dataset, code), c.Claim.Fields[code]})
	}
	for _, step := range c.History {
		data.Steps = append(data.Steps, data.correctionTrace(step))
	}
	for _, a := range answers() {
		if c.State != correction.Ordered || a.result == correction.Corrected { // what was ordered can only be corrected
			data.Reasons = append(data.Reasons, frame.Option{Value: string(a.reason), Title: data.CorrectionChip(a.result).Text + "：" + data.CorrectionReason(a.reason)})
		}
	}
	data.Others = options(v, "请选择")
	if v.Catalog != nil {
		for _, d := range v.Catalog.Departments() {
			if d.Code != v.Caller.Department {
				data.Others = append(data.Others, frame.Option{Value: d.Code, Title: d.Name})
			}
		}
	}
	data.Rulings = []frame.Option{
		{Value: string(correction.Corrected), Title: data.CorrectionChip(correction.Ordered).Text, Hint: v.T("提供部门在十个工作日内更正。")},
		{Value: string(correction.Upheld), Title: data.CorrectionChip(correction.Upheld).Text},
	}
	p.offer(&data)
	return frame.Show("correction.html", "校核", data)
}

// offer says what the caller can do about a correction as it is now. Nobody judges
// what he opened himself.
func (p *pages) offer(data *correctionView) {
	c, by := data.One, data.Caller
	if !by.Has(policies.DutySharingOfficer) {
		return
	}
	provider, others := c.Provider == by.Department, by.Person != c.Opener.Person
	data.CanTake = provider && others && c.State == correction.Open
	data.CanAnswer = provider && others && slices.Contains([]correction.State{correction.Open, correction.Taken, correction.Negotiating, correction.Ordered}, c.State)
	data.CanPass = provider && others && (c.State == correction.Open || c.State == correction.Taken)
	data.CanMediate = p.isAuthority(data.Visit.Visit) && others && c.State == correction.Mediating
	data.CanDecide = p.isAuthority(data.Visit.Visit) && others && c.State == correction.Referred
	data.CanEscalate = p.canEscalate(data)
}

// canEscalate reports whether the caller can take a correction a step up: as who
// opened it, that is as a clerk of that department too, or as the provider that does
// not agree with the authority's opinion.
func (p *pages) canEscalate(data *correctionView) bool {
	const talks, decides = 1, 3 // steps of art. 28
	c, by := data.One, data.Caller
	opener := c.Opener.Department != "" && c.Opener.Department == by.Department && by.Has(policies.DutyClerk)
	if c.Step >= decides || c.Step >= talks && p.Config.Authority == "" {
		return false
	}
	switch c.State {
	case correction.Open, correction.Taken:
		return opener && c.Overdue
	case correction.Upheld, correction.Negotiating:
		return opener
	case correction.Ordered:
		return opener && c.Overdue || !opener && c.Provider == by.Department
	default:
		return false
	}
}

// answered is an answer: a reason, and the result that it is one for.
type answered struct {
	reason correction.Reason
	result correction.State
}

// answers are all that an officer can answer. The reason says the result, so that
// nobody chooses two that do not fit each other.
func answers() []answered {
	return []answered{
		{correction.WronglyRecorded, correction.Corrected}, {correction.NotCollected, correction.Corrected}, {correction.OutOfDate, correction.Corrected},
		{correction.RecordRight, correction.Upheld}, {correction.NotProven, correction.Upheld}, {correction.OtherProcedure, correction.Upheld},
	}
}

// resultOf gives the result that a reason is one for; "" for no reason of ours,
// which the use case refuses.
func resultOf(reason correction.Reason) correction.State {
	for _, a := range answers() {
		if a.reason == reason {
			return a.result
		}
	}
	return ""
}

func (p *pages) actOnCorrection(v *frame.Visit) (frame.Answer, error) {
	form, id := correctionForm(v), v.Param("id")
	event, said := correctionEvent(v, form)
	if form.OK() {
		_, err := p.Config.Corrections.Act(v.Context(), v.Caller, id, version(form), event)
		if err == nil {
			if event.Act == correction.PassOn { // it is no longer the department's
				return frame.GoSaying("/department/corrections", said), nil
			}
			return frame.GoSaying("/department/corrections/"+id, said), nil
		}
		if !take(form, err, correctionParts(event.Act)) {
			return frame.Answer{}, err
		}
	}
	c, err := p.Config.Corrections.Correction(v.Context(), v.Caller, id)
	if err != nil {
		return frame.Answer{}, err
	}
	return p.correction(v, c, form).Status(422), nil
}

// correctionEvent reads the act that a form asks for, and what is said once it is
// done.
func correctionEvent(v *frame.Visit, form *frame.Form) (correction.Event, string) {
	e := correction.Event{Act: correction.Act(form.Value("act"))}
	switch e.Act {
	case correction.Take:
		return e, "已受理，正在核实。"
	case correction.Answer:
		e.Reason, e.Why = correction.Reason(form.Value("reason")), form.Value("why")
		e.Result = resultOf(e.Reason)
		form.Require(v.T("请选择核实的结果。"), "reason")
		return e, "已答复。依据这项记录的办件会自动重新核验。"
	case correction.PassOn:
		e.To, e.Why = form.Value("to"), form.Value("remark")
		form.Require(v.T("请选择转到哪个部门。"), "to")
		return e, "已转有关部门办理。"
	case correction.Mediate, correction.Decide:
		return rulingEvent(v, form, e)
	case correction.Escalate:
		e.Why = form.Value("grounds")
		form.Require(v.T("请写明理由。"), "grounds")
		return e, "已提请上一级处理。"
	default:
		form.Fail("", v.T("没有这种办理。"))
		return e, ""
	}
}

// rulingEvent reads what the authority says, or what it records of the government's
// decision.
func rulingEvent(v *frame.Visit, form *frame.Form, e correction.Event) (correction.Event, string) {
	e.Result, e.Why = correction.State(form.Value("result")), form.Value("explanation")
	form.Require(v.T("请选择应予更正，还是记录无误。"), "result")
	form.Require(v.T("请写明理由。"), "explanation")
	if e.Act == correction.Mediate {
		return e, "已登记协调意见。"
	}
	e.Document = form.Value("document")
	form.Require(v.T("请填写本级政府决定的文号。"), "document")
	return e, "已登记本级政府的决定。"
}

// correctionParts says at which field of the page a part of an act's input is.
func correctionParts(act correction.Act) map[string]string {
	switch act {
	case correction.Answer:
		return map[string]string{"explanation": "why", "result": "reason"}
	case correction.PassOn:
		return map[string]string{"explanation": "remark", "department": "to"}
	case correction.Escalate:
		return map[string]string{"explanation": "grounds"}
	default:
		return nil
	}
}

// CorrectionChip says how far a correction has come.
func (v Visit) CorrectionChip(state correction.State) frame.ChipView {
	kinds := map[correction.State]string{
		correction.Open: "wait", correction.Taken: "wait", correction.Corrected: "good", correction.Upheld: "good", correction.Ordered: "ask",
		correction.Negotiating: "ask", correction.Mediating: "ask", correction.Referred: "ask",
	}
	for _, o := range correctionStates(v.Visit) {
		if o.Value == string(state) {
			return frame.ChipView{Kind: cmp.Or(kinds[state], "none"), Text: o.Title}
		}
	}
	return frame.ChipView{Kind: "none", Text: string(state)}
}

// CorrectionReason says a reason in words; "" for none.
func (v Visit) CorrectionReason(reason correction.Reason) string {
	names := map[correction.Reason]string{
		correction.WronglyRecorded: "登记有误", correction.NotCollected: "漏归集，已补", correction.OutOfDate: "未及时更新",
		correction.RecordRight: "与原始档案一致", correction.NotProven: "所附证明不足", correction.OtherProcedure: "须经其他法定程序变更",
	}
	if name := names[reason]; name != "" {
		return v.T(name)
	}
	return string(reason)
}

// correctionTrace is one act in the correction's history: by whom, with which result.
func (v Visit) correctionTrace(step correction.Trace) frame.Step {
	out := frame.Step{Title: v.correctionStep(step.Act) + "　" + v.Department(step.Department), At: step.At, Kind: "good"}
	var said []string
	if step.Late {
		out.Kind, said = "bad", append(said, v.T("超过期限办理。"))
	}
	if step.Act == correction.Mediate || step.Act == correction.Decide {
		said = append(said, v.CorrectionChip(step.State).Text)
	}
	if step.Document != "" {
		said = append(said, v.T("文号：")+step.Document)
	}
	for _, text := range []string{v.CorrectionReason(step.Reason), step.Why} {
		if text != "" {
			said = append(said, text)
		}
	}
	out.Text = strings.Join(said, "　")
	return out
}

func (v Visit) correctionStep(act correction.Act) string {
	names := map[correction.Act]string{
		correction.Submit: "提出", correction.Take: "受理核实", correction.Answer: "答复", correction.PassOn: "转有关部门", correction.Escalate: "提请上一级处理",
		correction.Mediate: "协调意见", correction.Decide: "登记决定", correction.Withdraw: "撤回",
	}
	if name := names[act]; name != "" {
		return v.T(name)
	}
	return string(act)
}
