package check

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	root   = "../.."  // of the repository, seen from this package
	module = "mianti" // the path of the module
)

// source is one parsed Go file.
type source struct {
	name string // path in the repository, with slashes
	set  *token.FileSet
	tree *ast.File
}

// dir is the folder of the file; "." for the root.
func (s source) dir() string { return path.Dir(s.name) }

func (s source) isTest() bool { return strings.HasSuffix(s.name, "_test.go") }

// where gives "file:line" of a node.
func (s source) where(n ast.Node) string {
	return s.name + ":" + strconv.Itoa(s.set.Position(n.Pos()).Line)
}

// imports gives the imported paths by the name they have in this file. An
// import without a name of its own is known by the last part of its path,
// which holds for the standard library.
func (s source) imports() map[string]string {
	names := map[string]string{}
	for _, spec := range s.tree.Imports {
		imported := importPath(spec)
		name := path.Base(imported)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		names[name] = imported
	}
	return names
}

func importPath(spec *ast.ImportSpec) string {
	imported, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		panic(err) // the parser has accepted it as a string literal
	}
	return imported
}

// parse parses one file.
func parse(t *testing.T, name string, text any) source {
	t.Helper()
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, filepath.Join(root, name), text, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	return source{name: name, set: set, tree: tree}
}

// goSources parses every Go file of the repository.
func goSources(t *testing.T) []source {
	t.Helper()
	var sources []source
	for _, name := range files(t) {
		if strings.HasSuffix(name, ".go") && !slices.Contains(strings.Split(name, "/"), "testdata") {
			sources = append(sources, parse(t, name, nil))
		}
	}
	if len(sources) < 50 {
		t.Fatalf("found only %d Go files under %s: the search is broken", len(sources), root)
	}
	return sources
}

// files names every file of the repository, but for what .gitignore leaves out.
func files(t *testing.T) []string {
	t.Helper()
	ignored := ignoredNames(t)
	var names []string
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name != "." && (entry.Name() == ".git" || ignored(name, entry.IsDir())) {
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if entry.Type().IsRegular() {
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// ignoredNames understands the three forms that our .gitignore keeps to: a
// pattern of a base name, a folder ("out/") and a path from the root ("/x").
func ignoredNames(t *testing.T) func(name string, isDir bool) bool {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, ".gitignore"))
	if err != nil {
		t.Fatal(err)
	}
	return ignoring(string(text))
}

func ignoring(text string) func(name string, isDir bool) bool {
	lines := strings.FieldsFunc(text, func(r rune) bool { return r == '\n' })
	return func(name string, isDir bool) bool {
		for _, line := range lines {
			pattern, forDir := strings.CutSuffix(strings.TrimSpace(line), "/")
			if pattern == "" || strings.HasPrefix(pattern, "#") || (forDir && !isDir) {
				continue
			}
			against := path.Base(name)
			if rooted, ok := strings.CutPrefix(pattern, "/"); ok {
				pattern, against = rooted, name
			}
			if ok, err := path.Match(pattern, against); err == nil && ok {
				return true
			}
		}
		return false
	}
}

func TestIgnoring_KnowsTheThreeForms(t *testing.T) {
	t.Parallel()
	ignored := ignoring("# a comment\n*.db\nout/\n/mianti\n")
	for _, c := range []struct {
		name  string
		isDir bool
		want  bool
	}{
		{"mianti.db", false, true},
		{"bench/x.db", false, true},
		{"web/out", true, true},
		{"web/out", false, false},
		{"mianti", false, true},
		{"cmd/mianti", true, false},
		{"catalog/load.go", false, false},
	} {
		if got := ignored(c.name, c.isDir); got != c.want {
			t.Errorf("ignored(%q, dir %v) = %v, want %v", c.name, c.isDir, got, c.want)
		}
	}
}
