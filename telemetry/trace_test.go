package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/exchange"
	"mianti/internal/jobs"
	"mianti/telemetry"
)

const (
	canaryNumber = "370199198805163315"
	canaryName   = "王建国"
	theirTrace   = "4bf92f3577b34da6a3ce929d0e0e4736"
)

// followed gives an observer whose spans are kept.
func followed(ratio float64) (*telemetry.Observer, *telemetry.Tracer, *tracetest.InMemoryExporter) {
	spans := tracetest.NewInMemoryExporter()
	tracer := telemetry.NewTracerTo(spans, ratio, "v1")
	return telemetry.NewObserver(nil, tracer, time.Now), tracer, spans
}

// asker is a connector that answers, and keeps the headers that go with a question.
type asker struct {
	carry func(context.Context, http.Header)
	sent  http.Header
	err   error
}

func (a *asker) Ask(ctx context.Context, _ connectors.Query) (connectors.Reply, error) {
	a.sent = http.Header{}
	a.carry(ctx, a.sent)
	if a.err != nil {
		return connectors.Reply{}, a.err
	}
	return connectors.Reply{Records: []connectors.Record{{Subject: connectors.Subject{Name: canaryName, Number: canaryNumber}}}}, nil
}

func query() connectors.Query {
	return connectors.Query{
		ID: "q1", Dataset: &catalog.Dataset{Code: "GA.household", Name: canaryName, Department: "GA"}, Source: &catalog.Source{Code: "ga.rest", Kind: catalog.SourceHTTPJSON},
		Subject: connectors.Subject{Kind: catalog.KindPerson, Name: canaryName, Number: canaryNumber}, Purpose: canaryName, Case: canaryNumber, CaseNumber: canaryNumber,
	}
}

// TestTracer_FollowsARequestToEachSourceAndToTheCommit: one trace, the caller's; a span
// for the request, for each question and call, and for each commit; and nothing of whom
// it was about, whatever a caller puts into the headers of a trace.
func TestTracer_FollowsARequestToEachSourceAndToTheCommit(t *testing.T) {
	t.Parallel()
	o, tracer, spans := followed(1)
	a := &asker{carry: o.Carry}
	calls := o.Connectors(map[catalog.SourceKind]connectors.Connector{catalog.SourceHTTPJSON: a})
	questions := o.Sources(calls[catalog.SourceHTTPJSON])
	r := httptest.NewRequest(http.MethodPost, "/v1/cases/"+canaryNumber+"/resolutions?name="+canaryName, nil)
	r.Header.Set("Traceparent", "00-"+theirTrace+"-00f067aa0ba902b7-01")
	r.Header.Set("Tracestate", "who="+canaryNumber)
	r.Header.Set("Baggage", "number="+canaryNumber)
	ctx := o.Begin(r, "/v1/cases/:id/resolutions")
	if _, err := questions.Ask(ctx, query()); err != nil {
		t.Fatal(err)
	}
	if parent := a.sent.Get("Traceparent"); !strings.Contains(parent, theirTrace) || len(a.sent) != 1 {
		t.Errorf("sent %v to the source, want the caller's trace and nothing else", a.sent)
	}
	a.err = &connectors.Fault{Kind: connectors.FaultDown, Cause: errors.New(canaryNumber)}
	if _, err := questions.Ask(ctx, query()); !errors.Is(err, a.err) {
		t.Errorf("got %v, want the connector's error", err)
	}
	k := &kept{}
	if err := o.Journal(k).AppendIntents(ctx, nil, nil); err != nil {
		t.Fatal(err)
	}
	k.err = errors.New(canaryNumber)
	if o.Resolutions(k).CommitResolution(ctx, exchange.Commit{}) == nil {
		t.Error("a failure was lost")
	}
	o.End(ctx, "/v1/cases/:id/resolutions", "POST", 503, time.Second)
	flush(t, tracer)
	wantSpans(t, spans.GetSpans(), map[string]string{
		"/v1/cases/:id/resolutions": "Error", "question ga.rest": "Unset Error", "call ga.rest": "Unset Error", "commit intents": "Unset", "commit resolution": "Error",
	})
}

