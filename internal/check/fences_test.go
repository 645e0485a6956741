package check

import (
	"fmt"
	"go/ast"
	"slices"
	"strings"
	"testing"
)

// fence keeps an imported package, or names of one, inside certain folders.
type fence struct {
	path  string   // the import path; everything under it is meant too when names is empty
	names []string // only these names of the package; empty means the package itself
	only  []string // folders where it may stand
	tests bool     // test files may use it anywhere
	why   string
}

// fences are the borders around what must stay in one place.
func fences() []fence {
	clock := []string{"Now", "Since", "Until"}
	environment := []string{"Getenv", "LookupEnv", "Environ", "ExpandEnv"}
	logging := []string{
		"Default", "SetDefault", "With", "Log", "LogAttrs", "Debug", "Info", "Warn", "Error",
		"DebugContext", "InfoContext", "WarnContext", "ErrorContext",
	}
	pages := []string{"api", "web/frame", "cmd/mianti"}
	// What the exchange is measured beside is no part of it.
	database := []string{"store", "bench/usual"}
	return []fence{
		{path: "gorm.io", only: database, why: "only store knows the database"},
		{path: "github.com/glebarez", only: []string{"store"}, why: "only store knows the database"},
		{path: "github.com/pressly/goose", only: []string{"store"}, why: "only store knows the database"},
		{path: "github.com/gin-gonic/gin", only: append([]string{"bench/usual"}, pages...), why: "HTTP stays at the edge"},
		{path: "github.com/danielgtaylor/huma", only: pages, why: "HTTP stays at the edge"},
		{path: "github.com/golang-jwt/jwt", only: []string{"api", "identity/testprovider", "bench", "bench/usual", "bench/compare", "cmd/mianti"}, why: "only api judges tokens"},
		{path: "cel.dev", only: []string{"catalog"}, why: "only catalog evaluates conditions"},
		{path: "os", names: environment, only: []string{"cmd/mianti"}, why: "the environment is read in one place"},
		{path: "time", names: clock, only: []string{"cmd/mianti", "bench", "bench/load", "bench/compare", "bench/soak", "connectors/conformance"}, tests: true, why: "take the time from a Now that is handed in"},
		{path: "log/slog", names: logging, why: "take the logger that is handed in"},
	}
}

// fenceFaults holds the sources against the fences and the rules of shape.
func fenceFaults(sources []source) []string {
	var faults []string
	for _, s := range sources {
		for _, f := range fences() {
			if !slices.Contains(f.only, s.dir()) && !(f.tests && s.isTest()) {
				faults = append(faults, f.faults(s)...)
			}
		}
		faults = append(faults, shapeFaults(s)...)
	}
	return faults
}

// faults are the places of a file where the fence is broken.
func (f fence) faults(s source) []string {
	var found []string
	if len(f.names) == 0 {
		for _, spec := range s.tree.Imports {
			if p := importPath(spec); p == f.path || strings.HasPrefix(p, f.path+"/") {
				found = append(found, fmt.Sprintf("%s: %s may not stand here: %s", s.where(spec), p, f.why))
			}
		}
		return found
	}
	imports := s.imports()
	ast.Inspect(s.tree, func(n ast.Node) bool {
		use, ok := n.(*ast.SelectorExpr)
		if !ok || !slices.Contains(f.names, use.Sel.Name) {
			return true
		}
		// A name with an Obj is declared in this file and hides the package.
		if pkg, ok := use.X.(*ast.Ident); ok && pkg.Obj == nil && imports[pkg.Name] == f.path {
			found = append(found, fmt.Sprintf("%s: %s.%s may not stand here: %s", s.where(use), f.path, use.Sel.Name, f.why))
		}
		return true
	})
	return found
}

// shapeFaults are the rules that hold for every file.
func shapeFaults(s source) []string {
	var faults []string
	vague := []string{"util", "utils", "common", "helper", "helpers", "model", "models", "service", "services", "manager", "managers"}
	if name := strings.TrimSuffix(s.tree.Name.Name, "_test"); slices.Contains(vague, name) {
		faults = append(faults, fmt.Sprintf("%s: a package is not called %s: name what it holds", s.where(s.tree), name))
	}
	for _, spec := range s.tree.Imports {
		if spec.Name != nil && spec.Name.Name == "." {
			faults = append(faults, s.where(spec)+": no dot imports: they hide where a name comes from")
		}
	}
	for _, declared := range s.tree.Decls {
		if f, ok := declared.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
			faults = append(faults, s.where(f)+": no func init: do it where it is asked for")
		}
	}
	return faults
}

func TestFences_Hold(t *testing.T) {
	t.Parallel()
	for _, fault := range fenceFaults(goSources(t)) {
		t.Error(fault)
	}
}

