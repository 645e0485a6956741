package identity_test

import (
	"slices"
	"strings"
	"testing"

	"mianti/identity"
	"mianti/ledger"
	"mianti/policies"
)

func TestSignIn_OfUnknownStaffMakesAPersonWithoutDuties(t *testing.T) {
	t.Parallel()
	s, b := newSite(t, siteSettings{}), newBrowser(t)
	a := b.signIn(s, "staff", "s-1")
	if a.status != 200 || a.at.Path != "/auth/" || !strings.Contains(a.body, "您还没有岗位，请联系本部门管理员") {
		t.Errorf("ended at %s with %d:\n%s", a.at, a.status, a.body)
	}
	p := s.person("张三")
	if !strings.Contains(a.body, p.ID) {
		t.Error("the page does not tell him his id")
	}
	caller, status := b.whoami(s)
	want := policies.Caller{Person: p.ID, Duties: []policies.Duty{policies.DutyPerson}}
	if status != 200 || caller.Person != want.Person || caller.Department != "" || !slices.Equal(caller.Duties, want.Duties) || caller.Subject != "" {
		t.Errorf("caller %+v (%d), want %+v", caller, status, want)
	}
	found, err := s.newOffice(false).List(t.Context(), policies.Caller{Department: "SPJ"}, "", 10)
	if err != nil || len(found) != 1 || found[0].ID != p.ID {
		t.Errorf("an administrator finds %v (%v)", found, err)
	}
}

func TestSignIn_OfStaffActsForTheOneDepartment(t *testing.T) {
	t.Parallel()
	s, b := newSite(t, siteSettings{}), newBrowser(t)
	b.signIn(s, "staff", "s-1")
	s.assign(s.person("张三").ID, "SPJ", policies.DutyClerk)
	if caller, _ := b.whoami(s); caller.Department != "SPJ" || !caller.Has(policies.DutyClerk) {
		t.Errorf("the duty does not count at the next request: %+v", caller)
	}
	other := newBrowser(t)
	if a := other.signIn(s, "staff", "s-1"); a.at.Path != "/whoami" || a.status != 200 {
		t.Errorf("ended at %s (%d), want the page that was asked for", a.at, a.status)
	}
	var kinds []ledger.Kind
	for _, e := range s.entries() {
		kinds = append(kinds, e.Kind)
		if e.System != "" || strings.Contains(e.Why+e.Object+e.Person, "张三") {
			t.Errorf("entry %+v", e)
		}
	}
	if want := []ledger.Kind{ledger.SignedIn, ledger.DutyAssigned, ledger.SignedIn}; !slices.Equal(kinds, want) {
		t.Errorf("entries %v, want %v", kinds, want)
	}
}

func TestSignIn_OfACitizenKeepsNothingButTheDigest(t *testing.T) {
	t.Parallel()
	s, b := newSite(t, siteSettings{}), newBrowser(t)
	if a := b.signIn(s, "citizen", "c-1"); a.at.Path != "/whoami" {
		t.Errorf("ended at %s (%d):\n%s", a.at, a.status, a.body)
	}
	caller, _ := b.whoami(s)
	subject := ledger.Digest([]byte("key"), citizenNumber)
	if caller.Subject != subject || caller.Department != "" || !slices.Equal(caller.Duties, []policies.Duty{policies.DutyPerson, policies.DutyCitizen}) {
		t.Errorf("caller %+v", caller)
	}
	p, err := s.db.Person(t.Context(), caller.Person)
	if err != nil || p.Name != "" || p.Subject != subject || p.Issuer != "" || p.Kind != identity.Citizen {
		t.Errorf("kept: %+v (%v)", *p, err)
	}
	again := newBrowser(t)
	again.signIn(s, "citizen", "c-1")
	if second, _ := again.whoami(s); second.Person != caller.Person {
		t.Error("the same citizen is two persons")
	}
	if log := s.log.String(); strings.Contains(log, citizenNumber) || strings.Contains(log, "王建国") {
		t.Errorf("the log knows him: %s", log)
	}
}

func TestSignIn_OfACitizenWithoutAGoodNumberMakesNoSession(t *testing.T) {
	t.Parallel()
	s := newSite(t, siteSettings{})
	for _, subject := range []string{"c-2", "c-3"} {
		b := newBrowser(t)
		a := b.signIn(s, "citizen", subject)
		if a.status != 403 || !strings.Contains(a.body, "公民身份号码") || b.cookie(s, "mianti") != "" {
			t.Errorf("%s: %d, cookie %q\n%s", subject, a.status, b.cookie(s, "mianti"), a.body)
		}
	}
	if n := len(s.entries()); n != 0 {
		t.Errorf("%d entries, want none", n)
	}
}

func TestSignIn_DropsANameThatHidesSomething(t *testing.T) {
	t.Parallel()
	s, b := newSite(t, siteSettings{}), newBrowser(t)
	if a := b.signIn(s, "staff", "s-3"); a.status != 200 || strings.Contains(a.body, "<b>") || strings.Contains(a.body, "\u202e") {
		t.Errorf("the page shows it: %s", a.body)
	}
	if p := s.person(""); p.Subject != "s-3" {
		t.Errorf("person %+v", p)
	}
}

func TestChooseDepartment_DecidesForWhomSomebodyOfTwoActs(t *testing.T) {
	t.Parallel()
	s, b := newSite(t, siteSettings{}), newBrowser(t)
	b.signIn(s, "staff", "s-1")
	p := s.person("张三")
	s.assign(p.ID, "SPJ", policies.DutyClerk)
	s.assign(p.ID, "GA", policies.DutySharingOfficer)
	if caller, _ := b.whoami(s); caller.Department != "" || !slices.Equal(caller.Duties, []policies.Duty{policies.DutyPerson}) {
		t.Errorf("before he chose: %+v", caller)
	}
	if page := b.get(s.url + "/auth/"); !strings.Contains(page.body, "市公安局") || !strings.Contains(page.body, "请选择这次为哪个部门办理") {
		t.Errorf("page: %s", page.body)
	}
	if a := b.post(s.url+"/auth/department", map[string][]string{"department": {"GA"}}); a.status != 200 {
		t.Errorf("choose: %d", a.status)
	}
	if caller, _ := b.whoami(s); caller.Department != "GA" || !caller.Has(policies.DutySharingOfficer) || caller.Has(policies.DutyClerk) {
		t.Errorf("afterwards: %+v", caller)
	}
	if a := b.post(s.url+"/auth/department", map[string][]string{"department": {"ZJ"}}); a.status != 403 {
		t.Errorf("a department without a duty: %d, want 403", a.status)
	}
	if err := s.office.Remove(t.Context(), machine("GA"), p.ID, policies.DutySharingOfficer); err != nil {
		t.Fatal(err)
	}
	if caller, _ := b.whoami(s); caller.Department != "SPJ" || caller.Has(policies.DutySharingOfficer) {
		t.Errorf("after the duty was removed: %+v", caller)
	}
}
