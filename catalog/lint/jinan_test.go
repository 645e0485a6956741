package lint_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/catalog/lint"
	"mianti/examples/jinan"
)

// withoutLaw gives the materials for which the scenario list names no clause, by
// matter; read from the list, not from the catalog.
var withoutLaw = map[string]string{
	"S01": "M1:no M2:bcde M3:bcd M4:abc M5:cde M6:abc M7:bcd M8:abcd",
	"S02": "M2:ghi M3:a M4:b M5:ab M6:ab M7:a",
	"S03": "M1:g M2:bc",
	"S04": "M1:b M2:bd M5:ab M6:b M7:ab M8:d M9:bc M10:cd M11:bc M12:z M13:abcd M15:ab M16:ab M17:abc M18:a M19:b M20:bc M21:b M22:c M23:a M24:a",
	"S05": "M1:bcd M2:abcdefg M4:ab M5:ab M6:bc M7:abc M8:a",
	"S06": "M1:begh M2:bdef M3:b M4:cfghjkl M5:bc",
	"S07": "M1:abde M2:abcdef M3:fhij M4:b M5:abcd M6:abc M7:bc M8:abc",
	"S08": "M1:b M2:def M3:bcefg M5:aefghij",
	"S09": "M1:hopq M2:bc M3:bc M4:b M5:bc",
	"S10": "M0:a M1:a M2:ikmno M3:b M6:a",
	"S11": "M2:ac M5:bcdef M6:a",
	"S12": "M1:cdefgijlm M2:bc M3:b",
	"S13": "M1:b M3:d M2:cdfhlmn M4:a",
	"S14": "M1:ceh M2:cd M3:bdeh M4:bcdeg M5:bfgh M6:acde",
}

// TestLint_FindsWhatTheScenariosName holds the shipped catalog against what the
// scenario list says of itself: its materials without a clause, the law conflict of
// S13, and its names that say nothing definite.
func TestLint_FindsWhatTheScenariosName(t *testing.T) {
	t.Parallel()
	rev := load(t, jinan.Files)
	report := lint.Check(rev, lint.Config{})
	var want []string
	for thing, matters := range withoutLaw {
		for matter := range strings.FieldsSeq(matters) {
			number, letters, _ := strings.Cut(matter, ":")
			for _, letter := range letters {
				// S03.M2.b is cancelled in the list, which is what the rule wants.
				if code := thing + "." + number + "." + string(letter); code != "S03.M2.b" {
					want = append(want, code)
				}
			}
		}
	}
	if diff := cmp.Diff(sorted(want), sorted(codes(report, lint.Basis))); diff != "" {
		t.Errorf("without a clause (-list +found)\n%s", diff)
	}
	for _, code := range []string{"S07.M3.f", "S08.M5.g"} {
		if !slices.Contains(codes(report, lint.Basis), code) {
			t.Errorf("%s has no basis by intent, and is not found", code)
		}
	}
	if diff := cmp.Diff([]string{"S13"}, codes(report, lint.Conflict)); diff != "" {
		t.Errorf("conflict of laws (-want +got)\n%s", diff)
	}
	indefinite := regexp.MustCompile("其他|其它|相关|有关|等(材料|文件|证明|资料)?$")
	var names []string
	for _, m := range rev.Materials() {
		if indefinite.MatchString(m.Name) {
			names = append(names, m.Code)
		}
	}
	if len(names) == 0 {
		t.Error("the list has names that say nothing definite")
	}
	if diff := cmp.Diff(names, codes(report, lint.Vague)); diff != "" {
		t.Errorf("names (-by their text +found)\n%s", diff)
	}
}

// TestLint_EveryFindingOfTheShippedCatalogIsExplained holds that nothing is open,
// that no explanation is left over, and that the deliberate faults have their own.
func TestLint_EveryFindingOfTheShippedCatalogIsExplained(t *testing.T) {
	t.Parallel()
	report := lint.Check(load(t, jinan.Files), lint.Config{})
	taught := map[string]bool{}
	for _, f := range report.Findings {
		switch {
		case f.Explained == nil:
			t.Errorf("%s %s %s: %s", f.Rule, f.Code, f.Key, f.Reason)
		case f.Explained.Why == "" || f.Explained.By == "":
			t.Errorf("%s %s: who said so, and why?", f.Rule, f.Code)
		case strings.HasPrefix(f.Explained.Why, "教学案例"):
			taught[f.Code] = true
		}
	}
	if diff := cmp.Diff(map[string]bool{"S07.M3.f": true, "S08.M5.g": true, "S13": true}, taught); diff != "" {
		t.Errorf("the deliberate faults of the scenario list (-want +got)\n%s", diff)
	}
}

// TestLint_OfTheShippedCatalogHasItsPlaces holds every finding to a thing and a line.
func TestLint_OfTheShippedCatalogHasItsPlaces(t *testing.T) {
	t.Parallel()
	rev := load(t, jinan.Files)
	report := lint.Check(rev, lint.Config{})
	files, err := catalog.Files(jinan.Files)
	if err != nil {
		t.Fatal(err)
	}
	lint.Locate(report.Findings, files)
	for _, f := range report.Findings {
		if f.Kind == catalog.ThingMaterial {
			m := rev.Material(f.Code)
			if m == nil || m.Name != f.Name || rev.MatterOf(f.Code).Code != f.Matter {
				t.Errorf("%+v is about no material", f)
				continue
			}
			lines := strings.Split(string(files[f.File]), "\n")
			if f.Line == 0 || f.Line > len(lines) || !slices.ContainsFunc(lines[max(0, f.Line-30):f.Line], func(line string) bool { return strings.Contains(line, f.Code) }) {
				t.Errorf("%s %s is not at %s:%d", f.Rule, f.Code, f.File, f.Line)
			}
		}
	}
}

func codes(report *lint.Report, rule lint.Rule) []string {
	var out []string
	for _, f := range report.Findings {
		if f.Rule == rule {
			out = append(out, f.Code)
		}
	}
	return out
}

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }
