package snapshot_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"mianti/connectors/snapshot"
)

// headings are those of the CSV files of these tests.
func headings() []any {
	var out []any
	for name := range strings.SplitSeq(strings.TrimSpace(heading), ",") {
		out = append(out, name)
	}
	return out
}

// book makes an XLSX file; change may do to it what a row cannot.
func book(t *testing.T, change func(*excelize.File), rows ...[]any) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	for i, row := range append([][]any{headings()}, rows...) {
		if err := f.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &row); err != nil {
			t.Fatal(err)
		}
	}
	if change != nil {
		change(f)
	}
	var out bytes.Buffer
	if err := f.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func goodCells() []any {
	return []any{"冯涛", feng, "否", "工程师", 12.5, true, "2029-11-23", "甲、乙", "x"}
}

func xlsxFile(content []byte) snapshot.File {
	return snapshot.File{Name: "a.xlsx", Content: bytes.NewReader(content), Size: int64(len(content))}
}

// repacked writes the parts of an XLSX file anew, each as change says.
func repacked(t *testing.T, content []byte, change func(name string, text []byte) (string, []byte)) []byte {
	t.Helper()
	from, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	to := zip.NewWriter(&out)
	for _, part := range from.File {
		reader, err := part.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(reader)
		if err != nil {
			t.Fatal(err)
		}
		name, text := change(part.Name, text)
		put(t, to, name, text)
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func put(t *testing.T, to *zip.Writer, name string, text []byte) {
	t.Helper()
	part, err := to.Create(name)
	if err == nil {
		_, err = part.Write(text)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// withSheet changes the text of the first sheet.
func withSheet(t *testing.T, content []byte, from, to string) []byte {
	t.Helper()
	changed := false
	out := repacked(t, content, func(name string, text []byte) (string, []byte) {
		if name == "xl/worksheets/sheet1.xml" {
			changed = bytes.Contains(text, []byte(from))
			text = bytes.Replace(text, []byte(from), []byte(to), 1)
		}
		return name, text
	})
	if !changed {
		t.Fatalf("the sheet does not hold %q", from)
	}
	return out
}

func TestRead_ReadsASheetAsItReadsText(t *testing.T) {
	t.Parallel()
	day := time.Date(2029, 11, 23, 0, 0, 0, 0, time.UTC)
	dated := goodCells()
	dated[6] = day
	for name, content := range map[string][]byte{
		"texts":          book(t, nil, goodCells()),
		"a date as one":  book(t, nil, dated),
		"an empty row":   book(t, nil, []any{}, goodCells()),
		"cells of style": book(t, func(f *excelize.File) { _ = f.SetCellStr("Sheet1", "C9", "") }, goodCells()),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rows, err := readAll(t, xlsxFile(content), source())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]snapshot.Row{goodRow()}, rows); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRead_ReadsTheSheetThatTheCatalogNames(t *testing.T) {
	t.Parallel()
	content := book(t, func(f *excelize.File) {
		if err := f.SetSheetName("Sheet1", "名单"); err != nil {
			t.Error(err)
		}
		if _, err := f.NewSheet("说明"); err != nil {
			t.Error(err)
		}
	}, goodCells())
	for sheet, want := range map[string]string{"": "", "名单": "", "说明": snapshot.CodeHeading, "没有": snapshot.CodeFile} {
		s := source()
		s.Snapshot.Sheet = sheet
		if _, err := readAll(t, xlsxFile(content), s); want == "" && err != nil {
			t.Errorf("sheet %q: %v", sheet, err)
		} else if want != "" {
			wantErrors(t, err, want)
		}
	}
}

func TestRead_RefusesCellsThatAreNotWhatTheySeem(t *testing.T) {
	t.Parallel()
	with := func(place int, value any) []any {
		cells := goodCells()
		cells[place] = value
		return cells
	}
	for _, c := range []struct {
		name    string
		content []byte
		want    string
	}{
		{"a number for a number of identity", book(t, nil, with(1, 370199198601121535)), snapshot.CodeDigits},
		{"a number for a text", book(t, nil, with(3, 7)), snapshot.CodeValue},
		{"a number for a date", book(t, nil, with(6, 20291123)), snapshot.CodeValue},
		{"a truth for a number", book(t, nil, with(4, true)), snapshot.CodeValue},
		{"a formula", book(t, func(f *excelize.File) { _ = f.SetCellFormula("Sheet1", "E2", "1+1") }, goodCells()), snapshot.CodeFormula},
		{"a formula beside", book(t, func(f *excelize.File) { _ = f.SetCellFormula("Sheet1", "I2", "A1") }, goodCells()), snapshot.CodeFormula},
		{"an error", withSheet(t, book(t, nil, goodCells()), `<c r="E2"><v>12.5</v>`, `<c r="E2" t="e"><v>#N/A</v>`), snapshot.CodeCellError},
		{"an error for a truth", withSheet(t, book(t, nil, goodCells()), `<c r="F2" t="b"><v>1</v>`, `<c r="F2" t="e"><v>#N/A</v>`), snapshot.CodeCellError},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := readAll(t, xlsxFile(c.content), source())
			if all := wantErrors(t, err, c.want); all[0].Row != 2 || all[0].Column == "" {
				t.Errorf("it is said to be at row %d, column %q", all[0].Row, all[0].Column)
			}
		})
	}
}

func TestRead_RefusesSheetsThatBreakOff(t *testing.T) {
	t.Parallel()
	whole := book(t, nil, goodCells(), goodCells())
	deep := strings.Repeat("<a>", 1<<18)
	for _, c := range []struct{ name, from, to string }{
		{"no end", "</sheetData>", ""},
		{"an end in the middle", `<row r="3">`, `</sheetData><row r="3">`},
		{"broken XML", `<row r="3">`, `<row r="3"><`},
		{"rows out of order", `<row r="3">`, `<row r="2">`},
		{"a row that is not there", `<row r="3">`, `<row r="9999999">`},
		{"cells out of order", `<c r="B3"`, `<c r="A3"`},
		{"a cell of another row", `<c r="B3"`, `<c r="B2"`},
		{"a cell far off", `<c r="I3"`, `<c r="XFD3"`},
		{"a text that is not there", `<c r="D3" t="s"><v>`, `<c r="D3" t="s"><v>9`},
		{"nested deep between rows", `<row r="3">`, deep},
		{"nested deep before the rows", `<sheetData>`, deep + `<sheetData>`},
		{"a million rows of nothing", "</sheetData>", strings.Repeat("<row/>", 1_048_573) + "</sheetData>"},
		{"a declaration", `<worksheet`, `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><worksheet`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := readAll(t, xlsxFile(withSheet(t, whole, c.from, c.to)), source())
			want := snapshot.CodeFile
			if strings.Contains(c.name, "million") {
				want = snapshot.CodeRows
			}
			wantErrors(t, err, want)
		})
	}
}

func TestRead_RefusesArchivesThatDoHarm(t *testing.T) {
	t.Parallel()
	whole := book(t, nil, goodCells())
	added := func(name string, more int, text []byte) []byte {
		return repackedWith(t, whole, func(to *zip.Writer) {
			for i := range more {
				put(t, to, strings.Replace(name, "#", fmt.Sprint(i), 1), text)
			}
		})
	}
	strung := func(more int) []byte {
		return repacked(t, whole, func(name string, text []byte) (string, []byte) {
			if name == "xl/sharedStrings.xml" {
				text = bytes.Replace(text, []byte("</sst>"), []byte(strings.Repeat("<si><t>a</t></si>", more)+"</sst>"), 1)
			}
			return name, text
		})
	}
	link := repackedWith(t, whole, func(to *zip.Writer) {
		header := &zip.FileHeader{Name: "xl/link"}
		header.SetMode(0o777 | 1<<27) // fs.ModeSymlink
		if _, err := to.CreateHeader(header); err != nil {
			t.Fatal(err)
		}
	})
	lying := bytes.Clone(whole)
	lower(lying)
	for _, c := range []struct {
		name    string
		content []byte
		want    string
	}{
		{"a name that leads out", added("../evil#", 1, nil), snapshot.CodeFile},
		{"a name from the root", added("/etc/evil#", 1, nil), snapshot.CodeFile},
		{"a name with another slash", added(`xl\evil#`, 1, nil), snapshot.CodeFile},
		{"one name twice", added("XL/worksheets/SHEET1.xml", 1, nil), snapshot.CodeFile},
		{"a link", link, snapshot.CodeFile},
		{"many parts", added("xl/part#", 1001, nil), snapshot.CodeFile},
		{"very many parts", added("xl/part#", 25_000, nil), snapshot.CodeFile}, // their list is longer than 1 MiB
		{"very many texts", strung(200_000), snapshot.CodeSize},
		{"a bomb", added("xl/worksheets/sheet9.xml", 1, make([]byte, 65<<20)), snapshot.CodeSize},
		{"a part larger than it says", lying, snapshot.CodeFile},
		{"half a file", whole[:len(whole)/2], snapshot.CodeFile},
		{"text", []byte(heading), snapshot.CodeFile},
		{"nothing", nil, snapshot.CodeFile},
		{"an encrypted one", append([]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), whole...), snapshot.CodeFile},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := readAll(t, xlsxFile(c.content), source())
			wantErrors(t, err, c.want)
		})
	}
}

