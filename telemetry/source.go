package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mianti/connectors/guard"
)

// mostSources is how many sources are counted by their code.
const mostSources = 1000

// asked counts the calls to sources.
type asked struct {
	sources  names
	calls    *handles[callLabels, callHandles]
	warnings *prometheus.CounterVec
}

type callLabels struct{ source, department, try, result string }

type callHandles struct {
	count prometheus.Counter
	took  prometheus.Observer // nil where the source was not called
}

// What was tried of a source.
const (
	tryFirst   = "first"
	tryAgain   = "again"
	tryHedge   = "hedge"
	tryProbe   = "probe"
	tryShared  = "shared"  // answered by the call of another question
	tryRefused = "refused" // not called: paused, busy, in maintenance
)

func newAsked(b *book) *asked {
	calls := b.counters("mianti_source_calls_total", "Calls to sources and questions that were not put, by what was tried and what came of it.", "source", "department", "try", "result")
	took := b.histograms("mianti_source_call_duration_seconds", "How long a source took to answer a call.",
		[]float64{.005, .01, .025, .05, .1, .25, .5, 1, 2, 3, 5, 10}, "source", "department")
	return &asked{
		sources:  names{most: mostSources},
		warnings: b.counters("mianti_source_warnings_total", "Remarks on answers of sources, such as clock_skew, by code.", "source", "warning"),
		calls: newHandles(func(l callLabels) callHandles {
			h := callHandles{count: calls.WithLabelValues(l.source, l.department, l.try, l.result)}
			if l.try != tryShared && l.try != tryRefused {
				h.took = took.WithLabelValues(l.source, l.department)
			}
			return h
		}),
	}
}

func (a *asked) count(c guard.Call) {
	source := a.sources.bounded(c.Source)
	h := a.calls.of(callLabels{source, c.Department, tried(&c), c.Result})
	h.count.Inc()
	if h.took != nil {
		h.took.Observe(c.Back.Sub(c.Out).Seconds())
	}
	for _, warning := range c.Warnings {
		a.warnings.WithLabelValues(source, warning).Inc()
	}
}

func tried(c *guard.Call) string {
	switch {
	case c.Coalesced:
		return tryShared
	case c.Out.IsZero():
		return tryRefused
	case c.Probe:
		return tryProbe
	case c.Hedged:
		return tryHedge
	case c.Attempt > 1:
		return tryAgain
	default:
		return tryFirst
	}
}

// Sources gives how every source is.
type Sources interface {
	Health() []guard.Health
	// Lost is how many calls could not be recorded.
	Lost() int64
}

// states are all that a source can be in.
func states() []guard.State {
	return []guard.State{guard.StateUnknown, guard.StateWell, guard.StateIll, guard.StatePaused, guard.StateMaintenance}
}

// sourceHealth tells at each scrape how sources are.
type sourceHealth struct {
	sources                      Sources
	state, since, success, stuck *prometheus.Desc
	lost                         *prometheus.Desc
}

// WatchSources has scrapes tell how sources are.
func (m *Metrics) WatchSources(s Sources) {
	b := m.book
	m.book.registry.MustRegister(&sourceHealth{
		sources: s,
		state: b.desc(KindGauge, "mianti_source_state", "1 for the state that a source is in: unknown, well, ill, paused (its breaker is open) or maintenance.",
			"source", "department", "state"),
		since:   b.desc(KindGauge, "mianti_source_state_since_timestamp_seconds", "Since when it is in that state.", "source", "department"),
		success: b.desc(KindGauge, "mianti_source_last_success_timestamp_seconds", "When it answered last.", "source", "department"),
		stuck:   b.desc(KindGauge, "mianti_source_stuck_calls", "Calls that did not end at their deadline and still have not.", "source", "department"),
		lost:    b.desc(KindCounter, "mianti_source_calls_unrecorded_total", "Calls to sources that could not be recorded for the figures."),
	})
}

// Describe names the metrics.
func (h *sourceHealth) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{h.state, h.since, h.success, h.stuck, h.lost} {
		to <- d
	}
}

// Collect gives their values.
func (h *sourceHealth) Collect(to chan<- prometheus.Metric) {
	health := h.sources.Health()
	for _, s := range health[:min(len(health), mostSources)] {
		for _, state := range states() {
			to <- gauge(h.state, truth(s.State == state), s.Source, s.Department, string(state))
		}
		moment(to, h.since, s.Since, s.Source, s.Department)
		moment(to, h.success, s.LastSuccess, s.Source, s.Department)
		to <- gauge(h.stuck, float64(s.Stuck), s.Source, s.Department)
	}
	to <- prometheus.MustNewConstMetric(h.lost, prometheus.CounterValue, float64(h.sources.Lost()))
}

func gauge(d *prometheus.Desc, value float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
}

// moment tells a moment; one that never came is not told.
func moment(to chan<- prometheus.Metric, d *prometheus.Desc, at time.Time, labels ...string) {
	if !at.IsZero() {
		to <- gauge(d, seconds(at), labels...)
	}
}

func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
