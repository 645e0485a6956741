package guard

import (
	"context"
	"crypto/rand"
	"sync"
	"time"

	"mianti/catalog"
	"mianti/connectors"
)

const (
	// reconcileEvery is how soon a new catalog is noticed.
	reconcileEvery = time.Second
	// idle is after how long without a question a source is probed that is well.
	idle = time.Minute
	// probePurpose is what a probe says why it asks (用证事由).
	probePurpose = "接口健康探测（测试对象）"
)

// Target is a source that is to be probed.
type Target struct {
	Dataset *catalog.Dataset
	Source  *catalog.Source
	BaseURL string
	Network catalog.Network
}

// Watch probes the sources that have a test subject until ctx ends: at the
// start, when nobody has asked for a minute, and while a source is paused once
// in each pause. Sources is asked for every second. It returns when no probe is
// under way any more.
func (g *Guard) Watch(ctx context.Context, sources func() []Target) error {
	w := watch{guard: g, targets: map[string]Target{}, running: map[string]bool{}}
	tick := time.NewTicker(reconcileEvery)
	defer tick.Stop()
	defer w.probers.Wait()
	for {
		w.reconcile(ctx, sources())
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// watch is one Watch, with one prober for each source.
type watch struct {
	guard   *Guard
	probers sync.WaitGroup
	mu      sync.Mutex
	targets map[string]Target
	running map[string]bool
}

// reconcile starts probers for the sources that are new. A prober whose source
// is gone ends by itself.
func (w *watch) reconcile(ctx context.Context, targets []Target) {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.targets)
	for _, t := range targets {
		if t.Source.Probe == nil || t.Source.Kind == catalog.SourceAssist {
			continue
		}
		code := t.Source.Code
		w.targets[code] = t
		if !w.running[code] && ctx.Err() == nil {
			w.running[code] = true
			probed := w.guard.source(connectors.Query{Source: t.Source, Dataset: t.Dataset})
			probed.adapt(t.Source, w.guard.Defaults, w.guard.Now())
			probed.watched.Store(true)
			w.probers.Go(func() { w.probeOn(ctx, probed) })
		}
	}
}

// target gives the newest target for a source, and takes the prober off it if
// there is none.
func (w *watch) target(ctx context.Context, s *source) (Target, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	t, ok := w.targets[s.code]
	if !ok || ctx.Err() != nil {
		delete(w.running, s.code)
		s.watched.Store(false)
		return Target{}, false
	}
	return t, true
}

// probeOn probes one source as long as it is a target. The first probes of all
// sources are spread over a second.
func (w *watch) probeOn(ctx context.Context, s *source) {
	g := w.guard
	spread := time.Duration(g.Jitter() * float64(time.Second))
	probed := time.Time{} // when it was tried last, also in vain
	s.wait(ctx, spread)
	for {
		t, ok := w.target(ctx, s)
		if !ok {
			return
		}
		now := g.Now()
		if due := s.due(probed, now); due.After(now) {
			s.wait(ctx, due.Sub(now))
			continue
		}
		probed = now
		g.probe(ctx, t)
	}
}

// due is when a source is to be probed next.
func (s *source) due(probed, now time.Time) time.Time {
	pause := time.Duration(s.settings.Load().limits.PauseSeconds) * time.Second
	last := later(s.health.quietSince(), probed)
	_, resume := s.fuse.state()
	switch {
	case !resume.IsZero():
		return later(resume, probed.Add(pause/5)) // also when a probe was refused
	case last.IsZero():
		return now
	case s.fuse.ailing():
		return last.Add(pause)
	default:
		return last.Add(idle)
	}
}

// wait waits, but not longer than until the source is paused.
func (s *source) wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.fuse.blown:
	case <-ctx.Done():
	}
}

// probe does the real operation on the test subject. What comes of it is in the
// health of the source, and in the records of calls.
func (g *Guard) probe(ctx context.Context, t Target) {
	timeout := time.Duration(t.Source.TimeoutMillis) * time.Millisecond
	if timeout == 0 {
		timeout = defaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	fields := make([]string, 0, len(t.Dataset.Fields))
	for _, f := range t.Dataset.Fields {
		fields = append(fields, f.Code)
	}
	p := t.Source.Probe
	_, _ = g.ask(ctx, connectors.Query{
		ID: rand.Text(), Dataset: t.Dataset, Source: t.Source, BaseURL: t.BaseURL, Network: t.Network,
		Subject: connectors.Subject{Kind: p.Kind, Name: p.Name, Number: p.Number},
		Fields:  fields, Purpose: probePurpose,
	}, true)
}
