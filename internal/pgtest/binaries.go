package pgtest

import (
	"cmp"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
)

// debianPattern is where Debian and Ubuntu keep the server's programs, which
// they leave out of PATH.
const debianPattern = "/usr/lib/postgresql/*/bin"

var errNotInstalled = errors.New(
	"no PostgreSQL server on this machine: install the Debian package \"postgresql\" " +
		"(initdb and postgres must be in PATH or in " + debianPattern + ") and run \"make test\" again; " +
		"\"go test -short\" leaves these tests out")

// findBinaries gives the folder that holds initdb and postgres: that of PATH,
// else the newest that matches pattern.
func findBinaries(lookPath func(string) (string, error), pattern string) (string, error) {
	folders, err := filepath.Glob(pattern)
	if err != nil {
		return "", err
	}
	slices.SortFunc(folders, func(a, b string) int { return cmp.Compare(majorVersion(b), majorVersion(a)) })
	if program, err := lookPath("initdb"); err == nil {
		folders = slices.Insert(folders, 0, filepath.Dir(program))
	}
	for _, folder := range folders {
		if isProgram(filepath.Join(folder, "initdb")) && isProgram(filepath.Join(folder, "postgres")) {
			return filepath.Abs(folder)
		}
	}
	return "", errNotInstalled
}

// majorVersion reads the 15 of /usr/lib/postgresql/15/bin.
func majorVersion(folder string) int {
	version, err := strconv.Atoi(filepath.Base(filepath.Dir(folder)))
	if err != nil {
		return 0
	}
	return version
}

func isProgram(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// findInstalled looks at this machine.
func findInstalled() (string, error) { return findBinaries(exec.LookPath, debianPattern) }
