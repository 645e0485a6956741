package store

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mianti/exchange"
	"mianti/keyring"
	"mianti/policies"
)

// TestGrantSet_IsKeptOnceForAllResolutions resolves a case before and after one of its
// grants changes, and wants the inputs of each to have what it was made from.
func TestGrantSet_IsKeptOnceForAllResolutions(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		x, by, id := resolver(t, s)
		resolve := func() *exchange.Resolution {
			t.Helper()
			r, err := x.Resolve(t.Context(), by, id, nil)
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		first, second := resolve(), resolve()
		before, err := s.GrantsFor(t.Context(), []string{"S06.M1"})
		if err != nil {
			t.Fatal(err)
		}
		changed := before[0]
		changed.State = policies.GrantSuspended
		if err := s.SaveGrants(t.Context(), []policies.Grant{changed}); err != nil {
			t.Fatal(err)
		}
		third := resolve()
		after, err := s.GrantsFor(t.Context(), []string{"S06.M1"})
		if err != nil {
			t.Fatal(err)
		}
		for r, want := range map[*exchange.Resolution][]policies.Grant{first: before, second: before, third: after} {
			in, err := s.InputsOf(t.Context(), r.ID, r.Version)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, in.Grants); diff != "" || len(want) == 0 {
				t.Errorf("the grants of %s (-was +kept):\n%s", r.ID, diff)
			}
		}
		if n, err := table[grantSetRow](s.db).Count(t.Context(), "*"); err != nil || n != 2 {
			t.Errorf("%d sets are kept, %v; want 2", n, err)
		}
		s.grantSets.remove(func(string, []policies.Grant) bool { return true })
		if _, err := s.pool.ExecContext(t.Context(), "UPDATE grant_sets SET body = '[]'"); err != nil {
			t.Fatal(err)
		}
		if _, err := s.InputsOf(t.Context(), first.ID, first.Version); !errors.Is(err, keyring.ErrUnreadable) {
			t.Errorf("an altered set: %v, want it refused", err)
		}
	})
}
