package admission

import (
	"context"
	"sync"
	"time"
)

// Ticket is the right of one request to be worked on.
type Ticket struct {
	gate *Gate
	lane *lane
	flow *flow
	kind *kind

	begun time.Time
	// With the gate held:
	left    int // how many of its questions are away
	since   time.Time
	outside time.Duration // how long it was away
	ended   bool
}

type ticketKey struct{}

// With gives a context that carries a ticket.
func With(ctx context.Context, t *Ticket) context.Context {
	return context.WithValue(ctx, ticketKey{}, t)
}

// From gives the ticket of the request under way; nil outside of any. All methods
// of a nil ticket do nothing.
func From(ctx context.Context) *Ticket {
	t, _ := ctx.Value(ticketKey{}).(*Ticket)
	return t
}

// Away says that the request waits for something outside of this exchange, until
// the function that it returns is called. It may be called several times at once;
// the request is away while any of it is.
func (t *Ticket) Away() (back func()) {
	if t == nil {
		return func() {}
	}
	t.leave()
	return sync.OnceFunc(t.comeBack)
}

func (t *Ticket) leave() {
	g := t.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	if t.left++; t.left > 1 || t.ended {
		return
	}
	t.since = g.cfg.Now()
	t.lane.active--
	t.lane.away++
	t.flow.active--
	t.flow.away++
	g.fill(t.since)
}

// comeBack takes a place again, whether or not there is one: what has been begun is
// brought to its end.
func (t *Ticket) comeBack() {
	g := t.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	if t.left--; t.left > 0 || t.ended {
		return
	}
	t.outside += g.cfg.Now().Sub(t.since)
	t.lane.active++
	t.lane.away--
	t.flow.active++
	t.flow.away--
}

// Done gives the place back. Only the first call counts.
func (t *Ticket) Done() {
	if t == nil {
		return
	}
	g := t.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	if t.ended {
		return
	}
	t.ended = true
	now := g.cfg.Now()
	if t.left > 0 {
		t.outside += now.Sub(t.since)
		t.lane.away--
		t.flow.away--
	} else {
		t.lane.active--
		t.flow.active--
	}
	if !t.lane.class.apart() && g.limit.counts(t.begun) {
		t.kind.took(now.Sub(t.begun) - t.outside)
	}
	g.tick(now)
	g.fill(now)
	t.lane.rest(t.flow)
}
