package catalog_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
)

func TestSharingOf_IsTheFieldsOwnButNothingOfAWithheldDatasetIsShared(t *testing.T) {
	t.Parallel()
	const open, conditional, withheld = catalog.SharingUnconditional, catalog.SharingConditional, catalog.SharingWithheld
	for _, test := range []struct{ dataset, field, want catalog.Sharing }{
		{open, "", open}, {open, conditional, conditional}, {open, withheld, withheld},
		{conditional, "", conditional}, {conditional, open, open}, {conditional, withheld, withheld},
		{withheld, "", withheld}, {withheld, withheld, withheld},
		{withheld, open, withheld}, {withheld, conditional, withheld}, // refused by Load, and no way around it
	} {
		d := &catalog.Dataset{Sharing: test.dataset}
		if got := d.SharingOf(&catalog.Field{Sharing: test.field}); got != test.want {
			t.Errorf("a %q field of a %q dataset is %q, want %q", test.field, test.dataset, got, test.want)
		}
	}
}

func TestTermsOf_AreCompletedByTheDatasetsOfTheSameClass(t *testing.T) {
	t.Parallel()
	of := catalog.SharingTerms{Scope: "市级部门", Purpose: "不动产登记"}
	d := &catalog.Dataset{Sharing: catalog.SharingConditional, SharingTerms: of}
	for _, test := range []struct {
		name  string
		field catalog.Field
		want  catalog.SharingTerms
	}{
		{"no class of its own", catalog.Field{}, of},
		{"a purpose of its own", catalog.Field{Sharing: catalog.SharingConditional, SharingTerms: catalog.SharingTerms{Purpose: "入学"}}, catalog.SharingTerms{Scope: "市级部门", Purpose: "入学"}},
		{"withheld", catalog.Field{Sharing: catalog.SharingWithheld, SharingTerms: catalog.SharingTerms{Clause: "统计法9"}}, catalog.SharingTerms{Clause: "统计法9"}},
		{"unconditional", catalog.Field{Sharing: catalog.SharingUnconditional}, catalog.SharingTerms{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, d.TermsOf(&test.field)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestLoad_TakesTheSharingClassOfAField(t *testing.T) {
	t.Parallel()
	files := good(t)
	edit(t, files, ga, "出生日期, type: date", "出生日期, type: date, sharing: withheld, clause: 居民身份证法6")
	edit(t, files, sc, "是否存续, type: bool", "是否存续, type: bool, sharing: conditional, scope: 市级部门, purpose: 设立登记")
	edit(t, files, sc, "坐落, type: string", "坐落, type: string, sharing: withheld") // on the dataset's clause
	rev := load(t, files)
	for _, test := range []struct {
		dataset, field string
		sharing        catalog.Sharing
		terms          catalog.SharingTerms
	}{
		{"D-GA01", "birth_date", catalog.SharingWithheld, catalog.SharingTerms{Clause: "居民身份证法6"}},
		{"D-GA01", "name", catalog.SharingConditional, catalog.SharingTerms{}},
		{"D-SC01", "active", catalog.SharingConditional, catalog.SharingTerms{Scope: "市级部门", Purpose: "设立登记"}},
		{"D-SC02", "location", catalog.SharingWithheld, catalog.SharingTerms{Clause: "税收征收管理法8"}},
	} {
		d := rev.Dataset(test.dataset)
		f := d.Field(test.field)
		if got := d.SharingOf(f); got != test.sharing {
			t.Errorf("%s.%s is %q, want %q", test.dataset, test.field, got, test.sharing)
		}
		if diff := cmp.Diff(test.terms, d.TermsOf(f)); diff != "" {
			t.Errorf("%s.%s: -want +got:\n%s", test.dataset, test.field, diff)
		}
	}
}
