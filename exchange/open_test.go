package exchange_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/ledger"
)

func TestOpenCase_KeepsWhatItWasOpenedWith(t *testing.T) {
	t.Parallel()
	b := newBench(t, wellKept)
	c, created, err := b.x.OpenCase(t.Context(), as("SPJ"), founding())
	if err != nil || !created {
		t.Fatalf("created %v, %v", created, err)
	}
	in := founding()
	if c.Number != in.Number || c.Subject != "S01.M1" || c.Revision != 1 || c.System != "SPJ-1" || c.Department != "SPJ" || len(c.Salt) < 32 {
		t.Errorf("case = %s %s revision %d by %s of %s, salt of %d bytes", c.Number, c.Subject, c.Revision, c.System, c.Department, len(c.Salt))
	}
	stored, err := b.x.Case(t.Context(), as("SPJ"), c.ID)
	if err != nil {
		t.Fatal(describe(err))
	}
	if diff := cmp.Diff(c, stored); diff != "" {
		t.Errorf("stored case (-opened +stored):\n%s", diff)
	}
	entries := b.entries(c.ID)
	if len(entries) != openingEntries || entries[0].Kind != ledger.CaseOpened || entries[0].System != "SPJ-1" {
		t.Errorf("entries = %+v, want that it was opened", entries)
	}
}

func TestOpenCase_GivesTheSameCaseForTheSameContent(t *testing.T) {
	t.Parallel()
	b := newBench(t, wellKept)
	first := b.open(as("SPJ"), founding())
	again, created, err := b.x.OpenCase(t.Context(), as("SPJ"), founding())
	if err != nil {
		t.Fatal(describe(err))
	}
	if created || again.ID != first.ID {
		t.Errorf("created %v, case %s; want the case %s that was there", created, again.ID, first.ID)
	}
	if b.rows("cases") != 1 || b.rows("ledger_entries") != openingEntries {
		t.Error("the repetition was stored")
	}
}

// The same number is the department's own: another department is free to use it.
func TestOpenCase_RefusesTheSameNumberWithOtherContent(t *testing.T) {
	t.Parallel()
	b := newBench(t, wellKept)
	b.open(as("SPJ"), founding())
	for name, change := range map[string]func(*exchange.Opening){
		"fact":    func(in *exchange.Opening) { in.Facts["need_seal"] = false },
		"party":   func(in *exchange.Opening) { in.Parties[3].Name = "周明" },
		"consent": func(in *exchange.Opening) { in.Parties[3].Consent = catalog.ConsentRefused },
		"matter":  func(in *exchange.Opening) { *in = wholeFounding() },
	} {
		in := founding()
		change(&in)
		c, created, err := b.x.OpenCase(t.Context(), as("SPJ"), in)
		f := fault.As(err)
		if f == nil || f.Kind != fault.Conflict || f.Code != "case-number-conflict" || created {
			t.Errorf("another %s: case %v, created %v, error %s; want a conflict", name, c, created, describe(err))
		}
	}
	if b.rows("cases") != 1 || b.rows("ledger_entries") != openingEntries {
		t.Error("something was stored")
	}
	b.open(as("SW"), exchange.Opening{Number: founding().Number, Matter: "S02.M1", Parties: archive("", trading).Parties})
}

// What was opened is told apart by its digest; a caller that tries again with
// the very same value must not be a conflict because a number in it was
// brought into its usual form.
func TestOpenCase_LeavesTheCallersPartiesAsTheyAre(t *testing.T) {
	t.Parallel()
	b := newBench(t, wellKept)
	in := founding()
	in.Parties[3].Number = strings.ToLower(stranger)
	first := b.open(as("SPJ"), in)
	if in.Parties[3].Number != strings.ToLower(stranger) {
		t.Error("the caller's own value was changed")
	}
	again, created, err := b.x.OpenCase(t.Context(), as("SPJ"), in)
	if err != nil || created || again.ID != first.ID {
		t.Errorf("again: created %v, error %s; want the case %s", created, describe(err), first.ID)
	}
}

// refusal is an opening that is refused, with the detail that says why.
type refusal struct {
	name   string
	change func(*exchange.Opening)
	kind   fault.Kind
	code   string
	at     string // location of the detail; empty: there is none
	detail string // its code
}