// TestFenceFaults_FindsPlantedFaults shows that each fence can fail, and does
// not where it should not.
func TestFenceFaults_FindsPlantedFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ rule, name, text, want string }{
		{"gorm in store", "store/a.go", "package store; import _ \"gorm.io/gorm\"", ""},
		{"gorm in exchange", "exchange/a.go", "package exchange; import _ \"gorm.io/driver/postgres\"", "gorm.io/driver/postgres may not"},
		{"gorm in a test of api", "api/a_test.go", "package api; import _ \"gorm.io/gorm\"", "gorm.io/gorm may not"},
		{"sqlite in cmd", "cmd/mianti/a.go", "package main; import _ \"github.com/glebarez/sqlite\"", "glebarez/sqlite may not"},
		{"goose in exchange", "exchange/a.go", "package exchange; import _ \"github.com/pressly/goose/v3\"", "goose/v3 may not"},
		{"gin in api", "api/a.go", "package api; import _ \"github.com/gin-gonic/gin\"", ""},
		{"gin in exchange", "exchange/a.go", "package exchange; import _ \"github.com/gin-gonic/gin\"", "gin may not"},
		{"huma in policies", "policies/a.go", "package policies; import _ \"github.com/danielgtaylor/huma/v2/adapters/humagin\"", "humagin may not"},
		{"jwt in api", "api/a.go", "package api; import _ \"github.com/golang-jwt/jwt/v5\"", ""},
		{"jwt in web", "web/a.go", "package web; import _ \"github.com/golang-jwt/jwt/v5\"", "jwt/v5 may not"},
		{"cel in catalog", "catalog/a.go", "package catalog; import _ \"cel.dev/cel-go/cel\"", ""},
		{"cel in policies", "policies/a.go", "package policies; import _ \"cel.dev/cel-go/cel\"", "cel.dev/cel-go/cel may not"},
		{"a module with a longer name", "policies/a.go", "package policies; import _ \"cel.development/x\"", ""},
		{"environment in cmd", "cmd/mianti/a.go", "package main; import \"os\"; var a = os.Getenv(\"A\")", ""},
		{"environment in store", "store/a.go", "package store; import \"os\"; var a = os.Getenv(\"A\")", "os.Getenv may not"},
		{"environment by another name", "api/a.go", "package api; import sys \"os\"; var a, b = sys.LookupEnv(\"A\")", "os.LookupEnv may not"},
		{"environment in a test", "api/a_test.go", "package api; import \"os\"; var a = os.Environ()", "os.Environ may not"},
		{"other names of os", "store/a.go", "package store; import \"os\"; var a, b = os.ReadFile(\"A\")", ""},
		{"clock in cmd", "cmd/mianti/a.go", "package main; import \"time\"; var a = time.Now()", ""},
		{"clock in bench", "bench/a.go", "package bench; import \"time\"; var a = time.Now()", ""},
		{"clock in a test", "policies/a_test.go", "package policies; import \"time\"; var a = time.Now()", ""},
		{"clock in policies", "policies/a.go", "package policies; import \"time\"; var a = time.Now()", "time.Now may not"},
		{"clock handed on", "exchange/a.go", "package exchange; import \"time\"; var now = time.Now", "time.Now may not"},
		{"clock in disguise", "exchange/a.go", "package exchange; import \"time\"; var a = time.Since(time.Time{})", "time.Since may not"},
		{"a field called Now", "exchange/a.go", "package exchange; import _ \"time\"; type x struct{ Now int }; func f(time x) int { return time.Now }", ""},
		{"default logger", "cmd/mianti/a.go", "package main; import \"log/slog\"; var a = slog.Default()", "log/slog.Default may not"},
		{"default logger unseen", "api/a.go", "package api; import \"log/slog\"; func f() { slog.Info(\"x\") }", "log/slog.Info may not"},
		{"logger of its own", "cmd/mianti/a.go", "package main; import \"log/slog\"; var a = slog.New(nil)", ""},
		{"package called util", "catalog/a.go", "package util", "not called util"},
		{"package called helpers", "catalog/a_test.go", "package helpers_test", "not called helpers"},
		{"dot import", "catalog/a.go", "package catalog; import . \"fmt\"", "no dot imports"},
		{"func init", "catalog/a.go", "package catalog; func init() {}", "no func init"},
		{"method init", "catalog/a.go", "package catalog; type a int; func (a) init() {}", ""},
	} {
		t.Run(c.rule, func(t *testing.T) {
			t.Parallel()
			wantFault(t, fenceFaults([]source{parse(t, c.name, c.text)}), c.want)
		})
	}
}
