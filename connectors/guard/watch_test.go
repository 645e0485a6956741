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

// watched makes a target of a query's source.
func watched(q connectors.Query) Target {
	q.Source.Probe = &catalog.Probe{Kind: catalog.KindPerson, Name: "王丽", Number: asked}
	return Target{Dataset: q.Dataset, Source: q.Source, BaseURL: "http://127.0.0.1"}
}

// watching runs a Watch until the returned function is called.
func watching(t *testing.T, g *Guard, sources func() []Target) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var run sync.WaitGroup
	run.Go(func() {
		if err := g.Watch(ctx, sources); err != nil {
			t.Error(err)
		}
	})
	return func() { cancel(); run.Wait() }
}

func TestWatch_NoticesARecoveryWithinOneInterval(t *testing.T) {
	t.Parallel()
	const pause = 5 * time.Second
	for _, c := range []struct {
		name  string
		badly func(context.Context, int) (connectors.Reply, error)
	}{{"failed at once", fails(connectors.FaultDown)}, {"hung", hangs}} {
		for _, recovers := range []time.Duration{0, 1, 2499, 4999, 6000} { // ms after it is paused
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					var ill atomic.Bool
					d := sick(&ill, c.badly)
					g, _ := newGuard(d)
					q := newQuery(catalog.Limits{})
					q.Source.TimeoutMillis = 2000
					target := watched(q)
					defer watching(t, g, func() []Target { return []Target{target} })()
					time.Sleep(time.Second)
					ill.Store(true)
					burst(g, q, 100, 8, 2*time.Second)
					if h := g.Health()[0]; h.State != StatePaused {
						t.Fatalf("state %s, want paused", h.State)
					}
					time.Sleep(recovers * time.Millisecond)
					ill.Store(false)
					time.Sleep(pause)
					synctest.Wait() // the probe of this moment comes first
					kind, _ := ask(g, q, 2*time.Second)
					wantKind(t, kind, "")
				})
			})
		}
	}
}

func TestWatch_TriesAPausedSourceOnlyByProbes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		kept := new(memory)
		d := &department{answer: fails(connectors.FaultDown)}
		g, _ := newGuard(d, func(c *Config) { c.Calls = kept })
		q := newQuery(catalog.Limits{})
		target := watched(q)
		stop := watching(t, g, func() []Target { return []Target{target} })
		burst(g, q, 100, 1, time.Second)
		d.fresh()
		for range 600 { // a minute: a dozen pauses
			time.Sleep(100 * time.Millisecond)
			burst(g, q, 4, 4, time.Second)
		}
		if calls := d.calls.Load(); calls < 11 || calls > 12 {
			t.Errorf("%d calls in a minute of pauses of 5 s, want 12", calls)
		}
		stop()
		// Nobody probes any more: a question may try it again.
		time.Sleep(5 * time.Second)
		d.fresh()
		burst(g, q, 10, 10, time.Second)
		d.wantCalls(t, 1)
	})
}

func TestWatch_ProbesAtTheStartAndWhenNobodyAsks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := new(listener)
		g, _ := newGuard(d)
		q := newQuery(catalog.Limits{})
		target := watched(q)
		unprobed := newQuery(catalog.Limits{})
		unprobed.Source.Code = "b"
		stop := watching(t, g, func() []Target {
			return []Target{target, {Dataset: unprobed.Dataset, Source: unprobed.Source}}
		})
		time.Sleep(30 * time.Second)
		if heard := d.heard(); len(heard) != 1 || g.Health()[0].State != StateWell {
			t.Fatalf("%d probes at the start, want 1", len(heard))
		}
		ask(g, q, time.Second)
		time.Sleep(59 * time.Second)
		if heard := d.heard(); len(heard) != 2 {
			t.Errorf("%d calls, want no probe within a minute of the last question", len(heard))
		}
		time.Sleep(2 * time.Second)
		stop()
		heard := d.heard()
		if len(heard) != 3 {
			t.Fatalf("%d calls, want a probe after a minute", len(heard))
		}
		probe := heard[2]
		if probe.ID == heard[0].ID || probe.Case != "" || probe.Subject.Number != asked || len(probe.Fields) != 5 || probe.Purpose == "" {
			t.Errorf("probe %v of %d fields, want the real question of no case", probe.Subject, len(probe.Fields))
		}
		time.Sleep(time.Hour)
		if after := len(d.heard()) - 3; after != 0 {
			t.Errorf("%d probes after the end", after)
		}
	})
}

// listener is a connector that keeps its queries.
type listener struct {
	mu      sync.Mutex
	queries []connectors.Query
}

func (l *listener) Ask(_ context.Context, q connectors.Query) (connectors.Reply, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queries = append(l.queries, q)
	return found(), nil
}

func (l *listener) heard() []connectors.Query {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.queries[:len(l.queries):len(l.queries)]
}

func TestWatch_FollowsTheCatalog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var targets []Target
		set := func(t ...Target) {
			mu.Lock()
			defer mu.Unlock()
			targets = t
		}
		d := &department{answer: answers}
		g, _ := newGuard(d)
		defer watching(t, g, func() []Target {
			mu.Lock()
			defer mu.Unlock()
			return targets
		})()
		time.Sleep(10 * time.Second)
		d.wantCalls(t, 0)
		q := newQuery(catalog.Limits{})
		set(watched(q))
		time.Sleep(10 * time.Second)
		d.wantCalls(t, 1)
		closed := newQuery(catalog.Limits{})
		closed.Source.Maintenance = []catalog.Window{{From: "00:00", To: "23:59"}}
		set(watched(closed))
		time.Sleep(10 * time.Minute)
		d.wantCalls(t, 1) // not during maintenance
		set()
		time.Sleep(10 * time.Minute)
		set(watched(q)) // it comes back
		time.Sleep(10 * time.Second)
		d.wantCalls(t, 2)
	})
}
