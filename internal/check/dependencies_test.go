package check

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// requirement is one line of go.mod.
type requirement struct {
	module   string
	indirect bool
}

// requirements reads the modules that a go.mod requires.
func requirements(gomod string) []requirement {
	var all []requirement
	inBlock := false
	for line := range strings.Lines(gomod) {
		fields := strings.Fields(line)
		switch {
		case len(fields) >= 2 && fields[0] == "require" && fields[1] == "(":
			inBlock = true
			continue
		case len(fields) > 0 && fields[0] == ")":
			inBlock = false
		case len(fields) >= 3 && fields[0] == "require":
			fields = fields[1:]
		case !inBlock:
			continue
		}
		if len(fields) >= 2 {
			all = append(all, requirement{fields[0], strings.HasSuffix(strings.TrimSpace(line), "// indirect")})
		}
	}
	return all
}

// directModules are those that our sources import, and those that go.mod says
// so of.
func directModules(all []requirement, sources []source) []string {
	var direct []string
	for _, r := range all {
		if !r.indirect {
			direct = append(direct, r.module)
		}
	}
	for _, s := range sources {
		for _, spec := range s.tree.Imports {
			if m := moduleOf(all, importPath(spec)); m != "" {
				direct = append(direct, m)
			}
		}
	}
	slices.Sort(direct)
	return slices.Compact(direct)
}

// moduleOf gives the module of an imported package: the longest that fits.
func moduleOf(all []requirement, imported string) string {
	longest := ""
	for _, r := range all {
		if (imported == r.module || strings.HasPrefix(imported, r.module+"/")) && len(r.module) > len(longest) {
			longest = r.module
		}
	}
	return longest
}

// dependencyFaults holds the modules against the table of the document: module,
// what for, why this one, licence.
func dependencyFaults(all []requirement, direct []string, document string) []string {
	var faults []string
	listed := map[string]bool{}
	for _, cells := range tableRows(document) {
		listed[cells[0]] = true
		if len(cells) != 4 || slices.Contains(cells, "") {
			faults = append(faults, fmt.Sprintf("dependencies.md: %s wants four filled cells", cells[0]))
		}
		if !slices.ContainsFunc(all, func(r requirement) bool { return r.module == cells[0] }) {
			faults = append(faults, fmt.Sprintf("dependencies.md: go.mod does not require %s", cells[0]))
		}
	}
	for _, m := range direct {
		if !listed[m] {
			faults = append(faults, fmt.Sprintf("dependencies.md: no row for %s", m))
		}
	}
	return faults
}

func TestDependencies_AreExplained(t *testing.T) {
	t.Parallel()
	all := requirements(read(t, "go.mod"))
	direct := directModules(all, goSources(t))
	if len(direct) == 0 {
		t.Fatal("found no direct dependency: the search is broken")
	}
	for _, fault := range dependencyFaults(all, direct, read(t, "docs/decisions/dependencies.md")) {
		t.Error(fault)
	}
}

func TestDependencyFaults_FindsPlantedFaults(t *testing.T) {
	t.Parallel()
	const gomod = "module m\n\nrequire one.example/a v1.0.0\n\nrequire (\n\ttwo.example/b/v2 v2.0.0 // indirect\n\ttwo.example/b v1.0.0 // indirect\n)\n\ntool x.example/y\n"
	const first = "| one.example/a | a | it is | MIT |\n"
	for _, c := range []struct{ rule, text, document, want string }{
		{"explained", "package api", first, ""},
		{"not explained", "package api", "", "no row for one.example/a"},
		{"imported without a row", "package api; import _ \"two.example/b/v2/sub\"", first, "no row for two.example/b/v2"},
		{"a cell is empty", "package api", "| one.example/a | a | | MIT |\n", "four filled cells"},
		{"not required", "package api", first + "| three.example/c | c | it was | MIT |\n", "does not require three.example/c"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			t.Parallel()
			all := requirements(gomod)
			direct := directModules(all, []source{parse(t, "api/a.go", c.text)})
			wantFault(t, dependencyFaults(all, direct, c.document), c.want)
		})
	}
}
