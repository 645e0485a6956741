package department

import (
	"fmt"
	"strconv"

	"mianti/catalog"
	"mianti/sharing"
	"mianti/web/frame"
)

type requestsView struct {
	around
	Form   *frame.Form
	States []frame.Option
	Sides  []frame.Option
	Rows   []sharing.Request
	Pager  frame.Pager
}

func requestStates(v *frame.Visit) []frame.Option {
	return options(v, "全部状态", "submitted", "待答复", "resubmitted", "已补正，待答复", "incomplete", "待补正", "agreed", "同意，待开通",
		"partly_agreed", "部分同意，待开通", "delivered", "已开通", "refused", "不同意", "withdrawn", "已撤回", "expired", "使用时限已过")
}

// listRequests shows the sharing requests that the department received or made.
func (p *pages) listRequests(v *frame.Visit) (frame.Answer, error) {
	data := requestsView{around: p.around(v, "/department/sharing"), Form: frame.NewForm(v, "state", "as", "overdue"), States: requestStates(v)}
	data.Sides = options(v, "收到的和提出的", "provider", "收到的申请", "applicant", "本部门提出的")
	found, err := p.Config.Requests.List(v.Context(), v.Caller, sharing.Side(known(v, "as", data.Sides)), sharing.Filter{
		State: sharing.State(known(v, "state", data.States)), Overdue: v.Query("overdue") == "yes", After: v.Query("after"), Limit: pageSize + 1,
	})
	if err != nil {
		return frame.Answer{}, err
	}
	found, next := onePage(found, func(one sharing.Request) string { return one.ID })
	data.Rows, data.Pager = found, pager(v, "/department/sharing", next, v.Query("after"), len(found))
	return frame.Show("requests.html", "共享申请", data), nil
}

// requestAct is which form of the page is sent.
const (
	actDecide   = string(sharing.Decide)
	actComplete = string(sharing.AskCompletion)
	actFill     = string(sharing.Complete)
	actExtend   = string(sharing.AskExtension)
	actConsent  = string(sharing.ConsentExtension)
	actDeliver  = string(sharing.Deliver)
	actWithdraw = string(sharing.Withdraw)
)

type requestView struct {
	around
	Request *sharing.Request
	Fields  []requestField
	Steps   []frame.Step
	Choices []frame.Option
	Form    *frame.Form
	// What the caller's department can do now.
	CanDecide, CanComplete, CanExtend, CanConsent, CanDeliver, CanWithdraw bool
	// Completing is the form by which the applicant completes the request; nil where
	// it has not been asked to.
	Completing *applicationView
}

// requestField is one field that is applied for, with what the catalog says of it.
type requestField struct {
	sharing.Item
	Name, Terms string
}

func (p *pages) showRequest(v *frame.Visit) (frame.Answer, error) {
	r, err := p.Config.Requests.Request(v.Context(), v.Caller, v.Param("id"))
	if err != nil {
		return frame.Answer{}, err
	}
	return p.request(v, r, requestForm(v, r)), nil
}

func requestForm(v *frame.Visit, r *sharing.Request) *frame.Form {
	names := append(applicationFields(), "act", "version", "reason", "missing", "days", "why")
	for _, item := range r.Items {
		names = append(names, "agree-"+item.Field, "reason-"+item.Field)
	}
	return frame.NewForm(v, names...)
}

