package lint_test

import (
	"errors"
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/catalog/lint"
)

// TestLint_ExplainedIsShownAndNotOpen holds the nearest explanation, and that one
// without a finding is itself reported.
func TestLint_ExplainedIsShownAndNotOpen(t *testing.T) {
	t.Parallel()
	files := small(t, matter("M1", "", material("M1.a", "name: 其他材料"), material("M1.b", "name: 相关材料"))+matter("M2", "", material("M2.a", "name: 有关材料")))
	files["lint.yaml"] = &fstest.MapFile{Data: []byte(`format: mianti-catalog/1
kind: lint
explained:
  - {code: E1, rule: vague, at: [S01.M1], why: 整个事项, by: 甲, on: "2026-01-01"}
  - {code: E2, rule: vague, at: [S01.M1.b], key: name, why: 这一份, by: 乙}
  - {code: E3, rule: basis, at: [S01.M1], why: 没有这样的发现, by: 丙}
`)}
	report := lint.Check(load(t, files), lint.Config{})
	if diff := cmp.Diff([]string{"(S01.M1.a name)", "(S01.M1.b name)", "S01.M2.a name"}, places(report, lint.Vague)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if a, b := report.Findings[0].Explained, report.Findings[1].Explained; *a != (lint.Explanation{Why: "整个事项", By: "甲", On: "2026-01-01"}) || b.Why != "这一份" {
		t.Errorf("%+v %+v", a, b)
	}
	if diff := cmp.Diff([]string{"E3 at.1"}, places(report, lint.Unexplained)); diff != "" {
		t.Errorf("explained and not there (-want +got)\n%s", diff)
	}
	for _, n := range report.Counts {
		if n.Rule == lint.Vague && (n.Open != 1 || n.Explained != 2) {
			t.Errorf("%+v, want one open and two explained", n)
		}
	}
	content, err := fs.ReadFile(files, "lint.yaml")
	if err != nil {
		t.Fatal(err)
	}
	lint.Locate(report.Findings, map[string][]byte{"lint.yaml": content, "one-things/S01.yaml": files["one-things/S01.yaml"].Data})
	if last := report.Findings[len(report.Findings)-1]; last.Line != 6 {
		t.Errorf("the third explanation is in line %d, want 6", last.Line)
	}
	if report.Findings[0].Line != 6 || report.Findings[2].Line != 9 {
		t.Errorf("materials in lines %d and %d, want 6 and 9", report.Findings[0].Line, report.Findings[2].Line)
	}
}

// TestExplain_ClosesAFindingAndIsTakenBack goes there and back by edits of lint.yaml,
// which is not there at first.
func TestExplain_ClosesAFindingAndIsTakenBack(t *testing.T) {
	t.Parallel()
	files := small(t, matter("M1", "", material("M1.a", "name: 其他材料")))
	found := lint.Check(load(t, files), lint.Config{}).Findings
	edit, err := lint.Explain(&found[0], lint.Explanation{Why: "法律用语", By: "标准科", On: "2026-01-01"})
	if err != nil {
		t.Fatal(err)
	}
	apply(t, files, edit)
	report := lint.Check(load(t, files), lint.Config{})
	if diff := cmp.Diff([]string{"(S01.M1.a name)"}, places(report, lint.Vague)); diff != "" {
		t.Errorf("explained (-want +got)\n%s", diff)
	}
	if got := report.Findings[0].Explained; *got != (lint.Explanation{Why: "法律用语", By: "标准科", On: "2026-01-01"}) {
		t.Errorf("%+v", got)
	}
	replace(t, files, "one-things/S01.yaml", "name: 其他材料", "name: 合同")
	report = lint.Check(load(t, files), lint.Config{})
	if diff := cmp.Diff([]string{"vague-S01.M1.a-name at.1"}, places(report, lint.Unexplained)); diff != "" {
		t.Fatalf("left over (-want +got)\n%s", diff)
	}
	apply(t, files, *report.Findings[0].Fix)
	if left := lint.Check(load(t, files), lint.Config{}).Findings; len(left) != 0 {
		t.Errorf("%+v", left)
	}
}

// apply makes an edit in the files.
func apply(t testing.TB, files fstest.MapFS, edit catalog.Edit) {
	t.Helper()
	path := catalog.PathOf(edit)
	before := map[string][]byte{}
	if f := files[path]; f != nil {
		before[path] = f.Data
	}
	parts, faults := catalog.Apply(before, []catalog.Edit{edit})
	if len(faults) > 0 || len(parts) != 1 {
		t.Fatalf("%v %v", parts, faults)
	}
	files[path] = &fstest.MapFile{Data: parts[0].Content}
}

// TestLint_RefusesTwoExplanationsOfOneCode: which of them is meant could not be told.
func TestLint_RefusesTwoExplanationsOfOneCode(t *testing.T) {
	t.Parallel()
	files := small(t, matter("M1", "", material("M1.a", "")))
	files["lint.yaml"] = &fstest.MapFile{Data: []byte("format: mianti-catalog/1\nkind: lint\nexplained:\n  - {code: E1, rule: vague, at: [S01], why: 甲, by: 乙}\n  - {code: E1, rule: gap, at: [S01], why: 甲, by: 乙}\n")}
	_, err := catalog.Load(files)
	var faults catalog.Faults
	if !errors.As(err, &faults) || len(faults) != 1 || faults[0].Code != "duplicate-code" || faults[0].Line != 5 {
		t.Errorf("%v", err)
	}
}
