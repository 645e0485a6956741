package interchange

import (
	"errors"
	"io/fs"
	"path"

	"go.yaml.in/yaml/v3"

	"mianti/catalog"
)

// importFolder compares an archive of the catalog's own files, which is the whole
// catalog: what it lacks is removed.
func importFolder(base *Base, content []byte) (*Preview, error) {
	p := newPreview(YAML)
	folder, faults := catalog.Archive(content)
	if len(faults) > 0 {
		return p.faulty(faults), nil
	}
	files, err := catalog.Files(folder)
	if err != nil {
		return p.failed(err)
	}
	if err := p.compare(base, files); err != nil || !p.OK() {
		return p.withoutEdits(), err
	}
	if err := p.removeMissing(base, files); err != nil {
		return nil, err
	}
	p.compareHead(base, folder)
	return base.checked(p, func(string) (string, int) { return "", 0 })
}

// importYAML compares one file of a catalog. What it holds is added or changed, and
// nothing is removed.
func importYAML(base *Base, content []byte) (*Preview, error) {
	p := newPreview(YAML)
	name := fileName(content)
	if name == "" {
		p.fail(RowError{Code: "unknown-file", Message: "认不出这是目录的哪个文件", Remedy: "文件开头应有 format 和 kind，一件事和部门的文件还要有它们的 code"})
		return p, nil
	}
	if err := p.compare(base, map[string][]byte{name: content}); err != nil || !p.OK() {
		return p.withoutEdits(), err
	}
	return base.checked(p, func(string) (string, int) { return "", 0 })
}

// fileName gives the place in a catalog of a file that came without one.
func fileName(content []byte) string {
	var head struct {
		Kind       string                `yaml:"kind"`
		OneThing   struct{ Code string } `yaml:"one_thing"`
		Department struct{ Code string } `yaml:"department"`
	}
	if err := yaml.Unmarshal(content, &head); err != nil {
		return "facts.yaml" // any: that it is no YAML is said with its line by reading it
	}
	switch head.Kind {
	case "facts", "roles":
		return head.Kind + ".yaml"
	case "standard_materials":
		return "standard-materials.yaml"
	case "common_materials":
		return "common-materials.yaml"
	case "department":
		return named("departments", head.Department.Code)
	case "one_thing":
		return named("one-things", head.OneThing.Code)
	default:
		return ""
	}
}

func named(folder, code string) string {
	if !matches(`[A-Z][A-Z0-9]*`, code) {
		return ""
	}
	return path.Join(folder, code+".yaml")
}

// compare holds every thing of the files against the catalog.
func (p *Preview) compare(base *Base, files map[string][]byte) error {
	all, faults := catalog.Things(files)
	if len(faults) > 0 {
		p.faulty(faults)
		return nil
	}
	counts := map[string]*SheetCount{}
	seen := map[thingName]bool{}
	for _, e := range all {
		at := catalog.PathOf(e)
		if counts[at] == nil {
			counts[at] = &SheetCount{Sheet: at, Kind: "YAML"}
		}
		name := thingName{e.Kind, e.Code}
		if seen[name] {
			p.fail(RowError{Sheet: at, Code: "duplicate-code", Message: e.Kind.Name() + " " + shortened(e.Code) + " 写了两次", Remedy: "请只留一个"})
			continue
		}
		seen[name] = true
		if err := p.compareThing(base, e, counts[at]); err != nil {
			return err
		}
		if len(p.Edits) > MaxEdits {
			p.fail(RowError{Sheet: at, Code: "too-many-changes", Message: "一次导入最多改 " + itoa(MaxEdits) + " 项", Remedy: "请分成几个文件，逐份审核"})
			return nil
		}
	}
	for _, e := range all {
		at := catalog.PathOf(e)
		if c := counts[at]; c != nil {
			p.Sheets = append(p.Sheets, *c)
			delete(counts, at)
		}
	}
	return nil
}

