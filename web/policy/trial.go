package policy

import (
	"slices"
	"strconv"
	"strings"

	"mianti/catalog"
	"mianti/web/frame"
)

// factPrefix and kindPrefix mark the fields of a trial's form that are facts and
// kinds of party.
const (
	factPrefix = "f."
	kindPrefix = "k."
	nothing    = "-" // an empty set, which is not an unknown one
)

// trialView is a trial, on one revision or on two side by side.
type trialView struct {
	base
	Form      *frame.Form
	Subject   string
	Name      string
	Subjects  []frame.Option // the one-things
	Facts     []factField
	Kinds     []kindField
	Revisions []frame.Option
	Others    []frame.Option // to compare with
	// The same trial with all materials, and with those alone that came out otherwise.
	AllLink, OnlyLink string
	Only              string // "changed": only what the two revisions have otherwise
	Trial             *catalog.Trial
	Totals            []totalView
	Questions         []questionView
	Rows              []trialRowView
	// The other revision, and how many materials it has otherwise; With is 0 for none.
	With, Changed int
}

// factField is a fact in the form.
type factField struct {
	frame.FieldView
	Asked bool // the answer depends on it, and it is not known
}

type kindField struct{ frame.FieldView }

type totalView struct {
	Group         catalog.TrialGroup
	Name, Chip    string
	Count, Before int
}

type questionView struct {
	*catalog.Fact
	Materials []string
}

// trialRowView is a material, as it comes out here and on the other revision.
type trialRowView struct {
	catalog.TrialRow
	Role          string
	Before, After *outcomeView
}

// outcomeView is how a material comes out.
type outcomeView struct {
	*catalog.TrialMaterial
	Chip  string
	Name  string
	Steps []trialStepView
	Needs []string // the questions that must be answered before anything can be said
}

type trialStepView struct {
	catalog.TrialStep
	ModeName, Chip string
}

// trial tries the rules. What is tried is in the address, so that it can be sent
// to somebody; it holds no names and no numbers of people.
func (s *section) trial(v *frame.Visit) (frame.Answer, error) {
	shelf, b, err := s.at(v, "trial")
	if err != nil {
		return frame.Answer{}, err
	}
	view := &trialView{base: b, Subject: strings.TrimSpace(v.Query("subject")), Only: v.Query("only"), Form: frame.NewForm(v, "subject", "rev", "with", "only")}
	if view.Revisions, err = s.revisionOptions(v); err != nil {
		return frame.Answer{}, err
	}
	view.Others = append(options(v, "", "不对照"), view.Revisions...)
	view.Form.Set("rev", strconv.Itoa(b.Number))
	view.AllLink, view.OnlyLink = withOnly(v, ""), withOnly(v, "changed")
	view.Subjects = options(v, "", "请选择一件事")
	for _, t := range shelf.things[:min(len(shelf.things), mostOptions)] {
		view.Subjects = append(view.Subjects, frame.Option{Value: t.Code, Title: t.Code + " " + t.Name})
	}
	if view.Subject == "" {
		return frame.Show("trial.html", "规则试算", view), nil
	}
	if m := shelf.rev.Matter(view.Subject); m != nil {
		view.Name = m.Name
		view.Subjects = append(view.Subjects, frame.Option{Value: m.Code, Title: m.Code + " " + m.Name})
	} else if t := shelf.rev.OneThing(view.Subject); t != nil {
		view.Name = t.Name
	} else {
		view.Form.Fail("subject", v.T("目录中没有 %s，请选择一件事，或从事项页进入。", view.Subject))
		return frame.Show("trial.html", "规则试算", view).Status(422), nil
	}
	in, facts := readTrial(v, view.Form, shelf.rev, view.Subject)
	if view.Trial, err = shelf.rev.Try(in); err != nil {
		return frame.Answer{}, err
	}
	other, err := s.otherTrial(v, view, in)
	if err != nil {
		return frame.Answer{}, err
	}
	view.fill(v, shelf.rev, other, facts)
	return frame.Show("trial.html", "规则试算", view), nil
}

