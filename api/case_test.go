package api_test

import (
	"net/http"
	"strings"
	"testing"
)

type caseView struct {
	ID, Number, Matter string
	OneThing           string `json:"one_thing"`
	Revision, Version  int
	Facts              map[string]any
	Parties            []map[string]any
	Results            []map[string]any
}

func TestOpenCase_AnswersWithoutNamesOrNumbers(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	w := h.call(ownSystem, http.MethodPost, "/v1/cases", opening("JN-1"))
	if w.Code != http.StatusCreated {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	var c caseView
	decode(t, w, &c)
	if c.OneThing != "S01" || c.Matter != "" || c.Revision != 1 || c.Version != 1 || len(c.Parties) != 2 || c.Facts["premises"] != "own" {
		t.Errorf("case view: %s", w.Body)
	}
	if w.Header().Get("Location") != "/v1/cases/"+c.ID || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("headers: %v", w.Header())
	}
	for _, secret := range []string{personA, "王建国", "济南示例新设有限公司"} {
		if strings.Contains(w.Body.String(), secret) || strings.Contains(h.log.String(), secret) {
			t.Errorf("an identity is in the answer or in the log")
		}
	}
}

func TestOpenCase_GivesTheSameCaseForTheSameOpening(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	id := h.open("JN-1")
	again := h.call(ownSystem, http.MethodPost, "/v1/cases", opening("JN-1"))
	if again.Code != http.StatusOK || again.Header().Get("Location") != "/v1/cases/"+id {
		t.Errorf("again: %d %s", again.Code, again.Header().Get("Location"))
	}
	changed := strings.Replace(opening("JN-1"), `"own"`, `"rent"`, 1)
	wantProblem(t, h.call(ownSystem, http.MethodPost, "/v1/cases", changed), http.StatusConflict, "case-number-conflict")
}

func TestOpenCase_RefusesWhatIsWrong(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	good := opening("JN-1")
	for name, tc := range map[string]struct {
		system, body   string
		status         int
		code, location string
	}{
		"foreign matter":        {other, good, 403, "matter-of-another-department", ""},
		"unknown one-thing":     {ownSystem, strings.Replace(good, `"S01"`, `"S99"`, 1), 422, "unknown-one-thing", "body.one_thing"},
		"unknown matter":        {ownSystem, strings.Replace(good, `"one_thing":"S01"`, `"matter":"S99.M1"`, 1), 422, "unknown-matter", "body.matter"},
		"check digit":           {ownSystem, strings.Replace(good, personA, "370199198805163316", 1), 422, "invalid-case", "body.parties[1].number"},
		"unknown fact":          {ownSystem, strings.Replace(good, `"need_seal"`, `"nothing"`, 1), 422, "invalid-case", "body.facts.nothing"},
		"missing shareholder":   {ownSystem, strings.Replace(good, `["shareholder"]`, `["applicant"]`, 1), 422, "missing-party", "body.parties"},
		"unknown kind":          {ownSystem, strings.Replace(good, `"organization"`, `"robot"`, 1), 422, "invalid-request", "body.parties[0].kind"},
		"unknown field":         {ownSystem, strings.Replace(good, `"facts"`, `"status":1,"facts"`, 1), 400, "unknown-field", "body.status"},
		"unknown party field":   {ownSystem, strings.Replace(good, `"id":"p1"`, `"id":"p1","verified":true`, 1), 400, "unknown-field", "body.parties[0].verified"},
		"field in another case": {ownSystem, strings.Replace(good, `"number":"JN-1"`, `"Number":"JN-1"`, 1), 400, "unknown-field", "body.Number"},
		"wrong type":            {ownSystem, strings.Replace(good, `"number":"JN-1"`, `"number":1`, 1), 422, "invalid-request", "body.number"},
		"missing number":        {ownSystem, strings.Replace(good, `"number":"JN-1",`, ``, 1), 422, "invalid-request", "body.number"},
		"null parties":          {ownSystem, `{"number":"a","one_thing":"S01","parties":null}`, 422, "invalid-request", "body.parties"},
		"not an object":         {ownSystem, `[]`, 422, "invalid-request", "body"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := wantProblem(t, h.call(tc.system, http.MethodPost, "/v1/cases", tc.body), tc.status, tc.code)
			if p.Fault != "caller" {
				t.Errorf("fault %q", p.Fault)
			}
			if tc.location != "" && (len(p.Errors) == 0 || p.Errors[0].Location != tc.location) {
				t.Errorf("errors %v, want one at %s", p.Errors, tc.location)
			}
			for _, e := range p.Errors {
				if e.Code == "" || e.Message == "" || strings.Contains(e.Message, "370199198805163316") {
					t.Errorf("detail %+v", e)
				}
			}
		})
	}
}

