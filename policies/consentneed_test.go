package policies_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"mianti/catalog"
	"mianti/policies"
)

// need is a ConsentNeed in words.
type need struct {
	party, material, department, dataset string
	fields                               string
	guardian, yesNo                      bool
}

func needsOf(t *testing.T, s *policies.Situation) []need {
	t.Helper()
	found, err := policies.ConsentNeeds(s)
	if err != nil {
		t.Fatal(err)
	}
	var needs []need
	for _, n := range found {
		needs = append(needs, need{
			party: n.Party.ID, material: n.Use.Material.Code, department: n.Use.Matter.Department, dataset: n.Dataset.Code,
			fields: strings.Join(n.Fields, " "), guardian: n.Guardian, yesNo: n.YesNo,
		})
	}
	return needs
}

func wantNeeds(t *testing.T, want, got []need) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(need{}), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// ofMaterial leaves the needs of one material.
func ofMaterial(needs []need, code string) []need {
	return slices.DeleteFunc(needs, func(n need) bool { return n.material != code })
}

const cardFields = "citizen_id name valid_to"

// What founding needs. The shareholder's card is asked for twice, as he is an
// officer too; the premises by either of two registers. S01.M3.d asks for the
// premises as well, but no step of its chain looks them up. The legal
// representative of S01.M1.j and S01.M2.b is read about by the clause of his
// role, and the applicant by its own application.
func foundingNeeds() []need {
	return []need{
		{party: "p2", material: "S01.M1.b", department: "SPJ", dataset: "D-GA01", fields: cardFields},
		{party: "p2", material: "S01.M1.i", department: "SPJ", dataset: "D-GA01", fields: cardFields},
		{party: "p3", material: "S01.M1.d", department: "SPJ", dataset: "D-ZR01", fields: "certificate_number holder location registered_on unit_number usage"},
		{party: "p3", material: "S01.M1.d", department: "SPJ", dataset: "D-ZJ12", fields: "filing_number lease_to lessee lessor location usage"},
		{party: "p4", material: "S01.M3.c", department: "SW", dataset: "D-GA01", fields: cardFields},
	}
}

func TestConsentNeeds_ListsEachLookUpOnceForEachUse(t *testing.T) {
	t.Parallel()
	wantNeeds(t, foundingNeeds(), needsOf(t, founding().situation(t, jinanCatalog(t))))
}

func TestConsentNeeds_IsTheSameWhateverHasBeenSaid(t *testing.T) {
	t.Parallel()
	rev := jinanCatalog(t)
	for name, test := range map[string]struct {
		came catalog.ConsentState
		said map[string]policies.Permission
	}{
		"nothing":             {catalog.ConsentUnknown, nil},
		"no, with the case":   {catalog.ConsentRefused, nil},
		"yes, to everything":  {catalog.ConsentUnknown, map[string]policies.Permission{"p2": {State: catalog.ConsentGiven, Everything: true}}},
		"no, after a yes":     {catalog.ConsentGiven, map[string]policies.Permission{"p2": {State: catalog.ConsentRefused}}},
		"yes, for some field": {catalog.ConsentGiven, map[string]policies.Permission{"p2": {State: catalog.ConsentGiven, Fields: map[string][]string{"D-GA01": {"name"}}}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := wholeFounding()
			for i := range in.parties {
				in.parties[i].Consent = test.came
			}
			s := in.situation(t, rev)
			s.Permissions = maps.Clone(test.said)
			wantNeeds(t, foundingNeeds(), needsOf(t, s))
			if diff := cmp.Diff(test.said, s.Permissions); diff != "" {
				t.Errorf("the situation was changed, -before +after:\n%s", diff)
			}
		})
	}
}

// Consent is the last thing that is asked for: where it alone would not do,
// nobody is troubled for it.
func TestConsentNeeds_AsksNobodyWhereAConsentWouldNotDo(t *testing.T) {
	t.Parallel()
	rev := jinanCatalog(t)
	card := foundingNeeds()[0].dataset
	noGrants := founding()
	noGrants.noGrants = true
	wantNeeds(t, nil, needsOf(t, noGrants.situation(t, rev)))

	stopped := founding().situation(t, rev)
	stopped.Stops = policies.IndexStops([]policies.Stop{{Kind: policies.StopDataset, ID: card}})
	wantNeeds(t, foundingNeeds()[2:4], needsOf(t, stopped))

	narrow := without(t, rev, founding(), func(g policies.Grant) bool { return g.Matter == "S01.M1" && g.Dataset == card })
	wantNeeds(t, foundingNeeds()[2:], needsOf(t, narrow))
}

