package correction_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mianti/correction"
	"mianti/exchange"
	"mianti/ledger"
	"mianti/policies"
)

// From end to end: a wrong address is found in two cases and contested in one; both
// carry the mark; the department corrects its record; both ask again for what rests
// on it and for nothing else; their system is told.
func TestCorrection_ComesBackIntoEveryOpenCase(t *testing.T) {
	t.Parallel()
	eachBench(t, func(t *testing.T, b *bench) {
		first, second, others := b.open("JN-1", applicant(), child()), b.open("JN-2", applicant()), b.open("JN-3", stranger())
		closed := b.open("JN-4", applicant())
		r1, r2, r3, r4 := b.resolve(first.ID), b.resolve(second.ID), b.resolve(others.ID), b.resolve(closed.ID)
		if _, err := b.x.CloseCase(t.Context(), system("SPJ"), closed.ID, exchange.CaseFinished); err != nil {
			t.Fatal(err)
		}
		v := b.submit(clerk("clerk", "SPJ"), wrongAddress(first, "p1"))
		if v.Finding != policies.OK || v.Evidence != material(t, r1, "S90.M1.a", "p1").Evidence.Digest || v.Provider != "GA" {
			t.Errorf("opened: %+v", v)
		}
		for name, of := range map[string]struct {
			r    *exchange.Resolution
			want []string
		}{"its own": {r1, []string{"D-GA01"}}, "another of the same person": {r2, []string{"D-GA01"}}, "another person's": {r3, nil}} {
			m := material(t, b.read(of.r.ID), "S90.M1.a", "p1")
			if diff := cmp.Diff(of.want, m.Disputed); diff != "" || m.Outcome != policies.Settled {
				t.Errorf("%s: %s, disputed %v", name, m.Outcome, m.Disputed)
			}
		}
		if m := material(t, b.read(r1.ID), "S90.M1.a", "p2"); m.Disputed != nil {
			t.Error("the child's own record is disputed too")
		}
		b.work()
		asked, permits := b.ga.count("D-GA01"), b.ga.count("D-GA02")
		b.ga.set(func(r *register) { r.address = "历下区新地址" })
		b.act(officer("o", "GA"), v.ID, corrected(correction.Answer))
		told := strings.Join(b.work(), "\n")
		for name, of := range map[string]struct {
			r       *exchange.Resolution
			version int
			address string
		}{"its own": {r1, 2, "历下区新地址"}, "another": {r2, 2, "历下区新地址"}, "another person's": {r3, 1, "历下区旧地址"}, "closed": {r4, 1, "历下区旧地址"}} {
			now := b.read(of.r.ID)
			m := material(t, now, "S90.M1.a", "p1")
			if now.Version != of.version || m.Evidence.Fields["address"] != of.address || m.Disputed != nil {
				t.Errorf("%s: version %d, %v, disputed %v; want version %d, %s", name, now.Version, m.Evidence.Fields, m.Disputed, of.version, of.address)
			}
		}
		if m := material(t, b.read(r1.ID), "S90.M1.a", "p2"); m.Evidence.Fields["address"] != "历下区旧地址" {
			t.Error("the child's record was asked for again")
		}
		if b.ga.count("D-GA01") != asked+2 || b.ga.count("D-GA02") != permits {
			t.Errorf("asked again %d times for the record, %d for another; want 2, 0", b.ga.count("D-GA01")-asked, b.ga.count("D-GA02")-permits)
		}
		for _, want := range []string{r1.ID, r2.ID} {
			if !strings.Contains(told, want) || !strings.Contains(told, "correction.changed") {
				t.Errorf("told: %s\nwant that of %s", told, want)
			}
		}
	})
}

