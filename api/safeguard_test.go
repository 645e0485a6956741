package api_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
	"mianti/safeguard"
)

func stopBody(kind, id, reason string) string {
	return `{"kind":"` + kind + `","id":"` + id + `","reason":"` + reason + `"}`
}

func TestStops_AreThoseOfWhomTheThingIs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rule, person, kind, id string
		status                 int
		code                   string
	}{
		{"an operator stops a system", "operator", "system", ownSystem, http.StatusCreated, ""},
		{"an operator stops a grant", "operator", "grant", "g1", http.StatusCreated, ""},
		{"an operator stops a dataset", "operator", "dataset", "D-GA01", http.StatusCreated, ""},
		{"an operator stops a source", "operator", "source", "GA.query", http.StatusCreated, ""},
		{"nobody stops what there is not", "operator", "source", "GA.nothing", http.StatusNotFound, "unknown-stoppable"},
		{"a provider stops a grant on its data", "sharing_officer GA", "grant", "g1", http.StatusCreated, ""},
		{"a provider stops its dataset", "sharing_officer GA", "dataset", "D-GA01", http.StatusCreated, ""},
		{"a provider stops its source", "sharing_officer GA", "source", "GA.query", http.StatusCreated, ""},
		{"a receiver stops no grant of another's data", "sharing_officer SPJ", "grant", "g1", http.StatusNotFound, "unknown-stoppable"},
		{"a sharing officer stops no system", "sharing_officer GA", "system", other, http.StatusForbidden, "not-your-duty"},
		{"an administrator stops an own system", "department_admin SPJ", "system", ownSystem, http.StatusCreated, ""},
		{"an administrator stops no other's system", "department_admin SPJ", "system", other, http.StatusNotFound, "unknown-stoppable"},
		{"an administrator stops no dataset", "department_admin GA", "dataset", "D-GA01", http.StatusForbidden, "not-your-duty"},
		{"an auditor stops nothing", "auditor", "system", ownSystem, http.StatusForbidden, "not-your-duty"},
		{"a clerk stops nothing", "clerk SPJ", "system", ownSystem, http.StatusForbidden, "not-your-duty"},
		{"a kind that there is not", "operator", "matter", "S01.M1", http.StatusUnprocessableEntity, "invalid-request"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			w := h.as(c.person, http.MethodPost, "/v1/stops", stopBody(c.kind, c.id, "演练"))
			if c.code != "" {
				wantProblem(t, w, c.status, c.code)
				if len(h.safeguards.held)+len(h.safeguards.entries) != 0 {
					t.Errorf("something was stored: %+v", h.safeguards.held)
				}
				return
			}
			if w.Code != c.status {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			person, _, _ := strings.Cut(c.person, " ")
			e := h.safeguards.entries[0]
			if e.Kind != ledger.Stopped || e.Object != c.kind+":"+c.id || e.Why != "演练" || e.Person != "person-"+person || !e.At.Equal(at()) {
				t.Errorf("entry %+v", e)
			}
		})
	}
}

func TestStops_WantAReasonThatNamesNobody(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for _, reason := range []string{"   ", "查询了370199198805163315", "a\\u0000b", "a\\u202eb", strings.Repeat("长", 201)} {
		w := h.as("operator", http.MethodPost, "/v1/stops", stopBody("system", ownSystem, reason))
		if (w.Code != http.StatusUnprocessableEntity && w.Code != http.StatusBadRequest) || strings.Contains(w.Body.String(), "370199198805163315") {
			t.Errorf("reason %q: %d %s", reason, w.Code, w.Body)
		}
	}
	if len(h.safeguards.held) != 0 {
		t.Errorf("stopped all the same: %+v", h.safeguards.held)
	}
}

