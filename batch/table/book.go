package table

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"iter"
	"path"
	"strconv"
	"strings"
)

// Book (工作簿) is a list with all of its sheets: a workbook, or a CSV file, which
// is one sheet without a name. Unlike Read it tells what a sheet has beyond texts
// and numbers: formulas, and blocks of cells that were merged into one.
type Book struct {
	content []byte // of a CSV file
	*book
	sheets []sheetRef
	merges map[int][]block // by sheet, once they have been looked for
}

// sheetRef is a sheet with the part that it lies in.
type sheetRef struct{ name, part string }

// maxSheets bounds a workbook, maxMerges the merged blocks of a sheet.
const (
	maxSheets = 100
	maxMerges = 20_000
)

// Open opens a list. A workbook with macros is refused: nobody can tell by looking
// at it what it does.
func Open(content []byte) (*Book, error) {
	if !bytes.HasPrefix(content, []byte("PK\x03\x04")) || len(content) > MaxFile {
		for _, err := range Read(content) {
			if err != nil {
				return nil, err
			}
			break
		}
		return &Book{content: content, sheets: []sheetRef{{}}}, nil
	}
	b, err := openXLSX(content)
	if err != nil {
		return nil, err
	}
	if b.parts["xl/vbaproject.bin"] != nil {
		return nil, unreadable("macros", "表格里有宏（XLSM）。请另存为不含宏的 XLSX 后重试。")
	}
	sheets, err := b.sheets()
	if err != nil {
		return nil, err
	}
	if len(sheets) > maxSheets {
		return nil, unreadable("sheets", fmt.Sprintf("工作簿超过 %d 页。请只留要导入的页。", maxSheets))
	}
	if err := b.readShared(); err != nil {
		return nil, err
	}
	return &Book{book: b, sheets: sheets, merges: map[int][]block{}}, nil
}

// Sheets gives the names of the sheets, in their order.
func (b *Book) Sheets() []string {
	names := make([]string, len(b.sheets))
	for i, s := range b.sheets {
		names[i] = s.name
	}
	return names
}

// Rows gives the rows of a sheet that are not empty. A block that was merged down a
// column says the same in each of its rows; in one that goes over several columns
// each cell is marked.
func (b *Book) Rows(sheet int) iter.Seq2[Row, error] {
	if b.book == nil {
		return Read(b.content)
	}
	part := b.sheets[sheet].part
	merges, known := b.merges[sheet]
	if !known {
		var err error
		if merges, err = b.readMerges(part); err != nil {
			return failing(err)
		}
		b.merges[sheet] = merges
	}
	return merged(b.rows(part, true), merges)
}

// openXLSX opens the archive of a workbook.
func openXLSX(content []byte) (*book, error) {
	archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return nil, notXLSX()
	}
	b := &book{parts: map[string]*zip.File{}}
	for _, f := range archive.File {
		b.parts[strings.ToLower(strings.TrimPrefix(f.Name, "/"))] = f
	}
	return b, nil
}

// rows reads the rows of a part; with formulas also those that have no value.
func (b *book) rows(part string, formulas bool) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		s := &sheet1{book: b, yield: yield, formulas: formulas}
		if err := b.walk(part, maxUnpacked, s.token); err != nil && !errors.Is(err, errStop) {
			yield(Row{}, err)
		}
	}
}

