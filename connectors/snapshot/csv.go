package snapshot

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"io"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/transform"

	"mianti/catalog"
)

const (
	maxCSV = 1 << 30
	// maxRecord bounds one row: a quotation mark that is never closed would
	// take in the rest of the file.
	maxRecord = 1 << 20
)

var errLongRecord = errors.New("a row is longer than 1 MiB")

// csvTable reads a CSV file (RFC 4180) as a stream.
type csvTable struct {
	reader *csv.Reader
	cells  []cell
}

func openCSV(f File, s *catalog.Snapshot) (table, error) {
	if f.Size > maxCSV {
		return nil, wholeFile(CodeSize, "文件超过 1 GiB，请分成几个数源或减少列后再送")
	}
	if err := checkEnd(f); err != nil {
		return nil, err
	}
	section := bufio.NewReader(io.NewSectionReader(f.Content, 0, f.Size))
	var text io.Reader = section
	switch s.Charset {
	case "", "utf-8":
		const mark = "\ufeff"
		if start, err := section.Peek(len(mark)); err == nil && string(start) == mark {
			if _, err := section.Discard(len(mark)); err != nil {
				return nil, err
			}
		}
	case "gb18030":
		// What is no character becomes U+FFFD, which every cell is checked for.
		text = transform.NewReader(section, simplifiedchinese.GB18030.NewDecoder())
	default:
		return nil, wholeFile(CodeCharset, "目录里声明的编码不认识，请改正目录")
	}
	bounded := &boundedReader{from: text}
	t := &csvTable{reader: csv.NewReader(bounded)}
	bounded.consumed = t.reader.InputOffset
	t.reader.FieldsPerRecord = -1 // counted by the layout, which tells every row
	t.reader.ReuseRecord = true
	return t, nil
}

// checkEnd wants a line break at the end: a file that was cut on its way has
// none, and its last value could still look like a good one.
func checkEnd(f File) error {
	if f.Size == 0 {
		return nil // told as a file without headings
	}
	last := make([]byte, 1)
	if _, err := f.Content.ReadAt(last, f.Size-1); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if !bytes.ContainsAny(last, "\r\n") {
		return wholeFile(CodeEnd, "文件末尾没有换行，可能没有传完，请重新导出或重新传送")
	}
	return nil
}

// next gives the next row that has a cell which is not empty.
func (t *csvTable) next() (line, error) {
	for {
		record, err := t.reader.Read()
		if err != nil {
			return line{}, csvFault(err)
		}
		at, _ := t.reader.FieldPos(0)
		t.cells = t.cells[:0]
		blank := true
		for _, text := range record {
			blank = blank && text == ""
			t.cells = append(t.cells, cell{text: text, kind: cellText})
		}
		if !blank {
			return line{number: at, cells: t.cells, whole: true}, nil
		}
	}
}

// csvFault says what is wrong; the reader's own text is dropped.
func csvFault(err error) error {
	var wrong *csv.ParseError
	switch {
	case errors.Is(err, io.EOF):
		return io.EOF
	case errors.Is(err, errLongRecord):
		return wholeFile(CodeQuotes, "有一行超过 1 MiB，多半是引号没有成对，请核对后重新导出")
	case errors.As(err, &wrong):
		return RowErrors{{Row: wrong.StartLine, Code: CodeQuotes, Message: "双引号没有成对或位置不对，这一行及以后没有再检查，请核对后重新导出"}}
	default:
		return err
	}
}

// Close has nothing to close: the file is the caller's.
func (t *csvTable) Close() error { return nil }

// boundedReader reads on only while less than a row's limit has been read
// beyond what was consumed.
type boundedReader struct {
	from     io.Reader
	consumed func() int64
	given    int64
}

// Read gives the next part.
func (b *boundedReader) Read(p []byte) (int, error) {
	if b.given-b.consumed() > maxRecord {
		return 0, errLongRecord
	}
	n, err := b.from.Read(p)
	b.given += int64(n)
	return n, err
}
