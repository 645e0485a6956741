package citizen

import (
	"encoding/json"
	"fmt"

	"mianti/exchange"
	"mianti/web/frame"
)

// receiptView is the receipt of a decision, to print or to keep.
type receiptView struct {
	*exchange.ConsentReceipt
	From  string
	State frame.ChipView
}

// receipt shows what was decided, on which sheet and when; or gives it as a file.
func (p *pages) receipt(v *frame.Visit) (frame.Answer, error) {
	r, err := p.Consents.Receipt(v.Context(), v.Caller, v.Param("id"))
	if err != nil {
		return frame.Answer{}, err
	}
	if v.Query("file") != "" {
		body, err := json.MarshalIndent(r, "", "  ")
		if err != nil {
			return frame.Answer{}, fmt.Errorf("write a receipt: %w", err)
		}
		return frame.Send("application/json", "consent-receipt.json", body), nil
	}
	view := &receiptView{ConsentReceipt: r, From: r.Consent.Department, State: consentChip(v, r.Consent.State)}
	if v.Catalog != nil {
		view.From = departmentName(v.Catalog, r.Consent.Department)
	}
	return frame.Show("receipt.html", "授权回执", view), nil
}
