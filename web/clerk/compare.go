package clerk

import (
	"regexp"

	"mianti/catalog"
	"mianti/exchange"
)

// comparison is what was filled in against a field of a record, and what the check
// takes for the same.
type comparison struct {
	filled string
	same   func(a, b string) bool
}

// comparing finds in a check what of a record it holds against what was filled in:
// same_name(ga01.name, subject.name), ga01.citizen_id == subject.number,
// same_address(zr01.location, business_address). What it calls the same is the
// catalog's to say.
func comparing() map[*regexp.Regexp]func(a, b string) bool {
	return map[*regexp.Regexp]func(a, b string) bool{
		regexp.MustCompile(`same_name\((\w+)\.(\w+), ?([\w.]+)\)`):    catalog.SameName,
		regexp.MustCompile(`same_address\((\w+)\.(\w+), ?([\w.]+)\)`): catalog.SameAddress,
		regexp.MustCompile(`(\w+)\.(\w+) == (subject\.\w+)`):          func(a, b string) bool { return a == b },
	}
}

// filledIn gives, for a material of a party, what was filled in against each field
// that its checks compare: by alias of the dataset, and field.
func filledIn(m *catalog.Material, c *exchange.Case, party string) map[[2]string]comparison {
	out := map[[2]string]comparison{}
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
		for pattern, same := range comparing() {
			for _, found := range pattern.FindAllStringSubmatch(m.Proofs[i].Check, -1) {
				if value := filledValue(c, subject, found[3]); value != "" {
					out[[2]string{found[1], found[2]}] = comparison{value, same}
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
