package exchange

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"mianti/catalog"
	"mianti/internal/jobs"
	"mianti/ledger"
)

// AssistState is how far an assist task has come.
type AssistState string

// The states.
const (
	AssistOpen     AssistState = "open"
	AssistAnswered AssistState = "answered"
)

// AssistResult is what an officer says.
type AssistResult string

// The results. What an officer does not know is no answer.
const (
	AssistConfirmed    AssistResult = "confirmed"     // 属实
	AssistNotConfirmed AssistResult = "not_confirmed" // 与所需不符
	AssistNotFound     AssistResult = "not_found"     // 没有这样的记录
)

// AssistTask (协查) is a question to a department's officer, with a deadline.
type AssistTask struct {
	ID string `json:"id"`
	// Key tells one question of a case from another, so that it is put once.
	Key        string `json:"-"`
	Department string `json:"department" doc:"被请求协查的部门"`
	Receiver   string `json:"receiver" doc:"请求协查的部门"`
	Case       string `json:"case" doc:"办件"`
	CaseNumber string `json:"case_number" doc:"办件编号"`
	Party      string `json:"party,omitempty" doc:"当事人在办件中的代号"`
	Matter     string `json:"matter" doc:"事项短码"`
	Material   string `json:"material" doc:"材料代码"`
	// Dataset and Fields are set when the department is asked for a record; else
	// it is asked to confirm the material, yes or no.
	Dataset string   `json:"dataset,omitempty"`
	Fields  []string `json:"fields" doc:"需要填写的数据项; 空则只需确认"`
	Source  string   `json:"source,omitempty"`
	// Question says in words what is asked.
	Question string        `json:"question" doc:"要答复什么"`
	Purpose  string        `json:"purpose" doc:"用证事由"`
	AskedAt  time.Time     `json:"asked_at"`
	DueAt    time.Time     `json:"due_at" doc:"期限: 该时刻之前答复"`
	State    AssistState   `json:"state" enum:"open,answered"`
	Overdue  bool          `json:"overdue" doc:"已过期限而未答复"`
	Answer   *AssistAnswer `json:"answer,omitempty"`
	// Subject is whom it is about; only shown to the department that is asked, in
	// a reading that is recorded.
	Subject *AssistSubject `json:"subject,omitempty"`
}

// AssistSubject is whom an assist task is about.
type AssistSubject struct {
	Kind   string `json:"kind"`
	Name   string `json:"name"`
	Number string `json:"number"`
}

// AssistAnswer (协查答复) is what an officer answered.
type AssistAnswer struct {
	Result  AssistResult   `json:"result" enum:"confirmed,not_confirmed,not_found"`
	Fields  map[string]any `json:"fields,omitempty" doc:"数据项的值, 按数据项代码; 只在 fields 有要求且 result 为 confirmed 时填写"`
	Officer string         `json:"officer" minLength:"1" maxLength:"50" doc:"答复人"`
	Note    string         `json:"note,omitempty" maxLength:"500" doc:"说明; 留在任务中, 不进入核验结果"`
	At      time.Time      `json:"at,omitempty" readOnly:"true"`
}

// AssistQuestion is what a task is opened with.
type AssistQuestion struct {
	Case, CaseNumber, Receiver, Party string
	Department                        string
	Matter, Material                  string
	Dataset, Source                   string
	Fields                            []string
	// Subject is whom it is about. A party of the case can be replaced by somebody
	// else under the same id: that is another question.
	Subject  AssistSubject
	Question string
	Purpose  string
	Days     int // working days; 0 means 2
}

// about is the question that a task puts, if it is about this subject.
func (t *AssistTask) about(subject AssistSubject) *AssistQuestion {
	return &AssistQuestion{
		Case: t.Case, Department: t.Department, Material: t.Material, Dataset: t.Dataset, Party: t.Party, Fields: t.Fields, Subject: subject,
	}
}

// subjectOf is a party as an officer is asked about it; the zero value where
// the question is about the case itself.
func subjectOf(party *catalog.Party) AssistSubject {
	if party == nil {
		return AssistSubject{}
	}
	return AssistSubject{Kind: string(party.Kind), Name: party.Name, Number: party.Number}
}

