package store

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// newCase gives a case that fits the rows which ready makes.
func newCase(id, number string) *exchange.Case {
	return &exchange.Case{
		ID: id, Number: number, System: "spj", Department: "SPJ", Revision: 1, Subject: "S01",
		Facts: catalog.Facts{"agent": false, "land_area_ha": 4.5, "transfer_utility": []string{"water", "gas"}, "premises": "own"},
		Parties: []catalog.Party{
			{ID: "p1", Roles: []string{"applicant"}, Kind: catalog.KindOrganization, Name: "济南示例新设有限公司"},
			{ID: "p2", Roles: []string{"shareholder"}, Kind: catalog.KindPerson, Name: "王建国", Number: "370199198805163315", Consent: catalog.ConsentGiven},
		},
		Salt: []byte("0123456789abcdef"), Opening: "sha256:1", OpenedAt: testTime, UpdatedAt: testTime, Version: 1,
	}
}

func entry(kind ledger.Kind, caseID string) ledger.Entry {
	return ledger.Entry{Kind: kind, At: testTime, System: "spj", Department: "SPJ", Case: caseID, Revision: 1}
}

// ready registers what a case refers to.
func ready(t *testing.T, s *Store) {
	t.Helper()
	saveSystem(t, s, "spj")
	if _, err := s.SaveRevision(t.Context(), map[string][]byte{"catalog.yaml": []byte("x")}, RevisionMeta{Title: "t", Version: "1"}); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, s *Store, c *exchange.Case) {
	t.Helper()
	stored, err := s.OpenCase(t.Context(), c, entry(ledger.CaseOpened, c.ID))
	if err != nil {
		t.Fatal(err)
	}
	if stored.ID != c.ID {
		t.Fatalf("opened %s, stored %s", c.ID, stored.ID)
	}
}

func kinds(t *testing.T, s *Store, caseID string) []ledger.Kind {
	t.Helper()
	entries, err := s.Entries(t.Context(), caseID)
	if err != nil {
		t.Fatal(err)
	}
	var out []ledger.Kind
	for _, e := range entries {
		out = append(out, e.Kind)
	}
	return out
}

func TestCase_ComesBackAsItWasOpened(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		ready(t, s)
		want := newCase("c1", "JN-1")
		open(t, s, want)
		for name, read := range map[string]func() (*exchange.Case, error){
			"by id":     func() (*exchange.Case, error) { return s.Case(t.Context(), "SPJ", "c1") },
			"by number": func() (*exchange.Case, error) { return s.CaseByNumber(t.Context(), "SPJ", "JN-1") },
		} {
			got, err := read()
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: -want +got:\n%s", name, diff)
			}
		}
	})
}

func TestCase_OfAnotherDepartmentIsUnknown(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		ready(t, s)
		open(t, s, newCase("c1", "JN-1"))
		_, foreign := s.Case(t.Context(), "BDC", "c1")
		_, missing := s.Case(t.Context(), "SPJ", "c2")
		if !errors.Is(foreign, fault.NotFound) || fault.As(foreign).Message != fault.As(missing).Message {
			t.Errorf("another department's case: %v; no case: %v; want the same not_found", foreign, missing)
		}
	})
}

func TestOpenCase_GivesTheEarlierOneOfTheSameNumber(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		ready(t, s)
		open(t, s, newCase("c1", "JN-1"))
		stored, err := s.OpenCase(t.Context(), newCase("c2", "JN-1"), entry(ledger.CaseOpened, "c2"))
		if err != nil || stored.ID != "c1" {
			t.Fatalf("got %v, %v; want case c1", stored, err)
		}
		if got := kinds(t, s, "c2"); got != nil {
			t.Errorf("a case that was not stored has entries %v", got)
		}
	})
}