// What was not found can be missing in the register: mistake 4 of the domain notes.
func TestCorrection_OfWhatWasNotFound(t *testing.T) {
	t.Parallel()
	eachBench(t, func(t *testing.T, b *bench) {
		c := b.open("JN-1", applicant())
		r := b.resolve(c.ID)
		me := b.citizen(applicant())
		in := correction.Submission{
			ContestRef: exchange.ContestRef{Case: c.ID, Material: "S90.M1.b", Party: "p1", Dataset: "D-GA02"}, Claim: correction.Claim{Explanation: "去年已办居住证"},
		}
		v := b.submit(me, in)
		if v.Finding != policies.NotFound || v.Evidence != "" || len(v.Fields) != 0 {
			t.Errorf("opened: %+v", v)
		}
		if m := material(t, b.read(r.ID), "S90.M1.b", "p1"); m.Outcome != policies.Upload || !cmp.Equal(m.Disputed, []string{"D-GA02"}) {
			t.Errorf("%s, disputed %v", m.Outcome, m.Disputed)
		}
		if _, err := b.desk.Submit(t.Context(), me, in); code(err) != "correction-open" {
			t.Errorf("the same again: %q", code(err))
		}
		b.ga.set(func(r *register) { r.permit = true })
		found := event(correction.Answer)
		found.Result, found.Reason = correction.Corrected, correction.NotCollected
		b.act(officer("o", "GA"), v.ID, found)
		b.work()
		if m := material(t, b.read(r.ID), "S90.M1.b", "p1"); m.Outcome != policies.Settled {
			t.Errorf("after it was added: %s", m.Outcome)
		}
		in.Claim.Fields = map[string]string{"number": "J-2"}
		in.Claim.Explanation = "证号有误"
		b.submit(me, in) // now there is a record, and it can be wrong
	})
}

// Whatever is not the caller's looks as if it were not there.
func TestCorrection_IsOnlyItsSides(t *testing.T) {
	t.Parallel()
	eachBench(t, func(t *testing.T, b *bench) {
		c := b.open("JN-1", applicant(), child())
		b.resolve(c.ID)
		me := b.citizen(applicant())
		for name, by := range map[string]policies.Caller{
			"another citizen": b.citizen(stranger()), "the child himself": b.citizen(child()), "another department": system("MZ"),
			"a citizen without a number": {Person: "x"},
		} {
			if _, err := b.desk.Submit(t.Context(), by, wrongAddress(c, "p1")); !strings.HasPrefix(code(err), "unknown-") {
				t.Errorf("%s opens one: %q", name, code(err))
			}
		}
		b.submit(me, wrongAddress(c, "p2")) // a guardian, for the child
		v := b.submit(me, wrongAddress(c, "p1"))
		var texts []string
		for name, by := range map[string]policies.Caller{
			"another citizen": b.citizen(stranger()), "another department": officer("o", "MZ"), "the provider's clerk": clerk("c", "GA"),
			"the provider's system": system("GA"), "the case's clerk": clerk("c", "SPJ"), "the authority, before it has come there": officer("o", "DSJ"),
			"the case's officer, before the departments talk": officer("o", "SPJ"),
		} {
			for _, id := range []string{v.ID, "id-none"} {
				_, err := b.desk.Correction(t.Context(), by, id)
				_, other := b.desk.Act(t.Context(), by, id, 0, event(correction.Answer))
				if code(err) != "unknown-correction" || code(other) != "unknown-correction" {
					t.Errorf("%s: %q, %q", name, code(err), code(other))
					continue
				}
				texts = append(texts, asFault(err), asFault(other))
			}
		}
		for _, text := range texts {
			if text != texts[0] {
				t.Errorf("what is not his and what is not there differ: %q, %q", text, texts[0])
			}
		}
		mine, err := b.desk.Correction(t.Context(), me, v.ID)
		if err != nil || mine.About != nil || mine.Claim.Explanation == "" {
			t.Errorf("his own: %+v, %v", mine, err)
		}
		theirs, err := b.desk.Correction(t.Context(), officer("o", "GA"), v.ID)
		if err != nil || theirs.About == nil || theirs.About.Number != applicant().Number {
			t.Errorf("the provider's: %+v, %v", theirs, err)
		}
	})
}

