package department_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"mianti/correction"
	"mianti/internal/fault"
	"mianti/policies"
	"mianti/web/frame/frametest"
)

// disputed is a correction of GA's record, opened by a clerk of SPJ, in a state.
func disputed(state correction.State, step int) *desk {
	d := newDesk()
	c := &d.corrections[0]
	c.State, c.Step, c.Deadline = state, step, nil
	c.Opener = correction.Opener{Department: "SPJ", Person: "p-clerk"}
	return d
}

// acts are those that a correction's page offers to an officer of a department.
func acts(t *testing.T, d *desk, of string, duties ...policies.Duty) string {
	t.Helper()
	return actsFor(t, visitOf(t, of, d, append(duties, policies.DutySharingOfficer)...))
}

func actsFor(t *testing.T, v *frametest.Visitor) string {
	t.Helper()
	body := ok(t, v.Get("/department/corrections/k1")).Body
	var out []string
	for _, act := range []correction.Act{correction.Take, correction.Answer, correction.PassOn, correction.Escalate, correction.Mediate, correction.Decide} {
		if strings.Contains(body, `name="act" value="`+string(act)+`"`) {
			out = append(out, string(act))
		}
	}
	return strings.Join(out, " ")
}

func TestCorrection_OffersEachSideWhatTheDisputeAllows(t *testing.T) {
	t.Parallel()
	d, visitors := disputed(correction.Open, 0), map[string]*frametest.Visitor{}
	for _, of := range []string{"GA", "SPJ", "DSJ"} {
		visitors[of] = visitOf(t, of, d, policies.DutySharingOfficer, policies.DutyClerk)
	}
	for _, c := range []struct {
		state    correction.State
		step     int
		overdue  bool
		provider string // an officer of GA
		opener   string // of SPJ, an officer who is a clerk too
		decider  string // of DSJ
	}{
		{correction.Open, 0, false, "taking answer passing_on", "", ""},
		{correction.Open, 0, true, "taking answer passing_on", "escalation", ""},
		{correction.Taken, 0, true, "answer passing_on", "escalation", ""},
		{correction.Upheld, 0, false, "", "escalation", ""},
		{correction.Negotiating, 1, false, "answer", "escalation", ""},
		{correction.Mediating, 2, false, "", "", "mediation"},
		{correction.Referred, 3, false, "", "", "decision"},
		{correction.Ordered, 2, false, "answer escalation", "", ""},
		{correction.Ordered, 2, true, "answer escalation", "escalation", ""},
		{correction.Ordered, 3, true, "answer", "", ""},
		{correction.Upheld, 3, false, "", "", ""},
		{correction.Corrected, 0, false, "", "", ""},
		{correction.Withdrawn, 0, false, "", "", ""},
	} {
		one := &d.corrections[0]
		one.State, one.Step, one.Overdue = c.state, c.step, c.overdue
		for of, want := range map[string]string{"GA": c.provider, "SPJ": c.opener, "DSJ": c.decider} {
			if got := actsFor(t, visitors[of]); got != want {
				t.Errorf("%s, step %d, overdue %t: %s can %q, want %q", c.state, c.step, c.overdue, of, got, want)
			}
		}
	}
}

func TestCorrection_AnOfficerOfTheOpenersWhoIsNoClerkDoesNotEscalate(t *testing.T) {
	t.Parallel()
	if got := acts(t, disputed(correction.Upheld, 0), "SPJ"); got != "" {
		t.Errorf("%q", got)
	}
	d := disputed(correction.Upheld, 0)
	d.corrections[0].Opener = correction.Opener{Subject: "s"} // the person himself
	if got := acts(t, d, "SPJ", policies.DutyClerk); got != "" {
		t.Errorf("of a person's own correction: %q", got)
	}
}

