package guard

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"mianti/catalog"
	"mianti/connectors"
)

// sick is a department that is well or not.
func sick(ill *atomic.Bool, badly func(context.Context, int) (connectors.Reply, error)) *department {
	return &department{answer: func(ctx context.Context, n int) (connectors.Reply, error) {
		if ill.Load() {
			return badly(ctx, n)
		}
		return answers(ctx, n)
	}}
}

// TestAsk_CallsADeadSourceFewerThanTwentyTimes is the promise about a burst of a
// thousand questions, whichever way the source is dead.
func TestAsk_CallsADeadSourceFewerThanTwentyTimes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		badly  func(context.Context, int) (connectors.Reply, error)
		before int  // questions that went well, and then nobody asked for a while
		want   int  // calls at most, as it follows from the rules
		many   bool // the questions are about many people
	}{
		// Five failures open it, while up to three others are under way.
		{"fails at once", fails(connectors.FaultDown), 0, 8, false},
		{"hangs", hangs, 0, 8, false},
		{"was well, then idle, then fails", fails(connectors.FaultDown), 200, 8, false},
		{"was well, then idle, then hangs", hangs, 200, 8, false},
		{"refuses", fails(connectors.FaultRefused), 0, 8, false},
		{"lies", fails(connectors.FaultWrongSubject), 0, 8, true},
		{"cannot be read", fails(connectors.FaultMalformed), 0, 8, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var ill atomic.Bool
				d := sick(&ill, c.badly)
				g, _ := newGuard(d)
				q := newQuery(catalog.Limits{})
				burst(g, q, c.before, 64, 2*time.Second)
				time.Sleep(6 * time.Second)
				ill.Store(true)
				d.fresh()
				counts := burstOf(g, func(n int) connectors.Query {
					if c.many {
						return about(q, n)
					}
					return q
				}, 1000, 64, 2*time.Second)
				if calls := int(d.calls.Load()); calls > c.want {
					t.Errorf("%d calls, want at most %d", calls, c.want)
				}
				if counts[""] > 0 || counts[connectors.FaultPaused] < 800 {
					t.Errorf("answers %v, want most of them paused and none well", counts)
				}
			})
		})
	}
}

func TestAsk_PausesASourceAfterFailuresInARow(t *testing.T) {
	t.Parallel()
	for kind, want := range map[connectors.FaultKind]int{
		connectors.FaultDown: 5, connectors.FaultTimeout: 5, connectors.FaultMalformed: 5, connectors.FaultRefused: 5, connectors.FaultWrongSubject: 5,
		connectors.FaultBusy: 20, connectors.FaultMisset: 20, connectors.FaultPending: 20,
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := &department{answer: fails(kind)}
				g, _ := newGuard(d)
				for n := range 20 {
					ask(g, about(newQuery(catalog.Limits{Attempts: 1}), n), time.Second)
				}
				d.wantCalls(t, want)
			})
		})
	}
}

// One record that cannot be read must not take the source away from everybody
// else.
func TestAsk_CountsWhatIsWrongAboutOneSubjectOnce(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		kinds   []connectors.FaultKind // in turn
		numbers []string               // in turn
		want    int
	}{
		{"it cannot be read", []connectors.FaultKind{connectors.FaultMalformed}, []string{"37019919910914262X"}, 20},
		{"it is somebody else's", []connectors.FaultKind{connectors.FaultWrongSubject}, []string{"37019919910914262X"}, 20},
		{"the one or the other", []connectors.FaultKind{connectors.FaultMalformed, connectors.FaultWrongSubject}, []string{"37019919910914262X"}, 20},
		{"a number in small letters too", []connectors.FaultKind{connectors.FaultMalformed}, []string{"37019919910914262X", "37019919910914262x"}, 20},
		{"another one's is wrong too", []connectors.FaultKind{connectors.FaultMalformed}, []string{"37019919910914262X", asked}, 5},
		// One that cannot be read, and every second one that counts as ever: 1 2 4 6 8.
		{"and it is down in between", []connectors.FaultKind{connectors.FaultMalformed, connectors.FaultDown}, []string{asked}, 8},
		{"it is down", []connectors.FaultKind{connectors.FaultDown}, []string{asked}, 5},
		{"it times out", []connectors.FaultKind{connectors.FaultTimeout}, []string{asked}, 5},
		{"it refuses", []connectors.FaultKind{connectors.FaultRefused}, []string{asked}, 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := &department{answer: func(ctx context.Context, n int) (connectors.Reply, error) {
					return fails(c.kinds[(n-1)%len(c.kinds)])(ctx, n)
				}}
				g, _ := newGuard(d)
				for n := range 20 {
					q := newQuery(catalog.Limits{Attempts: 1})
					q.Subject.Number = c.numbers[n%len(c.numbers)]
					ask(g, q, time.Second)
				}
				d.wantCalls(t, c.want)
			})
		})
	}
}

