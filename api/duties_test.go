package api_test

import (
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mianti/internal/fault"
	"mianti/policies"
)

// people are those who have signed in, by the cookie that their browser sends.
type people map[string]policies.Caller

func (p people) Caller(r *http.Request) (policies.Caller, error) {
	cookie, err := r.Cookie("who")
	caller, known := policies.Caller{}, false
	if err == nil {
		caller, known = p[cookie.Value]
	}
	if !known {
		return caller, fault.New(fault.Unauthenticated, "unauthenticated", "没有登录。")
	}
	return caller, nil
}

// withPeople has one person of SPJ for each duty, who is called as his duty is.
func (h *harness) withPeople() *harness {
	h.t.Helper()
	all := people{}
	for _, duty := range allDuties() {
		caller := policies.Caller{Person: "person-" + string(duty), Department: "SPJ", Duties: []policies.Duty{duty}}
		if duty == policies.DutySystem {
			caller.Person, caller.System = "", ownSystem
		}
		all[string(duty)] = caller
	}
	config := h.config
	config.People = all
	h.handler = h.newHandler(config)
	return h
}

func allDuties() []policies.Duty {
	return []policies.Duty{
		policies.DutySystem, policies.DutyPerson, policies.DutyCitizen, policies.DutyClerk, policies.DutySharingOfficer, policies.DutyPolicyEditor,
		policies.DutyPolicyReviewer, policies.DutyDepartmentAdmin, policies.DutyAuditor, policies.DutyOperator,
	}
}

// operation is one of the OpenAPI document that needs a caller.
type operation struct{ id, method, path string }

func (h *harness) operations() []operation {
	h.t.Helper()
	var doc document
	decode(h.t, h.send(request(http.MethodGet, "/openapi.json", "")), &doc)
	var all []operation
	for path, methods := range doc.Paths {
		for method, op := range methods {
			if len(op.Security) > 0 {
				all = append(all, operation{op.OperationID, strings.ToUpper(method), path})
			}
		}
	}
	slices.SortFunc(all, func(a, b operation) int { return strings.Compare(a.id, b.id) })
	if len(all) < 25 {
		h.t.Fatalf("only %d operations: the search is broken", len(all))
	}
	return all
}

// as sends an operation without any content in the name of a duty, and reports
// whether it is refused as not the caller's.
func (h *harness) refusedTo(duty policies.Duty, op operation) bool {
	h.t.Helper()
	target := regexp.MustCompile(`\{\w+\}`).ReplaceAllString(op.path, "x")
	w := h.send(request(op.method, target, "", "Cookie", "who="+string(duty)))
	noFont := strings.Contains(w.Body.String(), "/problems/no-pdf-font") // these tests set no sheets
	if w.Code == http.StatusUnauthorized || w.Code >= http.StatusInternalServerError && !noFont {
		h.t.Errorf("%s as %s: %d %s", op.id, duty, w.Code, w.Body)
	}
	return w.Code == http.StatusForbidden && strings.Contains(w.Body.String(), `"not-your-duty"`)
}

// writtenDuties reads the table of docs/duties.md: operation to duties.
func writtenDuties(t *testing.T) map[string][]policies.Duty {
	t.Helper()
	text, err := os.ReadFile("../docs/duties.md")
	if err != nil {
		t.Fatal(err)
	}
	var columns []policies.Duty
	rows := map[string][]policies.Duty{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.ReplaceAll(strings.TrimSpace(line), "`", ""), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		switch {
		case cells[0] == "operation":
			for _, name := range cells[1:] {
				columns = append(columns, policies.Duty(name))
			}
		case columns != nil && len(cells) == len(columns)+1 && !strings.HasPrefix(cells[0], "---"):
			duties := []policies.Duty{}
			for i, cell := range cells[1:] {
				if cell == "●" {
					duties = append(duties, columns[i])
				}
			}
			rows[cells[0]] = duties
		}
	}
	if !slices.Equal(columns, allDuties()) {
		t.Fatalf("columns %v, want %v", columns, allDuties())
	}
	return rows
}

