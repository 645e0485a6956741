// Package admission decides which requests are worked on now, which wait a
// moment, and which are told to come again: so that what is taken in is answered
// in time however much is asked, and so that nobody's flood is at the cost of the
// others.
//
// A request has a class, each with places of its own, and belongs to a flow: the
// caller to whom the exchange is to be fair. How many requests of a class may be
// at work follows from how long they take against how long they take when
// nothing else is asked (see limit.go). While a request waits for a department it
// is away and takes no place: a slow department is no overload.
//
// It knows neither HTTP routes nor callers' identities; Front (front.go) stands
// before a handler, and is told both. The package decides nothing about rights.
package admission

import (
	"context"
	"sync"
	"time"
)

// Class (类别) is a kind of request with places of its own, so that no other can
// take them.
type Class int

// The classes.
const (
	// Work is what known callers ask.
	Work Class = iota
	// Door is how one comes in, and whoever is not known: tokens, sign-in, public pages.
	Door
	// Bulk is what takes long: exports, lists, tiles of the log.
	Bulk
	// Vital is what balancers and monitors look at. Its places are never counted against
	// the others'.
	Vital
	// Steering is what operators end a flood with, such as stops. Its places are its own
	// too, and for known callers alone.
	Steering

	classes
)

// String names the class in logs and metrics.
func (c Class) String() string {
	switch c {
	case Work:
		return "work"
	case Door:
		return "door"
	case Bulk:
		return "bulk"
	case Vital:
		return "vital"
	case Steering:
		return "steering"
	default:
		return "unknown"
	}
}

// apart reports whether a class has places that do not follow from the limit.
func (c Class) apart() bool { return c == Vital || c == Steering }

// Request is what must be known of a request before it is let in.
type Request struct {
	Class Class
	// Flow is to whom it is counted: requests of one flow wait for each other.
	Flow string
	// Kind is what is asked. Requests of one kind take about as long as each other.
	Kind string
}

// Refusal says that a request was not let in, and that nothing was done for it.
type Refusal struct {
	// Wait is how long to wait before asking again.
	Wait time.Duration
}

// Error makes it an error.
func (r *Refusal) Error() string { return "too much is asked at once" }

// Config is what a gate is made of.
type Config struct {
	// Now is the clock. It MUST be set.
	Now func() time.Time
	// Cores is how many processors the program may use; at least 1.
	Cores int
	// Most bounds how many requests of a class are under way at once, those that are away
	// included: it bounds memory. 0 means 1024.
	Most int
	// Changed is told when a class begins, and ceases, to be overloaded; nil for nobody.
	// It is called with the gate held: it must be quick, and must not ask the gate.
	Changed func(c Class, overloaded bool)
}

const (
	defaultMost = 1024
	// patience is how long a request waits at most for a place.
	patience = time.Second
	// vitalPlaces are those of Vital, and of Steering.
	vitalPlaces = 8
	// idle is for how long there must have been no work before others get its places.
	idle = time.Second
)

// Gate lets requests in. It is safe for concurrent use.
type Gate struct {
	cfg Config

	mu    sync.Mutex
	lanes [classes]*lane
	limit limit
	// beat is when the counts of the lanes were last looked at.
	beat time.Time
}

// NewGate returns a gate.
func NewGate(c Config) *Gate {
	if c.Most <= 0 {
		c.Most = defaultMost
	}
	c.Cores = max(c.Cores, 1)
	g := &Gate{cfg: c, limit: newLimit(c.Cores), beat: c.Now()}
	for i := range g.lanes {
		g.lanes[i] = &lane{class: Class(i), flows: map[string]*flow{}, most: c.Most}
	}
	return g
}

// Admit waits until a request may be worked on. Its ticket MUST be given back with
// Done. The error is a *Refusal, or that of ctx.
func (g *Gate) Admit(ctx context.Context, r Request) (*Ticket, error) {
	g.mu.Lock()
	now := g.cfg.Now()
	g.tick(now)
	l := g.lanes[r.Class]
	l.arrived++
	t := &Ticket{gate: g, lane: l, flow: l.flow(r.Flow), kind: g.limit.kind(r.Kind)}
	if g.hasPlace(l, t.flow, now) && len(t.flow.queue) == 0 {
		l.grant(t, now)
		g.mu.Unlock()
		return t, nil
	}
	w, ok := l.enqueue(t, g.room(l))
	if !ok {
		wait := l.refuse(t.flow)
		g.mu.Unlock()
		return nil, &Refusal{Wait: wait}
	}
	g.mu.Unlock()
	return g.await(ctx, w)
}