// foundingByAgent is founding with an agent, whose card two departments ask for.
func foundingByAgent() setting {
	in := wholeFounding()
	in.facts["agent"] = true
	in.parties = append(in.parties, catalog.Party{ID: "p5", Roles: []string{"agent"}, Kind: catalog.KindPerson, Name: "周敏", Number: "370199198302151427"})
	return in
}

func TestConsentNeeds_LooksAtAJoinedRequirementUseByUse(t *testing.T) {
	t.Parallel()
	ofSPJ := need{party: "p5", material: "S01.M1.o", department: "SPJ", dataset: "D-GA01", fields: cardFields}
	ofGA := need{party: "p5", material: "S01.M2.d", department: "GA", dataset: "D-GA01", fields: "name valid_to"}
	for name, test := range map[string]struct {
		lacks string // department without a grant
		want  []need
	}{
		"both have a grant": {"", []need{ofSPJ, ofGA}},
		"the first alone":   {"GA", []need{ofSPJ}},
		"the second alone":  {"SPJ", []need{ofGA}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rev := jinanCatalog(t)
			rev.Material("S01.M2.d").Proofs = []catalog.Proof{{Lookups: []catalog.Lookup{{Dataset: "D-GA01", Release: []string{"name"}}}}}
			s := without(t, rev, foundingByAgent(), func(g policies.Grant) bool { return g.Department == test.lacks })
			if uses := requirement(t, s, "S01.M1.o@p5").UsedBy(); !slices.Equal(uses, []string{"S01.M1.o", "S01.M2.d"}) {
				t.Fatalf("the plan joins %v", uses)
			}
			ofAgent := slices.DeleteFunc(needsOf(t, s), func(n need) bool { return n.party != "p5" })
			wantNeeds(t, test.want, ofAgent)
		})
	}
}

