package department

import (
	"encoding/json"
	"strconv"
	"strings"

	"mianti/catalog"
	"mianti/exchange"
	"mianti/web/frame"
)

type assistsView struct {
	around
	Form   *frame.Form
	States []frame.Option
	Rows   []exchange.AssistTask
	Pager  frame.Pager
}

// listAssists shows what other departments ask, the most urgent first. It names
// nobody.
func (p *pages) listAssists(v *frame.Visit) (frame.Answer, error) {
	data := assistsView{around: p.around(v, "/department/assists"), Form: frame.NewForm(v, "state")}
	data.States = options(v, "全部", "open", "待答复", "answered", "已答复")
	found, err := p.Config.Assists.AssistTasks(v.Context(), v.Caller, exchange.AssistFilter{
		State: exchange.AssistState(known(v, "state", data.States)), After: v.Query("after"), Limit: pageSize + 1,
	})
	if err != nil {
		return frame.Answer{}, err
	}
	found, next := onePage(found, func(one exchange.AssistTask) string { return one.ID })
	data.Rows, data.Pager = found, pager(v, "/department/assists", next, v.Query("after"), len(found))
	return frame.Show("assists.html", "协查", data), nil
}

type assistView struct {
	around
	Task    *exchange.AssistTask
	Fields  []assistField
	Results []frame.Option
	Form    *frame.Form
}

// assistField is a field that the officer is asked for.
type assistField struct{ Code, Name, Type, Hint string }

// showAssist shows one question with whom it is about. The reading is recorded.
func (p *pages) showAssist(v *frame.Visit) (frame.Answer, error) {
	t, err := p.Config.Assists.AssistTask(v.Context(), v.Caller, v.Param("id"))
	if err != nil {
		return frame.Answer{}, err
	}
	return p.assist(v, t, assistForm(v, t)), nil
}

func assistForm(v *frame.Visit, t *exchange.AssistTask) *frame.Form {
	names := []string{"result", "officer", "note"}
	for _, code := range t.Fields {
		names = append(names, "field-"+code)
	}
	return frame.NewForm(v, names...)
}

func (p *pages) assist(v *frame.Visit, t *exchange.AssistTask, form *frame.Form) frame.Answer {
	data := assistView{around: p.around(v, "/department/assists"), Task: t, Form: form}
	data.Results = []frame.Option{
		{Value: string(exchange.AssistConfirmed), Title: v.T("属实"), Hint: v.T("记录存在，并且与所问的一致")},
		{Value: string(exchange.AssistNotConfirmed), Title: v.T("不属实"), Hint: v.T("有记录，但与所问的不一致")},
		{Value: string(exchange.AssistNotFound), Title: v.T("没有查到"), Hint: v.T("本部门没有这样的记录")},
	}
	for _, code := range t.Fields {
		data.Fields = append(data.Fields, data.assistField(t.Dataset, code))
	}
	return frame.Show("assist.html", "协查", data)
}

func (v Visit) assistField(dataset, code string) assistField {
	f := assistField{Code: code, Name: v.Field(dataset, code), Type: "text"}
	switch v.typeOf(dataset, code) {
	case catalog.FieldDate:
		f.Type = "date"
	case catalog.FieldNumber:
		f.Hint = v.T("填数字")
	case catalog.FieldBool:
		f.Hint = v.T("填“是”或“否”")
	case catalog.FieldList:
		f.Type, f.Hint = "textarea", v.T("每行一项")
	case catalog.FieldString:
	}
	return f
}

func (v Visit) typeOf(dataset, code string) catalog.FieldType {
	if d := v.dataset(dataset); d != nil {
		if f := d.Field(code); f != nil {
			return f.Type
		}
	}
	return catalog.FieldString
}

func (p *pages) answerAssist(v *frame.Visit) (frame.Answer, error) {
	t, err := p.Config.Assists.AssistTask(v.Context(), v.Caller, v.Param("id"))
	if err != nil {
		return frame.Answer{}, err
	}
	form := assistForm(v, t)
	form.Require(v.T("请选择核实的结果。"), "result")
	form.Require(v.T("请填写答复人。"), "officer")
	answer := exchange.AssistAnswer{Result: exchange.AssistResult(form.Value("result")), Officer: form.Value("officer"), Note: form.Value("note")}
	if answer.Result == exchange.AssistConfirmed && len(t.Fields) > 0 {
		answer.Fields = map[string]any{}
		for _, code := range t.Fields {
			if text := form.Value("field-" + code); text != "" {
				answer.Fields[code] = typedAnswer(Visit{v}.typeOf(t.Dataset, code), text)
			}
		}
	}
	if form.OK() {
		_, err = p.Config.Assists.AnswerAssist(v.Context(), v.Caller, t.ID, answer)
		if err == nil {
			return frame.GoSaying("/department/assists", "已答复，办件会自动继续核验。"), nil
		}
		if !form.Take(err) {
			return frame.Answer{}, err
		}
	}
	return p.assist(v, t, form).Status(422), nil
}

// typedAnswer gives what was written the type that JSON would have; what does not
// fit stays text, and the use case says what is wrong with it.
func typedAnswer(kind catalog.FieldType, text string) any {
	switch kind {
	case catalog.FieldNumber:
		if n, err := strconv.ParseFloat(text, 64); err == nil && json.Valid([]byte(text)) {
			return n
		}
	case catalog.FieldBool:
		switch text {
		case "是", "yes":
			return true
		case "否", "no":
			return false
		}
	case catalog.FieldList:
		items := []any{}
		for line := range strings.Lines(text) {
			if line = strings.TrimSpace(line); line != "" {
				items = append(items, line)
			}
		}
		return items
	case catalog.FieldString, catalog.FieldDate:
	}
	return text
}

// AssistChip says whether a question is answered, and how.
func (v Visit) AssistChip(t exchange.AssistTask) frame.ChipView {
	if t.Answer == nil {
		return frame.ChipView{Kind: "wait", Text: v.T("待答复")}
	}
	switch t.Answer.Result {
	case exchange.AssistConfirmed:
		return frame.ChipView{Kind: "good", Text: v.T("属实")}
	case exchange.AssistNotFound:
		return frame.ChipView{Kind: "ask", Text: v.T("没有查到")}
	default:
		return frame.ChipView{Kind: "bad", Text: v.T("不属实")}
	}
}
