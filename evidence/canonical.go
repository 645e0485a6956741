package evidence

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
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
	return appendCanonical(nil, value)
}

func appendCanonical(out []byte, value any) ([]byte, error) {
	switch v := value.(type) {
	case map[string]any:
		return appendObject(out, v)
	case []any:
		out = append(out, '[')
		var err error
		for i, item := range v {
			if i > 0 {
				out = append(out, ',')
			}
			if out, err = appendCanonical(out, item); err != nil {
				return nil, err
			}
		}
		return append(out, ']'), nil
	case string:
		return appendString(out, v), nil
	case float64:
		return appendNumber(out, v)
	case bool:
		return strconv.AppendBool(out, v), nil
	case nil:
		return append(out, "null"...), nil
	default:
		return nil, fmt.Errorf("a %T is not of JSON", value)
	}
}

// appendObject sorts the names by their UTF-16 units, which differs from the
// order of bytes beyond the basic plane.
func appendObject(out []byte, object map[string]any) ([]byte, error) {
	out = append(out, '{')
	var err error
	for i, name := range slices.SortedFunc(maps.Keys(object), compareUTF16) {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(appendString(out, name), ':')
		if out, err = appendCanonical(out, object[name]); err != nil {
			return nil, err
		}
	}
	return append(out, '}'), nil
}

// compareUTF16 compares as if both were UTF-16, without making them so.
func compareUTF16(a, b string) int {
	for a != "" && b != "" {
		x, n := utf8.DecodeRuneInString(a)
		y, m := utf8.DecodeRuneInString(b)
		if x != y {
			return cmp.Or(cmp.Compare(firstUnit(x), firstUnit(y)), cmp.Compare(x, y))
		}
		a, b = a[n:], b[m:]
	}
	return cmp.Compare(len(a), len(b))
}

// firstUnit is a character, or the first half of its surrogate pair. The second
// halves of two with the same first are in the order of the characters.
func firstUnit(r rune) rune {
	if high, _ := utf16.EncodeRune(r); high != utf8.RuneError {
		return high
	}
	return r
}

// appendNumber writes as ECMAScript's Number::toString.
func appendNumber(out []byte, v float64) ([]byte, error) {
	if v == 0 {
		v = 0 // -0 is written as 0
	}
	number, err := json.Marshal(v) // refuses what JSON does not know
	return append(out, number...), err
}

// appendString escapes what JSON must have escaped, and nothing else.
func appendString(out []byte, text string) []byte {
	out = append(out, '"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			out = append(out, '\\', byte(r))
		case r >= ' ':
			out = utf8.AppendRune(out, r)
		default:
			out = appendControl(out, r)
		}
	}
	return append(out, '"')
}

func appendControl(out []byte, r rune) []byte {
	const short = "btn\x00fr" // of \b (8) to \r (13); 11 has none
	if i := int(r) - '\b'; i >= 0 && i < len(short) && short[i] != 0 {
		return append(out, '\\', short[i])
	}
	return fmt.Appendf(out, `\u%04x`, r)
}
