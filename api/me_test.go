package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mianti/catalog"
	"mianti/citizen"
	"mianti/exchange"
	"mianti/internal/keytest"
	"mianti/policies"
	"mianti/store"
)

// ownHarness is the interface over a real database, with two citizens, a clerk
// and an operator who have signed in.
type ownHarness struct {
	*harness
	db  *store.Store
	now atomic.Pointer[time.Time]
}

func newOwnHarness(t testing.TB) *ownHarness {
	t.Helper()
	h := &ownHarness{harness: newHarness(t)}
	moment := at()
	h.now.Store(&moment)
	now := func() time.Time { return *h.now.Load() }
	url := "sqlite:" + filepath.Join(t.TempDir(), "mianti.db")
	if err := store.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	var err error
	if h.db, err = store.Open(t.Context(), store.Config{URL: url, Keys: keytest.Keys(), Now: now}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.db.Close() })
	h.fillStore()
	xc := h.config.Exchange.Config
	xc.Cases, xc.Resolutions, xc.Submissions, xc.Journal, xc.Grants, xc.Consents = h.db, h.db, h.db, h.db, h.db, h.db
	xc.Keys, xc.Systems, xc.Queue, xc.FileLinks, xc.Now = h.db, h.db, h.db, h.db, now
	xc.Desk = &exchange.Desk{Assists: h.db, Cases: h.db, Now: now, NewID: xc.NewID, Due: func(from time.Time, days int) time.Time { return from.AddDate(0, 0, days) }}
	h.config.Exchange = exchange.New(xc)
	h.config.Citizen = citizen.New(citizen.Config{
		Accesses: h.db, Cases: h.db, Register: h.db, Journal: h.db, Catalogs: h.memory, Exchange: h.config.Exchange, Now: now,
	})
	h.config.People = namedPeople{
		"a": h.citizen(personA), "b": h.citizen(personB),
		"clerk":    {Person: "clerk-1", Department: "SPJ", Duties: []policies.Duty{policies.DutyClerk}},
		"operator": {Person: "operator-1", Department: "SPJ", Duties: []policies.Duty{policies.DutyOperator}},
	}
	h.handler = h.newHandler(h.config)
	return h
}

func (h *ownHarness) citizen(number string) policies.Caller {
	return policies.Caller{Person: "person-" + number[17:], Subject: h.config.Exchange.SubjectOf(catalog.KindPerson, number), Duties: []policies.Duty{policies.DutyCitizen}}
}

// fillStore registers what cases refer to.
func (h *ownHarness) fillStore() {
	h.t.Helper()
	if _, err := h.db.SaveRevision(h.t.Context(), map[string][]byte{"catalog.yaml": []byte("x")}, store.RevisionMeta{Title: "t", Version: "1"}); err != nil {
		h.t.Fatal(err)
	}
	for _, id := range []string{ownSystem, other} {
		if err := h.db.SaveSystem(h.t.Context(), exchange.System{ID: id, Department: h.memory.systems[id].Department, Name: "系统 " + id}); err != nil {
			h.t.Fatal(err)
		}
	}
	if err := h.db.SaveGrants(h.t.Context(), h.memory.grants); err != nil {
		h.t.Fatal(err)
	}
}

// resolved opens a case and resolves it, and gives the ids of both.
func (h *ownHarness) resolved(number string) (caseID, resolution string) {
	h.t.Helper()
	caseID = h.open(number)
	w := h.call(ownSystem, http.MethodPost, "/v1/cases/"+caseID+"/resolutions", "")
	if w.Code != http.StatusCreated && w.Code != http.StatusAccepted {
		h.t.Fatalf("resolve: %d %s", w.Code, w.Body)
	}
	return caseID, strings.TrimPrefix(w.Header().Get("Location"), "/v1/resolutions/")
}

