package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

// newCatalogDatabase has the shipped catalog as its first revision.
func newCatalogDatabase(t *testing.T) (flag, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "mianti.db")
	flag = "--database=sqlite:" + path
	mianti(t, 0, "migrate", flag)
	mianti(t, 0, "catalog", "load", "../../examples/jinan", flag)
	return flag, path
}

func TestCatalogExport_ThenImportIsNoChange(t *testing.T) {
	t.Parallel()
	database, _ := newCatalogDatabase(t)
	for _, source := range []string{database, "--catalog=../../examples/jinan"} {
		for _, name := range []string{"all.xlsx", "all.zip", "one.csv"} {
			file := filepath.Join(t.TempDir(), name)
			args := []string{"catalog", "export", source, file}
			if name == "one.csv" {
				args = append(args, "--kind=材料")
			}
			mianti(t, 0, args...)
			if text := mianti(t, 0, "catalog", "import", source, file); !strings.Contains(text, "与目录没有不同") {
				t.Errorf("%s %s comes back as:\n%s", source, name, text)
			}
		}
	}
}

func TestCatalogImport_PrintsTheErrorsAndWritesTheEdits(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	list, out := filepath.Join(dir, "list.csv"), filepath.Join(dir, "edits.yaml")
	save := func(text string) {
		t.Helper()
		if err := os.WriteFile(list, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	save("材料代码,来源渠道,备注\nS01.M1.d,天上,甲\n")
	text := mianti(t, 1, "catalog", "import", "--catalog=../../examples/jinan", list, "--edits="+out)
	for _, want := range []string{"来源渠道", "“天上”", "请填：申请人自备、政府部门核发、其他", "没有改动任何内容"} {
		if !strings.Contains(text, want) {
			t.Errorf("does not say %q:\n%s", want, text)
		}
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("edits were written of a file with errors")
	}
	save("材料代码,备注\nS01.M1.d,甲\n")
	mianti(t, 0, "catalog", "import", "--catalog=../../examples/jinan", list, "--edits="+out)
	content, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if text := string(content); !strings.HasPrefix(text, "- kind: material\n  code: S01.M1.d\n  value:\n") || !strings.Contains(text, "note: 甲\n") {
		t.Errorf("written:\n%s", text)
	}
}

// TestCatalogImport_GivesTheGrantsThatAreNotGivenYet takes the grants of one database
// to another as a workbook.
func TestCatalogImport_GivesTheGrantsThatAreNotGivenYet(t *testing.T) {
	t.Parallel()
	from, _ := newCatalogDatabase(t)
	to, path := newCatalogDatabase(t)
	mianti(t, 0, "grant", "from-catalog", from)
	file := filepath.Join(t.TempDir(), "grants.xlsx")
	mianti(t, 0, "catalog", "export", from, "--kind=授权", file)
	if text := mianti(t, 0, "catalog", "import", from, file); strings.Contains(text, "待给予") {
		t.Errorf("grants that are there are to be given again:\n%s", text)
	}
	if text := mianti(t, 0, "catalog", "import", to, file); !strings.Contains(text, "项共享授权待给予") {
		t.Errorf("says:\n%s", text)
	}
	if text := mianti(t, 0, "grant", "list", to); !strings.Contains(text, "没有这样的共享授权") {
		t.Fatalf("a preview gave grants:\n%s", text)
	}
	mianti(t, 0, "catalog", "import", to, file, "--grants=自旧平台转入")
	want := strings.Count(mianti(t, 0, "grant", "list", from), "catalog:")
	if got := strings.Count(mianti(t, 0, "grant", "list", to), "catalog:"); got != want || want == 0 {
		t.Errorf("%d grants, want %d", got, want)
	}
	wantWhy(t, path, strings.TrimSpace(strings.Repeat("grant_given ", want)), "自旧平台转入")
	if text := mianti(t, 0, "catalog", "import", to, file); strings.Contains(text, "待给予") {
		t.Errorf("what was given is to be given again:\n%s", text)
	}
	f, err := excelize.OpenFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.SetCellValue("授权", "G2", "2020-01-01"); err != nil { // from: 起始日期
		t.Fatal(err)
	}
	if err := f.Save(); err != nil {
		t.Fatal(err)
	}
	if text := mianti(t, 1, "catalog", "import", to, file, "--grants=x"); !strings.Contains(text, "授权不能用表格更改") {
		t.Errorf("a grant that differs:\n%s", text)
	}
}

func TestCatalogExport_WritesDCATAndKeepsTheOldFileWhenItFails(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "datasets.jsonld")
	mianti(t, 0, "catalog", "export", "--catalog=../../examples/jinan", "--base=https://mianti.example", file)
	before, err := os.ReadFile(file)
	if err != nil || !bytes.Contains(before, []byte(`"@id": "https://mianti.example/v1/datasets/D-GA01"`)) {
		t.Fatalf("%v\n%.300s", err, before)
	}
	mianti(t, 1, "catalog", "export", "--catalog=../../examples/jinan", "--format=csv", "--kind=没有的", file)
	after, err := os.ReadFile(file)
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("the old file is gone (%v)", err)
	}
}
