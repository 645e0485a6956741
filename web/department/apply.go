package department

import (
	"slices"
	"strings"
	"unicode/utf8"

	"mianti/catalog"
	"mianti/internal/fault"
	"mianti/sharing"
	"mianti/web/frame"
)

// applyPath is the page on which a department applies for another's data.
const applyPath = "/department/sharing/new"

// applyView is the choice of a dataset while Dataset is nil, and the application for
// it otherwise.
type applyView struct {
	around
	Choice  *frame.Form
	Rows    []*catalog.Dataset
	Pager   frame.Pager
	Dataset *catalog.Dataset
	applicationView
}

// applicationView is what the form of an application (共享申请书) is made of.
type applicationView struct {
	Form     *frame.Form
	Fields   []frame.Option
	Withheld []string // names of the fields that nobody can apply for
	Matters  []frame.Option
	Manners  []frame.Option
}

// showApply shows the datasets of other departments, and the form once one of them
// is chosen.
func (p *pages) showApply(v *frame.Visit) (frame.Answer, error) {
	if v.Query("dataset") == "" {
		return p.chooseDataset(v, frame.NewForm(v, "q"))
	}
	dataset, err := datasetToApplyFor(v, v.Query("dataset"))
	if err != nil {
		return frame.Answer{}, err
	}
	if dataset.Department == v.Caller.Department {
		form := frame.NewForm(v, "q")
		form.Fail("", v.T("这是本部门自己的数据，不需要申请。"))
		return p.chooseDataset(v, form)
	}
	form := applicationForm(v)
	form.Set("from", v.Now.In(catalog.TimeZone()).Format("2006-01-02"))
	return p.apply(v, dataset, form), nil
}

// datasetToApplyFor gives a dataset of the catalog.
func datasetToApplyFor(v *frame.Visit, code string) (*catalog.Dataset, error) {
	rev, err := v.Revision()
	if err != nil {
		return nil, err
	}
	dataset := rev.Dataset(code)
	if dataset == nil {
		return nil, fault.New(fault.NotFound, "unknown-dataset", "目录中没有这个数据资源。请重新选择。")
	}
	return dataset, nil
}

// chooseDataset lists what other departments have, by what their names and codes
// hold.
func (p *pages) chooseDataset(v *frame.Visit, choice *frame.Form) (frame.Answer, error) {
	rev, err := v.Revision()
	if err != nil {
		return frame.Answer{}, err
	}
	data := applyView{around: p.around(v, "/department/sharing"), Choice: choice}
	words, after := strings.Fields(strings.ToLower(choice.Value("q"))), v.Query("after")
	for _, d := range rev.Datasets() {
		names := strings.ToLower(d.Name + " " + d.Code + " " + data.Department(d.Department))
		lacks := func(word string) bool { return !strings.Contains(names, word) }
		if d.Department != v.Caller.Department && !slices.ContainsFunc(words, lacks) {
			data.Rows = append(data.Rows, d)
		}
	}
	if at := slices.IndexFunc(data.Rows, func(d *catalog.Dataset) bool { return d.Code == after }); at >= 0 {
		data.Rows = data.Rows[at+1:]
	}
	next := ""
	if len(data.Rows) > pageSize {
		data.Rows = data.Rows[:pageSize]
		next = data.Rows[pageSize-1].Code
	}
	data.Pager = pager(v, applyPath, next, after, len(data.Rows))
	answer := frame.Show("apply.html", "申请使用数据", data)
	if !choice.OK() {
		answer = answer.Status(422)
	}
	return answer, nil
}

func (p *pages) apply(v *frame.Visit, dataset *catalog.Dataset, form *frame.Form) frame.Answer {
	data := applyView{around: p.around(v, "/department/sharing"), Dataset: dataset, applicationView: newApplicationView(v, dataset, form)}
	return frame.Show("apply.html", "申请使用数据", data)
}

// newApplicationView offers the fields of a dataset, and the matters of the caller's
// department.
func newApplicationView(v *frame.Visit, dataset *catalog.Dataset, form *frame.Form) applicationView {
	named, data := Visit{v}, applicationView{Form: form}
	for i := range dataset.Fields {
		f := &dataset.Fields[i]
		class, terms := dataset.SharingOf(f), dataset.TermsOf(f)
		if class == catalog.SharingWithheld {
			data.Withheld = append(data.Withheld, f.Name)
			continue
		}
		hint := []string{named.Class(class)}
		if terms.Scope != "" {
			hint = append(hint, v.T("共享范围：")+terms.Scope)
		}
		if terms.Purpose != "" {
			hint = append(hint, v.T("目录规定的用途：")+terms.Purpose)
		}
		data.Fields = append(data.Fields, frame.Option{Value: f.Code, Title: f.Name, Hint: strings.Join(hint, "　")})
	}
	for _, m := range v.Catalog.Matters() {
		if m.Department == v.Caller.Department {
			data.Matters = append(data.Matters, frame.Option{Value: m.Code, Title: m.Name, Hint: m.Code})
		}
	}
	for _, manner := range []sharing.Manner{sharing.MannerQuery, sharing.MannerVerify, sharing.MannerBatch, sharing.MannerFile} {
		data.Manners = append(data.Manners, frame.Option{Value: string(manner), Title: named.Manner(manner)})
	}
	return data
}

