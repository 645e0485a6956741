package interchange

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"

	"mianti/batch/table"
	"mianti/catalog"
	"mianti/internal/fault"
	"mianti/policies"
)

// Content (导出内容) is what an export is made of.
type Content struct {
	// Ground is the revision, or of a large catalog what it holds of it: everything
	// but the one-things.
	Ground *catalog.Revision
	// Each gives the one-things, some at a time, each with the ground; nil where
	// Ground is the whole catalog.
	Each func(func(*catalog.Revision) error) error
	// Files gives the catalog's own files, for YAML alone.
	Files func(func(catalog.Part) error) error
	// Grants are the grants, for the sheet of that name.
	Grants iter.Seq2[policies.Grant, error]
}

// each gives the one-things.
func (c *Content) each(do func(*catalog.Revision) error) error {
	if c.Each == nil {
		return do(c.Ground)
	}
	return c.Each(do)
}

// mostRows is how many rows below the heading a sheet of a workbook can hold.
const mostRows = 1<<20 - 1

// Export writes the sheets of these names, all without any, in a format: one
// workbook, CSV (one file, or several in a ZIP archive), or the catalog's own files
// in a ZIP archive.
func Export(to io.Writer, c *Content, format Format, names []string) error {
	if format == YAML {
		return exportYAML(to, c)
	}
	chosen, err := c.tables(names)
	if err != nil {
		return err
	}
	switch format {
	case XLSX:
		for i := range chosen {
			chosen[i].Rows = bounded(chosen[i].Name, chosen[i].Rows)
		}
		return table.Write(to, chosen...)
	case CSV:
		if len(chosen) == 1 {
			return table.WriteCSV(to, chosen[0])
		}
		return zipped(to, chosen)
	default:
		return unknownFormat(format)
	}
}

func unknownFormat(format Format) error {
	return fault.New(fault.Invalid, "unknown-format", "没有“%s”这种格式。可以导出 xlsx、csv、yaml 和 dcat。", shortened(string(format)))
}

// Name gives the file name and the media type of an export.
func Name(format Format, names []string) (name, kind string) {
	base := "catalog"
	switch {
	case format == XLSX:
		return base + ".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	case format == CSV && len(names) == 1:
		return base + ".csv", "text/csv; charset=utf-8"
	case format == DCAT:
		return base + ".jsonld", "application/ld+json"
	default:
		return base + ".zip", "application/zip"
	}
}

// tables gives the sheets of these names with their rows.
func (c *Content) tables(names []string) ([]table.Sheet, error) {
	if err := c.check(names); err != nil {
		return nil, err
	}
	s := newScribe(c.Ground)
	wanted := func(name string) bool { return len(names) == 0 || slices.Contains(names, name) }
	var out []table.Sheet
	for _, sheet := range sheets() {
		if wanted(sheet.name) {
			out = append(out, table.Sheet{Name: sheet.name, Heading: sheet.headings(), Rows: c.rows(s, sheet)})
		}
	}
	if c.Grants != nil && wanted(grantSheetName) {
		out = append(out, c.grantTable(s))
	}
	return out, nil
}

// check refuses names that no sheet has.
func (c *Content) check(names []string) error {
	known := sheetNames()
	if c.Grants == nil {
		known = slices.DeleteFunc(known, func(name string) bool { return name == grantSheetName })
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return fault.New(fault.Invalid, "unknown-sheet", "没有“%s”这一类。可以导出：%s。", shortened(name), strings.Join(known, "、"))
		}
	}
	return nil
}

func sheetNames() []string {
	var names []string
	for _, k := range Kinds() {
		names = append(names, k[0])
	}
	return names
}

func (sh *sheet) headings() []string {
	out := make([]string, len(sh.columns))
	for i, c := range sh.columns {
		out[i] = c.heading
	}
	return out
}

// rows writes the rows of a sheet as they are asked for.
func (c *Content) rows(s *scribe, sh *sheet) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		stopped := errors.New("nobody wants more rows")
		write := func(rev *catalog.Revision) error {
			local := *s
			local.rev = rev
			return sh.records(rev, func(r *record) error {
				if !yield(sh.cells(&local, r), nil) {
					return stopped
				}
				return nil
			})
		}
		err := error(nil)
		if slices.Contains([]catalog.ThingKind{catalog.ThingOneThing, catalog.ThingMatter, catalog.ThingMaterial}, sh.kind) {
			err = c.each(write)
		} else {
			err = write(c.Ground)
		}
		if err != nil && !errors.Is(err, stopped) {
			yield(nil, err)
		}
	}
}

// cells writes a record as a row.
func (sh *sheet) cells(s *scribe, r *record) []string {
	out := make([]string, len(sh.columns))
	for i := range sh.columns {
		out[i] = sh.columns[i].cell(s, r)
	}
	return out
}

func (c *column) cell(s *scribe, r *record) string {
	switch {
	case c.says != nil:
		return c.says(s, r)
	case r.group > 0 && !r.head && ofProof(c.key):
		return "" // said once for the whole proof
	default:
		return c.form.show(s, at(r.values, c.key))
	}
}

