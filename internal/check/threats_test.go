package check

import (
	"go/ast"
	"regexp"
	"testing"
)

var namedTest = regexp.MustCompile("`((?:Test|Benchmark|Fuzz)[A-Z]\\w*)`")

// missingTests are the tests that a document names and no file declares.
func missingTests(document string, sources []source) []string {
	declared := map[string]bool{}
	for _, s := range sources {
		for _, d := range s.tree.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && s.isTest() {
				declared[f.Name.Name] = true
			}
		}
	}
	var missing []string
	for _, named := range namedTest.FindAllStringSubmatch(document, -1) {
		if !declared[named[1]] {
			missing = append(missing, "docs/threats.md: there is no "+named[1])
		}
	}
	return missing
}

func TestThreats_NameTestsThatExist(t *testing.T) {
	t.Parallel()
	document := read(t, "docs/threats.md")
	if n := len(namedTest.FindAllString(document, -1)); n < 50 {
		t.Errorf("docs/threats.md names %d tests, want one for each threat", n)
	}
	for _, fault := range missingTests(document, goSources(t)) {
		t.Error(fault)
	}
}

func TestMissingTests_FindsAPlantedName(t *testing.T) {
	t.Parallel()
	sources := []source{parse(t, "a/a_test.go", "package a\n\nfunc TestOne() {}\n"), parse(t, "a/b.go", "package a\n\nfunc TestTwo() {}\n")}
	wantFault(t, missingTests("| `TestOne` |", sources), "")
	wantFault(t, missingTests("| `TestTwo` |", sources), "no TestTwo") // which is no test
	wantFault(t, missingTests("| `BenchmarkNone` |", sources), "no BenchmarkNone")
}
