package interchange

import (
	"archive/zip"
	"bytes"
	"cmp"
	"fmt"
	"hash/maphash"
	"io"
	"iter"
	"slices"
	"strings"

	"mianti/batch/table"
	"mianti/catalog"
	"mianti/internal/fault"
)

// Bounds of an archive of lists.
const (
	maxLists    = 40
	maxUnpacked = 128 << 20
)

// Import compares a file with a catalog. It says what would change, or every cell
// that is wrong; nothing is changed, and with an error there are no edits. Only what
// a sheet has columns for is changed, and only what a row says 删除 to is removed. An
// archive of YAML files is the whole catalog: what it lacks is removed.
//
// The progress is told every ten thousand rows; it may be nil. An error is no fault
// of the file.
func Import(base *Base, content []byte, progress func(rows int)) (*Preview, error) {
	if len(content) > table.MaxFile {
		return refused("", fault.New(fault.TooLarge, "too-large", "文件超过 %d MiB。请分成几个文件。", table.MaxFile>>20))
	}
	if bytes.HasPrefix(content, []byte("PK")) {
		return importArchive(base, content, progress)
	}
	if bytes.Contains(content[:min(len(content), 2048)], []byte("format: mianti-catalog/")) {
		return importYAML(base, content)
	}
	book, err := table.Open(content)
	if err != nil {
		return refused(CSV, err)
	}
	return importPages(base, CSV, pagesOf(book), progress)
}

// importArchive tells a workbook from lists and from the catalog's files.
func importArchive(base *Base, content []byte, progress func(rows int)) (*Preview, error) {
	archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return refused("", fault.New(fault.Invalid, "bad-archive", "文件不完整，可能没有传完。请重新保存后再传。"))
	}
	has := func(so func(name string) bool) bool {
		return slices.ContainsFunc(archive.File, func(f *zip.File) bool { return so(strings.ToLower(f.Name)) })
	}
	switch {
	case has(func(name string) bool { return name == "xl/workbook.xml" || name == "/xl/workbook.xml" }):
		book, err := table.Open(content)
		if err != nil {
			return refused(XLSX, err)
		}
		return importPages(base, XLSX, pagesOf(book), progress)
	case has(func(name string) bool { return strings.HasSuffix(name, ".csv") }):
		pages, err := listsIn(archive)
		if err != nil {
			return refused(CSV, err)
		}
		return importPages(base, CSV, pages, progress)
	default:
		return importFolder(base, content)
	}
}

// page is one sheet of the file.
type page struct {
	name  string
	rows  func() iter.Seq2[table.Row, error]
	sheet *sheet
	// at are the sheet's columns by column of the file; -1 for one that nothing
	// here knows.
	at      []int
	heading int // its line
	count   int // index in Preview.Sheets
}

func pagesOf(book *table.Book) []*page {
	var pages []*page
	for i, name := range book.Sheets() {
		pages = append(pages, &page{name: name, rows: func() iter.Seq2[table.Row, error] { return book.Rows(i) }})
	}
	return pages
}

// listsIn reads the CSV files of an archive.
func listsIn(archive *zip.Reader) ([]*page, error) {
	var pages []*page
	left := int64(maxUnpacked)
	for _, f := range archive.File {
		if !strings.HasSuffix(strings.ToLower(f.Name), ".csv") || strings.HasPrefix(f.Name, "__MACOSX/") {
			continue
		}
		if len(pages) == maxLists || f.UncompressedSize64 > uint64(min(left, table.MaxFile)) {
			return nil, fault.New(fault.TooLarge, "unpacked", "压缩包里的名单太多或太大。请分成几个压缩包。")
		}
		left -= int64(f.UncompressedSize64)
		opened, err := f.Open()
		if err != nil {
			return nil, fault.New(fault.Invalid, "bad-archive", "压缩包里的“%s”打不开。请重新打包后再传。", shortened(f.Name))
		}
		content, err := io.ReadAll(io.LimitReader(opened, int64(table.MaxFile)+1))
		_ = opened.Close() // only read
		if err != nil {
			return nil, fault.New(fault.Invalid, "bad-archive", "压缩包里的“%s”不完整。请重新打包后再传。", shortened(f.Name))
		}
		name := f.Name[strings.LastIndexByte(f.Name, '/')+1:]
		pages = append(pages, &page{name: name[:len(name)-len(".csv")], rows: func() iter.Seq2[table.Row, error] { return table.Read(content) }})
	}
	return pages, nil
}

// reader is an import under way.
type reader struct {
	base     *Base
	sheets   []*sheet // those that there are
	scribe   *scribe
	preview  *Preview
	progress func(rows int)
	works    map[thingName]*work
	order    []*work
	// seen are the rows by what they are about, as a digest: a million of them are
	// no burden so.
	seen     map[uint64]int32
	seed     maphash.Seed
	rows     int
	assigned map[string]bool // the codes that were made up for new materials
}

