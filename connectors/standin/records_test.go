package standin

import (
	"testing"

	"mianti/catalog"
	"mianti/examples/jinan"
)

func TestRecordRules_NameOnlyFieldsThatTheCatalogHas(t *testing.T) {
	t.Parallel()
	revision, err := catalog.Load(jinan.Files)
	if err != nil {
		t.Fatal(err)
	}
	rules, err := readRecordRules()
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, d := range revision.Datasets() {
		for _, f := range d.Fields {
			if _, own := rules.Datasets[d.Code][f.Code]; !own {
				used[f.Code] = true
			}
		}
	}
	for code := range rules.Fields {
		if !used[code] {
			t.Errorf("no field takes the value for %s", code)
		}
	}
	for code, fields := range rules.Datasets {
		dataset := revision.Dataset(code)
		if dataset == nil {
			t.Errorf("no dataset is called %s", code)
			continue
		}
		for field := range fields {
			if dataset.Field(field) == nil {
				t.Errorf("dataset %s has no field %s", code, field)
			}
		}
	}
	for _, code := range rules.PerProperty {
		if revision.Dataset(code) == nil {
			t.Errorf("no dataset is called %s", code)
		}
	}
}

func TestTemplate_RefusesAValueOfAnotherTypeThanTheField(t *testing.T) {
	t.Parallel()
	r := registryOf(t)
	for kind, value := range map[catalog.FieldType]any{
		catalog.FieldNumber: "many", catalog.FieldBool: "yes", catalog.FieldDate: "soon", catalog.FieldList: 7,
	} {
		d := &catalog.Dataset{Code: "D-A", Fields: []catalog.Field{{Code: "x", Name: "某项", Type: kind}}}
		rules := recordRules{Datasets: map[string]map[string]any{"D-A": {"x": value}}}
		template, err := rules.template(d)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := template.holdings(r.byCode["man"], day()); err == nil {
			t.Errorf("%v is taken for a %s", value, kind)
		}
	}
}
