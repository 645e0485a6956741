package guard

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mianti/catalog"
	"mianti/connectors"
)

func newCaseQuery() connectors.Query {
	q := newQuery(catalog.Limits{Attempts: 1})
	q.Case = "c1"
	return q
}

func TestAsk_SharesACallOnlyAmongTheSameQuestionsOfACase(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(q *connectors.Query)
		want   int
	}{
		{"the same", func(*connectors.Query) {}, 1},
		{"another id and party", func(q *connectors.Query) { q.ID, q.Party = "q2", "p2" }, 1},
		{"the fields in another order", func(q *connectors.Query) { q.Fields = []string{"born", "name"} }, 1},
		{"another case", func(q *connectors.Query) { q.Case = "c2" }, 2},
		{"no case", func(q *connectors.Query) { q.Case = "" }, 2},
		{"other fields", func(q *connectors.Query) { q.Fields = []string{"name"} }, 2},
		{"another receiver", func(q *connectors.Query) { q.Receiver = "GJJ" }, 2},
		{"another number", func(q *connectors.Query) { q.Subject.Number = "370199199007221247" }, 2},
		{"another name", func(q *connectors.Query) { q.Subject.Name = "王莉" }, 2},
		{"another source", func(q *connectors.Query) {
			q.Source = &catalog.Source{Code: "GA.D-GA01.second", Kind: q.Source.Kind, Limits: q.Source.Limits}
		}, 2},
		{"an officer", func(q *connectors.Query) {
			q.Source = &catalog.Source{Code: "GA.D-GA01.assist", Kind: catalog.SourceAssist}
		}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := &department{answer: after(time.Second)}
				g, _ := newGuard(d)
				first, second := newCaseQuery(), newCaseQuery()
				c.change(&second)
				var all sync.WaitGroup
				for _, q := range []connectors.Query{first, second} {
					all.Go(func() { ask(g, q, 5*time.Second) })
					synctest.Wait()
				}
				all.Wait()
				d.wantCalls(t, c.want)
				ask(g, first, 5*time.Second) // an answer is not kept
				d.wantCalls(t, c.want+1)
			})
		})
	}
}

func TestAsk_GivesEachOfTheSameQuestionsItsOwnAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &department{answer: func(ctx context.Context, n int) (connectors.Reply, error) {
			time.Sleep(time.Second)
			reply := found()
			reply.Records[0].Fields["tags"] = []string{"甲"}
			return reply, nil
		}}
		g, _ := newGuard(d)
		q := newCaseQuery()
		q.Fields = []string{"name", "tags"}
		var all sync.WaitGroup
		replies := make([]connectors.Reply, 5)
		for i := range replies {
			all.Go(func() {
				var err error
				if replies[i], err = g.Ask(t.Context(), q); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		d.wantCalls(t, 1)
		for i := range replies { // each is changed, and no other notices
			fields := replies[i].Records[0].Fields
			if fields["name"] != "王丽" || !slices.Equal(fields["tags"].([]string), []string{"甲"}) {
				t.Errorf("reply %d holds what another has changed", i)
			}
			fields["name"] = "改"
			fields["tags"].([]string)[0] = "改"
			replies[i].Records[0].Subject.Name = "改"
		}
	})
}

func TestAsk_LetsEachOfTheSameQuestionsLeaveByItself(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &department{answer: after(time.Second)}
		g, _ := newGuard(d)
		q := newCaseQuery()
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() { // the first leaves, and the call goes on
			time.AfterFunc(100*time.Millisecond, cancel)
			bounded, stop := context.WithTimeout(ctx, 3*time.Second)
			defer stop()
			begun := time.Now()
			_, err := g.Ask(bounded, q)
			wantKind(t, kindOf(err), connectors.FaultDown)
			wantTook(t, time.Since(begun), 100*time.Millisecond)
		})
		synctest.Wait()
		all.Go(func() {
			kind, took := ask(g, q, 500*time.Millisecond)
			wantKind(t, kind, connectors.FaultTimeout)
			wantTook(t, took, 500*time.Millisecond)
		})
		all.Go(func() {
			kind, took := ask(g, q, 3*time.Second)
			wantKind(t, kind, "")
			wantTook(t, took, time.Second)
		})
		all.Wait()
		d.wantCalls(t, 1)
	})
}

func TestAsk_EndsASharedCallWithItsLastWaiter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &department{answer: hangs}
		g, _ := newGuard(d)
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				_, err := g.Ask(ctx, newCaseQuery())
				wantKind(t, kindOf(err), connectors.FaultDown)
				if n := d.under.Load(); err == nil && n > 0 {
					t.Errorf("%d calls outlive their waiters", n)
				}
			})
		}
		synctest.Wait()
		cancel()
		all.Wait()
		if n := d.under.Load(); n > 0 {
			t.Errorf("%d calls outlive their waiters", n)
		}
		if h := g.Health()[0]; h.State != StateUnknown || h.Calls != 0 {
			t.Errorf("a call that nobody waited for counts: %+v", h)
		}
		d.fresh()
		kind, took := ask(g, newCaseQuery(), time.Second) // nobody joins what has ended
		wantKind(t, kind, connectors.FaultTimeout)
		wantTook(t, took, time.Second)
		d.wantCalls(t, 1)
		if h := g.Health()[0]; h.State != StateIll {
			t.Errorf("state %s: a deadline that comes with its last waiter counts", h.State)
		}
	})
}

func TestAsk_JoinsNoCallThatEndsMuchEarlier(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &department{answer: after(time.Second)}
		g, _ := newGuard(d)
		var all sync.WaitGroup
		for patience, want := range map[time.Duration]connectors.FaultKind{500 * time.Millisecond: connectors.FaultTimeout, 540 * time.Millisecond: connectors.FaultTimeout, 2 * time.Second: ""} {
			all.Go(func() {
				time.Sleep(patience / 1000) // the least patient comes first
				kind, _ := ask(g, newCaseQuery(), patience)
				wantKind(t, kind, want)
			})
		}
		all.Wait()
		d.wantCalls(t, 2)
	})
}

func TestAsk_CountsATimeoutThatComesWithTheLastWaiter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &department{answer: hangs}
		g, _ := newGuard(d)
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		var all sync.WaitGroup
		all.Go(func() {
			if _, err := g.Ask(ctx, newCaseQuery()); err == nil {
				t.Error("an answer from a source that hangs")
			}
		})
		synctest.Wait()
		all.Go(func() { ask(g, newCaseQuery(), time.Second) })
		time.Sleep(500 * time.Millisecond)
		cancel() // the first goes; the other's time is up half a second later
		all.Wait()
		d.wantCalls(t, 1)
		if h := g.Health()[0]; h.State != StateIll || h.LastFault != connectors.FaultTimeout {
			t.Errorf("state %s after %q, want a timeout that counts", h.State, h.LastFault)
		}
	})
}
