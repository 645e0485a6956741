package snapshot

import (
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"
)

// maxColumns is more than any agreed file has.
const maxColumns = 1000

// sheetScan reads a sheet's XML for what the library's rows do not tell: what
// kind each cell is of, whether it is a formula, and whether the sheet is whole.
// The library takes a sheet that breaks off for one that ends.
type sheetScan struct {
	part    io.ReadCloser
	decoder *xml.Decoder
	strings int      // how many shared strings there are
	path    []string // names of the open elements
	row     sheetRow
	column  int // of the last cell in the row
	ended   bool
}

// sheetRow is what a row's XML says of its cells.
type sheetRow struct {
	number int
	marks  []mark
}

// mark is what a cell's XML says.
type mark struct {
	column  int    // from 1
	kind    string // as in the XML
	style   int
	text    string // of the value as it is written; an index for a shared string
	formula bool
	inline  bool // there is a text in the cell itself
}

// checkRows refuses a sheet with more rows than allowed before the library,
// which takes ten times as long for each, is given the first. What else is wrong
// is told when the rows are read.
func (a archive) checkRows(part string, strings, most int) error {
	const least = 20 // bytes of a row with a cell that is not empty
	if sheet := a[part]; sheet != nil && sheet.UncompressedSize64/least <= uint64(most) {
		return nil
	}
	content, err := a.open(part)
	if err != nil {
		return err
	}
	defer content.Close() // only read
	scan := sheetScan{part: content, decoder: xml.NewDecoder(content), strings: strings}
	for filled := 0; filled <= most+1; { // one is the headings
		row, err := scan.next()
		if err != nil {
			return nil
		}
		if slices.ContainsFunc(row.marks, mark.isFilled) {
			filled++
		}
	}
	return tooManyRows(most)
}

// isFilled says that a cell is not empty, as far as its XML tells.
func (m mark) isFilled() bool { return m.formula || m.inline || strings.TrimSpace(m.text) != "" }

// next gives the next row, or io.EOF after the part has been read to its end.
func (s *sheetScan) next() (sheetRow, error) {
	for {
		token, err := s.decoder.Token()
		if errors.Is(err, io.EOF) && s.ended {
			return sheetRow{}, io.EOF
		}
		if err != nil {
			return sheetRow{}, notXLSX()
		}
		switch token := token.(type) {
		case xml.StartElement:
			s.path = append(s.path, token.Name.Local)
			if len(s.path) > maxDepth || !s.start(element{name: token.Name.Local, attrs: token.Attr, depth: len(s.path)}) {
				return sheetRow{}, notXLSX()
			}
		case xml.CharData:
			if s.within("sheetData", "row", "c", "v") && len(s.row.marks) > 0 {
				last := &s.row.marks[len(s.row.marks)-1]
				last.text += string(token)
			} else if len(s.row.marks) > 0 && (s.within("c", "is", "t") || s.within("is", "r", "t")) {
				s.row.marks[len(s.row.marks)-1].inline = true
			}
		case xml.EndElement:
			isRow := s.within("sheetData", "row")
			s.ended = s.ended || s.within("worksheet", "sheetData")
			s.path = s.path[:len(s.path)-1]
			if isRow {
				return s.finish()
			}
		case xml.Directive:
			return sheetRow{}, notXLSX()
		}
	}
}

// within says that the innermost open elements are these.
func (s *sheetScan) within(names ...string) bool {
	if len(s.path) < len(names) {
		return false
	}
	for i, name := range names {
		if s.path[len(s.path)-len(names)+i] != name {
			return false
		}
	}
	return true
}

// start takes an element in and says whether it may stand there. Rows and cells
// come in their order, so that nothing is read twice or overwritten.
func (s *sheetScan) start(e element) bool {
	switch e.name {
	case "sheetData":
		return !s.ended && s.within("worksheet", "sheetData") && e.depth == 2
	case "row":
		return s.startRow(e)
	case "c":
		return s.startCell(e)
	case "f":
		if s.within("row", "c", "f") {
			s.row.marks[len(s.row.marks)-1].formula = true
		}
	}
	return true
}

func (s *sheetScan) startRow(e element) bool {
	if s.ended { // what stands behind the data has rows of its own
		return true
	}
	number, ok := position(e.attr("r"), s.row.number)
	ok = ok && s.within("worksheet", "sheetData", "row") && e.depth == 3 && number <= excelize.TotalRows
	s.row, s.column = sheetRow{number: number, marks: s.row.marks[:0:0]}, 0
	return ok
}

func (s *sheetScan) startCell(e element) bool {
	if s.ended {
		return true
	}
	if !s.within("sheetData", "row", "c") || e.depth != 4 {
		return false
	}
	m := mark{column: s.column + 1, kind: e.attr("t")}
	if ref := e.attr("r"); ref != "" {
		column, row, err := excelize.CellNameToCoordinates(ref)
		if err != nil || row != s.row.number || column <= s.column {
			return false
		}
		m.column = column
	}
	if style := e.attr("s"); style != "" {
		number, err := strconv.Atoi(style)
		if err != nil {
			return false
		}
		m.style = number
	}
	s.column = m.column
	s.row.marks = append(s.row.marks, m)
	return m.column <= maxColumns
}

// position reads a row's number, which must be greater than the last.
func position(text string, last int) (int, bool) {
	if text == "" {
		return last + 1, true
	}
	number, err := strconv.Atoi(text)
	return number, err == nil && number > last
}

// finish gives the row whose end was read, and looks at its references to
// shared strings.
func (s *sheetScan) finish() (sheetRow, error) {
	for _, m := range s.row.marks {
		if m.kind != "s" || m.text == "" {
			continue
		}
		index, err := strconv.Atoi(strings.TrimSpace(m.text))
		if err != nil || index < 0 || index >= s.strings {
			return sheetRow{}, notXLSX()
		}
	}
	return s.row, nil
}
