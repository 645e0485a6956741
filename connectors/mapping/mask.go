package mapping

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"mianti/connectors"
)

// Masked writes the request for the first page as it is sent, but for the
// identity of the subject, which is masked, and for what proves the exchange to
// the source, which is added later. It is for whoever connects a source.
func (m *Mapping) Masked(q connectors.Query, now time.Time) (string, error) {
	q.Subject.Name, q.Subject.Number = MaskName(q.Subject.Name), MaskNumber(q.Subject.Number)
	page := 1
	if m.call.Paging != nil {
		page = m.call.Paging.First
	}
	r, err := m.Request(q, page, now)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	fmt.Fprintf(&out, "%s %s\n", r.Method, r.Target)
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		fmt.Fprintf(&out, "%s: %s\n", name, strings.Join(r.Header[name], ", "))
	}
	if r.ContentType != "" {
		fmt.Fprintf(&out, "Content-Type: %s\n\n%s\n", r.ContentType, m.legible(r.Body))
	}
	return out.String(), nil
}

// legible writes the pairs of a form as they were before they were escaped.
func (m *Mapping) legible(body []byte) string {
	pairs, err := url.ParseQuery(string(body))
	if !m.call.Form || err != nil {
		return string(body)
	}
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(pairs)) {
		lines = append(lines, name+"="+pairs.Get(name))
	}
	return strings.Join(lines, "\n")
}

// MaskName leaves the first character of a name.
func MaskName(name string) string {
	runes := []rune(name)
	if len(runes) < 2 {
		return strings.Repeat("*", len(runes))
	}
	return string(runes[:1]) + "*"
}

// MaskNumber leaves the first and the last four characters of a number; of one
// that is shorter than twelve only the first, of a single one none.
func MaskNumber(number string) string {
	runes := []rune(number)
	begin, end := 4, 4
	switch {
	case len(runes) < 2:
		begin, end = 0, 0
	case len(runes) < 12:
		begin, end = 1, 0
	}
	return string(runes[:begin]) + strings.Repeat("*", len(runes)-begin-end) + string(runes[len(runes)-end:])
}
