package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

func TestRequestID_IsTheCallersOnlyWhenItIsAUUID(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for id, kept := range map[string]bool{
		"01a20a97-9399-7b64-9c82-b8ff7a3e4934": true, "370199198805163315": false, "abc-1.2_Z": false,
		"{1a20a97-9399-7b64-9c82-b8ff7a3e4934": false, "a b": false, "a\r\nX: y": false, "编号": false, "<b>": false, "": false,
	} {
		got := h.send(request(http.MethodGet, "/healthz", "", "X-Request-Id", id)).Header().Get("X-Request-Id")
		if (got == id) != kept || got == "" {
			t.Errorf("%q: %q", id, got)
		}
	}
}

func TestLog_HasOneLineForARequestAndNoIdentity(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	const requestID = "01a20a97-9399-7b64-9c82-b8ff7a3e4934"
	id := h.open("JN-1")
	h.log.Reset()
	token := h.token(ownSystem)
	h.log.Reset()
	h.send(request(http.MethodGet, "/v1/cases/"+id+"?"+personA, "", "Authorization", "Bearer "+token, "X-Request-Id", requestID))
	h.send(request("BREW", "/v1/"+personA, ""))
	lines := strings.Split(strings.TrimSpace(h.log.String()), "\n")
	if len(lines) != 2 {
		t.Fatalf("lines: %v", lines)
	}
	var line map[string]any
	if err := json.Unmarshal([]byte(lines[0]), &line); err != nil {
		t.Fatal(err)
	}
	if line["msg"] != "request" || line["route"] != "/v1/cases/:id" || line["status"] != 422.0 || line["system"] != ownSystem || line["request_id"] != requestID {
		t.Errorf("line %v", line)
	}
	if log := h.log.String(); strings.Contains(log, personA) || strings.Contains(log, token) || strings.Contains(log, "BREW") || strings.Contains(log, id+"?") {
		t.Errorf("the log holds what it must not: %s", log)
	}
}

func TestPanic_BecomesAnInternalProblem(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	config := h.config
	broken := *h.config.Exchange
	broken.Cases = nil // any use of it panics
	config.Exchange = &broken
	h.handler = h.newHandler(config)
	w := h.call(ownSystem, http.MethodGet, "/v1/cases/x", "")
	p := wantProblem(t, w, 500, "internal")
	if strings.Contains(w.Body.String(), "nil pointer") || !strings.Contains(h.log.String(), p.RequestID) {
		t.Errorf("body %s", w.Body)
	}
}

func TestHeaders_AreSafeOnEveryAnswer(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for _, target := range []string{"/healthz", "/v1/nothing", "/v1/matters", "/oauth/token", "/openapi.json"} {
		got := h.send(request(http.MethodGet, target, "")).Header()
		if got.Get("X-Content-Type-Options") != "nosniff" || got.Get("Content-Security-Policy") == "" || got.Get("Cache-Control") == "" {
			t.Errorf("%s: %v", target, got)
		}
	}
}