func TestAsk_CountsOnlyFailuresInARow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &department{answer: func(ctx context.Context, n int) (connectors.Reply, error) {
			if n%5 == 0 { // four failures, then one answer that nothing is held
				return connectors.Reply{}, nil
			}
			return fails(connectors.FaultDown)(ctx, n)
		}}
		g, _ := newGuard(d)
		for range 50 {
			ask(g, newQuery(catalog.Limits{Attempts: 1}), time.Second)
		}
		d.wantCalls(t, 50)
	})
}

func TestAsk_TriesAPausedSourceWithOneQuestion(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var ill atomic.Bool
		ill.Store(true)
		d := sick(&ill, fails(connectors.FaultDown))
		g, _ := newGuard(d)
		q := newQuery(catalog.Limits{PauseSeconds: 10})
		burst(g, q, 100, 1, time.Second)
		opened := g.Health()[0].Since
		_, err := g.Ask(t.Context(), q)
		wantKind(t, kindOf(err), connectors.FaultPaused)
		if want := opened.Add(10 * time.Second); !connectors.RetryAt(err).Equal(want) {
			t.Errorf("retry at %v, want %v", connectors.RetryAt(err), want)
		}
		for range 3 { // each pause ends with one question, and begins again
			time.Sleep(time.Until(connectors.RetryAt(err)))
			d.fresh()
			burst(g, q, 64, 64, time.Second)
			d.wantCalls(t, 1)
			_, err = g.Ask(t.Context(), q)
		}
		ill.Store(false)
		time.Sleep(time.Until(connectors.RetryAt(err)))
		kind, _ := ask(g, q, time.Second)
		wantKind(t, kind, "")
		if h := g.Health()[0]; h.State != StateWell {
			t.Errorf("state %s, want well", h.State)
		}
	})
}

func TestAsk_HearsNoLateAnswerOfACallFromBeforeThePause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &department{answer: func(ctx context.Context, n int) (connectors.Reply, error) {
			if n == 1 {
				return after(7*time.Second)(ctx, n) // comes while the trial is under way
			}
			if n == 7 {
				return after(3*time.Second)(ctx, n) // the trial
			}
			return fails(connectors.FaultDown)(ctx, n)
		}}
		g, _ := newGuard(d)
		q := newQuery(catalog.Limits{Attempts: 1})
		var all sync.WaitGroup
		all.Go(func() { ask(g, q, 20*time.Second) })
		synctest.Wait()
		burst(g, q, 5, 1, time.Second)
		time.Sleep(5 * time.Second)
		all.Go(func() { ask(g, q, 20*time.Second) })
		synctest.Wait()
		d.wantCalls(t, 7)
		time.Sleep(2500 * time.Millisecond)
		kind, _ := ask(g, q, time.Second)
		wantKind(t, kind, connectors.FaultPaused) // the trial has not ended yet
		all.Wait()
		if h := g.Health()[0]; h.State != StateWell {
			t.Errorf("state %s after the trial, want well", h.State)
		}
	})
}

func TestAsk_BlamesNoSourceForTheImpatienceOfACaller(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		timeout int
		want    State
	}{
		{"it may take long", 0, StateUnknown},
		{"its own time was up too", 150, StateIll}, // it had more than half of it
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := &department{answer: hangs}
				g, _ := newGuard(d)
				q := newQuery(catalog.Limits{Attempts: 1})
				q.Source.TimeoutMillis = c.timeout
				ask(g, q, 100*time.Millisecond)
				if got := g.Health()[0].State; got != c.want {
					t.Errorf("state %s, want %s", got, c.want)
				}
			})
		})
	}
}
