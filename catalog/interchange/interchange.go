// Package interchange takes a catalog out of the exchange and back in, as the files
// that people and other systems work with: workbooks and CSV lists with the column
// names of the national implementation list (实施清单) and of the resource catalogue
// (政务信息资源目录), the catalog's own YAML, and DCAT-AP for data portals.
//
// It is pure: bytes and a revision go in, bytes or a preview come out. An import
// changes nothing. What it gives are edits for a draft, with every cell that cannot
// be read and how to put it right; docs/interchange.md says which column is what.
package interchange

import (
	"mianti/catalog"
	"mianti/internal/fault"
	"mianti/policies"
)

// Format (交换格式) is a kind of file that a catalog is exported to.
type Format string

// The formats. All but DCAT are read as well.
const (
	XLSX Format = "xlsx"
	CSV  Format = "csv"
	YAML Format = "yaml"
	DCAT Format = "dcat"
)

// Base (导入基准) is the catalog that a file is compared with.
type Base struct {
	Revision *catalog.Revision
	// About gives the revision with what it knows of these things, where Revision
	// does not hold the whole catalog; nil where it does.
	About func(codes ...string) (*catalog.Revision, error)
	// Thing gives a thing as it stands in the revision's files; its Value is nil
	// where there is none.
	Thing func(kind catalog.ThingKind, code string) (catalog.Edit, error)
	// Things gives all things, for an archive that is the whole catalog; nil where
	// nobody can.
	Things func(func(catalog.Edit) error) error
	// Check tells what would be wrong with the catalog after edits; nil leaves that
	// to the draft.
	Check func(edits []catalog.Edit) ([]Flaw, error)
	// Grant gives a grant by its id, or nil; without it grants are not compared.
	Grant func(id string) (*policies.Grant, error)
}

// about gives the revision with what it knows of a thing.
func (b *Base) about(code string) (*catalog.Revision, error) {
	if b.About == nil {
		return b.Revision, nil
	}
	return b.About(code)
}

// BaseOf is a base of a revision that is held whole, and of the files that it was
// loaded from.
func BaseOf(rev *catalog.Revision, files map[string][]byte) (*Base, error) {
	all, faults := catalog.Things(files)
	if len(faults) > 0 {
		return nil, faults
	}
	known := make(map[thingName]catalog.Edit, len(all))
	for _, e := range all {
		known[thingName{e.Kind, e.Code}] = e
	}
	return &Base{
		Revision: rev,
		Thing: func(kind catalog.ThingKind, code string) (catalog.Edit, error) {
			if e, ok := known[thingName{kind, code}]; ok {
				return e, nil
			}
			return catalog.Edit{Kind: kind, Code: code}, nil
		},
		Things: func(do func(catalog.Edit) error) error {
			for _, e := range all {
				if err := do(e); err != nil {
					return err
				}
			}
			return nil
		},
		Check: func(edits []catalog.Edit) ([]Flaw, error) { return check(files, edits) },
	}, nil
}

// thingName tells things apart.
type thingName struct {
	kind catalog.ThingKind
	code string
}

// Preview (导入预览) is what an import would change, and what is wrong with it. With
// an error there are no edits: a file is taken whole or not at all.
type Preview struct {
	Format Format
	Sheets []SheetCount
	// Changes are what the edits change, thing by thing, at most MostChanges of
	// them; Edits are all.
	Changes []Change
	Edits   []catalog.Edit
	// Grants are those of the file that are not given yet. They are no part of a
	// draft: who may give them is another.
	Grants []policies.Grant
	// Errors are at most MostErrors of ErrorCount.
	Errors     []RowError
	ErrorCount int
	// Notices are what was passed over, such as a column that nothing here knows.
	Notices []RowError
}

// Bounds of an import.
const (
	// MaxRows bounds the rows of a file, over all its sheets.
	MaxRows = 1 << 20
	// MaxEdits bounds the things that one import changes.
	MaxEdits    = 20_000
	MostErrors  = 500
	MostChanges = 500
	mostNotices = 200
)

// OK reports whether the file can be taken.
func (p *Preview) OK() bool { return p.ErrorCount == 0 }

// SheetCount (表页计数) is what became of the rows of a sheet.
type SheetCount struct {
	Sheet   string
	Kind    string
	Rows    int
	Added   int
	Changed int
	Removed int
	Same    int
}

// Change (导入变化) is a thing that the import changes, with its place in the file.
type Change struct {
	Sheet string
	Row   int
	catalog.ThingChange
}

// RowError (导入错误) is one thing wrong with a file, and what to do about it.
type RowError struct {
	Sheet   string
	Row     int
	Column  string
	Code    string
	Message string
	Remedy  string
}

// fail keeps an error of the file.
func (p *Preview) fail(e RowError) {
	if p.ErrorCount++; len(p.Errors) < MostErrors {
		p.Errors = append(p.Errors, e)
	}
}

// note keeps something that was passed over.
func (p *Preview) note(e RowError) {
	if len(p.Notices) < mostNotices {
		p.Notices = append(p.Notices, e)
	}
}

// refused gives the preview of a file that cannot be read at all.
func refused(format Format, err error) (*Preview, error) {
	f := fault.As(err)
	if f == nil || f.Kind != fault.Invalid && f.Kind != fault.TooLarge {
		return nil, err
	}
	p := newPreview(format)
	code, message := f.Code, f.Message
	if len(f.Details) > 0 {
		code, message = f.Details[0].Code, f.Details[0].Message
	}
	p.fail(RowError{Code: code, Message: message})
	return p, nil
}

func newPreview(format Format) *Preview {
	return &Preview{Format: format, Sheets: []SheetCount{}, Changes: []Change{}, Edits: []catalog.Edit{}, Errors: []RowError{}, Notices: []RowError{}}
}
