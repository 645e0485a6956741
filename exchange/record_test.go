package exchange_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/connectors"
	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/ledger"
)

// journal appends by a function.
type journal func(ctx context.Context, entries []ledger.Entry) error

// Append does what the function does.
func (j journal) Append(ctx context.Context, entries []ledger.Entry) error { return j(ctx, entries) }

// AppendIntents does it too.
func (j journal) AppendIntents(ctx context.Context, intents []ledger.Entry, _ []string) error {
	return j(ctx, intents)
}

// ConcernsOf knows of nobody.
func (journal) ConcernsOf(context.Context, string) ([]string, error) { return nil, nil }

// uncommitted keeps no resolution.
type uncommitted struct{ exchange.Resolutions }

// CommitResolution fails.
func (uncommitted) CommitResolution(context.Context, exchange.Commit) error {
	return fault.New(fault.Unavailable, "database-away", "数据库暂时不可用。")
}

func TestResolve_AsksNobodyWhenTheIntentIsNotRecorded(t *testing.T) {
	t.Parallel()
	full := errors.New("disk full")
	b := newBench(t, wellKept, func(c *exchange.Config) {
		c.Journal = journal(func(context.Context, []ledger.Entry) error { return full })
	})
	c := b.open(as("SPJ"), founding())
	r, err := b.x.Resolve(t.Context(), as("SPJ"), c.ID, nil)
	f := wantFault(t, err, fault.Unavailable, "not-recorded")
	if !errors.Is(f, full) {
		t.Errorf("cause = %v, want it kept", f.Cause)
	}
	if r != nil {
		t.Error("a resolution was returned")
	}
	if asked := b.sources.questions(); len(asked) != 0 {
		t.Errorf("%d questions were asked, want none", len(asked))
	}
	if n := b.rows("resolutions"); n != 0 {
		t.Errorf("%d resolutions are stored, want none", n)
	}
}

func TestResolve_AsksNothingMoreWhenALaterIntentIsNotRecorded(t *testing.T) {
	t.Parallel()
	var rounds atomic.Int32
	b := newBench(t, except("D-GA01", nothing), func(c *exchange.Config) {
		whole := c.Journal
		c.Journal = journal(func(ctx context.Context, entries []ledger.Entry) error {
			if rounds.Add(1) > 1 {
				return errors.New("disk full")
			}
			return whole.Append(ctx, entries)
		})
	})
	c := b.open(as("SPJ"), founding())
	r, err := b.x.Resolve(t.Context(), as("SPJ"), c.ID, nil)
	wantFault(t, err, fault.Unavailable, "not-recorded")
	if r != nil || b.rows("resolutions") != 0 {
		t.Error("a resolution was returned or stored")
	}
	asked := b.sources.questions()
	if len(asked) != foundingQuestions || len(b.entries(c.ID, ledger.Intent)) != foundingQuestions {
		t.Errorf("%d questions were asked for %d intents, want %d for both", len(asked), len(b.entries(c.ID, ledger.Intent)), foundingQuestions)
	}
}

// nothing holds no record of anybody.
func nothing(context.Context, connectors.Query) (connectors.Reply, error) {
	return connectors.Reply{}, nil
}

func TestResolve_RecordsTheIntentBeforeItAsks(t *testing.T) {
	t.Parallel()
	var b *bench
	var c *exchange.Case
	var mu sync.Mutex
	var unannounced []string
	b = newBench(t, func(ctx context.Context, q connectors.Query) (connectors.Reply, error) {
		subject := ledger.Digest(c.Salt, string(q.Subject.Kind)+"|"+q.Subject.Number)
		entries, err := b.store.Entries(ctx, c.ID)
		announced := slices.ContainsFunc(entries, func(e ledger.Entry) bool {
			return e.Kind == ledger.Intent && e.Source == q.Source.Code && e.Subject == subject && slices.Equal(e.Fields, q.Fields)
		})
		if err != nil || !announced {
			mu.Lock()
			unannounced = append(unannounced, q.Source.Code)
			mu.Unlock()
		}
		if q.Source.Kind == "elicense" { // so that there is a second round
			return connectors.Reply{}, nil
		}
		return wellKept(ctx, q)
	})
	c = b.open(as("SPJ"), founding())
	b.resolve(as("SPJ"), c.ID)
	if len(unannounced) > 0 {
		t.Errorf("asked without an intent in the ledger: %v", unannounced)
	}
	if asked := b.sources.questions(); len(asked) != foundingQuestions+3 {
		t.Errorf("%d questions, want %d and 3 more in a second round", len(asked), foundingQuestions)
	}
}

