package check

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// forbidden are texts that no file of the repository holds: they are true on
// one machine only. The patterns are put together here so that this file does
// not hold them itself.
func forbidden() []*regexp.Regexp {
	hosts := []string{
		"proxy.golang" + ".org", "sum.golang" + ".org", "goproxy" + ".cn", "goproxy" + ".io",
		"registry.npmjs" + ".org", "registry.npmmirror" + ".com", "registry.yarnpkg" + ".com",
		"pypi" + ".org", "deb.debian" + ".org",
	}
	return []*regexp.Regexp{
		regexp.MustCompile(`(?m)(^|[^\w./-])/(work|root|tmp|home)/`),
		regexp.MustCompile(strings.ReplaceAll(strings.Join(hosts, "|"), ".", `\.`)),
	}
}

// wordFaults finds forbidden texts in a file.
func wordFaults(name string, text []byte) []string {
	var faults []string
	for _, pattern := range forbidden() {
		for _, at := range pattern.FindAllIndex(text, -1) {
			line := 1 + bytes.Count(text[:at[0]], []byte("\n"))
			faults = append(faults, fmt.Sprintf("%s:%d: holds %q, which is true on one machine only", name, line, text[at[0]:at[1]]))
		}
	}
	return faults
}

func TestFiles_HoldNothingOfOneMachine(t *testing.T) {
	t.Parallel()
	for _, name := range files(t) {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.IndexByte(text, 0) >= 0 {
			continue // not a text
		}
		for _, fault := range wordFaults(name, text) {
			t.Error(fault)
		}
	}
}

func TestWordFaults_FindsPlantedFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want string }{
		{"cd " + "/" + "work/main", "machine only"},
		{"\n" + "/" + "root/go", "a:1: holds"},
		{"`" + "/" + "tmp/x.db`", "machine only"},
		{"GOPROXY=https://proxy.golang" + ".org", "proxy.golang"},
		{"https://example.org" + "/" + "work/1", ""},
		{"the folder network/x and ./" + "tmp/x", ""},
		{"proxy-golang-org", ""},
	} {
		wantFault(t, wordFaults("a", []byte(c.text)), c.want)
	}
}
