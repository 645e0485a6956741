package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mianti/catalog"
	"mianti/catalog/reduction"
	"mianti/effect"
	"mianti/examples/jinan"
	"mianti/exchange"
)

// wantRerunAs works a case out as effects do, under the revision at which it was made: it
// comes to what was answered. Where a matter was decided, the answer says no more than
// that, and the rerun says what was asked for.
func wantRerunAs(t *testing.T, d *demo, r *exchange.Resolution) {
	t.Helper()
	decided := func(m exchange.MatterState) bool {
		return m.State == catalog.StateGranted || m.State == catalog.StateRefused
	}
	if slices.ContainsFunc(r.Matters, decided) {
		return
	}
	inputs, err := d.node.store.CaseInputs(t.Context(), r.Case)
	if err != nil {
		t.Fatal(err)
	}
	subject := r.OneThing
	if subject == "" {
		subject = r.Matters[0].Code
	}
	rerun, err := exchange.RerunCase(d.catalog, exchange.PastCase{ID: r.Case, Department: inputs[0].Department, Subject: subject}, inputs)
	if err != nil {
		t.Fatal(err)
	}
	papers := 0
	for _, m := range rerun.Materials {
		if m.Paper {
			papers++
		}
		if was := outcomeOf(r, m.Code, m.Party); string(m.Outcome) != was {
			t.Errorf("%s of %q: rerun as %s, answered %s", m.Code, m.Party, m.Outcome, was)
		}
	}
	if papers != len(r.Papers) {
		t.Errorf("rerun with %d papers, answered with %d", papers, len(r.Papers))
	}
}

func outcomeOf(r *exchange.Resolution, code, party string) string {
	for _, m := range r.Materials {
		of := ""
		if m.Subject != nil {
			of = m.Subject.Party
		}
		if slices.Contains(m.UsedBy, code) && of == party {
			return string(m.Outcome)
		}
	}
	return "nothing"
}

// loaded gives the setting of a database with the shipped catalog.
func loaded(t *testing.T) string {
	t.Helper()
	database := "--database=sqlite:" + t.TempDir() + "/catalog.db"
	mianti(t, 0, "migrate", database)
	mianti(t, 0, "catalog", "load", database)
	return database
}

func TestCatalogEffect_MeasuresAFolderAndEdits(t *testing.T) {
	t.Parallel()
	database, dir := loaded(t), t.TempDir()
	if err := os.CopyFS(dir, jinan.Files); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "one-things", "S10.yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), "        name: 成立可行性报告\n        kind: other\n        need: required\n", "        name: 成立可行性报告\n        kind: other\n        need: conditional\n        when: so_kind == 'foundation'\n", 1)
	if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, says := range []string{"S10.M1.a 成立可行性报告", "何时要", "须提交 → 不适用", "没有重算办件"} {
		if out := mianti(t, 0, "catalog", "effect", database, dir); !strings.Contains(out, says) {
			t.Errorf("the effect does not say %q:\n%s", says, out)
		}
	}

	edits := filepath.Join(dir, "edits.json")
	if err := os.WriteFile(edits, []byte(`[{"kind": "material", "code": "S10.M1.a", "value": null}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	var got effect.Effect
	if err := json.Unmarshal([]byte(mianti(t, 0, "catalog", "effect", database, "--edits="+edits, "--json", "--cases=0")), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Changes) != 1 || got.Changes[0].Kind != catalog.ThingRemoved || got.Changes[0].Material != "S10.M1.a" {
		t.Errorf("changes %+v, want that S10.M1.a is gone", got.Changes)
	}
	made := mianti(t, 0, "catalog", "draft", "create", database, "--title=取消可行性报告", edits)
	id := regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`).FindString(made)
	if out := mianti(t, 0, "catalog", "effect", database, "--draft="+id); !strings.Contains(out, "删除 S10.M1.a 成立可行性报告") {
		t.Errorf("the effect of draft %q:\n%s", id, out)
	}
	mianti(t, 1, "catalog", "effect", database, "--edits="+edits, "--cases=10001")
	mianti(t, 1, "catalog", "effect", database, "--after=9")
}

// The figures of S10 are counted by hand in catalog/reduction.
func TestCatalogReport_IsTheSameInEveryFormat(t *testing.T) {
	t.Parallel()
	database := loaded(t)
	var report reduction.Report
	if err := json.Unmarshal([]byte(mianti(t, 0, "catalog", "report", database, "--format=json")), &report); err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(report.ByOneThing, func(r reduction.ReportRow) bool { return r.Code == "S10" })
	if i < 0 || report.ByOneThing[i].Reduced != 27 || report.ByOneThing[i].Still != 2 || report.ByOneThing[i].StepsReduced != 14 {
		t.Errorf("S10 is %+v, want 27 fewer, 2 left, 14 steps fewer", report.ByOneThing[i])
	}
	if out := mianti(t, 0, "catalog", "report", database, "--before=1"); !strings.Contains(out, "15→1") || !strings.Contains(out, "2（+0）") || !strings.Contains(out, "口径") {
		t.Errorf("the table is\n%s", out)
	}
	if out := mianti(t, 0, "catalog", "report", database, "--format=xlsx"); !strings.HasPrefix(out, "PK") {
		t.Error("the workbook is none")
	}
	if out := mianti(t, 0, "catalog", "report", database, "--format=svg"); !strings.Contains(out, "29 → 2</text>") {
		t.Error("the chart lacks the bar of S10")
	}
}
