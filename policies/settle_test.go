package policies_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/examples/jinan"
	"mianti/policies"
)

var (
	now   = time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	today = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
)

// jinanCatalog loads the catalog that ships: the rule is tested on real
// materials, named in each test.
func jinanCatalog(t testing.TB) *catalog.Revision {
	t.Helper()
	rev, err := catalog.Load(jinan.Files)
	if err != nil {
		t.Fatal(err)
	}
	return rev
}

// setting is a case under test.
type setting struct {
	subject  string
	facts    catalog.Facts
	parties  []catalog.Party
	verdicts map[string]catalog.Verdict
	results  map[string]policies.Reported
	noGrants bool
}

func (in setting) situation(t testing.TB, rev *catalog.Revision) *policies.Situation {
	t.Helper()
	plan, err := rev.Plan(catalog.PlanInput{Subject: in.subject, Facts: in.facts, Parties: in.parties, Verdicts: in.verdicts})
	if err != nil {
		t.Fatal(err)
	}
	grants := policies.IndexGrants(nil)
	if !in.noGrants {
		grants = policies.IndexGrants(everyGrant(rev))
	}
	return &policies.Situation{
		Catalog: rev, Plan: plan, Receiver: "SPJ", Parties: in.parties, Facts: in.facts, Grants: grants, Now: now, Today: today,
		Results: in.results, Answers: map[policies.Ask][]policies.Answer{},
	}
}

// everyGrant gives every department every field of every dataset for each of
// its matters.
func everyGrant(rev *catalog.Revision) []policies.Grant {
	var grants []policies.Grant
	for _, m := range rev.Matters() {
		for _, d := range rev.Datasets() {
			var fields []string
			for _, f := range d.Fields {
				fields = append(fields, f.Code)
			}
			grants = append(grants, policies.Grant{
				ID: m.Code + "/" + d.Code, Department: m.Department, Matter: m.Code, Dataset: d.Code, Fields: fields,
				From: now.AddDate(-1, 0, 0), Until: now.AddDate(1, 0, 0), State: policies.GrantActive,
			})
		}
	}
	return grants
}

func requirement(t testing.TB, s *policies.Situation, key string) *catalog.Requirement {
	t.Helper()
	for _, r := range s.Plan.Requirements {
		if r.Key() == key {
			return r
		}
	}
	var keys []string
	for _, r := range s.Plan.Requirements {
		keys = append(keys, r.Key())
	}
	t.Fatalf("the plan has no requirement %s; it has %v", key, keys)
	return nil
}

