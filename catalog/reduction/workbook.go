package reduction

import (
	"fmt"

	"github.com/xuri/excelize/v2"

	"mianti/batch/table"
	"mianti/catalog"
)

// sheet is one of a workbook. A text is written as a text and never read as a formula,
// whatever it begins with.
type sheet struct {
	name string
	head []string
	rows func(yield func([]any) bool)
}

// mostRows is how many rows a sheet can have, its heading among them.
const mostRows = 1 << 20

// Workbook writes a report as XLSX: the definitions, the figures by one-thing, matter
// and department, and what becomes of each material of the revision, so that every
// figure can be counted again; nil for one that is too large for a sheet.
func Workbook(r *Report, of *catalog.Revision) ([]byte, error) {
	f := excelize.NewFile()
	defer f.Close()
	bold, err := f.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}, Alignment: &excelize.Alignment{WrapText: true}})
	if err != nil {
		return nil, fmt.Errorf("write a workbook: %w", err)
	}
	sheets := []sheet{definitions(), lines(r, "按一件事", r.ByOneThing), lines(r, "按事项", r.ByMatter), lines(r, "按部门", r.ByDepartment)}
	if of != nil {
		sheets = append(sheets, items(of))
	}
	for _, s := range sheets {
		if _, err := f.NewSheet(s.name); err != nil {
			return nil, fmt.Errorf("write a workbook: %w", err)
		}
		if err := s.write(f, bold); err != nil {
			return nil, fmt.Errorf("write sheet %s: %w", s.name, err)
		}
	}
	if err := f.DeleteSheet("Sheet1"); err != nil {
		return nil, fmt.Errorf("write a workbook: %w", err)
	}
	f.SetActiveSheet(0)
	out, err := f.WriteToBuffer()
	if err != nil {
		return nil, fmt.Errorf("write a workbook: %w", err)
	}
	return out.Bytes(), nil
}

func (s *sheet) write(f *excelize.File, bold int) error {
	w, err := f.NewStreamWriter(s.name)
	if err != nil {
		return err
	}
	if err := w.SetColWidth(1, len(s.head), 16); err != nil {
		return err
	}
	head := make([]any, len(s.head))
	for i, text := range s.head {
		head[i] = excelize.Cell{StyleID: bold, Value: text}
	}
	if err := w.SetRow("A1", head); err != nil {
		return err
	}
	n := 1
	for row := range s.rows {
		if n++; n > mostRows {
			return fmt.Errorf("more than %d rows", mostRows-1)
		}
		for i, cell := range row {
			if text, ok := cell.(string); ok {
				row[i] = table.Inert(text)
			}
		}
		at, err := excelize.CoordinatesToCellName(1, n)
		if err != nil {
			return err
		}
		if err := w.SetRow(at, row); err != nil {
			return err
		}
	}
	return w.Flush()
}

func definitions() sheet {
	return sheet{"口径", []string{"指标", "怎么算"}, func(yield func([]any) bool) {
		for _, d := range Definitions() {
			if !yield([]any{d.Name, d.Text}) {
				return
			}
		}
	}}
}

func lines(r *Report, name string, of []ReportRow) sheet {
	head := []string{"代码", "名称", "所属一件事", "改革前材料"}
	for _, class := range Classes() {
		head = append(head, class.Name())
	}
	head = append(head, "减材料", "其中兜底", "仍需提交", "改革前环节", "改革后环节", "减环节", "改革前部门", "改革后部门", "改革前承诺工作日", "改革后承诺工作日")
	if r.Since != nil {
		head = append(head, fmt.Sprintf("修订 %d 改革前材料", *r.Since), fmt.Sprintf("修订 %d 仍需提交", *r.Since), "仍需提交增减")
	}
	if name == "按一件事" { // steps are of one-things alone
		of = append(of[:len(of):len(of)], r.Total)
		of[len(of)-1].Name = "合计"
	}
	return sheet{name, head, func(yield func([]any) bool) {
		for i := range of {
			if !yield(cells(r, &of[i], name == "按一件事")) {
				return
			}
		}
	}}
}

func cells(r *Report, one *ReportRow, steps bool) []any {
	row := []any{one.Code, one.Name, one.OneThing, one.Materials}
	for _, class := range Classes() {
		row = append(row, one.Of(class))
	}
	row = append(row, one.Reduced, one.FallBack, one.Still)
	if steps {
		row = append(row, one.StepsBefore, one.StepsAfter, one.StepsReduced, one.Departments, one.Leads, one.Days, one.DaysAfter)
	} else {
		row = append(row, nil, nil, nil, nil, nil, one.Days, nil)
	}
	if r.Since != nil && one.Was != nil {
		row = append(row, one.Was.Materials, one.Was.Still(), one.Change())
	}
	return row
}

func items(rev *catalog.Revision) sheet {
	head := []string{"一件事", "事项", "部门", "材料代码", "材料", "去向", "方式", "后面留有提交", "要专门去开具"}
	return sheet{"逐份材料", head, func(yield func([]any) bool) {
		yes := map[bool]string{true: "是"}
		for _, thing := range rev.OneThings() {
			for _, item := range Items(rev, thing) {
				mode := ""
				if item.Mode != "" {
					mode = item.Mode.Name()
				}
				if !yield([]any{item.OneThing, item.Matter, item.Department, item.Material, item.Name, item.Class.Name(), mode, yes[item.FallsBack], yes[item.Issued]}) {
					return
				}
			}
		}
	}}
}