// withOnly gives the address of the page with another choice of what is listed.
func withOnly(v *frame.Visit, only string) string {
	values := v.Request().URL.Query()
	values.Set("only", only)
	return v.Request().URL.Path + "?" + values.Encode()
}

// otherTrial tries the same on the revision to compare with, if one is chosen. A
// subject that it does not have asks for nothing there.
func (s *section) otherTrial(v *frame.Visit, view *trialView, in catalog.TrialInput) (*catalog.Trial, error) {
	view.With = v.Number("with", 1, 1<<30, 0)
	if view.With == 0 || view.With == view.Number {
		view.With = 0
		return nil, nil
	}
	rev, err := s.numbered(v, view.With)
	if err != nil {
		return nil, err
	}
	if rev.OneThing(in.Subject) == nil && rev.Matter(in.Subject) == nil {
		return &catalog.Trial{Totals: map[catalog.TrialGroup]int{}}, nil
	}
	return rev.Try(in)
}

// readTrial reads facts and kinds from the form. What cannot be is a fault of its
// field, and counts as unknown.
func readTrial(v *frame.Visit, form *frame.Form, rev *catalog.Revision, subject string) (catalog.TrialInput, []*catalog.Fact) {
	in := catalog.TrialInput{Subject: subject, Facts: catalog.Facts{}, Kinds: map[string]catalog.PartyKind{}}
	facts := slices.DeleteFunc(rev.FactsOf(subject), func(f *catalog.Fact) bool { return f.Type == catalog.FactText })
	readFacts(v, form, rev, facts, in.Facts)
	for _, role := range rev.RolesOf(subject) {
		name := kindPrefix + role.Code
		form.Set(name, v.Query(name))
		if kind := catalog.PartyKind(v.Query(name)); kind != "" {
			in.Kinds[role.Code] = kind
		}
	}
	return in, facts
}

func readFacts(v *frame.Visit, form *frame.Form, rev *catalog.Revision, facts []*catalog.Fact, into catalog.Facts) {
	for _, f := range facts {
		name := factPrefix + f.Code
		given := slices.DeleteFunc(append(v.Request().URL.Query()[name], v.Forms(name)...), func(s string) bool { return strings.TrimSpace(s) == "" })
		form.Set(name, given...)
		if len(given) == 0 {
			continue
		}
		known, wrong := rev.ParseFacts(map[string]any{f.Code: factValue(f, given)})
		for _, d := range wrong {
			form.Fail(name, f.Ask+"："+d.Message)
		}
		for code, value := range known {
			into[code] = value
		}
	}
}

// factValue types what a form sends.
func factValue(f *catalog.Fact, given []string) any {
	first := strings.TrimSpace(given[0])
	switch f.Type {
	case catalog.FactBool:
		if value, err := strconv.ParseBool(first); err == nil {
			return value
		}
	case catalog.FactNumber:
		if value, err := strconv.ParseFloat(first, 64); err == nil {
			return value
		}
	case catalog.FactSet:
		return slices.DeleteFunc(slices.Clone(given), func(s string) bool { return s == nothing })
	}
	return first
}

// fill shows the trial, beside the other one if there is one.
func (t *trialView) fill(v *frame.Visit, rev *catalog.Revision, other *catalog.Trial, facts []*catalog.Fact) {
	asked := map[string]bool{}
	for _, q := range t.Trial.Questions {
		asked[q.Fact.Code] = true
		t.Questions = append(t.Questions, questionView{q.Fact, q.Materials})
	}
	for _, f := range facts {
		t.Facts = append(t.Facts, factField{fieldOf(v, t.Form, f), asked[f.Code]})
	}
	for _, role := range rev.RolesOf(t.Subject) {
		if len(role.Kinds) > 1 {
			t.Kinds = append(t.Kinds, kindField{kindOf(v, t.Form, role)})
		}
	}
	before := other
	if before == nil {
		before = &catalog.Trial{Totals: map[catalog.TrialGroup]int{}}
	}
	for _, g := range catalog.TrialGroups() {
		if t.Trial.Totals[g]+before.Totals[g] > 0 {
			t.Totals = append(t.Totals, totalView{g, g.Name(), groupChip(g), t.Trial.Totals[g], before.Totals[g]})
		}
	}
	for _, row := range catalog.Beside(before, t.Trial) {
		if other != nil && row.Changed {
			t.Changed++
		}
		if other != nil && t.Only == "changed" && !row.Changed {
			continue
		}
		t.Rows = append(t.Rows, rowOf(rev, row))
	}
}

