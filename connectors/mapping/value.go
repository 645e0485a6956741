package mapping

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"mianti/catalog"
	"mianti/connectors/wire"
)

// field is a field of the dataset, where it is in a record and how the source
// writes it.
type field struct {
	*catalog.Field
	at     pointer
	layout string // of a date; empty for those that every source may use
	codes  map[string]string
	split  string
}

// compile takes how the source writes the field.
func (f *field) compile(as catalog.ValueOf) error {
	coded := f.Type == catalog.FieldString || f.Type == catalog.FieldList || f.Type == catalog.FieldBool
	if as.Date != "" && f.Type != catalog.FieldDate || as.Split != "" && f.Type != catalog.FieldList || len(as.Codes) > 0 && !coded {
		return errors.New("a field is written in a way that its type does not have")
	}
	if as.Date != "" && !isLayout(as.Date) {
		return errors.New("the layout of a date is not made of one year, one month, one day and what is between them")
	}
	for _, meaning := range as.Codes {
		if f.Type == catalog.FieldBool && meaning != "true" && meaning != "false" {
			return errors.New("a code of a yes or no stands for neither true nor false")
		}
	}
	f.layout = strings.NewReplacer("YYYY", "2006", "MM", "01", "DD", "02").Replace(as.Date)
	f.codes, f.split = as.Codes, as.Split
	return nil
}

func isLayout(layout string) bool {
	for _, part := range []string{"YYYY", "MM", "DD"} {
		if strings.Count(layout, part) != 1 {
			return false
		}
		layout = strings.Replace(layout, part, "", 1)
	}
	// The rest must not be read as another part of a time.
	return !strings.ContainsFunc(layout, func(r rune) bool {
		return r < 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r)) || unicode.IsControl(r)
	})
}

// value converts what a source sent to the field's type. present is false where
// nothing was sent: null, or an empty text where none can be.
func (f *field) value(sent any) (value any, present, ok bool) {
	if sent == nil {
		return nil, false, true
	}
	if text, is := sent.(string); is && text == "" && !f.takesEmpty() {
		return nil, false, true
	}
	if sent, ok = f.plain(sent); !ok {
		return nil, true, false
	}
	value, ok = wire.ValueOf(f.Type, sent)
	return value, true, ok && isWithinLimits(value)
}

// takesEmpty says whether an empty text is a value of the field.
func (f *field) takesEmpty() bool {
	_, coded := f.codes[""]
	return coded || f.Type == catalog.FieldString && f.codes == nil
}

// plain turns a source's own way of writing into that which every source may
// use.
func (f *field) plain(sent any) (any, bool) {
	switch {
	case f.layout != "":
		return f.day(sent)
	case f.Type == catalog.FieldList && (f.split != "" || f.codes != nil):
		return f.items(sent)
	case f.codes != nil:
		return f.decoded(sent)
	default:
		return sent, true
	}
}

// day reads a date of the source's layout. 长期 has none.
func (f *field) day(sent any) (any, bool) {
	text, ok := scalar(sent)
	if _, isBool := sent.(bool); isBool || !ok {
		return nil, false
	}
	text = strings.TrimSpace(text)
	if text == "长期" {
		return text, true
	}
	day, err := time.Parse(f.layout, text)
	return day.Format(time.DateOnly), err == nil
}

// items takes a list, or a text that is one, apart.
func (f *field) items(sent any) (any, bool) {
	items, isList := sent.([]any)
	if text, isText := sent.(string); isText {
		isList = true
		items = f.parts(text)
	}
	if !isList || len(items) > maxList {
		return nil, false
	}
	out := make([]any, 0, len(items))
	for _, item := range items {
		if f.codes != nil {
			var known bool
			if item, known = f.decoded(item); !known {
				return nil, false
			}
		}
		out = append(out, item)
	}
	return out, true
}

// parts are the items of a list that is one text.
func (f *field) parts(text string) []any {
	separators := []string{f.split}
	if f.split == "" {
		separators = []string{"、", "；", ";"}
	}
	for _, other := range separators[1:] {
		text = strings.ReplaceAll(text, other, separators[0])
	}
	var out []any
	for part := range strings.SplitSeq(text, separators[0]) {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// decoded is what a coded value stands for. A code that is not listed stands
// for nothing.
func (f *field) decoded(sent any) (any, bool) {
	text, ok := scalar(sent)
	if !ok {
		return nil, false
	}
	meaning, known := f.codes[text]
	if f.Type == catalog.FieldBool && known {
		return meaning == "true", true
	}
	return meaning, known
}

// scalar is a text, a number or a truth as text.
func scalar(sent any) (string, bool) {
	switch sent := sent.(type) {
	case string:
		return sent, true
	case json.Number:
		return sent.String(), true
	case bool:
		return strconv.FormatBool(sent), true
	default:
		return "", false
	}
}

func isWithinLimits(value any) bool {
	switch value := value.(type) {
	case string:
		return utf8.RuneCountInString(value) <= maxText
	case []string:
		for _, item := range value {
			if utf8.RuneCountInString(item) > maxText {
				return false
			}
		}
		return len(value) <= maxList
	default:
		return true
	}
}
