package lint_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/catalog/lint"
	"mianti/policies"
)

const facts = `format: mianti-catalog/1
kind: facts
facts:
  - {code: agent, type: bool, ask: 是否委托}
  - {code: willing, type: bool, ask: 是否愿意承诺}
  - code: kind
    type: enum
    ask: 申请人类型
    options: [{value: person, label: 个人}, {value: company, label: 企业}, {value: social, label: 社会组织}]
  - code: utilities
    type: set
    ask: 公用服务
    options: [{value: water, label: 水}, {value: power, label: 电}]
  - {code: area, type: number, ask: 面积}
  - {code: word, type: text, ask: 用途}
`

// small gives a catalog of one one-thing over the ground of the small good catalog.
// The matters are given as YAML, indented by nothing.
func small(t testing.TB, matters string) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	root := os.DirFS("../testdata/good")
	for _, name := range []string{"catalog.yaml", "roles.yaml", "standard-materials.yaml", "common-materials.yaml", "departments/GA.yaml", "departments/SC.yaml"} {
		content, err := fs.ReadFile(root, name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = &fstest.MapFile{Data: content}
	}
	files["facts.yaml"] = &fstest.MapFile{Data: []byte(facts)}
	files["one-things/S01.yaml"] = &fstest.MapFile{Data: []byte("format: mianti-catalog/1\nkind: one_thing\none_thing: {code: S01, name: 一件事, handling: mixed, lead: SC}\nmatters:\n" + matters)}
	return files
}

// matter writes a matter of a department with its materials.
func matter(code, more string, materials ...string) string {
	text := fmt.Sprintf("- {code: S01.%s, name: 登记, basic_code: \"370131001000\", level: 3, department: GA, days: 1, result: {name: 证书}%s, materials: [\n", code, more)
	return text + strings.Join(materials, ",\n") + "]}\n"
}

// material writes a material that no rule finds fault with, but for what is given.
func material(code, more string) string {
	text := "  {code: S01." + code + ", "
	for _, d := range []struct{ key, value string }{
		{"name", "材料" + code}, {"kind", "other"}, {"need", "required"}, {"basis", "[条例1]"}, {"origin", "applicant"}, {"chain", "[{mode: upload}]"},
	} {
		if !strings.Contains(more, d.key+":") {
			text += d.key + ": " + d.value + ", "
		}
	}
	return text + more + "}"
}

func load(t testing.TB, files fs.FS) *catalog.Revision {
	t.Helper()
	rev, err := catalog.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	return rev
}

// places writes the findings of a rule as "code key", those that are explained in
// brackets.
func places(report *lint.Report, rule lint.Rule) []string {
	out := []string{}
	for _, f := range report.Findings {
		if f.Rule != rule {
			continue
		}
		at := f.Code + " " + f.Key
		if f.Explained != nil {
			at = "(" + at + ")"
		}
		out = append(out, at)
	}
	return out
}

const (
	looksUp = "origin: government, standard_material: STD-BL, subjects: [applicant], proofs: [{for: organization, lookups: [{dataset: D-SC01}]}], "
	when    = "need: conditional, when: "
)

