package correction_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/correction"
	"mianti/internal/fault"
	"mianti/policies"
)

// The expected days are counted by hand from the State Council's notice for 2026
// (internal/workday/calendar.json): 15 to 23 February free, 14 and 28 February
// worked; 20 September worked, 25 to 27 September and 1 to 7 October free, 10
// October worked.
func TestSubmit_GivesTenWorkingDays(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, at, last string }{
		{"an ordinary Monday", "2026-11-23 09:00", "2026-12-07"},
		// 20, 21, 22, 23, 24, 28, 29, 30 September, 8, 9 October.
		{"over the National Day", "2026-09-18 09:00", "2026-10-09"},
		// 13, 14, 24, 25, 26, 27, 28 February, 2, 3, 4 March.
		{"over the Spring Festival", "2026-02-12 23:59", "2026-03-04"},
		// 8, 9, 10, 12, 13, 14, 15, 16, 19, 20 October.
		{"on a holiday", "2026-10-03 12:00", "2026-10-20"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := opened(t, clerk("clerk", "SPJ"), shanghai(t, c.at))
			want := shanghai(t, c.last+" 00:00").Add(24 * time.Hour)
			if got.Deadline == nil || got.Deadline.Article != "26" || !got.Deadline.DueAt.Equal(want) {
				t.Fatalf("deadline %+v, want %s by article 26", got.Deadline, want)
			}
			days := procedure(t).Days
			if got.At(days, want.Add(-time.Microsecond)).Overdue || !got.At(days, want).Overdue {
				t.Error("overdue does not begin with the end of the last day")
			}
		})
	}
}

// Opened on Monday 23 November, the last day is Monday 7 December. On Wednesday
// the 2nd three working days are left: the 3rd, the 4th and the 7th.
func TestAt_LightsTheDeadline(t *testing.T) {
	t.Parallel()
	c := opened(t, clerk("clerk", "SPJ"), shanghai(t, "2026-11-23 09:00"))
	for _, tt := range []struct {
		at   string
		want correction.Light
	}{
		{"2026-11-23 09:00", correction.Green}, {"2026-12-01 23:59", correction.Green}, {"2026-12-02 00:00", correction.Amber},
		{"2026-12-07 23:59", correction.Amber}, {"2026-12-08 00:00", correction.Red},
	} {
		got := c.At(procedure(t).Days, shanghai(t, tt.at))
		if got.Light != tt.want || got.Overdue != (tt.want == correction.Red) {
			t.Errorf("%s: %s, overdue %t; want %s", tt.at, got.Light, got.Overdue, tt.want)
		}
	}
	done := apply(t, c, shanghai(t, "2026-11-24 09:00"), event(correction.Answer))
	if got := done.At(procedure(t).Days, shanghai(t, "2027-01-04 09:00")); got.Light != "" || got.Overdue || got.Deadline != nil {
		t.Errorf("answered: %+v, want no deadline", got)
	}
}

// inState gives a correction in every state that there is, with its step.
func inState(t *testing.T) map[string]correction.Correction {
	t.Helper()
	now := shanghai(t, "2026-11-23 09:00")
	c := opened(t, clerk("clerk", "SPJ"), now)
	up, no := event(correction.Escalate), event(correction.Answer)
	return map[string]correction.Correction{
		"open": c, "taken": apply(t, c, now, event(correction.Take)), "corrected": apply(t, c, now, corrected(correction.Answer)),
		"upheld 0": apply(t, c, now, no), "negotiating": apply(t, c, now, no, up), "upheld 1": apply(t, c, now, no, up, no),
		"mediating": apply(t, c, now, no, up, up), "upheld 2": apply(t, c, now, no, up, up, event(correction.Mediate)),
		"ordered 2": apply(t, c, now, no, up, up, corrected(correction.Mediate)),
		"referred":  apply(t, c, now, no, up, up, event(correction.Mediate), up),
		"upheld 3":  apply(t, c, now, no, up, up, event(correction.Mediate), up, event(correction.Decide)),
		"ordered 3": apply(t, c, now, no, up, up, event(correction.Mediate), up, corrected(correction.Decide)),
		"withdrawn": apply(t, c, now, event(correction.Withdraw)),
	}
}

