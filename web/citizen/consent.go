package citizen

import (
	"errors"
	"net/http"

	"mianti/catalog"
	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/web/frame"
)

// consentView is one consent with its sheet.
type consentView struct {
	Consent *exchange.Consent
	Form    *frame.Form
	From    string
	State   frame.ChipView
	Now     any
	// Open says that he can decide, Given that he can take it back.
	Open, Given bool
}

// consent shows who wants which of the person's data, what for and until when, and
// lets him decide. The two answers look alike.
func (p *pages) consent(v *frame.Visit) (frame.Answer, error) {
	return p.showConsent(v, frame.NewForm(v))
}

func (p *pages) showConsent(v *frame.Visit, form *frame.Form) (frame.Answer, error) {
	c, err := p.Sheets.MyConsent(v.Context(), v.Caller, v.Param("id"))
	if err != nil {
		return frame.Answer{}, err
	}
	view := &consentView{Consent: c, Form: form, From: c.Department, State: consentChip(v, c.State), Now: v.Now}
	view.Open, view.Given = c.State == exchange.ConsentRequested && c.Sheet != nil, c.State == exchange.ConsentGiven
	if v.Catalog != nil {
		view.From = departmentName(v.Catalog, c.Department)
	}
	return frame.Show("consent.html", "征求您的同意", view), nil
}

func consentChip(v *frame.Visit, state exchange.ConsentStanding) frame.ChipView {
	switch state {
	case exchange.ConsentRequested:
		return frame.ChipView{Kind: "ask", Text: v.T("等您决定")}
	case exchange.ConsentGiven:
		return frame.ChipView{Kind: "good", Text: v.T("您已同意")}
	case exchange.ConsentRefused:
		return frame.ChipView{Kind: "none", Text: v.T("您没有同意")}
	case exchange.ConsentWithdrawn:
		return frame.ChipView{Kind: "none", Text: v.T("您已撤回")}
	case exchange.ConsentExpired:
		return frame.ChipView{Kind: "none", Text: v.T("已过期")}
	}
	return frame.ChipView{Kind: "none", Text: v.T("不再有效")}
}

// decideConsent takes the answer, on the sheet that he has read.
func (p *pages) decideConsent(v *frame.Visit) (frame.Answer, error) {
	form := frame.NewForm(v, "decision", "sheet_digest")
	in := exchange.ConsentDecision{Decision: catalog.ConsentState(form.Value("decision")), SheetDigest: form.Value("sheet_digest")}
	decided, err := p.Consents.DecideConsent(v.Context(), v.Caller, v.Param("id"), in)
	if err != nil {
		return p.refusedConsent(v, form, err)
	}
	said := "已登记：您同意查询。受理部门会接着办。随时可以撤回。"
	if decided.State == exchange.ConsentRefused {
		said = "已登记：您不同意查询。请按受理部门的要求自己提交材料。"
	}
	return frame.GoSaying("/my/consents/"+decided.ID, said), nil
}

// withdrawConsent takes a consent back.
func (p *pages) withdrawConsent(v *frame.Visit) (frame.Answer, error) {
	withdrawn, err := p.Consents.WithdrawConsent(v.Context(), v.Caller, v.Param("id"))
	if err != nil {
		return p.refusedConsent(v, frame.NewForm(v), err)
	}
	return frame.GoSaying("/my/consents/"+withdrawn.ID, "已撤回。从现在起不再查询，已经查到的不再提供。"), nil
}

// refusedConsent shows the sheet as it is now, with what was wrong.
func (p *pages) refusedConsent(v *frame.Visit, form *frame.Form, err error) (frame.Answer, error) {
	if !form.Take(err) {
		return frame.Answer{}, err
	}
	answer, again := p.showConsent(v, form)
	return answer.Status(statusOf(err)), again
}

// statusOf is that of a form that was refused.
func statusOf(err error) int {
	if errors.Is(err, fault.Conflict) {
		return http.StatusConflict
	}
	return http.StatusUnprocessableEntity
}
