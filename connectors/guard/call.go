package guard

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// The results of a call that is no fault; else it is the kind of the fault.
const (
	ResultOK        = "ok"
	ResultNotFound  = "not_found"
	ResultCancelled = "cancelled" // nobody waited for it any more, or another call was quicker
)

// Call (调用记录) is one call to a source, or one question that was not put or
// was answered by another's call (Attempt 0). It holds nothing of whom the
// question was about and nothing of the answer.
type Call struct {
	// Department is the one that holds the dataset.
	Source, Dataset, Department string
	// In is when the question came, Out when the source was called, Back when it
	// had answered, Done when the answer had been examined. Out and Back are zero
	// when the source was not called.
	In, Out, Back, Done time.Time
	Bytes               int64
	Records             int
	Result              string
	// Attempt counts from 1, Attempts is how many there might have been.
	Attempt, Attempts        int
	Hedged, Coalesced, Probe bool
	Warnings                 []string
}

// Calls keeps calls.
type Calls interface {
	RecordCalls(ctx context.Context, calls []Call) error
}

const (
	mostWaiting  = 4096 // calls that wait to be written
	batch        = 200
	flushEvery   = time.Second
	flushTimeout = 5 * time.Second
)

// recorder takes calls without making a question wait, and writes them in
// batches. What does not fit is counted and lost: a record of calls is for the
// operator, and the ledger has its own.
type recorder struct {
	to      Calls
	log     *slog.Logger
	waiting chan Call
	lost    atomic.Int64
	writing sync.Mutex // one batch at a time
}

func newRecorder(to Calls, log *slog.Logger) *recorder {
	return &recorder{to: to, log: log, waiting: make(chan Call, mostWaiting)}
}

// record hands a call to the recorder.
func (x *question) record(c Call) {
	c.Source, c.Dataset, c.Department = x.source.code, x.source.dataset, x.source.department
	c.In, c.Attempts = x.arrived, x.settings.limits.Attempts
	c.Coalesced, c.Probe = x.coalesced, x.probe
	if x.guard.Called != nil {
		x.guard.Called(c)
	}
	r := x.guard.recorder
	if r == nil {
		return
	}
	select {
	case r.waiting <- c:
	default:
		r.lost.Add(1)
	}
}

// Run writes the calls until ctx ends, and then what is left.
func (g *Guard) Run(ctx context.Context) error {
	if g.recorder == nil {
		<-ctx.Done()
		return nil
	}
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	calls := make([]Call, 0, batch)
	for {
		select {
		case c := <-g.recorder.waiting:
			calls = append(calls, c)
			if len(calls) < batch {
				continue
			}
		case <-tick.C:
		case <-ctx.Done():
			g.recorder.drain(ctx, calls)
			return nil
		}
		g.recorder.write(ctx, calls)
		calls = calls[:0]
	}
}

// Close writes the calls that still wait. It is for the end, after the last
// question; Run does it too.
func (g *Guard) Close(ctx context.Context) error {
	if g.recorder != nil {
		g.recorder.drain(ctx, nil)
	}
	return nil
}

// drain writes the given calls and all that wait.
func (r *recorder) drain(ctx context.Context, calls []Call) {
	for {
		select {
		case c := <-r.waiting:
			calls = append(calls, c)
			if len(calls) < batch {
				continue
			}
			r.write(ctx, calls)
			calls = calls[:0]
		default:
			r.write(ctx, calls)
			return
		}
	}
}

// Lost gives how many calls could not be recorded.
func (g *Guard) Lost() int64 {
	if g.recorder == nil {
		return 0
	}
	return g.recorder.lost.Load()
}

// write writes a batch, also when the program is being stopped.
func (r *recorder) write(ctx context.Context, calls []Call) {
	if len(calls) == 0 {
		return
	}
	r.writing.Lock()
	defer r.writing.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
	defer cancel()
	if err := r.to.RecordCalls(ctx, calls); err != nil {
		lost := r.lost.Add(int64(len(calls)))
		r.log.LogAttrs(ctx, slog.LevelWarn, "calls to sources were not recorded", slog.Int64("lost", lost), slog.Any("cause", err))
	}
}