func TestUpdateCase_RefusesAStaleVersionAndRecordsNothing(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		ready(t, s)
		open(t, s, newCase("c1", "JN-1"))
		first, second := newCase("c1", "JN-1"), newCase("c1", "JN-1")
		first.Facts["agent"] = true
		if err := s.UpdateCase(t.Context(), first, entry(ledger.FactsChanged, "c1")); err != nil {
			t.Fatal(err)
		}
		second.Facts["premises"] = "rent"
		if err := s.UpdateCase(t.Context(), second, entry(ledger.FactsChanged, "c1")); !errors.Is(err, fault.Conflict) {
			t.Fatalf("a change to an old version: %v, want conflict", err)
		}
		got, err := s.Case(t.Context(), "SPJ", "c1")
		if err != nil {
			t.Fatal(err)
		}
		if got.Facts["agent"] != true || got.Facts["premises"] != "own" || got.Version != 2 || first.Version != 2 {
			t.Errorf("stored %v at version %d; want the first change alone, at version 2", got.Facts, got.Version)
		}
		if diff := cmp.Diff([]ledger.Kind{ledger.CaseOpened, ledger.FactsChanged}, kinds(t, s, "c1")); diff != "" {
			t.Errorf("entries -want +got:\n%s", diff)
		}
	})
}

func TestUpdateCase_KeepsThatTheCaseIsClosed(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		ready(t, s)
		c := newCase("c1", "JN-1")
		open(t, s, c)
		if got, err := s.Case(t.Context(), "SPJ", "c1"); err != nil || !got.ClosedAt.IsZero() || got.ClosedFor != "" {
			t.Errorf("a new case is closed at %v for %q, %v", got.ClosedAt, got.ClosedFor, err)
		}
		c.ClosedAt, c.ClosedFor = testTime, exchange.CaseFinished
		if err := s.UpdateCase(t.Context(), c, entry(ledger.CaseClosed, "c1")); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Case(t.Context(), "SPJ", "c1"); err != nil || !got.ClosedAt.Equal(testTime) || got.ClosedFor != exchange.CaseFinished {
			t.Errorf("stored as closed at %v for %q, %v", got.ClosedAt, got.ClosedFor, err)
		}
		c.ClosedFor = "forgotten"
		if err := s.UpdateCase(t.Context(), c, entry(ledger.CaseClosed, "c1")); err == nil {
			t.Error("a reason that nobody knows was stored")
		}
	})
}

func TestUpdateCase_KeepsResults(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		ready(t, s)
		c := newCase("c1", "JN-1")
		open(t, s, c)
		c.Results = []exchange.MatterResult{{
			Matter: "S01.M1", Outcome: catalog.Granted, Number: "N-1", IssuedOn: "2026-11-20",
			Fields: map[string]any{"legal_representative": "王建国"}, ReportedAt: testTime,
		}}
		if err := s.UpdateCase(t.Context(), c, entry(ledger.ResultReported, "c1")); err != nil {
			t.Fatal(err)
		}
		got, err := s.Case(t.Context(), "SPJ", "c1")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.Results, got.Results); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}

func newResolution(id, caseID string) *exchange.Resolution {
	return &exchange.Resolution{
		ID: id, Case: caseID, CaseNumber: "JN-1", Revision: 1, CaseVersion: 1, Ruleset: policies.Ruleset, Status: exchange.StatusComplete, OneThing: "S01",
		Matters: []exchange.MatterState{}, Upload: []string{"S01.M1.c"}, Questions: []exchange.Question{}, ResolvedAt: testTime, StartedAt: testTime, Version: 1,
		Materials: []exchange.MaterialResult{{
			Code: "S01.M1.c", UsedBy: []string{"S01.M1.c"}, Name: "境外投资者公证认证文件", Outcome: policies.Upload,
			Reason: exchange.Reason{Code: policies.ReasonNoSource, Text: "请上传"}, Attempts: []exchange.Attempt{}, Questions: []exchange.Question{},
		}},
	}
}

