package jinan_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
)

// groups gives the codes of a guidance's materials by group. What stands for the
// same paper is written with a plus.
func groups(g *catalog.Guidance) map[catalog.GuideGroup][]string {
	out := map[catalog.GuideGroup][]string{}
	for _, m := range g.Materials {
		text := m.Material().Code
		for _, use := range m.Uses[1:] {
			text += "+" + use.Material.Code
		}
		out[m.Group] = append(out[m.Group], text)
	}
	return out
}

func guide(t *testing.T, r *catalog.Revision, subject string, facts catalog.Facts) *catalog.Guidance {
	t.Helper()
	g, err := r.Guide(subject, facts)
	if err != nil {
		t.Fatalf("guide %s with %v: %v", subject, facts, err)
	}
	return g
}

func asked(g *catalog.Guidance) []string {
	var codes []string
	for _, q := range g.Questions {
		codes = append(codes, q.Fact.Code)
	}
	return codes
}

// The expected lists follow from the chains of the catalog's source: the first
// mode that needs nothing of the applicant, with every data item shared.
func TestGuide_TellsTheThreeGroups(t *testing.T) {
	t.Parallel()
	r := load(t)
	house := func(more catalog.Facts) catalog.Facts {
		facts := catalog.Facts{
			"agent": false, "applicant_kind": "person", "tax_first_home": false, "buy_kind": "onhand",
			"co_owner": false, "minor_party": false, "has_loan": false,
		}
		maps.Copy(facts, more)
		return facts
	}
	// One contract (STD-SALE) and one identity card of the buyer, however many ask.
	houseNone := []string{
		"S06.M1.a", "S06.M1.c", "S06.M1.d", "S06.M1.e", "S06.M1.f", "S06.M1.g", "S06.M1.h", "S06.M2.a", "S06.M2.b+S06.M3.b+S06.M4.b",
		"S06.M2.c+S06.M3.a+S06.M4.d", "S06.M2.d", "S06.M4.a", "S06.M4.j",
	}
	houseNot := []string{
		"S06.M1.b", "S06.M2.e", "S06.M2.f", "S06.M4.c", "S06.M4.f", "S06.M4.h", "S06.M4.i", "S06.M4.k", "S06.M4.l",
	}
	moving := func(accept bool) catalog.Facts {
		return catalog.Facts{"agent": false, "applicant_kind": "company", "ent_type": "ltd", "need_seal": false, "accept_commitment": accept}
	}
	movingNone := []string{
		"S02.M1.a", "S02.M1.b", "S02.M2.a", "S02.M2.b", "S02.M2.c", "S02.M2.d", "S02.M2.e", "S02.M2.f", "S02.M2.g", "S02.M4.b", "S02.M5.b", "S02.M7.b",
	}
	// The new licence is the result of the change of domicile.
	movingChecking := []string{"S02.M3.a+S02.M4.a+S02.M5.a+S02.M7.a"}
	for _, c := range []struct {
		name, subject string
		facts         catalog.Facts
		want          map[catalog.GuideGroup][]string
	}{
		{"a house without a loan", "S06", house(nil), map[catalog.GuideGroup][]string{
			catalog.GuideNone: houseNone, catalog.GuideChecking: {"S06.M4.e", "S06.M4.g"}, catalog.GuideNotApplicable: houseNot,
		}},
		{"a loan adds the contract of the bank", "S06", house(catalog.Facts{"has_loan": true}), map[catalog.GuideGroup][]string{
			catalog.GuideNone:          append(slices.Clone(houseNone), "S06.M5.c"),
			catalog.GuideChecking:      {"S06.M4.e", "S06.M4.g", "S06.M5.b"},
			catalog.GuideSubmit:        {"S06.M5.a"},
			catalog.GuideNotApplicable: houseNot,
		}},
		{"a company that moves", "S02", moving(false), map[catalog.GuideGroup][]string{
			catalog.GuideNone: movingNone, catalog.GuideChecking: movingChecking, catalog.GuideNotApplicable: {"S02.M2.h", "S02.M2.i"},
		}},
		{"who commits signs, and is not counted as exempt", "S02", moving(true), map[catalog.GuideGroup][]string{
			catalog.GuideNone:          slices.DeleteFunc(slices.Clone(movingNone), func(s string) bool { return s == "S02.M2.c" }),
			catalog.GuideChecking:      movingChecking,
			catalog.GuideSubmit:        {"S02.M2.c"},
			catalog.GuideNotApplicable: {"S02.M2.h", "S02.M2.i"},
		}},
		{"a single matter has no earlier result", "S02.M3", catalog.Facts{"applicant_kind": "company"}, map[catalog.GuideGroup][]string{
			catalog.GuideNone: {"S02.M3.a"},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			g := guide(t, r, c.subject, c.facts)
			if diff := cmp.Diff(c.want, groups(g)); diff != "" {
				t.Errorf("groups (-want +got):\n%s", diff)
			}
			if len(g.Questions) > 0 {
				t.Errorf("asks %v although the list is complete", asked(g))
			}
		})
	}
}

