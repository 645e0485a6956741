package api_test

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The tests of this file are named after the OWASP API Security Top 10 (2023).
// They go over the OpenAPI document, so that an operation that is added is
// tested without an entry here. docs/threats.md says where each of the ten is
// tested besides.

// called is an operation as a caller finds it.
type called struct {
	id, method, path string
	secured          bool
}

// operationsOf lists what the OpenAPI document describes, in a fixed order.
func operationsOf(t *testing.T, h *harness) []called {
	t.Helper()
	var doc document
	decode(t, h.send(request(http.MethodGet, "/openapi.json", "")), &doc)
	var all []called
	for path, operations := range doc.Paths {
		for method, op := range operations {
			all = append(all, called{id: op.OperationID, method: strings.ToUpper(method), path: path, secured: len(op.Security) > 0})
		}
	}
	slices.SortFunc(all, func(a, b called) int { return strings.Compare(a.id, b.id) })
	if len(all) < 20 {
		t.Fatalf("%d operations are described, want all of them", len(all))
	}
	return all
}

var pathParameter = regexp.MustCompile(`\{\w+\}`)

// at gives the address of an operation on an object.
func (c called) at(object string) string {
	return pathParameter.ReplaceAllLiteralString(c.path, object)
}

func (c called) writes() bool { return c.method != http.MethodGet }

// takesFile reports whether the body is a file, with a bound of its own.
func (c called) takesFile() bool { return c.id == "load-snapshot" || c.id == "submit-batch" }

// told is an answer without what is new in each: the request's id and address.
func told(t *testing.T, h *harness, system, method, target, body string) string {
	t.Helper()
	w := h.call(system, method, target, body)
	text := regexp.MustCompile(`"(request_id|instance)":"[^"]*"`).ReplaceAllString(w.Body.String(), `"$1"`)
	return fmt.Sprint(w.Code, " ", text)
}

// TestOWASP_API1_AnObjectOfAnotherDepartmentLooksUnknown (broken object level
// authorization) asks for cases and resolutions with the token of another
// department: the answer is to the letter that for an object that nobody has.
func TestOWASP_API1_AnObjectOfAnotherDepartmentLooksUnknown(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	caseID := h.open("JN-OWASP-1")
	resolution := h.resolved(caseID)
	const unknown = "00000000-0000-7000-8000-000000000000"
	bodies := map[string]string{
		"change-case": `{"facts":{}}`, "report-result": `{"matter":"S01.M1","outcome":"granted"}`, "link-file": `{"material":"S01.M1.a"}`,
		"hand-in": `{"material":"S01.M1.a","digest":"sha256:` + strings.Repeat("0", 64) + `"}`, "resolve-case": `{}`,
	}
	tried := 0
	for _, op := range operationsOf(t, h) {
		object := ""
		switch {
		case strings.HasPrefix(op.path, "/v1/cases/{id}"):
			object = caseID
		case strings.HasPrefix(op.path, "/v1/resolutions/{id}"):
			object = resolution
		default:
			continue
		}
		tried++
		body := bodies[op.id]
		if op.writes() && body == "" {
			body = `{}`
		}
		theirs, nobodys := told(t, h, other, op.method, op.at(object), body), told(t, h, other, op.method, op.at(unknown), body)
		if diff := cmp.Diff(nobodys, theirs); diff != "" || strings.HasPrefix(theirs, "2") {
			t.Errorf("%s: -unknown +another department's:\n%s", op.id, diff)
		}
	}
	if tried < 8 {
		t.Errorf("%d operations were tried, want those of cases and resolutions", tried)
	}
}

// resolved resolves a case and gives the resolution's id.
func (h *harness) resolved(caseID string) string {
	h.t.Helper()
	w := h.call(ownSystem, http.MethodPost, "/v1/cases/"+caseID+"/resolutions", "{}")
	var r struct{ ID string }
	decode(h.t, w, &r)
	return r.ID
}

// TestOWASP_API2_NothingIsDoneWithoutACredential (broken authentication) calls
// every operation without a token and with a bare one.
func TestOWASP_API2_NothingIsDoneWithoutACredential(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	open := []string{"issue-token", "read-jwks", "read-metadata", "read-trust"} // each authenticates in a way of its own, or is public
	token := h.token(ownSystem)
	for _, op := range operationsOf(t, h) {
		if !op.secured {
			if op.id != "read-trust" && !strings.HasPrefix(op.path, "/oauth/") && !strings.HasPrefix(op.path, "/.well-known/") {
				t.Errorf("%s needs no credential; only %v may", op.id, open)
			}
			continue
		}
		for name, authorization := range map[string][]string{
			"none": {}, "bare": {"Authorization", token}, "basic": {"Authorization", "Basic " + token}, "empty": {"Authorization", "Bearer "},
			"twice": {"Authorization", "Bearer " + token, "Authorization", "Bearer " + token},
		} {
			w := h.send(request(op.method, op.at("x1"), "{}", append(authorization, "Content-Type", "application/json")...))
			if w.Code != http.StatusUnauthorized || w.Header().Get("WWW-Authenticate") == "" {
				t.Errorf("%s with credential %q: %d, want 401 and a challenge", op.id, name, w.Code)
			}
		}
	}
}