func importPages(base *Base, format Format, pages []*page, progress func(rows int)) (*Preview, error) {
	r := &reader{
		base: base, sheets: append(sheets(), grantSheet().indexed()), scribe: newScribe(base.Revision), preview: newPreview(format), progress: progress, works: map[thingName]*work{},
		seen: map[uint64]int32{}, seed: maphash.MakeSeed(), assigned: map[string]bool{},
	}
	var known []*page
	for _, p := range pages {
		if err := r.recognise(p); err != nil {
			return refusedIn(r.preview, p, err)
		}
		if p.sheet != nil {
			known = append(known, p)
		}
	}
	if len(known) == 0 && r.preview.OK() {
		r.preview.fail(RowError{Code: "unknown-sheet", Message: "没有一页认得出来：前 " + itoa(headingRows) + " 行里找不到列名", Remedy: "请用导出的表格填写，或把列名写成“材料代码”“材料名称”等。可以导入：" + strings.Join(sheetNames(), "、")})
	}
	// What others refer to is read before them, whatever the order of the sheets.
	slices.SortStableFunc(known, func(a, b *page) int { return cmp.Compare(readingRank(a.sheet), readingRank(b.sheet)) })
	for _, p := range known {
		if err := r.read(p); err != nil {
			return refusedIn(r.preview, p, err)
		}
	}
	return r.finish()
}

// refusedIn keeps what makes a sheet unreadable as an error of it.
func refusedIn(p *Preview, at *page, err error) (*Preview, error) {
	one, err := refused(p.Format, err)
	if err != nil {
		return nil, err
	}
	for _, e := range one.Errors {
		e.Sheet = at.name
		p.fail(e)
	}
	return p.withoutEdits(), nil
}

func readingRank(s *sheet) int {
	order := []string{"部门", "角色", "情形", "标准材料", "数据资源", "数据项", "通用材料", "一件事", "事项", "材料", "映射", grantSheetName}
	return slices.Index(order, s.name)
}

// read reads the rows below the heading.
func (r *reader) read(p *page) error {
	p.count = len(r.preview.Sheets)
	r.preview.Sheets = append(r.preview.Sheets, SheetCount{Sheet: p.name, Kind: p.sheet.name})
	for row, err := range p.rows() {
		if err != nil {
			return err
		}
		if row.Line <= p.heading {
			continue
		}
		if r.rows++; r.rows > MaxRows {
			return fault.New(fault.Invalid, "too-many-rows", "文件超过 %d 行。请分成几个文件。", MaxRows)
		}
		if r.progress != nil && r.rows%10_000 == 0 {
			r.progress(r.rows)
		}
		l := &line{page: p, number: row.Line, cells: row.Cells}
		if l.blank() {
			continue
		}
		r.preview.Sheets[p.count].Rows++
		if err := r.take(l); err != nil {
			return err
		}
		if len(r.works) > MaxEdits {
			return fault.New(fault.Invalid, "too-many-changes", "一次导入最多改 %d 项。请分成几个文件，逐份审核。", MaxEdits)
		}
	}
	return nil
}

// count gives the count of a row's sheet.
func (r *reader) count(l *line) *SheetCount { return &r.preview.Sheets[l.page.count] }

// twice reports a row about what another row of the sheet is about.
func (r *reader) twice(l *line, parts ...string) bool {
	var sum maphash.Hash
	sum.SetSeed(r.seed)
	for _, part := range append([]string{l.page.sheet.name}, parts...) {
		sum.WriteString(part)
		sum.WriteByte(0)
	}
	key := sum.Sum64()
	first, known := r.seen[key]
	if !known {
		r.seen[key] = int32(l.number) // a sheet has fewer than 2³¹ rows
		return false
	}
	l.fail(r, "", wrong{"duplicate-code", "与第 " + itoa(int(first)) + " 行重复：" + shortened(strings.Join(parts, " ")), "请只留一行"})
	return true
}

// take reads one row.
func (r *reader) take(l *line) error {
	removes, bad := l.act()
	if bad != nil {
		l.fail(r, "操作", *bad)
		return nil
	}
	if !l.sound(r) {
		return nil
	}
	if l.page.sheet.name == grantSheetName {
		return r.takeGrant(l)
	}
	w, err := r.find(l, removes)
	if err != nil || w == nil {
		return err
	}
	before := r.preview.ErrorCount
	changed, added := false, w.old == nil
	switch {
	case l.page.sheet.list == "proofs":
		changed, added, err = r.takeLookup(l, w, removes)
	case l.page.sheet.list != "":
		changed, added = r.takeEntry(l, w, removes)
	case removes:
		w.removed, changed = true, true
	default:
		changed = r.takeCells(l, w)
	}
	if err != nil || r.preview.ErrorCount > before {
		return err
	}
	if changed || added {
		r.keep(w, l)
	}
	count := r.count(l)
	switch {
	case removes:
		count.Removed++
	case added:
		count.Added++
	case changed:
		count.Changed++
	default:
		count.Same++
	}
	return nil
}