// sheets lists the sheets of a workbook with their parts.
func (b *book) sheets() ([]sheetRef, error) {
	var found []struct{ name, id string }
	err := b.walk("xl/workbook.xml", maxTexts, func(t xml.Token) error {
		e, ok := t.(xml.StartElement)
		if !ok || e.Name.Local != "sheet" {
			return nil
		}
		one := struct{ name, id string }{name: attribute(e, "", "name")}
		for _, a := range e.Attr {
			if a.Name.Local == "id" && a.Name.Space != "" {
				one.id = a.Value
			}
		}
		found = append(found, one)
		return nil
	})
	if err != nil {
		return nil, err
	}
	targets := map[string]string{}
	err = b.walk("xl/_rels/workbook.xml.rels", maxTexts, func(t xml.Token) error {
		if e, ok := t.(xml.StartElement); ok && e.Name.Local == "Relationship" {
			targets[attribute(e, "", "Id")] = attribute(e, "", "Target")
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	refs := make([]sheetRef, 0, len(found))
	for _, s := range found {
		target := targets[s.id]
		switch {
		case target == "":
			return nil, notXLSX()
		case strings.HasPrefix(target, "/"):
			target = strings.TrimPrefix(path.Clean(target), "/")
		default:
			target = path.Join("xl", target)
		}
		refs = append(refs, sheetRef{s.name, target})
	}
	if len(refs) == 0 {
		return nil, notXLSX()
	}
	return refs, nil
}

// block is cells that were merged into one; rows count from 1, columns from 0.
type block struct{ top, bottom, left, right int }

// readMerges reads which cells of a part were merged. They are named behind the
// rows, so that a sheet is gone through twice; one that never speaks of them is only
// searched, which costs a tenth of reading it.
func (b *book) readMerges(part string) ([]block, error) {
	var merges []block
	if there, err := b.holds(part, []byte("mergeCell")); err != nil || !there {
		return nil, err
	}
	err := b.walk(part, maxUnpacked, func(t xml.Token) error {
		e, ok := t.(xml.StartElement)
		if !ok || e.Name.Local != "mergeCell" {
			return nil
		}
		if len(merges) == maxMerges {
			return unreadable("merges", fmt.Sprintf("合并的单元格超过 %d 处。请取消合并后重试。", maxMerges))
		}
		from, to, _ := strings.Cut(attribute(e, "", "ref"), ":")
		one := block{rowOf(from), rowOf(to), columnOf(from), columnOf(to)}
		if one.top < 1 || one.bottom < one.top || one.left < 0 || one.right < one.left {
			return notXLSX()
		}
		merges = append(merges, one)
		return nil
	})
	return merges, err
}

// holds reports whether a part holds a text, as it is written.
func (b *book) holds(part string, text []byte) (bool, error) {
	file := b.parts[strings.ToLower(part)]
	if file == nil {
		return false, notXLSX()
	}
	if file.UncompressedSize64 > maxUnpacked {
		return false, tooMuch()
	}
	opened, err := file.Open()
	if err != nil {
		return false, notXLSX()
	}
	defer opened.Close() // only read
	buffer := make([]byte, 64<<10)
	kept := 0 // the end of what was read before, where the text may have begun
	for {
		n, err := io.ReadFull(opened, buffer[kept:])
		if bytes.Contains(buffer[:kept+n], text) {
			return true, nil
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return false, nil // a part that is cut off is found so by reading it
		}
		if err != nil {
			return false, notXLSX()
		}
		kept = copy(buffer, buffer[kept+n-len(text)+1:kept+n])
	}
}

// rowOf gives the row of a reference such as AB12; 0 for none.
func rowOf(ref string) int {
	n, err := strconv.Atoi(strings.TrimLeft(ref, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
	if err != nil {
		return 0
	}
	return n
}

// merged fills what was merged down a column, and marks what was merged across.
func merged(rows iter.Seq2[Row, error], merges []block) iter.Seq2[Row, error] {
	if len(merges) == 0 {
		return rows
	}
	values := make([]Cell, len(merges))
	return func(yield func(Row, error) bool) {
		for row, err := range rows {
			if err == nil {
				row.fill(merges, values)
			}
			if !yield(row, err) {
				return
			}
		}
	}
}

// fill looks at each block that the row is in; values keep what the blocks say.
func (r *Row) fill(merges []block, values []Cell) {
	for i, m := range merges {
		if r.Line < m.top || r.Line > m.bottom || m.left >= MaxColumns {
			continue
		}
		for len(r.Cells) <= min(m.right, MaxColumns-1) {
			r.Cells = append(r.Cells, Cell{})
		}
		if m.left < m.right {
			for c := m.left; c <= min(m.right, MaxColumns-1); c++ {
				r.Cells[c].Across = true
			}
			continue
		}
		if r.Line == m.top {
			values[i] = r.Cells[m.left]
		}
		r.Cells[m.left] = values[i]
	}
}