func TestStops_AreLiftedByThoseWhoPutThemUp(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	stop := func(person, kind, id string) {
		t.Helper()
		if w := h.as(person, http.MethodPost, "/v1/stops", stopBody(kind, id, "演练")); w.Code != http.StatusCreated {
			t.Fatalf("stop: %d %s", w.Code, w.Body)
		}
	}
	stop("operator", "dataset", "D-GA01")
	stop("sharing_officer GA", "source", "GA.query")
	wantProblem(t, h.as("sharing_officer GA", http.MethodPost, "/v1/stops", stopBody("source", "GA.query", "再停")), http.StatusConflict, "duplicate-stop")
	wantProblem(t, h.as("sharing_officer GA", http.MethodDelete, "/v1/stops/dataset/D-GA01", ""), http.StatusForbidden, "not-your-stop")
	wantProblem(t, h.as("department_admin GA", http.MethodDelete, "/v1/stops/source/GA.query", ""), http.StatusForbidden, "not-your-stop")
	wantProblem(t, h.as("sharing_officer SPJ", http.MethodDelete, "/v1/stops/source/GA.query", ""), http.StatusNotFound, "unknown-stop")
	if w := h.as("sharing_officer GA", http.MethodDelete, "/v1/stops/source/GA.query", ""); w.Code != http.StatusNoContent {
		t.Errorf("lift: %d %s", w.Code, w.Body)
	}
	if w := h.as("operator", http.MethodDelete, "/v1/stops/dataset/D-GA01", ""); w.Code != http.StatusNoContent {
		t.Errorf("lift: %d %s", w.Code, w.Body)
	}
	wantProblem(t, h.as("operator", http.MethodDelete, "/v1/stops/dataset/D-GA01", ""), http.StatusNotFound, "unknown-stop")
	if last := h.safeguards.entries[len(h.safeguards.entries)-1]; last.Kind != ledger.StopLifted || last.Object != "dataset:D-GA01" {
		t.Errorf("entry %+v", last)
	}
}

func TestStops_AreListedForThoseWhomTheyConcern(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for kind, id := range map[string]string{"system": ownSystem, "dataset": "D-GA01"} {
		h.as("operator", http.MethodPost, "/v1/stops", stopBody(kind, id, "演练"))
	}
	for person, want := range map[string]int{"operator": 2, "auditor": 2, "sharing_officer GA": 1, "department_admin SPJ": 1, "sharing_officer FG": 0} {
		var got struct{ Items []safeguard.Held }
		decode(t, h.as(person, http.MethodGet, "/v1/stops", ""), &got)
		if got.Items == nil || len(got.Items) != want {
			t.Errorf("%s sees %d stops, want %d", person, len(got.Items), want)
		}
	}
}

func TestAuthentication_RefusesAStoppedSystem(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	token := h.token(ownSystem)
	h.safeguards.held = []safeguard.Held{{Stop: policies.Stop{Kind: policies.StopSystem, ID: ownSystem, Reason: "secret reason"}}}
	w := h.send(request(http.MethodGet, "/v1/matters", "", "Authorization", "Bearer "+token))
	p := wantProblem(t, w, http.StatusForbidden, "stopped")
	if strings.Contains(w.Body.String(), "secret reason") {
		t.Errorf("the reason's text is told: %+v", p)
	}
	form := url.Values{"grant_type": {"client_credentials"}}
	refused := h.send(tokenRequest(form, ownSystem, secret))
	if refused.Code != http.StatusBadRequest || !strings.Contains(refused.Body.String(), "unauthorized_client") {
		t.Errorf("token: %d %s", refused.Code, refused.Body)
	}
	if wrong := h.send(tokenRequest(form, ownSystem, "wrong")); wrong.Code != http.StatusUnauthorized { // only who proves itself is told
		t.Errorf("with a wrong secret: %d %s", wrong.Code, wrong.Body)
	}
	if w := h.call(other, http.MethodGet, "/v1/matters", ""); w.Code != http.StatusOK {
		t.Errorf("another system: %d", w.Code)
	}
	h.safeguards.held = nil
	if w := h.send(request(http.MethodGet, "/v1/matters", "", "Authorization", "Bearer "+token)); w.Code != http.StatusOK {
		t.Errorf("after it was lifted: %d", w.Code)
	}
}

