package guard

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"mianti/catalog"
	"mianti/connectors"
)

func TestAsk_BeginsSlowlyUntilTheSourceHasAnswered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &department{answer: after(100 * time.Millisecond)}
		g, _ := newGuard(d)
		q := newQuery(catalog.Limits{Concurrent: 10})
		var all sync.WaitGroup
		all.Go(func() { burst(g, q, 30, 30, 2*time.Second) })
		synctest.Wait()
		if most := d.most.Load(); most != coldWidth {
			t.Errorf("%d calls at once at the start, want %d", most, coldWidth)
		}
		all.Wait()
		if most := d.most.Load(); most != 10 {
			t.Errorf("%d calls at once when it was warm, want its limit of 10", most)
		}
	})
}

func TestAsk_BeginsSlowlyAgainAfterAPause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var ill atomic.Bool
		d := &department{answer: func(ctx context.Context, n int) (connectors.Reply, error) {
			if ill.Load() {
				return fails(connectors.FaultDown)(ctx, n)
			}
			return after(100*time.Millisecond)(ctx, n)
		}}
		g, _ := newGuard(d)
		q := newQuery(catalog.Limits{})
		ask(g, q, time.Second)
		ill.Store(true)
		burst(g, q, 100, 1, time.Second)
		ill.Store(false)
		time.Sleep(5 * time.Second)
		kind, _ := ask(g, q, time.Second) // the trial
		wantKind(t, kind, "")
		d.fresh()
		var all sync.WaitGroup
		all.Go(func() { burst(g, q, 30, 30, 2*time.Second) })
		synctest.Wait()
		if most := d.most.Load(); most != coldWidth {
			t.Errorf("%d calls at once after the pause, want %d", most, coldWidth)
		}
		all.Wait()
	})
}

func TestAsk_GoesSlowlyAfterAFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &department{answer: func(ctx context.Context, n int) (connectors.Reply, error) {
			switch {
			case n <= 10:
				return found(), nil
			case n == 11:
				return fails(connectors.FaultDown)(ctx, n)
			default:
				return hangs(ctx, n)
			}
		}}
		g, _ := newGuard(d)
		q := newQuery(catalog.Limits{Attempts: 1})
		burst(g, q, 11, 1, time.Second)
		d.fresh()
		d.calls.Store(11)
		burst(g, q, 64, 64, time.Second)
		if most := d.most.Load(); most != coldWidth {
			t.Errorf("%d calls at once after a failure, want %d", most, coldWidth)
		}
	})
}

func TestAsk_LetsWaitingQuestionsInByTheirTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &department{answer: after(100 * time.Millisecond)}
		g, _ := newGuard(d)
		q := newQuery(catalog.Limits{Concurrent: 1})
		var mu sync.Mutex
		var order []int
		var all sync.WaitGroup
		for i := range 5 { // one is asked and four may wait
			all.Go(func() {
				ask(g, q, time.Second)
				mu.Lock()
				defer mu.Unlock()
				order = append(order, i)
			})
			synctest.Wait()
		}
		kind, took := ask(g, q, time.Second)
		wantKind(t, kind, connectors.FaultBusy)
		wantTook(t, took, 0)
		all.Wait()
		if !slices.IsSorted(order) || d.most.Load() != 1 {
			t.Errorf("order %v with %d at once, want 0 to 4 one by one", order, d.most.Load())
		}
	})
}

func TestAsk_WaitsForItsTurnWithinItsDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &department{answer: after(time.Second)}
		g, _ := newGuard(d)
		q := newQuery(catalog.Limits{Concurrent: 1})
		var all sync.WaitGroup
		all.Go(func() { ask(g, q, 2*time.Second) })
		synctest.Wait()
		kind, took := ask(g, q, 500*time.Millisecond)
		wantKind(t, kind, connectors.FaultBusy)
		wantTook(t, took, 480*time.Millisecond) // 20 ms would be too little to ask
		ctx, cancel := context.WithCancel(t.Context())
		all.Go(func() {
			time.Sleep(100 * time.Millisecond)
			cancel()
		})
		begun := time.Now()
		_, err := g.Ask(ctx, q)
		wantKind(t, kindOf(err), connectors.FaultDown)
		wantTook(t, time.Since(begun), 100*time.Millisecond)
		all.Wait()
		d.wantCalls(t, 1)
	})
}

func TestAsk_KeepsToTheQuota(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var at []time.Duration
		begun := time.Now()
		d := &department{answer: func(context.Context, int) (connectors.Reply, error) {
			mu.Lock()
			defer mu.Unlock()
			at = append(at, time.Since(begun))
			return found(), nil
		}}
		g, _ := newGuard(d)
		q := newQuery(catalog.Limits{PerSecond: 10, Burst: 2})
		counts := burst(g, q, 40, 40, time.Second)
		// Two at once, and one each 100 ms as long as 20 ms are left after it.
		want := []time.Duration{0, 0}
		for i := 1; i <= 9; i++ {
			want = append(want, time.Duration(i)*100*time.Millisecond)
		}
		if len(at) != len(want) {
			t.Fatalf("calls at %v, want %v", at, want)
		}
		for i := range want {
			if d := (at[i] - want[i]).Abs(); d > time.Millisecond {
				t.Errorf("call %d at %v, want %v", i, at[i], want[i])
			}
		}
		if counts[connectors.FaultBusy] != 40-len(want) {
			t.Errorf("answers %v, want all others to be told that it is busy", counts)
		}
	})
}

func TestAsk_SaysWhenTheQuotaAllowsAnotherCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &department{answer: answers}
		g, _ := newGuard(d)
		q := newQuery(catalog.Limits{PerSecond: 0.5})
		kind, _ := ask(g, q, time.Second)
		wantKind(t, kind, "")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := g.Ask(ctx, q)
		wantKind(t, kindOf(err), connectors.FaultBusy)
		if got, want := connectors.RetryAt(err), time.Now().Add(2*time.Second); !got.Equal(want) {
			t.Errorf("retry at %v, want %v", got, want)
		}
		// A new limit does not give back what was used up.
		kind, _ = ask(g, newQuery(catalog.Limits{PerSecond: 0.4}), time.Second)
		wantKind(t, kind, connectors.FaultBusy)
		d.wantCalls(t, 1)
	})
}
