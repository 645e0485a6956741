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

// maxCheckLanguages bounds how many sets of parameters are remembered.
const maxCheckLanguages = 200

// checkLanguages are the languages that were made, by the parameters as JSON. It is
// safe for many goroutines.
type checkLanguages struct {
	mu   sync.Mutex
	made map[string]checkLanguage
}

func (c *checkLanguages) get(params string) (checkLanguage, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known, ok := c.made[params]
	return known, ok
}

func (c *checkLanguages) put(params string, made checkLanguage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.made) >= maxCheckLanguages {
		clear(c.made)
	}
	c.made[params] = made
}