// repackedWith adds parts to an XLSX file.
func repackedWith(t *testing.T, content []byte, add func(*zip.Writer)) []byte {
	t.Helper()
	from, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	to := zip.NewWriter(&out)
	for _, part := range from.File {
		if err := to.Copy(part); err != nil {
			t.Fatal(err)
		}
	}
	add(to)
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// lower makes the list of parts say that each part is ten bytes long.
func lower(content []byte) {
	for at := 0; ; at += 4 {
		next := bytes.Index(content[at:], []byte("PK\x01\x02"))
		if next < 0 {
			return
		}
		at += next
		copy(content[at+24:], []byte{10, 0, 0, 0}) // the length when unpacked
	}
}

// TestRead_LeavesNothingOfALargeSheetBehind reads a sheet that the library
// unpacks into a file, since it is too large for the memory.
func TestRead_LeavesNothingOfALargeSheetBehind(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	long := strings.Repeat("长", 4000)
	row := goodCells()
	row[3] = long
	f := excelize.NewFile()
	defer f.Close()
	to, err := f.NewStreamWriter("Sheet1")
	if err != nil {
		t.Fatal(err)
	}
	const rows = 1450 // of 12 KB each
	for i := range rows + 1 {
		cells := row
		if i == 0 {
			cells = headings()
		}
		if err := to.SetRow(fmt.Sprintf("A%d", i+1), cells); err != nil {
			t.Fatal(err)
		}
	}
	if err := to.Flush(); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := f.Write(&out); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	read := 0
	_, err = snapshot.Read(t.Context(), xlsxFile(out.Bytes()), dataset(), source(), func(r snapshot.Row) error {
		if r.Fields["title"] == long {
			read++
		}
		return nil
	})
	if err != nil || read != rows {
		t.Errorf("%d rows, %v; want %d", read, err, rows)
	}
	left, err := os.ReadDir(folder)
	if err != nil || len(left) > 0 {
		t.Errorf("%d files are left, %v", len(left), err)
	}
}

// TestRead_KeepsNoMoreThanARow reads twenty thousand rows without keeping
// them.
func TestRead_KeepsNoMoreThanARow(t *testing.T) {
	text := heading + strings.Repeat(good+"\r\n", 20_000)
	f := textFile("a.csv", text)
	var before, during runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	rows, most := 0, uint64(0)
	_, err := snapshot.Read(t.Context(), f, dataset(), source(), func(snapshot.Row) error {
		if rows++; rows%5_000 == 0 {
			runtime.GC()
			runtime.ReadMemStats(&during)
			most = max(most, during.HeapAlloc)
		}
		return nil
	})
	if err != nil || rows != 20_000 {
		t.Fatalf("%d rows, %v", rows, err)
	}
	if most > before.HeapAlloc+2<<20 {
		t.Errorf("%d bytes were kept while reading", most-before.HeapAlloc)
	}
}

func TestRead_RefusesPartsThatCostMuch(t *testing.T) {
	t.Parallel()
	whole := book(t, nil, goodCells())
	grown := func(part, before, more string, times int) []byte {
		return repacked(t, whole, func(name string, text []byte) (string, []byte) {
			if name == part {
				text = bytes.Replace(text, []byte(before), []byte(strings.Repeat(more, times)+before), 1)
			}
			return name, text
		})
	}
	moved := repacked(t, grown("xl/workbook.xml", "</workbook>", "<a/>", 1<<20), func(name string, text []byte) (string, []byte) {
		switch name {
		case "xl/workbook.xml":
			return "xl/worksheets/sheet9.xml", text
		case "xl/_rels/workbook.xml.rels":
			return "xl/worksheets/_rels/sheet9.xml.rels", text
		case "_rels/.rels":
			return name, bytes.ReplaceAll(text, []byte("xl/workbook.xml"), []byte("xl/worksheets/sheet9.xml"))
		}
		return name, text
	})
	for _, c := range []struct {
		name    string
		content []byte
		want    string
	}{
		{"styles", grown("xl/styles.xml", "</cellXfs>", "<xf/>", 700_000), snapshot.CodeSize},
		{"a theme", grown("xl/theme/theme1.xml", "</a:theme>", "<a/>", 1<<20), snapshot.CodeSize},
		{"shared strings", grown("xl/sharedStrings.xml", "</sst>", "<si><t>"+strings.Repeat("a", 1<<10)+"</t></si>", 17<<10), snapshot.CodeSize},
		{"a workbook that calls itself a sheet", moved, snapshot.CodeFile},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := readAll(t, xlsxFile(c.content), source())
			wantErrors(t, err, c.want)
		})
	}
}

// TestRead_RefusesASheetOfTooManyRowsBeforeItReadsOne has rows enough that
// their number is looked at first.
func TestRead_RefusesASheetOfTooManyRowsBeforeItReadsOne(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, row string
		rows      int
		want      string
	}{
		{"values", "<row><c><v>1</v></c></row>", 11, snapshot.CodeRows},
		{"texts in place", `<row><c t="inlineStr"><is><t>a</t></is></c></row>`, 11, snapshot.CodeRows},
		{"as many as allowed", "<row><c><v>1</v></c></row>", 10, ""},
		{"empty cells", `<row><c s="0"/></row>`, 11, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := source()
			s.Snapshot.MaxRows = 11
			content := withSheet(t, book(t, nil, goodCells()), "</sheetData>", strings.Repeat(c.row, c.rows)+"</sheetData>")
			read := 0
			_, err := snapshot.Read(t.Context(), xlsxFile(content), dataset(), s, func(snapshot.Row) error { read++; return nil })
			if c.want != "" {
				if wantErrors(t, err, c.want); read > 0 {
					t.Errorf("%d rows were read", read)
				}
				return
			}
			if read != 1 {
				t.Errorf("%d rows were read, %v; want the good one", read, err)
			}
		})
	}
}
