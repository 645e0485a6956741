package api_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"

	"mianti/catalog"
	"mianti/catalog/reduction"
	"mianti/effect"
)

// drafting has the files of the second revision.
type drafting fstest.MapFS

func (d drafting) Drafted(_ context.Context, _ int, edits []catalog.Edit, _ ...string) (*catalog.Drafted, error) {
	files, touched := fstest.MapFS{}, map[string][]byte{}
	for name, f := range d {
		files[name] = f
	}
	for _, e := range edits {
		if f := files[catalog.PathOf(e)]; f != nil {
			touched[catalog.PathOf(e)] = f.Data
		}
	}
	parts, faults := catalog.Apply(touched, edits)
	if len(faults) > 0 {
		return nil, faults
	}
	for _, p := range parts {
		files[p.Path] = &fstest.MapFile{Data: p.Content}
	}
	rev, err := catalog.Load(files)
	return &catalog.Drafted{Revision: rev, Parts: parts}, err
}

// Without the lease, nothing is handed in any more whenever a seal is made.
func TestDraftEffect_MeasuresEditsThatAreNotStored(t *testing.T) {
	t.Parallel()
	h := newHarness(t).withTwoRevisions()
	var got effect.Effect
	body := `{"edits": [{"kind": "material", "code": "S01.M1.c", "value": null}]}`
	if code := h.editor(http.MethodPost, "/v1/revisions/2/effects", body, &got); code != http.StatusOK || len(got.Changes) != 1 || got.Changes[0].Kind != catalog.ThingRemoved {
		t.Fatalf("%d %+v", code, got)
	}
	if len(got.Switches) != 1 || got.Switches[0].Turn() != effect.Eased || got.Switches[0].Situations != 1 || got.Switches[0].Of != 2 {
		t.Errorf("switches %+v, want one of the two situations to be eased", got.Switches)
	}
}

// The lease is asked for when a seal is made, in place of when the premises are rented:
// of the four situations, it is handed in no more in one, and newly in another.
func TestDraftEffect_SaysWhatIsAskedForOtherwise(t *testing.T) {
	t.Parallel()
	h := newHarness(t).withTwoRevisions()
	var got effect.Effect
	if code := h.editor(http.MethodPost, "/v1/revisions/1/effects", `{"with": 2}`, &got); code != http.StatusOK || got.Before != 1 || got.After != 2 {
		t.Fatalf("%d %+v", code, got)
	}
	if len(got.Changes) != 1 || got.Changes[0].Material != "S01.M1.c" || got.Changes[0].Lines[0].What != "何时要" {
		t.Errorf("changes %+v, want when the lease is asked for", got.Changes)
	}
	if got.Others != 1 { // the form without a basis
		t.Errorf("%d other changes, want 1", got.Others)
	}
	turns := map[effect.Turn]int{}
	for _, s := range got.Switches {
		turns[s.Turn()] += s.Situations
	}
	if turns[effect.Eased] == 0 || turns[effect.Eased] != turns[effect.Laden] || len(got.Switches) != 2 {
		t.Errorf("switches %+v, want as many situations the one way as the other", got.Switches)
	}
	if got.Cases.Looked != 0 || got.Cases.Moves == nil {
		t.Errorf("cases %+v, want none, in lists", got.Cases)
	}
}

func TestDraftEffect_RefusesWhatItCannotMeasure(t *testing.T) {
	t.Parallel()
	h := newHarness(t).withTwoRevisions()
	for body, want := range map[string]string{
		`{}`: "/invalid-effect",
		`{"with": 2, "edits": [{"kind": "material", "code": "S01.M1.c", "value": null}]}`: "/invalid-effect",
		`{"edits": [{"kind": "material", "code": "S01.M1.z", "value": null}]}`:            "/invalid-effect",
		`{"draft": "d1", "with": 2}`: "/invalid-effect",
		`{"draft": "d1"}`:            "/unknown-draft",
		`{"with": 7}`:                "/no-such-revision",
		`{"with": 2, "cases": 1001}`: "/invalid-request",
		`{"with": 2, "drafts": "x"}`: "/unknown-field",
	} {
		var got problemAnswer
		if code := h.editor(http.MethodPost, "/v1/revisions/1/effects", body, &got); code < 400 || !strings.HasSuffix(got.Type, want) {
			t.Errorf("%s: %d %s, want %s", body, code, got.Type, want)
		}
	}
}

// Four materials: two forms and an identity card without paper, and a lease that is
// handed in. Nothing has to be issued but the lease, which the applicant has himself.
func TestReductionReport_CountsARevision(t *testing.T) {
	t.Parallel()
	h := newHarness(t).withTwoRevisions()
	var got reduction.Report
	if code := h.editor(http.MethodGet, "/v1/revisions/2/reduction?since=1", "", &got); code != http.StatusOK || len(got.Definitions) == 0 {
		t.Fatalf("%d %+v", code, got)
	}
	if total := got.Total; total.Materials != 4 || total.Reduced != 3 || total.Still != 1 || total.StepsBefore != 2 || total.StepsAfter != 1 || total.Was == nil || total.Was.Still() != 1 {
		t.Errorf("in all %+v", total)
	}
	if len(got.ByMatter) != 0 || len(got.ByOneThing) != 1 || len(got.ByDepartment) != 2 {
		t.Errorf("%d matters, %d one-things, %d departments; want 0, 1 and 2", len(got.ByMatter), len(got.ByOneThing), len(got.ByDepartment))
	}
	var one reduction.Report
	if code := h.editor(http.MethodGet, "/v1/revisions/2/reduction?one_thing=S01", "", &one); code != http.StatusOK || len(one.ByMatter) != 2 || one.Since != nil {
		t.Errorf("%d %+v, want the two matters of S01", code, one)
	}
	var none problemAnswer
	if code := h.editor(http.MethodGet, "/v1/revisions/2/reduction?one_thing=S09", "", &none); code != http.StatusNotFound || !strings.HasSuffix(none.Type, "/unknown-one-thing") {
		t.Errorf("%d %s", code, none.Type)
	}
}
