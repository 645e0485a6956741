package exchange

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/internal/fault"
	"mianti/internal/jobs"
	"mianti/ledger"
	"mianti/policies"
)

// askOfficer opens an assist task, or takes the answer that it has by now.
func (x *Exchange) askOfficer(ctx context.Context, c *Case, q question) policies.Answer {
	use := q.wishes[0].Use
	answer := policies.Answer{Source: q.source.Code}
	task, err := x.Desk.Open(ctx, AssistQuestion{
		Case: c.ID, CaseNumber: c.Number, Receiver: c.Department, Party: q.Party, Department: q.wishes[0].Assistant,
		Matter: use.Matter.Code, Material: use.Material.Code, Source: q.source.Code, Subject: subjectOf(c.party(q.Party)),
		Question: confirmation(use.Material), Purpose: purpose(c, q), Days: q.wishes[0].Days,
	})
	answer.FetchedAt = x.Now().UTC()
	if err != nil {
		x.sourceFailed(ctx, c, q, &connectors.Fault{Kind: connectors.FaultDown, Cause: err})
		answer.Result, answer.Fault = policies.SourceDown, string(connectors.FaultDown)
		return answer
	}
	answer.Task, answer.DueAt = task.ID, task.DueAt
	if task.Answer == nil {
		answer.Result = policies.Pending
		return answer
	}
	answer.AsOf = task.Answer.At
	switch task.Answer.Result {
	case AssistConfirmed:
		answer.Result = policies.OK
	case AssistNotFound:
		answer.Result = policies.NotFound
	default:
		answer.Result, answer.Mismatch = policies.Mismatch, detailOfficer
	}
	return answer
}

// confirmation says what an officer is asked to confirm: what the material is
// called, and what would have been checked in the records.
func confirmation(m *catalog.Material) string {
	text := "请核实《" + m.Name + "》是否属实"
	for i := range m.Proofs {
		if check := m.Proofs[i].CheckText; check != "" {
			return text + "：" + check
		}
	}
	return text
}

// detailOfficer is the detail of what an officer did not confirm.
const detailOfficer = "officer"

// AssistTasks gives the tasks that the caller's department is asked, the most
// urgent first. They name nobody.
func (x *Exchange) AssistTasks(ctx context.Context, by policies.Caller, f AssistFilter) ([]AssistTask, error) {
	f.Department, f.Receiver = by.Department, ""
	return x.assistTasks(ctx, f)
}

// AskedTasks gives the tasks that the caller's department asks of others, the most
// urgent first. They name nobody.
func (x *Exchange) AskedTasks(ctx context.Context, by policies.Caller, f AssistFilter) ([]AssistTask, error) {
	f.Department, f.Receiver = "", by.Department
	return x.assistTasks(ctx, f)
}

func (x *Exchange) assistTasks(ctx context.Context, f AssistFilter) ([]AssistTask, error) {
	tasks, err := x.Desk.Assists.AssistTasks(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("list assist tasks: %w", err)
	}
	for i := range tasks {
		x.tellTime(&tasks[i])
		if answer := tasks[i].Answer; answer != nil { // what was told is for the case
			tasks[i].Answer = &AssistAnswer{Result: answer.Result, Officer: answer.Officer, At: answer.At}
		}
	}
	return tasks, nil
}

func (x *Exchange) tellTime(t *AssistTask) {
	t.Overdue = t.State == AssistOpen && !x.Now().Before(t.DueAt)
}

// AssistTask gives a task with whom it is about, to the department that is
// asked. The reading is recorded before it is answered.
func (x *Exchange) AssistTask(ctx context.Context, by policies.Caller, id string) (*AssistTask, error) {
	t, c, err := x.assistCase(ctx, by, id)
	if err != nil {
		return nil, err
	}
	x.tellTime(t)
	if subject := subjectOf(c.party(t.Party)); t.Party != "" && c.stillAsks(t) {
		t.Subject = &subject
	}
	if err := x.Journal.Append(ctx, []ledger.Entry{x.assistEntry(ledger.Read, by, c, t)}); err != nil {
		return nil, notRecorded(err)
	}
	return t, nil
}