func rowOf(rev *catalog.Revision, row catalog.TrialRow) trialRowView {
	out := trialRowView{TrialRow: row, Before: outcomeOf(rev, row.Before), After: outcomeOf(rev, row.After)}
	for _, m := range []*catalog.TrialMaterial{row.Before, row.After} {
		if m != nil {
			out.Role = roleName(rev, m.Role)
		}
	}
	return out
}

func outcomeOf(rev *catalog.Revision, m *catalog.TrialMaterial) *outcomeView {
	if m == nil {
		return nil
	}
	out := &outcomeView{TrialMaterial: m, Chip: groupChip(m.Group), Name: m.Group.Name()}
	if first := m.FirstStep(); first != nil && m.Group == catalog.TrialExempt {
		out.Name = first.Mode.Name()
	}
	if len(m.Steps) == 0 {
		for _, code := range m.Facts {
			if f := rev.Fact(code); f != nil {
				out.Needs = append(out.Needs, f.Ask)
			}
		}
	}
	for _, step := range m.Steps {
		chip := map[catalog.StepStanding]string{catalog.StepFirst: "good", catalog.StepNext: "info", catalog.StepAsks: "ask", catalog.StepUnreachable: "bad"}[step.Standing]
		if step.Standing == catalog.StepFirst {
			chip = modeChip(step.Mode)
		}
		out.Steps = append(out.Steps, trialStepView{step, step.Mode.Name(), chip})
	}
	return out
}

func groupChip(g catalog.TrialGroup) string {
	return map[catalog.TrialGroup]string{
		catalog.TrialExempt: "good", catalog.TrialCommit: "ask", catalog.TrialDefer: "ask", catalog.TrialUpload: "bad", catalog.TrialUnsettled: "wait",
		catalog.TrialQuestioned: "info", catalog.TrialInapplicable: "none",
	}[g]
}

// fieldOf is the field by which a fact is given.
func fieldOf(v *frame.Visit, form *frame.Form, f *catalog.Fact) frame.FieldView {
	name := factPrefix + f.Code
	field := frame.FieldView{Name: name, Label: f.Ask, Type: "text", Value: form.Value(name), Values: form.Values(name), Fault: form.Fault(name)}
	switch f.Type {
	case catalog.FactBool:
		field.Type, field.Options = "select", options(v, "", "不知道", "true", "是", "false", "否")
	case catalog.FactEnum:
		field.Type, field.Options = "select", options(v, "", "不知道")
	case catalog.FactSet:
		field.Type, field.Options = "checkbox", options(v, nothing, "以上都没有")
	case catalog.FactRegion:
		field.Hint = v.T("六位行政区划代码")
	}
	choices := make([]frame.Option, 0, len(f.Options)+1)
	for _, o := range f.Options {
		choices = append(choices, frame.Option{Value: o.Value, Title: o.Label})
	}
	if f.Type == catalog.FactSet {
		field.Options = append(choices, field.Options...)
	} else {
		field.Options = append(field.Options, choices...)
	}
	return field
}

func kindOf(v *frame.Visit, form *frame.Form, role *catalog.Role) frame.FieldView {
	name := kindPrefix + role.Code
	field := frame.FieldView{Name: name, Label: role.Name, Type: "select", Value: form.Value(name), Values: form.Values(name)}
	for i, kind := range role.Kinds {
		value := string(kind)
		if i == 0 {
			value = ""
		}
		field.Options = append(field.Options, frame.Option{Value: value, Title: v.T(kind.Name())})
	}
	return field
}
