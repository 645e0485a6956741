package snapshot

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// maxErrors is how many errors of one file are told.
const maxErrors = 1000

// RowError is one thing that is wrong with a file. It holds no value of it.
type RowError struct {
	Row    int    // as a reader of the file counts it; 0 is the file as a whole
	Column string // a heading of the catalog's, or a letter; may be empty
	Code   string // stable, such as "subject-number"
	// Message is Chinese: what is wrong, and what to do.
	Message string
}

// The codes of a row's errors.
const (
	CodeFile      = "file"           // not a file that can be read
	CodeSize      = "size"           // larger than is read
	CodeCharset   = "charset"        // another encoding, or damaged text
	CodeQuotes    = "quotes"         // quotation marks out of place
	CodeEnd       = "end"            // the end is missing
	CodeHeading   = "heading"        // a column is missing or stands twice
	CodeType      = "type"           // the catalog has a type that is not known here
	CodeRows      = "rows"           // more rows than allowed
	CodeNoRows    = "no-rows"        // headings, and nobody below them
	CodeCells     = "cells"          // more or fewer cells than headings
	CodeName      = "subject-name"   // no name
	CodeNumber    = "subject-number" // no number, or one that cannot be
	CodeDigits    = "digits-lost"    // a number that a spreadsheet has rounded
	CodeValue     = "value"          // not of the field's type
	CodeText      = "text"           // too long, or damaged
	CodeFormula   = "formula"        // a formula instead of a value
	CodeCellError = "cell-error"     // an error instead of a value, such as #N/A
)

// RowErrors is a file that is refused, with the reasons. After the first
// thousand no more are looked for.
type RowErrors []RowError

// Error says how many there are, and the first.
func (e RowErrors) Error() string {
	if len(e) == 0 {
		return "文件不能载入"
	}
	count := strconv.Itoa(len(e))
	if len(e) >= maxErrors {
		count = "至少" + count
	}
	return fmt.Sprintf("文件有%s处错误，没有载入任何一行；第一处：%s", count, e[0].text())
}

func (e RowError) text() string {
	var where string
	if e.Row > 0 {
		where = fmt.Sprintf("第%d行", e.Row)
	}
	if e.Column != "" {
		where += "“" + e.Column + "”列"
	}
	if where == "" {
		return e.Message
	}
	return where + "，" + e.Message
}

// wholeFile is a file that cannot be read at all.
func wholeFile(code, message string) RowErrors { return RowErrors{{Code: code, Message: message}} }

// WriteTo writes the errors as CSV that a spreadsheet opens as text.
func (e RowErrors) WriteTo(w io.Writer) (int64, error) {
	counted := &countingWriter{w: w}
	if _, err := io.WriteString(counted, "\ufeff"); err != nil {
		return counted.n, err
	}
	table := csv.NewWriter(counted)
	table.UseCRLF = true
	lines := [][]string{{"行", "列", "代码", "说明"}}
	for _, one := range e {
		row := ""
		if one.Row > 0 {
			row = strconv.Itoa(one.Row)
		}
		lines = append(lines, []string{row, harmless(one.Column), harmless(one.Code), harmless(one.Message)})
	}
	err := table.WriteAll(lines)
	return counted.n, err
}

// harmless keeps a spreadsheet from taking a text for a formula.
func harmless(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", []rune(text)[0]) {
		return "'" + text
	}
	return text
}

type countingWriter struct {
	w io.Writer
	n int64
}

// Write counts what was written.
func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
