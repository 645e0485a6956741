package wire

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"mianti/connectors"
)

func TestPost_TakesOnlyA200WithJSON(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name    string
		status  int
		kind    string
		body    string
		want    connectors.FaultKind
		headers map[string]string
	}{
		{name: "JSON", status: 200, kind: "application/json", body: `{}`},
		{name: "JSON in UTF-8", status: 200, kind: "application/json; charset=UTF-8", body: `{}`},
		{name: "JSON in GBK", status: 200, kind: "application/json; charset=gbk", body: `{}`, want: connectors.FaultMalformed},
		{name: "a page", status: 200, kind: "text/html", body: `{}`, want: connectors.FaultMalformed},
		{name: "no type", status: 200, body: `{}`, want: connectors.FaultMalformed},
		{name: "compressed", status: 200, kind: "application/json", headers: map[string]string{"Content-Encoding": "gzip"}, want: connectors.FaultMalformed},
		{name: "created", status: 201, kind: "application/json", body: `{}`, want: connectors.FaultMalformed},
		{name: "nothing", status: 204, want: connectors.FaultMalformed},
		{name: "moved", status: 302, headers: map[string]string{"Location": "/elsewhere"}, want: connectors.FaultMalformed},
		{name: "bad request", status: 400, kind: "application/json", body: `{}`, want: connectors.FaultMalformed},
		{name: "unauthorized", status: 401, want: connectors.FaultRefused},
		{name: "forbidden", status: 403, want: connectors.FaultRefused},
		{name: "not found", status: 404, want: connectors.FaultMalformed},
		{name: "too many", status: 429, want: connectors.FaultDown},
		{name: "error", status: 500, want: connectors.FaultDown},
		{name: "unavailable", status: 503, want: connectors.FaultDown},
		{name: "long header", status: 200, kind: "application/json", body: `{}`, headers: map[string]string{"X-Long": strings.Repeat("x", 2*maxHeader)}, want: connectors.FaultDown},
		{name: "as large as allowed", status: 200, kind: "application/json", body: `"` + strings.Repeat("x", maxBody-2) + `"`},
		{name: "too large", status: 200, kind: "application/json", body: `"` + strings.Repeat("x", maxBody-1) + `"`, want: connectors.FaultMalformed},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			url := listen(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/" {
					t.Error("a redirect was followed")
				}
				w.Header()["Content-Type"] = nil
				if c.kind != "" {
					w.Header().Set("Content-Type", c.kind)
				}
				for name, value := range c.headers {
					w.Header().Set(name, value)
				}
				w.WriteHeader(c.status)
				if c.headers["Content-Encoding"] != "" {
					z := gzip.NewWriter(w)
					_, _ = io.WriteString(z, `{}`)
					_ = z.Close()
				}
				_, _ = io.WriteString(w, c.body)
			})
			var into any
			wantFault(t, NewClient(Options{}).Post(t.Context(), url, "q-1", struct{}{}, &into), c.want)
		})
	}
}

func TestPost_QuotesNothingThatTheSourceSent(t *testing.T) {
	t.Parallel()
	const secret = "370199198805163315"
	url := listen(t, func(w http.ResponseWriter, _ *http.Request) {
		connection, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.WriteString(connection, secret+" "+secret+"\r\n\r\n")
		_ = connection.Close()
	})
	err := NewClient(Options{}).Post(t.Context(), url, "q-1", struct{}{}, new(any))
	wantFault(t, err, connectors.FaultDown)
	if strings.Contains(err.Error(), secret) {
		t.Errorf("the fault quotes the source: %v", err)
	}
}

func TestPost_EndsADripAtTheDeadline(t *testing.T) {
	t.Parallel()
	url := listen(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"a":`)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	wantFault(t, NewClient(Options{}).Post(ctx, url, "q-1", struct{}{}, new(any)), connectors.FaultTimeout)
}

func TestPost_AsksDialControlBeforeItConnects(t *testing.T) {
	t.Parallel()
	url := listen(t, func(http.ResponseWriter, *http.Request) { t.Error("connected all the same") })
	client := NewClient(Options{DialControl: func(string, string, syscall.RawConn) error { return errors.New("forbidden") }})
	wantFault(t, client.Post(t.Context(), url, "q-1", struct{}{}, new(any)), connectors.FaultDown)
}

func TestPost_RefusesAnAddressThatIsNone(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "://", "ftp://127.0.0.1/", "http://127.0.0.1:0/\x7f"} {
		wantFault(t, NewClient(Options{}).Post(t.Context(), url, "q-1", struct{}{}, new(any)), connectors.FaultDown)
	}
}

func TestStatusText_KeepsOnlyShortCodes(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{
		"9001": "status 9001", "E-12_a": "status E-12_a", "": "an unknown status",
		"370199198805163315": "an unknown status", "王建国": "an unknown status", "a b": "an unknown status",
	} {
		if got := StatusText(code); got != want {
			t.Errorf("StatusText(%q) is %q, want %q", code, got, want)
		}
	}
}

func listen(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL + "/"
}

func wantFault(t *testing.T, err error, want connectors.FaultKind) {
	t.Helper()
	if want == "" {
		if err != nil {
			t.Errorf("got %v, want no fault", err)
		}
		return
	}
	var fault *connectors.Fault
	if !errors.As(err, &fault) || fault.Kind != want {
		t.Errorf("got %v, want fault %s", err, want)
	}
}
