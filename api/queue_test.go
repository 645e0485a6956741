package api_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"mianti/exchange"
	"mianti/ledger"
)

// CaseBriefs lists every case that matches, on one page.
func (m *memory) CaseBriefs(_ context.Context, f exchange.CaseFilter) (*exchange.CasePage, error) {
	page := &exchange.CasePage{Items: []exchange.CaseBrief{}}
	for _, c := range m.cases {
		if c.Department == f.Department && strings.HasPrefix(c.Number, f.Number) && (f.Subject == "" || f.Subject == c.Subject) {
			page.Items = append(page.Items, exchange.CaseBrief{ID: c.ID, Number: c.Number, Subject: c.Subject, Revision: c.Revision, State: exchange.CaseNew, OpenedAt: c.OpenedAt, UpdatedAt: c.UpdatedAt})
		}
	}
	slices.SortFunc(page.Items, func(a, b exchange.CaseBrief) int { return strings.Compare(a.Number, b.Number) })
	return page, nil
}

func (m *memory) CaseStateCounts(_ context.Context, department string, _ int) (map[exchange.CaseState]int, error) {
	return map[exchange.CaseState]int{exchange.CaseNew: len(m.cases)}, nil
}

func (m *memory) FollowUps(_ context.Context, f exchange.FollowUpFilter) ([]exchange.FollowUp, error) {
	all := []exchange.FollowUp{}
	for _, code := range []string{"S01.M1.a", "S01.M1.b"} {
		all = append(all, exchange.FollowUp{FollowUpKey: exchange.FollowUpKey{Case: "c1", Material: code}, Revision: 1, Since: at(), DueAt: at().Add(-time.Hour)})
	}
	if f.After.Material == "S01.M1.a" {
		all = all[1:]
	}
	return all[:min(f.Limit, len(all))], nil
}

func (m *memory) Acts(_ context.Context, f exchange.ActFilter) ([]exchange.Act, error) {
	acts := []exchange.Act{}
	for i, e := range slices.Backward(m.appended) {
		if n := int64(i + 1); e.Person == f.Person && slices.Contains(f.Kinds, string(e.Kind)) && (f.Before == 0 || n < f.Before) {
			acts = append(acts, exchange.Act{Number: n, Entry: e, CaseNumber: m.cases[e.Case].Number})
		}
	}
	return acts[:min(f.Limit, len(acts))], nil
}

type casesPage struct {
	Items []struct {
		ID, Number, Subject, State string
	}
	Counts map[string]int
}

func TestListCases_GivesTheOwnDepartmentsQueueWithoutRecordingAnAccess(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.open("JN-2")
	id := h.open("JN-1")
	before := len(h.memory.appended)
	for name, w := range map[string]func(string) int{
		"system": func(q string) int {
			var page casesPage
			decode(t, h.call(ownSystem, http.MethodGet, "/v1/cases"+q, ""), &page)
			return len(page.Items)
		},
		"another's system": func(q string) int {
			var page casesPage
			decode(t, h.call(other, http.MethodGet, "/v1/cases"+q, ""), &page)
			return len(page.Items) + 2
		},
	} {
		if n := w("?state=open"); n != 2 {
			t.Errorf("%s: %d cases", name, n)
		}
	}
	w := h.as("clerk SPJ", http.MethodGet, "/v1/cases?number=JN-1&subject=S01&order=oldest", "")
	var page casesPage
	decode(t, w, &page)
	if len(page.Items) != 1 || page.Items[0].ID != id || page.Items[0].State != "new" || page.Counts["new"] != 2 {
		t.Errorf("page: %s", w.Body)
	}
	if strings.Contains(w.Body.String(), personA) || strings.Contains(w.Body.String(), "王建国") {
		t.Error("somebody is in the list")
	}
	if len(h.memory.appended) != before {
		t.Errorf("a list of the own queue is recorded: %v", h.memory.appended[before:])
	}
	wantProblem(t, h.as("auditor SPJ", http.MethodGet, "/v1/cases", ""), http.StatusForbidden, "not-your-duty")
	wantProblem(t, h.as("clerk SPJ", http.MethodGet, "/v1/cases?state=lost", ""), http.StatusUnprocessableEntity, "invalid-request")
	wantProblem(t, h.as("clerk SPJ", http.MethodGet, "/v1/cases?cursor="+id+"&before="+id, ""), http.StatusUnprocessableEntity, "bad-cursor")
}

