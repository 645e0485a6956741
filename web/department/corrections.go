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
	next := ""
	if len(found) > pageSize {
		found = found[:pageSize]
		next = found[pageSize-1].ID
	}
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
	// What the caller can do now.
	CanTake, CanAnswer, CanPass bool
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
	return frame.NewForm(v, "act", "version", "reason", "why", "to", "remark")
}

func (p *pages) correction(v *frame.Visit, c *correction.View, form *frame.Form) frame.Answer {
	data := correctionView{around: p.around(v, "/department/corrections"), One: c, Form: form}
	for _, code := range c.Fields {
		data.Claims = append(data.Claims, claim{data.Field(c.Dataset, code), c.Claim.Fields[code]})
	}
	for _, step := range c.History {
		text := strings.TrimSpace(data.CorrectionReason(step.Reason) + "　" + step.Why)
		kind := "good"
		if step.Late {
			kind, text = "bad", v.T("超过期限办理。")+text
		}
		data.Steps = append(data.Steps, frame.Step{Title: data.correctionStep(step.Act) + "　" + data.Department(step.Department), Text: text, At: step.At, Kind: kind})
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
	if c.Provider == v.Caller.Department && v.Caller.Has(policies.DutySharingOfficer) && v.Caller.Person != c.Opener.Person {
		data.CanTake = c.State == correction.Open
		data.CanAnswer = slices.Contains([]correction.State{correction.Open, correction.Taken, correction.Negotiating, correction.Ordered}, c.State)
		data.CanPass = c.State == correction.Open || c.State == correction.Taken
	}
	return frame.Show("correction.html", "校核", data)
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
	event := correction.Event{Act: correction.Act(form.Value("act")), Why: form.Value("why")}
	said := "已受理，正在核实。"
	switch event.Act {
	case correction.Take:
	case correction.Answer:
		event.Reason, said = correction.Reason(form.Value("reason")), "已答复。依据这项记录的办件会自动重新核验。"
		event.Result = resultOf(event.Reason)
		form.Require(v.T("请选择核实的结果。"), "reason")
	case correction.PassOn:
		event.To, event.Why, said = form.Value("to"), form.Value("remark"), "已转有关部门办理。"
		form.Require(v.T("请选择转到哪个部门。"), "to")
	default:
		form.Fail("", v.T("没有这种办理。"))
	}
	if form.OK() {
		_, err := p.Config.Corrections.Act(v.Context(), v.Caller, id, version(form), event)
		if err == nil {
			if event.Act == correction.PassOn { // it is no longer the department's
				return frame.GoSaying("/department/corrections", said), nil
			}
			return frame.GoSaying("/department/corrections/"+id, said), nil
		}
		if !form.Take(err) {
			return frame.Answer{}, err
		}
	}
	c, err := p.Config.Corrections.Correction(v.Context(), v.Caller, id)
	if err != nil {
		return frame.Answer{}, err
	}
	return p.correction(v, c, form).Status(422), nil
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
