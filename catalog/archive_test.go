package catalog_test

import (
	"archive/zip"
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"mianti/catalog"
)

// packed makes an archive of files, below a folder.
func packed(t testing.TB, folder string, files fstest.MapFS) []byte {
	t.Helper()
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		w, err := archive.Create(folder + name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(files[name].Data); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestArchive_HoldsTheCatalogAtItsRootOrInOneFolder(t *testing.T) {
	t.Parallel()
	for _, folder := range []string{"", "jinan/"} {
		folderFS, faults := catalog.Archive(packed(t, folder, good(t)))
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		if got, want := load(t, folderFS).Digest, load(t, good(t)).Digest; got != want {
			t.Errorf("%q: another catalog came out", folder)
		}
	}
}

func TestArchive_RefusesWhatIsNoneOrTooLarge(t *testing.T) {
	t.Parallel()
	whole := packed(t, "", good(t))
	bomb := fstest.MapFS{"catalog.yaml": {Data: make([]byte, 65<<20)}}
	many := fstest.MapFS{}
	for i := range 2001 {
		many["one-things/"+strings.Repeat("a", i/100+1)+string(rune('a'+i%26))+string(rune('a'+i/26%26))+string(rune('a'+i/676))+".yaml"] = &fstest.MapFile{}
	}
	for name, c := range map[string]struct {
		data []byte
		code string
	}{
		"empty": {nil, "bad-archive"}, "truncated": {whole[:len(whole)/2], "bad-archive"}, "text": {[]byte("format: mianti-catalog/1"), "bad-archive"},
		"bomb": {packed(t, "", bomb), "too-large"}, "many files": {packed(t, "", many), "too-large"},
		"something else": {packed(t, "", fstest.MapFS{"readme.txt": {}}), "missing-file"},
		"deeper":         {packed(t, "a/b/", good(t)), "missing-file"},
	} {
		if _, faults := catalog.Archive(c.data); len(faults) != 1 || faults[0].Code != c.code || faults[0].Reason == "" {
			t.Errorf("%s: %v, want %s", name, faults, c.code)
		}
	}
}
