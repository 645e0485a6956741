package store

import "time"

// Committed is one commit of the database that served one or several callers.
type Committed struct {
	// Batch is how many callers it served, Queued how many waited when it began.
	Batch, Queued int
	// Took is from the begin of its transaction to the end.
	Took   time.Duration
	Failed bool
}

// committed tells whoever watches of a commit.
func (s *Store) committed(c Committed) {
	if s.observe != nil {
		s.observe(c)
	}
}
