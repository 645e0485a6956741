package catalog

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadEdits_ReadsWhatPeopleWriteAndTellsTheLineOfTheRest(t *testing.T) {
	t.Parallel()
	text := `- kind: material
  code: S01.M1.a
  value: {code: S01.M1.a, name: 新名称}
- kind: fact
  code: employs
  value: null
`
	got, faults := ReadEdits("edits.yaml", []byte(text))
	want := []Edit{
		{Kind: ThingMaterial, Code: "S01.M1.a", Value: json.RawMessage(`{"code":"S01.M1.a","name":"新名称"}`)},
		{Kind: ThingFact, Code: "employs"},
	}
	if diff := cmp.Diff(want, got); diff != "" || len(faults) > 0 {
		t.Errorf("faults %v (-want +got)\n%s", faults, diff)
	}
	for bad, line := range map[string]int{
		"kind: material\n":                                       1,
		"- kind: house\n  code: x\n  value: null\n":              1,
		"- kind: fact\n  code: a\n  value: null\n- kind: fact\n": 4,
		"- kind: fact\n  code: a\n":                              1, // a value that was forgotten removes nothing
	} {
		if _, faults := ReadEdits("edits.yaml", []byte(bad)); len(faults) != 1 || faults[0].Line != line {
			t.Errorf("%q: %v, want line %d", bad, faults, line)
		}
	}
}

func TestEditYAML_IsReadBackAsItWas(t *testing.T) {
	t.Parallel()
	e := Edit{Kind: ThingMaterial, Code: "S01.M1.a", Value: json.RawMessage(`{"chain":[{"mode":"upload"}],"code":"S01.M1.a","name":"新: 名称","need":"required"}`)}
	text, err := e.YAML()
	if err != nil {
		t.Fatal(err)
	}
	want := "code: S01.M1.a\nname: '新: 名称'\nneed: required\nchain:\n  - {mode: upload}\n"
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	value, faults := ReadValue("material.yaml", text)
	if len(faults) > 0 || string(value) != string(e.Value) {
		t.Errorf("%s, %v", value, faults)
	}
	if text, err := (Edit{Kind: ThingFact, Code: "x"}).YAML(); err != nil || len(text) > 0 {
		t.Errorf("a removal is written %q, %v", text, err)
	}
	for _, bad := range []string{"", "- a", "a: [", "a: 1\na: 2"} {
		if _, faults := ReadValue("x.yaml", []byte(bad)); len(faults) == 0 {
			t.Errorf("%q is read", bad)
		}
	}
}

func TestLocate_TellsTheThingAndTheKeyOfALine(t *testing.T) {
	t.Parallel()
	text := []byte(`format: mianti-catalog/1
kind: one_thing
one_thing:
  code: S01
  name: 办事
matters:
  - code: S01.M1
    name: 事项
    result:
      name: 决定书
    materials:
      - code: S01.M1.a
        name: 甲
        chain:
          - {mode: data}
          - {mode: upload}
      - {code: S01.M1.b, name: 乙}
`)
	type where struct {
		Kind        ThingKind
		Code, Place string
	}
	for line, want := range map[int]where{
		1:  {},
		4:  {ThingOneThing, "S01", "code"},
		5:  {ThingOneThing, "S01", "name"},
		7:  {ThingMatter, "S01.M1", ""},
		8:  {ThingMatter, "S01.M1", "name"},
		10: {ThingMatter, "S01.M1", "result.name"},
		12: {ThingMaterial, "S01.M1.a", ""},
		13: {ThingMaterial, "S01.M1.a", "name"},
		16: {ThingMaterial, "S01.M1.a", "chain.1"},
		17: {ThingMaterial, "S01.M1.b", ""},
	} {
		kind, code, place := Locate(Part{Path: "one-things/S01.yaml", Content: text}, line)
		if got := (where{kind, code, place}); got != want {
			t.Errorf("line %d: %+v, want %+v", line, got, want)
		}
	}
	facts := Part{Path: "facts.yaml", Content: []byte("format: mianti-catalog/1\nkind: facts\nfacts:\n  - code: employs\n    ask: 问\n")}
	if kind, code, place := Locate(facts, 5); kind != ThingFact || code != "employs" || place != "ask" {
		t.Errorf("%s %s %s", kind, code, place)
	}
	if kind, _, _ := Locate(Part{Path: "facts.yaml", Content: []byte("a: [")}, 1); kind != "" {
		t.Errorf("a broken file: %s", kind)
	}
	if kind, _, _ := Locate(Part{Path: "readme.md", Content: []byte("a")}, 1); kind != "" {
		t.Errorf("another file: %s", kind)
	}
}

func TestCompareEdits_TellsWhatIsWrittenOtherwise(t *testing.T) {
	t.Parallel()
	e := func(value string) Edit { return Edit{Kind: ThingMaterial, Code: "a", Value: json.RawMessage(value)} }
	for name, c := range map[string]struct {
		was, now Edit
		want     ChangeKind
		places   []string
	}{
		"added":             {e(``), e(`{"name":"甲"}`), ThingAdded, nil},
		"removed":           {e(`{"name":"甲"}`), e(``), ThingRemoved, nil},
		"changed":           {e(`{"name":"甲","note":"x"}`), e(`{"name":"乙"}`), ThingChanged, []string{"name", "note"}},
		"written otherwise": {e(`{"name": "甲"}`), e(`{"name":"甲"}`), "", nil},
		"nothing":           {e(``), e(`null`), "", nil},
	} {
		got, differs, err := CompareEdits(c.was, c.now)
		if err != nil || differs != (c.want != "") || differs && got.Change != c.want {
			t.Errorf("%s: %+v, %v, %v", name, got, differs, err)
		}
		var places []string
		for _, f := range got.Fields {
			places = append(places, f.Place)
		}
		if diff := cmp.Diff(c.places, places); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
	if _, _, err := CompareEdits(e(`{`), e(`{}`)); err == nil {
		t.Error("broken JSON is compared")
	}
}
