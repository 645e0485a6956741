package jinan_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/examples/jinan"
)

// sourceMaterials gives the last letter of every matter's materials as counted
// in the source: "M1:c" has the materials a, b and c. S04.M12 has only z.
var sourceMaterials = map[string]string{
	"S01": "M1:o M2:e M3:d M4:c M5:e M6:c M7:d M8:d",
	"S02": "M1:b M2:i M3:a M4:b M5:b M6:c M7:b",
	"S03": "M1:g M2:c",
	"S04": "M1:b M2:d M3:b M4:b M5:b M6:b M7:b M8:d M9:c M10:d M11:c M12:z M13:d M14:c M15:b M16:b M17:c M18:a M19:b M20:c M21:b M22:c M23:a M24:a",
	"S05": "M1:d M2:g M3:a M4:b M5:b M6:c M7:d M8:a",
	"S06": "M1:h M2:f M3:b M4:l M5:c",
	"S07": "M1:e M2:f M3:j M4:b M5:d M6:c M7:c M8:c",
	"S08": "M1:c M2:f M3:g M4:b M5:j",
	"S09": "M1:q M2:c M3:c M4:b M5:c",
	"S10": "M0:c M1:c M2:o M3:b M4:a M5:b M6:a M7:b",
	"S11": "M1:d M2:c M3:f M4:k M5:f M6:a",
	"S12": "M1:m M2:c M3:b",
	"S13": "M1:b M2:n M3:d M4:a",
	"S14": "M1:h M2:d M3:h M4:g M5:h M6:e",
}

// loaded is the shipped catalog; a revision never changes, so that all tests
// can share it.
var loaded = sync.OnceValues(func() (*catalog.Revision, error) { return catalog.Load(jinan.Files) })

func load(t *testing.T) *catalog.Revision {
	t.Helper()
	r, err := loaded()
	if err != nil {
		t.Fatalf("load the shipped catalog:\n%v", err)
	}
	return r
}

func TestCatalog_LoadsWithoutFault(t *testing.T) {
	t.Parallel()
	if r := load(t); r.Title == "" || r.Version == "" || r.Digest == "" {
		t.Errorf("title %q, version %q, digest %q: none may be empty", r.Title, r.Version, r.Digest)
	}
}

func TestCatalog_HoldsAsMuchAsItsSource(t *testing.T) {
	t.Parallel()
	r := load(t)
	got := map[string]int{
		"departments": len(r.Departments()),
		"datasets":    len(r.Datasets()),
		"one-things":  len(r.OneThings()),
		"matters":     len(r.Matters()),
		"materials":   len(r.Materials()),
		"common":      commonMaterials(t),
	}
	want := map[string]int{"departments": 36, "datasets": 89, "one-things": 14, "matters": 99, "materials": 418, "common": 12}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("counts (-source +catalog):\n%s", diff)
	}
}

// commonMaterials counts them in their file: a revision keeps only their uses.
func commonMaterials(t *testing.T) int {
	t.Helper()
	text, err := jinan.Files.ReadFile("common-materials.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(text), "\n  - code: C")
}

func TestCatalog_HoldsEveryMatterAndMaterialOfItsSource(t *testing.T) {
	t.Parallel()
	r := load(t)
	for thing, shape := range sourceMaterials {
		t.Run(thing, func(t *testing.T) {
			t.Parallel()
			got := map[string][]string{}
			for i := range r.OneThing(thing).Matters {
				m := &r.OneThing(thing).Matters[i]
				got[m.Code] = materialCodes(m)
			}
			if diff := cmp.Diff(codesOf(thing, shape), got); diff != "" {
				t.Errorf("materials (-source +catalog):\n%s", diff)
			}
		})
	}
}

func materialCodes(m *catalog.Matter) []string {
	codes := make([]string, len(m.Materials))
	for i := range m.Materials {
		codes[i] = m.Materials[i].Code
	}
	return codes
}

// codesOf writes "M1:c" out as S01.M1: S01.M1.a, S01.M1.b, S01.M1.c.
func codesOf(thing, shape string) map[string][]string {
	codes := map[string][]string{}
	for _, part := range strings.Fields(shape) {
		name, last, _ := strings.Cut(part, ":")
		matter := thing + "." + name
		first := byte('a')
		if last == "z" {
			first = 'z'
		}
		for letter := first; letter <= last[0]; letter++ {
			codes[matter] = append(codes[matter], fmt.Sprintf("%s.%c", matter, letter))
		}
	}
	return codes
}

func TestCatalog_UsesCommonMaterialsAsOftenAsItsSource(t *testing.T) {
	t.Parallel()
	got := map[string]int{}
	for _, m := range load(t).Materials() {
		if m.Common != "" {
			got[m.Common]++
		}
	}
	want := map[string]int{"C01": 8, "C02": 6, "C03": 13, "C04": 33, "C05": 8, "C09": 1}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("uses (-source +catalog):\n%s", diff)
	}
}

