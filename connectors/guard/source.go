package guard

import (
	"context"
	"errors"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"golang.org/x/time/rate"

	"mianti/catalog"
	"mianti/connectors"
)

// fairTrial is how long a source must have had before it counts against it that
// no answer came: the impatience of one caller pauses no source.
const fairTrial = 500 * time.Millisecond

// longestQuiet is the longest wait that a source may ask for. What is longer,
// or lies in the past, is not believed.
const longestQuiet = 5 * time.Minute

// source is what is kept of one source.
type source struct {
	code, dataset, department string

	gate      gate
	fuse      fuse
	allowance allowance
	health    health
	watched   atomic.Bool  // a prober looks after it
	stuck     atomic.Int32 // calls that were left behind and have not ended

	mu       sync.Mutex
	settings atomic.Pointer[settings] // written under mu
	quiet    time.Time                // until when it has asked to be left alone
	quota    *rate.Limiter
	windows  []catalog.Window
}

// settings are a source's limits, made ready. They never change.
type settings struct {
	limits   catalog.Limits
	timeout  time.Duration
	quota    *rate.Limiter // nil means no limit
	policies []failsafe.Policy[connectors.Reply]
}

// fair is what counts as a fair trial of a source.
func (set *settings) fair() time.Duration {
	if set.timeout > 0 {
		return min(fairTrial, set.timeout/2)
	}
	return fairTrial
}

func newSource(q connectors.Query) *source {
	s := &source{code: q.Source.Code, dataset: q.Dataset.Code, department: q.Dataset.Department}
	s.fuse.blown = make(chan struct{}, 1)
	s.allowance.saved = mostSaved
	return s
}

