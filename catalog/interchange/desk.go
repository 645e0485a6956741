package interchange

import (
	"context"
	"errors"
	"io"
	"iter"
	"slices"

	"mianti/catalog"
	"mianti/policies"
)

// Catalogs gives the revisions of the catalog; see store.Catalogs.
type Catalogs interface {
	Current(ctx context.Context, about ...string) (*catalog.Revision, error)
	// Revision gives one by its number; fault.NotFound for none.
	Revision(ctx context.Context, number int, about ...string) (*catalog.Revision, error)
	// EachOneThing gives every one-thing, each as the ground with it alone.
	EachOneThing(ctx context.Context, number int, each func(*catalog.Revision) error) error
	// Drafted gives a revision with edits, or catalog.Faults.
	Drafted(ctx context.Context, base int, edits []catalog.Edit, about ...string) (*catalog.Drafted, error)
}

// Files gives the files of the revisions, byte for byte as they were saved.
type Files interface {
	// File gives one; nil for none.
	File(ctx context.Context, number int, path string) ([]byte, error)
	// EachFile gives all, sorted by path.
	EachFile(ctx context.Context, number int, each func(catalog.Part) error) error
}

// Grants lists the grants.
type Grants interface {
	// AllGrants gives every grant, in the order of its id.
	AllGrants(ctx context.Context) iter.Seq2[policies.Grant, error]
}

// Desk (交换台) exports the revisions, and holds files against them. It writes
// nothing: the edits of a preview are for a draft.
type Desk struct {
	Catalogs Catalogs
	Files    Files
	Grants   Grants // nil for none
	// Address is that of the exchange, by which DCAT names its datasets.
	Address string
}

// Wish (导出要求) is what somebody wants exported.
type Wish struct {
	Number int // of the revision; 0 for the current one
	Format Format
	Sheets []string // names, see Kinds; none for all
}

// Check tells whether what is wanted can be had, of a desk without grants.
func (w Wish) Check() error {
	if !slices.Contains([]Format{XLSX, CSV, YAML, DCAT}, w.Format) {
		return unknownFormat(w.Format)
	}
	return (&Content{}).check(w.Sheets)
}

// Export writes what is wanted. What is wrong with the wish is told before the first
// byte is written.
func (d *Desk) Export(ctx context.Context, w Wish, to io.Writer) error {
	rev, err := d.revision(ctx, w.Number)
	if err != nil {
		return err
	}
	if w.Format == DCAT {
		return ExportDCAT(to, rev, d.Address)
	}
	content := &Content{Ground: rev, Files: func(each func(catalog.Part) error) error { return d.Files.EachFile(ctx, rev.Number, each) }}
	if !rev.Whole() {
		content.Each = func(each func(*catalog.Revision) error) error { return d.Catalogs.EachOneThing(ctx, rev.Number, each) }
	}
	if d.Grants != nil {
		content.Grants = d.Grants.AllGrants(ctx)
	}
	return Export(to, content, w.Format, w.Sheets)
}

// Preview holds a file against a revision; 0 is the current one. It gives the number
// of the revision too, which is the base of a draft with the edits.
func (d *Desk) Preview(ctx context.Context, number int, content []byte, progress func(rows int)) (*Preview, int, error) {
	rev, err := d.revision(ctx, number)
	if err != nil {
		return nil, 0, err
	}
	p, err := Import(d.base(ctx, rev), content, progress)
	return p, rev.Number, err
}

func (d *Desk) revision(ctx context.Context, number int) (*catalog.Revision, error) {
	if number == 0 {
		return d.Catalogs.Current(ctx)
	}
	return d.Catalogs.Revision(ctx, number)
}

