package exchange_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// fullRecord answers every question with a record that has all its fields.
func fullRecord(_ context.Context, q connectors.Query) (connectors.Reply, error) {
	fields := map[string]any{}
	for _, code := range q.Fields {
		fields[code] = "2036-01-01"
	}
	return connectors.Reply{Reference: "应答-" + q.ID, Records: []connectors.Record{{Subject: q.Subject, Fields: fields}}}, nil
}

// familyBench has the family's catalog, and a case of it.
func familyBench(t *testing.T, parties ...catalog.Party) (*bench, *exchange.Case) {
	t.Helper()
	b := newBench(t, fullRecord)
	b.saveCatalog(familyCatalog())
	rev, err := b.config.Catalogs.Current(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := b.store.SaveGrants(t.Context(), grantsFor(rev)); err != nil {
		t.Fatal(err)
	}
	if parties == nil {
		parties = family()
	}
	return b, b.open(as("SPJ"), exchange.Opening{Number: "JN-F", OneThing: "S90", Facts: map[string]any{"married": false}, Parties: parties})
}

// asked asks for the consents of a case, and gives those that await a decision
// by whose word is wanted about whom: "p2", or "p3 by p1".
func (b *bench) asked(id string, again ...string) []string {
	b.t.Helper()
	all, err := b.x.AskConsents(b.t.Context(), as("SPJ"), id, again)
	if err != nil {
		b.t.Fatal(describe(err))
	}
	var out []string
	for _, c := range all.Consents {
		if c.State != exchange.ConsentRequested {
			continue
		}
		if c.Sheet != nil || c.SheetDigest != "" {
			b.t.Error("the department sees the sheet")
		}
		if c.By != c.Party {
			c.Party += " by " + c.By
		}
		out = append(out, c.Party)
	}
	return out
}

// open gives the consent that a person is asked for and has not decided.
func (b *bench) openConsent(by policies.Caller) *exchange.Consent {
	b.t.Helper()
	list, err := b.x.MyConsents(b.t.Context(), by, exchange.ConsentFilter{Limit: 100})
	if err != nil {
		b.t.Fatal(describe(err))
	}
	for _, c := range list {
		if c.State == exchange.ConsentRequested {
			read, err := b.x.MyConsent(b.t.Context(), by, c.ID)
			if err != nil {
				b.t.Fatal(describe(err))
			}
			return read
		}
	}
	b.t.Fatal("nothing is asked")
	return nil
}

func (b *bench) decide(by policies.Caller, c *exchange.Consent, said catalog.ConsentState) error {
	_, err := b.x.DecideConsent(b.t.Context(), by, c.ID, exchange.ConsentDecision{Decision: said, SheetDigest: c.SheetDigest})
	return err
}

// outcome is that of the identity of a party.
func (b *bench) outcome(id, party string) string {
	b.t.Helper()
	m := b.material(b.resolve(as("SPJ"), id), "S90.M1.a", party)
	return string(m.Outcome) + " " + string(m.Reason.Code)
}

func TestConsent_IsAskedGivenAndRelied(t *testing.T) {
	t.Parallel()
	b, c := familyBench(t)
	spouse, parent := citizen(b.x, family()[1]), citizen(b.x, family()[0])
	if got := b.outcome(c.ID, "p2"); got != "needs_consent consent_missing" {
		t.Errorf("before: %s", got)
	}
	if diff := cmp.Diff([]string{"p2", "p3 by p1"}, b.asked(c.ID)); diff != "" {
		t.Errorf("asked: -want +got:\n%s", diff)
	}
	entries := len(b.entries(c.ID))
	if b.asked(c.ID); len(b.entries(c.ID)) != entries {
		t.Error("asking again was recorded, and is nothing new")
	}
	mine := b.openConsent(spouse)
	if err := b.decide(spouse, mine, catalog.ConsentGiven); err != nil {
		t.Fatal(describe(err))
	}
	if err := b.decide(spouse, mine, catalog.ConsentGiven); err != nil {
		t.Errorf("the same again: %s", describe(err))
	}
	if err := b.decide(parent, b.openConsent(parent), catalog.ConsentGiven); err != nil {
		t.Fatal(describe(err))
	}
	r := b.resolve(as("SPJ"), c.ID)
	for party, want := range map[string]policies.ReasonOfDecision{"p2": policies.OwnConsent, "p3": policies.GuardianConsent} {
		m := b.material(r, "S90.M1.a", party)
		if m.Outcome != policies.Settled || m.Evidence.Consent == "" || !slices.Contains(m.Evidence.Basis, want) {
			t.Errorf("%s: %s, evidence %+v", party, m.Outcome, m.Evidence)
		}
	}
	told := b.waiting(exchange.JobEvent)
	if len(told) != 2 || !strings.Contains(told[0].Payload, exchange.EventConsentDecided) || strings.Contains(told[0].Payload, family()[1].Number) {
		t.Errorf("messages: %+v", told)
	}
	want := []ledger.Kind{ledger.ConsentRequested, ledger.ConsentRequested, ledger.ConsentGiven, ledger.ConsentGiven}
	var got []ledger.Kind
	for _, e := range b.entries(c.ID, ledger.ConsentRequested, ledger.ConsentGiven) {
		if got = append(got, e.Kind); e.Object == "" || e.Subject == "" || e.Digest == "" || e.Department != "SPJ" {
			t.Errorf("entry %+v", e)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("entries: -want +got:\n%s", diff)
	}
}

func TestConsent_CoversTheShownFieldsAlone(t *testing.T) {
	t.Parallel()
	b, c := familyBench(t)
	spouse := citizen(b.x, family()[1])
	agree(t, b.x, c.ID, spouse)
	if _, err := b.x.ChangeCase(t.Context(), as("SPJ"), c.ID, exchange.Change{Facts: map[string]any{"married": true}}); err != nil {
		t.Fatal(describe(err))
	}
	r := b.resolve(as("SPJ"), c.ID)
	if m := b.material(r, "S90.M1.a", "p2"); m.Outcome != policies.Settled { // its field was shown
		t.Errorf("identity: %s", m.Outcome)
	}
	if m := b.material(r, "S90.M1.b", "p2"); m.Outcome != policies.NeedsConsent { // neither dataset's was
		t.Errorf("marriage: %s", m.Outcome)
	}
	agree(t, b.x, c.ID, spouse)
	if m := b.material(b.resolve(as("SPJ"), c.ID), "S90.M1.b", "p2"); m.Outcome != policies.Settled {
		t.Errorf("marriage, after another consent: %s", m.Outcome)
	}
	var states []exchange.ConsentStanding
	for _, consent := range b.stored(as("SPJ"), c.ID).Consents {
		if consent.Party == "p2" {
			states = append(states, consent.State)
		}
	}
	if diff := cmp.Diff([]exchange.ConsentStanding{exchange.ConsentSuperseded, exchange.ConsentGiven}, states); diff != "" {
		t.Errorf("states: -want +got:\n%s", diff)
	}
}

func TestConsent_RefusedOrWithdrawnLeavesTheUpload(t *testing.T) {
	t.Parallel()
	b, c := familyBench(t)
	spouse, parent := citizen(b.x, family()[1]), citizen(b.x, family()[0])
	b.asked(c.ID)
	refused := b.openConsent(spouse)
	if err := b.decide(spouse, refused, catalog.ConsentRefused); err != nil {
		t.Fatal(describe(err))
	}
	wantFault(t, b.decide(spouse, refused, catalog.ConsentGiven), fault.Conflict, "consent-decided")
	given := agree(t, b.x, c.ID, parent)
	if got := b.outcome(c.ID, "p3"); got != "settled record_matches" {
		t.Errorf("given: %s", got)
	}
	wantFault(t, b.decide(parent, given, catalog.ConsentRefused), fault.Conflict, "consent-decided")
	before := b.resolve(as("SPJ"), c.ID)
	for range 2 { // the second changes nothing
		if _, err := b.x.WithdrawConsent(t.Context(), parent, given.ID); err != nil {
			t.Fatal(describe(err))
		}
	}
	for _, party := range []string{"p2", "p3"} {
		if got := b.outcome(c.ID, party); got != "upload consent_refused" {
			t.Errorf("%s: %s", party, got)
		}
	}
	read, err := b.x.Resolution(t.Context(), as("SPJ"), before.ID)
	if err != nil {
		t.Fatal(describe(err))
	}
	was, is := b.material(before, "S90.M1.a", "p3"), b.material(read, "S90.M1.a", "p3")
	if is.Outcome != policies.Settled || is.Evidence.Fields != nil || is.Evidence.Withheld != exchange.WithheldConsentWithdrawn || is.Evidence.Digest != was.Evidence.Digest {
		t.Errorf("read again: %s, %+v", is.Outcome, is.Evidence)
	}
	if got := b.asked(c.ID); len(got) != 0 {
		t.Errorf("%v are asked again unbidden", got)
	}
	if diff := cmp.Diff([]string{"p2"}, b.asked(c.ID, "p2")); diff != "" {
		t.Errorf("asked again: -want +got:\n%s", diff)
	}
	if got := b.outcome(c.ID, "p2"); got != "upload consent_refused" { // until she says otherwise
		t.Errorf("while asked again: %s", got)
	}
	if err := b.decide(spouse, b.openConsent(spouse), catalog.ConsentGiven); err != nil {
		t.Fatal(describe(err))
	}
	if got := b.outcome(c.ID, "p2"); got != "settled record_matches" {
		t.Errorf("given after all: %s", got)
	}
}

func TestConsent_IsDecidedOnTheSheetThatWasRead(t *testing.T) {
	t.Parallel()
	b, c := familyBench(t)
	spouse := citizen(b.x, family()[1])
	b.asked(c.ID)
	first := b.openConsent(spouse)
	other := *first
	other.SheetDigest = "sha256:0"
	wantFault(t, b.decide(spouse, &other, catalog.ConsentGiven), fault.Conflict, "consent-sheet-changed")
	_, err := b.x.DecideConsent(t.Context(), spouse, first.ID, exchange.ConsentDecision{Decision: "maybe", SheetDigest: first.SheetDigest})
	wantFault(t, err, fault.Invalid, "invalid-decision")
	_, err = b.x.WithdrawConsent(t.Context(), spouse, first.ID)
	wantFault(t, err, fault.Conflict, "consent-not-given")
	_, err = b.x.Receipt(t.Context(), spouse, first.ID)
	wantFault(t, err, fault.Conflict, "consent-undecided")
	if _, err := b.x.ChangeCase(t.Context(), as("SPJ"), c.ID, exchange.Change{Facts: map[string]any{"married": true}}); err != nil {
		t.Fatal(describe(err))
	}
	wantFault(t, b.decide(spouse, first, catalog.ConsentGiven), fault.Conflict, "consent-superseded")
	b.asked(c.ID)
	b.x.Now = func() time.Time { return at().AddDate(0, 0, 30) } // the end of the time to decide
	second, err := b.x.MyConsents(t.Context(), spouse, exchange.ConsentFilter{Limit: 1})
	if err != nil || len(second) != 1 || second[0].State != exchange.ConsentExpired {
		t.Fatalf("%+v, %v; want one that has expired", second, err)
	}
	read, err := b.x.MyConsent(t.Context(), spouse, second[0].ID)
	if err != nil {
		t.Fatal(describe(err))
	}
	wantFault(t, b.decide(spouse, read, catalog.ConsentGiven), fault.Conflict, "consent-expired")
}

// IDOR: another's consent looks as one that does not exist.
func TestConsent_OfAnotherPersonLooksUnknown(t *testing.T) {
	t.Parallel()
	b, c := familyBench(t)
	b.asked(c.ID)
	mine := b.openConsent(citizen(b.x, family()[1]))
	for name, by := range map[string]policies.Caller{
		"another citizen": citizen(b.x, family()[0]), "nobody": {}, "the department's system": as("SPJ"),
	} {
		for _, id := range []string{mine.ID, "no-such-consent"} {
			decision := exchange.ConsentDecision{Decision: catalog.ConsentGiven, SheetDigest: mine.SheetDigest}
			_, read := b.x.MyConsent(t.Context(), by, id)
			_, decide := b.x.DecideConsent(t.Context(), by, id, decision)
			_, withdraw := b.x.WithdrawConsent(t.Context(), by, id)
			_, receipt := b.x.Receipt(t.Context(), by, id)
			for what, err := range map[string]error{"read": read, "decide": decide, "withdraw": withdraw, "receipt": receipt} {
				if f := fault.As(err); f == nil || f.Kind != fault.NotFound || f.Code != "unknown-consent" || f.Message != "没有这个授权同意" {
					t.Errorf("%s, %s of %s: %s", name, what, id, describe(err))
				}
			}
		}
	}
	if _, err := b.x.AskConsents(t.Context(), as("GA"), c.ID, nil); !errors.Is(err, fault.NotFound) {
		t.Errorf("another department asks: %s", describe(err))
	}
	if _, err := b.x.CaseConsents(t.Context(), as("GA"), c.ID); !errors.Is(err, fault.NotFound) {
		t.Errorf("another department lists: %s", describe(err))
	}
}

func TestConsent_RelayedCountsUntilThePersonDecides(t *testing.T) {
	t.Parallel()
	parties := family()
	parties[0].Consent, parties[1].Consent = catalog.ConsentGiven, catalog.ConsentGiven
	b, c := familyBench(t, parties...)
	spouse := citizen(b.x, parties[1])
	for _, party := range []string{"p2", "p3"} { // p1 is the guardian of p3
		if got := b.outcome(c.ID, party); got != "settled record_matches" {
			t.Errorf("%s: %s", party, got)
		}
	}
	if got := b.asked(c.ID); len(got) != 0 {
		t.Errorf("%v are asked", got)
	}
	list, err := b.x.MyConsents(t.Context(), spouse, exchange.ConsentFilter{Limit: 10})
	if err != nil || len(list) != 1 || list[0].Channel != exchange.ChannelRelayed || !list[0].Everything {
		t.Fatalf("%+v, %v; want the relayed one", list, err)
	}
	if _, err := b.x.WithdrawConsent(t.Context(), spouse, list[0].ID); err != nil {
		t.Fatal(describe(err))
	}
	change := func(said catalog.ConsentState) error {
		p := parties[1]
		p.Consent = said
		_, err := b.x.ChangeCase(t.Context(), as("SPJ"), c.ID, exchange.Change{Parties: []catalog.Party{p}})
		return err
	}
	if err := change(catalog.ConsentGiven); err != nil { // the same as before: nothing new is relayed
		t.Fatal(describe(err))
	}
	if err := change(catalog.ConsentRefused); err != nil { // what she says herself
		t.Fatal(describe(err))
	}
	wantFault(t, change(catalog.ConsentGiven), fault.Conflict, "consent-decided-by-person")
	if got := b.outcome(c.ID, "p2"); got != "upload consent_refused" {
		t.Errorf("after: %s", got)
	}
	again := parties[1] // nor does it help to call her by another id
	again.ID = "p9"
	_, err = b.x.ChangeCase(t.Context(), as("SPJ"), c.ID, exchange.Change{Parties: []catalog.Party{again}})
	wantFault(t, err, fault.Conflict, "consent-decided-by-person")
}

// Another person under the same id has said nothing.
func TestConsent_IsNotInherited(t *testing.T) {
	t.Parallel()
	b, c := familyBench(t)
	agree(t, b.x, c.ID, citizen(b.x, family()[1]))
	if got := b.outcome(c.ID, "p2"); got != "settled record_matches" {
		t.Errorf("before: %s", got)
	}
	other := family()[1]
	other.Name, other.Number = "刘海燕", "370199199206183466"
	if _, err := b.x.ChangeCase(t.Context(), as("SPJ"), c.ID, exchange.Change{Parties: []catalog.Party{other}}); err != nil {
		t.Fatal(describe(err))
	}
	if got := b.outcome(c.ID, "p2"); got != "needs_consent consent_missing" {
		t.Errorf("another person: %s", got)
	}
}

func TestConsent_OfTheGuardianEndsOnThe14thBirthday(t *testing.T) {
	t.Parallel()
	b, c := familyBench(t)
	agree(t, b.x, c.ID, citizen(b.x, family()[0]))
	if got := b.outcome(c.ID, "p3"); got != "settled record_matches" {
		t.Errorf("before: %s", got)
	}
	rev := loadFamily(t)
	grants := grantsFor(rev)
	for i := range grants {
		grants[i].Until = at().AddDate(20, 0, 0)
	}
	if err := b.store.SaveGrants(t.Context(), grants); err != nil {
		t.Fatal(err)
	}
	b.x.Now = func() time.Time { return time.Date(2033, 8, 5, 1, 0, 0, 0, catalog.TimeZone()) }
	if got := b.outcome(c.ID, "p3"); got != "needs_consent consent_missing" {
		t.Errorf("on the birthday: %s", got)
	}
	if diff := cmp.Diff([]string{"p2", "p3"}, b.asked(c.ID)); diff != "" {
		t.Errorf("asked: -want +got:\n%s", diff)
	}
}

func TestReceipt_SaysWhatWasDecidedOnWhichSheet(t *testing.T) {
	t.Parallel()
	b, c := familyBench(t)
	spouse := citizen(b.x, family()[1])
	b.asked(c.ID)
	mine := b.openConsent(spouse)
	if err := b.decide(spouse, mine, catalog.ConsentRefused); err != nil {
		t.Fatal(describe(err))
	}
	receipt, err := b.x.Receipt(t.Context(), spouse, mine.ID)
	if err != nil {
		t.Fatal(describe(err))
	}
	got := receipt.Consent
	if got.State != exchange.ConsentRefused || got.Channel != exchange.ChannelOwn || !got.DecidedAt.Equal(at()) || receipt.SheetDigest != mine.SheetDigest {
		t.Errorf("receipt %+v", receipt)
	}
	if diff := cmp.Diff(mine.Sheet, got.Sheet); diff != "" {
		t.Errorf("another sheet: -read +receipt:\n%s", diff)
	}
	text, err := json.Marshal(receipt)
	if err != nil || strings.Contains(string(text), family()[1].Number) || strings.Contains(string(text), family()[1].Name) || receipt.Digest == "" {
		t.Errorf("receipt %s", text)
	}
}
