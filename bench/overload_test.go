package bench

import (
	"fmt"
	"net/url"
	"testing"
	"time"
)

// BenchmarkOverload finds what the exchange can sustain, and then asks five times
// that, at a rate, whether or not there are answers. It reports
//
//   - good-put: resolutions answered under overload for each at the peak;
//   - p99: of those that were let in, for that of a calm time;
//   - quiet-p99: of another system that asks little while the first one floods, for
//     that of the same system alone.
//
// All are of one run. Callers, sources, database and exchange share the processors, so
// that what the flood costs its own sender is taken from the exchange.
func BenchmarkOverload(b *testing.B) {
	p := build(b)
	for _, latency := range []string{"0s", "20ms"} {
		b.Run("source="+latency, func(b *testing.B) {
			t := newTarget(b, p, "postgres", latency)
			quiet := t.another(b, p, "quiet")
			flooder, quieter := t.caller(b), quiet.caller(b)
			peak := flooder.peak(b)
			calm := openLoop{address: flooder.address, raw: flooder.raw, rate: peak / 10, long: 10 * time.Second, settle: time.Second}.run(b)
			alone := openLoop{address: quieter.address, raw: quieter.raw, rate: peak / 20, long: 15 * time.Second, settle: 3 * time.Second}.run(b)
			flood := openLoop{address: flooder.address, raw: flooder.raw, rate: 5 * peak, long: 15 * time.Second, settle: 3 * time.Second}
			heard := make(chan *offered, 1)
			hit := flood.run(b)
			go func() { heard <- flood.run(b) }()
			beside := openLoop{address: quieter.address, raw: quieter.raw, rate: peak / 20, long: 15 * time.Second, settle: 3 * time.Second}.run(b)
			second := <-heard
			for name, o := range map[string]*offered{"calm": calm, "alone": alone, "flood": hit, "beside": beside, "flood beside": second} {
				b.Logf("%-12s sent %6d good %6d (%.0f/s) refused %6d failed %d p50 %v p99 %v", name, o.sent, o.good, o.goodput(), o.refused, o.failed,
					o.quantile(.5).Round(100*time.Microsecond), o.quantile(.99).Round(100*time.Microsecond))
			}
			if hit.good == 0 || beside.good == 0 || calm.good == 0 || alone.good == 0 || hit.failed+beside.failed > 0 {
				b.Fatal("no answers, or answers that are neither good nor refused")
			}
			b.ReportMetric(peak, "peak/s")
			b.ReportMetric(hit.goodput()/peak, "good-put")
			b.ReportMetric(float64(hit.quantile(.99))/float64(calm.quantile(.99)), "p99")
			b.ReportMetric(float64(beside.quantile(.99))/float64(alone.quantile(.99)), "quiet-p99")
			b.ReportMetric(float64(beside.refused)/float64(beside.sent), "quiet-refused")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// sender is one system's request, ready to be sent.
type sender struct {
	address string
	raw     []byte
}

func (t *target) caller(b *testing.B) sender {
	address, raw := rawPost(b, t.url, t.resolutions, t.token, "{}")
	return sender{address, raw}
}

// another registers another system of the same department, with a case of its own.
func (t *target) another(b *testing.B, p *program, name string) *target {
	b.Helper()
	secret := secretLine.FindStringSubmatch(p.command(b, "system", "add", name, "--department=BDC", "--name="+name, "--database="+t.database))
	if secret == nil {
		b.Fatal("system add printed no secret")
	}
	out := *t
	out.token = out.signInAs(b, name, secret[1])
	body := eightMaterials()
	body["number"] = "BENCH-" + name
	var opened struct{ ID string }
	out.post(b, "/v1/cases", body, &opened)
	out.resolutions = fmt.Sprintf("/v1/cases/%s/resolutions", opened.ID)
	return &out
}

func (t *target) signInAs(b *testing.B, system, secret string) string {
	return t.signIn(b, url.Values{"grant_type": {"client_credentials"}, "client_id": {system}}, secret)
}

// peak is the highest throughput that callers reach who wait for their answers.
func (s sender) peak(b *testing.B) float64 {
	b.Helper()
	closedLoop(s.address, s.raw, 4, 2*time.Second) // caches
	best := 0.0
	for _, callers := range []int{2, 4, 8, 16, 32} {
		o := closedLoop(s.address, s.raw, callers, 4*time.Second)
		b.Logf("%3d callers: %.0f/s, p50 %v, p99 %v, refused %d", callers, o.goodput(), o.quantile(.5), o.quantile(.99), o.refused)
		best = max(best, o.goodput())
	}
	return best
}
