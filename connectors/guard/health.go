package guard

import (
	"slices"
	"sync"
	"time"

	"mianti/connectors"
)

// State is how a source is.
type State string

// The states.
const (
	StateUnknown     State = "unknown" // not asked yet
	StateWell        State = "well"    // its last call went well
	StateIll         State = "ill"     // its last call failed
	StatePaused      State = "paused"  // it failed too often and is left alone
	StateMaintenance State = "maintenance"
)

// Health is what is known of a source from the questions that were really put
// to it. An open port is no sign of health.
type Health struct {
	Source, Dataset, Department string

	State       State
	Since       time.Time // when it came into the state; zero when unknown
	RetryAt     time.Time // when it is asked again, if it is not asked now
	LastSuccess time.Time
	LastFault   connectors.FaultKind
	LastFaultAt time.Time
	// Calls and Faults are those of the last five minutes.
	Calls, Faults int
	// P50 and P95 are of the last 200 calls.
	P50, P95 time.Duration
	// Stuck are the calls that did not end at their deadline and still have not.
	Stuck int
}

const (
	recentCalls  = 200
	slotLength   = 10 * time.Second
	slotsCounted = 30 // five minutes
)

// health gathers what becomes known of one source.
type health struct {
	mu          sync.Mutex
	state       State
	since       time.Time
	lastSuccess time.Time
	lastFault   connectors.FaultKind
	lastFaultAt time.Time
	lastCall    time.Time
	took        [recentCalls]time.Duration
	calls       int // that took counts; the oldest is overwritten
	slots       [slotsCounted]slot
}

// slot counts the calls of ten seconds.
type slot struct {
	number        int64
	calls, faults int
}

// called takes what came of a call.
func (h *health) called(now time.Time, took time.Duration, v verdict, f *connectors.Fault) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lastCall = now
	h.took[h.calls%recentCalls] = took
	h.calls++
	number := now.UnixNano() / int64(slotLength)
	current := &h.slots[number%slotsCounted]
	if current.number != number {
		*current = slot{number: number}
	}
	current.calls++
	if v == alive {
		h.lastSuccess = now
		h.become(StateWell, now)
		return
	}
	current.faults++
	if f != nil {
		h.lastFault, h.lastFaultAt = f.Kind, now
	}
	if v == failed {
		h.become(StateIll, now)
	}
}

func (h *health) become(state State, now time.Time) {
	if h.state != state {
		h.state, h.since = state, now
	}
}

// quietSince is when it was asked last.
func (h *health) quietSince() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.lastCall
}

// report gives the health but for what the calls do not say.
func (h *health) report(now time.Time) Health {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := Health{
		State: StateUnknown, LastSuccess: h.lastSuccess, LastFault: h.lastFault, LastFaultAt: h.lastFaultAt,
	}
	if h.state != "" {
		out.State, out.Since = h.state, h.since
	}
	number := now.UnixNano() / int64(slotLength)
	for _, s := range h.slots {
		if number-s.number < slotsCounted {
			out.Calls += s.calls
			out.Faults += s.faults
		}
	}
	took := slices.Clone(h.took[:min(h.calls, recentCalls)])
	slices.Sort(took)
	out.P50, out.P95 = quantile(took, 50), quantile(took, 95)
	return out
}

// quantile gives the value that percent of the sorted values do not exceed.
func quantile(sorted []time.Duration, percent int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[(len(sorted)*percent+99)/100-1]
}

// Health gives every source that was asked or probed so far, by code.
func (g *Guard) Health() []Health {
	now := g.Now()
	all := g.all()
	out := make([]Health, 0, len(all))
	for _, s := range all {
		out = append(out, s.report(now))
	}
	return out
}

func (s *source) report(now time.Time) Health {
	h := s.health.report(now)
	h.Source, h.Dataset, h.Department, h.Stuck = s.code, s.dataset, s.department, int(s.stuck.Load())
	if since, resume := s.fuse.state(); !since.IsZero() {
		h.State, h.Since, h.RetryAt = StatePaused, since, resume
	}
	s.mu.Lock()
	windows := s.windows
	s.mu.Unlock()
	if closed, ok := maintenance(windows, now); ok {
		h.State, h.Since, h.RetryAt = StateMaintenance, closed.from, closed.until
	}
	return h
}
