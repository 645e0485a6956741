package api_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"mianti/catalog"
	"mianti/exchange"
)

// newAssisting is a harness in which the shareholder's identity card comes from
// an officer of GA where its source is down, which it is for absent.
func newAssisting(t *testing.T) *harness {
	t.Helper()
	h := newHarness(t)
	h.memory.rev.Material("S01.M1.b").Chain = []catalog.Step{{Mode: catalog.ModeData}, {Mode: catalog.ModeAssist, Days: 2}}
	return h
}

// openAbsent opens a case whose shareholder's source is down.
func (h *harness) openAbsent(number string) string {
	h.t.Helper()
	body := strings.ReplaceAll(opening(number), personA, absent)
	w := h.call(ownSystem, http.MethodPost, "/v1/cases", body)
	if w.Code != http.StatusCreated {
		h.t.Fatalf("open: %d %s", w.Code, w.Body)
	}
	return strings.TrimPrefix(w.Header().Get("Location"), "/v1/cases/")
}

// resolveAbsent resolves it: it waits for an officer.
func (h *harness) resolveAbsent(id string, headers ...string) (*httptest.ResponseRecorder, exchange.Resolution) {
	h.t.Helper()
	w := h.call(ownSystem, http.MethodPost, "/v1/cases/"+id+"/resolutions", "", headers...)
	var r exchange.Resolution
	decode(h.t, w, &r)
	return w, r
}

// goOn runs the jobs that wait.
func (h *harness) goOn() {
	h.t.Helper()
	h.memory.mu.Lock()
	waiting := h.memory.jobs
	h.memory.jobs = nil
	h.memory.mu.Unlock()
	for _, job := range waiting {
		if job.Kind != exchange.JobContinue {
			continue
		}
		if err := h.config.Exchange.ContinueJob(context.WithoutCancel(h.t.Context()), job); err != nil {
			h.t.Fatal(err)
		}
	}
}

func (h *harness) task() exchange.AssistTask {
	h.t.Helper()
	w := h.call(other, http.MethodGet, "/v1/assist-tasks", "")
	var page struct {
		Items []exchange.AssistTask `json:"items"`
	}
	decode(h.t, w, &page)
	if len(page.Items) != 1 {
		h.t.Fatalf("%d tasks, want one: %s", len(page.Items), w.Body)
	}
	return page.Items[0]
}

const confirmed = `{"result":"confirmed","officer":"李明"}`

func TestResolve_AnswersAcceptedWhileItGoesOn(t *testing.T) {
	t.Parallel()
	h := newAssisting(t)
	w, r := h.resolveAbsent(h.openAbsent("JN-1"))
	if w.Code != http.StatusAccepted || r.Status != exchange.StatusPending || r.Version != 1 {
		t.Fatalf("%d, %s, version %d; want 202, pending, 1", w.Code, r.Status, r.Version)
	}
	// Two days, and the second that rounds up.
	if got := w.Header().Get("Retry-After"); got != "172801" {
		t.Errorf("Retry-After %q", got)
	}
	if w.Header().Get("Location") != "/v1/resolutions/"+r.ID || w.Header().Get("ETag") == "" {
		t.Errorf("headers: %v", w.Header())
	}
	task := h.task()
	if w := h.call(other, http.MethodPost, "/v1/assist-tasks/"+task.ID+"/answer", confirmed); w.Code != http.StatusOK {
		t.Fatalf("answer: %d %s", w.Code, w.Body)
	}
	h.goOn()
	again := h.call(ownSystem, http.MethodGet, "/v1/resolutions/"+r.ID, "", "If-None-Match", w.Header().Get("ETag"))
	var next exchange.Resolution
	decode(t, again, &next)
	if again.Code != http.StatusOK || next.Version != 2 || next.Status != exchange.StatusComplete || again.Header().Get("Retry-After") != "" {
		t.Errorf("%d, version %d, %s, Retry-After %q", again.Code, next.Version, next.Status, again.Header().Get("Retry-After"))
	}
	unchanged := h.call(ownSystem, http.MethodGet, "/v1/resolutions/"+r.ID, "", "If-None-Match", again.Header().Get("ETag"))
	if unchanged.Code != http.StatusNotModified || unchanged.Body.Len() != 0 {
		t.Errorf("with the ETag: %d %q", unchanged.Code, unchanged.Body)
	}
}

func TestResolve_WaitsAsLongAsTheCallerPrefers(t *testing.T) {
	t.Parallel()
	h := newAssisting(t)
	_, r := h.resolveAbsent(h.openAbsent("JN-1"))
	task := h.task()
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		h.call(other, http.MethodPost, "/v1/assist-tasks/"+task.ID+"/answer", confirmed)
		h.goOn()
	}()
	w := h.call(ownSystem, http.MethodGet, "/v1/resolutions/"+r.ID, "", "Prefer", "respond-async, wait=30")
	<-answered
	var next exchange.Resolution
	decode(t, w, &next)
	if next.Version != 2 || next.Continues() || w.Header().Get("Preference-Applied") != "wait=30" {
		t.Errorf("version %d, goes on %t, %v", next.Version, next.Continues(), w.Header())
	}
}

