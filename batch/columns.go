package batch

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"mianti/batch/table"
	"mianti/catalog"
	"mianti/exchange"
	"mianti/internal/fault"
)

// numberHeading is the heading of the column with the department's own numbers.
const numberHeading = "办件编号"

// part is what of a party a column holds.
type part string

const (
	partName   part = "name"
	partNumber part = "number"
	partKind   part = "kind"
)

// column is what a column of a list means: the case's number, a part of a party,
// or a fact.
type column struct {
	heading string
	number  bool
	role    *catalog.Role
	nth     int // of several parties in the role, from 1
	part    part
	fact    *catalog.Fact
}

// key tells columns apart.
func (c column) key() string {
	switch {
	case c.number:
		return "number"
	case c.fact != nil:
		return "fact " + c.fact.Code
	default:
		return fmt.Sprintf("%s %d %s", c.role.Code, c.nth, c.part)
	}
}

// layout knows what headings mean at a revision.
type layout struct {
	rev     *catalog.Revision
	subject string
	facts   map[string]*catalog.Fact
	roles   map[string]*catalog.Role
}

func newLayout(rev *catalog.Revision, subject string) *layout {
	l := &layout{rev: rev, subject: subject, facts: map[string]*catalog.Fact{}, roles: map[string]*catalog.Role{}}
	for _, f := range rev.Facts() {
		l.facts[plainHeading(f.Code)], l.facts[plainHeading(f.Ask)] = f, f
	}
	for _, r := range rev.Roles() {
		l.roles[plainHeading(r.Code)], l.roles[plainHeading(r.Name)] = r, r
	}
	return l
}

// plainHeading makes headings that look alike the same.
func plainHeading(text string) string {
	alike := strings.NewReplacer(" ", "", "\u3000", "", "\n", "", "（", "(", "）", ")", "？", "?", "*", "", "：", ":")
	return strings.ToLower(alike.Replace(text))
}

// parts are the endings by which a heading names a part of a party.
func parts() []struct {
	ending string
	part   part
} {
	return []struct {
		ending string
		part   part
	}{
		{"姓名或名称", partName}, {"姓名", partName}, {"名称", partName}, {".name", partName},
		{"证件号码", partNumber}, {"身份证号", partNumber}, {"号码", partNumber}, {".number", partNumber},
		{"类型", partKind}, {".kind", partKind},
	}
}

// column says what a heading means; false if nothing.
func (l *layout) column(heading string) (column, bool) {
	text := plainHeading(heading)
	if text == plainHeading(numberHeading) || text == "number" {
		return column{heading: heading, number: true}, true
	}
	if fact := l.facts[text]; fact != nil {
		return column{heading: heading, fact: fact}, true
	}
	for _, p := range parts() {
		name, ok := strings.CutSuffix(text, p.ending)
		if !ok {
			continue
		}
		if role := l.roles[name]; role != nil {
			return column{heading: heading, role: role, nth: 1, part: p.part}, true
		}
		bare := strings.TrimRight(name, "0123456789")
		nth, err := strconv.Atoi(name[len(bare):])
		if role := l.roles[bare]; role != nil && err == nil && nth >= 1 && nth <= maxNth {
			return column{heading: heading, role: role, nth: nth, part: p.part}, true
		}
	}
	return column{}, false
}

// maxNth bounds the parties of a role in one row.
const maxNth = 50

// columns reads a heading.
func (l *layout) columns(heading table.Row) ([]column, error) {
	var wrong []fault.Detail
	columns := make([]column, len(heading.Cells))
	seen := map[string]string{}
	for i, cell := range heading.Cells {
		at := fmt.Sprintf("第 %d 行第 %d 列", heading.Line, i+1)
		c, ok := l.column(cell.Text)
		switch {
		case cell.Text == "":
			wrong = append(wrong, fault.Detail{Location: at, Code: "no-heading", Message: "这一列没有列名。请填写列名，或删除这一列。"})
		case !ok:
			wrong = append(wrong, fault.Detail{Location: at, Code: "unknown-column", Message: "列名“" + shortened(cell.Text) + "”不认识。请改用模板中的列名；名单以外的列请删除。"})
		case seen[c.key()] != "":
			wrong = append(wrong, fault.Detail{Location: at, Code: "twice", Message: "这一列与" + seen[c.key()] + "重复。请删除其中一列。"})
		default:
			seen[c.key()] = at
		}
		columns[i] = c
	}
	if !slices.ContainsFunc(columns, func(c column) bool { return c.part == partName }) && len(wrong) == 0 {
		wrong = append(wrong, fault.Detail{Location: fmt.Sprintf("第 %d 行", heading.Line), Code: "no-party", Message: "没有当事人的列。至少要有一个角色的姓名或名称，如“申请人姓名”。"})
	}
	if len(wrong) > 0 {
		return nil, fault.New(fault.Invalid, "invalid-list", "名单的列名有 %d 处不符合要求，没有登记任何内容。请下载模板对照。", len(wrong)).With(wrong...)
	}
	return columns, nil
}

