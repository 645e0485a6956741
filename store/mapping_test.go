package store

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/catalog/suggest"
	"mianti/ledger"
)

func TestMappings_HoldWhatWasSaidLastOfANameAndACandidate(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		said := func(name, code string, accepted bool, after time.Duration) suggest.MappingDecision {
			return suggest.MappingDecision{
				Name: name, Kind: catalog.ThingStandardMaterial, Code: code, Accepted: accepted, Department: "SPJ", By: "p1", At: testTime.UTC().Add(after),
			}
		}
		first, other, later := said("房本", "STD-HOUSE", true, 0), said("房本", "STD-LEASE", false, time.Minute), said("房本（原件）", "STD-HOUSE", false, time.Hour)
		entry := ledger.Entry{Kind: ledger.MappingDecided, At: testTime, Person: "p1", Object: "standard_material:STD-HOUSE", Result: "accepted"}
		for _, d := range []suggest.MappingDecision{first, other, later} {
			if err := s.KeepMappingDecision(t.Context(), "房本", d, entry); err != nil {
				t.Fatal(err)
			}
		}
		got, err := s.MappingDecisions(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]suggest.MappingDecision{other, later}, got); diff != "" {
			t.Errorf("what holds (-want +got):\n%s", diff)
		}
		if n := countEntries(t, s, ledger.MappingDecided); n != 3 {
			t.Errorf("%d entries, want one for each act", n)
		}
		bad := entry
		bad.Kind = "" // the ledger refuses it
		if err := s.KeepMappingDecision(t.Context(), "房本", first, bad); err == nil {
			t.Error("a decision was kept without its entry")
		}
		if again, err := s.MappingDecisions(t.Context()); err != nil || len(again) != 2 || again[1] != later {
			t.Errorf("after a failed act: %v, %v", again, err)
		}
	})
}
