package store

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
	"mianti/sharing"
)

// newRequest is a request of SPJ to GA, which is due in an hour.
func newRequest(id string) *sharing.Request {
	return &sharing.Request{
		ID: id, Applicant: "SPJ", Provider: "GA", State: sharing.Submitted, ReceivedAt: testTime, Version: 1, Revision: 1,
		Application: sharing.Application{
			Dataset: "D-GA01", Fields: []string{"name"}, Matters: []string{"S01.M1"}, Basis: "条例", From: "2026-12-01", Until: "2027-11-30", Manner: sharing.MannerQuery,
		},
		Items:    []sharing.Item{{Field: "name", Class: catalog.SharingConditional}},
		Deadline: &sharing.Deadline{Article: "21", DueAt: testTime.Add(time.Hour)},
		History:  []sharing.Note{{Act: "submission", At: testTime, Department: "SPJ", Person: "u1"}},
	}
}

func newSharingGrant(id string, fields ...string) sharing.Grant {
	return sharing.Grant{
		Grant: policies.Grant{
			ID: id, Department: "SPJ", Matter: "S01.M1", Dataset: "D-GA01", Fields: fields, Basis: "条例",
			From: testTime, Until: testTime.AddDate(1, 0, 0), State: policies.GrantActive,
		},
		Request: "r1", Scenario: "设立登记", Scope: "窗口", Manner: sharing.MannerQuery, History: []sharing.Note{}, Version: 1,
	}
}

func officersAct(kind ledger.Kind) []ledger.Entry {
	return []ledger.Entry{{Kind: kind, At: testTime, Department: "SPJ", Person: "u1"}}
}

func saveRequest(t *testing.T, s *Store, r *sharing.Request, grants ...sharing.Grant) {
	t.Helper()
	if err := s.SaveSharingRequest(t.Context(), sharing.Commit{Request: r, Grants: grants, Entries: officersAct(ledger.SharingRequested)}); err != nil {
		t.Fatal(err)
	}
}

// count counts the rows of a table.
func countRows(t *testing.T, s *Store, table string) int64 {
	t.Helper()
	var n int64
	if err := s.db.Table(table).Count(&n).Error; err != nil {
		t.Fatal(err)
	}
	return n
}

func wantCode(t *testing.T, err error, want string) {
	t.Helper()
	if f := fault.As(err); f == nil || f.Code != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestSharingRequest_ComesBackAsItWasStored(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		want := newRequest("r1")
		saveRequest(t, s, want)
		got, err := s.SharingRequest(t.Context(), "r1")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("request (-stored +read):\n%s", diff)
		}
		_, err = s.SharingRequest(t.Context(), "r2")
		wantCode(t, err, "unknown-sharing-request")
	})
}

func TestSaveSharingRequest_OfTwoAtOnceOneIsRefused(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		saveRequest(t, s, newRequest("r1"))
		failures := make(chan error, 8)
		var all sync.WaitGroup
		for i := range cap(failures) {
			all.Go(func() {
				next := newRequest("r1")
				next.Version, next.Officer = 2, fmt.Sprint(i)
				failures <- s.SaveSharingRequest(t.Context(), sharing.Commit{Request: next, Entries: officersAct(ledger.SharingDecided)})
			})
		}
		all.Wait()
		close(failures)
		done := 0
		for err := range failures {
			if err == nil {
				done++
				continue
			}
			wantCode(t, err, "sharing-request-changed")
		}
		if n := countRows(t, s, "ledger_entries"); done != 1 || n != 2 {
			t.Errorf("%d were stored with %d entries, want one, and two entries with the first", done, n)
		}
	})
}

func TestSaveSharingRequest_StoresAllOrNothing(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		saveRequest(t, s, newRequest("r1"), newSharingGrant("g1", "name"))
		for name, c := range map[string]struct {
			grants []sharing.Grant
			code   string
		}{
			"overlaps one that is there": {[]sharing.Grant{newSharingGrant("g2", "address"), newSharingGrant("g3", "name")}, "overlapping-grant"},
			"has the id of another":      {[]sharing.Grant{newSharingGrant("g1", "address")}, "duplicate-grant"},
		} {
			next := newRequest("r1")
			next.Version = 2
			wantCode(t, s.SaveSharingRequest(t.Context(), sharing.Commit{Request: next, Grants: c.grants, Entries: officersAct(ledger.SharingDelivered)}), c.code)
			got, err := s.SharingRequest(t.Context(), "r1")
			if err != nil || got.Version != 1 || countRows(t, s, "grants") != 1 || countRows(t, s, "ledger_entries") != 1 {
				t.Errorf("%s: something was stored: version %d (%v)", name, got.Version, err)
			}
		}
	})
}

