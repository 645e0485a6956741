package sharing_test

import (
	"slices"
	"testing"

	"mianti/policies"
	"mianti/sharing"
)

// grantIn makes a grant in a state: "active", "suspended", "ordered" with a
// correction order until 10 December, "terminated".
func grantIn(t *testing.T, state string) sharing.Grant {
	t.Helper()
	g := sharing.Grant{
		Grant: policies.Grant{
			ID: "g1", Department: "SPJ", Matter: "S01.M1", Dataset: "D-GA01", Fields: []string{"name", "address"}, State: policies.GrantActive,
			From: shanghai(t, "2026-11-01 00:00"), Until: shanghai(t, "2027-01-01 00:00"),
		},
		Version: 1,
	}
	switch state {
	case "suspended":
		g.State = policies.GrantSuspended
	case "ordered":
		g.State, g.CorrectBy = policies.GrantSuspended, "2026-12-10"
	case "terminated":
		g.State = policies.GrantTerminated
	}
	return g
}

func grantEvent(act sharing.GrantAct) sharing.GrantEvent {
	return sharing.GrantEvent{Act: act, Why: "理由", CorrectBy: "2026-12-20", Fields: []string{"name"}}
}

func TestApplyToGrant_KnowsEveryActInEveryState(t *testing.T) {
	t.Parallel()
	provider, holder, machine := officer("p", "GA"), officer("h", "SPJ"), policies.Caller{System: "mianti", Duties: []policies.Duty{policies.DutyOperator}}
	const day, after, over, active, suspended, ended = "2026-12-10 23:59", "2026-12-11 00:00", "2027-01-01 00:00", "active", "suspended", "terminated"
	acts := []sharing.GrantAct{sharing.Suspend, sharing.Order, sharing.Resume, sharing.Terminate, sharing.Narrow}
	all := func(code string) []string { return []string{code, code, code, code, code} }
	for _, c := range []struct {
		name, state, now string
		by               policies.Caller
		want             []string // suspension, correction_order, resumption, termination, narrowing
	}{
		{"provider, active", active, day, provider, []string{suspended, "grant-not-suspended", "grant-not-suspended", "no-correction-order", active}},
		{"provider, suspended", suspended, day, provider, []string{"grant-suspended", suspended, active, "no-correction-order", suspended}},
		{"provider, ordered", "ordered", day, provider, []string{"grant-suspended", suspended, active, "correction-under-way", suspended}},
		{"provider, the order's day is over", "ordered", after, provider, []string{"grant-suspended", suspended, active, ended, suspended}},
		{"provider, terminated", ended, day, provider, all("grant-terminated")},
		{"provider, expired", active, over, provider, all("grant-expired")},
		{"holder, active", active, day, holder, []string{"not-the-provider", "not-the-provider", "not-the-provider", ended, active}},
		{"holder, suspended", suspended, day, holder, []string{"not-the-provider", "not-the-provider", "not-the-provider", ended, suspended}},
		{"operator, active", active, day, machine, []string{suspended, "grant-not-suspended", "grant-not-suspended", ended, active}},
		{"operator, terminated", ended, day, machine, all("grant-terminated")},
		{"the authority", active, day, officer("x", "DSJ"), all("not-the-provider")},
		{"a clerk of the provider", active, day, person("x", "GA", policies.DutyClerk), all("not-your-duty")},
		{"an operator of a department", active, day, person("x", "GA", policies.DutyOperator), all("not-your-duty")},
		{"nobody's", active, day, policies.Caller{}, all("not-the-provider")},
	} {
		for i, act := range acts {
			t.Run(c.name+"/"+string(act), func(t *testing.T) {
				t.Parallel()
				g := grantIn(t, c.state)
				next, err := procedure(t).ApplyToGrant(g, "GA", grantEvent(act), c.by, shanghai(t, c.now))
				got := code(err)
				if err == nil {
					got = string(next.State)
				}
				if got != c.want[i] {
					t.Errorf("%s, want %s", got, c.want[i])
				}
				if err == nil && (next.Version != 2 || len(next.History) != 1 || next.History[0].Why != "理由") || len(g.History) != 0 || g.Version != 1 {
					t.Errorf("from version %d to %d, history %+v", g.Version, next.Version, next.History)
				}
				if err == nil && next.State != policies.GrantSuspended && next.CorrectBy != "" {
					t.Errorf("%s with an order until %s", next.State, next.CorrectBy)
				}
			})
		}
	}
}

func TestApplyToGrant_NarrowsAndNeverWidens(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		fields []string
		want   string // a code, or "" for left
		left   []string
	}{
		{"one less", []string{"address"}, "", []string{"address"}},
		{"given twice", []string{"address", "address"}, "", []string{"address"}},
		{"one more", []string{"name", "address", "gender"}, "wider-needs-request", nil},
		{"another", []string{"gender"}, "wider-needs-request", nil},
		{"none", nil, "nothing-left", nil},
		{"the same in another order", []string{"address", "name"}, "nothing-changes", nil},
	} {
		g, e := grantIn(t, "active"), grantEvent(sharing.Narrow)
		e.Fields = c.fields
		next, err := procedure(t).ApplyToGrant(g, "GA", e, officer("h", "SPJ"), shanghai(t, "2026-12-01 09:00"))
		if code(err) != c.want || err == nil && !slices.Equal(next.Fields, c.left) || !slices.Equal(g.Fields, []string{"name", "address"}) {
			t.Errorf("%s: %v leaves %v of %v, want %q and %v", c.name, err, next.Fields, g.Fields, c.want, c.left)
		}
	}
}

func TestApplyToGrant_AGrantWithoutAProviderIsNobodysToSuspend(t *testing.T) {
	t.Parallel()
	// The catalog no longer has the dataset, and the caller is of no department.
	_, err := procedure(t).ApplyToGrant(grantIn(t, "active"), "", grantEvent(sharing.Suspend), person("x", "", policies.DutySharingOfficer), shanghai(t, "2026-12-01 09:00"))
	if code(err) != "not-the-provider" {
		t.Errorf("suspended: %v", err)
	}
}
