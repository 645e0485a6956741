package draft

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"mianti/catalog"
	"mianti/internal/fault"
)

// Flaw (改动错误) is one thing wrong with an edit.
type Flaw struct {
	Thing  Thing  `json:"thing" doc:"哪一处改动; 说不清的为空"`
	Place  string `json:"place,omitempty" doc:"键"`
	Code   string `json:"code"`
	Reason string `json:"reason"`
}

// triples gives the things of a draft as it found them, as they stand in another
// revision, and as it has them; none where that revision is the draft's own.
func (d *Desk) triples(ctx context.Context, draft *Draft, head int) ([]Triple, error) {
	if draft.Base == head {
		return nil, nil
	}
	inside, err := d.inside(ctx, draft, head)
	if err != nil {
		return nil, err
	}
	base, err := d.things(ctx, draft.Base, draft.Edits)
	if err != nil {
		return nil, err
	}
	theirs, err := d.things(ctx, head, draft.Edits)
	if err != nil {
		return nil, err
	}
	out := make([]Triple, len(draft.Edits))
	for i, mine := range draft.Edits {
		out[i] = Triple{Base: base[i], Theirs: theirs[i], Mine: mine, Inside: inside[thingOf(mine)]}
	}
	return out, nil
}

// things gives what edits are about as it stands in a revision, in their order;
// without a value where it does not. Each file is read once.
func (d *Desk) things(ctx context.Context, number int, edits []catalog.Edit) ([]catalog.Edit, error) {
	files, err := d.Catalogs.EditedFiles(ctx, number, edits)
	if err != nil {
		return nil, fmt.Errorf("read revision %d: %w", number, err)
	}
	for path, content := range files {
		if content == nil {
			delete(files, path)
		}
	}
	all, _ := catalog.Things(files) // they were loaded: they have no faults
	byName := make(map[Thing]catalog.Edit, len(all))
	for _, e := range all {
		byName[thingOf(e)] = e
	}
	out := make([]catalog.Edit, len(edits))
	for i, e := range edits {
		found, ok := byName[thingOf(e)]
		if !ok && e.Kind == catalog.ThingDataset { // another department may hold it
			if found, err = d.Catalogs.Thing(ctx, number, e.Kind, e.Code); err != nil {
				return nil, fmt.Errorf("read %s of revision %d: %w", e.Code, number, err)
			}
		}
		found.Kind, found.Code = e.Kind, e.Code
		out[i] = found
	}
	return out, nil
}

// inside gives what others have changed inside the things that a draft removes.
// What the draft removes by an edit of its own is not said twice.
func (d *Desk) inside(ctx context.Context, draft *Draft, head int) (map[Thing][]Thing, error) {
	var about []string
	for i := range draft.Edits {
		if holds(draft.Edits[i].Kind) && draft.Edits[i].Removes() {
			about = append(about, draft.Edits[i].Code)
		}
	}
	if len(about) == 0 {
		return nil, nil
	}
	changes, err := d.changesBetween(ctx, draft.Base, head, about)
	if err != nil {
		return nil, err
	}
	out := map[Thing][]Thing{}
	for _, e := range draft.Edits {
		if !holds(e.Kind) || !e.Removes() {
			continue
		}
		out[thingOf(e)] = nil
	}
	for _, c := range changes {
		for _, t := range holdersOf(c.edit()) {
			if _, removed := out[t]; removed && draft.Edit(c.Thing) == nil {
				out[t] = append(out[t], c.Thing)
			}
		}
	}
	return out, nil
}

// holds reports whether things of a kind hold others.
func holds(kind catalog.ThingKind) bool {
	return kind == catalog.ThingOneThing || kind == catalog.ThingMatter || kind == catalog.ThingDepartment
}

// changed is a thing that differs between two revisions.
type changed struct {
	Thing
	department string // that holds a dataset
	removed    bool
}

// edit names the thing as an edit does.
func (c changed) edit() catalog.Edit {
	return catalog.Edit{Kind: c.Kind, Code: c.Code, In: c.department}
}

