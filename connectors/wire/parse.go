package wire

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Parse reads one JSON value as strictly as Decode does, and gives it as
// encoding/json does with numbers as they are written: map[string]any, []any,
// string, json.Number, bool or nil. The error is a *connectors.Fault.
//
// It goes over the text once. The way over encoding/json went three times, by
// tokens that were allocated to be looked at, and was the tenth part of what a
// resolution allocated (BenchmarkParse: a twelfth of its time, 22 allocations for 251 with an
// answer of 600 bytes).
func Parse(text []byte) (any, error) {
	return parse(text, true)
}

// parse gives nothing but the error when it need not keep what it reads.
func parse(text []byte, keep bool) (any, error) {
	if !utf8.Valid(text) {
		return nil, Malformed("the answer is not valid UTF-8")
	}
	if bytes.ContainsRune(text, utf8.RuneError) {
		return nil, Malformed(damaged)
	}
	p := parser{text: string(text), keep: keep}
	value := p.value(0)
	if p.space(); p.reason == "" && p.at < len(p.text) {
		p.reason = "the answer goes on after its end"
	}
	if p.reason != "" {
		return nil, Malformed(p.reason)
	}
	return value, nil
}

const (
	notJSON = "the answer is not JSON"
	damaged = "the answer holds damaged text"
	// few is how many names of an object are compared one by one.
	few = 16
)

// parser reads a text from its beginning to its end. When something is wrong it
// says so in reason, and what it gives from then on means nothing.
type parser struct {
	text   string
	at     int
	keep   bool
	reason string
}

func (p *parser) fail(reason string) any {
	if p.reason == "" {
		p.reason = reason
	}
	return nil
}

func (p *parser) space() {
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
}

// next skips blanks and gives the character after them, 0 at the end.
func (p *parser) next() byte {
	p.space()
	if p.at == len(p.text) {
		return 0
	}
	return p.text[p.at]
}

// takes goes past a character if it is the next.
func (p *parser) takes(c byte) bool {
	if p.next() != c {
		return false
	}
	p.at++
	return true
}

// value reads a value that is in so many others.
func (p *parser) value(depth int) any {
	switch c := p.next(); c {
	case '{', '[':
		if depth >= maxDepth {
			return p.fail("the answer is nested too deep")
		}
		p.at++
		if c == '{' {
			return p.object(depth + 1)
		}
		return p.array(depth + 1)
	case '"':
		text := p.string()
		if !p.keep {
			return nil
		}
		return text
	case 't':
		return p.literal("true", true)
	case 'f':
		return p.literal("false", false)
	case 'n':
		return p.literal("null", nil)
	default:
		return p.number()
	}
}

func (p *parser) literal(word string, value any) any {
	if !strings.HasPrefix(p.text[p.at:], word) {
		return p.fail(notJSON)
	}
	p.at += len(word)
	return value
}

func (p *parser) object(depth int) any {
	var out map[string]any
	if p.keep {
		out = map[string]any{}
	}
	if p.takes('}') {
		return out
	}
	var names names
	for {
		if p.next() != '"' {
			return p.fail(notJSON)
		}
		name := p.string()
		if p.reason == "" && !names.add(name) {
			return p.fail("the answer has a name twice")
		}
		if !p.takes(':') {
			return p.fail(notJSON)
		}
		value := p.value(depth)
		if p.reason != "" {
			return nil
		}
		if p.keep {
			out[name] = value
		}
		if p.takes('}') {
			return out
		}
		if !p.takes(',') {
			return p.fail(notJSON)
		}
	}
}

func (p *parser) array(depth int) any {
	out := []any{}
	if p.takes(']') {
		return out
	}
	for {
		value := p.value(depth)
		if p.reason != "" {
			return nil
		}
		if p.keep {
			out = append(out, value)
		}
		if p.takes(']') {
			return out
		}
		if !p.takes(',') {
			return p.fail(notJSON)
		}
	}
}

