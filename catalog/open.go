package catalog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
)

// folderOfThings is where the files of the one-things are. A one-thing refers to
// nothing outside its own file but the ground, which is why each can be opened alone.
const folderOfThings = "one-things"

// OneThingPath gives the file in which a one-thing, a matter or a material stands,
// by its code.
func OneThingPath(code string) string {
	thing, _, _ := strings.Cut(code, ".")
	return folderOfThings + "/" + thing + ".yaml"
}

// IsOneThing reports whether a path is that of a one-thing's file.
func IsOneThing(file string) bool { return path.Dir(file) == folderOfThings }

// Ground gives the revision without its one-things.
func (r *Revision) Ground() *Revision {
	ground := *r
	ground.oneThings, ground.matters, ground.materials, ground.whole = nil, nil, nil, false
	ground.byCode.subjects = newSubjects()
	return &ground
}

// Open reads, checks and compiles the file of one one-thing over the ground of the
// revision, and gives the ground with it alone. The error is Faults when the file
// has any.
func (r *Revision) Open(p Part) (*Revision, error) {
	rev, _, err := r.openFile(p, false)
	return rev, err
}

// Check does what Open does for a file that is about to be stored: it fills its tree.
func (r *Revision) Check(p *Part) error {
	_, tree, err := r.openFile(*p, true)
	p.Tree = tree
	return err
}

func (r *Revision) openFile(p Part, withTree bool) (*Revision, []byte, error) {
	f, fault := partFile(p)
	if fault != nil {
		return nil, nil, Faults{*fault}
	}
	l := r.opening()
	l.read(f)
	var tree []byte
	if withTree && f.tree != nil {
		tree, _ = json.Marshal(f.tree.root) // before it is filled from common materials
	}
	l.completeMaterials()
	l.decode()
	rev, err := l.open()
	return rev, tree, err
}

// Reopen does what Open does with a tree that Tree gave of a file that was opened
// before: its shape is not checked again. Where there is a fault none the less, as
// after a change of the ground, Open tells its line.
func (r *Revision) Reopen(file string, tree []byte) (*Revision, error) {
	l := r.opening()
	opened, err := r.decodeTree(file, tree)
	if err != nil {
		return nil, fmt.Errorf("reopen %s: %w", file, err)
	}
	l.oneThings = []*oneThingFile{opened}
	return l.open()
}

// opening makes a loader for one one-thing over the ground.
func (r *Revision) opening() *loader {
	return &loader{rev: r.Ground(), schemas: r.schemas, language: r.language, commons: r.commons, faulty: map[string]bool{}}
}

func (l *loader) open() (*Revision, error) {
	for _, o := range l.oneThings {
		l.indexOneThing(o)
	}
	for _, o := range l.oneThings {
		if err := l.validateOneThing(o); err != nil {
			return nil, err
		}
	}
	if len(l.faults) > 0 {
		return nil, l.faults.sorted()
	}
	return l.rev, nil
}

// Join gives the ground of the revision with the one-things of others that were
// opened over it, in the order in which people count. It is whole when the caller
// says that these are all.
func (r *Revision) Join(others []*Revision, whole bool) *Revision {
	joined := r.Ground()
	joined.whole = whole
	for _, other := range others {
		joined.oneThings = append(joined.oneThings, other.oneThings...)
	}
	slices.SortStableFunc(joined.oneThings, func(a, b *OneThing) int { return natural(a.Code, b.Code) })
	for _, thing := range joined.oneThings {
		joined.byCode.oneThings[thing.Code] = thing
		for i := range thing.Matters {
			joined.hold(&thing.Matters[i])
		}
	}
	return joined
}

// hold makes a matter and its materials findable.
func (r *Revision) hold(matter *Matter) {
	r.matters = append(r.matters, matter)
	r.byCode.matters[matter.Code] = matter
	r.byCode.implementations[matter.ImplementationCode] = append(r.byCode.implementations[matter.ImplementationCode], matter)
	for i := range matter.Materials {
		material := &matter.Materials[i]
		r.materials = append(r.materials, material)
		r.byCode.materials[material.Code] = material
	}
}

