package wire

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
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
	if !utf8.Valid(text) {
		return Malformed("the answer is not valid UTF-8")
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if reason := scan(decoder, 0); reason != "" {
		return Malformed(reason)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return Malformed("the answer goes on after its end")
	}
	// The error would quote the answer.
	if err := json.Unmarshal(text, response); err != nil {
		return Malformed("the answer has another shape than agreed")
	}
	return nil
}

const notJSON = "the answer is not JSON"

// scan reads one value and says what is wrong with it, or "".
func scan(decoder *json.Decoder, depth int) string {
	token, err := decoder.Token()
	if err != nil {
		return notJSON
	}
	switch token := token.(type) {
	case string:
		return scanText(token)
	case json.Delim:
		if depth >= maxDepth {
			return "the answer is nested too deep"
		}
		if token == '{' {
			return scanObject(decoder, depth+1)
		}
		return scanArray(decoder, depth+1)
	}
	return ""
}

func scanObject(decoder *json.Decoder, depth int) string {
	seen := map[string]bool{}
	for decoder.More() {
		token, err := decoder.Token()
		name, isName := token.(string)
		if err != nil || !isName {
			return notJSON
		}
		if reason := scanText(name); reason != "" {
			return reason
		}
		// encoding/json matches names without regard to case, so two names that
		// fold to one would let the second overwrite the first.
		name = fold(name)
		if seen[name] {
			return "the answer has a name twice"
		}
		seen[name] = true
		if reason := scan(decoder, depth); reason != "" {
			return reason
		}
	}
	return scanEnd(decoder)
}

func scanArray(decoder *json.Decoder, depth int) string {
	for decoder.More() {
		if reason := scan(decoder, depth); reason != "" {
			return reason
		}
	}
	return scanEnd(decoder)
}

func scanEnd(decoder *json.Decoder) string {
	if _, err := decoder.Token(); err != nil {
		return notJSON
	}
	return ""
}

// scanText refuses characters that no name or record holds: the mark of lost
// characters, and NUL, which PostgreSQL cannot store.
func scanText(text string) string {
	if strings.ContainsRune(text, utf8.RuneError) || strings.ContainsRune(text, 0) {
		return "the answer holds damaged text"
	}
	return ""
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
