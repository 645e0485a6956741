package check

import (
	"fmt"
	"go/ast"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// setting is an environment variable, with its default if the sources say one.
type setting struct{ name, fallback string }

// settings finds the environment variables that the commands read: in the tags
// from which the command line is built, and in any other text.
func settings(sources []source) []setting {
	found := map[string]string{}
	for _, s := range sources {
		if s.isTest() || !strings.HasPrefix(s.dir(), "cmd/") {
			continue
		}
		ast.Inspect(s.tree, func(n ast.Node) bool {
			literal, ok := n.(*ast.BasicLit)
			if !ok {
				return true
			}
			for _, name := range regexp.MustCompile(`MIANTI_[A-Z_]*[A-Z]`).FindAllString(literal.Value, -1) {
				found[name] += "" // seen
			}
			if text, err := strconv.Unquote(literal.Value); err == nil {
				tag := reflect.StructTag(text)
				if name := tag.Get("env"); name != "" {
					found[name] = tag.Get("default")
				}
			}
			return true
		})
	}
	var all []setting
	for _, name := range slices.Sorted(maps.Keys(found)) {
		all = append(all, setting{name, found[name]})
	}
	return all
}

// configurationFaults holds the variables against the table of the document.
func configurationFaults(all []setting, document string) []string {
	var faults []string
	rows := map[string]string{}
	for _, cells := range tableRows(document) {
		if strings.HasPrefix(cells[0], "MIANTI_") {
			rows[cells[0]] = strings.Join(cells[1:], "|")
		}
	}
	for _, s := range all {
		row, listed := rows[s.name]
		switch {
		case !listed:
			faults = append(faults, fmt.Sprintf("docs/configuration.md: no row for %s", s.name))
		case !strings.Contains(row, s.fallback):
			faults = append(faults, fmt.Sprintf("docs/configuration.md: %s: the default is %s", s.name, s.fallback))
		}
		delete(rows, s.name)
	}
	for _, name := range slices.Sorted(maps.Keys(rows)) {
		faults = append(faults, fmt.Sprintf("docs/configuration.md: no command reads %s", name))
	}
	return faults
}

func TestConfiguration_ListsEveryVariable(t *testing.T) {
	t.Parallel()
	all := settings(goSources(t))
	if len(all) == 0 {
		t.Fatal("found no variable in cmd: the search is broken")
	}
	for _, fault := range configurationFaults(all, read(t, "docs/configuration.md")) {
		t.Error(fault)
	}
}

func TestConfigurationFaults_FindsPlantedFaults(t *testing.T) {
	t.Parallel()
	const tagged = "package main; type s struct { A string `env:\"MIANTI_A\" default:\"8s\"` }"
	for _, c := range []struct{ rule, name, text, document, want string }{
		{"listed", "cmd/mianti/a.go", tagged, "| `MIANTI_A` | `8s` | how long |", ""},
		{"not listed", "cmd/mianti/a.go", tagged, "", "no row for MIANTI_A"},
		{"another default", "cmd/mianti/a.go", tagged, "| `MIANTI_A` | `9s` | how long |", "the default is 8s"},
		{"read by hand", "cmd/mianti/a.go", "package main; const a = \"MIANTI_B\"", "", "no row for MIANTI_B"},
		{"read by nobody", "cmd/mianti/a.go", "package main", "| `MIANTI_C` | – | gone |", "no command reads MIANTI_C"},
		{"in a test", "cmd/mianti/a_test.go", tagged, "", ""},
	} {
		t.Run(c.rule, func(t *testing.T) {
			t.Parallel()
			wantFault(t, configurationFaults(settings([]source{parse(t, c.name, c.text)}), c.document), c.want)
		})
	}
}
