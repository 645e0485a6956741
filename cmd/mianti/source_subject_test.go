package main

import (
	"strings"
	"testing"

	"mianti/catalog"
	"mianti/connectors"
)

func TestAbsent_HasANumberOfTheRightShapeThatNobodyHas(t *testing.T) {
	t.Parallel()
	for _, kind := range []catalog.PartyKind{catalog.KindPerson, catalog.KindOrganization, catalog.KindProperty} {
		probe := connectors.Subject{Kind: kind, Name: "测试", Number: "370199001001GB00001F00000001"}
		got := absent(probe)
		if err := checkNumber(got); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		if got.Kind != kind || got.Number == probe.Number || got.Name == probe.Name {
			t.Errorf("%s: is not somebody else of the kind", kind)
		}
	}
	if number := absent(connectors.Subject{Kind: catalog.KindPerson}).Number; !strings.HasPrefix(number, "370199") {
		t.Errorf("%s is not of the area that was never assigned", number)
	}
}

func TestSubject_ReadsTheNumberFromStandardInput(t *testing.T) {
	t.Parallel()
	flags := subjectFlags{Name: "阿依努尔·买买提", Number: "-", Kind: "person"}
	for _, c := range []struct {
		name, in, want, says string
	}{
		{"a line", "37019919910914262X\n", "37019919910914262X", ""},
		{"a small x, and no end of line", "37019919910914262x", "37019919910914262X", ""},
		{"nothing", "\n", "", "标准输入"},
		{"a wrong check digit", "370199199109142621\n", "", "校验位"},
	} {
		got, isProbe, err := flags.subject(&catalog.Source{}, strings.NewReader(c.in))
		if got.Number != c.want || isProbe {
			t.Errorf("%s: %q", c.name, got.Number)
		}
		if c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: %v", c.name, err)
		}
		if err != nil && strings.Contains(err.Error(), strings.TrimSpace(c.in)) && strings.TrimSpace(c.in) != "" {
			t.Errorf("%s: the error holds the number", c.name)
		}
	}
}

func TestPrintable_LeavesNothingThatSteersATerminal(t *testing.T) {
	t.Parallel()
	got := printable("a\x1b[31mb\rc\u009bd\u202ee\ufeff·阿")
	if got != "a·[31mb·c·d·e··阿" {
		t.Errorf("%q", got)
	}
}
