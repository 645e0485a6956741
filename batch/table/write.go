package table

import (
	"archive/zip"
	"bufio"
	"encoding/csv"
	"encoding/xml"
	"fmt"
	"io"
	"iter"
	"strings"
	"unicode"
)

// Sheet is what is written as a spreadsheet: a heading and rows below it, all of
// it texts. A text is inert in a spreadsheet: it is no formula, whatever it begins
// with, and a number of eighteen digits keeps them.
type Sheet struct {
	Name    string
	Heading []string
	Rows    iter.Seq2[[]string, error]
}

// The parts of a spreadsheet that are always the same. Style 1 is text, style 2 the
// heading; whole columns are text, so that what is typed in stays as it is typed.
const (
	typesHead = xml.Header + `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/>`
	typesOne  = `<Override PartName="/xl/worksheets/sheet%d.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>`
	partRoot  = xml.Header + `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`
	relsHead  = xml.Header + `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="styles" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/>`
	relsOne   = `<Relationship Id="rId%[1]d" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet%[1]d.xml"/>`
	bookHead  = xml.Header + `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>`
	bookOne   = `<sheet name="%[2]s" sheetId="%[1]d" r:id="rId%[1]d"/>`
	partStyle = xml.Header + `<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><fonts count="2"><font><sz val="11"/><name val="等线"/></font><font><b/><sz val="11"/><name val="等线"/></font></fonts><fills count="3"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill><fill><patternFill patternType="solid"><fgColor rgb="FFE8EEF4"/></patternFill></fill></fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="3"><xf/><xf numFmtId="49" applyNumberFormat="1"/><xf numFmtId="49" fontId="1" fillId="2" applyNumberFormat="1" applyFont="1" applyFill="1"/></cellXfs></styleSheet>`
	sheetHead = xml.Header + `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>`
)

// Write writes sheets as one XLSX workbook, one after the other as their rows come.
func Write(to io.Writer, sheets ...Sheet) error {
	archive := zip.NewWriter(to)
	types, rels, book := typesHead, relsHead, bookHead
	for i, s := range sheets {
		types += fmt.Sprintf(typesOne, i+1)
		rels += fmt.Sprintf(relsOne, i+1)
		book += fmt.Sprintf(bookOne, i+1, escaped(s.Name))
	}
	for _, part := range []struct{ name, text string }{
		{"[Content_Types].xml", types + "</Types>"}, {"_rels/.rels", partRoot}, {"xl/workbook.xml", book + "</sheets></workbook>"},
		{"xl/_rels/workbook.xml.rels", rels + "</Relationships>"}, {"xl/styles.xml", partStyle},
	} {
		w, err := archive.Create(part.name)
		if err == nil {
			_, err = io.WriteString(w, part.text)
		}
		if err != nil {
			return fmt.Errorf("write a spreadsheet: %w", err)
		}
	}
	for i, s := range sheets {
		part, err := archive.Create(fmt.Sprintf("xl/worksheets/sheet%d.xml", i+1))
		if err != nil {
			return fmt.Errorf("write a spreadsheet: %w", err)
		}
		if err := s.write(bufio.NewWriter(part)); err != nil {
			return err
		}
	}
	return archive.Close()
}

// WriteCSV writes a sheet as CSV (RFC 4180) in UTF-8 with its mark, by which
// spreadsheet programs know it.
func WriteCSV(to io.Writer, s Sheet) error {
	if _, err := io.WriteString(to, "\ufeff"); err != nil {
		return fmt.Errorf("write a list: %w", err)
	}
	w := csv.NewWriter(to)
	w.UseCRLF = true
	inert := func(cells []string) []string {
		out := make([]string, len(cells))
		for i, text := range cells {
			out[i] = Inert(text)
		}
		return out
	}
	// A csv.Writer keeps its first error.
	_ = w.Write(inert(s.Heading))
	for row, err := range s.Rows {
		if err != nil {
			return err
		}
		_ = w.Write(inert(row))
	}
	w.Flush()
	if err := w.Error(); err != nil {
		return fmt.Errorf("write a list: %w", err)
	}
	return nil
}

func (s Sheet) write(w *bufio.Writer) error {
	// A bufio.Writer keeps its first error and gives it to Flush.
	w.WriteString(sheetHead + "<cols>")
	for i, heading := range s.Heading {
		fmt.Fprintf(w, `<col min="%d" max="%d" width="%d" customWidth="1" style="1"/>`, i+1, i+1, width(heading))
	}
	w.WriteString("</cols><sheetData>")
	writeRow(w, s.Heading, 2)
	for row, err := range s.Rows {
		if err != nil {
			return err
		}
		writeRow(w, row, 1)
	}
	w.WriteString("</sheetData></worksheet>")
	return w.Flush()
}

func writeRow(w *bufio.Writer, cells []string, style int) {
	w.WriteString("<row>")
	for _, text := range cells {
		if text == "" {
			w.WriteString("<c/>")
			continue
		}
		fmt.Fprintf(w, `<c t="inlineStr" s="%d"><is><t xml:space="preserve">%s</t></is></c>`, style, escaped(text))
	}
	w.WriteString("</row>")
}

// width is how wide a column with this heading is: a Chinese character takes two.
func width(heading string) int {
	n := 4
	for _, r := range heading {
		if n++; r > unicode.MaxLatin1 {
			n++
		}
	}
	return min(max(n, 12), 60)
}

// escaped makes a text one of XML: what XML cannot hold is left out, and what could
// be a formula, once somebody saves the sheet as CSV, gets an apostrophe.
func escaped(text string) string {
	var out strings.Builder
	// strings.Builder never fails.
	_ = xml.EscapeText(&out, []byte(Inert(text)))
	return out.String()
}

// Inert gives a text that no spreadsheet program takes for a formula, and without
// characters that cannot be seen.
func Inert(text string) string {
	text = strings.Map(func(r rune) rune {
		if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
			return -1
		}
		return r
	}, text)
	if start := strings.TrimLeft(text, " \u00a0\u3000\n"); start != "" && strings.ContainsRune("=+-@＝＋－＠", []rune(start)[0]) {
		return "'" + text
	}
	return text
}

// None is a sheet without rows below its heading.
func None(func([]string, error) bool) {}