// shortened keeps a text that somebody else wrote short.
func shortened(text string) string {
	if runes := []rune(table.Inert(text)); len(runes) > 30 {
		return string(runes[:30]) + "…"
	}
	return table.Inert(text)
}

// opening begins an opening for the subject.
func (l *layout) opening() exchange.Opening {
	if l.rev.OneThing(l.subject) != nil {
		return exchange.Opening{OneThing: l.subject}
	}
	return exchange.Opening{Matter: l.subject}
}

// matters are those that the subject stands for.
func (l *layout) matters() []*catalog.Matter {
	thing := l.rev.OneThing(l.subject)
	if thing == nil {
		return []*catalog.Matter{l.rev.Matter(l.subject)}
	}
	var all []*catalog.Matter
	for i := range thing.Matters {
		all = append(all, &thing.Matters[i])
	}
	return all
}

// Column (列) is one column of a template.
type Column struct {
	Heading string `json:"heading" doc:"列名"`
	Note    string `json:"note" doc:"怎样填写"`
}

// columnsOf are the columns that a list for the subject can have: the number, the
// roles whose materials are asked for, and the facts that decide about them.
func (l *layout) columnsOf() []Column {
	out := []Column{{numberHeading, "本部门的办件编号；不填则以批次编号和行号编号。"}}
	roles, facts := map[string]bool{}, map[string]bool{}
	for _, m := range l.matters() {
		names(facts, m.When)
		for i := range m.Materials {
			names(facts, m.Materials[i].When)
			for _, step := range m.Materials[i].Chain {
				names(facts, step.When)
			}
			for _, role := range m.Materials[i].Subjects {
				roles[role] = true
			}
		}
	}
	for _, r := range l.rev.Roles() {
		if roles[r.Code] || r.Code == applicant {
			out = append(out, roleColumns(r)...)
		}
	}
	for _, f := range l.rev.Facts() {
		if facts[f.Code] {
			out = append(out, Column{f.Ask, factNote(f)})
		}
	}
	return out
}

// applicant is the role of whoever a case is for. Every matter has it, also where no
// material is the applicant's own.
const applicant = "applicant"

// names adds the words of a condition.
func names(to map[string]bool, condition string) {
	for _, word := range regexp.MustCompile(`[a-z_][a-z0-9_]*`).FindAllString(condition, -1) {
		to[word] = true
	}
}

func roleColumns(r *catalog.Role) []Column {
	name, number := "姓名", "公民身份号码，填为文本"
	if !slices.Contains(r.Kinds, catalog.KindPerson) {
		name, number = "名称", "统一社会信用代码或编号，填为文本"
	} else if len(r.Kinds) > 1 {
		name, number = "姓名或名称", "公民身份号码或统一社会信用代码，填为文本"
	}
	return []Column{
		{r.Name + name, "没有这一角色的不填；同一角色有几个的，另加“" + r.Name + "2" + name + "”等列。"},
		{r.Name + "号码", number + "。"},
	}
}

func factNote(f *catalog.Fact) string {
	labels := make([]string, len(f.Options))
	for i, o := range f.Options {
		labels[i] = o.Label
	}
	switch f.Type {
	case catalog.FactBool:
		return "填“是”或“否”；不知道的不填。"
	case catalog.FactEnum:
		return "填其中之一：" + strings.Join(labels, "、") + "。"
	case catalog.FactSet:
		return "可填几项，用顿号分开：" + strings.Join(labels, "、") + "。"
	case catalog.FactNumber:
		return "填数字。"
	case catalog.FactRegion:
		return "填六位行政区划代码。"
	default:
		return "填文字。"
	}
}

// template writes an empty list for the subject.
func (l *layout) template(to io.Writer) error {
	all := l.columnsOf()
	headings := make([]string, len(all))
	for i, c := range all {
		headings[i] = c.Heading
	}
	return table.Write(to, table.Sheet{Name: "名单", Heading: headings, Rows: table.None})
}