func (x *Exchange) assistCase(ctx context.Context, by policies.Caller, id string) (*AssistTask, *Case, error) {
	t, err := x.Desk.Assists.AssistTask(ctx, by.Department, id)
	if err != nil {
		return nil, nil, fmt.Errorf("read an assist task: %w", err)
	}
	c, err := x.Cases.Case(ctx, t.Receiver, t.Case)
	if err != nil {
		return nil, nil, fmt.Errorf("read the case of an assist task: %w", err)
	}
	return t, c, nil
}

// stillAsks reports whether a task is about the party as the case has it now.
func (c *Case) stillAsks(t *AssistTask) bool {
	return c.questionKey(t.about(subjectOf(c.party(t.Party)))) == t.Key
}

func (x *Exchange) assistEntry(kind ledger.Kind, by policies.Caller, c *Case, t *AssistTask) ledger.Entry {
	e := x.entry(kind, by, c)
	e.Task, e.Matter, e.Material, e.Dataset, e.Source, e.Fields = t.ID, t.Matter, t.Material, t.Dataset, t.Source, t.Fields
	if party := c.party(t.Party); c.stillAsks(t) {
		x.about(&e, c, party)
	} else {
		x.about(&e, c, nil)
	}
	return e
}

// AssistCommit is the answer of a task with what is stored together with it.
type AssistCommit struct {
	Task  *AssistTask
	Entry ledger.Entry
	Jobs  []jobs.Job
}

// AnswerAssist records what an officer answered, and lets the case go on. A
// task is answered once; a late answer counts.
func (x *Exchange) AnswerAssist(ctx context.Context, by policies.Caller, id string, in AssistAnswer) (*AssistTask, error) {
	t, c, err := x.assistCase(ctx, by, id)
	if err != nil {
		return nil, err
	}
	if t.State != AssistOpen {
		return nil, fault.New(fault.Conflict, "assist-answered", "这个协查已经答复，不能再改。")
	}
	if !c.stillAsks(t) {
		return nil, fault.New(fault.Conflict, "assist-outdated", "办件的这个当事人已经更改，这个协查不再需要答复。")
	}
	rev, err := x.Catalogs.Revision(ctx, c.Revision, c.Subject)
	if err != nil {
		return nil, fmt.Errorf("answer an assist task: %w", err)
	}
	if in.Fields, err = checkAnswer(rev, t, in); err != nil {
		return nil, err
	}
	in.At = x.Now().UTC()
	t.Answer, t.State = &in, AssistAnswered
	e := x.assistEntry(ledger.AssistAnswered, by, c, t)
	e.Result, e.Digest = string(in.Result), ledger.Digest(c.Salt, canonical(in))
	onward, err := x.onward(c, in.At)
	if err != nil {
		return nil, err
	}
	if err := x.Desk.Assists.AnswerAssist(ctx, AssistCommit{Task: t, Entry: e, Jobs: []jobs.Job{onward}}); err != nil {
		return nil, fmt.Errorf("answer an assist task: %w", err)
	}
	return t, nil
}

// checkAnswer refuses an answer that says more or less than was asked, and
// gives its fields typed as the dataset says.
func checkAnswer(rev *catalog.Revision, t *AssistTask, in AssistAnswer) (map[string]any, error) {
	var wrong []fault.Detail
	add := func(location, message string) {
		wrong = append(wrong, fault.Detail{Location: location, Code: "invalid-answer", Message: message})
	}
	switch in.Result {
	case AssistConfirmed, AssistNotConfirmed, AssistNotFound:
	default:
		add("body.result", "请填 confirmed、not_confirmed 或 not_found。")
	}
	if strings.TrimSpace(in.Officer) == "" || !plain(in.Officer) {
		add("body.officer", "请填写答复人，不含不可见字符。")
	}
	if !plain(in.Note) {
		add("body.note", "说明中不能有不可见字符。")
	}
	fields, details := answerFields(rev, t, in)
	wrong = append(wrong, details...)
	if len(wrong) > 0 {
		return nil, fault.New(fault.Invalid, "invalid-answer", "答复有 %d 处不符合要求，没有登记。", len(wrong)).With(wrong...)
	}
	return fields, nil
}

