package citizen

import (
	"slices"

	"mianti/catalog"
	"mianti/citizen"
	"mianti/correction"
	"mianti/exchange"
	"mianti/policies"
	"mianti/web/frame"
)

// myView is what somebody sees first of his own.
type myView struct {
	Todo        []todo
	Cases       []caseView
	Message     string
	Next        string
	Decided     []exchange.Consent
	Corrections []correctionView
}

// todo is something that waits for the person.
type todo struct{ Title, Text, Path, Action string }

// caseView is a case in a list.
type caseView struct {
	citizen.OwnCase
	Done, Asked, Waits, All int // materials: settled, his word is awaited, others are checking, and all
}

// correctionView is what became of a wrong record.
type correctionView struct {
	correction.Brief
	Data, By, Text, Kind string
}

// How much is shown at once.
const (
	casesAtOnce    = 10
	wordsAtOnce    = 50
	consentsOfCase = 200
)

// my shows what waits for the person, his cases, and what he has decided.
func (p *pages) my(v *frame.Visit) (frame.Answer, error) {
	ctx, by := v.Context(), v.Caller
	own, err := p.Own.ListCases(ctx, by, v.Query("cursor"), casesAtOnce)
	if err != nil {
		return frame.Answer{}, err
	}
	view := &myView{Message: own.Message, Next: own.Next}
	for i := range own.Items {
		view.Cases = append(view.Cases, newCaseView(own.Items[i]))
	}
	if v.Query("cursor") == "" {
		if err := p.waiting(v, view); err != nil {
			return frame.Answer{}, err
		}
	}
	return frame.Show("my.html", "我的办件", view), nil
}

// waiting adds what waits for a word of the person, and what he has said.
func (p *pages) waiting(v *frame.Visit, view *myView) error {
	consents, err := p.Consents.MyConsents(v.Context(), v.Caller, exchange.ConsentFilter{Limit: wordsAtOnce})
	if err != nil {
		return err
	}
	for _, c := range consents {
		if c.State == exchange.ConsentRequested {
			view.Todo = append(view.Todo, consentTodo(v, &c))
			continue
		}
		view.Decided = append(view.Decided, c)
	}
	previews, err := p.Previews.MyPreviews(v.Context(), v.Caller, exchange.ConsentFilter{Limit: wordsAtOnce})
	if err != nil {
		return err
	}
	for _, found := range previews {
		if found.State == policies.PreviewAwaited {
			view.Todo = append(view.Todo, todo{
				Title: found.Name, Text: v.T("查到了您的记录，等您看过、同意了才用"), Path: "/my/previews/" + found.ID, Action: v.T("去看"),
			})
		}
	}
	view.Corrections, err = p.corrections(v, "")
	return err
}

func consentTodo(v *frame.Visit, c *exchange.Consent) todo {
	rev := v.Catalog
	from := c.Department
	if rev != nil {
		from = departmentName(rev, c.Department)
	}
	return todo{
		Title: v.T("%s想查您的数据，等您同意", from), Text: v.T("办件 %s", c.CaseNumber), Path: "/my/consents/" + c.ID, Action: v.T("去看看"),
	}
}

// corrections are what the person has said of wrong records; of one case, or of all.
func (p *pages) corrections(v *frame.Visit, id string) ([]correctionView, error) {
	found, err := p.Corrections.List(v.Context(), v.Caller, "", correction.Filter{Case: id, Limit: wordsAtOnce})
	if err != nil {
		return nil, err
	}
	var out []correctionView
	for _, b := range found {
		c := correctionView{Brief: b, Data: b.Dataset, By: b.Provider}
		if v.Catalog != nil {
			c.By = departmentName(v.Catalog, b.Provider)
			if d := v.Catalog.Dataset(b.Dataset); d != nil {
				c.Data = d.Name
			}
		}
		c.Text, c.Kind = correctionText(v, b.State)
		out = append(out, c)
	}
	return out, nil
}

// correctionText says how far a correction is, and as which kind of chip.
func correctionText(v *frame.Visit, state correction.State) (text, kind string) {
	switch state {
	case correction.Corrected:
		return v.T("已更正"), "good"
	case correction.Upheld:
		return v.T("部门认为记录无误"), "bad"
	case correction.Withdrawn:
		return v.T("已撤回"), "none"
	case correction.Open:
		return v.T("等部门核实"), "wait"
	}
	return v.T("核实中"), "wait"
}

func newCaseView(c citizen.OwnCase) caseView {
	view := caseView{OwnCase: c, Done: distinct(c.Filled)}
	for _, w := range c.Checking {
		if asksHim(w.Outcome) {
			view.Asked++
		} else {
			view.Waits++
		}
	}
	view.All = view.Done + len(c.Checking) + len(c.Upload)
	return view
}

// asksHim reports whether a material waits for the person's own word.
func asksHim(o policies.Outcome) bool { return o == policies.NeedsConsent || o == policies.NeedsFact }

// distinct counts materials: one can rest on several records.
func distinct(filled []citizen.OwnMaterial) int {
	seen := map[string]bool{}
	for _, f := range filled {
		if f.Committed {
			continue
		}
		seen[f.Material+"@"+f.Party] = true
	}
	return len(seen)
}

// steps are the matters of a case as a timeline.
func steps(v *frame.Visit, matters []citizen.OwnMatter) []frame.Step {
	var out []frame.Step
	for _, m := range matters {
		text, kind := matterText(v, m.State)
		if m.State == catalog.StateSkipped {
			continue
		}
		out = append(out, frame.Step{Title: m.Name, Text: v.T("%s：%s；承诺 %d 个工作日", m.Department, text, m.Days), Kind: kind})
	}
	return out
}

func matterText(v *frame.Visit, state catalog.MatterState) (text, kind string) {
	switch state {
	case catalog.StateGranted:
		return v.T("已经办好"), "good"
	case catalog.StateRefused:
		return v.T("不予批准"), "bad"
	case catalog.StateStopped:
		return v.T("前一步没有批准，不再办理"), "bad"
	case catalog.StateWaiting:
		return v.T("等前一步办好"), "none"
	case catalog.StateUndecided:
		return v.T("要不要办，看还没回答的问题"), "none"
	}
	return v.T("正在办理"), "wait"
}

// consentsOf are the consents of a case that wait for the person, and the others.
func (p *pages) consentsOf(v *frame.Visit, id string) (waiting, decided []exchange.Consent, err error) {
	all, err := p.Consents.MyConsents(v.Context(), v.Caller, exchange.ConsentFilter{Limit: consentsOfCase})
	if err != nil {
		return nil, nil, err
	}
	all = slices.DeleteFunc(all, func(c exchange.Consent) bool { return c.Case != id })
	for _, c := range all {
		if c.State == exchange.ConsentRequested {
			waiting = append(waiting, c)
		} else {
			decided = append(decided, c)
		}
	}
	return waiting, decided, nil
}
