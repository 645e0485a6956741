package catalog

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Load reads, checks and compiles a catalog. Of a catalog with faults nothing
// is loaded, and the error is Faults: all of them, by file and line. Any other
// error is no fault of the catalog. The checks are for what a catalog's own
// files cannot tell, such as whether a secret is there; they look at every
// source, and what they find is a fault like any other.
func Load(fsys fs.FS, checks ...SourceCheck) (*Revision, error) {
	schemas, err := compileSchemas()
	if err != nil {
		return nil, err
	}
	files, faults := readFiles(fsys)
	return load(schemas, files, faults, checks)
}

// LoadParts does what Load does, from files in memory.
func LoadParts(parts []Part, checks ...SourceCheck) (*Revision, error) {
	schemas, err := compileSchemas()
	if err != nil {
		return nil, err
	}
	var files []*file
	var faults Faults
	for _, p := range parts {
		f, fault := partFile(p)
		if fault != nil {
			faults = append(faults, *fault)
			continue
		}
		files = append(files, f)
	}
	slices.SortFunc(files, func(a, b *file) int { return natural(a.name, b.name) })
	return load(schemas, files, faults, checks)
}

func load(schemas *schemas, files []*file, faults Faults, checks []SourceCheck) (*Revision, error) {
	l := &loader{faults: faults, broken: len(faults) > 0, rev: &Revision{Digest: digest(files)}, schemas: schemas, commons: map[string]map[string]any{}, faulty: map[string]bool{}, checks: checks}
	for _, f := range files {
		l.read(f)
	}
	l.completeMaterials()
	l.decode()
	l.index()
	var err error
	if l.language, err = newLanguage(l.rev.facts, l.rev.datasets); err != nil {
		return nil, err
	}
	if err := l.validate(); err != nil {
		return nil, err
	}
	if len(l.faults) > 0 {
		return nil, l.faults.sorted()
	}
	l.rev.language, l.rev.schemas, l.rev.commons, l.rev.whole = l.language, l.schemas, l.commons, true
	return l.rev, nil
}

// loader holds a catalog on its way in.
type loader struct {
	rev      *Revision
	schemas  *schemas
	language *language
	checks   []SourceCheck
	files    []*file // those that could be parsed and are of the right kind
	faults   Faults
	// broken says that a file could not be read. What it holds is then unknown,
	// and so nothing is reported as unknown.
	broken bool

	head        *catalogFile
	facts       *factsFile
	roles       *rolesFile
	standards   *standardMaterialsFile
	common      *commonMaterialsFile
	lint        *lintFile
	departments []*departmentFile
	oneThings   []*oneThingFile

	commons map[string]map[string]any // as written, by code
	faulty  map[string]bool           // the common materials that have faults of their own
	// inherited says that a use of a faulty or unknown common material is being
	// checked: what it takes, or would take, from there has been reported.
	inherited bool
}

// spot is a place in a file.
type spot struct {
	file *file
	at   string // JSON pointer
}

// in gives a place inside; parts are keys and indexes.
func (s spot) in(parts ...any) spot {
	if s.file.tree.at == nil { // a file of which only the tree is kept: no place is known
		return s
	}
	for _, part := range parts {
		switch p := part.(type) {
		case int:
			s.at += "/" + strconv.Itoa(p)
		case string:
			s.at += "/" + escape(p)
		}
	}
	return s
}

// written reports whether there is something at the place.
func (s spot) written() bool {
	_, ok := s.file.tree.at[s.at]
	return ok
}

func (l *loader) report(s spot, code, reason string, args ...any) {
	l.reportLine(s, s.file.tree.line(s.at), code, fmt.Sprintf(reason, args...))
}

func (l *loader) reportLine(s spot, line int, code, reason string) {
	if l.inherited && !s.written() {
		return
	}
	if l.broken && strings.HasPrefix(code, "unknown-") && code != "unknown-option" && code != "unknown-variable" {
		return
	}
	l.faults = append(l.faults, Fault{s.file.name, line, code, reason})
}

