package api_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"mianti/admission"
	"mianti/api"
	"mianti/catalog"
	"mianti/exchange"
	"mianti/internal/fault"
)

func refuse(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	api.Overloaded(func() string { return "id-1" })(w, r, 2*time.Second)
	return w
}

func TestOverloaded_SaysWhatToDo(t *testing.T) {
	t.Parallel()
	w := refuse(request(http.MethodPost, "/v1/cases/c1/resolutions", "{}"))
	wantProblem(t, w, 503, "overloaded")
	if w.Header().Get("Retry-After") != "2" || w.Header().Get("X-Request-Id") != "id-1" || !strings.Contains(w.Body.String(), "Idempotency-Key") && !strings.Contains(w.Body.String(), "2 秒后重试") {
		t.Errorf("%v %s", w.Header(), w.Body)
	}
	token := refuse(request(http.MethodPost, "/oauth/token", ""))
	if token.Code != 503 || !strings.Contains(token.Body.String(), `"error":"temporarily_unavailable"`) || token.Header().Get("Retry-After") != "2" {
		t.Errorf("the token endpoint: %d %s", token.Code, token.Body)
	}
	page := refuse(request(http.MethodGet, "/clerk", "", "Accept", "text/html", "X-Request-Id", "<script>"))
	if page.Code != 503 || !strings.HasPrefix(page.Header().Get("Content-Type"), "text/html") || strings.Contains(page.Body.String(), "<script>") {
		t.Errorf("a page: %d %s", page.Code, page.Body)
	}
}

func TestClassOf_PutsEachKindOfNeedApart(t *testing.T) {
	t.Parallel()
	for target, want := range map[string]admission.Class{
		"/healthz": admission.Vital, "/readyz": admission.Vital, "/metrics": admission.Vital,
		"/oauth/token": admission.Door, "/auth/staff/login": admission.Door, "/docs": admission.Door, "/guide/S01": admission.Door, "/": admission.Door,
		"/log/tile/0/000": admission.Bulk, "/v1/revisions/1/export": admission.Bulk, "/v1/me/export": admission.Bulk, "/catalog/health": admission.Bulk,
		"/v1/stops": admission.Steering, "/v1/alarms/1/acknowledgement": admission.Steering,
		"/v1/cases/c1/resolutions": admission.Work, "/v1/matters": admission.Work, "/v1/me": admission.Work, "/clerk": admission.Work,
	} {
		if got, _ := api.ClassOf(request(http.MethodGet, target, "")); got != want {
			t.Errorf("%s: %s, want %s", target, got, want)
		}
	}
	kinds := map[string]string{}
	for _, target := range []string{"/v1/cases/c1/resolutions", "/v1/cases/c2/resolutions", "/clerk/cases/1/unmask", "/clerk/cases/2/unmask"} {
		_, kind := api.ClassOf(request(http.MethodPost, target, ""))
		kinds[kind] = target
	}
	if len(kinds) != 2 {
		t.Errorf("kinds %v, want one for each operation", kinds)
	}
}

// away is a catalog whose latest revision can be asked for or not.
type away struct {
	*memory
	rev *catalog.Revision
}

func (a away) Revision(context.Context, int, ...string) (*catalog.Revision, error) { return a.rev, nil }

// TestCatalog_IsReadOnWhileTheDatabaseIsAway reads what is held, by whoever was found
// good before, and says since when it is not known to be the latest.
func TestCatalog_IsReadOnWhileTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.config.Catalogs, h.config.Callers = away{h.memory, h.memory.rev}, admission.NewCallers()
	h.handler = h.newHandler(h.config)
	token, stranger := "Bearer "+h.token(ownSystem), "Bearer "+h.token(other)
	h.config.Callers.ForgetCredential(stranger) // as a node does not know it that did not issue it
	read := func(target, authorization string) *httptest.ResponseRecorder {
		return h.send(request(http.MethodGet, target, "", "Authorization", authorization))
	}
	if w := read("/v1/matters/S01.M1", token); w.Code != 200 || w.Header().Get(exchange.UncheckedHeader) != "" {
		t.Fatalf("while it is there: %d %v", w.Code, w.Header())
	}
	h.memory.change(func(m *memory) {
		m.fail = fault.New(fault.Unavailable, "database-unavailable", "数据库暂时不可用")
	})
	for _, target := range []string{"/v1/matters/S01.M1", "/v1/matters", "/v1/departments"} {
		if w := read(target, token); w.Code != 200 || w.Header().Get(exchange.UncheckedHeader) != at().Format(time.RFC3339) {
			t.Errorf("%s: %d %v %s", target, w.Code, w.Header(), w.Body)
		}
	}
	wantProblem(t, read("/v1/matters", stranger), 503, "database-unavailable")
	if w := read("/v1/matters", "Bearer nonsense"); w.Code != 401 {
		t.Errorf("a token that is none: %d", w.Code)
	}
	if w := h.send(request(http.MethodGet, "/readyz", "")); w.Code != 503 || !strings.Contains(w.Body.String(), `"database-unavailable"`) {
		t.Errorf("ready: %d %s, want 503 and why", w.Code, w.Body)
	}
	for _, target := range []string{"/v1/cases/c1", "/v1/session"} {
		wantProblem(t, read(target, token), 503, "database-unavailable")
	}
	h.memory.change(func(m *memory) { m.fail = nil })
}
