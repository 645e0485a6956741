package exchange_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// stored is a case as it is kept.
func (b *bench) stored(by policies.Caller, id string) *exchange.Case {
	b.t.Helper()
	c, err := b.x.Case(b.t.Context(), by, id)
	if err != nil {
		b.t.Fatal(describe(err))
	}
	return c
}

func TestChangeCase_StoresFactsAndParties(t *testing.T) {
	t.Parallel()
	b := newBench(t, wellKept)
	c := b.open(as("SPJ"), founding())
	agent := person("p9", "周明", stranger, "agent")
	_, err := b.x.ChangeCase(t.Context(), as("SPJ"), c.ID, exchange.Change{
		Facts: map[string]any{"agent": true}, Parties: []catalog.Party{agent, person("p4", "周敏敏", zhou, "officer")},
	})
	if err != nil {
		t.Fatal(describe(err))
	}
	got := b.stored(as("SPJ"), c.ID)
	if got.Facts["agent"] != true || got.Facts["need_seal"] != true || got.Version != 2 {
		t.Errorf("facts %v at version %d, want agent changed, the rest kept, version 2", got.Facts, got.Version)
	}
	want := append(founding().Parties[:3], person("p4", "周敏敏", zhou, "officer"), agent)
	if diff := cmp.Diff(want, got.Parties); diff != "" {
		t.Errorf("parties (-want +got):\n%s", diff)
	}
	if n := len(b.entries(c.ID, ledger.FactsChanged)); n != 1 {
		t.Errorf("%d entries of the change, want one", n)
	}
	if m := b.material(b.resolve(as("SPJ"), c.ID), "S01.M1.o", "p9"); m.Outcome != policies.Settled {
		t.Errorf("the agent's card is %s, want it settled", m.Outcome)
	}
}

func TestChangeCase_ChangesNothingWhenItRefuses(t *testing.T) {
	t.Parallel()
	b := newBench(t, wellKept)
	c := b.open(as("SPJ"), founding())
	before := b.stored(as("SPJ"), c.ID)
	bad := person("p4", "周敏", zhou[:17]+"8", "officer")
	for _, tt := range []struct {
		name, code, at, detail string
		change                 exchange.Change
	}{
		{"a fact that needs a party", "missing-party", "body.parties", "missing-party",
			exchange.Change{Facts: map[string]any{"agent": true, "need_seal": false}}},
		{"a party without its role", "missing-party", "body.parties", "missing-party",
			exchange.Change{Parties: []catalog.Party{person("p3", "吴刚", wu, "shareholder")}}},
		{"unknown fact beside a good one", "invalid-facts", "body.facts.colour", "unknown-fact",
			exchange.Change{Facts: map[string]any{"need_seal": false, "colour": "red"}}},
		{"fact of another type", "invalid-facts", "body.facts.need_seal", "wrong-type", exchange.Change{Facts: map[string]any{"need_seal": 1.0}}},
		{"wrong number", "invalid-facts", "body.parties[3].number", "check-digit", exchange.Change{Parties: []catalog.Party{bad}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := b.x.ChangeCase(t.Context(), as("SPJ"), c.ID, tt.change)
			f := wantFault(t, err, fault.Invalid, tt.code)
			if len(f.Details) != 1 || f.Details[0].Location != tt.at || f.Details[0].Code != tt.detail {
				t.Errorf("details = %+v, want %s at %s", f.Details, tt.detail, tt.at)
			}
			if diff := cmp.Diff(before, b.stored(as("SPJ"), c.ID)); diff != "" {
				t.Errorf("the case changed (-before +after):\n%s", diff)
			}
			if n := len(b.entries(c.ID)); n != openingEntries {
				t.Errorf("%d entries, want that of the opening alone", n)
			}
		})
	}
}

func TestReportResult_RefusesWithAReasonAndStoresNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, wellKept)
	in := wholeFounding()
	in.Facts["need_seal"] = false
	c := b.open(as("SPJ"), in)
	before := b.stored(as("SPJ"), c.ID)
	for _, tt := range []struct {
		name     string
		report   exchange.MatterResult
		kind     fault.Kind
		code, at string
	}{
		{"waiting matter", exchange.MatterResult{Matter: "S01.M3"}, fault.Conflict, "prior-matter-not-granted", ""},
		{"skipped matter", exchange.MatterResult{Matter: "S01.M2"}, fault.Conflict, "matter-not-applicable", ""},
		{"matter of another one-thing", exchange.MatterResult{Matter: "S02.M1"}, fault.Invalid, "unknown-matter", "body.matter"},
		{"unknown field", exchange.MatterResult{Matter: "S01.M1", Fields: map[string]any{"name": "甲", "colour": "red"}},
			fault.Invalid, "invalid-result", "body.fields.colour"},
		{"field of a matter that registers nothing", exchange.MatterResult{Matter: "S01.M4", Fields: map[string]any{"name": "甲"}},
			fault.Conflict, "prior-matter-not-granted", ""},
		{"wrong holder number", exchange.MatterResult{Matter: "S01.M1", HolderNumber: trading[:17] + "N"},
			fault.Invalid, "invalid-result", "body.holder_number"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.report.Outcome = catalog.Granted
			_, err := b.x.ReportResult(t.Context(), as("SPJ"), c.ID, tt.report)
			f := wantFault(t, err, tt.kind, tt.code)
			if tt.at != "" && (len(f.Details) != 1 || f.Details[0].Location != tt.at) {
				t.Errorf("details = %+v, want one at %s", f.Details, tt.at)
			}
			if diff := cmp.Diff(before, b.stored(as("SPJ"), c.ID)); diff != "" {
				t.Errorf("the case changed (-before +after):\n%s", diff)
			}
			if b.rows("case_results") != 0 || len(b.entries(c.ID, ledger.ResultReported)) != 0 {
				t.Error("something was stored")
			}
		})
	}
}

