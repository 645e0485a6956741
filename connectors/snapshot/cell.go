package snapshot

import (
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"

	"mianti/catalog"
	"mianti/connectors/wire"
)

// cellKind is what a cell holds.
type cellKind string

const (
	cellText   cellKind = "text"
	cellNumber cellKind = "number"
	cellDate   cellKind = "date" // written as "2006-01-02"
	cellBool   cellKind = "bool" // written as 0 or 1
	cellError  cellKind = "error"
)

// cell is one value of a file, as it is written.
type cell struct {
	text    string
	kind    cellKind
	formula bool
}

// The limits of one cell.
const (
	maxText   = 4000 // characters
	maxName   = 200
	maxNumber = 100
	maxList   = 1000 // items
)

// plain gives a text. A number is none: 007 has lost its zeros.
func (c cell) plain() (string, bool) { return c.text, c.kind == cellText || c.text == "" }

// lostDigits recognises a number that a spreadsheet has rounded and written as
// text: 3.70199E+17, or zeros behind the fifteenth digit.
func (c cell) lostDigits() bool {
	return isScientific(c.text) || len(c.text) == 18 && strings.HasSuffix(c.text, "000")
}

// isScientific knows the form in which a spreadsheet writes a long number: one
// digit, a point and more digits, E and the exponent.
func isScientific(text string) bool {
	digits, exponent, found := strings.Cut(strings.ToUpper(text), "E+")
	whole, part, _ := strings.Cut(digits, ".")
	return found && len(whole) == 1 && areDigits(whole+part) && len(exponent) >= 2 && len(exponent) <= 3 && areDigits(exponent)
}

func areDigits(text string) bool { return strings.Trim(text, "0123456789") == "" }

// value reads a field of the dataset. An empty cell is no value.
func (c cell) value(kind catalog.FieldType) (value any, present bool, fault *RowError) {
	switch {
	case c.kind == cellError:
		return nil, false, &RowError{Code: CodeCellError, Message: "单元格是错误值（例如 #N/A），请改正后重新保存"}
	case c.text == "":
		return nil, false, nil
	case !isText(c.text):
		return nil, false, &RowError{Code: CodeText, Message: "文字已损坏或过长，请核对文件编码和内容"}
	}
	if kind == catalog.FieldString && c.kind == cellText && !isScientific(c.text) {
		return c.text, true, nil // the same as below, without the way there
	}
	raw, fault := c.json(kind)
	if fault != nil {
		return nil, false, fault
	}
	value, ok := wire.Value(kind, raw)
	if items, isList := value.([]string); isList && len(items) > maxList {
		ok = false
	}
	if !ok {
		return nil, false, &RowError{Code: CodeValue, Message: shapeOf(kind)}
	}
	// A date or a number can be written as blanks only.
	return value, value != nil, nil
}

// json writes a value as an interface over HTTP would have sent it, so that
// what counts as a field's value is written down once.
func (c cell) json(kind catalog.FieldType) (json.RawMessage, *RowError) {
	isNumeral := c.kind == cellNumber && (kind == catalog.FieldNumber || kind == catalog.FieldBool)
	switch {
	case isNumeral, c.kind == cellBool && kind == catalog.FieldBool:
		if !json.Valid([]byte(c.text)) {
			return nil, &RowError{Code: CodeValue, Message: shapeOf(kind)}
		}
		return json.RawMessage(c.text), nil
	case c.kind == cellText && kind == catalog.FieldString && isScientific(c.text):
		return nil, &RowError{Code: CodeDigits, Message: "内容已被表格软件改成数字，末几位已经丢失：请把这一列的单元格格式设为文本，再重新填写"}
	case c.kind == cellText, c.kind == cellDate && kind == catalog.FieldDate:
		raw, err := json.Marshal(c.text)
		if err == nil {
			return raw, nil
		}
	}
	return nil, &RowError{Code: CodeValue, Message: shapeOf(kind)}
}

// shapeOf says how a value of a type is written.
func shapeOf(kind catalog.FieldType) string {
	switch kind {
	case catalog.FieldNumber:
		return "应为数字，不带单位和千分位"
	case catalog.FieldBool:
		return "应为“是”或“否”"
	case catalog.FieldDate:
		return "应为存在的日期，写作 2026-11-23、20261123 或“长期”"
	case catalog.FieldList:
		return "应为以“、”分隔的文字，最多1000项"
	default:
		return "应为文字，请把这一列的单元格格式设为文本"
	}
}

// isText refuses text that was damaged on the way or that no record holds.
func isText(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsRune(text, utf8.RuneError) && !strings.ContainsRune(text, 0) &&
		utf8.RuneCountInString(text) <= maxText
}

func isBlank(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }
