package bench

import (
	"fmt"
	"net/url"
	"slices"
	"testing"
	"time"
)

// BenchmarkOverload finds what the exchange can sustain, and then asks five times
// that, at a rate, whether or not there are answers. It reports
//
//   - good-put: resolutions answered under overload for each at the peak;
//   - p99: of those that were let in, for that of one caller alone;
//   - quiet-p99: of another system, with one caller who pauses after each answer, while
//     the first one floods, for that of the same without the flood.
//
// Each is the median of rounds, in which both sides of a ratio are measured one after
// the other. Callers, sources, database and exchange share the processors, so that what
// the flood costs its own sender is taken from the exchange.
func BenchmarkOverload(b *testing.B) {
	p := build(b)
	for _, latency := range []string{"0s", "20ms"} {
		b.Run("source="+latency, func(b *testing.B) {
			t := newTarget(b, p, "postgres", latency)
			flooder, quiet := t.caller(b), t.another(b, p, "quiet").caller(b)
			callers, peak := flooder.peak(b)
			figures := map[string][]float64{}
			for range 5 {
				for name, value := range overloadRound(b, flooder, quiet, callers, peak) {
					figures[name] = append(figures[name], value)
				}
			}
			for name, values := range figures {
				slices.Sort(values)
				b.ReportMetric(values[len(values)/2], name)
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

const (
	roundLong = 4 * time.Second
	settling  = 1500 * time.Millisecond
	thinking  = 20 * time.Millisecond
)

// overloadRound measures each side of the ratios once.
func overloadRound(b *testing.B, flooder, quiet sender, callers int, rate float64) map[string]float64 {
	b.Helper()
	flood := openLoop{address: flooder.address, raw: flooder.raw, rate: 5 * rate, long: roundLong + settling, settle: settling}
	calm := closedLoop(flooder.address, flooder.raw, 1, 0, roundLong)
	alone := closedLoop(quiet.address, quiet.raw, 1, thinking, roundLong)
	peak := closedLoop(flooder.address, flooder.raw, callers, 0, roundLong)
	hit := flood.run(b)
	time.Sleep(time.Second)
	heard := make(chan *offered, 1)
	go func() { heard <- flood.run(b) }()
	time.Sleep(settling)
	beside := closedLoop(quiet.address, quiet.raw, 1, thinking, roundLong)
	<-heard
	time.Sleep(time.Second)
	for name, o := range map[string]*offered{"calm": calm, "alone": alone, "peak": peak, "flood": hit, "beside": beside} {
		b.Logf("%-7s good %6d (%.0f/s) refused %6d failed %d p50 %v p99 %v", name, o.good, o.goodput(), o.refused, o.failed,
			o.quantile(.5).Round(100*time.Microsecond), o.quantile(.99).Round(100*time.Microsecond))
	}
	if hit.good == 0 || beside.good == 0 || calm.good == 0 || alone.good == 0 || hit.failed+beside.failed > 0 {
		b.Fatal("no answers, or answers that are neither good nor refused")
	}
	return map[string]float64{
		"peak/s": peak.goodput(), "good-put": hit.goodput() / peak.goodput(),
		"p99": ratio(hit, calm, .99), "p50": ratio(hit, calm, .5), "quiet-p99": ratio(beside, alone, .99), "quiet-p50": ratio(beside, alone, .5),
		"quiet-refused": float64(beside.refused),
	}
}

func ratio(a, b *offered, q float64) float64 {
	return float64(a.quantile(q)) / float64(b.quantile(q))
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

// peak is the highest throughput that callers reach who wait for their answers, and how
// many they are.
func (s sender) peak(b *testing.B) (callers int, rate float64) {
	b.Helper()
	closedLoop(s.address, s.raw, 4, 0, 2*time.Second) // caches
	for _, n := range []int{4, 8, 16, 32} {
		o := closedLoop(s.address, s.raw, n, 0, 2*time.Second)
		b.Logf("%3d callers: %.0f/s, p50 %v, p99 %v, refused %d", n, o.goodput(), o.quantile(.5), o.quantile(.99), o.refused)
		if o.goodput() > rate {
			callers, rate = n, o.goodput()
		}
	}
	return callers, rate
}
