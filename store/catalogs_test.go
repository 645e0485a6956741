package store

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/examples/jinan"
	"mianti/internal/fault"
	"mianti/ledger"
)

func jinanFiles(tb testing.TB) map[string][]byte {
	tb.Helper()
	files, err := catalog.Files(jinan.Files)
	if err != nil {
		tb.Fatal(err)
	}
	return files
}

func thingAt(t *testing.T, c *Catalogs, number int, kind catalog.ThingKind, code string) catalog.Edit {
	t.Helper()
	e, err := c.Thing(t.Context(), number, kind, code)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// with gives an edit with a key set; nil removes the key.
func with(t *testing.T, e catalog.Edit, key string, value any) catalog.Edit {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal(e.Value, &object); err != nil {
		t.Fatal(err)
	}
	if object[key] = value; value == nil {
		delete(object, key)
	}
	var err error
	if e.Value, err = json.Marshal(object); err != nil {
		t.Fatal(err)
	}
	return e
}

func publishEdits(t *testing.T, s *Store, c *Catalogs, base int, edits ...catalog.Edit) int {
	t.Helper()
	drafted, err := c.Drafted(t.Context(), base, edits)
	if err != nil {
		t.Fatal(err)
	}
	number, err := s.PublishRevision(t.Context(), Publication{Base: base, Parts: drafted.Parts})
	if err != nil {
		t.Fatal(err)
	}
	return number
}

func sameCatalog(t *testing.T, what string, want, got *catalog.Revision) {
	t.Helper()
	changes, err := catalog.Compare(want, got)
	if err != nil {
		t.Fatal(err)
	}
	if len(changes) > 0 || len(want.Materials()) != len(got.Materials()) {
		t.Errorf("%s: %d and %d materials, %+v", what, len(want.Materials()), len(got.Materials()), changes)
	}
}

func TestCatalogs_HeldWholeAndInPartAreTheSame(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		files := jinanFiles(t)
		number := saveRevision(t, s, files)
		loaded, err := catalog.Load(jinan.Files)
		if err != nil {
			t.Fatal(err)
		}
		whole, err := NewCatalogs(s).Current(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		sameCatalog(t, "whole", loaded, whole)
		if !whole.Whole() || whole.Digest != loaded.Digest || whole.Number != number {
			t.Errorf("whole %v, digest %s (of the files: %s), number %d", whole.Whole(), whole.Digest, loaded.Digest, whole.Number)
		}
		small := NewCatalogsHolding(s, 50) // fewer than there are, so that it lets go of some again and again
		for _, thing := range loaded.OneThings() {
			part, err := small.Current(t.Context(), thing.Matters[0].Code)
			if err != nil {
				t.Fatal(err)
			}
			if part.Whole() || len(part.OneThings()) != 1 || part.Digest != loaded.Digest {
				t.Errorf("%s: %d one-things, whole %v", thing.Code, len(part.OneThings()), part.Whole())
			}
			plan := catalog.PlanInput{Subject: thing.Code}
			want, err := loaded.Plan(plan)
			if err != nil {
				t.Fatal(err)
			}
			got, err := part.Plan(plan)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(keys(want), keys(got)); diff != "" {
				t.Errorf("plan of %s:\n%s", thing.Code, diff)
			}
		}
		var joined []*catalog.Revision
		if err := small.EachOneThing(t.Context(), number, func(r *catalog.Revision) error {
			joined = append(joined, r)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		sameCatalog(t, "streamed", loaded, whole.Join(joined, true))
	})
}

func keys(p *catalog.Plan) []string {
	var out []string
	for _, r := range p.Requirements {
		out = append(out, r.Key()+" "+string(r.Applies))
	}
	return out
}

func TestCatalogs_FindAMatterByItsImplementationCode(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		number := saveRevision(t, s, jinanFiles(t))
		whole, err := NewCatalogs(s).Current(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		small := NewCatalogsHolding(s, 1)
		for _, m := range whole.Matters() {
			part, err := small.Current(t.Context(), m.ImplementationCode)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := len(part.MattersByImplementationCode(m.ImplementationCode)), len(whole.MattersByImplementationCode(m.ImplementationCode)); got != want {
				t.Errorf("%s: %d matters, want %d", m.ImplementationCode, got, want)
			}
		}
		// At the next revision a matter is another, at the old one it is what it was.
		old := whole.Matters()[0]
		moved := with(t, thingAt(t, small, number, catalog.ThingMatter, old.Code), "level", 4)
		next := publishEdits(t, s, small, number, moved)
		for at, want := range map[int]int{number: 1, next: 0} {
			part, err := small.Revision(t.Context(), at, old.ImplementationCode)
			if err != nil {
				t.Fatal(err)
			}
			found := slices.ContainsFunc(part.MattersByImplementationCode(old.ImplementationCode), func(m *catalog.Matter) bool { return m.Code == old.Code })
			if found != (want == 1) {
				t.Errorf("revision %d: found %v", at, found)
			}
		}
	})
}

func TestPublishRevision_StoresWhatChangesAlone(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		first := saveRevision(t, s, jinanFiles(t))
		for name, c := range map[string]*Catalogs{"whole": NewCatalogs(s), "in part": NewCatalogsHolding(s, 1)} {
			base, err := s.LatestRevision(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			paths, _ := table[pathRow](s.db).Count(t.Context(), "path")
			number := publishEdits(t, s, c, base, with(t, thingAt(t, c, base, catalog.ThingMaterial, "S07.M1.a"), "note", name))
			after, _ := table[pathRow](s.db).Count(t.Context(), "path")
			if number != base+1 || after != paths+1 {
				t.Errorf("%s: revision %d after %d, %d files more", name, number, base, after-paths)
			}
			rev, err := c.Revision(t.Context(), number, "S07")
			if err != nil {
				t.Fatal(err)
			}
			if got := rev.Material("S07.M1.a").Note; got != name {
				t.Errorf("note %q, want %q", got, name)
			}
			old, err := c.Revision(t.Context(), first, "S07")
			if err != nil {
				t.Fatal(err)
			}
			if got := old.Material("S07.M1.a").Note; got == name {
				t.Error("an old revision has changed")
			}
			// The digest that followed from the change is that of the files.
			files, err := s.Files(t.Context(), number)
			if err != nil {
				t.Fatal(err)
			}
			digest := &catalog.Digest{}
			for path, content := range files {
				digest.Add(path, catalog.PartDigest(content))
			}
			if rev.Digest != digest.String() {
				t.Error("the digest is not that of the files")
			}
			heads, err := s.RevisionHeads(t.Context(), 0, 1)
			if err != nil || heads[0].Materials != 418 || heads[0].Matters != 99 || heads[0].OneThings != 14 {
				t.Errorf("%+v, %v: want 14 one-things, 99 matters, 418 materials", heads, err)
			}
		}
	})
}

