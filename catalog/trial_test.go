package catalog_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
)

// standings writes a trial's material as "mode standing" of each step.
func standings(m *catalog.TrialMaterial) string {
	parts := []string{string(m.Group)}
	for _, s := range m.Steps {
		parts = append(parts, string(s.Mode)+" "+string(s.Standing))
	}
	return strings.Join(parts, ", ")
}

func tried(t testing.TB, rev *catalog.Revision, in catalog.TrialInput) *catalog.Trial {
	t.Helper()
	trial, err := rev.Try(in)
	if err != nil {
		t.Fatal(err)
	}
	return trial
}

func trialOf(t testing.TB, trial *catalog.Trial, code string) *catalog.TrialMaterial {
	t.Helper()
	for i := range trial.Materials {
		for _, use := range trial.Materials[i].Uses {
			if use.Material.Code == code {
				return &trial.Materials[i]
			}
		}
	}
	t.Fatalf("no material %s in the trial", code)
	return nil
}

// TestTry_WalksDownEachChain derives every expectation from the small catalog's
// files and docs/resolution-rules.md §1 to §4.
func TestTry_WalksDownEachChain(t *testing.T) {
	t.Parallel()
	rev := load(t, good(t))
	set := func(values ...string) []string { return values }
	for name, c := range map[string]struct {
		in   catalog.TrialInput
		want map[string]string
	}{
		"nothing known": {
			catalog.TrialInput{Subject: "S01"},
			map[string]string{
				"S01.M1.a": "exempt, form first",
				// The applicant is taken for a person: the identity card has both kinds of source.
				"S01.M1.b": "exempt, elicense first, data next, upload next",
				"S01.M1.c": "unknown",
				"S01.M1.d": "unknown",
				"S01.M2.a": "unknown",
			},
		},
		"conditions false": {
			catalog.TrialInput{Subject: "S01", Facts: catalog.Facts{"agent": false, "ent_type": "ltd", "utilities": set()}},
			map[string]string{"S01.M1.c": "not_applicable", "S01.M1.d": "not_applicable"},
		},
		"willingness not known": {
			catalog.TrialInput{Subject: "S01", Facts: catalog.Facts{"ent_type": "jsc", "energy_tce": 2000.0}},
			map[string]string{"S01.M1.c": "unknown, commit asks, upload first"},
		},
		"willing": {
			catalog.TrialInput{Subject: "S01", Facts: catalog.Facts{"ent_type": "jsc", "energy_tce": 2000.0, "willing": true}},
			map[string]string{"S01.M1.c": "commit, commit first, upload after_end"},
		},
		"not willing": {
			catalog.TrialInput{Subject: "S01", Facts: catalog.Facts{"ent_type": "jsc", "energy_tce": 2000.0, "willing": false}},
			map[string]string{"S01.M1.c": "upload, commit passed, upload first"},
		},
		"the result of a matter of the same case": {
			catalog.TrialInput{Subject: "S01", Facts: catalog.Facts{"utilities": set("water")}, Kinds: map[string]catalog.PartyKind{"applicant": catalog.KindOrganization}},
			map[string]string{
				"S01.M2.a": "exempt, prior first, elicense next, data next, assist next, upload next",
				"S01.M2.b": "exempt, data first, history next, cancel next",
			},
		},
		"no earlier matter, and no proof for the kind": {
			catalog.TrialInput{Subject: "S01.M2", Facts: catalog.Facts{"utilities": set("water")}},
			map[string]string{"S01.M2.a": "exempt, prior unreachable, elicense first, data next, assist next, upload next"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			trial := tried(t, rev, c.in)
			for code, want := range c.want {
				if got := standings(trialOf(t, trial, code)); got != want {
					t.Errorf("%s is %q, want %q", code, got, want)
				}
			}
		})
	}
}

func TestTry_AsksOnlyWhatDecides(t *testing.T) {
	t.Parallel()
	rev := load(t, good(t))
	for _, c := range []struct {
		facts catalog.Facts
		want  map[string][]string
	}{
		{nil, map[string][]string{"agent": {"S01.M1.d"}, "ent_type": {"S01.M1.c"}, "energy_tce": {"S01.M1.c"}, "utilities": {"S01.M2.a", "S01.M2.b"}}},
		// An ltd is no jsc, whatever its energy: that is not asked any more.
		{catalog.Facts{"ent_type": "ltd", "agent": true, "utilities": []string{}}, map[string][]string{}},
		{catalog.Facts{"ent_type": "jsc", "energy_tce": 1000.0, "agent": true, "utilities": []string{}}, map[string][]string{"willing": {"S01.M1.c"}}},
	} {
		got := map[string][]string{}
		for _, q := range tried(t, rev, catalog.TrialInput{Subject: "S01", Facts: c.facts}).Questions {
			got[q.Fact.Code] = q.Materials
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%v (-want +got)\n%s", c.facts, diff)
		}
	}
}

