package exchange_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/store"
)

func (b *bench) replay(id string, version int) *exchange.Replay {
	b.t.Helper()
	replayer := exchange.Replayer{Catalogs: store.NewCatalogs(b.store), Cases: b.store, Archive: b.store}
	replay, err := replayer.Replay(b.t.Context(), id, version)
	if err != nil {
		b.t.Fatalf("replay: %s", describe(err))
	}
	return replay
}

// wantSame wants a version to come out again as it was answered.
func (b *bench) wantSame(id string, version int) {
	b.t.Helper()
	replay := b.replay(id, version)
	if err := replay.Verdict(); err != nil {
		b.t.Errorf("version %d: %s, the first in %+v", version, describe(err), replay.Differences[:min(1, len(replay.Differences))])
	}
	if replay.Recorded.Version != version || replay.Again.Version != version {
		b.t.Errorf("version %d came out as %d, recorded as %d", version, replay.Again.Version, replay.Recorded.Version)
	}
}

// A source was down, the resolution went on with what it had, and meanwhile the
// grants, the facts and the catalog changed: both versions still come out again
// as they were answered.
func TestReplay_GivesEachVersionAgainWhateverHasChangedSince(t *testing.T) {
	t.Parallel()
	b, source, clock := newRecovering(t)
	c := b.open(as("SPJ"), founding())
	first := b.resolve(as("SPJ"), c.ID)
	source.well.Store(true)
	clock.move(15 * time.Second)
	b.goOn(as("SPJ"), c.ID)
	if last := b.last(as("SPJ"), c.ID); last.Version != 2 {
		t.Fatalf("the last version is %d, want 2", last.Version)
	}
	b.wantSame(first.ID, 1)
	b.wantSame(first.ID, 2)

	b.execute("UPDATE grants SET state = 'terminated'")
	clock.move(400 * 24 * time.Hour) // every grant has run out
	b.wantSame(first.ID, 1)
	b.wantSame(first.ID, 2)
}

// What somebody changed in a stored resolution is named, and so is that it is
// not what was answered.
func TestReplay_NamesWhatWasChangedAfterwards(t *testing.T) {
	t.Parallel()
	b := newBench(t, wellKept)
	c := b.open(as("SPJ"), founding())
	r := b.resolve(as("SPJ"), c.ID)
	b.wantSame(r.ID, 1)
	b.rewrite("resolutions", "id", r, `"outcome":"settled"`, `"outcome":"deferred"`)
	replay := b.replay(r.ID, 1)
	if replay.Answered {
		t.Error("a changed resolution counts as answered")
	}
	if len(replay.Differences) != r.Summary.Settled {
		t.Errorf("%d differences, want one for each of %d materials: %+v", len(replay.Differences), r.Summary.Settled, replay.Differences)
	}
	for _, d := range replay.Differences {
		if !strings.HasPrefix(d.Place, "materials[") || !strings.HasSuffix(d.Place, "].outcome") || d.Recorded != `"deferred"` || d.Again != `"settled"` {
			t.Errorf("difference %+v, want the outcome of a material", d)
		}
	}
	if err := replay.Verdict(); err == nil || !strings.Contains(err.Error(), "摘要不一致") {
		t.Errorf("verdict: %v", err)
	}
}

func TestReplay_NamesWhatWasChangedInTheInputs(t *testing.T) {
	t.Parallel()
	b := newBench(t, wellKept)
	c := b.open(as("SPJ"), founding())
	r := b.resolve(as("SPJ"), c.ID)
	b.rewrite("resolution_inputs", "resolution_id", r, `"Result":"ok"`, `"Result":"stale"`)
	replay := b.replay(r.ID, 1)
	if !replay.Answered || len(replay.Differences) == 0 {
		t.Errorf("answered %v, %d differences; want an answered resolution that comes out otherwise", replay.Answered, len(replay.Differences))
	}
	asks := func(d exchange.Difference) bool { return d.Place == "question" }
	if !slices.ContainsFunc(replay.Differences, asks) {
		t.Errorf("no difference says that more would have been asked: %+v", replay.Differences)
	}
}

func TestReplay_SaysWhatItDoesNotHave(t *testing.T) {
	t.Parallel()
	b := newBench(t, wellKept)
	c := b.open(as("SPJ"), founding())
	r := b.resolve(as("SPJ"), c.ID)
	replayer := exchange.Replayer{Catalogs: store.NewCatalogs(b.store), Cases: b.store, Archive: b.store}
	for name, tt := range map[string]struct {
		id      string
		version int
		code    string
	}{
		"an unknown resolution": {"nowhere", 0, "unknown-resolution"},
		"an unknown version":    {r.ID, 9, "unknown-version"},
	} {
		_, err := replayer.Replay(t.Context(), tt.id, tt.version)
		if f := fault.As(err); f == nil || f.Code != tt.code {
			t.Errorf("%s: %v, want %s", name, err, tt.code)
		}
	}
	b.execute("DELETE FROM resolution_inputs")
	if _, err := replayer.Replay(t.Context(), r.ID, 0); fault.As(err) == nil || fault.As(err).Code != "no-inputs" {
		t.Errorf("without inputs: %v", err)
	}
}