// licence is a report that says all that a report can say.
func licence() exchange.MatterResult {
	return exchange.MatterResult{
		Matter: "S01.M1", Outcome: catalog.Granted, Number: "示例执照1号", IssuedOn: "2026-11-20", ValidUntil: "2046-11-19", HolderNumber: trading,
		Fields: map[string]any{"name": "济南示例新设有限公司", "registered_capital": 1000.5},
	}
}

func TestReportResult_TakesTheSameReportAgain(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*exchange.MatterResult){
		"full":            func(*exchange.MatterResult) {},
		"bare":            func(r *exchange.MatterResult) { *r = exchange.MatterResult{Matter: r.Matter, Outcome: r.Outcome} },
		"refused":         func(r *exchange.MatterResult) { *r = exchange.MatterResult{Matter: r.Matter, Outcome: catalog.Refused} },
		"a list":          func(r *exchange.MatterResult) { r.Fields = map[string]any{"business_scope": []any{"零售", "批发"}} },
		"an empty object": func(r *exchange.MatterResult) { r.Fields = map[string]any{} }, // "fields": {}
		"reported later":  func(r *exchange.MatterResult) { r.ReportedAt = at().Add(time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, wellKept)
			c := b.open(as("SPJ"), wholeFounding())
			report := licence()
			change(&report)
			if _, err := b.x.ReportResult(t.Context(), as("SPJ"), c.ID, report); err != nil {
				t.Fatal(describe(err))
			}
			before, entries := b.stored(as("SPJ"), c.ID), len(b.entries(c.ID))
			if _, err := b.x.ReportResult(t.Context(), as("SPJ"), c.ID, report); err != nil {
				t.Fatalf("again: %s", describe(err))
			}
			if diff := cmp.Diff(before, b.stored(as("SPJ"), c.ID)); diff != "" || len(b.entries(c.ID)) != entries {
				t.Errorf("the repetition was recorded (-before +after):\n%s", diff)
			}
		})
	}
}

func TestReportResult_RefusesAnotherReportOfTheSameMatter(t *testing.T) {
	t.Parallel()
	b := newBench(t, wellKept)
	c := b.open(as("SPJ"), wholeFounding())
	if _, err := b.x.ReportResult(t.Context(), as("SPJ"), c.ID, licence()); err != nil {
		t.Fatal(describe(err))
	}
	before := b.stored(as("SPJ"), c.ID)
	for name, change := range map[string]func(*exchange.MatterResult){
		"outcome": func(r *exchange.MatterResult) { r.Outcome = catalog.Refused },
		"number":  func(r *exchange.MatterResult) { r.Number = "示例执照2号" },
		"holder":  func(r *exchange.MatterResult) { r.HolderNumber = estates },
		"field":   func(r *exchange.MatterResult) { r.Fields = with(r.Fields, "registered_capital", 1000.6) },
	} {
		report := licence()
		change(&report)
		_, err := b.x.ReportResult(t.Context(), as("SPJ"), c.ID, report)
		if f := fault.As(err); f == nil || f.Kind != fault.Conflict || f.Code != "result-conflict" {
			t.Errorf("another %s: %s, want a result-conflict", name, describe(err))
		}
	}
	if diff := cmp.Diff(before, b.stored(as("SPJ"), c.ID)); diff != "" {
		t.Errorf("the case changed (-before +after):\n%s", diff)
	}
}

func TestReportResult_LetsTheNextMattersGoOn(t *testing.T) {
	t.Parallel()
	b := newBench(t, wellKept)
	c := b.open(as("SPJ"), wholeFounding())
	if _, err := b.x.ReportResult(t.Context(), as("SPJ"), c.ID, licence()); err != nil {
		t.Fatal(describe(err))
	}
	r := b.resolve(as("SPJ"), c.ID)
	want := map[string]catalog.MatterState{
		"S01.M1": "granted", "S01.M2": "open", "S01.M3": "open", "S01.M4": "waiting", "S01.M5": "open",
		"S01.M6": "open", "S01.M7": "open", "S01.M8": "waiting",
	}
	got := map[string]catalog.MatterState{}
	for _, m := range r.Matters {
		got[m.Code] = m.State
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
	m := b.material(r, "S01.M3.a", "p1")
	if m.Outcome != policies.Settled || m.Reason.Code != policies.ReasonPriorResult || m.Evidence.Reference != "示例执照1号" {
		t.Errorf("the licence is %s for %s by %+v, want it settled by the result", m.Outcome, m.Reason.Code, m.Evidence)
	}
}

func TestReportResult_GivesTheApplicantItsNumber(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name            string
		outcome         catalog.Verdict
		had, told, want string
	}{
		{"had none", catalog.Granted, "", trading, trading},
		{"in lower case", catalog.Granted, "", "91370114ma9x10105m", trading},
		{"had one", catalog.Granted, estates, trading, estates},
		{"refused", catalog.Refused, "", trading, ""},
		{"none told", catalog.Granted, "", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, wellKept)
			in := wholeFounding()
			in.Parties[0].Number = tt.had
			c := b.open(as("SPJ"), in)
			report := exchange.MatterResult{Matter: "S01.M1", Outcome: tt.outcome, HolderNumber: tt.told}
			if _, err := b.x.ReportResult(t.Context(), as("SPJ"), c.ID, report); err != nil {
				t.Fatal(describe(err))
			}
			want := in.Parties
			want[0].Number = tt.want
			if diff := cmp.Diff(want, b.stored(as("SPJ"), c.ID).Parties); diff != "" {
				t.Errorf("parties (-want +got):\n%s", diff)
			}
		})
	}
}
