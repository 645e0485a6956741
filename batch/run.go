package batch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"mianti/catalog"
	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/internal/jobs"
	"mianti/ledger"
	"mianti/policies"
)

// Job is the work of a job of kind JobRun: some rows of a batch. The next job is
// stored before this one ends. It may be cut off anywhere: a case is opened under
// its number once, and what was resolved for a row is found again, not asked again.
func (d *Desk) Job(ctx context.Context, job jobs.Job) error {
	var p runPayload
	if err := json.Unmarshal([]byte(job.Payload), &p); err != nil {
		return jobs.Never(fmt.Errorf("decode a job: %w", err))
	}
	b, err := d.Store.Batch(ctx, p.Department, p.Batch)
	if errors.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("run a batch: %w", err)
	}
	if b.State != Running {
		return nil
	}
	err = d.run(ctx, b)
	if err != nil && job.Attempts >= maxTries && ctx.Err() == nil {
		d.Log.LogAttrs(ctx, slog.LevelError, "a batch is paused, because it does not go on", slog.String("batch", b.ID), slog.Any("cause", err))
		return d.halt(ctx, b, Hold{Code: "trouble", Text: "多次没有成功，已经暂停。请稍后继续；仍然不行的，请联系运维人员。"})
	}
	return err
}

// maxTries is after how many failures in a row a batch is paused.
const maxTries = 8

// run goes through some rows, and says when to go on.
func (d *Desk) run(ctx context.Context, b *Batch) error {
	may, err := d.Register.StillMay(ctx, b.requester())
	if err != nil {
		return fmt.Errorf("run a batch: %w", err)
	}
	if !may {
		return d.halt(ctx, b, Hold{Code: "requester-gone", Text: "提交人不再有这项岗位，或接入系统已停用，已经暂停。"})
	}
	left, tomorrow, err := d.leftToday(ctx, b)
	if err != nil {
		return err
	}
	if left == 0 && b.Counts.Todo > 0 {
		return d.later(ctx, b, tomorrow, &Hold{Code: "daily-quota", Text: fmt.Sprintf("今日的 %d 行已经核验，明日自动继续。", b.PerDay), Until: &tomorrow})
	}
	rows, err := d.Rows.BatchRows(ctx, RowFilter{Batch: b.ID, States: []RowState{RowTodo}, Limit: min(d.Slice, left)})
	if err != nil {
		return fmt.Errorf("run a batch: %w", err)
	}
	if len(rows) == 0 {
		return d.look(ctx, b)
	}
	held, err := d.each(ctx, b, rows)
	switch {
	case err != nil:
		return err
	case held == nil:
		return d.later(ctx, b, d.Now(), nil)
	case held.Until == nil:
		return d.halt(ctx, b, *held)
	default:
		return d.later(ctx, b, *held.Until, held)
	}
}

// leftToday is how many rows may still be asked about today, and when tomorrow is.
func (d *Desk) leftToday(ctx context.Context, b *Batch) (int, time.Time, error) {
	now := d.Now().In(catalog.TimeZone())
	today := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, catalog.TimeZone())
	asked, err := d.Rows.AskedSince(ctx, b.ID, today)
	if err != nil {
		return 0, today, fmt.Errorf("run a batch: %w", err)
	}
	return max(0, b.PerDay-asked), today.AddDate(0, 0, 1), nil
}

// each has rows verified, some at a time, until all are or something holds the
// batch up. A row whose job was cut off is as it was.
func (d *Desk) each(ctx context.Context, b *Batch, rows []Row) (*Hold, error) {
	var held atomic.Pointer[Hold]
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(d.Parallel)
	for _, row := range rows {
		group.Go(func() error {
			if ctx.Err() != nil || held.Load() != nil {
				return ctx.Err()
			}
			now, err := d.Store.Batch(ctx, b.Department, b.ID)
			if err != nil {
				return fmt.Errorf("run a batch: %w", err)
			}
			if now.State != Running {
				held.Store(&Hold{Code: noLongerRunning})
				return nil
			}
			note, err := d.verify(ctx, b, row)
			if note != nil {
				held.CompareAndSwap(nil, note)
			}
			return err
		})
	}
	err := group.Wait()
	return held.Load(), err
}

