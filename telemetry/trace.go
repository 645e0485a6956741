package telemetry

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"mianti/catalog"
	"mianti/connectors"
)

// Tracer follows requests to sources and to the database. A nil Tracer follows nothing,
// at the cost of one comparison. It is safe for concurrent use.
type Tracer struct {
	tracer   trace.Tracer
	provider *sdktrace.TracerProvider
	carrier  propagation.TraceContext
}

// Tracing says where spans go.
type Tracing struct {
	// URL is where spans are sent to as OTLP over HTTP; without a path, to /v1/traces.
	URL string
	// Ratio is which part of the traces is recorded, from 0 to 1. The same trace is, or
	// is not, on every node.
	Ratio   float64
	Version string
	// Failed is told when spans begin to be lost, and with nil when they no longer are.
	Failed func(error)
}

// NewTracer returns a Tracer that sends to a collector. It connects to nothing yet.
func NewTracer(ctx context.Context, c Tracing) (*Tracer, error) {
	to, err := url.Parse(c.URL)
	if err != nil || to.Host == "" || (to.Scheme != "http" && to.Scheme != "https") || to.User != nil {
		return nil, errors.New("want an http or https address without a password, such as http://127.0.0.1:4318")
	}
	if c.Ratio < 0 || c.Ratio > 1 {
		return nil, errors.New("want a ratio from 0 to 1")
	}
	if strings.Trim(to.Path, "/") == "" {
		to.Path = "/v1/traces"
	}
	exporter, err := otlptrace.New(ctx, newCollector(to.String(), c.Failed))
	if err != nil {
		return nil, err
	}
	return NewTracerTo(exporter, c.Ratio, c.Version), nil
}

// NewTracerTo returns a Tracer that hands its spans to an exporter.
func NewTracerTo(exporter sdktrace.SpanExporter, ratio float64, version string) *Tracer {
	byTrace := sdktrace.TraceIDRatioBased(ratio)
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(exporter), // bounded: what does not fit is dropped, nobody waits
		sdktrace.WithResource(resource.NewSchemaless(attribute.String("service.name", "mianti"), attribute.String("service.version", version))),
		// A caller can say that his trace is not to be recorded. That it is to be is ours
		// to decide: he could have everything recorded.
		sdktrace.WithSampler(sdktrace.ParentBased(byTrace, sdktrace.WithRemoteParentSampled(byTrace))),
	)
	return &Tracer{tracer: provider.Tracer("mianti"), provider: provider}
}

// Close sends what waits, and ends.
func (t *Tracer) Close(ctx context.Context) error {
	if t == nil {
		return nil
	}
	return t.provider.Shutdown(ctx)
}

// Flush sends what waits.
func (t *Tracer) Flush(ctx context.Context) error { return t.provider.ForceFlush(ctx) }

// TraceID gives the trace that ctx belongs to; "" for none.
func TraceID(ctx context.Context) string {
	of := trace.SpanContextFromContext(ctx)
	if !of.HasTraceID() {
		return ""
	}
	return of.TraceID().String()
}

// request begins the span of a request, in the trace of whoever sent it. Of what he says
// of it the identifier alone is taken: the rest (tracestate, baggage) could hold anything.
func (t *Tracer) request(r *http.Request, route string) context.Context {
	ctx := r.Context()
	if r.Header.Get("Traceparent") != "" {
		of := trace.SpanContextFromContext(t.carrier.Extract(ctx, propagation.HeaderCarrier(r.Header)))
		ctx = trace.ContextWithRemoteSpanContext(ctx, of.WithTraceState(trace.TraceState{}))
	}
	ctx, _ = t.tracer.Start(ctx, route, trace.WithSpanKind(trace.SpanKindServer))
	return ctx
}

func (t *Tracer) answered(ctx context.Context, method string, status int) {
	span := trace.SpanFromContext(ctx)
	if span.IsRecording() {
		span.SetAttributes(attribute.String("http.request.method", method), attribute.Int("http.response.status_code", status))
		if status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, "")
		}
	}
	span.End()
}

// step follows a step of what is under way; the function ends it with a result.
func (t *Tracer) step(ctx context.Context, name string) (context.Context, func(result string)) {
	if t == nil {
		return ctx, func(string) {}
	}
	ctx, span := t.tracer.Start(ctx, name)
	return ctx, func(result string) { endWith(span, result, result == "failed") }
}

// root follows what nobody waits for.
func (t *Tracer) root(ctx context.Context, name string) (context.Context, func(result string)) {
	return t.step(trace.ContextWithSpanContext(ctx, trace.SpanContext{}), name)
}

// endWith ends a span with its result, which is a word of ours: the text of an error
// does not go into one.
func endWith(span trace.Span, result string, failed bool) {
	if span.IsRecording() {
		span.SetAttributes(attribute.String("result", result))
		if failed {
			span.SetStatus(codes.Error, result)
		}
	}
	span.End()
}

// question follows a question from when it is put to the guard.
type question struct {
	next   connectors.Connector
	tracer *Tracer
}

// Ask asks.
func (q *question) Ask(ctx context.Context, query connectors.Query) (connectors.Reply, error) {
	return q.tracer.ask(ctx, "question", trace.SpanKindInternal, q.next, query)
}

// call follows a call to a source.
type call struct {
	next   connectors.Connector
	tracer *Tracer
}

// Ask asks.
func (c *call) Ask(ctx context.Context, query connectors.Query) (connectors.Reply, error) {
	return c.tracer.ask(ctx, "call", trace.SpanKindClient, c.next, query)
}

// Connectors follows each call of these connectors: a question may lead to several.
func (o *Observer) Connectors(all map[catalog.SourceKind]connectors.Connector) map[catalog.SourceKind]connectors.Connector {
	if o.tracer == nil {
		return all
	}
	out := make(map[catalog.SourceKind]connectors.Connector, len(all))
	for kind, next := range all {
		out[kind] = &call{next, o.tracer}
	}
	return out
}

func (t *Tracer) ask(ctx context.Context, what string, kind trace.SpanKind, next connectors.Connector, q connectors.Query) (connectors.Reply, error) {
	name := what
	if q.Source != nil {
		name += " " + q.Source.Code
	}
	ctx, span := t.tracer.Start(ctx, name, trace.WithSpanKind(kind))
	if span.IsRecording() && q.Source != nil && q.Dataset != nil {
		span.SetAttributes(attribute.String("source", q.Source.Code), attribute.String("kind", string(q.Source.Kind)),
			attribute.String("dataset", q.Dataset.Code), attribute.String("department", q.Dataset.Department))
	}
	reply, err := next.Ask(ctx, q)
	result, failed := answerOf(reply, err)
	endWith(span, result, failed)
	return reply, err
}

// answerOf names what came of a question. That an officer has been asked is no failure.
func answerOf(reply connectors.Reply, err error) (result string, failed bool) {
	switch kind := connectors.KindOf(err); {
	case err != nil:
		return string(kind), kind != connectors.FaultPending
	case len(reply.Records) == 0:
		return "not_found", false
	default:
		return "ok", false
	}
}

// Carry writes the trace of ctx into the headers of a request that goes out. Without a
// trace it writes nothing.
func (o *Observer) Carry(ctx context.Context, h http.Header) {
	if o.tracer != nil {
		o.tracer.carrier.Inject(ctx, propagation.HeaderCarrier(h))
	}
}
