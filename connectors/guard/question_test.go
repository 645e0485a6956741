package guard

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"mianti/catalog"
	"mianti/connectors"
)

func TestAsk_AsksAgainOnlyWhereItIsSafe(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fault    connectors.FaultKind
		kind     catalog.SourceKind
		attempts int
		want     int
	}{
		{connectors.FaultDown, catalog.SourceHTTPJSON, 0, 2},
		{connectors.FaultDown, catalog.SourceHTTPJSON, 1, 1},
		{connectors.FaultDown, catalog.SourceHTTPJSON, 3, 3},
		{connectors.FaultDown, catalog.SourceAssist, 0, 1},
		{connectors.FaultTimeout, catalog.SourceHTTPJSON, 0, 1},
		{connectors.FaultRefused, catalog.SourceHTTPJSON, 0, 1},
		{connectors.FaultMalformed, catalog.SourceHTTPJSON, 0, 1},
		{connectors.FaultWrongSubject, catalog.SourceHTTPJSON, 0, 1},
		{connectors.FaultMisset, catalog.SourceHTTPJSON, 0, 1},
		{connectors.FaultPending, catalog.SourceHTTPJSON, 0, 1},
		{connectors.FaultBusy, catalog.SourceHTTPJSON, 0, 1}, // it has not said when
	} {
		t.Run(string(c.fault)+" "+string(c.kind), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := &department{answer: fails(c.fault)}
				g, _ := newGuard(d)
				q := newQuery(catalog.Limits{Attempts: c.attempts})
				q.Source.Kind = c.kind
				kind, took := ask(g, q, time.Second)
				wantKind(t, kind, c.fault)
				wantTook(t, took, time.Duration(c.want-1)*50*time.Millisecond)
				d.wantCalls(t, c.want)
			})
		})
	}
}

func TestAsk_GivesTheAnswerOfTheSecondAttempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &department{answer: func(ctx context.Context, n int) (connectors.Reply, error) {
			if n == 1 {
				return fails(connectors.FaultDown)(ctx, n)
			}
			return found(), nil
		}}
		g, _ := newGuard(d, func(c *Config) { c.Jitter = func() float64 { return 1 } })
		kind, took := ask(g, newQuery(catalog.Limits{}), time.Second)
		wantKind(t, kind, "")
		wantTook(t, took, 150*time.Millisecond) // the longest jitter
	})
}

func TestAsk_KeepsToTheTimeAtWhichASourceWantsToBeAsked(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		fault     connectors.FaultKind
		wait      time.Duration
		wantCalls int
		wantTook  time.Duration
		wantWait  time.Duration // until RetryAt, from the start; 0 for none
	}{
		{"within the deadline", connectors.FaultDown, 400 * time.Millisecond, 2, 400 * time.Millisecond, 0},
		{"within the deadline, busy", connectors.FaultBusy, 400 * time.Millisecond, 2, 400 * time.Millisecond, 0},
		{"sooner than we would", connectors.FaultDown, 10 * time.Millisecond, 2, 50 * time.Millisecond, 0},
		{"after the deadline", connectors.FaultDown, 2 * time.Second, 1, 0, 2 * time.Second},
		{"after the deadline, busy", connectors.FaultBusy, 2 * time.Second, 1, 0, 2 * time.Second},
		{"too late to be believed", connectors.FaultDown, time.Hour, 2, 50 * time.Millisecond, 0},
		{"in the past", connectors.FaultBusy, -time.Second, 1, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				begun := time.Now()
				d := &department{answer: func(_ context.Context, n int) (connectors.Reply, error) {
					return connectors.Reply{}, failAt(c.fault, "as the test wants", begun.Add(c.wait))
				}}
				g, _ := newGuard(d)
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				_, err := g.Ask(ctx, newQuery(catalog.Limits{}))
				wantKind(t, kindOf(err), c.fault)
				wantTook(t, time.Since(begun), c.wantTook)
				d.wantCalls(t, c.wantCalls)
				want := time.Time{}
				if c.wantWait > 0 {
					want = begun.Add(c.wantWait)
				}
				if got := connectors.RetryAt(err); !got.Equal(want) {
					t.Errorf("retry at %v, want %v", got, want)
				}
			})
		})
	}
}

