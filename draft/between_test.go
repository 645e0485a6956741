package draft_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/draft"
)

// Whatever is changed, added or removed, the edits between two catalogs lead from the
// one to the other.
func TestBetween_LeadsFromTheOneToTheOther(t *testing.T) {
	t.Parallel()
	m := newMemory()
	m.publish(t, material(t, m, "K01.M1.a", map[string]any{"name": "新甲"}), material(t, m, "K01.M1.c", map[string]any{
		"name": "丙", "kind": "proof", "need": "required", "basis": []any{"规定第3条"}, "origin": "applicant", "chain": []any{map[string]any{"mode": "upload"}},
	}), catalog.Edit{Kind: catalog.ThingOneThing, Code: "K02"})
	before, _ := catalog.Things(m.revisions[0])
	after, _ := catalog.Things(m.revisions[1])
	edits := draft.Between(before, after)
	var codes []string
	for _, e := range edits {
		codes = append(codes, e.Code)
	}
	// What K02 held is removed with it.
	if diff := cmp.Diff([]string{"K02", "K01.M1.a", "K01.M1.c"}, codes); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	parts, faults := catalog.Apply(m.revisions[0], edits)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	sameThings(t, m.revisions[1], with(m.revisions[0], parts))
	if edits := draft.Between(before, before); len(edits) > 0 {
		t.Errorf("between the same: %v", edits)
	}
}