func TestSaveSharingRequest_TwoDeliveriesOfTheSameDoNotOverlap(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		failures := make(chan error, 6)
		var all sync.WaitGroup
		for i := range cap(failures) {
			saveRequest(t, s, newRequest(fmt.Sprintf("r%d", i)))
		}
		for i := range cap(failures) {
			all.Go(func() {
				next := newRequest(fmt.Sprintf("r%d", i))
				next.Version = 2
				failures <- s.SaveSharingRequest(t.Context(), sharing.Commit{Request: next, Grants: []sharing.Grant{newSharingGrant(fmt.Sprintf("g%d", i), "name")}})
			})
		}
		all.Wait()
		close(failures)
		done := 0
		for err := range failures {
			if err == nil {
				done++
				continue
			}
			wantCode(t, err, "overlapping-grant")
		}
		if n := countRows(t, s, "grants"); done != 1 || n != 1 {
			t.Errorf("%d deliveries, %d grants, want one", done, n)
		}
	})
}

func TestOverlappingGrant_NeedsTheSameUseAtTheSameTime(t *testing.T) {
	t.Parallel()
	use := sharing.Use{
		Department: "SPJ", Dataset: "D-GA01", Fields: []string{"address", "name"}, Matters: []string{"S01.M2", "S01.M1"},
		From: testTime, Until: testTime.AddDate(0, 1, 0),
	}
	eachStore(t, func(t *testing.T, s *Store) {
		ended := newSharingGrant("g0", "name")
		ended.State = policies.GrantTerminated
		saveRequest(t, s, newRequest("r1"), ended, newSharingGrant("g1", "name"))
		for name, c := range map[string]struct {
			change func(u *sharing.Use)
			want   string
		}{
			"the same":           {func(*sharing.Use) {}, "g1"},
			"another department": {func(u *sharing.Use) { u.Department = "JY" }, ""},
			"another dataset":    {func(u *sharing.Use) { u.Dataset = "D-GA02" }, ""},
			"other fields":       {func(u *sharing.Use) { u.Fields = []string{"address"} }, ""},
			"other matters":      {func(u *sharing.Use) { u.Matters = []string{"S01.M2"} }, ""},
			"until it begins":    {func(u *sharing.Use) { u.From, u.Until = testTime.AddDate(-1, 0, 0), testTime }, ""},
			"a moment longer":    {func(u *sharing.Use) { u.From, u.Until = testTime.AddDate(-1, 0, 0), testTime.Add(time.Microsecond) }, "g1"},
			"from when it ends":  {func(u *sharing.Use) { u.From, u.Until = testTime.AddDate(1, 0, 0), testTime.AddDate(2, 0, 0) }, ""},
			"a moment before then": {func(u *sharing.Use) {
				u.From, u.Until = testTime.AddDate(1, 0, 0).Add(-time.Microsecond), testTime.AddDate(2, 0, 0)
			}, "g1"},
		} {
			u := use
			c.change(&u)
			found, err := s.OverlappingGrant(t.Context(), u)
			if err != nil {
				t.Fatal(err)
			}
			if got := ""; found != nil && found.ID != c.want || found == nil && c.want != got {
				t.Errorf("%s: %v, want %q", name, found, c.want)
			}
		}
	})
}

func TestSaveSharingGrant_KeepsToItsVersion(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		g := newSharingGrant("g1", "name", "address")
		saveRequest(t, s, newRequest("r1"), g)
		next := g
		next.State, next.Fields, next.CorrectBy, next.Version = policies.GrantSuspended, []string{"name"}, "2026-12-10", 2
		next.History = []sharing.Note{{Act: "suspension", At: testTime, Department: "GA", Person: "u2", Why: "超范围"}}
		if err := s.SaveSharingGrant(t.Context(), &next, officersAct(ledger.GrantSuspended)[0]); err != nil {
			t.Fatal(err)
		}
		got, err := s.SharingGrant(t.Context(), "g1")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(&next, got); diff != "" {
			t.Errorf("grant (-stored +read):\n%s", diff)
		}
		wantCode(t, s.SaveSharingGrant(t.Context(), &next, officersAct(ledger.GrantSuspended)[0]), "grant-changed")
		if n := countRows(t, s, "ledger_entries"); n != 2 {
			t.Errorf("%d entries, want two: the refused change has none", n)
		}
		seen, err := s.GrantsFor(t.Context(), []string{"S01.M1"})
		if err != nil || len(seen) != 1 || seen[0].State != policies.GrantSuspended || !slices.Equal(seen[0].Fields, []string{"name"}) {
			t.Errorf("the decision sees %+v (%v)", seen, err)
		}
	})
}

