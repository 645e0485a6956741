package elicense_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/elicense"
	"mianti/connectors/wire"
)

const opened = `{"head":{"status":"0"},"data":{"url":"http://{host}/elicense/file/canary"}}`

func TestFile_IsGotOnceAndForTenMinutes(t *testing.T) {
	t.Parallel()
	p := newFiles(t)
	for _, c := range []struct {
		name  string
		later time.Duration
		want  error
	}{
		{"at once", 0, nil},
		{"just in time", 10*time.Minute - 1, nil},
		{"too late", 10 * time.Minute, elicense.ErrLinkOver},
	} {
		link := p.link(t)
		if want := p.now.Add(10 * time.Minute); !link.ExpiresAt.Equal(want) {
			t.Errorf("%s: open until %v, want %v", c.name, link.ExpiresAt, want)
		}
		p.now = p.now.Add(c.later)
		file, err := p.connector.File(t.Context(), p.query, link)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
		if err == nil {
			wantContent(t, file, "application/pdf", "%PDF-1.4")
		}
		if _, err := p.connector.File(t.Context(), p.query, link); !errors.Is(err, elicense.ErrLinkOver) {
			t.Errorf("%s: used again: %v", c.name, err)
		}
	}
	if n := p.got.Load(); n != 2 {
		t.Errorf("the link was followed %d times, want 2", n)
	}
	if _, err := p.connector.File(t.Context(), p.query, elicense.FileLink{ExpiresAt: p.now.Add(time.Hour)}); !errors.Is(err, elicense.ErrLinkOver) {
		t.Errorf("a link that was made up: %v", err)
	}
}

func TestFile_IsOfAKindInWhichLicencesCome(t *testing.T) {
	t.Parallel()
	const tooLarge = 20<<20 + 1
	for _, c := range []struct {
		name, kind, content string
		want                connectors.FaultKind
	}{
		{"pdf", "application/pdf", "%PDF-1.4", ""},
		{"ofd", "application/ofd", "PK\x03\x04", ""},
		{"png", "image/png", "\x89PNG\r\n\x1a\n", ""},
		{"as large as allowed", "application/ofd", "PK" + strings.Repeat("x", tooLarge-3), ""},
		{"a page", "text/html", "<script>", connectors.FaultMalformed},
		{"a page that says otherwise", "application/pdf", "<script>", connectors.FaultMalformed},
		{"a picture that says otherwise", "application/ofd", "\x89PNG\r\n\x1a\n", connectors.FaultMalformed},
		{"empty", "application/pdf", "", connectors.FaultMalformed},
		{"cut in its first bytes", "image/png", "\x89PN", connectors.FaultMalformed},
		{"too large", "application/ofd", "PK" + strings.Repeat("x", tooLarge-2), connectors.FaultMalformed},
	} {
		p := newFiles(t)
		p.kind, p.content = c.kind, c.content
		file, err := p.connector.File(t.Context(), p.query, p.link(t))
		t.Log(c.name)
		wantFault(t, err, c.want)
		if err == nil {
			wantContent(t, file, c.kind, c.content)
		}
	}
}

func TestFile_ThatIsTooLargeIsNotedWhileItIsRead(t *testing.T) {
	t.Parallel()
	p := newFiles(t)
	p.kind, p.content, p.chunked = "application/ofd", "PK"+strings.Repeat("x", 20<<20), true
	file, err := p.connector.File(t.Context(), p.query, p.link(t))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Body.Close()
	_, err = io.Copy(io.Discard, file.Body)
	wantFault(t, err, connectors.FaultMalformed)
}

func TestFileLink_LeadsNowhereElse(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"another host":     `{"head":{"status":"0"},"data":{"url":"http://elsewhere.example/file"}}`,
		"another port":     `{"head":{"status":"0"},"data":{"url":"http://127.0.0.1:1/file"}}`,
		"another protocol": `{"head":{"status":"0"},"data":{"url":"ftp://{host}/file"}}`,
		"with a user":      `{"head":{"status":"0"},"data":{"url":"http://{host}@elsewhere.example/file"}}`,
		"with our user":    `{"head":{"status":"0"},"data":{"url":"http://user@{host}/file"}}`,
		"a path":           `{"head":{"status":"0"},"data":{"url":"/file"}}`,
		"nowhere":          `{"head":{"status":"0"},"data":{}}`,
		"no file":          `{"head":{"status":"10"}}`,
	} {
		url := platform(t, map[string]string{"downloadUrl": body}, nil)
		_, err := newConnector(t).FileLink(t.Context(), query(url), identifier)
		t.Log(name)
		wantFault(t, err, connectors.FaultMalformed)
	}
}

func TestFile_StaysWithinTheNetwork(t *testing.T) {
	t.Parallel()
	p := newFiles(t)
	link := p.link(t)
	q := p.query
	q.Network = catalog.NetworkPublic
	_, err := p.connector.File(t.Context(), q, link)
	wantFault(t, err, connectors.FaultMisset)
	if n := p.got.Load(); n != 0 {
		t.Errorf("the link was followed %d times", n)
	}
}

func TestFileLink_SendsTheIdentifierAndWhy(t *testing.T) {
	t.Parallel()
	var got map[string]string
	url := platform(t, map[string]string{"downloadUrl": opened}, func(r *http.Request) {
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
	})
	q := query(url)
	q.Purpose = "办件核验"
	if _, err := newConnector(t).FileLink(t.Context(), q, identifier); err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got["certIdentifier"] != identifier || got["useCause"] != "办件核验" {
		t.Errorf("sent %v", got)
	}
}

func TestFileLink_IsRedactedInTextsAndLogs(t *testing.T) {
	t.Parallel()
	link := newFiles(t).link(t)
	var out bytes.Buffer
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "link", link)
	_, _ = fmt.Fprintf(&out, "%v %+v %#v %s", link, link, link, link)
	if strings.Contains(out.String(), "canary") {
		t.Errorf("the address can be seen in %s", out.String())
	}
}

// files is a platform that gives one file, and the clock of those who ask.
type files struct {
	connector *elicense.Connector
	query     connectors.Query
	now       time.Time
	got       atomic.Int64

	kind, content string
	chunked       bool
}

func newFiles(t *testing.T) *files {
	t.Helper()
	p := &files{now: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC), kind: "application/pdf", content: "%PDF-1.4"}
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	client := wire.NewClient(wire.Options{Now: func() time.Time { return p.now }})
	t.Cleanup(client.Close)
	p.connector, p.query = elicense.New(client), query(server.URL)
	return p
}

func (p *files) link(t *testing.T) elicense.FileLink {
	t.Helper()
	link, err := p.connector.FileLink(t.Context(), p.query, identifier)
	if err != nil {
		t.Fatal(err)
	}
	return link
}

func (p *files) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/elicense/downloadUrl" {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, strings.ReplaceAll(opened, "{host}", r.Host))
		return
	}
	if p.got.Add(1); r.Method != http.MethodGet || r.URL.Path != "/elicense/file/canary" {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", p.kind)
	if !p.chunked {
		w.Header().Set("Content-Length", strconv.Itoa(len(p.content)))
	}
	_, _ = io.WriteString(w, p.content)
}

func wantContent(t *testing.T, file *connectors.File, kind, content string) {
	t.Helper()
	defer file.Body.Close()
	text, err := io.ReadAll(file.Body)
	if err != nil || file.Type != kind || string(text) != content {
		t.Errorf("got %d bytes of %s, %v, want %d of %s", len(text), file.Type, err, len(content), kind)
	}
}
