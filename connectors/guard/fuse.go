package guard

import (
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"

	"mianti/connectors"
	"mianti/internal/identifier"
)

// verdict is what a call says about the health of its source.
type verdict int

const (
	unsaid verdict = iota // nothing: it was cancelled, or never came to the source
	alive
	failed
)

// judgeHealth says what a fault tells of the source's health. A source that
// lies or refuses our credential does so to everybody: it counts like one that
// is down. A busy source is alive, but a trial has not succeeded by it; a
// setting of ours says nothing about it.
func judgeHealth(kind connectors.FaultKind) verdict {
	switch kind {
	case connectors.FaultDown, connectors.FaultTimeout, connectors.FaultMalformed, connectors.FaultRefused, connectors.FaultWrongSubject:
		return failed
	case connectors.FaultPending:
		return alive
	default: // busy, misset, paused, maintenance
		return unsaid
	}
}

// fuse is the circuit breaker of one source. It adds four things to the
// library's: the result of a call counts only for the state in which the call
// began, the next trial is timed from the beginning of the last one, where a
// prober watches the source no question is used for a trial, and answers that
// are wrong about one subject count once.
type fuse struct {
	mu       sync.Mutex
	breaker  circuitbreaker.CircuitBreaker[any]
	failures int
	pause    time.Duration
	epoch    int   // counts the changes of state
	streak   int   // failures in a row
	wrong    topic // what the last answer was about that counted as wrong in the streak
	since    time.Time
	resume   time.Time     // when the next trial may begin
	blown    chan struct{} // tells the prober
}

// topic tells the subject of one question from that of another. It is kept in
// memory alone; zero is none.
type topic uint64

func topicOf(s connectors.Subject) topic {
	sum := sha256.Sum256([]byte(string(s.Kind) + "|" + identifier.Normalize(s.Number)))
	return max(1, topic(binary.BigEndian.Uint64(sum[:])))
}

// permit is the right to make one call.
type permit struct {
	epoch int
	trial bool
	begun time.Time
}

// set takes new limits. What has failed so far still counts; a pause that is
// under way ends first.
func (f *fuse) set(failures int, pause time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pause = pause
	if f.breaker != nil && failures == f.failures {
		return
	}
	f.failures = failures
	if f.breaker == nil || f.breaker.IsClosed() {
		f.renew()
	}
}

// renew makes the breaker anew, closed. The library's delay is not used: the
// fuse says itself when a trial may begin.
func (f *fuse) renew() {
	f.breaker = circuitbreaker.NewBuilder[any]().
		WithFailureThreshold(uint(f.failures)).WithSuccessThreshold(1).Build()
	f.epoch++
	f.streak = min(f.streak, f.failures-1)
	for range f.streak {
		f.breaker.RecordFailure()
	}
}

// check says whether a call may be made, without making it a trial.
func (f *fuse) check(now time.Time, byProber bool) *connectors.Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.breaker.IsClosed() || byProber || f.breaker.IsOpen() && !now.Before(f.resume) {
		return nil
	}
	return f.paused(now)
}

// enter gives the right to a call. After a pause it is given once, as a trial.
func (f *fuse) enter(now time.Time, mayTry bool) (permit, *connectors.Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.breaker.IsClosed() {
		return permit{epoch: f.epoch, begun: now}, nil
	}
	if !mayTry || now.Before(f.resume) {
		return permit{}, f.paused(now)
	}
	if f.breaker.IsOpen() {
		f.breaker.HalfOpen()
		f.epoch++
	}
	if !f.breaker.TryAcquirePermit() {
		return permit{}, f.paused(now)
	}
	return permit{epoch: f.epoch, trial: true, begun: now}, nil
}

// leave says what came of a call. wrong is whom the answer was about if it was
// one that cannot be believed, else zero: one person's broken record must not
// take the source away from everybody.
func (f *fuse) leave(p permit, now time.Time, v verdict, wrong topic) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if p.epoch != f.epoch {
		return
	}
	switch {
	case v == alive:
		f.streak, f.wrong = 0, 0
		f.breaker.RecordSuccess()
	case wrong != 0 && wrong == f.wrong && !p.trial:
		return
	case v == failed || p.trial: // a trial has to succeed
		if wrong != 0 {
			f.wrong = wrong
		}
		f.streak++
		f.breaker.RecordFailure()
	default:
		return
	}
	switch {
	case f.breaker.IsOpen():
		f.open(p, now)
	case p.trial:
		f.renew()
	}
}

func (f *fuse) open(p permit, now time.Time) {
	f.epoch++
	if !p.trial {
		f.since, f.resume = now, now.Add(f.pause)
	} else {
		// Trials begin one pause apart, but a source that hangs gets some rest.
		f.resume = later(p.begun.Add(f.pause), now.Add(f.pause/5))
	}
	select {
	case f.blown <- struct{}{}:
	default: // the prober has yet to see the last one
	}
}

// paused is the fault of a source that is left alone. While a trial is under
// way the next moment to ask is a pause from now.
func (f *fuse) paused(now time.Time) *connectors.Fault {
	at := f.resume
	if !now.Before(at) {
		at = now.Add(f.pause)
	}
	return failAt(connectors.FaultPaused, "it failed too often and is left alone", at)
}

// state gives since when the source is left alone and when it is tried again;
// zero when it is not.
func (f *fuse) state() (since, resume time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.breaker == nil || f.breaker.IsClosed() {
		return time.Time{}, time.Time{}
	}
	return f.since, f.resume
}

// ailing says whether the last calls failed.
func (f *fuse) ailing() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.streak > 0
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
