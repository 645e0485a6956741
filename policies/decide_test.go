package policies_test

import (
	"slices"
	"testing"
	"time"

	"mianti/catalog"
	"mianti/policies"
)

func TestDecide_DefaultsToNoAndKeepsEveryReason(t *testing.T) {
	t.Parallel()
	base := policies.Grant{
		ID: "g1", Department: "SPJ", Matter: "S01.M1", Dataset: "D-GA01", Fields: []string{"name", "citizen_id"},
		From: now.Add(-time.Hour), Until: now.Add(time.Hour), State: policies.GrantActive,
	}
	grant := func(change func(*policies.Grant)) []policies.Grant {
		g := base
		change(&g)
		return []policies.Grant{g}
	}
	same := func(*policies.Grant) {}
	department := &catalog.Department{Code: "SPJ"}
	utility := &catalog.Department{Code: "SPJ", PublicUtility: true}
	record := &catalog.Dataset{Code: "D-GA01", Department: "GA", Sharing: catalog.SharingConditional}
	own, guarded, plain := &catalog.Role{Consent: catalog.ConsentOwn}, &catalog.Role{Consent: catalog.ConsentGuardian}, &catalog.Role{}
	person := func(consent catalog.ConsentState, roles ...string) *catalog.Party {
		return &catalog.Party{Kind: catalog.KindPerson, Roles: roles, Consent: consent}
	}
	child := func(consent catalog.ConsentState, number string) *catalog.Party {
		return &catalog.Party{Kind: catalog.KindPerson, Consent: consent, Number: number}
	}
	const aged7, turns14Today, turns14Tomorrow = "370199201908051134", "37019920121123123X", "370199201211241236"
	access := policies.Access{Receiver: "SPJ", Department: department, Matter: "S01.M1", Dataset: record, Fields: []string{"name"}, Role: plain, Party: person("")}
	with := func(change func(*policies.Access)) policies.Access {
		a := access
		change(&a)
		return a
	}
	withheld := *record
	withheld.Sharing = catalog.SharingWithheld
	personal := *record
	personal.Consent = true
	ownRecord := *record
	ownRecord.Department = "SPJ"
	for _, test := range []struct {
		name    string
		access  policies.Access
		grants  []policies.Grant
		allowed bool
		awaits  bool
		reasons []policies.ReasonOfDecision
	}{
		{"granted, statutory duty", access, grant(same), true, false, []policies.ReasonOfDecision{policies.GrantCovers, policies.StatutoryDuty}},
		{"no grant", access, nil, false, false, []policies.ReasonOfDecision{policies.GrantMissing, policies.StatutoryDuty}},
		{"granted to another department", access, grant(func(g *policies.Grant) { g.Department = "BDC" }), false, false, []policies.ReasonOfDecision{policies.GrantMissing, policies.StatutoryDuty}},
		{"granted for another matter", access, grant(func(g *policies.Grant) { g.Matter = "S02.M1" }), false, false, []policies.ReasonOfDecision{policies.GrantMissing, policies.StatutoryDuty}},
		{"granted for another dataset", access, grant(func(g *policies.Grant) { g.Dataset = "D-GA02" }), false, false, []policies.ReasonOfDecision{policies.GrantMissing, policies.StatutoryDuty}},
		{"suspended", access, grant(func(g *policies.Grant) { g.State = policies.GrantSuspended }), false, false, []policies.ReasonOfDecision{policies.GrantIsSuspended, policies.StatutoryDuty}},
		{"terminated", access, grant(func(g *policies.Grant) { g.State = policies.GrantTerminated }), false, false, []policies.ReasonOfDecision{policies.GrantIsTerminated, policies.StatutoryDuty}},
		{"a state nobody knows", access, grant(func(g *policies.Grant) { g.State = "odd" }), false, false, []policies.ReasonOfDecision{policies.GrantIsTerminated, policies.StatutoryDuty}},
		{"not yet", access, grant(func(g *policies.Grant) { g.From = now.Add(time.Minute) }), false, false, []policies.ReasonOfDecision{policies.GrantNotYet, policies.StatutoryDuty}},
		{"ends at this moment", access, grant(func(g *policies.Grant) { g.Until = now }), false, false, []policies.ReasonOfDecision{policies.GrantExpired, policies.StatutoryDuty}},
		{"a field more than granted", with(func(a *policies.Access) { a.Fields = []string{"name", "address"} }), grant(same), false, false, []policies.ReasonOfDecision{policies.GrantLacksField, policies.StatutoryDuty}},
		{"two grants are not put together", with(func(a *policies.Access) { a.Fields = []string{"name", "address"} }),
			append(grant(same), grant(func(g *policies.Grant) { g.Fields = []string{"address"} })...), false, false,
			[]policies.ReasonOfDecision{policies.GrantLacksField, policies.GrantLacksField, policies.StatutoryDuty}},
		{"withheld", with(func(a *policies.Access) { a.Dataset = &withheld }), grant(same), false, false, []policies.ReasonOfDecision{policies.GrantCovers, policies.StatutoryDuty, policies.DatasetWithheld}},
		{"its own record needs no grant", with(func(a *policies.Access) { a.Dataset = &ownRecord; a.Role = own }), nil, true, false, []policies.ReasonOfDecision{policies.OwnRecord}},
		{"its own record, for another department", with(func(a *policies.Access) { a.Dataset, a.Role, a.Receiver = &ownRecord, own, "JY" }), nil, false, false, []policies.ReasonOfDecision{policies.GrantMissing, policies.ConsentAwaited}},
		{"a third party who said nothing", with(func(a *policies.Access) { a.Role = own }), grant(same), false, true, []policies.ReasonOfDecision{policies.GrantCovers, policies.ConsentAwaited}},
		{"a third party who said nothing, and no grant", with(func(a *policies.Access) { a.Role = own }), nil, false, false, []policies.ReasonOfDecision{policies.GrantMissing, policies.ConsentAwaited}},
		{"a third party who agreed", with(func(a *policies.Access) { a.Role, a.Party = own, person(catalog.ConsentGiven) }), grant(same), true, false, []policies.ReasonOfDecision{policies.GrantCovers, policies.OwnConsent}},
		{"a third party who refused", with(func(a *policies.Access) { a.Role, a.Party = own, person(catalog.ConsentRefused) }), grant(same), false, false, []policies.ReasonOfDecision{policies.GrantCovers, policies.ConsentDenied}},
		{"the applicant himself", with(func(a *policies.Access) { a.Role, a.Party = own, person("", "shareholder", "applicant") }), grant(same), true, false, []policies.ReasonOfDecision{policies.GrantCovers, policies.StatutoryDuty}},
		{"a child, no guardian's word", with(func(a *policies.Access) { a.Role, a.Party = guarded, child(catalog.ConsentGiven, aged7) }), grant(same), false, true, []policies.ReasonOfDecision{policies.GrantCovers, policies.ConsentAwaited}},
		{"a child, the guardian agreed", with(func(a *policies.Access) {
			a.Role, a.Party, a.Guardian = guarded, child("", aged7), catalog.ConsentGiven
		}), grant(same), true, false, []policies.ReasonOfDecision{policies.GrantCovers, policies.GuardianConsent}},
		{"a child as a third party, the guardian agreed", with(func(a *policies.Access) {
			a.Role, a.Party, a.Guardian = own, child("", aged7), catalog.ConsentGiven
		}), grant(same), true, false, []policies.ReasonOfDecision{policies.GrantCovers, policies.GuardianConsent}},
		{"the day before the 14th birthday, the guardian agreed", with(func(a *policies.Access) {
			a.Role, a.Party, a.Guardian = guarded, child("", turns14Tomorrow), catalog.ConsentGiven
		}), grant(same), true, false, []policies.ReasonOfDecision{policies.GrantCovers, policies.GuardianConsent}},
		{"from the 14th birthday on, the guardian alone agreed", with(func(a *policies.Access) {
			a.Role, a.Party, a.Guardian = guarded, child("", turns14Today), catalog.ConsentGiven
		}), grant(same), false, true, []policies.ReasonOfDecision{policies.GrantCovers, policies.ConsentAwaited}},
		{"from the 14th birthday on, himself", with(func(a *policies.Access) {
			a.Role, a.Party = guarded, child(catalog.ConsentGiven, turns14Today)
		}), grant(same), true, false, []policies.ReasonOfDecision{policies.GrantCovers, policies.OwnConsent}},
		{"a public utility asks", with(func(a *policies.Access) { a.Department = utility }), grant(same), false, true, []policies.ReasonOfDecision{policies.GrantCovers, policies.ConsentAwaited}},
		{"a public utility asks even about the applicant", with(func(a *policies.Access) { a.Department, a.Party = utility, person("", "applicant") }), grant(same), false, true, []policies.ReasonOfDecision{policies.GrantCovers, policies.ConsentAwaited}},
		{"a public utility asks about a house", with(func(a *policies.Access) {
			a.Department, a.Party = utility, &catalog.Party{Kind: catalog.KindProperty}
		}), grant(same), true, false, []policies.ReasonOfDecision{policies.GrantCovers, policies.StatutoryDuty}},
		{"a dataset that needs consent", with(func(a *policies.Access) { a.Dataset = &personal }), grant(same), false, true, []policies.ReasonOfDecision{policies.GrantCovers, policies.ConsentAwaited}},
		{"the case's own material", with(func(a *policies.Access) { a.Role = nil }), grant(same), true, false, []policies.ReasonOfDecision{policies.GrantCovers, policies.StatutoryDuty}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := policies.Decide(test.access, policies.IndexGrants(test.grants), now)
			if got.Allowed != test.allowed || got.AwaitsConsent != test.awaits || !slices.Equal(got.Reasons, test.reasons) {
				t.Errorf("allowed %v, awaits consent %v, reasons %v; want %v, %v, %v", got.Allowed, got.AwaitsConsent, got.Reasons, test.allowed, test.awaits, test.reasons)
			}
			if named := slices.Contains(got.Reasons, policies.GrantCovers); named != (got.Grant == "g1") {
				t.Errorf("grant %q with reasons %v", got.Grant, got.Reasons)
			}
			if got.Ruleset == "" {
				t.Error("the decision does not name its ruleset")
			}
		})
	}
}
