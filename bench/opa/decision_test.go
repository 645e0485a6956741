package opa

import (
	"context"
	"fmt"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"

	"mianti/bench/load"
	"mianti/catalog"
	"mianti/policies"
)

// policy is the same decision in Rego: the grants are found by department, matter
// and dataset in the document, which is how OPA does it fast.
const policy = `package mianti

default allow := false

allow if {
	some grant in data.grants[input.department][input.matter][input.dataset]
	grant.state == "active"
	grant.from <= input.now
	input.now < grant.until
	every field in input.fields { grant.fields[field] }
	not data.stops.grant[grant.id]
	not data.stops.dataset[input.dataset]
	not data.stops.system[input.system]
	input.matter_state == "open"
	data.matters[input.matter][input.material].subjects[input.role]
	input.record.state == "正常"
	input.record.level >= 2
}
`

// sizes are the numbers of grants in force.
func sizes() []int { return []int{10, 1_000, 100_000} }

const rounds = 9

// BenchmarkDecision decides whether a look-up of nine fields may be made, and holds
// the record that came of it against the condition of the material, with 10, 1 000
// and 100 000 grants in force: by the exchange's policies, and by OPA with its
// grants indexed, its store holding parsed values and its input parsed before. All
// have their turn in each of nine rounds; the figures are medians.
//
//   - "ns-N" and "opa-ns-N" are one decision with N grants, in processor time.
//   - "ratio-N" is OPA's for each of the exchange's: at least 10 is wanted.
//   - "growth" is 100 000 grants for each 10: at most 1.5 is wanted.
func BenchmarkDecision(b *testing.B) {
	ours, theirs := map[int]func() bool{}, map[int]func() bool{}
	for _, n := range sizes() {
		ours[n], theirs[n] = newDecision(b, n), newOPA(b, n)
		if !ours[n]() || !theirs[n]() {
			b.Fatalf("%d grants: allowed by the exchange: %t, by OPA: %t", n, ours[n](), theirs[n]())
		}
	}
	for b.Loop() {
		took, opa := map[int][]float64{}, map[int][]float64{}
		var growth []float64
		ratios := map[int][]float64{}
		for range rounds {
			for _, n := range sizes() {
				took[n] = append(took[n], perDecision(ours[n], 20_000))
				opa[n] = append(opa[n], perDecision(theirs[n], 1_500))
				ratios[n] = append(ratios[n], last(opa[n])/last(took[n]))
			}
			growth = append(growth, last(took[100_000])/last(took[10]))
		}
		for _, n := range sizes() {
			b.ReportMetric(load.Median(took[n]), fmt.Sprintf("ns-%d", n))
			b.ReportMetric(load.Median(opa[n]), fmt.Sprintf("opa-ns-%d", n))
			b.ReportMetric(load.Median(ratios[n]), fmt.Sprintf("ratio-%d", n))
		}
		b.ReportMetric(load.Median(growth), "growth")
		b.ReportMetric(0, "ns/op")
	}
}

func last(values []float64) float64 { return values[len(values)-1] }

// perDecision gives the nanoseconds of processor time, garbage collection included,
// that a decision takes: other programs on the machine are not in it.
func perDecision(decide func() bool, times int) float64 {
	before := used()
	for range times {
		decide()
	}
	return float64((used() - before).Nanoseconds()) / float64(times)
}

func used() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic("a process may ask for its own usage: " + err.Error())
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

const material = load.MeasuredMatter + ".c"

// measured is the catalog that is decided by.
func measured(b *testing.B) *catalog.Revision {
	b.Helper()
	folder, addresses := b.TempDir(), map[string]string{}
	for _, department := range load.Departments() {
		addresses[department] = "http://127.0.0.1:1"
	}
	if err := load.WriteCatalog(folder, addresses); err != nil {
		b.Fatal(err)
	}
	rev, err := catalog.Load(os.DirFS(folder))
	if err != nil {
		b.Fatal(err)
	}
	return rev
}

var now = time.Date(2026, 11, 26, 2, 0, 0, 0, time.UTC)