func TestConsentNeeds_AsksForNoMaterialThatIsNotAskedFor(t *testing.T) {
	t.Parallel()
	rev := jinanCatalog(t)
	for name, test := range map[string]struct {
		agent    any // the fact; nil for unknown
		seal     any
		verdicts map[string]catalog.Verdict
		want     []string
	}{
		"all apply":                         {true, true, nil, []string{"p2 S01.M1.b", "p2 S01.M1.i", "p3 S01.M1.d", "p3 S01.M1.d", "p5 S01.M1.o", "p5 S01.M2.d", "p4 S01.M3.c"}},
		"it does not apply":                 {false, true, nil, []string{"p2 S01.M1.b", "p2 S01.M1.i", "p3 S01.M1.d", "p3 S01.M1.d", "p4 S01.M3.c"}},
		"it may apply":                      {nil, true, nil, []string{"p2 S01.M1.b", "p2 S01.M1.i", "p3 S01.M1.d", "p3 S01.M1.d", "p4 S01.M3.c"}},
		"its matter is skipped":             {true, false, nil, []string{"p2 S01.M1.b", "p2 S01.M1.i", "p3 S01.M1.d", "p3 S01.M1.d", "p5 S01.M1.o", "p4 S01.M3.c"}},
		"its matter may apply":              {true, nil, nil, []string{"p2 S01.M1.b", "p2 S01.M1.i", "p3 S01.M1.d", "p3 S01.M1.d", "p5 S01.M1.o", "p4 S01.M3.c"}},
		"its matter is granted":             {true, true, map[string]catalog.Verdict{"S01.M1": catalog.Granted}, []string{"p5 S01.M2.d", "p4 S01.M3.c"}},
		"its matter is refused, or stopped": {true, true, map[string]catalog.Verdict{"S01.M1": catalog.Refused}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := foundingByAgent()
			in.facts["agent"], in.facts["need_seal"], in.verdicts = test.agent, test.seal, test.verdicts
			for fact, value := range in.facts {
				if value == nil {
					delete(in.facts, fact)
				}
			}
			var got []string
			for _, n := range needsOf(t, in.situation(t, rev)) {
				got = append(got, n.party+" "+n.material)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// premisesBy is the situation of a founding whose premises are proved by a chain.
// The condition of its first step is the one that the catalog has there.
func premisesBy(t *testing.T, accepts any, chain ...catalog.Step) *policies.Situation {
	t.Helper()
	in := founding()
	in.facts["accept_commitment"] = accepts
	if accepts == nil {
		delete(in.facts, "accept_commitment")
	}
	return changed(t, in, "S01.M1.d", func(m *catalog.Material) {
		if m.Chain[0].When != "accept_commitment" {
			t.Fatalf("the first step applies when %q", m.Chain[0].When)
		}
		chain[0].When = m.Chain[0].When
		m.Chain = chain
	})
}

func TestConsentNeeds_GoesByTheStepsThatMayApply(t *testing.T) {
	t.Parallel()
	const deed, lease = "D-ZR01", "D-ZJ12"
	for name, test := range map[string]struct {
		accepts any // the fact that the condition of the first step needs; nil for unknown
		chain   []catalog.Mode
		want    []string
	}{
		"the step applies":                 {true, []catalog.Mode{catalog.ModeData, catalog.ModeUpload}, []string{deed, lease}},
		"the step may apply":               {nil, []catalog.Mode{catalog.ModeData, catalog.ModeUpload}, []string{deed, lease}},
		"the step does not apply":          {false, []catalog.Mode{catalog.ModeData, catalog.ModeUpload}, nil},
		"another step applies":             {false, []catalog.Mode{catalog.ModeData, catalog.ModeData, catalog.ModeUpload}, []string{deed, lease}},
		"a licence, which one proof has":   {false, []catalog.Mode{catalog.ModeCommit, catalog.ModeElicense, catalog.ModeUpload}, []string{deed}},
		"by both ways":                     {false, []catalog.Mode{catalog.ModeCommit, catalog.ModeElicense, catalog.ModeData}, []string{deed, lease}},
		"no step asks for a record":        {true, []catalog.Mode{catalog.ModeCommit, catalog.ModeHistory, catalog.ModeUpload}, nil},
		"an officer is asked in its place": {true, []catalog.Mode{catalog.ModeAssist, catalog.ModeUpload}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var steps []catalog.Step
			for _, mode := range test.chain {
				steps = append(steps, catalog.Step{Mode: mode})
			}
			var got []string
			for _, n := range ofMaterial(needsOf(t, premisesBy(t, test.accepts, steps...)), "S01.M1.d") {
				got = append(got, n.dataset)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// A condition that cannot be worked out is an error, and not a look-up the less;
// of a stopped matter, which asks for nothing, none is worked out.
func TestConsentNeeds_GuessesNoCondition(t *testing.T) {
	t.Parallel()
	for verdict, want := range map[catalog.Verdict]string{
		catalog.Granted: "condition of step 1 of S01.M5.d",
		catalog.Refused: "", // S01.M5 comes after it
	} {
		in := wholeFounding()
		in.facts["has_employee"] = true
		in.parties = append(in.parties, catalog.Party{ID: "p5", Roles: []string{"employee"}, Kind: catalog.KindPerson, Name: "周敏", Number: "370199198302151427"})
		in.verdicts = map[string]catalog.Verdict{"S01.M1": verdict}
		s := changed(t, in, "S01.M5.d", func(m *catalog.Material) {
			m.Chain = []catalog.Step{{Mode: catalog.ModeData, When: m.Chain[0].When}, {Mode: catalog.ModeUpload}}
		})
		s.Facts = catalog.Facts{"accept_commitment": "maybe"} // of no type that the catalog knows
		needs, err := policies.ConsentNeeds(s)
		if want == "" && err != nil {
			t.Errorf("%s: %v", verdict, err)
		}
		if want != "" && (err == nil || needs != nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %d needs and the error %v, want the error of the %s alone", verdict, len(needs), err, want)
		}
	}
}

func TestConsentNeeds_LeavesOutARecordOfAResultOfTheCase(t *testing.T) {
	t.Parallel()
	elsewhere := []need{{
		party: "p1", material: "S01.M5.b", department: "RS", dataset: "D-GA06",
		fields: "credit_code engraver filed_on organization_name seal_code seal_type status",
	}}
	fields := map[string]any{"status": "有效"}
	for name, test := range map[string]struct {
		verdict catalog.Verdict
		result  policies.Reported
		want    []need
	}{
		"pending":                 {"", policies.Reported{}, nil},
		"refused":                 {catalog.Refused, policies.Reported{}, nil},
		"granted":                 {catalog.Granted, policies.Reported{Fields: fields}, nil},
		"granted, ended":          {catalog.Granted, policies.Reported{Fields: fields, ValidUntil: "2026-11-22"}, nil},
		"granted, without fields": {catalog.Granted, policies.Reported{Number: "N-2"}, elsewhere},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := wholeFounding()
			in.parties[0].Number = "91370102MA9X200123"
			in.verdicts = map[string]catalog.Verdict{"S01.M1": catalog.Granted}
			in.results = map[string]policies.Reported{"S01.M1": {Number: "N-1"}, "S01.M2": test.result}
			if test.verdict != "" {
				in.verdicts["S01.M2"] = test.verdict
			}
			s := resultOf(t, in, "S01.M2")
			s.Catalog.Dataset("D-GA06").Consent = true
			wantNeeds(t, test.want, ofMaterial(needsOf(t, s), "S01.M5.b"))
		})
	}
}

func TestConsentNeeds_LeavesOutWhomNobodyCanBeAskedAbout(t *testing.T) {
	t.Parallel()
	rev := jinanCatalog(t)
	in := wholeFounding()
	in.parties[3].Number = ""
	wantNeeds(t, foundingNeeds()[:4], needsOf(t, in.situation(t, rev)))

	about := func(m *catalog.Material) { // the tax officer's card, by the card of an agent
		m.Proofs = []catalog.Proof{{Lookups: []catalog.Lookup{{Dataset: "D-GA01", Subject: "agent", YesNo: true}}}}
	}
	nobody := changed(t, founding(), "S01.M3.c", about)
	wantNeeds(t, nil, ofMaterial(needsOf(t, nobody), "S01.M3.c"))
	somebody := changed(t, foundingByAgent(), "S01.M3.c", about)
	want := []need{{party: "p5", material: "S01.M3.c", department: "SW", dataset: "D-GA01", fields: "valid_to", yesNo: true}}
	wantNeeds(t, want, ofMaterial(needsOf(t, somebody), "S01.M3.c"))
}

// schoolingOf is a case of the school board about a child of that number. Of the
// guardian no consent is needed: the role names its clause.
func schoolingOf(t testing.TB, number string) *policies.Situation {
	t.Helper()
	in := schooling()
	in.parties[1].Number = number
	s := in.situation(t, jinanCatalog(t))
	s.Receiver = "JY"
	return s
}

// The moment is ten in the morning of 2026-11-23 in Shanghai.
func TestConsentNeeds_WantsAGuardianForAChildUnder14(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		number   string
		guardian bool
	}{
		"of seven":                  {"370199201908051134", true},
		"who turns 14 tomorrow":     {"370199201211241130", true},
		"who turns 14 today":        {"370199201211231135", false},
		"of whom no age is written": {"E12345678", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := schoolingOf(t, test.number)
			wantNeeds(t, []need{{party: "p2", material: "S05.M1.a", department: "GA", dataset: "D-GA02", fields: "birth_date", guardian: test.guardian, yesNo: true}}, needsOf(t, s))
			if got := policies.NeedsGuardian(&s.Parties[1], now); got != test.guardian {
				t.Errorf("needs a guardian: %v", got)
			}
		})
	}
	body := catalog.Party{Kind: catalog.KindOrganization, Number: "370199201908051134"}
	if policies.NeedsGuardian(&body, now) {
		t.Error("a body needs a guardian")
	}
}

// The police read their own register for a case of their own.
func TestConsentNeeds_NeedsNoneForADepartmentsOwnRecord(t *testing.T) {
	t.Parallel()
	s := schoolingOf(t, "370199201908051134")
	s.Receiver = "GA"
	wantNeeds(t, nil, needsOf(t, s))
}
