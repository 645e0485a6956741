package draft_test

import (
	"context"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/draft"
	"mianti/internal/fault"
	"mianti/internal/jobs"
	"mianti/ledger"
)

func TestDesk_ADraftIsWrittenReviewedByAnotherAndPublished(t *testing.T) {
	t.Parallel()
	m := newMemory()
	d := desk(m)
	v := drafted(t, d, editor("ed"))
	v, err := d.Put(t.Context(), editor("ed"), v.ID, v.Version, material(t, m, "K01.M1.a", map[string]any{"name": "新甲"}))
	if err != nil || len(v.Faults) > 0 {
		t.Fatalf("faults %v, error %v", v, err)
	}
	changes, err := d.Changes(t.Context(), v.ID)
	if err != nil {
		t.Fatal(err)
	}
	want := []catalog.ThingChange{{
		Kind: catalog.ThingMaterial, Code: "K01.M1.a", Name: "新甲", Change: catalog.ThingChanged,
		Fields: []catalog.FieldChange{{Place: "name", Old: "甲", New: "新甲"}},
	}}
	if diff := cmp.Diff(want, changes); diff != "" {
		t.Errorf("changes (-want +got)\n%s", diff)
	}
	approved(t, d, v.ID, editor("ed"), reviewer("rev"))
	v, err = d.Publish(t.Context(), reviewer("rev"), v.ID, 0)
	if err != nil {
		t.Fatal(err)
	}
	if v.State != draft.Published || v.Revision != 2 || v.Head != 2 {
		t.Errorf("state %s, revision %d, head %d", v.State, v.Revision, v.Head)
	}
	if got := m.valueOf(t, catalog.ThingMaterial, "K01.M1.a", "name"); got != "新甲" {
		t.Errorf("the material is called %v", got)
	}
	var kinds []ledger.Kind
	for _, e := range m.entries {
		kinds = append(kinds, e.Kind)
		if e.Object != "draft:"+v.ID || e.Person == "" {
			t.Errorf("entry %+v", e)
		}
	}
	if diff := cmp.Diff([]ledger.Kind{ledger.DraftCreated, ledger.DraftSubmitted, ledger.DraftApproved, ledger.CatalogLoaded}, kinds); diff != "" {
		t.Errorf("entries (-want +got)\n%s", diff)
	}
	if m.entries[1].Digest != m.entries[2].Digest || m.entries[2].Digest == m.entries[0].Digest {
		t.Error("what was approved is not told to be what was submitted")
	}
}

func TestDesk_RefusesEditsThatAreNone(t *testing.T) {
	t.Parallel()
	m := newMemory()
	d := desk(m)
	v := drafted(t, d, editor("ed"))
	good := material(t, m, "K01.M1.a", nil)
	for name, edits := range map[string][]catalog.Edit{
		"unknown-kind":   {{Kind: "house", Code: "x"}},
		"invalid-code":   {{Kind: catalog.ThingMaterial}},
		"wrong-format":   {{Kind: catalog.ThingMaterial, Code: "K01.M1.a", Value: json.RawMessage(`[1]`)}},
		"code-differs":   {{Kind: catalog.ThingMaterial, Code: "K01.M1.b", Value: good.Value}},
		"duplicate-edit": {good, good},
	} {
		_, err := d.Put(t.Context(), editor("ed"), v.ID, 0, edits...)
		if failed := wantCode(t, err, "invalid-edit"); failed.Details[0].Code != name {
			t.Errorf("detail %v, want %s", failed.Details, name)
		}
	}
	_, err := d.Remove(t.Context(), editor("ed"), v.ID, 0, draft.Thing{Kind: catalog.ThingFact, Code: "employs"})
	wantCode(t, err, "unknown-edit")
	_, err = d.Put(t.Context(), editor("ed"), v.ID, v.Version+1, good)
	wantCode(t, err, "changed-since-read")
}

