package clerk

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"mianti/catalog"
	"mianti/exchange"
	"mianti/web/frame"
)

// longNumber is from how many digits on a number may be somebody's.
const longNumber = 6

// maskedName leaves of a person's name what it begins with. A body's name is public.
func maskedName(p *catalog.Party) string {
	if p.Kind != catalog.KindPerson {
		return p.Name
	}
	return maskedPerson(p.Name)
}

func maskedPerson(name string) string {
	first, size := utf8.DecodeRuneInString(name)
	if size == 0 {
		return ""
	}
	return string(first) + strings.Repeat("*", utf8.RuneCountInString(name[size:]))
}

// masking says what of a case is not shown.
type masking struct {
	names map[string]bool // of the persons of the case
}

func newMasking(c *exchange.Case) masking {
	m := masking{names: map[string]bool{}}
	for i := range c.Parties {
		if p := &c.Parties[i]; p.Kind == catalog.KindPerson {
			m.names[p.Name] = true
		}
	}
	return m
}

// text gives a text as it is shown of a field, and whether anything was masked:
// numbers, and what can be a person's name.
func (m masking) text(field, value string) (string, bool) {
	if digits(value) >= longNumber {
		return shortened(exchange.Masked(value)), true
	}
	if m.names[value] || isPersonField(field) && isShortName(value) {
		return maskedPerson(value), true
	}
	return value, false
}

// shortened leaves of a long row of stars as many as an identity number has.
func shortened(masked string) string {
	const most = 11
	head, tail := strings.IndexByte(masked, '*'), strings.LastIndexByte(masked, '*')
	if head < 0 || tail-head < most {
		return masked
	}
	return masked[:head] + strings.Repeat("*", most) + masked[tail+1:]
}

// digits is the length of the longest run of digits.
func digits(text string) int {
	longest, run := 0, 0
	for _, r := range text {
		if unicode.IsDigit(r) {
			run++
		} else {
			run = 0
		}
		longest = max(longest, run)
	}
	return longest
}

// isPersonField reports whether a field may say who somebody is.
func isPersonField(code string) bool {
	for _, part := range []string{"name", "holder", "owner", "spouse", "representative", "person", "guardian", "member"} {
		if strings.Contains(code, part) {
			return true
		}
	}
	return false
}

// isShortName reports whether a text is as long as a person's name and made of
// letters alone.
func isShortName(text string) bool {
	n := utf8.RuneCountInString(text)
	other := func(r rune) bool { return !unicode.Is(unicode.Han, r) && r != '·' }
	return n >= 2 && (n <= 4 || strings.ContainsRune(text, '·')) && !strings.ContainsFunc(text, other)
}

// show gives a value of a record as people read it, masked or in full.
func (m masking) show(v *frame.Visit, field string, value any, full bool) (text string, masked bool) {
	switch value := value.(type) {
	case nil:
		return v.T("（空）"), false
	case bool:
		if value {
			return v.T("是"), false
		}
		return v.T("否"), false
	case float64:
		text = strconv.FormatFloat(value, 'f', -1, 64)
	case json.Number:
		text = value.String()
	case []any:
		parts := make([]string, len(value))
		for i, part := range value {
			shown, hidden := m.show(v, field, part, full)
			parts[i], masked = shown, masked || hidden
		}
		return strings.Join(parts, "、"), masked
	default:
		text = fmt.Sprint(value)
	}
	if full {
		return text, false
	}
	return m.text(field, text)
}
