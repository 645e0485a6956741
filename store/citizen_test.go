package store

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/citizen"
	"mianti/internal/fault"
	"mianti/ledger"
)

// about is an entry that concerns somebody.
func about(kind ledger.Kind, subject, ask string, at time.Time) ledger.Entry {
	return ledger.Entry{Kind: kind, At: at, System: "spj", Department: "SPJ", Case: "c1", Revision: 1, Ask: ask, Concerns: []string{subject}}
}

func appendAll(t *testing.T, s *Store, entries ...ledger.Entry) {
	t.Helper()
	for _, e := range entries {
		if err := s.Append(t.Context(), []ledger.Entry{e}); err != nil {
			t.Fatal(err)
		}
	}
}

// told are kinds and asks of what was found, with those of the outcomes.
func told(found []citizen.Recorded) []string {
	out := []string{}
	for _, r := range found {
		text := string(r.Entry.Kind) + r.Entry.Ask
		if r.Outcome != nil {
			text += ">" + r.Outcome.Entry.Ask + r.Outcome.Entry.Result
		}
		out = append(out, text)
	}
	return out
}

func TestAccessesOf_PutsIntentAndOutcomeTogetherNewestFirst(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		ended := about(ledger.Outcome, "me", "q1", testTime)
		ended.Result = "ok"
		foreign := about(ledger.Outcome, "somebody else", "q2", testTime) // of a question that has no outcome about me
		appendAll(t, s,
			about(ledger.CaseOpened, "me", "", testTime), about(ledger.Intent, "me", "q1", testTime), about(ledger.Intent, "me", "q2", testTime),
			about(ledger.Intent, "somebody else", "q3", testTime), ended, foreign, about(ledger.Denied, "me", "", testTime))
		found, err := s.AccessesOf(t.Context(), citizen.Filter{Subject: "me", Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"denied", "intentq2", "intentq1>q1ok", "case_opened"}, told(found)); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		if n, err := s.CountAccesses(t.Context(), citizen.Filter{Subject: "me"}); n != 4 || err != nil {
			t.Errorf("count %d, %v; want 4", n, err)
		}
	})
}

func TestAccessesOf_FiltersByPeriodDepartmentCaseAndKind(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		old, other, own := about(ledger.Read, "me", "old", testTime.Add(-time.Hour)), about(ledger.Read, "me", "other", testTime), about(ledger.AccessListRead, "me", "own", testTime)
		other.Department, other.Case, own.Department, own.Case = "GA", "c2", "", ""
		appendAll(t, s, old, other, own, about(ledger.Read, "me", "last", testTime.Add(time.Hour)))
		for _, tt := range []struct {
			name   string
			filter citizen.Filter
			want   []string
		}{
			{"all", citizen.Filter{}, []string{"readlast", "access_list_readown", "readother", "readold"}},
			{"department", citizen.Filter{Department: "GA"}, []string{"readother"}},
			{"case", citizen.Filter{Case: "c1"}, []string{"readlast", "readold"}},
			{"from, which is included", citizen.Filter{From: testTime}, []string{"readlast", "access_list_readown", "readother"}},
			{"until, which is not", citizen.Filter{Until: testTime}, []string{"readold"}},
			{"without", citizen.Filter{Without: []ledger.Kind{ledger.AccessListRead}}, []string{"readlast", "readother", "readold"}},
			{"skip", citizen.Filter{Skip: 3}, []string{"readold"}},
			{"nobody", citizen.Filter{Subject: "nobody"}, []string{}},
		} {
			f := tt.filter
			if f.Limit = 10; f.Subject == "" {
				f.Subject = "me"
			}
			found, err := s.AccessesOf(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, told(found)); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tt.name, diff)
			}
			if n, err := s.CountAccesses(t.Context(), f); err != nil || n != len(tt.want)+f.Skip {
				t.Errorf("%s: counted %d, %v", tt.name, n, err)
			}
		}
	})
}