// get reads JSON as a person.
func (h *ownHarness) get(person, target string, into any) {
	h.t.Helper()
	w := h.as(person, http.MethodGet, target, "")
	if w.Code != http.StatusOK {
		h.t.Fatalf("%s as %s: %d %s", target, person, w.Code, w.Body)
	}
	decode(h.t, w, into)
}

func (h *ownHarness) accesses(person, query string) citizen.AccessList {
	h.t.Helper()
	var list citizen.AccessList
	h.get(person, "/v1/me/accesses"+query, &list)
	return list
}

func kindsOf(list citizen.AccessList) []string {
	kinds := []string{}
	for _, a := range list.Items {
		kinds = append(kinds, string(a.Kind))
	}
	return kinds
}

func TestAccesses_TellWhoLookedAtWhatAndWhy(t *testing.T) {
	t.Parallel()
	h := newOwnHarness(t)
	if list := h.accesses("a", "?others=true"); len(list.Items) != 0 || list.Message != "还没有人查询过您的数据。" {
		t.Errorf("before anything: %+v", list)
	}
	caseID, resolution := h.resolved("JN-M1")
	if w := h.as("clerk", http.MethodGet, "/v1/resolutions/"+resolution, ""); w.Code != http.StatusOK {
		t.Fatalf("read: %d %s", w.Code, w.Body)
	}
	list := h.accesses("a", "?others=true")
	if got, want := kindsOf(list), []string{"read", "resolved", "intent", "consent_given", "case_opened"}; !slices.Equal(got, want) {
		t.Fatalf("kinds %v, want %v", got, want)
	}
	read, look := list.Items[0], list.Items[2]
	if read.Who.Duty != "审批人员" || read.Who.Department != "SPJ" || read.Who.Name == "" || read.Who.System != "" {
		t.Errorf("the reading is by %+v", read.Who)
	}
	if look.Who.System != ownSystem || look.Who.SystemName != "系统 "+ownSystem || look.Case != caseID || look.CaseNumber != "JN-M1" ||
		look.Result != "ok" || look.Outcome != "查到记录，已核验" || look.EndedAt == nil || look.Unfinished || len(look.Proof) != 2 ||
		look.Dataset != "D-GA01" || look.Grant != "g1" || len(look.For) == 0 || look.For[0].Title == look.For[0].Material {
		t.Errorf("the look-up: %+v", look)
	}
	if text := strings.Join(look.Grounds, " "); !strings.Contains(text, "共享授权 g1：条例16(2)") {
		t.Errorf("grounds %q", text)
	}
	if len(look.Fields) == 0 || look.Fields[0].Name == look.Fields[0].Code {
		t.Errorf("fields %+v, want their names", look.Fields)
	}
	body := h.as("a", http.MethodGet, "/v1/me/accesses", "").Body.String()
	for _, secret := range []string{personA, "王建国", "clerk-1", "2036-01-01"} {
		if strings.Contains(body, secret) {
			t.Errorf("the list holds %s", secret)
		}
	}
}

// A reading of the list is in the list that it reads.
func TestAccesses_ShowTheOwnReadingAtOnce(t *testing.T) {
	t.Parallel()
	h := newOwnHarness(t)
	list := h.accesses("a", "")
	if len(list.Items) != 1 || list.Items[0].Kind != "access_list_read" || !list.Items[0].Who.Self || list.Total != 1 {
		t.Errorf("%+v", list)
	}
}