// noLongerRunning is the note of a batch that somebody has paused or cancelled.
const noLongerRunning = "not-running"

// verify has one row verified. A note says that the batch is held up, and that the
// row is as it was.
func (d *Desk) verify(ctx context.Context, b *Batch, row Row) (*Hold, error) {
	now := d.Now().UTC()
	row.AskedAt = &now
	r, err := d.resolve(ctx, b, row)
	if err != nil {
		return d.refused(ctx, b, row, err)
	}
	return nil, d.settle(ctx, b, RowTodo, row, r)
}

// resolve gives the resolution of a row's case; one that is there already, because
// the program ended just after it, is the one.
func (d *Desk) resolve(ctx context.Context, b *Batch, row Row) (*exchange.Resolution, error) {
	by := b.requester()
	c, _, err := d.Cases.OpenCase(ctx, by, *row.Opening)
	if err != nil {
		return nil, err
	}
	r, err := d.Cases.LastReleased(ctx, c)
	if !errors.Is(err, fault.NotFound) {
		return r, err
	}
	request := fmt.Sprintf("batch %s, line %d", b.ID, row.Line)
	return d.Cases.Resolve(ctx, by, c.ID, &exchange.Key{System: by.System, Value: request, Request: request, At: d.Now().UTC()})
}

// settle stores what came of a row.
func (d *Desk) settle(ctx context.Context, b *Batch, from RowState, row Row, r *exchange.Resolution) error {
	now := d.Now().UTC()
	row.State, row.Case, row.Resolution, row.Status, row.CheckedAt = RowDone, r.Case, r.ID, r.Status, &now
	row.Outcomes = outcomesOf(r)
	if slices.ContainsFunc(row.Outcomes, func(o Outcome) bool { return o.Outcome != policies.Settled }) {
		row.State = RowLacking
	}
	if r.Continues() {
		row.State = RowWaiting
	}
	// What was asked is kept with what came of it, though the job is told to end.
	storing, stop := context.WithTimeout(context.WithoutCancel(ctx), endDeadline)
	defer stop()
	if _, err := d.Rows.SettleBatchRow(storing, b.ID, from, row); err != nil {
		return fmt.Errorf("run a batch: %w", err)
	}
	return nil
}

func outcomesOf(r *exchange.Resolution) []Outcome {
	var out []Outcome
	for _, m := range r.Materials {
		if m.Outcome == policies.NotApplicable {
			continue
		}
		o := Outcome{Code: m.Code, Name: m.Name, Outcome: m.Outcome, Reason: m.Reason.Text}
		if m.Subject != nil {
			o.Role = m.Subject.Role
		}
		out = append(out, o)
	}
	return out
}

// refused says what an error means for the row, or for the whole batch.
func (d *Desk) refused(ctx context.Context, b *Batch, row Row, err error) (*Hold, error) {
	f := fault.As(err)
	if f == nil {
		if ctx.Err() != nil {
			return nil, err
		}
		d.Log.LogAttrs(ctx, slog.LevelError, "a row of a batch was not verified", slog.String("batch", b.ID), slog.Int("line", row.Line), slog.Any("cause", err))
		f = fault.New("", "internal", "系统内部出错，这一行没有核验成。请单独核验，或联系运维人员。")
	}
	switch {
	case f.Kind == fault.Exhausted:
		until := d.Now().Add(max(f.Wait, time.Minute)).UTC()
		return &Hold{Code: "quota-exceeded", Text: "达到了部门或系统的查询限额，在限额恢复后自动继续。", Until: &until}, nil
	case f.Code == "request-in-progress":
		until := d.Now().Add(time.Minute).UTC()
		return &Hold{Code: f.Code, Text: "上一次中断时正在核验的行，一分钟后自动继续。", Until: &until}, nil
	case f.Kind == fault.Denied:
		return &Hold{Code: f.Code, Text: f.Message}, nil
	case f.Kind == fault.Unavailable:
		return nil, fmt.Errorf("run a batch: %w", err)
	}
	now := d.Now().UTC()
	row.State, row.CheckedAt = RowFailed, &now
	row.Problems = append([]fault.Detail{{Location: "整行", Code: f.Code, Message: f.Message}}, f.Details[:min(len(f.Details), maxProblems)]...)
	if _, err := d.Rows.SettleBatchRow(ctx, b.ID, RowTodo, row); err != nil {
		return nil, fmt.Errorf("run a batch: %w", err)
	}
	return nil, nil
}

