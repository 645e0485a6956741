package citizen

import (
	"net/http"
	"net/url"
	"strings"

	"mianti/citizen"
	"mianti/web/frame"
)

// accessesView is who looked at the person's data.
type accessesView struct {
	Form        *frame.Form
	Departments []frame.Option
	List        *citizen.AccessList
	Items       []accessView
	Pager       frame.Pager
	Narrowed    bool
}

// accessView is one access, as a sentence.
type accessView struct {
	citizen.Access
	Sentence string
	Outcome  frame.ChipView
	Sealed   bool
}

const accessesAtOnce = 20

// accesses lists who looked at what, why, and what came of it.
func (p *pages) accesses(v *frame.Visit) (frame.Answer, error) {
	rev, err := v.Revision()
	if err != nil {
		return frame.Answer{}, err
	}
	form := frame.NewForm(v, "department", "from", "to", "own")
	view := &accessesView{Form: form, Departments: []frame.Option{{Title: v.T("所有部门")}}, List: &citizen.AccessList{}}
	for _, d := range rev.Departments() {
		view.Departments = append(view.Departments, frame.Option{Value: d.Code, Title: d.Name})
	}
	q := citizen.Query{Department: form.Value("department"), Others: form.Value("own") == "", Cursor: v.Query("cursor"), Limit: accessesAtOnce}
	view.Narrowed = q.Department != "" || form.Value("from") != "" || form.Value("to") != ""
	answer := frame.Show("accesses.html", "谁查过我的数据", view)
	if !period(v, form, &q) {
		return answer.Status(http.StatusUnprocessableEntity), nil
	}
	if view.List, err = p.Own.List(v.Context(), v.Caller, q); err != nil {
		return frame.Answer{}, err
	}
	for i := range view.List.Items {
		view.Items = append(view.Items, newAccess(v, &view.List.Items[i]))
	}
	view.Pager = pagerOf(v, view.List)
	return answer, nil
}

// period reads the first and the last day.
func period(v *frame.Visit, form *frame.Form, q *citizen.Query) bool {
	var ok bool
	if q.From, ok = day(form.Value("from"), 0); !ok {
		form.Fail("from", v.T("日期写成 2026-11-23 这样。"))
	}
	if q.Until, ok = day(form.Value("to"), 1); !ok {
		form.Fail("to", v.T("日期写成 2026-11-23 这样。"))
	}
	if form.OK() && !q.From.IsZero() && !q.Until.IsZero() && !q.From.Before(q.Until) {
		form.Fail("to", v.T("截止日期不能早于起始日期。"))
	}
	return form.OK()
}

func pagerOf(v *frame.Visit, list *citizen.AccessList) frame.Pager {
	pager := frame.Pager{Summary: v.T("共 %d 条", list.Total)}
	query := url.Values{}
	for _, name := range []string{"department", "from", "to", "own"} {
		if value := v.Query(name); value != "" {
			query.Set(name, value)
		}
	}
	if v.Query("cursor") != "" {
		pager.First = (&url.URL{Path: "/my/accesses", RawQuery: query.Encode()}).String()
	}
	if list.Next != "" {
		query.Set("cursor", list.Next)
		pager.Next = (&url.URL{Path: "/my/accesses", RawQuery: query.Encode()}).String()
	}
	return pager
}

// newAccess says an access in one sentence: who, what, of which kind.
func newAccess(v *frame.Visit, a *citizen.Access) accessView {
	view := accessView{Access: *a, Outcome: frame.ChipView{Kind: "none", Text: v.T(a.Outcome)}}
	who := a.Who.Name
	if a.Who.Self {
		who = v.T("您本人")
	}
	view.Sentence = who + v.T("：") + v.T(a.What)
	if a.Data != "" {
		view.Sentence += v.T("：") + a.Data
	}
	if fields := namesOf(a.Fields); len(fields) > 0 {
		view.Sentence += v.T("（%s）", strings.Join(fields, v.T("、")))
	}
	switch {
	case a.Unfinished:
		view.Outcome.Kind = "ask"
	case a.Result == "ok":
		view.Outcome.Kind = "good"
	case a.Kind == "denied":
		view.Outcome.Kind = "bad"
	}
	for _, proof := range a.Proof {
		view.Sealed = view.Sealed || proof.Nth > 0
	}
	return view
}

func namesOf(fields []citizen.AccessField) []string {
	var names []string
	for _, f := range fields {
		names = append(names, f.Name)
	}
	return names
}
