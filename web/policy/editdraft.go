package policy

import (
	"mianti/catalog"
	"mianti/draft"
	"mianti/web/frame"
)

// mostOffered is how many drafts a material can be put into from its page.
const mostOffered = 50

// offerDrafts lists the drafts into which the visitor can put what he wrote: those
// that may be written, and a new one. What stands in an earlier revision is not
// drafted from.
func (e *editView) offerDrafts(v *frame.Visit, s *section) (err error) {
	if e.Rev == 0 {
		e.Drafts, err = s.writableDrafts(v)
	}
	return err
}

// writableDrafts lists the drafts that the visitor may write into; the first is a new
// one.
func (s *section) writableDrafts(v *frame.Visit) ([]frame.Option, error) {
	found, err := s.Drafts.List(v.Context(), draft.Filter{Open: true, Limit: mostOffered})
	if err != nil {
		return nil, err
	}
	offered := options(v, "", "新的草案")
	for _, d := range found {
		writable := d.State == draft.Editing || d.State == draft.Returned
		if writable && (d.Department == "" || d.Department == v.Caller.Department) {
			offered = append(offered, frame.Option{Value: d.ID, Title: d.Title})
		}
	}
	return offered, nil
}

// draftMaterial puts the material as it was written into a draft. What stands in the
// way is said over the form.
func (s *section) draftMaterial(v *frame.Visit, e *editView, text []byte) (frame.Answer, error) {
	value, faults := catalog.ReadValue(e.Code, text)
	if e.Same || len(faults) > 0 || e.Rev != 0 {
		e.Form.Fail("", v.T("还没有改动"))
		return frame.Answer{}, nil
	}
	edit := catalog.Edit{Kind: catalog.ThingMaterial, Code: e.Code, Value: value}
	id := e.Form.Value("draft")
	var err error
	if id != "" {
		_, err = s.Drafts.Put(v.Context(), v.Caller, id, 0, edit)
	} else {
		var made *draft.Dossier
		made, err = s.Drafts.Create(v.Context(), v.Caller, draft.Opening{Title: "改写材料 " + e.Code, Base: e.Number, Edits: []catalog.Edit{edit}})
		if err == nil {
			id = made.ID
		}
	}
	if err != nil {
		if !e.Form.Take(err) {
			return frame.Answer{}, err
		}
		return frame.Answer{}, nil
	}
	return frame.GoSaying("/catalog/drafts/"+id, "已放进草案。"), nil
}
