package jobs_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/internal/jobs"
)

const kind = "work"

// logged is a log that several goroutines write.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// running is a runner that runs in the bubble of a test.
type running struct {
	*jobs.Runner
	log  *logged
	stop func() // tells it to stop, and waits until it has
}

// start runs jobs of the one kind with handler until the test stops it.
func start(t *testing.T, m *memory, handler jobs.Handler, change func(*jobs.Config)) running {
	t.Helper()
	log := &logged{}
	cfg := jobs.Config{
		Queue: m, Owner: "a", Handlers: map[string]jobs.Handler{kind: handler}, Now: time.Now,
		Log: slog.New(slog.NewJSONHandler(log, nil)),
	}
	if change != nil {
		change(&cfg)
	}
	runner, err := jobs.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- runner.Run(ctx) }()
	return running{Runner: runner, log: log, stop: func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}}
}

func job(id string) jobs.Job { return jobs.Job{ID: id, Kind: kind, Payload: "{}"} }

func TestRun_FinishesAJobThatIsDone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t, job("1"))
		r := start(t, m, func(context.Context, jobs.Job) error { return nil }, nil)
		synctest.Wait()
		r.stop()
		finished, back := m.seen()
		if diff := cmp.Diff([]string{"1"}, finished); diff != "" || len(back) > 0 {
			t.Errorf("finished (-want +got):\n%s, given back %v", diff, back)
		}
	})
}

func TestRun_WaitsTwiceAsLongEachTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t, job("1"))
		r := start(t, m, func(context.Context, jobs.Job) error { return errors.New("no") }, nil)
		time.Sleep(80 * time.Second) // on the bubble's clock: 5+10+20 s and polls, then 40 s
		synctest.Wait()
		r.stop()
		_, back := m.seen()
		longest := []time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second, 40 * time.Second}
		if len(back) < 4 {
			t.Fatalf("given back %v, want 4 times at least", back)
		}
		for i, want := range longest {
			if got := back[i]; got.After > want || got.After < want*4/5 || got.Reason != "no" {
				t.Errorf("attempt %d: given back %+v, want %v less up to a fifth", i+1, got, want)
			}
		}
	})
}

func TestBackoff_EndsAtAnHour(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		attempts int
		want     time.Duration
	}{
		{0, 5 * time.Second},
		{1, 5 * time.Second}, {2, 10 * time.Second}, {3, 20 * time.Second},
		{10, 2560 * time.Second}, {11, time.Hour}, {20, time.Hour}, {1 << 30, time.Hour},
	} {
		if got := jobs.Backoff(c.attempts); got != c.want {
			t.Errorf("Backoff(%d) = %v, want %v", c.attempts, got, c.want)
		}
	}
}

func TestRun_WhenStoppedLetsHandlersEndAndGivesTheRestBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t, job("long"), job("short"))
		r := start(t, m, func(ctx context.Context, j jobs.Job) error {
			if j.ID == "short" {
				time.Sleep(4 * time.Second) // within the grace time of 5 s
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		}, nil)
		synctest.Wait()
		claims, from := m.claimsSoFar(), time.Now()
		m.add(job("late"))
		r.stop()
		if got := time.Since(from); got != 5*time.Second {
			t.Errorf("stopped after %v, want 5s", got)
		}
		finished, back := m.seen()
		if diff := cmp.Diff([]string{"short"}, finished); diff != "" {
			t.Errorf("finished (-want +got):\n%s", diff)
		}
		want := []returned{{Job: "long", Reason: "the runner was stopped"}}
		if diff := cmp.Diff(want, back); diff != "" {
			t.Errorf("given back (-want +got):\n%s", diff)
		}
		if got := m.claimsSoFar(); got != claims {
			t.Errorf("claimed %d times after the stop", got-claims)
		}
	})
}

func TestRun_StopsAtOnceWhenNothingRuns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := start(t, newMemory(t), func(context.Context, jobs.Job) error { return nil }, nil)
		synctest.Wait()
		from := time.Now()
		r.stop()
		if got := time.Since(from); got != 0 {
			t.Errorf("stopped after %v", got)
		}
	})
}

func TestWake_LooksForWorkAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		r := start(t, m, func(context.Context, jobs.Job) error { return nil }, func(cfg *jobs.Config) { cfg.Poll = time.Hour })
		synctest.Wait()
		m.add(job("1"))
		r.Wake()
		r.Wake() // never blocks
		synctest.Wait()
		finished, _ := m.seen()
		r.stop()
		if len(finished) != 1 {
			t.Error("it waited for the next poll")
		}
	})
}

func TestRun_KeepsToItsNumberOfHandlersAndLeavesOtherKinds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t, jobs.Job{ID: "other", Kind: "other"})
		for i := range 20 {
			m.add(job(fmt.Sprint(i)))
		}
		var now, most atomic.Int32
		from := time.Now()
		r := start(t, m, func(context.Context, jobs.Job) error {
			if n := now.Add(1); n > most.Load() {
				most.Store(n)
			}
			time.Sleep(time.Minute)
			now.Add(-1)
			return nil
		}, nil)
		// Twenty jobs, four at once, a minute each: a free handler takes the next
		// job without waiting for a poll.
		time.Sleep(5*time.Minute + time.Millisecond)
		synctest.Wait()
		finished, _ := m.seen()
		r.stop()
		if len(finished) != 20 || most.Load() != 4 {
			t.Errorf("finished %d in %v, %d at once, want 20 and 4", len(finished), time.Since(from), most.Load())
		}
	})
}

func TestNew_RefusesWhatIsMissing(t *testing.T) {
	t.Parallel()
	whole := func() jobs.Config {
		return jobs.Config{
			Queue: newMemory(t), Owner: "a", Now: time.Now, Log: slog.New(slog.DiscardHandler),
			Handlers: map[string]jobs.Handler{kind: func(context.Context, jobs.Job) error { return nil }},
		}
	}
	if _, err := jobs.New(whole()); err != nil {
		t.Fatal(err)
	}
	for name, remove := range map[string]func(*jobs.Config){
		"Queue": func(c *jobs.Config) { c.Queue = nil }, "Owner": func(c *jobs.Config) { c.Owner = "" },
		"Handlers": func(c *jobs.Config) { c.Handlers = nil }, "Now": func(c *jobs.Config) { c.Now = nil },
		"Log": func(c *jobs.Config) { c.Log = nil }, "handler of kind": func(c *jobs.Config) { c.Handlers["x"] = nil },
	} {
		cfg := whole()
		remove(&cfg)
		if _, err := jobs.New(cfg); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("without %s: %v", name, err)
		}
	}
}