func TestPublishRevision_RefusesABaseThatIsNoLongerTheLast(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		base := saveRevision(t, s, jinanFiles(t))
		part := catalog.Part{Path: "facts.yaml", Content: []byte("a")}
		publish := func(base int, content string) (int, error) {
			part.Content = []byte(content)
			return s.PublishRevision(t.Context(), Publication{Base: base, Parts: []catalog.Part{part},
				Entries: []ledger.Entry{{Kind: ledger.CatalogLoaded, At: testTime, Object: "catalog"}}})
		}
		if number, err := publish(base, "a"); err != nil || number != base+1 {
			t.Fatal(number, err)
		}
		_, err := publish(base, "b")
		if got := fault.As(err); got == nil || got.Kind != fault.Conflict || got.Code != "revision-moved" {
			t.Errorf("%v, want revision-moved", err)
		}
		if number, err := publish(base+1, "a"); err != nil || number != base+1 {
			t.Errorf("what changes nothing is revision %d, %v; want %d", number, err, base+1)
		}
	})
}

func TestDrafted_ChecksWhatStandsOnWhatIsEdited(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		base := saveRevision(t, s, jinanFiles(t))
		for name, c := range map[string]*Catalogs{"whole": NewCatalogs(s), "in part": NewCatalogsHolding(s, 1)} {
			gone := catalog.Edit{Kind: catalog.ThingDataset, Code: "D-ZJ02", In: "ZJ"}
			_, err := c.Drafted(t.Context(), base, []catalog.Edit{gone})
			var faults catalog.Faults
			if !errors.As(err, &faults) || !slices.ContainsFunc(faults, func(f catalog.Fault) bool {
				return f.File == "one-things/S07.yaml" && f.Code == "unknown-dataset" && f.Line > 1
			}) {
				t.Errorf("%s: removing a dataset that materials need: %v", name, err)
			}
			role := thingAt(t, c, base, catalog.ThingRole, "applicant")
			drafted, err := c.Drafted(t.Context(), base, []catalog.Edit{with(t, role, "name", "申办人")}, "S01")
			if err != nil {
				t.Fatal(err)
			}
			if got := drafted.Revision.Role("applicant").Name; got != "申办人" || drafted.Revision.OneThing("S01") == nil || len(drafted.Parts) != 1 {
				t.Errorf("%s: role %q, %d files", name, got, len(drafted.Parts))
			}
			_, err = c.Drafted(t.Context(), base, []catalog.Edit{with(t, thingAt(t, c, base, catalog.ThingMaterial, "S07.M1.a"), "chain", []any{})})
			if !errors.As(err, &faults) {
				t.Errorf("%s: a material without a chain: %v", name, err)
			}
		}
	})
}

