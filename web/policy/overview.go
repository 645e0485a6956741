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
		Rules: shelf.rules,
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
			view.Things = append(view.Things, *shelf.thingRows[t.Code])
		}
	}
	view.Pager = pager(v, total, page, pageSize)
	return frame.Show("overview.html", "目录", view), nil
}

// countThings makes the row of each one-thing.
func (s *shelf) countThings() {
	departments := map[[2]string]bool{}
	for _, t := range s.things {
		s.thingRows[t.Code] = &thingRow{OneThing: t, Handling: handlingName(t.Handling), Lead: nameOf(s.rev, t.Lead)}
	}
	for _, m := range s.matters {
		row := s.thingRows[m.OneThing]
		row.Materials += len(m.Materials)
		row.Asks += m.Asked
		if key := [2]string{m.OneThing, m.Department}; !departments[key] {
			departments[key] = true
			row.Departments++
		}
	}
}

func countRules(findings []finding) []ruleCount {
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
