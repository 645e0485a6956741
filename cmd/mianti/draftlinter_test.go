package main

import (
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/store"
)

// TestDraftLinter_ForbidsWhatTheDraftMakesWrong edits one material of the shipped
// catalog, of a stored revision that is held whole, and of one that is not.
func TestDraftLinter_ForbidsWhatTheDraftMakesWrong(t *testing.T) {
	t.Parallel()
	url := "sqlite:" + filepath.Join(t.TempDir(), "lint.db")
	mianti(t, 0, "migrate", "--database="+url)
	mianti(t, 0, "catalog", "load", "--database="+url)
	db, err := store.Open(t.Context(), store.Config{URL: url, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	for name, catalogs := range map[string]*store.Catalogs{"whole": store.NewCatalogs(db), "in part": store.NewCatalogsHolding(db, 1)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			linter := draftLinter{catalogs, newLintMeasures(db, time.Now)}
			edit, err := catalogs.Thing(t.Context(), 1, catalog.ThingMaterial, "S13.M3.b")
			if err != nil {
				t.Fatal(err)
			}
			for what, c := range map[string]struct {
				key   string
				value any
				want  []string
			}{
				"a note":                  {"note", "车辆销售发票", []string{}},
				"a name that says less":   {"name", "其他购车材料", []string{"S13.M3.b.name vague"}},
				"a basis that is no more": {"basis", nil, []string{"S13.M3.b.basis basis"}},
			} {
				drafted, err := catalogs.Drafted(t.Context(), 1, []catalog.Edit{with(t, edit, c.key, c.value)})
				if err != nil {
					t.Fatal(err)
				}
				details, err := linter.LintErrors(t.Context(), drafted, 1)
				if err != nil {
					t.Fatal(err)
				}
				got := []string{}
				for _, d := range details {
					got = append(got, d.Location+" "+d.Code)
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("%s (-want +got)\n%s", what, diff)
				}
			}
		})
	}
}

// with gives an edit with one key set, or taken out for nil.
func with(t *testing.T, edit catalog.Edit, key string, value any) catalog.Edit {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal(edit.Value, &object); err != nil {
		t.Fatal(err)
	}
	if object[key] = value; value == nil {
		delete(object, key)
	}
	text, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	edit.Value = text
	return edit
}