// TestLint_EachRuleFindsItsFaultAndNothingElse has for each rule a catalog that
// breaks it in one place and one that keeps it.
func TestLint_EachRuleFindsItsFaultAndNothingElse(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	grant := func(until time.Time, fields ...string) *lint.Measures {
		return &lint.Measures{Now: now, Grants: []policies.Grant{{ID: "g", Department: "GA", Matter: "S01.M1", Dataset: "D-SC01", Fields: fields, From: now.AddDate(-1, 0, 0), Until: until, State: policies.GrantActive}}}
	}
	every := []string{"name", "legal_representative", "officers", "capital", "active", "founded_on"}
	registers := matter("M1", "", material("M1.a", ""))
	registers = strings.Replace(registers, "result: {name: 证书}", "result: {name: 证书, dataset: D-SC01}", 1)
	for name, c := range map[string]struct {
		rule     lint.Rule
		bad      string
		want     string
		good     string
		measures [2]*lint.Measures
	}{
		"basis": {rule: lint.Basis, bad: matter("M1", "", strings.Replace(material("M1.a", ""), "basis: [条例1], ", "", 1)), want: "S01.M1.a basis", good: matter("M1", "", material("M1.a", ""))},
		"vague, other": {
			rule: lint.Vague, bad: matter("M1", "", material("M1.a", "name: 其他材料")), want: "S01.M1.a name",
			good: matter("M1", "", material("M1.a", "name: 高等级证书")), // a 等 inside a word is none
		},
		"vague, at the end": {rule: lint.Vague, bad: matter("M1", "", material("M1.a", "name: 合同等材料(原件)")), want: "S01.M1.a name", good: matter("M1", "", material("M1.a", "name: 合同"))},
		"shared, a proof that is not used": {
			rule: lint.Shared, bad: matter("M1", "", material("M1.a", looksUp+"chain: [{mode: upload}]")), want: "S01.M1.a chain",
			good: matter("M1", "", material("M1.a", looksUp+"chain: [{mode: data}, {mode: upload}]")),
		},
		"shared, elsewhere": {
			rule: lint.Shared, bad: matter("M1", "", material("M1.a", "standard_material: STD-BL"), material("M1.b", looksUp+"chain: [{mode: data}]")), want: "S01.M1.a chain",
			good: matter("M1", "", material("M1.a", "standard_material: STD-ID"), material("M1.b", looksUp+"chain: [{mode: data}]")),
		},
		"shared, withheld": {
			rule: lint.Shared, bad: matter("M1", "", material("M1.a", looksUp)), want: "S01.M1.a chain",
			good: matter("M1", "", material("M1.a", "proofs: [{lookups: [{dataset: D-SC02, subject: property, yes_no: true}]}]")),
		},
		"commit, elsewhere": {
			rule: lint.Commit, bad: matter("M1", "", material("M1.a", "standard_material: STD-BL"), material("M1.b", "standard_material: STD-BL, chain: [{mode: commit, when: willing}]")), want: "S01.M1.a chain",
			good: matter("M1", "", material("M1.a", "standard_material: STD-ID"), material("M1.b", "standard_material: STD-BL, chain: [{mode: commit, when: willing}]")),
		},
		"commit, not chosen": {rule: lint.Commit, bad: matter("M1", "", material("M1.a", "chain: [{mode: commit}]")), want: "S01.M1.a chain", good: matter("M1", "", material("M1.a", "chain: [{mode: commit, when: willing}]"))},
		"government":         {rule: lint.Government, bad: matter("M1", "", material("M1.a", "origin: government")), want: "S01.M1.a chain", good: matter("M1", "", material("M1.a", "origin: government, note: 外省核发"))},
		"prior": {
			rule: lint.Prior, bad: registers + matter("M2", ", after: [S01.M1]", material("M2.a", looksUp+"chain: [{mode: data}]")), want: "S01.M2.a prior",
			good: registers + matter("M2", ", after: [S01.M1]", material("M2.a", looksUp+"prior: [S01.M1], chain: [{mode: prior}, {mode: data}]")),
		},
		"prior, not before": {
			rule: lint.Prior, bad: registers + matter("M2", ", after: [S01.M1]", material("M2.a", looksUp+"chain: [{mode: data}]")), want: "S01.M2.a prior",
			good: registers + matter("M2", "", material("M2.a", looksUp+"chain: [{mode: data}]")), // side by side: nothing to wait for
		},
		"risk": {
			rule: lint.Risk, bad: matter("M1", "", material("M1.a", "name: 消防设计文件, chain: [{mode: commit, when: willing}, {mode: upload}]")), want: "S01.M1.a chain",
			good: matter("M1", "", material("M1.a", "name: 消防设计文件"), material("M1.b", "chain: [{mode: commit, when: willing}, {mode: upload}]")),
		},
		"twice": {
			rule: lint.Twice, bad: matter("M1", "", material("M1.a", "name: 合同")) + matter("M2", "", material("M2.a", "name: 合同(副本)")), want: "S01.M2.a standard_material",
			good: matter("M1", "", material("M1.a", "name: 合同, standard_material: STD-ID")) + matter("M2", "", material("M2.a", "name: 合同, standard_material: STD-ID")),
		},
		"twice, never together": {
			rule: lint.Twice, bad: matter("M1", "", material("M1.a", "name: 合同, "+when+"agent"), material("M1.b", "name: 合同")), want: "S01.M1.b standard_material",
			good: matter("M1", "", material("M1.a", "name: 合同, "+when+"agent"), material("M1.b", "name: 合同, "+when+"'!agent'")),
		},
		"overlap": {
			rule: lint.Overlap, bad: matter("M1", "", material("M1.a", when+"\"kind in ['person', 'company']\""), material("M1.b", when+"\"kind in ['company', 'social']\"")), want: "S01.M1.b when",
			good: matter("M1", "", material("M1.a", when+"\"kind in ['person', 'company']\""), material("M1.b", when+"\"kind == 'social'\"")),
		},
		"overlap, one within the other": {
			rule: lint.Overlap, bad: matter("M1", "", material("M1.a", when+"area >= 2.0 && area < 5.0"), material("M1.b", when+"area >= 4.0")), want: "S01.M1.b when",
			good: matter("M1", "", material("M1.a", when+"area >= 2.0"), material("M1.b", when+"area >= 4.0")),
		},
		"gap, an option": {
			rule: lint.Gap, bad: matter("M1", "", material("M1.a", when+"\"kind == 'person'\""), material("M1.b", when+"\"kind == 'company'\"")), want: "S01.M1 when",
			good: matter("M1", "", material("M1.a", when+"\"kind == 'person'\""), material("M1.b", when+"\"kind != 'person'\"")),
		},
		"gap, outside the matter": {
			rule: lint.Gap, bad: matter("M1", "", material("M1.a", when+"\"kind == 'person'\""), material("M1.b", when+"\"kind == 'company'\"")), want: "S01.M1 when",
			good: matter("M1", ", when: \"kind != 'social'\"", material("M1.a", when+"\"kind == 'person'\""), material("M1.b", when+"\"kind == 'company'\"")),
		},
		"gap, a number": {
			rule: lint.Gap, bad: matter("M1", "", material("M1.a", when+"area < 2.0"), material("M1.b", when+"area > 2.0")), want: "S01.M1 when", // exactly 2
			good: matter("M1", "", material("M1.a", when+"area < 2.0"), material("M1.b", when+"area >= 2.0")),
		},
		"gap, across": {
			rule: lint.Gap, bad: matter("M1", "", material("M1.a", when+"agent && willing"), material("M1.b", when+"'!agent && !willing'")), want: "S01.M1 when",
			good: matter("M1", "", material("M1.a", when+"agent && willing"), material("M1.b", when+"agent && !willing")), // agent is a common ground
		},
		"gap, options of a set": {
			rule: lint.Gap, bad: matter("M1", ", when: \"kind == 'person'\"", material("M1.a", "")) + matter("M2", ", when: \"kind == 'company'\"", material("M2.a", "")), want: "S01 when",
			good: matter("M1", "", material("M1.a", when+"\"'water' in utilities\""), material("M1.b", when+"\"'power' in utilities\"")),
		},
		"unreachable, after the end": {
			rule: lint.Unreachable, bad: matter("M1", "", material("M1.a", "chain: [{mode: form}, {mode: upload}]")), want: "S01.M1.a chain.2",
			good: matter("M1", "", material("M1.a", "chain: [{mode: form}]")),
		},
		"unreachable, all are taken": {
			rule: lint.Unreachable, bad: matter("M1", "", material("M1.a", "chain: [{mode: form, when: agent}, {mode: commit, when: '!agent'}, {mode: upload}]")), want: "S01.M1.a chain.3",
			good: matter("M1", "", material("M1.a", "chain: [{mode: form, when: agent}, {mode: upload}]")),
		},
		"unreachable, never true": {
			rule: lint.Unreachable, bad: matter("M1", "", material("M1.a", when+"agent, chain: [{mode: form, when: '!agent'}, {mode: upload}]")), want: "S01.M1.a chain.1",
			good: matter("M1", "", material("M1.a", "chain: [{mode: form, when: '!agent'}, {mode: upload}]")),
		},
		"unreachable, never asked": {
			rule: lint.Unreachable, bad: matter("M1", ", when: agent", material("M1.a", when+"'!agent'")), want: "S01.M1.a when",
			good: matter("M1", ", when: agent", material("M1.a", when+"willing")),
		},
		"unreachable, a result of another case": {
			rule: lint.Unreachable, bad: matter("M1", ", when: agent", material("M1.a", "")) + matter("M2", ", when: '!agent'", material("M2.a", "prior: [S01.M1], chain: [{mode: prior}, {mode: upload}]")), want: "S01.M2.a chain.1",
			good: matter("M1", ", when: agent", material("M1.a", "")) + matter("M2", "", material("M2.a", "prior: [S01.M1], chain: [{mode: prior}, {mode: upload}]")),
		},
		"undecided": {
			rule: lint.Undecided, bad: matter("M1", "", material("M1.a", when+"word.startsWith('a')")), want: "S01.M1.a chain",
			good: matter("M1", "", material("M1.a", when+"word == 'a'")),
		},
		"grant": {
			rule: lint.Grant, bad: matter("M1", "", material("M1.a", looksUp+"chain: [{mode: data}, {mode: upload}]")), want: "S01.M1.a proofs.1.lookups.1",
			good:     matter("M1", "", material("M1.a", looksUp+"chain: [{mode: data}, {mode: upload}]")),
			measures: [2]*lint.Measures{{Now: now, Grants: []policies.Grant{}}, grant(now.AddDate(1, 0, 0), every...)},
		},
		"grant, that ends": {
			rule: lint.Grant, bad: matter("M1", "", material("M1.a", looksUp+"chain: [{mode: data}, {mode: upload}]")), want: "S01.M1.a proofs.1.lookups.1",
			good:     matter("M1", "", material("M1.a", looksUp+"chain: [{mode: data}, {mode: upload}]")),
			measures: [2]*lint.Measures{grant(now.AddDate(0, 0, 29), every...), grant(now.AddDate(0, 0, 30), every...)},
		},
		"grant, of other fields": {
			rule: lint.Grant, bad: matter("M1", "", material("M1.a", looksUp+"chain: [{mode: data}, {mode: upload}]")), want: "S01.M1.a proofs.1.lookups.1",
			good:     strings.Replace(matter("M1", "", material("M1.a", looksUp+"chain: [{mode: data}, {mode: upload}]")), "department: GA", "department: SC", 1), // its own records
			measures: [2]*lint.Measures{grant(now.AddDate(1, 0, 0), "name"), grant(now.AddDate(1, 0, 0), "name")},
		},
		"source": {
			rule: lint.Source, bad: matter("M1", "", material("M1.a", "")), want: "SC.D-SC01.query sources", good: matter("M1", "", material("M1.a", "")),
			measures: [2]*lint.Measures{{Sources: []lint.SourceMeasure{{"SC.D-SC01.query", "D-SC01", 100, 6}}}, {Sources: []lint.SourceMeasure{{"SC.D-SC01.query", "D-SC01", 100, 5}}}},
		},
		"source, asked too seldom": {
			rule: lint.Source, bad: matter("M1", "", material("M1.a", "")), want: "SC.D-SC01.query sources", good: matter("M1", "", material("M1.a", "")),
			measures: [2]*lint.Measures{{Sources: []lint.SourceMeasure{{"SC.D-SC01.query", "D-SC01", 20, 20}}}, {Sources: []lint.SourceMeasure{{"SC.D-SC01.query", "D-SC01", 19, 19}}}},
		},
		"exempt": {
			rule: lint.Exempt, bad: matter("M1", "", material("M1.a", looksUp+"chain: [{mode: data}, {mode: upload}]")), want: "S01.M1.a chain", good: matter("M1", "", material("M1.a", looksUp+"chain: [{mode: data}, {mode: upload}]")),
			measures: [2]*lint.Measures{{Uploads: []lint.UploadMeasure{{"S01.M1.a", 200, 11}}}, {Uploads: []lint.UploadMeasure{{"S01.M1.a", 200, 10}}}},
		},
		"exempt, not said": {
			rule: lint.Exempt, bad: matter("M1", "", material("M1.a", "chain: [{mode: form}, {mode: upload}]")), want: "S01.M1.a chain", good: matter("M1", "", material("M1.a", "")),
			measures: [2]*lint.Measures{{Uploads: []lint.UploadMeasure{{"S01.M1.a", 200, 200}}}, {Uploads: []lint.UploadMeasure{{"S01.M1.a", 200, 200}}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := lint.Check(load(t, small(t, c.bad)), lint.Config{Measures: c.measures[0]})
			if diff := cmp.Diff([]string{c.want}, places(found, c.rule)); diff != "" {
				t.Errorf("the one that breaks it (-want +got)\n%s", diff)
			}
			for _, f := range found.Findings {
				if f.Reason == "" || f.File == "" || f.Suggestion == "" || f.Name == "" {
					t.Errorf("%+v does not say all", f)
				}
			}
			kept := lint.Check(load(t, small(t, c.good)), lint.Config{Measures: c.measures[1]})
			if diff := cmp.Diff([]string{}, places(kept, c.rule)); diff != "" {
				t.Errorf("the one that keeps it (-want +got)\n%s", diff)
			}
		})
	}
}

// TestLint_FindsAConflictOfLaw is apart because it stands at the one-thing.
func TestLint_FindsAConflictOfLaw(t *testing.T) {
	t.Parallel()
	files := small(t, matter("M1", "", material("M1.a", "")))
	if got := places(lint.Check(load(t, files), lint.Config{}), lint.Conflict); len(got) != 0 {
		t.Errorf("%v without a conflict", got)
	}
	replace(t, files, "one-things/S01.yaml", "lead: SC}", "lead: SC, variants: {conflict: 省条例与国务院条例不一致}}")
	report := lint.Check(load(t, files), lint.Config{})
	if diff := cmp.Diff([]string{"S01 variants.conflict"}, places(report, lint.Conflict)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func replace(t testing.TB, files fstest.MapFS, name, old, by string) {
	t.Helper()
	text := string(files[name].Data)
	if !strings.Contains(text, old) {
		t.Fatalf("%s does not hold %q", name, old)
	}
	files[name] = &fstest.MapFile{Data: []byte(strings.Replace(text, old, by, 1))}
}

// TestLint_SaysWhatWasNotMeasured holds that silence is never "fine".
func TestLint_SaysWhatWasNotMeasured(t *testing.T) {
	t.Parallel()
	rev := load(t, small(t, matter("M1", "", material("M1.a", ""))))
	if diff := cmp.Diff([]lint.Rule{lint.Grant, lint.Source, lint.Exempt}, lint.Check(rev, lint.Config{}).Unmeasured); diff != "" {
		t.Errorf("nothing measured (-want +got)\n%s", diff)
	}
	measures := &lint.Measures{Grants: []policies.Grant{}, Sources: []lint.SourceMeasure{}}
	if diff := cmp.Diff([]lint.Rule{lint.Exempt}, lint.Check(rev, lint.Config{Measures: measures}).Unmeasured); diff != "" {
		t.Errorf("no uploads measured (-want +got)\n%s", diff)
	}
}

// TestLint_AnUnknownFactIsAFault shows how a fault of loading reads as a finding.
func TestLint_AnUnknownFactIsAFault(t *testing.T) {
	t.Parallel()
	files := small(t, matter("M1", "", material("M1.a", when+"agency")))
	_, err := catalog.Load(files)
	var faults catalog.Faults
	if !errors.As(err, &faults) {
		t.Fatalf("%v, want faults", err)
	}
	found := lint.OfFaults(faults)
	if len(found) != 1 || found[0].Rule != "unknown-fact" || found[0].File != "one-things/S01.yaml" || found[0].Line != 6 || !strings.Contains(found[0].Reason, "agency") {
		t.Errorf("%+v", found)
	}
	if len(lint.Errors(found)) != 1 {
		t.Error("a fault does not block publishing")
	}
}

// TestLint_SettingsChangeSeverityThresholdsAndRisks holds what lint.yaml can say.
func TestLint_SettingsChangeSeverityThresholdsAndRisks(t *testing.T) {
	t.Parallel()
	files := small(t, matter("M1", "", material("M1.a", "name: 其他材料"), material("M1.b", "name: 房屋租赁承诺, chain: [{mode: commit, when: willing}, {mode: upload}]")))
	files["lint.yaml"] = &fstest.MapFile{Data: []byte(`format: mianti-catalog/1
kind: lint
severities: {vague: notice, risk: error}
thresholds: {failed_share: 0.5}
risks: [{name: 住房安全, words: [房屋租赁]}]
`)}
	report := lint.Check(load(t, files), lint.Config{Measures: &lint.Measures{Sources: []lint.SourceMeasure{{"SC.D-SC01.query", "D-SC01", 100, 50}}}})
	got := map[lint.Rule]lint.Severity{}
	for _, f := range report.Findings {
		got[f.Rule] = f.Severity
	}
	if diff := cmp.Diff(map[lint.Rule]lint.Severity{lint.Vague: lint.Notice, lint.Risk: lint.Error}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if len(lint.Errors(report.Findings)) != 1 || report.Open(lint.Error) != 1 {
		t.Error("want one that blocks")
	}
	replace(t, files, "lint.yaml", "vague: notice", `vague: "off"`)
	if got := places(lint.Check(load(t, files), lint.Config{}), lint.Vague); len(got) != 0 {
		t.Errorf("a rule that is off found %v", got)
	}
}

// TestLint_CountsAllAndKeepsSome holds that counts are exact however few are kept,
// and the same when the catalog is streamed one-thing by one-thing.
func TestLint_CountsAllAndKeepsSome(t *testing.T) {
	t.Parallel()
	files := small(t, matter("M1", "", material("M1.a", "name: 其他材料, origin: government, standard_material: STD-BL"), material("M1.b", "name: 相关材料, standard_material: STD-BL")))
	second := string(files["one-things/S01.yaml"].Data)
	files["one-things/S02.yaml"] = &fstest.MapFile{Data: []byte(strings.ReplaceAll(second, "S01", "S02"))}
	third := strings.ReplaceAll("format: mianti-catalog/1\nkind: one_thing\none_thing: {code: S01, name: 一件事, handling: mixed, lead: SC}\nmatters:\n"+
		matter("M1", "", material("M1.a", looksUp+"chain: [{mode: data}]")), "S01", "S03")
	files["one-things/S03.yaml"] = &fstest.MapFile{Data: []byte(third)}
	rev := load(t, files)
	all := lint.Check(rev, lint.Config{})
	some := lint.New(rev.Ground(), lint.Config{Keep: 1})
	for _, name := range []string{"one-things/S01.yaml", "one-things/S02.yaml", "one-things/S03.yaml"} {
		one, err := rev.Ground().Open(catalog.Part{Path: name, Content: files[name].Data})
		if err != nil {
			t.Fatal(err)
		}
		some.Look(one, one.OneThings()[0])
	}
	some.Ground(rev.Ground())
	report := some.Report()
	if diff := cmp.Diff(all.Counts, report.Counts); diff != "" {
		t.Errorf("counts of the stream (-whole +stream)\n%s", diff)
	}
	// What is proved only in the last one-thing is known of the first.
	if diff := cmp.Diff([]string{"S01.M1.a chain", "S01.M1.b chain", "S02.M1.a chain", "S02.M1.b chain"}, places(all, lint.Shared)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]string{"S01.M1.a chain"}, places(report, lint.Shared)); diff != "" {
		t.Errorf("kept (-want +got)\n%s", diff)
	}
	if report.Materials != 5 || report.Matters != 3 || report.OneThings != 3 {
		t.Errorf("looked at %d materials, %d matters, %d one-things", report.Materials, report.Matters, report.OneThings)
	}
}

// TestLint_AFixPutsRightWhatWasFound makes each suggested change and looks again.
func TestLint_AFixPutsRightWhatWasFound(t *testing.T) {
	t.Parallel()
	registers := strings.Replace(matter("M1", "", material("M1.a", "")), "result: {name: 证书}", "result: {name: 证书, dataset: D-SC01}", 1)
	files := small(t, registers+matter("M2", ", after: [S01.M1]",
		strings.Replace(material("M2.a", ""), "basis: [条例1], ", "", 1),
		material("M2.b", "name: 相关执照, standard_material: STD-BL, chain: [{mode: commit, when: willing}]"),
		material("M2.c", looksUp+"chain: [{mode: data}]"),
		material("M2.d", "name: 消防文件, chain: [{mode: commit, when: willing}, {mode: upload}]"),
		material("M2.e", "chain: [{mode: form}, {mode: upload}]"),
		material("M2.f", looksUp+"prior: [S01.M1]"),
	))
	report := lint.Check(load(t, files), lint.Config{})
	fixed := map[lint.Rule]bool{}
	for _, f := range report.Findings {
		if f.Fix == nil {
			continue
		}
		parts, faults := catalog.Apply(map[string][]byte{"one-things/S01.yaml": files["one-things/S01.yaml"].Data}, []catalog.Edit{*f.Fix})
		if len(faults) > 0 {
			t.Fatalf("%s %s: %v", f.Rule, f.Code, faults)
		}
		changed := fstest.MapFS{}
		for name, file := range files {
			changed[name] = file
		}
		for _, p := range parts {
			changed[p.Path] = &fstest.MapFile{Data: p.Content}
		}
		for _, again := range lint.Check(load(t, changed), lint.Config{}).Findings {
			if again.Rule == f.Rule && again.Code == f.Code {
				t.Errorf("%s of %s is there after its change: %s", f.Rule, f.Code, f.Fix.Value)
			}
		}
		fixed[f.Rule] = true
	}
	want := map[lint.Rule]bool{lint.Basis: true, lint.Vague: true, lint.Shared: true, lint.Prior: true, lint.Risk: true, lint.Unreachable: true, lint.Commit: true}
	if diff := cmp.Diff(want, fixed); diff != "" {
		t.Errorf("the rules with a change (-want +got)\n%s", diff)
	}
}

// TestRules_SayWhatTheyAre holds the texts, and the schema's list to the rules.
func TestRules_SayWhatTheyAre(t *testing.T) {
	t.Parallel()
	schema := string(catalog.Schema())
	for _, rule := range lint.Rules() {
		if rule.Name() == "" || rule.Definition() == "" || rule.Remedy() == "" || rule.Severity() == "" || !rule.Known() {
			t.Errorf("%s does not say what it is", rule)
		}
		if !strings.Contains(schema, `"`+string(rule)+`"`) {
			t.Errorf("lint.yaml cannot name %s", rule)
		}
	}
	if got := len(lint.FourRules()); got != 4 {
		t.Errorf("%d of the four rules", got)
	}
}