func flush(t *testing.T, tracer *telemetry.Tracer) {
	t.Helper()
	if err := tracer.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// wantSpans asks for these spans with their statuses, all of the caller's trace, and for
// nothing in them that is personal.
func wantSpans(t *testing.T, got tracetest.SpanStubs, want map[string]string) {
	t.Helper()
	statuses := map[string]string{}
	for _, span := range got {
		statuses[span.Name] = strings.TrimSpace(statuses[span.Name] + " " + span.Status.Code.String())
		if span.SpanContext.TraceID().String() != theirTrace {
			t.Errorf("%s: trace %s, want the caller's", span.Name, span.SpanContext.TraceID())
		}
		text, err := json.Marshal(span)
		if err != nil {
			t.Fatal(err)
		}
		if s := string(text); strings.Contains(s, canaryNumber) || strings.Contains(s, canaryName) {
			t.Errorf("%s holds personal data: %s", span.Name, s)
		}
	}
	for name, status := range want {
		if statuses[name] != status {
			t.Errorf("%s: %q, want %q", name, statuses[name], status)
		}
		delete(statuses, name)
	}
	for name := range statuses {
		t.Errorf("nobody wants the span %s", name)
	}
}

// TestTracer_KeepsThePanicOut: a span that ends while a panic goes by would tell what was
// panicked with.
func TestTracer_KeepsThePanicOut(t *testing.T) {
	t.Parallel()
	o, tracer, spans := followed(1)
	func() {
		defer func() { _ = recover() }()
		ctx := o.Begin(httptest.NewRequest(http.MethodGet, "/", nil), "/")
		defer func() { o.End(ctx, "/", "GET", 500, time.Second) }()
		panic(canaryName + canaryNumber)
	}()
	flush(t, tracer)
	text, err := json.Marshal(spans.GetSpans())
	if err != nil || len(spans.GetSpans()) != 1 || strings.Contains(string(text), canaryNumber) {
		t.Errorf("%s %v, want one span without what was panicked with", text, err)
	}
}

// TestTracer_LetsNobodyHaveItselfRecorded: what part of the traces is recorded is ours to
// say; that his is not to be, the caller's.
func TestTracer_LetsNobodyHaveItselfRecorded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		ratio float64
		flags string
		want  int
	}{{0, "01", 0}, {0, "00", 0}, {1, "00", 0}, {1, "01", 1}} {
		o, tracer, spans := followed(c.ratio)
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Traceparent", "00-"+theirTrace+"-00f067aa0ba902b7-"+c.flags)
		o.End(o.Begin(r, "/"), "/", "GET", 200, 0)
		flush(t, tracer)
		if got := len(spans.GetSpans()); got != c.want {
			t.Errorf("ratio %v, flags %s: %d spans, want %d", c.ratio, c.flags, got, c.want)
		}
	}
}

func TestTracer_BeginsATraceForAJob(t *testing.T) {
	t.Parallel()
	o, tracer, spans := followed(1)
	handlers := o.Handlers(map[string]jobs.Handler{"continue": func(context.Context, jobs.Job) error { return errors.New(canaryNumber) }})
	if handlers["continue"](t.Context(), jobs.Job{Payload: canaryNumber}) == nil {
		t.Error("a failure was lost")
	}
	flush(t, tracer)
	got := spans.GetSpans()
	if len(got) != 1 || got[0].Name != "job continue" || got[0].Parent.IsValid() || got[0].Status.Code.String() != "Error" {
		t.Errorf("%+v, want one span of its own that failed", got)
	}
}

// collecting is a collector that takes what comes, or does not.
type collecting struct {
	mu       sync.Mutex
	statuses []int
	spans    []string
	raw      bytes.Buffer
}

func (c *collecting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var sent tracepb.TracesData
	if err != nil || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/x-protobuf" || proto.Unmarshal(body, &sent) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.raw.Write(body)
	status := http.StatusOK
	if len(c.statuses) > 0 {
		status, c.statuses = c.statuses[0], c.statuses[1:]
	}
	w.WriteHeader(status)
	for _, of := range sent.ResourceSpans {
		for _, scope := range of.ScopeSpans {
			for _, span := range scope.Spans {
				c.spans = append(c.spans, span.Name)
			}
		}
	}
}

