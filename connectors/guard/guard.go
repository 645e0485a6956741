// Package guard stands before every connector and looks after each source by
// itself: how long it may take, how many calls it bears, when it is left alone,
// when it is asked again, and whether what it says can be believed.
//
// What it promises: Ask returns at most 20 ms after the deadline of the
// question, whatever the connector does; a source that is ill slows no question
// to another; a source that is dead is called now and then and not by everybody;
// no record of somebody else, no field that was not asked for and no value of
// the wrong type comes out of it.
//
// State is kept for each source by its code and is lost with the process: after
// a start every source is taken for unknown and begins with few calls at once.
package guard

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"mianti/catalog"
	"mianti/connectors"
)

const (
	// leastTime is what an attempt needs: with less left none is begun.
	leastTime = 20 * time.Millisecond
	// grace is how long a connector may overstay before it is left behind.
	grace = 20 * time.Millisecond
	// defaultTimeout bounds a call that neither its source nor its caller bounds.
	defaultTimeout = 10 * time.Second
)

// Config is what a Guard is made of.
type Config struct {
	// Connectors speak to the kinds of source.
	Connectors map[catalog.SourceKind]connectors.Connector
	// Now is the clock that contexts keep their deadlines by: time.Now.
	Now func() time.Time
	// Log takes what an operator has to know. It MUST be set.
	Log *slog.Logger
	// Calls is where calls are recorded; nil means nowhere.
	Calls Calls
	// Called is told of each call, and of each question that was not put; nil for
	// nobody. It returns at once.
	Called func(Call)
	// Defaults complete the limits that a source leaves out.
	Defaults catalog.Limits
	// Jitter gives numbers from 0 to 1; nil means random ones.
	Jitter func() float64
}

// Guard is a connectors.Connector for every kind. It is safe for concurrent use.
type Guard struct {
	Config
	mu       sync.RWMutex
	sources  map[string]*source // by code
	flights  flights
	recorder *recorder
}

// New returns a Guard that has asked nobody yet.
func New(cfg Config) *Guard {
	if cfg.Jitter == nil {
		cfg.Jitter = rand.Float64
	}
	g := &Guard{Config: cfg, sources: map[string]*source{}, flights: flights{under: map[string]*flight{}}}
	if cfg.Calls != nil {
		g.recorder = newRecorder(cfg.Calls, cfg.Log)
	}
	return g
}

// Ask puts a question to its source, if the source can be asked. Every error is
// a *connectors.Fault.
func (g *Guard) Ask(ctx context.Context, q connectors.Query) (connectors.Reply, error) {
	return g.ask(ctx, q, false)
}

func (g *Guard) ask(ctx context.Context, q connectors.Query, probe bool) (connectors.Reply, error) {
	arrived := g.Now()
	if q.Source == nil || q.Dataset == nil {
		return connectors.Reply{}, fail(connectors.FaultMisset, "a question needs a source and a dataset")
	}
	x := &question{guard: g, source: g.source(q), Query: q, probe: probe, arrived: arrived}
	x.settings = x.source.adapt(q.Source, g.Defaults, arrived)
	if g.Connectors[q.Source.Kind] == nil {
		return connectors.Reply{}, x.refuse(fail(connectors.FaultMisset, "no connector of kind "+string(q.Source.Kind)))
	}
	if closed, ok := maintenance(q.Source.Maintenance, arrived); ok {
		return connectors.Reply{}, x.refuse(failAt(connectors.FaultMaintenance, "its maintenance window", closed.until))
	}
	if probe || q.Case == "" || q.Source.Kind == catalog.SourceAssist {
		return x.put(ctx)
	}
	return g.share(ctx, x)
}

// source gives the state that is kept of a question's source.
func (g *Guard) source(q connectors.Query) *source {
	g.mu.RLock()
	s := g.sources[q.Source.Code]
	g.mu.RUnlock()
	if s != nil {
		return s
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if s := g.sources[q.Source.Code]; s != nil {
		return s
	}
	s = newSource(q)
	g.sources[q.Source.Code] = s
	return s
}

// all gives every source that was asked so far, by code.
func (g *Guard) all() []*source {
	g.mu.RLock()
	defer g.mu.RUnlock()
	all := make([]*source, 0, len(g.sources))
	for _, s := range g.sources {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b *source) int { return cmp.Compare(a.code, b.code) })
	return all
}

func fail(kind connectors.FaultKind, reason string) *connectors.Fault {
	return &connectors.Fault{Kind: kind, Cause: errors.New(reason)}
}

// failAt is a fault after which asking again makes sense at a known time.
func failAt(kind connectors.FaultKind, reason string, at time.Time) *connectors.Fault {
	f := fail(kind, reason)
	f.RetryAt = at
	return f
}
