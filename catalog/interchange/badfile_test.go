package interchange_test

import (
	"archive/zip"
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"

	"mianti/batch/table"
	"mianti/catalog"
	"mianti/catalog/interchange"
)

// zipOf packs files in their order; nil stands for 300 MiB of blanks.
func zipOf(t testing.TB, files ...any) []byte {
	t.Helper()
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	for i := 0; i < len(files); i += 2 {
		w, err := archive.Create(files[i].(string))
		if err != nil {
			t.Fatal(err)
		}
		content, given := files[i+1].([]byte)
		parts := 1
		if !given {
			content, parts = bytes.Repeat([]byte(" "), 1<<20), 300
		}
		for range parts {
			if err == nil {
				_, err = w.Write(content)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// sheetBomb is a workbook of a few kilobytes whose sheet unpacks to 300 MiB.
func sheetBomb(t testing.TB) []byte {
	return zipOf(t, "xl/workbook.xml", []byte(`<workbook xmlns:r="r"><sheets><sheet name="材料" r:id="a"/></sheets></workbook>`),
		"xl/_rels/workbook.xml.rels", []byte(`<Relationships><Relationship Id="a" Target="s.xml"/></Relationships>`), "xl/s.xml", nil)
}

func withMacros(t testing.TB) []byte {
	f := excelize.NewFile()
	if err := f.SetSheetRow("Sheet1", "A1", &[]any{"材料代码", "备注"}); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := f.Write(&out); err != nil {
		t.Fatal(err)
	}
	r, err := zip.NewReader(bytes.NewReader(out.Bytes()), int64(out.Len()))
	if err != nil {
		t.Fatal(err)
	}
	files := []any{"xl/vbaProject.bin", []byte("Sub AutoOpen()")}
	for _, one := range r.File {
		opened, err := one.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(opened)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, one.Name, content)
	}
	return zipOf(t, files...)
}

// TestImport_BadFilesAreRefusedAndChangeNothing has the files that people, and
// others, send: each is a table of errors by place, and no edit.
func TestImport_BadFilesAreRefusedAndChangeNothing(t *testing.T) {
	t.Parallel()
	s := ship(t)
	workbook := s.export(t, interchange.XLSX)
	locked, err := encrypted()
	if err != nil {
		t.Fatal(err)
	}
	twice := book(t, "材料", [][]any{{"材料代码", "备注"}, {"S01.M1.d", "甲"}, {"S01.M1.e", "乙"}, {"S01.M1.d", "丙"}})
	formula := book(t, "材料", [][]any{{"材料代码", "备注"}, {"S01.M1.d", nil}}, func(f *excelize.File) {
		if err := f.SetCellFormula("材料", "B2", `HYPERLINK("http://192.0.2.1")`); err != nil {
			t.Fatal(err)
		}
	})
	across := book(t, "材料", [][]any{{"材料代码", "材料名称", "备注"}, {"S01.M1.d", "甲", "乙"}}, func(f *excelize.File) {
		if err := f.MergeCell("材料", "B2", "C2"); err != nil {
			t.Fatal(err)
		}
	})
	for name, c := range map[string]struct {
		content []byte
		want    interchange.RowError // its code, and place where there is one
	}{
		"nothing":                   {nil, interchange.RowError{Code: "empty-file"}},
		"a cut off workbook":        {workbook[:len(workbook)/2], interchange.RowError{Code: "bad-archive"}},
		"a workbook with a gap":     {slices.Concat(workbook[:5000], workbook[5400:]), interchange.RowError{Code: "not-xlsx"}},
		"UTF-16":                    {[]byte("\xff\xfe\x50\x67"), interchange.RowError{Code: "charset"}},
		"a picture":                 {[]byte("\x89PNG\r\n\x1a\n\x00\x00"), interchange.RowError{Code: "not-a-list"}},
		"an encrypted workbook":     {locked, interchange.RowError{Code: "old-or-locked"}},
		"macros":                    {withMacros(t), interchange.RowError{Code: "macros"}},
		"a sheet of 300 MiB":        {sheetBomb(t), interchange.RowError{Sheet: "材料", Code: "unpacked"}},
		"a list of 300 MiB":         {zipOf(t, "材料.csv", nil), interchange.RowError{Code: "unpacked"}},
		"a catalog of 300 MiB":      {zipOf(t, "catalog.yaml", nil), interchange.RowError{Sheet: "zip", Row: 1, Code: "too-large"}},
		"the same code twice":       {twice, interchange.RowError{Sheet: "材料", Row: 4, Code: "duplicate-code"}},
		"a formula":                 {formula, interchange.RowError{Sheet: "材料", Row: 2, Column: "备注", Code: "formula"}},
		"cells merged across":       {across, interchange.RowError{Sheet: "材料", Row: 2, Column: "材料名称", Code: "merged-across"}},
		"no column that finds":      {[]byte("材料名称,备注\n甲,乙\n"), interchange.RowError{Row: 1, Code: "missing-column"}},
		"no heading":                {[]byte("甲,乙\n丙,丁\n"), interchange.RowError{Code: "unknown-sheet"}},
		"a column twice":            {[]byte("材料代码,材料名称,1.材料名称\nS01.M1.d,甲,乙\n"), interchange.RowError{Row: 1, Column: "1.材料名称", Code: "column-twice"}},
		"an open quotation":         {[]byte("材料代码,备注\nS01.M1.d,\"甲\n"), interchange.RowError{Code: "quotes"}},
		"a condition that is wrong": {[]byte("材料代码,材料必要性,适用条件\nS01.M1.d,非必要,premise == 'own'\n"), interchange.RowError{Row: 2, Column: "适用条件", Code: "unknown-fact"}},
		"a word nobody knows":       {[]byte("材料代码,来源渠道\nS01.M1.d,30\n"), interchange.RowError{Row: 2, Column: "来源渠道", Code: "unknown-word"}},
		"a matter nobody has":       {[]byte("材料代码,材料名称\nS77.M1.a,甲\n"), interchange.RowError{Row: 2, Column: "材料代码", Code: "unknown-matter"}},
		"broken YAML":               {[]byte("format: mianti-catalog/1\nkind: facts\nfacts: [\n"), interchange.RowError{Sheet: "facts.yaml", Row: 4, Code: "bad-yaml"}},
		"a thing twice in YAML":     {[]byte("format: mianti-catalog/1\nkind: standard_materials\nstandard_materials:\n  - {code: STD-X, name: 甲}\n  - {code: STD-X, name: 乙}\n"), interchange.RowError{Sheet: "standard-materials.yaml", Code: "duplicate-code"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := s.taken(t, c.content)
			if p.OK() || len(p.Edits) != 0 || len(p.Changes) != 0 {
				t.Fatalf("edits %d, errors %+v", len(p.Edits), p.Errors)
			}
			got := p.Errors[0]
			if got.Message == "" {
				t.Errorf("nothing is said: %+v", got)
			}
			got.Message, got.Remedy = "", ""
			if got != c.want {
				t.Errorf("%+v, want %+v", got, c.want)
			}
		})
	}
}

// encrypted is a workbook with a password, as Excel makes it.
func encrypted() ([]byte, error) {
	f := excelize.NewFile()
	var out bytes.Buffer
	err := f.Write(&out, excelize.Options{Password: "password"})
	return out.Bytes(), err
}

func TestImport_ReadsTheEncodingsOfSpreadsheetPrograms(t *testing.T) {
	t.Parallel()
	s := ship(t)
	const list = "材料代码,备注\r\nS01.M1.d,龘龘的住所\r\n"
	gb, err := simplifiedchinese.GB18030.NewEncoder().String(list)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"UTF-8": list, "with a mark": "\ufeff" + list, "GB 18030": gb} {
		if got := valueOf(t, s.taken(t, []byte(content)), catalog.ThingMaterial, "S01.M1.d")["note"]; got != "龘龘的住所" {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestExport_IsInertAndComesBackAsItWas has texts that a spreadsheet program would
// run, were they formulas.
func TestExport_IsInertAndComesBackAsItWas(t *testing.T) {
	t.Parallel()
	s := ship(t)
	const hostile = `=HYPERLINK("http://192.0.2.1","点")`
	s.files["one-things/S01.yaml"] = bytes.Replace(s.files["one-things/S01.yaml"], []byte("name: 公司章程"), []byte("name: '"+hostile+"'"), 1)
	var parts []catalog.Part
	for path, content := range s.files {
		parts = append(parts, catalog.Part{Path: path, Content: content})
	}
	var err error
	if s.rev, err = catalog.LoadParts(parts); err != nil {
		t.Fatal(err)
	}
	if s.base, err = interchange.BaseOf(s.rev, s.files); err != nil {
		t.Fatal(err)
	}
	workbook := s.export(t, interchange.XLSX)
	f, err := excelize.OpenReader(bytes.NewReader(workbook))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := f.GetRows("材料")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(rows, func(row []string) bool { return slices.Contains(row, "'"+hostile) }) {
		t.Error("the text is not there, or not inert")
	}
	for _, content := range [][]byte{workbook, s.export(t, interchange.CSV)} {
		if p := s.taken(t, content); !p.OK() || len(p.Edits) != 0 {
			t.Errorf("comes back with errors %+v, changes %+v", p.Errors, p.Changes)
		}
	}
}

// importFile is a file that the child of TestImport_MemoryIsBounded imports.
var importFile = flag.String("import", "", "a file to import, by a child of a test")

func TestImportsOneFile(t *testing.T) {
	if *importFile == "" {
		t.Skip("only for the child of TestImport_MemoryIsBounded")
	}
	content, err := os.ReadFile(*importFile)
	if err != nil {
		t.Fatal(err)
	}
	told := 0
	p, err := interchange.Import(ship(t).base, content, func(rows int) { told = rows })
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("errors=%d edits=%d told=%d code=%s kib=%d\n", p.ErrorCount, len(p.Edits), told, p.Errors[0].Code, highest(t))
}

// highest gives how many KiB of memory the process had at its highest.
func highest(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kib := 0
	if _, err := fmt.Sscanf(rest, "%d kB", &kib); err != nil {
		t.Fatal(err)
	}
	return kib
}

// TestImport_MemoryIsBounded imports what is meant to fill the memory in a process of
// its own, and asks the system how much that took at its highest.
func TestImport_MemoryIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes and reads a million rows")
	}
	t.Parallel()
	const most = 400 << 10 // KiB: the shipped catalog alone takes a quarter of it
	for name, c := range map[string]struct {
		content []byte
		want    string
	}{
		"a million rows of CSV":          {millionRows(t, false), "errors=1000000 edits=0 told=1000000 code=unknown-thing"},
		"a million rows of a workbook":   {millionRows(t, true), "errors=1000000 edits=0 told=1000000 code=unknown-thing"},
		"a million rows of one material": {[]byte("材料代码,备注\n" + strings.Repeat("S01.M1.d,甲\n", 1_000_000)), "errors=999999 edits=0 told=1000000 code=duplicate-code"},
		"a bomb":                         {sheetBomb(t), "errors=1 edits=0 told=0 code=unpacked"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "file")
			if err := os.WriteFile(file, c.content, 0o600); err != nil {
				t.Fatal(err)
			}
			child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestImportsOneFile$", "-import="+file)
			out, err := child.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			kib := 0
			if _, after, ok := strings.Cut(string(out), "kib="); ok {
				_, err = fmt.Sscanf(after, "%d", &kib)
			}
			if err != nil || kib == 0 || kib > most {
				t.Errorf("took %d MiB at its highest, want at most %d (%v)", kib>>10, most>>10, err)
			}
			t.Logf("%d bytes: %d MiB, %v; %s", len(c.content), kib>>10, child.ProcessState.UserTime(), out)
			if !strings.Contains(string(out), c.want) {
				t.Errorf("%s, want %s", out, c.want)
			}
		})
	}
}

// millionRows removes a million materials that nobody has: each row is an error, and
// has to be remembered, for it could come again.
func millionRows(t testing.TB, workbook bool) []byte {
	sheet := table.Sheet{Name: "材料", Heading: []string{"材料代码", "操作"}, Rows: func(yield func([]string, error) bool) {
		for i := range 1_000_000 {
			if !yield([]string{fmt.Sprintf("S01.M1.z%d", i), "删除"}, nil) {
				return
			}
		}
	}}
	var out bytes.Buffer
	write := table.WriteCSV
	if workbook {
		write = func(to io.Writer, s table.Sheet) error { return table.Write(to, s) }
	}
	if err := write(&out, sheet); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
