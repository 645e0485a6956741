package policies_test

import (
	"testing"
	"time"

	"mianti/catalog"
	"mianti/policies"
)

// waiting is the situation of a case whose premises' certificate waits for its
// source for 60 minutes before it is asked of the applicant.
func waiting(t *testing.T) *policies.Situation {
	t.Helper()
	rev := jinanCatalog(t)
	m := rev.Material("S01.M1.j") // of a catalog of this test's own
	m.Chain = []catalog.Step{{Mode: catalog.ModeData}, {Mode: catalog.ModeWait, Minutes: 60}, {Mode: catalog.ModeUpload}}
	return founding().situation(t, rev)
}

func TestSettle_WaitsForASourceThatWasAway(t *testing.T) {
	t.Parallel()
	said := now.Add(20 * time.Second)
	for name, test := range map[string]struct {
		answer  policies.Answer
		elapsed time.Duration
		outcome policies.Outcome
		reason  policies.ReasonCode
	}{
		"down":                      {policies.Answer{Result: policies.SourceDown, Fault: "down", RetryAt: said}, 0, policies.Verifying, policies.ReasonSourceRetry},
		"stale":                     {policies.Answer{Result: policies.Stale}, 0, policies.Verifying, policies.ReasonSourceRetry},
		"down, just before the end": {policies.Answer{Result: policies.SourceDown}, time.Hour - 1, policies.Verifying, policies.ReasonSourceRetry},
		"down, the time is up":      {policies.Answer{Result: policies.SourceDown}, time.Hour, policies.Upload, "source_down"},
		"no record":                 {policies.Answer{Result: policies.NotFound}, 0, policies.Upload, "not_found"},
		"a record that has ended":   {policies.Answer{Result: policies.Expired}, 0, policies.Upload, "expired"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := waiting(t)
			s.Since, s.Now = now, now.Add(test.elapsed)
			out := answer(t, s, "S01.M1.j@p2", always(test.answer))
			if out.Outcome != test.outcome || out.Reason != test.reason {
				t.Fatalf("%s for %s, want %s for %s", out.Outcome, out.Reason, test.outcome, test.reason)
			}
			if out.Waits != (test.outcome == policies.Verifying) {
				t.Errorf("waits: %t", out.Waits)
			}
			if out.Waits && (!out.WaitUntil.Equal(now.Add(time.Hour)) || !out.RetryAt.Equal(test.answer.RetryAt)) {
				t.Errorf("asked again at %s, until %s", out.RetryAt, out.WaitUntil)
			}
		})
	}
}

func TestSettle_AChainWithoutUploadWaitsForADayAndThenForAPerson(t *testing.T) {
	t.Parallel()
	s := founding().situation(t, jinanCatalog(t))
	s.Since = now
	for elapsed, want := range map[time.Duration]policies.ReasonCode{
		0: policies.ReasonSourceRetry, 24*time.Hour - 1: policies.ReasonSourceRetry, 24 * time.Hour: policies.ReasonManualCheck,
	} {
		s.Now = now.Add(elapsed)
		out := answer(t, s, "S01.M1.j@p2", always(policies.Answer{Result: policies.SourceDown}))
		if out.Outcome != policies.Verifying || out.Reason != want || out.Waits != (want == policies.ReasonSourceRetry) {
			t.Errorf("after %s: %s for %s, waits %t; want %s", elapsed, out.Outcome, out.Reason, out.Waits, want)
		}
	}
}
