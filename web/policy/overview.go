package policy

import (
	"mianti/catalog"
	"mianti/web/frame"
)

// overviewView is where the pages begin.
type overviewView struct {
	base
	Form      *frame.Form
	Title     string
	Materials int
	Matters   int
	Datasets  int
	Asked     int // materials that the applicant may have to hand in
	Rules     []ruleCount
	Things    []thingRow
	Pager     frame.Pager
}

// thingRow is a one-thing as the overview lists it.
type thingRow struct {
	*catalog.OneThing
	Handling, Lead  string
	Materials, Asks int
	Departments     int
}

// ruleCount is one of the four rules, with how many findings there are.
type ruleCount struct {
	Rule  catalog.HealthRule
	Found int
}

func (s *section) overview(v *frame.Visit) (frame.Answer, error) {
	shelf, b, err := s.at(v, "one-things")
	if err != nil {
		return frame.Answer{}, err
	}
	view := &overviewView{
		base: b, Form: frame.NewForm(v, "q"), Title: shelf.rev.Title, Materials: len(shelf.materials), Matters: len(shelf.matters), Datasets: len(shelf.datasets),
		Rules: countRules(shelf.findings),
	}
	for _, m := range shelf.matters {
		view.Asked += m.Asked
	}
	matches, page, total := matcher(v), v.Number("page", 1, 1<<20, 1), 0
	for _, t := range shelf.things {
		if !matches(lower(t.Code, t.Name)) {
			continue
		}
		if total++; total > (page-1)*pageSize && len(view.Things) < pageSize {
			view.Things = append(view.Things, thingRowOf(shelf, t))
		}
	}
	view.Pager = pager(v, total, page, pageSize)
	return frame.Show("overview.html", "目录", view), nil
}

func thingRowOf(shelf *shelf, t *catalog.OneThing) thingRow {
	row := thingRow{OneThing: t, Handling: handlingName(t.Handling), Lead: nameOf(shelf.rev, t.Lead)}
	departments := map[string]bool{}
	for i := range t.Matters {
		m := &t.Matters[i]
		departments[m.Department] = true
		row.Materials += len(m.Materials)
		for j := range m.Materials {
			if known := shelf.material[m.Materials[j].Code]; known.modes[catalog.ModeUpload] || known.modes[catalog.ModeDefer] {
				row.Asks++
			}
		}
	}
	row.Departments = len(departments)
	return row
}

func countRules(findings []catalog.HealthFinding) []ruleCount {
	var out []ruleCount
	for _, rule := range catalog.HealthRules() {
		one := ruleCount{Rule: rule}
		for _, f := range findings {
			if f.Rule == rule {
				one.Found++
			}
		}
		out = append(out, one)
	}
	return out
}
