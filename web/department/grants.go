package department

import (
	"slices"

	"mianti/policies"
	"mianti/sharing"
	"mianti/web/frame"
)

type grantsView struct {
	around
	Form   *frame.Form
	States []frame.Option
	Sides  []frame.Option
	Rows   []sharing.Grant
	Pager  frame.Pager
}

// listGrants shows who may use the department's data, and what it may use itself.
func (p *pages) listGrants(v *frame.Visit) (frame.Answer, error) {
	data := grantsView{around: p.around(v, "/department/grants"), Form: frame.NewForm(v, "state", "as", "matter", "dataset")}
	data.States = options(v, "全部状态", "active", "有效", "suspended", "已暂停", "terminated", "已终止")
	data.Sides = options(v, "提供的和使用的", "provider", "本部门提供的", "applicant", "本部门使用的")
	found, err := p.Config.Grants.ListGrants(v.Context(), v.Caller, sharing.Side(known(v, "as", data.Sides)), sharing.GrantFilter{
		State: policies.GrantState(known(v, "state", data.States)), Matter: data.Form.Value("matter"), Dataset: data.Form.Value("dataset"),
		After: v.Query("after"), Limit: pageSize + 1,
	})
	if err != nil {
		return frame.Answer{}, err
	}
	found, next := onePage(found, func(one sharing.Grant) string { return one.ID })
	data.Rows, data.Pager = found, pager(v, "/department/grants", next, v.Query("after"), len(found))
	return frame.Show("grants.html", "授权", data), nil
}

type grantView struct {
	around
	Grant *sharing.Grant
	Steps []frame.Step
	Keep  []frame.Option
	Form  *frame.Form
	// What the caller's department can do now. It sees the uses of its own data.
	CanSeeUses, CanSuspend, CanResume, CanOrder, CanTerminate, CanNarrow bool
}

func (p *pages) showGrant(v *frame.Visit) (frame.Answer, error) {
	g, err := p.Config.Grants.Grant(v.Context(), v.Caller, v.Param("id"))
	if err != nil {
		return frame.Answer{}, err
	}
	form := grantForm(v)
	form.Set("fields", g.Fields...)
	return p.grant(v, g, form), nil
}

func grantForm(v *frame.Visit) *frame.Form {
	return frame.NewForm(v, "act", "version", "reason", "correct_by", "fields")
}

func (p *pages) grant(v *frame.Visit, g *sharing.Grant, form *frame.Form) frame.Answer {
	data := grantView{around: p.around(v, "/department/grants"), Grant: g, Form: form}
	for _, code := range g.Fields {
		data.Keep = append(data.Keep, frame.Option{Value: code, Title: data.Field(g.Dataset, code)})
	}
	for _, n := range g.History {
		data.Steps = append(data.Steps, frame.Step{Title: data.grantStep(n.Act) + "　" + data.Department(n.Department), Text: n.Why, At: n.At, Kind: "good"})
	}
	dataset := data.dataset(g.Dataset)
	provider, holder := dataset != nil && dataset.Department == v.Caller.Department, g.Department == v.Caller.Department
	live := g.State != policies.GrantTerminated && v.Now.Before(g.Until)
	data.CanSeeUses = provider
	data.CanSuspend = live && provider && g.State == policies.GrantActive
	data.CanResume = live && provider && g.State == policies.GrantSuspended
	data.CanOrder = data.CanResume && g.CorrectBy == ""
	data.CanTerminate = live && (holder || provider && g.State == policies.GrantSuspended && g.CorrectBy != "")
	data.CanNarrow = live && (holder || provider) && len(g.Fields) > 1
	return frame.Show("grant.html", "授权", data)
}

func (p *pages) actOnGrant(v *frame.Visit) (frame.Answer, error) {
	g, err := p.Config.Grants.Grant(v.Context(), v.Caller, v.Param("id"))
	if err != nil {
		return frame.Answer{}, err
	}
	form := grantForm(v)
	e := sharing.GrantEvent{Act: sharing.GrantAct(form.Value("act")), Why: form.Value("reason")}
	done := map[sharing.GrantAct]string{
		sharing.Suspend: "已暂停，立即不能再用。", sharing.Resume: "已恢复使用。", sharing.Order: "已责令限期整改。", sharing.Terminate: "已终止。", sharing.Narrow: "已缩小范围。",
	}
	form.Require(v.T("请写明理由。"), "reason")
	switch e.Act {
	case sharing.Order:
		form.Require(v.T("请填写整改期限。"), "correct_by")
		e.CorrectBy = form.Value("correct_by")
	case sharing.Narrow:
		if e.Fields = form.Values("fields"); len(e.Fields) == 0 {
			form.Fail("fields", v.T("请至少保留一个数据项。全部不再需要的，请终止授权。"))
		} else if slices.Equal(e.Fields, g.Fields) {
			form.Fail("fields", v.T("请去掉不再需要的数据项。"))
		}
	case sharing.Suspend, sharing.Resume, sharing.Terminate:
	default:
		form.Fail("", v.T("没有这种办理。"))
	}
	if form.OK() {
		_, err := p.Config.Grants.ActOnGrant(v.Context(), v.Caller, g.ID, version(form), e)
		if err == nil {
			return frame.GoSaying("/department/grants/"+g.ID, done[e.Act]), nil
		}
		if !form.Take(err) {
			return frame.Answer{}, err
		}
	}
	return p.grant(v, g, form).Status(422), nil
}

// GrantChip says whether a grant is in force.
func (v Visit) GrantChip(g sharing.Grant) frame.ChipView {
	switch {
	case g.State == policies.GrantTerminated:
		return frame.ChipView{Kind: "none", Text: v.T("已终止")}
	case !v.Now.Before(g.Until):
		return frame.ChipView{Kind: "none", Text: v.T("已到期")}
	case g.State == policies.GrantSuspended:
		return frame.ChipView{Kind: "bad", Text: v.T("已暂停")}
	case v.Now.Before(g.From):
		return frame.ChipView{Kind: "wait", Text: v.T("尚未生效")}
	case g.Until.Sub(v.Now) < endingSoon:
		return frame.ChipView{Kind: "ask", Text: v.T("即将到期")}
	default:
		return frame.ChipView{Kind: "good", Text: v.T("有效")}
	}
}

func (v Visit) grantStep(act string) string {
	names := map[sharing.GrantAct]string{
		sharing.Suspend: "暂停", sharing.Resume: "恢复", sharing.Order: "责令限期整改", sharing.Terminate: "终止", sharing.Narrow: "缩小范围",
	}
	if name := names[sharing.GrantAct(act)]; name != "" {
		return v.T(name)
	}
	return act
}
