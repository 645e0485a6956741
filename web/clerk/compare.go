package clerk

import (
	"regexp"
	"strings"
	"unicode"

	"mianti/catalog"
	"mianti/exchange"
)

// comparing finds in a check what of a record it holds against what was filled in:
// same_name(ga01.name, subject.name), ga01.citizen_id == subject.number,
// same_address(zr01.location, business_address).
func comparing() []*regexp.Regexp {
	return []*regexp.Regexp{
		regexp.MustCompile(`same_(?:name|address)\((\w+)\.(\w+), ?([\w.]+)\)`),
		regexp.MustCompile(`(\w+)\.(\w+) == (subject\.\w+)`),
	}
}

// filledIn gives, for a material of a party, what was filled in against each field
// that its checks compare: by alias of the dataset, and field.
func filledIn(m *catalog.Material, c *exchange.Case, party string) map[[2]string]string {
	out := map[[2]string]string{}
	if m == nil {
		return out
	}
	var subject *catalog.Party
	for i := range c.Parties {
		if c.Parties[i].ID == party {
			subject = &c.Parties[i]
		}
	}
	for i := range m.Proofs {
		for _, pattern := range comparing() {
			for _, found := range pattern.FindAllStringSubmatch(m.Proofs[i].Check, -1) {
				if value := filledValue(c, subject, found[3]); value != "" {
					out[[2]string{found[1], found[2]}] = value
				}
			}
		}
	}
	return out
}

func filledValue(c *exchange.Case, subject *catalog.Party, what string) string {
	switch {
	case what == "subject.name" && subject != nil:
		return subject.Name
	case what == "subject.number" && subject != nil:
		return subject.Number
	}
	text, _ := c.Facts[what].(string)
	return text
}

// alias is a dataset's name in checks: "D-GA01" is ga01.
func alias(dataset string) string {
	_, code, _ := strings.Cut(dataset, "-")
	return strings.ToLower(code)
}

// sameText reports whether two texts are the same but for spaces, brackets and
// capitals.
func sameText(a, b string) bool { return plain(a) == plain(b) }

func plain(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return -1
		case r == '（':
			return '('
		case r == '）':
			return ')'
		}
		return unicode.ToUpper(r)
	}, text)
}
