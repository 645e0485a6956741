package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"unicode/utf16"
)

// Canonical gives the JSON of a value in its canonical form (RFC 8785): sorted
// keys, no blanks, numbers and strings as ECMAScript writes them, so that
// anybody computes the same digest. Numbers are IEEE 754 doubles, as there.
func Canonical(value any) ([]byte, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	return canonicalText(text)
}

// canonicalText does the same of a text that is JSON.
func canonicalText(text []byte) ([]byte, error) {
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := writeCanonical(&out, value); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func writeCanonical(out *bytes.Buffer, value any) error {
	switch v := value.(type) {
	case map[string]any:
		return writeObject(out, v)
	case []any:
		out.WriteByte('[')
		for i, item := range v {
			if i > 0 {
				out.WriteByte(',')
			}
			if err := writeCanonical(out, item); err != nil {
				return err
			}
		}
		out.WriteByte(']')
		return nil
	case string:
		writeString(out, v)
		return nil
	case float64:
		if math.IsInf(v, 0) || math.IsNaN(v) {
			return errors.New("a number that JSON does not know")
		}
		if v == 0 {
			v = 0 // -0 is written as 0
		}
		number, err := json.Marshal(v) // as ECMAScript's Number::toString
		out.Write(number)
		return err
	case bool, nil:
		text, err := json.Marshal(v)
		out.Write(text)
		return err
	default:
		return fmt.Errorf("a %T is not of JSON", value)
	}
}

// writeObject sorts the names by their UTF-16 units, which differs from the
// order of bytes beyond the basic plane.
func writeObject(out *bytes.Buffer, object map[string]any) error {
	names := make([]string, 0, len(object))
	for name := range object {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
	})
	out.WriteByte('{')
	for i, name := range names {
		if i > 0 {
			out.WriteByte(',')
		}
		writeString(out, name)
		out.WriteByte(':')
		if err := writeCanonical(out, object[name]); err != nil {
			return err
		}
	}
	out.WriteByte('}')
	return nil
}

// writeString escapes what JSON must have escaped, and nothing else.
func writeString(out *bytes.Buffer, text string) {
	short := map[rune]string{'"': `\"`, '\\': `\\`, '\b': `\b`, '\f': `\f`, '\n': `\n`, '\r': `\r`, '\t': `\t`}
	out.WriteByte('"')
	for _, r := range text {
		if escaped, ok := short[r]; ok {
			out.WriteString(escaped)
		} else if r < 0x20 {
			fmt.Fprintf(out, `\u%04x`, r)
		} else {
			out.WriteRune(r)
		}
	}
	out.WriteByte('"')
}
