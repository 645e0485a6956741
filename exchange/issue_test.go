package exchange_test

import (
	"bytes"
	"context"
	"database/sql"
	"slices"
	"strings"
	"testing"
	"time"

	"mianti/evidence"
	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// notary signs with a key of its own, and knows what was recorded when it signed.
type notary struct {
	key    *evidence.SigningKey
	before func()
}

func newNotary(t *testing.T) *notary {
	t.Helper()
	pkcs8, err := evidence.NewKey(evidence.EdDSA)
	if err != nil {
		t.Fatal(err)
	}
	key, err := evidence.ReadKey(pkcs8, time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return &notary{key: key}
}

func (n *notary) SignEvidence(_ context.Context, s evidence.Statement) (string, error) {
	if n.before != nil {
		n.before()
	}
	s.Issuer = "https://mianti.example"
	return n.key.Sign(s)
}

// verified is what an issued item states.
func (n *notary) verified(t *testing.T, item exchange.IssuedEvidence) *evidence.Verified {
	t.Helper()
	got, err := evidence.Verify(item.Token, []evidence.JWK{n.key.Public().JWK()})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// issuing is an exchange that has resolved a case, and what signs its evidence.
func issuing(t *testing.T) (*bench, *notary, *exchange.Resolution) {
	t.Helper()
	n := newNotary(t)
	b := newBench(t, wellKept, func(c *exchange.Config) { c.Evidence = n })
	b.x.Versions, b.x.SheetKey = b.store, bytes.Repeat([]byte{9}, 32)
	return b, n, b.resolve(as("SPJ"), b.open(as("SPJ"), founding()).ID)
}

func TestIssueEvidence_StatesWhatSettledEachMaterialAndIsInTheEntryOfItsResolution(t *testing.T) {
	t.Parallel()
	b, n, r := issuing(t)
	issue, err := b.x.IssueEvidence(t.Context(), as("SPJ"), r.ID)
	if err != nil {
		t.Fatal(describe(err))
	}
	resolved := b.entries(r.Case, ledger.Resolved)
	signed, settled := 0, 0
	for i := range r.Materials {
		if r.Materials[i].Outcome == policies.Settled {
			settled += max(1, len(r.Materials[i].Evidences()))
		}
	}
	for _, item := range issue.Items {
		if item.Evidence == nil {
			continue
		}
		signed++
		got := n.verified(t, item)
		m := b.material(r, item.Material.Code, got.Party)
		if got.Case != r.Case || got.CaseNumber != r.CaseNumber || got.Resolution != r.ID || got.Version != 1 || got.Mode != string(m.Mode) ||
			got.Name != m.Name || !slices.Equal(got.Materials, m.UsedBy) || len(got.Matters) == 0 || got.Department != "SPJ" || got.Ruleset != policies.Ruleset {
			t.Errorf("%s states %+v", m.Code, got.Statement)
		}
		if got.Evidence.Dataset != item.Evidence.Dataset || got.Digest != item.Evidence.Digest || len(resolved) != 1 || !slices.Contains(resolved[0].Evidence, got.Digest) {
			t.Errorf("%s: digest %s, of %s; the ledger has %v", m.Code, got.Digest, got.Evidence.Dataset, resolved)
		}
	}
	if len(issue.Items) != settled || signed < 3 || len(resolved[0].Evidence) != signed {
		t.Errorf("%d items and %d envelopes for %d; the entry names %d", len(issue.Items), signed, settled, len(resolved[0].Evidence))
	}
}

// A field is there with whose word it is and of when, or with why it is not.
func TestIssueEvidence_SaysOfEachFieldWhatItIsOrWhyItIsNotThere(t *testing.T) {
	t.Parallel()
	b, n, r := issuing(t)
	issue, err := b.x.IssueEvidence(t.Context(), as("SPJ"), r.ID)
	if err != nil {
		t.Fatal(describe(err))
	}
	given, missing := 0, 0
	for _, item := range issue.Items {
		if item.Evidence == nil {
			continue
		}
		got := n.verified(t, item).Evidence
		for code, f := range got.Fields {
			value, shown := item.Evidence.Fields[code]
			switch {
			case shown && (f.Unavailable != "" || f.Class != evidence.Government || f.AsOf != got.AsOf || asJSON(t, f.Value) != asJSON(t, value)):
				t.Errorf("%s %s: %+v, want %v", item.Material.Code, code, f, value)
			case !shown && (f.Value != nil || !slices.Contains([]string{"yes_no_only", "withheld", "not_released", "no_value"}, f.Unavailable)):
				t.Errorf("%s %s: %+v", item.Material.Code, code, f)
			case shown:
				given++
			default:
				missing++
			}
			if got.YesNo && f.Unavailable != "yes_no_only" {
				t.Errorf("%s: only yes or no, and %s is %+v", item.Material.Code, code, f)
			}
		}
	}
	if given == 0 || missing == 0 {
		t.Errorf("%d fields given, %d not: the case shows nothing", given, missing)
	}
}

func TestIssueEvidence_IsRecordedBeforeItIsGiven(t *testing.T) {
	t.Parallel()
	b, n, r := issuing(t)
	recorded := -1
	n.before = func() {
		if recorded < 0 {
			recorded = len(b.entries(r.Case, ledger.EvidenceIssued))
		}
	}
	issue, err := b.x.IssueMaterialEvidence(t.Context(), clerk("s1"), r.ID, "S01.M1.b", "p2")
	if err != nil || recorded != 1 || len(issue.Items) != 1 {
		t.Fatalf("%d entries when it was signed, %v", recorded, err)
	}
	e := b.entries(r.Case, ledger.EvidenceIssued)[0]
	if e.Person != "person-1" || e.Department != "SPJ" || e.Material != "S01.M1.b" || e.Resolution != r.ID || e.Version != 1 || !slices.Equal(e.Evidence, []string{issue.Items[0].Evidence.Digest}) {
		t.Errorf("entry %+v", e)
	}
	for _, private := range []string{"370199", "王", issue.Items[0].Token} {
		if strings.Contains(b.bodies(), private) {
			t.Errorf("the ledger holds %q", private)
		}
	}
}

func TestIssueEvidence_GivesNothingThatIsNotRecorded(t *testing.T) {
	t.Parallel()
	b, n, r := issuing(t)
	b.x.Journal = deafJournal{}
	n.before = func() { t.Error("something is signed") }
	_, err := b.x.IssueEvidence(t.Context(), as("SPJ"), r.ID)
	wantFault(t, err, fault.Unavailable, "not-recorded")
}

// ConcernsOf knows of nobody.
func (deafJournal) ConcernsOf(context.Context, string) ([]string, error) { return nil, nil }

// deafJournal records nothing.
type deafJournal struct{}

func (deafJournal) Append(context.Context, []ledger.Entry) error { return sql.ErrConnDone }
func (deafJournal) AppendIntents(context.Context, []ledger.Entry, []string) error {
	return sql.ErrConnDone
}

func TestIssueEvidence_RefusesWhatRestsOnARightThatHasEnded(t *testing.T) {
	t.Parallel()
	b, n, r := issuing(t)
	m := b.material(r, "S01.M1.b", "p2")
	b.query(func(db *sql.DB) error {
		_, err := db.Exec("UPDATE grants SET state = 'terminated' WHERE id = ?", m.Evidence.Grant)
		return err
	})
	_, err := b.x.IssueMaterialEvidence(t.Context(), as("SPJ"), r.ID, "S01.M1.b", "p2")
	wantFault(t, err, fault.Conflict, "evidence-withheld")
	if got := b.entries(r.Case, ledger.EvidenceIssued); len(got) != 0 {
		t.Errorf("what was not given is recorded: %+v", got)
	}
	issue, err := b.x.IssueEvidence(t.Context(), as("SPJ"), r.ID)
	if err != nil {
		t.Fatal(describe(err))
	}
	withheld, signed := 0, 0
	for _, item := range issue.Items {
		switch {
		case item.Evidence == nil:
		case item.Evidence.Grant == m.Evidence.Grant:
			withheld++
			if item.Token != "" || item.Evidence.Withheld != exchange.WithheldGrantTerminated {
				t.Errorf("%s is issued: %+v", item.Material.Code, item.Evidence)
			}
		default:
			signed++
			n.verified(t, item)
		}
	}
	if withheld == 0 || signed == 0 {
		t.Errorf("%d withheld, %d signed", withheld, signed)
	}
	if e := b.entries(r.Case, ledger.EvidenceIssued); len(e) != 1 || slices.Contains(e[0].Evidence, m.Evidence.Digest) || len(e[0].Evidence) != signed {
		t.Errorf("entries %+v", e)
	}
}

// A right that ends between the record and the answer is seen too.
func TestIssueEvidence_LooksAtTheRightsLast(t *testing.T) {
	t.Parallel()
	b, n, r := issuing(t)
	m := b.material(r, "S01.M1.b", "p2")
	b.x.Journal = endingJournal{b.x.Journal, func() {
		b.query(func(db *sql.DB) error {
			_, err := db.Exec("UPDATE grants SET state = 'suspended' WHERE id = ?", m.Evidence.Grant)
			return err
		})
	}}
	n.before = func() { t.Error("something is signed") }
	_, err := b.x.IssueMaterialEvidence(t.Context(), as("SPJ"), r.ID, "S01.M1.b", "p2")
	wantFault(t, err, fault.Conflict, "evidence-withheld")
}

// endingJournal does something once an entry is recorded.
type endingJournal struct {
	exchange.Journal
	then func()
}

func (j endingJournal) Append(ctx context.Context, entries []ledger.Entry) error {
	err := j.Journal.Append(ctx, entries)
	j.then()
	return err
}

func TestIssueEvidence_RefusesWhatWasAlteredInTheDatabase(t *testing.T) {
	t.Parallel()
	b, _, r := issuing(t)
	m := b.material(r, "S01.M1.b", "p2")
	b.rewrite("resolutions", "id", r, m.Evidence.Reference, "REC-FORGED")
	_, err := b.x.IssueMaterialEvidence(t.Context(), as("SPJ"), r.ID, "S01.M1.b", "p2")
	wantFault(t, err, fault.Conflict, "evidence-altered")
}

func TestIssueEvidence_OfWhatIsNotThereSaysSo(t *testing.T) {
	t.Parallel()
	b, _, r := issuing(t)
	var unsettled, formed [2]string // the material and whose it is
	for i := range r.Materials {
		m := &r.Materials[i]
		of := [2]string{m.Code}
		if m.Subject != nil {
			of[1] = m.Subject.Party
		}
		if m.Outcome != policies.Settled {
			unsettled = of
		}
		if m.Outcome == policies.Settled && m.Evidence == nil {
			formed = of
		}
	}
	for _, c := range []struct {
		name, department, resolution, material, party string
		kind                                          fault.Kind
		code                                          string
	}{
		{"another department's", "GA", r.ID, "S01.M1.b", "p2", fault.NotFound, "unknown-resolution"},
		{"no such resolution", "SPJ", "nothing", "S01.M1.b", "p2", fault.NotFound, "unknown-resolution"},
		{"no such material", "SPJ", r.ID, "S01.M1.zz", "p2", fault.NotFound, "unknown-material"},
		{"another party's", "SPJ", r.ID, "S01.M1.b", "p99", fault.NotFound, "unknown-material"},
		{"not settled", "SPJ", r.ID, unsettled[0], unsettled[1], fault.Conflict, "no-evidence"},
		{"settled by the form", "SPJ", r.ID, formed[0], formed[1], fault.Conflict, "no-evidence"},
	} {
		if c.material == "" {
			t.Errorf("%s: the case has none", c.name)
			continue
		}
		_, err := b.x.IssueMaterialEvidence(t.Context(), as(c.department), c.resolution, c.material, c.party)
		if f := fault.As(err); f == nil || f.Kind != c.kind || f.Code != c.code {
			t.Errorf("%s: %s, want %s %s", c.name, describe(err), c.kind, c.code)
		}
	}
	if got := b.entries(r.Case, ledger.EvidenceIssued); len(got) != 0 {
		t.Errorf("recorded: %+v", got)
	}
}

// The same case settled again has the same nonces, and another case others.
func TestEvidence_NonceComesFromTheCaseAlone(t *testing.T) {
	t.Parallel()
	b, _, first := issuing(t)
	again := b.resolve(as("SPJ"), first.Case)
	other := founding()
	other.Number = "JN-T-0002"
	elsewhere := b.resolve(as("SPJ"), b.open(as("SPJ"), other).ID)
	seen, compared := map[string]string{}, 0
	for i := range first.Materials {
		for k, e := range first.Materials[i].Evidences() {
			compared++
			if same := again.Materials[i].Evidences()[k]; same.Nonce != e.Nonce || e.Nonce == "" {
				t.Errorf("%s: %s, again %s", first.Materials[i].Code, e.Nonce, same.Nonce)
			}
			if another := elsewhere.Materials[i].Evidences()[k]; another.Nonce == e.Nonce || another.Digest == e.Digest {
				t.Errorf("%s: another case has the same nonce or digest", first.Materials[i].Code)
			}
			if earlier := seen[e.Nonce]; earlier != "" {
				t.Errorf("%s and %s have the same nonce", earlier, first.Materials[i].Code)
			}
			seen[e.Nonce] = first.Materials[i].Code
		}
	}
	if compared < 3 {
		t.Errorf("only %d compared", compared)
	}
}