func TestDesk_ShowsTheFaultsAtTheEditAndRefusesToSubmit(t *testing.T) {
	t.Parallel()
	m := newMemory()
	d := desk(m)
	v := drafted(t, d, editor("ed"), material(t, m, "K01.M1.a", map[string]any{"when": "nonsense == 1", "need": "conditional"}), material(t, m, "K02.M1.a", map[string]any{"name": "好"}))
	if len(v.Faults) == 0 || v.Faults[0].Thing.Kind != catalog.ThingMaterial || v.Faults[0].Thing.Code != "K01.M1.a" {
		t.Fatalf("faults %+v", v.Faults)
	}
	_, err := d.Act(t.Context(), editor("ed"), v.ID, 0, draft.Event{Act: draft.Submit})
	wantCode(t, err, "draft-faulty")
}

func TestDesk_RefusesAnEditInsideWhatTheDraftRemoves(t *testing.T) {
	t.Parallel()
	m := newMemory()
	d := desk(m)
	v := drafted(t, d, editor("ed"), catalog.Edit{Kind: catalog.ThingOneThing, Code: "K01"}, material(t, m, "K01.M1.a", map[string]any{"name": "新甲"}))
	if len(v.Faults) != 1 || v.Faults[0].Code != "inside-removed" || v.Faults[0].Thing.Code != "K01.M1.a" {
		t.Errorf("faults %+v", v.Faults)
	}
	_, err := d.Act(t.Context(), editor("ed"), v.ID, 0, draft.Event{Act: draft.Submit})
	wantCode(t, err, "draft-faulty")
}

func TestDesk_TheSecondOfTwoIsToldAndMerges(t *testing.T) {
	t.Parallel()
	m := newMemory()
	d := desk(m)
	first := drafted(t, d, editor("ann"), material(t, m, "K01.M1.a", map[string]any{"name": "安的"}))
	second := drafted(t, d, editor("bob"), material(t, m, "K01.M1.a", map[string]any{"name": "博的", "note": "说明"}))
	want := []draft.Overlap{{ID: first.ID, Title: "改目录", Writers: []string{"ann"}, State: draft.Editing, Things: []draft.Thing{{Kind: catalog.ThingMaterial, Code: "K01.M1.a"}}}}
	if diff := cmp.Diff(want, second.Others); diff != "" {
		t.Errorf("the second is told (-want +got)\n%s", diff)
	}
	for _, id := range []string{first.ID, second.ID} {
		act(t, d, editor(m.drafts[id].Writers[0]), id, draft.Event{Act: draft.Submit})
		act(t, d, reviewer("rev"), id, draft.Event{Act: draft.Approve})
	}
	if _, err := d.Publish(t.Context(), reviewer("rev"), first.ID, 0); err != nil {
		t.Fatal(err)
	}
	_, err := d.Publish(t.Context(), reviewer("rev"), second.ID, 0)
	wantCode(t, err, "draft-behind")
	act(t, d, reviewer("rev"), second.ID, draft.Event{Act: draft.Return, Why: "请先合并"})
	_, err = d.Merge(t.Context(), editor("bob"), second.ID, 0, nil)
	wantCode(t, err, "merge-conflict")
	meeting, err := d.Meet(t.Context(), second.ID, nil)
	if err != nil || len(meeting.Conflicts) != 1 {
		t.Fatalf("meeting %+v, %v", meeting, err)
	}
	c := meeting.Conflicts[0]
	if c.Base != "甲" || c.Theirs != "安的" || c.Mine != "博的" {
		t.Errorf("conflict %+v", c)
	}
	v, err := d.Merge(t.Context(), editor("bob"), second.ID, 0, []draft.Choice{{Thing: c.Thing, Place: c.Place, Take: draft.TakeValue, Value: json.RawMessage(`"安和博的"`)}})
	if err != nil || v.Base != 2 || len(v.Moved) > 0 {
		t.Fatalf("merged %+v, %v", v, err)
	}
	approved(t, d, second.ID, editor("bob"), reviewer("rev"))
	if _, err := d.Publish(t.Context(), reviewer("rev"), second.ID, 0); err != nil {
		t.Fatal(err)
	}
	if name, note := m.valueOf(t, catalog.ThingMaterial, "K01.M1.a", "name"), m.valueOf(t, catalog.ThingMaterial, "K01.M1.a", "note"); name != "安和博的" || note != "说明" {
		t.Errorf("the material is %v, %v", name, note)
	}
}