func TestNewTracer_SendsToACollectorAndSaysOnceThatItCannot(t *testing.T) {
	t.Parallel()
	c := &collecting{statuses: []int{503, 503, 200, 200}}
	server := httptest.NewServer(c)
	defer server.Close()
	var told []error
	tracer, err := telemetry.NewTracer(t.Context(), telemetry.Tracing{URL: server.URL, Ratio: 1, Version: "v1", Failed: func(err error) { told = append(told, err) }})
	if err != nil {
		t.Fatal(err)
	}
	o := telemetry.NewObserver(nil, tracer, time.Now)
	for range 4 {
		o.End(o.Begin(httptest.NewRequest(http.MethodGet, "/", nil), "/somewhere"), "/somewhere", "GET", 200, 0)
		flush(t, tracer)
	}
	if err := tracer.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(c.spans) != 4 || c.spans[0] != "/somewhere" {
		t.Errorf("the collector got %v, want four spans", c.spans)
	}
	if len(told) != 2 || told[0] == nil || told[1] != nil {
		t.Errorf("told %v, want one failure and its end", told)
	}
}

func TestNewTracer_RefusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	for _, c := range []telemetry.Tracing{{URL: "collector:4318"}, {URL: "ftp://collector"}, {URL: "http://user:secret@collector"}, {URL: "http://collector", Ratio: 2}, {URL: "http://collector", Ratio: -1}} {
		if _, err := telemetry.NewTracer(t.Context(), c); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%+v: %v, want it refused, and no password", c, err)
		}
	}
}

func TestTraceLines_NameTheTrace(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := slog.New(telemetry.TraceLines(slog.NewJSONHandler(&out, nil))).With("node", "a")
	log.InfoContext(t.Context(), "outside")
	o, _, _ := followed(1)
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Traceparent", "00-"+theirTrace+"-00f067aa0ba902b7-01")
	log.InfoContext(o.Begin(r, "/"), "inside")
	outside, inside, _ := strings.Cut(out.String(), "\n")
	if strings.Contains(outside, "trace_id") || !strings.Contains(inside, `"node":"a","trace_id":"`+theirTrace+`"`) {
		t.Errorf("logged %s and %s", outside, inside)
	}
}

// TestObserver_WithoutTracesAllocatesNothing: off is off.
func TestObserver_WithoutTracesAllocatesNothing(t *testing.T) {
	m := whole()
	o := telemetry.NewObserver(m, nil, time.Now)
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	if n := testing.AllocsPerRun(100, func() { o.End(o.Begin(r, "/"), "/", "GET", 200, time.Millisecond) }); n != 0 {
		t.Errorf("%v allocations for a request, want none", n)
	}
	next := &asker{}
	if o.Sources(next) != connectors.Connector(next) {
		t.Error("sources are wrapped though nobody follows them")
	}
}

// BenchmarkTracer compares a request with five questions, followed and not, in one run.
func BenchmarkTracer(b *testing.B) {
	run := func(o *telemetry.Observer) func(*testing.B) {
		questions := o.Sources(o.Connectors(map[catalog.SourceKind]connectors.Connector{catalog.SourceHTTPJSON: &quiet{}})[catalog.SourceHTTPJSON])
		r, q := httptest.NewRequest(http.MethodGet, "/", nil), query()
		return func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				ctx := o.Begin(r, "/")
				for range 5 {
					_, _ = questions.Ask(ctx, q)
				}
				o.End(ctx, "/", "GET", 200, 0)
			}
		}
	}
	b.Run("off", run(telemetry.NewObserver(whole(), nil, time.Now)))
	for name, ratio := range map[string]float64{"none recorded": 0, "all recorded": 1} {
		b.Run(name, run(telemetry.NewObserver(whole(), telemetry.NewTracerTo(discarded{}, ratio, "v1"), time.Now)))
	}
}

type quiet struct{}

func (quiet) Ask(context.Context, connectors.Query) (connectors.Reply, error) {
	return connectors.Reply{}, nil
}

type discarded struct{}

func (discarded) ExportSpans(context.Context, []sdktrace.ReadOnlySpan) error { return nil }
func (discarded) Shutdown(context.Context) error                             { return nil }