// lookEvery is how often a row that goes on by itself is looked at.
const lookEvery = 5 * time.Minute

// look looks at the rows that go on by themselves, once all have been asked about,
// and ends the batch when there are none.
func (d *Desk) look(ctx context.Context, b *Batch) error {
	now := d.Now().UTC()
	rows, err := d.Rows.BatchRows(ctx, RowFilter{Batch: b.ID, States: []RowState{RowWaiting}, CheckedBefore: now.Add(-lookEvery), Limit: d.Slice})
	if err != nil {
		return fmt.Errorf("run a batch: %w", err)
	}
	for _, row := range rows {
		r, err := d.resolve(ctx, b, row)
		if errors.Is(err, fault.Gone) || errors.Is(err, fault.Conflict) {
			row.State, row.CheckedAt = RowFailed, &now
			row.Problems = []fault.Detail{{Location: "整行", Code: "case-moved-on", Message: "办件已另行处理，请查看办件本身。"}}
			_, err = d.Rows.SettleBatchRow(ctx, b.ID, RowWaiting, row)
		} else if err == nil {
			err = d.settle(ctx, b, RowWaiting, row, r)
		}
		if err != nil {
			return fmt.Errorf("run a batch: %w", err)
		}
	}
	current, err := d.Store.Batch(ctx, b.Department, b.ID)
	switch {
	case err != nil:
		return fmt.Errorf("run a batch: %w", err)
	case current.State != Running:
		return nil
	case current.Counts.Todo > 0 || len(rows) == d.Slice:
		return d.later(ctx, current, now, nil)
	case current.Counts.Waiting > 0:
		until := now.Add(lookEvery)
		return d.later(ctx, current, until, &Hold{Code: "waiting", Text: fmt.Sprintf("%d 行有材料仍在核验中，有结果后自动更新。", current.Counts.Waiting), Until: &until})
	}
	current.State, current.Note, current.EndedAt = Finished, nil, &now
	e := d.entry(ledger.BatchFinished, current.requester(), current)
	e.Result = fmt.Sprintf("done %d, lacking %d, failed %d, left out %d", current.Counts.Done, current.Counts.Lacking, current.Counts.Failed, current.Counts.Wrong)
	return d.unlessChanged(d.Store.UpdateBatch(ctx, current, Act{Entries: []ledger.Entry{e}}))
}

// later stores the job that goes on at a time.
func (d *Desk) later(ctx context.Context, b *Batch, at time.Time, note *Hold) error {
	current, err := d.Store.Batch(ctx, b.Department, b.ID)
	if err != nil {
		return fmt.Errorf("run a batch: %w", err)
	}
	if current.State != Running {
		return nil
	}
	job, err := onward(current, at)
	if err != nil {
		return err
	}
	current.Note = note
	return d.unlessChanged(d.Store.UpdateBatch(ctx, current, Act{Jobs: []jobs.Job{job}}))
}

// halt pauses a batch until somebody does something.
func (d *Desk) halt(ctx context.Context, b *Batch, note Hold) error {
	current, err := d.Store.Batch(ctx, b.Department, b.ID)
	if err != nil {
		return fmt.Errorf("run a batch: %w", err)
	}
	if current.State != Running || note.Code == noLongerRunning {
		return nil
	}
	current.State, current.Note = Paused, &note
	e := d.entry(ledger.BatchPaused, current.requester(), current)
	e.Result = note.Code
	return d.unlessChanged(d.Store.UpdateBatch(ctx, current, Act{Entries: []ledger.Entry{e}}))
}

// unlessChanged passes over that somebody has changed the batch meanwhile: whoever
// lets it run stores a job of its own.
func (d *Desk) unlessChanged(err error) error {
	if errors.Is(err, fault.Conflict) {
		return nil
	}
	return err
}
