package api_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mianti/api"
	"mianti/internal/fault"
)

// TestReadyz_NamesWhatDoesNotWorkAndNothingElse: neither the text of an error nor what it
// was wrapped with is anybody's business.
func TestReadyz_NamesWhatDoesNotWorkAndNothingElse(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	c := h.config
	c.Ready = func(context.Context) []api.Part {
		away := fault.New(fault.Unavailable, "database-unavailable", "数据库暂时不可用").Because(errors.New("postgres://mianti:secret@db " + personA))
		return []api.Part{api.PartOf("catalog", nil), api.PartOf("database", away), api.PartOf("keys", errors.New("no key opens "+personA))}
	}
	h.handler = h.newHandler(c)
	w := h.send(request(http.MethodGet, "/readyz", ""))
	const want = `{"ready":false,"parts":[{"name":"catalog","ready":true},{"name":"database","ready":false,"reason":"database-unavailable"},` +
		`{"name":"keys","ready":false,"reason":"internal"}]}`
	if w.Code != http.StatusServiceUnavailable || w.Body.String() != want {
		t.Errorf("%d %s, want 503 %s", w.Code, w.Body, want)
	}
	if kind := w.Header().Get("Content-Type"); !strings.HasPrefix(kind, "application/json") || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%s, %s", kind, w.Header().Get("Cache-Control"))
	}
}

// TestReadyz_IsNoLever: however many ask, it is looked at once a second.
func TestReadyz_IsNoLever(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	c := h.config
	var looks, now atomic.Int64
	c.Now = func() time.Time { return at().Add(time.Duration(now.Load())) }
	c.Ready = func(context.Context) []api.Part {
		looks.Add(1)
		return []api.Part{api.PartOf("database", nil)}
	}
	handler := h.newHandler(c)
	ask := func() {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, request(http.MethodGet, "/readyz", ""))
		if w.Code != http.StatusOK {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
	var all sync.WaitGroup
	for range 50 {
		all.Go(ask)
	}
	all.Wait()
	if n := looks.Load(); n != 1 {
		t.Errorf("looked %d times for fifty who asked at once, want once", n)
	}
	now.Store(int64(time.Second))
	ask()
	if n := looks.Load(); n != 2 {
		t.Errorf("looked %d times, want anew after a second", n)
	}
}

// TestReadyz_EndsWhenTheServerIsToEnd: at once, whatever is remembered, so that a
// balancer sends nobody here any more.
func TestReadyz_EndsWhenTheServerIsToEnd(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	c := h.config
	draining := make(chan struct{})
	c.Draining = draining
	h.handler = h.newHandler(c)
	if w := h.send(request(http.MethodGet, "/readyz", "")); w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	close(draining)
	w := h.send(request(http.MethodGet, "/readyz", ""))
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), `{"name":"serving","ready":false,"reason":"draining"}`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
