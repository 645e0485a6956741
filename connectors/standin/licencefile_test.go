package standin_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mianti/connectors/standin"
)

func copyAll(w io.Writer, r io.Reader) (int64, error) { return io.Copy(w, r) }

// clocked is a server whose clock the test moves.
func clocked(t *testing.T) (base string, move func(time.Duration)) {
	t.Helper()
	var moved atomic.Int64
	server, err := standin.New(standin.Options{
		Catalog: smallCatalog(), Population: smallPopulation(),
		Today: func() time.Time { return today().Add(time.Duration(moved.Load())) },
	})
	if err != nil {
		t.Fatal(err)
	}
	listener := httptest.NewServer(server)
	t.Cleanup(listener.Close)
	return listener.URL, func(d time.Duration) { moved.Add(int64(d)) }
}

func linkOf(t *testing.T, base string) string {
	t.Helper()
	identifier := findLicence(t, base, "王建国", "370199198805163315")[0]
	_, body := post(t, base+"/AA/elicense/downloadUrl", map[string]string{"certIdentifier": identifier, "useCause": "x"})
	var answer struct {
		Data struct{ URL string }
	}
	if err := json.Unmarshal(body, &answer); err != nil || !strings.HasPrefix(answer.Data.URL, base+"/") {
		t.Fatalf("link %s", body)
	}
	return answer.Data.URL
}

func TestLink_WorksOnceAndForTenMinutes(t *testing.T) {
	t.Parallel()
	base, move := clocked(t)
	once := linkOf(t, base)
	if answer, text := call(t, http.MethodGet, once, nil, ""); answer.StatusCode != http.StatusOK || !strings.HasPrefix(text, "%PDF-") || strings.Contains(text, "370199") {
		t.Errorf("first: status %d: %q", answer.StatusCode, text)
	}
	if answer, _ := call(t, http.MethodGet, once, nil, ""); answer.StatusCode != http.StatusGone {
		t.Errorf("second: status %d", answer.StatusCode)
	}
	intime, late := linkOf(t, base), linkOf(t, base)
	move(10 * time.Minute)
	if answer, _ := call(t, http.MethodGet, intime, nil, ""); answer.StatusCode != http.StatusOK {
		t.Errorf("after ten minutes: status %d", answer.StatusCode)
	}
	move(time.Second)
	if answer, _ := call(t, http.MethodGet, late, nil, ""); answer.StatusCode != http.StatusGone {
		t.Errorf("after more than ten minutes: status %d", answer.StatusCode)
	}
}

func TestDownload_GivesTheFileInItsKind(t *testing.T) {
	t.Parallel()
	_, base := newServer(t, 0)
	identifier := findLicence(t, base, "王建国", "370199198805163315")[0]
	for kind, want := range map[string][2]string{
		"pdf": {"application/pdf", "%PDF-"}, "png": {"image/png", "\x89PNG"}, "ofd": {"application/ofd", "PK"},
	} {
		body := `{"certIdentifier":"` + identifier + `","fileType":"` + kind + `","useCause":"x"}`
		answer, text := call(t, http.MethodPost, base+"/AA/elicense/downloadFile", nil, body)
		if answer.Header.Get("Content-Type") != want[0] || !strings.HasPrefix(text, want[1]) {
			t.Errorf("%s: %s: %q", kind, answer.Header.Get("Content-Type"), text)
		}
	}
	for name, body := range map[string]string{
		"102": `{"certIdentifier":"` + identifier + `","fileType":"exe","useCause":"x"}`,
		"10":  `{"certIdentifier":"1.2.156.3005.2.x","fileType":"pdf","useCause":"x"}`,
		"12":  `{"certIdentifier":"` + identifier + `","fileType":"pdf","useCause":" "}`,
	} {
		if _, text := call(t, http.MethodPost, base+"/AA/elicense/downloadFile", nil, body); !strings.Contains(text, `"status":"`+name+`"`) {
			t.Errorf("want status %s: %s", name, text)
		}
	}
}
