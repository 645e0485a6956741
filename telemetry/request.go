package telemetry

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// requests counts what was asked of this node over HTTP.
type requests struct {
	under   prometheus.Gauge
	handles *handles[requestLabels, requestHandles]
}

// requestLabels are bounded by what there are routes for, and by the statuses that a
// program answers with.
type requestLabels struct {
	route, method string
	status        int
}

type requestHandles struct {
	count prometheus.Counter
	took  prometheus.Observer
}

func newRequests(b *book) *requests {
	under := b.gauge("mianti_requests_in_flight", "Requests that are being answered.")
	count := b.counters("mianti_requests_total", "Requests that were answered, by route.", "route", "method", "status")
	took := b.histograms("mianti_request_duration_seconds", "How long answering took, by route and class of status.", durations(), "route", "class")
	return &requests{under: under, handles: newHandles(func(l requestLabels) requestHandles {
		return requestHandles{
			count: count.WithLabelValues(l.route, l.method, strconv.Itoa(l.status)),
			took:  took.WithLabelValues(l.route, classOf(l.status)),
		}
	})}
}

// classOf is what a status means for whoever watches: 5xx is ours.
func classOf(status int) string {
	if status < 100 || status > 599 {
		return other
	}
	return strconv.Itoa(status/100) + "xx"
}

// Began notes that a request is being answered.
func (m *Metrics) Began() { m.requests.under.Inc() }

// Answered notes what came of it. The route is a pattern of ours, such as
// "/v1/cases/:id", and never an address.
func (m *Metrics) Answered(route, method string, status int, took time.Duration) {
	m.requests.under.Dec()
	h := m.requests.handles.of(requestLabels{route, method, status})
	h.count.Inc()
	h.took.Observe(took.Seconds())
}
