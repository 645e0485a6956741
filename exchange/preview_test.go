package exchange_test

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// looking is a bench whose spouse and child see their identity first. The record
// says what says gives.
type looking struct {
	*bench
	c     *exchange.Case
	says  string
	mu    sync.Mutex
	clock clock
}

func newLooking(t *testing.T) *looking {
	t.Helper()
	l := &looking{says: "2036-01-01"}
	l.bench = newBench(t, func(_ context.Context, q connectors.Query) (connectors.Reply, error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		return connectors.Reply{Reference: "应答-1", Records: []connectors.Record{{Subject: q.Subject, Fields: map[string]any{"valid_to": l.says}}}}, nil
	}, func(c *exchange.Config) { c.Now = l.clock.now })
	files := familyCatalog()
	plain := []byte("standard_material: STD-ID\n")
	if !bytes.Contains(files["one-things/S90.yaml"], plain) {
		t.Fatal("the catalog has changed")
	}
	files["one-things/S90.yaml"] = bytes.Replace(files["one-things/S90.yaml"], plain, append(plain, []byte("        preview: true\n")...), 1)
	l.saveCatalog(files)
	rev, err := l.config.Catalogs.Current(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := l.store.SaveGrants(t.Context(), grantsFor(rev)); err != nil {
		t.Fatal(err)
	}
	parties := family()
	for i := range parties {
		parties[i].Consent = catalog.ConsentGiven
	}
	l.c = l.open(as("SPJ"), exchange.Opening{Number: "JN-P", OneThing: "S90", Facts: map[string]any{"married": false}, Parties: parties})
	return l
}

// preview is the one that a person sees of a party.
func (l *looking) preview(by policies.Caller, party string) *exchange.Preview {
	l.t.Helper()
	list, err := l.x.MyPreviews(l.t.Context(), by, exchange.ConsentFilter{Limit: 10})
	if err != nil {
		l.t.Fatal(describe(err))
	}
	for _, p := range list {
		if p.Party == party {
			if len(p.Records) > 0 {
				l.t.Error("the list shows what was found")
			}
			read, err := l.x.MyPreview(l.t.Context(), by, p.ID)
			if err != nil {
				l.t.Fatal(describe(err))
			}
			return read
		}
	}
	l.t.Fatalf("no preview of %s", party)
	return nil
}

func (l *looking) say(by policies.Caller, p *exchange.Preview, said policies.PreviewState) {
	l.t.Helper()
	if _, err := l.x.DecidePreview(l.t.Context(), by, p.ID, p.Content, said); err != nil {
		l.t.Fatal(describe(err))
	}
}

// of is what the system reads of a party's identity.
func (l *looking) of(party string) exchange.MaterialResult {
	l.t.Helper()
	r, err := l.x.Resolution(l.t.Context(), as("SPJ"), l.last(as("SPJ"), l.c.ID).ID)
	if err != nil {
		l.t.Fatal(describe(err))
	}
	return l.material(r, "S90.M1.a", party)
}

func TestPreview_TheSystemGetsNothingBeforeTheRelease(t *testing.T) {
	t.Parallel()
	l := newLooking(t)
	r := l.resolve(as("SPJ"), l.c.ID)
	for _, party := range []string{"p1", "p2", "p3"} {
		if m := l.material(r, "S90.M1.a", party); m.Outcome != policies.NeedsConsent || m.Reason.Code != policies.ReasonPreviewAwaited || m.Evidence != nil {
			t.Errorf("%s: %s for %s, evidence %+v", party, m.Outcome, m.Reason.Code, m.Evidence)
		}
	}
	if text := asJSON(t, r) + asJSON(t, l.of("p2")) + l.bodies(); strings.Contains(text, l.says) || strings.Contains(text, "应答-1") {
		t.Error("what was found is shown or recorded")
	}
	asked := len(l.sources.questions())
	spouse, parent := citizen(l.x, family()[1]), citizen(l.x, family()[0])
	p := l.preview(spouse, "p2")
	if p.Records[0].Fields["valid_to"] != l.says || p.State != policies.PreviewAwaited {
		t.Errorf("he sees %+v", p)
	}
	l.say(spouse, p, policies.PreviewReleased)
	l.say(spouse, p, policies.PreviewReleased)                    // the same again
	l.say(parent, l.preview(parent, "p3"), policies.PreviewPaper) // a guardian, for the child
	l.goOn(as("SPJ"), l.c.ID)
	if m := l.of("p2"); m.Outcome != policies.Settled || m.Evidence.Fields["valid_to"] != l.says || m.Evidence.Withheld != "" {
		t.Errorf("released: %s, %+v", m.Outcome, m.Evidence)
	}
	if m := l.of("p3"); m.Outcome != policies.Upload || m.Reason.Code != policies.ReasonChosePaper || m.Evidence != nil {
		t.Errorf("paper: %s for %s", m.Outcome, m.Reason.Code)
	}
	if m := l.of("p1"); m.Outcome != policies.NeedsConsent {
		t.Errorf("not decided: %s", m.Outcome)
	}
	if got := len(l.sources.questions()); got != asked {
		t.Errorf("the source was asked %d times more", got-asked)
	}
	kinds := l.entries(l.c.ID, ledger.PreviewRead, ledger.PreviewReleased, ledger.PaperChosen)
	if len(kinds) != 4 {
		t.Errorf("%d entries, want two readings, a release and a paper", len(kinds))
	}
}

func TestPreview_ReleasesThatContentAlone(t *testing.T) {
	t.Parallel()
	for name, now := range map[string]string{"the same": "2036-01-01", "another": "2037-02-02"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLooking(t)
			l.resolve(as("SPJ"), l.c.ID)
			spouse := citizen(l.x, family()[1])
			l.say(spouse, l.preview(spouse, "p2"), policies.PreviewReleased)
			l.mu.Lock()
			l.says = now
			l.mu.Unlock()
			l.clock.move(25 * time.Hour) // the answer is stale: it is asked again
			asked := len(l.sources.questions())
			l.goOn(as("SPJ"), l.c.ID)
			if got := len(l.sources.questions()); got != asked+1 {
				t.Errorf("asked %d times, want once", got-asked)
			}
			want := policies.Settled
			if name == "another" {
				want = policies.NeedsConsent
			}
			if m := l.of("p2"); m.Outcome != want {
				t.Errorf("%s, want %s", m.Outcome, want)
			}
		})
	}
}

