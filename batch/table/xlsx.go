package table

import (
	"archive/zip"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"
)

// book is a spreadsheet that is being read.
type book struct {
	parts  map[string]*zip.File
	shared []string
}

func notXLSX() error {
	return unreadable("not-xlsx", "文件不是完整的 XLSX。请用表格软件重新保存后重试。")
}

func tooMuch() error {
	return unreadable("unpacked", "表格展开后过大。请删除图片和空白的格式，只留名单，另存后重试。")
}

// readXLSX reads the first sheet. What Excel, WPS and LibreOffice write is read;
// macros, links and pictures are passed over.
func readXLSX(content []byte) iter.Seq2[Row, error] {
	b, err := openXLSX(content)
	if err != nil {
		return failing(err)
	}
	sheets, err := b.sheets()
	if err == nil {
		err = b.readShared()
	}
	if err != nil {
		return failing(err)
	}
	return b.rows(sheets[0].part, false)
}

// walk hands the tokens of a part on, and bounds what is unpacked of it.
func (b *book) walk(name string, most int64, each func(xml.Token) error) error {
	file := b.parts[strings.ToLower(name)]
	if file == nil {
		return notXLSX()
	}
	if file.UncompressedSize64 > uint64(most) {
		return tooMuch()
	}
	opened, err := file.Open()
	if err != nil {
		return notXLSX()
	}
	defer opened.Close() // only read
	bounded := &io.LimitedReader{R: opened, N: most + 1}
	decoder := xml.NewDecoder(bounded)
	for {
		token, err := decoder.RawToken()
		switch {
		case errors.Is(err, io.EOF) && bounded.N > 0:
			return nil
		case bounded.N <= 0:
			return tooMuch()
		case err != nil:
			return notXLSX()
		}
		if _, directive := token.(xml.Directive); directive { // a DTD, which no spreadsheet has
			return notXLSX()
		}
		if err := each(token); err != nil {
			return err
		}
	}
}

func attribute(e xml.StartElement, space, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name && (space == "*" || a.Name.Space == space) {
			return a.Value
		}
	}
	return ""
}

// readShared reads the texts that cells refer to.
func (b *book) readShared() error {
	const part = "xl/sharedstrings.xml"
	if b.parts[part] == nil {
		return nil
	}
	var text strings.Builder
	var at textOf
	return b.walk(part, maxTexts, func(t xml.Token) error {
		switch t := t.(type) {
		case xml.StartElement:
			at.start(t.Name.Local)
			if t.Name.Local == "si" {
				text.Reset()
			}
		case xml.CharData:
			if at.reading() && text.Len() <= MaxText {
				text.Write(t)
			}
		case xml.EndElement:
			at.end(t.Name.Local)
			if t.Name.Local == "si" {
				b.shared = append(b.shared, strings.TrimSpace(text.String()))
			}
		}
		return nil
	})
}

// textOf knows whether what stands here belongs to a text: in a <t>, and not in the
// reading aid beside it (<rPh>).
type textOf struct{ t, aid bool }

func (x *textOf) start(name string) { x.set(name, true) }
func (x *textOf) end(name string)   { x.set(name, false) }
func (x *textOf) reading() bool     { return x.t && !x.aid }
func (x *textOf) set(name string, in bool) {
	switch name {
	case "t":
		x.t = in
	case "rPh":
		x.aid = in
	}
}

// sheet1 makes rows of the tokens of a sheet.
type sheet1 struct {
	*book
	yield func(Row, error) bool
	row   Row
	cell  int // index of the one that is open
	kind  string
	value strings.Builder
	in    bool // in <v>
	text  textOf
	// formula says that the cell that is open is one; formulas, that one is worth
	// telling where it has no value.
	formula, formulas bool
}

func (s *sheet1) token(t xml.Token) error {
	switch t := t.(type) {
	case xml.StartElement:
		return s.start(t)
	case xml.CharData:
		if (s.in || s.text.reading()) && s.value.Len() <= MaxText {
			s.value.Write(t)
		}
	case xml.EndElement:
		return s.end(t.Name.Local)
	}
	return nil
}

func (s *sheet1) start(e xml.StartElement) error {
	s.text.start(e.Name.Local)
	switch e.Name.Local {
	case "row":
		line := s.row.Line + 1
		if r := attribute(e, "", "r"); r != "" {
			n, err := strconv.Atoi(r)
			if err != nil || n < line {
				return notXLSX()
			}
			line = n
		}
		s.row, s.cell = Row{Line: line}, -1
	case "c":
		column := s.cell + 1
		if ref := attribute(e, "", "r"); ref != "" {
			column = columnOf(ref)
		}
		if column <= s.cell || column >= MaxColumns {
			return tooWide(s.row.Line)
		}
		s.cell, s.kind, s.formula = column, attribute(e, "", "t"), false
		s.value.Reset()
	case "v":
		s.in = true
	case "f":
		s.formula = true
	}
	return nil
}

// columnOf gives the index of the column of a reference such as AB12; -1 for none.
func columnOf(ref string) int {
	column := 0
	for _, r := range ref {
		if r < 'A' || r > 'Z' {
			break
		}
		if column = column*26 + int(r-'A') + 1; column > MaxColumns {
			return MaxColumns
		}
	}
	return column - 1
}

func (s *sheet1) end(name string) error {
	s.text.end(name)
	switch name {
	case "v":
		s.in = false
	case "c":
		return s.endCell()
	case "row":
		if !blank(s.row.Cells) && !s.yield(s.row, nil) {
			return errStop
		}
	}
	return nil
}

func (s *sheet1) endCell() error {
	text := strings.TrimSpace(s.value.String())
	cell := Cell{Text: text, Formula: s.formula}
	switch s.kind {
	case "s":
		if text == "" {
			return nil
		}
		i, err := strconv.Atoi(text)
		if err != nil || i < 0 || i >= len(s.shared) {
			return notXLSX()
		}
		cell.Text = s.shared[i]
	case "b":
		cell.Text = map[string]string{"1": "是", "0": "否"}[text]
	case "e":
		return unreadable("cell-error", fmt.Sprintf("第 %d 行有一格是错误值（如 #N/A）。请改成文字后重试。", s.row.Line))
	case "", "n":
		cell.Number = true
	}
	if len(cell.Text) > MaxText {
		return tooLong(s.row.Line)
	}
	if cell.Text == "" && !(cell.Formula && s.formulas) {
		return nil
	}
	for len(s.row.Cells) < s.cell {
		s.row.Cells = append(s.row.Cells, Cell{})
	}
	s.row.Cells = append(s.row.Cells, cell)
	return nil
}
