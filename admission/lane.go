package admission

import (
	"slices"
	"time"
)

// lane is the requests of one class, fair among their flows: whoever has used the
// least of the exchange's time gets the next place (start-time fair queueing; a
// request is charged what its kind usually takes). It is used with the gate held.
type lane struct {
	class Class
	most  int
	flows map[string]*flow

	active, away, waiting int
	// served is the fair queue's own time: the start of what was let in last.
	served float64

	// Of the present beat, and what follows from those before.
	arrived, begun int
	strikes        int
	overloaded     bool
	rate           float64   // let in per second
	latest         time.Time // when something was let in

	admitted, refused uint64
}

// flow is one caller's requests in a lane.
type flow struct {
	key          string
	active, away int
	queue        []*waiter
	finish       float64 // when it will have had its share, in the fair queue's time
}

// waiter is a request that waits for a place.
type waiter struct {
	ticket           *Ticket
	told             chan struct{} // closed when it is decided
	granted, evicted bool
}

func (l *lane) flow(key string) *flow {
	f := l.flows[key]
	if f == nil {
		f = &flow{key: key}
		l.flows[key] = f
	}
	return f
}

// rest forgets a flow that has nothing under way and is owed no patience.
func (l *lane) rest(f *flow) {
	if f.active+f.away+len(f.queue) == 0 && f.finish <= l.served {
		delete(l.flows, f.key)
	}
}

// hasPlace reports whether a request of f can begin. One flow alone leaves a place
// to whoever comes next, and half of what may be under way.
func (l *lane) hasPlace(f *flow, places, underWay int) bool {
	own := places
	if places >= 4 {
		own = places - places/4
	}
	return l.active < places && f.active < own && l.active+l.away < min(l.most, underWay) && f.active+f.away < (l.most+1)/2
}

// grant lets a request in.
func (l *lane) grant(t *Ticket, now time.Time) {
	f := t.flow
	start := max(l.served, f.finish)
	l.served, f.finish = start, start+t.kind.expected().Seconds()
	f.active++
	l.active++
	l.begun++
	l.admitted++
	t.begun, l.latest = now, now
}

// isFull reports whether another request of f would be refused.
func (l *lane) isFull(f *flow, room int) bool {
	return l.waiting >= room && len(f.queue) > 0 && len(f.queue) >= l.longest()
}

// longest is the length of the longest queue.
func (l *lane) longest() int {
	longest := 0
	for _, f := range l.flows {
		longest = max(longest, len(f.queue))
	}
	return longest
}

// enqueue lets a request wait. When too many wait, the last of the longest queue
// gives way, which is the flood's; false says that this is the request itself.
func (l *lane) enqueue(t *Ticket, room int) (*waiter, bool) {
	if l.waiting >= room && !l.evict(len(t.flow.queue)) {
		return nil, false
	}
	w := &waiter{ticket: t, told: make(chan struct{})}
	t.flow.queue = append(t.flow.queue, w)
	l.waiting++
	return w, true
}

// evict refuses the last of the longest queue, if there is one that is longer than
// so many.
func (l *lane) evict(than int) bool {
	var from *flow
	for _, f := range l.flows {
		if len(f.queue) > than {
			from, than = f, len(f.queue)
		}
	}
	if from == nil {
		return false
	}
	last := from.queue[len(from.queue)-1]
	l.remove(last)
	last.evicted = true
	close(last.told)
	l.refuse(from)
	return true
}

// shrink refuses who waits until there are no more than room.
func (l *lane) shrink(room int) {
	for l.waiting > room && l.evict(0) {
	}
}

func (l *lane) remove(w *waiter) {
	queue := w.ticket.flow.queue
	if at := slices.Index(queue, w); at >= 0 {
		w.ticket.flow.queue = slices.Delete(queue, at, at+1)
		l.waiting--
	}
}

// refuse counts a refusal, and says how long to wait.
func (l *lane) refuse(f *flow) time.Duration {
	l.refused++
	l.rest(f)
	return l.wait()
}

// wait is how long somebody who was refused waits: not all as long, or they would
// all come again at once.
func (l *lane) wait() time.Duration { return time.Duration(1+l.refused%3) * time.Second }

// next lets in the one whose turn it is; false for none that has a place.
func (l *lane) next(places, underWay int, now time.Time) bool {
	var turn *flow
	for _, f := range l.flows {
		if len(f.queue) > 0 && l.hasPlace(f, places, underWay) && (turn == nil || l.before(f, turn)) {
			turn = f
		}
	}
	if turn == nil {
		return false
	}
	w := turn.queue[0]
	l.remove(w)
	w.granted = true
	l.grant(w.ticket, now)
	close(w.told)
	return true
}

// before reports whether a has had less than b. Names decide between equals, so
// that it does not hang on the order of a map.
func (l *lane) before(a, b *flow) bool {
	startA, startB := max(l.served, a.finish), max(l.served, b.finish)
	if startA != startB {
		return startA < startB
	}
	if len(a.queue) != len(b.queue) {
		return len(a.queue) < len(b.queue)
	}
	return a.key < b.key
}

const (
	// tooMuch is how much more than goes may come before it counts as overload.
	tooMuch = 1.25
	// striking is for how many beats on end, either way.
	striking = 3
)

// judge says from the counts of a beat whether the lane is overloaded: more comes
// than goes, for some time, and some have to wait. Callers who each wait for their
// answer before they ask again are no overload, however many they are.
func (l *lane) judge(passed time.Duration) {
	rate := float64(l.begun) / passed.Seconds()
	if l.rate == 0 || passed > time.Second {
		l.rate = rate
	}
	l.rate += (rate - l.rate) / 8
	over := float64(l.arrived) > tooMuch*float64(l.begun)+2
	switch {
	case passed > time.Second: // nothing was asked for a while
		l.strikes, l.overloaded = 0, false
	case over == l.overloaded:
		l.strikes = 0
	default:
		l.strikes++
	}
	if l.strikes >= striking {
		l.strikes, l.overloaded = 0, over
	}
	l.arrived, l.begun = 0, 0
	for _, f := range l.flows {
		l.rest(f)
	}
}

// contended reports whether several flows want places and not all get them.
func (l *lane) contended() bool { return l.waiting > 0 && len(l.flows) > 1 }
