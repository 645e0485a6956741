package policy

import (
	"mianti/catalog"
	"mianti/web/frame"
)

// healthView is what the four rules find fault with.
type healthView struct {
	base
	Form        *frame.Form
	Rules       []ruleCount
	Rule        string
	Departments []frame.Option
	Things      []frame.Option
	Choices     []frame.Option
	Rows        []findingView
	Total       int
	Materials   int // in the whole catalog
	Narrowed    bool
	Pager       frame.Pager
}

type findingView struct {
	catalog.HealthFinding
	Owner    string
	Code     string
	OfMatter *catalog.Matter
	KeyText  string
}

func (s *section) health(v *frame.Visit) (frame.Answer, error) {
	shelf, b, err := s.at(v, "health")
	if err != nil {
		return frame.Answer{}, err
	}
	view := &healthView{
		base: b, Form: frame.NewForm(v, "rule", "department", "one_thing", "q"), Rules: shelf.rules, Rule: v.Query("rule"),
		Departments: shelf.departmentOptions(v), Things: shelf.thingOptions(v), Materials: len(shelf.materials), Choices: options(v, "", "四条规则"),
	}
	for _, rule := range catalog.HealthRules() {
		view.Choices = append(view.Choices, frame.Option{Value: string(rule), Title: v.T(rule.Name())})
	}
	for _, name := range []string{"rule", "department", "one_thing", "q"} {
		view.Narrowed = view.Narrowed || view.Form.Value(name) != ""
	}
	matches, page, department, thing := matcher(v), v.Number("page", 1, 1<<20, 1), v.Query("department"), v.Query("one_thing")
	for _, f := range shelf.findings {
		row := f.row
		if !is(view.Rule, string(f.Rule)) || !is(department, row.department) || !is(thing, row.thing) || !matches(row.text) {
			continue
		}
		if view.Total++; view.Total > (page-1)*pageSize && len(view.Rows) < pageSize {
			view.Rows = append(view.Rows, findingView{f.HealthFinding, row.Owner, row.Code, row.Matter, keyName(f.Key)})
		}
	}
	view.Pager = pager(v, view.Total, page, pageSize)
	return frame.Show("health.html", "四个一律体检", view), nil
}