// keep remembers a thing that is changed.
func (r *reader) keep(w *work, l *line) {
	name := thingName{w.kind, w.code}
	if r.works[name] == nil {
		w.place = l
		r.works[name] = w
		r.order = append(r.order, w)
	}
	if w.old == nil && w.own["name"] != nil {
		r.scribe.call(w.kind, w.code, asText(w.own["name"]))
	}
	if w.kind == catalog.ThingFact || w.kind == catalog.ThingRole {
		r.scribe.lenient = true // conditions are checked with them, in the end
	}
}

// takeCells sets what the cells of a row say of a thing.
func (r *reader) takeCells(l *line, w *work) bool {
	rec := w.record(r.scribe)
	changed := false
	for i := range l.page.sheet.columns {
		c := &l.page.sheet.columns[i]
		if c.key == "" || !l.has(i) {
			continue
		}
		value, differs := r.cell(l, c, i, rec, at(rec.values, c.key))
		if !differs {
			continue
		}
		if bad := w.set(c, value); bad != nil {
			l.fail(r, c.heading, *bad)
			continue
		}
		changed = true
		if c.key == "common" {
			r.takesFromAnother(l, c, w)
		}
	}
	if w.kind == catalog.ThingMaterial && (changed || w.old == nil) {
		r.needFollowsCondition(l, w)
	}
	return changed
}

// cell reads a cell that is other than what would be written of the record; nothing
// is nil. A cell that cannot be read is reported.
func (r *reader) cell(l *line, c *column, i int, rec *record, old any) (any, bool) {
	text := l.textAt(i)
	if text == shown(c.cell(r.scribe, rec)) {
		return nil, false
	}
	value, bad := c.form.read(r.scribe, bare(text), old)
	if bad != nil {
		l.fail(r, c.heading, *bad)
		return nil, false
	}
	return value, !same(value, old)
}

// needFollowsCondition holds 材料必要性 and 适用条件 together: one that is not always
// asked for says when.
func (r *reader) needFollowsCondition(l *line, w *work) {
	merged := w.merged()
	when, need := asText(merged["when"]), asText(merged["need"])
	follows := string(catalog.NeedRequired)
	if when != "" {
		follows = string(catalog.NeedConditional)
	}
	if need == follows || merged["common"] != nil && need == "" {
		return
	}
	if !l.says("材料必要性") {
		w.put("need", follows)
		return
	}
	if when == "" {
		l.fail(r, "适用条件", wrong{"condition-missing", "“非必要”的材料要写适用条件", "请在“适用条件”列写条件，如 agent；文字说明写在“非必要时办理情形”"})
		return
	}
	l.fail(r, "材料必要性", wrong{"condition-unexpected", "写了适用条件的材料不是“必要”", "请填“非必要”，或清空“适用条件”"})
}

// finish gives the edits, after the catalog as it would be has been checked.
func (r *reader) finish() (*Preview, error) {
	p := r.preview
	for _, w := range r.order {
		if edit, ok := r.editOf(w); ok {
			p.Edits = append(p.Edits, edit)
			if len(p.Changes) < MostChanges {
				p.Changes = append(p.Changes, Change{Sheet: w.place.page.name, Row: w.place.number, ThingChange: changeOf(w.kind, w.code, w.old, w.now())})
			}
		}
	}
	return r.base.checked(p, func(code string) (string, int) {
		for _, w := range r.order {
			if w.code == code {
				return w.place.page.name, w.place.number
			}
		}
		return "", 0
	})
}

// checked holds the edits against the rules of loading, where the file itself is in
// order, and drops them when anything is wrong.
func (b *Base) checked(p *Preview, place func(code string) (string, int)) (*Preview, error) {
	if p.OK() && len(p.Edits) > 0 && b.Check != nil {
		found, err := b.Check(p.Edits)
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			sheet, row := place(f.Code)
			where := ""
			if row == 0 {
				where = fmt.Sprintf("（%s:%d）", f.Fault.File, f.Fault.Line)
			}
			p.fail(RowError{Sheet: sheet, Row: row, Code: f.Fault.Code, Message: f.Fault.Reason + where, Remedy: "改正后重新导入"})
		}
	}
	if !p.OK() {
		return p.withoutEdits(), nil
	}
	return p, nil
}