func TestTry_SaysWhyAModeCannotBeTried(t *testing.T) {
	t.Parallel()
	files := good(t)
	edit(t, files, "departments/SC.yaml", "    certificate: {}\n", "")
	edit(t, files, "departments/SC.yaml", "      - {code: SC.D-SC01.elicense, kind: elicense, path: /elicense}\n", "")
	edit(t, files, "one-things/S01.yaml", "{mode: elicense}, {mode: data}, {mode: assist, days: 2}", "{mode: data}, {mode: assist, days: 2}")
	edit(t, files, "common-materials.yaml", "      - for: organization\n        standard_material: STD-BL\n        lookups: [{dataset: D-SC01}]\n", "")
	rev := load(t, files)
	organization := map[string]catalog.PartyKind{"applicant": catalog.KindOrganization}
	trial := tried(t, rev, catalog.TrialInput{Subject: "S01", Kinds: organization, Facts: catalog.Facts{"utilities": []string{"water"}}})
	m := trialOf(t, trial, "S01.M1.b")
	if got, want := standings(m), "upload, elicense unreachable, data unreachable, upload first"; got != want {
		t.Errorf("S01.M1.b is %q, want %q", got, want)
	}
	if got, want := m.Steps[0].Why, "没有适用于这类当事人（法人或其他组织）的证明组合"; got != want {
		t.Errorf("said %q, want %q", got, want)
	}
	single := tried(t, rev, catalog.TrialInput{Subject: "S01.M2", Facts: catalog.Facts{"utilities": []string{"water"}}})
	if got, want := trialOf(t, single, "S01.M2.a").Steps[0].Why, "本件中不办 S01.M1，没有前序结果可用"; got != want {
		t.Errorf("said %q, want %q", got, want)
	}
	if got, want := trialOf(t, single, "S01.M2.a").Steps[1].Why, "查市市场监督管理局的“营业执照”"; got != want {
		t.Errorf("said %q, want %q", got, want)
	}
}

func TestTry_RefusesWhatTheRevisionDoesNotKnow(t *testing.T) {
	t.Parallel()
	if _, err := load(t, good(t)).Try(catalog.TrialInput{Subject: "S99"}); err == nil {
		t.Error("a subject that is not there was tried")
	}
}

func TestBeside_ShowsWhatADraftChanges(t *testing.T) {
	t.Parallel()
	before := load(t, good(t))
	files := good(t)
	edit(t, files, "one-things/S01.yaml", "chain: [{mode: commit, when: willing}, {mode: upload}]", "chain: [{mode: upload}]")
	edit(t, files, "one-things/S01.yaml", "      - {code: S01.M1.d, common: C02}\n", "")
	after := load(t, files)
	in := catalog.TrialInput{Subject: "S01", Facts: catalog.Facts{"ent_type": "jsc", "energy_tce": 2000.0, "willing": true, "agent": true, "utilities": []string{}}}
	changed := map[string]string{}
	for _, row := range catalog.Beside(tried(t, before, in), tried(t, after, in)) {
		if !row.Changed {
			continue
		}
		changed[row.Code] = "-"
		if row.After != nil {
			changed[row.Code] = string(row.Before.Group) + " → " + string(row.After.Group)
		}
	}
	want := map[string]string{"S01.M1.c": "commit → upload", "S01.M1.d": "-"}
	if diff := cmp.Diff(want, changed); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestTry_KnowsEveryOneThingOfTheShippedCatalog: with no fact known, and with
// every bool false, each material is in exactly one group.
func TestTry_KnowsEveryOneThingOfTheShippedCatalog(t *testing.T) {
	t.Parallel()
	rev := load(t, os.DirFS("../examples/jinan"))
	for _, thing := range rev.OneThings() {
		facts := catalog.Facts{}
		for _, f := range rev.FactsOf(thing.Code) {
			if f.Type == catalog.FactBool {
				facts[f.Code] = false
			}
		}
		for _, in := range []catalog.TrialInput{{Subject: thing.Code}, {Subject: thing.Code, Facts: facts}} {
			trial, total := tried(t, rev, in), 0
			for _, n := range trial.Totals {
				total += n
			}
			if total != len(trial.Materials) || total == 0 {
				t.Errorf("%s: %d in groups, %d materials", thing.Code, total, len(trial.Materials))
			}
			for _, m := range trial.Materials {
				if m.Group.Name() == "" || m.Group == catalog.TrialUnsettled && m.First >= 0 {
					t.Errorf("%s is in the group %q", m.Material().Code, m.Group)
				}
			}
		}
	}
}