func TestUnmaskParty_IsRecordedBeforeItIsGiven(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	path := "/v1/cases/" + h.open("JN-1") + "/unmasking"
	w := h.as("clerk SPJ", http.MethodPost, path, `{"party":"p2"}`)
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), personA) {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	last := h.memory.appended[len(h.memory.appended)-1]
	if last.Kind != ledger.Unmasked || last.Object != "party:p2" || last.Person != "person-clerk" || len(last.Concerns) != 1 {
		t.Errorf("entry: %+v", last)
	}
	wantProblem(t, h.as("clerk SPJ", http.MethodPost, path, `{"party":"p9"}`), http.StatusNotFound, "unknown-party")
	wantProblem(t, h.as("clerk GA", http.MethodPost, path, `{"party":"p2"}`), http.StatusNotFound, "unknown-case")
	h.memory.journalFails = context.DeadlineExceeded
	if w := h.as("clerk SPJ", http.MethodPost, path, `{"party":"p2"}`); strings.Contains(w.Body.String(), personA) {
		t.Errorf("given without a record: %s", w.Body)
	}
}

func TestListMyActs_GivesTheOwnOnesAndIsOneItself(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	path := "/v1/cases/" + h.open("JN-1") + "/unmasking"
	for range 3 {
		h.as("clerk SPJ", http.MethodPost, path, `{"party":"p2"}`)
	}
	var first, second struct {
		Items []struct {
			Kind       string
			CaseNumber string `json:"case_number"`
		}
		Next int64
	}
	decode(t, h.as("clerk SPJ", http.MethodGet, "/v1/session/acts?kind=unmasked&limit=2", ""), &first)
	if len(first.Items) != 2 || first.Next == 0 || first.Items[0].CaseNumber != "JN-1" {
		t.Fatalf("acts: %+v", first)
	}
	if last := h.memory.appended[len(h.memory.appended)-1]; last.Kind != ledger.LogRead || last.Person != "person-clerk" {
		t.Errorf("the reading: %+v", last)
	}
	decode(t, h.as("clerk SPJ", http.MethodGet, "/v1/session/acts?cursor=3&limit=2", ""), &second)
	if len(second.Items) != 2 || second.Next != 0 {
		t.Errorf("before the third entry: %+v", second)
	}
	wantProblem(t, h.as("clerk SPJ", http.MethodGet, "/v1/session/acts?kind=case_opened", ""), http.StatusUnprocessableEntity, "unknown-kind")
}

func TestListFollowUps_TurnsPagesAndSaysWhatIsOverdue(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	var page struct {
		Items []struct {
			Material string
			Overdue  bool
		}
		Next string
	}
	decode(t, h.as("clerk SPJ", http.MethodGet, "/v1/follow-ups?limit=1", ""), &page)
	if len(page.Items) != 1 || !page.Items[0].Overdue || page.Next == "" {
		t.Fatalf("page: %+v", page)
	}
	decode(t, h.as("clerk SPJ", http.MethodGet, "/v1/follow-ups?limit=1&cursor="+page.Next, ""), &page)
	if len(page.Items) != 1 || page.Items[0].Material != "S01.M1.b" {
		t.Errorf("second page: %+v", page)
	}
	wantProblem(t, h.as("clerk SPJ", http.MethodGet, "/v1/follow-ups?cursor=x", ""), http.StatusUnprocessableEntity, "bad-cursor")
}
