package main

import (
	"path/filepath"
	"slices"
	"testing"

	"mianti/examples/jinan"
	"mianti/exchange"
	"mianti/policies"
)

// TestFounding_TheLicenceIsAskedSevenTimesAndNeverSupplied is 企业开办 with
// applicant_kind=company, ent_type=ltd, own commercial premises, a seal, no
// employees, no agent and no foreign party.
func TestFounding_TheLicenceIsAskedSevenTimesAndNeverSupplied(t *testing.T) {
	d, err := startDemo(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "founding.db"), "127.0.0.1:0", quiet())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	uses := []string{"S01.M2.a", "S01.M3.a", "S01.M4.c", "S01.M5.a", "S01.M6.a", "S01.M7.a", "S01.M8.a"}
	for file, want := range map[string]struct {
		outcome  policies.Outcome
		premises []string // used by; the founding's use is over once it is granted
	}{
		"S01-own-premises.yaml":          {policies.AwaitingPrior, []string{"S01.M1.d", "S01.M3.d"}},
		"S01-own-premises-licensed.yaml": {policies.Settled, []string{"S01.M3.d"}},
	} {
		r := resolveNamed(t, d, file)
		if len(r.Matters) != 8 {
			t.Errorf("%s: %d matters, want 8", file, len(r.Matters))
		}
		licence := byStandardMaterial(r, "STD-BL")
		if len(licence) != 1 || !slices.Equal(licence[0].UsedBy, uses) || licence[0].Outcome != want.outcome {
			t.Errorf("%s: the licence is %+v; want one entry, used by %v, %s", file, licence, uses, want.outcome)
		}
		premises := byStandardMaterial(r, "STD-HOUSE")
		if len(premises) != 1 || !slices.Equal(premises[0].UsedBy, want.premises) {
			t.Errorf("%s: the premises document is %+v; want one entry for %v", file, premises, want.premises)
		}
		for _, code := range uses {
			if slices.Contains(r.Upload, code) {
				t.Errorf("%s: the applicant is asked to upload the licence for %s", file, code)
			}
		}
	}
}

func resolveNamed(t *testing.T, d *demo, name string) *exchange.Resolution {
	t.Helper()
	cases, err := readCases(jinan.Files, "cases")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range cases {
		if file.Name != name {
			continue
		}
		r, err := d.resolve(t.Context(), file.caseFile)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	t.Fatalf("no case %s", name)
	return nil
}

func byStandardMaterial(r *exchange.Resolution, code string) []exchange.MaterialResult {
	var found []exchange.MaterialResult
	for _, m := range r.Materials {
		if m.StandardMaterial == code && m.Outcome != policies.NotApplicable {
			found = append(found, m)
		}
	}
	return found
}
