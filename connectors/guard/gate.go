package guard

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// coldWidth is how many calls at once a source gets until it has shown that it
// answers. Without it the first burst at a dead source is as wide as its limit.
const coldWidth = 4

// queueFactor times the limit is how many questions may wait for a source.
const queueFactor = 4

var (
	errQueueFull = errors.New("too many questions wait for it")
	errNoTurn    = errors.New("no turn before the deadline")
)

// gate bounds the calls under way at one source, and lets waiting questions in
// by the order of their coming. The library's bulkhead has a fixed width and an
// unbounded queue; this one is narrow while the source is cold.
type gate struct {
	mu        sync.Mutex
	limit     int
	warmFor   time.Duration // how long a success keeps it warm
	warmUntil time.Time
	busy      int
	queue     []chan struct{}
}

func (g *gate) resize(limit int, warmFor time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.limit, g.warmFor = limit, warmFor
}

// enter waits for a turn until the deadline, and says whether it had to. Who got
// one has to leave.
func (g *gate) enter(ctx context.Context, now, deadline time.Time) (waited bool, err error) {
	g.mu.Lock()
	if len(g.queue) == 0 && g.busy < g.width(now) {
		g.busy++
		g.mu.Unlock()
		return false, nil
	}
	if len(g.queue) >= queueFactor*g.limit {
		g.mu.Unlock()
		return false, errQueueFull
	}
	turn := make(chan struct{})
	g.queue = append(g.queue, turn)
	g.mu.Unlock()

	timer := time.NewTimer(deadline.Sub(now))
	defer timer.Stop()
	select {
	case <-turn:
		return true, nil
	case <-timer.C:
		return true, g.giveUp(turn, errNoTurn)
	case <-ctx.Done():
		return true, g.giveUp(turn, ctx.Err())
	}
}

// enterNow takes a turn only if nobody has to wait for it.
func (g *gate) enterNow(now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.queue) > 0 || g.busy >= g.width(now) {
		return false
	}
	g.busy++
	return true
}

// giveUp leaves the queue. A turn that came at the same moment is used.
func (g *gate) giveUp(turn chan struct{}, why error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(g.queue, turn)
	if i < 0 {
		return nil
	}
	g.queue = slices.Delete(g.queue, i, i+1)
	return why
}

// leave gives the turn on.
func (g *gate) leave(now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.busy--
	g.admit(now)
}

// warm opens the gate to its limit for a while: the source has answered.
func (g *gate) warm(now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.warmUntil = now.Add(g.warmFor)
	g.admit(now)
}

// chill narrows the gate until the next answer.
func (g *gate) chill() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.warmUntil = time.Time{}
}

// cold says whether the source has not answered lately.
func (g *gate) cold(now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return !now.Before(g.warmUntil)
}

// full says whether so many calls leave no turn.
func (g *gate) full(calls int, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return calls >= g.width(now)
}

func (g *gate) admit(now time.Time) {
	for len(g.queue) > 0 && g.busy < g.width(now) {
		close(g.queue[0])
		g.queue = g.queue[1:]
		g.busy++
	}
}

func (g *gate) width(now time.Time) int {
	if now.Before(g.warmUntil) {
		return g.limit
	}
	return min(coldWidth, g.limit)
}
