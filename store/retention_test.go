package store

import (
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/internal/keytest"
	"mianti/keyring"
	"mianti/ledger"
	"mianti/retention"
)

// keeper destroys what is due at a moment.
func keeper(s *Store, at time.Time) *retention.Retention {
	s.now = func() time.Time { return at }
	return &retention.Retention{Store: s, Terms: retention.DefaultTerms(), Now: s.now, By: ledger.Operator}
}

func closeCase(t *testing.T, s *Store, c *exchange.Case, at time.Time) {
	t.Helper()
	c.ClosedAt, c.ClosedFor, c.DoneAt = at, exchange.CaseFinished, at
	if err := s.UpdateCase(t.Context(), c, entry(ledger.CaseClosed, c.ID)); err != nil {
		t.Fatal(err)
	}
}

func run(t *testing.T, r *retention.Retention, want retention.Done) {
	t.Helper()
	got, err := r.Run(t.Context(), nil)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v; -want +got:\n%s", err, diff)
	}
}

func TestRetention_DestroysWhenTheTermIsOverAndNotBefore(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		ready(t, s)
		closed, opened := sealedCase(t, s, "c1", "JN-1"), sealedCase(t, s, "c2", "JN-2")
		closeCase(t, s, closed, testTime.AddDate(0, 0, 5))
		run(t, keeper(s, testTime.AddDate(0, 0, 35).Add(-time.Second)), retention.Done{})
		run(t, keeper(s, testTime.AddDate(0, 0, 35)), retention.Done{Cases: 1})
		run(t, keeper(s, testTime.AddDate(0, 0, 36)), retention.Done{}) // again changes nothing
		run(t, keeper(s, testTime.AddDate(2, 0, 0).Add(-time.Second)), retention.Done{})
		run(t, keeper(s, testTime.AddDate(2, 0, 0)), retention.Done{Cases: 1})
		run(t, keeper(s, testTime.AddDate(3, 0, 35).Add(-time.Second)), retention.Done{})
		run(t, keeper(s, testTime.AddDate(3, 0, 35)), retention.Done{Salts: 1})
		run(t, keeper(s, testTime.AddDate(5, 0, 0)), retention.Done{Salts: 1})
		for id, why := range map[string]exchange.DestroyedFor{closed.ID: exchange.PurposeDone, opened.ID: exchange.TermEnded} {
			entries, err := s.Entries(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			last := entries[len(entries)-2:]
			if last[0].Kind != ledger.CaseDestroyed || last[0].Result != string(why) || last[0].Person != ledger.Operator ||
				last[0].Why != "resolutions 2, results 1, assists 1, consents 1, submissions 0" || last[1].Kind != ledger.SaltDestroyed {
				t.Errorf("%s: recorded %+v", id, last)
			}
		}
		key, err := table[caseKeyRow](s.db).Where("case_id = ?", "c1").Take(t.Context())
		if err != nil || key.PayloadKey != nil || key.Salt != nil {
			t.Errorf("keys that are left: %+v, %v", key, err)
		}
		linked, err := table[consentRow](s.db).Where("about <> '' OR subject <> ''").Count(t.Context(), "id")
		if err != nil || linked != 0 {
			t.Errorf("%d consents are still about somebody, %v", linked, err)
		}
	})
}

// With the key-encryption key at hand, and the texts from before, nothing opens.
func TestRetention_LeavesNothingThatTheKeyOpens(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		ready(t, s)
		c := sealedCase(t, s, "c1", "JN-1")
		closeCase(t, s, c, testTime)
		before := sealedTexts(t, s)
		if _, err := s.Resolution(t.Context(), "SPJ", "r-c1"); err != nil {
			t.Fatal(err)
		}
		run(t, keeper(s, testTime.AddDate(0, 0, 30)), retention.Done{Cases: 1})
		for where, text := range sealedTexts(t, s) {
			if text != "" && text != "destroyed" {
				t.Errorf("%s still holds a text", where)
			}
		}
		// A copy of the texts, put back, does not open: there is no key to open it with.
		exec(t, s, "UPDATE resolutions SET outline = '', body = '"+before["resolution r-c1"]+"'")
		if _, err := s.Resolution(t.Context(), "SPJ", "r-c1"); !errors.Is(err, fault.Gone) {
			t.Errorf("a text from a backup: %v, want it gone", err)
		}
		row, err := table[caseKeyRow](s.db).Where("case_id = ?", "c1").Take(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.keys.Unwrap(t.Context(), keyring.Wrapped{KEK: row.KEK, Bytes: row.PayloadKey}, payloadKeyPlace("c1")); err == nil {
			t.Error("the key still unwraps")
		}
	})
}