// holdersOf gives the things in which what an edit is about stands.
func holdersOf(e catalog.Edit) []Thing {
	thing, _, _ := strings.Cut(e.Code, ".")
	switch e.Kind {
	case catalog.ThingMaterial:
		return []Thing{{catalog.ThingMatter, e.Code[:max(strings.LastIndexByte(e.Code, '.'), 0)]}, {catalog.ThingOneThing, thing}}
	case catalog.ThingMatter:
		return []Thing{{catalog.ThingOneThing, thing}}
	case catalog.ThingDataset:
		return []Thing{{catalog.ThingDepartment, e.In}}
	default:
		return nil
	}
}

// changesBetween lists the things that differ between two revisions, each once. A
// source counts as its dataset.
func (d *Desk) changesBetween(ctx context.Context, earlier, later int, about []string) ([]changed, error) {
	was, err := d.Catalogs.Revision(ctx, earlier, about...)
	if err != nil {
		return nil, fmt.Errorf("read revision %d: %w", earlier, err)
	}
	is, err := d.Catalogs.Revision(ctx, later, about...)
	if err != nil {
		return nil, fmt.Errorf("read revision %d: %w", later, err)
	}
	all, err := catalog.Compare(was, is)
	if err != nil {
		return nil, err
	}
	datasets := sourceDatasets(was, is)
	var out []changed
	seen := map[Thing]bool{}
	for _, c := range all {
		one := changed{Thing: Thing{c.Kind, c.Code}, removed: c.Change == catalog.ThingRemoved}
		if c.Kind == catalog.ThingSource {
			one = changed{Thing: Thing{catalog.ThingDataset, datasets[c.Code]}}
		}
		if one.Kind == catalog.ThingDataset {
			one.department = departmentOf(one.Code, is, was)
			one.removed = is.Dataset(one.Code) == nil
		}
		if !seen[one.Thing] {
			seen[one.Thing] = true
			out = append(out, one)
		}
	}
	return out, nil
}

func sourceDatasets(all ...*catalog.Revision) map[string]string {
	out := map[string]string{}
	for _, rev := range all {
		for _, dataset := range rev.Datasets() {
			for i := range dataset.Sources {
				out[dataset.Sources[i].Code] = dataset.Code
			}
		}
	}
	return out
}

func departmentOf(dataset string, all ...*catalog.Revision) string {
	for _, rev := range all {
		if found := rev.Dataset(dataset); found != nil {
			return found.Department
		}
	}
	return ""
}

// moved lists the things that others have changed.
func moved(all []Triple) []Thing {
	out := []Thing{}
	for i := range all {
		if all[i].Moved() {
			out = append(out, thingOf(all[i].Mine))
		}
	}
	return out
}

// ready refuses a draft with something to merge or to mend.
func (d *Desk) ready(ctx context.Context, draft *Draft) error {
	head, err := d.Publisher.LatestRevision(ctx)
	if err != nil {
		return fmt.Errorf("check a draft: %w", err)
	}
	_, err = d.drafted(ctx, draft, head)
	return err
}

// drafted gives the catalog as it would be if a draft were published on top of a
// revision, or says what stands in the way: what others have changed, faults, and
// what the linter forbids.
func (d *Desk) drafted(ctx context.Context, draft *Draft, head int) (*catalog.Drafted, error) {
	all, err := d.triples(ctx, draft, head)
	if err != nil {
		return nil, err
	}
	if things := moved(all); len(things) > 0 {
		return nil, behind(things)
	}
	if found := draft.contradictions(); len(found) > 0 {
		return nil, faulty(found)
	}
	out, err := d.Catalogs.Drafted(ctx, head, draft.Edits)
	var faults catalog.Faults
	if errors.As(err, &faults) {
		flaws, err := d.place(ctx, draft, head, faults)
		if err != nil {
			return nil, err
		}
		return nil, faulty(flaws)
	}
	if err != nil {
		return nil, fmt.Errorf("check a draft: %w", err)
	}
	if d.Linter == nil {
		return out, nil
	}
	found, err := d.Linter.LintErrors(ctx, out, head)
	if err != nil {
		return nil, fmt.Errorf("lint a draft: %w", err)
	}
	if len(found) > 0 {
		return nil, fault.New(fault.Conflict, "lint-errors", "目录检查有 %d 处错误，改正之后才能提交和发布。", len(found)).With(found...)
	}
	return out, nil
}

