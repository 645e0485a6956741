package check

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// row says what one package may import of this module.
type row struct {
	may     []string // in every file
	inTests []string // in test files besides
}

const anything = "*"

// importTable is the direction of the imports; docs/architecture.md shows it in
// words. It is a statement of policy: a build that breaks it is repaired in the
// importing package, not here. A package that is not listed is a failure.
func importTable() map[string]row {
	edge := row{
		may:     []string{"admission", "batch/table", "catalog/interchange", "exchange", "batch", "catalog/suggest", "citizen", "sharing", "correction", "draft", "safeguard", "figures", "effect", "identity", "catalog", "catalog/lint", "catalog/reduction", "policies", "ledger", "ledger/anchor", "evidence", "sheet", "internal/fault"},
		inTests: append(wholeExchange(), "internal/jobs", "internal/workday", "identity/testprovider"),
	}
	table := map[string]row{
		"admission":           {},
		"internal/fault":      {},
		"internal/identifier": {},
		"internal/pgtest":     {},
		"internal/check":      {},
		"internal/jobs":       {},
		"internal/workday":    {},
		"internal/keytest":    {may: []string{"keyring"}},
		"internal/webhook":    {may: []string{"catalog", "internal/fault", "internal/jobs", "connectors/egress"}},
		"examples/jinan":      {inTests: []string{"catalog"}},

		"catalog": {may: []string{"internal/fault", "internal/identifier"}},
		"catalog/suggest": {
			may:     []string{"batch/table", "catalog", "policies", "ledger", "internal/fault"},
			inTests: []string{"examples/jinan"},
		},
		"policies": {may: []string{"catalog"}},

		"catalog/lint":      {may: []string{"catalog", "policies"}, inTests: []string{"examples/jinan"}},
		"catalog/reduction": {may: []string{"catalog", "batch/table"}},
		"ledger":            {may: []string{"internal/fault"}},
		"keyring":           {may: []string{"internal/fault"}},
		"evidence":          {},
		"sheet":             {may: []string{"exchange", "catalog", "policies", "internal/fault"}},

		// Who else vouches for the ledger.
		"ledger/anchor":             {may: []string{"catalog", "connectors/egress"}, inTests: []string{"ledger/anchor/testwitness"}},
		"ledger/anchor/testwitness": {may: []string{"ledger/anchor"}},
		"internal/tiletest":         {},
		"internal/demotest":         {},

		// Use cases beside the exchange: they know the core, not each other.
		"citizen":               {may: []string{"exchange", "catalog", "policies", "ledger", "internal/fault"}, inTests: wholeExchange()},
		"sharing":               {may: []string{"catalog", "policies", "ledger", "internal/fault"}, inTests: []string{"store", "internal/workday"}},
		"correction":            {may: []string{"exchange", "catalog", "policies", "ledger", "internal/fault", "internal/jobs"}, inTests: append(wholeExchange(), "internal/workday")},
		"draft":                 {may: []string{"catalog", "policies", "ledger", "internal/fault", "internal/jobs"}},
		"safeguard":             {may: []string{"catalog", "policies", "ledger", "internal/fault"}, inTests: []string{"store", "internal/workday"}},
		"figures":               {may: []string{"exchange", "sharing", "catalog", "policies", "internal/fault"}, inTests: []string{"internal/workday"}},
		"effect":                {may: []string{"exchange", "catalog", "policies", "ledger", "internal/fault"}},
		"batch":                 {may: []string{"batch/table", "exchange", "catalog", "policies", "ledger", "internal/fault", "internal/identifier", "internal/jobs"}, inTests: append(wholeExchange(), "safeguard")},
		"batch/table":           {may: []string{"internal/fault"}},
		"catalog/interchange":   {may: []string{"batch/table", "catalog", "policies", "internal/fault"}, inTests: []string{"examples/jinan"}},
		"retention":             {may: []string{"exchange", "ledger", "internal/fault"}, inTests: []string{"store", "catalog"}},
		"identity":              {may: []string{"catalog", "policies", "ledger", "internal/fault", "internal/identifier"}, inTests: []string{"store", "identity/testprovider"}},
		"identity/testprovider": {may: []string{"internal/fault"}},
		"exchange": {
			may:     []string{"catalog", "policies", "connectors", "ledger", "evidence", "internal/fault", "internal/identifier", "internal/jobs"},
			inTests: append(wholeExchange(), "effect"),
		},

		"store": {may: []string{
			"exchange", "batch", "catalog/suggest", "citizen", "sharing", "correction", "draft", "safeguard", "figures", "identity", "retention", "catalog", "policies", "ledger", "ledger/anchor", "keyring", "internal/fault", "internal/jobs", "internal/webhook", "connectors", "connectors/guard", "connectors/snapshot",
		}},
		"api": edge,

		// What an operator sees stands around the parts, and is known to none of them.
		"telemetry": {may: []string{"exchange", "store", "catalog", "ledger", "ledger/anchor", "connectors", "connectors/guard", "internal/fault", "internal/jobs"}, inTests: []string{"policies"}},
		"doctor":    {may: []string{"store"}},
		"backup":    {may: []string{"store", "keyring", "internal/fault"}},

		"cmd/mianti": {may: []string{anything}},
		"bench":      {may: []string{anything}},

		"bench/load":    {may: []string{"internal/identifier", "internal/pgtest"}, inTests: []string{"catalog"}},
		"bench/opa":     {inTests: []string{"bench/load", "catalog", "policies"}},
		"bench/usual":   {}, // a stranger to the exchange
		"bench/report":  {},
		"bench/soak":    {may: []string{"bench/load", "identity/testprovider", "internal/pgtest"}},
		"bench/compare": {may: []string{"bench/load", "bench/report", "bench/usual", "internal/pgtest"}},
	}
	for name, r := range pageTable(edge) {
		table[name] = r
	}
	for name, r := range connectorTable() {
		table[name] = r
	}
	return table
}

