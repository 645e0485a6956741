package exchange_test

import (
	"slices"
	"testing"

	"mianti/catalog"
	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// clerkOf is somebody who approves for a department.
func clerkOf(department string) policies.Caller {
	return policies.Caller{Person: "p-clerk", Department: department, Duties: []policies.Duty{policies.DutyClerk}}
}

// building is a case in which the guarantee of the works' pay may follow later
// (S09.M1.n): nobody commits himself.
func building() exchange.Opening {
	return exchange.Opening{
		Number: "JN-T-0009", OneThing: "S09", Facts: map[string]any{
			"applicant_kind": "company", "demolition": false, "bid_required": true, "supervision_required": true, "civil_defense": "exempt",
			"agent": false, "accept_commitment": false,
		},
		Parties: []catalog.Party{
			{ID: "p1", Roles: []string{"applicant"}, Kind: catalog.KindOrganization, Name: "济南精工机械示例有限公司", Number: "91370102MA9X10084Q"},
			{ID: "con", Roles: []string{"contractor"}, Kind: catalog.KindOrganization, Name: "齐鲁示例建设集团有限公司", Number: "91370102MA9X10025M"},
			person("p2", "王建国", wang, "site_manager"), person("p3", "吴刚", wu, "safety_officer"), person("p4", "周敏", zhou, "five_party_lead"),
			{ID: "prj", Roles: []string{"project"}, Kind: catalog.KindProject, Name: "精工机械示例厂房项目", Number: "2401-370199-04-01-100112"},
		},
	}
}

func TestFollowUps_AreThePapersThatMayFollowUntilTheirDay(t *testing.T) {
	t.Parallel()
	b := newBench(t, wellKept)
	c := b.open(as("ZJ"), building())
	r := b.resolve(as("ZJ"), c.ID)
	if m := b.material(r, "S09.M1.n", ""); m.Outcome != policies.Deferred {
		t.Fatalf("S09.M1.n is %s", m.Outcome)
	}
	all, err := b.x.FollowUps(t.Context(), clerkOf("ZJ"), exchange.FollowUpFilter{Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(all, func(f exchange.FollowUp) bool { return f.Material == "S09.M1.n" })
	if at < 0 {
		t.Fatalf("to follow: %+v", all)
	}
	// ten working days by the catalog; every day of the tests is one
	if f := all[at]; f.Name != "工程款支付担保" || f.CaseNumber != c.Number || !f.DueAt.Equal(r.ResolvedAt.AddDate(0, 0, 10)) || f.Overdue {
		t.Errorf("to follow: %+v", f)
	}
	b.resolve(as("ZJ"), c.ID)
	page, err := b.x.CaseList(t.Context(), clerkOf("ZJ"), exchange.CaseFilter{State: exchange.CaseOpen, Limit: 10})
	if err != nil || len(page.Items) != 1 || page.Items[0].ID != c.ID || page.Items[0].Counts == nil || page.Items[0].Counts.ToSubmit < 1 {
		t.Errorf("queue: %+v, %v", page, err)
	}
	if others, err := b.x.FollowUps(t.Context(), clerkOf("GA"), exchange.FollowUpFilter{Limit: 10}); err != nil || len(others) != 0 {
		t.Errorf("another department's: %+v, %v", others, err)
	}
}

func TestUnmask_IsRecordedForWhomItIsAboutWithTheFields(t *testing.T) {
	t.Parallel()
	b := newBench(t, wellKept)
	c := b.open(as("SPJ"), founding())
	r := b.resolve(as("SPJ"), c.ID)
	p, err := b.x.UnmaskParty(t.Context(), clerkOf("SPJ"), c.ID, "p2")
	if err != nil || p.Number != wang {
		t.Fatalf("party: %+v, %v", p, err)
	}
	settled := slices.IndexFunc(r.Materials, func(m exchange.MaterialResult) bool {
		return m.Evidence != nil && len(m.Evidence.Fields) > 0 && m.Subject != nil && m.Subject.Party == "p2"
	})
	if settled < 0 {
		t.Fatal("nothing of p2 is shown")
	}
	want := r.Materials[settled]
	m, err := b.x.UnmaskMaterial(t.Context(), clerkOf("SPJ"), r.ID, want.Code, "p2")
	if err != nil || len(m.Evidence.Fields) != len(want.Evidence.Fields) {
		t.Fatalf("material: %+v, %v", m, err)
	}
	entries := b.entries(c.ID, ledger.Unmasked)
	if len(entries) != 2 || entries[0].Object != "party:p2" || entries[1].Material != want.Code || len(entries[1].Fields) < len(want.Evidence.Fields) {
		t.Fatalf("entries: %+v", entries)
	}
	for _, e := range entries {
		if e.Person != "p-clerk" || e.Subject == "" {
			t.Errorf("entry: %+v", e)
		}
	}
	_, err = b.x.UnmaskMaterial(t.Context(), clerkOf("SPJ"), r.ID, want.Code, "p9")
	wantFault(t, err, fault.NotFound, "unknown-material")
	_, err = b.x.UnmaskParty(t.Context(), clerkOf("GA"), c.ID, "p2")
	wantFault(t, err, fault.NotFound, "unknown-case")
}
