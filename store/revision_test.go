package store

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/internal/fault"
)

func sampleFiles() map[string][]byte {
	return map[string][]byte{
		"catalog.yaml":        []byte("format: mianti-catalog/1\ntitle: 济南市\n"),
		"one-things/S01.yaml": bytes.Repeat([]byte("材料"), 10_000),
		"empty.yaml":          {},
		"binary":              {0, 0xff, '\n'},
	}
}

func saveRevision(t *testing.T, s *Store, files map[string][]byte) int {
	t.Helper()
	number, err := s.SaveRevision(t.Context(), files, RevisionMeta{Title: "济南市", Version: "1"})
	if err != nil {
		t.Fatal(err)
	}
	return number
}

func TestRevision_GivesBackTheFilesThatWereSaved(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		files, err := s.Files(t.Context(), saveRevision(t, s, sampleFiles()))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(sampleFiles(), files); diff != "" {
			t.Errorf("files (-want +got):\n%s", diff)
		}
		row, err := table[revisionRow](s.db).Take(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if row.Title != "济南市" || row.Version != "1" || row.Loaded.Time() != testTime {
			t.Errorf("row = %q %q %v", row.Title, row.Version, row.Loaded.Time())
		}
	})
}

func TestSaveRevision_TheSameFilesAsTheLatestAreNoNewRevision(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		renamed, moved := sampleFiles(), sampleFiles()
		renamed["other.yaml"] = renamed["catalog.yaml"]
		delete(renamed, "catalog.yaml")
		// The same bytes in a row, cut elsewhere.
		moved["binary"], moved["catalog.yaml"] = []byte{0, 0xff}, append([]byte{'\n'}, moved["catalog.yaml"]...)
		for i, step := range []struct {
			files map[string][]byte
			want  int
		}{{sampleFiles(), 1}, {sampleFiles(), 1}, {renamed, 2}, {renamed, 2}, {sampleFiles(), 3}, {moved, 4}, {map[string][]byte{}, 5}} {
			if got := saveRevision(t, s, step.files); got != step.want {
				t.Errorf("step %d: number %d, want %d", i, got, step.want)
			}
		}
		if got, err := s.LatestRevision(t.Context()); err != nil || got != 5 {
			t.Errorf("LatestRevision = %d, %v, want 5", got, err)
		}
	})
}

func TestSaveRevision_NumbersWithoutGapsUnderConcurrency(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		const savers = 8
		numbers := make(chan int, savers)
		for i := range savers {
			go func() {
				number, err := s.SaveRevision(t.Context(), map[string][]byte{"catalog.yaml": {byte(i)}}, RevisionMeta{})
				if err != nil {
					t.Error(err)
				}
				numbers <- number
			}()
		}
		seen := map[int]bool{}
		for range savers {
			seen[<-numbers] = true
		}
		for number := 1; number <= savers; number++ {
			if !seen[number] {
				t.Errorf("no catalog got number %d: %v", number, seen)
			}
		}
	})
}

func TestRevision_IsUnknownUntilSaved(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		if _, err := s.LatestRevision(t.Context()); !errors.Is(err, fault.NotFound) {
			t.Errorf("LatestRevision: %v, want not found", err)
		}
		_, err := s.Files(t.Context(), 1)
		if got := fault.As(err); got == nil || got.Code != "unknown-revision" || got.Kind != fault.NotFound {
			t.Errorf("Revision: %v, want unknown-revision", err)
		}
	})
}

func TestRevision_RefusesContentThatWasAltered(t *testing.T) {
	t.Parallel()
	packer, err := newPacker()
	if err != nil {
		t.Fatal(err)
	}
	other := packer.pack.EncodeAll([]byte("title: 别处"), nil)
	for name, content := range map[string][]byte{"another file": other, "cut off": other[:10], "not packed": []byte("x")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachStore(t, func(t *testing.T, s *Store) {
				number := saveRevision(t, s, sampleFiles())
				if _, err := table[partRow](s.db).Where("digest = ?", catalog.PartDigest(sampleFiles()["catalog.yaml"])).
					Update(t.Context(), "content", content); err != nil {
					t.Fatal(err)
				}
				_, err := s.Files(t.Context(), number)
				if err == nil || !strings.Contains(err.Error(), "revision 1") {
					t.Errorf("Revision: %v, want a refusal that names the revision", err)
				}
			})
		})
	}
}

func TestRevisionHeads_ListsTheNewestFirstInParts(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		files := sampleFiles()
		for _, version := range []string{"a", "b", "c"} {
			files["version"] = []byte(version)
			saveRevision(t, s, files)
		}
		for _, c := range []struct {
			before, limit int
			want          []int
		}{{0, 10, []int{3, 2, 1}}, {0, 2, []int{3, 2}}, {2, 2, []int{1}}, {1, 2, []int{}}} {
			heads, err := s.RevisionHeads(t.Context(), c.before, c.limit)
			if err != nil {
				t.Fatal(err)
			}
			numbers := []int{}
			for _, h := range heads {
				numbers = append(numbers, h.Number)
				if h.Title != "济南市" || h.Version != "1" || len(h.Digest) != 64 || h.Loaded.IsZero() {
					t.Errorf("%+v", h)
				}
			}
			if diff := cmp.Diff(c.want, numbers); diff != "" {
				t.Errorf("before %d, at most %d (-want +got)\n%s", c.before, c.limit, diff)
			}
		}
	})
}
