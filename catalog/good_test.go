package catalog_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"mianti/catalog"
)

// good gives a copy of the small good catalog, to load or to break.
func good(t testing.TB) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	root := os.DirFS("testdata/good")
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(root, name)
		files[name] = &fstest.MapFile{Data: content}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func load(t testing.TB, files fs.FS) *catalog.Revision {
	t.Helper()
	r, err := catalog.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// faultsOf loads a catalog that must have faults.
func faultsOf(t testing.TB, files fs.FS) catalog.Faults {
	t.Helper()
	r, err := catalog.Load(files)
	var faults catalog.Faults
	if !errors.As(err, &faults) {
		t.Fatalf("Load error = %v, want faults", err)
	}
	if r != nil {
		t.Error("a catalog with faults was loaded all the same")
	}
	return faults
}

// edit replaces the one place of a file that reads old.
func edit(t testing.TB, files fstest.MapFS, name, old, replacement string) {
	t.Helper()
	text := string(files[name].Data)
	if strings.Count(text, old) != 1 {
		t.Fatalf("%s holds %q %d times, want once", name, old, strings.Count(text, old))
	}
	files[name] = &fstest.MapFile{Data: []byte(strings.Replace(text, old, replacement, 1))}
}

// lineOf gives the first line of a file that holds a text.
func lineOf(t testing.TB, files fstest.MapFS, name, text string) int {
	t.Helper()
	before, _, ok := strings.Cut(string(files[name].Data), text)
	if !ok {
		t.Fatalf("%s does not hold %q", name, text)
	}
	return strings.Count(before, "\n") + 1
}

// quote writes a text as a YAML scalar, by way of JSON.
func quote(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err) // a string can always be written
	}
	return string(quoted)
}
