package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"mianti/catalog/interchange"
	"mianti/store"
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

func TestCatalogImport_EditsBeginADraft(t *testing.T) {
	t.Parallel()
	database, _ := newCatalogDatabase(t)
	list, out := filepath.Join(t.TempDir(), "list.csv"), filepath.Join(t.TempDir(), "edits.yaml")
	if err := os.WriteFile(list, []byte("材料代码,材料名称,操作\nS01.M1.d,住所使用证明,\nS01.M1.e,,删除\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if text := mianti(t, 0, "catalog", "import", database, list, "--edits="+out); !strings.Contains(text, "依据目录修订 1") {
		t.Errorf("says:\n%s", text)
	}
	if text := mianti(t, 0, "catalog", "draft", "create", database, "--title=清单调整", "--base=1", out); !strings.Contains(text, "清单调整") {
		t.Errorf("the draft:\n%s", text)
	}
	if text := mianti(t, 0, "catalog", "import", database, list, "--draft=一步到位"); !strings.Contains(text, "一步到位（编辑中），改 2 项") || !strings.Contains(text, "清单调整") {
		t.Errorf("a draft at once, told of the other:\n%s", text)
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

// TestInterchange_OfACatalogThatIsNotHeldWhole has the shipped catalog with room for
// one material in memory: exports stream it, and a list is compared with the files
// that it is about.
func TestInterchange_OfACatalogThatIsNotHeldWhole(t *testing.T) {
	t.Parallel()
	_, path := newCatalogDatabase(t)
	db, err := store.Open(t.Context(), store.Config{URL: "sqlite:" + path, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	whole := &interchange.Desk{Catalogs: store.NewCatalogs(db), Files: db}
	part := &interchange.Desk{Catalogs: store.NewCatalogsHolding(db, 1), Files: db}
	if rev, err := part.Catalogs.Current(t.Context()); err != nil || rev.Whole() {
		t.Fatalf("the catalog is held whole (%v)", err)
	}
	for _, wish := range []interchange.Wish{
		{Format: interchange.CSV, Sheets: []string{"材料"}}, {Format: interchange.CSV, Sheets: []string{"映射"}}, {Format: interchange.CSV, Sheets: []string{"事项"}},
	} {
		var want, got bytes.Buffer
		for desk, to := range map[*interchange.Desk]*bytes.Buffer{whole: &want, part: &got} {
			if err := desk.Export(t.Context(), wish, to); err != nil {
				t.Fatal(err)
			}
		}
		if a, b := sortedLines(want.String()), sortedLines(got.String()); !slices.Equal(a, b) {
			t.Errorf("%v: other rows than of the whole", wish.Sheets)
		}
		if p, number, err := part.Preview(t.Context(), 0, want.Bytes(), nil); err != nil || number != 1 || !p.OK() || len(p.Edits) != 0 {
			t.Errorf("%v comes back as %+v (%v)", wish.Sheets, p, err)
		}
	}
	for list, check := range map[string]func(p *interchange.Preview) bool{
		"实施编码,材料名称,备注\n" + implementationOf(t, whole, "S02.M2") + ",变更登记申请书,甲\n": func(p *interchange.Preview) bool {
			return p.OK() && len(p.Edits) == 1 && p.Edits[0].Code == "S02.M2.a"
		},
		"材料代码,前序事项\nS01.M1.d,S02.M1\n": func(p *interchange.Preview) bool {
			return len(p.Edits) == 0 && p.ErrorCount == 1 && p.Errors[0].Row == 2
		},
	} {
		if p, _, err := part.Preview(t.Context(), 0, []byte(list), nil); err != nil || !check(p) {
			t.Errorf("%s: %+v (%v)", list, p, err)
		}
	}
}

func sortedLines(text string) []string { return slices.Sorted(strings.SplitSeq(text, "\r\n")) }

func implementationOf(t *testing.T, desk *interchange.Desk, matter string) string {
	t.Helper()
	rev, err := desk.Catalogs.Current(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return rev.Matter(matter).ImplementationCode
}
