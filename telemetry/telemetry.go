// Package telemetry is what an operator sees of a running exchange: metrics for
// Prometheus, traces for OpenTelemetry, and the trace in the lines of the log.
//
// It stands around the exchange and inside nothing: it implements the interfaces that
// the packages declare for it, and wraps those by which they reach each other. No label
// and no attribute is about a person or a case: departments, sources, datasets, one-things,
// routes and results are what it knows, each of a bounded number.
package telemetry

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Build says which program runs.
type Build struct{ Version, Go, Ruleset string }

// Metrics are the metrics of one node. They are safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry
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
func New(b Build, now func() time.Time) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), now: now}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.requests, m.resolved, m.asked = newRequests(m.registry), newResolved(m.registry), newAsked(m.registry)
	m.commits, m.refused = newCommits(m.registry), newRefused(m.registry)
	m.jobs = histograms(m.registry, "mianti_job_duration_seconds", "How long jobs of this node ran, by kind and result.", []float64{.01, .05, .1, .5, 1, 5, 10, 60, 300}, "kind", "result")
	m.expiries = gauges(m.registry, "mianti_expiry_timestamp_seconds", "When something ends that has to be renewed before, in seconds since 1970.", "what", "department")
	info := gauges(m.registry, "mianti_build_info", "Which program runs; always 1.", "version", "go", "ruleset")
	info.WithLabelValues(b.Version, b.Go, b.Ruleset).Set(1)
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

// WatchBackup has scrapes tell when the last good backup ended; a zero time for none.
func (m *Metrics) WatchBackup(at func() time.Time) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "mianti_backup_timestamp_seconds", Help: "When the last good backup ended; 0 when there is none.",
	}, func() float64 {
		when := at()
		if when.IsZero() {
			return 0
		}
		return seconds(when)
	}))
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
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		MaxRequestsInFlight: scrapesAtOnce, Timeout: scrapeTimeout, ErrorHandling: promhttp.ContinueOnError, Registry: m.registry,
	}))
	return mux
}

// Gatherer gives what is registered, for tests and for the table in docs/observe.md.
func (m *Metrics) Gatherer() prometheus.Gatherer { return m.registry }

// seconds is a moment as Prometheus wants it.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func counters(r prometheus.Registerer, name, help string, labels ...string) *prometheus.CounterVec {
	v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	r.MustRegister(v)
	return v
}

func gauges(r prometheus.Registerer, name, help string, labels ...string) *prometheus.GaugeVec {
	v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
	r.MustRegister(v)
	return v
}

func histograms(r prometheus.Registerer, name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	v := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
	r.MustRegister(v)
	return v
}

// durations are the bounds in which durations are counted, in seconds: close where
// targets lie, and up to the longest deadline.
func durations() []float64 {
	return []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 45}
}