func TestAccesses_AreFilteredAndTurned(t *testing.T) {
	t.Parallel()
	h := newOwnHarness(t)
	h.resolved("JN-M2")
	later := at().AddDate(0, 0, 1)
	h.now.Store(&later)
	h.open("JN-M3")
	if got := kindsOf(h.accesses("a", "?others=true&from=2026-11-24")); !slices.Equal(got, []string{"consent_given", "case_opened"}) {
		t.Errorf("from the next day: %v", got)
	}
	if got := kindsOf(h.accesses("a", "?others=true&to=2026-11-23")); len(got) != 4 {
		t.Errorf("to the first day: %v", got)
	}
	if list := h.accesses("a", "?department=GA"); len(list.Items) != 0 || !strings.Contains(list.Message, "所选的部门") {
		t.Errorf("another department: %+v", list)
	}
	wantProblem(t, h.as("a", http.MethodGet, "/v1/me/accesses?from=2026-11-24&to=2026-11-23", ""), 422, "invalid-period")
	wantProblem(t, h.as("a", http.MethodGet, "/v1/me/accesses?cursor=x", ""), 422, "invalid-request")
	all, next := []string{}, ""
	for {
		list := h.accesses("a", "?others=true&limit=2"+next)
		all = append(all, kindsOf(list)...)
		if list.Next == "" {
			break
		}
		next = "&cursor=" + list.Next
	}
	if want := kindsOf(h.accesses("a", "?others=true")); !slices.Equal(all, want) {
		t.Errorf("page by page %v, at once %v", all, want)
	}
}

// A question of which nothing came is told as such: it may have been put.
func TestAccesses_SayWhenNoOutcomeIsRecorded(t *testing.T) {
	t.Parallel()
	h := newOwnHarness(t)
	caseID, _ := h.resolved("JN-M4")
	entries, err := h.db.Entries(t.Context(), caseID)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Kind == "intent" {
			e.Ask, e.Concerns = "lost", []string{h.citizen(personA).Subject}
			if err := h.db.Append(t.Context(), append(entries[:0:0], e)); err != nil {
				t.Fatal(err)
			}
			break
		}
	}
	list := h.accesses("a", "?others=true&limit=1")
	if len(list.Items) != 1 || !list.Items[0].Unfinished || !strings.HasPrefix(list.Items[0].Outcome, "没有记录到结果") || len(list.Items[0].Proof) != 1 {
		t.Errorf("%+v", list.Items)
	}
}

func TestMyCases_ShowWhatIsHisAndNothingOfOthers(t *testing.T) {
	t.Parallel()
	h := newOwnHarness(t)
	caseID, _ := h.resolved("JN-M5")
	var list citizen.OwnCaseList
	h.get("a", "/v1/me/cases", &list)
	if len(list.Items) != 1 || list.Items[0].ID != caseID || list.Items[0].Number != "JN-M5" || len(list.Items[0].Filled) == 0 {
		t.Fatalf("cases: %+v", list)
	}
	for _, f := range list.Items[0].Filled {
		if len(f.Values) > 0 {
			t.Errorf("the list shows values: %+v", f)
		}
	}
	var one citizen.OwnCase
	h.get("a", "/v1/me/cases/"+caseID, &one)
	if text, _ := json.Marshal(one.Filled); !strings.Contains(string(text), "2036-01-01") || one.Filled[0].Department == "" || one.Filled[0].At == nil {
		t.Errorf("filled: %s", text)
	}
	if !slices.Equal(one.Roles, []string{"股东"}) {
		t.Errorf("roles %v", one.Roles)
	}
	if len(one.Matters) > 0 {
		t.Errorf("a shareholder is told how far the applicant's matters are: %+v", one.Matters)
	}
	var none citizen.OwnCaseList
	if h.get("b", "/v1/me/cases", &none); len(none.Items) != 0 || none.Message != "没有您是当事人的办件。" {
		t.Errorf("another's: %+v", none)
	}
	if got := kindsOf(h.accesses("a", "?limit=3")); !slices.Equal(got, []string{"access_list_read", "own_cases_read", "own_cases_read"}) {
		t.Errorf("the readings are recorded as %v", got)
	}
}

