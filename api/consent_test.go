package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"mianti/catalog"
	"mianti/internal/fault"
	"mianti/policies"
)

// namedPeople are those who have signed in, by the value of a header.
type namedPeople map[string]policies.Caller

// Caller gives who has signed in.
func (p namedPeople) Caller(r *http.Request) (policies.Caller, error) {
	caller, ok := p[r.Header.Get("X-Test-Person")]
	if !ok {
		return policies.Caller{}, fault.New(fault.Unauthenticated, "unauthenticated", "请先登录。")
	}
	return caller, nil
}

const personB = "370199198704202485"

// withPeople lets two citizens, a clerk of SPJ and an operator sign in. The
// catalog's shareholder needs the person's own consent.
func withPeople(t *testing.T) *harness {
	t.Helper()
	h := newHarness(t)
	for _, role := range h.memory.rev.Roles() {
		if role.Code == "shareholder" {
			role.Consent = catalog.ConsentOwn
		}
	}
	citizen := func(number string) policies.Caller {
		return policies.Caller{Person: "person-" + number[17:], Subject: h.config.Exchange.SubjectOf(catalog.KindPerson, number), Duties: []policies.Duty{policies.DutyCitizen}}
	}
	h.config.People = namedPeople{
		"a": citizen(personA), "b": citizen(personB),
		"clerk":    {Person: "clerk-1", Department: "SPJ", Duties: []policies.Duty{policies.DutyClerk}},
		"clerk-GA": {Person: "clerk-2", Department: "GA", Duties: []policies.Duty{policies.DutyClerk}},
		"operator": {Person: "operator-1", Department: "SPJ", Duties: []policies.Duty{policies.DutyOperator}},
	}
	h.handler = h.newHandler(h.config)
	return h
}

type consentAnswer struct {
	ID, State, Party, Channel, Decision string
	SheetDigest                         string         `json:"sheet_digest"`
	Sheet                               map[string]any `json:"sheet"`
}

// asked opens a case, asks for its consents, and gives the one of person a.
func (h *harness) asked(number string) (caseID string, asked consentAnswer) {
	h.t.Helper()
	w := h.call(ownSystem, http.MethodPost, "/v1/cases", strings.Replace(opening(number), `,"consent":"given"`, "", 1))
	if w.Code != http.StatusCreated {
		h.t.Fatalf("open: %d %s", w.Code, w.Body)
	}
	caseID = strings.TrimPrefix(w.Header().Get("Location"), "/v1/cases/")
	w = h.call(ownSystem, http.MethodPost, "/v1/cases/"+caseID+"/consents", `{}`)
	var got struct{ Consents []consentAnswer }
	if decode(h.t, w, &got); w.Code != http.StatusOK || len(got.Consents) != 1 || got.Consents[0].State != "requested" {
		h.t.Fatalf("ask: %d %s", w.Code, w.Body)
	}
	return caseID, got.Consents[0]
}