// The source has 34 checks. Two are no checks over records (S01.M1.l, S14.M6.c)
// and two stand in common materials that no matter uses (C06, C11).
func TestCatalog_ChecksWhatItsSourceChecks(t *testing.T) {
	t.Parallel()
	r := load(t)
	checked := strings.Fields(`S01.M1.d S02.M1.b S03.M1.f S05.M1.a S05.M2.a S05.M2.b S05.M3.a S05.M4.a S05.M5.a
		S06.M2.f S06.M4.d S06.M4.e S07.M1.c S07.M2.c S07.M5.d S08.M5.b S09.M1.e S09.M1.g S09.M1.h
		S11.M4.e S11.M4.h S11.M4.i S12.M1.b S12.M1.e S13.M2.b S13.M2.e S13.M2.k
		S06.M2.b S01.M2.a S01.M2.b`) // the last three use C01, C04, C05
	for _, code := range checked {
		m := r.Material(code)
		if m == nil || len(m.Proofs) == 0 {
			t.Errorf("%s: not there, or without a proof", code)
			continue
		}
		for _, p := range m.Proofs {
			if p.Check == "" {
				t.Errorf("%s: a proof without a check", code)
			}
		}
	}
}

func TestCatalog_SaysInChineseWhatItChecks(t *testing.T) {
	t.Parallel()
	eachProof(load(t), func(m *catalog.Material, p *catalog.Proof) {
		if (p.Check == "") != (p.CheckText == "") {
			t.Errorf("%s: check %q, text %q: both or none", m.Code, p.Check, p.CheckText)
		}
	})
}

func TestCatalog_AsksBeforeEveryCommitment(t *testing.T) {
	t.Parallel()
	for _, m := range load(t).Materials() {
		for _, step := range m.Chain {
			if step.Mode == catalog.ModeCommit && step.When != "accept_commitment" {
				t.Errorf("%s: a commit step that is not voluntary", m.Code)
			}
		}
	}
}

func TestCatalog_ReleasesOnlyConclusionsOfTheMostSensitiveRecords(t *testing.T) {
	t.Parallel()
	// What each of these releases is listed in docs/divergences.md.
	allowed := map[string][]string{"S05.M2.b": {"household_number"}}
	r := load(t)
	eachProof(r, func(m *catalog.Material, p *catalog.Proof) {
		for _, l := range p.Lookups {
			d := r.Dataset(l.Dataset)
			if d.Sensitivity < 4 || d.Verify == "" || l.YesNo {
				continue
			}
			if !slices.Equal(l.Release, allowed[m.Code]) || len(l.Release) == 0 {
				t.Errorf("%s releases %v of %s, which can answer yes or no", m.Code, l.Release, d.Code)
			}
		}
	})
}

