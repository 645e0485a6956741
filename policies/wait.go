package policies

import (
	"slices"
	"time"

	"mianti/catalog"
)

// longestWait is how long a source is asked again of itself where the catalog
// names no time: then a person looks at it.
const longestWait = 24 * time.Hour

// since is when the first of the resolutions began that this one goes on with.
func (s *Situation) since() time.Time {
	if s.Since.IsZero() {
		return s.Now
	}
	return s.Since
}

// wait takes the step of waiting for a source that was away.
func (w *walk) wait(step *catalog.Step) (Settlement, bool) {
	return w.waitUntil(w.s.since().Add(time.Duration(step.Minutes) * time.Minute))
}

// waitUntil ends the chain until a source that was down or stale has been asked
// again. It is false when that would change nothing, or the time is up.
func (w *walk) waitUntil(until time.Time) (Settlement, bool) {
	if !w.sourceFailed() || w.failed(Mismatch, Expired, Multiple) || !w.s.Now.Before(until) {
		return Settlement{}, false
	}
	return w.end(Verifying, "", ReasonSourceRetry, func(out *Settlement) {
		out.Waits, out.RetryAt, out.WaitUntil = true, w.retryAt, until
	}), true
}

// sourceFailed reports whether a source was away that may come back. An officer
// who has not answered in time is not asked again of itself.
func (w *walk) sourceFailed() bool {
	return slices.ContainsFunc(w.attempts, func(a Attempt) bool {
		return (a.Result == SourceDown && a.Detail != DetailOverdue) || a.Result == Stale
	})
}

// retry keeps the earliest moment that a source named.
func (w *walk) retry(at time.Time) {
	if !at.IsZero() && (w.retryAt.IsZero() || at.Before(w.retryAt)) {
		w.retryAt = at
	}
}
