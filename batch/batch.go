// Package batch lets a department have a list of people or bodies verified (批量核验)
// under the same law as one of them: each row of a list becomes a registered case of
// the department, and is resolved as any case is. Every grant, consent, quota, stop
// and record holds by itself; the batch adds the list, what it is for and on what
// basis, how many rows it may have verified in a day, progress, and the results.
//
// It never asks a department itself. docs/batch.md says how it is used, and
// docs/decisions/0028-batch.md why it is so.
package batch

import (
	"context"
	"log/slog"
	"time"

	"mianti/batch/table"
	"mianti/catalog"
	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/internal/jobs"
	"mianti/ledger"
	"mianti/policies"
)

// Bounds of a list: its rows, and its file in bytes.
const (
	MaxRows = 60_000
	MaxFile = table.MaxFile
)

// State (批次状态) is where a batch stands.
type State string

// The states.
const (
	Receiving State = "receiving" // 正在校验
	Invalid   State = "invalid"   // 有错误: 改正后重新提交, 或剔除有错的行
	Ready     State = "ready"     // 校验通过, 待开始
	Running   State = "running"   // 核验中
	Paused    State = "paused"    // 已暂停
	Finished  State = "finished"  // 已完成
	Cancelled State = "cancelled" // 已取消
)

// Ended reports whether nothing of it is asked any more.
func (s State) Ended() bool { return s == Finished || s == Cancelled }

// RowState (行状态) is where a row stands.
type RowState string

// The states of a row.
const (
	RowWrong   RowState = "wrong"   // 校验有误, 不核验
	RowTodo    RowState = "todo"    // 待核验
	RowWaiting RowState = "waiting" // 部分材料核验中, 自动继续
	RowDone    RowState = "done"    // 全部核实
	RowLacking RowState = "lacking" // 已核验, 尚需补充: 材料、承诺、授权或情形
	RowFailed  RowState = "failed"  // 没有核验成
)

// Counts are the rows of a batch by state.
type Counts struct {
	Wrong   int `json:"wrong" doc:"校验有误"`
	Todo    int `json:"todo" doc:"待核验"`
	Waiting int `json:"waiting" doc:"部分材料核验中"`
	Done    int `json:"done" doc:"全部核实"`
	Lacking int `json:"lacking" doc:"已核验, 尚需补充"`
	Failed  int `json:"failed" doc:"没有核验成"`
}

// Rows are all of them.
func (c Counts) Rows() int { return c.Wrong + c.Todo + c.Waiting + c.Done + c.Lacking + c.Failed }

// Good are those that passed the check, and Settled those of them that need not be
// asked about any more.
func (c Counts) Good() int    { return c.Rows() - c.Wrong }
func (c Counts) Settled() int { return c.Good() - c.Todo }

// Batch (批量核验) is a list with what it is for.
type Batch struct {
	ID         string `json:"id"`
	Number     string `json:"number" doc:"批次编号; 未填办件编号的行以它编号"`
	Department string `json:"department"`
	// System is in whose name the cases are registered, Person who handed the list
	// in; empty where the system did.
	System  string `json:"system" doc:"办件登记在哪个接入系统名下"`
	Person  string `json:"person,omitempty" doc:"提交人"`
	Subject string `json:"subject" doc:"事项或一件事代码"`
	// Revision is the catalog's at which the list was checked.
	Revision int    `json:"revision" doc:"校验时的目录修订号"`
	Purpose  string `json:"purpose" doc:"用途"`
	Basis    string `json:"basis" doc:"法律依据"`
	PerDay   int    `json:"per_day" doc:"每日最多核验的行数"`
	State    State  `json:"state" enum:"receiving,invalid,ready,running,paused,finished,cancelled"`
	Counts   Counts `json:"counts"`
	// Note says why it waits, or was paused by the exchange.
	Note        *Hold      `json:"note,omitempty"`
	SubmittedAt time.Time  `json:"submitted_at"`
	StartedAt   *time.Time `json:"started_at,omitempty"`
	EndedAt     *time.Time `json:"ended_at,omitempty"`
	// KeptUntil is when its content is destroyed, and DestroyedAt when it was.
	KeptUntil   *time.Time `json:"kept_until,omitempty" doc:"名单与结果何时销毁"`
	DestroyedAt *time.Time `json:"destroyed_at,omitempty"`
	Version     int        `json:"version"`
}