// string reads a text. One without escapes is a part of the answer's own.
func (p *parser) string() string {
	p.at++ // the quotation mark
	for start := p.at; p.at < len(p.text); p.at++ {
		switch c := p.text[p.at]; {
		case c == '"':
			p.at++
			return p.text[start : p.at-1]
		case c == '\\':
			return p.escaped(start)
		case c < ' ':
			p.fail(notJSON)
			return ""
		}
	}
	p.fail(notJSON)
	return ""
}

// escaped reads on from the first escape of a text.
func (p *parser) escaped(start int) string {
	out := []byte(p.text[start:p.at])
	for p.at < len(p.text) {
		c := p.text[p.at]
		p.at++
		switch {
		case c == '"':
			return string(out)
		case c < ' ':
			p.fail(notJSON)
			return ""
		case c == '\\':
			r, ok := p.escape()
			if !ok {
				return ""
			}
			out = utf8.AppendRune(out, r)
		default:
			out = append(out, c)
		}
	}
	p.fail(notJSON)
	return ""
}

// escape reads what follows a backslash. It refuses the mark of lost characters
// and NUL, which PostgreSQL cannot store.
func (p *parser) escape() (rune, bool) {
	if p.at == len(p.text) {
		p.fail(notJSON)
		return 0, false
	}
	c := p.text[p.at]
	p.at++
	if i := strings.IndexByte(`"\/bfnrt`, c); i >= 0 {
		return rune("\"\\/\b\f\n\r\t"[i]), true
	}
	r, ok := p.hex(c)
	if !ok {
		p.fail(notJSON)
		return 0, false
	}
	if utf16.IsSurrogate(r) {
		low := rune(-1)
		if strings.HasPrefix(p.text[p.at:], `\u`) {
			p.at += 2
			low, _ = p.hex('u')
		}
		r = utf16.DecodeRune(r, low)
	}
	if r == utf8.RuneError || r == 0 {
		p.fail(damaged)
		return 0, false
	}
	return r, true
}

// hex reads the four digits after a u.
func (p *parser) hex(c byte) (rune, bool) {
	if c != 'u' || len(p.text) < p.at+4 {
		return -1, false
	}
	code, err := strconv.ParseUint(p.text[p.at:p.at+4], 16, 16) // takes neither sign nor underscore
	p.at += 4
	return rune(code), err == nil
}

// number reads a number of JSON's grammar, which is narrower than Go's.
func (p *parser) number() any {
	start := p.at
	p.skip("-")
	first := p.at
	whole := p.digits()
	if whole == 0 || whole > 1 && p.text[first] == '0' {
		return p.fail(notJSON)
	}
	if p.skip(".") && p.digits() == 0 {
		return p.fail(notJSON)
	}
	if p.skip("eE") {
		p.skip("+-")
		if p.digits() == 0 {
			return p.fail(notJSON)
		}
	}
	if !p.keep {
		return nil
	}
	return json.Number(p.text[start:p.at])
}

// skip goes past one of some characters.
func (p *parser) skip(any string) bool {
	if p.at == len(p.text) || strings.IndexByte(any, p.text[p.at]) < 0 {
		return false
	}
	p.at++
	return true
}

func (p *parser) digits() int {
	start := p.at
	for p.at < len(p.text) && '0' <= p.text[p.at] && p.text[p.at] <= '9' {
		p.at++
	}
	return p.at - start
}

// names are those of one object. encoding/json matches names without regard to
// case, so two names that fold to one would let the second overwrite the first.
type names struct {
	first [few]string
	count int
	more  map[string]bool // folded: all of them, when they are more than few
}

// add reports whether the name is new.
func (n *names) add(name string) bool {
	if n.more == nil && n.count < few {
		for _, other := range n.first[:n.count] {
			if strings.EqualFold(other, name) {
				return false
			}
		}
		n.first[n.count] = name
		n.count++
		return true
	}
	if n.more == nil {
		n.more = map[string]bool{}
		for _, other := range n.first {
			n.more[fold(other)] = true
		}
	}
	folded := fold(name)
	if n.more[folded] {
		return false
	}
	n.more[folded] = true
	return true
}