// read parses a file and checks its shape. A file of the wrong shape is still
// looked into, so that its other faults are reported too.
func (l *loader) read(f *file) {
	faults := f.parse()
	if f.tree == nil {
		l.faults, l.broken = append(l.faults, faults...), true
		return
	}
	faults = append(faults, l.schemas.check(f)...)
	l.faults = append(l.faults, faults...)
	if slices.ContainsFunc(faults, func(x Fault) bool { return x.Code == "wrong-format" || x.Code == "wrong-kind" }) {
		l.broken = true
		return
	}
	l.files = append(l.files, f)
}

// completeMaterials fills every use of a common material: each key given in
// the use replaces the common one's.
func (l *loader) completeMaterials() {
	for _, f := range l.files {
		if f.kind == kindCommonMaterials {
			for _, item := range items(f.tree.root, "materials") {
				if code, ok := item["code"].(string); ok && l.commons[code] == nil {
					l.commons[code] = item
				}
			}
		}
	}
	for _, f := range l.files {
		if f.kind != kindOneThing {
			continue
		}
		for i, matter := range items(f.tree.root, "matters") {
			for j, use := range items(matter, "materials") {
				l.complete(spot{file: f}.in("matters", i, "materials", j), use)
			}
		}
	}
}

func (l *loader) complete(at spot, use map[string]any) {
	code, ok := use["common"].(string)
	if !ok {
		return
	}
	common := l.commons[code]
	if common == nil {
		l.report(at.in("common"), "unknown-common-material", "没有通用材料 %s", code)
		return
	}
	written := maps.Clone(use)
	for key, value := range common {
		if _, own := use[key]; !own {
			use[key] = value
		}
	}
	for _, fault := range shapeFaults(at.file, at.at, l.schemas.material.Validate(any(use))) {
		// What is wrong in the common material, or in the use as it is written,
		// has been reported there.
		if fault.Code != "missing-key" || !requiredInCommon(fault, written) {
			continue
		}
		fault.Reason += "（通用材料 " + code + " 也没有给出）"
		l.faults = append(l.faults, fault)
	}
}

// requiredInCommon reports whether a missing key is one that the use could
// have taken from the common material.
func requiredInCommon(f Fault, written map[string]any) bool {
	for _, key := range []string{"kind", "need", "origin", "chain"} {
		if _, own := written[key]; !own && f.Reason == "缺少键："+key {
			return true
		}
	}
	return false
}

// items gives the mappings in a list of a mapping. Anything of another shape
// stands for an empty one, so that the indexes stay true.
func items(of any, key string) []map[string]any {
	mapping, _ := of.(map[string]any)
	list, _ := mapping[key].([]any)
	out := make([]map[string]any, len(list))
	for i, item := range list {
		out[i], _ = item.(map[string]any)
	}
	return out
}

// decode turns the trees into the catalog's types.
func (l *loader) decode() {
	for _, f := range l.files {
		at := spot{file: f}
		switch f.kind {
		case kindCatalog:
			l.head = &catalogFile{at: at}
			into(f, l.head)
			l.rev.Title, l.rev.Version = l.head.Title, l.head.Version
		case kindFacts:
			l.facts = &factsFile{at: at}
			into(f, l.facts)
		case kindRoles:
			l.roles = &rolesFile{at: at}
			into(f, l.roles)
		case kindStandardMaterials:
			l.standards = &standardMaterialsFile{at: at}
			into(f, l.standards)
		case kindCommonMaterials:
			l.common = &commonMaterialsFile{at: at}
			into(f, l.common)
		case kindLint:
			l.lint = &lintFile{at: at}
			into(f, l.lint)
			l.rev.lint = l.lint.LintSettings
		case kindDepartment:
			d := &departmentFile{at: at}
			into(f, d)
			l.departments = append(l.departments, d)
		case kindOneThing:
			o := &oneThingFile{at: at}
			into(f, o)
			l.oneThings = append(l.oneThings, o)
		}
	}
}

// into decodes a file's tree. A value of the wrong type is skipped: the schema
// has reported it, and the rest is decoded all the same.
func into(f *file, target any) {
	text, err := json.Marshal(f.tree.root)
	if err != nil {
		return // cannot be: a tree holds nothing but JSON's own types
	}
	_ = json.Unmarshal(text, target) // see above
}