// Assists keeps assist tasks.
type Assists interface {
	// OpenAssist stores a task with its jobs, or gives the one that is there
	// under its key already.
	OpenAssist(ctx context.Context, t *AssistTask, more []jobs.Job) (*AssistTask, error)
	// AssistTask gives a task that the department is asked.
	AssistTask(ctx context.Context, department, id string) (*AssistTask, error)
	// AssistTasks gives those that a department is asked, what is due first first.
	AssistTasks(ctx context.Context, f AssistFilter) ([]AssistTask, error)
	// AnswerAssist stores the answer of a task that is open; it is a
	// fault.Conflict when it has been answered.
	AnswerAssist(ctx context.Context, c AssistCommit) error
}

// AssistFilter chooses assist tasks: those that a department is asked, or those
// that a receiver asks.
type AssistFilter struct {
	Department string
	Receiver   string
	State      AssistState
	After      string // id of the last one of the page before
	Limit      int
}

// Desk (协查台) opens assist tasks. It is safe for concurrent use.
type Desk struct {
	Assists Assists
	Cases   Cases
	Now     func() time.Time
	NewID   func() string
	// Due gives the end of the n-th working day after a moment.
	Due func(from time.Time, days int) time.Time
}

// assistDays is how long an officer has where the catalog does not say.
const assistDays = 2

// Open opens a task, or gives the one that asks the same for the same case.
func (d *Desk) Open(ctx context.Context, q AssistQuestion) (*AssistTask, error) {
	if q.Days <= 0 {
		q.Days = assistDays
	}
	c, err := d.Cases.Case(ctx, q.Receiver, q.Case)
	if err != nil {
		return nil, fmt.Errorf("open an assist task: %w", err)
	}
	now := d.Now().UTC()
	t := &AssistTask{
		ID: d.NewID(), Key: c.questionKey(&q), Department: q.Department, Receiver: q.Receiver, Case: q.Case, CaseNumber: q.CaseNumber,
		Party: q.Party, Matter: q.Matter, Material: q.Material, Dataset: q.Dataset, Source: q.Source, Fields: orEmpty(q.Fields),
		Question: q.Question, Purpose: q.Purpose, AskedAt: now, DueAt: d.Due(now, q.Days).UTC(), State: AssistOpen,
	}
	notices, err := noticesOf(t)
	if err != nil {
		return nil, err
	}
	stored, err := d.Assists.OpenAssist(ctx, t, notices)
	if err != nil {
		return nil, fmt.Errorf("open an assist task: %w", err)
	}
	return stored, nil
}

// questionKey is the same for the same question of the case. It is keyed with
// the case's salt: whom it is about cannot be guessed from it.
func (c *Case) questionKey(q *AssistQuestion) string {
	of := q.Dataset
	if of == "" {
		of = q.Material
	}
	who := q.Subject
	return ledger.Digest(c.Salt, strings.Join([]string{"assist", q.Department, of, q.Party, strings.Join(q.Fields, ","), who.Kind, who.Number, who.Name}, "|"))
}

// The notices of a task: that it was opened, that its time runs out, and that
// it is up.
const (
	noticeOpened   = "opened"
	noticeReminder = "reminder"
	noticeOverdue  = "overdue"
)

// JobAssistNotice is the kind of job that tells about an assist task.
const JobAssistNotice = "assist_notice"

type assistNotice struct {
	Task       string `json:"task"`
	Department string `json:"department"`
	Notice     string `json:"notice"`
}

// noticesOf are the jobs of a new task: the reminder comes when half of the time
// is gone, the escalation (催办) when all of it is.
func noticesOf(t *AssistTask) ([]jobs.Job, error) {
	var out []jobs.Job
	for notice, at := range map[string]time.Time{
		noticeOpened: t.AskedAt, noticeReminder: t.AskedAt.Add(t.DueAt.Sub(t.AskedAt) / 2), noticeOverdue: t.DueAt,
	} {
		payload, err := json.Marshal(assistNotice{Task: t.ID, Department: t.Department, Notice: notice})
		if err != nil {
			return nil, fmt.Errorf("encode a notice: %w", err)
		}
		out = append(out, jobs.Job{Kind: JobAssistNotice, Key: t.ID + ":" + notice, Payload: string(payload), RunAt: at})
	}
	return out, nil
}
