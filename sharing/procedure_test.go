package sharing_test

import (
	"encoding/json"
	"testing"
	"time"

	"mianti/catalog"
	"mianti/policies"
	"mianti/sharing"
)

func acts() []sharing.Act {
	return []sharing.Act{
		sharing.AskCompletion, sharing.Complete, sharing.AskExtension, sharing.ConsentExtension, sharing.Decide, sharing.Deliver, sharing.Withdraw,
	}
}

// inState makes a request in a state, by acts alone.
func inState(t *testing.T, state sharing.State, now time.Time) sharing.Request {
	t.Helper()
	r := submitted(t, catalog.SharingConditional, now)
	good := func(acts ...sharing.Act) sharing.Request {
		var events []sharing.Event
		for _, act := range acts {
			events = append(events, event(act, catalog.SharingConditional))
		}
		return apply(t, r, now, events...)
	}
	decided := func(name, address bool) sharing.Request {
		e := event(sharing.Decide, "")
		e.Answers[0].Agreed, e.Answers[1].Agreed = name, address
		for i := range e.Answers {
			if !e.Answers[i].Agreed {
				e.Answers[i].Reason = "没有依据"
			}
		}
		return apply(t, r, now, e)
	}
	switch state {
	case sharing.Submitted, sharing.Expired:
		return r
	case sharing.Incomplete:
		return good(sharing.AskCompletion)
	case sharing.Resubmitted:
		return good(sharing.AskCompletion, sharing.Complete)
	case sharing.Agreed:
		return decided(true, true)
	case sharing.PartlyAgreed:
		return decided(true, false)
	case sharing.Refused:
		return decided(false, false)
	case sharing.Delivered:
		return good(sharing.Decide, sharing.Deliver)
	default:
		return good(sharing.Withdraw)
	}
}

// TestApply_KnowsEveryActInEveryState is docs/sharing.md's table: a cell is the
// state that the act leads to, or the code of the refusal.
func TestApply_KnowsEveryActInEveryState(t *testing.T) {
	t.Parallel()
	now := shanghai(t, "2026-11-23 09:00")
	const decided, delivered, withdrawn, expired, waits = "already-decided", "already-delivered", "request-withdrawn", "request-expired", "awaiting-completion"
	all := func(code string) []string { return []string{code, code, code, code, code, code, code} }
	for state, want := range map[sharing.State][]string{
		//                     completion_request, completion, extension, extension_consent, decision, delivery, withdrawal
		sharing.Submitted:    {"incomplete", "no-completion-asked", "submitted", "no-extension-asked", "agreed", "not-agreed", "withdrawn"},
		sharing.Incomplete:   {"second-completion", "resubmitted", waits, waits, waits, "not-agreed", "withdrawn"},
		sharing.Resubmitted:  {"second-completion", "no-completion-asked", "resubmitted", "no-extension-asked", "agreed", "not-agreed", "withdrawn"},
		sharing.Agreed:       {decided, decided, decided, decided, decided, "delivered", "withdrawn"},
		sharing.PartlyAgreed: {decided, decided, decided, decided, decided, "delivered", "withdrawn"},
		sharing.Refused:      {decided, decided, decided, decided, decided, "not-agreed", decided},
		sharing.Delivered:    all(delivered),
		sharing.Withdrawn:    all(withdrawn),
		sharing.Expired:      {expired, expired, expired, expired, expired, expired, "withdrawn"},
	} {
		for i, act := range acts() {
			t.Run(string(state)+"/"+string(act), func(t *testing.T) {
				t.Parallel()
				r, at := inState(t, state, now), now
				if state == sharing.Expired {
					at = shanghai(t, "2028-01-01 00:00") // its term ends on 31 December 2027
				}
				if got := r.At(at).State; got != state {
					t.Fatalf("made a request that is %s, want %s", got, state)
				}
				before, _ := json.Marshal(r)
				next, err := procedure(t).Apply(r, event(act, catalog.SharingConditional), by(act), at)
				got := code(err)
				if err == nil {
					got = string(next.State)
				}
				if got != want[i] {
					t.Errorf("%s, want %s", got, want[i])
				}
				if after, _ := json.Marshal(r); string(before) != string(after) {
					t.Errorf("the request itself changed:\n%s\n%s", before, after)
				}
				if moved := next.Version - r.Version; err == nil && (moved != 1 || len(next.History) != len(r.History)+1) || err != nil && moved != 0 {
					t.Errorf("version %d after %d, %d notes after %d", next.Version, r.Version, len(next.History), len(r.History))
				}
				waiting := next.State == sharing.Submitted || next.State == sharing.Resubmitted || next.State == sharing.Agreed || next.State == sharing.PartlyAgreed
				if waiting != (next.Deadline != nil) {
					t.Errorf("%s with deadline %v", next.State, next.Deadline)
				}
			})
		}
	}
}