func settle(t testing.TB, s *policies.Situation, key string) policies.Settlement {
	t.Helper()
	out, err := policies.Settle(s, requirement(t, s, key))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// answer gives every wish the same answer until there are none.
func answer(t testing.TB, s *policies.Situation, key string, with func(policies.Wish) policies.Answer) policies.Settlement {
	t.Helper()
	for range 20 {
		out := settle(t, s, key)
		if len(out.Wishes) == 0 {
			return out
		}
		for _, w := range out.Wishes {
			given := with(w)
			given.Asked = w.Fields
			s.Answers[w.Ask] = append(s.Answers[w.Ask], given)
		}
	}
	t.Fatal("the chain does not end")
	return policies.Settlement{}
}

func always(a policies.Answer) func(policies.Wish) policies.Answer {
	return func(policies.Wish) policies.Answer { return a }
}

// founding is a company to be founded: 企业开办 with one shareholder.
func founding() setting {
	return setting{
		subject: "S01",
		facts: catalog.Facts{
			"applicant_kind": "company", "ent_type": "ltd", "premises": "own", "premises_use": "commercial", "need_seal": true,
			"has_employee": false, "agent": false, "foreign_party": false, "has_preapproval": false, "noncash_capital": false,
			"name_reserved": false, "accept_commitment": false,
		},
		parties: []catalog.Party{
			{ID: "p1", Roles: []string{"applicant"}, Kind: catalog.KindOrganization, Name: "济南示例新设有限公司"},
			{ID: "p2", Roles: []string{"shareholder", "legal_representative", "officer"}, Kind: catalog.KindPerson, Name: "王建国", Number: "370199198805163315", Consent: catalog.ConsentGiven},
			{ID: "p3", Roles: []string{"property_holder"}, Kind: catalog.KindPerson, Name: "吴刚", Number: "370199196809113156", Consent: catalog.ConsentGiven},
			{ID: "p4", Roles: []string{"tax_officer"}, Kind: catalog.KindPerson, Name: "刘海燕", Number: "370199199206183466", Consent: catalog.ConsentGiven},
		},
	}
}

func idCard(until string) policies.Answer {
	return policies.Answer{Result: policies.OK, Source: "GA.D-GA01.elicense", Fields: map[string]any{
		"name": "王建国", "citizen_id": "370199198805163315", "valid_to": until,
	}}
}

func TestSettle_OnlyOKSettles(t *testing.T) {
	t.Parallel()
	rev := jinanCatalog(t)
	revoked := idCard("2040-01-01")
	revoked.Revoked = true
	for _, test := range []struct {
		name    string
		answer  policies.Answer
		outcome policies.Outcome
		reason  policies.ReasonCode
	}{
		{"found and in force", idCard("2040-01-01"), policies.Settled, policies.ReasonLicenceValid},
		{"valid until today", idCard("2026-11-23"), policies.Settled, policies.ReasonLicenceValid},
		{"expired yesterday", idCard("2026-11-22"), policies.Upload, "expired"},
		{"marked as no longer in force", revoked, policies.Upload, "expired"},
		{"not found", policies.Answer{Result: policies.NotFound}, policies.Upload, "not_found"},
		{"another name", policies.Answer{Result: policies.Mismatch, Mismatch: "name"}, policies.Upload, "mismatch"},
		{"several", policies.Answer{Result: policies.Multiple}, policies.Upload, "multiple"},
		{"source down", policies.Answer{Result: policies.SourceDown, Fault: "timeout"}, policies.Upload, "source_down"},
		{"stale", policies.Answer{Result: policies.Stale}, policies.Upload, "stale"},
	} {
		t.Run(test.name, func(t *testing.T) {
			out := answer(t, founding().situation(t, rev), "S01.M1.b@p2", always(test.answer))
			if out.Outcome != test.outcome || out.Reason != test.reason {
				t.Errorf("%s for %s, want %s for %s", out.Outcome, out.Reason, test.outcome, test.reason)
			}
			if settled := out.Evidence != nil; settled != (test.outcome == policies.Settled) {
				t.Errorf("evidence %v with outcome %s", out.Evidence, out.Outcome)
			}
		})
	}
}

func TestSettle_GoesDownTheChain(t *testing.T) {
	t.Parallel()
	out := answer(t, founding().situation(t, jinanCatalog(t)), "S01.M1.b@p2", func(w policies.Wish) policies.Answer {
		if w.Mode == catalog.ModeElicense {
			return policies.Answer{Result: policies.SourceDown, Fault: "down", Millis: 7}
		}
		return idCard("2040-01-01")
	})
	want := []policies.Attempt{
		{Mode: catalog.ModeElicense, Dataset: "D-GA01", Result: policies.SourceDown, Detail: "down"},
		{Mode: catalog.ModeData, Dataset: "D-GA01", Result: policies.OK},
	}
	for i := range out.Attempts {
		out.Attempts[i].Millis = 0
	}
	if diff := cmp.Diff(want, out.Attempts); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if out.Outcome != policies.Settled || out.Mode != catalog.ModeData {
		t.Errorf("%s by %s, want settled by data", out.Outcome, out.Mode)
	}
}

func TestSettle_ReleasesNoMoreThanTheMaterialNeeds(t *testing.T) {
	t.Parallel()
	full := idCard("2040-01-01")
	full.Fields["address"] = "某处"
	out := answer(t, founding().situation(t, jinanCatalog(t)), "S01.M1.b@p2", always(full))
	want := map[string]any{"name": "王建国", "citizen_id": "370199198805163315", "valid_to": "2040-01-01"}
	if diff := cmp.Diff(want, out.Evidence[0].Fields); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestSettle_AsksNobodyWithoutConsentOrGrant(t *testing.T) {
	t.Parallel()
	rev := jinanCatalog(t)
	for _, test := range []struct {
		name    string
		consent catalog.ConsentState
		noGrant bool
		outcome policies.Outcome
		reason  policies.ReasonCode
	}{
		{"a shareholder who said nothing", catalog.ConsentUnknown, false, policies.NeedsConsent, policies.ReasonConsentMissing},
		{"a shareholder who refused", catalog.ConsentRefused, false, policies.Upload, policies.ReasonConsentRefused},
		{"no grant", catalog.ConsentGiven, true, policies.Upload, "no_grant"},
		{"no grant and no word", catalog.ConsentUnknown, true, policies.Upload, "no_grant"},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := founding()
			in.parties[1].Consent = test.consent
			in.parties[1].Roles = []string{"shareholder"}
			in.parties = append(in.parties, catalog.Party{ID: "p5", Roles: []string{"legal_representative", "officer"}, Kind: catalog.KindPerson, Name: "周敏", Number: "370199198302151427", Consent: catalog.ConsentGiven})
			in.noGrants = test.noGrant
			out := settle(t, in.situation(t, rev), "S01.M1.b@p2")
			if out.Outcome != test.outcome || out.Reason != test.reason || len(out.Wishes) > 0 {
				t.Errorf("%s for %s with %d wishes, want %s for %s and none", out.Outcome, out.Reason, len(out.Wishes), test.outcome, test.reason)
			}
		})
	}
}

