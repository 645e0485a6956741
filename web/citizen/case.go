package citizen

import (
	"mianti/citizen"
	"mianti/exchange"
	"mianti/policies"
	"mianti/web/frame"
)

// ownView is one case, as one of its parties sees it.
type ownView struct {
	Case             *citizen.OwnCase
	Filled           []settled
	Committed        []string
	Asked, Checking  []waitingView // for his word, and for others
	Upload           []citizen.OwnPaper
	Waiting, Decided []exchange.Consent
	Steps            []frame.Step
	Corrections      []correctionView
	All              int
}

// settled is a material that he need not hand in, with the records behind it.
type settled struct {
	Name    string
	Records []citizen.OwnMaterial
}

// waitingView is a material that is not settled yet.
type waitingView struct {
	citizen.OwnWaiting
	Chip frame.ChipView
}

// ownCase shows one case: what he need not hand in, what is being checked, what is
// left, and how far it is.
func (p *pages) ownCase(v *frame.Visit) (frame.Answer, error) {
	c, err := p.Own.Case(v.Context(), v.Caller, v.Param("id"))
	if err != nil {
		return frame.Answer{}, err
	}
	view := &ownView{Case: c, Upload: c.Upload, Steps: steps(v, c.Matters)}
	view.Filled, view.Committed = grouped(c.Filled)
	for _, w := range c.Checking {
		if asksHim(w.Outcome) {
			view.Asked = append(view.Asked, waitingView{w, waitingChip(v, w.Outcome)})
			continue
		}
		view.Checking = append(view.Checking, waitingView{w, waitingChip(v, w.Outcome)})
	}
	view.All = len(view.Filled) + len(view.Committed) + len(c.Checking) + len(view.Upload)
	if view.Waiting, view.Decided, err = p.consentsOf(v, c.ID); err != nil {
		return frame.Answer{}, err
	}
	if view.Corrections, err = p.corrections(v, c.ID); err != nil {
		return frame.Answer{}, err
	}
	return frame.Show("case.html", c.Matter, view), nil
}

// grouped puts the records of one material together, and takes out those that were
// committed to: they are not exempt.
func grouped(filled []citizen.OwnMaterial) (out []settled, committed []string) {
	at := map[string]int{}
	for _, f := range filled {
		key := f.Material + "@" + f.Party
		i, known := at[key]
		switch {
		case f.Committed:
			committed = append(committed, f.Name)
		case known:
			out[i].Records = append(out[i].Records, f)
		default:
			at[key] = len(out)
			out = append(out, settled{Name: f.Name, Records: []citizen.OwnMaterial{f}})
		}
	}
	return out, committed
}

func waitingChip(v *frame.Visit, outcome policies.Outcome) frame.ChipView {
	switch outcome {
	case policies.NeedsConsent, policies.NeedsFact:
		return frame.ChipView{Kind: "ask", Text: v.T("等您表示")}
	case policies.AwaitingPrior:
		return frame.ChipView{Kind: "wait", Text: v.T("等前一步")}
	}
	return frame.ChipView{Kind: "wait", Text: v.T("部门核对中")}
}