func answerFields(rev *catalog.Revision, t *AssistTask, in AssistAnswer) (map[string]any, []fault.Detail) {
	if in.Result != AssistConfirmed || t.Dataset == "" {
		if len(in.Fields) == 0 {
			return nil, nil
		}
		return nil, []fault.Detail{{Location: "body.fields", Code: "invalid-answer", Message: "这个答复不需要数据项。"}}
	}
	dataset, out := rev.Dataset(t.Dataset), map[string]any{}
	var wrong []fault.Detail
	for _, code := range slices.Sorted(maps.Keys(in.Fields)) {
		field := dataset.Field(code)
		if field == nil || !slices.Contains(t.Fields, code) {
			wrong = append(wrong, fault.Detail{Location: "body.fields." + code, Code: "unknown-field", Message: "没有问这个数据项。"})
			continue
		}
		value, ok := typedField(field.Type, in.Fields[code])
		if !ok {
			wrong = append(wrong, fault.Detail{Location: "body.fields." + code, Code: "wrong-type", Message: "数据项「" + field.Name + "」应为 " + string(field.Type) + " 类型。"})
			continue
		}
		out[code] = value
	}
	return out, wrong
}

// longestText bounds what an officer writes into one field.
const longestText = 4000

// typedField gives a value of a JSON answer the type that its field has.
func typedField(kind catalog.FieldType, value any) (any, bool) {
	text, isText := value.(string)
	switch kind {
	case catalog.FieldString:
		return text, isText && plain(text) && utf8.RuneCountInString(text) <= longestText
	case catalog.FieldDate:
		_, err := time.Parse(time.DateOnly, text)
		return text, isText && err == nil
	case catalog.FieldNumber:
		number, ok := value.(float64)
		return number, ok
	case catalog.FieldBool:
		yes, ok := value.(bool)
		return yes, ok
	case catalog.FieldList:
		return typedList(value)
	default:
		return nil, false
	}
}

func typedList(value any) (any, bool) {
	items, ok := value.([]any)
	if !ok || len(items) > 1000 {
		return nil, false
	}
	out := make([]string, 0, len(items))
	for _, item := range items {
		text, ok := typedField(catalog.FieldString, item)
		if !ok {
			return nil, false
		}
		out = append(out, text.(string))
	}
	return out, true
}

// AssistNotice tells about a task: the department that is asked, and when its
// time is up the one that asks too. It is a job's work; one that has been
// answered, or is no longer asked, needs no notice.
func (x *Exchange) AssistNotice(ctx context.Context, job jobs.Job) error {
	var n assistNotice
	if err := json.Unmarshal([]byte(job.Payload), &n); err != nil {
		return fmt.Errorf("decode a notice: %w", err)
	}
	t, c, err := x.assistCase(ctx, policies.Caller{Department: n.Department}, n.Task)
	if errors.Is(err, fault.Gone) { // nobody waits for the answer any more
		return nil
	}
	if err != nil {
		return err
	}
	if t.State != AssistOpen || !c.stillAsks(t) {
		return nil
	}
	data := map[string]any{"task": t.ID, "material": t.Material, "due_at": t.DueAt}
	if err := x.tell(ctx, t.Department, "assist."+n.Notice, job.ID, data); err != nil {
		return err
	}
	if n.Notice != noticeOverdue {
		return nil
	}
	data["case"], data["case_number"] = t.Case, t.CaseNumber
	return x.tell(ctx, t.Receiver, "assist."+n.Notice, job.ID, data)
}
