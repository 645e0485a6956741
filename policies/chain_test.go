package policies_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/policies"
)

// card is the shareholder's identity card of a founding.
const card = "S01.M1.b@p2"

// changed gives the situation of a case with one material of the catalog changed.
func changed(t *testing.T, in setting, material string, change func(*catalog.Material)) *policies.Situation {
	t.Helper()
	rev := jinanCatalog(t)
	change(rev.Material(material))
	return in.situation(t, rev)
}

func TestSettle_APaperThatMayFollowSaysUntilWhen(t *testing.T) {
	t.Parallel()
	s := changed(t, founding(), "S01.M1.b", func(m *catalog.Material) { m.Chain = []catalog.Step{{Mode: catalog.ModeDefer, Days: 5}} })
	if out := settle(t, s, card); out.Outcome != policies.Deferred || out.DueDays != 5 || out.Reason != policies.ReasonMayFollow {
		t.Errorf("%s within %d days for %s", out.Outcome, out.DueDays, out.Reason)
	}
}

// What cannot be worked out is an error, and never an outcome.
func TestSettle_GuessesNothing(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]*policies.Situation{
		"a mode that is none":           changed(t, founding(), "S01.M1.b", func(m *catalog.Material) { m.Chain = []catalog.Step{{Mode: "magic"}} }),
		"a check that was not compiled": changed(t, founding(), "S01.M1.b", func(m *catalog.Material) { m.Proofs[0].Check = "true" }),
	} {
		if out, err := settleWith(s, card, idCard("2040-01-01")); err == nil {
			t.Errorf("%s: %s, want an error", name, out.Outcome)
		}
	}
	s := founding().situation(t, jinanCatalog(t))
	s.Facts = catalog.Facts{"accept_commitment": "maybe"} // of no type that the catalog knows
	if out, err := settleWith(s, "S01.M1.d@p3", policies.Answer{}); err == nil {
		t.Errorf("a fact of another type: %s, want an error", out.Outcome)
	}
}

// settleWith answers once and gives what comes of it.
func settleWith(s *policies.Situation, key string, with policies.Answer) (policies.Settlement, error) {
	at := slices.IndexFunc(s.Plan.Requirements, func(r *catalog.Requirement) bool { return r.Key() == key })
	out, err := policies.Settle(s, s.Plan.Requirements[at])
	for _, w := range out.Wishes {
		with.Asked = w.Fields
		s.Answers[w.Ask] = append(s.Answers[w.Ask], with)
	}
	if len(out.Wishes) == 0 || err != nil {
		return out, err
	}
	return policies.Settle(s, s.Plan.Requirements[at])
}

func TestSettle_YesOrNoReleasesNeitherFieldsNorReference(t *testing.T) {
	t.Parallel()
	s := changed(t, founding(), "S01.M1.b", func(m *catalog.Material) {
		m.Proofs[0].Lookups[0] = catalog.Lookup{Dataset: "D-GA01", YesNo: true}
	})
	given := idCard("2040-01-01")
	given.Reference = "证号"
	out := answer(t, s, card, func(w policies.Wish) policies.Answer {
		if !slices.Equal(w.Fields, []string{"valid_to"}) {
			t.Errorf("asks for %v, want the end of its validity alone", w.Fields)
		}
		return given
	})
	if out.Outcome != policies.Settled || len(out.Evidence) != 1 {
		t.Fatalf("%s with %d pieces of evidence", out.Outcome, len(out.Evidence))
	}
	if e := out.Evidence[0]; !e.YesNo || e.Fields != nil || e.Reference != "" || e.ValidUntil != "" {
		t.Errorf("released %+v", e)
	}
}

func TestSettle_AsksTheFactThatACheckNeeds(t *testing.T) {
	t.Parallel()
	in := founding()
	delete(in.facts, "premises_use")
	s := in.situation(t, jinanCatalog(t))
	out := answer(t, s, "S01.M1.d@p3", always(policies.Answer{Result: policies.OK, Fields: map[string]any{"holder": "吴刚", "usage": "住宅"}}))
	if out.Outcome != policies.NeedsFact || !slices.Equal(out.Questions, []string{"premises_use"}) {
		t.Errorf("%s, questions %v; want needs_fact for premises_use", out.Outcome, out.Questions)
	}
}

