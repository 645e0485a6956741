package exchange_test

import (
	"database/sql"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

func (b *bench) sheet(r *exchange.Resolution) *exchange.Sheet {
	b.t.Helper()
	s, err := b.x.Sheet(b.t.Context(), clerk("s1"), r.ID)
	if err != nil {
		b.t.Fatal(describe(err))
	}
	return s
}

func TestSheet_ShowsWhatSettledAndNoFieldAndNoNumber(t *testing.T) {
	t.Parallel()
	b, _, r := issuing(t)
	s := b.sheet(r)
	text := asJSON(t, s)
	in := founding()
	for _, p := range in.Parties {
		if p.Number == "" {
			continue
		}
		if strings.Contains(text, p.Number) || len(p.Number) == 18 && strings.Contains(text, p.Number[6:14]) {
			t.Errorf("the sheet shows the number of %s, or the birthday in it", p.ID)
		}
		if !strings.Contains(text, p.Number[:4]+strings.Repeat("*", len(p.Number)-7)+p.Number[len(p.Number)-3:]) {
			t.Errorf("the number of %s is not there in its masked form", p.ID)
		}
	}
	for i := range r.Materials {
		m := &r.Materials[i]
		for _, e := range m.Evidences() {
			if !strings.Contains(text, e.Digest) {
				t.Errorf("the digest of %s is missing", m.Code)
			}
			for code, value := range e.Fields {
				if text, ok := value.(string); ok && len([]rune(text)) > 5 && strings.Contains(asJSON(t, s.Materials), text) {
					t.Errorf("%s of %s is shown", code, m.Code)
				}
			}
		}
		listed := slices.ContainsFunc(s.Materials, func(l exchange.SheetMaterial) bool { return l.Code == m.Code })
		if listed != (m.Outcome != policies.NotApplicable) {
			t.Errorf("%s (%s) is listed: %v", m.Code, m.Outcome, listed)
		}
	}
	e := b.entries(r.Case, ledger.SheetIssued)
	if len(e) != 1 || e[0].Person != "person-1" || e[0].Digest != s.Digest || e[0].Resolution != r.ID {
		t.Errorf("entries %+v", e)
	}
	if !regexp.MustCompile(`^sha256:[0-9a-f]{64}$`).MatchString(s.Digest) || s.Number != r.ID+".1" {
		t.Errorf("number %s, digest %s", s.Number, s.Digest)
	}
}

func TestSheet_OfAnotherDepartmentLooksUnknownAndIsNotRecorded(t *testing.T) {
	t.Parallel()
	b, _, r := issuing(t)
	_, err := b.x.Sheet(t.Context(), as("GA"), r.ID)
	wantFault(t, err, fault.NotFound, "unknown-resolution")
	if got := b.entries(r.Case, ledger.SheetIssued); len(got) != 0 {
		t.Errorf("entries %+v", got)
	}
}

func TestCheckSheet_KnowsASheetByItsCodeAlone(t *testing.T) {
	t.Parallel()
	b, _, r := issuing(t)
	s := b.sheet(r)
	got, err := b.x.CheckSheet(t.Context(), s.Code)
	if err != nil {
		t.Fatal(describe(err))
	}
	if got.Number != s.Number || got.Digest != s.Digest || got.Department != s.Department || got.Withheld != 0 || got.Records < 3 || got.Later != 0 || !got.ResolvedAt.Equal(s.ResolvedAt) {
		t.Errorf("check %+v of sheet %+v", got, s)
	}
	if !slices.Contains(got.Departments, "市公安局") {
		t.Errorf("departments %v", got.Departments)
	}
	text := asJSON(t, got)
	for _, private := range []string{r.Case, r.CaseNumber, "370199", "王", "S01"} {
		if strings.Contains(text, private) {
			t.Errorf("the check tells %q: %s", private, text)
		}
	}
	mac := s.Code[strings.LastIndexByte(s.Code, '.')+1:]
	if len(mac) != 22 { // 128 bits in base64url
		t.Errorf("the code ends in %q", mac)
	}
	for _, code := range []string{
		"", ".", "..", s.Number, s.Number + ".", s.Code + "A", s.Code[:len(s.Code)-1], strings.ToUpper(s.Code), r.ID + ".2." + mac, r.ID + "." + mac, "x" + s.Code,
	} {
		_, err := b.x.CheckSheet(t.Context(), code)
		if f := fault.As(err); f == nil || f.Kind != fault.NotFound || f.Code != "unknown-sheet" {
			t.Errorf("%q: %v", code, err)
		}
	}
}

func TestCheckSheet_SaysThatARightHasEndedSince(t *testing.T) {
	t.Parallel()
	b, _, r := issuing(t)
	s := b.sheet(r)
	m := b.material(r, "S01.M1.b", "p2")
	b.query(func(db *sql.DB) error {
		_, err := db.Exec("UPDATE grants SET state = 'terminated' WHERE id = ?", m.Evidence.Grant)
		return err
	})
	got, err := b.x.CheckSheet(t.Context(), s.Code)
	if err != nil || got.Withheld == 0 || got.Withheld == got.Records || got.Digest != s.Digest {
		t.Errorf("check %+v, %v", got, err)
	}
	again := b.sheet(r)
	if again.Digest != s.Digest || again.Code != s.Code {
		t.Error("the same version has another digest or code")
	}
}

// What the database says of a version decides the digest: who alters it alters
// that, and the print in the file shows it.
func TestCheckSheet_ShowsAnotherDigestOnceTheVersionWasAltered(t *testing.T) {
	t.Parallel()
	b, _, r := issuing(t)
	s := b.sheet(r)
	b.rewrite("resolutions", "id", r, `"mode":"data"`, `"mode":"elicense"`)
	got, err := b.x.CheckSheet(t.Context(), s.Code)
	if err != nil || got.Digest == s.Digest {
		t.Errorf("altered: %+v, %v", got, err)
	}
}
