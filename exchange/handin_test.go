package exchange_test

import (
	"database/sql"
	"strings"
	"testing"
	"time"

	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// papers is the material that may be reused for 24 months.
const papers = "S04.M21.a"

func TestHandIn_SettlesALaterCaseOfTheSameApplicantAlone(t *testing.T) {
	t.Parallel()
	b := newBench(t, wellKept)
	first := b.open(as("DA"), archive("JN-T-0001", trading))
	if err := b.x.HandIn(t.Context(), as("DA"), first.ID, exchange.Handing{Material: papers, Digest: "sha256:feed"}); err != nil {
		t.Fatal(describe(err))
	}
	for _, tt := range []struct {
		name, number, applicant string
		outcome                 policies.Outcome
		reason                  policies.ReasonCode
	}{
		{"same case", "JN-T-0001", trading, policies.Upload, policies.ReasonApplicantOnly},
		{"same applicant", "JN-T-0002", trading, policies.Settled, policies.ReasonReused},
		{"same applicant in lower case", "JN-T-0003", strings.ToLower(trading), policies.Settled, policies.ReasonReused},
		{"another applicant", "JN-T-0004", estates, policies.Upload, policies.ReasonApplicantOnly},
		{"an applicant without number", "JN-T-0005", "", policies.Upload, policies.ReasonApplicantOnly},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := b.open(as("DA"), archive(tt.number, tt.applicant))
			m := b.material(b.resolve(as("DA"), c.ID), papers, "")
			if m.Outcome != tt.outcome || m.Reason.Code != tt.reason {
				t.Fatalf("outcome %s for %s, want %s for %s", m.Outcome, m.Reason.Code, tt.outcome, tt.reason)
			}
			if m.Outcome == policies.Settled && (m.Mode != "history" || m.Evidence == nil || m.Evidence.Reference != "sha256:feed") {
				t.Errorf("mode %s, evidence %+v; want the paper that was handed in", m.Mode, m.Evidence)
			}
		})
	}
}

// A paper of an applicant without a number is its case's own: two bodies that
// are yet to be registered are not one.
func TestHandIn_NeverJoinsApplicantsWithoutNumber(t *testing.T) {
	t.Parallel()
	b := newBench(t, wellKept)
	first, second := b.open(as("DA"), archive("JN-T-0001", "")), b.open(as("DA"), archive("JN-T-0002", ""))
	if err := b.x.HandIn(t.Context(), as("DA"), first.ID, exchange.Handing{Material: papers, Digest: "sha256:feed"}); err != nil {
		t.Fatal(describe(err))
	}
	if m := b.material(b.resolve(as("DA"), second.ID), papers, ""); m.Outcome != policies.Upload {
		t.Errorf("outcome %s, want upload", m.Outcome)
	}
}

func TestHandIn_IsForgottenAfterTheMonthsAllowed(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		now  time.Time
		want policies.Outcome
	}{
		{"on the last day", at().AddDate(0, 24, 0), policies.Settled},
		{"a day later", at().AddDate(0, 24, 1), policies.Upload},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, wellKept)
			first := b.open(as("DA"), archive("JN-T-0001", trading))
			if err := b.x.HandIn(t.Context(), as("DA"), first.ID, exchange.Handing{Material: papers, Digest: "sha256:feed"}); err != nil {
				t.Fatal(describe(err))
			}
			later := b.config
			later.Now = func() time.Time { return tt.now }
			b.x = exchange.New(later)
			c := b.open(as("DA"), archive("JN-T-0002", trading))
			if m := b.material(b.resolve(as("DA"), c.ID), papers, ""); m.Outcome != tt.want {
				t.Errorf("outcome %s, want %s", m.Outcome, tt.want)
			}
		})
	}
}

func TestHandIn_RefusesWhatTheCaseDoesNotAskFor(t *testing.T) {
	t.Parallel()
	b := newBench(t, wellKept)
	c := b.open(as("DA"), archive("JN-T-0001", trading))
	for name, in := range map[string]exchange.Handing{
		"unknown material":             {Material: "S99.M9.z"},
		"material of another matter":   {Material: "S04.M22.a"},
		"material that does not apply": {Material: "S04.M21.b"},
		"another party":                {Material: papers, Party: "p1"},
	} {
		err := b.x.HandIn(t.Context(), as("DA"), c.ID, in)
		if f := fault.As(err); f == nil || f.Kind != fault.Invalid || f.Code != "unknown-material" {
			t.Errorf("%s: %s, want unknown-material", name, describe(err))
		}
	}
	if b.rows("submissions") != 0 || len(b.entries(c.ID, ledger.PaperHandedIn)) != 0 {
		t.Error("something was stored")
	}
}

func TestHandIn_KeepsNoNumberInItsTable(t *testing.T) {
	t.Parallel()
	b := newBench(t, wellKept)
	c := b.open(as("SPJ"), founding())
	if err := b.x.HandIn(t.Context(), as("SPJ"), c.ID, exchange.Handing{Material: "S01.M1.b", Party: "p2", Digest: "sha256:feed"}); err != nil {
		t.Fatal(describe(err))
	}
	var subject string
	b.query(func(db *sql.DB) error { return db.QueryRow("SELECT subject_digest FROM submissions").Scan(&subject) })
	if strings.Contains(subject, wang) || subject == ledger.Digest(nil, "person|"+wang) || subject == ledger.Digest(c.Salt, "person|"+wang) {
		t.Errorf("subject = %q, want a digest under the exchange's own key", subject)
	}
}
