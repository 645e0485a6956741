package api_test

import (
	"net/http"
	"testing"
	"time"
)

func TestCloseCase_AnswersWithTheClosedCaseAndRefusesWhatComesAfter(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	address := "/v1/cases/" + h.open("JN-1")
	wantProblem(t, h.call(ownSystem, http.MethodPost, address+"/closing", `{"reason":"lost"}`), http.StatusUnprocessableEntity, "invalid-request")
	wantProblem(t, h.call(ownSystem, http.MethodPost, address+"/closing", `{}`), http.StatusUnprocessableEntity, "invalid-request")
	wantProblem(t, h.call(ownSystem, http.MethodPost, "/v1/cases/none/closing", `{"reason":"finished"}`), http.StatusNotFound, "unknown-case")

	for _, want := range []int{http.StatusOK, http.StatusOK} { // once more changes nothing
		w := h.call(ownSystem, http.MethodPost, address+"/closing", `{"reason":"withdrawn"}`)
		if w.Code != want {
			t.Fatalf("status %d: %s", w.Code, w.Body)
		}
		var c struct {
			ClosedAt  time.Time `json:"closed_at"`
			ClosedFor string    `json:"closed_for"`
			Version   int
		}
		if decode(t, w, &c); c.ClosedAt.IsZero() || c.ClosedFor != "withdrawn" || c.Version != 2 {
			t.Errorf("the closed case reads %s", w.Body)
		}
	}
	for name, act := range map[string][3]string{
		"close for another reason": {http.MethodPost, "/closing", `{"reason":"finished"}`},
		"change":                   {http.MethodPatch, "/facts", `{"facts":{"agent":true}}`},
		"report":                   {http.MethodPost, "/results", `{"matter":"S01.M1","outcome":"granted"}`},
		"resolve":                  {http.MethodPost, "/resolutions", `{}`},
	} {
		t.Run(name, func(t *testing.T) {
			wantProblem(t, h.call(ownSystem, act[0], address+act[1], act[2]), http.StatusConflict, "case-closed")
		})
	}
	if w := h.call(ownSystem, http.MethodGet, address, ""); w.Code != http.StatusOK {
		t.Errorf("a closed case cannot be read: %d", w.Code)
	}
}
