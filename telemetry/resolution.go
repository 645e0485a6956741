package telemetry

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/ledger"
)

// mostOneThings is how many one-things are counted by their code.
const mostOneThings = 200

// resolved counts what came of cases.
type resolved struct {
	oneThings   names
	resolutions *handles[resolutionLabels, prometheus.Counter]
	materials   *handles[materialLabels, prometheus.Counter]
}

type resolutionLabels struct{ oneThing, status, version string }

type materialLabels struct{ outcome, mode, reason string }

func newResolved(b *book) *resolved {
	resolutions := b.counters("mianti_resolutions_total", "Resolutions that were committed; version is first, or later for one that went on.", "one_thing", "status", "version")
	materials := b.counters("mianti_materials_total", "Materials of first versions, by outcome, the mode that settled them, and why.", "outcome", "mode", "reason")
	return &resolved{
		oneThings: names{most: mostOneThings},
		resolutions: newHandles(func(l resolutionLabels) prometheus.Counter {
			return resolutions.WithLabelValues(l.oneThing, l.status, l.version)
		}),
		materials: newHandles(func(l materialLabels) prometheus.Counter {
			return materials.WithLabelValues(l.outcome, l.mode, l.reason)
		}),
	}
}

// count counts a resolution that was committed. A later version has the materials of
// the first: they are counted once.
func (c *resolved) count(r *exchange.Resolution) {
	labels := resolutionLabels{oneThing: c.oneThings.bounded(r.OneThing), status: string(r.Status), version: "first"}
	if r.Version > 1 {
		labels.version = "later"
		c.resolutions.of(labels).Inc()
		return
	}
	c.resolutions.of(labels).Inc()
	for i := range r.Materials {
		m := &r.Materials[i]
		c.materials.of(materialLabels{string(m.Outcome), string(m.Mode), string(m.Reason.Code)}).Inc()
	}
}

// The steps at which a resolution waits for the database.
const (
	stepIntents    = "intents"
	stepResolution = "resolution"
	stepEntries    = "entries"
)

// commits measures how long callers wait until something is durable.
type commits struct {
	handles *handles[commitLabels, prometheus.Observer]
	batch   prometheus.Observer
	took    prometheus.Observer
	queue   prometheus.Gauge
	failed  prometheus.Counter
}

type commitLabels struct{ step, result string }

func newCommits(b *book) *commits {
	waited := b.histograms("mianti_commit_wait_seconds", "How long a caller waited until what it wrote was durable, by step and result.", durations(), "step", "result")
	return &commits{
		handles: newHandles(func(l commitLabels) prometheus.Observer { return waited.WithLabelValues(l.step, l.result) }),
		batch:   b.histogram("mianti_committer_batch_size", "How many callers one commit of the database served.", prometheus.ExponentialBuckets(1, 2, 9)),
		took:    b.histogram("mianti_committer_commit_duration_seconds", "How long one commit of the database took.", durations()),
		queue:   b.gauge("mianti_committer_queue_length", "How many callers waited when the last commit began."),
		failed:  b.counter("mianti_committer_failures_total", "Commits of the database that failed."),
	}
}

// Committed notes one commit of the committer.
func (m *Metrics) Committed(batch, queued int, took time.Duration, failed bool) {
	m.commits.batch.Observe(float64(batch))
	m.commits.took.Observe(took.Seconds())
	m.commits.queue.Set(float64(queued))
	if failed {
		m.commits.failed.Inc()
	}
}

// resultOf is what came of a write: what the caller is to blame for is no failure.
func resultOf(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, fault.Exhausted):
		return "quota"
	case errors.Is(err, fault.Conflict):
		return "conflict"
	default:
		return "failed"
	}
}

// refused counts what was not done because it would have been too much.
type refused struct {
	quotas *prometheus.CounterVec
	alarms *prometheus.CounterVec
}

func newRefused(b *book) *refused {
	return &refused{
		quotas: b.counters("mianti_quota_refusals_total", "Resolutions that a quota refused, by the code of the refusal.", "code"),
		alarms: b.counters("mianti_alarms_total", "New alarms of the safeguards, by kind and what they are about.", "kind", "of"),
	}
}

// Alarmed notes a new alarm.
func (m *Metrics) Alarmed(kind, of string) { m.refused.alarms.WithLabelValues(kind, of).Inc() }

// quota notes a refusal; codes of faults are constants of ours.
func (c *refused) quota(err error) {
	if f := fault.As(err); f != nil && errors.Is(err, fault.Exhausted) {
		c.quotas.WithLabelValues(f.Code).Inc()
	}
}

// journal is a journal that is watched.
type journal struct {
	exchange.Journal
	by *Observer
}

// Journal watches how long entries take to become durable.
func (o *Observer) Journal(j exchange.Journal) exchange.Journal { return &journal{j, o} }

// AppendIntents appends, and says how long it took.
func (j *journal) AppendIntents(ctx context.Context, intents []ledger.Entry, subjects []string) error {
	return j.by.committing(ctx, stepIntents, func(ctx context.Context) error { return j.Journal.AppendIntents(ctx, intents, subjects) })
}

// Append appends, and says how long it took.
func (j *journal) Append(ctx context.Context, entries []ledger.Entry) error {
	return j.by.committing(ctx, stepEntries, func(ctx context.Context) error { return j.Journal.Append(ctx, entries) })
}

// resolutions are watched resolutions.
type resolutions struct {
	exchange.Resolutions
	by *Observer
}

// Resolutions watches what is committed.
func (o *Observer) Resolutions(r exchange.Resolutions) exchange.Resolutions {
	return &resolutions{r, o}
}

// CommitResolution commits, and counts what was committed.
func (r *resolutions) CommitResolution(ctx context.Context, c exchange.Commit) error {
	err := r.by.committing(ctx, stepResolution, func(ctx context.Context) error { return r.Resolutions.CommitResolution(ctx, c) })
	if err == nil && r.by.metrics != nil {
		r.by.metrics.resolved.count(c.Resolution)
	}
	return err
}
