package effect_test

import (
	"context"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/effect"
	"mianti/examples/jinan"
	"mianti/internal/fault"
	"mianti/policies"
)

// rights are grants as they are.
type rights []policies.Grant

func (r rights) GrantsFor(context.Context, []string) ([]policies.Grant, error) { return r, nil }
func (rights) Stops(context.Context) ([]policies.Stop, error)                  { return nil, nil }

func now() time.Time { return time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC) }

// revisions are the shipped catalog, and the same with texts of a file replaced.
func revisions(t *testing.T, file string, oldAndNew ...string) (before, after *catalog.Revision) {
	t.Helper()
	files := fstest.MapFS{}
	err := fs.WalkDir(jinan.Files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(jinan.Files, name)
		files[name] = &fstest.MapFile{Data: content}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if before, err = catalog.Load(files); err != nil {
		t.Fatal(err)
	}
	text := string(files[file].Data)
	for i := 0; i < len(oldAndNew); i += 2 {
		if !strings.Contains(text, oldAndNew[i]) {
			t.Fatalf("%s does not hold %q", file, oldAndNew[i])
		}
		text = strings.Replace(text, oldAndNew[i], oldAndNew[i+1], 1)
	}
	files[file] = &fstest.MapFile{Data: []byte(text)}
	if after, err = catalog.Load(files); err != nil {
		t.Fatal(err)
	}
	return before, after
}

// measure measures a change without recorded cases.
func measure(t *testing.T, before, after *catalog.Revision, grants ...policies.Grant) *effect.Effect {
	t.Helper()
	desk := effect.Desk{Rights: rights(grants), Now: now}
	got, err := desk.Measure(t.Context(), policies.Caller{}, effect.Question{Before: before, After: after, Cases: -1})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// The neighbours' consent is handed in, or committed to. The draft looks it up in the
// household register, for which the office has no grant.
const (
	neighbours = "        when: \"premises_use == 'residential'\"\n        basis: [民法典279（待核）]\n        origin: other\n        chain: [{mode: commit, when: accept_commitment}, {mode: upload}]"
	registered = "        when: \"premises_use == 'residential'\"\n        basis: [民法典279（待核）]\n        origin: other\n        subjects: [property_holder]\n" +
		"        proofs:\n          - {lookups: [{dataset: D-GA02, release: [household_number]}]}\n        chain: [{mode: data}, {mode: upload}]"
)

func TestMeasure_NamesTheGrantThatIsMissing(t *testing.T) {
	t.Parallel()
	before, after := revisions(t, "one-things/S01.yaml", neighbours, registered)
	got := measure(t, before, after)
	if len(got.Lacks) != 1 || got.Lacks[0].Kind != effect.LackGrant || got.Lacks[0].Dataset != "D-GA02" || got.Lacks[0].Provider != "GA" || got.Lacks[0].Department != "SPJ" {
		t.Fatalf("lacks %+v, want a grant of D-GA02 for SPJ", got.Lacks)
	}
	grant := policies.Grant{
		ID: "g", Department: "SPJ", Matter: "S01.M1", Dataset: "D-GA02", Fields: got.Lacks[0].Fields, From: now().AddDate(-1, 0, 0), Until: now().AddDate(1, 0, 0),
		State: policies.GrantActive,
	}
	if got := measure(t, before, after, grant); len(got.Lacks) != 0 {
		t.Errorf("with the grant, lacks are %+v", got.Lacks)
	}
	ended := grant
	ended.Until = now()
	if got := measure(t, before, after, ended); len(got.Lacks) != 1 || got.Lacks[0].Why != policies.GrantExpired.Text() {
		t.Errorf("with a grant that has ended, lacks are %+v", got.Lacks)
	}
	// What the catalog needed before already, and does not have either, is not the draft's.
	if got := measure(t, after, after); len(got.Lacks) != 0 {
		t.Errorf("without a change, lacks are %+v", got.Lacks)
	}
}

// Four situations are told apart by the use of the premises and by whether somebody
// commits. Dwellings alone: who does not commit hands nothing in any more; who commits did
// not before either.
func TestMeasure_TriesEverySituation(t *testing.T) {
	t.Parallel()
	before, after := revisions(t, "one-things/S01.yaml", neighbours, registered)
	got := measure(t, before, after).Switches
	if len(got) != 1 || got[0].From != catalog.TrialUpload || got[0].To != catalog.TrialExempt || got[0].Situations != 1 || got[0].Of != 4 || !got[0].Complete {
		t.Fatalf("switches %+v, want one of four situations", got)
	}
	values := map[string]string{}
	for _, a := range got[0].Example {
		values[a.Fact] = a.Value
	}
	if diff := cmp.Diff(map[string]string{"premises_use": "住宅", "accept_commitment": "否"}, values); diff != "" {
		t.Errorf("the example (-want +got):\n%s", diff)
	}
}

// A number is tried at, below and above each number that the conditions hold: the
// threshold moves from 4500 to 12000, which is one of those between.
func TestMeasure_TriesNumbersAroundTheThresholds(t *testing.T) {
	t.Parallel()
	before, after := revisions(t, "one-things/S11.yaml", "truck_gross_kg > 4500", "truck_gross_kg > 12000")
	if got := measure(t, before, after).Changes; len(got) != 1 || !strings.Contains(got[0].Lines[0].New, "12000") {
		t.Fatalf("changes %+v, want a threshold of 12000", got)
	}
	switches := measure(t, before, after).Switches
	if len(switches) == 0 {
		t.Error("nothing is handed in otherwise")
	}
	for _, s := range switches {
		i := slices.IndexFunc(s.Example, func(a effect.FactValue) bool { return a.Fact == "truck_gross_kg" })
		if s.Turn() != effect.Eased || i < 0 || !slices.Contains([]string{"4501", "11999", "12000"}, s.Example[i].Value) {
			t.Errorf("switch %+v, want that light lorries are eased", s)
		}
	}
}

// The chain asks for licences alone. Identity cards are one; the household register can
// only be asked for as data.
func TestMeasure_NamesTheSourceThatIsMissing(t *testing.T) {
	t.Parallel()
	const proof = "          - {lookups: [{dataset: D-GA02, release: [household_number]}]}\n"
	licensed := strings.NewReplacer(proof, "          - {lookups: [{dataset: D-GA01}]}\n"+proof, "{mode: data}", "{mode: elicense}").Replace(registered)
	before, after := revisions(t, "one-things/S01.yaml", neighbours, licensed)
	var without []string
	for _, l := range measure(t, before, after).Lacks {
		if l.Kind == effect.LackSource {
			without = append(without, l.Material+" "+l.Dataset)
		}
	}
	if diff := cmp.Diff([]string{"S01.M1.e D-GA02"}, without); diff != "" {
		t.Errorf("sources (-want +got):\n%s", diff)
	}
}

// The second matter is handled for those who may register directly, in place of those
// who may not: what it asks for is handed in by the others, though none of it changed.
func TestMeasure_FindsWhatHangsOnAMatter(t *testing.T) {
	t.Parallel()
	before, after := revisions(t, "one-things/S10.yaml", "    when: \"!so_direct\"\n", "    when: so_direct\n")
	got := measure(t, before, after)
	if len(got.Changes) != 1 || got.Changes[0].Matter != "S10.M1" || got.Changes[0].Material != "" || got.Changes[0].Lines[0].What != "何时办" {
		t.Errorf("changes %+v, want when S10.M1 is handled", got.Changes)
	}
	turns := map[effect.Turn]int{}
	for _, s := range got.Switches {
		if s.Material == "S10.M1.a" {
			turns[s.Turn()] += s.Situations
		}
	}
	if diff := cmp.Diff(map[effect.Turn]int{effect.Eased: 1, effect.Laden: 1}, turns); diff != "" {
		t.Errorf("situations of S10.M1.a (-want +got):\n%s", diff)
	}
}

func TestMeasure_SaysWhatIsNewAndGone(t *testing.T) {
	t.Parallel()
	const lease = "      - code: S04.M21.b\n        name: 人防专项验收资料\n        kind: other\n        need: conditional\n        when: \"civil_defense == 'build'\"\n        origin: applicant\n        chain: [{mode: upload}]\n"
	with, without := revisions(t, "one-things/S04.yaml", lease, "")
	gone, added := measure(t, with, without), measure(t, without, with)
	if len(gone.Changes) != 1 || gone.Changes[0].Kind != catalog.ThingRemoved || len(gone.Switches) != 1 || gone.Switches[0].Turn() != effect.Eased {
		t.Errorf("gone: %+v %+v", gone.Changes, gone.Switches)
	}
	if len(added.Changes) != 1 || added.Changes[0].Kind != catalog.ThingAdded || len(added.Switches) != 1 || added.Switches[0].Turn() != effect.Laden {
		t.Errorf("added: %+v %+v", added.Changes, added.Switches)
	}
	// Of the three kinds of civil defence, building alone asks for it.
	if s := added.Switches; len(s) == 1 && (s[0].Situations != 1 || s[0].Of != 3) {
		t.Errorf("%d of %d situations, want 1 of 3", s[0].Situations, s[0].Of)
	}
}

func TestMeasure_RefusesTooManyCases(t *testing.T) {
	t.Parallel()
	before, after := revisions(t, "one-things/S01.yaml", neighbours, registered)
	_, err := (&effect.Desk{Now: now}).Measure(t.Context(), policies.Caller{}, effect.Question{Before: before, After: after, Cases: effect.MostCases + 1})
	if f := fault.As(err); f == nil || f.Code != "too-many-cases" {
		t.Errorf("error %v, want too-many-cases", err)
	}
}