func TestCorrection_NobodyRulesOnWhatHeOpened(t *testing.T) {
	t.Parallel()
	for state, step := range map[correction.State]int{correction.Mediating: 2, correction.Referred: 3} {
		d := disputed(state, step)
		d.corrections[0].Opener = correction.Opener{Department: "DSJ", Person: "p-staff"}
		if got := acts(t, d, "DSJ"); got != "" {
			t.Errorf("%s: %q", state, got)
		}
	}
}

func TestCorrection_IsRuledOnAndEscalated(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		form url.Values
		want correction.Event
	}{
		{url.Values{"act": {"mediation"}, "result": {"corrected"}, "explanation": {"档案已更新"}, "document": {"不会保存"}},
			correction.Event{Act: correction.Mediate, Result: correction.Corrected, Why: "档案已更新"}},
		{url.Values{"act": {"decision"}, "result": {"upheld"}, "explanation": {"与档案一致"}, "document": {"济政字〔2026〕1号"}},
			correction.Event{Act: correction.Decide, Result: correction.Upheld, Why: "与档案一致", Document: "济政字〔2026〕1号"}},
		{url.Values{"act": {"escalation"}, "grounds": {"不同意协调意见"}}, correction.Event{Act: correction.Escalate, Why: "不同意协调意见"}},
	} {
		d := disputed(correction.Mediating, 2)
		p := visitOf(t, "DSJ", d).Post("/department/corrections/k1", c.form)
		if p.Status != http.StatusSeeOther || p.Location != "/department/corrections/k1" || d.judged == nil || *d.judged != c.want {
			t.Errorf("%v: %d to %s, %+v", c.form, p.Status, p.Location, d.judged)
		}
	}
}

func TestCorrection_ARulingLacksNeitherResultNorReasonNorDocument(t *testing.T) {
	t.Parallel()
	d := disputed(correction.Referred, 3)
	p := visitOf(t, "DSJ", d).Post("/department/corrections/k1", url.Values{"act": {"decision"}})
	if p.Status != http.StatusUnprocessableEntity || d.judged != nil {
		t.Fatalf("%d, %+v", p.Status, d.judged)
	}
	p.Has(t, `<a href="#result">`, `<a href="#explanation">`, `<a href="#document">`, `id="result"`, `id="explanation"`, `id="document"`)
	d = disputed(correction.Ordered, 2)
	p = visit(t, d).Post("/department/corrections/k1", url.Values{"act": {"escalation"}})
	if p.Status != http.StatusUnprocessableEntity || d.judged != nil {
		t.Fatalf("%d, %+v", p.Status, d.judged)
	}
	p.Has(t, `<a href="#grounds">`, `id="grounds"`)
}

func TestCorrection_ARefusalIsAtTheFieldOfItsAct(t *testing.T) {
	t.Parallel()
	for act, c := range map[string]struct {
		form url.Values
		at   string
	}{
		"answer":     {url.Values{"reason": {"record_right"}}, "why"},
		"passing_on": {url.Values{"to": {"SPJ"}}, "remark"},
		"escalation": {url.Values{"grounds": {"x"}}, "grounds"},
		"mediation":  {url.Values{"result": {"upheld"}, "explanation": {"x"}}, "explanation"},
	} {
		d := disputed(correction.Open, 0)
		d.refuse = fault.New(fault.Invalid, "invalid-correction-act", "x").With(fault.Detail{Location: "body.explanation", Message: "请说明理由。"})
		c.form.Set("act", act)
		visit(t, d).Post("/department/corrections/k1", c.form).Has(t, `<a href="#`+c.at+`">`)
	}
}

func TestCorrection_ShowsWhatWasRuledAndByWhichDocument(t *testing.T) {
	t.Parallel()
	d := disputed(correction.Ordered, 3)
	d.corrections[0].History = []correction.Trace{{
		Act: correction.Decide, At: at(-1), Department: "DSJ", State: correction.Ordered, Why: "依档案更正" + hostile, Document: "济政字〔2026〕1号",
	}}
	ok(t, visit(t, d).Get("/department/corrections/k1")).Has(t, "登记决定", "应予更正", "文号：济政字〔2026〕1号", "依档案更正")
}
