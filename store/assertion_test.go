package store

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mianti/internal/fault"
)

func TestUseAssertion_TakesEachOnce(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		saveSystem(t, s, "spj-1")
		saveSystem(t, s, "ga-1")
		expires := testTime.Add(time.Minute)
		for _, use := range []struct {
			system, jti string
			want        error
		}{
			{"spj-1", "a", nil},
			{"spj-1", "a", fault.Conflict},
			{"spj-1", "A", nil},
			{"ga-1", "a", nil}, // a jti is unique within its system only
			{"spj-1", "b", nil},
			{"spj-1", "b", fault.Conflict},
		} {
			err := s.UseAssertion(t.Context(), use.system, use.jti, expires)
			if !errors.Is(err, use.want) {
				t.Errorf("%s %s: %v, want %v", use.system, use.jti, err, use.want)
			}
		}
	})
}

func TestUseAssertion_LetsOneOfManyWin(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		saveSystem(t, s, "spj-1")
		var won, lost atomic.Int32
		var group sync.WaitGroup
		for range 16 {
			group.Go(func() {
				err := s.UseAssertion(t.Context(), "spj-1", "a", testTime)
				switch {
				case err == nil:
					won.Add(1)
				case errors.Is(err, fault.Conflict):
					lost.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		group.Wait()
		if won.Load() != 1 || lost.Load() != 15 {
			t.Errorf("%d won and %d lost, want 1 and 15", won.Load(), lost.Load())
		}
	})
}

func TestUseAssertion_ForgetsOnlyWhatNoLeewayAccepts(t *testing.T) {
	t.Parallel()
	eachURL(t, func(t *testing.T, url string) {
		now := testTime
		s := openStore(t, Config{URL: url, Now: func() time.Time { return now }})
		saveSystem(t, s, "spj-1")
		if err := s.UseAssertion(t.Context(), "spj-1", "old", testTime); err != nil {
			t.Fatal(err)
		}
		now = testTime.Add(assertionKeep)
		if err := s.UseAssertion(t.Context(), "spj-1", "old", testTime); !errors.Is(err, fault.Conflict) {
			t.Errorf("within the leeway: %v, want a conflict", err)
		}
		now = now.Add(time.Microsecond)
		if err := s.UseAssertion(t.Context(), "spj-1", "new", now); err != nil {
			t.Fatal(err)
		}
		rows, err := table[assertionRow](s.db).Order("jti").Find(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(rows) != 1 || rows[0].JTI != "new" {
			t.Errorf("remembered: %+v, want the new one alone", rows)
		}
	})
}