// grants are n of them, of which four are for the use that is decided on, and the
// last of these covers it.
func grants(n int, fields []string) []policies.Grant {
	all := make([]policies.Grant, n)
	for i := range all {
		all[i] = policies.Grant{
			ID: fmt.Sprintf("g%d", i), Department: "SP", Matter: fmt.Sprintf("T%d.M%d", 2+i%97, i/97%50), Dataset: fmt.Sprintf("D-GA%02d", i%83),
			Fields: fields, From: now.Add(-time.Hour), Until: now.Add(time.Hour), State: policies.GrantActive,
		}
		if i < 4 {
			all[i].Matter, all[i].Dataset, all[i].Fields = load.MeasuredMatter, "D-RS01", fields[:len(fields)-3+i]
		}
	}
	return all
}

func fieldCodes(d *catalog.Dataset) []string {
	var codes []string
	for _, f := range d.Fields {
		codes = append(codes, f.Code)
	}
	return codes
}

func record() map[string]any { return map[string]any{"state": "正常", "level": 3.0} }

// newDecision is the exchange's.
func newDecision(b *testing.B, n int) func() bool {
	b.Helper()
	rev := measured(b)
	matter, dataset := rev.Matter(load.MeasuredMatter), rev.Dataset("D-RS01")
	party := catalog.Party{Kind: catalog.KindPerson, Name: "测试", Number: "370199198805163315", Roles: []string{"applicant"}}
	access := policies.Access{
		System: "load-0", Receiver: "SP", Department: rev.Department("SP"), Matter: matter, State: catalog.StateOpen, Material: material,
		Dataset: dataset, Fields: fieldCodes(dataset), Role: rev.Role("applicant"), Party: &party,
	}
	index, stops := policies.IndexGrants(grants(n, access.Fields)), policies.IndexStops([]policies.Stop{{Kind: policies.StopGrant, ID: "none"}})
	proof := &rev.Material(material).Proofs[0]
	in := catalog.CheckInput{Records: map[string]map[string]any{"D-RS01": record()}, Subject: party, Today: now.Truncate(24 * time.Hour)}
	return func() bool {
		if !policies.Decide(access, index, stops, now).Allowed {
			return false
		}
		result, err := proof.Holds(in)
		return err == nil && result.Truth == catalog.True
	}
}

// newOPA is OPA's.
func newOPA(b *testing.B, n int) func() bool {
	b.Helper()
	dataset := measured(b).Dataset("D-RS01")
	byUse := map[string]any{}
	for _, g := range grants(n, fieldCodes(dataset)) {
		fields := map[string]any{}
		for _, f := range g.Fields {
			fields[f] = true
		}
		list := at(at(byUse, g.Department), g.Matter)
		held, _ := list[g.Dataset].([]any)
		list[g.Dataset] = append(held, map[string]any{
			"id": g.ID, "state": string(g.State), "from": g.From.Unix(), "until": g.Until.Unix(), "fields": fields,
		})
	}
	store := inmem.NewFromObjectWithOpts(map[string]any{
		"grants":  byUse,
		"stops":   map[string]any{"grant": map[string]any{"none": true}, "dataset": map[string]any{}, "system": map[string]any{}},
		"matters": map[string]any{load.MeasuredMatter: map[string]any{material: map[string]any{"subjects": map[string]any{"applicant": true}}}},
	}, inmem.OptReturnASTValuesOnRead(true), inmem.OptRoundTripOnWrite(false))
	query, err := rego.New(rego.Query("data.mianti.allow"), rego.Module("mianti.rego", policy), rego.Store(store)).PrepareForEval(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	input, err := ast.InterfaceToValue(map[string]any{
		"system": "load-0", "department": "SP", "matter": load.MeasuredMatter, "matter_state": "open", "material": material, "role": "applicant",
		"dataset": "D-RS01", "fields": slices.Clone(fieldCodes(dataset)), "now": now.Unix(), "record": record(),
	})
	if err != nil {
		b.Fatal(err)
	}
	return func() bool {
		results, err := query.Eval(context.Background(), rego.EvalParsedInput(input))
		return err == nil && results.Allowed()
	}
}

func at(object map[string]any, key string) map[string]any {
	inner, _ := object[key].(map[string]any)
	if inner == nil {
		inner = map[string]any{}
		object[key] = inner
	}
	return inner
}
