package mapping

import (
	"errors"
	"strconv"
	"strings"
)

// pointer is a JSON Pointer (RFC 6901) taken apart; nil points to the whole.
type pointer []string

var errPointer = errors.New("a place is not a JSON Pointer")

func parsePointer(text string) (pointer, error) {
	if text == "" {
		return nil, nil
	}
	if text[0] != '/' {
		return nil, errPointer
	}
	parts := strings.Split(text[1:], "/")
	for i, part := range parts {
		for at := range len(part) {
			if part[at] == '~' && (at+1 == len(part) || part[at+1] != '0' && part[at+1] != '1') {
				return nil, errPointer
			}
		}
		parts[i] = strings.ReplaceAll(strings.ReplaceAll(part, "~1", "/"), "~0", "~")
	}
	return parts, nil
}

// then is the place of a name below this one.
func (p pointer) then(name string) pointer {
	return append(append(make(pointer, 0, len(p)+1), p...), name)
}

// String writes the pointer as RFC 6901 does.
func (p pointer) String() string {
	var out strings.Builder
	for _, part := range p {
		out.WriteByte('/')
		out.WriteString(strings.ReplaceAll(strings.ReplaceAll(part, "~", "~0"), "/", "~1"))
	}
	return out.String()
}

// finding is what is at a place.
type finding string

const (
	isThere   finding = "there" // a value, which can be null
	isMissing finding = "missing"
	isBroken  finding = "broken" // a text or number stands where something should be inside
)

// in looks the place up. Below a null everything is missing.
func (p pointer) in(root any) (any, finding) {
	at := root
	for _, part := range p {
		switch node := at.(type) {
		case nil:
			return nil, isMissing
		case map[string]any:
			value, ok := node[part]
			if !ok {
				return nil, isMissing
			}
			at = value
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || strconv.Itoa(i) != part || i < 0 || i >= len(node) {
				return nil, isMissing
			}
			at = node[i]
		default:
			return nil, isBroken
		}
	}
	return at, isThere
}
