package check

import (
	"fmt"
	"go/ast"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// read gives the text of a file of the repository.
func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// tableRows gives the cells of every row of the Markdown tables of a text,
// without the heads and the code marks.
func tableRows(markdown string) [][]string {
	var rows [][]string
	for line := range strings.Lines(markdown) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "|") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.ReplaceAll(strings.TrimSpace(cells[i]), "`", "")
		}
		if strings.Trim(cells[0], "-: ") == "" && len(rows) > 0 {
			rows = rows[:len(rows)-1] // what stood above the rule was the head
			continue
		}
		rows = append(rows, cells)
	}
	return rows
}

// packageCommentFaults finds packages that nothing introduces.
func packageCommentFaults(sources []source) []string {
	introduced := map[string]bool{}
	for _, s := range sources {
		want := "Package " + s.tree.Name.Name + " "
		if s.tree.Name.Name == "main" {
			want = "Command " + path.Base(s.dir()) + " "
		}
		has := !s.isTest() && s.tree.Doc != nil && strings.HasPrefix(s.tree.Doc.Text(), want)
		introduced[s.dir()] = introduced[s.dir()] || has
	}
	var faults []string
	for dir, ok := range introduced {
		if !ok {
			faults = append(faults, fmt.Sprintf("%s: no package comment that begins with \"Package x …\" or \"Command x …\"", dir))
		}
	}
	slices.Sort(faults)
	return faults
}

func TestPackages_HaveAComment(t *testing.T) {
	t.Parallel()
	for _, fault := range packageCommentFaults(goSources(t)) {
		t.Error(fault)
	}
}

func TestPackageCommentFaults_FindsPlantedFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ rule, name, text, want string }{
		{"a comment", "ledger/a.go", "// Package ledger records.\npackage ledger", ""},
		{"none", "ledger/a.go", "package ledger", "ledger: no package comment"},
		{"of another package", "ledger/a.go", "// Package store keeps.\npackage ledger", "ledger: no package comment"},
		{"in a test only", "ledger/a_test.go", "// Package ledger records.\npackage ledger", "ledger: no package comment"},
		{"a command", "cmd/mianti/a.go", "// Command mianti is all.\npackage main", ""},
	} {
		t.Run(c.rule, func(t *testing.T) {
			t.Parallel()
			wantFault(t, packageCommentFaults([]source{parse(t, c.name, c.text)}), c.want)
		})
	}
}

// folderFaults finds packages that the architecture does not mention.
func folderFaults(sources []source, architecture string) []string {
	explained := map[string]bool{}
	for _, cells := range tableRows(architecture) {
		for folder := range strings.SplitSeq(cells[0], ", ") {
			explained[folder] = true
		}
	}
	var faults []string
	for _, s := range sources {
		if !explained[s.dir()] {
			explained[s.dir()] = true // once is enough
			faults = append(faults, fmt.Sprintf("docs/architecture.md: no row for %s", s.dir()))
		}
	}
	return faults
}

func TestArchitecture_ExplainsEveryFolder(t *testing.T) {
	t.Parallel()
	for _, fault := range folderFaults(goSources(t), read(t, "docs/architecture.md")) {
		t.Error(fault)
	}
}

func TestFolderFaults_FindsPlantedFaults(t *testing.T) {
	t.Parallel()
	sources := []source{
		parse(t, "connectors/soap/a.go", "package soap"), parse(t, "connectors/soap/b.go", "package soap"),
		parse(t, "connectors/httpjson/a.go", "package httpjson"),
	}
	const architecture = "| `connectors/httpjson`, `connectors/elicense` | two kinds | connectors |\n"
	wantFault(t, folderFaults(sources, architecture), "no row for connectors/soap")
}

// technicalTypes are exported types that are no word of the domain: they hold
// the program together, and an official would never say them.
func technicalTypes() []string {
	return []string{
		"catalog.PlanInput", "catalog.PlannedMatter", "catalog.MissingParty", "catalog.FieldType", "catalog.FactType",
		"catalog.Condition", "catalog.CheckInput", "catalog.CheckResult", "catalog.Fault", "catalog.Faults", "exchange.Config", "exchange.Catalogs", "exchange.Cases", "exchange.Resolutions",
		"exchange.Journal", "exchange.Grants", "exchange.Submissions", "exchange.SubjectRef", "policies.Grants",
		"exchange.Keys", "exchange.EvidenceSigner", "exchange.Versions", "exchange.Systems", "exchange.Assists", "exchange.AssistFilter", "catalog.SourceCheck", "catalog.SourceFault", "catalog.NamedRef",
		"sharing.Config", "sharing.Catalogs", "sharing.Requests", "sharing.Grants", "sharing.Filter", "sharing.GrantFilter", "sharing.Event", "sharing.GrantEvent",
	}
}

