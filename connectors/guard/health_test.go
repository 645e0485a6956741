package guard

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/connectors"
)

func TestHealth_SaysWhatTheCallsHaveShown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		// Calls take 1 to 100 ms. Each tenth fails.
		d := &department{answer: func(ctx context.Context, n int) (connectors.Reply, error) {
			time.Sleep(time.Duration(n) * time.Millisecond)
			if n%10 == 0 {
				return fails(connectors.FaultRefused)(ctx, n)
			}
			return found(), nil
		}}
		g, _ := newGuard(d)
		q := newQuery(catalog.Limits{})
		if h := g.Health(); len(h) != 0 {
			t.Errorf("%d sources before the first question, want none", len(h))
		}
		begun := time.Now()
		burst(g, q, 100, 1, time.Second)
		at := func(ms int) time.Time { return begun.Add(time.Duration(ms) * time.Millisecond) }
		// The n-th call ends n(n+1)/2 ms after the start.
		want := Health{
			Source: "GA.D-GA01.query", Dataset: "D-GA01", Department: "GA",
			State: StateIll, Since: at(5050), LastSuccess: at(4950), LastFault: connectors.FaultRefused, LastFaultAt: at(5050),
			Calls: 100, Faults: 10, P50: 50 * time.Millisecond, P95: 95 * time.Millisecond,
		}
		if diff := cmp.Diff([]Health{want}, g.Health()); diff != "" {
			t.Errorf("health (-want +got):\n%s", diff)
		}
		time.Sleep(5 * time.Minute)
		want.Calls, want.Faults = 0, 0
		if diff := cmp.Diff([]Health{want}, g.Health()); diff != "" {
			t.Errorf("health five minutes later (-want +got):\n%s", diff)
		}
	})
}

func TestHealth_IsSortedAndKeepsOnlyTheLastCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &department{answer: func(_ context.Context, n int) (connectors.Reply, error) {
			if n <= 100 {
				time.Sleep(time.Second)
			}
			return found(), nil
		}}
		g, _ := newGuard(d)
		second, first := newQuery(catalog.Limits{}), newQuery(catalog.Limits{})
		second.Source.Code, first.Source.Code = "b", "a"
		burst(g, second, 100+recentCalls, 1, 2*time.Second)
		burst(g, first, 1, 1, time.Second)
		h := g.Health()
		if len(h) != 2 || h[0].Source != "a" || h[1].Source != "b" {
			t.Fatalf("health %+v, want a and b", h)
		}
		if h[1].P95 != 0 {
			t.Errorf("95 %% within %v, want 0: the slow calls are older than the last %d", h[1].P95, recentCalls)
		}
	})
}
