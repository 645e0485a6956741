package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/draft"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// smallDraftable has two one-things, a common material and facts.
func smallDraftable() map[string][]byte {
	const head = "format: mianti-catalog/1\nkind: "
	oneThing := func(code string) []byte {
		return fmt.Appendf(nil, head+`one_thing
one_thing: {code: %[1]s, name: 办%[1]s, handling: serial, lead: SL}
matters:
  - code: %[1]s.M1
    name: 事项一
    basic_code: "370199001000"
    level: 3
    department: SL
    days: 1
    result: {name: 决定书}
    materials:
      # 第一份
      - {code: %[1]s.M1.a, name: 甲, kind: proof, need: required, basis: [规定第1条], origin: applicant, chain: [{mode: upload}]}
      - {code: %[1]s.M1.b, common: C1}
`, code)
	}
	return map[string][]byte{
		"catalog.yaml":          []byte(head + "catalog\ntitle: 小目录\nversion: \"1\"\n"),
		"roles.yaml":            []byte(head + "roles\nroles:\n  - {code: applicant, name: 申请人, kinds: [person]}\n"),
		"facts.yaml":            []byte(head + "facts\nfacts:\n  - {code: employs, type: bool, ask: 有没有雇员}\n"),
		"common-materials.yaml": []byte(head + "common_materials\nmaterials:\n  - {code: C1, name: 身份证, kind: certificate, need: required, basis: [规定第2条], origin: government, chain: [{mode: upload}]}\n"),
		"departments/SL.yaml": []byte(head + "department\ndepartment: {code: SL, name: 受理局, credit_code: 11370199MB9K00806D}\ndatasets:\n" +
			"  - {code: D-SL01, name: 台账, resource_code: 3019953701007/000001, sharing: conditional, terms: 按办件核验, update: daily, sensitivity: 1, asked_by: [person], fields: [{code: name, name: 姓名, type: string}, {code: address, name: 住址, type: string}], sources: [{code: SL.D-SL01.api, kind: httpjson, path: /query/D-SL01, address: \"http://127.0.0.1:8090/SL\", network: local}]}\n"),
		"one-things/K01.yaml": oneThing("K01"),
		"one-things/K02.yaml": oneThing("K02"),
	}
}

func loadFiles(files map[string][]byte) (*catalog.Revision, error) {
	var parts []catalog.Part
	for path, content := range files {
		parts = append(parts, catalog.Part{Path: path, Content: content})
	}
	return catalog.LoadParts(parts)
}

// testDesk is a desk over a store.
func testDesk(s *Store) *draft.Desk { return deskOver(s, NewCatalogs(s)) }

func deskOver(s *Store, catalogs *Catalogs) *draft.Desk {
	var mu sync.Mutex
	ids := 0
	return draft.New(draft.Config{Drafts: s, Publisher: s, Catalogs: catalogs, Now: testClock, NewID: func() string {
		mu.Lock()
		defer mu.Unlock()
		ids++
		return fmt.Sprintf("d%04d", ids)
	}})
}

func draftEditor(name string) policies.Caller {
	return policies.Caller{Person: name, Department: "SL", Duties: []policies.Duty{policies.DutyPolicyEditor}}
}

func draftReviewer(name string) policies.Caller {
	return policies.Caller{Person: name, Department: "SL", Duties: []policies.Duty{policies.DutyPolicyReviewer}}
}

func withDraftable(t *testing.T, s *Store) {
	t.Helper()
	if _, err := s.SaveRevision(t.Context(), smallDraftable(), RevisionMeta{Title: "小目录", Version: "1"}); err != nil {
		t.Fatal(err)
	}
}

func renamed(code, name string) catalog.Edit {
	return catalog.Edit{Kind: catalog.ThingMaterial, Code: code, Value: json.RawMessage(
		`{"code":"` + code + `","name":"` + name + `","kind":"proof","need":"required","basis":["规定第1条"],"origin":"applicant","chain":[{"mode":"upload"}]}`)}
}

