package citizen

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/policies"
	"mianti/web/frame"
)

// previewView is what was found about the person.
type previewView struct {
	Preview *exchange.Preview
	Form    *frame.Form
	From    string
	State   frame.ChipView
	Records []recordView
}

// recordView is one record, with its fields by name.
type recordView struct {
	Name, From, ValidUntil, Dataset string
	AsOf                            *time.Time
	Fields                          []fieldView
}

type fieldView struct{ Name, Value string }

// preview shows what was found before anybody uses it. Each look at it is recorded.
func (p *pages) preview(v *frame.Visit) (frame.Answer, error) {
	return p.showPreview(v, frame.NewForm(v))
}

func (p *pages) showPreview(v *frame.Visit, form *frame.Form) (frame.Answer, error) {
	found, err := p.Previews.MyPreview(v.Context(), v.Caller, v.Param("id"))
	if err != nil {
		return frame.Answer{}, err
	}
	rev, err := v.Revision()
	if err != nil {
		return frame.Answer{}, err
	}
	view := &previewView{Preview: found, Form: form, From: departmentName(rev, found.Department), State: previewChip(v, found.State)}
	for _, r := range found.Records {
		record := recordView{Name: r.Name, From: departmentName(rev, r.Department), ValidUntil: r.ValidUntil, Dataset: r.Dataset, AsOf: r.AsOf}
		dataset := rev.Dataset(r.Dataset)
		for _, code := range fieldsOf(r.Fields) {
			name := code
			if dataset != nil {
				if f := dataset.Field(code); f != nil {
					name = f.Name
				}
			}
			record.Fields = append(record.Fields, fieldView{name, valueText(v, r.Fields[code])})
		}
		view.Records = append(view.Records, record)
	}
	return frame.Show("preview.html", found.Name, view), nil
}

func fieldsOf(fields map[string]any) []string {
	var codes []string
	for code := range fields {
		codes = append(codes, code)
	}
	slices.Sort(codes)
	return codes
}

// valueText shows a value of a record as people read it.
func valueText(v *frame.Visit, value any) string {
	switch x := value.(type) {
	case bool:
		if x {
			return v.T("是")
		}
		return v.T("否")
	case []any:
		parts := make([]string, len(x))
		for i := range x {
			parts[i] = valueText(v, x[i])
		}
		return strings.Join(parts, v.T("、"))
	case nil:
		return v.T("（空）")
	}
	return fmt.Sprint(value)
}

func previewChip(v *frame.Visit, state policies.PreviewState) frame.ChipView {
	switch state {
	case policies.PreviewReleased:
		return frame.ChipView{Kind: "good", Text: v.T("您已同意使用")}
	case policies.PreviewPaper:
		return frame.ChipView{Kind: "info", Text: v.T("您选择自己交")}
	}
	return frame.ChipView{Kind: "ask", Text: v.T("等您看")}
}

// decidePreview takes what he says: use it, or I hand the paper in myself.
func (p *pages) decidePreview(v *frame.Visit) (frame.Answer, error) {
	form := frame.NewForm(v, "decision", "content")
	said := policies.PreviewState(form.Value("decision"))
	if said != policies.PreviewReleased && said != policies.PreviewPaper {
		return frame.Answer{}, fault.New(fault.Invalid, "invalid-decision", "请选择同意使用，或者自己提交。")
	}
	decided, err := p.Previews.DecidePreview(v.Context(), v.Caller, v.Param("id"), form.Value("content"), said)
	if err != nil {
		if !form.Take(err) {
			return frame.Answer{}, err
		}
		answer, again := p.showPreview(v, form)
		return answer.Status(statusOf(err)), again
	}
	message := "已登记：同意使用。这项材料不用您交了。"
	if said == policies.PreviewPaper {
		message = "已登记：由您自己提交这项材料。"
	}
	return frame.GoSaying("/my/cases/"+decided.Case, message), nil
}