func TestGuide_AsksFirstWhatMayBurdenTheApplicant(t *testing.T) {
	t.Parallel()
	r := load(t)
	for subject, want := range map[string][]string{
		// A loan needs the bank's contract; the others change only what is looked up.
		"S06": {"has_loan", "agent", "applicant_kind", "tax_first_home", "co_owner", "minor_party", "buy_kind"},
		// A commitment is signed; the licence is asked for by four matters.
		"S02": {"accept_commitment", "applicant_kind", "need_seal", "agent", "ent_type"},
	} {
		if diff := cmp.Diff(want, asked(guide(t, r, subject, nil))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", subject, diff)
		}
	}
}

// values are all values of a fact that make a difference anywhere in the catalog.
func values(f *catalog.Fact) []any {
	switch f.Type {
	case catalog.FactBool:
		return []any{true, false}
	case catalog.FactEnum:
		var all []any
		for _, o := range f.Options {
			all = append(all, o.Value)
		}
		return all
	case catalog.FactSet:
		all := []any{[]string{}}
		for _, o := range f.Options {
			all = append(all, []string{o.Value})
		}
		return all
	case catalog.FactNumber:
		return []any{0.0, 4.9, 5.0, 999.0, 1000.0, 4500.0, 4501.0, 12000.0}
	case catalog.FactRegion:
		return []any{"370102", "110101"}
	case catalog.FactText:
		return []any{"济南市历下区某路1号"}
	}
	return nil
}

func with(facts catalog.Facts, code string, value any) catalog.Facts {
	more := maps.Clone(facts)
	more[code] = value
	return more
}

// listOf is what an applicant reads of a guidance's materials.
func listOf(g *catalog.Guidance) string {
	text := ""
	for _, m := range g.Materials {
		text += fmt.Sprintln(m.Group, m.Mode, m.Departments, m.Roles, m.Prior, m.Days, m.Else)
		for _, use := range m.Uses {
			text += use.Material.Code + " "
		}
	}
	return text
}

// TestGuide_AsksAllThatMattersAndNothingElse goes down every path of questions.
// At each point an answer to a question that is not asked changes nothing of the
// list, and one that is asked can change it.
func TestGuide_AsksAllThatMattersAndNothingElse(t *testing.T) {
	t.Parallel()
	r := load(t)
	for _, subject := range []string{"S03", "S12", "S02.M2", "S06.M4", "S05.M2", "S14"} {
		t.Run(subject, func(t *testing.T) {
			t.Parallel()
			explore(t, r, subject, catalog.Facts{})
		})
	}
}

// named are the facts that any condition of a matter or of a one-thing names. No
// other can change anything.
func named(r *catalog.Revision, subject string) []*catalog.Fact {
	conditions := ""
	for _, m := range r.Matters() {
		if m.Code != subject && m.OneThing != subject {
			continue
		}
		conditions += m.When + " "
		for _, material := range m.Materials {
			conditions += material.When + " "
			for _, step := range material.Chain {
				conditions += step.When + " "
			}
		}
	}
	return slices.DeleteFunc(r.Facts(), func(f *catalog.Fact) bool { return !strings.Contains(conditions, f.Code) })
}

func explore(t *testing.T, r *catalog.Revision, subject string, facts catalog.Facts) {
	t.Helper()
	g := guide(t, r, subject, facts)
	list, open := listOf(g), asked(g)
	for _, fact := range named(r, subject) {
		if _, known := facts[fact.Code]; known || slices.Contains(open, fact.Code) {
			continue
		}
		for _, v := range values(fact) {
			if after := listOf(guide(t, r, subject, with(facts, fact.Code, v))); after != list {
				t.Fatalf("%v: %s = %v is not asked, and changes\n%s\nto\n%s", facts, fact.Code, v, list, after)
			}
		}
	}
	if len(open) == 0 {
		if waiting := g.In(catalog.GuideOpen); len(waiting) > 0 {
			t.Fatalf("%v: nothing is asked, and %s is open", facts, waiting[0].Material().Code)
		}
		return
	}
	differ := map[string]bool{}
	for _, v := range values(r.Fact(open[0])) {
		more := with(facts, open[0], v)
		differ[listOf(guide(t, r, subject, more))] = true
		explore(t, r, subject, more)
	}
	if len(differ) < 2 {
		t.Errorf("%v: %s is asked, and changes nothing", facts, open[0])
	}
}
