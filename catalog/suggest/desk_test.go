package suggest_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"mianti/catalog"
	"mianti/catalog/suggest"
	"mianti/examples/jinan"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// kept is what a desk keeps, in memory.
type kept struct {
	rev *catalog.Revision

	mu      sync.Mutex
	said    []suggest.MappingDecision
	entries []ledger.Entry
}

func (k *kept) Current(context.Context, ...string) (*catalog.Revision, error) { return k.rev, nil }

func (k *kept) MappingDecisions(context.Context) ([]suggest.MappingDecision, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return append([]suggest.MappingDecision{}, k.said...), nil
}

func (k *kept) KeepMappingDecision(_ context.Context, _ string, d suggest.MappingDecision, e ledger.Entry) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.said, k.entries = append(k.said, d), append(k.entries, e)
	return nil
}

func newDesk(t *testing.T) (*suggest.Desk, *kept) {
	t.Helper()
	rev, err := catalog.Load(jinan.Files)
	if err != nil {
		t.Fatal(err)
	}
	k := &kept{rev: rev}
	return suggest.NewDesk(suggest.Config{Catalogs: k, Decisions: k, Now: func() time.Time { return time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC) }}), k
}

func verdict(name, code string) suggest.Verdict {
	return suggest.Verdict{Name: name, Kind: catalog.ThingStandardMaterial, Code: code, Accepted: true}
}

func TestDesk_KeepsEachVerdictWithItsEntryAndNoneWhereOneIsWrong(t *testing.T) {
	t.Parallel()
	desk, k := newDesk(t)
	by := policies.Caller{Person: "p1", Department: "SPJ"}
	_, err := desk.RecordAll(t.Context(), by, []suggest.Verdict{verdict("房本", "STD-HOUSE"), verdict("证照", "STD-NONE")})
	if f := fault.As(err); f == nil || f.Code != "invalid-mapping" || len(k.said)+len(k.entries) != 0 {
		t.Fatalf("%v; kept %v", err, k.said)
	}
	if _, err := desk.RecordAll(t.Context(), by, []suggest.Verdict{verdict("房本", "STD-HOUSE"), verdict("身份材料", "STD-ID")}); err != nil {
		t.Fatal(err)
	}
	if len(k.entries) != 2 || k.said[0].By != "p1" || k.said[0].Department != "SPJ" {
		t.Fatalf("kept %+v, %+v", k.said, k.entries)
	}
	for _, e := range k.entries {
		if e.Kind != ledger.MappingDecided || e.Person != "p1" || e.Result != "accepted" || !strings.HasPrefix(e.Digest, "sha256:") || strings.Contains(e.Object+e.Why, "房本") {
			t.Errorf("entry %+v; a name does not belong in it", e)
		}
	}
}

func TestDesk_AnswersManyAtOnceByWhatHolds(t *testing.T) {
	t.Parallel()
	desk, _ := newDesk(t)
	if _, err := desk.Record(t.Context(), policies.Caller{Person: "p1"}, verdict("房本", "STD-HOUSE")); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			got, err := desk.Suggest(t.Context(), []string{"房本", "营业执照"})
			if err != nil || len(got) != 2 || got[0].Papers[0].Cause != suggest.CauseDecided || got[1].Papers[0].Match == nil {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
	all.Wait()
}

func TestDesk_RefusesListsThatAreNone(t *testing.T) {
	t.Parallel()
	desk, _ := newDesk(t)
	for what, names := range map[string][]string{
		"empty": nil, "too long": make([]string, suggest.MaxNames+1), "a long name": {strings.Repeat("证", suggest.MaxName+1)},
	} {
		if _, err := desk.Suggest(t.Context(), names); fault.As(err) == nil || fault.As(err).Code != "invalid-names" {
			t.Errorf("%s: %v", what, err)
		}
	}
}