func TestRetention_LeavesWhatWasConcludedAndNothingElse(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		ready(t, s)
		c := sealedCase(t, s, "c1", "JN-1")
		closeCase(t, s, c, testTime)
		at := testTime.AddDate(0, 0, 30)
		run(t, keeper(s, at), retention.Done{Cases: 1})
		want := sealedResolution(c, 2)
		want.CaseVersion--
		want.Destroyed = &exchange.Destruction{At: At(at).Time(), Why: exchange.PurposeDone}
		m := &want.Materials[0]
		m.Reason.Text, m.Attempts[0].Detail = "", ""
		m.Evidence = &exchange.Evidence{
			Dataset: "GA.ID", Department: "GA", Source: "GA.ID.api", Grant: "g1", Digest: ledger.Digest(c.Salt, "sha256:abc"), Withheld: exchange.WithheldDestroyed,
		}
		got, err := s.Resolution(t.Context(), "SPJ", "r-c1")
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v; -want +got:\n%s", err, diff)
		}
		text, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		for _, personal := range []string{"王建国", "370199198805163315", "sha256:abc"} {
			if strings.Contains(string(text), personal) {
				t.Errorf("the outline holds %q", personal)
			}
		}
		consents, err := s.ConsentsOf(t.Context(), exchange.ConsentFilter{Subject: "d2", Limit: 10})
		if err != nil || len(consents) != 1 || consents[0].State != exchange.ConsentGiven || consents[0].Destroyed == nil || consents[0].Sheet != nil {
			t.Errorf("consents %+v, %v; want what was decided, and that the rest is destroyed", consents, err)
		}
	})
}

func TestStore_RefusesWhateverNeedsADestroyedCase(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		ready(t, s)
		c := sealedCase(t, s, "c1", "JN-1")
		underWay := *c
		closeCase(t, s, c, testTime)
		run(t, keeper(s, testTime.AddDate(0, 0, 30)), retention.Done{Cases: 1})
		task := &exchange.AssistTask{ID: "a2", Key: "k2", Department: "GA", Receiver: "SPJ", Case: "c1", State: exchange.AssistOpen}
		for name, act := range map[string]func() error{
			"read":           func() error { _, err := s.Case(t.Context(), "SPJ", "c1"); return err },
			"read by number": func() error { _, err := s.CaseByNumber(t.Context(), "SPJ", "JN-1"); return err },
			"change":         func() error { return s.UpdateCase(t.Context(), &underWay) },
			"resolve": func() error {
				return s.CommitResolution(t.Context(), exchange.Commit{Resolution: sealedResolution(&underWay, 3)})
			},
			"ask an officer": func() error { _, err := s.OpenAssist(t.Context(), task, nil); return err },
			"read a task":    func() error { _, err := s.AssistTask(t.Context(), "GA", "a-c1"); return err },
			"answer": func() error {
				return s.AnswerAssist(t.Context(), exchange.AssistCommit{Task: &exchange.AssistTask{ID: "a-c1", Case: "c1", Answer: &exchange.AssistAnswer{}}})
			},
		} {
			if err := act(); !errors.Is(err, fault.Gone) || fault.As(err).Code != "case-destroyed" {
				t.Errorf("%s: %v, want case-destroyed", name, err)
			}
		}
		if listed, err := s.AssistTasks(t.Context(), exchange.AssistFilter{Department: "GA", State: exchange.AssistAnswered, Limit: 10}); err != nil || len(listed) != 0 {
			t.Errorf("listed %v, %v; want none", listed, err)
		}
	})
}

// A key that was destroyed through one replica opens nothing on another from then on.
func TestRetention_HoldsOnAnotherReplicaAtOnce(t *testing.T) {
	t.Parallel()
	eachURL(t, func(t *testing.T, url string) {
		one, other := openStore(t, Config{URL: url, Now: testClock}), openStore(t, Config{URL: url, Now: testClock})
		ready(t, one)
		c := sealedCase(t, one, "c1", "JN-1")
		closeCase(t, one, c, testTime)
		if _, err := other.Case(t.Context(), "SPJ", "c1"); err != nil {
			t.Fatal(err)
		}
		run(t, keeper(one, testTime.AddDate(0, 0, 30)), retention.Done{Cases: 1})
		if _, err := other.Case(t.Context(), "SPJ", "c1"); !errors.Is(err, fault.Gone) {
			t.Errorf("on the other replica: %v, want it gone", err)
		}
	})
}