func TestCommitResolution_StoresAnswerEntriesAndKeyTogether(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		ready(t, s)
		open(t, s, newCase("c1", "JN-1"))
		key := &exchange.Key{System: "spj", Value: "k1", Request: "sha256:1", At: testTime}
		if got, err := s.ReserveKey(t.Context(), key); got != "" || err != nil {
			t.Fatalf("a new key gives %q, %v", got, err)
		}
		want := newResolution("r1", "c1")
		entries := []ledger.Entry{entry(ledger.Outcome, "c1"), entry(ledger.Resolved, "c1")}
		if err := s.CommitResolution(t.Context(), exchange.Commit{Resolution: want, Entries: entries, Key: key}); err != nil {
			t.Fatal(err)
		}
		got, err := s.Resolution(t.Context(), "SPJ", "r1")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		if got, err := s.ReserveKey(t.Context(), key); got != "r1" || err != nil {
			t.Errorf("the key gives %q, %v; want r1", got, err)
		}
		if _, err := s.Resolution(t.Context(), "BDC", "r1"); !errors.Is(err, fault.NotFound) {
			t.Errorf("another department's resolution: %v, want not_found", err)
		}
		if got := len(kinds(t, s, "c1")); got != 3 {
			t.Errorf("%d entries, want 3", got)
		}
	})
}

func TestCommitResolution_StoresNothingWhenAPartFails(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		ready(t, s)
		open(t, s, newCase("c1", "JN-1"))
		if err := s.CommitResolution(t.Context(), exchange.Commit{Resolution: newResolution("r1", "c1"), Entries: []ledger.Entry{{Case: "c1"}}}); err == nil {
			t.Fatal("an entry without a kind was stored")
		}
		if _, err := s.Resolution(t.Context(), "SPJ", "r1"); !errors.Is(err, fault.NotFound) {
			t.Errorf("the resolution of a failed commit: %v, want not_found", err)
		}
	})
}

func TestCommitResolution_RefusesOneMadeFromAnOlderCase(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		ready(t, s)
		c := newCase("c1", "JN-1")
		open(t, s, c)
		if err := s.UpdateCase(t.Context(), c, entry(ledger.FactsChanged, "c1")); err != nil {
			t.Fatal(err)
		}
		err := s.CommitResolution(t.Context(), exchange.Commit{Resolution: newResolution("r1", "c1")})
		if f := fault.As(err); f == nil || f.Code != "case-changed" {
			t.Errorf("a resolution of version 1 of a case at version 2: %v, want case-changed", err)
		}
	})
}

func TestCommitResolution_CountsThoseOfACaseWithoutGaps(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		ready(t, s)
		open(t, s, newCase("c1", "JN-1"))
		const callers = 8
		failed := make(chan error, callers)
		for i := range callers {
			go func() {
				failed <- s.CommitResolution(t.Context(), exchange.Commit{Resolution: newResolution(fmt.Sprintf("r%d", i), "c1")})
			}()
		}
		for range callers {
			if err := <-failed; err != nil {
				t.Error(err)
			}
		}
		var highest, count int
		row := s.pool.QueryRowContext(t.Context(), "SELECT MAX(seq), COUNT(*) FROM resolutions WHERE case_id = 'c1'")
		if err := row.Scan(&highest, &count); err != nil {
			t.Fatal(err)
		}
		if highest != callers || count != callers {
			t.Errorf("highest %d of %d, want %d of %d", highest, count, callers, callers)
		}
	})
}

func TestReserveKey_RefusesAnotherRequestAndOneUnderWay(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		ready(t, s)
		key := exchange.Key{System: "spj", Value: "k1", Request: "sha256:1", At: testTime}
		if _, err := s.ReserveKey(t.Context(), &key); err != nil {
			t.Fatal(err)
		}
		other := key
		other.Request = "sha256:2"
		if _, err := s.ReserveKey(t.Context(), &other); fault.As(err) == nil || fault.As(err).Code != "idempotency-key-reused" {
			t.Errorf("the key for another request: %v", err)
		}
		soon := key
		soon.At = testTime.Add(time.Second)
		if _, err := s.ReserveKey(t.Context(), &soon); fault.As(err) == nil || fault.As(err).Code != "request-in-progress" {
			t.Errorf("the key while its request is under way: %v", err)
		}
		later := key
		later.At = testTime.Add(2 * keyInUse)
		if got, err := s.ReserveKey(t.Context(), &later); got != "" || err != nil {
			t.Errorf("the key after its process died: %q, %v; want it to be free", got, err)
		}
	})
}

