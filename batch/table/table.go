// Package table reads the lists that departments hand in, CSV and XLSX, row by row,
// and writes the files that they get back. It keeps everything in memory: nothing of
// a list is ever written to a disk, not even for a moment.
//
// A file is a stranger's. What is unpacked is bounded, no name in it leads anywhere,
// and a formula is the value that it last had.
package table

import (
	"bytes"
	"errors"
	"iter"

	"mianti/internal/fault"
)

// Row is one row that has a cell which is not empty.
type Row struct {
	Line  int // as a spreadsheet program counts, from 1
	Cells []Cell
}

// Cell is what stands in one column.
type Cell struct {
	Text string
	// Number says that the file has a number there and no text: a number has no
	// leading zero, and no more than 15 digits that can be trusted.
	Number bool
	// Formula says that a program worked the text out, from cells or from elsewhere.
	Formula bool
	// Across says that the cell was merged with one in another column; only of a Book.
	Across bool
}

// Bounds of a list.
const (
	// MaxFile bounds a file as it is sent, in bytes.
	MaxFile = 32 << 20
	// MaxColumns bounds a row.
	MaxColumns = 200
	// MaxText bounds a cell, in bytes.
	MaxText = 4096
	// maxUnpacked bounds one part of a spreadsheet, which is read as a stream;
	// maxTexts its shared texts, which are kept until it has been read.
	maxUnpacked = 256 << 20
	maxTexts    = 64 << 20
)

// Read gives the rows of a list that are not empty, in their order. An error ends
// it; it is a fault.Invalid which says what to do.
func Read(content []byte) iter.Seq2[Row, error] {
	switch {
	case len(content) == 0:
		return failing(unreadable("empty-file", "文件是空的。请选择填好的名单。"))
	case len(content) > MaxFile:
		return failing(fault.New(fault.TooLarge, "too-large", "文件超过 %d MiB。请分成几份名单。", MaxFile>>20))
	case bytes.HasPrefix(content, []byte("PK\x03\x04")):
		return readXLSX(content)
	case bytes.HasPrefix(content, []byte{0xd0, 0xcf, 0x11, 0xe0}):
		return failing(unreadable("old-or-locked", "这是旧版 XLS，或是加了密码的表格。请另存为不加密码的 XLSX 或 CSV 后重试。"))
	default:
		return readCSV(content)
	}
}

func failing(err error) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) { yield(Row{}, err) }
}

// unreadable is the fault of a file that is no list.
func unreadable(code, message string) error {
	return fault.New(fault.Invalid, "invalid-list", "%s", message).
		With(fault.Detail{Location: "file", Code: code, Message: message})
}

// errStop ends a reading that nobody wants to go on with.
var errStop = errors.New("the reader has enough")

// blank reports whether no cell of a row holds anything.
func blank(cells []Cell) bool {
	for _, c := range cells {
		if c.Text != "" {
			return false
		}
	}
	return true
}
