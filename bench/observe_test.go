package bench

import (
	"context"
	"testing"
	"time"

	"mianti/exchange"
	"mianti/telemetry"
)

// BenchmarkObserved resolves the same case as BenchmarkResolveInProcess, watched by
// nobody, with metrics, and with metrics and one trace in a hundred, in turns of one run,
// and prints what each costs against the first.
func BenchmarkObserved(b *testing.B) {
	p := build(b)
	sources, _ := p.start(b, "simulate", "--listen=127.0.0.1:0", "--listen-database=", "--listen-faults=", "--people=10")
	ctx := context.Background()
	metrics := telemetry.New(telemetry.Program{}, time.Now)
	tracer, err := telemetry.NewTracer(ctx, telemetry.Tracing{URL: "http://127.0.0.1:9", Ratio: .01}) // nobody listens: spans are lost
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = tracer.Close(ctx) }()
	plain, caller := newExchange(b, ctx, sources)
	ways := []*exchange.Exchange{plain}
	for _, o := range []*telemetry.Observer{telemetry.NewObserver(metrics, nil, time.Now), telemetry.NewObserver(metrics, tracer, time.Now)} {
		c := plain.Config
		c.Journal, c.Resolutions, c.Sources = o.Journal(c.Journal), o.Resolutions(c.Resolutions), o.Sources(c.Sources)
		ways = append(ways, exchange.New(c))
	}
	c, _, err := plain.OpenCase(ctx, caller, opening())
	if err != nil {
		b.Fatal(err)
	}
	took := make([]time.Duration, len(ways))
	n := 0
	for b.Loop() {
		n++
		for i, x := range ways {
			begun := time.Now()
			if _, err := x.Resolve(ctx, caller, c.ID, nil); err != nil {
				b.Fatal(err)
			}
			took[i] += time.Since(begun)
		}
	}
	b.ReportMetric(float64(took[0].Microseconds())/float64(n), "µs/plain")
	b.ReportMetric(float64(took[1])/float64(took[0]), "metrics/plain")
	b.ReportMetric(float64(took[2])/float64(took[0]), "traced/plain")
}
