package telemetry

import "github.com/prometheus/client_golang/prometheus"

// Admission is how the gate before all requests does with one class of them.
type Admission struct {
	Class string
	// Active are being answered, Away wait for departments meanwhile, Waiting have not
	// been let in yet.
	Active, Away, Waiting int
	// Admitted and Refused count since the start.
	Admitted, Refused uint64
	Overloaded        bool
}

// admission tells at a scrape how the gate does.
type admission struct {
	look                                       func() []Admission
	active, away, waiting, decided, overloaded *prometheus.Desc
}

// WatchAdmission has scrapes tell how the gate before all requests does. What it refuses
// is not among the requests that were answered.
func (m *Metrics) WatchAdmission(look func() []Admission) {
	b := m.book
	b.registry.MustRegister(&admission{
		look:       look,
		active:     b.desc(KindGauge, "mianti_admission_active", "Requests that the gate has let in and that are being answered.", "class"),
		away:       b.desc(KindGauge, "mianti_admission_away", "Requests that wait for departments meanwhile.", "class"),
		waiting:    b.desc(KindGauge, "mianti_admission_waiting", "Requests that wait to be let in.", "class"),
		decided:    b.desc(KindCounter, "mianti_admission_decisions_total", "Requests that were admitted or refused (503 with Retry-After).", "class", "decision"),
		overloaded: b.desc(KindGauge, "mianti_admission_overloaded", "1 while requests of a class are refused.", "class"),
	})
}

// Describe names the metrics.
func (a *admission) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{a.active, a.away, a.waiting, a.decided, a.overloaded} {
		to <- d
	}
}

// Collect gives their values.
func (a *admission) Collect(to chan<- prometheus.Metric) {
	for _, c := range a.look() {
		to <- gauge(a.active, float64(c.Active), c.Class)
		to <- gauge(a.away, float64(c.Away), c.Class)
		to <- gauge(a.waiting, float64(c.Waiting), c.Class)
		to <- gauge(a.overloaded, truth(c.Overloaded), c.Class)
		to <- prometheus.MustNewConstMetric(a.decided, prometheus.CounterValue, float64(c.Admitted), c.Class, "admitted")
		to <- prometheus.MustNewConstMetric(a.decided, prometheus.CounterValue, float64(c.Refused), c.Class, "refused")
	}
}