// exportedTypes names the exported types of some packages, as "catalog.Matter".
func exportedTypes(sources []source, packages ...string) []string {
	var names []string
	for _, s := range sources {
		if s.isTest() || !slices.Contains(packages, s.dir()) {
			continue
		}
		for _, declared := range s.tree.Decls {
			general, ok := declared.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range general.Specs {
				if named, ok := spec.(*ast.TypeSpec); ok && named.Name.IsExported() {
					names = append(names, s.dir()+"."+named.Name.Name)
				}
			}
		}
	}
	slices.Sort(names)
	return names
}

// glossaryFaults finds types without a word, words without Chinese, and
// exceptions that are none any more.
func glossaryFaults(types, technical []string, glossary string) []string {
	var faults []string
	words := map[string]bool{}
	for _, cells := range tableRows(glossary) {
		for word := range strings.SplitSeq(cells[0], ", ") {
			words[word] = true
		}
		if len(cells) < 3 || !strings.ContainsFunc(cells[1], isHan) {
			faults = append(faults, fmt.Sprintf("docs/glossary.md: %s has no Chinese term", cells[0]))
		}
	}
	for _, name := range types {
		_, word, _ := strings.Cut(name, ".")
		if !words[word] && !slices.Contains(technical, name) {
			faults = append(faults, fmt.Sprintf("docs/glossary.md: no row for %s", name))
		}
	}
	for _, name := range technical {
		if !slices.Contains(types, name) {
			faults = append(faults, fmt.Sprintf("technicalTypes: there is no %s", name))
		}
	}
	return faults
}

func isHan(r rune) bool { return unicode.Is(unicode.Han, r) }

func TestGlossary_KnowsEveryDomainType(t *testing.T) {
	t.Parallel()
	types := exportedTypes(goSources(t), "catalog", "policies", "exchange", "ledger", "sharing", "evidence")
	for _, fault := range glossaryFaults(types, technicalTypes(), read(t, "docs/glossary.md")) {
		t.Error(fault)
	}
}

func TestGlossaryFaults_FindsPlantedFaults(t *testing.T) {
	t.Parallel()
	const glossary = "| word | Chinese | meaning |\n| --- | --- | --- |\n| Case, Party | 办件、当事人 | an application |\n"
	for _, c := range []struct {
		rule             string
		types, technical []string
		glossary, want   string
	}{
		{"both words known", []string{"exchange.Case", "catalog.Party"}, nil, glossary, ""},
		{"a new type", []string{"exchange.Case", "exchange.Receipt"}, nil, glossary, "no row for exchange.Receipt"},
		{"the head is no word", []string{"exchange.word"}, nil, glossary, "no row for exchange.word"},
		{"a technical type", []string{"exchange.Config"}, []string{"exchange.Config"}, glossary, ""},
		{"a stale exception", nil, []string{"exchange.Config"}, glossary, "there is no exchange.Config"},
		{"no Chinese", nil, nil, "| Receipt | receipt | what one gets |\n", "Receipt has no Chinese term"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			t.Parallel()
			wantFault(t, glossaryFaults(c.types, c.technical, c.glossary), c.want)
		})
	}
}

// linkFaults finds links of a Markdown text that lead to no file. exists gets
// paths in the repository.
func linkFaults(name, markdown string, exists func(string) bool) []string {
	var faults []string
	for _, found := range regexp.MustCompile(`\]\(([^)\s]+)\)`).FindAllStringSubmatch(markdown, -1) {
		target, _, _ := strings.Cut(found[1], "#")
		if target == "" || strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
			continue
		}
		if !exists(path.Join(path.Dir(name), target)) {
			faults = append(faults, fmt.Sprintf("%s: the link to %s leads nowhere", name, target))
		}
	}
	return faults
}

func TestDocuments_LinkToFilesThatExist(t *testing.T) {
	t.Parallel()
	exists := func(name string) bool {
		_, err := os.Stat(filepath.Join(root, name))
		return err == nil
	}
	for _, name := range files(t) {
		if path.Ext(name) != ".md" {
			continue
		}
		for _, fault := range linkFaults(name, read(t, name), exists) {
			t.Error(fault)
		}
	}
}

func TestLinkFaults_FindsPlantedFaults(t *testing.T) {
	t.Parallel()
	exists := func(name string) bool { return name == "docs/glossary.md" }
	for _, c := range []struct{ name, text, want string }{
		{"README.md", "[words](docs/glossary.md#words)", ""},
		{"docs/a.md", "[words](glossary.md)", ""},
		{"docs/decisions/a.md", "[words](../glossary.md)", ""},
		{"README.md", "[words](glossary.md)", "the link to glossary.md"},
		{"README.md", "[the law](https://www.gov.cn/x)", ""},
	} {
		wantFault(t, linkFaults(c.name, c.text, exists), c.want)
	}
}
