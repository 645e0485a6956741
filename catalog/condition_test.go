package catalog_test

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
)

// withCondition loads the good catalog with a condition of one material.
func withCondition(t testing.TB, condition string) (*catalog.Material, error) {
	t.Helper()
	files := good(t)
	edit(t, files, s01, "when: ent_type == 'jsc' && energy_tce >= 1000.0", "when: >-\n          "+condition)
	r, err := catalog.Load(files)
	if err != nil {
		return nil, err
	}
	return r.Material("S01.M1.c"), nil
}

func TestCondition_IsThreeValued(t *testing.T) {
	t.Parallel()
	const two = "agent && willing"
	const either = "agent || willing"
	for _, c := range []struct {
		condition string
		facts     catalog.Facts
		want      catalog.Truth
		unknown   []string
	}{
		{two, catalog.Facts{"agent": true, "willing": true}, catalog.True, nil},
		{two, catalog.Facts{"agent": true, "willing": false}, catalog.False, nil},
		{two, catalog.Facts{"agent": false}, catalog.False, nil},
		{two, catalog.Facts{"willing": false}, catalog.False, nil},
		{two, catalog.Facts{"agent": true}, catalog.Unknown, []string{"willing"}},
		{two, catalog.Facts{"willing": true}, catalog.Unknown, []string{"agent"}},
		{two, nil, catalog.Unknown, []string{"agent", "willing"}},
		{two, catalog.Facts{"agent": nil, "willing": true}, catalog.Unknown, []string{"agent"}},
		{either, catalog.Facts{"willing": true}, catalog.True, nil},
		{either, catalog.Facts{"agent": false}, catalog.Unknown, []string{"willing"}},
		{either, nil, catalog.Unknown, []string{"agent", "willing"}},
		{"!agent", nil, catalog.Unknown, []string{"agent"}},
		{"!agent", catalog.Facts{"agent": false}, catalog.True, nil},
		{"agent == agent", nil, catalog.Unknown, []string{"agent"}},
		// Only the fact that decides which way to go is asked for.
		{"agent ? willing : ent_type == 'ltd'", nil, catalog.Unknown, []string{"agent"}},
		{"agent ? willing : ent_type == 'ltd'", catalog.Facts{"agent": false}, catalog.Unknown, []string{"ent_type"}},
		{"ent_type == 'jsc' && energy_tce >= 1000.0", catalog.Facts{"ent_type": "ltd"}, catalog.False, nil},
		{"energy_tce >= 1000", catalog.Facts{"energy_tce": 1000.0}, catalog.True, nil},
		{"energy_tce > 1000", catalog.Facts{"energy_tce": 1000.0}, catalog.False, nil},
		{"'water' in utilities", catalog.Facts{"utilities": []string{"gas", "water"}}, catalog.True, nil},
		{"'water' in utilities", catalog.Facts{"utilities": []string{}}, catalog.False, nil},
		{"'water' in utilities", nil, catalog.Unknown, []string{"utilities"}},
		{"utilities.exists(u, u == 'gas') && agent", catalog.Facts{"utilities": []string{"gas"}}, catalog.Unknown, []string{"agent"}},
		{"utilities.exists(u, u == 'gas') && agent", catalog.Facts{"agent": false}, catalog.False, nil},
		{"ent_type in ['ltd', 'jsc']", catalog.Facts{"ent_type": "jsc"}, catalog.True, nil},
		{"hukou.startsWith('3701')", catalog.Facts{"hukou": "370102"}, catalog.True, nil},
		{"true || agent", nil, catalog.True, nil},
	} {
		m, err := withCondition(t, c.condition)
		if err != nil {
			t.Errorf("%s: %v", c.condition, err)
			continue
		}
		truth, unknown, err := m.Applies(c.facts)
		if err != nil || truth != c.want || !slices.Equal(unknown, c.unknown) {
			t.Errorf("%s over %v = %v, %v, %v; want %v, %v", c.condition, c.facts, truth, unknown, err, c.want, c.unknown)
		}
	}
}

