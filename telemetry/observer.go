package telemetry

import (
	"context"
	"net/http"
	"time"

	"mianti/connectors"
	"mianti/connectors/guard"
	"mianti/internal/jobs"
)

// Observer stands where something happens: it counts it, follows it, or both.
type Observer struct {
	metrics *Metrics // nil counts nothing
	tracer  *Tracer  // nil follows nothing
	now     func() time.Time
}

// NewObserver returns an Observer; it MUST be given one of the two.
func NewObserver(m *Metrics, t *Tracer, now func() time.Time) *Observer {
	return &Observer{metrics: m, tracer: t, now: now}
}

// Begin notes that a request is being answered, and gives the context that it has from
// here on. The route is a pattern of ours, or "none".
func (o *Observer) Begin(r *http.Request, route string) context.Context {
	if o.metrics != nil {
		o.metrics.Began()
	}
	if o.tracer == nil {
		return r.Context()
	}
	return o.tracer.request(r, route)
}

// End notes what came of it.
func (o *Observer) End(ctx context.Context, route, method string, status int, took time.Duration) {
	if o.metrics != nil {
		o.metrics.Answered(route, method, status, took)
	}
	if o.tracer != nil {
		o.tracer.answered(ctx, method, status)
	}
}

// committing does a write at a step of a resolution.
func (o *Observer) committing(ctx context.Context, step string, do func(context.Context) error) error {
	ctx, end := o.tracer.step(ctx, "commit "+step)
	begun := o.now()
	err := do(ctx)
	result := resultOf(err)
	end(result)
	if o.metrics != nil {
		o.metrics.commits.handles.of(commitLabels{step, result}).Observe(o.now().Sub(begun).Seconds())
		if err != nil {
			o.metrics.refused.quota(err)
		}
	}
	return err
}

// Called notes a call to a source, or why there was none.
func (o *Observer) Called(c guard.Call) {
	if o.metrics != nil {
		o.metrics.asked.count(c)
	}
}

// Sources follows the questions that are put to sources, with their waiting.
func (o *Observer) Sources(next connectors.Connector) connectors.Connector {
	if o.tracer == nil {
		return next
	}
	return &question{next: next, tracer: o.tracer}
}

// Handlers counts and follows jobs.
func (o *Observer) Handlers(all map[string]jobs.Handler) map[string]jobs.Handler {
	out := make(map[string]jobs.Handler, len(all))
	for kind, handle := range all {
		out[kind] = o.handler(kind, handle)
	}
	return out
}

func (o *Observer) handler(kind string, handle jobs.Handler) jobs.Handler {
	return func(ctx context.Context, j jobs.Job) error {
		ctx, end := o.tracer.root(ctx, "job "+kind)
		begun := o.now()
		err := handle(ctx, j)
		result := "ok"
		if err != nil {
			result = "failed"
		}
		end(result)
		if o.metrics != nil {
			o.metrics.jobs.WithLabelValues(kind, result).Observe(o.now().Sub(begun).Seconds())
		}
		return err
	}
}
