package api_test

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mianti/catalog"
	"mianti/catalog/interchange"
	"mianti/exchange"
)

// oneFolder is the test catalog with its files, for every revision.
type oneFolder struct {
	exchange.Catalogs
	rev   *catalog.Revision
	files map[string][]byte
}

func (f *oneFolder) EachOneThing(_ context.Context, _ int, each func(*catalog.Revision) error) error {
	return each(f.rev)
}

func (f *oneFolder) Drafted(_ context.Context, _ int, edits []catalog.Edit, _ ...string) (*catalog.Drafted, error) {
	return interchange.Drafted(f.files, edits)
}

func (f *oneFolder) File(_ context.Context, _ int, path string) ([]byte, error) {
	return f.files[path], nil
}

func (f *oneFolder) EachFile(_ context.Context, _ int, each func(catalog.Part) error) error {
	for _, path := range slices.Sorted(maps.Keys(f.files)) {
		if err := each(catalog.Part{Path: path, Content: f.files[path]}); err != nil {
			return err
		}
	}
	return nil
}

// newInterchange has the files of the one revision.
func newInterchange(t *testing.T) *harness {
	t.Helper()
	h := newHarness(t)
	folder := &oneFolder{Catalogs: h.memory}
	var err error
	if folder.rev, err = h.memory.Current(t.Context()); err == nil {
		folder.files, err = catalog.Files(os.DirFS("testdata/catalog"))
	}
	if err != nil {
		t.Fatal(err)
	}
	h.config.Interchange = &interchange.Desk{Catalogs: folder, Files: folder, Address: issuer}
	return h.withPeople()
}

// sent sends a file as an editor.
func (h *harness) sent(target string, content []byte, kind string) *httptest.ResponseRecorder {
	return h.send(request(http.MethodPost, target, string(content), "Cookie", "who=policy_editor", "Content-Type", kind))
}

func (h *harness) exported(query string) *httptest.ResponseRecorder {
	return h.send(request(http.MethodGet, "/v1/revisions/1/export"+query, "", "Cookie", "who=policy_editor"))
}

type importAnswer struct {
	Revision   int
	Format     string
	Valid      bool
	ErrorCount int `json:"error_count"`
	Errors     []struct {
		Sheet, Column, Code, Remedy string
		Row                         int
	}
	Edits []struct {
		Kind, Code string
		Value      map[string]any
	}
	Changes []struct{ Code, Change string }
}

func TestInterchange_WhatIsExportedIsNoChangeWhenItComesBack(t *testing.T) {
	t.Parallel()
	h := newInterchange(t)
	for query, kind := range map[string]string{
		"": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "?format=csv": "application/zip", "?format=csv&kind=" + "%E6%9D%90%E6%96%99": "text/csv",
		"?format=yaml": "application/zip",
	} {
		w := h.exported(query)
		if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), kind) || !strings.HasPrefix(w.Header().Get("Content-Disposition"), "attachment") {
			t.Errorf("%s: %d %v %s", query, w.Code, w.Header(), w.Body)
			continue
		}
		var got importAnswer
		back := h.sent("/v1/catalog-imports", w.Body.Bytes(), kind)
		if decode(t, back, &got); back.Code != http.StatusOK || !got.Valid || len(got.Edits) != 0 || got.Revision != 1 {
			t.Errorf("%s comes back as %d %s", query, back.Code, back.Body)
		}
	}
}

func TestInterchange_GivesTheEditsOrEveryCellThatIsWrong(t *testing.T) {
	t.Parallel()
	h := newInterchange(t)
	var got importAnswer
	w := h.sent("/v1/catalog-imports", []byte("材料代码,材料名称\nS01.M1.b,改过的名称\n"), csvKind)
	if decode(t, w, &got); w.Code != http.StatusOK || !got.Valid || len(got.Edits) != 1 || got.Edits[0].Kind != "material" || got.Edits[0].Value["name"] != "改过的名称" || len(got.Changes) != 1 || got.Changes[0].Change != "changed" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	w = h.sent("/v1/catalog-imports", []byte("材料代码,来源渠道\nS01.M1.b,天上掉的\n"), csvKind)
	got = importAnswer{}
	decode(t, w, &got)
	if w.Code != http.StatusOK || got.Valid || len(got.Edits) != 0 || got.ErrorCount != 1 || got.Errors[0].Row != 2 || got.Errors[0].Column != "来源渠道" || got.Errors[0].Remedy == "" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	w = h.sent("/v1/catalog-imports", []byte("PK\x03\x04 cut off"), csvKind)
	got = importAnswer{}
	if decode(t, w, &got); w.Code != http.StatusOK || got.Valid || got.ErrorCount != 1 {
		t.Errorf("a cut off file: %d %s", w.Code, w.Body)
	}
}

const csvKind = "text/csv"

func TestInterchange_RefusesWhatCannotBeExported(t *testing.T) {
	t.Parallel()
	h := newInterchange(t)
	wantProblem(t, h.exported("?kind=nothing"), http.StatusUnprocessableEntity, "unknown-sheet")
	// Grants are not policy staff's to read.
	wantProblem(t, h.exported("?kind=%E6%8E%88%E6%9D%83"), http.StatusUnprocessableEntity, "unknown-sheet")
	wantProblem(t, h.send(request(http.MethodGet, "/v1/revisions/9/export", "", "Cookie", "who=policy_editor")), http.StatusNotFound, "no-such-revision")
	wantProblem(t, h.sent("/v1/catalog-imports?revision=9", []byte("a"), csvKind), http.StatusNotFound, "no-such-revision")
	wantProblem(t, h.send(request(http.MethodGet, "/v1/revisions/1/export", "", "Cookie", "who=clerk")), http.StatusForbidden, "not-your-duty")
}

// The npm package jsonld knows nothing of us: it reads the export as RDF, by the
// rules of JSON-LD 1.1 and in its safe mode, in which nothing may be lost.
func TestThirdParty_JSONLDReadsTheDatasets(t *testing.T) {
	t.Parallel()
	h := newInterchange(t)
	w := h.exported("?format=dcat")
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/ld+json" {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	file := filepath.Join(t.TempDir(), "catalog.jsonld")
	if err := os.WriteFile(file, w.Body.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	quads := string(runNode(t, "testdata/jsonld", "quads.mjs", file))
	rev, err := catalog.Load(os.DirFS("testdata/catalog"))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range rev.Datasets() {
		at := "<" + issuer + "/v1/datasets/" + d.Code + ">"
		name, err := json.Marshal(d.Name)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{
			at + " <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <http://www.w3.org/ns/dcat#Dataset> .\n",
			at + " <http://purl.org/dc/terms/title> " + string(name) + "@zh .\n",
			at + " <http://purl.org/dc/terms/publisher> <" + issuer + "/v1/departments/" + d.Department + "> .\n",
			at + " <http://purl.org/dc/terms/accessRights> <http://publications.europa.eu/resource/authority/access-right/",
			at + " <http://purl.org/dc/terms/accrualPeriodicity> <http://publications.europa.eu/resource/authority/frequency/",
		} {
			if !strings.Contains(quads, want) {
				t.Errorf("no statement %s", want)
			}
		}
	}
}
