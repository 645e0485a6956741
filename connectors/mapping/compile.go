package mapping

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"mianti/catalog"
)

// variableNames are what the texts of a call may hold.
func variableNames() []string {
	return []string{"id", "name", "number", "kind", "purpose", "fields", "field_codes", "timestamp", "date", "time", "page"}
}

// compilePath takes a path that can be read in one way only.
func (m *Mapping) compilePath() error {
	if m.path == "" {
		return nil
	}
	u, err := url.Parse(m.path)
	if err != nil || m.path[0] != '/' || strings.HasPrefix(m.path, "//") || strings.ContainsAny(m.path, "?#\\ ") || strings.Contains(m.path, "${") || !isPlain(u) {
		return errors.New("the path of the source can be read in more than one way")
	}
	return nil
}

func isPlain(u *url.URL) bool {
	escaped := strings.ToLower(u.EscapedPath())
	if hasControl(u.Path) || strings.Contains(escaped, "%2f") || strings.Contains(escaped, "%5c") {
		return false
	}
	return !slices.ContainsFunc(strings.Split(u.Path, "/"), func(part string) bool { return part == "." || part == ".." })
}

// compileRequest checks what is sent, and that it says who is asked about.
func (m *Mapping) compileRequest() error {
	call := m.call
	open, err := openVariables(call)
	if err != nil {
		return err
	}
	if err := checkOpen(call); err != nil {
		return err
	}
	hidden, err := bodyVariables(call.Body)
	if err != nil {
		return err
	}
	m.uses = append(open, hidden...)
	for _, name := range m.uses {
		if !slices.Contains(variableNames(), name) {
			return fmt.Errorf("there is no variable ${%s}", name)
		}
	}
	switch {
	case call.Method != "" && call.Method != http.MethodPost && call.Method != http.MethodGet:
		return errors.New("the method is neither GET nor POST")
	case call.Method == http.MethodGet && (call.Body != nil || call.Form):
		return errors.New("a GET has no body")
	case !m.sends("number") && !m.sends("name"):
		return errors.New("the request does not say who is asked about")
	case call.Answer.SubjectName == "" && !m.sends("name"):
		return errors.New("the name is neither sent nor read: nobody would be the asked one")
	case m.sends("page") != (call.Paging != nil):
		return errors.New("${page} and paging go together")
	case call.Charset != "" && call.Charset != "utf-8" && call.Charset != "gb18030":
		return errors.New("the charset is neither utf-8 nor gb18030")
	case call.Form && !isFlat(call.Body):
		return errors.New("the body of a form is not made of pairs of text")
	}
	return m.compilePaging()
}

func (m *Mapping) compilePaging() error {
	if p := m.call.Paging; p != nil && (p.First < 0 || p.Size < 1 || p.Pages < 1) {
		return errors.New("paging without a size or a number of pages")
	}
	return nil
}

// sends says whether a variable stands in the request.
func (m *Mapping) sends(name string) bool { return slices.Contains(m.uses, name) }

// openVariables are the variables of what is not kept from the logs on the way.
func openVariables(call *catalog.HTTPCall) ([]string, error) {
	var used []string
	if err := checkHeaders(call.Headers); err != nil {
		return nil, err
	}
	for _, texts := range []map[string]string{call.Query, call.Headers} {
		for _, text := range texts {
			names, err := catalog.Variables(text)
			if err != nil {
				return nil, fmt.Errorf("read a template: %w", err)
			}
			used = append(used, names...)
		}
	}
	return used, nil
}

// checkOpen refuses the identity of the subject where logs on the way keep it,
// unless the catalog allows it in the query.
func checkOpen(call *catalog.HTTPCall) error {
	kept := *call
	if call.IdentityInQuery {
		kept.Query = nil
	}
	open, err := openVariables(&kept)
	if err != nil {
		return err
	}
	if slices.Contains(open, "name") || slices.Contains(open, "number") {
		return errors.New("the identity of the subject stands in the address or a header")
	}
	return nil
}

// checkHeaders refuses headers that are not the description's to write, and
// names that would make one header of two.
func checkHeaders(headers map[string]string) error {
	const token = "abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+.^_`|~-"
	var seen []string
	for name, text := range headers {
		canonical := http.CanonicalHeaderKey(name)
		switch {
		case name == "" || strings.Trim(strings.ToLower(name), token) != "" || hasControl(text):
			return errors.New("a header has no proper name or value")
		case slices.Contains(reservedHeaders(), canonical):
			return errors.New("a header stands in the description that is not the description's to write")
		case slices.Contains(seen, canonical):
			return errors.New("a header is written twice")
		}
		seen = append(seen, canonical)
	}
	return nil
}

