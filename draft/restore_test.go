package draft_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/draft"
	"mianti/ledger"
)

func TestRollBack_LeadsToTheEarlierRevisionThroughAReview(t *testing.T) {
	t.Parallel()
	m := newMemory()
	d := desk(m)
	m.publish(t, material(t, m, "K01.M1.a", map[string]any{"name": "新甲"}), catalog.Edit{Kind: catalog.ThingOneThing, Code: "K02"},
		m.edit(t, catalog.ThingFact, "rents", map[string]any{"type": "bool", "ask": "是否租房"}))
	v, err := d.RollBack(t.Context(), editor("ed"), 1, "改错了")
	if err != nil {
		t.Fatal(err)
	}
	if v.Restores != 1 || v.State != draft.Editing || len(v.Faults) > 0 {
		t.Errorf("%+v", v)
	}
	approved(t, d, v.ID, editor("ed"), reviewer("rev"))
	if _, err := d.Publish(t.Context(), reviewer("rev"), v.ID, 0); err != nil {
		t.Fatal(err)
	}
	sameThings(t, m.revisions[0], m.revisions[2])
	_, err = d.RollBack(t.Context(), editor("ed"), 1, "")
	wantCode(t, err, "nothing-to-restore")
	_, err = d.RollBack(t.Context(), editor("ed"), 9, "")
	wantCode(t, err, "no-such-revision")
}

func TestRollBackAtOnce_IsForWhoSitsAtTheMachine(t *testing.T) {
	t.Parallel()
	m := newMemory()
	d := desk(m)
	m.publish(t, material(t, m, "K01.M1.a", map[string]any{"name": "新甲"}))
	_, err := d.RollBackAtOnce(t.Context(), reviewer("rev"), 1, "有害")
	wantCode(t, err, "not-your-duty")
	_, err = d.RollBackAtOnce(t.Context(), operator(), 1, " ")
	wantCode(t, err, "reason-missing")
	got, err := d.RollBackAtOnce(t.Context(), operator(), 1, "有害")
	if err != nil || got.Revision != 3 || got.State != draft.Published {
		t.Fatalf("%+v, %v", got, err)
	}
	sameThings(t, m.revisions[0], m.revisions[2])
	if e := m.entries[len(m.entries)-1]; e.Kind != ledger.CatalogLoaded || e.Person != ledger.Operator || e.Why != "有害" {
		t.Errorf("entry %+v", e)
	}
}

// sameThings holds the things of two sets of files against each other.
func sameThings(t *testing.T, want, got map[string][]byte) {
	t.Helper()
	a, _ := catalog.Things(want)
	b, _ := catalog.Things(got)
	key := func(x, y catalog.Edit) int { return strings.Compare(string(x.Kind)+x.Code, string(y.Kind)+y.Code) }
	slices.SortFunc(a, key)
	slices.SortFunc(b, key)
	if diff := cmp.Diff(a, b); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
