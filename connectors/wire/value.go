package wire

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"mianti/catalog"
)

// endless is how a validity without end (长期) is written as a date, so that it
// compares like one.
const endless = "9999-12-31"

// Fields takes the wanted fields of a dataset out of a source's record, which
// names them in Chinese, and gives them by code and typed. A field that is
// missing, null, or an empty text where none can be, is left out.
func Fields(dataset *catalog.Dataset, wanted []string, record map[string]json.RawMessage) (map[string]any, error) {
	out := make(map[string]any, len(wanted))
	for i := range dataset.Fields {
		field := &dataset.Fields[i]
		if !slices.Contains(wanted, field.Code) {
			continue
		}
		raw, sent := record[field.Name]
		if !sent || isEmpty(raw, field.Type) {
			continue
		}
		value, ok := Value(field.Type, raw)
		if !ok {
			return nil, Malformed("field " + field.Code + " is not a " + string(field.Type))
		}
		out[field.Code] = value
	}
	return out, nil
}

func isEmpty(raw json.RawMessage, kind catalog.FieldType) bool {
	raw = bytes.TrimSpace(raw)
	return string(raw) == "null" || (string(raw) == `""` && kind != catalog.FieldString)
}

// Value converts one JSON value to a field type: string, float64, bool,
// []string, or a date as "2006-01-02". It guesses nothing beyond the spellings
// that departments are known to use; ok is false for all others.
func Value(kind catalog.FieldType, raw json.RawMessage) (value any, ok bool) {
	var sent any
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if err := decoder.Decode(&sent); err != nil {
		return nil, false
	}
	return ValueOf(kind, sent)
}

// ValueOf is Value of what Parse gave.
func ValueOf(kind catalog.FieldType, sent any) (value any, ok bool) {
	switch kind {
	case catalog.FieldString:
		// A number is refused: 007 sent as a number has lost its zeros.
		text, ok := sent.(string)
		return strings.Clone(text), ok // not the whole answer for a name
	case catalog.FieldNumber:
		return number(sent)
	case catalog.FieldBool:
		return truth(sent)
	case catalog.FieldDate:
		return date(sent)
	case catalog.FieldList:
		return list(sent)
	default:
		return nil, false
	}
}

func number(sent any) (any, bool) {
	var text string
	switch sent := sent.(type) {
	case json.Number:
		text = sent.String()
	case string:
		text = strings.TrimSpace(sent)
	}
	// ParseFloat also takes "inf", "nan" and hexadecimal.
	if text == "" || strings.Trim(text, "0123456789+-.eE") != "" {
		return nil, false
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(value, 0) {
		return nil, false
	}
	return value, true
}

func truth(sent any) (any, bool) {
	var text string
	switch sent := sent.(type) {
	case bool:
		return sent, true
	case json.Number:
		text = sent.String()
	case string:
		text = strings.TrimSpace(sent)
	}
	switch text {
	case "true", "有", "是", "1":
		return true, true
	case "false", "无", "否", "0":
		return false, true
	}
	return nil, false
}

func date(sent any) (any, bool) {
	text, isText := sent.(string)
	if !isText {
		return nil, false
	}
	text = strings.TrimSpace(text)
	if text == "长期" {
		return endless, true
	}
	for _, layout := range []string{time.DateOnly, "20060102", time.RFC3339} {
		day, err := time.Parse(layout, text)
		if err != nil {
			continue
		}
		if layout == time.RFC3339 {
			day = day.In(catalog.TimeZone())
		}
		return day.Format(time.DateOnly), day.Year() > 0
	}
	return nil, false
}

func list(sent any) (any, bool) {
	switch sent := sent.(type) {
	case string:
		return split(sent), true
	case []any:
		out := make([]string, 0, len(sent))
		for _, item := range sent {
			text, isText := item.(string)
			if !isText {
				return nil, false
			}
			out = append(out, text)
		}
		return out, true
	}
	return nil, false
}

func split(text string) []string {
	out := []string{}
	for item := range strings.FieldsFuncSeq(text, func(r rune) bool { return strings.ContainsRune("、；;", r) }) {
		if item = strings.TrimSpace(item); item != "" {
			out = append(out, item)
		}
	}
	return out
}