// Somebody who takes the place of a party under the same id sees nothing of what
// was looked up about the one before.
func TestMyCases_OfAReplacedPartyAreNotThoseOfItsSuccessor(t *testing.T) {
	t.Parallel()
	h := newOwnHarness(t)
	caseID, resolution := h.resolved("JN-M6")
	change := `{"parties":[{"id":"p2","roles":["shareholder"],"kind":"person","name":"李示例","number":"` + personB + `","consent":"given"}]}`
	if w := h.call(ownSystem, http.MethodPatch, "/v1/cases/"+caseID+"/facts", change); w.Code != http.StatusOK {
		t.Fatalf("change: %d %s", w.Code, w.Body)
	}
	var one citizen.OwnCase
	h.get("b", "/v1/me/cases/"+caseID, &one)
	for _, f := range one.Filled {
		if len(f.Values) > 0 {
			t.Errorf("the successor sees %+v", f)
		}
	}
	wantProblem(t, h.as("a", http.MethodGet, "/v1/me/cases/"+caseID, ""), 404, "unknown-case")
	if w := h.call(ownSystem, http.MethodGet, "/v1/resolutions/"+resolution, ""); w.Code != http.StatusOK {
		t.Fatalf("read: %d", w.Code)
	}
	if got := kindsOf(h.accesses("a", "?others=true&limit=2")); !slices.Equal(got, []string{"read", "facts_changed"}) {
		t.Errorf("who was replaced is told of %v: the change, and each reading of what was looked up about him", got)
	}
}

// API1: what is another's looks as if it did not exist, and is told in no way.
func TestMe_IsNobodyElses(t *testing.T) {
	t.Parallel()
	h := newOwnHarness(t)
	caseID, _ := h.resolved("JN-M7")
	var details []string
	for _, id := range []string{caseID, "no-such-case"} {
		p := wantProblem(t, h.as("b", http.MethodGet, "/v1/me/cases/"+id, ""), 404, "unknown-case")
		details = append(details, p.Title+p.Detail)
	}
	if details[0] != details[1] {
		t.Errorf("%q tells that there is one: %q", details[0], details[1])
	}
	if list := h.accesses("b", "?others=true"); len(list.Items) != 0 || list.Total != 0 {
		t.Errorf("another citizen sees %+v", list)
	}
	var own citizen.AccessList
	h.get("a", "/v1/me/accesses?limit=1&others=true", &own)
	if list := h.accesses("b", "?others=true&cursor="+own.Next); len(list.Items) != 0 {
		t.Errorf("with another's cursor %+v", list)
	}
	for _, target := range []string{"/v1/me", "/v1/me/cases", "/v1/me/cases/" + caseID, "/v1/me/accesses", "/v1/me/accesses/key", "/v1/me/export", "/v1/me/export/page", "/v1/findUsage", "/v1/usagePeriod", "/v1/heartbeat"} {
		for _, person := range []string{"clerk", "operator"} {
			wantProblem(t, h.as(person, http.MethodGet, target, ""), 403, "not-your-duty")
		}
		wantProblem(t, h.call(ownSystem, http.MethodGet, target, ""), 403, "not-your-duty")
		wantProblem(t, h.as("", http.MethodGet, target, ""), 401, "unauthenticated")
	}
}

func TestMe_IsMasked(t *testing.T) {
	t.Parallel()
	h := newOwnHarness(t)
	h.open("JN-M8")
	var me citizen.Me
	h.get("a", "/v1/me", &me)
	if me.Name != "王**" || me.Number != "3701**********3315" || me.Accesses != 2 || me.RecordedSince == nil {
		t.Errorf("%+v", me)
	}
}