func (p *pages) request(v *frame.Visit, r *sharing.Request, form *frame.Form) frame.Answer {
	data := requestView{around: p.around(v, "/department/sharing"), Request: r, Form: form}
	data.Choices = []frame.Option{{Value: "yes", Title: v.T("同意")}, {Value: "no", Title: v.T("不同意")}}
	dataset := data.dataset(r.Application.Dataset)
	for _, item := range r.Items {
		f := requestField{Item: item, Name: item.Field}
		if dataset != nil {
			if field := dataset.Field(item.Field); field != nil {
				terms := dataset.TermsOf(field)
				f.Name, f.Terms = field.Name, terms.Purpose
			}
		}
		data.Fields = append(data.Fields, f)
	}
	for _, n := range r.History {
		data.Steps = append(data.Steps, frame.Step{Title: data.requestStep(n.Act) + "　" + data.Department(n.Department), Text: n.Why, At: n.At, Kind: "good"})
	}
	mine, waits := r.Provider == v.Caller.Department, r.State == sharing.Submitted || r.State == sharing.Resubmitted
	inTime := r.Deadline != nil && v.Now.Before(r.Deadline.DueAt)
	data.CanDecide = mine && waits
	data.CanComplete = mine && r.State == sharing.Submitted && r.Completion == nil && inTime
	data.CanExtend = mine && waits && r.Extension == nil && inTime && conditional(r)
	data.CanConsent = p.isAuthority(v) && waits && r.Extension != nil && r.Extension.ConsentedAt == nil && inTime
	data.CanDeliver = mine && (r.State == sharing.Agreed || r.State == sharing.PartlyAgreed)
	if r.Applicant == v.Caller.Department {
		data.CanWithdraw = waits || r.State == sharing.Incomplete || r.State == sharing.Agreed || r.State == sharing.PartlyAgreed ||
			r.State == sharing.Expired && len(r.Grants) == 0 // what nobody answered in time
		data.Completing = completing(v, r, form, dataset)
	}
	return frame.Show("request.html", "共享申请", data)
}

// completing is the form of the application as it was handed in, or as it has just
// been sent. Nobody can complete an application for what the catalog no longer has.
func completing(v *frame.Visit, r *sharing.Request, form *frame.Form, dataset *catalog.Dataset) *applicationView {
	if r.State != sharing.Incomplete || dataset == nil {
		return nil
	}
	if form.Value("act") != actFill {
		fill(form, &r.Application)
	}
	data := newApplicationView(v, dataset, form)
	return &data
}

// isAuthority reports whether the visitor's department is the authority for
// government data.
func (p *pages) isAuthority(v *frame.Visit) bool {
	return p.Config.Authority != "" && v.Caller.Department == p.Config.Authority
}

func conditional(r *sharing.Request) bool {
	for _, item := range r.Items {
		if item.Class != catalog.SharingUnconditional {
			return true
		}
	}
	return false
}

// actOnRequest does what one of the forms of the page asks for.
func (p *pages) actOnRequest(v *frame.Visit) (frame.Answer, error) {
	r, err := p.Config.Requests.Request(v.Context(), v.Caller, v.Param("id"))
	if err != nil {
		return frame.Answer{}, err
	}
	form := requestForm(v, r)
	event, said := requestEvent(v, form, r)
	if !form.OK() {
		return p.request(v, r, form).Status(422), nil
	}
	if _, err := p.Config.Requests.Act(v.Context(), v.Caller, r.ID, version(form), event); err != nil {
		if take(form, err, requestParts(event.Act, r)) {
			return p.request(v, r, form).Status(422), nil
		}
		return frame.Answer{}, err
	}
	return frame.GoSaying("/department/sharing/"+r.ID, said), nil
}

// requestParts says at which field of the page a part of an act's input is.
func requestParts(act sharing.Act, r *sharing.Request) map[string]string {
	switch act {
	case sharing.Decide:
		at := map[string]string{"fields": ""}
		for i, item := range r.Items {
			at[fmt.Sprintf("fields[%d].reason", i)] = "reason-" + item.Field
		}
		return at
	case sharing.Complete:
		return map[string]string{"dataset": ""}
	case sharing.Withdraw:
		return map[string]string{"reason": "why"}
	default:
		return nil
	}
}