func TestSettle_AsksAboutTheOtherRoleThatAProofNames(t *testing.T) {
	t.Parallel()
	in := wholeFounding()
	in.parties[0].Number = "91370102MA9X200123"
	in.verdicts = map[string]catalog.Verdict{"S01.M1": catalog.Granted}
	in.results = map[string]policies.Reported{"S01.M1": {Number: "N-1"}} // without fields: the register is asked
	s := in.situation(t, jinanCatalog(t))
	subjects := map[string]string{}
	for _, w := range settle(t, s, "S01.M2.b@p2").Wishes {
		subjects[w.Dataset] = w.Party
	}
	if len(subjects) != 2 || subjects["D-GA01"] != "p2" || subjects["D-SC01"] != "p1" {
		t.Errorf("asks %v, want the card of p2 and the licence of p1", subjects)
	}
}

// resultOf changes a material to one that a matter's result proves.
func resultOf(t *testing.T, in setting, matter string) *policies.Situation {
	t.Helper()
	rev := jinanCatalog(t)
	m := rev.Material("S01.M5.b")
	m.Prior, m.Chain = []string{matter}, []catalog.Step{{Mode: catalog.ModeData}, {Mode: catalog.ModeUpload}}
	m.Proofs = []catalog.Proof{{Lookups: []catalog.Lookup{{Dataset: rev.Matter(matter).Result.Dataset, Subject: "applicant"}}}}
	return in.situation(t, rev)
}

func TestSettle_ARecordOfAResultIsNotAskedForElsewhere(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		verdict catalog.Verdict
		result  policies.Reported
		outcome policies.Outcome
		reason  policies.ReasonCode
	}{
		"pending":        {"", policies.Reported{}, policies.AwaitingPrior, policies.ReasonPriorPending},
		"refused":        {catalog.Refused, policies.Reported{}, policies.AwaitingPrior, policies.ReasonPriorRefused},
		"granted":        {catalog.Granted, policies.Reported{Fields: map[string]any{"x": "y"}}, policies.Settled, policies.ReasonRecordMatches},
		"granted, ended": {catalog.Granted, policies.Reported{Fields: map[string]any{"x": "y"}, ValidUntil: "2026-11-22"}, policies.Upload, "expired"},
	} {
		in := wholeFounding()
		in.verdicts = map[string]catalog.Verdict{"S01.M1": catalog.Granted}
		in.results = map[string]policies.Reported{"S01.M1": {Number: "N-1"}, "S01.M2": test.result}
		if test.verdict != "" {
			in.verdicts["S01.M2"] = test.verdict
		}
		out := settle(t, resultOf(t, in, "S01.M2"), "S01.M5.b")
		if out.Outcome != test.outcome || out.Reason != test.reason || len(out.Wishes) > 0 {
			t.Errorf("%s: %s for %s with %d wishes, want %s for %s", name, out.Outcome, out.Reason, len(out.Wishes), test.outcome, test.reason)
		}
	}
}

func TestSettle_PriorsAreAnyOrAll(t *testing.T) {
	t.Parallel()
	const granted, refused = catalog.Granted, catalog.Refused
	for _, test := range []struct {
		all     bool
		m2, m3  catalog.Verdict
		outcome policies.Outcome
		reason  policies.ReasonCode
	}{
		{false, granted, refused, policies.Settled, policies.ReasonPriorResult},
		{false, "", refused, policies.AwaitingPrior, policies.ReasonPriorPending},
		{false, refused, refused, policies.AwaitingPrior, policies.ReasonPriorRefused},
		{true, granted, refused, policies.AwaitingPrior, policies.ReasonPriorRefused},
		{true, granted, "", policies.AwaitingPrior, policies.ReasonPriorPending},
		{true, granted, granted, policies.Settled, policies.ReasonPriorResult},
	} {
		in := wholeFounding()
		in.verdicts = map[string]catalog.Verdict{"S01.M1": granted}
		for matter, verdict := range map[string]catalog.Verdict{"S01.M2": test.m2, "S01.M3": test.m3} {
			if verdict != "" {
				in.verdicts[matter] = verdict
			}
		}
		s := changed(t, in, "S01.M5.b", func(m *catalog.Material) {
			m.Prior, m.PriorAll, m.Chain = []string{"S01.M2", "S01.M3"}, test.all, []catalog.Step{{Mode: catalog.ModePrior}, {Mode: catalog.ModeUpload}}
		})
		if out := settle(t, s, "S01.M5.b"); out.Outcome != test.outcome || out.Reason != test.reason {
			t.Errorf("all %v, %q and %q: %s for %s, want %s for %s", test.all, test.m2, test.m3, out.Outcome, out.Reason, test.outcome, test.reason)
		}
	}
}

