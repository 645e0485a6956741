package policy

import (
	"net/http"
	"strconv"

	"mianti/draft"
	"mianti/ledger"
	"mianti/web/frame"
)

// draftsPage is how many drafts are listed at a time.
const draftsPage = 30

// draftsView is the list of drafts, with the form that begins one.
type draftsView struct {
	base
	Form    *frame.Form
	States  []frame.Option
	Rows    []draftLine
	Pager   frame.Pager
	Restore int // the revision that a new draft brings back; 0 for none
}

// draftLine is a draft in a list.
type draftLine struct {
	draft.Outline
	Who []string
}

// Chip gives the state's kind of chip.
func (d draftLine) Chip() string { return stateChip(d.State) }

func stateChip(s draft.State) string {
	switch s {
	case draft.Editing:
		return "info"
	case draft.Submitted, draft.Scheduled:
		return "wait"
	case draft.Returned:
		return "ask"
	case draft.Approved, draft.Published:
		return "good"
	default:
		return "none"
	}
}

// drafting is the base of the pages of drafts, which show no revision as a whole.
func (s *section) drafting(v *frame.Visit) (base, error) {
	rev, err := v.Revision()
	if err != nil {
		return base{}, err
	}
	return base{Number: rev.Number, Version: rev.Version, Tab: "drafts"}, nil
}

func draftStates(v *frame.Visit) []frame.Option {
	out := options(v, "", "还在办理的", "all", "全部")
	for _, state := range draft.States() {
		out = append(out, frame.Option{Value: string(state), Title: v.T(state.Name())})
	}
	return out
}

// drafts lists the drafts.
func (s *section) drafts(v *frame.Visit) (frame.Answer, error) {
	return s.showDrafts(v, frame.NewForm(v, "state", "title", "why"))
}

func (s *section) showDrafts(v *frame.Visit, form *frame.Form) (frame.Answer, error) {
	b, err := s.drafting(v)
	if err != nil {
		return frame.Answer{}, err
	}
	view := &draftsView{base: b, Form: form, States: draftStates(v), Restore: restores(v)}
	filter := draft.Filter{After: v.Query("after"), Limit: draftsPage + 1}
	switch state := v.Query("state"); state {
	case "":
		filter.Open = true
	case "all":
	default:
		filter.State = draft.State(state)
	}
	found, err := s.Drafts.List(v.Context(), filter)
	if err != nil {
		return frame.Answer{}, err
	}
	if len(found) > draftsPage {
		found = found[:draftsPage]
		view.Pager.Next = "/catalog/drafts?state=" + string(v.Query("state")) + "&after=" + found[draftsPage-1].ID
	}
	if v.Query("after") != "" {
		view.Pager.First = "/catalog/drafts?state=" + v.Query("state")
	}
	for _, d := range found {
		view.Rows = append(view.Rows, draftLine{d, peopleOf(v, d.Writers)})
	}
	return frame.Show("drafts.html", "目录草案", view), nil
}

// restores is the revision that a draft is to bring back, where the visitor came to
// do that.
func restores(v *frame.Visit) int {
	text := v.Query("restore")
	if text == "" {
		text = v.Form("restore")
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0
	}
	return n
}

// createDraft begins a draft: an empty one, or one that brings a revision back.
func (s *section) createDraft(v *frame.Visit) (frame.Answer, error) {
	form := frame.NewForm(v, "title", "why")
	var made *draft.Dossier
	var err error
	if n := restores(v); n > 0 {
		made, err = s.Drafts.RollBack(v.Context(), v.Caller, n, form.Value("why"))
	} else {
		made, err = s.Drafts.Create(v.Context(), v.Caller, draft.Opening{Title: form.Value("title"), Why: form.Value("why")})
	}
	if err == nil {
		return frame.GoSaying("/catalog/drafts/"+made.ID, "已起草。"), nil
	}
	if !form.Take(err) {
		return frame.Answer{}, err
	}
	answer, err := s.showDrafts(v, form)
	return answer.Status(http.StatusUnprocessableEntity), err
}

// peopleOf says who people are, as far as these pages know it: by the ends of their
// opaque codes.
func peopleOf(v *frame.Visit, all []string) []string {
	out := make([]string, len(all))
	for i, who := range all {
		out[i] = personOf(v, who)
	}
	return out
}

func personOf(v *frame.Visit, who string) string {
	switch who {
	case "":
		return v.T("系统")
	case v.Caller.Person:
		return v.T("您")
	case ledger.Operator:
		return v.T("运维人员")
	default:
		return v.T("人员 %s", who[max(0, len(who)-shownOfPerson):])
	}
}

// shownOfPerson is how much of a person's code tells him apart from his colleagues.
const shownOfPerson = 6
