package store

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/connectors/guard"
)

func newCall(source string, in time.Time) guard.Call {
	return guard.Call{
		Source: source, Dataset: "D-GA01", Department: "GA", In: in, Out: in.Add(time.Millisecond), Back: in.Add(3 * time.Millisecond),
		Done: in.Add(4 * time.Millisecond), Bytes: 512, Records: 1, Result: guard.ResultOK, Attempt: 1, Attempts: 2,
	}
}

func refusedCall(source string, in time.Time) guard.Call {
	return guard.Call{Source: source, Dataset: "D-GA01", Department: "GA", In: in, Done: in, Result: "paused", Attempts: 2}
}

func TestSourceCalls_GivesTheNewestFirstAsTheyWereRecorded(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		const minute = time.Minute
		old, hedged, refused := newCall("a", testTime), newCall("a", testTime.Add(minute)), refusedCall("a", testTime.Add(2*minute))
		hedged.Hedged, hedged.Probe, hedged.Warnings = true, true, []string{"check-digit", "paging"}
		shared := refusedCall("a", testTime.Add(2*minute)) // the same moment: what came later is newer
		shared.Result, shared.Coalesced = guard.ResultNotFound, true
		other := newCall("b", testTime.Add(minute))
		if err := s.RecordCalls(t.Context(), []guard.Call{old, hedged, refused, shared, other}); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			name  string
			since time.Time
			limit int
			want  []guard.Call
		}{
			{"all", testTime, 10, []guard.Call{shared, refused, hedged, old}},
			{"since", testTime.Add(time.Microsecond), 10, []guard.Call{shared, refused, hedged}},
			{"limit", testTime, 1, []guard.Call{shared}},
			{"later than all", testTime.Add(time.Hour), 10, []guard.Call{}},
		} {
			got, err := s.SourceCalls(t.Context(), "a", c.since, c.limit)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.name, diff)
			}
		}
	})
}

func TestRecordCalls_StoresAllOrNone(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		if err := s.RecordCalls(t.Context(), nil); err != nil {
			t.Errorf("no calls: %v", err)
		}
		nameless := newCall("", testTime)
		if err := s.RecordCalls(t.Context(), []guard.Call{newCall("a", testTime), nameless}); err == nil {
			t.Error("a call to no source was stored")
		}
		got, err := s.SourceCalls(t.Context(), "a", testTime, 10)
		if err != nil || len(got) != 0 {
			t.Errorf("%d calls (%v), want none", len(got), err)
		}
	})
}

func TestPurgeCalls_RemovesWhatCameInBefore(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		calls := []guard.Call{newCall("a", testTime), newCall("b", testTime.Add(time.Second)), newCall("a", testTime.Add(2*time.Second))}
		if err := s.RecordCalls(t.Context(), calls); err != nil {
			t.Fatal(err)
		}
		n, err := s.PurgeCalls(t.Context(), testTime.Add(2*time.Second))
		if err != nil || n != 2 {
			t.Errorf("removed %d (%v), want the 2 that came before", n, err)
		}
		got, err := s.SourceCalls(t.Context(), "a", testTime, 10)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(calls[2:], got); diff != "" {
			t.Errorf("what is left (-want +got):\n%s", diff)
		}
	})
}