func TestSettle_WaitsForAPriorResultAndStopsWhenItIsRefused(t *testing.T) {
	t.Parallel()
	rev := jinanCatalog(t)
	const licence = "S01.M2.a@p1"
	pending := settle(t, founding().situation(t, rev), licence)
	if pending.Outcome != policies.AwaitingPrior || pending.Reason != policies.ReasonPriorPending || !slices.Equal(pending.Prior, []string{"S01.M1"}) {
		t.Errorf("before: %s for %s on %v", pending.Outcome, pending.Reason, pending.Prior)
	}
	in := founding()
	in.verdicts = map[string]catalog.Verdict{"S01.M1": catalog.Granted}
	in.results = map[string]policies.Reported{"S01.M1": {Number: "N-1", IssuedOn: "2026-11-20", Fields: map[string]any{"registration_status": "存续"}}}
	granted := settle(t, in.situation(t, rev), licence)
	if granted.Outcome != policies.Settled || granted.Mode != catalog.ModePrior || granted.Evidence[0].Reference != "N-1" {
		t.Errorf("granted: %s by %s with %v", granted.Outcome, granted.Mode, granted.Evidence)
	}
	in.verdicts["S01.M1"] = catalog.Refused
	in.results = nil
	refused := settle(t, in.situation(t, rev), licence)
	if refused.Outcome != policies.AwaitingPrior || refused.Reason != policies.ReasonPriorRefused {
		t.Errorf("refused: %s for %s, want awaiting_prior for prior_refused, never upload", refused.Outcome, refused.Reason)
	}
}

func TestSettle_TakesARecordOfThisCaseFromTheReportedResult(t *testing.T) {
	t.Parallel()
	rev := jinanCatalog(t)
	in := founding()
	in.verdicts = map[string]catalog.Verdict{"S01.M1": catalog.Granted}
	for name, test := range map[string]struct {
		representative string
		outcome        policies.Outcome
	}{
		"the licence names him":         {"王建国", policies.Settled},
		"the licence names another":     {"李文博", policies.Upload},
		"written with blanks, the same": {" 王 建 国", policies.Settled},
	} {
		in.results = map[string]policies.Reported{"S01.M1": {Number: "N-1", Fields: map[string]any{"legal_representative": test.representative, "registration_status": "存续"}}}
		out := answer(t, in.situation(t, rev), "S01.M2.b@p2", func(w policies.Wish) policies.Answer {
			if w.Dataset != "D-GA01" {
				t.Errorf("%s: asked for %s, which this case brings about itself", name, w.Dataset)
			}
			return idCard("2040-01-01")
		})
		if out.Outcome != test.outcome {
			t.Errorf("%s: %s, want %s", name, out.Outcome, test.outcome)
		}
	}
}

