package interchange_test

import (
	"archive/zip"
	"bytes"
	"io"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/catalog/interchange"
	"mianti/examples/jinan"
)

// shipped is the catalog that ships, with what an import is compared with.
type shipped struct {
	rev   *catalog.Revision
	files map[string][]byte
	base  *interchange.Base
}

func ship(t testing.TB) *shipped {
	t.Helper()
	s := &shipped{}
	var err error
	if s.rev, err = catalog.Load(jinan.Files); err == nil {
		s.files, err = catalog.Files(jinan.Files)
	}
	if err == nil {
		s.base, err = interchange.BaseOf(s.rev, s.files)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// export gives the sheets of these names in a format.
func (s *shipped) export(t testing.TB, format interchange.Format, names ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	files := func(each func(catalog.Part) error) error {
		for _, path := range slices.Sorted(maps.Keys(s.files)) {
			if err := each(catalog.Part{Path: path, Content: s.files[path]}); err != nil {
				return err
			}
		}
		return nil
	}
	if err := interchange.Export(&out, &interchange.Content{Ground: s.rev, Files: files}, format, names); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// taken imports a file.
func (s *shipped) taken(t testing.TB, content []byte) *interchange.Preview {
	t.Helper()
	p, err := interchange.Import(s.base, content, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestRoundTrip_ExportThenImportIsNoChange(t *testing.T) {
	t.Parallel()
	s := ship(t)
	for _, format := range []interchange.Format{interchange.XLSX, interchange.CSV, interchange.YAML} {
		p := s.taken(t, s.export(t, format))
		if p.Format != format || !p.OK() || len(p.Edits) > 0 || len(p.Notices) > 0 {
			t.Errorf("%s: format %s, errors %+v, edits %d %+v, notices %+v", format, p.Format, p.Errors, len(p.Edits), p.Changes, p.Notices)
		}
		rows := 0
		for _, c := range p.Sheets {
			if c.Same != c.Rows || c.Rows == 0 {
				t.Errorf("%s: %+v, want all the same", format, c)
			}
			rows += c.Rows
		}
		if rows < len(s.rev.Materials())+len(s.rev.Matters())+len(s.rev.Datasets()) {
			t.Errorf("%s: %d rows, fewer than the catalog has things", format, rows)
		}
	}
}

func TestRoundTrip_YAMLIsTheFilesByteForByte(t *testing.T) {
	t.Parallel()
	s := ship(t)
	packed := s.export(t, interchange.YAML)
	archive, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]byte{}
	for _, f := range archive.File {
		opened, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if got[f.Name], err = io.ReadAll(opened); err != nil {
			t.Fatal(err)
		}
	}
	want := map[string][]byte{}
	for path, content := range s.files {
		want["catalog/"+path] = content
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}
