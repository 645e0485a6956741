package interchange

import (
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"mianti/batch/table"
)

// line is one row of a page.
type line struct {
	page   *page
	number int // as a spreadsheet program counts, from 1
	cells  []table.Cell
}

// fail reports something wrong with the row; without a column, with the row itself.
func (l *line) fail(r *reader, heading string, w wrong) {
	r.preview.fail(RowError{Sheet: l.page.name, Row: l.number, Column: heading, Code: w.code, Message: w.message, Remedy: w.remedy})
}

// fileColumn gives the column of the file for one of the sheet; -1 for none.
func (l *line) fileColumn(i int) int { return slices.Index(l.page.at, i) }

// has reports whether the file has a column of the sheet.
func (l *line) has(i int) bool { return l.fileColumn(i) >= 0 }

// says reports whether the file has the column with a heading.
func (l *line) says(heading string) bool {
	return slices.ContainsFunc(l.page.at, func(i int) bool { return i >= 0 && l.page.sheet.columns[i].heading == heading })
}

// textAt gives what stands in a column of the sheet.
func (l *line) textAt(i int) string {
	if at := l.fileColumn(i); at >= 0 && at < len(l.cells) {
		return strings.TrimSpace(strings.ReplaceAll(l.cells[at].Text, "\r\n", "\n"))
	}
	return ""
}

// text gives what the row says for finding its thing; the first cell that says
// something counts.
func (l *line) text(f finding) string {
	for i, c := range l.page.sheet.columns {
		if c.finds == f {
			if text := l.textAt(i); text != "" {
				return bare(text)
			}
		}
	}
	return ""
}

// named gives what stands in the column with a key.
func (l *line) named(key string) string {
	for i, c := range l.page.sheet.columns {
		if c.key == key {
			return bare(l.textAt(i))
		}
	}
	return ""
}

// blank reports whether the row says nothing in the columns that are known.
func (l *line) blank() bool {
	for at, i := range l.page.at {
		if i >= 0 && at < len(l.cells) && (l.cells[at].Text != "" || l.cells[at].Formula) {
			return false
		}
	}
	return true
}

// sound refuses cells whose text nobody wrote: the result of a formula, or what a
// block over several columns hides.
func (l *line) sound(r *reader) bool {
	sound := true
	for at, i := range l.page.at {
		if i < 0 || at >= len(l.cells) {
			continue
		}
		heading := l.page.sheet.columns[i].heading
		switch cell := l.cells[at]; {
		case cell.Formula:
			l.fail(r, heading, wrong{"formula", "这一格是公式", "请复制后“选择性粘贴为数值”，再导入"})
			sound = false
		case cell.Across:
			l.fail(r, heading, wrong{"merged-across", "这一格与旁边的列合并了", "请取消合并，每列各填各的"})
			sound = false
		}
	}
	return sound
}

// act says whether the row removes.
func (l *line) act() (removes bool, bad *wrong) {
	switch text := l.text(findsAct); text {
	case "删除", "删":
		return true, nil
	case "", "新增", "修改", "更改", "保留", "不变":
		return false, nil
	default:
		return false, &wrong{"unknown-word", "“" + shortened(text) + "”不是操作", "要删除的行填“删除”，其余留空"}
	}
}

// all reads every column of the row that has a key; false when one of them is wrong
// or a needed one is empty.
func (l *line) all(r *reader) (map[string]any, bool) {
	values, ok := map[string]any{}, true
	for i := range l.page.sheet.columns {
		c := &l.page.sheet.columns[i]
		if c.key == "" {
			continue
		}
		value, bad := c.form.read(r.scribe, bare(l.textAt(i)), nil)
		if bad == nil && value == nil && c.needed {
			bad = &wrong{"missing-value", "没有填“" + c.heading + "”", "这一列必填"}
		}
		if bad != nil {
			l.fail(r, c.heading, *bad)
			ok = false
		}
		values[c.key] = value
	}
	return values, ok
}

// shown gives a text as it comes back from a file.
func shown(text string) string { return strings.TrimSpace(table.Inert(text)) }

// bare takes away the mark that keeps a text from being a formula.
func bare(text string) string {
	if rest, marked := strings.CutPrefix(text, "'"); marked && table.Inert(rest) == text {
		return rest
	}
	return text
}

// headingRows is how far down a heading is looked for: lists have titles and notes
// above it.
const headingRows = 20

// recognise finds the heading of a page, and the sheet that it is. A page that is
// none is passed over with a notice, unless its name is that of a sheet.
func (r *reader) recognise(p *page) error {
	looked := 0
	for row, err := range p.rows() {
		if err != nil {
			return err
		}
		if looked++; looked > headingRows {
			break
		}
		if found, columns := r.sheetFor(p.name, row); found != nil {
			p.sheet, p.at, p.heading = found, columns, row.Line
			return r.checkHeading(p, row)
		}
	}
	if looked == 0 {
		return nil // an empty page
	}
	e := RowError{Sheet: p.name, Code: "unknown-sheet", Message: "认不出这一页是什么，没有读它", Remedy: "要导入的页，前 " + itoa(headingRows) + " 行里要有一行列名，如“材料代码”“材料名称”"}
	if slices.ContainsFunc(r.sheets, func(s *sheet) bool { return s.called(p.name) }) {
		r.preview.fail(e)
		return nil
	}
	r.preview.note(e)
	return nil
}