func TestDesk_WhatTouchesOtherThingsIsPublishedWithoutMerging(t *testing.T) {
	t.Parallel()
	m := newMemory()
	d := desk(m)
	v := drafted(t, d, editor("ed"), material(t, m, "K01.M1.a", map[string]any{"name": "新甲"}))
	approved(t, d, v.ID, editor("ed"), reviewer("rev"))
	m.publish(t, material(t, m, "K01.M1.b", map[string]any{"name": "新乙"}))
	if _, err := d.Publish(t.Context(), reviewer("rev"), v.ID, 0); err != nil {
		t.Fatal(err)
	}
	if a, b := m.valueOf(t, catalog.ThingMaterial, "K01.M1.a", "name"), m.valueOf(t, catalog.ThingMaterial, "K01.M1.b", "name"); a != "新甲" || b != "新乙" {
		t.Errorf("the materials are %v, %v", a, b)
	}
}

func TestDesk_ARemovalMeetsWhatWasChangedInside(t *testing.T) {
	t.Parallel()
	m := newMemory()
	d := desk(m)
	v := drafted(t, d, editor("ed"), catalog.Edit{Kind: catalog.ThingOneThing, Code: "K01"})
	m.publish(t, material(t, m, "K01.M1.a", map[string]any{"name": "新甲"}))
	meeting, err := d.Meet(t.Context(), v.ID, nil)
	if err != nil || len(meeting.Conflicts) != 1 {
		t.Fatalf("meeting %+v, %v", meeting, err)
	}
	if diff := cmp.Diff([]draft.Thing{{Kind: catalog.ThingMaterial, Code: "K01.M1.a"}}, meeting.Conflicts[0].Inside); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	thing := draft.Thing{Kind: catalog.ThingOneThing, Code: "K01"}
	if v, err = d.Merge(t.Context(), editor("ed"), v.ID, 0, []draft.Choice{{Thing: thing, Take: draft.TakeMine}}); err != nil || len(v.Edits) != 1 || len(v.Moved) > 0 {
		t.Fatalf("merged %+v, %v", v, err)
	}
}

func TestPublishJob_PublishesAtTheDateAndOnlyOnce(t *testing.T) {
	t.Parallel()
	m := newMemory()
	d := desk(m)
	v := drafted(t, d, editor("ed"), material(t, m, "K01.M1.a", map[string]any{"name": "新甲"}))
	approved(t, d, v.ID, editor("ed"), reviewer("rev"))
	day := time.Date(2026, 12, 1, 0, 0, 0, 0, catalog.TimeZone())
	v, err := d.Schedule(t.Context(), reviewer("rev"), v.ID, 0, day)
	if err != nil || v.State != draft.Scheduled {
		t.Fatalf("%+v, %v", v, err)
	}
	if len(m.jobs) != 1 || !m.jobs[0].RunAt.Equal(day) {
		t.Fatalf("jobs %+v", m.jobs)
	}
	for range 2 {
		if err := d.PublishJob(t.Context(), m.jobs[0]); err != nil {
			t.Fatal(err)
		}
	}
	if got := m.drafts[v.ID]; got.State != draft.Published || got.Revision != 2 || len(m.revisions) != 2 {
		t.Errorf("state %s, revision %d of %d", got.State, got.Revision, len(m.revisions))
	}
	if last := m.entries[len(m.entries)-1]; last.Kind != ledger.CatalogLoaded || last.Person != "rev" || last.Department != "SJJ" {
		t.Errorf("entry %+v", last)
	}
}

func TestPublishJob_SendsADraftBackThatOthersWereFasterThan(t *testing.T) {
	t.Parallel()
	m := newMemory()
	d := desk(m)
	v := drafted(t, d, editor("ed"), material(t, m, "K01.M1.a", map[string]any{"name": "新甲"}))
	approved(t, d, v.ID, editor("ed"), reviewer("rev"))
	if _, err := d.Schedule(t.Context(), reviewer("rev"), v.ID, 0, now.AddDate(0, 0, 1)); err != nil {
		t.Fatal(err)
	}
	m.publish(t, material(t, m, "K01.M1.a", map[string]any{"name": "别人的"}))
	if err := d.PublishJob(t.Context(), m.jobs[0]); err != nil {
		t.Fatal(err)
	}
	got := m.drafts[v.ID]
	last := got.History[len(got.History)-1]
	if got.State != draft.Editing || last.Act != draft.Block || last.Why == "" || got.PublishAt != nil {
		t.Errorf("state %s, note %+v", got.State, last)
	}
	if e := m.entries[len(m.entries)-1]; e.Kind != ledger.DraftBlocked || e.Why != last.Why {
		t.Errorf("entry %+v", e)
	}
	if len(m.revisions) != 2 {
		t.Errorf("%d revisions", len(m.revisions))
	}
}

