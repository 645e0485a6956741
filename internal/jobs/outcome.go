package jobs

import (
	"errors"
	"time"
)

// How long is waited after the first attempt, and at most.
const (
	firstWait   = 5 * time.Second
	longestWait = time.Hour
)

// Backoff is how long is waited after so many attempts: 5 s, 10 s, 20 s, and so
// on up to an hour. The runner takes up to a fifth off at random.
func Backoff(attempts int) time.Duration {
	wait := firstWait
	for range attempts - 1 {
		if wait *= 2; wait >= longestWait {
			return longestWait
		}
	}
	return wait
}

// RetryAt wraps the error of a handler that knows when trying again makes
// sense; the attempt counts like any other. A zero time means that it does not
// know.
func RetryAt(at time.Time, err error) error { return &verdict{err: err, at: at} }

// Never wraps the error of a handler that trying again cannot mend.
func Never(err error) error { return &verdict{err: err, never: true} }

// verdict is an error that says how to go on.
type verdict struct {
	err   error
	at    time.Time
	never bool
}

// Error gives the text of the error.
func (v *verdict) Error() string {
	if v.err == nil {
		return "the handler gave no reason"
	}
	return v.err.Error()
}

// Unwrap gives the error.
func (v *verdict) Unwrap() error { return v.err }

// verdictOf gives what err says about going on; the zero value if nothing.
func verdictOf(err error) verdict {
	var v *verdict
	if errors.As(err, &v) {
		return *v
	}
	return verdict{}
}