// mostDetails is how many of a failure's details are listed.
const mostDetails = 100

func behind(things []Thing) error {
	err := fault.New(fault.Conflict, "draft-behind", "起草之后别人改过其中的 %d 项。请先合并到现行目录，再提交审核。", len(things))
	for _, t := range things[:min(len(things), mostDetails)] {
		err = err.With(fault.Detail{Location: "edits." + string(t.Kind) + "." + t.Code, Code: "changed-by-others", Message: t.Kind.Name() + " " + t.Code + " 在现行目录中已经改变。"})
	}
	return err
}

func faulty(faults []Flaw) error {
	err := fault.New(fault.Conflict, "draft-faulty", "草案有 %d 处错误，改正之后才能提交和发布。", len(faults))
	for _, f := range faults[:min(len(faults), mostDetails)] {
		err = err.With(fault.Detail{Location: strings.TrimSuffix("edits."+string(f.Thing.Kind)+"."+f.Thing.Code+"."+f.Place, "."), Code: f.Code, Message: f.Reason})
	}
	return err
}

// faults says what is wrong with the edits of a draft, on the revision that they
// were written on.
func (d *Desk) faults(ctx context.Context, draft *Draft) ([]Flaw, error) {
	if len(draft.Edits) == 0 {
		return []Flaw{}, nil
	}
	if found := draft.contradictions(); len(found) > 0 {
		return found, nil
	}
	_, err := d.Catalogs.Drafted(ctx, draft.Base, draft.Edits)
	var faults catalog.Faults
	switch {
	case errors.As(err, &faults):
		return d.place(ctx, draft, draft.Base, faults)
	case err != nil:
		return nil, fmt.Errorf("check a draft: %w", err)
	default:
		return []Flaw{}, nil
	}
}

// contradictions are edits inside what the draft itself removes.
func (d *Draft) contradictions() []Flaw {
	removed := map[Thing]bool{}
	for i := range d.Edits {
		removed[thingOf(d.Edits[i])] = d.Edits[i].Removes()
	}
	var out []Flaw
	for _, e := range d.Edits {
		for _, t := range holdersOf(e) {
			if removed[t] {
				out = append(out, Flaw{Thing: thingOf(e), Code: "inside-removed", Reason: "草案删除了" + t.Kind.Name() + " " + t.Code + "，其中的内容一并删除。请去掉这处改动，或者不删除" + t.Kind.Name() + "。"})
			}
		}
	}
	return out
}

// place says of which edit each fault is, and at which key: by the line at which it
// stands in the file that the edits make.
func (d *Desk) place(ctx context.Context, draft *Draft, base int, found catalog.Faults) ([]Flaw, error) {
	files, err := d.Catalogs.EditedFiles(ctx, base, draft.Edits)
	if err != nil {
		return nil, fmt.Errorf("check a draft: %w", err)
	}
	parts, _ := catalog.Apply(files, draft.Edits)
	out := make([]Flaw, len(found))
	for i, f := range found {
		out[i] = Flaw{Code: f.Code, Reason: f.Reason}
		at := slices.IndexFunc(parts, func(p catalog.Part) bool { return p.Path == f.File })
		if at >= 0 {
			kind, code, place := catalog.Locate(parts[at], f.Line)
			out[i].Thing, out[i].Place = Thing{kind, code}, place
		}
		if e := draft.refused(f); e != nil && draft.Edit(out[i].Thing) == nil {
			out[i].Thing, out[i].Place = thingOf(*e), ""
		}
	}
	return out, nil
}

// refused gives the edit that a fault names: one that could not be made at all.
func (d *Draft) refused(f catalog.Fault) *catalog.Edit {
	for i := range d.Edits {
		if e := &d.Edits[i]; catalog.PathOf(*e) == f.File && strings.HasPrefix(f.Reason, e.Kind.Name()+" "+e.Code+"：") {
			return e
		}
	}
	return nil
}
