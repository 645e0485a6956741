package guard

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/connectors"
)

// memory keeps calls for a test.
type memory struct {
	mu      sync.Mutex
	calls   []Call
	batches []int
	err     error
}

func (m *memory) RecordCalls(_ context.Context, calls []Call) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return m.err
	}
	m.calls = append(m.calls, calls...)
	m.batches = append(m.batches, len(calls))
	return nil
}

func TestAsk_RecordsEachAttemptAndWhatWasNotPut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		d := &department{answer: func(ctx context.Context, n int) (connectors.Reply, error) {
			time.Sleep(10 * time.Millisecond)
			if n == 1 {
				return fails(connectors.FaultDown)(ctx, n)
			}
			reply := found()
			reply.Warnings = []string{"check-digit", "王丽", asked}
			return reply, nil
		}}
		kept := new(memory)
		g, _ := newGuard(d, func(c *Config) { c.Calls = kept })
		q := newQuery(catalog.Limits{})
		ask(g, q, time.Second)
		q.Source.Maintenance = []catalog.Window{{From: "00:00", To: "12:00"}, {From: "12:00", To: "00:00"}}
		ask(g, q, time.Second)
		if err := g.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		at := func(ms int) time.Time { return begun.Add(time.Duration(ms) * time.Millisecond) }
		call := func(in, out, back, done int) Call {
			c := Call{Source: "GA.D-GA01.query", Dataset: "D-GA01", Department: "GA", In: at(in), Done: at(done), Attempts: 2}
			if out >= 0 {
				c.Out, c.Back = at(out), at(back)
			}
			return c
		}
		first, second, refused := call(0, 0, 10, 10), call(0, 60, 70, 70), call(70, -1, -1, 70)
		first.Result, first.Attempt = string(connectors.FaultDown), 1
		second.Result, second.Attempt, second.Records, second.Bytes, second.Warnings = ResultOK, 2, 1, 64, []string{"check-digit"}
		refused.Result = string(connectors.FaultMaintenance)
		if diff := cmp.Diff([]Call{first, second, refused}, kept.calls); diff != "" {
			t.Errorf("recorded (-want +got):\n%s", diff)
		}
	})
}

func TestAsk_DoesNotWaitForTheRecords(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		kept := new(memory)
		g, _ := newGuard(&department{answer: answers}, func(c *Config) { c.Calls = kept })
		for range mostWaiting + 10 { // nobody writes them
			ask(g, newQuery(catalog.Limits{}), time.Second)
		}
		if g.Lost() != 10 {
			t.Errorf("%d lost, want 10", g.Lost())
		}
		if err := g.Close(t.Context()); err != nil || len(kept.calls) != mostWaiting {
			t.Errorf("%d recorded at the end (%v), want %d", len(kept.calls), err, mostWaiting)
		}
	})
}

func TestRun_WritesInBatchesAndWhatIsLeftAtTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		kept := new(memory)
		g, _ := newGuard(&department{answer: answers}, func(c *Config) { c.Calls = kept })
		ctx, cancel := context.WithCancel(t.Context())
		var run sync.WaitGroup
		run.Go(func() {
			if err := g.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		q := newQuery(catalog.Limits{})
		synctest.Wait()
		burst(g, q, 250, 1, time.Second)
		time.Sleep(1100 * time.Millisecond)
		burst(g, q, 7, 1, time.Second)
		cancel()
		run.Wait()
		if diff := cmp.Diff([]int{200, 50, 7}, kept.batches); diff != "" {
			t.Errorf("batches (-want +got):\n%s", diff)
		}
	})
}

func TestRun_CountsWhatCouldNotBeWritten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		kept := &memory{err: errors.New("database away")}
		g, log := newGuard(&department{answer: answers}, func(c *Config) { c.Calls = kept })
		burst(g, newQuery(catalog.Limits{}), 3, 1, time.Second)
		if err := g.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if g.Lost() != 3 || !strings.Contains(log.String(), "not recorded") {
			t.Errorf("%d lost, want 3; log: %s", g.Lost(), log)
		}
	})
}

func TestRun_WaitsWhenNothingIsRecorded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, _ := newGuard(&department{answer: answers})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		begun := time.Now()
		if err := g.Run(ctx); err != nil {
			t.Error(err)
		}
		wantTook(t, time.Since(begun), time.Minute)
		if err := g.Close(ctx); err != nil || g.Lost() != 0 {
			t.Errorf("close: %v, %d lost", err, g.Lost())
		}
	})
}
