package table

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/transform"
)

// readCSV reads a CSV file (RFC 4180) in UTF-8, with or without its mark, or in
// GB 18030, as spreadsheet programs in China write it.
func readCSV(content []byte) iter.Seq2[Row, error] {
	for _, mark := range []string{"\xff\xfe", "\xfe\xff"} {
		if bytes.HasPrefix(content, []byte(mark)) {
			return failing(unreadable("charset", "文件是 UTF-16 编码。请另存为“CSV UTF-8”或 XLSX 后重试。"))
		}
	}
	if bytes.IndexByte(content, 0) >= 0 {
		return failing(unreadable("not-a-list", "文件不是 CSV 或 XLSX。请下载模板，填好后重试。"))
	}
	var text io.Reader = bytes.NewReader(bytes.TrimPrefix(content, []byte("\ufeff")))
	if !utf8.Valid(content) {
		text = transform.NewReader(bytes.NewReader(content), simplifiedchinese.GB18030.NewDecoder())
	}
	return func(yield func(Row, error) bool) {
		reader := csv.NewReader(text)
		reader.FieldsPerRecord, reader.ReuseRecord = -1, true
		for {
			record, err := reader.Read()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(Row{}, csvFault(err))
				return
			}
			line, _ := reader.FieldPos(0)
			row, err := csvRow(line, record)
			if err != nil {
				yield(Row{}, err)
				return
			}
			if !blank(row.Cells) && !yield(row, nil) {
				return
			}
		}
	}
}

func csvRow(line int, record []string) (Row, error) {
	row := Row{Line: line, Cells: make([]Cell, len(record))}
	if len(record) > MaxColumns {
		return row, tooWide(line)
	}
	for i, text := range record {
		if strings.ContainsRune(text, utf8.RuneError) {
			return row, unreadable("charset", fmt.Sprintf("第 %d 行有读不出的文字。请另存为“CSV UTF-8”或 XLSX 后重试。", line))
		}
		if len(text) > MaxText {
			return row, tooLong(line)
		}
		row.Cells[i].Text = strings.Clone(strings.TrimSpace(text))
	}
	return row, nil
}

func tooWide(line int) error {
	return unreadable("columns", fmt.Sprintf("第 %d 行超过 %d 列。请删除名单以外的列。", line, MaxColumns))
}

func tooLong(line int) error {
	return unreadable("long-text", fmt.Sprintf("第 %d 行有一格超过 %d 字节。多半是引号没有成对，请核对。", line, MaxText))
}

// csvFault says where a file breaks the rules; the reader's own text is dropped.
func csvFault(err error) error {
	var wrong *csv.ParseError
	if errors.As(err, &wrong) {
		return unreadable("quotes", fmt.Sprintf("第 %d 行的双引号没有成对或位置不对。请改正，或另存为 XLSX 后重试。", wrong.StartLine))
	}
	return unreadable("charset", "文件的编码不认识。请另存为“CSV UTF-8”或 XLSX 后重试。")
}
