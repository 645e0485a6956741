package interchange

import (
	"context"
	"io"
	"io/fs"
	"iter"
	"slices"

	"mianti/catalog"
	"mianti/internal/fault"
	"mianti/policies"
)

// Catalogs gives the revisions of the catalog.
type Catalogs interface {
	Current(ctx context.Context) (*catalog.Revision, error)
	// Revision gives one by its number; fault.NotFound for none.
	Revision(ctx context.Context, number int) (*catalog.Revision, error)
}

// Folders gives the files of the stored revisions.
type Folders interface {
	// Revision gives those of one by its number, byte for byte.
	Revision(ctx context.Context, number int) (fs.FS, error)
}

// Grants lists the grants.
type Grants interface {
	// AllGrants gives every grant, in the order of its id.
	AllGrants(ctx context.Context) iter.Seq2[policies.Grant, error]
}

// Desk (交换台) exports the stored revisions, and holds files against them. It writes
// nothing: the edits of a preview are for a draft.
type Desk struct {
	Catalogs Catalogs
	Folders  Folders
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

// Check tells whether what is wanted can be had at all.
func (w Wish) Check() error {
	c := Content{}
	if !slices.Contains([]Format{XLSX, CSV, YAML, DCAT}, w.Format) {
		return unknownFormat(w.Format)
	}
	return c.check(w.Sheets)
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
	content := &Content{Ground: rev}
	if w.Format == YAML {
		if content.Files, err = d.files(ctx, rev.Number); err != nil {
			return err
		}
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
	files, err := d.files(ctx, rev.Number)
	if err != nil {
		return nil, 0, err
	}
	base, err := BaseOf(rev, files)
	if err != nil {
		return nil, 0, err
	}
	if d.Grants != nil {
		base.Grant = d.grants(ctx)
	}
	p, err := Import(base, content, progress)
	return p, rev.Number, err
}

func (d *Desk) revision(ctx context.Context, number int) (*catalog.Revision, error) {
	if number == 0 {
		return d.Catalogs.Current(ctx)
	}
	return d.Catalogs.Revision(ctx, number)
}

func (d *Desk) files(ctx context.Context, number int) (map[string][]byte, error) {
	if d.Folders == nil {
		return nil, fault.New(fault.Unavailable, "no-catalog", "还没有载入目录。")
	}
	folder, err := d.Folders.Revision(ctx, number)
	if err != nil {
		return nil, err
	}
	return catalog.Files(folder)
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
