package pgtest

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestNewFolder_RemovesThoseOfKilledTestBinaries(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	alive, err := newFolder(parent)
	if err != nil {
		t.Fatal(err)
	}
	killed, err := newFolder(parent)
	if err != nil {
		t.Fatal(err)
	}
	beingMade, foreign := filepath.Join(parent, folderPrefix+"new"), filepath.Join(parent, "other")
	for _, path := range []string{beingMade, foreign} {
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	// The kernel closes the files of a killed process.
	if err := killed.lock.Close(); err != nil {
		t.Fatal(err)
	}
	last, err := newFolder(parent)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{
		alive.path: true, last.path: true, beingMade: true, foreign: true, killed.path: false,
	} {
		_, err := os.Stat(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		if got := err == nil; got != want {
			t.Errorf("%s is there: %v, want %v", filepath.Base(path), got, want)
		}
	}
	for _, f := range []*folder{alive, last} {
		if err := f.remove(); err != nil {
			t.Error(err)
		}
	}
}