// readyToPublish is a draft that was approved.
func readyToPublish(t *testing.T, d *draft.Desk, edits ...catalog.Edit) *draft.Dossier {
	t.Helper()
	v, err := d.Create(t.Context(), draftEditor("ed"), draft.Opening{Title: "改", Edits: edits})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = d.Act(t.Context(), draftEditor("ed"), v.ID, 0, draft.Event{Act: draft.Submit}); err != nil {
		t.Fatal(err)
	}
	if v, err = d.Act(t.Context(), draftReviewer("rev"), v.ID, 0, draft.Event{Act: draft.Approve}); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestDraft_ComesBackAsItWasSaved(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		withDraftable(t, s)
		at := testTime.Add(time.Hour)
		d := draft.Draft{
			ID: "d1", Title: "改", Why: "因故", Department: "SL", Writers: []string{"ed"}, Base: 1, State: draft.Scheduled, PublishAt: &at, Reviewer: "rev",
			Edits:     []catalog.Edit{renamed("K01.M1.a", "新"), {Kind: catalog.ThingFact, Code: "employs"}},
			CreatedAt: testTime, UpdatedAt: testTime, History: []draft.Deed{{Act: draft.Create, At: testTime, Person: "ed", State: draft.Editing}}, Version: 1,
		}
		if err := s.SaveDraft(t.Context(), draft.Commit{Draft: &d, Put: d.Edits}); err != nil {
			t.Fatal(err)
		}
		got, err := s.Draft(t.Context(), "d1")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(&d, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		if err := s.SaveDraft(t.Context(), draft.Commit{Draft: &d, Put: d.Edits}); !errors.Is(err, fault.Conflict) {
			t.Errorf("the first version again: %v", err)
		}
		second := d
		second.Version, second.Edits = 2, d.Edits[:1]
		if err := s.SaveDraft(t.Context(), draft.Commit{Draft: &second, Gone: []draft.Thing{{Kind: catalog.ThingFact, Code: "employs"}}}); err != nil {
			t.Fatal(err)
		}
		if got, err = s.Draft(t.Context(), "d1"); err != nil || len(got.Edits) != 1 || got.Version != 2 {
			t.Errorf("%+v, %v", got, err)
		}
		if err := s.SaveDraft(t.Context(), draft.Commit{Draft: &second}); !errors.Is(err, fault.Conflict) {
			t.Errorf("a version that was stored: %v", err)
		}
		if _, err := s.Draft(t.Context(), "d2"); !errors.Is(err, fault.NotFound) {
			t.Errorf("one that is not there: %v", err)
		}
	})
}

func TestDrafts_AreListedTheNewestFirstByState(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		withDraftable(t, s)
		d := testDesk(s)
		for range 3 {
			if _, err := d.Create(t.Context(), draftEditor("ed"), draft.Opening{Title: "改", Edits: []catalog.Edit{renamed("K01.M1.a", "新")}}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := d.Act(t.Context(), draftEditor("ed"), "d0002", 0, draft.Event{Act: draft.Withdraw, Why: "不改了"}); err != nil {
			t.Fatal(err)
		}
		for name, c := range map[string]struct {
			filter draft.Filter
			want   []string
		}{
			"all":          {draft.Filter{Limit: 10}, []string{"d0003", "d0002", "d0001"}},
			"a page":       {draft.Filter{Limit: 1, After: "d0003"}, []string{"d0002"}},
			"open":         {draft.Filter{Limit: 10, Open: true}, []string{"d0003", "d0001"}},
			"of one state": {draft.Filter{Limit: 10, State: draft.Withdrawn}, []string{"d0002"}},
		} {
			found, err := s.Drafts(t.Context(), c.filter)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, b := range found {
				got = append(got, b.ID)
				if b.Things != 1 || b.Title != "改" {
					t.Errorf("%s: %+v", name, b)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s (-want +got)\n%s", name, diff)
			}
		}
	})
}

func TestDraftsTouching_FindsTheSameThingsAndWhatHoldsThem(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		withDraftable(t, s)
		d := testDesk(s)
		for _, edits := range [][]catalog.Edit{
			{renamed("K01.M1.a", "新")},                            // d0001
			{{Kind: catalog.ThingOneThing, Code: "K02"}},          // d0002 removes what holds others
			{{Kind: catalog.ThingFact, Code: "K01.M1.a"}},         // d0003: another kind
			{{Kind: catalog.ThingDepartment, Code: "GA"}},         // d0004
			{{Kind: catalog.ThingDataset, Code: "D-X", In: "SL"}}, // d0005
		} {
			if _, err := d.Create(t.Context(), draftEditor("ed"), draft.Opening{Title: "改", Edits: edits}); err != nil {
				t.Fatal(err)
			}
		}
		for name, c := range map[string]struct {
			edit catalog.Edit
			want []string
		}{
			"the same material":                   {renamed("K01.M1.a", "别的"), []string{"d0001"}},
			"a material of what goes":             {renamed("K02.M1.a", "别的"), []string{"d0002"}},
			"what holds a material goes":          {catalog.Edit{Kind: catalog.ThingMatter, Code: "K01.M1"}, []string{"d0001"}},
			"a dataset of a department that goes": {catalog.Edit{Kind: catalog.ThingDataset, Code: "D-Y", In: "GA"}, []string{"d0004"}},
			"a department with a dataset goes":    {catalog.Edit{Kind: catalog.ThingDepartment, Code: "SL"}, []string{"d0005"}},
			"nothing else":                        {renamed("K01.M1.b", "别的"), nil},
		} {
			found, err := s.DraftsTouching(t.Context(), []catalog.Edit{c.edit}, "")
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, o := range found {
				got = append(got, o.ID)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s (-want +got)\n%s", name, diff)
			}
		}
		found, err := s.DraftsTouching(t.Context(), []catalog.Edit{renamed("K01.M1.a", "别的")}, "d0001")
		if err != nil || len(found) > 0 {
			t.Errorf("a draft overlaps itself: %v, %v", found, err)
		}
	})
}

