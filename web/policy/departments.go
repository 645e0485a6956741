package policy

import (
	"mianti/catalog"
	"mianti/web/frame"
)

// departmentRow is a department with what it asks for and what it shares.
type departmentRow struct {
	*catalog.Department
	Matters, Materials, Asked, Datasets, Uses int
}

type departmentsView struct {
	base
	Form *frame.Form
	Rows []departmentRow
}

func (s *section) departments(v *frame.Visit) (frame.Answer, error) {
	shelf, b, err := s.at(v, "departments")
	if err != nil {
		return frame.Answer{}, err
	}
	view, at := &departmentsView{base: b, Form: frame.NewForm(v, "q")}, map[string]*departmentRow{}
	var all []*departmentRow
	for _, d := range shelf.rev.Departments() {
		row := &departmentRow{Department: d}
		at[d.Code], all = row, append(all, row)
	}
	for _, m := range shelf.matters {
		row := at[m.Department]
		row.Matters++
		row.Materials += len(m.Materials)
		row.Asked += m.Asked
	}
	for _, d := range shelf.datasets {
		at[d.Department].Datasets++
		at[d.Department].Uses += len(d.Uses)
	}
	matches := matcher(v)
	for _, row := range all {
		if matches(lower(row.Code, row.Name, row.CreditCode)) {
			view.Rows = append(view.Rows, *row)
		}
	}
	return frame.Show("departments.html", "部门", view), nil
}