// What an earlier program stored whole is read as it was.
func TestMigrate_StoresByPartWhatWasStoredWhole(t *testing.T) {
	t.Parallel()
	eachURL(t, func(t *testing.T, url string) {
		s := openStore(t, Config{URL: url, Now: testClock})
		first, second := jinanFiles(t), jinanFiles(t)
		delete(second, "one-things/S14.yaml")
		second["facts.yaml"] = append(slices.Clone(second["facts.yaml"]), "# 修订\n"...)
		for i, files := range []map[string][]byte{first, second} {
			row := revisionRow{Number: i + 1, Digest: "old", Title: "济南", Version: "1", Content: packedWhole(t, files), Loaded: At(testTime), State: []byte{}}
			if err := table[revisionRow](s.db).Create(t.Context(), &row); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 { // the second time there is nothing to do
			if err := Migrate(t.Context(), url); err != nil {
				t.Fatal(err)
			}
		}
		for i, want := range []map[string][]byte{first, second} {
			got, err := s.Files(t.Context(), i+1)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("revision %d (-was +is):\n%s", i+1, diff)
			}
		}
		heads, err := s.RevisionHeads(t.Context(), 0, 2)
		if err != nil || heads[0].OneThings != 13 || heads[1].OneThings != 14 || heads[0].Digest != "old" {
			t.Errorf("%+v, %v", heads, err)
		}
		if number := saveRevision(t, s, second); number != 2 {
			t.Errorf("the same files are revision %d, want 2", number)
		}
	})
}

func packedWhole(t *testing.T, files map[string][]byte) []byte {
	t.Helper()
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	for _, path := range slices.Sorted(maps.Keys(files)) {
		w, err := archive.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(files[path]); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestRecent_LetsGoOfWhatWasNotUsedForLongest(t *testing.T) {
	t.Parallel()
	r := newRecent[string, int](10)
	r.put("a", 1, 4)
	r.put("b", 2, 4)
	r.get("a")
	r.put("c", 3, 4)
	r.put("d", 4, 11) // too heavy
	for key, want := range map[string]bool{"a": true, "b": false, "c": true, "d": false} {
		if _, got := r.get(key); got != want {
			t.Errorf("%s is kept: %v, want %v", key, got, want)
		}
	}
	r.put("a", 5, 1)
	if v, _ := r.get("a"); v != 5 || r.weight != 5 {
		t.Errorf("a = %d, weight %d; want 5, 5", v, r.weight)
	}
}

func TestFindMatters_IsTheListOfTheRevision(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		number := saveRevision(t, s, jinanFiles(t))
		c := NewCatalogs(s)
		rev, err := c.Revision(t.Context(), number)
		if err != nil {
			t.Fatal(err)
		}
		for name, q := range map[string]catalog.MatterQuery{
			"all": {}, "a department": {Department: "SPJ"}, "a name": {Text: "登记"}, "a code": {Text: "s07.m"}, "both": {Text: "登记", Department: "BDC"},
			"nothing": {Text: "没有这样的事项"}, "no pattern": {Text: "%"}, "a number": {Text: "371017031000"},
		} {
			var want []string
			for _, m := range rev.Matters() {
				text := strings.ToLower(m.Code + "\n" + m.Name + "\n" + m.ImplementationCode)
				if (q.Department == "" || m.Department == q.Department) && strings.Contains(text, q.Text) {
					want = append(want, m.Code)
				}
			}
			slices.Sort(want)
			var got []string
			for q.Limit = 7; ; q.After = got[len(got)-1] {
				page, err := s.FindMatters(t.Context(), number, q)
				if err != nil {
					t.Fatal(err)
				}
				if got = append(got, page...); len(page) < q.Limit {
					break
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
		gone := catalog.Edit{Kind: catalog.ThingOneThing, Code: "S03"}
		next := publishEdits(t, s, c, number, gone)
		for at, want := range map[int]int{number: 2, next: 0} {
			found, err := s.FindMatters(t.Context(), at, catalog.MatterQuery{Text: "s03.", Limit: 10})
			if err != nil || len(found) != want {
				t.Errorf("revision %d: %v, %v; want %d", at, found, err, want)
			}
		}
	})
}
