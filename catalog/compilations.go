package catalog

import "sync"

// maxCompilations bounds what is kept: a city's conditions are some hundreds, and
// what is in use is held by the materials themselves.
const maxCompilations = 5_000

// compilations are expressions that were compiled. It is safe for many goroutines;
// two that ask for the same at once may both compile it.
type compilations struct {
	mu   sync.Mutex
	made map[expression]*compilation
}

func newCompilations() *compilations { return &compilations{made: map[expression]*compilation{}} }

func (c *compilations) once(e expression, compile func() *compilation) *compilation {
	c.mu.Lock()
	known := c.made[e]
	c.mu.Unlock()
	if known != nil {
		return known
	}
	made := compile()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.made) >= maxCompilations {
		clear(c.made)
	}
	c.made[e] = made
	return made
}