func TestCatalog_AsksConsentWhereTheSourceDoes(t *testing.T) {
	t.Parallel()
	r := load(t)
	var datasets, utilities []string
	for _, d := range r.Datasets() {
		if d.Consent {
			datasets = append(datasets, d.Code)
		}
	}
	for _, d := range r.Departments() {
		if d.PublicUtility {
			utilities = append(utilities, d.Code)
		}
	}
	if diff := cmp.Diff([]string{"D-GA07", "D-ZR04"}, slices.Sorted(slices.Values(datasets))); diff != "" {
		t.Errorf("datasets with consent (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"DL", "RL", "RQ", "WS"}, slices.Sorted(slices.Values(utilities))); diff != "" {
		t.Errorf("public utilities (-want +got):\n%s", diff)
	}
}

// A record of a person or thing is only ever looked up for a party of the case.
func TestCatalog_NamesWhoseRecordEveryLookupIs(t *testing.T) {
	t.Parallel()
	eachProof(load(t), func(m *catalog.Material, p *catalog.Proof) {
		for _, l := range p.Lookups {
			if l.Subject == "" && len(m.Subjects) == 0 {
				t.Errorf("%s asks %s of nobody", m.Code, l.Dataset)
			}
		}
	})
}

// A dataset's sources must serve every mode that its materials use.
func TestCatalog_EveryLookupStepHasAProofThatItCanReach(t *testing.T) {
	t.Parallel()
	r := load(t)
	for _, m := range r.Materials() {
		for _, step := range m.Chain {
			if step.Mode != catalog.ModeElicense && step.Mode != catalog.ModeData {
				continue
			}
			if !slices.ContainsFunc(m.Proofs, func(p catalog.Proof) bool { return r.Reachable(&p, step.Mode) }) {
				t.Errorf("%s: no proof can be asked for by %s", m.Code, step.Mode)
			}
		}
	}
}

func TestCatalog_UsesEveryRole(t *testing.T) {
	t.Parallel()
	r := load(t)
	unused := map[string]bool{}
	for _, role := range r.Roles() {
		unused[role.Code] = true
	}
	for _, m := range r.Materials() {
		for _, role := range m.Subjects {
			delete(unused, role)
		}
		for _, p := range m.Proofs {
			for _, l := range p.Lookups {
				delete(unused, l.Subject)
			}
		}
	}
	if len(unused) > 0 {
		t.Errorf("roles that no material names: %v", slices.Sorted(maps.Keys(unused)))
	}
}

func TestCatalog_ShowsNoMarksOfItsSource(t *testing.T) {
	t.Parallel()
	r := load(t)
	texts := map[string]string{}
	for _, m := range r.Materials() {
		texts[m.Code] = strings.Join(append([]string{m.Name, m.Note}, m.Basis...), " ")
	}
	for _, m := range r.Matters() {
		texts[m.Code] = m.Name + " " + m.Result.Name
	}
	for _, o := range r.OneThings() {
		texts[o.Code] = o.Name + " " + o.Consent + " " + strings.Join(o.Feeds, " ")
	}
	for _, d := range r.Datasets() {
		texts[d.Code] = d.Name + " " + d.Terms + " " + d.Verify
		for _, f := range d.Fields {
			texts[d.Code+"."+f.Code] = f.Name
		}
	}
	for code, text := range texts {
		for _, mark := range []string{"_", "(mem)", "GUIDE", "†", "UPLOAD", "DATA", "COMMIT"} {
			if strings.Contains(text, mark) {
				t.Errorf("%s: %q holds the mark %q", code, text, mark)
			}
		}
	}
}

func TestCatalog_ImplementationCodesAreMadeOfTheirParts(t *testing.T) {
	t.Parallel()
	r := load(t)
	for _, m := range r.Matters() {
		want := fmt.Sprintf("%s%d%s", r.Department(m.Department).CreditCode, m.Level, m.BasicCode)
		if m.ImplementationCode != want || len(want) != 31 {
			t.Errorf("%s: implementation code %q, want %q", m.Code, m.ImplementationCode, want)
		}
	}
	if n := len(r.MattersByImplementationCode(r.Matter("S01.M1").ImplementationCode)); n != 3 {
		t.Errorf("S01.M1 stands in %d one-things under one code, want 3 (S01, S11, S13)", n)
	}
}

func eachProof(r *catalog.Revision, visit func(*catalog.Material, *catalog.Proof)) {
	for _, m := range r.Materials() {
		for i := range m.Proofs {
			visit(m, &m.Proofs[i])
		}
	}
}
