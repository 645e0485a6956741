package pgtest

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// install makes a folder with programs by these names.
func install(t *testing.T, folder string, programs ...string) {
	t.Helper()
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, program := range programs {
		if err := os.WriteFile(filepath.Join(folder, program), nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

func notInPath(string) (string, error) { return "", exec.ErrNotFound }

func TestFindBinaries_TakesTheNewestCompleteVersion(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	install(t, filepath.Join(root, "9", "bin"), "initdb", "postgres")
	install(t, filepath.Join(root, "15", "bin"), "initdb", "postgres")
	install(t, filepath.Join(root, "17", "bin"), "psql") // the client alone
	got, err := findBinaries(notInPath, filepath.Join(root, "*", "bin"))
	if want := filepath.Join(root, "15", "bin"); err != nil || got != want {
		t.Errorf("findBinaries = %q, %v, want %q", got, err, want)
	}
}

func TestFindBinaries_PrefersPath(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	own := filepath.Join(root, "own")
	install(t, own, "initdb", "postgres")
	install(t, filepath.Join(root, "15", "bin"), "initdb", "postgres")
	lookPath := func(name string) (string, error) { return filepath.Join(own, name), nil }
	got, err := findBinaries(lookPath, filepath.Join(root, "*", "bin"))
	if err != nil || got != own {
		t.Errorf("findBinaries = %q, %v, want %q", got, err, own)
	}
}

func TestFindBinaries_SaysWhatToInstall(t *testing.T) {
	t.Parallel()
	_, err := findBinaries(notInPath, filepath.Join(t.TempDir(), "*", "bin"))
	if !errors.Is(err, errNotInstalled) {
		t.Fatalf("err = %v, want errNotInstalled", err)
	}
	for _, want := range []string{`"postgresql"`, `"make test"`, "-short"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("message %q does not name %s", err, want)
		}
	}
}

func TestServerLog_NoticesReadinessAcrossPieces(t *testing.T) {
	t.Parallel()
	log := &serverLog{message: readyMessage, ready: make(chan struct{})}
	for _, piece := range []string{"LOG:  database system is rea", "dy to accept connections\nLOG: ", "again: " + readyMessage + "\n"} {
		if _, err := log.Write([]byte(piece)); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case <-log.ready:
	default:
		t.Error("readiness was not noticed")
	}
	if got := log.String(); !strings.Contains(got, "again") {
		t.Errorf("log = %q, want both lines", got)
	}
}
