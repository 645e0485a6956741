package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"mianti/catalog"
	"mianti/draft"
	"mianti/store"
)

const (
	draftsOf      = "/v1/drafts"
	policyEditor  = "u-editor:SPJ:policy_editor"
	otherEditor   = "u-other:SPJ:policy_editor"
	policyReview  = "u-reviewer:DSJ:policy_reviewer"
	selfReviewing = "u-editor:SPJ:policy_reviewer"
)

// newDraftHarness is the interface over a database with a catalog.
func newDraftHarness(t *testing.T) *sharingHarness {
	t.Helper()
	s := newSharingHarness(t)
	files, err := catalog.Files(os.DirFS("testdata/sharing"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.db.SaveRevision(t.Context(), files, store.RevisionMeta{Title: "目录", Version: "1"}); err != nil {
		t.Fatal(err)
	}
	var ids atomic.Int64
	s.config.Drafts = draft.New(draft.Config{
		Drafts: s.db, Publisher: s.db, Catalogs: store.NewCatalogs(s.db), Now: at, NewID: func() string { return fmt.Sprintf("d%02d", ids.Add(1)) },
	})
	s.handler = s.newHandler(s.config)
	return s
}

// materialWith gives the first material of the catalog as it is written, with
// another name.
func (s *sharingHarness) materialWith(name string) (string, string) {
	s.t.Helper()
	files, err := s.db.Files(s.t.Context(), 1)
	if err != nil {
		s.t.Fatal(err)
	}
	things, _ := catalog.Things(files)
	for _, thing := range things {
		if thing.Kind != catalog.ThingMaterial {
			continue
		}
		var value map[string]any
		if err := json.Unmarshal(thing.Value, &value); err != nil {
			s.t.Fatal(err)
		}
		value["name"] = name
		text, err := json.Marshal(map[string]any{"value": value})
		if err != nil {
			s.t.Fatal(err)
		}
		return thing.Code, string(text)
	}
	s.t.Fatal("no material")
	return "", ""
}

func (s *sharingHarness) draft(status int, who, method, target, body string, headers ...string) draft.Dossier {
	s.t.Helper()
	w := s.as(who, method, target, body, headers...)
	if w.Code != status {
		s.t.Fatalf("%s %s: %d %s", method, target, w.Code, w.Body)
	}
	var out draft.Dossier
	if status < 300 {
		decode(s.t, w, &out)
	}
	return out
}

func TestDrafts_FromTheFirstEditToThePublishedRevision(t *testing.T) {
	t.Parallel()
	s := newDraftHarness(t)
	code, body := s.materialWith("改过的名称")
	d := s.draft(http.StatusCreated, policyEditor, http.MethodPost, draftsOf, `{"title":"改名称","why":"依据变了"}`)
	here := draftsOf + "/" + d.ID
	edit := here + "/edits/material/" + code
	d = s.draft(http.StatusOK, policyEditor, http.MethodPut, edit, body)
	if len(d.Edits) != 1 || len(d.Faults) > 0 {
		t.Fatalf("%+v", d)
	}
	var changes struct{ Items []catalog.ThingChange }
	decode(t, s.as(policyEditor, http.MethodGet, here+"/changes", ""), &changes)
	if len(changes.Items) != 1 || changes.Items[0].Fields[0].Place != "name" || changes.Items[0].Fields[0].New != "改过的名称" {
		t.Errorf("changes %+v", changes)
	}
	second := s.draft(http.StatusCreated, otherEditor, http.MethodPost, draftsOf, `{"title":"也改"}`)
	second = s.draft(http.StatusOK, otherEditor, http.MethodPut, draftsOf+"/"+second.ID+"/edits/material/"+code, body)
	if len(second.Others) != 1 || second.Others[0].ID != d.ID {
		t.Errorf("the second is told of %+v", second.Others)
	}
	s.draft(http.StatusOK, policyEditor, http.MethodPost, here+"/submission", "")
	s.draft(http.StatusForbidden, selfReviewing, http.MethodPost, here+"/approval", "")
	s.draft(http.StatusOK, policyReview, http.MethodPost, here+"/return", `{"reason":"请写明依据"}`)
	s.draft(http.StatusOK, policyEditor, http.MethodPost, here+"/submission", "")
	s.draft(http.StatusOK, policyReview, http.MethodPost, here+"/approval", "")
	s.draft(http.StatusUnprocessableEntity, policyReview, http.MethodPost, here+"/publication", `{"on":"2020-01-01"}`)
	s.draft(http.StatusUnprocessableEntity, policyReview, http.MethodPost, here+"/publication", `{"on":"tomorrow"}`)
	d = s.draft(http.StatusOK, policyReview, http.MethodPost, here+"/publication", `{}`)
	if d.State != draft.Published || d.Revision != 2 {
		t.Fatalf("%+v", d.Draft)
	}
	want := "draft_created by u-editor draft_submitted by u-editor draft_returned by u-reviewer draft_submitted by u-editor " +
		"draft_approved by u-reviewer catalog_loaded by u-reviewer"
	if got := strings.Join(s.entries("draft:"+d.ID), " "); got != want {
		t.Errorf("entries %s, want %s", got, want)
	}
	back := s.draft(http.StatusCreated, otherEditor, http.MethodPost, "/v1/revisions/1/restoration", `{"reason":"改错了"}`)
	if back.Restores != 1 || len(back.Edits) != 1 {
		t.Errorf("%+v", back.Draft)
	}
}

func TestDrafts_ConflictsAreShownAndResolved(t *testing.T) {
	t.Parallel()
	s := newDraftHarness(t)
	code, first := s.materialWith("第一个")
	_, second := s.materialWith("第二个")
	ids := make([]string, 2)
	for i, body := range []string{first, second} {
		ids[i] = s.draft(http.StatusCreated, policyEditor, http.MethodPost, draftsOf, `{"title":"改"}`).ID
		s.draft(http.StatusOK, policyEditor, http.MethodPut, draftsOf+"/"+ids[i]+"/edits/material/"+code, body)
	}
	here := draftsOf + "/" + ids[0]
	s.draft(http.StatusOK, policyEditor, http.MethodPost, here+"/submission", "")
	s.draft(http.StatusOK, policyReview, http.MethodPost, here+"/approval", "")
	s.draft(http.StatusOK, policyReview, http.MethodPost, here+"/publication", `{}`)
	here = draftsOf + "/" + ids[1]
	s.draft(http.StatusConflict, policyEditor, http.MethodPost, here+"/submission", "")
	var meeting draft.Meeting
	decode(t, s.as(policyEditor, http.MethodGet, here+"/merge", ""), &meeting)
	if len(meeting.Conflicts) != 1 || meeting.Conflicts[0].Theirs != "第一个" || meeting.Conflicts[0].Mine != "第二个" {
		t.Fatalf("%+v", meeting)
	}
	s.draft(http.StatusConflict, policyEditor, http.MethodPost, here+"/merge", `{}`)
	choice := fmt.Sprintf(`{"choices":[{"kind":"material","code":%q,"place":"name","take":"mine"}]}`, code)
	d := s.draft(http.StatusOK, policyEditor, http.MethodPost, here+"/merge", choice)
	if d.Base != 2 || len(d.Moved) > 0 {
		t.Errorf("%+v", d)
	}
	s.draft(http.StatusOK, policyEditor, http.MethodPost, here+"/submission", "")
}

func TestDrafts_AreListedAndWithdrawn(t *testing.T) {
	t.Parallel()
	s := newDraftHarness(t)
	for range 3 {
		s.draft(http.StatusCreated, policyEditor, http.MethodPost, draftsOf, `{"title":"改"}`)
	}
	var page struct {
		Items []draft.Outline
		Next  string
	}
	decode(t, s.as(policyReview, http.MethodGet, draftsOf+"?limit=2", ""), &page)
	if len(page.Items) != 2 || page.Items[0].ID != "d03" || page.Next != "d02" {
		t.Errorf("%+v", page)
	}
	s.draft(http.StatusUnprocessableEntity, policyEditor, http.MethodPost, draftsOf+"/d01/withdrawal", `{"reason":""}`)
	d := s.draft(http.StatusOK, policyEditor, http.MethodPost, draftsOf+"/d01/withdrawal", `{"reason":"不改了"}`)
	if d.State != draft.Withdrawn {
		t.Errorf("%+v", d.Draft)
	}
	decode(t, s.as(policyReview, http.MethodGet, draftsOf+"?open=true", ""), &page)
	if len(page.Items) != 2 {
		t.Errorf("%+v", page)
	}
}

func TestDrafts_RefuseWhatIsNoEditAndWhatWasChangedMeanwhile(t *testing.T) {
	t.Parallel()
	s := newDraftHarness(t)
	code, body := s.materialWith("新")
	w := s.as(policyEditor, http.MethodPost, draftsOf, `{"title":"改"}`)
	tag := w.Header().Get("ETag")
	edit := draftsOf + "/d01/edits/material/" + code
	s.draft(http.StatusOK, policyEditor, http.MethodPut, edit, body, "If-Match", tag)
	s.draft(http.StatusPreconditionFailed, policyEditor, http.MethodPut, edit, body, "If-Match", tag)
	for _, bad := range []string{`{"value":[1]}`, `{"value":{"code":"other"}}`, `{"value":"text"}`} {
		s.draft(http.StatusUnprocessableEntity, policyEditor, http.MethodPut, edit, bad)
	}
	s.draft(http.StatusUnprocessableEntity, policyEditor, http.MethodPut, draftsOf+"/d01/edits/house/x", `{"value":null}`)
	s.draft(http.StatusUnprocessableEntity, policyEditor, http.MethodPost, draftsOf, `{"title":" "}`)
	s.draft(http.StatusUnprocessableEntity, policyEditor, http.MethodPost, draftsOf, `{"title":"改","base":9}`)
	d := s.draft(http.StatusOK, policyEditor, http.MethodPut, edit, `{"value":null}`)
	if len(d.Edits) != 1 || !d.Edits[0].Removes() {
		t.Errorf("a removal: %+v", d.Edits)
	}
	d = s.draft(http.StatusOK, policyEditor, http.MethodDelete, edit, "")
	if len(d.Edits) != 0 {
		t.Errorf("%+v", d.Edits)
	}
	s.draft(http.StatusNotFound, policyEditor, http.MethodDelete, edit, "")
	s.draft(http.StatusNotFound, policyEditor, http.MethodGet, draftsOf+"/none", "")
}
