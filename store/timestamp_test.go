package store

import (
	"testing"
	"time"
)

func TestTimestamp_SurvivesTheWayThereAndBack(t *testing.T) {
	t.Parallel()
	shanghai := time.FixedZone("CST", 8*60*60)
	tests := []struct {
		name     string
		at, want time.Time
	}{
		{"utc", testTime, testTime},
		{"another zone", time.Date(2026, 11, 23, 17, 30, 0, 0, shanghai), time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)},
		{"finer than a microsecond", time.Date(2026, 1, 1, 0, 0, 0, 1999, time.UTC), time.Date(2026, 1, 1, 0, 0, 0, 1000, time.UTC)},
		{"before 1970", time.Date(1949, 10, 1, 0, 0, 0, 5000, time.UTC), time.Date(1949, 10, 1, 0, 0, 0, 5000, time.UTC)},
		{"zero", time.Time{}, time.Time{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			eachStore(t, func(t *testing.T, s *Store) {
				row := entryRow{Kind: "test", At: At(tt.at), Body: "{}"}
				if err := table[entryRow](s.db).Create(t.Context(), &row); err != nil {
					t.Fatal(err)
				}
				stored, err := table[entryRow](s.db).Take(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if got := stored.At.Time(); got != tt.want {
					t.Errorf("got %v, want %v", got, tt.want)
				}
			})
		})
	}
}

func TestTimestamp_ComparesAcrossZones(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		// 00:30 of the next day in Shanghai is an hour before 17:30 UTC.
		early := time.Date(2026, 11, 24, 0, 30, 0, 0, time.FixedZone("CST", 8*60*60))
		late := time.Date(2026, 11, 23, 17, 30, 0, 0, time.UTC)
		for kind, at := range map[string]time.Time{"early": early, "late": late} {
			row := entryRow{Kind: kind, At: At(at), Body: "{}"}
			if err := table[entryRow](s.db).Create(t.Context(), &row); err != nil {
				t.Fatal(err)
			}
		}
		rows, err := table[entryRow](s.db).
			Where("at >= ? AND at < ?", At(early.UTC()), At(late.In(early.Location()))).Order("at").Find(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(rows) != 1 || rows[0].Kind != "early" {
			t.Errorf("rows = %+v, want the early one alone", rows)
		}
		var newest Timestamp
		if err := s.db.WithContext(t.Context()).Model(&entryRow{}).Select("MAX(at)").Row().Scan(&newest); err != nil {
			t.Fatal(err)
		}
		if newest != At(late) {
			t.Errorf("newest = %v, want %v", newest.Time(), late)
		}
	})
}

func TestRows_KeepTheMomentsTheyWereGiven(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		saveSystem(t, s, "spj-1")
		if _, err := s.SaveRevision(t.Context(), map[string][]byte{"a": nil}, RevisionMeta{}); err != nil {
			t.Fatal(err)
		}
		row := caseRow{ID: "c1", System: "spj-1", Department: "SPJ", Number: "1", Revision: 1, Version: 1, Updated: 7, State: "new"}
		if err := table[caseRow](s.db).Create(t.Context(), &row); err != nil {
			t.Fatal(err)
		}
		if _, err := table[caseRow](s.db).Where("id = ?", "c1").Update(t.Context(), "version", 2); err != nil {
			t.Fatal(err)
		}
		got, err := table[caseRow](s.db).Where("id = ?", "c1").Take(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got.Created != 0 || got.Updated != 7 || got.Version != 2 {
			t.Errorf("created %d, updated %d, version %d; GORM filled something in", got.Created, got.Updated, got.Version)
		}
	})
}
