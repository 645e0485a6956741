package api_test

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mianti/ledger/anchor"
)

// anchors is a report that is given out.
type anchors struct {
	report *anchor.Report
	err    error
}

func (a anchors) Report(context.Context) (*anchor.Report, error) { return a.report, a.err }

func TestListAnchors_ShowsTheGap(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	since := at()
	config := h.config
	config.Anchors = anchors{report: &anchor.Report{Size: 12, Gaps: []anchor.Gap{
		{Kind: anchor.Witness, Name: "w", Configured: true, Size: 4, At: &since, Behind: 8, Trouble: anchor.Away, Text: anchor.Away.Text(), Since: &since},
	}}}
	h.handler = h.newHandler(config)
	var got map[string]any
	decode(t, h.call(ownSystem, http.MethodGet, "/v1/ledger/anchors", ""), &got)
	moment := "2026-11-23T09:00:00Z"
	want := map[string]any{"size": 12.0, "anchors": []any{map[string]any{
		"kind": "witness", "name": "w", "configured": true, "size": 4.0, "at": moment, "behind": 8.0, "trouble": "away", "text": anchor.Away.Text(), "since": moment,
	}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	config.Anchors = anchors{err: errors.New("canary")}
	h.handler = h.newHandler(config)
	wantProblem(t, h.call(ownSystem, http.MethodGet, "/v1/ledger/anchors", ""), http.StatusInternalServerError, "internal")
}

func TestListAnchors_IsEmptyWhereNothingIsAnchored(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	var got struct {
		Anchors []any `json:"anchors"`
	}
	decode(t, h.call(ownSystem, http.MethodGet, "/v1/ledger/anchors", ""), &got)
	if got.Anchors == nil || len(got.Anchors) > 0 {
		t.Errorf("got %v", got.Anchors)
	}
}