// adapt gives the settings of a source as the question's catalog has it. The
// state stays when the limits change.
func (s *source) adapt(from *catalog.Source, defaults catalog.Limits, now time.Time) *settings {
	limits := complete(from.Limits, defaults)
	timeout := time.Duration(from.TimeoutMillis) * time.Millisecond
	same := func(old *settings) bool { return old != nil && old.limits == limits && old.timeout == timeout }
	if old := s.settings.Load(); same(old) {
		return old
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.settings.Load()
	if same(old) {
		return old
	}
	made := &settings{limits: limits, timeout: timeout, policies: policiesOf(limits, from.Kind)}
	if limits.PerSecond > 0 {
		if s.quota == nil {
			s.quota = rate.NewLimiter(rate.Limit(limits.PerSecond), limits.Burst)
		}
		// What was used up stays used up.
		s.quota.SetLimitAt(now, rate.Limit(limits.PerSecond))
		s.quota.SetBurstAt(now, limits.Burst)
		made.quota = s.quota
	}
	pause := time.Duration(limits.PauseSeconds) * time.Second
	s.gate.resize(limits.Concurrent, pause)
	s.fuse.set(limits.Failures, pause)
	s.windows = from.Maintenance
	s.settings.Store(made)
	return made
}

// complete fills in what a source leaves out.
func complete(own *catalog.Limits, defaults catalog.Limits) catalog.Limits {
	var l catalog.Limits
	if own != nil {
		l = *own
	}
	if l.PerSecond == 0 {
		l.PerSecond, l.Burst = defaults.PerSecond, defaults.Burst
	}
	l.Burst = first(l.Burst, int(math.Ceil(l.PerSecond)))
	l.Concurrent = first(l.Concurrent, defaults.Concurrent, 16)
	l.Attempts = first(l.Attempts, defaults.Attempts, 2)
	l.HedgeMillis = first(l.HedgeMillis, defaults.HedgeMillis)
	l.Failures = first(l.Failures, defaults.Failures, 5)
	l.PauseSeconds = first(l.PauseSeconds, defaults.PauseSeconds, 5)
	return l
}

// first gives the first number above zero.
func first(numbers ...int) int {
	for _, n := range numbers {
		if n > 0 {
			return n
		}
	}
	return 0
}

// entry is a question that wants to be put to a source.
type entry struct {
	set      *settings
	now      func() time.Time
	deadline time.Time // of the whole question
	probe    bool
	hedged   bool // does not wait for anything
}

// enter waits for everything that a call needs. Whoever gets a permit has to
// leave the gate and the fuse.
func (s *source) enter(ctx context.Context, e entry) (permit, *connectors.Fault) {
	if f := s.waitForQuiet(ctx, e); f != nil {
		return permit{}, f
	}
	if f := s.precheck(e); f != nil {
		return permit{}, f
	}
	if f := s.takeTurn(ctx, e); f != nil {
		return permit{}, f
	}
	if f := s.takeQuota(ctx, e); f != nil {
		s.gate.leave(e.now())
		return permit{}, f
	}
	p, f := s.fuse.enter(e.now(), e.probe || !s.watched.Load())
	if f != nil {
		s.gate.leave(e.now())
	}
	return p, f
}

// precheck refuses what cannot be put in time, before it waits.
func (s *source) precheck(e entry) *connectors.Fault {
	now := e.now()
	if f := s.fuse.check(now, e.probe || !s.watched.Load()); f != nil {
		return f
	}
	if stuck := int(s.stuck.Load()); stuck > 0 && s.gate.full(stuck, now) {
		return fail(connectors.FaultBusy, "its earlier calls have not ended")
	}
	if e.set.quota == nil {
		return nil
	}
	if missing := 1 - e.set.quota.TokensAt(now); missing > 0 {
		at := now.Add(time.Duration(missing / e.set.limits.PerSecond * float64(time.Second)))
		if e.hedged || at.Add(leastTime).After(e.deadline) {
			return failAt(connectors.FaultBusy, "the quota for it is used up", at)
		}
	}
	return nil
}

// takeTurn waits for the gate.
func (s *source) takeTurn(ctx context.Context, e entry) *connectors.Fault {
	now := e.now()
	if e.hedged {
		if !s.gate.enterNow(now) {
			return fail(connectors.FaultBusy, errNoTurn.Error())
		}
		return nil
	}
	waited, err := s.gate.enter(ctx, now, e.deadline.Add(-leastTime))
	switch {
	case err == nil && waited:
		return s.keepTurn(e)
	case err == nil:
		return nil
	case errors.Is(err, errQueueFull), errors.Is(err, errNoTurn):
		return &connectors.Fault{Kind: connectors.FaultBusy, Cause: err}
	default:
		return interrupted(ctx)
	}
}

// keepTurn gives a turn back that came too late for a fair trial of a source
// that has not answered so far: a call that is bound to end without an answer
// says nothing about it, and only adds to the load of one that hangs.
func (s *source) keepTurn(e entry) *connectors.Fault {
	now := e.now()
	if !s.gate.cold(now) || e.deadline.Sub(now) >= e.set.fair() {
		return nil
	}
	s.gate.leave(now)
	return fail(connectors.FaultBusy, errNoTurn.Error())
}

// takeQuota waits for the department's quota.
func (s *source) takeQuota(ctx context.Context, e entry) *connectors.Fault {
	if e.set.quota == nil {
		return nil
	}
	now := e.now()
	booked := e.set.quota.ReserveN(now, 1)
	at := now.Add(booked.DelayFrom(now))
	if at.Equal(now) {
		return nil
	}
	if e.hedged || at.Add(leastTime).After(e.deadline) {
		booked.CancelAt(now)
		return failAt(connectors.FaultBusy, "the quota for it is used up", at)
	}
	if f := sleep(ctx, at.Sub(now)); f != nil {
		booked.CancelAt(e.now())
		return f
	}
	return nil
}

// waitForQuiet keeps to what the source has asked for (Retry-After).
func (s *source) waitForQuiet(ctx context.Context, e entry) *connectors.Fault {
	s.mu.Lock()
	quiet := s.quiet
	s.mu.Unlock()
	now := e.now()
	if !now.Before(quiet) {
		return nil
	}
	if e.hedged || quiet.Add(leastTime).After(e.deadline) {
		return failAt(connectors.FaultBusy, "it has asked to be asked later", quiet)
	}
	return sleep(ctx, quiet.Sub(now))
}

// hush leaves the source alone until it wants to be asked again.
func (s *source) hush(until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.quiet = later(s.quiet, until)
}

// sleep waits, unless the question ends first.
func sleep(ctx context.Context, d time.Duration) *connectors.Fault {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return interrupted(ctx)
	}
}

// interrupted is the fault of a question that ended before its answer came.
func interrupted(ctx context.Context) *connectors.Fault {
	if errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		return &connectors.Fault{Kind: connectors.FaultTimeout, Cause: context.DeadlineExceeded}
	}
	return &connectors.Fault{Kind: connectors.FaultDown, Cause: context.Canceled}
}
