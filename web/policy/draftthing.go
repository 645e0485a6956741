package policy

import (
	"net/http"
	"slices"
	"strconv"

	"mianti/catalog"
	"mianti/draft"
	"mianti/web/frame"
)

// maxThing bounds a form with a thing of the catalog in it.
const maxThing = 1 << 20

// thingView is one thing of a draft, as text to be written.
type thingView struct {
	base
	Form   *frame.Form
	Draft  *draft.Dossier
	Thing  draft.Thing
	New    bool // neither in the draft nor in the revision that it was written on
	Edited bool // the draft changes it already
	Gone   bool // the draft removes it
	Places []fieldChangeView
	Faults []draft.Flaw
}

// draftThing shows a thing as the draft has it, and writes it anew.
func (s *section) draftThing(v *frame.Visit) (frame.Answer, error) {
	d, err := s.Drafts.Draft(v.Context(), v.Caller, v.Param("id"))
	if err != nil {
		return frame.Answer{}, err
	}
	b, err := s.drafting(v)
	if err != nil {
		return frame.Answer{}, err
	}
	view := &thingView{base: b, Draft: d, Form: frame.NewForm(v, "kind", "code", "in", "text", "version")}
	view.Thing = draft.Thing{Kind: catalog.ThingKind(view.Form.Value("kind")), Code: view.Form.Value("code")}
	if !slices.ContainsFunc(kindOptions(v), func(o frame.Option) bool { return o.Value == string(view.Thing.Kind) }) || view.Thing.Code == "" {
		return frame.Go("/catalog/drafts/" + d.ID), nil
	}
	if v.Request().Method == http.MethodPost {
		return s.writeThing(v, view)
	}
	if err := view.fill(v, s); err != nil {
		return frame.Answer{}, err
	}
	return view.answer(), nil
}

func (t *thingView) answer() frame.Answer { return frame.Show("draftthing.html", "改写对象", t) }

// fill gives the text as the draft has it, or as it was.
func (t *thingView) fill(v *frame.Visit, s *section) error {
	was, err := s.Drafts.Catalogs.Thing(v.Context(), t.Draft.Base, t.Thing.Kind, t.Thing.Code)
	if err != nil {
		return err
	}
	now := was
	if mine := t.Draft.Edit(t.Thing); mine != nil {
		now, t.Edited, t.Gone = *mine, true, mine.Removes()
	}
	t.New = now.Removes() && !t.Gone
	text, err := now.YAML()
	if err != nil {
		return err
	}
	if t.New {
		text = []byte("code: " + t.Thing.Code + "\n")
	}
	t.Form.Set("text", string(text))
	t.Form.Set("in", now.In)
	t.show(was, now)
	return nil
}

// show tells what is changed, and what is wrong with it.
func (t *thingView) show(was, now catalog.Edit) {
	if change, differs, err := catalog.CompareEdits(was, now); err == nil && differs {
		t.Places = changeOf(change, nil, nil, 0).Fields
	}
	for _, f := range t.Draft.Faults {
		if f.Thing == t.Thing {
			t.Faults = append(t.Faults, f)
		}
	}
}

// writeThing stores what was written. What is wrong with it is shown beside it; it is
// stored all the same, for a draft may be faulty until it is submitted.
func (s *section) writeThing(v *frame.Visit, t *thingView) (frame.Answer, error) {
	here := "/catalog/drafts/" + t.Draft.ID
	version, _ := strconv.Atoi(t.Form.Value("version"))
	edit := catalog.Edit{Kind: t.Thing.Kind, Code: t.Thing.Code, In: t.Form.Value("in")}
	if v.Form("do") != "remove" {
		value, faults := catalog.ReadValue("text", []byte(v.Form("text")))
		for _, f := range faults {
			t.Form.Fail("text", v.T("第 %d 行：%s", f.Line, f.Reason))
		}
		edit.Value = value
	}
	if t.Thing.Kind == catalog.ThingDataset && edit.In == "" {
		t.Form.Fail("in", v.T("请填写数据资源所属的部门"))
	}
	if !t.Form.OK() {
		return t.answer().Status(http.StatusUnprocessableEntity), nil
	}
	after, err := s.Drafts.Put(v.Context(), v.Caller, t.Draft.ID, version, edit)
	if err != nil {
		if !t.Form.Take(err) {
			return frame.Answer{}, err
		}
		return t.answer().Status(http.StatusUnprocessableEntity), nil
	}
	if !slices.ContainsFunc(after.Faults, func(f draft.Flaw) bool { return f.Thing == t.Thing }) {
		return frame.GoSaying(here, "已放进草案。"), nil
	}
	t.Draft = after
	if err := t.fill(v, s); err != nil {
		return frame.Answer{}, err
	}
	return t.answer().Status(http.StatusUnprocessableEntity), nil
}