func refusals() []refusal {
	party := func(i int, change func(*catalog.Party)) func(*exchange.Opening) {
		return func(in *exchange.Opening) { change(&in.Parties[i]) }
	}
	facts := func(code string, value any) func(*exchange.Opening) {
		return func(in *exchange.Opening) { in.Facts = with(in.Facts, code, value) }
	}
	const invalid, wrong = fault.Invalid, "invalid-case"
	return []refusal{
		{"unknown matter", func(in *exchange.Opening) { in.Matter = "S99.M9" }, invalid, "unknown-matter", "body.matter", "unknown-matter"},
		{"unknown one-thing", func(in *exchange.Opening) { in.Matter, in.OneThing = "", "S99" }, invalid, "unknown-one-thing", "body.one_thing", "unknown-one-thing"},
		{"matter and one-thing", func(in *exchange.Opening) { in.OneThing = "S01" }, invalid, wrong, "body", "matter-or-one-thing"},
		{"neither", func(in *exchange.Opening) { in.Matter = "" }, invalid, wrong, "body", "matter-or-one-thing"},
		{"no number", func(in *exchange.Opening) { in.Number = "" }, invalid, wrong, "body.number", "missing"},
		{"missing party", func(in *exchange.Opening) { in.Parties = in.Parties[:1] }, invalid, "missing-party", "body.parties", "missing-party"},
		{"wrong check digit", party(3, func(p *catalog.Party) { p.Number = zhou[:17] + "8" }), invalid, wrong, "body.parties[3].number", "check-digit"},
		{"no such birthday", party(3, func(p *catalog.Party) { p.Number = "370199198302301427" }), invalid, wrong, "body.parties[3].number", "date"},
		{"short number", party(3, func(p *catalog.Party) { p.Number = zhou[:17] }), invalid, wrong, "body.parties[3].number", "length"},
		{"full-width number", party(3, func(p *catalog.Party) { p.Number = "３70199198302151427" }), invalid, wrong, "body.parties[3].number", "alphabet"},
		{"person without number", party(3, func(p *catalog.Party) { p.Number = "" }), invalid, wrong, "body.parties[3].number", "length"},
		{"wrong credit code", party(0, func(p *catalog.Party) { p.Number = trading[:17] + "N" }), invalid, wrong, "body.parties[0].number", "check-digit"},
		{"name for an id", party(3, func(p *catalog.Party) { p.ID = p.Name }), invalid, wrong, "body.parties[3].id", "party-id"},
		{"number for an id", party(3, func(p *catalog.Party) { p.ID = p.Number }), invalid, wrong, "body.parties[3].id", "party-id"},
		{"no name", party(3, func(p *catalog.Party) { p.Name = " " }), invalid, wrong, "body.parties[3].name", "missing"},
		{"no role", party(3, func(p *catalog.Party) { p.Roles = nil }), invalid, wrong, "body.parties[3].roles", "missing"},
		{"unknown role", party(3, func(p *catalog.Party) { p.Roles = []string{"officer", "astronaut"} }), invalid, wrong, "body.parties[3].roles[1]", "unknown-role"},
		{"role of another kind", party(0, func(p *catalog.Party) { p.Roles = []string{"applicant", "officer"} }), invalid, wrong, "body.parties[0].roles[1]", "role-kind"},
		{"two parties of one id", party(3, func(p *catalog.Party) { p.ID = "p2" }), invalid, wrong, "body.parties[3].id", "party-id"},
		{"no id", party(3, func(p *catalog.Party) { p.ID = "" }), invalid, wrong, "body.parties[3].id", "party-id"},
		{"too many parties", func(in *exchange.Opening) {
			for i := range 500 {
				in.Parties = append(in.Parties, person(fmt.Sprintf("more%d", i), "周敏", zhou, "officer"))
			}
		}, invalid, wrong, "body.parties", "too-many"},
		{"unknown fact", facts("colour", "red"), invalid, wrong, "body.facts.colour", "unknown-fact"},
		{"fact of another type", facts("need_seal", "yes"), invalid, wrong, "body.facts.need_seal", "wrong-type"},
		{"fact without such an option", facts("premises", "moon"), invalid, wrong, "body.facts.premises", "wrong-type"},
		{"matter of another department", func(in *exchange.Opening) { in.Matter = "S02.M1" }, fault.Denied, "matter-of-another-department", "", ""},
		{"one-thing of another department", func(in *exchange.Opening) { in.Matter, in.OneThing = "", "S05" }, fault.Denied, "matter-of-another-department", "", ""},
	}
}

func TestOpenCase_RefusesWithAReasonAndStoresNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, wellKept)
	for _, tt := range refusals() {
		t.Run(tt.name, func(t *testing.T) {
			in := founding()
			tt.change(&in)
			c, created, err := b.x.OpenCase(t.Context(), as("SPJ"), in)
			f := wantFault(t, err, tt.kind, tt.code)
			if c != nil || created {
				t.Error("a case was returned")
			}
			at := slices.IndexFunc(f.Details, func(d fault.Detail) bool { return d.Location == tt.at && d.Code == tt.detail })
			if at < 0 && tt.at != "" {
				t.Errorf("details = %+v, want %s at %s", f.Details, tt.detail, tt.at)
			}
			for _, p := range in.Parties {
				if p.Number != "" && strings.Contains(describe(err), p.Number) {
					t.Errorf("the error repeats the number of %s", p.ID)
				}
			}
			if b.rows("cases") != 0 || b.rows("ledger_entries") != 0 {
				t.Error("something was stored")
			}
		})
	}
}

