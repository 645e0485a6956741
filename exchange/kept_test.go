package exchange_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// withdraw ends the grants of a department.
func (b *bench) withdraw(department string) {
	b.t.Helper()
	rev, err := b.config.Catalogs.Current(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	var ended []policies.Grant
	for _, g := range grantsFor(rev) {
		if g.Department == department {
			g.State = policies.GrantTerminated
			ended = append(ended, g)
		}
	}
	if err := b.store.SaveGrants(b.t.Context(), ended); err != nil {
		b.t.Fatal(err)
	}
}

// withheld takes out of a resolution what rests on the grants of a department,
// which have been terminated.
func (b *bench) withheld(r *exchange.Resolution, department string) {
	b.t.Helper()
	rev, err := b.config.Catalogs.Current(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	for i := range r.Materials {
		e := r.Materials[i].Evidence
		if e == nil || e.Grant == "" {
			continue
		}
		matter, _, _ := strings.Cut(e.Grant, ":") // see grantsFor
		if rev.Matter(matter).Department == department {
			e.Fields, e.Reference, e.ValidUntil, e.Withheld = nil, "", "", exchange.WithheldGrantTerminated
		}
	}
}

// What several departments ask for is taken apart by their grants. That a grant
// has ended since takes nothing apart that was answered already.
func TestContinue_KeepsWhatWasAnsweredWhenAGrantHasEndedSince(t *testing.T) {
	t.Parallel()
	b, source, _ := newRecovering(t)
	in := founding()
	in.Matter, in.OneThing = "", "S01"
	in.Parties = append(in.Parties, person("p5", "刘海燕", "370199199206183466", "tax_officer"))
	c := b.open(as("SPJ"), in)
	first := b.resolve(as("SPJ"), c.ID)
	// The premises of SPJ and of SW.
	if m := b.material(first, "S01.M3.d", "p3"); len(m.UsedBy) != 2 || m.Outcome != policies.Settled || m.Evidence.Grant == "" {
		t.Fatalf("%v is %s, want one look-up that settles it for two departments", m.UsedBy, m.Outcome)
	}
	asked := len(b.sources.questions())
	b.withdraw("SW")
	source.well.Store(true)
	b.goOn(as("SPJ"), c.ID)
	second := b.last(as("SPJ"), c.ID)
	others := func(r *exchange.Resolution) []exchange.MaterialResult {
		return slices.DeleteFunc(slices.Clone(r.Materials), func(m exchange.MaterialResult) bool { return m.Code == "S01.M1.j" })
	}
	b.withheld(first, "SW")
	if diff := cmp.Diff(others(first), others(second)); diff != "" {
		t.Errorf("what did not wait was changed (-before +after):\n%s", diff)
	}
	for _, q := range b.sources.questions()[asked:] {
		if q.Material != "S01.M1.j" {
			t.Errorf("%s is asked again for %s", q.Dataset.Code, q.Material)
		}
	}
}

// brokenJournal records nothing.
type brokenJournal struct{}

// Append fails.
func (brokenJournal) Append(context.Context, []ledger.Entry) error {
	return fault.New(fault.Unavailable, "database-unavailable", "数据库暂时不可用，请稍后重试")
}

// ConcernsOf knows of nobody.
func (brokenJournal) ConcernsOf(context.Context, string) ([]string, error) { return nil, nil }

// AppendIntents fails.
func (b brokenJournal) AppendIntents(ctx context.Context, intents []ledger.Entry, _ []string) error {
	return b.Append(ctx, intents)
}

func TestContinueJob_DoesNotHideThatOutcomesWereNotRecorded(t *testing.T) {
	t.Parallel()
	b, _, _ := newRecovering(t)
	c := b.open(as("SPJ"), founding())
	b.resolve(as("SPJ"), c.ID)
	job := b.waiting(exchange.JobContinue)[0]
	b.meddle(func() {
		b.resolve(as("SPJ"), c.ID) // it moves on meanwhile
		b.x.Journal = brokenJournal{}
	})
	if err := b.x.ContinueJob(t.Context(), job); err == nil {
		t.Error("no error: nobody is told that there are questions without an outcome")
	}
}
