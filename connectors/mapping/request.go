package mapping

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
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
	r.ContentType, r.Body, err = m.body(v)
	return r, err
}

func (m *Mapping) body(v values) (kind string, body []byte, err error) {
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

// values are what the variables of one request stand for.
type values struct {
	texts map[string]string
	lists map[string][]string
}

func (m *Mapping) values(q connectors.Query, page int, now time.Time) (values, error) {
	kind := string(q.Subject.Kind)
	if len(m.call.Kinds) > 0 {
		kind = m.call.Kinds[q.Subject.Kind]
	}
	if kind == "" && m.sends("kind") {
		return values{}, misset("the source has no word for this kind of party")
	}
	asked := m.asked(q)
	names, codes := make([]string, 0, len(asked)), make([]string, 0, len(asked))
	for _, f := range asked {
		names, codes = append(names, f.Name), append(codes, f.Code)
	}
	china := now.In(catalog.TimeZone())
	return values{
		texts: map[string]string{
			"id": q.ID, "name": q.Subject.Name, "number": q.Subject.Number, "kind": kind, "purpose": q.Purpose,
			"fields": strings.Join(names, ","), "field_codes": strings.Join(codes, ","),
			"timestamp": strconv.FormatInt(now.UnixMilli(), 10),
			"date":      china.Format(time.DateOnly), "time": china.Format(time.RFC3339),
			"page": strconv.Itoa(page),
		},
		lists: map[string][]string{"${fields}": names, "${field_codes}": codes},
	}, nil
}

// text puts the values into a text.
func (v values) text(text string) (string, error) {
	out, err := catalog.Expand(text, func(name string) (string, bool) {
		value, ok := v.texts[name]
		return value, ok
	})
	if err != nil {
		return "", misset("a text of the request cannot be filled in")
	}
	return out, nil
}

// pairs puts the values into texts that are named.
func (v values) pairs(texts map[string]string) (url.Values, error) {
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
func (v values) tree(node any) (any, error) {
	switch node := node.(type) {
	case string:
		if list, is := v.lists[node]; is {
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