// TestOWASP_API3_APropertyThatIsNotTheCallersIsRefused (broken object property
// level authorization, mass assignment) sends properties that only the server
// sets.
func TestOWASP_API3_APropertyThatIsNotTheCallersIsRefused(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	caseID := h.open("JN-OWASP-3")
	tried := 0
	for _, op := range operationsOf(t, h) {
		if !op.secured || !op.writes() || op.method == http.MethodDelete || op.takesFile() {
			continue
		}
		for _, property := range []string{"system", "department_id", "approved_by", "created_at", "verified", "version_number", "role"} {
			w := h.call(ownSystem, op.method, op.at(caseID), `{"`+property+`":"GA"}`)
			if w.Code/100 == 2 {
				t.Errorf("%s takes %q: %d", op.id, property, w.Code)
			}
		}
		tried++
	}
	if tried < 5 {
		t.Errorf("%d operations were tried", tried)
	}
	w := h.call(ownSystem, http.MethodGet, "/v1/cases/"+caseID, "")
	if strings.Contains(w.Body.String(), personA) || strings.Contains(w.Body.String(), "王建国") {
		t.Error("a case shows a name or a number to whom does not need it")
	}
}

// TestOWASP_API4_WhatIsTooMuchIsRefused (unrestricted resource consumption).
func TestOWASP_API4_WhatIsTooMuchIsRefused(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	caseID := h.open("JN-OWASP-4")
	for _, op := range operationsOf(t, h) {
		if !op.secured || op.takesFile() {
			continue
		}
		if op.writes() && op.method != http.MethodDelete {
			w := h.call(ownSystem, op.method, op.at(caseID), `{"x":"`+strings.Repeat("x", 70<<10)+`"}`)
			if w.Code != http.StatusRequestEntityTooLarge && w.Code != http.StatusForbidden {
				t.Errorf("%s takes a body over the limit: %d, want 413", op.id, w.Code)
			}
		}
		if strings.HasPrefix(op.id, "list-") {
			w := h.call(ownSystem, op.method, op.at(caseID)+"?limit=1000000000", "")
			if w.Code != http.StatusUnprocessableEntity && w.Code != http.StatusForbidden {
				t.Errorf("%s gives a page of 1e9: %d, want 422", op.id, w.Code)
			}
		}
	}
}

// TestOWASP_API8_EveryAnswerIsConfiguredSafely (security misconfiguration): no
// foreign origin is let in, nothing is cached or sniffed, and no error tells of
// the inside.
func TestOWASP_API8_EveryAnswerIsConfiguredSafely(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for _, op := range operationsOf(t, h) {
		for _, method := range []string{op.method, http.MethodOptions, http.MethodTrace} {
			w := h.send(request(method, op.at("x1"), "", "Origin", "https://evil.example", "Access-Control-Request-Method", "POST"))
			for name := range w.Header() {
				if strings.HasPrefix(name, "Access-Control-") {
					t.Errorf("%s %s answers %s", method, op.path, name)
				}
			}
			if w.Header().Get("X-Content-Type-Options") != "nosniff" || w.Header().Get("Content-Security-Policy") == "" {
				t.Errorf("%s %s: headers %v", method, op.path, w.Header())
			}
			for _, inside := range []string{"goroutine", ".go:", "SELECT", "panic"} {
				if strings.Contains(w.Body.String(), inside) {
					t.Errorf("%s %s tells of the inside: %s", method, op.path, w.Body)
				}
			}
		}
	}
}

// TestOWASP_API9_NothingIsServedBesidesWhatIsDescribed (improper inventory
// management). That the described and the routed operations are the same is
// TestOpenAPI_DescribesExactlyTheRoutes.
func TestOWASP_API9_NothingIsServedBesidesWhatIsDescribed(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for _, path := range []string{
		"/debug/pprof/", "/debug/vars", "/metrics", "/actuator", "/admin", "/v0/cases", "/v2/cases", "/api/v1/cases", "/.git/config", "/.env",
		"/v1/cases/../cases", "/v1//cases", "/v1/cases/", "/v1/%2e%2e/openapi.json", "/swagger.json",
	} {
		if w := h.call(ownSystem, http.MethodGet, path, ""); w.Code != http.StatusNotFound && w.Code != http.StatusMethodNotAllowed {
			t.Errorf("%s: %d, want 404", path, w.Code)
		}
	}
}