func TestQuotas_AreSetByAnOperatorWithAReason(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	const target, limits = "/v1/quotas/system/" + ownSystem, `"calls_per_hour":10,"calls_per_day":20,"subjects_per_hour":3,"subjects_per_day":4`
	var q safeguard.Quota
	decode(t, h.as("auditor", http.MethodGet, target, ""), &q)
	if q.Own || q.CallsPerHour != 100_000 || len(q.Usage) != 1 || q.Usage[0].Calls != 7 {
		t.Errorf("by default: %+v", q)
	}
	wantProblem(t, h.as("department_admin SPJ", http.MethodPut, target, `{`+limits+`,"reason":"扩容"}`), http.StatusForbidden, "not-your-duty")
	wantProblem(t, h.as("operator", http.MethodPut, target, `{`+limits+`,"reason":" "}`), http.StatusUnprocessableEntity, "invalid-reason")
	wantProblem(t, h.as("operator", http.MethodPut, target, `{"calls_per_hour":10,"reason":"扩容"}`), http.StatusUnprocessableEntity, "invalid-request")
	for _, nothing := range []string{"system/nobody", "person/370199198805163315"} { // the latter would be recorded for good
		wantProblem(t, h.as("operator", http.MethodPut, "/v1/quotas/"+nothing, `{`+limits+`,"reason":"扩容"}`), http.StatusUnprocessableEntity, "invalid-quota")
	}
	decode(t, h.as("operator", http.MethodPut, target, `{`+limits+`,"reason":"扩容"}`), &q)
	if !q.Own || q.Limits != (safeguard.Limits{CallsPerHour: 10, CallsPerDay: 20, SubjectsPerHour: 3, SubjectsPerDay: 4}) {
		t.Errorf("own: %+v", q)
	}
	if e := h.safeguards.entries; len(e) != 1 || e[0].Kind != ledger.QuotaSet || e[0].Object != "system:"+ownSystem || e[0].Why != "扩容" {
		t.Errorf("entries %+v", e)
	}
}

func TestAlarms_AreThoseOfTheOwnDepartment(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.safeguards.alarms = []safeguard.Alarm{{ID: 1, Kind: safeguard.AlarmFanOut, Department: "SPJ"}, {ID: 2, Kind: safeguard.AlarmFanOut, Department: "GA"}}
	for person, want := range map[string]int{"operator": 2, "auditor": 2, "department_admin SPJ": 1, "department_admin FG": 0} {
		var got struct{ Items []safeguard.Alarm }
		decode(t, h.as(person, http.MethodGet, "/v1/alarms", ""), &got)
		if got.Items == nil || len(got.Items) != want {
			t.Errorf("%s sees %d alarms, want %d", person, len(got.Items), want)
		}
	}
	wantProblem(t, h.call(ownSystem, http.MethodGet, "/v1/alarms", ""), http.StatusForbidden, "not-your-duty")
	wantProblem(t, h.as("department_admin SPJ", http.MethodPost, "/v1/alarms/2/acknowledgement", ""), http.StatusNotFound, "unknown-alarm")
	wantProblem(t, h.as("auditor", http.MethodPost, "/v1/alarms/1/acknowledgement", ""), http.StatusForbidden, "not-your-duty")
	var seen safeguard.Alarm
	decode(t, h.as("department_admin SPJ", http.MethodPost, "/v1/alarms/1/acknowledgement", ""), &seen)
	if seen.AcknowledgedAt == nil || seen.AcknowledgedBy != "person-department_admin" {
		t.Errorf("acknowledged: %+v", seen)
	}
}