// await waits for a place.
func (g *Gate) await(ctx context.Context, w *waiter) (*Ticket, error) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-w.told:
	case <-ctx.Done():
	case <-timer.C:
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case w.granted:
		return w.ticket, nil
	case w.evicted: // and counted by whoever did it
		return nil, &Refusal{Wait: w.ticket.lane.wait()}
	}
	l, f := w.ticket.lane, w.ticket.flow
	l.remove(w)
	if ctx.Err() != nil {
		l.rest(f)
		return nil, ctx.Err()
	}
	return nil, &Refusal{Wait: l.refuse(f)}
}

// WouldRefuse reports whether a request would be refused at once. It is for whoever
// wants to know before reading what was sent.
func (g *Gate) WouldRefuse(r Request) (time.Duration, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.cfg.Now()
	g.tick(now)
	l := g.lanes[r.Class]
	f := l.flows[r.Flow]
	if f == nil || !l.isFull(f, g.room(l)) || g.hasPlace(l, f, now) {
		return 0, false
	}
	l.arrived++
	return l.refuse(f), true
}

// places are how many requests of a lane may be at work now. Those besides Work have
// a quarter; all, when there has been no work for a while.
func (g *Gate) places(l *lane, now time.Time) int {
	all := g.limit.now()
	switch {
	case l.class.apart():
		return vitalPlaces
	case l.class == Work:
		return all
	case g.lanes[Work].active == 0 && now.Sub(g.lanes[Work].latest) > idle:
		return all
	default:
		return max(2, all/4)
	}
}

// underWay is how many requests of a lane may be under way.
func (g *Gate) underWay(l *lane, places int) int {
	if l.class.apart() {
		return l.most
	}
	return g.limit.underWay(places)
}

func (g *Gate) hasPlace(l *lane, f *flow, now time.Time) bool {
	places := g.places(l, now)
	return l.hasPlace(f, places, g.underWay(l, places))
}

// room is how many may wait in a lane: as many as get their turn within the
// patience of their callers, and when more comes than goes, within the time that
// one request takes.
func (g *Gate) room(l *lane) int {
	if !l.overloaded {
		return l.most
	}
	return max(2, int(g.limit.usual().Seconds()*l.rate))
}

// fill lets in who waits, as long as there are places.
func (g *Gate) fill(now time.Time) {
	for _, l := range g.lanes {
		for l.waiting > 0 {
			places := g.places(l, now)
			if !l.next(places, g.underWay(l, places), now) {
				break
			}
		}
	}
}

// beatEvery is how often what comes is held against what goes.
const beatEvery = 50 * time.Millisecond

// tick looks at the counts when it is time to. There is no goroutine for it: with
// nothing asked there is nothing to look at.
func (g *Gate) tick(now time.Time) {
	passed := now.Sub(g.beat)
	if passed < beatEvery {
		return
	}
	g.beat = now
	contended := false
	for _, l := range g.lanes {
		before := l.overloaded
		l.judge(passed)
		if l.overloaded && l.waiting > g.room(l) {
			l.shrink(g.room(l))
		}
		if l.overloaded != before && g.cfg.Changed != nil {
			g.cfg.Changed(l.class, l.overloaded)
		}
		contended = contended || !l.class.apart() && (l.overloaded || l.contended())
	}
	g.limit.turn(now, contended)
}

// Stats are what a gate has done, and how it stands.
type Stats struct {
	// Limit is how many requests of Work may be at work at once.
	Limit int
	// Stretch is how long requests take against how long they take alone.
	Stretch float64
	Classes map[Class]ClassStats
}

// ClassStats are those of one class.
type ClassStats struct {
	// Active are at work, Away wait for a department or for news, Waiting for a place.
	Active, Away, Waiting int
	// Flows are how many callers have requests under way.
	Flows int
	// Admitted and Refused count since the start.
	Admitted, Refused uint64
	// Overloaded says that more comes than goes.
	Overloaded bool
}

// Stats gives the present figures.
func (g *Gate) Stats() Stats {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := Stats{Limit: g.limit.now(), Stretch: g.limit.stretch, Classes: map[Class]ClassStats{}}
	for _, l := range g.lanes {
		out.Classes[l.class] = ClassStats{
			Active: l.active, Away: l.away, Waiting: l.waiting, Flows: len(l.flows), Admitted: l.admitted, Refused: l.refused, Overloaded: l.overloaded,
		}
	}
	return out
}
