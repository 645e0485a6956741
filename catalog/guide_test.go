package catalog_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/internal/fault"
)

func TestGuide_RefusesAnUnknownSubject(t *testing.T) {
	t.Parallel()
	if _, err := load(t, good(t)).Guide("S99", nil); err == nil {
		t.Error("a guide for a subject that the revision does not know")
	}
}

// TestParseAnswers_TakesWhatAFormSends reads texts as the types of the facts.
func TestParseAnswers_TakesWhatAFormSends(t *testing.T) {
	t.Parallel()
	facts, details := facts(t).ParseAnswers(map[string][]string{
		"yes": {"true"}, "no": {"false"}, "size": {"4.5"}, "kind": {"b"}, "some": {"y", "x"}, "none": {"-"}, "left": {""}, "place": {"370102"},
	})
	want := catalog.Facts{
		"yes": true, "no": false, "size": 4.5, "kind": "b", "some": []string{"x", "y"}, "none": []string{}, "place": "370102",
	}
	if diff := cmp.Diff(want, facts); diff != "" || len(details) > 0 {
		t.Errorf("facts (-want +got):\n%s\ndetails %v", diff, details)
	}
}

// TestParseAnswers_RefusesWhatCouldBeSomebodys: an answer stands in an address,
// so it must not say who asks.
func TestParseAnswers_RefusesWhatCouldBeSomebodys(t *testing.T) {
	t.Parallel()
	r := facts(t)
	for _, c := range []struct {
		name, code string
		sent       []string
		want       string
	}{
		{"a text", "address", []string{"济南市历下区某路1号"}, "personal-data"},
		{"an identity number as a number", "size", []string{"370199198805163323"}, "personal-data"},
		{"the number of a telephone", "size", []string{"13800000000"}, "personal-data"},
		{"a name as an option", "kind", []string{"张三"}, "wrong-type"},
		{"a name as a yes", "yes", []string{"张三"}, "wrong-type"},
		{"a name in a set", "some", []string{"x", "张三"}, "wrong-type"},
		{"two answers to one question", "yes", []string{"true", "false"}, "wrong-type"},
		{"a fact that there is not", "name", []string{"张三"}, "unknown-fact"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			facts, details := r.ParseAnswers(map[string][]string{c.code: c.sent})
			if len(facts) > 0 {
				t.Errorf("taken as %v", facts)
			}
			if !slices.ContainsFunc(details, func(d fault.Detail) bool { return d.Code == c.want && d.Location == "facts."+c.code }) {
				t.Errorf("details %v, want %s", details, c.want)
			}
		})
	}
}

// facts is a catalog with a fact of every type.
func facts(t *testing.T) *catalog.Revision {
	t.Helper()
	files := good(t)
	files["facts.yaml"].Data = append(files["facts.yaml"].Data, `
  - {code: yes, type: bool, ask: 是否}
  - {code: no, type: bool, ask: 是否}
  - {code: left, type: bool, ask: 是否}
  - {code: size, type: number, ask: 多大}
  - {code: kind, type: enum, ask: 哪种, options: [{value: a, label: 甲}, {value: b, label: 乙}]}
  - {code: some, type: set, ask: 哪些, options: [{value: x, label: 子}, {value: y, label: 丑}]}
  - {code: none, type: set, ask: 哪些, options: [{value: x, label: 子}]}
  - {code: place, type: region, ask: 哪里}
  - {code: address, type: text, ask: 地址}
`...)
	return load(t, files)
}