// Of two that run at once, each case is destroyed and recorded by one; and what a
// run that was killed has left, the next one does.
func TestRetention_RunsTwiceAtOnceAndGoesOnAfterAKill(t *testing.T) {
	t.Parallel()
	eachURL(t, func(t *testing.T, url string) {
		one, other := openStore(t, Config{URL: url, Now: testClock}), openStore(t, Config{URL: url, Now: testClock})
		ready(t, one)
		ids := []string{"c1", "c2", "c3", "c4", "c5", "c6"}
		for _, id := range ids {
			closeCase(t, one, sealedCase(t, one, id, "JN-"+id), testTime)
		}
		at := testTime.AddDate(0, 0, 30)
		// Killed within a case: nothing of it is destroyed.
		broken := errors.New("killed")
		cutoffs := retention.DefaultTerms().At(at)
		due, err := one.Due(t.Context(), cutoffs, 1)
		if err != nil || len(due) != 1 {
			t.Fatalf("due %v, %v", due, err)
		}
		func() {
			defer func() { _ = recover() }()
			_, _ = one.Destroy(t.Context(), due[0], cutoffs, func(retention.Counts) ledger.Entry { panic(broken) })
		}()
		if _, err := other.Case(t.Context(), "SPJ", due[0].Case); err != nil {
			t.Fatalf("after a kill within a case: %v, want it whole", err)
		}
		var group sync.WaitGroup
		var done [2]retention.Done
		for i, s := range []*Store{one, other} {
			r := keeper(s, at)
			group.Go(func() {
				var err error
				if done[i], err = r.Run(t.Context(), nil); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if total := done[0].Cases + done[1].Cases; total != len(ids) {
			t.Errorf("%d + %d cases destroyed, want %d", done[0].Cases, done[1].Cases, len(ids))
		}
		for _, id := range ids {
			n := 0
			for _, kind := range kinds(t, one, id) {
				if kind == ledger.CaseDestroyed {
					n++
				}
			}
			if n != 1 {
				t.Errorf("%s: %d entries of its destruction, want one", id, n)
			}
		}
	})
}

func TestHoldings_CountByDepartment(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		ready(t, s)
		for i, id := range []string{"c1", "c2", "c3", "c4"} {
			c := sealedCase(t, s, id, "JN-"+id)
			switch i {
			case 0: // destroyed
				closeCase(t, s, c, testTime.AddDate(0, 0, -30))
			case 1: // due in ten days
				closeCase(t, s, c, testTime.AddDate(0, 0, -20))
			case 2:
				inTheClear(t, s, c)
			}
		}
		r := keeper(s, testTime)
		if _, err := s.Destroy(t.Context(), retention.Due{Case: "c1", Why: exchange.PurposeDone}, r.Terms.At(testTime), func(retention.Counts) ledger.Entry { return entry(ledger.CaseDestroyed, "c1") }); err != nil {
			t.Fatal(err)
		}
		next := testTime.AddDate(0, 0, 10)
		want := []retention.Holdings{{Department: "SPJ", Kept: 3, Done: 1, Soon: 1, InClear: 1, PurposeDone: 1, Next: &next}}
		report, err := r.Report(t.Context())
		if diff := cmp.Diff(want, report.Departments); err != nil || diff != "" {
			t.Errorf("%v; -want +got:\n%s", err, diff)
		}
	})
}

func TestDrop_ForgetsOldAccessesAlone(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		for i, at := range []time.Time{testTime.AddDate(-4, 0, 0), testTime.AddDate(-3, 0, 0), testTime} {
			e := entry(ledger.Outcome, "c1")
			e.At, e.Concerns = at, []string{"person-" + string(rune('a'+i)), "person-c"}
			if err := s.Append(t.Context(), []ledger.Entry{e}); err != nil {
				t.Fatal(err)
			}
		}
		for _, subject := range []string{"person-a", "person-c"} {
			if err := s.db.Exec("INSERT INTO access_heads VALUES (?, ?, 1)", subject, []byte("k")).Error; err != nil {
				t.Fatal(err)
			}
		}
		n, err := s.Drop(t.Context(), testTime.AddDate(-3, 0, 0))
		if err != nil || n != 2 {
			t.Errorf("dropped %d, %v; want the two of the oldest entry", n, err)
		}
		var left []string
		if err := s.db.Raw("SELECT subject FROM access_heads").Scan(&left).Error; err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"person-c"}, left); diff != "" {
			t.Errorf("heads: -want +got:\n%s", diff)
		}
	})
}

func TestOpen_RefusesKeysThatAreNotThoseOfTheDatabase(t *testing.T) {
	t.Parallel()
	eachURL(t, func(t *testing.T, url string) {
		s := openStore(t, Config{URL: url, Now: testClock, Keys: keytest.Keys(1)})
		ready(t, s)
		sealedCase(t, s, "c1", "JN-1")
		_, err := Open(t.Context(), Config{URL: url, Now: testClock, Keys: keytest.Keys(7)})
		if f := fault.As(err); f == nil || f.Code != "key-missing" || !strings.Contains(f.Message, keytest.Keys(1).Present()) {
			t.Errorf("Open: %v, want key-missing, and which", err)
		}
	})
}
