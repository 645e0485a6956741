package clerk

import (
	"net/http"

	"mianti/correction"
	"mianti/exchange"
	"mianti/web/frame"
)

// correctionView is the form by which a record is said to be wrong.
type correctionView struct {
	Path, Case, Number, Material, Dataset, Department, Whose string
	Form                                                     *frame.Form
	Fields                                                   []fieldChoice
	NotFound                                                 bool
}

// fieldChoice is a field that may be wrong, and what it should say.
type fieldChoice struct{ Name, Label string }

// correctionForm asks what is wrong with a record.
func (d *desk) correctionForm(v *frame.Visit) (frame.Answer, error) {
	return d.correctionPage(v, frame.NewForm(v, "material", "party", "dataset", "explanation"))
}

func (d *desk) correctionPage(v *frame.Visit, form *frame.Form) (frame.Answer, error) {
	c, err := d.Readings.Case(v.Context(), v.Caller, v.Param("id"))
	if err != nil {
		return frame.Answer{}, err
	}
	rev, err := d.Catalogs.Revision(v.Context(), c.Revision, c.Subject)
	if err != nil {
		return frame.Answer{}, err
	}
	s := &screen{v: v, c: c, rev: rev}
	material, dataset := rev.Material(form.Value("material")), rev.Dataset(form.Value("dataset"))
	if material == nil || dataset == nil {
		return frame.Go(casePath(c.ID)), nil
	}
	view := correctionView{
		Path: casePath(c.ID) + "/correction", Case: casePath(c.ID), Number: c.Number, Material: material.Name, Dataset: dataset.Name,
		Department: departmentName(rev, dataset.Department), Form: form,
	}
	if party := form.Value("party"); party != "" {
		view.Whose = s.nameOf(party)
	}
	for i := range dataset.Fields {
		view.Fields = append(view.Fields, fieldChoice{Name: fieldName(dataset.Fields[i].Code), Label: dataset.Fields[i].Name})
	}
	answer := frame.Show("correction.html", "数据有误：提出校核", view)
	if !form.OK() {
		answer = answer.Status(http.StatusUnprocessableEntity)
	}
	return answer, nil
}

// fieldName is what a field of a record is called in the form.
func fieldName(code string) string { return "claim." + code }

// openCorrection opens a correction (校核) with what the form says.
func (d *desk) openCorrection(v *frame.Visit) (frame.Answer, error) {
	form := frame.NewForm(v, "material", "party", "dataset", "explanation")
	id := v.Param("id")
	in := correction.Submission{
		ContestRef: exchange.ContestRef{Case: id, Material: form.Value("material"), Party: form.Value("party"), Dataset: form.Value("dataset")},
		Claim:      correction.Claim{Fields: map[string]string{}, Explanation: form.Value("explanation")},
	}
	if v.Catalog != nil {
		if dataset := v.Catalog.Dataset(in.Dataset); dataset != nil {
			for i := range dataset.Fields {
				code := dataset.Fields[i].Code
				value := frame.NewForm(v, fieldName(code)).Value(fieldName(code))
				form.Set(fieldName(code), value)
				if value != "" {
					in.Claim.Fields[code] = value
				}
			}
		}
	}
	if _, err := d.Corrections.Submit(v.Context(), v.Caller, in); err != nil {
		if form.Take(err) {
			return d.correctionPage(v, form)
		}
		return frame.Answer{}, err
	}
	return frame.GoSaying(casePath(id), "校核已提出，数源部门在 10 个工作日内核实答复。"), nil
}