func TestResolve_WaitsNoLongerThanPreferred(t *testing.T) {
	t.Parallel()
	h := newAssisting(t)
	w, r := h.resolveAbsent(h.openAbsent("JN-1"), "Prefer", "wait=1")
	if w.Code != http.StatusAccepted || r.Version != 1 {
		t.Errorf("%d, version %d; want 202 and the first", w.Code, r.Version)
	}
	for _, prefer := range []string{"wait=-1", "wait=x", "wait", "handling=strict"} {
		w := h.call(ownSystem, http.MethodGet, "/v1/resolutions/"+r.ID, "", "Prefer", prefer)
		if w.Code != http.StatusOK || w.Header().Get("Preference-Applied") != "" {
			t.Errorf("%s: %d %v", prefer, w.Code, w.Header())
		}
	}
}

func TestAssist_ShowsTheSubjectToTheDepartmentThatIsAsked(t *testing.T) {
	t.Parallel()
	h := newAssisting(t)
	h.resolveAbsent(h.openAbsent("JN-1"))
	task := h.task()
	if body, _ := json.Marshal(task); strings.Contains(string(body), absent) {
		t.Error("the list names the subject")
	}
	var read exchange.AssistTask
	w := h.call(other, http.MethodGet, "/v1/assist-tasks/"+task.ID, "")
	decode(t, w, &read)
	if read.Subject == nil || read.Subject.Number != absent || read.Material != "S01.M1.b" || !read.DueAt.Equal(at().AddDate(0, 0, 2)) {
		t.Errorf("task: %s", w.Body)
	}
	wantProblem(t, h.call(ownSystem, http.MethodGet, "/v1/assist-tasks/"+task.ID, ""), 404, "unknown-assist-task")
	wantProblem(t, h.call(ownSystem, http.MethodPost, "/v1/assist-tasks/"+task.ID+"/answer", confirmed), 404, "unknown-assist-task")
}

func TestAssist_RefusesAnAnswerThatDoesNotFit(t *testing.T) {
	t.Parallel()
	h := newAssisting(t)
	h.resolveAbsent(h.openAbsent("JN-1"))
	at := "/v1/assist-tasks/" + h.task().ID + "/answer"
	for _, c := range []struct {
		body, code string
		status     int
	}{
		{`{"result":"perhaps","officer":"李明"}`, "invalid-request", 422},
		{`{"result":"confirmed","officer":""}`, "invalid-request", 422},
		{`{"result":"confirmed","officer":"  "}`, "invalid-answer", 422},
		{`{"result":"confirmed","officer":"李\u0007明"}`, "invalid-answer", 422},
		{`{"result":"confirmed","officer":"李明","fields":{"name":"冯涛"}}`, "invalid-answer", 422},
		{`{"result":"confirmed","officer":"李明","state":"answered"}`, "unknown-field", 400},
		{`{"officer":"李明"}`, "invalid-request", 422},
		{``, "missing-body", 400},
	} {
		wantProblem(t, h.call(other, http.MethodPost, at, c.body), c.status, c.code)
	}
	if h.task().State != exchange.AssistOpen {
		t.Error("a refused answer was kept")
	}
	if w := h.call(other, http.MethodPost, at, confirmed); w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	wantProblem(t, h.call(other, http.MethodPost, at, confirmed), 409, "assist-answered")
}

func TestEvents_TellOfEachVersionAndOfTheEnd(t *testing.T) {
	t.Parallel()
	h := newAssisting(t)
	_, r := h.resolveAbsent(h.openAbsent("JN-1"))
	task := h.task()
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		h.call(other, http.MethodPost, "/v1/assist-tasks/"+task.ID+"/answer", confirmed)
		h.goOn()
	}()
	w := h.call(ownSystem, http.MethodGet, "/v1/resolutions/"+r.ID+"/events", "", "Accept", "text/event-stream")
	<-answered
	const state = "{\"version\":2,\"status\":\"complete\",\"continues\":false}\n\n"
	const version, end = "id: 2\nevent: version\ndata: " + state, "id: 2\nevent: end\ndata: " + state
	if w.Header().Get("Content-Type") != "text/event-stream" || !strings.HasSuffix(w.Body.String(), version+end) {
		t.Errorf("%v\n%s", w.Header(), w.Body)
	}
	if strings.Contains(w.Body.String(), absent) {
		t.Error("an event names the subject")
	}
	resumed := h.call(ownSystem, http.MethodGet, "/v1/resolutions/"+r.ID+"/events", "", "Accept", "text/event-stream", "Last-Event-ID", "2")
	if resumed.Body.String() != end {
		t.Errorf("taken up again: %q, want the end alone", resumed.Body)
	}
}