// The lists, the database's columns, the ledger and the jobs name nobody and repeat
// nothing that was said of him.
func TestCorrection_PersonalDataLiesInOneColumnAlone(t *testing.T) {
	t.Parallel()
	eachBench(t, func(t *testing.T, b *bench) {
		c := b.open("JN-1", applicant())
		b.resolve(c.ID)
		v := b.submit(b.citizen(applicant()), wrongAddress(c, "p1"))
		if _, err := b.desk.Correction(t.Context(), officer("o", "GA"), v.ID); err != nil {
			t.Fatal(err)
		}
		b.act(officer("o", "GA"), v.ID, event(correction.Take))
		b.act(officer("o", "GA"), v.ID, event(correction.Answer))
		list, err := b.desk.List(t.Context(), officer("o", "GA"), correction.AsProvider, correction.Filter{Limit: 10})
		if err != nil || len(list) != 1 {
			t.Fatalf("%d in the list, %v", len(list), err)
		}
		entries, err := b.db.Entries(t.Context(), c.ID)
		if err != nil {
			t.Fatal(err)
		}
		var kinds []ledger.Kind
		for _, e := range entries {
			if strings.HasPrefix(string(e.Kind), "correction_") {
				kinds = append(kinds, e.Kind)
			}
		}
		want := []ledger.Kind{ledger.CorrectionOpened, ledger.CorrectionRead, ledger.CorrectionTaken, ledger.CorrectionAnswered}
		if diff := cmp.Diff(want, kinds); diff != "" {
			t.Errorf("entries: -want +got:\n%s", diff)
		}
		shown, err := json.Marshal([]any{list, entries, b.work()})
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{applicant().Number, applicant().Name, "新地址", "旧地址", "迁入", "理由", b.x.SubjectOf("person", applicant().Number)} {
			if strings.Contains(string(shown), secret) {
				t.Errorf("%q is in a list, an entry or a message", secret)
			}
		}
	})
}

func TestCorrection_OfTwoAtOnceOneCounts(t *testing.T) {
	t.Parallel()
	eachBench(t, func(t *testing.T, b *bench) {
		c := b.open("JN-1", applicant())
		b.resolve(c.ID)
		opened := together(func() error {
			_, err := b.desk.Submit(t.Context(), b.citizen(applicant()), wrongAddress(c, "p1"))
			return err
		}, func() error {
			_, err := b.desk.Submit(t.Context(), clerk("clerk", "SPJ"), wrongAddress(c, "p1"))
			return err
		})
		if diff := cmp.Diff(map[string]int{"": 1, "correction-open": 1}, opened); diff != "" {
			t.Fatalf("opened: -want +got:\n%s", diff)
		}
		list, err := b.desk.List(t.Context(), officer("o", "GA"), correction.AsProvider, correction.Filter{Limit: 10})
		if err != nil || len(list) != 1 {
			t.Fatalf("%d are open, %v", len(list), err)
		}
		answer := func(e correction.Event) func() error {
			return func() error {
				_, err := b.desk.Act(t.Context(), officer("o", "GA"), list[0].ID, 1, e)
				return err
			}
		}
		answered := together(answer(event(correction.Answer)), answer(corrected(correction.Answer)))
		if answered[""] != 1 || answered["correction-changed"]+answered["changed-since-read"] != 1 {
			t.Errorf("answered: %v, want one of them", answered)
		}
	})
}

// The 23rd plus ten working days ends with 7 December.
func TestOverdue_IsCountedByDepartment(t *testing.T) {
	t.Parallel()
	eachBench(t, func(t *testing.T, b *bench) {
		c := b.open("JN-1", applicant(), child())
		b.resolve(c.ID)
		b.submit(b.citizen(applicant()), wrongAddress(c, "p1"))
		late := b.submit(b.citizen(applicant()), wrongAddress(c, "p2"))
		for _, tt := range []struct {
			at   string
			by   policies.Caller
			want int
		}{
			{"2026-12-07 23:59", officer("o", "DSJ"), 0}, {"2026-12-08 00:00", officer("o", "DSJ"), 2}, {"2026-12-08 00:00", officer("o", "GA"), 2},
			{"2026-12-08 00:00", officer("o", "MZ"), 0}, {"2026-12-08 00:00", policies.Caller{Person: "a", Duties: []policies.Duty{policies.DutyAuditor}}, 2},
			{"2026-12-08 00:00", b.citizen(applicant()), 0},
		} {
			b.set(shanghai(t, tt.at))
			found, err := b.desk.Overdue(t.Context(), tt.by)
			if err != nil {
				t.Fatal(err)
			}
			got := 0
			for _, one := range found {
				if one.Department != "GA" || one.Article != "26" || !one.OldestDue.Equal(shanghai(t, "2026-12-08 00:00")) {
					t.Errorf("counted: %+v", one)
				}
				got += one.Count
			}
			if got != tt.want {
				t.Errorf("%s for %s: %d, want %d", tt.at, tt.by.Department, got, tt.want)
			}
		}
		b.act(officer("o", "GA"), late.ID, event(correction.Answer))
		found, err := b.desk.Overdue(t.Context(), officer("o", "GA"))
		if err != nil || len(found) != 1 || found[0].Count != 1 {
			t.Errorf("after one late answer: %+v, %v", found, err)
		}
	})
}

