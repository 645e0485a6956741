package catalog_test

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
)

// found writes findings as "rule material key".
func found(findings []catalog.HealthFinding, rule catalog.HealthRule) []string {
	out := []string{}
	for _, f := range findings {
		if f.Rule == rule {
			out = append(out, f.Material+" "+f.Key)
		}
	}
	return out
}

// TestHealth_FindsWhatEachRuleDefines plants one fault of each kind into the small
// catalog, whose own findings are those of the first row: every material of it but
// S01.M1.b is without a basis, and the rest keeps the other rules.
func TestHealth_FindsWhatEachRuleDefines(t *testing.T) {
	t.Parallel()
	const things = "one-things/S01.yaml"
	for name, c := range map[string]struct {
		edit func(fstest.MapFS)
		rule catalog.HealthRule
		want []string
	}{
		"no basis":        {func(fstest.MapFS) {}, catalog.RuleBasis, []string{"S01.M1.a basis", "S01.M1.c basis", "S01.M1.d basis", "S01.M2.a basis", "S01.M2.b basis", "S2.M1.a basis"}},
		"nothing vague":   {func(fstest.MapFS) {}, catalog.RuleVague, []string{}},
		"nothing unused":  {func(fstest.MapFS) {}, catalog.RuleShared, []string{}},
		"nothing refused": {func(fstest.MapFS) {}, catalog.RuleCommit, []string{}},
		"vague words": {func(f fstest.MapFS) {
			edit(t, f, things, "name: 发起人协议", "name: 发起人协议等材料(原件)")
			edit(t, f, things, "name: 登记申请书", "name: 其他登记申请书")
			edit(t, f, things, "name: 住所证明", "name: 高等级住所证明") // a 等 inside a word is none
		}, catalog.RuleVague, []string{"S01.M1.a name", "S01.M1.c name"}},
		"a proof that is not used": {func(f fstest.MapFS) {
			edit(t, f, things, "chain: [{mode: prior}, {mode: elicense}, {mode: data}, {mode: assist, days: 2}, {mode: upload}]", "chain: [{mode: upload}]")
		}, catalog.RuleShared, []string{"S01.M2.a chain"}},
		"a withheld record is not sharable": {func(f fstest.MapFS) {
			edit(t, f, things, "chain: [{mode: data}, {mode: history, months: 24}, {mode: cancel}]", "chain: [{mode: upload}]")
			edit(t, f, things, "        name: 住所证明\n", "        name: 住所证明\n        note: 不予共享\n")
		}, catalog.RuleShared, []string{}},
		"issued by a government, without a word": {func(f fstest.MapFS) {
			edit(t, f, things, "        kind: other\n        need: conditional\n        when: ent_type == 'jsc' && energy_tce >= 1000.0\n        origin: applicant",
				"        kind: other\n        need: conditional\n        when: ent_type == 'jsc' && energy_tce >= 1000.0\n        origin: government")
		}, catalog.RuleShared, []string{"S01.M1.c chain"}},
		"the same paper is looked up elsewhere": {func(f fstest.MapFS) {
			edit(t, f, things, "        name: 发起人协议\n", "        name: 发起人协议\n        standard_material: STD-BL\n")
		}, catalog.RuleShared, []string{"S01.M1.c chain"}},
		"the result of an earlier matter": {func(f fstest.MapFS) {
			edit(t, f, things, "        prior: [S01.M1]\n", "")
			edit(t, f, things, "chain: [{mode: prior}, {mode: elicense}", "chain: [{mode: elicense}")
		}, catalog.RuleShared, []string{"S01.M2.a prior"}},
		"a commitment that nobody chooses": {func(f fstest.MapFS) {
			edit(t, f, things, "{mode: commit, when: willing}", "{mode: commit}")
			edit(t, f, things, "{mode: commit}, {mode: upload}", "{mode: commit}")
		}, catalog.RuleCommit, []string{"S01.M1.c chain"}},
		"a commitment that is offered elsewhere": {func(f fstest.MapFS) {
			edit(t, f, "one-things/S2.yaml", "chain: [{mode: defer, days: 10}]", "chain: [{mode: commit, when: willing}, {mode: upload}]")
		}, catalog.RuleCommit, []string{"S01.M1.d chain"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := good(t)
			c.edit(files)
			if diff := cmp.Diff(c.want, found(load(t, files).Health(), c.rule)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestHealth_OfTheShippedCatalog holds the findings against its files: those that
// the source names without a basis are found, and every place is there.
func TestHealth_OfTheShippedCatalog(t *testing.T) {
	t.Parallel()
	rev := load(t, os.DirFS("../examples/jinan"))
	findings := rev.Health()
	basis := found(findings, catalog.RuleBasis)
	for _, code := range []string{"S07.M3.f", "S08.M5.g"} {
		if !strings.Contains(strings.Join(basis, "\n"), code+" basis") {
			t.Errorf("%s has no basis and is not found", code)
		}
	}
	without := 0
	for _, m := range rev.Materials() {
		if len(m.Basis) == 0 {
			without++
		}
	}
	if len(basis) != without {
		t.Errorf("%d found without a basis, there are %d", len(basis), without)
	}
	want := []string{"S01.M1.d name", "S02.M2.c name", "S05.M6.c name", "S06.M1.g name", "S11.M1.c name"}
	if diff := cmp.Diff(want, found(findings, catalog.RuleVague)); diff != "" {
		t.Errorf("vague names, counted in the files (-want +got)\n%s", diff)
	}
	for _, f := range findings {
		if _, err := os.Stat("../examples/jinan/" + f.File); err != nil || rev.Material(f.Material) == nil || f.Reason == "" || rev.MatterOf(f.Material).Code != f.Matter {
			t.Errorf("%+v has no such place", f)
		}
	}
	for _, rule := range catalog.HealthRules() {
		if rule.Name() == "" || rule.Definition() == "" || rule.Remedy() == "" {
			t.Errorf("%s does not say what it is", rule)
		}
	}
}
