package wire

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"mianti/connectors"
)

func TestStream_GivesAFileUpToItsLimit(t *testing.T) {
	t.Parallel()
	const limit = 1 << 16
	for _, c := range []struct {
		name    string
		size    int
		chunked bool
		want    connectors.FaultKind
	}{
		{"empty", 0, false, ""},
		{"as large as allowed", limit, false, ""},
		{"as large as allowed, in parts", limit, true, ""},
		{"too large", limit + 1, false, connectors.FaultMalformed},
		{"too large, in parts", limit + 1, true, connectors.FaultMalformed},
	} {
		url := listen(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/pdf; x=y")
			if c.chunked {
				_ = http.NewResponseController(w).Flush()
			}
			_, _ = io.WriteString(w, strings.Repeat("x", c.size))
		})
		size, err := readStream(t, t.Context(), url, limit)
		wantFault(t, err, c.want)
		if size > limit || c.want == "" && size != c.size {
			t.Errorf("%s: got %d bytes", c.name, size)
		}
	}
}

func TestStream_RefusesWhatIsNoFile(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		status  int
		headers map[string]string
		want    connectors.FaultKind
	}{
		{"gone", 410, map[string]string{"Content-Type": "text/plain"}, connectors.FaultMalformed},
		{"moved", 302, map[string]string{"Location": "/elsewhere"}, connectors.FaultMalformed},
		{"forbidden", 403, nil, connectors.FaultRefused},
		{"out of order", 503, nil, connectors.FaultDown},
		{"without a type", 200, nil, connectors.FaultMalformed},
		{"compressed", 200, map[string]string{"Content-Type": "application/pdf", "Content-Encoding": "gzip"}, connectors.FaultMalformed},
	} {
		url := listen(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = nil
			for name, value := range c.headers {
				w.Header().Set(name, value)
			}
			w.WriteHeader(c.status)
		})
		_, err := readStream(t, t.Context(), url, 10)
		t.Log(c.name)
		wantFault(t, err, c.want)
	}
}

func TestStream_EndsWithItsContext(t *testing.T) {
	t.Parallel()
	url := listen(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/pdf")
		_, _ = io.WriteString(w, "%PDF")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := readStream(t, ctx, url, 10)
	wantFault(t, err, connectors.FaultTimeout)
}

func readStream(t *testing.T, ctx context.Context, url string, limit int64) (int, error) {
	t.Helper()
	client := newClient(t)
	stream, err := client.Stream(ctx, Call{Query: local(), Method: http.MethodGet, URL: url}, limit)
	if err != nil {
		return 0, err
	}
	text, err := io.ReadAll(stream.Body)
	if stream.Type != "application/pdf" {
		t.Errorf("the type is %q", stream.Type)
	}
	for range 2 { // to close twice does no harm
		_ = stream.Body.Close()
	}
	for _, p := range client.pools {
		if p.users != 0 {
			t.Errorf("%d use the pool on", p.users)
		}
	}
	return len(text), err
}
