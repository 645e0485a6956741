package bench

import (
	"context"
	"net/http"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mianti/catalog"
	"mianti/exchange"
	"mianti/policies"
)

// BenchmarkIsolation resolves cases of eight materials whose sources are well,
// as fast as four callers can, while a few cases of another kind are resolved
// besides. In turns, all sources of the other kind are well, and one of them is
// down, one hangs and one gives other people's records. It reports how many of
// the first kind are resolved with the faults for each one without them
// ("ratio"): 1 means that they feel nothing.
func BenchmarkIsolation(b *testing.B) {
	p := build(b)
	sources, _ := p.start(b, "simulate", "--listen=127.0.0.1:0", "--listen-database=", "--listen-faults=", "--people=10", "--latency=5ms")
	ctx := context.Background()
	x, caller := newExchange(b, ctx, sources)
	well := open(b, ctx, x, caller, opening())
	other := policies.Caller{System: "bench-jt", Department: "JT"}
	ill := open(b, ctx, x, other, drivingSchool())
	quiet, troubled := 0, 0
	calm := func() { quiet += resolveFor(b, ctx, x, caller, well, other, ill) }
	storm := func() {
		for dataset, fault := range map[string]string{"D-GA08": "down", "D-SW06": "slow", "D-GA05": "wrong_person"} {
			setFault(b, http.MethodPost, sources, `{"dataset":"`+dataset+`","fault":"`+fault+`"}`)
		}
		troubled += resolveFor(b, ctx, x, caller, well, other, ill)
		setFault(b, http.MethodDelete, sources, "")
		time.Sleep(recovery) // so that the next turn begins with sources that are well
	}
	// The database grows all the while: each kind of turn comes first as often as
	// second, so that what that costs falls on both.
	for b.Loop() {
		calm()
		storm()
		storm()
		calm()
	}
	b.ReportMetric(float64(troubled)/float64(quiet), "ratio")
	b.ReportMetric(float64(quiet)/float64(2*b.N)/turn.Seconds(), "quiet/s")
	b.ReportMetric(float64(troubled)/float64(2*b.N)/turn.Seconds(), "troubled/s")
}

const (
	turn     = 4 * time.Second
	recovery = 6 * time.Second // longer than a source is left alone
	// pace is how often a case of the other kind is resolved.
	pace = 250 * time.Millisecond
)

// resolveFor resolves for one turn, and counts the cases whose sources are well.
func resolveFor(b *testing.B, ctx context.Context, x *exchange.Exchange, caller policies.Caller, well string, other policies.Caller, ill string) int {
	b.Helper()
	var resolved atomic.Int64
	var all sync.WaitGroup
	until := time.Now().Add(turn)
	for range 4 {
		all.Go(func() {
			for time.Now().Before(until) {
				r, err := x.Resolve(ctx, caller, well, nil)
				if err != nil || r.Summary.Settled != 8 {
					b.Errorf("resolve: %v, want eight materials settled", err)
					return
				}
				resolved.Add(1)
			}
		})
	}
	tick := time.NewTicker(pace)
	defer tick.Stop()
	var others sync.WaitGroup
	for time.Now().Before(until) {
		others.Go(func() { _, _ = x.Resolve(ctx, other, ill, nil) }) // what comes of it is not measured
		<-tick.C
	}
	all.Wait()
	count := int(resolved.Load())
	others.Wait()
	return count
}

func open(b *testing.B, ctx context.Context, x *exchange.Exchange, caller policies.Caller, in exchange.Opening) string {
	b.Helper()
	c, _, err := x.OpenCase(ctx, caller, in)
	if err != nil {
		b.Fatal(err)
	}
	return c.ID
}

func setFault(b *testing.B, method, sources, body string) {
	b.Helper()
	request, err := http.NewRequest(method, sources+"/_faults", strings.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		b.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode/100 != 2 {
		b.Fatalf("%s %s: %s", method, path.Base(request.URL.Path), answer.Status)
	}
}

// drivingSchool is a case that asks, among others, registers of the police and of
// the tax office
// that opening does not ask.
func drivingSchool() exchange.Opening {
	consent := catalog.ConsentGiven
	return exchange.Opening{
		Number: "BENCH-2", OneThing: "S13",
		Facts: map[string]any{"applicant_kind": "company", "school_kind": "ordinary", "agent": false, "accept_commitment": true},
		Parties: []catalog.Party{
			{ID: "p1", Roles: []string{"applicant"}, Kind: catalog.KindOrganization, Name: "济南示例新设驾校有限公司"},
			{ID: "p2", Roles: []string{"legal_representative", "coach"}, Kind: catalog.KindPerson, Name: "唐伟", Number: "370199198406022136", Consent: consent},
			{ID: "p3", Roles: []string{"manager"}, Kind: catalog.KindPerson, Name: "宋洁", Number: "370199197709192461", Consent: consent},
			{ID: "p4", Roles: []string{"property_holder"}, Kind: catalog.KindPerson, Name: "吴刚", Number: "370199196809113156", Consent: consent},
			{ID: "p5", Roles: []string{"land_holder"}, Kind: catalog.KindOrganization, Name: "济南精工机械示例有限公司", Number: "91370102MA9X10084Q", Consent: consent},
			{ID: "v1", Roles: []string{"vehicle", "teaching_vehicle"}, Kind: catalog.KindVehicle, Name: "鲁A0X01学", Number: "LTEST000000000004"},
		},
	}
}
