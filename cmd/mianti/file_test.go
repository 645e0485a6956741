package main

import (
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"mianti/catalog"
)

// TestFile_IsHadOnceAndBearsItsPurpose gets the file of a licence over HTTP from
// the platform's stand-in, which puts the purpose on it as a real one does.
func TestFile_IsHadOnceAndBearsItsPurpose(t *testing.T) {
	d, err := startDemo(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "file.db"), "127.0.0.1:0", quiet())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	r := resolveNamed(t, d, "S01-own-premises.yaml")
	c, err := d.as(t.Context(), "SPJ")
	if err != nil {
		t.Fatal(err)
	}
	asked := map[string]any{}
	for _, m := range r.Materials {
		if m.Mode == catalog.ModeElicense && m.Evidence != nil && m.Evidence.Reference != "" {
			asked = map[string]any{"material": m.Code, "party": m.Subject.Party}
		}
	}
	var link struct{ URL string }
	if err := c.call(t.Context(), http.MethodPost, "/v1/resolutions/"+r.ID+"/files", asked, &link); err != nil {
		t.Fatal(err)
	}
	path := link.URL[strings.Index(link.URL, "/v1/"):]
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, d.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != "application/pdf" ||
		answer.Header.Get("Content-Disposition") != `attachment; filename="licence.pdf"` {
		t.Fatalf("%s, %v, %v", answer.Status, answer.Header, err)
	}
	if text := string(content); !strings.HasPrefix(text, "%PDF-") || !strings.Contains(text, "办件"+r.CaseNumber) || !strings.Contains(text, "经办"+c.id) {
		t.Errorf("the file is %q, want a PDF that bears the case's number and who had it", text)
	}
	var p *problem
	if err := c.call(t.Context(), http.MethodGet, path, nil, nil); !errors.As(err, &p) || p.Status != http.StatusNotFound {
		t.Errorf("a second time: %v, want 404", err)
	}
}