func (p *Preview) compareThing(base *Base, e catalog.Edit, count *SheetCount) error {
	known, err := base.Thing(e.Kind, e.Code)
	if err != nil {
		return err
	}
	var old map[string]any
	if !known.Removes() {
		if old, err = asValues(known.Value); err != nil {
			return err
		}
	}
	now, err := asValues(e.Value)
	if err != nil {
		return err
	}
	count.Rows++
	switch {
	case old == nil:
		count.Added++
	case same(old, now) && known.In == e.In:
		count.Same++
		return nil
	default:
		count.Changed++
	}
	p.edit(catalog.PathOf(e), e, old, now)
	return nil
}

// edit keeps an edit of a file.
func (p *Preview) edit(at string, e catalog.Edit, old, now map[string]any) {
	p.Edits = append(p.Edits, e)
	if len(p.Changes) < MostChanges {
		p.Changes = append(p.Changes, Change{Sheet: at, ThingChange: changeOf(e.Kind, e.Code, old, now)})
	}
}

// removeMissing removes what an archive of the whole catalog lacks.
func (p *Preview) removeMissing(base *Base, files map[string][]byte) error {
	if base.Things == nil {
		p.note(RowError{Code: "not-compared", Message: "目录太大，压缩包里没有的不删除"})
		return nil
	}
	all, _ := catalog.Things(files) // read without faults before
	there := make(map[thingName]bool, len(all))
	for _, e := range all {
		there[thingName{e.Kind, e.Code}] = true
	}
	removed := map[string]*SheetCount{}
	err := base.Things(func(e catalog.Edit) error {
		holder := thingName{catalog.ThingMatter, matterOf(e.Code)}
		switch {
		case there[thingName{e.Kind, e.Code}]:
			return nil
		case e.Kind == catalog.ThingMaterial && !there[holder], e.Kind == catalog.ThingMatter && !there[thingName{catalog.ThingOneThing, matterOf(e.Code)}],
			e.Kind == catalog.ThingDataset && !there[thingName{catalog.ThingDepartment, e.In}]:
			return nil // goes with what holds it
		}
		old, err := asValues(e.Value)
		if err != nil {
			return err
		}
		at := catalog.PathOf(e)
		if removed[at] == nil {
			removed[at] = &SheetCount{Sheet: at, Kind: "YAML"}
		}
		removed[at].Removed++
		e.Value = nil
		p.edit(at, e, old, nil)
		return nil
	})
	for i := range p.Sheets {
		if c := removed[p.Sheets[i].Sheet]; c != nil {
			p.Sheets[i].Removed = c.Removed
			delete(removed, c.Sheet)
		}
	}
	for _, name := range sortedKeys(removed) {
		p.Sheets = append(p.Sheets, *removed[name])
	}
	return err
}

// compareHead says that what the catalog is called does not come along.
func (p *Preview) compareHead(base *Base, folder fs.FS) {
	var head struct{ Title, Version string }
	content, err := fs.ReadFile(folder, "catalog.yaml")
	if err != nil || yaml.Unmarshal(content, &head) != nil {
		return // that it is broken has been said
	}
	if head.Title != base.Revision.Title || head.Version != base.Revision.Version {
		p.note(RowError{Sheet: "catalog.yaml", Code: "head-kept", Message: "目录的名称和版本在发布时填写，这里的不导入"})
	}
}

// faulty keeps the faults of files as errors.
func (p *Preview) faulty(faults catalog.Faults) *Preview {
	for _, f := range faults {
		p.fail(RowError{Sheet: f.File, Row: f.Line, Code: f.Code, Message: f.Reason})
	}
	return p.withoutEdits()
}

// failed keeps an error that is faults of files.
func (p *Preview) failed(err error) (*Preview, error) {
	var faults catalog.Faults
	if errors.As(err, &faults) {
		return p.faulty(faults), nil
	}
	return nil, err
}

func (p *Preview) withoutEdits() *Preview {
	p.Edits, p.Changes, p.Grants = nil, []Change{}, nil
	return p
}
