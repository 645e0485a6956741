package policy

import (
	"slices"
	"strings"

	"mianti/catalog"
	"mianti/catalog/lint"
	"mianti/web/frame"
)

// healthView is what the rules find fault with.
type healthView struct {
	base
	Form        *frame.Form
	Rules       []ruleCount // the four
	More        []ruleCount // the others
	Rule        string
	Departments []frame.Option
	Things      []frame.Option
	Choices     []frame.Option
	Severities  []frame.Option
	States      []frame.Option
	Rows        []findingView
	Total       int
	Errors      int // open ones, of the whole catalog
	Warnings    int
	Notices     int
	Materials   int // in the whole catalog
	Unmeasured  []lint.Rule
	Drafts      []frame.Option // those that a change can be put into; none where there are no drafts
	Narrowed    bool
	Pager       frame.Pager
}

// findingView is a finding as the page lists it.
type findingView struct {
	lint.Finding
	Owner    string
	OfMatter *catalog.Matter
	KeyText  string
	Link     string // of the thing; empty where it has no page
	Chip     string
	Fixed    string // the thing as the suggested change would have it, as YAML
}

func (s *section) health(v *frame.Visit) (frame.Answer, error) {
	return s.showHealth(v, healthForm(v))
}

func healthForm(v *frame.Visit) *frame.Form {
	return frame.NewForm(v, "rule", "severity", "state", "department", "one_thing", "q")
}

func (s *section) showHealth(v *frame.Visit, form *frame.Form) (frame.Answer, error) {
	shelf, b, err := s.at(v, "health")
	if err != nil {
		return frame.Answer{}, err
	}
	if err := s.measure(v, shelf); err != nil {
		return frame.Answer{}, err
	}
	view := &healthView{
		base: b, Form: form, Rules: shelf.fourRules(), More: shelf.rules[len(lint.FourRules()):],
		Rule: v.Query("rule"), Departments: shelf.departmentOptions(v), Things: shelf.thingOptions(v), Materials: len(shelf.materials),
		Errors: shelf.report.Open(lint.Error), Warnings: shelf.report.Open(lint.Warning), Notices: shelf.report.Open(lint.Notice), Unmeasured: shelf.report.Unmeasured,
		States: options(v, "", "未说明和已说明", "open", "未说明", "explained", "已说明"),
	}
	if s.Drafts != nil && b.Rev == 0 {
		if view.Drafts, err = s.writableDrafts(v); err != nil {
			return frame.Answer{}, err
		}
	}
	view.choices(v)
	view.list(v, shelf)
	return frame.Show("health.html", "目录体检", view), nil
}

// measure has the revision looked through again where something was measured anew.
func (s *section) measure(v *frame.Visit, shelf *shelf) error {
	if s.Measures == nil {
		return nil
	}
	measures, err := s.Measures.Measures(v.Context())
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if shelf.measures != measures {
		shelf.check(measures)
	}
	return nil
}

func (view *healthView) choices(v *frame.Visit) {
	view.Choices = options(v, "", "全部规则")
	for _, rule := range lint.Rules() {
		view.Choices = append(view.Choices, frame.Option{Value: string(rule), Title: v.T(rule.Name())})
	}
	view.Severities = options(v, "", "任何程度")
	for _, severity := range lint.Severities() {
		view.Severities = append(view.Severities, frame.Option{Value: string(severity), Title: v.T(severity.Name())})
	}
	for _, name := range []string{"rule", "severity", "state", "department", "one_thing", "q"} {
		view.Narrowed = view.Narrowed || view.Form.Value(name) != ""
	}
}

func (view *healthView) list(v *frame.Visit, shelf *shelf) {
	matches, page := matcher(v), v.Number("page", 1, 1<<20, 1)
	rule, severity, department, thing, state := v.Query("rule"), v.Query("severity"), v.Query("department"), v.Query("one_thing"), v.Query("state")
	for i := range shelf.findings {
		f := &shelf.findings[i]
		if !is(rule, string(f.Rule)) || !is(severity, string(f.Severity)) || !is(department, f.Department) || !is(thing, f.OneThing) ||
			!is(state, stateOf(&f.Finding)) || !matches(f.text) {
			continue
		}
		if view.Total++; view.Total > (page-1)*pageSize && len(view.Rows) < pageSize {
			view.Rows = append(view.Rows, shelf.findingView(f))
		}
	}
	view.Pager = pager(v, view.Total, page, pageSize)
}

func stateOf(f *lint.Finding) string {
	if f.Explained != nil {
		return "explained"
	}
	return "open"
}

func (s *shelf) findingView(f *finding) findingView {
	out := findingView{Finding: f.Finding, Owner: nameOf(s.rev, f.Department), KeyText: placeName(f.Key), Chip: severityChip(f.Severity)}
	if f.Matter != "" {
		out.OfMatter = s.rev.Matter(f.Matter)
	}
	switch f.Kind {
	case catalog.ThingMaterial:
		out.Link = "/catalog/materials/" + f.Code
	case catalog.ThingMatter:
		out.Link = "/catalog/matters/" + f.Code
	case catalog.ThingOneThing:
		out.Link = "/catalog/one-things/" + f.Code
	case catalog.ThingSource:
		out.Link = "/catalog/datasets/" + s.datasetOf(f.Code)
	default:
	}
	if f.Fix != nil {
		out.Fixed = editText(f.Fix)
	}
	return out
}

// datasetOf gives the dataset that a source answers for.
func (s *shelf) datasetOf(source string) string {
	for _, row := range s.datasets {
		if slices.ContainsFunc(row.Sources, func(one catalog.Source) bool { return one.Code == source }) {
			return row.Code
		}
	}
	return ""
}

func severityChip(s lint.Severity) string {
	switch s {
	case lint.Error:
		return "bad"
	case lint.Warning:
		return "ask"
	default:
		return "info"
	}
}

// editText writes what a change would have, as a catalog's file does.
func editText(edit *catalog.Edit) string {
	text, err := edit.YAML()
	if err != nil {
		return string(edit.Value) // as JSON, which is YAML too
	}
	return strings.TrimSpace(string(text))
}