// The table of docs/correction.md.
func TestApply_KnowsEveryActInEveryState(t *testing.T) {
	t.Parallel()
	acts := []correction.Act{
		correction.Take, correction.Answer, correction.PassOn, correction.Escalate, correction.Mediate, correction.Decide, correction.Withdraw,
	}
	const no = "correction-state"
	want := map[string][]string{
		"open":        {"taken", "upheld", "open", "answer-awaited", no, no, "withdrawn"},
		"taken":       {no, "upheld", "open", "answer-awaited", no, no, "withdrawn"},
		"corrected":   {no, no, no, no, no, no, no},
		"upheld 0":    {no, no, no, "negotiating", no, no, no},
		"negotiating": {no, "upheld", no, "mediating", no, no, "withdrawn"},
		"upheld 1":    {no, no, no, "mediating", no, no, no},
		"mediating":   {no, no, no, no, "upheld", no, "withdrawn"},
		"upheld 2":    {no, no, no, "referred", no, no, no},
		"ordered 2":   {no, "invalid-correction-act", no, no, no, no, "withdrawn"},
		"referred":    {no, no, no, no, no, "upheld", "withdrawn"},
		"upheld 3":    {no, no, no, "correction-final", no, no, no},
		"ordered 3":   {no, "invalid-correction-act", no, "correction-final", no, no, "withdrawn"},
		"withdrawn":   {no, no, no, no, no, no, no},
	}
	got := map[string][]string{}
	for name, c := range inState(t) {
		before := c
		for _, act := range acts {
			next, err := procedure(t).Apply(c, event(act), by(act), shanghai(t, "2026-11-24 09:00"))
			says := code(err)
			if err == nil {
				says = string(next.State)
				if next.Version != c.Version+1 || len(next.History) != len(c.History)+1 {
					t.Errorf("%s of %s: version %d after %d, %d acts after %d", act, name, next.Version, c.Version, len(next.History), len(c.History))
				}
			}
			got[name] = append(got[name], says)
		}
		if diff := cmp.Diff(before, c); diff != "" {
			t.Errorf("%s: the correction that the acts were tried on changed:\n%s", name, diff)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestApply_AnOverdueAnswerMayBeEscalatedAndStillCounts(t *testing.T) {
	t.Parallel()
	c := opened(t, clerk("clerk", "SPJ"), shanghai(t, "2026-11-23 09:00"))
	late := shanghai(t, "2026-12-08 00:00")
	if got := apply(t, c, late, event(correction.Escalate)); got.State != correction.Negotiating || got.Step != 1 {
		t.Errorf("escalated: %s at step %d", got.State, got.Step)
	}
	got := apply(t, c, late, corrected(correction.Answer))
	if got.State != correction.Corrected || !got.History[len(got.History)-1].Late {
		t.Errorf("answered late: %s, late %t", got.State, got.History[len(got.History)-1].Late)
	}
	if on := apply(t, c, shanghai(t, "2026-12-07 23:59"), corrected(correction.Answer)); on.History[len(on.History)-1].Late {
		t.Error("an answer on the last day counts as late")
	}
}

func TestApply_PassingOnStartsTheClockAnewAndNeverGoesBack(t *testing.T) {
	t.Parallel()
	now := shanghai(t, "2026-12-01 09:00")
	c := apply(t, opened(t, clerk("clerk", "SPJ"), shanghai(t, "2026-11-23 09:00")), now, event(correction.PassOn))
	// 2, 3, 4, 7, 8, 9, 10, 11, 14, 15 December.
	if want := shanghai(t, "2026-12-16 00:00"); c.Provider != "MZ" || !c.Deadline.DueAt.Equal(want) {
		t.Errorf("at %s until %s, want MZ until %s", c.Provider, c.Deadline.DueAt, want)
	}
	_, err := procedure(t).Apply(c, event(correction.Answer), by(correction.Answer), now)
	if got := code(err); got != "not-the-provider" {
		t.Errorf("the one who passed it on answers: %q", got)
	}
	for _, to := range []string{"GA", "MZ"} {
		back := event(correction.PassOn)
		back.To = to
		if _, err = procedure(t).Apply(c, back, officer("mz", "MZ"), now); code(err) != "invalid-correction-act" {
			t.Errorf("passed on to %s: %q", to, code(err))
		}
	}
}

func TestApply_TheAuthorityDoesNotMediateItsOwnDispute(t *testing.T) {
	t.Parallel()
	now := shanghai(t, "2026-11-23 09:00")
	c := opened(t, clerk("clerk", "SPJ"), now)
	c.Provider = "DSJ"
	for _, e := range []correction.Event{event(correction.Answer), event(correction.Escalate), event(correction.Escalate)} {
		who := by(e.Act)
		if e.Act == correction.Answer {
			who = officer("dsj", "DSJ")
		}
		next, err := procedure(t).Apply(c, e, who, now)
		if err != nil {
			t.Fatal(err)
		}
		c = next
	}
	if c.State != correction.Referred || c.Step != 3 {
		t.Errorf("%s at step %d, want referred at once", c.State, c.Step)
	}
	alone := procedure(t)
	alone.Authority = ""
	c = apply(t, opened(t, clerk("clerk", "SPJ"), now), now, event(correction.Answer), event(correction.Escalate))
	if _, err := alone.Apply(c, event(correction.Escalate), by(correction.Escalate), now); code(err) != "no-authority" {
		t.Errorf("without an authority: %q", code(err))
	}
}

// A mediation that orders a correction gives the department ten days; it may refer
// it to the government, and so may the opener once they are over.
func TestApply_AnOrderHasADeadlineAndOneMoreStep(t *testing.T) {
	t.Parallel()
	now, c := shanghai(t, "2026-11-23 09:00"), inState(t)["ordered 2"]
	if want := shanghai(t, "2026-12-08 00:00"); !c.Deadline.DueAt.Equal(want) {
		t.Errorf("due %s, want %s", c.Deadline.DueAt, want)
	}
	for name, try := range map[string]struct {
		by   policies.Caller
		at   time.Time
		want string
	}{
		"the provider":         {officer("provider", "GA"), now, ""},
		"the opener":           {clerk("clerk", "SPJ"), now, "correction-state"},
		"the opener, too late": {clerk("clerk", "SPJ"), shanghai(t, "2026-12-08 00:00"), ""},
		"somebody else":        {officer("x", "JY"), now, "not-the-opener"},
	} {
		next, err := procedure(t).Apply(c, event(correction.Escalate), try.by, try.at)
		if code(err) != try.want || try.want == "" && next.State != correction.Referred {
			t.Errorf("%s: %q, %s", name, code(err), next.State)
		}
	}
	if got := apply(t, c, now, corrected(correction.Answer)); got.State != correction.Corrected {
		t.Errorf("carried out: %s", got.State)
	}
}

func TestApply_HoldsEveryActToItsSide(t *testing.T) {
	t.Parallel()
	now := shanghai(t, "2026-11-23 09:00")
	citizen := policies.Caller{Person: "z", Subject: "s1", Duties: []policies.Duty{policies.DutyCitizen}}
	own, theirs := opened(t, citizen, now), opened(t, clerk("clerk", "SPJ"), now)
	double := policies.Caller{Person: "both", Department: "GA", Duties: []policies.Duty{policies.DutyClerk, policies.DutySharingOfficer}}
	inGA := opened(t, double, now)
	for _, tt := range []struct {
		name string
		c    correction.Correction
		act  correction.Act
		by   policies.Caller
		want string
	}{
		{"he himself withdraws", own, correction.Withdraw, citizen, ""},
		{"another citizen withdraws", own, correction.Withdraw, policies.Caller{Person: "y", Subject: "s2"}, "not-the-opener"},
		{"nobody's digest withdraws", own, correction.Withdraw, policies.Caller{Person: "y"}, "not-the-opener"},
		{"the case's clerk withdraws the citizen's", own, correction.Withdraw, clerk("clerk", "SPJ"), "not-the-opener"},
		{"another clerk of the department withdraws", theirs, correction.Withdraw, clerk("c2", "SPJ"), ""},
		{"the department's system withdraws", theirs, correction.Withdraw, system("SPJ"), ""},
		{"an officer of the department without the duty withdraws", theirs, correction.Withdraw, officer("o", "SPJ"), "not-the-opener"},
		{"the provider withdraws", theirs, correction.Withdraw, officer("provider", "GA"), "not-the-opener"},
		{"another department answers", theirs, correction.Answer, officer("o", "MZ"), "not-the-provider"},
		{"the provider's system answers", theirs, correction.Answer, system("GA"), "not-your-duty"},
		{"the provider's clerk takes", theirs, correction.Take, clerk("c", "GA"), "not-your-duty"},
		{"who opened it answers", inGA, correction.Answer, double, "own-correction"},
		{"his colleague answers", inGA, correction.Answer, officer("o", "GA"), ""},
		{"the provider mediates", inState(t)["mediating"], correction.Mediate, officer("provider", "GA"), "not-the-authority"},
		{"the authority's clerk mediates", inState(t)["mediating"], correction.Mediate, clerk("c", "DSJ"), "not-the-authority"},
	} {
		_, err := procedure(t).Apply(tt.c, event(tt.act), tt.by, now)
		if got := code(err); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestApply_RefusesWhatDoesNotSayEnough(t *testing.T) {
	t.Parallel()
	now, all := shanghai(t, "2026-11-23 09:00"), inState(t)
	change := func(act correction.Act, change func(*correction.Event)) correction.Event {
		e := event(act)
		change(&e)
		return e
	}
	for _, tt := range []struct {
		name, state string
		e           correction.Event
		where       string
	}{
		{"no reason", "open", change(correction.Answer, func(e *correction.Event) { e.Reason = "" }), "body.reason"},
		{"a reason of the other result", "open", change(correction.Answer, func(e *correction.Event) { e.Reason = correction.OutOfDate }), "body.reason"},
		{"another result", "open", change(correction.Answer, func(e *correction.Event) { e.Result = correction.Withdrawn }), "body.reason"},
		{"upheld without words", "open", change(correction.Answer, func(e *correction.Event) { e.Why = " " }), "body.explanation"},
		{"an order that is not followed", "ordered 3", event(correction.Answer), "body.result"},
		{"passed on without words", "open", change(correction.PassOn, func(e *correction.Event) { e.Why = "" }), "body.explanation"},
		{"escalated without words", "upheld 0", change(correction.Escalate, func(e *correction.Event) { e.Why = "" }), "body.explanation"},
		{"withdrawn without words", "open", change(correction.Withdraw, func(e *correction.Event) { e.Why = "" }), "body.explanation"},
		{"a mediation without a result", "mediating", change(correction.Mediate, func(e *correction.Event) { e.Result = "" }), "body.result"},
		{"a mediation without words", "mediating", change(correction.Mediate, func(e *correction.Event) { e.Why = "" }), "body.explanation"},
		{"a decision without a document", "referred", change(correction.Decide, func(e *correction.Event) { e.Document = "" }), "body.document"},
		{"too many words", "open", change(correction.Answer, func(e *correction.Event) { e.Why = strings.Repeat("长", 2001) }), "body.explanation"},
		{"an invisible character", "open", change(correction.Answer, func(e *correction.Event) { e.Why = "a\u202eb" }), "body.explanation"},
		{"no UTF-8", "open", change(correction.Answer, func(e *correction.Event) { e.Why = "a\xff" }), "body.explanation"},
	} {
		next, err := procedure(t).Apply(all[tt.state], tt.e, by(tt.e.Act), now)
		f := fault.As(err)
		if f == nil || f.Kind != fault.Invalid || f.Code != "invalid-correction-act" || len(f.Details) == 0 || f.Details[0].Location != tt.where {
			t.Errorf("%s: %v %+v, want %s", tt.name, err, f, tt.where)
		}
		if next.State != all[tt.state].State || next.Version != all[tt.state].Version {
			t.Errorf("%s: half done: %s", tt.name, next.State)
		}
	}
}
