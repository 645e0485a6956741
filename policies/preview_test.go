package policies_test

import (
	"testing"
	"time"

	"mianti/policies"
)

// What a person has to see first is settled by his release of that very content,
// and by nothing else.
func TestSettle_HoldsBackWhatThePersonHasNotReleased(t *testing.T) {
	t.Parallel()
	const key = "S01.M1.b@p2"
	record := idCard("2040-01-01")
	for name, test := range map[string]struct {
		preview bool
		said    func(content, party string) []policies.Preview
		outcome policies.Outcome
		reason  policies.ReasonCode
	}{
		"nothing was said": {true, func(string, string) []policies.Preview { return nil }, policies.NeedsConsent, policies.ReasonPreviewAwaited},
		"awaited":          {true, theySaid(policies.PreviewAwaited), policies.NeedsConsent, policies.ReasonPreviewAwaited},
		"released":         {true, theySaid(policies.PreviewReleased), policies.Settled, ""},
		"paper":            {true, theySaid(policies.PreviewPaper), policies.Upload, policies.ReasonChosePaper},
		"another content": {true, func(_, party string) []policies.Preview {
			return theySaid(policies.PreviewReleased)("sha256:other", party)
		}, policies.NeedsConsent, policies.ReasonPreviewAwaited},
		"another party": {true, func(content, _ string) []policies.Preview {
			return theySaid(policies.PreviewReleased)(content, "p9")
		}, policies.NeedsConsent, policies.ReasonPreviewAwaited},
		"another material": {true, func(content, party string) []policies.Preview {
			return []policies.Preview{{Material: "S01.M1.z", Party: party, Content: content, State: policies.PreviewReleased}}
		}, policies.NeedsConsent, policies.ReasonPreviewAwaited},
		"no preview is asked": {false, theySaid(policies.PreviewPaper), policies.Settled, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, plain := previewing(t, test.preview), previewing(t, false)
			shown := answer(t, plain, key, always(record))
			if shown.Outcome != policies.Settled {
				t.Fatalf("without a preview: %s for %s", shown.Outcome, shown.Reason)
			}
			s.Previews = test.said(policies.ContentOf(shown.Evidence), "p2")
			out := answer(t, s, key, always(record))
			if out.Outcome != test.outcome || test.reason != "" && out.Reason != test.reason {
				t.Errorf("%s for %s, want %s for %s", out.Outcome, out.Reason, test.outcome, test.reason)
			}
			if held := out.Outcome == policies.NeedsConsent; held != (len(out.Previewed) > 0) || held && len(out.Evidence) > 0 {
				t.Errorf("held back: %d, given out: %d", len(out.Previewed), len(out.Evidence))
			}
		})
	}
}

func theySaid(state policies.PreviewState) func(content, party string) []policies.Preview {
	return func(content, party string) []policies.Preview {
		return []policies.Preview{{Material: "S01.M1.b", Party: party, Content: content, State: state}}
	}
}

func previewing(t *testing.T, preview bool) *policies.Situation {
	t.Helper()
	rev := jinanCatalog(t)
	rev.Material("S01.M1.b").Preview = preview // of a catalog of this test's own
	return founding().situation(t, rev)
}

// The content is what the record says, not when it was asked.
func TestContentOf_IsWhatTheRecordSays(t *testing.T) {
	t.Parallel()
	first := policies.Evidence{Dataset: "D-GA01", Fields: map[string]any{"a": "1", "b": []any{"x"}}, FetchedAt: now}
	later := first
	later.FetchedAt, later.AsOf, later.Reference = now.Add(time.Hour), now, "r2"
	if policies.ContentOf([]policies.Evidence{first}) != policies.ContentOf([]policies.Evidence{later}) {
		t.Error("the same record asked later is another content")
	}
	later.Fields = map[string]any{"a": "2", "b": []any{"x"}}
	if policies.ContentOf([]policies.Evidence{first}) == policies.ContentOf([]policies.Evidence{later}) {
		t.Error("another record is the same content")
	}
}
