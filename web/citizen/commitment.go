package citizen

import (
	"mianti/citizen"
	"mianti/web/frame"
)

// letterView is a commitment letter to print and sign.
type letterView struct {
	Case      *citizen.OwnCase
	Materials []string
}

// commitment prints the letter (告知承诺书) for what he has committed to. It names
// nobody: name and signature are written by hand.
func (p *pages) commitment(v *frame.Visit) (frame.Answer, error) {
	c, err := p.Own.Case(v.Context(), v.Caller, v.Param("id"))
	if err != nil {
		return frame.Answer{}, err
	}
	view := &letterView{Case: c}
	_, view.Materials = grouped(c.Filled)
	return frame.Show("commitment.html", "告知承诺书", view).Bare(), nil
}