// Hold (等待原因) says why a batch waits.
type Hold struct {
	Code string `json:"code"`
	Text string `json:"text"`
	// Until is when it goes on by itself; nil when somebody has to do something.
	Until *time.Time `json:"until,omitempty"`
}

// Row (行) is one row of a list, and what came of it.
type Row struct {
	Line       int             `json:"line" doc:"名单中的行号"`
	State      RowState        `json:"state" enum:"wrong,todo,waiting,done,lacking,failed"`
	Number     string          `json:"number,omitempty" doc:"办件编号"`
	Case       string          `json:"case,omitempty"`
	Resolution string          `json:"resolution,omitempty"`
	Status     exchange.Status `json:"status,omitempty" enum:"complete,pending,needs_input"`
	// Problems say why it does not pass the check, or was not verified.
	Problems []fault.Detail `json:"problems" doc:"不符合要求之处, 或没有核验成的原因"`
	// Opening is what its case is opened with, and Outcomes what was concluded: both
	// are sealed at rest, and gone once the batch was destroyed.
	Opening  *exchange.Opening `json:"-"`
	Outcomes []Outcome         `json:"outcomes" doc:"各项材料的结论"`
	AskedAt  *time.Time        `json:"asked_at,omitempty"`
	// CheckedAt is when it was last looked at.
	CheckedAt *time.Time `json:"-"`
}

// Outcome (材料结论) is what was concluded for one material of a row.
type Outcome struct {
	Code    string           `json:"code"`
	Name    string           `json:"name"`
	Role    string           `json:"role,omitempty" doc:"谁的材料: 角色"`
	Outcome policies.Outcome `json:"outcome" enum:"settled,committed,deferred,verifying,awaiting_prior,needs_consent,needs_fact,upload"`
	Reason  string           `json:"reason"`
}

// Filter chooses batches of a department, the newest first.
type Filter struct {
	Department string
	State      State
	Before     string // id of the last one of the page before
	Limit      int
}

// RowFilter chooses rows of a batch, by line.
type RowFilter struct {
	Batch  string
	States []RowState // none: all
	After  int        // line
	Limit  int
	// CheckedBefore chooses those that were last looked at before then, the longest
	// ago first; zero: all.
	CheckedBefore time.Time
}

// Act is what is stored together with a batch.
type Act struct {
	Entries []ledger.Entry
	Jobs    []jobs.Job
}

// Store keeps batches.
type Store interface {
	CreateBatch(ctx context.Context, b *Batch) error
	// Batch gives a department's batch with its counts as they are now, or
	// fault.NotFound.
	Batch(ctx context.Context, department, id string) (*Batch, error)
	Batches(ctx context.Context, f Filter) ([]Batch, error)
	// UpdateBatch stores state, note and moments. It is a fault.Conflict when the
	// batch has been changed since it was read.
	UpdateBatch(ctx context.Context, b *Batch, act Act) error
}

// Rows keeps the rows of batches, sealed.
type Rows interface {
	AddBatchRows(ctx context.Context, batch string, rows []Row) error
	// BatchRows gives rows with their content; of a batch that was destroyed it is a
	// fault.Gone.
	BatchRows(ctx context.Context, f RowFilter) ([]Row, error)
	// SettleBatchRow stores what came of a row that is in a state, and says whether
	// it still was.
	SettleBatchRow(ctx context.Context, batch string, from RowState, row Row) (bool, error)
	// AskedSince counts the rows that were first asked about since then.
	AskedSince(ctx context.Context, batch string, since time.Time) (int, error)
}

// Register knows what is registered beside batches.
type Register interface {
	// NumbersTaken gives those of the numbers that cases of the department have.
	NumbersTaken(ctx context.Context, department string, numbers []string) ([]string, error)
	// SystemsOf gives the systems of a department that are in use.
	SystemsOf(ctx context.Context, department string) ([]string, error)
	// StillMay reports whether a requester may still ask, by what is registered now.
	StillMay(ctx context.Context, by policies.Caller) (bool, error)
	// Append records acts.
	Append(ctx context.Context, entries []ledger.Entry) error
}

