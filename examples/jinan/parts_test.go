package jinan_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/examples/jinan"
)

func files(tb testing.TB) map[string][]byte {
	tb.Helper()
	all, err := catalog.Files(jinan.Files)
	if err != nil {
		tb.Fatal(err)
	}
	return all
}

func parts(all map[string][]byte) []catalog.Part {
	var out []catalog.Part
	for path, content := range all {
		out = append(out, catalog.Part{Path: path, Content: content})
	}
	return out
}

func same(t *testing.T, a, b *catalog.Revision) {
	t.Helper()
	changes, err := catalog.Compare(a, b)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range changes {
		t.Errorf("%s %s %s: %v", c.Change, c.Kind, c.Code, c.Fields)
	}
	if len(a.Materials()) != len(b.Materials()) {
		t.Errorf("%d materials, %d", len(a.Materials()), len(b.Materials()))
	}
}

// Every thing written anew as it is leaves the catalog what it was, though every
// file is written by the program.
func TestApply_WritesEveryThingOfTheShippedCatalogAsItWas(t *testing.T) {
	t.Parallel()
	all := files(t)
	things, faults := catalog.Things(all)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	written, faults := catalog.Apply(all, things)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	before := load(t)
	for _, p := range written {
		all[p.Path] = p.Content
	}
	after, err := catalog.LoadParts(parts(all))
	if err != nil {
		t.Fatal(err)
	}
	same(t, before, after)
	// What the program wrote it writes again, byte for byte.
	again, faults := catalog.Apply(all, things)
	if len(faults) > 0 || len(again) > 0 {
		t.Errorf("written again: %d files, %v", len(again), faults)
	}
}

func TestApply_LeavesWhatIsNotEdited(t *testing.T) {
	t.Parallel()
	all := files(t)
	things, _ := catalog.Things(all)
	var edit catalog.Edit
	for _, thing := range things {
		if thing.Code == "S07.M1.a" {
			edit = thing
		}
	}
	var value map[string]any
	if err := json.Unmarshal(edit.Value, &value); err != nil {
		t.Fatal(err)
	}
	value["note"] = "另行通知"
	edit.Value, _ = json.Marshal(value)
	written, faults := catalog.Apply(all, []catalog.Edit{edit})
	if len(faults) > 0 || len(written) != 1 || written[0].Path != "one-things/S07.yaml" {
		t.Fatal(written, faults)
	}
	if !strings.Contains(string(written[0].Content), "# 条例：不动产登记暂行条例") || !strings.Contains(string(written[0].Content), "# M1、M2、M3 依次办理") {
		t.Error("a comment outside what was edited is gone")
	}
	before := load(t)
	all[written[0].Path] = written[0].Content
	after, err := catalog.LoadParts(parts(all))
	if err != nil {
		t.Fatal(err)
	}
	changes, err := catalog.Compare(before, after)
	if err != nil {
		t.Fatal(err)
	}
	want := []catalog.ThingChange{{Kind: catalog.ThingMaterial, Code: "S07.M1.a", Name: after.Material("S07.M1.a").Name, Change: catalog.ThingChanged,
		Fields: []catalog.FieldChange{{Place: "note", Old: before.Material("S07.M1.a").Note, New: "另行通知"}}}}
	if want[0].Fields[0].Old == "" {
		want[0].Fields[0].Old = nil
	}
	if diff := cmp.Diff(want, changes); diff != "" {
		t.Error(diff)
	}
}

// A one-thing that is opened alone, from its file or from its tree, is what it is in
// the whole catalog.
func TestOpen_GivesWhatLoadGives(t *testing.T) {
	t.Parallel()
	all := files(t)
	whole := load(t)
	var grounds []catalog.Part
	var opened, reopened []*catalog.Revision
	for path, content := range all {
		if !catalog.IsOneThing(path) {
			grounds = append(grounds, catalog.Part{Path: path, Content: content})
		}
	}
	ground, err := catalog.LoadParts(grounds)
	if err != nil {
		t.Fatal(err)
	}
	for path, content := range all {
		if !catalog.IsOneThing(path) {
			continue
		}
		p := catalog.Part{Path: path, Content: content}
		one, err := ground.Open(p)
		if err != nil {
			t.Fatal(err)
		}
		if one.Whole() || len(one.OneThings()) != 1 || one.Dataset("D-GA01") == nil {
			t.Errorf("%s: %d one-things, whole %v", path, len(one.OneThings()), one.Whole())
		}
		two, err := ground.Reopen(path, catalog.Tree(p))
		if err != nil {
			t.Fatal(err)
		}
		opened, reopened = append(opened, one), append(reopened, two)
	}
	same(t, whole, ground.Join(opened, true))
	same(t, whole, ground.Join(reopened, true))
	joined := ground.Join(reopened, true)
	for _, m := range whole.Materials() {
		other := joined.Material(m.Code)
		if m.WhenInWords() != other.WhenInWords() {
			t.Errorf("%s: %v, %v", m.Code, m.WhenInWords(), other.WhenInWords())
		}
		for i := range m.Proofs {
			if m.Proofs[i].CheckInWords() != other.Proofs[i].CheckInWords() {
				t.Errorf("%s: %v, %v", m.Code, m.Proofs[i].CheckInWords(), other.Proofs[i].CheckInWords())
			}
		}
	}
}