// ofProof reports whether a key of a mapping is its proof's, and not its lookup's.
func ofProof(key string) bool {
	return key == "for" || key == "standard_material" || key == "check" || key == "check_text"
}

// records gives what the rows of a sheet are written from, in the catalog's order.
func (sh *sheet) records(rev *catalog.Revision, do func(*record) error) error {
	for thing := range thingsOf(rev, sh.kind) {
		values, err := asValues(thing.value)
		if err != nil {
			return err
		}
		for _, r := range sh.split(thing.code, thing.in, values) {
			if err := do(r); err != nil {
				return err
			}
		}
	}
	return nil
}

// split gives the records of one thing: itself, or the entries of its list.
func (sh *sheet) split(code, in string, values map[string]any) []*record {
	var out []*record
	switch sh.list {
	case "":
		out = append(out, &record{code: code, in: in, values: values})
	case "proofs":
		for i, proof := range entries(values["proofs"]) {
			for j, lookup := range entries(proof["lookups"]) {
				row := maps.Clone(proof)
				delete(row, "lookups")
				maps.Copy(row, lookup)
				out = append(out, &record{code: code, values: row, owner: values, group: i + 1, head: j == 0})
			}
		}
	default:
		for _, entry := range entries(values[sh.list]) {
			out = append(out, &record{code: code, in: in, values: entry, owner: values})
		}
	}
	return out
}

// listed is a thing of a revision.
type listed struct {
	code, in string
	value    any
}

// thingsOf lists the things of a kind without those in them that have a sheet of
// their own. A source is in none: where a record is asked for is nobody's but the
// operator's.
func thingsOf(rev *catalog.Revision, kind catalog.ThingKind) iter.Seq[listed] {
	return func(yield func(listed) bool) {
		for _, t := range allOf(rev, kind) {
			if !yield(t) {
				return
			}
		}
	}
}

func allOf(rev *catalog.Revision, kind catalog.ThingKind) []listed {
	switch kind {
	case catalog.ThingOneThing:
		return listing(rev.OneThings(), func(t *catalog.OneThing) listed { own := *t; own.Matters = nil; return listed{t.Code, "", own} })
	case catalog.ThingMatter:
		return listing(rev.Matters(), func(m *catalog.Matter) listed { own := *m; own.Materials = nil; return listed{m.Code, "", own} })
	case catalog.ThingMaterial:
		return listing(rev.Materials(), func(m *catalog.Material) listed { return listed{m.Code, "", m} })
	case catalog.ThingCommonMaterial:
		return listing(rev.CommonMaterials(), func(m *catalog.Material) listed { return listed{m.Code, "", m} })
	case catalog.ThingStandardMaterial:
		return listing(rev.StandardMaterials(), func(m *catalog.StandardMaterial) listed { return listed{m.Code, "", m} })
	case catalog.ThingDataset:
		return listing(rev.Datasets(), func(d *catalog.Dataset) listed {
			own := *d
			own.Sources = nil
			return listed{d.Code, d.Department, own}
		})
	case catalog.ThingFact:
		return listing(rev.Facts(), func(f *catalog.Fact) listed { return listed{f.Code, "", f} })
	case catalog.ThingRole:
		return listing(rev.Roles(), func(r *catalog.Role) listed { return listed{r.Code, "", r} })
	case catalog.ThingDepartment:
		return listing(rev.Departments(), func(d *catalog.Department) listed { return listed{d.Code, "", d} })
	default:
		return nil
	}
}

func listing[T any](all []*T, one func(*T) listed) []listed {
	out := make([]listed, len(all))
	for i, t := range all {
		out[i] = one(t)
	}
	return out
}

// bounded ends a sheet that a workbook cannot hold.
func bounded(name string, rows iter.Seq2[[]string, error]) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		n := 0
		for row, err := range rows {
			if n++; n > mostRows {
				row, err = nil, fault.New(fault.TooLarge, "too-many-rows", "“%s”超过 %d 行，一页工作表放不下。请导出 CSV。", name, mostRows)
			}
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
}

// zipped writes several CSV files as one archive.
func zipped(to io.Writer, tables []table.Sheet) error {
	archive := zip.NewWriter(to)
	for _, t := range tables {
		w, err := archive.Create(t.Name + ".csv")
		if err != nil {
			return fmt.Errorf("write the lists: %w", err)
		}
		if err := table.WriteCSV(w, t); err != nil {
			return err
		}
	}
	return archive.Close()
}

// exportYAML writes the files of the catalog as they are stored, byte for byte.
func exportYAML(to io.Writer, c *Content) error {
	archive := zip.NewWriter(to)
	err := c.Files(func(p catalog.Part) error {
		w, err := archive.Create("catalog/" + p.Path)
		if err == nil {
			_, err = w.Write(p.Content)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("write the catalog's files: %w", err)
	}
	return archive.Close()
}