// applicationFields are the fields of the form of an application.
func applicationFields() []string {
	return []string{"dataset", "fields", "matters", "basis", "scenario", "scope", "purpose", "manner", "from", "until", "officer"}
}

func applicationForm(v *frame.Visit) *frame.Form { return frame.NewForm(v, applicationFields()...) }

// submitApplication hands an application in.
func (p *pages) submitApplication(v *frame.Visit) (frame.Answer, error) {
	form := applicationForm(v)
	dataset, err := datasetToApplyFor(v, form.Value("dataset"))
	if err != nil {
		return frame.Answer{}, err
	}
	application := readApplication(v, form, dataset.Code)
	if !form.OK() {
		return p.apply(v, dataset, form).Status(422), nil
	}
	r, err := p.Config.Requests.Submit(v.Context(), v.Caller, application)
	if err != nil {
		if take(form, err, nil) {
			return p.apply(v, dataset, form).Status(422), nil
		}
		return frame.Answer{}, err
	}
	return frame.GoSaying("/department/sharing/"+r.ID, "已提出申请，等待提供部门答复。"), nil
}

// readApplication reads an application for a dataset. It says what is not filled in
// or too long for the use case; the rest is the use case's to say.
func readApplication(v *frame.Visit, form *frame.Form, dataset string) sharing.Application {
	if len(form.Values("fields")) == 0 {
		form.Fail("fields", v.T("请选择至少一个数据项。"))
	}
	if len(form.Values("matters")) == 0 {
		form.Fail("matters", v.T("请选择至少一个事项。"))
	}
	form.Require(v.T("请写明使用依据。"), "basis")
	form.Require(v.T("请写明使用场景。"), "scenario")
	form.Require(v.T("请写明使用范围。"), "scope")
	form.Require(v.T("请选择共享方式。"), "manner")
	form.Require(v.T("请填写第一天。"), "from")
	form.Require(v.T("请填写最后一天。"), "until")
	form.Require(v.T("请填写签署申请的负责人。"), "officer")
	for _, bound := range []struct {
		field string
		most  int
	}{{"basis", longestText}, {"scenario", longestText}, {"scope", longestText}, {"purpose", longestText}, {"officer", longestName}} {
		if utf8.RuneCountInString(form.Value(bound.field)) > bound.most {
			form.Fail(bound.field, v.T("至多 %d 字。", bound.most))
		}
	}
	if len(form.Values("matters")) > mostMatters {
		form.Fail("matters", v.T("一次至多申请 %d 个事项。", mostMatters))
	}
	return sharing.Application{
		Dataset: dataset, Fields: form.Values("fields"), Matters: form.Values("matters"), Basis: form.Value("basis"), Scenario: form.Value("scenario"),
		Scope: form.Value("scope"), Purpose: form.Value("purpose"), Manner: sharing.Manner(form.Value("manner")), From: form.Value("from"),
		Until: form.Value("until"), Officer: form.Value("officer"),
	}
}

// The bounds of an application, in characters and in matters, as the API has them.
const (
	longestText = 1000
	longestName = 50
	mostMatters = 50
)

// fill begins the form with an application, for its completion.
func fill(form *frame.Form, a *sharing.Application) {
	form.Set("fields", a.Fields...)
	form.Set("matters", a.Matters...)
	for name, value := range map[string]string{
		"basis": a.Basis, "scenario": a.Scenario, "scope": a.Scope, "purpose": a.Purpose, "manner": string(a.Manner), "from": a.From, "until": a.Until,
		"officer": a.Officer,
	} {
		form.Set(name, value)
	}
}

// take puts what a use case refuses at the fields of a form, as its Take does. at
// says which field stands for a part of the input that it does not share its name
// with; "" for the form as a whole. Where nothing of it is about the input, the
// refusal itself is said.
func take(form *frame.Form, err error, at map[string]string) bool {
	refused := fault.As(err)
	if refused == nil {
		return false
	}
	moved, ofInput := *refused, false
	moved.Details = nil
	for _, d := range refused.Details {
		whole, is := strings.CutPrefix(d.Location, "body.")
		ofInput = ofInput || is
		part := whole[strings.LastIndex(whole, ".")+1:]
		part, _, _ = strings.Cut(part, "[") // fields[2] is of fields
		for _, name := range []string{part, whole} {
			if field, known := at[name]; known {
				part = field
			}
		}
		d.Location = part
		moved.Details = append(moved.Details, d)
	}
	if !ofInput {
		moved.Details = nil
	}
	return form.Take(&moved)
}