func TestCase_OfAnotherDepartmentLooksUnknown(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	id := h.open("JN-1")
	for _, tc := range [][3]string{
		{http.MethodGet, "", ""},
		{http.MethodPatch, "/facts", `{"facts":{"need_seal":false}}`},
		{http.MethodPost, "/results", `{"matter":"S01.M1","outcome":"granted"}`},
		{http.MethodPost, "/submissions", `{"material":"S01.M1.b","party":"p2","digest":"sha256:` + strings.Repeat("a", 64) + `"}`},
		{http.MethodPost, "/resolutions", ""},
	} {
		foreign := wantProblem(t, h.call(other, tc[0], "/v1/cases/"+id+tc[1], tc[2]), 404, "unknown-case")
		missing := wantProblem(t, h.call(other, tc[0], "/v1/cases/id-999"+tc[1], tc[2]), 404, "unknown-case")
		foreign.RequestID, missing.RequestID, foreign.Instance, missing.Instance = "", "", "", ""
		if foreign.Detail != missing.Detail || foreign.Title != missing.Title || len(foreign.Errors) != 0 {
			t.Errorf("%s %s: a foreign case and none differ: %+v, %+v", tc[0], tc[1], foreign, missing)
		}
	}
}

func TestCase_TakesFactsResultsAndPapers(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	at := "/v1/cases/" + h.open("JN-1")
	w := h.call(ownSystem, http.MethodPatch, at+"/facts", `{"facts":{"premises":"rent"}}`)
	var c caseView
	if decode(t, w, &c); w.Code != 200 || c.Facts["premises"] != "rent" || c.Facts["need_seal"] != true || c.Version != 2 {
		t.Errorf("facts: %d %s", w.Code, w.Body)
	}
	w = h.call(ownSystem, http.MethodPost, at+"/submissions", `{"material":"S01.M1.b","party":"p2","digest":"sha256:`+strings.Repeat("a", 64)+`"}`)
	if w.Code != http.StatusNoContent || w.Body.Len() != 0 {
		t.Errorf("paper: %d %s", w.Code, w.Body)
	}
	wantProblem(t, h.call(ownSystem, http.MethodPost, at+"/submissions", `{"material":"S01.M9.z","digest":"sha256:`+strings.Repeat("a", 64)+`"}`), 422, "unknown-material")
	wantProblem(t, h.call(ownSystem, http.MethodPost, at+"/results", `{"matter":"S01.M2","outcome":"granted"}`), 409, "prior-matter-not-granted")
	w = h.call(ownSystem, http.MethodPost, at+"/results",
		`{"matter":"S01.M1","outcome":"granted","number":"Z-1","issued_on":"2026-11-22","reported_at":"2001-01-01T00:00:00Z"}`)
	c = caseView{}
	if decode(t, w, &c); w.Code != 200 || len(c.Results) != 1 || c.Results[0]["matter"] != "S01.M1" || c.Results[0]["issued_on"] != "2026-11-22" ||
		c.Results[0]["reported_at"] != "2026-11-23T09:00:00Z" {
		t.Errorf("result: %d %s", w.Code, w.Body)
	}
	wantProblem(t, h.call(ownSystem, http.MethodPost, at+"/results", `{"matter":"S01.M1","outcome":"refused"}`), 409, "result-conflict")
	w = h.call(ownSystem, http.MethodGet, at, "")
	c = caseView{}
	if decode(t, w, &c); w.Code != 200 || c.Number != "JN-1" || c.Version != 3 {
		t.Errorf("read: %d %s", w.Code, w.Body)
	}
}

func TestCase_RefusesAnIDThatCannotBe(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for _, id := range []string{"..", "a%20b", "%00", strings.Repeat("a", 65), "a;b", "%E7%8E%8B"} {
		w := h.call(ownSystem, http.MethodGet, "/v1/cases/"+id, "")
		if w.Code != http.StatusUnprocessableEntity && w.Code != http.StatusNotFound {
			t.Errorf("%q: %d", id, w.Code)
		}
	}
}
