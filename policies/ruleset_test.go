package policies_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mianti/policies"
)

// TestRuleset_NamesTheSources computes the digest that the ruleset must name: of
// the package's sources in the order of their names, but for the one that holds
// the name and the tests.
func TestRuleset_NamesTheSources(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(files)
	sum := sha256.New()
	for _, file := range files {
		if file == "ruleset.go" || strings.HasSuffix(file, "_test.go") {
			continue
		}
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		sum.Write(content)
	}
	date, _, _ := strings.Cut(policies.Ruleset, "+")
	if want := date + "+" + hex.EncodeToString(sum.Sum(nil))[:12]; policies.Ruleset != want {
		t.Errorf("the rules have changed: put %q into ruleset.go, with today's date before the plus if a decision can come out differently", want)
	}
}