func TestSharingRequests_ChoosesByStateAsItIsNow(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		for i, state := range []sharing.State{sharing.Submitted, sharing.Refused, sharing.Delivered, sharing.Submitted} {
			r := newRequest(fmt.Sprintf("r%d", i))
			r.State = state
			if state != sharing.Submitted {
				r.Deadline = nil
			}
			if i == 3 {
				r.Application.Until = "2026-12-01"
			}
			saveRequest(t, s, r)
		}
		before, after := testTime, testTime.AddDate(0, 2, 0) // the term of r3 is over by then
		for _, c := range []struct {
			f    sharing.Filter
			want []string
		}{
			{sharing.Filter{Provider: "GA", Now: before}, []string{"r0", "r1", "r2", "r3"}},
			{sharing.Filter{Applicant: "GA", Now: before}, nil},
			{sharing.Filter{Applicant: "GA", Provider: "GA", Now: before}, []string{"r0", "r1", "r2", "r3"}},
			{sharing.Filter{State: sharing.Submitted, Now: before}, []string{"r0", "r3"}},
			{sharing.Filter{State: sharing.Submitted, Now: after}, []string{"r0"}},
			{sharing.Filter{State: sharing.Expired, Now: after}, []string{"r3"}},
			{sharing.Filter{State: sharing.Expired, Now: testTime.AddDate(2, 0, 0)}, []string{"r0", "r2", "r3"}},
			{sharing.Filter{State: sharing.Refused, Now: testTime.AddDate(2, 0, 0)}, []string{"r1"}},
			{sharing.Filter{Overdue: true, Now: testTime.Add(time.Hour - time.Microsecond)}, nil},
			{sharing.Filter{Overdue: true, Now: testTime.Add(time.Hour)}, []string{"r0", "r3"}},
			{sharing.Filter{Provider: "GA", Now: before, After: "r1"}, []string{"r2", "r3"}},
		} {
			c.f.Limit = 10
			found, err := s.SharingRequests(t.Context(), c.f)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range found {
				got = append(got, r.ID)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%+v: %v, want %v", c.f, got, c.want)
			}
		}
	})
}

func TestSharingGrants_ChoosesByHolderAndDataset(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		held, provided := newSharingGrant("g1", "name"), newSharingGrant("g2", "name")
		provided.Department, provided.Dataset = "GA", "D-SPJ01"
		stranger := newSharingGrant("g3", "name")
		stranger.Department = "JY"
		saveRequest(t, s, newRequest("r1"), held, provided, stranger)
		if err := s.SaveGrants(t.Context(), []policies.Grant{newSharingGrant("g4:x", "address").Grant}); err != nil { // given by command
			t.Fatal(err)
		}
		for _, c := range []struct {
			f    sharing.GrantFilter
			want []string
		}{
			{sharing.GrantFilter{}, []string{"g1", "g2", "g3", "g4:x"}},
			{sharing.GrantFilter{Department: "SPJ"}, []string{"g1", "g4:x"}},
			{sharing.GrantFilter{Datasets: []string{"D-SPJ01"}}, []string{"g2"}},
			{sharing.GrantFilter{Department: "SPJ", Datasets: []string{"D-SPJ01"}}, []string{"g1", "g2", "g4:x"}},
			{sharing.GrantFilter{State: policies.GrantSuspended}, nil},
			{sharing.GrantFilter{Matter: "S01.M1", Dataset: "D-GA01", After: "g1"}, []string{"g3", "g4:x"}},
		} {
			c.f.Limit = 10
			found, err := s.SharingGrants(t.Context(), c.f)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, g := range found {
				got = append(got, g.ID)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%+v: %v, want %v", c.f, got, c.want)
			}
		}
	})
}

func TestSharingRequests_TheDatabaseKeepsTheRules(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		for name, change := range map[string]func(*sharing.Request){
			"waiting without a deadline": func(r *sharing.Request) { r.Deadline = nil },
			"over with a deadline":       func(r *sharing.Request) { r.State = sharing.Refused },
			"a state of the clock":       func(r *sharing.Request) { r.State = sharing.Expired },
			"of its own data":            func(r *sharing.Request) { r.Provider = r.Applicant },
		} {
			r := newRequest("r1")
			change(r)
			if err := s.SaveSharingRequest(t.Context(), sharing.Commit{Request: r, Entries: officersAct(ledger.SharingRequested)}); err == nil {
				t.Errorf("%s: stored", name)
			}
		}
		if n := countRows(t, s, "sharing_requests") + countRows(t, s, "ledger_entries"); n != 0 {
			t.Errorf("%d rows", n)
		}
	})
}