func TestOpenCase_NamesTheMaterialAndTheRoleOfAMissingParty(t *testing.T) {
	t.Parallel()
	b := newBench(t, wellKept)
	in := founding()
	in.Parties[2].Roles = []string{"shareholder"} // nobody holds the premises
	_, _, err := b.x.OpenCase(t.Context(), as("SPJ"), in)
	f := wantFault(t, err, fault.Invalid, "missing-party")
	if len(f.Details) != 1 || !strings.Contains(f.Details[0].Message, "S01.M1.d") || !strings.Contains(f.Details[0].Message, "property_holder") {
		t.Errorf("details = %+v, want that S01.M1.d needs a property_holder", f.Details)
	}
}

func TestOpenCase_TellsAllFaultsTogether(t *testing.T) {
	t.Parallel()
	b := newBench(t, wellKept)
	in := founding()
	in.Number, in.Parties[1].Name, in.Parties[2].Number = "", "", "1"
	in.Facts["colour"] = "red"
	_, _, err := b.x.OpenCase(t.Context(), as("SPJ"), in)
	f := wantFault(t, err, fault.Invalid, "invalid-case")
	var got []string
	for _, d := range f.Details {
		got = append(got, d.Location)
	}
	want := []string{"body.number", "body.facts.colour", "body.parties[1].name", "body.parties[2].number"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("locations (-want +got):\n%s", diff)
	}
}

func TestOpenCase_TakesTheImplementationCodeOfAMatter(t *testing.T) {
	t.Parallel()
	b := newBench(t, wellKept)
	rev, err := b.config.Catalogs.Current(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	in := exchange.Opening{Number: "JN-T-0003", Matter: rev.Matter("S04.M21").ImplementationCode, Facts: map[string]any{"civil_defense": "exempt"}}
	if c := b.open(as("DA"), in); c.Subject != "S04.M21" {
		t.Errorf("subject = %s, want S04.M21", c.Subject)
	}
	shared := founding()
	shared.Matter = rev.Matter("S01.M1").ImplementationCode // of S11.M1 and S13.M1 too
	_, _, err = b.x.OpenCase(t.Context(), as("SPJ"), shared)
	f := wantFault(t, err, fault.Invalid, "ambiguous-matter")
	if f != nil && !strings.Contains(f.Message, "S11.M1") {
		t.Errorf("the fault does not name the matters: %s", f.Message)
	}
}

func TestCase_IsNotFoundByAnotherDepartment(t *testing.T) {
	t.Parallel()
	b := newBench(t, wellKept)
	c := b.open(as("SPJ"), founding())
	r := b.resolve(as("SPJ"), c.ID)
	before, asked := b.bodies(), len(b.sources.questions())
	ga := as("GA")
	for name, try := range map[string]func() error{
		"read": func() error { _, err := b.x.Case(t.Context(), ga, c.ID); return err },
		"resolve": func() error {
			_, err := b.x.Resolve(t.Context(), ga, c.ID, &exchange.Key{System: ga.System, Value: "k", At: at()})
			return err
		},
		"resolution": func() error { _, err := b.x.Resolution(t.Context(), ga, r.ID); return err },
		"change":     func() error { _, err := b.x.ChangeCase(t.Context(), ga, c.ID, exchange.Change{}); return err },
		"report": func() error {
			_, err := b.x.ReportResult(t.Context(), ga, c.ID, exchange.MatterResult{Matter: "S01.M1", Outcome: "granted"})
			return err
		},
		"hand in": func() error {
			return b.x.HandIn(t.Context(), ga, c.ID, exchange.Handing{Material: "S01.M1.b", Party: "p2"})
		},
	} {
		if f := fault.As(try()); f == nil || f.Kind != fault.NotFound {
			t.Errorf("%s: %v, want not found", name, f)
		}
	}
	if b.bodies() != before || len(b.sources.questions()) != asked || b.rows("idempotency_keys") != 0 {
		t.Error("an attempt of another department left a trace in the case")
	}
}

func TestOpenCase_OpensOneCaseForManyAtOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t, wellKept)
	var group sync.WaitGroup
	var opened, conflicts atomic.Int32
	ids := make(chan string, 8)
	for i := range cap(ids) {
		group.Go(func() {
			in := founding()
			in.Facts["need_seal"] = i%2 == 0
			c, created, err := b.x.OpenCase(t.Context(), as("SPJ"), in)
			switch f := fault.As(err); {
			case err == nil:
				ids <- c.ID
			case f != nil && f.Code == "case-number-conflict":
				conflicts.Add(1)
			default:
				t.Error(describe(err))
			}
			if created {
				opened.Add(1)
			}
		})
	}
	group.Wait()
	close(ids)
	first := <-ids
	for id := range ids {
		if id != first {
			t.Errorf("cases %s and %s were opened", first, id)
		}
	}
	if opened.Load() != 1 || int(conflicts.Load()) != cap(ids)/2 || b.rows("cases") != 1 || b.rows("ledger_entries") != openingEntries {
		t.Errorf("%d opened, %d conflicts, %d cases; want 1, %d, 1", opened.Load(), conflicts.Load(), b.rows("cases"), cap(ids)/2)
	}
}