func TestResolve_TellsWhichQuotaIsUsedUpAndUntilWhen(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	id := h.open("2026-1")
	h.memory.exhausted = fault.New(fault.Exhausted, "quota-exceeded", "接入系统 x 的每小时查询次数已达上限（10）").After(59*time.Minute + time.Millisecond)
	w := h.call(ownSystem, http.MethodPost, "/v1/cases/"+id+"/resolutions", "")
	p := wantProblem(t, w, http.StatusTooManyRequests, "quota-exceeded")
	if w.Header().Get("Retry-After") != "3541" || !strings.Contains(p.Detail, "每小时查询次数") || len(h.memory.resolutions) != 0 {
		t.Errorf("Retry-After %q, %s", w.Header().Get("Retry-After"), p.Detail)
	}
}

// boundLogins puts the limits by default in the place of those of the harness.
func (h *harness) boundLogins() {
	h.config.Safeguard = h.safeguards.use(safeguard.Defaults().Logins)
	h.handler = h.newHandler(h.config)
}

// tryLogin asks for a token from an address.
func (h *harness) tryLogin(id, password, address string) *httptest.ResponseRecorder {
	r := tokenRequest(url.Values{"grant_type": {"client_credentials"}}, id, password)
	r.RemoteAddr = address
	return h.send(r)
}

func TestToken_BoundsFailedAttemptsOfAnAddress(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.boundLogins()
	const attacker, neighbour = "192.0.2.1:5000", "192.0.2.2:5000"
	for i := range 20 {
		if w := h.tryLogin("nobody-"+string(rune('a'+i)), "wrong", attacker); w.Code != http.StatusUnauthorized {
			t.Fatalf("attempt %d: %d", i, w.Code)
		}
	}
	known, unknown := h.tryLogin(ownSystem, secret, attacker), h.tryLogin("nobody", "wrong", attacker)
	if known.Code != http.StatusTooManyRequests || known.Header().Get("Retry-After") != "300" {
		t.Errorf("after 20 failures: %d, Retry-After %q", known.Code, known.Header().Get("Retry-After"))
	}
	if known.Code != unknown.Code || known.Body.String() != unknown.Body.String() {
		t.Errorf("it tells whether there is such a client: %s, %s", known.Body, unknown.Body)
	}
	if w := h.tryLogin(ownSystem, secret, neighbour); w.Code != http.StatusOK {
		t.Errorf("from another address: %d", w.Code)
	}
}

func TestToken_BoundsFailedAttemptsOfAClientFromManyAddresses(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.boundLogins()
	for i := range 100 {
		address := "192.0.2." + string(rune('1'+i/19)) + ":5000"
		if w := h.tryLogin(ownSystem, "wrong", address); w.Code != http.StatusUnauthorized {
			t.Fatalf("attempt %d: %d", i, w.Code)
		}
	}
	if w := h.tryLogin(ownSystem, secret, "192.0.2.99:5000"); w.Code != http.StatusTooManyRequests {
		t.Errorf("after 100 failures: %d", w.Code)
	}
	if w := h.tryLogin(other, secret, "192.0.2.99:5000"); w.Code != http.StatusOK {
		t.Errorf("another client: %d", w.Code)
	}
}

// An attacker who invents forwarding headers is still one address
// (reliability.md §2.4, rate-limit bypass).
func TestToken_BelievesNoForwardingHeaderOfStrangers(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.boundLogins()
	for i := range 20 {
		r := tokenRequest(url.Values{"grant_type": {"client_credentials"}}, "nobody", "wrong")
		r.RemoteAddr = "192.0.2.1:5000"
		for _, header := range []string{"X-Forwarded-For", "X-Real-IP", "Forwarded"} {
			r.Header.Set(header, "198.51.100."+string(rune('0'+i%10)))
		}
		h.send(r)
	}
	if w := h.tryLogin(ownSystem, secret, "192.0.2.1:6000"); w.Code != http.StatusTooManyRequests {
		t.Errorf("after 20 failures under made-up headers: %d", w.Code)
	}
}