// Tree gives a file as JSON, to be kept for Reopen: reading it costs a tenth of
// reading YAML. Nil for one that cannot be parsed.
func Tree(p Part) []byte {
	f, fault := partFile(p)
	if fault != nil {
		return nil
	}
	if faults := f.parse(); f.tree == nil || len(faults) > 0 {
		return nil
	}
	tree, err := json.Marshal(f.tree.root)
	if err != nil {
		return nil // cannot be: a tree holds nothing but JSON's own types
	}
	return tree
}

// partFile gives a stored file as one of a folder.
func partFile(p Part) (*file, *Fault) {
	kind, known := kindOf(p.Path)
	switch {
	case !known:
		return nil, &Fault{p.Path, 1, "unknown-file", "目录里没有这样的文件"}
	case len(p.Content) > maxFile:
		return nil, &Fault{p.Path, 1, "too-large", fmt.Sprintf("文件超过 %d MiB", maxFile>>20)}
	}
	return &file{name: p.Path, kind: kind, content: p.Content}, nil
}

// kindOf tells the kind of a file by its place in the folder.
func kindOf(name string) (fileKind, bool) {
	kind, ok := map[string]fileKind{
		"catalog.yaml": kindCatalog, "facts.yaml": kindFacts, "roles.yaml": kindRoles,
		"standard-materials.yaml": kindStandardMaterials, "common-materials.yaml": kindCommonMaterials,
		"lint.yaml": kindLint,
	}[name]
	switch {
	case ok:
		return kind, true
	case !strings.HasSuffix(name, ".yaml"):
		return "", false
	case path.Dir(name) == "departments":
		return kindDepartment, true
	default:
		return kindOneThing, IsOneThing(name)
	}
}

// storedMatter is a matter whose materials are yet to be read.
type storedMatter struct {
	Matter
	Materials []json.RawMessage `json:"materials"`
}

// decodeTree reads a one-thing from its tree, and fills what its materials take from
// common ones.
func (r *Revision) decodeTree(name string, text []byte) (*oneThingFile, error) {
	var stored struct {
		OneThing OneThing       `json:"one_thing"`
		Matters  []storedMatter `json:"matters"`
	}
	if err := json.Unmarshal(text, &stored); err != nil {
		return nil, err
	}
	f := &file{name: name, kind: kindOneThing, tree: &tree{}}
	opened := &oneThingFile{OneThing: stored.OneThing, Matters: make([]Matter, len(stored.Matters)), at: spot{file: f}}
	for i, m := range stored.Matters {
		opened.Matters[i] = m.Matter
		opened.Matters[i].Materials = make([]Material, len(m.Materials))
		for j, text := range m.Materials {
			if err := r.decodeMaterial(text, &opened.Matters[i].Materials[j]); err != nil {
				return nil, err
			}
		}
	}
	return opened, nil
}

// decodeMaterial reads a material over its common one, if it has one: each key that is
// written replaces the common one's.
func (r *Revision) decodeMaterial(text json.RawMessage, m *Material) error {
	if !bytes.Contains(text, []byte(`"common":`)) {
		return json.Unmarshal(text, m)
	}
	var written map[string]json.RawMessage
	if err := json.Unmarshal(text, &written); err != nil {
		return err
	}
	var code string
	if err := json.Unmarshal(written["common"], &code); err != nil {
		return err
	}
	if common := r.byCode.commonMaterials[code]; common != nil {
		*m = *common
		m.when, m.steps, m.Proofs = nil, nil, slices.Clone(m.Proofs) // which are compiled anew
		m.forget(written)
	}
	return json.Unmarshal(text, m)
}

// forget empties the lists that are written anew: a list that is decoded into another
// would overwrite it, and that is the common material's own.
func (m *Material) forget(written map[string]json.RawMessage) {
	for key, list := range map[string]*[]string{"basis": &m.Basis, "subjects": &m.Subjects, "prior": &m.Prior} {
		if _, ok := written[key]; ok {
			*list = nil
		}
	}
	if _, ok := written["proofs"]; ok {
		m.Proofs = nil
	}
	if _, ok := written["chain"]; ok {
		m.Chain = nil
	}
}
