package policies_test

import (
	"slices"
	"testing"

	"mianti/catalog"
	"mianti/policies"
)

func TestSettle_AsksNobodyForADecidedMatter(t *testing.T) {
	t.Parallel()
	rev := jinanCatalog(t)
	for _, verdict := range []catalog.Verdict{catalog.Granted, catalog.Refused} {
		in := wholeFounding()
		in.verdicts = map[string]catalog.Verdict{"S01.M1": verdict}
		delete(in.facts, "has_preapproval") // not asked any more
		s := in.situation(t, rev)
		for _, r := range s.Plan.Requirements {
			if r.Matter().Code != "S01.M1" {
				continue
			}
			out := settle(t, s, r.Key())
			want := policies.ReasonMatterDecided
			if r.Applies == catalog.False {
				want = policies.ReasonConditionFalse
			}
			if out.Outcome != policies.NotApplicable || out.Reason != want || len(out.Wishes) > 0 {
				t.Errorf("%s: %s is %s for %s with %d wishes, want not_applicable for %s", verdict, r.Key(), out.Outcome, out.Reason, len(out.Wishes), want)
			}
		}
	}
}

func TestSettle_AsksTheFactThatDecidesWhetherAMaterialApplies(t *testing.T) {
	t.Parallel()
	rev, in := jinanCatalog(t), wholeFounding()
	delete(in.facts, "has_preapproval")
	s, asked := in.situation(t, rev), 0
	for _, r := range s.Plan.Requirements {
		if r.Applies != catalog.Unknown {
			continue
		}
		asked++
		if out := settle(t, s, r.Key()); out.Outcome != policies.NeedsFact || !slices.Equal(out.Questions, []string{"has_preapproval"}) {
			t.Errorf("%s is %s, questions %v", r.Key(), out.Outcome, out.Questions)
		}
	}
	if asked == 0 {
		t.Error("no material hangs on the fact")
	}
}

// What people have said since stands in place of what came with the case.
func TestSettle_GoesByThePermissionThatIsInForce(t *testing.T) {
	t.Parallel()
	rev := jinanCatalog(t)
	const card = "S01.M1.b@p2" // of a shareholder, who agreed when the case was opened
	for name, test := range map[string]struct {
		permission policies.Permission
		outcome    policies.Outcome
		reason     policies.ReasonCode
	}{
		"withdrawn":            {policies.Permission{State: catalog.ConsentRefused}, policies.Upload, policies.ReasonConsentRefused},
		"for other fields":     {policies.Permission{State: catalog.ConsentGiven, Fields: map[string][]string{"D-GA01": {"name"}}}, policies.NeedsConsent, policies.ReasonConsentMissing},
		"ended at this moment": {policies.Permission{State: catalog.ConsentGiven, Everything: true, Until: now}, policies.NeedsConsent, policies.ReasonConsentMissing},
		"for these fields":     {policies.Permission{State: catalog.ConsentGiven, Fields: map[string][]string{"D-GA01": {"name", "citizen_id", "valid_to"}}}, policies.Settled, policies.ReasonLicenceValid},
	} {
		s := founding().situation(t, rev)
		s.Permissions = map[string]policies.Permission{"p2": test.permission}
		if out := answer(t, s, card, always(idCard("2040-01-01"))); out.Outcome != test.outcome || out.Reason != test.reason {
			t.Errorf("%s: %s for %s, want %s for %s", name, out.Outcome, out.Reason, test.outcome, test.reason)
		}
	}
}

// What a guardian has said of the child is the child's entry. What he has said of
// look-ups about himself stands for the child only where there is none.
func TestSettle_AGuardiansWordAboutHimselfIsNotAboutTheChild(t *testing.T) {
	t.Parallel()
	yes, no := policies.Permission{State: catalog.ConsentGiven, Everything: true}, policies.Permission{State: catalog.ConsentRefused}
	for name, test := range map[string]struct {
		said   map[string]policies.Permission
		asks   bool
		reason policies.ReasonCode
	}{
		"what came with the case":      {nil, true, ""},
		"yes, and of the child as yet": {map[string]policies.Permission{"p1": yes, "p2": {}}, false, policies.ReasonConsentMissing},
		"yes, and no of the child":     {map[string]policies.Permission{"p1": yes, "p2": no}, false, policies.ReasonConsentRefused},
		"no, and yes of the child":     {map[string]policies.Permission{"p1": no, "p2": yes}, true, ""},
		"no, and there is no other":    {map[string]policies.Permission{"p1": no}, false, policies.ReasonConsentRefused},
	} {
		s := schoolingOf(t, "370199201908051134")
		s.Permissions = test.said
		out := settle(t, s, household)
		if out.Reason != test.reason || (len(out.Wishes) > 0) != test.asks {
			t.Errorf("%s: %s for %s with %d wishes, want one: %v, reason %q", name, out.Outcome, out.Reason, len(out.Wishes), test.asks, test.reason)
		}
	}
}

func TestSettle_AsksNobodyForWhatIsStopped(t *testing.T) {
	t.Parallel()
	rev := jinanCatalog(t)
	for _, test := range []struct {
		stop policies.Stop
		why  policies.ReasonOfDecision
	}{
		{policies.Stop{Kind: policies.StopDataset, ID: "D-GA01"}, policies.DatasetIsStopped},
		{policies.Stop{Kind: policies.StopGrant, ID: "S01.M1/D-GA01"}, policies.GrantIsStopped},
		{policies.Stop{Kind: policies.StopSystem, ID: "spj-1"}, policies.SystemIsStopped},
	} {
		s := founding().situation(t, rev)
		s.System, s.Stops = "spj-1", policies.IndexStops([]policies.Stop{test.stop})
		out := settle(t, s, "S01.M1.b@p2")
		if out.Outcome != policies.Upload || out.Reason != policies.ReasonCode(policies.NoGrant) || len(out.Wishes) > 0 {
			t.Errorf("%s stopped: %s for %s with %d wishes", test.stop.Kind, out.Outcome, out.Reason, len(out.Wishes))
		}
		if a := out.Attempts[0]; !a.Denied(policies.GrantMissing, test.why) || a.Denied(policies.GrantMissing) {
			t.Errorf("%s stopped: the attempt says %q, want %s", test.stop.Kind, a.Detail, test.why)
		}
	}
}
