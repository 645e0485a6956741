package effect

import (
	"slices"

	"mianti/catalog"
)

// touched is what of two revisions has to be looked at: materials that are asked for
// otherwise, or may be.
type touched struct {
	before, after *catalog.Revision
	// materials are the codes of those, in the catalog's order, those that are gone
	// last. things are the one-things and matters that they are of.
	materials []string
	things    map[string]bool
	none      bool // the revisions are the same
}

// touch finds the materials whose own rules changed, and those that hang on
// something that did: their matter, a matter before it, a dataset and its sources,
// a fact, a role.
func touch(before, after *catalog.Revision, changes []catalog.ThingChange) *touched {
	t := &touched{before: before, after: after, things: map[string]bool{}, none: len(changes) == 0}
	changed := map[catalog.ThingKind]map[string]bool{}
	for _, kind := range catalog.ThingKinds() {
		changed[kind] = map[string]bool{}
	}
	for i := range changes {
		c := &changes[i]
		changed[c.Kind][c.Code] = true
		if c.Kind == catalog.ThingSource {
			for _, rev := range []*catalog.Revision{before, after} {
				for _, d := range rev.Datasets() {
					if slices.ContainsFunc(d.Sources, func(s catalog.Source) bool { return s.Code == c.Code }) {
						changed[catalog.ThingDataset][d.Code] = true
					}
				}
			}
		}
	}
	hangs := func(rev *catalog.Revision, code string) bool {
		m, matter := rev.Material(code), rev.MatterOf(code)
		if m == nil || matter == nil {
			return false
		}
		is := func(kind catalog.ThingKind) func(string) bool {
			return func(code string) bool { return changed[kind][code] }
		}
		return changed[catalog.ThingMaterial][code] || changed[catalog.ThingMatter][matter.Code] ||
			changed[catalog.ThingOneThing][matter.OneThing] || slices.ContainsFunc(m.Prior, is(catalog.ThingMatter)) ||
			slices.ContainsFunc(datasetsOf(m), is(catalog.ThingDataset)) || slices.ContainsFunc(m.Subjects, is(catalog.ThingRole)) ||
			slices.ContainsFunc(slices.Concat(m.FactsNamed(), matter.FactsNamed()), is(catalog.ThingFact))
	}
	for _, m := range after.Materials() {
		if hangs(after, m.Code) || hangs(before, m.Code) {
			t.add(after, m.Code)
		}
	}
	for _, m := range before.Materials() {
		if after.Material(m.Code) == nil {
			t.add(before, m.Code)
		}
	}
	for _, kind := range []catalog.ThingKind{catalog.ThingMatter, catalog.ThingOneThing} {
		for code := range changed[kind] {
			t.things[code] = true
		}
	}
	return t
}

func (t *touched) add(rev *catalog.Revision, code string) {
	matter := rev.MatterOf(code)
	t.materials = append(t.materials, code)
	t.things[matter.Code], t.things[matter.OneThing] = true, true
}

// concerns reports whether cases about a subject may come out otherwise.
func (t *touched) concerns(subject string) bool { return t.none || t.things[subject] }

// datasetsOf are the datasets that a material looks up.
func datasetsOf(m *catalog.Material) []string {
	var codes []string
	for _, p := range m.Proofs {
		for _, l := range p.Lookups {
			codes = append(codes, l.Dataset)
		}
	}
	return codes
}

// Place (材料所在) says of a material which matter and one-thing it is of.
type Place struct {
	Material   string `json:"material"`
	Name       string `json:"name"`
	Matter     string `json:"matter"`
	MatterName string `json:"matter_name"`
	OneThing   string `json:"one_thing"`
	// Department is that of the matter.
	Department string `json:"department"`
}

func placeOf(rev *catalog.Revision, code string) Place {
	w := Place{Material: code}
	if m := rev.Material(code); m != nil {
		w.Name = m.Name
	}
	if matter := rev.MatterOf(code); matter != nil {
		w.Matter, w.MatterName, w.OneThing, w.Department = matter.Code, matter.Name, matter.OneThing, matter.Department
	}
	return w
}

// place is where a material stands, by the later revision that has it.
func (t *touched) place(code string) Place {
	if t.after.Material(code) != nil {
		return placeOf(t.after, code)
	}
	return placeOf(t.before, code)
}
