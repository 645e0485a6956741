package api_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"mianti/catalog/suggest"
	"mianti/ledger"
)

// said keeps what was decided, in memory.
type said struct {
	mu      sync.Mutex
	all     []suggest.MappingDecision
	entries []ledger.Entry
}

func (s *said) MappingDecisions(context.Context) ([]suggest.MappingDecision, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]suggest.MappingDecision{}, s.all...), nil
}

func (s *said) KeepMappingDecision(_ context.Context, _ string, d suggest.MappingDecision, e ledger.Entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all, s.entries = append(s.all, d), append(s.entries, e)
	return nil
}

type suggested struct {
	Items []struct {
		Name   string
		Papers []struct {
			Text, Level, Cause, Reason string
			Score                      float64
			Match                      *struct {
				Kind, Code, Name string
				Datasets         []struct{ Code, Name string }
			}
		}
	}
}

// duty sends a request in the name of the person of withPeople who has a duty.
func (h *harness) duty(duty, method, target, body string) *httptest.ResponseRecorder {
	return h.send(request(method, target, body, "Cookie", "who="+duty, "Content-Type", "application/json", "Sec-Fetch-Site", "same-origin"))
}

func (h *harness) suggest(body string) suggested {
	h.t.Helper()
	var got suggested
	w := h.duty("policy_editor", http.MethodPost, "/v1/material-suggestions", body)
	if w.Code != http.StatusOK {
		h.t.Fatalf("%d %s", w.Code, w.Body)
	}
	decode(h.t, w, &got)
	return got
}

func TestSuggestions_NameTheMaterialAndWhyInTheListsOrder(t *testing.T) {
	t.Parallel()
	h := newHarness(t).withPeople()
	got := h.suggest(`{"names":["法人身份证正反面（复印件1份）","其他相关材料"]}`)
	if len(got.Items) != 2 || got.Items[0].Name != "法人身份证正反面（复印件1份）" {
		t.Fatalf("%+v", got)
	}
	first := got.Items[0].Papers[0]
	if first.Match == nil || first.Match.Code != "STD-ID" || first.Level != "likely" || first.Reason == "" {
		t.Errorf("%+v, want STD-ID", first)
	}
	if second := got.Items[1].Papers[0]; second.Match != nil || second.Cause != "vague" {
		t.Errorf("%+v, want no suggestion for a catch-all", second)
	}
}

func TestSuggestions_FollowWhatWasRecorded(t *testing.T) {
	t.Parallel()
	h := newHarness(t).withPeople()
	reject := `{"name":"法人身份证正反面","kind":"standard_material","code":"STD-ID","accepted":false}`
	if w := h.duty("policy_editor", http.MethodPost, "/v1/material-mappings", reject); w.Code != http.StatusCreated {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if got := h.suggest(`{"names":["法人身份证正反面"]}`).Items[0].Papers[0]; got.Match != nil || got.Cause != "rejected" {
		t.Errorf("%+v, want nothing after it was rejected", got)
	}
	if w := h.duty("policy_reviewer", http.MethodPost, "/v1/material-mappings", strings.Replace(reject, "false", "true", 1)); w.Code != http.StatusCreated {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if got := h.suggest(`{"names":["法人身份证正反面"]}`).Items[0].Papers[0]; got.Match == nil || got.Cause != "decided" || got.Score != 1 {
		t.Errorf("%+v, want what was accepted last", got)
	}
	if n := len(h.said.entries); n != 2 || h.said.entries[0].Person != "person-policy_editor" || h.said.entries[0].Result != "rejected" {
		t.Errorf("entries %+v", h.said.entries)
	}
}

func TestSuggestions_RefuseWhatCannotBeMeant(t *testing.T) {
	t.Parallel()
	h := newHarness(t).withPeople()
	for body, code := range map[string]string{
		`{"name":"张三 370199198805163315","kind":"standard_material","code":"STD-ID","accepted":true}`: "number-in-name",
		`{"name":"房本","kind":"standard_material","code":"STD-NONE","accepted":true}`:                  "unknown-candidate",
		`{"name":"（）","kind":"standard_material","code":"STD-ID","accepted":true}`:                    "bad-name",
	} {
		w := h.duty("policy_editor", http.MethodPost, "/v1/material-mappings", body)
		if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), code) || !strings.Contains(w.Body.String(), "invalid-mapping") {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	}
	if w := h.duty("policy_editor", http.MethodPost, "/v1/material-suggestions", `{"names":["`+strings.Repeat("长", 301)+`"]}`); w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "names[0]") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if len(h.said.all) != 0 {
		t.Errorf("kept %+v", h.said.all)
	}
}
