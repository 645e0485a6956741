package store

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/internal/jobs"
	"mianti/ledger"
)

func TestCommitConsents_StoresConsentCaseEntryAndJobTogether(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		ready(t, s)
		c := newCase("c1", "JN-1")
		open(t, s, c)
		c.Consents = append(c.Consents, saidConsent("k1", exchange.ConsentRequested))
		c.Consents[0].Sheet, c.Consents[0].SheetDigest = &exchange.ConsentSheet{CaseNumber: "JN-1", Until: "2027-05-22"}, "sha256:1"
		stale := *c
		if err := s.CommitConsents(t.Context(), exchange.ConsentCommit{Case: c, Entries: []ledger.Entry{entry(ledger.ConsentRequested, "c1")}}); err != nil {
			t.Fatal(err)
		}
		if err := s.CommitConsents(t.Context(), exchange.ConsentCommit{Case: &stale}); !errors.Is(err, fault.Conflict) {
			t.Errorf("an older version of the case: %v, want a conflict", err)
		}
		c.Consents[0].State, c.Consents[0].Decision = exchange.ConsentGiven, "given"
		job := jobs.Job{Kind: exchange.JobEvent, Key: "k", Payload: "{}", RunAt: testTime}
		if err := s.CommitConsents(t.Context(), exchange.ConsentCommit{Case: c, Entries: []ledger.Entry{entry(ledger.ConsentGiven, "c1")}, Jobs: []jobs.Job{job}}); err != nil {
			t.Fatal(err)
		}
		got, err := s.Case(t.Context(), "SPJ", "c1")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c, got); diff != "" || got.Version != 3 {
			t.Errorf("version %d, want 3; -want +got:\n%s", got.Version, diff)
		}
		want := []ledger.Kind{ledger.CaseOpened, ledger.ConsentRequested, ledger.ConsentGiven}
		if diff := cmp.Diff(want, kinds(t, s, "c1")); diff != "" {
			t.Errorf("entries: -want +got:\n%s", diff)
		}
		if claimed, err := s.Claim(t.Context(), "w", []string{exchange.JobEvent}, 1, 0); err != nil || len(claimed) != 1 {
			t.Errorf("jobs %v, %v; want one", claimed, err)
		}
	})
}

func TestCommitConsents_StoresNothingWhenAnEntryCannotBe(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		ready(t, s)
		c := newCase("c1", "JN-1")
		open(t, s, c)
		c.Consents = append(c.Consents, saidConsent("k1", exchange.ConsentRequested))
		if err := s.CommitConsents(t.Context(), exchange.ConsentCommit{Case: c, Entries: []ledger.Entry{{Case: "c1"}}}); err == nil {
			t.Fatal("an entry without a kind was stored")
		}
		got, err := s.Case(t.Context(), "SPJ", "c1")
		if err != nil || got.Version != 1 || got.Consents != nil {
			t.Errorf("the case is at version %d with %d consents, %v; want nothing changed", got.Version, len(got.Consents), err)
		}
	})
}

func TestConsent_IsNobodyElses(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		ready(t, s)
		c := newCase("c1", "JN-1")
		for _, id := range []string{"k1", "k2", "k3"} {
			c.Consents = append(c.Consents, saidConsent(id, exchange.ConsentGiven))
		}
		c.Consents = append(c.Consents, saidConsent("k4", exchange.ConsentGiven))
		c.Consents[3].Subject = "somebody else"
		open(t, s, c)
		if _, err := s.Consent(t.Context(), "d2", "k4"); !errors.Is(err, fault.NotFound) {
			t.Errorf("another's: %v, want not found", err)
		}
		var ids []string
		for after := ""; ; after = ids[len(ids)-1] {
			list, err := s.ConsentsOf(t.Context(), exchange.ConsentFilter{Subject: "d2", After: after, Limit: 2})
			if err != nil {
				t.Fatal(err)
			}
			for _, consent := range list {
				ids = append(ids, consent.ID)
			}
			if len(list) < 2 {
				break
			}
		}
		if diff := cmp.Diff([]string{"k3", "k2", "k1"}, ids); diff != "" { // asked for at the same moment
			t.Errorf("pages: -want +got:\n%s", diff)
		}
		if _, err := s.ConsentsOf(t.Context(), exchange.ConsentFilter{Subject: "d2", After: "k4", Limit: 2}); !errors.Is(err, fault.NotFound) {
			t.Errorf("a page after another's: %v, want not found", err)
		}
	})
}