func TestPublishDraft_StoresRevisionDraftAndEntryOrNothing(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		withDraftable(t, s)
		d := testDesk(s)
		v := readyToPublish(t, d, renamed("K01.M1.a", "新"))
		next, err := draft.Procedure{}.Apply(&v.Draft, draft.Event{Act: draft.Publish}, draftReviewer("rev"), testTime)
		if err != nil {
			t.Fatal(err)
		}
		drafted, err := d.Catalogs.Drafted(t.Context(), 1, v.Edits)
		if err != nil {
			t.Fatal(err)
		}
		p := draft.Publication{Base: 1, Parts: drafted.Parts, Title: "小目录", Version: "1"}
		stale := next
		stale.Version = 7 // the draft has changed: the revision must not be there either
		if _, err := s.PublishDraft(t.Context(), draft.Commit{Draft: &stale}, p); !errors.Is(err, fault.Conflict) {
			t.Fatalf("a draft that has changed: %v", err)
		}
		if n, _ := s.LatestRevision(t.Context()); n != 1 {
			t.Fatalf("revision %d was left behind", n)
		}
		entries := []ledger.Entry{{Kind: ledger.CatalogLoaded, At: testTime, Person: "rev", Object: "draft:" + v.ID}}
		number, err := s.PublishDraft(t.Context(), draft.Commit{Draft: &next, Entries: entries}, p)
		if err != nil || number != 2 {
			t.Fatalf("revision %d, %v", number, err)
		}
		got, err := s.Draft(t.Context(), v.ID)
		if err != nil || got.State != draft.Published || got.Revision != 2 {
			t.Errorf("%+v, %v", got, err)
		}
		_, err = s.PublishDraft(t.Context(), draft.Commit{Draft: &next}, p)
		if failed := fault.As(err); failed == nil || failed.Code != "revision-moved" {
			t.Errorf("a base that is not the latest: %v", err)
		}
	})
}

func TestPublishDraft_ManyAtOnceMakeOneRevisionEach(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		withDraftable(t, s)
		d := testDesk(s)
		ids := []string{
			readyToPublish(t, d, renamed("K01.M1.a", "一")).ID, readyToPublish(t, d, renamed("K02.M1.a", "二")).ID, readyToPublish(t, d, renamed("K01.M1.a", "三")).ID,
		}
		errs := make([]error, 2*len(ids))
		var all sync.WaitGroup
		for i := range errs {
			all.Go(func() { _, errs[i] = d.Publish(t.Context(), draftReviewer("rev"), ids[i%len(ids)], 0) })
		}
		all.Wait()
		done := 0
		for _, err := range errs {
			if err == nil {
				done++
			} else if !errors.Is(err, fault.Conflict) {
				t.Errorf("refused with %v", err)
			}
		}
		// The first and the third change the same: one of them is behind.
		if n, _ := s.LatestRevision(t.Context()); n != 3 || done != 2 {
			t.Errorf("%d published, revision %d: %v", done, n, errs)
		}
	})
}