func TestSettle_ReusesThePaperOfTheSamePartyAlone(t *testing.T) {
	t.Parallel()
	in := wholeFounding()
	in.verdicts = map[string]catalog.Verdict{"S01.M1": catalog.Granted}
	rev := jinanCatalog(t)
	for name, test := range map[string]struct {
		handed policies.Handed
		mode   catalog.Mode
	}{
		"the same standard material": {policies.Handed{Party: "p3", StandardMaterial: "STD-HOUSE"}, catalog.ModeHistory},
		"the same material":          {policies.Handed{Party: "p3", Material: "S01.M3.d"}, catalog.ModeHistory},
		"of another party":           {policies.Handed{Party: "p2", StandardMaterial: "STD-HOUSE", Material: "S01.M3.d"}, catalog.ModeCancel},
		"another paper":              {policies.Handed{Party: "p3", StandardMaterial: "STD-ID", Material: "S01.M1.b"}, catalog.ModeCancel},
	} {
		s := in.situation(t, rev)
		test.handed.On = today
		s.Handed = []policies.Handed{test.handed}
		if out := settle(t, s, "S01.M3.d@p3"); out.Outcome != policies.Settled || out.Mode != test.mode {
			t.Errorf("%s: %s by %s, want it settled by %s", name, out.Outcome, out.Mode, test.mode)
		}
	}
}

// Where the catalog names nobody and no record fits the party, an officer of the
// matter's own department is asked.
func TestSettle_AsksTheMattersOwnOfficerWhereNoRecordFits(t *testing.T) {
	t.Parallel()
	s := changed(t, founding(), "S01.M1.b", func(m *catalog.Material) {
		m.Proofs = slices.DeleteFunc(slices.Clone(m.Proofs), func(p catalog.Proof) bool { return p.For != catalog.KindOrganization })
		m.Chain = []catalog.Step{{Mode: catalog.ModeAssist, Days: 2}, {Mode: catalog.ModeUpload}}
	})
	out := settle(t, s, card)
	if len(out.Wishes) != 1 || out.Wishes[0].Assistant != "SPJ" {
		t.Errorf("wishes %+v, want one to an officer of SPJ", out.Wishes)
	}
}

// Of what is read for a check and not given out it is said why.
func TestSettle_SaysWhyAFieldThatWasReadIsNotGivenOut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(*catalog.Lookup, *catalog.Field) // of valid_to
		fields map[string]any
		want   map[string]policies.Unavailable
	}{
		{"given", func(*catalog.Lookup, *catalog.Field) {}, idCard("2040-01-01").Fields, map[string]policies.Unavailable{}},
		{"yes or no", func(l *catalog.Lookup, _ *catalog.Field) { l.YesNo, l.Release = true, nil }, idCard("2040-01-01").Fields, map[string]policies.Unavailable{"valid_to": policies.YesNoOnly}},
		{"for the check alone", func(l *catalog.Lookup, _ *catalog.Field) { l.Release = []string{"name"} }, idCard("2040-01-01").Fields, map[string]policies.Unavailable{"valid_to": policies.NotReleased}},
		{"not shared", func(l *catalog.Lookup, f *catalog.Field) {
			l.Release, f.Sharing = []string{"name"}, catalog.SharingWithheld
		}, idCard("2040-01-01").Fields, map[string]policies.Unavailable{"valid_to": policies.NotShared}},
		{"the source has none", func(l *catalog.Lookup, _ *catalog.Field) { l.Release = []string{"name", "valid_to"} }, map[string]any{"name": "王建国"},
			map[string]policies.Unavailable{"valid_to": policies.NoValue}},
	} {
		s := changed(t, founding(), "S01.M1.b", func(m *catalog.Material) {
			m.Proofs[0].Lookups[0] = catalog.Lookup{Dataset: "D-GA01", Release: []string{"name", "valid_to"}}
		})
		c.change(&requirement(t, s, card).Proofs[0].Lookups[0], s.Catalog.Dataset("D-GA01").Field("valid_to"))
		s.Catalog.Dataset("D-GA01").Department = s.Receiver // its own records: a field that is not shared can be read
		given := idCard("2040-01-01")
		given.Fields = c.fields
		out := answer(t, s, card, always(given))
		if out.Outcome != policies.Settled || len(out.Evidence) != 1 {
			t.Errorf("%s: %s", c.name, out.Outcome)
			continue
		}
		if diff := cmp.Diff(c.want, out.Evidence[0].Unavailable); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}