func TestAsk_LeavesABusySourceAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		until := time.Now().Add(30 * time.Second)
		d := &department{answer: func(_ context.Context, n int) (connectors.Reply, error) {
			if n == 1 {
				return connectors.Reply{}, failAt(connectors.FaultBusy, "429", until)
			}
			return found(), nil
		}}
		g, _ := newGuard(d)
		q := newQuery(catalog.Limits{})
		for range 10 {
			kind, took := ask(g, q, time.Second)
			wantKind(t, kind, connectors.FaultBusy)
			wantTook(t, took, 0)
		}
		d.wantCalls(t, 1)
		time.Sleep(29500 * time.Millisecond)
		kind, took := ask(g, q, time.Second) // waits for the rest
		wantKind(t, kind, "")
		wantTook(t, took, 500*time.Millisecond)
	})
}

func TestAsk_AddsAFifthOfTheQuestionsByRetriesAtMost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &department{answer: fails(connectors.FaultDown)}
		g, _ := newGuard(d)
		q := newQuery(catalog.Limits{Failures: 100_000})
		for range 1000 {
			ask(g, q, time.Second)
		}
		// A fifth of 1000, and the 10 that may be saved.
		if calls := d.calls.Load(); calls < 1190 || calls > 1210 {
			t.Errorf("%d calls for 1000 questions, want about 1210 and no more", calls)
		}
	})
}

func TestAsk_TakesTheQuickerOfTwoAndCancelsTheOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cancelled := false
		d := &department{answer: func(ctx context.Context, n int) (connectors.Reply, error) {
			if n == 1 {
				<-ctx.Done()
				cancelled = true
				return connectors.Reply{}, &connectors.Fault{Kind: connectors.FaultDown, Cause: ctx.Err()}
			}
			return found(), nil
		}}
		kept := new(memory)
		g, _ := newGuard(d, func(c *Config) { c.Calls = kept })
		kind, took := ask(g, newQuery(catalog.Limits{HedgeMillis: 100}), time.Second)
		wantKind(t, kind, "")
		wantTook(t, took, 100*time.Millisecond)
		if !cancelled {
			t.Error("the slower call outlives the question")
		}
		if err := g.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		got := map[string]bool{}
		for _, c := range kept.calls {
			got[c.Result] = c.Hedged
		}
		if len(got) != 2 || !got[ResultOK] || got[ResultCancelled] {
			t.Errorf("recorded (result: hedged) %v, want ok: true, cancelled: false", got)
		}
		if h := g.Health()[0]; h.State != StateWell || h.Faults != 0 {
			t.Errorf("the cancelled call counts against the source: %+v", h)
		}
	})
}

func TestAsk_HedgesOnlyWhereItIsSafe(t *testing.T) {
	t.Parallel()
	slowly := func(kind connectors.FaultKind, wait time.Duration) func(context.Context, int) (connectors.Reply, error) {
		return func(ctx context.Context, n int) (connectors.Reply, error) {
			time.Sleep(wait)
			return fails(kind)(ctx, n)
		}
	}
	for _, c := range []struct {
		name   string
		kind   catalog.SourceKind
		answer func(context.Context, int) (connectors.Reply, error)
		limits catalog.Limits
		want   int
		took   time.Duration
	}{
		{"quick enough", catalog.SourceHTTPJSON, after(99 * time.Millisecond), catalog.Limits{HedgeMillis: 100}, 1, 99 * time.Millisecond},
		{"an officer", catalog.SourceAssist, after(300 * time.Millisecond), catalog.Limits{HedgeMillis: 100}, 1, 300 * time.Millisecond},
		{"each call counts", catalog.SourceHTTPJSON, after(300 * time.Millisecond), catalog.Limits{HedgeMillis: 100, Attempts: 1}, 1, 300 * time.Millisecond},
		{"a fault is no delay", catalog.SourceHTTPJSON, slowly(connectors.FaultMalformed, 10*time.Millisecond), catalog.Limits{HedgeMillis: 100}, 1, 10 * time.Millisecond},
		{"not a third time", catalog.SourceHTTPJSON, slowly(connectors.FaultDown, 200*time.Millisecond), catalog.Limits{HedgeMillis: 100}, 2, 300 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := &department{answer: c.answer}
				g, _ := newGuard(d)
				q := newQuery(c.limits)
				q.Source.Kind = c.kind
				_, took := ask(g, q, 2*time.Second)
				wantTook(t, took, c.took)
				d.wantCalls(t, c.want)
			})
		})
	}
}
