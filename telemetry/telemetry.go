// Package telemetry is what an operator sees of a running exchange: metrics for
// Prometheus, traces for OpenTelemetry, and the trace in the lines of the log.
//
// It stands around the exchange and inside nothing: it implements the interfaces that
// the packages declare for it, and wraps those by which they reach each other. No label
// and no attribute is about a person or a case: departments, sources, datasets, one-things,
// routes and results are what it knows, each of a bounded number.
package telemetry

import (
	"context"
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Program says which program runs.
type Program struct{ Version, Go, Ruleset string }

// Metrics are the metrics of one node. They are safe for concurrent use.
type Metrics struct {
	book     *book
	requests *requests
	resolved *resolved
	asked    *asked
	commits  *commits
	refused  *refused
	jobs     *prometheus.HistogramVec
	expiries *prometheus.GaugeVec
	now      func() time.Time
}

// New returns metrics that have counted nothing yet.
func New(p Program, now func() time.Time) *Metrics {
	b := &book{registry: prometheus.NewRegistry()}
	b.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m := &Metrics{book: b, now: now}
	m.requests, m.resolved, m.asked, m.commits, m.refused = newRequests(b), newResolved(b), newAsked(b), newCommits(b), newRefused(b)
	m.jobs = b.histograms("mianti_job_duration_seconds", "How long jobs of this node ran, by kind and result.", []float64{.01, .05, .1, .5, 1, 5, 10, 60, 300}, "kind", "result")
	m.expiries = b.gauges("mianti_expiry_timestamp_seconds", "When something ends that has to be renewed before, in seconds since 1970.", "what", "department")
	info := b.gauges("mianti_build_info", "Which program runs; always 1.", "version", "go", "ruleset")
	info.WithLabelValues(p.Version, p.Go, p.Ruleset).Set(1)
	return m
}

// Expires notes when something ends that has to be renewed before, such as
// "tls_certificate"; a zero time forgets it.
func (m *Metrics) Expires(what, department string, at time.Time) {
	if at.IsZero() {
		m.expiries.DeleteLabelValues(what, department)
		return
	}
	m.expiries.WithLabelValues(what, department).Set(seconds(at))
}

// WatchDisk has scrapes tell what is free where this node keeps files.
func (m *Metrics) WatchDisk(free func() (uint64, error)) {
	m.book.asked("mianti_disk_free_bytes", "What this node may still write where it keeps its files.", func() float64 {
		free, err := free()
		if err != nil {
			return math.NaN()
		}
		return float64(free)
	})
}

// WatchReady has scrapes tell which parts of the node work; see /readyz.
func (m *Metrics) WatchReady(parts func(context.Context) map[string]bool) {
	m.book.registry.MustRegister(&ready{parts: parts, about: m.book.desc(KindGauge, "mianti_ready", "1 when a part of the node works, as /readyz says it.", "part")})
}

// ready tells at a scrape what works.
type ready struct {
	parts func(context.Context) map[string]bool
	about *prometheus.Desc
}

// Describe names the metric.
func (r *ready) Describe(to chan<- *prometheus.Desc) { to <- r.about }

// Collect gives its values.
func (r *ready) Collect(to chan<- prometheus.Metric) {
	ctx, stop := context.WithTimeout(context.Background(), surveyTimeout)
	defer stop()
	for part, works := range r.parts(ctx) {
		to <- gauge(r.about, truth(works), part)
	}
}

const (
	// scrapesAtOnce bounds what scrapes cost, whoever asks.
	scrapesAtOnce = 2
	scrapeTimeout = 8 * time.Second
)

// Handler answers at /metrics, and nowhere else. It is for a listener of its own: what
// it says is for operators.
func (m *Metrics) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.book.registry, promhttp.HandlerOpts{
		MaxRequestsInFlight: scrapesAtOnce, Timeout: scrapeTimeout, ErrorHandling: promhttp.ContinueOnError, Registry: m.book.registry,
	}))
	return mux
}

// Listed gives what is registered besides what the Go library tells of the process, in
// the order of its kind of thing.
func (m *Metrics) Listed() []Described { return slices.Clone(m.book.listed) }

// seconds is a moment as Prometheus wants it.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