func TestPublishJob_OfADateThatWasTakenBackDoesNothing(t *testing.T) {
	t.Parallel()
	m := newMemory()
	d := desk(m)
	v := drafted(t, d, editor("ed"), material(t, m, "K01.M1.a", map[string]any{"name": "新甲"}))
	approved(t, d, v.ID, editor("ed"), reviewer("rev"))
	for _, days := range []int{1, 2} {
		if _, err := d.Schedule(t.Context(), reviewer("rev"), v.ID, 0, now.AddDate(0, 0, days)); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.PublishJob(t.Context(), m.jobs[0]); err != nil || m.drafts[v.ID].State != draft.Scheduled {
		t.Errorf("the date that was replaced: %s, %v", m.drafts[v.ID].State, err)
	}
	act(t, d, editor("ed"), v.ID, draft.Event{Act: draft.Recall})
	if err := d.PublishJob(t.Context(), m.jobs[1]); err != nil || m.drafts[v.ID].State != draft.Editing || len(m.revisions) != 1 {
		t.Errorf("a draft that was recalled: %s, %v", m.drafts[v.ID].State, err)
	}
	if err := d.PublishJob(t.Context(), jobs.Job{Payload: "{"}); err == nil {
		t.Error("a payload that is none is done")
	}
}

func TestPublish_WhoLosesTheRaceLooksAtTheCatalogAnew(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ code, want string }{
		"another thing":  {"K01.M1.b", ""},
		"the same thing": {"K01.M1.a", "draft-behind"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMemory()
			d := desk(m)
			v := drafted(t, d, editor("ed"), material(t, m, "K01.M1.a", map[string]any{"name": "新甲"}))
			approved(t, d, v.ID, editor("ed"), reviewer("rev"))
			m.before = func() { m.publish(t, material(t, m, c.code, map[string]any{"name": "别人的"})) }
			got, err := d.Publish(t.Context(), reviewer("rev"), v.ID, 0)
			if c.want != "" {
				wantCode(t, err, c.want)
				return
			}
			if err != nil || got.Revision != 3 {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

func TestPublish_TwiceAtOnceIsDoneOnce(t *testing.T) {
	t.Parallel()
	m := newMemory()
	d := desk(m)
	v := drafted(t, d, editor("ed"), material(t, m, "K01.M1.a", map[string]any{"name": "新甲"}))
	approved(t, d, v.ID, editor("ed"), reviewer("rev"))
	errs := make([]error, 8)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() { _, errs[i] = d.Publish(context.WithoutCancel(t.Context()), reviewer("rev"), v.ID, 0) })
	}
	all.Wait()
	done := 0
	for _, err := range errs {
		if err == nil {
			done++
		}
	}
	if done != 1 || len(m.revisions) != 2 {
		t.Errorf("%d published, %d revisions: %v", done, len(m.revisions), errs)
	}
}

// forbids finds an error in every draft.
type forbids struct{}

func (forbids) LintErrors(context.Context, *catalog.Drafted, int) ([]fault.Detail, error) {
	return []fault.Detail{{Location: "material.K01.M1.a", Code: "no-basis", Message: "没有依据"}}, nil
}

func TestPublish_IsForbiddenByTheLinter(t *testing.T) {
	t.Parallel()
	m := newMemory()
	d := desk(m)
	v := drafted(t, d, editor("ed"), material(t, m, "K01.M1.a", map[string]any{"name": "新甲"}))
	approved(t, d, v.ID, editor("ed"), reviewer("rev"))
	d.Linter = forbids{}
	_, err := d.Publish(t.Context(), reviewer("rev"), v.ID, 0)
	if failed := wantCode(t, err, "lint-errors"); failed.Details[0].Code != "no-basis" {
		t.Errorf("details %+v", failed.Details)
	}
	if len(m.revisions) != 1 {
		t.Error("it was published")
	}
}