func TestCondition_ServesManyAtOnce(t *testing.T) {
	t.Parallel()
	m, err := withCondition(t, "agent && energy_tce >= 1000.0")
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			facts, want := catalog.Facts{"agent": true, "energy_tce": float64(i * 500)}, catalog.False
			if i*500 >= 1000 {
				want = catalog.True
			}
			if i%2 == 1 {
				delete(facts, "energy_tce")
				want = catalog.Unknown
			}
			for range 200 {
				if truth, _, err := m.Applies(facts); truth != want || err != nil {
					t.Errorf("over %v = %v, %v, want %v", facts, truth, err, want)
					return
				}
			}
		})
	}
	group.Wait()
}

func TestCondition_NoneHolds(t *testing.T) {
	t.Parallel()
	var none *catalog.Condition
	if truth, unknown, err := none.Eval(nil); truth != catalog.True || unknown != nil || err != nil {
		t.Errorf("nil condition = %v, %v, %v", truth, unknown, err)
	}
}

func TestCondition_RefusesAFactOfAnotherType(t *testing.T) {
	t.Parallel()
	m, err := withCondition(t, "energy_tce >= 1000.0")
	if err != nil {
		t.Fatal(err)
	}
	if truth, _, err := m.Applies(catalog.Facts{"energy_tce": "a lot"}); err == nil {
		t.Errorf("a text taken for a number gives %v and no error", truth)
	}
}

func TestApplies_OfMattersAndSteps(t *testing.T) {
	t.Parallel()
	r := load(t, good(t))
	if truth, unknown, _ := r.Matter("S01.M2").Applies(nil); truth != catalog.Unknown || !slices.Equal(unknown, []string{"utilities"}) {
		t.Errorf("matter = %v, %v", truth, unknown)
	}
	if truth, _, _ := r.Matter("S01.M1").Applies(nil); truth != catalog.True {
		t.Errorf("matter without a condition = %v", truth)
	}
	m := r.Material("S01.M1.c")
	if truth, _, _ := m.StepApplies(0, catalog.Facts{"willing": false}); truth != catalog.False {
		t.Errorf("step = %v", truth)
	}
	if truth, _, _ := m.StepApplies(1, nil); truth != catalog.True {
		t.Errorf("step without a condition = %v", truth)
	}
	if _, _, err := m.StepApplies(2, nil); err == nil {
		t.Error("a step that the chain does not have is no error")
	}
	loose := catalog.Material{Chain: []catalog.Step{{Mode: catalog.ModeForm}, {Mode: catalog.ModeCommit, When: "willing"}}}
	if truth, _, err := loose.StepApplies(0, nil); truth != catalog.True || err != nil {
		t.Errorf("unconditional step of a material that was not loaded = %v, %v", truth, err)
	}
	if _, _, err := loose.StepApplies(1, nil); err == nil {
		t.Error("a condition that was never compiled is taken for something")
	}
}

