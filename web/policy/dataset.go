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
	AnyTerms bool
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
	for i, f := range d.Dataset.Fields {
		class := d.SharingOf(&f)
		view.Fields = append(view.Fields, fieldView{
			Field: f, Type: typeName(f.Type), Class: sharingName(class), Chip: sharingChip(class), Terms: d.TermsOf(&f),
			Released: d.released[i], Checked: d.checked[i], Ends: f.Code == d.ValidUntil,
		})
	}
	view.AnyTerms = slices.ContainsFunc(view.Fields, func(f fieldView) bool { return f.Terms != catalog.SharingTerms{} })
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

// countFields counts the materials that each field is released to, and those whose
// check reads it.
func (d *datasetRow) countFields() {
	d.released, d.checked = make([]int, len(d.Dataset.Fields)), make([]int, len(d.Dataset.Fields))
	for _, m := range d.Uses {
		for i := range d.Dataset.Fields {
			released, checked := usesField(d.Dataset, m.Material, d.Dataset.Fields[i].Code)
			if released {
				d.released[i]++
			}
			if checked {
				d.checked[i]++
			}
		}
	}
}

// usesField reports whether a material gets a field of a dataset, and whether one
// of its checks reads it.
func usesField(d *catalog.Dataset, m *catalog.Material, field string) (released, checked bool) {
	for i := range m.Proofs {
		p := &m.Proofs[i]
		for _, l := range p.Lookups {
			if l.Dataset == d.Code {
				released = released || !l.YesNo && (len(l.Release) == 0 || slices.Contains(l.Release, field))
				checked = checked || slices.Contains(p.FieldsChecked(d.Code), field)
			}
		}
	}
	return released, checked
}

func useOf(d *catalog.Dataset, m *materialRow) useView {
	view := useView{materialRow: m}
	for _, f := range d.Fields {
		released, checked := usesField(d, m.Material, f.Code)
		if released {
			view.Fields = append(view.Fields, f.Name)
		}
		if checked {
			view.Checked = append(view.Checked, f.Name)
		}
	}
	return view
}
