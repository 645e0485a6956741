package identity_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/identity"
	"mianti/internal/fault"
	"mianti/internal/keytest"
	"mianti/internal/pgtest"
	"mianti/ledger"
	"mianti/policies"
	"mianti/store"
)

// desk is an office of administrators over a database.
type desk struct {
	*identity.Office
	t       *testing.T
	db      *store.Store
	machine *identity.Office
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	now := func() time.Time { return time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC) }
	db, err := store.Open(t.Context(), store.Config{URL: pgtest.Database(t), Keys: keytest.Keys(), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	office := identity.Office{
		Persons: db, Assignments: db, Now: now,
		Known: func(ctx context.Context, code string) (bool, error) { return departmentName(ctx, code) != "", nil },
	}
	d := &desk{Office: &office, t: t, db: db}
	operators := office
	operators.AtTheMachine = true
	d.machine = &operators
	for _, p := range []identity.Person{
		{ID: "admin", Name: "管理员"}, {ID: "admin2", Name: "第二名"}, {ID: "clerk", Name: "审批员"}, {ID: "new", Name: "新人"}, {ID: "police", Name: "民警"},
		{ID: "both", Name: "两处"}, {ID: "gone", Name: "离开"}, {ID: "citizen", Kind: identity.Citizen},
	} {
		if p.Kind == "" {
			p.Kind = identity.Staff
		}
		p.Issuer, p.Subject = "https://id.example", p.ID
		if err := db.Register(t.Context(), &p, ledger.Entry{Kind: ledger.PersonRegistered, Person: ledger.Operator}); err != nil {
			t.Fatal(err)
		}
	}
	for _, a := range []struct {
		person, department string
		duty               policies.Duty
	}{
		{"admin", "SPJ", policies.DutyDepartmentAdmin}, {"clerk", "SPJ", policies.DutyClerk}, {"police", "GA", policies.DutyDepartmentAdmin},
		{"both", "SPJ", policies.DutyClerk}, {"both", "GA", policies.DutyClerk},
	} {
		if _, err := d.machine.Assign(t.Context(), machine(a.department), a.person, a.duty); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.machine.Deactivate(t.Context(), machine(""), "gone"); err != nil {
		t.Fatal(err)
	}
	return d
}

// admin is the administrator of SPJ.
func admin() policies.Caller {
	return policies.Caller{Person: "admin", Department: "SPJ", Duties: []policies.Duty{policies.DutyPerson, policies.DutyDepartmentAdmin}}
}

// duties are all duties of a person, as "SPJ clerk".
func (d *desk) duties(person string) []string {
	d.t.Helper()
	p, err := d.db.Person(d.t.Context(), person)
	if err != nil {
		d.t.Fatal(err)
	}
	out := []string{}
	for _, a := range p.Duties {
		out = append(out, a.Department+" "+string(a.Duty))
	}
	return out
}

func (d *desk) entries() []ledger.Entry {
	d.t.Helper()
	all, err := d.db.Entries(d.t.Context(), "")
	if err != nil {
		d.t.Fatal(err)
	}
	return all
}

func TestAssign_RefusesWhatIsNotTheAdministrators(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	n := len(d.entries())
	for _, c := range []struct {
		name, person string
		duty         policies.Duty
		code         string
	}{
		{"to himself", "admin", policies.DutyClerk, "own-duty"},
		{"operator", "new", policies.DutyOperator, "duty-beyond-department"},
		{"system", "new", policies.DutySystem, "unknown-duty"},
		{"citizen", "new", policies.DutyCitizen, "unknown-duty"},
		{"person", "new", policies.DutyPerson, "unknown-duty"},
		{"a made-up duty", "new", "root", "unknown-duty"},
		{"an unknown person", "nobody", policies.DutyClerk, "unknown-person"},
		{"an applicant", "citizen", policies.DutyClerk, "unknown-person"},
		{"somebody who is deactivated", "gone", policies.DutyClerk, "person-deactivated"},
	} {
		_, err := d.Assign(t.Context(), admin(), c.person, c.duty)
		if f := fault.As(err); f == nil || f.Code != c.code {
			t.Errorf("%s: %v, want %s", c.name, err, c.code)
		}
	}
	if got := len(d.entries()); got != n {
		t.Errorf("%d new entries, want none", got-n)
	}
}

func TestAssign_RecordsOnceWhoGaveWhichDutyToWhom(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	n := len(d.entries())
	for range 2 {
		if _, err := d.Assign(t.Context(), admin(), "new", policies.DutyAuditor); err != nil {
			t.Fatal(err)
		}
	}
	want := []ledger.Entry{{
		Kind: ledger.DutyAssigned, At: d.Now(), Person: "admin", Department: "SPJ", Object: "person:new", Result: "auditor",
	}}
	if diff := cmp.Diff(want, d.entries()[n:]); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	if got := d.duties("new"); !slices.Equal(got, []string{"SPJ auditor"}) {
		t.Errorf("duties %v", got)
	}
	if err := d.Remove(t.Context(), admin(), "new", policies.DutyAuditor); err != nil {
		t.Fatal(err)
	}
	last := d.entries()[n+1:]
	if len(last) != 1 || last[0].Kind != ledger.DutyRemoved || last[0].Object != "person:new" || len(d.duties("new")) != 0 {
		t.Errorf("removed: %+v, duties %v", last, d.duties("new"))
	}
}

func TestList_ShowsTheOwnAndThoseWithoutAnyDuty(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ids := func(o *identity.Office, by policies.Caller, after string, limit int) string {
		found, err := o.List(t.Context(), by, after, limit)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, p := range found {
			out = append(out, p.ID)
		}
		return strings.Join(out, " ")
	}
	for _, c := range []struct{ name, got, want string }{
		{"own", ids(d.Office, admin(), "", 10), "admin admin2 both clerk new"},
		{"a page", ids(d.Office, admin(), "", 2), "admin admin2"},
		{"the next", ids(d.Office, admin(), "admin2", 2), "both clerk"},
		{"all, at the machine", ids(d.machine, machine(""), "", 10), "admin admin2 both citizen clerk gone new police"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", c.name, c.got, c.want)
		}
	}
}

func TestRemove_LeavesADepartmentAnAdministrator(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	if f := fault.As(d.Remove(t.Context(), admin(), "admin", policies.DutyDepartmentAdmin)); f == nil || f.Kind != fault.Conflict || f.Code != "last-admin" {
		t.Errorf("the last one: %v", f)
	}
	if f := fault.As(d.Deactivate(t.Context(), admin(), "admin")); f == nil || f.Code != "last-admin" {
		t.Errorf("deactivate the last one: %v", f)
	}
	if got := d.duties("admin"); !slices.Equal(got, []string{"SPJ department_admin"}) {
		t.Errorf("afterwards: %v", got)
	}
	if f := fault.As(d.Remove(t.Context(), admin(), "police", policies.DutyDepartmentAdmin)); f == nil || f.Kind != fault.NotFound {
		t.Errorf("another department's: %v", f)
	}
	if err := d.machine.Remove(t.Context(), machine("SPJ"), "admin", policies.DutyDepartmentAdmin); err != nil {
		t.Errorf("at the machine: %v", err)
	}
}

// Two administrators who remove each other at once leave one.
func TestRemove_LetsOneOfTwoAdministratorsStay(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	if _, err := d.Assign(t.Context(), admin(), "admin2", policies.DutyDepartmentAdmin); err != nil {
		t.Fatal(err)
	}
	failed := make(chan error, 2)
	for _, other := range []string{"admin", "admin2"} {
		go func() { failed <- d.Remove(t.Context(), admin(), other, policies.DutyDepartmentAdmin) }()
	}
	refused := 0
	for range 2 {
		if err := <-failed; err != nil {
			if fault.As(err) == nil || fault.As(err).Code != "last-admin" {
				t.Error(err)
			}
			refused++
		}
	}
	if left := len(d.duties("admin")) + len(d.duties("admin2")); refused != 1 || left != 1 {
		t.Errorf("%d refused, %d administrators left; want one and one", refused, left)
	}
}

// TestOffice_DoesNotTellAnUnknownPersonFromOneOfOthers: a different text for the
// two would tell which ids are somebody's.
func TestOffice_DoesNotTellAnUnknownPersonFromOneOfOthers(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	assign := func(person string) error {
		_, err := d.Assign(t.Context(), admin(), person, policies.DutyClerk)
		return err
	}
	deactivate := func(person string) error { return d.Deactivate(t.Context(), admin(), person) }
	for name, act := range map[string]func(string) error{"assign": assign, "deactivate": deactivate} {
		others, nobody := fault.As(act("citizen")), fault.As(act("nobody"))
		if others == nil || nobody == nil || others.Code != nobody.Code || others.Message != nobody.Message {
			t.Errorf("%s: an applicant %v, nobody %v; want one answer", name, others, nobody)
		}
	}
}

func TestDeactivate_ReachesOnlyTheOwnPeople(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	n := len(d.entries())
	for person, code := range map[string]string{
		"police": "unknown-person", "new": "unknown-person", "citizen": "unknown-person", "nobody": "unknown-person", "both": "duties-elsewhere",
	} {
		if f := fault.As(d.Deactivate(t.Context(), admin(), person)); f == nil || f.Code != code {
			t.Errorf("%s: %v, want %s", person, f, code)
		}
	}
	if err := d.Deactivate(t.Context(), admin(), "clerk"); err != nil {
		t.Fatal(err)
	}
	if got := d.entries()[n:]; len(got) != 1 || got[0].Kind != ledger.PersonDeactivated || got[0].Object != "person:clerk" || got[0].Person != "admin" {
		t.Errorf("entries %+v", got)
	}
	if f := fault.As(d.Deactivate(t.Context(), admin(), "clerk")); f == nil || f.Kind != fault.NotFound {
		t.Errorf("a second time: %v", f)
	}
}