// requestEvent reads the act that a form asks for, and what is said once it is
// done.
func requestEvent(v *frame.Visit, form *frame.Form, r *sharing.Request) (sharing.Event, string) {
	e := sharing.Event{Act: sharing.Act(form.Value("act")), Why: form.Value("why")}
	switch form.Value("act") {
	case actDecide:
		form.Require(v.T("请填写签署答复的负责人。"), "officer")
		e.Officer = form.Value("officer")
		for _, item := range r.Items {
			e.Answers = append(e.Answers, fieldAnswer(v, form, item.Field))
		}
		return e, "已答复。"
	case actComplete:
		form.Require(v.T("请一次写明需要补正的全部内容。"), "missing")
		e.Why = form.Value("missing")
		return e, "已告知需求部门补正，答复期限暂停计算。"
	case actFill:
		application := readApplication(v, form, r.Application.Dataset)
		e.Application = &application
		return e, "已补正，提供部门的答复期限继续计算。"
	case actExtend:
		form.Require(v.T("请写明延长的理由。"), "reason")
		days, err := strconv.Atoi(form.Value("days"))
		if err != nil {
			form.Fail("days", v.T("请填写延长的工作日数。"))
		}
		e.Days, e.Why = days, form.Value("reason")
		return e, "已向主管部门申请延长。主管部门同意之后才延长。"
	case actConsent:
		return e, "已同意延长。"
	case actDeliver:
		return e, "已开通，需求部门现在可以使用。"
	case actWithdraw:
		form.Require(v.T("请写明撤回的理由。"), "why")
		return e, "已撤回。"
	default:
		form.Fail("", v.T("没有这种办理。"))
		return e, ""
	}
}

func fieldAnswer(v *frame.Visit, form *frame.Form, field string) sharing.FieldAnswer {
	answer := sharing.FieldAnswer{Field: field, Agreed: form.Value("agree-"+field) == "yes", Reason: form.Value("reason-" + field)}
	switch {
	case form.Value("agree-"+field) == "":
		form.Fail("agree-"+field, v.T("请选择是否同意。"))
	case !answer.Agreed && answer.Reason == "":
		form.Fail("reason-"+field, v.T("不同意的，请写明理由。"))
	case answer.Agreed:
		answer.Reason = ""
	}
	return answer
}

// RequestChip says how far a request has come.
func (v Visit) RequestChip(state sharing.State) frame.ChipView {
	kinds := map[sharing.State]string{
		sharing.Submitted: "wait", sharing.Resubmitted: "wait", sharing.Incomplete: "ask", sharing.Agreed: "info", sharing.PartlyAgreed: "info",
		sharing.Delivered: "good", sharing.Refused: "bad", sharing.Withdrawn: "none", sharing.Expired: "none",
	}
	for _, o := range requestStates(v.Visit) {
		if o.Value == string(state) {
			return frame.ChipView{Kind: kinds[state], Text: o.Title}
		}
	}
	return frame.ChipView{Kind: "none", Text: string(state)}
}

func (v Visit) requestStep(act string) string {
	names := map[string]string{
		string(sharing.Submit): "提出申请", actComplete: "告知补正", actFill: "补正", actExtend: "申请延长答复", actConsent: "同意延长",
		actDecide: "答复", actDeliver: "开通", actWithdraw: "撤回",
	}
	if name := names[act]; name != "" {
		return v.T(name)
	}
	return act
}

// Class names a class of sharing.
func (v Visit) Class(class catalog.Sharing) string {
	switch class {
	case catalog.SharingUnconditional:
		return v.T("无条件共享")
	case catalog.SharingConditional:
		return v.T("有条件共享")
	case catalog.SharingWithheld:
		return v.T("不予共享")
	default:
		return string(class)
	}
}

// Manner names a manner of sharing.
func (v Visit) Manner(m sharing.Manner) string {
	names := map[sharing.Manner]string{sharing.MannerQuery: "接口查询", sharing.MannerVerify: "核验", sharing.MannerBatch: "批量交换", sharing.MannerFile: "文件下载"}
	if name := names[m]; name != "" {
		return v.T(name)
	}
	return string(m)
}

// Answer says what the provider said of a field; nil while it has said nothing.
func (f requestField) Answer(v requestView) *frame.ChipView {
	if f.Agreed == nil {
		return nil
	}
	if *f.Agreed {
		return &frame.ChipView{Kind: "good", Text: v.T("同意")}
	}
	return &frame.ChipView{Kind: "bad", Text: v.T("不同意")}
}