func TestPreview_IsTakenBackByChoosingPaper(t *testing.T) {
	t.Parallel()
	l := newLooking(t)
	l.resolve(as("SPJ"), l.c.ID)
	spouse := citizen(l.x, family()[1])
	p := l.preview(spouse, "p2")
	l.say(spouse, p, policies.PreviewReleased)
	l.goOn(as("SPJ"), l.c.ID)
	l.say(spouse, p, policies.PreviewPaper)
	if m := l.of("p2"); m.Evidence.Withheld != exchange.WithheldReleaseTakenBack || m.Evidence.Fields != nil {
		t.Errorf("taken back: %+v", m.Evidence)
	}
	l.goOn(as("SPJ"), l.c.ID)
	if m := l.of("p2"); m.Outcome != policies.Upload || m.Reason.Code != policies.ReasonChosePaper {
		t.Errorf("gone on: %s for %s", m.Outcome, m.Reason.Code)
	}
}

func TestPreview_IsHisAlone(t *testing.T) {
	t.Parallel()
	l := newLooking(t)
	l.resolve(as("SPJ"), l.c.ID)
	p := l.preview(citizen(l.x, family()[1]), "p2")
	for name, by := range map[string]policies.Caller{
		"another party": citizen(l.x, family()[0]), "a child": citizen(l.x, family()[2]), "nobody": {Person: "x"}, "the system": as("SPJ"),
	} {
		_, err := l.x.MyPreview(t.Context(), by, p.ID)
		wantFault(t, err, fault.NotFound, "unknown-preview")
		_, err = l.x.DecidePreview(t.Context(), by, p.ID, p.Content, policies.PreviewReleased)
		if f := fault.As(err); f == nil || f.Code != "unknown-preview" {
			t.Errorf("%s decides: %s", name, describe(err))
		}
	}
	_, err := l.x.DecidePreview(t.Context(), citizen(l.x, family()[1]), p.ID, "sha256:other", policies.PreviewReleased)
	wantFault(t, err, fault.Conflict, "preview-changed")
	if _, err := l.x.CloseCase(t.Context(), as("SPJ"), l.c.ID, exchange.CaseWithdrawn); err != nil {
		t.Fatal(describe(err))
	}
	_, err = l.x.DecidePreview(t.Context(), citizen(l.x, family()[1]), p.ID, p.Content, policies.PreviewReleased)
	wantFault(t, err, fault.Conflict, "case-closed")
}

// Release and paper at once: one counts, and what is shown is what counts.
func TestPreview_OfTwoWordsAtOnceOneCounts(t *testing.T) {
	t.Parallel()
	l := newLooking(t)
	l.resolve(as("SPJ"), l.c.ID)
	spouse := citizen(l.x, family()[1])
	p := l.preview(spouse, "p2")
	var all sync.WaitGroup
	for _, said := range []policies.PreviewState{policies.PreviewReleased, policies.PreviewPaper} {
		all.Go(func() {
			if _, err := l.x.DecidePreview(t.Context(), spouse, p.ID, p.Content, said); err != nil {
				if f := fault.As(err); f == nil || f.Code != "preview-changed" {
					t.Error(describe(err))
				}
			}
		})
		all.Go(func() { _ = l.x.Continue(t.Context(), "SPJ", l.c.ID) })
	}
	all.Wait()
	l.goOn(as("SPJ"), l.c.ID)
	want := map[policies.PreviewState]policies.Outcome{policies.PreviewReleased: policies.Settled, policies.PreviewPaper: policies.Upload}
	if state := l.preview(spouse, "p2").State; l.of("p2").Outcome != want[state] {
		t.Errorf("he said %s, and it is %s", state, l.of("p2").Outcome)
	}
}
