package store

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"mianti/internal/fault"
)

// committer (成组提交) lets callers that want something stored at the same time share
// a transaction. It waits for nobody: whoever comes when no round is under way
// begins one, and a round takes all that waits by then. A commit costs a flush of
// the disk and a dozen statements, whatever number of writes is in it; see
// BenchmarkCommitter.
//
// Rounds are run by the callers themselves, so that there is nothing to start and
// nothing to stop.
type committer struct {
	// run stores a round, and answers every write in it.
	run func(ctx context.Context, round []*write)

	mu      sync.Mutex
	rounds  int // under way
	waiting []*write
}

const (
	// maxRounds is how many rounds of one process may be under way. A second one would
	// wait for the counts of the first, which everybody adds to.
	maxRounds = 1
	// maxRound bounds the writes of a round, so that locks are held for milliseconds.
	maxRound = 128
	// maxWaiting bounds what waits. What comes then is refused at once: it would wait
	// for longer than its caller does.
	maxWaiting = 2048
	// roundDeadline bounds a round. Whoever is in it cannot be told sooner whether he
	// was stored.
	roundDeadline = 20 * time.Second
)

// do stores a write: all of it, or nothing. A caller that gives up while he waits
// is not stored; once his round is under way he hears what came of it.
func (c *committer) do(ctx context.Context, w *write) error {
	w.done, w.lead = make(chan error, 1), make(chan struct{}, 1)
	c.mu.Lock()
	if len(c.waiting) >= maxWaiting {
		c.mu.Unlock()
		return fault.New(fault.Unavailable, "writes-waiting", "等待存储的请求太多，没有办理。请稍后重试。").After(time.Second)
	}
	c.waiting = append(c.waiting, w)
	if c.rounds < maxRounds {
		c.rounds++
		c.passLead()
	}
	c.mu.Unlock()
	for {
		select {
		case err := <-w.done:
			return err
		case <-w.lead:
			c.lead(ctx, w)
		case <-ctx.Done():
			if c.withdraw(w) {
				return translate(ctx.Err(), "wait to write", things{})
			}
			return <-w.done
		}
	}
}

// lead runs a round of what waits, and hands the lead to somebody who came
// meanwhile.
func (c *committer) lead(ctx context.Context, w *write) {
	round := c.take(w)
	defer c.handOn(round)
	if len(round) == 0 {
		return
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), roundDeadline)
	defer stop()
	c.run(ctx, round)
}

// take takes what waits, in its order, but one write of a case at most: a case's
// resolutions are stored one after the other.
func (c *committer) take(leader *write) []*write {
	c.mu.Lock()
	defer c.mu.Unlock()
	leader.leads = false
	round, later, cases := make([]*write, 0, min(len(c.waiting), maxRound)), []*write(nil), map[string]bool{}
	for _, w := range c.waiting {
		id := w.caseID()
		if len(round) == maxRound || (id != "" && cases[id]) {
			later = append(later, w)
			continue
		}
		cases[id] = true
		w.taken = true
		round = append(round, w)
	}
	c.waiting = later
	return round
}

// handOn ends a round. A write that has no answer by then, after a programmer's
// mistake, gets one.
func (c *committer) handOn(round []*write) {
	for _, w := range round {
		select {
		case w.done <- errors.New("store a round of writes: it ended without an answer"):
		default: // it has its answer
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.passLead()
}

// passLead makes somebody who waits run the next round, or ends it.
func (c *committer) passLead() {
	for _, w := range c.waiting {
		if !w.leads {
			w.leads = true
			w.lead <- struct{}{}
			return
		}
	}
	c.rounds--
}

// withdraw takes back a write that waits. It reports false when a round has it.
func (c *committer) withdraw(w *write) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if w.taken {
		return false
	}
	c.waiting = slices.DeleteFunc(c.waiting, func(other *write) bool { return other == w })
	select {
	case <-w.lead: // he was to lead: somebody else does
		c.passLead()
	default:
	}
	return true
}
