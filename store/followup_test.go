package store

import (
	"errors"
	"testing"
	"time"

	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/ledger"
)

func followUp(material, party string, due time.Time) exchange.FollowUp {
	return exchange.FollowUp{
		FollowUpKey: exchange.FollowUpKey{Case: "c1", Material: material, Party: party}, Department: "SPJ", Since: testTime, DueAt: due,
	}
}

// commitFollowUps stores a resolution in which these may follow later.
func commitFollowUps(t *testing.T, s *Store, id string, all ...exchange.FollowUp) {
	t.Helper()
	if err := s.CommitResolution(t.Context(), exchange.Commit{Resolution: newResolution(id, "c1"), FollowUps: all}); err != nil {
		t.Fatal(err)
	}
}

func due(t *testing.T, s *Store, f exchange.FollowUpFilter) []exchange.FollowUp {
	t.Helper()
	f.Department, f.Limit = "SPJ", max(f.Limit, 1)
	all, err := s.FollowUps(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestFollowUps_KeepTheirFirstDayUntilAResolutionLeavesThemOut(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		withCase(t, s)
		day := func(n int) time.Time { return testTime.AddDate(0, 0, n) }
		commitFollowUps(t, s, "r1", followUp("S01.M1.a", "p1", day(5)), followUp("S01.M1.b", "", day(3)))
		commitFollowUps(t, s, "r2", followUp("S01.M1.a", "p1", day(9)))
		all := due(t, s, exchange.FollowUpFilter{Limit: 10})
		if len(all) != 1 || all[0].Material != "S01.M1.a" || !all[0].DueAt.Equal(day(5)) || all[0].CaseNumber != "JN-1" || all[0].Revision != 1 {
			t.Errorf("to follow: %+v", all)
		}
		if early := due(t, s, exchange.FollowUpFilter{DueBefore: day(5)}); len(early) != 0 {
			t.Errorf("due before its day: %+v", early)
		}
		c, err := s.Case(t.Context(), "SPJ", "c1")
		if err != nil {
			t.Fatal(err)
		}
		c.ClosedAt, c.ClosedFor = testTime, exchange.CaseWithdrawn
		if err := s.UpdateCase(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if left := due(t, s, exchange.FollowUpFilter{}); len(left) != 0 {
			t.Errorf("of a closed case: %+v", left)
		}
	})
}

func TestFollowUps_ComeInTheOrderOfTheirDays(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		withCase(t, s)
		commitFollowUps(t, s, "r1", followUp("a", "p2", testTime.Add(2)), followUp("b", "", testTime.Add(time.Second)), followUp("a", "p1", testTime.Add(2)))
		var got []exchange.FollowUpKey
		for f := (exchange.FollowUpFilter{}); len(got) < 9; f.After = got[len(got)-1] {
			page := due(t, s, f)
			if len(page) == 0 {
				break
			}
			got = append(got, page[0].FollowUpKey)
		}
		if len(got) != 3 || got[0].Party != "p1" || got[1].Party != "p2" || got[2].Material != "b" {
			t.Errorf("in this order: %+v", got)
		}
		_, err := s.FollowUps(t.Context(), exchange.FollowUpFilter{Department: "SPJ", After: exchange.FollowUpKey{Case: "c1", Material: "z"}, Limit: 1})
		if !errors.Is(err, fault.Invalid) {
			t.Errorf("after what is not there: %v", err)
		}
	})
}

func TestActs_AreAPersonsOwnWithWhatCameOfThem(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		withCase(t, s)
		by := func(person string, e ledger.Entry) ledger.Entry { e.Person = person; return e }
		intent, outcome := entry(ledger.Intent, "c1"), entry(ledger.Outcome, "c1")
		intent.Ask, outcome.Ask, outcome.Result = "ask1", "ask1", "ok"
		unanswered := entry(ledger.Intent, "c1")
		unanswered.Ask = "ask2"
		all := []ledger.Entry{by("me", intent), by("you", entry(ledger.Read, "c1")), entry(ledger.Read, "c1"), by("me", outcome), by("me", unanswered), by("me", entry(ledger.Read, "c1"))}
		if err := s.Append(t.Context(), all); err != nil {
			t.Fatal(err)
		}
		acts, err := s.Acts(t.Context(), exchange.ActFilter{Person: "me", Kinds: []string{"intent", "read"}, Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		if len(acts) != 3 || acts[0].Entry.Kind != ledger.Read || acts[1].Entry.Result != "" || acts[2].Entry.Result != "ok" || acts[2].CaseNumber != "JN-1" {
			t.Fatalf("acts: %+v", acts)
		}
		older, err := s.Acts(t.Context(), exchange.ActFilter{Person: "me", Kinds: []string{"intent"}, Before: acts[1].Number, Limit: 10})
		if err != nil || len(older) != 1 || older[0].Number != acts[2].Number {
			t.Errorf("older: %+v, %v", older, err)
		}
	})
}

func TestAssistTasks_AreListedForWhoAsks(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		withCase(t, s)
		for id, task := range map[string]string{"t1": "k1", "t2": "k2"} {
			if _, err := s.OpenAssist(t.Context(), newTask(id, task, testTime.Add(time.Hour)), nil); err != nil {
				t.Fatal(err)
			}
		}
		asked := func(f exchange.AssistFilter) (ids []string) {
			f.State, f.Limit = exchange.AssistOpen, 10
			tasks, err := s.AssistTasks(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			for _, task := range tasks {
				ids = append(ids, task.ID)
			}
			return ids
		}
		if got := asked(exchange.AssistFilter{Receiver: "SPJ", After: "t1"}); len(got) != 1 || got[0] != "t2" {
			t.Errorf("asked by SPJ after t1: %v", got)
		}
		if got := asked(exchange.AssistFilter{Receiver: "GA"}); len(got) != 0 {
			t.Errorf("asked by GA: %v", got)
		}
	})
}
