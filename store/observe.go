package store

import (
	"errors"
	"time"
)

// Committed is one round of the committer: one commit of the database that served one or
// several callers.
type Committed struct {
	// Batch is how many callers were in it, Queued how many waited when it ended.
	Batch, Queued int
	// Took is from the begin of its transaction to the end.
	Took   time.Duration
	Failed bool
}

// tried tells whoever watches of a round. That callers were refused, or have to be stored
// each alone, is no failure.
func (s *Store) tried(round []*write, begun time.Time, err error) {
	if s.observe == nil {
		return
	}
	var refused refusals
	var alone apart
	s.observe(Committed{
		Batch: len(round), Queued: s.committer.queued(), Took: s.now().Sub(begun),
		Failed: err != nil && !errors.As(err, &refused) && !errors.As(err, &alone),
	})
}

// queued is how many writes wait for a round.
func (c *committer) queued() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.waiting)
}