func TestSettle_AsksWhetherTheApplicantCommits(t *testing.T) {
	t.Parallel()
	rev := jinanCatalog(t)
	const premises = "S01.M1.d@p3"
	in := founding()
	delete(in.facts, "accept_commitment")
	if out := settle(t, in.situation(t, rev), premises); out.Outcome != policies.NeedsFact || !slices.Equal(out.Questions, []string{"accept_commitment"}) {
		t.Errorf("unsaid: %s, questions %v", out.Outcome, out.Questions)
	}
	in.facts["accept_commitment"] = true
	if out := settle(t, in.situation(t, rev), premises); out.Outcome != policies.Committed {
		t.Errorf("accepted: %s", out.Outcome)
	}
	in.facts["accept_commitment"] = false
	if out := settle(t, in.situation(t, rev), premises); len(out.Wishes) == 0 {
		t.Errorf("declined: %s, want a look-up", out.Outcome)
	}
}

func TestSettle_AChainWithoutUploadNeverAsksForPaper(t *testing.T) {
	t.Parallel()
	rev := jinanCatalog(t)
	for result, reason := range map[policies.Result]policies.ReasonCode{
		policies.SourceDown: policies.ReasonSourceRetry, policies.NotFound: policies.ReasonManualCheck,
	} {
		out := answer(t, founding().situation(t, rev), "S01.M1.j@p2", always(policies.Answer{Result: result}))
		if out.Outcome != policies.Verifying || out.Reason != reason {
			t.Errorf("%s: %s for %s, want verifying for %s", result, out.Outcome, out.Reason, reason)
		}
	}
}

func TestSettle_ReusesAPaperHandedInWithinItsTime(t *testing.T) {
	t.Parallel()
	rev := jinanCatalog(t)
	in := setting{subject: "S04.M21", facts: catalog.Facts{"civil_defense": "exempt"}}
	for name, test := range map[string]struct {
		on      time.Time
		outcome policies.Outcome
	}{
		"last month":      {today.AddDate(0, -1, 0), policies.Settled},
		"three years ago": {today.AddDate(-3, 0, 0), policies.Upload},
	} {
		s := in.situation(t, rev)
		s.Handed = []policies.Handed{{Material: "S04.M21.a", On: test.on, Digest: "sha256:1"}}
		if out := settle(t, s, "S04.M21.a"); out.Outcome != test.outcome {
			t.Errorf("%s: %s, want %s", name, out.Outcome, test.outcome)
		}
	}
}

// TestSettle_IsAFunctionOfItsInputs settles a case twice from the same inputs:
// nothing but the inputs may show in the result.
func TestSettle_IsAFunctionOfItsInputs(t *testing.T) {
	t.Parallel()
	rev := jinanCatalog(t)
	a, b := founding().situation(t, rev), founding().situation(t, rev)
	for i, r := range a.Plan.Requirements {
		first := answer(t, a, r.Key(), always(idCard("2040-01-01")))
		second := answer(t, b, b.Plan.Requirements[i].Key(), always(idCard("2040-01-01")))
		if diff := cmp.Diff(first, second); diff != "" {
			t.Errorf("%s differs:\n%s", r.Key(), diff)
		}
	}
}

func TestSettle_AResultThatHasEndedSettlesNothing(t *testing.T) {
	t.Parallel()
	rev := jinanCatalog(t)
	for name, test := range map[string]struct {
		until   string
		outcome policies.Outcome
		reason  policies.ReasonCode
	}{
		"valid until today":   {"2026-11-23", policies.Settled, policies.ReasonPriorResult},
		"ended yesterday":     {"2026-11-22", policies.Upload, "not_found"},
		"no end is mentioned": {"", policies.Settled, policies.ReasonPriorResult},
	} {
		in := founding()
		in.verdicts = map[string]catalog.Verdict{"S01.M1": catalog.Granted}
		in.results = map[string]policies.Reported{"S01.M1": {Number: "N-1", ValidUntil: test.until}}
		out := settle(t, in.situation(t, rev), "S01.M2.a@p1") // the applicant has no number to ask by
		if out.Outcome != test.outcome || out.Reason != test.reason {
			t.Errorf("%s: %s for %s, want %s for %s", name, out.Outcome, out.Reason, test.outcome, test.reason)
		}
	}
}

