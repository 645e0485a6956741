package policy

import (
	"errors"

	"mianti/catalog"
	"mianti/effect"
	"mianti/internal/fault"
	"mianti/web/frame"
)

// draftEffect shows what a draft would do, against the revision that it was written
// on. A faulty one makes no catalog, and has no effect to be measured.
func (s *section) draftEffect(v *frame.Visit) (frame.Answer, error) {
	d, err := s.Drafts.Draft(v.Context(), v.Caller, v.Param("id"))
	if err != nil {
		return frame.Answer{}, err
	}
	b, err := s.drafting(v)
	if err != nil {
		return frame.Answer{}, err
	}
	q, err := effect.Edited(v.Context(), s.Drafts.Catalogs, s.Drafts.Catalogs, d.Base, d.Edits, d.ID)
	var faults catalog.Faults
	if errors.As(err, &faults) {
		return frame.Answer{}, fault.New(fault.Conflict, "draft-faulty", "草案有 %d 处错误，改正之后才能测算。", len(faults))
	}
	if err != nil {
		return frame.Answer{}, err
	}
	view := &effectView{
		base: b, Form: frame.NewForm(v, "before", "after", "cases"), Before: d.Base, Action: "/catalog/drafts/" + d.ID + "/effect", Draft: d.ID, DraftTitle: d.Title,
	}
	return s.showEffect(v, view, q.Before, q.After)
}
