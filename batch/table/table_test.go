package table_test

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"crypto/aes"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"

	"mianti/batch/table"
	"mianti/internal/fault"
)

// rowsOf reads a list whole.
func rowsOf(t *testing.T, content []byte) []table.Row {
	t.Helper()
	var rows []table.Row
	for row, err := range table.Read(content) {
		if err != nil {
			t.Fatal(err, fault.As(err))
		}
		rows = append(rows, row)
	}
	return rows
}

// texts are cells that are texts.
func texts(of ...string) []table.Cell {
	cells := make([]table.Cell, len(of))
	for i, text := range of {
		cells[i].Text = text
	}
	return cells
}

func TestRead_TakesTheEncodingsThatSpreadsheetProgramsWrite(t *testing.T) {
	t.Parallel()
	const list = "申请人姓名,申请人号码\r\n 王建国 ,370199198805163315\r\n,\r\n\"吴,刚\",370199196809113156\r\n"
	gb, err := simplifiedchinese.GB18030.NewEncoder().String(list)
	if err != nil {
		t.Fatal(err)
	}
	want := []table.Row{
		{Line: 1, Cells: texts("申请人姓名", "申请人号码")},
		{Line: 2, Cells: texts("王建国", "370199198805163315")},
		{Line: 4, Cells: texts("吴,刚", "370199196809113156")},
	}
	for name, content := range map[string]string{"UTF-8": list, "UTF-8 with a mark": "\ufeff" + list, "GB 18030": gb} {
		if diff := cmp.Diff(want, rowsOf(t, []byte(content))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// workbook is a spreadsheet of another hand.
func workbook(t *testing.T, fill func(f *excelize.File)) []byte {
	t.Helper()
	f := excelize.NewFile()
	fill(f)
	var out bytes.Buffer
	if err := f.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func set(t *testing.T, f *excelize.File, cell string, value any) {
	t.Helper()
	if err := f.SetCellValue("Sheet1", cell, value); err != nil {
		t.Fatal(err)
	}
}

func TestRead_TellsTextsFromNumbersInASpreadsheet(t *testing.T) {
	t.Parallel()
	content := workbook(t, func(f *excelize.File) {
		set(t, f, "A1", "姓名")
		set(t, f, "C1", "号码")
		set(t, f, "A3", " 王建国 ")
		set(t, f, "B3", true)
		set(t, f, "C3", 370199198805163315.0)
		if err := f.SetCellFormula("Sheet1", "D3", `HYPERLINK("http://192.0.2.1")`); err != nil {
			t.Fatal(err)
		}
	})
	got := rowsOf(t, content)
	if len(got) != 2 || got[1].Line != 3 {
		t.Fatalf("rows %+v", got)
	}
	if diff := cmp.Diff(texts("姓名", "", "号码"), got[0].Cells); diff != "" {
		t.Errorf("heading (-want +got):\n%s", diff)
	}
	cells := got[1].Cells
	if len(cells) != 3 || cells[0] != (table.Cell{Text: "王建国"}) || cells[1].Text != "是" || !cells[2].Number {
		t.Errorf("cells %+v: want a text, a yes, a number, and no formula", cells)
	}
}

// bomb is a small spreadsheet that unpacks to more than anybody wants.
func bomb(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	for name, text := range map[string]string{
		"xl/workbook.xml":            `<workbook xmlns:r="r"><sheets><sheet r:id="a"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": `<Relationships><Relationship Id="a" Target="s.xml"/></Relationships>`,
	} {
		w, err := archive.Create(name)
		if err == nil {
			_, err = io.WriteString(w, text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	w, err := archive.Create("xl/s.xml")
	if err != nil {
		t.Fatal(err)
	}
	blank := bytes.Repeat([]byte(" "), 1<<20)
	for range 300 {
		if _, err := w.Write(blank); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestRead_RefusesWhatIsNoListAndSaysWhatToDo(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		content []byte
		code    string
	}{
		"nothing":            {nil, "empty-file"},
		"UTF-16":             {[]byte("\xff\xfea\x00"), "charset"},
		"an old spreadsheet": {[]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "old-or-locked"},
		"a picture":          {[]byte("\x89PNG\x00"), "not-a-list"},
		"an archive":         {[]byte("PK\x03\x04 of something"), "not-xlsx"},
		"an open quotation":  {[]byte("a,b\n\"c,d\n"), "quotes"},
		"no GB 18030":        {[]byte("a\n\xff\xff\n"), "charset"},
		"a long cell":        {[]byte("a\n" + strings.Repeat("x", table.MaxText+1)), "long-text"},
		"too many columns":   {[]byte(strings.Repeat(",", table.MaxColumns)), "columns"},
		"a bomb":             {bomb(t), "unpacked"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var last error
			for _, err := range table.Read(c.content) {
				last = err
			}
			f := fault.As(last)
			if f == nil || f.Kind != fault.Invalid || len(f.Details) != 1 || f.Details[0].Code != c.code {
				t.Errorf("%v, want an invalid list with %s", last, c.code)
			}
		})
	}
}

// sheetOf is a sheet of these rows.
func sheetOf(heading []string, rows ...[]string) table.Sheet {
	return table.Sheet{Name: "名单", Heading: heading, Rows: func(yield func([]string, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}}
}

func TestWrite_GivesTextsThatAreInertAndKeepTheirDigits(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	err := table.Write(&out, sheetOf([]string{"姓名", "号码"},
		[]string{"=HYPERLINK(\"http://192.0.2.1\")", "370199198805163315"},
		[]string{"＋1", "\t@cmd"}, []string{"<b>&\u202e名", "-1+1|calc"}))
	if err != nil {
		t.Fatal(err)
	}
	book, err := excelize.OpenReader(bytes.NewReader(out.Bytes())) // a reader of another hand
	if err != nil {
		t.Fatal(err)
	}
	got, err := book.GetRows("名单")
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{
		{"姓名", "号码"}, {"'=HYPERLINK(\"http://192.0.2.1\")", "370199198805163315"}, {"'＋1", "'@cmd"}, {"<b>&名", "'-1+1|calc"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if formula, err := book.GetCellFormula("名单", "A2"); err != nil || formula != "" {
		t.Errorf("a formula %q, %v", formula, err)
	}
	if kind, err := book.GetCellType("名单", "B2"); err != nil || kind != excelize.CellTypeInlineString {
		t.Errorf("the number is of type %v, %v; want a text", kind, err)
	}
	if read := rowsOf(t, out.Bytes()); len(read) != 4 || read[1].Cells[1].Text != "370199198805163315" {
		t.Errorf("read again: %+v", read)
	}
}

func TestRead_StopsWhenNobodyWantsMore(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := table.Write(&out, sheetOf([]string{"a"}, []string{"1"}, []string{"2"})); err != nil {
		t.Fatal(err)
	}
	for _, content := range [][]byte{out.Bytes(), []byte("a\n1\n2\n")} {
		next, stop := iter.Pull2(table.Read(content))
		row, err, ok := next()
		stop()
		if !ok || err != nil || row.Line != 1 {
			t.Errorf("%+v, %v", row, err)
		}
	}
}

// open is the other half of Lock, by the description of the format.
func open(t *testing.T, archive []byte, passphrase string) (string, []byte, error) {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := r.File[0].OpenRaw()
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := io.ReadAll(raw)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := pbkdf2.Key(sha1.New, passphrase, sealed[:16], 1000, 66)
	if err != nil {
		t.Fatal(err)
	}
	body, code := sealed[18:len(sealed)-10], sealed[len(sealed)-10:]
	mac := hmac.New(sha1.New, keys[32:64])
	mac.Write(body)
	if !bytes.Equal(keys[64:], sealed[16:18]) || !hmac.Equal(mac.Sum(nil)[:10], code) {
		return "", nil, fmt.Errorf("wrong passphrase, or changed")
	}
	block, err := aes.NewCipher(keys[:32])
	if err != nil {
		t.Fatal(err)
	}
	for i := range body {
		var counter, pad [16]byte
		binary.LittleEndian.PutUint64(counter[:], uint64(i/16+1))
		block.Encrypt(pad[:], counter[:])
		body[i] ^= pad[i%16]
	}
	content, err := io.ReadAll(flate.NewReader(bytes.NewReader(body)))
	return r.File[0].Name, content, err
}

func TestLock_OpensWithItsPassphraseAlone(t *testing.T) {
	t.Parallel()
	content := []byte(strings.Repeat("王建国，已核验。", 1000))
	archive, err := table.Lock("核验结果.xlsx", "correct-horse-battery", content)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(archive, []byte("王建国")) {
		t.Error("the content can be read")
	}
	name, got, err := open(t, archive, "correct-horse-battery")
	if err != nil || name != "核验结果.xlsx" || !bytes.Equal(got, content) {
		t.Errorf("opened %q, %d bytes, %v", name, len(got), err)
	}
	if _, _, err := open(t, archive, "correct-horse-batterz"); err == nil {
		t.Error("another passphrase opens it")
	}
	changed := slices.Clone(archive)
	changed[len("核验结果.xlsx")+100]++
	if _, _, err := open(t, changed, "correct-horse-battery"); err == nil {
		t.Error("a changed archive opens")
	}
}

func TestBook_TellsSheetsFormulasAndMergedCells(t *testing.T) {
	t.Parallel()
	content := workbook(t, func(f *excelize.File) {
		set(t, f, "A1", "事项")
		set(t, f, "B1", "材料")
		set(t, f, "A2", "设立")
		set(t, f, "B2", "章程")
		set(t, f, "B3", "申请书")
		if _, err := f.NewSheet("说明"); err != nil {
			t.Fatal(err)
		}
		for _, err := range []error{
			f.MergeCell("Sheet1", "A2", "A3"), f.MergeCell("Sheet1", "A4", "B4"), f.SetCellValue("Sheet1", "A4", "小计"),
			f.SetCellFormula("Sheet1", "C3", "1+1"), f.SetCellValue("说明", "A1", "填写说明"),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
	})
	b, err := table.Open(content)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"Sheet1", "说明"}, b.Sheets()); diff != "" {
		t.Errorf("sheets (-want +got):\n%s", diff)
	}
	want := []table.Row{
		{Line: 1, Cells: texts("事项", "材料")},
		{Line: 2, Cells: texts("设立", "章程")},
		{Line: 3, Cells: append(texts("设立", "申请书"), table.Cell{Formula: true})},
		{Line: 4, Cells: []table.Cell{{Text: "小计", Across: true}, {Across: true}}},
	}
	for range 2 { // the second time, which cells were merged is known
		var got []table.Row
		for row, err := range b.Rows(0) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, row)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("rows (-want +got):\n%s", diff)
		}
	}
}

func TestWrite_GivesSeveralSheetsAndCSVThatComesBack(t *testing.T) {
	t.Parallel()
	a, b := sheetOf([]string{"甲"}, []string{"一\n二"}), sheetOf([]string{"乙"}, []string{"=1+1"})
	b.Name = "另一页"
	var out bytes.Buffer
	if err := table.Write(&out, a, b); err != nil {
		t.Fatal(err)
	}
	book, err := excelize.OpenReader(bytes.NewReader(out.Bytes())) // a reader of another hand
	if err != nil {
		t.Fatal(err)
	}
	for sheet, want := range map[string][][]string{"名单": {{"甲"}, {"一\n二"}}, "另一页": {{"乙"}, {"'=1+1"}}} {
		got, err := book.GetRows(sheet)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", sheet, diff)
		}
	}
	out.Reset()
	if err := table.WriteCSV(&out, a); err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(out.Bytes(), []byte("\ufeff")) {
		t.Error("no mark, by which a spreadsheet program knows UTF-8")
	}
	if got := rowsOf(t, out.Bytes()); len(got) != 2 || got[1].Cells[0].Text != "一\n二" {
		t.Errorf("read again: %+v", got)
	}
}
