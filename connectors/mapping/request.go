package mapping

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"mianti/catalog"
	"mianti/connectors"
)

// Request is what is sent for one page.
type Request struct {
	Method      string
	Target      string // path and query, to be appended to the address
	Header      http.Header
	ContentType string // empty without a body
	Body        []byte
}

// Request makes the request for a page. The error is a *connectors.Fault of
// kind misset.
func (m *Mapping) Request(q connectors.Query, page int, now time.Time) (Request, error) {
	v, err := m.values(q, page, now)
	if err != nil {
		return Request{}, err
	}
	r := Request{Method: m.call.Method, Target: m.path, Header: http.Header{}}
	if r.Method == "" {
		r.Method = http.MethodPost
	}
	query, err := v.pairs(m.call.Query)
	if err != nil {
		return Request{}, err
	}
	if len(query) > 0 {
		r.Target += "?" + query.Encode()
	}
	for name, text := range m.call.Headers {
		value, err := v.text(text)
		if err != nil {
			return Request{}, err
		}
		if value, err = HeaderText(value); err != nil {
			return Request{}, err
		}
		r.Header.Set(name, value)
	}
	if r.Method == http.MethodGet {
		return r, nil
	}
	r.ContentType, r.Body, err = m.body(&v)
	return r, err
}

func (m *Mapping) body(v *values) (kind string, body []byte, err error) {
	if m.call.Form {
		pairs := url.Values{}
		texts, _ := m.call.Body.(map[string]any)
		for name, text := range texts {
			text, _ := text.(string) // both are seen to by Compile
			value, err := v.text(text)
			if err != nil {
				return "", nil, err
			}
			pairs.Set(name, value)
		}
		return "application/x-www-form-urlencoded", []byte(pairs.Encode()), nil
	}
	tree, err := v.tree(m.call.Body)
	if err != nil {
		return "", nil, err
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(tree); err != nil {
		return "", nil, misset("the body of the request cannot be written as JSON")
	}
	return "application/json; charset=utf-8", bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// values are what the variables of one request stand for. Each is written when a
// text has it: most requests have four of the eleven.
type values struct {
	query        connectors.Query
	kind         string
	page         int
	now          time.Time
	names, codes []string // of the fields that are asked for
}

func (m *Mapping) values(q connectors.Query, page int, now time.Time) (values, error) {
	kind := string(q.Subject.Kind)
	if len(m.call.Kinds) > 0 {
		kind = m.call.Kinds[q.Subject.Kind]
	}
	if kind == "" && m.sends("kind") {
		return values{}, misset("the source has no word for this kind of party")
	}
	v := values{query: q, kind: kind, page: page, now: now, names: make([]string, 0, len(q.Fields)), codes: make([]string, 0, len(q.Fields))}
	for i := range m.fields {
		if f := &m.fields[i]; slices.Contains(q.Fields, f.Code) {
			v.names, v.codes = append(v.names, f.Name), append(v.codes, f.Code)
		}
	}
	return v, nil
}

// named gives what a variable stands for.
func (v *values) named(name string) (string, bool) {
	switch name {
	case "id":
		return v.query.ID, true
	case "name":
		return v.query.Subject.Name, true
	case "number":
		return v.query.Subject.Number, true
	case "kind":
		return v.kind, true
	case "purpose":
		return v.query.Purpose, true
	case "fields":
		return strings.Join(v.names, ","), true
	case "field_codes":
		return strings.Join(v.codes, ","), true
	case "timestamp":
		return strconv.FormatInt(v.now.UnixMilli(), 10), true
	case "date":
		return v.now.In(catalog.TimeZone()).Format(time.DateOnly), true
	case "time":
		return v.now.In(catalog.TimeZone()).Format(time.RFC3339), true
	case "page":
		return strconv.Itoa(v.page), true
	default:
		return "", false
	}
}

// list gives what a text stands for that is a list and nothing else.
func (v *values) list(text string) ([]string, bool) {
	switch text {
	case "${fields}":
		return v.names, true
	case "${field_codes}":
		return v.codes, true
	default:
		return nil, false
	}
}

// text puts the values into a text. Most texts are one variable.
func (v *values) text(text string) (string, error) {
	if strings.HasPrefix(text, "${") && strings.HasSuffix(text, "}") {
		if value, ok := v.named(text[2 : len(text)-1]); ok {
			return value, nil
		}
	}
	out, err := catalog.Expand(text, v.named)
	if err != nil {
		return "", misset("a text of the request cannot be filled in")
	}
	return out, nil
}

// pairs puts the values into texts that are named.
func (v *values) pairs(texts map[string]string) (url.Values, error) {
	out := url.Values{}
	for name, text := range texts {
		value, err := v.text(text)
		if err != nil {
			return nil, err
		}
		out.Set(name, value)
	}
	return out, nil
}

// tree puts the values into the texts of a JSON value. What is not a text stays
// as it is.
func (v *values) tree(node any) (any, error) {
	switch node := node.(type) {
	case string:
		if list, is := v.list(node); is {
			return list, nil
		}
		return v.text(node)
	case []any:
		out := make([]any, len(node))
		for i, item := range node {
			filled, err := v.tree(item)
			if err != nil {
				return nil, err
			}
			out[i] = filled
		}
		return out, nil
	case map[string]any:
		out := make(map[string]any, len(node))
		for name, item := range node {
			filled, err := v.tree(item)
			if err != nil {
				return nil, err
			}
			out[name] = filled
		}
		return out, nil
	default:
		return node, nil
	}
}

// HeaderText writes a text so that every server reads the same in a header:
// printable ASCII as it is, any other text percent-encoded as UTF-8, with its
// percent signs. Control characters, which could begin another header, are a
// *connectors.Fault.
func HeaderText(text string) (string, error) {
	if hasControl(text) {
		return "", misset("a header would hold a control character")
	}
	if isASCII(text) {
		return text, nil
	}
	const digits = "0123456789ABCDEF"
	var out strings.Builder
	for i := range len(text) {
		c := text[i]
		if c >= 0x80 || c == '%' {
			out.Write([]byte{'%', digits[c>>4], digits[c&15]})
			continue
		}
		out.WriteByte(c)
	}
	return out.String(), nil
}

func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r >= 0x80 })
}

func hasControl(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || 0x7f <= r && r < 0xa0 })
}
