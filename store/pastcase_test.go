package store

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"mianti/exchange"
	"mianti/internal/fault"
)

// Three cases, resolved one after the other, the first of them again at last. It comes
// first then, and once; the inputs of both resolutions come in their order.
func TestPastCases_AreThoseResolvedLast(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		queueOf(t, s, 3)
		for i, id := range []string{"c1", "c2", "c3", "c1"} {
			r := newResolution(fmt.Sprintf("r%d", i+1), id)
			r.ResolvedAt = testTime.Add(time.Duration(i) * time.Hour)
			in := &exchange.Inputs{Resolution: r.ID, Version: r.Version, Case: id, Now: r.ResolvedAt}
			if err := s.CommitResolution(t.Context(), exchange.Commit{Resolution: r, Inputs: in}); err != nil {
				t.Fatal(err)
			}
		}
		var ids []string
		var last *exchange.PastCase
		for {
			page, err := s.PastCases(t.Context(), last, 2)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			for _, c := range page {
				ids = append(ids, c.ID+" "+c.Resolution)
			}
			last = &page[len(page)-1]
		}
		if want := []string{"c1 r4", "c3 r3", "c2 r2"}; !slices.Equal(ids, want) {
			t.Errorf("past cases %v, want %v", ids, want)
		}
		inputs, err := s.CaseInputs(t.Context(), "c1")
		if err != nil || len(inputs) != 2 || inputs[0].Resolution != "r1" || inputs[1].Resolution != "r4" {
			t.Errorf("inputs %+v, %v; want those of r1, then of r4", inputs, err)
		}
		if _, err := s.CaseInputs(t.Context(), "other"); fault.As(err) == nil || fault.As(err).Code != "no-inputs" {
			t.Errorf("inputs of a case that was never resolved: %v", err)
		}
	})
}
