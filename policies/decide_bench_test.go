package policies_test

import (
	"fmt"
	"testing"
	"time"

	"mianti/catalog"
	"mianti/policies"
)

// BenchmarkDecide measures one decision with more and more grants in force: it
// must cost no more than 2 µs with 100,000.
func BenchmarkDecide(b *testing.B) {
	for _, n := range []int{10, 1_000, 100_000} {
		b.Run(fmt.Sprintf("%d grants", n), func(b *testing.B) {
			a, grants, now := wideAccess(n)
			index, stops := policies.IndexGrants(grants), policies.IndexStops([]policies.Stop{{Kind: policies.StopGrant, ID: "none"}})
			if d := policies.Decide(a, index, stops, now); !d.Allowed {
				b.Fatalf("denied: %v", d.Reasons)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for b.Loop() {
				policies.Decide(a, index, stops, now)
			}
		})
	}
}

// BenchmarkDecide_WithCondition is a decision as BenchmarkDecide makes it, after
// a condition of the shipped catalog: three comparisons in CEL, compiled
// when it is loaded.
func BenchmarkDecide_WithCondition(b *testing.B) {
	condition, facts := threeComparisons(b)
	for _, n := range []int{10, 1_000, 100_000} {
		b.Run(fmt.Sprintf("%d grants", n), func(b *testing.B) {
			a, grants, now := wideAccess(n)
			index, stops := policies.IndexGrants(grants), policies.IndexStops(nil)
			b.ReportAllocs()
			for b.Loop() {
				truth, _, err := condition.Eval(facts)
				if d := policies.Decide(a, index, stops, now); err != nil || truth != catalog.True || !d.Allowed {
					b.Fatalf("%v %v %v", truth, err, d.Reasons)
				}
			}
		})
	}
}

func threeComparisons(b *testing.B) (*catalog.Condition, catalog.Facts) {
	b.Helper()
	const text = "land_mode == 'allocate' || invest_kind in ['approve', 'gov']"
	for _, m := range jinanCatalog(b).Matters() {
		conditions := []*catalog.Condition{m.Condition()}
		for i := range m.Materials {
			conditions = append(conditions, m.Materials[i].Condition())
		}
		for _, c := range conditions {
			if c.Text() == text {
				return c, catalog.Facts{"land_mode": "sell", "invest_kind": "gov"}
			}
		}
	}
	b.Fatalf("nothing in the catalog has the condition %s", text)
	return nil, nil
}

// wideAccess is a look-up of ten fields, for a third party, with consent to just
// these, and n grants in force, four of them for this very use.
func wideAccess(n int) (policies.Access, []policies.Grant, time.Time) {
	now := time.Date(2026, 11, 26, 2, 0, 0, 0, time.UTC)
	d := &catalog.Dataset{Code: "D-GA01", Department: "GA", Sharing: catalog.SharingConditional}
	var fields []string
	for i := range 20 {
		d.Fields = append(d.Fields, catalog.Field{Code: fmt.Sprintf("field_%02d", i)})
		if i%2 == 0 {
			fields = append(fields, d.Fields[i].Code)
		}
	}
	m := &catalog.Matter{Code: "S01.M1", Department: "SPJ"}
	for i := range 15 {
		m.Materials = append(m.Materials, catalog.Material{
			Code: fmt.Sprintf("S01.M1.%c", 'a'+i), Subjects: []string{"shareholder"}, Proofs: []catalog.Proof{{Lookups: []catalog.Lookup{{Dataset: "D-GA01"}}}},
		})
	}
	grants := make([]policies.Grant, n)
	for i := range grants {
		grants[i] = policies.Grant{
			ID: fmt.Sprintf("g%d", i), Department: "SPJ", Matter: fmt.Sprintf("S%d.M%d", i%97, i/97%50), Dataset: fmt.Sprintf("D-GA%d", i%83),
			Fields: fields, From: now.Add(-time.Hour), Until: now.Add(time.Hour), State: policies.GrantActive,
		}
		if i < 4 { // the last of them covers
			grants[i].Matter, grants[i].Dataset = "S01.M1", "D-GA01"
			grants[i].Fields = fields[:len(fields)-3+i]
		}
	}
	return policies.Access{
		System: "spj-1", Receiver: "SPJ", Department: &catalog.Department{Code: "SPJ"}, Matter: m, State: catalog.StateOpen, Material: "S01.M1.o",
		Dataset: d, Fields: fields, Role: &catalog.Role{Code: "shareholder", Consent: catalog.ConsentOwn},
		Party: &catalog.Party{Kind: catalog.KindPerson, Number: "370199198805163315", Roles: []string{"shareholder"}},
		Own:   policies.Permission{State: catalog.ConsentGiven, Fields: map[string][]string{"D-GA01": fields}},
	}, grants, now
}
