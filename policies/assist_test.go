package policies_test

import (
	"slices"
	"testing"
	"time"

	"mianti/catalog"
	"mianti/policies"
)

// schooling is a case whose household register (S05.M1.a) may be confirmed by an
// officer of GA within two working days before it is asked of the applicant.
func schooling() setting {
	return setting{
		subject: "S05.M1",
		facts:   catalog.Facts{"parent_child_not_same_household": false, "guardian_not_parent": false},
		parties: []catalog.Party{
			{ID: "p1", Roles: []string{"applicant", "guardian"}, Kind: catalog.KindPerson, Name: "郑丽华", Number: "370199198704202485", Consent: catalog.ConsentGiven},
			{ID: "p2", Roles: []string{"child"}, Kind: catalog.KindPerson, Name: "冯乐乐", Number: "370199201908051134"},
		},
	}
}

const household = "S05.M1.a@p2"

// officer answers every look-up with a source that is down, and the question to
// the officer as given.
func officer(said policies.Answer) func(policies.Wish) policies.Answer {
	return func(w policies.Wish) policies.Answer {
		if w.Mode == catalog.ModeAssist {
			return said
		}
		return policies.Answer{Result: policies.SourceDown, Fault: "down"}
	}
}

func TestSettle_AsksAnOfficerOfTheSourceWhenItIsDown(t *testing.T) {
	t.Parallel()
	due := now.Add(48 * time.Hour)
	for name, test := range map[string]struct {
		said    policies.Answer
		at      time.Time
		outcome policies.Outcome
		reason  policies.ReasonCode
		task    string
	}{
		"not answered yet":             {policies.Answer{Result: policies.Pending, Task: "t1", DueAt: due}, now, policies.Verifying, policies.ReasonAssist, "t1"},
		"confirmed":                    {policies.Answer{Result: policies.OK, Task: "t1", DueAt: due}, now, policies.Settled, policies.ReasonConfirmed, ""},
		"not confirmed":                {policies.Answer{Result: policies.Mismatch, Task: "t1", DueAt: due}, now, policies.Upload, "mismatch", ""},
		"no such record":               {policies.Answer{Result: policies.NotFound, Task: "t1", DueAt: due}, now, policies.Upload, "not_found", ""},
		"one instant before it is due": {policies.Answer{Result: policies.Pending, Task: "t1", DueAt: due}, due.Add(-1), policies.Verifying, policies.ReasonAssist, "t1"},
		"not answered in time":         {policies.Answer{Result: policies.Pending, Task: "t1", DueAt: due}, due, policies.Upload, "source_down", "t1"},
		"could not be put to him":      {policies.Answer{Result: policies.SourceDown, Fault: "down"}, now, policies.Verifying, policies.ReasonSourceRetry, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := schooling().situation(t, jinanCatalog(t))
			s.Now = test.at
			out := answer(t, s, household, officer(test.said))
			if out.Outcome != test.outcome || out.Reason != test.reason || out.Task != test.task {
				t.Errorf("%s for %s, task %q; want %s for %s, task %q", out.Outcome, out.Reason, out.Task, test.outcome, test.reason, test.task)
			}
			if out.Reason == policies.ReasonAssist && (out.Department != "GA" || out.DueDays != 2 || !out.DueAt.Equal(due)) {
				t.Errorf("asks %s for %d days until %s", out.Department, out.DueDays, out.DueAt)
			}
		})
	}
}

func TestSettle_AnOfficersConfirmationReleasesYesOrNoOnly(t *testing.T) {
	t.Parallel()
	s := schooling().situation(t, jinanCatalog(t))
	out := answer(t, s, household, officer(policies.Answer{Result: policies.OK, Task: "t1", Source: "GA.assist", Fields: map[string]any{"name": "郑丽华"}}))
	if len(out.Evidence) != 1 {
		t.Fatalf("%d pieces of evidence, want one", len(out.Evidence))
	}
	e := out.Evidence[0]
	if !e.YesNo || e.Fields != nil || e.Reference != "t1" || e.Department != "GA" || !slices.Equal(e.Basis, []policies.ReasonOfDecision{policies.OfficerDecides}) {
		t.Errorf("evidence %+v, want yes or no of task t1 at GA and nothing else", e)
	}
}

func TestSettle_AsksNoOfficerAboutAPersonWhoRefused(t *testing.T) {
	t.Parallel()
	in := schooling()
	in.parties[0].Consent = catalog.ConsentRefused
	s := in.situation(t, jinanCatalog(t))
	out := answer(t, s, household, func(w policies.Wish) policies.Answer {
		if w.Mode == catalog.ModeAssist {
			t.Error("an officer is asked")
		}
		return policies.Answer{Result: policies.SourceDown}
	})
	if out.Outcome != policies.Upload {
		t.Errorf("%s, want upload: whoever refuses can submit paper", out.Outcome)
	}
}

func TestSettle_ADepartmentWithoutAnInterfaceIsAskedInPerson(t *testing.T) {
	t.Parallel()
	due := now.Add(48 * time.Hour)
	pending := policies.Answer{Result: policies.Pending, Task: "t9", DueAt: due}
	s := founding().situation(t, jinanCatalog(t))
	out := answer(t, s, "S01.M1.j@p2", always(pending))
	if out.Outcome != policies.Verifying || out.Reason != policies.ReasonAssist || out.Task != "t9" || out.Department != "FG" {
		t.Errorf("%s for %s, task %q at %s; want verifying for assist, t9 at FG", out.Outcome, out.Reason, out.Task, out.Department)
	}
	s.Now = due
	if out = settle(t, s, "S01.M1.j@p2"); out.Reason != policies.ReasonManualCheck || out.Task != "t9" {
		t.Errorf("overdue: %s, task %q; want manual_check, and the answer may still come", out.Reason, out.Task)
	}
}

func TestSettle_AsksNoOfficerAboutAPersonWhoRefusedEvenIfNobodyElseIsAsked(t *testing.T) {
	t.Parallel()
	officer, upload := catalog.Step{Mode: catalog.ModeAssist, Days: 2, Department: "GA"}, catalog.Step{Mode: catalog.ModeUpload}
	for name, change := range map[string]func(*catalog.Material){
		"no look-up in the chain":                func(m *catalog.Material) { m.Chain = []catalog.Step{officer, upload} },
		"a look-up without a source":             func(m *catalog.Material) { m.Chain = []catalog.Step{{Mode: catalog.ModeElicense}, officer, upload} },
		"a material that nobody has a record of": func(m *catalog.Material) { m.Chain, m.Proofs = []catalog.Step{officer, upload}, nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for consent, want := range map[catalog.ConsentState]policies.Outcome{
				catalog.ConsentGiven: policies.Settled, catalog.ConsentRefused: policies.Upload,
			} {
				rev, in := jinanCatalog(t), schooling()
				change(rev.Material("S05.M1.a"))
				in.parties[0].Consent = consent
				out := answer(t, in.situation(t, rev), household, always(policies.Answer{Result: policies.OK, Task: "t1"}))
				if out.Outcome != want {
					t.Errorf("consent %s: %s for %s, want %s", consent, out.Outcome, out.Reason, want)
				}
			}
		})
	}
}