func TestReleaseKey_LetsTheCallerTryAgainButNeverForgetsAnAnswer(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		ready(t, s)
		open(t, s, newCase("c1", "JN-1"))
		key := &exchange.Key{System: "spj", Value: "k1", Request: "sha256:1", At: testTime}
		for range 2 {
			if got, err := s.ReserveKey(t.Context(), key); got != "" || err != nil {
				t.Fatalf("a free key gives %q, %v", got, err)
			}
			if err := s.ReleaseKey(t.Context(), key); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.ReserveKey(t.Context(), key); err != nil {
			t.Fatal(err)
		}
		if err := s.CommitResolution(t.Context(), exchange.Commit{Resolution: newResolution("r1", "c1"), Key: key}); err != nil {
			t.Fatal(err)
		}
		if err := s.ReleaseKey(t.Context(), key); err != nil {
			t.Fatal(err)
		}
		if got, err := s.ReserveKey(t.Context(), key); got != "r1" || err != nil {
			t.Errorf("an answered key gives %q, %v after a release; want r1", got, err)
		}
	})
}

func TestGrants_ComeBackByMatter(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		grant := policies.Grant{
			ID: "g1", Department: "SPJ", Matter: "S01.M1", Dataset: "D-GA01", Fields: []string{"name", "citizen_id"},
			Basis: "条例第十九条", From: testTime, Until: testTime.AddDate(1, 0, 0), State: policies.GrantActive,
		}
		other := grant
		other.ID, other.Matter = "g2", "S02.M1"
		if err := s.SaveGrants(t.Context(), []policies.Grant{grant, other}); err != nil {
			t.Fatal(err)
		}
		grant.State = policies.GrantSuspended
		if err := s.SaveGrants(t.Context(), []policies.Grant{grant}); err != nil {
			t.Fatal(err)
		}
		got, err := s.GrantsFor(t.Context(), []string{"S01.M1", "S01.M2"})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]policies.Grant{grant}, got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		var all []policies.Grant
		for g, failed := range s.AllGrants(t.Context()) {
			all, err = append(all, g), errors.Join(err, failed)
		}
		if diff := cmp.Diff([]policies.Grant{grant, other}, all); diff != "" || err != nil {
			t.Errorf("all, %v (-want +got):\n%s", err, diff)
		}
	})
}

func TestHandedIn_GivesTheNewestFirst(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		ready(t, s)
		open(t, s, newCase("c1", "JN-1"))
		older := exchange.Submission{Case: "c1", Material: "S01.M1.g", StandardMaterial: "STD-CHARTER", Subject: "k1", Digest: "d1", At: testTime.Add(-time.Hour)}
		newer := exchange.Submission{Case: "c1", Material: "S01.M1.h", Subject: "k1", Digest: "d2", At: testTime}
		foreign := exchange.Submission{Case: "c1", Material: "S01.M1.h", Subject: "k2", Digest: "d3", At: testTime}
		for _, in := range []exchange.Submission{older, newer, foreign, newer} {
			if err := s.HandIn(t.Context(), &in, entry(ledger.PaperHandedIn, "c1")); err != nil {
				t.Fatal(err)
			}
		}
		if got := len(kinds(t, s, "c1")); got != 4 {
			t.Errorf("%d entries, want the opening and three papers: the fourth was handed in already", got)
		}
		got, err := s.HandedIn(t.Context(), []string{"k1"})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]exchange.Submission{newer, older}, got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}