// What comes in while somebody turns the pages is on none of those that follow.
func TestAccessesOf_TurnsItsPagesWithoutGapOrRepetition(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		want := []string{}
		for i := range 7 {
			appendAll(t, s, about(ledger.Read, "me", fmt.Sprint(i), testTime))
			want = append([]string{fmt.Sprintf("read%d", i)}, want...)
		}
		got, before := []string{}, int64(0)
		for page := 0; ; page++ {
			found, err := s.AccessesOf(t.Context(), citizen.Filter{Subject: "me", Before: before, Limit: 3})
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, told(found)...)
			if len(found) < 3 {
				break
			}
			before = found[2].Number
			appendAll(t, s, about(ledger.Read, "me", "meanwhile", testTime))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}

func TestAccesses_AreThereInTheTransactionOfTheirEntryOrNotAtAll(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		if first, err := s.FirstAccess(t.Context()); !first.IsZero() || err != nil {
			t.Errorf("recorded since %v, %v; want never", first, err)
		}
		err := s.Append(t.Context(), []ledger.Entry{about(ledger.Read, "me", "", testTime), {Concerns: []string{"me"}}})
		if err == nil {
			t.Fatal("an entry without a kind was stored")
		}
		if n, err := s.CountAccesses(t.Context(), citizen.Filter{Subject: "me"}); n != 0 || err != nil {
			t.Errorf("%d accesses of what was not stored, %v", n, err)
		}
		appendAll(t, s, about(ledger.Read, "me", "", testTime))
		if first, err := s.FirstAccess(t.Context()); !first.Equal(testTime) || err != nil {
			t.Errorf("recorded since %v, %v; want %v", first, err, testTime)
		}
	})
}

func TestCasesConcerning_GivesThemOnceAndNobodyElses(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		ready(t, s)
		for i, subject := range []string{"me", "me", "somebody else", "me"} {
			id := fmt.Sprintf("c%d", i+1)
			e := entry(ledger.CaseOpened, id)
			e.Concerns = []string{subject}
			if _, err := s.OpenCase(t.Context(), newCase(id, "JN-"+id), e); err != nil {
				t.Fatal(err)
			}
			appendAll(t, s, about(ledger.Read, "me", "", testTime)) // of c1, again and again
		}
		var got []string
		for after := int64(0); ; {
			page, next, err := s.CasesConcerning(t.Context(), "me", after, 2)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range page {
				got = append(got, c.ID)
			}
			if after = next; next == 0 {
				break
			}
		}
		if diff := cmp.Diff([]string{"c4", "c2", "c1"}, got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		_, foreign := s.CaseConcerning(t.Context(), "me", "c3")
		_, missing := s.CaseConcerning(t.Context(), "me", "c9")
		if !errors.Is(foreign, fault.NotFound) || fault.As(foreign).Message != fault.As(missing).Message {
			t.Errorf("another's case: %v; no case: %v; want the same not_found", foreign, missing)
		}
		if c, err := s.CaseConcerning(t.Context(), "me", "c2"); err != nil || c.Number != "JN-c2" {
			t.Errorf("the own case: %v, %v", c, err)
		}
	})
}

func TestNames_AreThoseOfTheIdentifiersThatAreKnown(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		ready(t, s)
		open(t, s, newCase("c1", "JN-1"))
		systems, err := s.SystemNames(t.Context(), []string{"spj", "gone"})
		if diff := cmp.Diff(map[string]string{"spj": "审批系统"}, systems); diff != "" || err != nil {
			t.Errorf("%v, -want +got:\n%s", err, diff)
		}
		numbers, err := s.CaseNumbers(t.Context(), []string{"c1"})
		if diff := cmp.Diff(map[string]string{"c1": "JN-1"}, numbers); diff != "" || err != nil {
			t.Errorf("%v, -want +got:\n%s", err, diff)
		}
		if bases, err := s.GrantBases(t.Context(), nil); len(bases) != 0 || err != nil {
			t.Errorf("%v, %v; want none", bases, err)
		}
	})
}