func TestApply_LetsNobodyActForAnother(t *testing.T) {
	t.Parallel()
	now := shanghai(t, "2026-11-23 09:00")
	asked := apply(t, submitted(t, catalog.SharingConditional, now), now, event(sharing.AskExtension, ""))
	incomplete := inState(t, sharing.Incomplete, now)
	system := policies.Caller{System: "s1", Department: "GA", Duties: []policies.Duty{policies.DutySystem, policies.DutySharingOfficer}}
	for _, c := range []struct {
		name string
		r    sharing.Request
		act  sharing.Act
		by   policies.Caller
		want string
	}{
		{"the provider's officer decides", asked, sharing.Decide, officer("x", "GA"), ""},
		{"the author decides", asked, sharing.Decide, officer("applicant", "GA"), "own-application"},
		{"the author decides with all duties", asked, sharing.Decide, person("applicant", "GA", policies.DutySharingOfficer, policies.DutyDepartmentAdmin, policies.DutyAuditor), "own-application"},
		{"the applicant's department decides", asked, sharing.Decide, officer("x", "SPJ"), "not-the-provider"},
		{"the authority decides", asked, sharing.Decide, officer("x", "DSJ"), "not-the-provider"},
		{"a clerk decides", asked, sharing.Decide, person("x", "GA", policies.DutyClerk), "not-your-duty"},
		{"a system decides", asked, sharing.Decide, system, "not-your-duty"},
		{"the authority consents", asked, sharing.ConsentExtension, officer("x", "DSJ"), ""},
		{"the provider consents", asked, sharing.ConsentExtension, officer("x", "GA"), "extension-without-consent"},
		{"the applicant consents", asked, sharing.ConsentExtension, officer("x", "SPJ"), "extension-without-consent"},
		{"the author consents", asked, sharing.ConsentExtension, officer("applicant", "DSJ"), "own-application"},
		{"who asked consents", asked, sharing.ConsentExtension, officer("provider", "DSJ"), "own-application"},
		{"a clerk of the authority consents", asked, sharing.ConsentExtension, person("x", "DSJ", policies.DutyClerk), "not-your-duty"},
		{"the provider withdraws", asked, sharing.Withdraw, officer("x", "GA"), "not-the-applicant"},
		{"a system of the applicant completes", incomplete, sharing.Complete, policies.Caller{System: "s2", Department: "SPJ"}, ""},
		{"the provider completes", incomplete, sharing.Complete, officer("x", "GA"), "not-the-applicant"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := procedure(t).Apply(c.r, event(c.act, catalog.SharingConditional), c.by, now)
			if got := code(err); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestApply_WhoCompletedIsAnAuthorToo(t *testing.T) {
	t.Parallel()
	now := shanghai(t, "2026-11-23 09:00")
	r, err := procedure(t).Apply(inState(t, sharing.Incomplete, now), event(sharing.Complete, catalog.SharingConditional), officer("second", "SPJ"), now)
	if err != nil {
		t.Fatal(err)
	}
	for _, who := range []string{"applicant", "second"} {
		if _, err := procedure(t).Apply(r, event(sharing.Decide, ""), officer(who, "GA"), now); code(err) != "own-application" {
			t.Errorf("%s decides: %v", who, err)
		}
	}
}

func TestApply_WithoutAnAuthorityNobodyConsents(t *testing.T) {
	t.Parallel()
	now := shanghai(t, "2026-11-23 09:00")
	asked := apply(t, submitted(t, catalog.SharingConditional, now), now, event(sharing.AskExtension, ""))
	p := procedure(t)
	p.Authority = ""
	if _, err := p.Apply(asked, event(sharing.ConsentExtension, ""), person("x", "", policies.DutySharingOfficer), now); code(err) != "extension-without-consent" {
		t.Errorf("somebody of no department consents: %v", err)
	}
}