func TestResolve_ReturnsNothingThatItCouldNotStore(t *testing.T) {
	t.Parallel()
	b := newBench(t, wellKept, func(c *exchange.Config) { c.Resolutions = uncommitted{c.Resolutions} })
	c := b.open(as("SPJ"), founding())
	r, err := b.x.Resolve(t.Context(), as("SPJ"), c.ID, nil)
	wantFault(t, err, fault.Unavailable, "database-away")
	if r != nil {
		t.Error("a resolution was returned")
	}
	if n := len(b.entries(c.ID, ledger.Intent)); n != foundingQuestions {
		t.Errorf("%d intents, want those of the %d questions that were asked", n, foundingQuestions)
	}
	if n := len(b.entries(c.ID, ledger.Outcome)); n != foundingQuestions {
		t.Errorf("%d outcomes, want those of the %d questions: they were asked all the same", n, foundingQuestions)
	}
	if got := b.entries(c.ID, ledger.Resolved); len(got) > 0 {
		t.Error("the ledger tells of a resolution that is not stored")
	}
}

func TestResolve_RecordsOneOutcomeForEachIntent(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(ctx context.Context, q connectors.Query) (connectors.Reply, error) {
		switch {
		case q.Subject.Number == zhou && q.Source.Kind == "elicense":
			return connectors.Reply{}, nil
		case q.Dataset.Code == "D-FG02":
			return connectors.Reply{}, &connectors.Fault{Kind: connectors.FaultMalformed}
		}
		return wellKept(ctx, q)
	})
	c := b.open(as("SPJ"), founding())
	r := b.resolve(as("SPJ"), c.ID)
	intents, outcomes := b.entries(c.ID, ledger.Intent), b.entries(c.ID, ledger.Outcome)
	if asked := len(b.sources.questions()); asked != foundingQuestions+1 || len(intents) != asked {
		t.Errorf("%d intents for %d questions, want %d of both", len(intents), asked, foundingQuestions+1)
	}
	if diff := cmp.Diff(lookUps(intents), lookUps(outcomes)); diff != "" {
		t.Errorf("intents and outcomes differ (-intent +outcome):\n%s", diff)
	}
	results := map[string]int{}
	for _, e := range outcomes {
		results[e.Result]++
		if (e.Digest != "") != (e.Result == "ok") {
			t.Errorf("outcome %s of %s has digest %q", e.Result, e.Dataset, e.Digest)
		}
	}
	if diff := cmp.Diff(map[string]int{"ok": 5, "not_found": 1, "source_down": 1}, results); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
	whole := b.entries(c.ID, ledger.Resolved)
	if len(whole) != 1 || whole[0].Resolution != r.ID || whole[0].Result != string(r.Status) {
		t.Errorf("entries of the whole = %+v, want one of %s", whole, r.ID)
	}
}

// lookUps writes down which look-up each entry is about, sorted.
func lookUps(entries []ledger.Entry) []string {
	var out []string
	for _, e := range entries {
		out = append(out, strings.Join([]string{
			e.System, e.Department, e.Case, e.Resolution, e.Ruleset, e.Matter, e.Material, e.Mode, e.Dataset, e.Source, e.Subject,
			strings.Join(e.Fields, ","), e.Grant, strings.Join(e.Basis, ","),
		}, " "))
	}
	slices.Sort(out)
	return out
}

func TestLedger_HoldsNoIdentityAndNoValue(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	secrets := map[string]bool{"91370102MA9X10017T": true, "20260101示例第1号": true, "sha256:feed": true}
	b := newBench(t, func(ctx context.Context, q connectors.Query) (connectors.Reply, error) {
		reply, err := wellKept(ctx, q)
		mu.Lock()
		defer mu.Unlock()
		secrets[reply.Reference] = true
		for _, value := range reply.Records[0].Fields {
			if text, ok := value.(string); ok {
				secrets[text] = true
			}
		}
		return reply, err
	})
	in := wholeFounding()
	for _, p := range in.Parties {
		secrets[p.Name] = true
		secrets[p.Number] = p.Number != ""
	}
	c := b.open(as("SPJ"), in)
	b.resolve(as("SPJ"), c.ID)
	b.walkThrough(c.ID)
	b.resolve(as("SPJ"), c.ID)
	bodies := b.bodies()
	for _, kind := range []ledger.Kind{
		ledger.CaseOpened, ledger.FactsChanged, ledger.ResultReported, ledger.PaperHandedIn, ledger.Intent, ledger.Outcome, ledger.Resolved,
	} {
		if !strings.Contains(bodies, `"kind":"`+string(kind)+`"`) {
			t.Errorf("no entry of kind %s was looked at", kind)
		}
	}
	for secret, real := range secrets {
		if real && strings.Contains(bodies, secret) {
			t.Errorf("the ledger holds %q", secret)
		}
	}
}

