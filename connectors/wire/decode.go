package wire

import (
	"encoding/json"
	"strings"
	"unicode"
)

// maxDepth is how deep an answer may be nested.
const maxDepth = 64

// Decode reads one JSON value into response. Beyond what encoding/json asks it
// refuses invalid UTF-8, text that was damaged on the way, NUL, names that
// stand twice in one object in any case of their letters, nesting past 64
// levels, and anything after the value.
//
// Unknown names are allowed: departments add some without notice.
func Decode(text []byte, response any) error {
	if _, err := parse(text, false); err != nil {
		return err
	}
	// The error would quote the answer.
	if err := json.Unmarshal(text, response); err != nil {
		return Malformed("the answer has another shape than agreed")
	}
	return nil
}

// fold maps all spellings of a name that differ in case alone to one.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		least := r
		for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
			least = min(least, other)
		}
		return least
	}, name)
}
