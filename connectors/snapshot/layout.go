package snapshot

import (
	"fmt"
	"slices"
	"strings"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/internal/identifier"
)

// none is the place of a column that the source does not have.
const none = -1

// layout is where things are on a row: each place counts the cells from 0.
type layout struct {
	dataset  *catalog.Dataset
	snapshot *catalog.Snapshot
	width    int

	name, number, revoked int
	fields                []int // in the order of the dataset's
}

// newLayout finds the columns by their headings. A column that nobody asked for
// is not read.
func newLayout(d *catalog.Dataset, s *catalog.Snapshot, heading line) (*layout, RowErrors) {
	h := headings{row: heading.number, places: map[string]int{}}
	width := h.read(heading.cells)
	l := &layout{dataset: d, snapshot: s, width: width, revoked: none}
	l.name, l.number = h.place(s.SubjectName), h.place(s.SubjectNumber)
	if s.Revoked != "" {
		l.revoked = h.place(s.Revoked)
	}
	for _, field := range d.Fields {
		l.fields = append(l.fields, h.place(columnOf(s, field)))
		if !slices.Contains(types(), field.Type) {
			h.add(columnOf(s, field), CodeType, "目录里这个数据项的类型不认识，请改正目录")
		}
	}
	return l, h.faults
}

func types() []catalog.FieldType {
	return []catalog.FieldType{catalog.FieldString, catalog.FieldNumber, catalog.FieldBool, catalog.FieldDate, catalog.FieldList}
}

func columnOf(s *catalog.Snapshot, field catalog.Field) string {
	if column := s.Columns[field.Code]; column != "" {
		return column
	}
	return field.Name
}

// headings are the names of the columns in a file.
type headings struct {
	row    int
	places map[string]int
	told   map[string]bool
	faults RowErrors
}

func (h *headings) add(column, code, message string) {
	h.faults = append(h.faults, RowError{Row: h.row, Column: column, Code: code, Message: message})
}

// read gives the number of columns, up to the last that has a name.
func (h *headings) read(cells []cell) int {
	width := 0
	for i, c := range cells {
		name := strings.TrimSpace(c.text)
		if name == "" {
			continue
		}
		width = i + 1
		if !isText(name) || c.kind != cellText {
			h.add(letter(i), CodeHeading, "列名应为正常的文字：请核对文件编码与目录里声明的是否一致")
			continue
		}
		if _, twice := h.places[name]; twice {
			// The name is not told: this row may be one of data.
			h.add(letter(i), CodeHeading, "列名与前面的一列相同，请删去一列或改名")
		}
		h.places[name] = i
	}
	return width
}

// place finds a column; one that is missing is told once.
func (h *headings) place(name string) int {
	at, found := h.places[name]
	if found {
		return at
	}
	if !h.told[name] {
		if h.told == nil {
			h.told = map[string]bool{}
		}
		h.told[name] = true
		h.add(name, CodeHeading, "缺少这一列，请按约定的列名重新导出")
	}
	return none
}

// letter names a column as a spreadsheet does: A, B, … Z, AA.
func letter(place int) string {
	name := ""
	for place++; place > 0; place = (place - 1) / 26 {
		name = string(rune('A'+(place-1)%26)) + name
	}
	return name
}

// row reads one row, with all that is wrong with it.
func (l *layout) row(at line) (Row, RowErrors) {
	r := rowReader{layout: l, line: at}
	r.checkWidth()
	r.checkFormulas()
	row := Row{
		Subject: connectors.Subject{Kind: l.snapshot.SubjectKind, Name: r.name(), Number: r.number()},
		Fields:  make(map[string]any, len(l.fields)), Revoked: r.revoked(),
	}
	for i, field := range l.dataset.Fields {
		if value, present := r.field(field, l.fields[i]); present {
			row.Fields[field.Code] = value
		}
	}
	return row, r.faults
}

// rowReader reads the cells of one row and collects what is wrong.
type rowReader struct {
	*layout
	line   line
	faults RowErrors
}

