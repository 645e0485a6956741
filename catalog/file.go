package catalog

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// maxFile bounds one file of a catalog, in bytes.
const maxFile = 4 << 20

// fileKind is the kind that a file declares, as docs/catalog-format.md lists
// them.
type fileKind string

const (
	kindCatalog           fileKind = "catalog"
	kindFacts             fileKind = "facts"
	kindRoles             fileKind = "roles"
	kindStandardMaterials fileKind = "standard_materials"
	kindCommonMaterials   fileKind = "common_materials"
	kindDepartment        fileKind = "department"
	kindOneThing          fileKind = "one_thing"
	kindLint              fileKind = "lint"
)

// file is one file of a catalog: its text, and once parsed its tree.
type file struct {
	name    string
	kind    fileKind // by its place in the folder
	content []byte
	tree    *tree // nil when it could not be parsed
}

// readFiles reads the files that are the catalog's own, in reading order.
func readFiles(fsys fs.FS) ([]*file, Faults) {
	var files []*file
	var faults Faults
	read := func(name string, kind fileKind, needed bool) {
		content, err := readFile(fsys, name)
		switch {
		case errors.Is(err, fs.ErrNotExist) && !needed:
		case errors.Is(err, fs.ErrNotExist):
			faults = append(faults, Fault{name, 1, "missing-file", "缺少这个文件"})
		case errors.Is(err, errTooLarge):
			faults = append(faults, Fault{name, 1, "too-large", fmt.Sprintf("文件超过 %d MiB", maxFile>>20)})
		case err != nil:
			faults = append(faults, Fault{name, 1, "unreadable-file", "文件不能读取：" + err.Error()})
		default:
			files = append(files, &file{name: name, kind: kind, content: content})
		}
	}
	read("catalog.yaml", kindCatalog, true)
	read("facts.yaml", kindFacts, false)
	read("roles.yaml", kindRoles, false)
	read("standard-materials.yaml", kindStandardMaterials, false)
	read("common-materials.yaml", kindCommonMaterials, false)
	read("lint.yaml", kindLint, false)
	for _, folder := range []struct {
		name string
		kind fileKind
	}{{"departments", kindDepartment}, {"one-things", kindOneThing}} {
		names, err := yamlFiles(fsys, folder.name)
		if err != nil {
			faults = append(faults, Fault{folder.name, 1, "unreadable-file", "文件夹不能读取：" + err.Error()})
		}
		for _, name := range names {
			read(name, folder.kind, true)
		}
	}
	return files, faults
}

var errTooLarge = errors.New("file too large")

func readFile(fsys fs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close() // only read, nothing to lose
	content, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(content) > maxFile {
		return nil, errTooLarge
	}
	return content, err
}

// yamlFiles lists the files of a folder in the order in which people count:
// S2 before S10.
func yamlFiles(fsys fs.FS, folder string) ([]string, error) {
	entries, err := fs.ReadDir(fsys, folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if !e.IsDir() && strings.HasSuffix(e.Name(), ".yaml") {
			names = append(names, path.Join(folder, e.Name()))
		}
	}
	slices.SortFunc(names, natural)
	return names, nil
}

// stem is the file's name without folder and ending.
func (f *file) stem() string { return strings.TrimSuffix(path.Base(f.name), ".yaml") }

// fault reports something at a place of the file; parts are joined to a JSON
// pointer, and a place that is not written stands for the thing around it.
func (f *file) fault(at, code, reason string) Fault {
	line := 1
	if f.tree != nil {
		line = f.tree.line(at)
	}
	return Fault{f.name, line, code, reason}
}