// walkThrough does once whatever can be done with wholeFounding but resolve it.
func (b *bench) walkThrough(id string) {
	b.t.Helper()
	_, err := b.x.ChangeCase(b.t.Context(), as("SPJ"), id, exchange.Change{Facts: map[string]any{"need_seal": false}})
	if err != nil {
		b.t.Fatal(describe(err))
	}
	err = b.x.HandIn(b.t.Context(), as("SPJ"), id, exchange.Handing{Material: "S01.M1.b", Party: "p2", Digest: "sha256:feed"})
	if err != nil {
		b.t.Fatal(describe(err))
	}
	_, err = b.x.ReportResult(b.t.Context(), as("SPJ"), id, exchange.MatterResult{
		Matter: "S01.M1", Outcome: "granted", Number: "20260101示例第1号", HolderNumber: "91370102MA9X10017T",
	})
	if err != nil {
		b.t.Fatal(describe(err))
	}
}

func TestLedger_DoesNotTellThatTwoCasesAreOfOnePerson(t *testing.T) {
	t.Parallel()
	b := newBench(t, wellKept)
	byCase := map[string]map[string]bool{}
	for _, number := range []string{"JN-T-0001", "JN-T-0002"} {
		in := founding()
		in.Number = number
		c := b.open(as("SPJ"), in)
		b.resolve(as("SPJ"), c.ID)
		byCase[number] = map[string]bool{}
		for _, e := range b.entries(c.ID, ledger.Intent, ledger.Outcome) {
			byCase[number][e.Subject] = true
		}
	}
	first, second := byCase["JN-T-0001"], byCase["JN-T-0002"]
	if len(first) != 3 || len(second) != 3 {
		t.Errorf("%d and %d subjects, want the same three people in each case", len(first), len(second))
	}
	for subject := range first {
		if second[subject] {
			t.Errorf("subject %s stands in both cases", subject)
		}
	}
}

func TestResolve_RecordsWhatACallerLeftBehind(t *testing.T) {
	t.Parallel()
	begun, release := make(chan struct{}, foundingQuestions), make(chan struct{})
	var cut atomic.Bool
	b := newBench(t, func(ctx context.Context, q connectors.Query) (connectors.Reply, error) {
		begun <- struct{}{}
		<-release
		if ctx.Err() != nil {
			cut.Store(true)
		}
		return wellKept(ctx, q)
	}, func(c *exchange.Config) { c.Deadline, c.SourceDeadline = time.Hour, time.Hour })
	c := b.open(as("SPJ"), founding())
	ctx, hangUp := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := b.x.Resolve(ctx, as("SPJ"), c.ID, nil)
		done <- err
	}()
	for range foundingQuestions {
		receive(t, begun)
	}
	hangUp()
	close(release)
	if err := receive(t, done); err != nil {
		t.Errorf("resolve: %s", describe(err))
	}
	if cut.Load() {
		t.Error("the sources were cut short by the caller")
	}
	if n := len(b.entries(c.ID, ledger.Outcome)); n != foundingQuestions {
		t.Errorf("%d outcomes, want %d", n, foundingQuestions)
	}
	if len(b.entries(c.ID, ledger.Resolved)) != 1 || b.rows("resolutions") != 1 {
		t.Error("the resolution is not recorded")
	}
}

func TestResolution_IsNotGivenOutWithoutARecordOfTheReading(t *testing.T) {
	t.Parallel()
	full := false
	b := newBench(t, wellKept, func(c *exchange.Config) {
		whole := c.Journal
		c.Journal = journal(func(ctx context.Context, entries []ledger.Entry) error {
			if full {
				return errors.New("disk full")
			}
			return whole.Append(ctx, entries)
		})
	})
	c := b.open(as("SPJ"), founding())
	id := b.resolve(as("SPJ"), c.ID).ID
	if _, err := b.x.Resolution(t.Context(), as("SPJ"), id); err != nil {
		t.Fatal(describe(err))
	}
	if n := len(b.entries(c.ID, ledger.Read)); n != 1 {
		t.Errorf("%d readings on record, want 1", n)
	}
	full = true
	r, err := b.x.Resolution(t.Context(), as("SPJ"), id)
	wantFault(t, err, fault.Unavailable, "not-recorded")
	if r != nil {
		t.Error("a resolution was given out without a record")
	}
}

func TestResolve_KeepsWhatBindsTheAnswerToTheQuestion(t *testing.T) {
	t.Parallel()
	const proof = "sha512 of the question"
	b := newBench(t, func(ctx context.Context, q connectors.Query) (connectors.Reply, error) {
		reply, err := wellKept(ctx, q)
		reply.Proof = proof
		return reply, err
	})
	c := b.open(as("SPJ"), founding())
	r := b.resolve(as("SPJ"), c.ID)
	for _, e := range b.entries(c.ID, ledger.Outcome) {
		if e.Proof != proof {
			t.Errorf("outcome of %s holds the proof %q, want %q", e.Dataset, e.Proof, proof)
		}
	}
	shown := 0
	for _, m := range r.Materials {
		if m.Evidence != nil && m.Evidence.Proof == proof {
			shown++
		}
	}
	if shown == 0 {
		t.Error("no evidence of the resolution holds the source's proof")
	}
}
