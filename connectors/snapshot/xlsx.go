package snapshot

import (
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"mianti/catalog"
)

// xlsxTable reads a sheet as a stream: the library gives the texts, the scan
// beside it what the library does not tell.
type xlsxTable struct {
	book  *excelize.File
	rows  *excelize.Rows
	scan  *sheetScan
	ahead sheetRow // read already, so that the library meets nothing that the scan has not
	end   error    // instead of ahead
	at    int      // the row that the library is at
	dates dateStyles
	cells []cell
	blank int // rows that were passed over
}

// maxBlank is how many rows of nothing are passed over: a style that was set for
// a whole column leaves a million of them.
const maxBlank = 100_000

func openXLSX(f File, s *catalog.Snapshot) (table, error) {
	parts, err := openArchive(f)
	if err != nil {
		return nil, err
	}
	sheet, part, err := parts.sheetPart(s.Sheet)
	if err != nil {
		return nil, err
	}
	count := 0
	if parts[sharedStrings] != nil {
		if err := parts.walk(sharedStrings, func(e element) {
			if e.name == "si" && e.depth == 2 {
				count++
			}
		}); err != nil {
			return nil, err
		}
	}
	if count > maxStrings {
		return nil, tooLarge()
	}
	if err := parts.checkRows(part, count, mostRows(s)); err != nil {
		return nil, err
	}
	content, err := parts.open(part)
	if err != nil {
		return nil, err
	}
	t := &xlsxTable{scan: &sheetScan{part: content, decoder: xml.NewDecoder(content), strings: count}}
	if err := t.open(f, sheet); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	t.ahead, t.end = t.scan.next()
	return t, nil
}

// open hands the file to the library, whose own texts are dropped.
func (t *xlsxTable) open(f File, sheet string) error {
	book, err := excelize.OpenReader(io.NewSectionReader(f.Content, 0, f.Size), excelize.Options{
		RawCellValue: true, UnzipSizeLimit: maxUnzipped, UnzipXMLSizeLimit: maxPart,
	})
	if book != nil {
		t.book = book
	}
	if err != nil {
		return notXLSX()
	}
	if t.rows, err = book.Rows(sheet); err != nil {
		return notXLSX()
	}
	t.dates = dateStyles{book: book}
	if props, err := book.GetWorkbookProps(); err == nil && props.Date1904 != nil {
		t.dates.from1904 = *props.Date1904
	}
	return nil
}

// next gives the next row that has a cell which is not empty.
func (t *xlsxTable) next() (line, error) {
	for t.end == nil {
		row := t.ahead
		t.ahead, t.end = t.scan.next()
		if t.end != nil && !errors.Is(t.end, io.EOF) {
			break
		}
		texts, err := t.texts(row.number)
		if err != nil {
			return line{}, err
		}
		if t.read(row, texts) {
			return line{number: row.number, cells: t.cells}, nil
		}
		if t.blank++; t.blank > maxBlank {
			return line{}, wholeFile(CodeRows, "工作表中空行过多，请删除数据下方的空行后重新保存")
		}
	}
	return line{}, t.end
}

// texts gives the library's texts of a row.
func (t *xlsxTable) texts(number int) ([]string, error) {
	for t.at < number {
		if !t.rows.Next() {
			return nil, notXLSX()
		}
		t.at++
	}
	texts, err := t.rows.Columns()
	if err != nil {
		return nil, notXLSX()
	}
	return texts, nil
}

// read makes the cells of a row, and says whether one of them is not empty.
func (t *xlsxTable) read(row sheetRow, texts []string) bool {
	t.cells = t.cells[:0]
	filled := false
	for _, m := range row.marks {
		for len(t.cells) < m.column-1 {
			t.cells = append(t.cells, cell{kind: cellText})
		}
		text := ""
		if m.column <= len(texts) {
			text = texts[m.column-1]
		}
		c := t.cell(m, text)
		filled = filled || c.text != "" || c.formula
		t.cells = append(t.cells, c)
	}
	return filled
}

// cell puts together what the sheet says of a cell and, for a text, what the
// library has made of it.
func (t *xlsxTable) cell(m mark, text string) cell {
	c := cell{text: strings.TrimSpace(m.text), formula: m.formula}
	switch m.kind {
	case "s", "inlineStr", "str":
		c.kind, c.text = cellText, text
	case "b":
		c.kind = cellBool
	case "d":
		c.kind = cellText // an ISO date, read as any other
	case "", "n":
		c.kind = cellNumber
		if day, ok := t.dates.day(m.style, c.text); ok {
			c.kind, c.text = cellDate, day
		}
	default:
		c.kind = cellError
	}
	return c
}

// Close removes what the library has unpacked. The file itself is the caller's.
func (t *xlsxTable) Close() error {
	var all []error
	if t.rows != nil {
		all = append(all, t.rows.Close())
	}
	if t.book != nil {
		all = append(all, t.book.Close())
	}
	return errors.Join(append(all, t.scan.part.Close())...)
}

// dateStyles tells which numbers are dates: a spreadsheet writes a date as a
// number of days, and only the cell's style says so.
type dateStyles struct {
	book     *excelize.File
	from1904 bool
	known    map[int]bool
}

// day gives the date that a number is shown as. The time of day is dropped.
func (d *dateStyles) day(style int, text string) (string, bool) {
	const last = 2958465 // 9999-12-31
	if text == "" || !d.isDate(style) {
		return "", false
	}
	days, err := strconv.ParseFloat(text, 64)
	if err != nil || days < 1 || days > last {
		return "", false
	}
	at, err := excelize.ExcelDateToTime(days, d.from1904)
	return at.Format(time.DateOnly), err == nil
}

func (d *dateStyles) isDate(style int) bool {
	is, known := d.known[style]
	if known {
		return is
	}
	if d.known == nil {
		d.known = map[int]bool{}
	}
	d.known[style] = d.look(style)
	return d.known[style]
}

// look finds the number format of a style.
func (d *dateStyles) look(style int) bool {
	sheet := d.book.Styles
	if sheet == nil || sheet.CellXfs == nil || style < 0 || style >= len(sheet.CellXfs.Xf) || sheet.CellXfs.Xf[style].NumFmtID == nil {
		return false
	}
	id := *sheet.CellXfs.Xf[style].NumFmtID
	if sheet.NumFmts != nil {
		for _, format := range sheet.NumFmts.NumFmt {
			if format != nil && format.NumFmtID == id {
				return isDateFormat(format.FormatCode)
			}
		}
	}
	// ECMA-376 part 1, 18.8.30: those of every language, and those of Chinese.
	return id >= 14 && id <= 17 || id == 22 || id >= 27 && id <= 31 || id == 36 || id >= 50 && id <= 54 || id == 57 || id == 58
}

// isDateFormat looks for a day or a year in a format's first part, beside what
// is shown as it is.
func isDateFormat(code string) bool {
	asItIs := regexp.MustCompile(`"[^"]*"|\\.|\[[^\]]*\]`)
	first, _, _ := strings.Cut(asItIs.ReplaceAllString(code, ""), ";")
	return strings.ContainsAny(first, "yYdD")
}
