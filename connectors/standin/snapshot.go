package standin

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"

	"mianti/catalog"
)

// The headings of a file that are not a field's.
const (
	headName    = "主体名称"
	headNumber  = "主体号码"
	headRevoked = "是否失效"
)

// manyRows is more than a small register has.
const manyRows = 100_000

// fileDate is the moment from which a file is, as its name says it.
const fileDate = "20060102T1504"

// snapshot gives all records of a dataset as one file:
//
//	GET /{department}/snapshot/{dataset}.csv, or .xlsx
//
// The name in Content-Disposition carries the moment from which it is, in
// China's time.
func (s *Server) snapshot(w http.ResponseWriter, r *http.Request) {
	code, format, _ := strings.Cut(r.PathValue("file"), ".")
	t := s.templates[code]
	if t == nil || t.dataset.Department != r.PathValue("department") || (format != "csv" && format != "xlsx") {
		http.NotFound(w, r)
		return
	}
	s.counts[code].Add(1)
	b := s.behaviour(code, "")
	if s.interruptedFile(w, r, b) {
		return
	}
	name, content, err := s.File(code, format)
	if err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	kind := "text/csv; charset=utf-8"
	if format == "xlsx" {
		kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	}
	s.sendFile(w, kind, content)
}

// interruptedFile waits and plays the faults that are not in a file itself.
func (s *Server) interruptedFile(w http.ResponseWriter, r *http.Request, b behaviour) bool {
	switch b.fault {
	case FaultMalformed, FaultTruncated, FaultShort, FaultEmpty, FaultHuge:
		return !s.wait(r.Context(), b.delay)
	default:
		return s.interrupted(w, r, &b)
	}
}

// File is the file of a dataset, as csv or xlsx, and its name, with the faults
// of records and of texts that the rules say: a broken one, half of one, an
// empty one.
func (s *Server) File(dataset, format string) (name string, content []byte, err error) {
	t := s.templates[dataset]
	if t == nil {
		return "", nil, fmt.Errorf("no dataset is called %q", dataset)
	}
	rows, err := s.Rows(dataset)
	if err != nil {
		return "", nil, fmt.Errorf("records of %s: %w", dataset, err)
	}
	fault := s.behaviour(dataset, "").fault
	asOf := s.today()
	switch fault {
	case FaultStale:
		asOf = asOf.AddDate(0, -1, 0)
	case FaultFuture:
		asOf = asOf.AddDate(10, 0, 0)
	case FaultHuge:
		for len(rows) > 0 && len(rows) < manyRows {
			rows = append(rows, rows...)
		}
	}
	table := tableOf(t.dataset, rows, fault == FaultExtraFields)
	if format == "xlsx" {
		content, err = sheetOf(table)
	} else {
		content, err = textOf(table)
	}
	if err != nil {
		return "", nil, fmt.Errorf("file of %s: %w", dataset, err)
	}
	return dataset + "-" + asOf.Format(fileDate) + "." + format, spoiltFile(content, fault), nil
}

func spoiltFile(content []byte, fault Fault) []byte {
	switch fault {
	case FaultEmpty:
		return nil
	case FaultTruncated, FaultShort:
		return content[:len(content)/2]
	case FaultMalformed:
		return append([]byte(`"主体名称,`), content[len(content)/3:]...)
	case FaultBOM, FaultBadUTF8, FaultNUL, FaultDamaged, FaultUndeclared:
		return spoilt(content, fault, "")
	default:
		return content
	}
}

// tableOf is the headings and the rows of a file.
func tableOf(d *catalog.Dataset, rows []Row, more bool) [][]any {
	heads := []any{headName, headNumber, headRevoked}
	for _, field := range d.Fields {
		heads = append(heads, field.Name)
	}
	if more {
		heads = append(heads, "内部备注")
	}
	table := [][]any{heads}
	for _, row := range rows {
		revoked := "否"
		if row.Revoked {
			revoked = "是"
		}
		cells := []any{row.Name, row.Number, revoked}
		for _, field := range d.Fields {
			cells = append(cells, cellOf(row.Fields[field.Code]))
		}
		if more {
			cells = append(cells, "不应外传")
		}
		table = append(table, cells)
	}
	return table
}

// cellOf writes a value as people do. A number is one; all else is text.
func cellOf(value any) any {
	switch value := value.(type) {
	case nil:
		return ""
	case float64:
		return value
	case bool:
		if value {
			return "是"
		}
		return "否"
	case []string:
		return strings.Join(value, "、")
	case fmt.Stringer: // a number where a text belongs
		if number, err := strconv.ParseFloat(value.String(), 64); err == nil {
			return number
		}
		return value.String()
	default:
		return fmt.Sprint(value)
	}
}

func textOf(table [][]any) ([]byte, error) {
	var out bytes.Buffer
	writer := csv.NewWriter(&out)
	writer.UseCRLF = true
	for _, row := range table {
		cells := make([]string, 0, len(row))
		for _, cell := range row {
			if number, is := cell.(float64); is {
				cell = strconv.FormatFloat(number, 'f', -1, 64)
			}
			cells = append(cells, fmt.Sprint(cell))
		}
		if err := writer.Write(cells); err != nil {
			return nil, err
		}
	}
	writer.Flush()
	return out.Bytes(), writer.Error()
}

func sheetOf(table [][]any) ([]byte, error) {
	book := excelize.NewFile()
	defer book.Close() // it holds no file of the system's
	rows, err := book.NewStreamWriter("Sheet1")
	if err != nil {
		return nil, err
	}
	for i, row := range table {
		if err := rows.SetRow("A"+strconv.Itoa(i+1), row); err != nil {
			return nil, err
		}
	}
	if err := rows.Flush(); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := book.Write(&out); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