func TestConsents_ArePersonsToDecide(t *testing.T) {
	t.Parallel()
	h := withPeople(t)
	caseID, asked := h.asked("JN-K1")
	if asked.Sheet != nil || asked.SheetDigest != "" {
		t.Errorf("the department sees the sheet: %+v", asked)
	}
	path := "/v1/consents/" + asked.ID
	var list struct{ Items []consentAnswer }
	if decode(t, h.as("a", http.MethodGet, "/v1/consents", ""), &list); len(list.Items) != 1 || list.Items[0].ID != asked.ID {
		t.Fatalf("list: %+v", list)
	}
	wantProblem(t, h.as("a", http.MethodGet, path+"/receipt", ""), http.StatusConflict, "consent-undecided")
	var read consentAnswer
	decode(t, h.as("a", http.MethodGet, path, ""), &read)
	if items, _ := read.Sheet["items"].([]any); len(items) != 1 || read.SheetDigest == "" {
		t.Fatalf("sheet: %+v", read)
	}
	wantProblem(t, h.as("a", http.MethodPost, path+"/decision", `{"decision":"given","sheet_digest":"sha256:0"}`), http.StatusConflict, "consent-sheet-changed")
	wantProblem(t, h.as("a", http.MethodPost, path+"/decision", `{"decision":"perhaps","sheet_digest":"sha256:0"}`), http.StatusUnprocessableEntity, "invalid-request")
	wantProblem(t, h.as("a", http.MethodPost, path+"/decision", `{"decision":"given","sheet_digest":"sha256:0","state":"given"}`), http.StatusBadRequest, "unknown-field")
	yes := `{"decision":"given","sheet_digest":"` + read.SheetDigest + `"}`
	for range 2 {
		var given consentAnswer
		if decode(t, h.as("a", http.MethodPost, path+"/decision", yes), &given); given.State != "given" {
			t.Errorf("decision: %+v", given)
		}
	}
	wantProblem(t, h.as("a", http.MethodPost, path+"/decision", strings.Replace(yes, "given", "refused", 1)), http.StatusConflict, "consent-decided")
	if w := h.call(ownSystem, http.MethodPost, "/v1/cases/"+caseID+"/resolutions", ""); !strings.Contains(w.Body.String(), `"consent":"`+asked.ID+`"`) {
		t.Errorf("resolve: %d %s", w.Code, w.Body)
	}
	var withdrawn consentAnswer
	if decode(t, h.as("a", http.MethodPost, path+"/withdrawal", ""), &withdrawn); withdrawn.State != "withdrawn" {
		t.Errorf("withdrawal: %+v", withdrawn)
	}
	var receipt struct{ Consent consentAnswer }
	if decode(t, h.as("a", http.MethodGet, path+"/receipt", ""), &receipt); receipt.Consent.State != "withdrawn" || receipt.Consent.Decision != "given" {
		t.Errorf("receipt: %+v", receipt)
	}
	var of struct{ Items []consentAnswer }
	if decode(t, h.as("clerk", http.MethodGet, "/v1/cases/"+caseID+"/consents", ""), &of); len(of.Items) != 1 || of.Items[0].State != "withdrawn" || of.Items[0].Sheet != nil {
		t.Errorf("the clerk sees %+v", of)
	}
}

// API1: another citizen's consent looks as one that does not exist.
func TestConsents_OfAnotherCitizenLookUnknown(t *testing.T) {
	t.Parallel()
	h := withPeople(t)
	caseID, asked := h.asked("JN-K2")
	for _, try := range []struct{ method, path, body string }{
		{http.MethodGet, "", ""}, {http.MethodGet, "/receipt", ""}, {http.MethodPost, "/withdrawal", ""},
		{http.MethodPost, "/decision", `{"decision":"given","sheet_digest":"x"}`},
	} {
		var details []string
		for _, id := range []string{asked.ID, "no-such-consent"} {
			p := wantProblem(t, h.as("b", try.method, "/v1/consents/"+id+try.path, try.body), http.StatusNotFound, "unknown-consent")
			details = append(details, p.Title+p.Detail)
		}
		if details[0] != details[1] {
			t.Errorf("%s: %q tells that there is one, %q", try.path, details[0], details[1])
		}
	}
	var list struct{ Items []consentAnswer }
	if decode(t, h.as("b", http.MethodGet, "/v1/consents", ""), &list); len(list.Items) != 0 {
		t.Errorf("list: %+v", list)
	}
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		body := ""
		if method == http.MethodPost {
			body = `{}`
		}
		wantProblem(t, h.as("clerk-GA", method, "/v1/cases/"+caseID+"/consents", body), http.StatusNotFound, "unknown-case")
	}
}

// API5: a department does not decide for a person, and a person asks nobody.
func TestConsents_RefuseWhoseDutyItIsNot(t *testing.T) {
	t.Parallel()
	h := withPeople(t)
	caseID, asked := h.asked("JN-K3")
	path := "/v1/consents/" + asked.ID
	for _, person := range []string{"clerk", "operator"} {
		for _, w := range []*httptest.ResponseRecorder{
			h.as(person, http.MethodGet, "/v1/consents", ""), h.as(person, http.MethodGet, path, ""), h.as(person, http.MethodGet, path+"/receipt", ""),
			h.as(person, http.MethodPost, path+"/decision", `{"decision":"given","sheet_digest":"x"}`), h.as(person, http.MethodPost, path+"/withdrawal", ""),
		} {
			wantProblem(t, w, http.StatusForbidden, "not-your-duty")
		}
	}
	wantProblem(t, h.call(ownSystem, http.MethodPost, path+"/decision", `{"decision":"given","sheet_digest":"x"}`), http.StatusForbidden, "not-your-duty")
	for _, person := range []string{"a", "operator"} {
		wantProblem(t, h.as(person, http.MethodGet, "/v1/cases/"+caseID+"/consents", ""), http.StatusForbidden, "not-your-duty")
		wantProblem(t, h.as(person, http.MethodPost, "/v1/cases/"+caseID+"/consents", `{}`), http.StatusForbidden, "not-your-duty")
	}
}