// pageTable is that of the pages: a section knows the frame and the use cases, and
// no other section.
func pageTable(edge row) map[string]row {
	section := row{may: append([]string{"web/frame"}, edge.may...), inTests: append([]string{"web/frame/frametest"}, edge.inTests...)}
	return map[string]row{
		"web/frame":           {may: []string{"exchange", "identity", "catalog", "policies", "internal/fault"}, inTests: []string{"web/frame/frametest"}},
		"web/frame/frametest": {may: []string{"web/frame", "identity", "catalog", "policies", "examples/jinan", "internal/fault"}},
		"web/journeys":        {inTests: []string{"internal/demotest"}},
		"web/clerk":           section,
		"web/citizen":         section,
		"web/policy":          section,
		"web/department":      section,
		"web/overview":        section,
		"web/batch":           section,
	}
}

// connectorTable is that of the connectors: none knows another kind, and the
// guard knows none of them.
func connectorTable() map[string]row {
	inTests := []string{"connectors/conformance", "connectors/standin", "connectors/wire", "connectors/secret", "connectors/egress", "store"}
	kind := func(more ...string) row {
		return row{may: append([]string{"connectors", "catalog", "internal/fault", "internal/identifier"}, more...), inTests: inTests}
	}
	return map[string]row{
		"connectors":             {may: []string{"catalog", "internal/fault"}},
		"connectors/egress":      {may: []string{"catalog"}},
		"connectors/secret":      kind(),
		"connectors/auth":        kind("connectors/egress"),
		"connectors/wire":        kind("connectors/auth", "connectors/egress"),
		"connectors/mapping":     kind("connectors/wire"),
		"connectors/httpjson":    kind("connectors/mapping", "connectors/wire"),
		"connectors/xroad":       kind("connectors/mapping", "connectors/wire"),
		"connectors/elicense":    kind("connectors/wire"),
		"connectors/sqlview":     kind("connectors/egress", "connectors/wire"),
		"connectors/snapshot":    kind("connectors/wire"),
		"connectors/assist":      kind(),
		"connectors/guard":       kind(),
		"connectors/standin":     {may: []string{"catalog", "internal/identifier", "internal/fault"}, inTests: everyKind()},
		"connectors/conformance": {may: []string{"connectors", "connectors/standin", "catalog"}, inTests: everyKind()},
	}
}

func everyKind() []string {
	return []string{
		"connectors", "connectors/conformance", "connectors/wire", "connectors/secret", "connectors/httpjson", "connectors/elicense", "connectors/xroad",
		"connectors/sqlview", "connectors/snapshot", "connectors/assist",
	}
}

// wholeExchange is what a test wires when it runs an exchange from end to end.
func wholeExchange() []string {
	return []string{"store", "retention", "keyring", "connectors", "connectors/standin", "connectors/guard", "connectors/wire", "connectors/httpjson", "connectors/elicense"}
}