func TestFindUsage_IsInTheShapeOfTheDataTracker(t *testing.T) {
	t.Parallel()
	h := newOwnHarness(t)
	h.resolved("JN-M9")
	w := h.as("a", http.MethodGet, "/v1/findUsage?periodStart=2026-11-01T00:00:00Z&periodEnd=2026-12-01T00:00:00%2B08:00&offset=1&limit=3", "")
	var got map[string]any
	decode(t, w, &got)
	usages, _ := got["usages"].([]any)
	if len(got) != 2 || got["totalUsages"] != 5.0 || len(usages) != 3 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	look, _ := usages[1].(map[string]any)
	if len(look) != 5 || look["receiverCode"] != "SPJ" || look["receiverSystem"] != ownSystem || look["receiverName"] == "" || look["logtime"] != "2026-11-23T09:00:00Z" {
		t.Errorf("usage %v", look)
	}
	var period map[string]any
	decode(t, h.as("a", http.MethodGet, "/v1/usagePeriod", ""), &period)
	if len(period) != 2 || period["periodStart"] != "2026-11-23T09:00:00Z" {
		t.Errorf("period %v", period)
	}
	if w := h.as("a", http.MethodGet, "/v1/heartbeat", ""); w.Code != http.StatusOK {
		t.Errorf("heartbeat %d", w.Code)
	}
}

// A number belongs in no address, and says nothing that the session does not.
func TestFindUsage_TakesTheOwnNumberAndOnlyInABody(t *testing.T) {
	t.Parallel()
	h := newOwnHarness(t)
	var answers []*httptest.ResponseRecorder
	inAddress := h.as("a", http.MethodGet, "/v1/findUsage?userCode="+personA, "")
	wantProblem(t, inAddress, 422, "invalid-request")
	if w := h.as("a", http.MethodPost, "/v1/findUsage", `{"userCode":"`+personA+`"}`); w.Code != http.StatusOK {
		t.Errorf("the own number: %d %s", w.Code, w.Body)
	}
	foreign := h.as("b", http.MethodPost, "/v1/findUsage", `{"userCode":"`+personA+`"}`)
	wantProblem(t, foreign, 403, "not-your-own")
	wrong := h.as("b", http.MethodPost, "/v1/findUsage", `{"userCode":"`+personA+`000000"}`)
	wantProblem(t, wrong, 422, "invalid-request")
	for _, w := range append(answers, inAddress, foreign, wrong) {
		if strings.Contains(w.Body.String(), personA) {
			t.Errorf("the number comes back: %s", w.Body)
		}
	}
	if strings.Contains(h.log.String(), personA) {
		t.Error("the number is in the log")
	}
}

func TestExport_HoldsAllOfItAndIsRecorded(t *testing.T) {
	t.Parallel()
	h := newOwnHarness(t)
	h.resolved("JN-M10")
	var export citizen.OwnExport
	h.get("a", "/v1/me/export", &export)
	if len(export.Cases) != 1 || len(export.Accesses) != 5 || export.Accesses[0].Kind != "own_data_exported" || len(export.Consents) != 1 || export.Check.How == "" {
		t.Errorf("%+v", export)
	}
	w := h.as("a", http.MethodGet, "/v1/me/export/page", "")
	page := w.Body.String()
	for _, want := range []string{"@page { size: A4", "JN-M10", "2036-01-01", "查到记录，已核验", "怎样核对"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if kind, policy := w.Header().Get("Content-Type"), w.Header().Get("Content-Security-Policy"); kind != "text/html; charset=utf-8" || !strings.Contains(policy, "default-src 'none'; style-src 'sha256-") {
		t.Errorf("%s, %s", kind, policy)
	}
	empty := h.as("b", http.MethodGet, "/v1/me/export/page", "").Body.String()
	if !strings.Contains(empty, "没有您是当事人的办件") || strings.Contains(empty, "JN-M10") {
		t.Errorf("another's page: %s", empty)
	}
}

func TestAccessKey_SaysWhenNothingIsSealed(t *testing.T) {
	t.Parallel()
	h := newOwnHarness(t)
	var key citizen.LinkKey
	if h.get("a", "/v1/me/accesses/key", &key); key.Key != "" || key.Count != 0 || !strings.Contains(key.How, "还没有封存") {
		t.Errorf("%+v", key)
	}
}