// reservedHeaders are those that prove who asks, and those of the transport.
func reservedHeaders() []string {
	return []string{
		"Authorization", "Cookie", "Proxy-Authorization", "Host", "Connection", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Expect",
		"Content-Length", "Content-Type", "Content-Encoding", "Accept-Encoding",
	}
}

func bodyVariables(node any) ([]string, error) {
	var used []string
	switch node := node.(type) {
	case string:
		names, err := catalog.Variables(node)
		if err != nil {
			return nil, fmt.Errorf("read a template: %w", err)
		}
		return names, nil
	case []any:
		for _, item := range node {
			names, err := bodyVariables(item)
			if err != nil {
				return nil, err
			}
			used = append(used, names...)
		}
	case map[string]any:
		for _, item := range node {
			names, err := bodyVariables(item)
			if err != nil {
				return nil, err
			}
			used = append(used, names...)
		}
	}
	return used, nil
}

func isFlat(body any) bool {
	pairs, ok := body.(map[string]any)
	for _, value := range pairs {
		if _, text := value.(string); !text {
			return false
		}
	}
	return ok
}

// compileMeanings gives every value of the source's own status one meaning.
func (m *Mapping) compileMeanings() error {
	a := &m.call.Answer
	if (a.Code != "") != (len(a.OK) > 0) || a.Code == "" && len(a.NotFound)+len(a.Refused)+len(a.Busy) > 0 {
		return errors.New("a status of its own needs a place and the values that mean success")
	}
	for means, values := range map[meaning][]string{meansOK: a.OK, meansNotFound: a.NotFound, meansRefused: a.Refused, meansBusy: a.Busy} {
		for _, value := range values {
			if other, known := m.meanings[value]; known && other != means {
				return errors.New("a value of the status has two meanings")
			}
			m.meanings[value] = means
		}
	}
	if slices.ContainsFunc(a.NotFoundStatus, meansSomethingElse) {
		return errors.New("an HTTP status that means something else cannot mean that there is no record")
	}
	return nil
}

func meansSomethingElse(status int) bool {
	return status <= http.StatusOK || status >= 500 || status/100 == 3 || slices.Contains([]int{401, 403, 407, 408, 421, 425, 429}, status)
}

func (m *Mapping) compilePlaces() error {
	a := &m.call.Answer
	if a.SubjectNumber == "" {
		return errors.New("the place of the subject's number is not said")
	}
	if len(a.RevokedIn) > 0 && a.Revoked == "" {
		return errors.New("revoked_in without revoked")
	}
	var err error
	for _, place := range []struct {
		text string
		into *pointer
	}{
		{a.Code, &m.at.code},
		{a.Records, &m.at.records},
		{a.Reference, &m.at.reference},
		{a.SubjectName, &m.at.subjectName},
		{a.SubjectNumber, &m.at.subjectNumber},
		{a.AsOf, &m.at.asOf},
		{a.Revoked, &m.at.revoked},
		{a.Record, &m.at.content},
	} {
		if *place.into, err = parsePointer(place.text); err != nil {
			return err
		}
	}
	return nil
}

// compileFields says of every field of the dataset where it is and how it is
// written.
func (m *Mapping) compileFields() error {
	a := &m.call.Answer
	for i := range m.dataset.Fields {
		f := field{Field: &m.dataset.Fields[i], at: m.at.content.then(m.dataset.Fields[i].Name)}
		if text, named := a.Fields[f.Code]; named {
			at, err := parsePointer(text)
			if err != nil || text == "" {
				return errPointer
			}
			f.at = at
		}
		if err := f.compile(a.Values[f.Code]); err != nil {
			return err
		}
		m.fields = append(m.fields, f)
	}
	known := func(code string) bool {
		return slices.ContainsFunc(m.fields, func(f field) bool { return f.Code == code })
	}
	for _, code := range slices.Concat(slices.Collect(maps.Keys(a.Fields)), slices.Collect(maps.Keys(a.Values))) {
		if !known(code) {
			return errors.New("the dataset has no field of a name that the answer describes")
		}
	}
	return nil
}
