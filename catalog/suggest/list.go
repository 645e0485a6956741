package suggest

import (
	"slices"
	"strings"
	"unicode"

	"mianti/batch/table"
)

// headings are what lists call the column of the names, the likeliest first.
func headings() []string {
	return []string{"材料名称", "申请材料名称", "申请材料", "所需材料", "提交材料", "材料", "资料名称", "证照名称", "证件名称", "名称", "NAME"}
}

// headingRows is in how many rows from the top the heading is looked for: lists have
// titles above it.
const headingRows = 10

// NamesIn reads the names of a list that is a file, CSV or XLSX: those of the column
// whose heading says so, or of the first column with texts where no heading does. An
// error is a fault.Invalid which says what to do.
func NamesIn(content []byte) ([]string, error) {
	var rows []table.Row
	for row, err := range table.Read(content) {
		if err != nil {
			return nil, err
		}
		if rows = append(rows, row); len(rows) > MaxRows {
			return nil, invalidList("file", "too-many-names", "名单太长。请分成几份，每份不超过 2 万行。")
		}
	}
	column, from := columnOfNames(rows)
	if column < 0 {
		return nil, invalidList("file", "no-names", "文件里没有找到材料名称。请让名称在第一列，或把列名写作“材料名称”。")
	}
	var out []string
	for _, row := range rows[from:] {
		if column < len(row.Cells) {
			out = appendName(out, row.Cells[column].Text)
		}
	}
	return out, nil
}

// MaxRows bounds a list that is a file.
const MaxRows = 20_000

// NamesOf reads the names of a list that was typed or pasted, one on a line.
func NamesOf(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		out = appendName(out, line)
	}
	return out
}

// appendName appends a name on one line; what holds no letter is none.
func appendName(names []string, text string) []string {
	name := strings.Join(strings.Fields(text), " ")
	if !strings.ContainsFunc(name, unicode.IsLetter) {
		return names
	}
	return append(names, name)
}

func columnOfNames(rows []table.Row) (column, from int) {
	for _, heading := range headings() {
		for i, row := range rows[:min(len(rows), headingRows)] {
			at := slices.IndexFunc(row.Cells, func(c table.Cell) bool {
				return strings.ToUpper(strings.Join(strings.Fields(c.Text), "")) == heading
			})
			if at >= 0 {
				return at, i + 1
			}
		}
	}
	for _, row := range rows {
		for at, cell := range row.Cells {
			if !cell.Number && strings.ContainsFunc(cell.Text, unicode.IsLetter) {
				return at, 0
			}
		}
	}
	return -1, 0
}

// Inert makes a text of what a spreadsheet program would take for a formula.
func Inert(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}
