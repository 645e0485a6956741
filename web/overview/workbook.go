package overview

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/xuri/excelize/v2"

	"mianti/figures"
	"mianti/web/frame"
)

const workbookType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

// download sends what the page shows as a workbook, with every line of it.
func (p *pages) download(v *frame.Visit) (frame.Answer, error) {
	_, q := query(v)
	report, err := p.Figures.Read(v.Context(), v.Caller, q)
	if err != nil {
		return frame.Answer{}, err
	}
	body, err := workbook(report, names{v})
	if err != nil {
		return frame.Answer{}, fmt.Errorf("write a workbook: %w", err)
	}
	return frame.Send(workbookType, fmt.Sprintf("免提指标-%s-%s.xlsx", report.From, report.Until), body), nil
}

// table is one sheet: what its columns are called, and its rows. A text is written
// as a text and never read as a formula, whatever it begins with.
type table struct {
	Name string
	Head []string
	Rows [][]any
}

// part is a number from 0 to 1 that is shown in percent.
type part float64

func tables(r *figures.Report, n names) []table {
	first := table{Name: "指标", Head: []string{"指标", "数值", "分子", "分母", "口径", "单列"}}
	for i := range r.Figures {
		f := &r.Figures[i]
		var beside []string
		for _, b := range f.Beside {
			beside = append(beside, fmt.Sprintf("%s %d", b.Name, b.N))
		}
		row := []any{f.Name, part(f.Share()), f.Part, f.Whole, f.Definition, strings.Join(beside, "；")}
		if f.Absent != "" || f.Whole == 0 {
			row[1] = "没有数字"
		}
		if f.Absent != "" {
			row[4] = f.Definition + f.Absent
		}
		first.Rows = append(first.Rows, row)
	}
	first.Rows = append(first.Rows, []any{"起止日期", r.From + " 至 " + r.Until})
	daily := table{Name: "逐日", Head: []string{"日期", "免提交", "适用", "实际免提交率"}}
	for _, p := range r.Trend {
		daily.Rows = append(daily.Rows, []any{p.Day, p.Exempt, p.Applicable, part(p.Share())})
	}
	ways := table{Name: "提交情况", Head: []string{"提交情况", "次数"}}
	for _, w := range r.Ways {
		ways.Rows = append(ways.Rows, []any{w.Name, w.N})
	}
	return []table{
		first, daily, ways, lineSheet("按部门", r.ByDepartment), lineSheet("按一件事", r.ByOneThing), lineSheet("按事项", r.ByMatter),
		uploadSheet(r.Uploads, n), sourceSheet(r.Sources, n),
	}
}

func lineSheet(name string, of []figures.Line) table {
	t := table{Name: name, Head: []string{"代码", "名称", "免提交", "适用", "实际免提交率", "申请人选择自行提交", "不适用", "标注可免提交的材料", "目录材料", "办结办件", "一次办结"}}
	for i := range of {
		l := &of[i]
		t.Rows = append(t.Rows, []any{l.Code, l.Name, l.Exempt, l.Applicable, part(l.Share()), l.Chosen, l.NotApplicable, l.Marked, l.Materials, l.Finished, l.AtOnce})
	}
	return t
}

func uploadSheet(of []figures.StillUploaded, n names) table {
	t := table{Name: "仍需提交", Head: []string{"序号", "代码", "材料", "次数", "涉及事项", "主要原因", "目录中的数据资源"}}
	for i, u := range of {
		var datasets []string
		for _, code := range u.Datasets {
			datasets = append(datasets, n.dataset(code))
		}
		t.Rows = append(t.Rows, []any{i + 1, u.Code, u.Name, u.N, strings.Join(u.Matters, "、"), u.Text, strings.Join(datasets, "、")})
	}
	return t
}

func sourceSheet(of []figures.SourceTime, n names) table {
	t := table{Name: "数源", Head: []string{"部门", "数据资源", "数源", "调用", "应答率", "失败", "没有调用", "P50 毫秒", "P95 毫秒"}}
	for i := range of {
		s := &of[i]
		t.Rows = append(t.Rows, []any{n.department(s.Department), n.dataset(s.Dataset), s.Source, s.Asked, part(s.Rate()), s.Failed, s.Held, s.P50, s.P95})
	}
	return t
}

// workbook writes the tables, one sheet for each.
func workbook(r *figures.Report, n names) ([]byte, error) {
	f := excelize.NewFile()
	defer f.Close()
	percent, err := f.NewStyle(&excelize.Style{NumFmt: 10})
	if err != nil {
		return nil, err
	}
	bold, err := f.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}, Alignment: &excelize.Alignment{WrapText: true}})
	if err != nil {
		return nil, err
	}
	for _, t := range tables(r, n) {
		if _, err := f.NewSheet(t.Name); err != nil {
			return nil, err
		}
		if err := writeTable(f, t, bold, percent); err != nil {
			return nil, fmt.Errorf("sheet %s: %w", t.Name, err)
		}
	}
	if err := f.DeleteSheet("Sheet1"); err != nil {
		return nil, err
	}
	f.SetActiveSheet(0)
	out, err := f.WriteToBuffer()
	if err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func writeTable(f *excelize.File, t table, bold, percent int) error {
	w, err := f.NewStreamWriter(t.Name)
	if err != nil {
		return err
	}
	if err := w.SetColWidth(1, len(t.Head), 18); err != nil {
		return err
	}
	head := make([]any, len(t.Head))
	for i, text := range t.Head {
		head[i] = excelize.Cell{StyleID: bold, Value: text}
	}
	if err := w.SetRow("A1", head); err != nil {
		return err
	}
	for i, row := range t.Rows {
		cells := make([]any, len(row))
		for j, value := range row {
			cells[j] = value
			switch of := value.(type) {
			case part:
				cells[j] = excelize.Cell{StyleID: percent, Value: float64(of)}
			case string:
				cells[j] = inert(of)
			}
		}
		at, err := excelize.CoordinatesToCellName(1, i+2)
		if err != nil {
			return err
		}
		if err := w.SetRow(at, cells); err != nil {
			return err
		}
	}
	return w.Flush()
}

// inert gives a text that no program takes for more than a text: without control
// characters, and with a mark before what a program that reads the sheet as text
// might take for a formula.
func inert(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, text)
	if text != "" && strings.ContainsRune("=+-@＝＋－＠", []rune(text)[0]) {
		return "'" + text
	}
	return text
}
