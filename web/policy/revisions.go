package policy

import (
	"strconv"

	"mianti/catalog"
	"mianti/web/frame"
)

// mostRevisions is how many revisions a choice offers, and a list shows at a time.
const mostRevisions = 50

type revisionsView struct {
	base
	Rows  []catalog.RevisionHead
	Pager frame.Pager
}

func (s *section) revisions(v *frame.Visit) (frame.Answer, error) {
	_, b, err := s.at(v, "revisions")
	if err != nil {
		return frame.Answer{}, err
	}
	heads, err := s.Revisions.RevisionHeads(v.Context(), v.Number("before", 1, 1<<30, 0), mostRevisions+1)
	if err != nil {
		return frame.Answer{}, err
	}
	view := &revisionsView{base: b}
	if len(heads) > mostRevisions {
		heads = heads[:mostRevisions]
		view.Pager.Next = "/catalog/revisions?before=" + strconv.Itoa(heads[mostRevisions-1].Number)
	}
	if v.Query("before") != "" {
		view.Pager.First = "/catalog/revisions"
	}
	view.Rows = heads
	return frame.Show("revisions.html", "目录修订", view), nil
}

// revisionOptions lists the newest revisions; the empty value is the current one.
func (s *section) revisionOptions(v *frame.Visit) ([]frame.Option, error) {
	heads, err := s.Revisions.RevisionHeads(v.Context(), 0, mostRevisions)
	if err != nil {
		return nil, err
	}
	var out []frame.Option
	for _, h := range heads {
		out = append(out, frame.Option{Value: strconv.Itoa(h.Number), Title: v.T("修订 %d（%s）", h.Number, h.Version)})
	}
	return out, nil
}
