package policy

import (
	"slices"

	"mianti/catalog"
	"mianti/catalog/lint"
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

// ruleCount is one of the rules, with how many findings there are.
type ruleCount struct {
	lint.Count
	Four       bool // one of the 四个一律
	Unmeasured bool
}

func (s *section) overview(v *frame.Visit) (frame.Answer, error) {
	shelf, b, err := s.at(v, "one-things")
	if err != nil {
		return frame.Answer{}, err
	}
	view := &overviewView{
		base: b, Form: frame.NewForm(v, "q"), Title: shelf.rev.Title, Materials: len(shelf.materials), Matters: len(shelf.matters), Datasets: len(shelf.datasets),
		Rules: shelf.fourRules(),
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

// Chip is the kind of chip that the rule's severity has.
func (c ruleCount) Chip() string { return severityChip(c.Severity) }

// fourRules are the counts of the 四个一律 alone.
func (s *shelf) fourRules() []ruleCount { return s.rules[:len(lint.FourRules())] }

func countRules(report *lint.Report) []ruleCount {
	out := make([]ruleCount, len(report.Counts))
	for i, c := range report.Counts {
		out[i] = ruleCount{Count: c, Four: i < len(lint.FourRules()), Unmeasured: slices.Contains(report.Unmeasured, c.Rule)}
	}
	return out
}
