package policy

import (
	"slices"

	"mianti/catalog"
	"mianti/web/frame"
)

// datasetView is one dataset.
type datasetView struct {
	base
	*datasetRow
	Kinds    []string // of party that a record can be asked for
	Fields   []fieldView
	Sources  []sourceView
	Rows     []useView
	Pager    frame.Pager
	Produced []*catalog.Matter // the matters whose result is registered here
}

// fieldView is an item of a dataset, and how many materials use it.
type fieldView struct {
	catalog.Field
	Type, Class, Chip string
	Terms             catalog.SharingTerms
	Released, Checked int
	Ends              bool // the record is expired after it
}

type sourceView struct {
	*catalog.Source
	Name string
}

// useView is how a material uses a dataset.
type useView struct {
	*materialRow
	Fields  []string // names of what is released
	Checked []string // names of what a check reads
	YesNo   bool
}

func (s *section) dataset(v *frame.Visit) (frame.Answer, error) {
	shelf, b, err := s.at(v, "datasets")
	if err != nil {
		return frame.Answer{}, err
	}
	at := slices.IndexFunc(shelf.datasets, func(d *datasetRow) bool { return d.Code == v.Param("code") })
	if at < 0 {
		return frame.Answer{}, missing("unknown-dataset", "数据资源")
	}
	d := shelf.datasets[at]
	view := &datasetView{base: b, datasetRow: d}
	for _, kind := range d.AskedBy {
		view.Kinds = append(view.Kinds, kind.Name())
	}
	released, checked := fieldUses(d)
	for _, f := range d.Dataset.Fields {
		class := d.SharingOf(&f)
		view.Fields = append(view.Fields, fieldView{
			Field: f, Type: typeName(f.Type), Class: sharingName(class), Chip: sharingChip(class), Terms: d.TermsOf(&f),
			Released: released[f.Code], Checked: checked[f.Code], Ends: f.Code == d.ValidUntil,
		})
	}
	for i := range d.Dataset.Sources {
		view.Sources = append(view.Sources, sourceView{&d.Dataset.Sources[i], sourceName(d.Dataset.Sources[i].Kind)})
	}
	for _, m := range shelf.matters {
		if m.Matter.Result.Dataset == d.Code {
			view.Produced = append(view.Produced, m.Matter)
		}
	}
	page := v.Number("page", 1, 1<<20, 1)
	from, to := min((page-1)*pageSize, len(d.Uses)), min(page*pageSize, len(d.Uses))
	for _, m := range d.Uses[from:to] {
		view.Rows = append(view.Rows, useOf(d.Dataset, m))
	}
	view.Pager = pager(v, len(d.Uses), page, pageSize)
	return frame.Show("dataset.html", d.Name, view), nil
}

// fieldUses counts the materials that a field is released to, and those whose
// check reads it.
func fieldUses(d *datasetRow) (released, checked map[string]int) {
	released, checked = map[string]int{}, map[string]int{}
	for _, m := range d.Uses {
		fields, checks, _ := usedFields(d.Dataset, m.Material)
		for code := range fields {
			released[code]++
		}
		for code := range checks {
			checked[code]++
		}
	}
	return released, checked
}

// usedFields are the fields of a dataset that a material gets, and those that its
// checks read; yesNo says that one of its look-ups gets the conclusion only.
func usedFields(d *catalog.Dataset, m *catalog.Material) (released, checked map[string]bool, yesNo bool) {
	released, checked = map[string]bool{}, map[string]bool{}
	for i := range m.Proofs {
		p := &m.Proofs[i]
		for _, l := range p.Lookups {
			if l.Dataset != d.Code {
				continue
			}
			yesNo = yesNo || l.YesNo
			for _, f := range d.Fields {
				if !l.YesNo && (len(l.Release) == 0 || slices.Contains(l.Release, f.Code)) {
					released[f.Code] = true
				}
			}
			for _, code := range p.FieldsChecked(d.Code) {
				checked[code] = true
			}
		}
	}
	return released, checked, yesNo
}

func useOf(d *catalog.Dataset, m *materialRow) useView {
	released, checked, yesNo := usedFields(d, m.Material)
	view := useView{materialRow: m, YesNo: yesNo}
	for _, f := range d.Fields {
		if released[f.Code] {
			view.Fields = append(view.Fields, f.Name)
		}
		if checked[f.Code] {
			view.Checked = append(view.Checked, f.Name)
		}
	}
	return view
}
