package guard

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/hedgepolicy"
	"github.com/failsafe-go/failsafe-go/retrypolicy"

	"mianti/catalog"
	"mianti/connectors"
)

// question is one question on its way to its source.
type question struct {
	connectors.Query
	guard     *Guard
	source    *source
	settings  *settings
	probe     bool
	coalesced bool
	arrived   time.Time
	deadline  time.Time

	mu    sync.Mutex
	calm  *sync.Cond // nothing is under way
	under int        // attempts under way
	tries int        // attempts begun
	ended bool
	last  *connectors.Fault
}

// failure is a fault with what is to be done about it.
type failure struct {
	fault *connectors.Fault
	again bool // ask again, after the delay
	delay time.Duration
	final bool // no other attempt is under way that may still answer
}

// Error says what the fault says.
func (f *failure) Error() string { return f.fault.Error() }

// Unwrap gives the fault.
func (f *failure) Unwrap() error { return f.fault }

// policiesOf composes the library's policies, the outermost first. An officer
// is asked once.
func policiesOf(l catalog.Limits, kind catalog.SourceKind) []failsafe.Policy[connectors.Reply] {
	if l.Attempts < 2 || kind == catalog.SourceAssist {
		return nil
	}
	policies := []failsafe.Policy[connectors.Reply]{retrypolicy.NewBuilder[connectors.Reply]().
		HandleIf(func(_ connectors.Reply, err error) bool { f := failureOf(err); return f != nil && f.again }).
		WithDelayFunc(func(e failsafe.ExecutionAttempt[connectors.Reply]) time.Duration {
			if f := failureOf(e.LastError()); f != nil {
				return f.delay
			}
			return 0
		}).
		WithMaxAttempts(l.Attempts).ReturnLastFailure().Build()}
	if l.HedgeMillis == 0 {
		return policies
	}
	return append(policies, hedgepolicy.NewBuilderWithDelay[connectors.Reply](time.Duration(l.HedgeMillis)*time.Millisecond).
		CancelIf(func(_ connectors.Reply, err error) bool { f := failureOf(err); return f == nil || f.final }).
		Build())
}

func failureOf(err error) *failure {
	var f *failure
	if errors.As(err, &f) {
		return f
	}
	return nil
}

// put asks, again where that is safe, and returns when nothing of it is under
// way any more.
func (x *question) put(ctx context.Context) (connectors.Reply, error) {
	x.calm = sync.NewCond(&x.mu)
	x.deadline = x.arrived.Add(defaultTimeout)
	if at, ok := ctx.Deadline(); ok {
		x.deadline = at
	}
	ctx, cancel := context.WithDeadline(ctx, x.deadline)
	defer x.end(cancel)

	if len(x.settings.policies) == 0 || x.probe {
		reply, err := x.attempt(ctx, false)
		return reply, x.faultOf(ctx, err)
	}
	reply, err := failsafe.With(x.settings.policies...).WithContext(ctx).
		GetWithExecution(func(e failsafe.Execution[connectors.Reply]) (connectors.Reply, error) {
			return x.attempt(e.Context(), e.IsHedge())
		})
	return reply, x.faultOf(ctx, err)
}

// faultOf gives the fault that a caller is told.
func (x *question) faultOf(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if f := failureOf(err); f != nil {
		return f.fault
	}
	// The library says no more than that the context is done.
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.last != nil {
		return x.last
	}
	return interrupted(ctx)
}

// begin counts an attempt in; its number is 0 when none may begin any more.
func (x *question) begin() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.ended {
		return 0
	}
	x.under++
	x.tries++
	return x.tries
}

// done counts an attempt out.
func (x *question) done() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.under--
	if x.under == 0 {
		x.calm.Broadcast()
	}
}

// end cancels what is under way, such as the slower of two, and waits for it.
func (x *question) end(cancel context.CancelFunc) {
	cancel()
	x.mu.Lock()
	defer x.mu.Unlock()
	x.ended = true
	for x.under > 0 {
		x.calm.Wait()
	}
}

// failed decides what is to be done about a fault.
func (x *question) failed(f *connectors.Fault, number int, called bool) error {
	made := &failure{fault: f}
	x.mu.Lock()
	made.final = x.under == 1 || !mayPass(f.Kind)
	if f.Kind != connectors.FaultTimeout || x.last == nil {
		x.last = f
	}
	x.mu.Unlock()
	if called {
		made.delay, made.again = x.mayAskAgain(f, number)
	}
	return made
}

// mayPass says whether another attempt at the same question may come to more.
func mayPass(kind connectors.FaultKind) bool {
	switch kind {
	case connectors.FaultDown, connectors.FaultTimeout, connectors.FaultBusy, connectors.FaultPaused:
		return true
	default:
		return false
	}
}

// mayAskAgain says whether a fault is one after which it is safe and useful to
// ask again, and how long to wait before. A timeout is not: the source may still
// be at work on the question. One that is busy is asked again only when it has
// said when.
func (x *question) mayAskAgain(f *connectors.Fault, number int) (time.Duration, bool) {
	safe := f.Kind == connectors.FaultDown || f.Kind == connectors.FaultBusy && !f.RetryAt.IsZero()
	if !safe || number >= x.settings.limits.Attempts || x.probe || x.Source.Kind == catalog.SourceAssist {
		return 0, false
	}
	if errors.Is(f.Cause, context.Canceled) {
		return 0, false
	}
	now := x.guard.Now()
	delay := 50*time.Millisecond + time.Duration(x.guard.Jitter()*float64(100*time.Millisecond))
	if wait := f.RetryAt.Sub(now); wait > delay {
		delay = wait
	}
	if now.Add(delay + leastTime).After(x.deadline) {
		return 0, false
	}
	return delay, x.source.allowance.take()
}

// refuse records a question that was not put.
func (x *question) refuse(f *connectors.Fault) error {
	now := x.guard.Now()
	x.record(Call{Done: now, Result: string(f.Kind)})
	return f
}
