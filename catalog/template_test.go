package catalog_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
)

func TestExpand_PutsValuesInThePlaceOfVariables(t *testing.T) {
	t.Parallel()
	values := map[string]string{"id": "7", "name": "冯甲", "empty": "", "sly": "${id}$${id}"}
	value := func(name string) (string, bool) {
		v, ok := values[name]
		return v, ok
	}
	for text, want := range map[string]string{
		"":                 "",
		"plain":            "plain",
		"${id}":            "7",
		"a${id}b${name}c":  "a7b冯甲c",
		"${id}${id}":       "77",
		"[${empty}]":       "[]",
		"cost $5":          "cost $5",
		"$":                "$",
		"$$":               "$$",
		"$}{":              "$}{",
		"${id}$":           "7$",
		"$${id}":           "${id}",
		"$${":              "${",
		"$$${id}":          "$${id}",
		"${id}$${id}${id}": "7${id}7",
		"${sly}":           "${id}$${id}",
		"{${id}}":          "{7}",
		"${method}\n":      "error",
		"${id":             "error",
		"${}":              "error",
		"${ id }":          "error",
		"${Id}":            "error",
		"${a${id}}":        "error",
		"${":               "error",
	} {
		got, err := catalog.Expand(text, value)
		if err != nil {
			if got != "" || strings.Contains(err.Error(), "冯甲") {
				t.Errorf("Expand(%q) = %q, %v", text, got, err)
			}
			got = "error"
		}
		if got != want {
			t.Errorf("Expand(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestVariables_ListsEachOnce(t *testing.T) {
	t.Parallel()
	got, err := catalog.Variables("${b}/${a}?$${c}&${b}")
	if diff := cmp.Diff([]string{"b", "a"}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if got, err := catalog.Variables("${a}${"); err == nil || got != nil {
		t.Errorf("a text that is not closed has variables %v, %v", got, err)
	}
}

// FuzzExpand holds Expand to its word: it fails exactly where Variables does, a
// text without a dollar sign stays as it is, a value stays as it is whatever it
// holds, and escaping each ${ makes a text stand for itself.
func FuzzExpand(f *testing.F) {
	f.Add("a ${number} b", "${number}")
	f.Add("$${a}", "x")
	f.Add("${a", "$")
	f.Add("$$${a}$", "$${")
	f.Fuzz(func(t *testing.T, text, value string) {
		same := func(string) (string, bool) { return value, true }
		got, err := catalog.Expand(text, same)
		names, namesErr := catalog.Variables(text)
		if (err == nil) != (namesErr == nil) {
			t.Fatalf("Expand says %v, Variables says %v", err, namesErr)
		}
		if !strings.Contains(text, "$") && (err != nil || got != text) {
			t.Fatalf("a text without a dollar sign became %q, %v", got, err)
		}
		if err == nil && len(names) == 0 && !strings.Contains(text, "$${") && got != text {
			t.Fatalf("a text without a variable became %q", got)
		}
		around, err := catalog.Expand("<${a}>", same)
		if err != nil || around != "<"+value+">" {
			t.Fatalf("the value became %q, %v", around, err)
		}
		back, err := catalog.Expand(strings.ReplaceAll(text, "${", "$${"), same)
		if err != nil || back != text {
			t.Fatalf("the escaped text became %q, %v", back, err)
		}
	})
}
