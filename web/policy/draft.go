package policy

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"mianti/catalog"
	"mianti/draft"
	"mianti/web/frame"
)

// draftView is one draft: what it changes, what stands in its way, and what may be
// done.
type draftView struct {
	base
	*draft.Dossier
	Form   *frame.Form
	Chip   string
	Who    []string
	Whose  string // the department's name
	Rows   []draftChange
	More   int // changes that are not listed
	Others []overlapView
	Steps  []frame.Step
	Kinds  []frame.Option
	// What the visitor may do.
	MayChange, MayMerge, MaySubmit, MayApprove, MayPublish, MayReturn, MayRecall, MayWithdraw bool
}

// draftChange is what a draft does to one thing.
type draftChange struct {
	changeView
	Faults []draft.Flaw
	Moved  bool
}

// overlapView is another draft that changes the same.
type overlapView struct {
	draft.Overlap
	Who  []string
	Chip string
}

// mostChanges is how many changed things a draft's page lists.
const mostChanges = 100

// draft shows a draft.
func (s *section) draft(v *frame.Visit) (frame.Answer, error) {
	d, err := s.Drafts.Draft(v.Context(), v.Caller, v.Param("id"))
	if err != nil {
		return frame.Answer{}, err
	}
	return s.showDraft(v, d, frame.NewForm(v, "reason", "on", "code", "kind"))
}

func (s *section) showDraft(v *frame.Visit, d *draft.Dossier, form *frame.Form) (frame.Answer, error) {
	b, err := s.drafting(v)
	if err != nil {
		return frame.Answer{}, err
	}
	view := &draftView{base: b, Dossier: d, Form: form, Chip: stateChip(d.State), Who: peopleOf(v, d.Writers), Kinds: kindOptions(v)}
	view.Whose = departmentName(v, d.Department)
	may := func(a draft.Act) bool { return slices.Contains(d.May, a) }
	view.MayChange, view.MayMerge, view.MaySubmit, view.MayApprove = may(draft.Change), may(draft.Rebase), may(draft.Submit), may(draft.Approve)
	view.MayPublish, view.MayReturn, view.MayRecall, view.MayWithdraw = may(draft.Publish), may(draft.Return), may(draft.Recall), may(draft.Withdraw)
	view.MaySubmit = view.MaySubmit && len(d.Edits) > 0 && len(d.Moved) == 0 && len(d.Faults) == 0
	for _, o := range d.Others {
		view.Others = append(view.Others, overlapView{o, peopleOf(v, o.Writers), stateChip(o.State)})
	}
	for _, deed := range slices.Backward(d.History) {
		view.Steps = append(view.Steps, frame.Step{Title: v.T(deed.Act.Name()) + "　" + whoActed(v, deed), Text: deed.Why, At: deed.At, Kind: stateChip(deed.State)})
	}
	if err := view.compare(v, s); err != nil {
		return frame.Answer{}, err
	}
	return frame.Show("draft.html", "目录草案", view), nil
}

// whoActed names who did something: by department too, where it was for one.
func whoActed(v *frame.Visit, deed draft.Deed) string {
	who := personOf(v, deed.Person)
	if deed.Department == "" || deed.Person == v.Caller.Person {
		return who
	}
	return departmentName(v, deed.Department) + " " + who
}

// departmentName names a department of the catalog; by its code where there is none.
func departmentName(v *frame.Visit, code string) string {
	if d := v.Catalog.Department(code); d != nil {
		return d.Name
	}
	return code
}

// compare lists what the draft changes, each thing with its faults.
func (d *draftView) compare(v *frame.Visit, s *section) error {
	changes, err := s.Drafts.Changes(v.Context(), d.ID)
	if err != nil {
		return err
	}
	if len(changes) > mostChanges {
		d.More = len(changes) - mostChanges
	}
	for _, change := range changes[:len(changes)-d.More] {
		thing := draft.Thing{Kind: change.Kind, Code: change.Code}
		row := draftChange{changeView: changeOf(change, v.Catalog, v.Catalog, d.Base), Moved: slices.Contains(d.Moved, thing)}
		row.Link = ""
		for _, f := range d.Faults {
			if f.Thing == thing {
				row.Faults = append(row.Faults, f)
			}
		}
		d.Rows = append(d.Rows, row)
	}
	return nil
}

// Loose are the faults that belong to none of the changes that are listed.
func (d *draftView) Loose() []draft.Flaw {
	return slices.DeleteFunc(slices.Clone(d.Faults), func(f draft.Flaw) bool {
		return slices.ContainsFunc(d.Rows, func(r draftChange) bool { return r.Kind == f.Thing.Kind && r.Code == f.Thing.Code })
	})
}

// kindOptions are the kinds of things that can be edited.
func kindOptions(v *frame.Visit) []frame.Option {
	var out []frame.Option
	for _, kind := range []catalog.ThingKind{
		catalog.ThingMaterial, catalog.ThingMatter, catalog.ThingOneThing, catalog.ThingCommonMaterial, catalog.ThingStandardMaterial, catalog.ThingDataset,
		catalog.ThingFact, catalog.ThingRole, catalog.ThingDepartment, catalog.ThingExplanation,
	} {
		out = append(out, frame.Option{Value: string(kind), Title: v.T(kind.Name())})
	}
	return out
}

// actOnDraft does what one of the buttons of a draft's page asks for.
func (s *section) actOnDraft(v *frame.Visit) (frame.Answer, error) {
	form := frame.NewForm(v, "do", "version", "reason", "on", "kind", "code")
	version, _ := strconv.Atoi(form.Value("version"))
	id := v.Param("id")
	said, err := s.act(v, form, id, version)
	if err == nil && form.OK() {
		return frame.GoSaying("/catalog/drafts/"+id, said), nil
	}
	if err != nil && !form.Take(err) {
		return frame.Answer{}, err
	}
	d, err := s.Drafts.Draft(v.Context(), v.Caller, id)
	if err != nil {
		return frame.Answer{}, err
	}
	answer, err := s.showDraft(v, d, form)
	return answer.Status(http.StatusUnprocessableEntity), err
}

// act does it, and gives what is said then.
func (s *section) act(v *frame.Visit, form *frame.Form, id string, version int) (said string, err error) {
	event := draft.Event{Why: form.Value("reason")}
	switch form.Value("do") {
	case "submit":
		event.Act, said = draft.Submit, "已提交审核。"
	case "approve":
		event.Act, said = draft.Approve, "审核通过。"
	case "return":
		event.Act, said = draft.Return, "已退回。"
	case "recall":
		event.Act, said = draft.Recall, "已收回，可以修改。"
	case "withdraw":
		event.Act, said = draft.Withdraw, "草案已撤销。"
	case "publish":
		_, err := s.Drafts.Publish(v.Context(), v.Caller, id, version)
		return "已发布。新办件按新的修订办理。", err
	case "schedule":
		on, err := time.ParseInLocation(time.DateOnly, form.Value("on"), catalog.TimeZone())
		if err != nil {
			form.Fail("on", v.T("请填写日期，如 2026-12-01"))
			return "", nil
		}
		_, err = s.Drafts.Schedule(v.Context(), v.Caller, id, version, on)
		return "已定期发布。", err
	case "drop":
		thing := draft.Thing{Kind: catalog.ThingKind(form.Value("kind")), Code: form.Value("code")}
		_, err := s.Drafts.Remove(v.Context(), v.Caller, id, version, thing)
		return "不再改这个对象。", err
	default:
		form.Fail("", v.T("没有这种办理"))
		return "", nil
	}
	_, err = s.Drafts.Act(v.Context(), v.Caller, id, version, event)
	return said, err
}