func TestSettle_AResultOfOnePartySettlesNoOther(t *testing.T) {
	t.Parallel()
	rev := jinanCatalog(t)
	in := founding()
	in.verdicts = map[string]catalog.Verdict{"S01.M1": catalog.Granted}
	for whose, want := range map[string]policies.Outcome{"p1": policies.Settled, "p2": policies.Upload, "": policies.Settled} {
		in.results = map[string]policies.Reported{"S01.M1": {Number: "N-1", Party: whose}}
		if out := settle(t, in.situation(t, rev), "S01.M2.a@p1"); out.Outcome != want {
			t.Errorf("a result of %q: %s, want %s", whose, out.Outcome, want)
		}
	}
}

func TestSettle_AFaultIsNotForgottenForALaterNotFound(t *testing.T) {
	t.Parallel()
	in := setting{
		subject: "S12.M1",
		facts:   catalog.Facts{"truck_new": false, "big_over": false, "repeat_6m": false, "over_level": "L1", "accept_commitment": false, "applicant_kind": "company"},
		parties: []catalog.Party{
			{ID: "p1", Roles: []string{"applicant", "carrier"}, Kind: catalog.KindOrganization, Name: "济南大件物流（示例）有限公司", Number: "91370102MA9X10041B"},
			{ID: "p2", Roles: []string{"agent"}, Kind: catalog.KindPerson, Name: "孙志强", Number: "370199197506302296", Consent: catalog.ConsentGiven},
			{ID: "v1", Roles: []string{"vehicle"}, Kind: catalog.KindVehicle, Name: "鲁A0X001", Number: "LTEST000000000001"},
		},
	}
	rev := jinanCatalog(t)
	for result, want := range map[policies.Result]policies.Outcome{policies.SourceDown: policies.Verifying, policies.NotFound: policies.Settled} {
		out := answer(t, in.situation(t, rev), "S12.M1.g@v1", always(policies.Answer{Result: result})) // data, then cancel
		if out.Outcome != want {
			t.Errorf("%s before a cancel: %s, want %s", result, out.Outcome, want)
		}
	}
}

func TestSettle_NoOtherWayIsTriedToAskAboutAPersonWhoRefused(t *testing.T) {
	t.Parallel()
	in := setting{
		subject: "S05.M2",
		facts:   catalog.Facts{"house_kind": "grandparent"},
		parties: []catalog.Party{
			{ID: "p1", Roles: []string{"applicant", "guardian"}, Kind: catalog.KindPerson, Name: "郑丽华", Number: "370199198704202485", Consent: catalog.ConsentGiven},
			{ID: "p2", Roles: []string{"child"}, Kind: catalog.KindPerson, Name: "冯乐乐", Number: "370199201908051134"},
			{ID: "p3", Roles: []string{"grandparent"}, Kind: catalog.KindPerson, Name: "冯德海", Number: "370199195803271378", Consent: catalog.ConsentRefused},
			{ID: "p4", Roles: []string{"residence"}, Kind: catalog.KindAddress, Name: "济南市示例区泉北路8号2号楼301室", Number: "370199000000000001"},
		},
	}
	out := settle(t, in.situation(t, jinanCatalog(t)), "S05.M2.b@p3") // data, then assist
	if out.Outcome != policies.Verifying || out.Reason != policies.ReasonManualCheck || len(out.Wishes) > 0 {
		t.Errorf("%s for %s with %d wishes, want verifying for manual_check and none", out.Outcome, out.Reason, len(out.Wishes))
	}
}

func TestSettle_ALaterAnswerForOtherFieldsTakesNothingAway(t *testing.T) {
	t.Parallel()
	s := founding().situation(t, jinanCatalog(t))
	ask := policies.Ask{Mode: catalog.ModeElicense, Dataset: "D-GA01", Party: "p2"}
	good := idCard("2040-01-01")
	good.Asked = []string{"citizen_id", "name", "valid_to"}
	s.Answers[ask] = []policies.Answer{
		{Result: policies.NotFound, Asked: []string{"address"}}, // asked for too little
		good,
		{Result: policies.SourceDown, Asked: []string{"address", "citizen_id", "name", "valid_to"}},
	}
	if out := settle(t, s, "S01.M1.b@p2"); out.Outcome != policies.Settled {
		t.Errorf("%s for %s, want settled by the answer that covers its fields", out.Outcome, out.Reason)
	}
}
