package guard

import "sync"

const (
	// savedPerQuestion is what each question adds: one more call for five.
	savedPerQuestion = 0.2
	mostSaved        = 10
)

// allowance bounds the calls that are made again, by a retry or a hedge, to a
// fifth of the questions, so that a fault does not double the load. The
// library's budget counts what is under way at one moment, by which a source
// that fails at once is not held to anything.
type allowance struct {
	mu    sync.Mutex
	saved float64
}

func (a *allowance) save() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.saved = min(a.saved+savedPerQuestion, mostSaved)
}

func (a *allowance) take() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.saved < 1 {
		return false
	}
	a.saved--
	return true
}
