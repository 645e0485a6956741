package batch

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"mianti/internal/fault"
	"mianti/internal/jobs"
	"mianti/ledger"
	"mianti/policies"
)

// JobRun is the kind of job that goes through the rows of a batch.
const JobRun = "batch"

type runPayload struct {
	Department string `json:"department"`
	Batch      string `json:"batch"`
}

// onward is the job that goes on with a batch. There is one for each batch.
func onward(b *Batch, at time.Time) (jobs.Job, error) {
	payload, err := json.Marshal(runPayload{Department: b.Department, Batch: b.ID})
	if err != nil {
		return jobs.Job{}, fmt.Errorf("encode a job: %w", err)
	}
	return jobs.Job{Kind: JobRun, Key: b.ID, Payload: string(payload), RunAt: at}, nil
}

// Start begins to have the rows verified. While there are rows with errors nothing
// starts, unless leaveOut says that these are left out.
func (d *Desk) Start(ctx context.Context, by policies.Caller, id string, leaveOut bool) (*Batch, error) {
	return d.act(ctx, by, id, doing{kind: ledger.BatchStarted}, func(b *Batch) error {
		switch {
		case b.State == Invalid && !leaveOut:
			return fault.New(fault.Conflict, "batch-has-errors",
				"名单有 %d 行不符合要求，没有开始核验。请改正后重新提交，或选择剔除这些行。", b.Counts.Wrong)
		case b.State != Ready && b.State != Invalid:
			return wrongState(b)
		case b.Counts.Good() == 0:
			return fault.New(fault.Conflict, "batch-empty", "名单没有一行符合要求，不能开始。请改正后重新提交。")
		}
		now := d.Now().UTC()
		b.State, b.StartedAt = Running, &now
		return nil
	})
}

// Pause stops after the rows that are under way; Resume goes on.
func (d *Desk) Pause(ctx context.Context, by policies.Caller, id, why string) (*Batch, error) {
	return d.act(ctx, by, id, doing{ledger.BatchPaused, why}, func(b *Batch) error {
		if b.State != Running {
			return wrongState(b)
		}
		b.State, b.Note = Paused, nil
		return nil
	})
}

// Resume goes on with a batch that was paused, by somebody or by the exchange.
func (d *Desk) Resume(ctx context.Context, by policies.Caller, id, why string) (*Batch, error) {
	return d.act(ctx, by, id, doing{ledger.BatchResumed, why}, func(b *Batch) error {
		if b.State != Paused {
			return wrongState(b)
		}
		b.State, b.Note = Running, nil
		return nil
	})
}

// Cancel ends a batch. What was verified by then stays as it is.
func (d *Desk) Cancel(ctx context.Context, by policies.Caller, id, why string) (*Batch, error) {
	return d.act(ctx, by, id, doing{ledger.BatchCancelled, why}, func(b *Batch) error {
		if b.State.Ended() || b.State == Receiving {
			return wrongState(b)
		}
		now := d.Now().UTC()
		b.State, b.Note, b.EndedAt = Cancelled, nil, &now
		return nil
	})
}

func wrongState(b *Batch) error {
	return fault.New(fault.Conflict, "batch-state", "批次%s，不能这样操作。请刷新后再看。", stateText(b.State))
}

func stateText(s State) string {
	switch s {
	case Receiving:
		return "正在校验"
	case Invalid:
		return "有错误待处理"
	case Ready:
		return "还没有开始"
	case Running:
		return "正在核验"
	case Paused:
		return "已经暂停"
	case Finished:
		return "已经完成"
	case Cancelled:
		return "已经取消"
	default:
		return "的状态不明"
	}
}

// doing is an act, and the reason that somebody gives for it.
type doing struct {
	kind ledger.Kind
	why  string
}

// act changes the state of a batch, with its entry. Only who handed it in starts
// and resumes it: the look-ups are his.
func (d *Desk) act(ctx context.Context, by policies.Caller, id string, what doing, change func(*Batch) error) (*Batch, error) {
	for try := 1; ; try++ {
		b, err := d.actOnce(ctx, by, id, what, change)
		// The job that goes through the rows changes the batch too, now and then.
		if f := fault.As(err); f == nil || f.Code != Changed || try == actTries {
			return b, err
		}
	}
}

const actTries = 5

// Changed is the code of the conflict of a batch that somebody else has changed.
const Changed = "batch-changed"

func (d *Desk) actOnce(ctx context.Context, by policies.Caller, id string, what doing, change func(*Batch) error) (*Batch, error) {
	b, err := d.Store.Batch(ctx, by.Department, id)
	if err != nil {
		return nil, err
	}
	if asks := what.kind == ledger.BatchStarted || what.kind == ledger.BatchResumed; asks && !b.RequestedBy(by) {
		return nil, notTheRequester()
	}
	if b.DestroyedAt != nil {
		return nil, destroyed(b)
	}
	if err := change(b); err != nil {
		return nil, err
	}
	e := d.entry(what.kind, by, b)
	e.Why = strings.TrimSpace(what.why)
	act := Act{Entries: []ledger.Entry{e}}
	if b.State == Running {
		job, err := onward(b, d.Now())
		if err != nil {
			return nil, err
		}
		act.Jobs = append(act.Jobs, job)
	}
	if err := d.Store.UpdateBatch(ctx, b, act); err != nil {
		return nil, err
	}
	d.keptUntil(b)
	return b, nil
}

func notTheRequester() error {
	return fault.New(fault.Denied, "not-the-requester", "只有提交人可以开始、继续和取得结果。需要的，请由提交人办理，或另行提交名单。")
}

func destroyed(b *Batch) error {
	return fault.New(fault.Gone, "batch-destroyed", "名单与结果已于 %s 按期销毁，只保留批次的记录。", b.DestroyedAt.UTC().Format(time.DateOnly))
}
