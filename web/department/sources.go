package department

import (
	"mianti/figures"
	"mianti/web/frame"
)

type sourcesView struct {
	around
	Days       int
	Form       *frame.Form
	Choices    []frame.Option
	Sources    []figures.SourceTime
	Definition string
}

// sources shows how the department's sources answer.
func (p *pages) sources(v *frame.Visit) (frame.Answer, error) {
	data := sourcesView{around: p.around(v, "/department/sources"), Days: v.Number("days", 1, 90, 7), Definition: figures.SourceDefinition()}
	data.Form = frame.NewForm(v, "days")
	if data.Form.Value("days") == "" {
		data.Form.Set("days", "7")
	}
	for _, days := range []struct{ value, title string }{{"1", "最近一天"}, {"7", "最近七天"}, {"30", "最近三十天"}, {"90", "最近九十天"}} {
		data.Choices = append(data.Choices, frame.Option{Value: days.value, Title: v.T(days.title)})
	}
	found, err := p.Config.Figures.Sources(v.Context(), v.Caller, v.Caller.Department, data.Days)
	if err != nil {
		return frame.Answer{}, err
	}
	data.Sources = found
	return frame.Show("sources.html", "数源应答情况", data), nil
}

// SourceChip says how a source is, by its last call.
func (v Visit) SourceChip(s figures.SourceTime) frame.ChipView {
	switch {
	case s.Asked == 0 && s.Held == 0:
		return frame.ChipView{Kind: "none", Text: v.T("没有调用")}
	case !s.Well():
		return frame.ChipView{Kind: "bad", Text: v.T("最近一次没有应答")}
	case s.Failed > 0:
		return frame.ChipView{Kind: "ask", Text: v.T("有过失败")}
	default:
		return frame.ChipView{Kind: "good", Text: v.T("正常")}
	}
}
