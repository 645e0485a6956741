package mapping

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"mianti/connectors"
	"mianti/connectors/wire"
)

// Step is one thing that was looked for in an answer. It holds no value of it,
// so that it can be shown to whoever connects a source.
type Step struct {
	Record  int    // counts from 1; 0 is the answer as a whole
	Field   string // the code of a dataset's field; empty for what is no field
	Name    string // what is looked for, in Chinese
	Pointer string // where: in the answer, or in the record
	Found   bool
	OK      bool   // it is as described; true for what may be missing and is
	Text    string // what follows from it, in Chinese
}

// Explain says step by step how an answer is read: where things are looked for,
// whether they are there and of the right type, and what comes of it, which is
// the last step.
func (m *Mapping) Explain(q connectors.Query, status int, body []byte, now time.Time) []Step {
	reply, _, err := m.Read(q, status, body, now)
	verdict := Step{Name: "结论", OK: err == nil, Text: verdictText(reply, err)}
	steps := []Step{{Name: "HTTP 状态", Found: true, OK: status == http.StatusOK || err == nil, Text: strconv.Itoa(status)}}
	tree, fault := wire.Parse(body)
	if status != http.StatusOK || fault != nil {
		return append(steps, verdict)
	}
	steps = append(steps, m.explainWhole(tree)...)
	items, _, fault := m.records(tree)
	if fault != nil {
		items = nil
	}
	for i, item := range items {
		steps = append(steps, m.explainRecord(q, i+1, item, now)...)
	}
	return append(steps, verdict)
}

// explainWhole looks at what is said of the answer as a whole.
func (m *Mapping) explainWhole(tree any) []Step {
	var steps []Step
	if m.at.code != nil {
		_, finding := m.at.code.in(tree)
		means, err := m.meaning(tree)
		step := Step{Name: "数源状态", Pointer: m.at.code.String(), Found: finding == isThere, OK: err == nil, Text: meaningText(means)}
		if err != nil {
			step.Text = faultText(connectors.KindOf(err))
		}
		steps = append(steps, step)
	}
	items, found, err := m.records(tree)
	steps = append(steps, Step{
		Name: "记录", Pointer: m.at.records.String(), Found: found, OK: found && err == nil, Text: fmt.Sprintf("%d 条", len(items)),
	})
	if m.at.reference != nil {
		_, finding := m.at.reference.in(tree)
		steps = append(steps, Step{Name: "应答编号", Pointer: m.at.reference.String(), Found: finding == isThere, OK: finding != isBroken})
	}
	return steps
}

// explainRecord looks at one record. Whose it is comes first: of somebody
// else's nothing more is said.
func (m *Mapping) explainRecord(q connectors.Query, n int, item any, now time.Time) []Step {
	number := m.subjectNumber(item)
	mine := number != "" && isSameNumber(number, q.Subject.Number)
	steps := []Step{{Record: n, Name: "当事人号码", Pointer: m.at.subjectNumber.String(), Found: number != "", OK: mine}}
	if !mine {
		steps[0].Text = "不是所查的当事人"
		return steps
	}
	look := func(name string, at pointer, err error) {
		if at == nil {
			return
		}
		_, finding := at.in(item)
		steps = append(steps, Step{Record: n, Name: name, Pointer: at.String(), Found: finding == isThere, OK: err == nil && finding != isBroken})
	}
	_, err := m.subjectName(q, item)
	look("当事人名称", m.at.subjectName, err)
	_, err = m.asOf(item, now)
	look("数据时间", m.at.asOf, err)
	_, err = m.revoked(item)
	look("是否失效", m.at.revoked, err)
	asked := m.asked(q)
	for i := range asked {
		f := &asked[i]
		sent, finding := f.at.in(item)
		_, present, ok := f.value(sent)
		step := Step{
			Record: n, Field: f.Code, Name: f.Name, Pointer: f.at.String(),
			Found: finding == isThere, OK: ok && finding != isBroken, Text: "类型 " + string(f.Type),
		}
		if finding == isThere && !present {
			step.Text = "空值，按缺项处理"
		}
		steps = append(steps, step)
	}
	return steps
}

func verdictText(reply connectors.Reply, err error) string {
	var fault *connectors.Fault
	switch {
	case errors.As(err, &fault) && fault.Cause != nil:
		return faultText(fault.Kind) + "：" + fault.Cause.Error()
	case err != nil:
		return faultText(connectors.KindOf(err))
	case len(reply.Records) == 0:
		return "查无记录"
	default:
		return fmt.Sprintf("查到 %d 条记录", len(reply.Records))
	}
}

func meaningText(means meaning) string {
	if means == meansNotFound {
		return "查无记录"
	}
	return "成功"
}

// faultText says in Chinese what kind of fault it is.
func faultText(kind connectors.FaultKind) string {
	switch kind {
	case connectors.FaultWrongSubject:
		return "记录不是所查的当事人，整个应答不采信"
	case connectors.FaultRefused:
		return "数源拒绝：凭证或权限不对"
	case connectors.FaultBusy:
		return "数源繁忙"
	case connectors.FaultMalformed:
		return "应答与接口描述不符，不采信"
	case connectors.FaultMisset:
		return "本侧配置有误"
	default:
		return "数源故障"
	}
}

// asked are the fields of a query, in the order of the dataset.
func (m *Mapping) asked(q connectors.Query) []field {
	out := make([]field, 0, len(q.Fields))
	for _, f := range m.fields {
		if slices.Contains(q.Fields, f.Code) {
			out = append(out, f)
		}
	}
	return out
}
