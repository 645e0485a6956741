package mapping_test

import (
	"testing"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/mapping"
)

// good is a description in which nothing is wrong.
func good() *catalog.Source {
	return &catalog.Source{Path: "/a/b", HTTP: &catalog.HTTPCall{
		Query: map[string]string{"v": "2"}, Headers: map[string]string{"X-Trace": "${id}"},
		Body: map[string]any{"xm": "${name}", "zjhm": "${number}"},
		Answer: catalog.HTTPAnswer{
			Code: "/c", OK: []string{"0"}, NotFound: []string{"1"}, Records: "/d", SubjectName: "/xm", SubjectNumber: "/zjhm",
			Fields: map[string]string{"sex": "/xb"}, Values: map[string]catalog.ValueOf{"registered_on": {Date: "YYYYMMDD"}},
		},
	}}
}

func TestCompile_RefusesWhatCannotBeMeant(t *testing.T) {
	t.Parallel()
	value := func(field string, v catalog.ValueOf) func(*catalog.Source) {
		return func(s *catalog.Source) { s.HTTP.Answer.Values = map[string]catalog.ValueOf{field: v} }
	}
	path := func(p string) func(*catalog.Source) { return func(s *catalog.Source) { s.Path = p } }
	for _, c := range []struct {
		name   string
		change func(*catalog.Source)
		bad    bool
	}{
		{"nothing", func(*catalog.Source) {}, false},
		{"no description", func(s *catalog.Source) { s.HTTP = nil }, false},
		{"no path", path(""), false},
		{"a path in Chinese", path("/查询"), false},
		{"a relative path", path("a"), true},
		{"a path to another host", path("//elsewhere.invalid/"), true},
		{"a path with a query", path("/a?b=c"), true},
		{"a path with a fragment", path("/a#b"), true},
		{"a path that goes up", path("/a/../b"), true},
		{"a path that goes up in disguise", path("/a/%2e%2E/b"), true},
		{"a path with a hidden slash", path("/a%2Fb"), true},
		{"a path with a hidden backslash", path("/a%5cb"), true},
		{"a path with a variable", path("/a/${number}"), true},
		{"a path with a line break", path("/a%0d%0ab"), true},
		{"a path that is no URL", path("/%zz"), true},
		{"another method", func(s *catalog.Source) { s.HTTP.Method = "DELETE" }, true},
		{"a GET with a body", func(s *catalog.Source) { s.HTTP.Method = "GET" }, true},
		{"a GET that names nobody", func(s *catalog.Source) { s.HTTP.Method, s.HTTP.Body = "GET", nil }, true},
		{"a GET with the number in its query", func(s *catalog.Source) {
			s.HTTP.Method, s.HTTP.Body, s.HTTP.IdentityInQuery = "GET", nil, true
			s.HTTP.Query["n"] = "${number}"
		}, false},
		{"the number in a header, though allowed in the query", func(s *catalog.Source) {
			s.HTTP.IdentityInQuery, s.HTTP.Headers = true, map[string]string{"X-N": "${number}"}
		}, true},
		{"a GET without a name on either side", func(s *catalog.Source) { s.HTTP.Method, s.HTTP.Body, s.HTTP.Answer.SubjectName = "GET", nil, "" }, true},
		{"nobody in the body", func(s *catalog.Source) { s.HTTP.Body = map[string]any{"a": "b"} }, true},
		{"no body", func(s *catalog.Source) { s.HTTP.Body = nil }, true},
		{"the number in the address", func(s *catalog.Source) { s.HTTP.Query["n"] = "x${number}" }, true},
		{"the name in a header", func(s *catalog.Source) { s.HTTP.Headers["X-N"] = "${name}" }, true},
		{"a header without a proper name", func(s *catalog.Source) { s.HTTP.Headers["X: N"] = "1" }, true},
		{"a header of two lines", func(s *catalog.Source) { s.HTTP.Headers["X-N"] = "1\r\nX-M: 2" }, true},
		{"a secret in a header", func(s *catalog.Source) { s.HTTP.Headers["authorization"] = "Bearer x" }, true},
		{"a header of the transport", func(s *catalog.Source) { s.HTTP.Headers["Transfer-Encoding"] = "chunked" }, true},
		{"a header in two spellings", func(s *catalog.Source) { s.HTTP.Headers["x-trace"] = "1" }, true},
		{"a variable that there is not", func(s *catalog.Source) { s.HTTP.Query["n"] = "${secret}" }, true},
		{"the same deep in the body", func(s *catalog.Source) { s.HTTP.Body = []any{map[string]any{"a": "${number}", "b": []any{"${x}"}}} }, true},
		{"a variable without its end", func(s *catalog.Source) { s.HTTP.Body = map[string]any{"a": "${number"} }, true},
		{"the same in the address", func(s *catalog.Source) { s.HTTP.Query["n"] = "${id" }, true},
		{"a page without paging", func(s *catalog.Source) { s.HTTP.Query["p"] = "${page}" }, true},
		{"paging without a page", func(s *catalog.Source) { s.HTTP.Paging = &catalog.Paging{Size: 1, Pages: 1} }, true},
		{"paging without a size", func(s *catalog.Source) { s.HTTP.Query["p"], s.HTTP.Paging = "${page}", &catalog.Paging{Pages: 1} }, true},
		{"a nested form", func(s *catalog.Source) {
			s.HTTP.Form, s.HTTP.Body = true, map[string]any{"a": map[string]any{"b": "${number}"}}
		}, true},
		{"a list for a form", func(s *catalog.Source) { s.HTTP.Form, s.HTTP.Body = true, []any{"${name}"} }, true},
		{"a form", func(s *catalog.Source) { s.HTTP.Form = true }, false},
		{"another charset", func(s *catalog.Source) { s.HTTP.Charset = "big5" }, true},
		{"a code without success", func(s *catalog.Source) { s.HTTP.Answer.OK = nil }, true},
		{"success without a code", func(s *catalog.Source) { s.HTTP.Answer.Code = "" }, true},
		{"a code with two meanings", func(s *catalog.Source) { s.HTTP.Answer.Busy = []string{"1"} }, true},
		{"no record by 403", func(s *catalog.Source) { s.HTTP.Answer.NotFoundStatus = []int{403} }, true},
		{"no record by 500", func(s *catalog.Source) { s.HTTP.Answer.NotFoundStatus = []int{500} }, true},
		{"no record by 200", func(s *catalog.Source) { s.HTTP.Answer.NotFoundStatus = []int{200} }, true},
		{"no record by 302", func(s *catalog.Source) { s.HTTP.Answer.NotFoundStatus = []int{302} }, true},
		{"no record by 404", func(s *catalog.Source) { s.HTTP.Answer.NotFoundStatus = []int{404} }, false},
		{"no place for the number", func(s *catalog.Source) { s.HTTP.Answer.SubjectNumber = "" }, true},
		{"a place that is none", func(s *catalog.Source) { s.HTTP.Answer.Records = "d" }, true},
		{"a place with a bad escape", func(s *catalog.Source) { s.HTTP.Answer.Reference = "/a~2" }, true},
		{"a place that ends in an escape", func(s *catalog.Source) { s.HTTP.Answer.AsOf = "/a~" }, true},
		{"revoked values without a place", func(s *catalog.Source) { s.HTTP.Answer.RevokedIn = []string{"2"} }, true},
		{"a field that there is not", func(s *catalog.Source) { s.HTTP.Answer.Fields["address"] = "/a" }, true},
		{"a field that is the whole record", func(s *catalog.Source) { s.HTTP.Answer.Fields["sex"] = "" }, true},
		{"values of a field that there is not", value("address", catalog.ValueOf{Split: ","}), true},
		{"a layout of a text", value("sex", catalog.ValueOf{Date: "YYYYMMDD"}), true},
		{"a layout without a day", value("registered_on", catalog.ValueOf{Date: "YYYYMM"}), true},
		{"a layout with an hour", value("registered_on", catalog.ValueOf{Date: "YYYY-MM-DD15"}), true},
		{"a separator of a text", value("sex", catalog.ValueOf{Split: ","}), true},
		{"codes of a number", value("copies", catalog.ValueOf{Codes: map[string]string{"1": "2"}}), true},
		{"codes of a date", value("registered_on", catalog.ValueOf{Codes: map[string]string{"1": "2"}}), true},
		{"codes of a yes or no that mean neither", value("valid", catalog.ValueOf{Codes: map[string]string{"1": "是"}}), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := good()
			c.change(s)
			_, err := mapping.Compile(dataset(), s)
			want := connectors.FaultKind("")
			if c.bad {
				want = connectors.FaultMisset
			}
			wantFault(t, err, want)
		})
	}
}

func TestCache_KeepsAMappingForItsSource(t *testing.T) {
	t.Parallel()
	var cache mapping.Cache
	d, one, other := dataset(), good(), good()
	first, err := cache.Of(d, one)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := cache.Of(d, one); err != nil || again != first {
		t.Errorf("the same source is taken apart again: %v", err)
	}
	if second, err := cache.Of(d, other); err != nil || second == first {
		t.Errorf("another source has the same mapping: %v", err)
	}
	if second, err := cache.Of(dataset(), one); err != nil || second == first {
		t.Errorf("another dataset has the same mapping: %v", err)
	}
	bad := good()
	bad.HTTP.Method = "DELETE"
	for range 2 {
		_, err := cache.Of(d, bad)
		wantFault(t, err, connectors.FaultMisset)
	}
}