// forEveryTest is what any test file may import.
func forEveryTest() []string {
	return []string{"internal/pgtest", "internal/keytest", "internal/fault", "internal/identifier", "examples/jinan"}
}

// importFaults holds the sources against the table.
func importFaults(table map[string]row, sources []source) []string {
	var faults []string
	for _, s := range sources {
		rules, listed := table[s.dir()]
		if !listed {
			faults = append(faults, fmt.Sprintf("%s: package %s is not in the import table", s.name, s.dir()))
			continue
		}
		for _, spec := range s.tree.Imports {
			ours, ok := strings.CutPrefix(importPath(spec), module+"/")
			if ok && !rules.allows(ours, s) {
				faults = append(faults, fmt.Sprintf("%s: %s may not import %s", s.where(spec), s.dir(), ours))
			}
		}
	}
	return faults
}

func (r row) allows(imported string, by source) bool {
	if imported == "cmd" || strings.HasPrefix(imported, "cmd/") {
		return false // nobody imports a command
	}
	if slices.Contains(r.may, anything) || slices.Contains(r.may, imported) {
		return true
	}
	if !by.isTest() {
		return false
	}
	return imported == by.dir() || slices.Contains(r.inTests, imported) || slices.Contains(forEveryTest(), imported)
}

func TestImports_FollowTheTable(t *testing.T) {
	t.Parallel()
	for _, fault := range importFaults(importTable(), goSources(t)) {
		t.Error(fault)
	}
}

// TestImportFaults_FindsPlantedImports shows that the rule can fail.
func TestImportFaults_FindsPlantedImports(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, imported, want string }{
		{"catalog/load.go", "mianti/internal/fault", ""},
		{"catalog/load.go", "mianti/policies", "catalog may not import policies"},
		{"catalog/load.go", "mianti/internal/pgtest", "catalog may not import internal/pgtest"},
		{"catalog/load_test.go", "mianti/catalog", ""},
		{"catalog/load_test.go", "mianti/examples/jinan", ""},
		{"catalog/load_test.go", "mianti/store", "catalog may not import store"},
		{"policies/settle.go", "mianti/ledger", "policies may not import ledger"},
		{"policies/settle.go", "mianti/catalogue", "policies may not import catalogue"},
		{"exchange/ask.go", "mianti/connectors", ""},
		{"exchange/ask.go", "mianti/connectors/httpjson", "exchange may not import connectors/httpjson"},
		{"exchange/ask.go", "mianti/store", "exchange may not import store"},
		{"exchange/ask_test.go", "mianti/store", ""},
		{"store/case.go", "mianti/exchange", ""},
		{"store/case.go", "mianti/api", "store may not import api"},
		{"api/cases.go", "mianti/store", "api may not import store"},
		{"api/cases.go", "mianti/connectors", "api may not import connectors"},
		{"web/clerk/queue.go", "mianti/api", "web/clerk may not import api"},
		{"ledger/entry.go", "mianti/catalog", "ledger may not import catalog"},
		{"connectors/connector.go", "mianti/exchange", "connectors may not import exchange"},
		{"connectors/httpjson/ask.go", "mianti/connectors/elicense", "connectors/httpjson may not import connectors/elicense"},
		{"connectors/standin/server.go", "mianti/connectors", "connectors/standin may not import connectors"},
		{"internal/fault/fault.go", "mianti/catalog", "internal/fault may not import catalog"},
		{"examples/jinan/jinan.go", "mianti/catalog", "examples/jinan may not import catalog"},
		{"cmd/mianti/serve.go", "mianti/store", ""},
		{"bench/resolve.go", "mianti/cmd/mianti", "bench may not import cmd/mianti"},
		{"helpers/strings.go", "fmt", "package helpers is not in the import table"},
	} {
		t.Run(c.name+" imports "+c.imported, func(t *testing.T) {
			t.Parallel()
			planted := parse(t, c.name, "package p\n\nimport _ \""+c.imported+"\"\n")
			wantFault(t, importFaults(importTable(), []source{planted}), c.want)
		})
	}
}

// wantFault asks for exactly one fault that says want, or for none at all.
func wantFault(t *testing.T, got []string, want string) {
	t.Helper()
	switch {
	case want == "" && len(got) > 0:
		t.Errorf("found %q, want no fault", got)
	case want != "" && (len(got) != 1 || !strings.Contains(got[0], want)):
		t.Errorf("found %q, want one fault that says %q", got, want)
	}
}
