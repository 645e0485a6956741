package store

import (
	"context"
	"sync"
	"testing"

	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// held is what was found for a case, for one viewer.
func held(id, value string) exchange.HeldPreview {
	return exchange.HeldPreview{
		Preview: exchange.Preview{
			ID: id, Case: "c1", Department: "SPJ", Material: "S01.M1.b", Party: "p2", Content: "sha256:1", State: policies.PreviewAwaited,
			Records: []exchange.PreviewRecord{{Dataset: "D-GA01", Fields: map[string]any{"name": value}}}, FoundAt: testTime, Version: 1,
		},
		Viewers: []string{"v1"},
	}
}

func releasing(id string, version int, previews []exchange.HeldPreview, rests ...string) exchange.Commit {
	return exchange.Commit{
		Resolution: &exchange.Resolution{ID: id, Case: "c1", CaseVersion: 1, Revision: 1, Status: exchange.StatusComplete, ResolvedAt: testTime, Version: version},
		Rights:     exchange.Rights{Previews: rests}, Previews: previews,
	}
}

func TestPreview_IsKeptDecidedAndHeldAtTheRelease(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		ready(t, s)
		open(t, s, newCase("c1", "JN-1"))
		if err := s.CommitResolution(t.Context(), releasing("r1", 1, []exchange.HeldPreview{held("h1", "旧")})); err != nil {
			t.Fatal(err)
		}
		for subject, want := range map[string]fault.Kind{"v1": "", "v2": fault.NotFound} {
			_, err := s.MyPreview(t.Context(), subject, "h1")
			if f := fault.As(err); (f == nil) != (want == "") || f != nil && f.Kind != want {
				t.Errorf("%s: %v", subject, err)
			}
			list, err := s.MyPreviews(t.Context(), exchange.ConsentFilter{Subject: subject, Limit: 5})
			if err != nil || (len(list) == 1) != (want == "") {
				t.Errorf("%s lists %d, %v", subject, len(list), err)
			}
		}
		wantCode(t, s.CommitResolution(t.Context(), releasing("r1", 2, nil, "h1")), exchange.AuthorizationChanged)
		p, err := s.MyPreview(t.Context(), "v1", "h1")
		if err != nil {
			t.Fatal(err)
		}
		decide := func(state policies.PreviewState) error {
			said, now := *p, testTime
			said.State, said.DecidedAt, said.Version = state, &now, p.Version+1
			return s.DecidePreview(context.WithoutCancel(t.Context()), &said, entry(ledger.PreviewReleased, "c1"), nil)
		}
		errs := make([]error, 2)
		var both sync.WaitGroup
		for i := range errs {
			both.Go(func() { errs[i] = decide(policies.PreviewReleased) })
		}
		both.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Fatalf("of two at once: %v, %v", errs[0], errs[1])
		}
		// It was found again: what was said stays.
		if err := s.CommitResolution(t.Context(), releasing("r1", 2, []exchange.HeldPreview{held("h1", "新")}, "h1")); err != nil {
			t.Fatal(err)
		}
		all, err := s.PreviewsOf(t.Context(), "c1")
		if err != nil || len(all) != 1 || all[0].State != policies.PreviewReleased || all[0].Version != 2 || all[0].Records[0].Fields["name"] != "新" {
			t.Errorf("%+v, %v", all, err)
		}
	})
}