// Endings destroys what batches have kept long enough.
type Endings interface {
	// DueBatches gives some of those that ended, or were left alone, before then.
	DueBatches(ctx context.Context, before time.Time, limit int) ([]Batch, error)
	// DestroyBatch destroys the content of a batch, and says whether it was there.
	DestroyBatch(ctx context.Context, b *Batch, entry ledger.Entry) (bool, error)
}

// Cases opens and resolves cases; the exchange does.
type Cases interface {
	CheckOpening(rev *catalog.Revision, by policies.Caller, in exchange.Opening) error
	OpenCase(ctx context.Context, by policies.Caller, in exchange.Opening) (*exchange.Case, bool, error)
	Resolve(ctx context.Context, by policies.Caller, id string, key *exchange.Key) (*exchange.Resolution, error)
	LastReleased(ctx context.Context, c *exchange.Case) (*exchange.Resolution, error)
}

// Config is what a Desk is made of. All fields are required, but for those that
// name a default.
type Config struct {
	Store    Store
	Rows     Rows
	Register Register
	Endings  Endings
	Cases    Cases
	Catalogs exchange.Catalogs
	Now      func() time.Time
	NewID    func() string
	Log      *slog.Logger
	// Keep is how long list and results are kept after a batch ended, or was last
	// touched. Default 7 days.
	Keep time.Duration
	// Parallel is how many rows of a batch are asked at once. Default 4.
	Parallel int
	// Slice is how many rows one job goes through: few enough that the slowest of
	// sources does not use up the job's time. Default 100.
	Slice int
}

// Desk (批量核验台) takes lists in and has them verified.
type Desk struct{ Config }

// New makes a Desk.
func New(c Config) *Desk {
	if c.Keep <= 0 {
		c.Keep = 7 * 24 * time.Hour
	}
	if c.Parallel <= 0 {
		c.Parallel = 4
	}
	if c.Slice <= 0 {
		c.Slice = 100
	}
	return &Desk{Config: c}
}

// Batch gives a batch of the caller's department.
func (d *Desk) Batch(ctx context.Context, by policies.Caller, id string) (*Batch, error) {
	b, err := d.Store.Batch(ctx, by.Department, id)
	if err != nil {
		return nil, err
	}
	d.keptUntil(b)
	return b, nil
}

// keptUntil says when the content of a batch is destroyed, if it stays as it is.
func (d *Desk) keptUntil(b *Batch) {
	if b.DestroyedAt != nil || b.State == Running || b.State == Receiving {
		return
	}
	from := b.SubmittedAt
	for _, later := range []*time.Time{b.StartedAt, b.EndedAt} {
		if later != nil && later.After(from) {
			from = *later
		}
	}
	until := from.Add(d.Keep)
	b.KeptUntil = &until
}

// Batches lists the batches of the caller's department, the newest first.
func (d *Desk) Batches(ctx context.Context, by policies.Caller, f Filter) ([]Batch, error) {
	f.Department = by.Department
	found, err := d.Store.Batches(ctx, f)
	for i := range found {
		d.keptUntil(&found[i])
	}
	return found, err
}

// entry begins an entry about a batch.
func (d *Desk) entry(kind ledger.Kind, by policies.Caller, b *Batch) ledger.Entry {
	return ledger.Entry{
		Kind: kind, At: d.Now().UTC(), System: by.System, Person: by.Person, Department: b.Department, Revision: b.Revision,
		Object: "batch:" + b.ID,
	}
}

// requester is who handed a batch in, as the one who has its rows verified.
func (b *Batch) requester() policies.Caller {
	by := policies.Caller{System: b.System, Person: b.Person, Department: b.Department, Duties: []policies.Duty{policies.DutySystem}}
	if b.Person != "" {
		by.Duties = []policies.Duty{policies.DutyClerk}
	}
	return by
}

// RequestedBy reports whether the caller is who handed the batch in.
func (b *Batch) RequestedBy(by policies.Caller) bool {
	if b.Person != "" {
		return by.Person == b.Person && by.Department == b.Department
	}
	return by.Person == "" && by.System == b.System
}