// OWASP API5:2023, broken function level authorization: each duty against each
// operation, as docs/duties.md says it, and nothing that it does not list.
func TestOWASP_API5_EachDutyCallsWhatTheDocumentSays(t *testing.T) {
	t.Parallel()
	h := newSharingHarness(t).withPeople()
	written := writtenDuties(t)
	for _, op := range h.operations() {
		duties, listed := written[op.id]
		if !listed {
			t.Errorf("docs/duties.md: no row for %s", op.id)
			continue
		}
		delete(written, op.id)
		for _, duty := range allDuties() {
			want := slices.Contains(duties, duty)
			if got := policies.MayDo(op.id, []policies.Duty{duty}); got != want {
				t.Errorf("policies/operation.go: %s as %s is %v, docs/duties.md says %v", op.id, duty, got, want)
			}
			if got := !h.refusedTo(duty, op); got != want {
				t.Errorf("%s %s (%s) as %s is %v, docs/duties.md says %v", op.method, op.path, op.id, duty, got, want)
			}
		}
	}
	for id := range written {
		t.Errorf("docs/duties.md: there is no operation %s", id)
	}
	if policies.MayDo("an-operation-without-a-line", allDuties()) {
		t.Error("an operation without a line is somebody's")
	}
}

// An operator and an auditor see nothing of what a case holds, or a resolution, or
// a question to an officer.
func TestDuties_OfOperatorsAndAuditorsShowNoPayload(t *testing.T) {
	t.Parallel()
	h := newSharingHarness(t).withPeople()
	payload := regexp.MustCompile(`^/v1/(cases|resolutions|assist-tasks)(/|$)`)
	found := 0
	for _, op := range h.operations() {
		if !payload.MatchString(op.path) {
			continue
		}
		found++
		for _, duty := range []policies.Duty{policies.DutyOperator, policies.DutyAuditor, policies.DutyDepartmentAdmin, policies.DutyPerson} {
			if !h.refusedTo(duty, op) {
				t.Errorf("%s is open to %s", op.id, duty)
			}
		}
	}
	if found < 10 {
		t.Errorf("only %d operations with payload: the search is broken", found)
	}
}

// Both at once is decided by the token alone: a session adds nothing to it.
func TestCaller_WithATokenIsTheSystemWhateverTheCookieSays(t *testing.T) {
	t.Parallel()
	h := newSharingHarness(t).withPeople()
	token := "Bearer " + h.token(ownSystem)
	w := h.send(request(http.MethodGet, "/v1/persons", "", "Cookie", "who=department_admin", "Authorization", token))
	wantProblem(t, w, 403, "not-your-duty")
	w = h.send(request(http.MethodGet, "/v1/cases/"+h.open("JN-1"), "", "Cookie", "who=clerk", "Authorization", "Bearer nonsense"))
	wantProblem(t, w, 401, "unauthenticated")
}

// CSRF: a cookie is worth nothing to another site. A token is not sent by browsers
// on their own, and is not concerned.
func TestCrossSite_RequestsWithACookieAreRefused(t *testing.T) {
	t.Parallel()
	h := newSharingHarness(t).withPeople()
	id := h.open("JN-1")
	target := "/v1/cases/" + id + "/resolutions"
	before := len(h.memory.resolutions)
	for _, c := range []struct {
		name    string
		headers []string
		refused bool
	}{
		{"another site's page", []string{"Sec-Fetch-Site", "cross-site"}, true},
		{"another host of the same site", []string{"Sec-Fetch-Site", "same-site"}, true},
		{"an old browser", []string{"Origin", "https://evil.example"}, true},
		{"an origin that hides", []string{"Origin", "null"}, true},
		{"a form", []string{"Sec-Fetch-Site", "cross-site", "Content-Type", "application/x-www-form-urlencoded"}, true},
		{"JSON as text", []string{"Origin", "https://evil.example", "Content-Type", "text/plain"}, true},
		{"our own page", []string{"Sec-Fetch-Site", "same-origin"}, false},
		{"our own page, behind a proxy", []string{"Origin", issuer}, false},
		{"a program", nil, false},
	} {
		w := h.send(request(http.MethodPost, target, "", append(c.headers, "Cookie", "who=clerk")...))
		if c.refused {
			wantProblem(t, w, 403, "cross-site")
		} else if w.Code != http.StatusCreated && w.Code != http.StatusOK && w.Code != http.StatusAccepted {
			t.Errorf("%s: %d %s", c.name, w.Code, w.Body)
		}
	}
	h.memory.change(func(m *memory) {
		if made := len(m.resolutions) - before; made != 3 {
			t.Errorf("%d resolutions, want those of the three that were let through", made)
		}
	})
	w := h.call(ownSystem, http.MethodPost, target, "", "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example")
	if w.Code >= 300 {
		t.Errorf("with a token: %d", w.Code)
	}
}
