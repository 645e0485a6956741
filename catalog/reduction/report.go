package reduction

// Report (减材料报告) is what a revision takes off applicants, beside an earlier one if
// there is one.
type Report struct {
	Revision int `json:"revision" doc:"修订号; 0 为未载入的目录"`
	// Since is the earlier revision; nil where there is none.
	Since        *int         `json:"since,omitempty" doc:"与之比较的修订号"`
	Title        string       `json:"title"`
	Definitions  []Definition `json:"definitions" doc:"口径"`
	Total        ReportRow    `json:"total"`
	ByOneThing   []ReportRow  `json:"by_one_thing"`
	ByMatter     []ReportRow  `json:"by_matter"`
	ByDepartment []ReportRow  `json:"by_department"`
}

// ReportRow (报告一行) is a line with the same of the earlier revision; nil where there is no
// earlier one, or it has no such line. A line that is gone has no materials now.
type ReportRow struct {
	Line
	Reduced      int   `json:"reduced" doc:"减材料"`
	Still        int   `json:"still" doc:"仍需提交"`
	StepsBefore  int   `json:"steps_before" doc:"改革前环节"`
	StepsAfter   int   `json:"steps_after" doc:"改革后环节"`
	StepsReduced int   `json:"steps_reduced" doc:"减环节"`
	Was          *Sums `json:"was,omitempty" doc:"较早修订的同一行"`
}

// Make makes a report of a revision, beside an earlier one; nil for none.
func Make(now, earlier *Tally) *Report {
	r := &Report{Revision: now.Revision, Title: now.Title, Definitions: Definitions()}
	if earlier == nil {
		earlier = &Tally{}
	} else {
		r.Since = &earlier.Revision
	}
	r.ByOneThing = rows(now.OneThings, earlier.OneThings)
	r.ByMatter = rows(now.Matters, earlier.Matters)
	r.ByDepartment = rows(now.Departments(), earlier.Departments())
	r.Total = row(now.Total)
	if r.Since != nil {
		r.Total.Was = &earlier.Total.Sums
	}
	return r
}

func row(l Line) ReportRow {
	return ReportRow{
		Line: l, Reduced: l.Reduced(), Still: l.Still(), StepsBefore: l.StepsBefore(), StepsAfter: l.StepsAfter(), StepsReduced: l.StepsReduced(),
	}
}

// Change is how many materials more are handed in than at the earlier revision; less
// than 0 for fewer.
func (r *ReportRow) Change() int {
	if r.Was == nil {
		return r.Still
	}
	return r.Still - r.Was.Still()
}

func rows(now, earlier []Line) []ReportRow {
	at := map[string]*Line{}
	for i := range earlier {
		at[earlier[i].Code] = &earlier[i]
	}
	out := make([]ReportRow, 0, len(now))
	for _, l := range now {
		one := row(l)
		if was := at[l.Code]; was != nil {
			one.Was = &was.Sums
			delete(at, l.Code)
		}
		out = append(out, one)
	}
	for i := range earlier {
		if gone := &earlier[i]; at[gone.Code] != nil {
			one := row(Line{Code: gone.Code, Name: gone.Name, OneThing: gone.OneThing})
			one.Was = &gone.Sums
			out = append(out, one)
		}
	}
	return out
}