func TestSubmit_RefusesWhatCannotBeMeant(t *testing.T) {
	t.Parallel()
	b := newSQLiteBench(t)
	c := b.open("JN-1", applicant())
	b.resolve(c.ID)
	change := func(change func(*correction.Submission)) correction.Submission {
		in := wrongAddress(c, "p1")
		change(&in)
		return in
	}
	for _, tt := range []struct {
		name string
		in   correction.Submission
		code string
	}{
		{"no such case", change(func(in *correction.Submission) { in.Case = "none" }), "unknown-case"},
		{"no such material", change(func(in *correction.Submission) { in.Material = "S90.M1.z" }), "unknown-record"},
		{"no such party", change(func(in *correction.Submission) { in.Party = "p9" }), "unknown-record"},
		{"a dataset that was not asked", change(func(in *correction.Submission) { in.Dataset = "D-GA02" }), "unknown-record"},
		{"no such dataset", change(func(in *correction.Submission) { in.Dataset = "D-XX99" }), "unknown-record"},
		{"no such field", change(func(in *correction.Submission) { in.Fields = []string{"nonsense"} }), "invalid-correction"},
		{"no field", change(func(in *correction.Submission) { in.Claim.Fields = nil }), "invalid-correction"},
		{"no explanation", change(func(in *correction.Submission) { in.Claim.Explanation = " " }), "invalid-correction"},
		{"too long", change(func(in *correction.Submission) { in.Claim.Explanation = strings.Repeat("长", 2001) }), "invalid-correction"},
		{"too long a value", change(func(in *correction.Submission) { in.Claim.Fields["address"] = strings.Repeat("长", 501) }), "invalid-correction"},
		{"an empty value", change(func(in *correction.Submission) { in.Claim.Fields["address"] = "" }), "invalid-correction"},
		{"an invisible character", change(func(in *correction.Submission) { in.Claim.Fields["address"] = "a\u200bb" }), "invalid-correction"},
		{"fields of what was not found", change(func(in *correction.Submission) { in.Material, in.Dataset = "S90.M1.b", "D-GA02" }), "invalid-correction"},
	} {
		if _, err := b.desk.Submit(t.Context(), system("SPJ"), tt.in); code(err) != tt.code {
			t.Errorf("%s: %q, want %q", tt.name, code(err), tt.code)
		}
	}
	list, err := b.desk.List(t.Context(), officer("o", "GA"), correction.AsProvider, correction.Filter{Limit: 10})
	if err != nil || len(list) != 0 {
		t.Errorf("%d were opened, %v", len(list), err)
	}
	if v := b.submit(system("SPJ"), wrongAddress(c, "p1")); v.State != correction.Open {
		t.Errorf("a good one: %s", v.State)
	}
	if _, err := b.desk.Act(t.Context(), officer("o", "GA"), list0(t, b), 0, correction.Event{Act: correction.PassOn, To: "XX", Why: "理由"}); code(err) != "invalid-correction-act" {
		t.Errorf("passed on to nobody: %q", code(err))
	}
}

// Who is told when: the provider at once, when half of the time is gone, and when
// all of it is, as long as it has not answered.
func TestNotices_FollowTheDeadline(t *testing.T) {
	t.Parallel()
	eachBench(t, func(t *testing.T, b *bench) {
		c := b.open("JN-1", applicant(), child())
		b.resolve(c.ID)
		b.work()
		b.submit(b.citizen(applicant()), wrongAddress(c, "p1"))
		answered := b.submit(b.citizen(applicant()), wrongAddress(c, "p2"))
		b.act(officer("o", "GA"), answered.ID, event(correction.Answer))
		for _, step := range []struct {
			at   string
			want map[string]int
		}{
			{"2026-11-23 09:00", map[string]int{"correction.opened GA-1": 1, "correction.changed SPJ-1": 1}},
			{"2026-12-02 00:00", map[string]int{"correction.reminder GA-1": 1}},
			{"2026-12-08 00:00", map[string]int{"correction.overdue GA-1": 1}},
		} {
			b.set(shanghai(t, step.at))
			got := map[string]int{}
			for _, payload := range b.work() {
				var e exchange.Event
				if err := json.Unmarshal([]byte(payload), &e); err != nil {
					t.Fatal(err)
				}
				got[e.Type+" "+e.System]++
			}
			if diff := cmp.Diff(step.want, got); diff != "" {
				t.Errorf("%s: -want +got:\n%s", step.at, diff)
			}
		}
	})
}
