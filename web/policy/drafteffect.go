package policy

import (
	"errors"

	"mianti/catalog"
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
	about := make([]string, len(d.Edits))
	for i, e := range d.Edits {
		about[i] = e.Code
	}
	before, err := s.Drafts.Catalogs.Revision(v.Context(), d.Base, about...)
	if err != nil {
		return frame.Answer{}, err
	}
	drafted, err := s.Drafts.Catalogs.Drafted(v.Context(), d.Base, d.Edits, about...)
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
	return s.showEffect(v, view, before, drafted.Revision)
}
