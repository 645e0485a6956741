package policy

import (
	"context"
	"net/http"
	"strconv"

	"mianti/catalog"
	"mianti/effect"
	"mianti/exchange"
	"mianti/policies"
	"mianti/web/frame"
)

// Effects says what a change of the catalog would do.
type Effects interface {
	Measure(ctx context.Context, by policies.Caller, q effect.Question) (*effect.Effect, error)
}

// effectView is what a change would do.
type effectView struct {
	base
	Form      *frame.Form
	Revisions []frame.Option
	// Action is where the form to resolve cases again is sent, and Draft what is
	// measured where it is no revision.
	Action, Draft string
	DraftTitle    string
	Before, After int
	Measured      *effect.Effect
	Rerun         bool // recorded cases were resolved again
	Most          int
	Eased, Laden  int // materials
	Changes       []effectChangeView
	Switches      []switchView
	Lacks         []lackView
	Things        []rerunRow
	Departments   []rerunRow
	Moves         []moveView
}

type effectChangeView struct {
	effect.MaterialChange
	ChangeName, Chip, Title, Owner, Link string
}

type switchView struct {
	*effect.Switch
	From, To, FromChip, ToChip string
	Owner                      string
}

type lackView struct {
	*effect.Lack
	KindName, Owner, Holder string
}

type rerunRow struct {
	*effect.RerunLine
	Sum bool
}

type moveView struct {
	*effect.Move
	From, To, Owner string
}

// mostEffectCases is how many cases a page resolves again at most: it is answered while
// somebody waits.
const mostEffectCases = 1000

// effect shows what a revision has otherwise than another, and on request what recorded
// cases would come to. The request opens cases, which is recorded: it is sent as a form.
func (s *section) effect(v *frame.Visit) (frame.Answer, error) {
	_, b, err := s.at(v, "effect")
	if err != nil {
		return frame.Answer{}, err
	}
	view := &effectView{base: b, Form: frame.NewForm(v, "before", "after", "cases"), Action: "/catalog/effect"}
	if view.Revisions, err = s.revisionOptions(v); err != nil {
		return frame.Answer{}, err
	}
	if len(view.Revisions) == 0 {
		return frame.Show("effect.html", "影响测算", view), nil
	}
	newest, _ := strconv.Atoi(view.Revisions[0].Value)
	view.After = view.revision("after", newest)
	view.Before = view.revision("before", max(view.After-1, 1))
	before, err := s.numbered(v, view.Before)
	if err != nil {
		return frame.Answer{}, err
	}
	after, err := s.numbered(v, view.After)
	if err != nil {
		return frame.Answer{}, err
	}
	return s.showEffect(v, view, before, after)
}

// revision gives the number of a revision that was chosen, or else the one to begin
// with, and notes it in the form.
func (e *effectView) revision(field string, instead int) int {
	n, err := strconv.Atoi(e.Form.Value(field))
	if err != nil || n < 1 || n >= 1<<30 {
		n = instead
	}
	e.Form.Set(field, strconv.Itoa(n))
	return n
}

// showEffect measures a change and shows it. A draft is shown in the same way: with its
// own form, and the two revisions that it is between.
func (s *section) showEffect(v *frame.Visit, view *effectView, before, after *catalog.Revision) (frame.Answer, error) {
	q := effect.Question{Before: before, After: after, Draft: view.Draft, Cases: -1}
	if view.Most = mostEffectCases; v.Request().Method == http.MethodPost {
		n, err := strconv.Atoi(view.Form.Value("cases"))
		if err != nil || n < 1 || n > mostEffectCases {
			view.Form.Fail("cases", v.T("请填 1 到 %d 的整数。", mostEffectCases))
		} else {
			q.Cases, view.Rerun = n, true
		}
	}
	if view.Form.Value("cases") == "" {
		view.Form.Set("cases", strconv.Itoa(effect.DefaultCases))
	}
	measured, err := s.Effects.Measure(v.Context(), v.Caller, q)
	if err != nil {
		return frame.Answer{}, err
	}
	view.fill(v, measured, before, after)
	answer := frame.Show("effect.html", "影响测算", view)
	if !view.Form.OK() {
		answer = answer.Status(http.StatusUnprocessableEntity)
	}
	return answer, nil
}

func (e *effectView) fill(v *frame.Visit, m *effect.Effect, before, after *catalog.Revision) {
	e.Measured = m
	owner := func(code string) string { return nameOf(after, code) }
	for i := range m.Changes {
		c := &m.Changes[i]
		one := effectChangeView{
			MaterialChange: *c, ChangeName: changeName(c.Kind), Chip: changeChip(c.Kind), Title: c.Name, Owner: owner(c.Department),
		}
		folder, code := "materials", c.Material
		if c.Material == "" {
			one.Title, folder, code = c.MatterName, "matters", c.Matter
		}
		if c.Kind != catalog.ThingRemoved && after.Number != 0 {
			one.Link = "/catalog/" + folder + "/" + code + "?rev=" + strconv.Itoa(after.Number)
		}
		e.Changes = append(e.Changes, one)
	}
	eased, laden := map[string]bool{}, map[string]bool{}
	for i := range m.Switches {
		s := &m.Switches[i]
		if s.Turn() == effect.Eased {
			eased[s.Material] = true
		} else {
			laden[s.Material] = true
		}
		e.Switches = append(e.Switches, switchView{s, s.From.Name(), s.To.Name(), groupChip(s.From), groupChip(s.To), owner(s.Department)})
	}
	e.Eased, e.Laden = len(eased), len(laden)
	for i := range m.Lacks {
		l := &m.Lacks[i]
		e.Lacks = append(e.Lacks, lackView{l, l.Kind.Name(), owner(l.Department), owner(l.Provider)})
	}
	lines := func(of []effect.RerunLine) (rows []rerunRow) {
		for i := range of {
			rows = append(rows, rerunRow{RerunLine: &of[i]})
		}
		total := m.Cases.Total
		total.Name = v.T("合计")
		return append(rows, rerunRow{&total, true})
	}
	e.Things, e.Departments = lines(m.Cases.ByOneThing), lines(m.Cases.ByDepartment)
	for i := range m.Cases.Moves {
		one := &m.Cases.Moves[i]
		e.Moves = append(e.Moves, moveView{one, outcomeInWords(one.From), outcomeInWords(one.To), owner(one.Department)})
	}
}

func outcomeInWords(o policies.Outcome) string {
	if name, known := map[policies.Outcome]string{
		"": "不要", exchange.NotRecorded: "未知", policies.Settled: "核验通过", policies.Committed: "以承诺代替", policies.Deferred: "容缺后补",
		policies.Verifying: "核验中", policies.AwaitingPrior: "等前序事项", policies.NeedsConsent: "等同意", policies.NeedsFact: "等回答情形", policies.Upload: "须提交",
	}[o]; known {
		return name
	}
	return string(o)
}
