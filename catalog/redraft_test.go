package catalog_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"mianti/catalog"
)

// TestRedraft_OfItsOwnTextChangesNothing writes every material of the shipped
// catalog as YAML and reads it again.
func TestRedraft_OfItsOwnTextChangesNothing(t *testing.T) {
	t.Parallel()
	rev := load(t, os.DirFS("../examples/jinan"))
	for _, m := range rev.Materials() {
		text, err := rev.YAML(m)
		if err != nil {
			t.Fatal(err)
		}
		_, again, faults, err := rev.Redraft(text)
		if err != nil || len(faults) > 0 {
			t.Fatalf("%s: %v %v\n%s", m.Code, err, faults, text)
		}
		if a, b := asJSON(t, m), asJSON(t, again); a != b {
			t.Fatalf("%s is\n%s\nread from\n%s\nis\n%s", m.Code, a, text, b)
		}
		if m.Common != "" && strings.Contains(string(text), "proofs:") && len(m.Proofs) > 0 && strings.Count(string(text), "\n") > 30 {
			t.Errorf("%s repeats its common material:\n%s", m.Code, text)
		}
	}
}

func TestRedraft_ChangesTheOneMaterialInACopy(t *testing.T) {
	t.Parallel()
	rev := load(t, os.DirFS("../examples/jinan"))
	const code = "S01.M1.e"
	before := asJSON(t, rev.Material(code))
	text, err := rev.YAML(rev.Material(code))
	if err != nil {
		t.Fatal(err)
	}
	edited := strings.Replace(string(text), "premises_use == 'residential'", "premises == 'rent' && agent", 1)
	next, material, faults, err := rev.Redraft([]byte(edited))
	if err != nil || len(faults) > 0 || edited == string(text) {
		t.Fatalf("%v %v\n%s", err, faults, edited)
	}
	if got, want := material.WhenInWords().Text, "住所(经营场所)来源为“租赁”，并且委托他人代办"; got != want {
		t.Errorf("the condition is said as %q, want %q", got, want)
	}
	if asJSON(t, rev.Material(code)) != before {
		t.Error("the revision itself has changed")
	}
	found := 0
	for _, m := range next.Materials() {
		if m == material {
			found++
		} else if m != rev.Material(m.Code) && m.Code[:6] != "S01.M1" {
			t.Errorf("%s is another material than before", m.Code)
		}
	}
	thing := next.OneThing("S01")
	if found != 1 || next.Material(code) != material || &next.Matter("S01.M1").Materials[4] != material || &thing.Matters[0] != next.Matter("S01.M1") {
		t.Errorf("the new material is found %d times in the list; it must be the same wherever it is looked for", found)
	}
}

func TestRedraft_SaysWhatIsWrongAndWhere(t *testing.T) {
	t.Parallel()
	rev := load(t, os.DirFS("../examples/jinan"))
	text, err := rev.YAML(rev.Material("S01.M1.e"))
	if err != nil {
		t.Fatal(err)
	}
	whole := string(text)
	for name, c := range map[string]struct{ old, replacement, code, at string }{
		"condition":       {"premises_use ==", "premises_usage ==", "unknown-fact", "when:"},
		"unknown key":     {"kind: proof", "kind: proof\ncolour: red", "unknown-key", "colour:"},
		"unknown mode":    {"mode: upload", "mode: fax", "unknown-mode", "mode: fax"},
		"no proof":        {"mode: upload", "mode: data", "data-without-proof", "mode: data"},
		"unsettleable":    {"chain:\n  - {mode: commit, when: accept_commitment}\n  - {mode: upload}\n", "chain: [{mode: history, months: 6}]\n", "unsettleable", "chain:"},
		"other code":      {"code: S01.M1.e", "code: S01.M1.zz", "unknown-material", "code:"},
		"broken yaml":     {"kind: proof", "kind: [proof", "bad-yaml", ""},
		"unknown common":  {"kind: proof", "common: C99", "unknown-common-material", "common:"},
		"missing":         {"kind: proof\n", "", "missing-key", ""},
		"empty":           {whole, "", "bad-yaml", ""},
		"not a mapping":   {whole, "- a\n", "wrong-format", ""},
		"condition unset": {"when: premises_use == 'residential'\n", "", "condition-missing", "need:"},
	} {
		edited := strings.Replace(whole, c.old, c.replacement, 1)
		next, _, faults, err := rev.Redraft([]byte(edited))
		var hit *catalog.Fault
		for i := range faults {
			if faults[i].Code == c.code {
				hit = &faults[i]
			}
		}
		if err != nil || next != nil || hit == nil {
			t.Errorf("%s: err %v, faults %v, want %s in\n%s", name, err, faults, c.code, edited)
			continue
		}
		before, _, ok := strings.Cut(edited, c.at)
		if line := strings.Count(before, "\n") + 1; c.at != "" && (!ok || hit.Line != line) {
			t.Errorf("%s: at line %d, want %d in\n%s", name, hit.Line, line, edited)
		}
	}
}

func asJSON(t testing.TB, thing any) string {
	t.Helper()
	text, err := json.Marshal(thing)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