func (r *rowReader) add(column, code, message string) {
	r.faults = append(r.faults, RowError{Row: r.line.number, Column: column, Code: code, Message: message})
}

func (r *rowReader) cell(place int) cell {
	if place < 0 || place >= len(r.line.cells) {
		return cell{kind: cellText}
	}
	return r.line.cells[place]
}

// checkWidth finds a separator too many or too few, after which every value
// would be in another column. A spreadsheet leaves out empty cells at the end.
func (r *rowReader) checkWidth() {
	for _, c := range r.line.cells[min(r.width, len(r.line.cells)):] {
		if c.text != "" {
			r.add("", CodeCells, "这一行的单元格比列名多，请核对是否有未加引号的逗号")
			return
		}
	}
	if r.line.whole && len(r.line.cells) < r.width {
		r.add("", CodeCells, "这一行的单元格比列名少，请核对文件是否完整")
	}
}

// checkFormulas refuses what would be another value on another day.
func (r *rowReader) checkFormulas() {
	for i, c := range r.line.cells {
		if c.formula {
			r.add(letter(i), CodeFormula, "单元格是公式，请把结果粘贴为数值后重新保存")
		}
	}
}

func (r *rowReader) name() string {
	name, ok := r.cell(r.layout.name).plain()
	name = strings.TrimSpace(name)
	switch column := r.snapshot.SubjectName; {
	case !ok:
		r.add(column, CodeName, "应为文字，请把这一列的单元格格式设为文本")
	case name == "":
		r.add(column, CodeName, "没有填写，请补上这条记录是谁的")
	case !isText(name) || len([]rune(name)) > maxName:
		r.add(column, CodeText, "文字已损坏或过长，请对照原件核对")
	}
	return name
}

func (r *rowReader) number() string {
	const lost = "号码已被表格软件改成数字，末几位已经丢失：请把这一列的单元格格式设为文本，再重新填写"
	column, c := r.snapshot.SubjectNumber, r.cell(r.layout.number)
	number, ok := c.plain()
	number = normal(number)
	problem := checkNumber(r.snapshot.SubjectKind, number)
	switch {
	case number == "" && ok:
		r.add(column, CodeNumber, "没有填写，请补上这条记录是谁的")
	case !ok, problem != "" && c.lostDigits():
		r.add(column, CodeDigits, lost)
	case problem != "":
		r.add(column, CodeNumber, problem)
	}
	return number
}

// checkNumber says what is wrong with a subject's number, or "".
func checkNumber(kind catalog.PartyKind, number string) string {
	var err error
	switch kind {
	case catalog.KindPerson:
		err = identifier.CitizenID(number)
	case catalog.KindOrganization:
		err = identifier.CreditCode(number)
	default:
		if !isText(number) || len([]rune(number)) > maxNumber || strings.ContainsFunc(number, isBlank) {
			return fmt.Sprintf("号码中有空白、损坏的文字，或超过%d字，请对照原件核对", maxNumber)
		}
	}
	if err != nil {
		return err.Error() // of the program's own, without the number
	}
	return ""
}

func (r *rowReader) revoked() bool {
	if r.layout.revoked == none {
		return false
	}
	c := r.cell(r.layout.revoked)
	if len(r.snapshot.RevokedIn) > 0 && c.kind != cellError {
		return slices.Contains(r.snapshot.RevokedIn, strings.TrimSpace(c.text))
	}
	value, present, fault := c.value(catalog.FieldBool)
	if fault != nil {
		r.add(r.snapshot.Revoked, fault.Code, fault.Message)
	}
	is, isBool := value.(bool)
	return present && isBool && is
}

func (r *rowReader) field(field catalog.Field, place int) (value any, present bool) {
	value, present, fault := r.cell(place).value(field.Type)
	if fault != nil {
		r.add(columnOf(r.snapshot, field), fault.Code, fault.Message)
		return nil, false
	}
	return value, present
}