// sheetFor finds the sheet that knows most of a row's cells as headings: at least
// two, or one that finds a thing on a page with the sheet's name.
func (r *reader) sheetFor(name string, row table.Row) (*sheet, []int) {
	var best *sheet
	var at []int
	most := 1
	for _, s := range r.sheets {
		columns, known := s.match(row)
		if known == 0 {
			continue
		}
		if s.called(name) {
			known += len(row.Cells) // the name decides between sheets that look alike
		}
		if known > most {
			best, at, most = s, columns, known
		}
	}
	return best, at
}

// called reports whether a page has the sheet's name.
func (s *sheet) called(name string) bool {
	name = plainHeading(name)
	return name == s.name || slices.Contains(s.also, name)
}

// match gives the sheet's columns by column of the file, and how many there are.
func (s *sheet) match(row table.Row) ([]int, int) {
	at, known := make([]int, len(row.Cells)), 0
	for i, cell := range row.Cells {
		at[i] = -1
		if cell.Text == "" {
			continue
		}
		if at[i] = s.columnFor(cell.Text); at[i] >= 0 {
			known++
		}
	}
	return at, known
}

// columnFor finds the column with a heading: as it stands, or without what stands in
// brackets behind it.
func (s *sheet) columnFor(heading string) int {
	plain := plainHeading(heading)
	if i := s.byHeading[plain]; i > 0 {
		return i - 1
	}
	short, _, _ := strings.Cut(plain, "(")
	return s.byHeading[short] - 1
}

// numbering is what lists put before a heading: "1.", "（2）", "3、", "①".
var numbering = regexp.MustCompile(`^[(\[]?[0-9]{1,3}[)\].、:\-]*`)

// plainHeading makes headings that are meant alike the same: widths, blanks, line
// breaks, numbers before them, and the star of what must be filled in.
func plainHeading(text string) string {
	text = strings.Join(strings.Fields(norm.NFKC.String(text)), "")
	text = strings.Trim(text, "*★:_")
	if rest := numbering.ReplaceAllString(text, ""); rest != "" {
		text = rest
	}
	return strings.ToLower(strings.Trim(text, "*★:_"))
}

// checkHeading reports columns that are there twice, unknown, or missing.
func (r *reader) checkHeading(p *page, row table.Row) error {
	first := map[int]string{}
	for i, cell := range row.Cells {
		c := p.at[i]
		switch {
		case cell.Text == "":
		case c < 0:
			r.preview.note(RowError{Sheet: p.name, Row: row.Line, Column: shortened(cell.Text), Code: "unknown-column", Message: "目录里没有这一列的内容，没有读它"})
		case first[c] != "":
			r.preview.fail(RowError{Sheet: p.name, Row: row.Line, Column: shortened(cell.Text), Code: "column-twice", Message: "与“" + first[c] + "”是同一列", Remedy: "请删除其中一列"})
		default:
			first[c] = shortened(cell.Text)
		}
	}
	if missing := p.unfindable(); missing != "" {
		r.preview.fail(RowError{Sheet: p.name, Row: row.Line, Code: "missing-column", Message: "缺少能找到" + p.sheet.name + "的列", Remedy: "请加上" + missing})
		p.sheet = nil
	}
	return nil
}

// unfindable says which columns are looked for, where those that are there cannot
// tell what a row is about.
func (p *page) unfindable() string {
	has := func(f finding) bool {
		return slices.ContainsFunc(p.at, func(i int) bool { return i >= 0 && p.sheet.columns[i].finds == f })
	}
	named := slices.ContainsFunc(p.at, func(i int) bool { return i >= 0 && p.sheet.columns[i].key == "name" })
	switch {
	case p.sheet.name == grantSheetName:
		return ""
	case p.sheet.list != "" && !(has(findsCode) && has(findsItem)):
		return p.sheet.headingsOf(findsCode, " 和 ", findsItem)
	case has(findsCode):
		return ""
	case p.sheet.name == "材料" && (has(findsMatter) || has(findsImplementation)) && named,
		p.sheet.name == "事项" && has(findsImplementation), p.sheet.name == "数据资源" && has(findsResource):
		return ""
	case p.sheet.name == "材料":
		return "“材料代码”，或“事项代码”（或“实施编码”）和“材料名称”"
	case p.sheet.name == "事项":
		return "“事项代码”或“实施编码”"
	case p.sheet.name == "数据资源":
		return "“数据资源代码”或“信息资源代码”"
	default:
		return p.sheet.headingsOf(findsCode, "", "")
	}
}

// headingsOf names the columns that find a thing.
func (s *sheet) headingsOf(a finding, between string, b finding) string {
	name := func(f finding) string {
		for _, c := range s.columns {
			if f != "" && c.finds == f {
				return "“" + c.heading + "”"
			}
		}
		return ""
	}
	return name(a) + between + name(b)
}
