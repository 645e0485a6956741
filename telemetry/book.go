package telemetry

import "github.com/prometheus/client_golang/prometheus"

// Kind is what a metric is.
type Kind string

// The kinds. A counter only grows, until its node starts anew.
const (
	KindCounter   Kind = "counter"
	KindGauge     Kind = "gauge"
	KindHistogram Kind = "histogram"
)

// Described is a metric as docs/observe.md lists it.
type Described struct {
	Name   string
	Kind   Kind
	Help   string
	Labels []string
}

// book registers metrics, and remembers what it has registered: Prometheus tells of a
// metric with labels only what has been counted.
type book struct {
	registry *prometheus.Registry
	listed   []Described
}

func (b *book) list(kind Kind, name, help string, labels []string) {
	b.listed = append(b.listed, Described{Name: name, Kind: kind, Help: help, Labels: labels})
}

func (b *book) counters(name, help string, labels ...string) *prometheus.CounterVec {
	b.list(KindCounter, name, help, labels)
	v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	b.registry.MustRegister(v)
	return v
}

func (b *book) counter(name, help string) prometheus.Counter {
	return b.counters(name, help).WithLabelValues()
}

func (b *book) gauges(name, help string, labels ...string) *prometheus.GaugeVec {
	b.list(KindGauge, name, help, labels)
	v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
	b.registry.MustRegister(v)
	return v
}

func (b *book) gauge(name, help string) prometheus.Gauge {
	return b.gauges(name, help).WithLabelValues()
}

func (b *book) histograms(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	b.list(KindHistogram, name, help, labels)
	v := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
	b.registry.MustRegister(v)
	return v
}

func (b *book) histogram(name, help string, buckets []float64) prometheus.Observer {
	return b.histograms(name, help, buckets).WithLabelValues()
}

// asked is a gauge that is asked at each scrape.
func (b *book) asked(name, help string, value func() float64) {
	b.list(KindGauge, name, help, nil)
	b.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
}

// desc describes a metric that is told at a scrape.
func (b *book) desc(kind Kind, name, help string, labels ...string) *prometheus.Desc {
	b.list(kind, name, help, labels)
	return prometheus.NewDesc(name, help, labels, nil)
}

// durations are the bounds in which durations are counted, in seconds: close where
// targets lie, and up to the longest deadline.
func durations() []float64 {
	return []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 45}
}
