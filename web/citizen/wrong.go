package citizen

import (
	"net/http"
	"slices"

	"mianti/catalog"
	"mianti/correction"
	"mianti/exchange"
	"mianti/web/frame"
)

// wrongView is the form that says that a record is wrong.
type wrongView struct {
	Case, Material, Party, Dataset string
	Name, Data, Holder             string
	// Missing says that no record was found, and there should be one.
	Missing bool
	Form    *frame.Form
	Fields  []frame.Option
}

// wrong asks what is wrong with a record.
func (p *pages) wrong(v *frame.Visit) (frame.Answer, error) {
	return p.showWrong(v, frame.NewForm(v, "material", "party", "dataset", "missing", "fields", "explanation"))
}

func (p *pages) showWrong(v *frame.Visit, form *frame.Form) (frame.Answer, error) {
	rev, err := v.Revision(form.Value("material"))
	if err != nil {
		return frame.Answer{}, err
	}
	view := &wrongView{
		Case: v.Param("id"), Material: form.Value("material"), Party: form.Value("party"), Dataset: form.Value("dataset"),
		Missing: form.Value("missing") != "", Form: form,
	}
	dataset, material := rev.Dataset(view.Dataset), rev.Material(view.Material)
	if dataset == nil || material == nil {
		return frame.Go("/my/cases/" + view.Case), nil
	}
	view.Name, view.Data, view.Holder = material.Name, dataset.Name, departmentName(rev, dataset.Department)
	read := fieldsRead(material, dataset)
	for i := range dataset.Fields {
		if f := &dataset.Fields[i]; slices.Contains(read, f.Code) {
			view.Fields = append(view.Fields, frame.Option{Value: f.Code, Title: f.Name})
		}
	}
	return frame.Show("wrong.html", "数据有误，申请核实更正", view), nil
}

// fieldsRead are the fields of a dataset that a material releases or checks; where it
// names none, all that are not withheld.
func fieldsRead(material *catalog.Material, dataset *catalog.Dataset) []string {
	var read []string
	for i := range material.Proofs {
		proof := &material.Proofs[i]
		for _, l := range proof.Lookups {
			if l.Dataset == dataset.Code {
				read = slices.Concat(read, l.Release, proof.FieldsChecked(dataset.Code))
			}
		}
	}
	if read != nil {
		return read
	}
	for i := range dataset.Fields {
		if f := &dataset.Fields[i]; dataset.SharingOf(f) != catalog.SharingWithheld {
			read = append(read, f.Code)
		}
	}
	return read
}

// sendWrong sends it to the department that holds the record.
func (p *pages) sendWrong(v *frame.Visit) (frame.Answer, error) {
	form := frame.NewForm(v, "material", "party", "dataset", "missing", "fields", "explanation")
	form.Require(v.T("请说一说哪里不对、应该是什么。"), "explanation")
	missing := form.Value("missing") != ""
	if !missing && len(form.Values("fields")) == 0 {
		form.Fail("fields", v.T("请勾选不对的内容，至少一项。"))
	}
	if form.OK() {
		in := correction.Submission{
			ContestRef: exchange.ContestRef{Case: v.Param("id"), Material: form.Value("material"), Party: form.Value("party"), Dataset: form.Value("dataset")},
			Claim:      correction.Claim{Explanation: form.Value("explanation")},
		}
		if !missing {
			in.Fields = form.Values("fields")
		}
		_, err := p.Corrections.Submit(v.Context(), v.Caller, in)
		if err == nil {
			return frame.GoSaying("/my/cases/"+v.Param("id"), "已登记，转给提供数据的部门。部门应在 10 个工作日内核实、更正并反馈。"), nil
		}
		if !form.Take(err) {
			return frame.Answer{}, err
		}
	}
	answer, err := p.showWrong(v, form)
	return answer.Status(http.StatusUnprocessableEntity), err
}
