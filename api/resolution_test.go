package api_test

import (
	"net/http"
	"strings"
	"testing"

	"mianti/exchange"
	"mianti/internal/fault"
)

func TestResolve_AnswersWithTheResolution(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	id := h.open("JN-1")
	w := h.call(ownSystem, http.MethodPost, "/v1/cases/"+id+"/resolutions", "")
	var r exchange.Resolution
	decode(t, w, &r)
	if w.Code != http.StatusCreated || w.Header().Get("Location") != "/v1/resolutions/"+r.ID || r.Case != id || r.CaseNumber != "JN-1" {
		t.Fatalf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	settled := 0
	for _, m := range r.Materials {
		if m.Outcome == "settled" {
			settled++
		}
	}
	if settled != 3 || r.Summary.Settled != 3 || r.Summary.NotApplicable != 1 || len(r.Upload) != 0 {
		t.Errorf("resolution: %s", w.Body)
	}
	read := h.call(ownSystem, http.MethodGet, "/v1/resolutions/"+r.ID, "")
	if read.Code != http.StatusOK || read.Body.String() != w.Body.String() {
		t.Errorf("read again: %d, and another body", read.Code)
	}
	wantProblem(t, h.call(other, http.MethodGet, "/v1/resolutions/"+r.ID, ""), 404, "unknown-resolution")
}

func TestResolve_TakesAnEmptyObjectAndNothingElse(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	at := "/v1/cases/" + h.open("JN-1") + "/resolutions"
	if w := h.call(ownSystem, http.MethodPost, at, "{}"); w.Code != http.StatusCreated {
		t.Errorf("{}: %d %s", w.Code, w.Body)
	}
	wantProblem(t, h.call(ownSystem, http.MethodPost, at, `{"force":true}`), 400, "unknown-field")
	wantProblem(t, h.call(ownSystem, http.MethodPost, at, `1`), 422, "invalid-request")
}

func TestResolve_RepeatsTheFirstAnswerForAKey(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	at := "/v1/cases/" + h.open("JN-1") + "/resolutions"
	first := h.call(ownSystem, http.MethodPost, at, "", "Idempotency-Key", "k-1")
	again := h.call(ownSystem, http.MethodPost, at, "", "Idempotency-Key", "k-1")
	another := h.call(ownSystem, http.MethodPost, at, "", "Idempotency-Key", "k-2")
	if first.Code != 201 || again.Body.String() != first.Body.String() || another.Body.String() == first.Body.String() {
		t.Errorf("first %d, again the same: %t, another key the same: %t", first.Code,
			again.Body.String() == first.Body.String(), another.Body.String() == first.Body.String())
	}
	for _, key := range []string{strings.Repeat("k", 256), "a b", "键"} {
		p := wantProblem(t, h.call(ownSystem, http.MethodPost, at, "", "Idempotency-Key", key), 422, "invalid-request")
		if len(p.Errors) == 0 || !strings.HasPrefix(p.Errors[0].Location, "header.") {
			t.Errorf("key %q: %+v", key, p.Errors)
		}
	}
}

func TestResolve_AnswersNothingThatIsNotRecorded(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	at := "/v1/cases/" + h.open("JN-1") + "/resolutions"
	token := h.token(ownSystem)
	h.memory.change(func(m *memory) {
		m.fail = fault.New(fault.Unavailable, "database-unavailable", "数据库暂时不可用")
	})
	w := h.send(request(http.MethodPost, at, "", "Authorization", "Bearer "+token))
	p := wantProblem(t, w, 503, "database-unavailable")
	if w.Header().Get("Retry-After") == "" || p.Fault != "exchange" {
		t.Errorf("no Retry-After, or the caller is blamed: %s", w.Body)
	}
}