// base is what a file is compared with: of the catalog's files those are read that
// the file is about.
func (d *Desk) base(ctx context.Context, rev *catalog.Revision) *Base {
	read := &fileReader{ctx: ctx, desk: d, rev: rev, byPath: map[string]map[thingName]catalog.Edit{}}
	b := &Base{Revision: rev, Thing: read.thing, Things: read.things, Check: read.check}
	if !rev.Whole() {
		b.About = func(codes ...string) (*catalog.Revision, error) {
			return d.Catalogs.Revision(ctx, rev.Number, codes...)
		}
	}
	if d.Grants != nil {
		b.Grant = d.grants(ctx)
	}
	return b
}

// keptFiles is how many files of one-things are kept while others are read.
const keptFiles = 200

// fileReader reads things from the files of a revision, for one import. It has the
// context of that import, and ends with it.
type fileReader struct {
	ctx    context.Context
	desk   *Desk
	rev    *catalog.Revision
	byPath map[string]map[thingName]catalog.Edit
	kept   []string // the paths of one-things, the oldest first
}

func (r *fileReader) thing(kind catalog.ThingKind, code string) (catalog.Edit, error) {
	e := catalog.Edit{Kind: kind, Code: code}
	if kind == catalog.ThingDataset {
		dataset := r.rev.Dataset(code)
		if dataset == nil {
			return e, nil
		}
		e.In = dataset.Department
	}
	path := catalog.PathOf(e)
	things, ok := r.byPath[path]
	if !ok {
		content, err := r.desk.Files.File(r.ctx, r.rev.Number, path)
		if err != nil {
			return e, err
		}
		things = map[thingName]catalog.Edit{}
		if content != nil {
			all, _ := catalog.Things(map[string][]byte{path: content}) // it was loaded: it has no faults
			for _, t := range all {
				things[thingName{t.Kind, t.Code}] = t
			}
		}
		r.keep(path, things)
	}
	if found, ok := things[thingName{kind, code}]; ok {
		return found, nil
	}
	return e, nil
}

func (r *fileReader) keep(path string, things map[thingName]catalog.Edit) {
	r.byPath[path] = things
	if !catalog.IsOneThing(path) {
		return
	}
	if r.kept = append(r.kept, path); len(r.kept) > keptFiles {
		delete(r.byPath, r.kept[0])
		r.kept = r.kept[1:]
	}
}

func (r *fileReader) things(each func(catalog.Edit) error) error {
	return r.desk.Files.EachFile(r.ctx, r.rev.Number, func(p catalog.Part) error {
		all, _ := catalog.Things(map[string][]byte{p.Path: p.Content}) // as above
		for _, e := range all {
			if err := each(e); err != nil {
				return err
			}
		}
		return nil
	})
}

// check drafts the edits. Where they are faulty, the files are edited once more, to
// find which thing each fault is in.
func (r *fileReader) check(edits []catalog.Edit) ([]Flaw, error) {
	_, err := r.desk.Catalogs.Drafted(r.ctx, r.rev.Number, edits)
	var faults catalog.Faults
	if !errors.As(err, &faults) {
		return nil, err
	}
	files := map[string][]byte{}
	for _, e := range edits {
		path := catalog.PathOf(e)
		if _, known := files[path]; known || path == "" {
			continue
		}
		if files[path], err = r.desk.Files.File(r.ctx, r.rev.Number, path); err != nil {
			return nil, err
		}
	}
	parts, _ := catalog.Apply(files, edits) // what cannot be is among the faults already
	for _, p := range parts {
		files[p.Path] = p.Content
	}
	return Flaws(files, faults), nil
}

// grants finds a grant by its id. All are read once, when the first is asked for.
func (d *Desk) grants(ctx context.Context) func(id string) (*policies.Grant, error) {
	var known map[string]policies.Grant
	return func(id string) (*policies.Grant, error) {
		if known == nil {
			known = map[string]policies.Grant{}
			for g, err := range d.Grants.AllGrants(ctx) {
				if err != nil {
					return nil, err
				}
				known[g.ID] = g
			}
		}
		if g, ok := known[id]; ok {
			return &g, nil
		}
		return nil, nil
	}
}
