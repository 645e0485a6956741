package wire

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/egress"
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
		{name: "JSON with a suffix", status: 200, kind: "application/problem+json", body: `{}`},
		{name: "JSON of another name", status: 200, kind: "text/json", body: `{}`, want: connectors.FaultMalformed},
		{name: "no type", status: 200, body: `{}`, want: connectors.FaultMalformed},
		{name: "empty", status: 200, kind: "application/json", want: connectors.FaultMalformed},
		{name: "compressed", status: 200, kind: "application/json", headers: map[string]string{"Content-Encoding": "gzip"}, want: connectors.FaultMalformed},
		{name: "created", status: 201, kind: "application/json", body: `{}`, want: connectors.FaultMalformed},
		{name: "nothing", status: 204, want: connectors.FaultMalformed},
		{name: "moved", status: 302, headers: map[string]string{"Location": "/elsewhere"}, want: connectors.FaultMalformed},
		{name: "bad request", status: 400, kind: "application/json", body: `{}`, want: connectors.FaultMalformed},
		{name: "unauthorized", status: 401, want: connectors.FaultRefused},
		{name: "forbidden", status: 403, want: connectors.FaultRefused},
		{name: "not found", status: 404, want: connectors.FaultMalformed},
		{name: "too many", status: 429, want: connectors.FaultBusy},
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
			_, err := newClient(t).Post(t.Context(), local(), url, struct{}{}, &into)
			wantFault(t, err, c.want)
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
	_, err := newClient(t).Post(t.Context(), local(), url, struct{}{}, new(any))
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
	_, err := newClient(t).Post(ctx, local(), url, struct{}{}, new(any))
	wantFault(t, err, connectors.FaultTimeout)
}

// TestOWASP_API7_ConnectsToNothingOutsideTheNetwork is server-side request forgery:
// an address of the catalog, or what it resolves to, leads only where its network may.
func TestOWASP_API7_ConnectsToNothingOutsideTheNetwork(t *testing.T) {
	t.Parallel()
	inside := listen(t, func(http.ResponseWriter, *http.Request) { t.Error("connected all the same") })
	named := strings.Replace(inside, "127.0.0.1", "localhost", 1)
	for _, c := range []struct {
		network catalog.Network
		url     string
	}{
		{catalog.NetworkPublic, inside},
		{catalog.NetworkPrivate, inside},
		{catalog.NetworkPublic, named}, // refused when it has been resolved
		{catalog.NetworkPrivate, named},
		{catalog.NetworkLocal, "http://10.0.0.1/"},
		{catalog.NetworkLocal, "http://0.0.0.0/"},
		{catalog.NetworkPrivate, "http://169.254.169.254/"},
		{catalog.NetworkPublic, "http://[::ffff:10.0.0.1]/"},
	} {
		q := local()
		q.Network = c.network
		_, err := newClient(t).Do(t.Context(), Call{Query: q, Method: http.MethodPost, URL: c.url})
		wantFault(t, err, connectors.FaultMisset)
		if !errors.Is(err, egress.ErrForbidden) {
			t.Errorf("%q %s: got %v", c.network, c.url, err)
		}
	}
}

func TestDo_RefusesAnAddressThatIsNone(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"", "://", "ftp://127.0.0.1/", "file:///etc/passwd", "http://127.0.0.1:0/\x7f", "http:127.0.0.1/", "http:///x",
		"http://user:word@127.0.0.1/", "http://127.0.0.1/#x", "http://2130706433/", "http://0x7f.1/", "http://127.1/",
	} {
		_, err := newClient(t).Do(t.Context(), Call{Query: local(), Method: http.MethodPost, URL: url})
		wantFault(t, err, connectors.FaultMisset)
	}
}

func TestDo_FollowsNoRedirect(t *testing.T) {
	t.Parallel()
	elsewhere := listen(t, func(http.ResponseWriter, *http.Request) { t.Error("followed") })
	for _, status := range []int{301, 302, 303, 307, 308} {
		url := listen(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere, status) })
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			_, err := newClient(t).Do(t.Context(), Call{Query: local(), Method: method, URL: url})
			wantFault(t, err, connectors.FaultMalformed)
		}
	}
}

func TestDo_SendsWhatTheCallSays(t *testing.T) {
	t.Parallel()
	var got *http.Request
	var body []byte
	url := listen(t, func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{}`)
	})
	answer, err := newClient(t).Do(t.Context(), Call{
		Query: local(), Method: http.MethodPut, URL: url + "a?b=c", ContentType: "text/x", Body: []byte("body"),
		Header: http.Header{"x-road-id": {"7"}, "Accept-Encoding": {"gzip"}, "User-Agent": {"other"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got.Method != http.MethodPut || got.RequestURI != "/a?b=c" || string(body) != "body" || string(answer.Body) != "{}" || answer.Size != 2 {
		t.Errorf("sent %s %s %q, got %+v", got.Method, got.RequestURI, body, answer)
	}
	for name, want := range map[string]string{
		"Content-Type": "text/x", "X-Road-Id": "7", "X-Request-Id": "q-1", "Accept": "application/json", "Accept-Encoding": "", "User-Agent": "mianti",
	} {
		if got := got.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestDo_SendsNoHeaderThatBreaksALine(t *testing.T) {
	t.Parallel()
	url := listen(t, func(http.ResponseWriter, *http.Request) { t.Error("sent all the same") })
	for _, value := range []string{"a\r\nX-Other: b", "a\nb", "a\x00"} {
		_, err := newClient(t).Do(t.Context(), Call{Query: local(), Method: http.MethodGet, URL: url, Header: http.Header{"X-A": {value}}})
		wantFault(t, err, connectors.FaultMisset)
	}
}

func TestDo_GivesTheAnswersThatTheCallerUnderstands(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, kind, body, want string
		status                 int
		accept                 []int
		fault                  connectors.FaultKind
	}{
		{name: "JSON", status: 404, accept: []int{400, 404}, kind: "application/json", body: `{"a":1}`, want: `{"a":1}`},
		{name: "a page", status: 404, accept: []int{404}, kind: "text/html", body: `<p>`},
		{name: "nothing", status: 404, accept: []int{404}},
		{name: "an error", status: 500, accept: []int{500}, kind: "application/json", body: `{}`, want: `{}`},
		{name: "another", status: 400, accept: []int{404}, kind: "application/json", body: `{}`, fault: connectors.FaultMalformed},
	} {
		url := listen(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = nil
			if c.kind != "" {
				w.Header().Set("Content-Type", c.kind)
			}
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, c.body)
		})
		answer, err := newClient(t).Do(t.Context(), Call{Query: local(), Method: http.MethodGet, URL: url, Accept: c.accept})
		wantFault(t, err, c.fault)
		if c.fault == "" && (answer.Status != c.status || string(answer.Body) != c.want || answer.Size != int64(len(c.body))) {
			t.Errorf("%s: got %+v", c.name, answer)
		}
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

// newClient goes by clock.
func newClient(t *testing.T) *Client {
	t.Helper()
	client := NewClient(Options{Now: clock})
	t.Cleanup(client.Close)
	return client
}

func clock() time.Time { return time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC) }

// local asks a source on this machine.
func local() connectors.Query {
	return connectors.Query{ID: "q-1", Network: catalog.NetworkLocal, Source: &catalog.Source{Code: "S"}}
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
