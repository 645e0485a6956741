package policies_test

import (
	"slices"
	"testing"

	"mianti/catalog"
	"mianti/policies"
)

// wholeFounding is 企业开办 with all its matters.
func wholeFounding() setting {
	in := founding()
	in.parties = slices.Clone(in.parties)
	return in
}

// without gives the situation without the grants that match.
func without(t testing.TB, rev *catalog.Revision, in setting, match func(policies.Grant) bool) *policies.Situation {
	t.Helper()
	s := in.situation(t, rev)
	s.Grants = policies.IndexGrants(slices.DeleteFunc(everyGrant(rev), match))
	return s
}

func TestSeparate_TakesApartUsesOfDifferentRight(t *testing.T) {
	t.Parallel()
	rev := jinanCatalog(t)
	const premises = "S01.M1.d@p3" // of SPJ, for M1, and of SW, for M3
	ofSW := func(g policies.Grant) bool { return g.Department == "SW" }
	for name, test := range map[string]struct {
		consent catalog.ConsentState
		gone    func(policies.Grant) bool
		want    [][]string
	}{
		"both may":                      {catalog.ConsentGiven, func(policies.Grant) bool { return false }, [][]string{{"S01.M1.d", "S01.M3.d"}}},
		"one may":                       {catalog.ConsentGiven, ofSW, [][]string{{"S01.M1.d"}, {"S01.M3.d"}}},
		"none may":                      {catalog.ConsentGiven, func(policies.Grant) bool { return true }, [][]string{{"S01.M1.d", "S01.M3.d"}}},
		"one may, by the second record": {catalog.ConsentGiven, func(g policies.Grant) bool { return ofSW(g) && g.Dataset == "D-ZR01" }, [][]string{{"S01.M1.d", "S01.M3.d"}}},
		"one could with consent":        {catalog.ConsentUnknown, ofSW, [][]string{{"S01.M1.d"}, {"S01.M3.d"}}},
		"both could with consent":       {catalog.ConsentUnknown, func(policies.Grant) bool { return false }, [][]string{{"S01.M1.d", "S01.M3.d"}}},
		"he has refused both":           {catalog.ConsentRefused, ofSW, [][]string{{"S01.M1.d", "S01.M3.d"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := wholeFounding()
			in.parties[2].Consent = test.consent
			s := without(t, rev, in, test.gone)
			parts := policies.Separate(s, requirement(t, s, premises))
			var got [][]string
			for i, part := range parts {
				got = append(got, part.UsedBy())
				if apart := i > 0; apart != (part.SamePaper == premises) {
					t.Errorf("part %d is the same paper as %q", i, part.SamePaper)
				}
			}
			if !slices.EqualFunc(got, test.want, slices.Equal[[]string]) {
				t.Errorf("taken apart to %v, want %v", got, test.want)
			}
		})
	}
}

func TestSeparate_LeavesWholeWhatNobodyLooksUp(t *testing.T) {
	t.Parallel()
	rev, in := jinanCatalog(t), wholeFounding()
	in.verdicts = map[string]catalog.Verdict{"S01.M1": catalog.Granted, "S01.M3": catalog.Granted}
	s := without(t, rev, in, func(g policies.Grant) bool { return g.Department == "SW" })
	for _, key := range []string{
		"S01.M1.d@p3", // of decided matters alone
		"S01.M1.a",    // of one use
	} {
		if r := requirement(t, s, key); len(policies.Separate(s, r)) != 1 {
			t.Errorf("%s was taken apart", key)
		}
	}
}

// A look-up about a role that nobody is in is nobody's right, and no reason to
// take anything apart.
func TestSeparate_LooksPastARoleThatNobodyIsIn(t *testing.T) {
	t.Parallel()
	rev, in := jinanCatalog(t), wholeFounding()
	in.parties = in.parties[1:] // no applicant, whose licence the seal asks for
	s := in.situation(t, rev)
	r := requirement(t, s, "S01.M2.b@p2")
	if parts := policies.Separate(s, r); len(r.Uses) < 2 || len(parts) != 1 {
		t.Errorf("%v was taken apart to %d", r.UsedBy(), len(parts))
	}
}