func TestEvents_AreRefusedLikeTheResolution(t *testing.T) {
	t.Parallel()
	h := newAssisting(t)
	_, r := h.resolveAbsent(h.openAbsent("JN-1"))
	path := "/v1/resolutions/" + r.ID + "/events"
	wantProblem(t, h.call(other, http.MethodGet, path, "", "Accept", "text/event-stream"), 404, "unknown-resolution")
	wantProblem(t, h.call(ownSystem, http.MethodGet, path, "", "Accept", "application/json"), 406, "not-acceptable")
	wantProblem(t, h.send(request(http.MethodGet, path, "", "Accept", "text/event-stream")), 401, "unauthenticated")
}

func TestEvents_EndWhenTheServerDrains(t *testing.T) {
	t.Parallel()
	h := newAssisting(t)
	draining := make(chan struct{})
	h.config.Draining = draining
	h.handler = h.newHandler(h.config)
	_, r := h.resolveAbsent(h.openAbsent("JN-1"))
	ended := make(chan struct{})
	token := h.token(ownSystem)
	go func() {
		defer close(ended)
		h.send(request(http.MethodGet, "/v1/resolutions/"+r.ID+"/events", "", "Accept", "text/event-stream", "Authorization", "Bearer "+token))
	}()
	close(draining)
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Error("the stream goes on")
	}
}

// superseded says of a resolution that it no longer goes on, as the store does
// when its case has moved on.
func (h *harness) superseded(id string) {
	h.memory.change(func(m *memory) {
		r := m.resolutions[id]
		r.RetryAt = nil
		m.resolutions[id] = r
	})
}

func TestResolution_IsAnotherRepresentationOnceItNoLongerGoesOn(t *testing.T) {
	t.Parallel()
	h := newAssisting(t)
	first, r := h.resolveAbsent(h.openAbsent("JN-1"))
	h.superseded(r.ID)
	w := h.call(ownSystem, http.MethodGet, "/v1/resolutions/"+r.ID, "", "If-None-Match", first.Header().Get("ETag"))
	if w.Code != http.StatusOK || w.Header().Get("Retry-After") != "" || w.Header().Get("ETag") == first.Header().Get("ETag") {
		t.Errorf("%d %v, want 200, another ETag and no Retry-After", w.Code, w.Header())
	}
}

func TestReadResolution_UnderstandsIfNoneMatch(t *testing.T) {
	t.Parallel()
	h := newAssisting(t)
	first, r := h.resolveAbsent(h.openAbsent("JN-1"))
	tag := first.Header().Get("ETag")
	for value, want := range map[string]int{
		tag: http.StatusNotModified, "W/" + tag: http.StatusNotModified, `"a,b", ` + tag: http.StatusNotModified,
		`"a" , W/` + tag + `,"b"`: http.StatusNotModified, "*": http.StatusNotModified,
		`"a"`: http.StatusOK, strings.Trim(tag, `"`): http.StatusOK, `"` + strings.Trim(tag, `"`): http.StatusOK,
		`"x` + strings.Trim(tag, `"`) + `"`: http.StatusOK, `w/` + tag: http.StatusOK, ",": http.StatusOK,
	} {
		w := h.call(ownSystem, http.MethodGet, "/v1/resolutions/"+r.ID, "", "If-None-Match", value)
		if w.Code != want || w.Header().Get("ETag") != tag {
			t.Errorf("If-None-Match: %s: %d %s, want %d %s", value, w.Code, w.Header().Get("ETag"), want, tag)
		}
	}
}

func TestResolve_WaitsNoLongerThanTheServerDoes(t *testing.T) {
	t.Parallel()
	h := newAssisting(t)
	id := h.openAbsent("JN-1")
	_, r := h.resolveAbsent(id)
	draining := make(chan struct{})
	close(draining)
	h.config.Draining = draining
	h.handler = h.newHandler(h.config)
	for method, path := range map[string]string{http.MethodGet: "/v1/resolutions/" + r.ID, http.MethodPost: "/v1/cases/" + id + "/resolutions"} {
		begun := time.Now()
		w := h.call(ownSystem, method, path, "", "Prefer", "wait=20")
		var got exchange.Resolution
		decode(t, w, &got)
		if took := time.Since(begun); took > 10*time.Second || !got.Continues() {
			t.Errorf("%s: answered %d after %s, want at once, with what there is", method, w.Code, took)
		}
	}
}

func TestAssist_TheListOfAnsweredTasksTellsNothingOfTheAnswer(t *testing.T) {
	t.Parallel()
	h := newAssisting(t)
	h.resolveAbsent(h.openAbsent("JN-1"))
	task := h.task()
	const answer = `{"result":"not_confirmed","officer":"李明","note":"王建国户籍已迁出"}`
	if w := h.call(other, http.MethodPost, "/v1/assist-tasks/"+task.ID+"/answer", answer); w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if w := h.call(other, http.MethodGet, "/v1/assist-tasks?state=answered", ""); w.Code != http.StatusOK || strings.Contains(w.Body.String(), "迁出") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := h.call(other, http.MethodGet, "/v1/assist-tasks/"+task.ID, ""); !strings.Contains(w.Body.String(), "迁出") {
		t.Errorf("the task itself has lost its note: %s", w.Body)
	}
}
