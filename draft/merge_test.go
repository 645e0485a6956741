package draft_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/draft"
)

func written(text string) catalog.Edit {
	e := catalog.Edit{Kind: catalog.ThingMaterial, Code: "K01.M1.a"}
	if text != "" {
		e.Value = json.RawMessage(text)
	}
	return e
}

func TestMerge_PutsDisjointChangesTogether(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ base, theirs, mine, want string }{
		"other keys":               {`{"a":1,"b":1}`, `{"a":2,"b":1}`, `{"a":1,"b":2}`, `{"a":2,"b":2}`},
		"the same change":          {`{"a":1}`, `{"a":2}`, `{"a":2}`, `{"a":2}`},
		"a key added on each side": {`{}`, `{"a":1}`, `{"b":2}`, `{"a":1,"b":2}`},
		"theirs removes a key":     {`{"a":1,"b":1}`, `{"b":1}`, `{"a":1,"b":2}`, `{"b":2}`},
		"mine removes a key":       {`{"a":1,"b":1}`, `{"a":1,"b":2}`, `{"b":1}`, `{"b":2}`},
		"inside a mapping":         {`{"r":{"x":1,"y":1}}`, `{"r":{"x":2,"y":1}}`, `{"r":{"x":1,"y":2}}`, `{"r":{"x":2,"y":2}}`},
		"items of a coded list":    {`{"f":[{"code":"p","n":1},{"code":"q","n":1}]}`, `{"f":[{"code":"p","n":2},{"code":"q","n":1}]}`, `{"f":[{"code":"p","n":1},{"code":"q","n":2}]}`, `{"f":[{"code":"p","n":2},{"code":"q","n":2}]}`},
		"an item added and one removed": {
			`{"f":[{"code":"p","n":1},{"code":"q","n":1}]}`, `{"f":[{"code":"q","n":1}]}`, `{"f":[{"code":"p","n":1},{"code":"q","n":1},{"code":"r","n":1}]}`,
			`{"f":[{"code":"q","n":1},{"code":"r","n":1}]}`,
		},
		"both remove":             {`{"a":1}`, ``, ``, ``},
		"mine changes nothing":    {`{"a":1}`, ``, `{"a":1}`, ``},
		"both add the same":       {``, `{"a":1}`, `{"a": 1}`, `{"a":1}`},
		"nobody else did a thing": {`{"a":1}`, `{"a":1}`, `{"a":3}`, `{"a":3}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, conflicts, err := draft.Merge(draft.Triple{Base: written(c.base), Theirs: written(c.theirs), Mine: written(c.mine)}, nil)
			if err != nil || len(conflicts) > 0 {
				t.Fatalf("conflicts %v, error %v", conflicts, err)
			}
			if diff := cmp.Diff(parse(t, c.want), parse(t, string(got.Value))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func parse(t *testing.T, text string) any {
	t.Helper()
	var out any
	if text == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestMerge_ShowsWhatBothChangedAndTakesWhatIsChosen(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		base, theirs, mine              string
		place                           string
		takeTheirs, takeMine, takeValue string
	}{
		"the same key": {`{"a":1,"b":1}`, `{"a":2,"b":1}`, `{"a":3,"b":4}`, "a", `{"a":2,"b":4}`, `{"a":3,"b":4}`, `{"a":9,"b":4}`},
		"a list without codes": {
			`{"chain":[1]}`, `{"chain":[1,2]}`, `{"chain":[1,3]}`, "chain", `{"chain":[1,2]}`, `{"chain":[1,3]}`, `{"chain":9}`,
		},
		"deep": {
			`{"f":[{"code":"p","n":1}]}`, `{"f":[{"code":"p","n":2}]}`, `{"f":[{"code":"p","n":3}]}`, "f.p.n",
			`{"f":[{"code":"p","n":2}]}`, `{"f":[{"code":"p","n":3}]}`, `{"f":[{"code":"p","n":9}]}`,
		},
		"theirs removes the thing": {`{"a":1}`, ``, `{"a":2}`, "", ``, `{"a":2}`, `9`},
		"mine removes the thing":   {`{"a":1}`, `{"a":2}`, ``, "", `{"a":2}`, ``, `9`},
		"both add another":         {``, `{"a":1}`, `{"a":2}`, "", `{"a":1}`, `{"a":2}`, `9`},
		"theirs removes a key":     {`{"a":1,"b":1}`, `{"b":1}`, `{"a":2,"b":1}`, "a", `{"b":1}`, `{"a":2,"b":1}`, `{"a":9,"b":1}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all := draft.Triple{Base: written(c.base), Theirs: written(c.theirs), Mine: written(c.mine)}
			_, conflicts, err := draft.Merge(all, nil)
			if err != nil || len(conflicts) != 1 || conflicts[0].Place != c.place {
				t.Fatalf("conflicts %+v, error %v, want one at %q", conflicts, err, c.place)
			}
			for take, want := range map[draft.Taking]string{draft.TakeTheirs: c.takeTheirs, draft.TakeMine: c.takeMine, draft.TakeValue: c.takeValue} {
				choice := draft.Choice{Thing: conflicts[0].Thing, Place: c.place, Take: take, Value: json.RawMessage("9")}
				got, left, err := draft.Merge(all, []draft.Choice{choice})
				if err != nil || len(left) > 0 {
					t.Fatalf("%s leaves %v, error %v", take, left, err)
				}
				if diff := cmp.Diff(parse(t, want), parse(t, string(got.Value))); diff != "" {
					t.Errorf("%s: (-want +got)\n%s", take, diff)
				}
			}
		})
	}
}

func TestMerge_RefusesAChoiceThatSaysNothing(t *testing.T) {
	t.Parallel()
	all := draft.Triple{Base: written(`{"a":1}`), Theirs: written(`{"a":2}`), Mine: written(`{"a":3}`)}
	thing := draft.Thing{Kind: catalog.ThingMaterial, Code: "K01.M1.a"}
	for _, c := range []draft.Choice{{Thing: thing, Place: "a", Take: "both"}, {Thing: thing, Place: "a", Take: draft.TakeValue, Value: json.RawMessage("证明")}} {
		_, _, err := draft.Merge(all, []draft.Choice{c})
		wantCode(t, err, "invalid-choice")
	}
}

func TestMerge_OfARemovalTellsWhatWasChangedInside(t *testing.T) {
	t.Parallel()
	inside := []draft.Thing{{Kind: catalog.ThingMaterial, Code: "K01.M1.a.x"}}
	all := draft.Triple{Base: written(`{"a":1}`), Theirs: written(`{"a":1}`), Mine: written(``), Inside: inside}
	_, conflicts, err := draft.Merge(all, nil)
	if err != nil || len(conflicts) != 1 {
		t.Fatalf("conflicts %+v, error %v", conflicts, err)
	}
	if diff := cmp.Diff(inside, conflicts[0].Inside); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	got, left, err := draft.Merge(all, []draft.Choice{{Thing: conflicts[0].Thing, Take: draft.TakeMine}})
	if err != nil || len(left) > 0 || got.Value != nil {
		t.Errorf("taking the removal gives %s, %v, %v", got.Value, left, err)
	}
}