func TestParseFacts_TypesThemAndSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	r := load(t, good(t))
	facts, details := r.ParseFacts(map[string]any{
		"agent": true, "ent_type": "ltd", "utilities": []any{"gas", "water", "gas"}, "energy_tce": 12, "business_address": "一号路1号", "hukou": "370102",
	})
	want := catalog.Facts{"agent": true, "ent_type": "ltd", "utilities": []string{"water", "gas"}, "energy_tce": 12.0, "business_address": "一号路1号", "hukou": "370102"}
	if diff := cmp.Diff(want, facts); diff != "" || len(details) != 0 {
		t.Errorf("(-want +got):\n%s\ndetails: %v", diff, details)
	}
	if facts, _ := r.ParseFacts(map[string]any{"energy_tce": json.Number("1.5")}); facts["energy_tce"] != 1.5 {
		t.Errorf("a number as the strict decoder leaves it = %v", facts)
	}
	for _, c := range []struct {
		code     string
		value    any
		wantCode string
		message  string
	}{
		{"agents", true, "unknown-fact", "目录中没有这个情形，请核对情形代码"},
		{"agent", "yes", "wrong-type", "应为布尔值：true 或 false"},
		{"agent", nil, "wrong-type", "应为布尔值：true 或 false"},
		{"ent_type", "plc", "wrong-type", "应为以下之一：ltd（有限责任公司）、jsc（股份有限公司）"},
		{"ent_type", []any{"ltd"}, "wrong-type", "应为以下之一：ltd（有限责任公司）、jsc（股份有限公司）"},
		{"utilities", "water", "wrong-type", "应为列表，每项取以下之一：water（水）、power（电）、gas（气）"},
		{"utilities", []any{"heat"}, "wrong-type", "应为列表，每项取以下之一：water（水）、power（电）、gas（气）"},
		{"utilities", []any{1}, "wrong-type", "应为列表，每项取以下之一：water（水）、power（电）、gas（气）"},
		{"energy_tce", "12", "wrong-type", "应为数字"},
		{"energy_tce", json.Number("1e999"), "wrong-type", "应为数字"},
		{"energy_tce", math.NaN(), "wrong-type", "应为数字"},
		{"hukou", "37010", "wrong-type", "应为六位行政区划代码（GB/T 2260），以文本给出"},
		{"hukou", 370102, "wrong-type", "应为六位行政区划代码（GB/T 2260），以文本给出"},
		{"business_address", "", "wrong-type", "应为文本，不空，不超过500字"},
	} {
		facts, details := r.ParseFacts(map[string]any{c.code: c.value, "willing": false})
		if len(details) != 1 || details[0].Location != "facts."+c.code || details[0].Code != c.wantCode || details[0].Message != c.message {
			t.Errorf("%s: %v gives %+v", c.code, c.value, details)
		}
		if diff := cmp.Diff(catalog.Facts{"willing": false}, facts); diff != "" {
			t.Errorf("%s: the right facts (-want +got):\n%s", c.code, diff)
		}
	}
}

func FuzzCondition(f *testing.F) {
	for _, seed := range []string{"agent", "ent_type == 'jsc' && energy_tce >= 1.0", "'water' in utilities", "utilities.all(u, u != '')", "((((", "agent ? 1 : 2", "[1,2].map(x, x*2)", "'a'.matches('(a+)+$')", "timestamp('x')", "1/0 == 1"} {
		f.Add(seed)
	}
	base := good(f)
	f.Fuzz(func(t *testing.T, text string) {
		files := fstest.MapFS{"catalog.yaml": base["catalog.yaml"], factsFile: base[factsFile], "departments/SC.yaml": base[sc]}
		quoted := []byte("format: mianti-catalog/1\nkind: one_thing\none_thing: {code: S01, name: 一, handling: serial, lead: SC}\nmatters:\n  - {code: S01.M1, name: 一, basic_code: \"370131001000\", level: 3, department: SC, days: 1, result: {name: 一}, materials: [], when: " + quote(text) + "}\n")
		files[s01] = &fstest.MapFile{Data: quoted}
		r, err := catalog.Load(files)
		if err != nil {
			if _, ok := err.(catalog.Faults); !ok {
				t.Fatalf("an expression made Load fail without a fault: %v", err)
			}
			return
		}
		for _, facts := range []catalog.Facts{nil, {"agent": true}, {"agent": true, "willing": false, "ent_type": "ltd", "utilities": []string{"gas"}, "energy_tce": 1.0, "business_address": "一", "hukou": "370102"}} {
			truth, unknown, err := r.Matter("S01.M1").Applies(facts)
			if err == nil && (truth == catalog.Unknown) != (len(unknown) > 0) {
				t.Errorf("%q over %v = %v with the unknown facts %v", text, facts, truth, unknown)
			}
		}
	})
}

func BenchmarkCondition(b *testing.B) {
	m, err := withCondition(b, "ent_type == 'jsc' && energy_tce >= 1000.0")
	if err != nil {
		b.Fatal(err)
	}
	for name, facts := range map[string]catalog.Facts{"known": {"ent_type": "jsc", "energy_tce": 2000.0}, "unknown": {"ent_type": "jsc"}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := m.Applies(facts); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkLoadJinan(b *testing.B) {
	for b.Loop() {
		load(b, os.DirFS("../examples/jinan"))
	}
}
