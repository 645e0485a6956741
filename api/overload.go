package api

import (
	"encoding/json"
	"html/template"
	"net/http"
	"strings"
	"time"

	"mianti/admission"
	"mianti/internal/fault"
)

// overloadProblems are those of too much at once.
func overloadProblems() map[string]problemText {
	return map[string]problemText{
		"overloaded": {title: "请求太多，这次没有受理", explanation: "同时到来的请求超过了系统能及时办理的数量，这一个没有受理，也没有做任何事。请按 Retry-After 所示的秒数等待后，用同一个 Idempotency-Key 重试，并减少同时发出的请求。先被拒绝的是请求最多的一方。"},
	}
}

func overloaded(wait time.Duration) *fault.Error {
	return fault.New(fault.Unavailable, "overloaded", "请求太多，这次没有受理，也没有做任何事。请 %s 秒后重试，并减少同时发出的请求。", seconds(wait)).After(wait)
}

// ClassOf says of which class a request is, and what it asks: by its address alone,
// without identifiers, so that requests of one kind take about as long as each other.
func ClassOf(r *http.Request) (class admission.Class, kind string) {
	path := r.URL.Path
	switch path {
	case "/healthz", "/readyz", "/metrics":
		return admission.Vital, path
	}
	first, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch first {
	case "v1":
		return classOfOperation(r.Method, rest)
	case "log", "overview", "batch":
		return admission.Bulk, r.Method + " " + first
	case "catalog":
		second, _, _ := strings.Cut(rest, "/")
		return admission.Bulk, r.Method + " " + first + " " + second
	case "clerk", "department", "my":
		second, below, _ := strings.Cut(rest, "/")
		return admission.Work, r.Method + " " + first + " " + second + " " + action(below)
	default: // tokens, sign-in, and what is for everybody
		return admission.Door, r.Method + " " + first
	}
}

// classOfOperation is that of what stands below /v1: COLLECTION/ID/ACTION.
func classOfOperation(method, rest string) (class admission.Class, kind string) {
	collection, below, _ := strings.Cut(rest, "/")
	kind = method + " " + collection + " " + action(below)
	switch collection {
	case "stops", "quotas", "alarms":
		return admission.Steering, kind
	case "revisions", "catalog-checks", "catalog-imports", "drafts", "figures", "log", "batches", "files", "sources", "findUsage", "dataset-uses":
		return admission.Bulk, kind
	case "me":
		if strings.HasPrefix(below, "export") {
			return admission.Bulk, kind
		}
	}
	return admission.Work, kind
}

// action is what follows an identifier, and whether there is one.
func action(below string) string {
	if below == "" {
		return ""
	}
	_, after, found := strings.Cut(below, "/")
	if !found {
		return "one"
	}
	name, _, _ := strings.Cut(after, "/")
	return name
}

// Overloaded gives what answers a request that is not let in: a problem, an error of
// the token endpoint, or a page for people. It writes nothing into the log.
func Overloaded(newID func() string) func(w http.ResponseWriter, r *http.Request, wait time.Duration) {
	s := &server{texts: problemTexts()}
	return func(w http.ResponseWriter, r *http.Request, wait time.Duration) {
		h, id := w.Header(), r.Header.Get("X-Request-Id")
		if !isRequestID(id) {
			id = newID()
		}
		h.Set("X-Request-Id", id)
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Retry-After", seconds(wait))
		var body any
		switch {
		case r.URL.Path == tokenPath || r.URL.Path == revokePath:
			h.Set("Content-Type", "application/json")
			body = &oauthError{Code: "temporarily_unavailable", Description: "too many requests at once, try again later"}
		case strings.Contains(r.Header.Get("Accept"), htmlType):
			busyPage(w, seconds(wait), id)
			return
		default:
			p := s.problemFor(overloaded(wait))
			p.Instance, p.RequestID = r.URL.EscapedPath(), id
			h.Set("Content-Type", problemType)
			body = p
		}
		text, err := json.Marshal(body)
		if err != nil {
			text = nil // the status still tells
		}
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write(text) // whoever does not read has gone
	}
}

// busyPage is for a browser, which tries again by itself.
func busyPage(w http.ResponseWriter, wait, id string) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = w.Write([]byte(`<!doctype html><html lang="zh-CN"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>请稍后重试</title>` +
		`<h1>现在访问的人太多</h1><p>您这次的请求没有办理，已有的数据没有改变。请 ` + wait + ` 秒后刷新重试。</p><p>请求编号：` + template.HTMLEscapeString(id) + `</p></html>`))
}
