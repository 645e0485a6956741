package policy

import (
	"slices"
	"strings"

	"mianti/catalog"
	"mianti/catalog/lint"
)

// shelf is a revision with its lists in order, so that a page costs one look at
// each entry and no more, however large the catalog is.
type shelf struct {
	rev       *catalog.Revision
	matters   []*matterRow
	materials []*materialRow
	datasets  []*datasetRow
	things    []*catalog.OneThing
	// The orders of the lists, by what they are sorted by.
	matterOrders, materialOrders, datasetOrders map[string][]int32
	material                                    map[string]*materialRow
	standard                                    map[string]int // how many materials there are of a standard material
	measures                                    *lint.Measures
	report                                      *lint.Report
	findings                                    []finding
	rules                                       []ruleCount
	thingRows                                   map[string]*thingRow
}

// finding is a finding with the material that it is about; nil where it is about
// something else.
type finding struct {
	lint.Finding
	row  *materialRow
	text string // what is searched, in lower case
}

// matterRow is a matter as a list shows it.
type matterRow struct {
	*catalog.Matter
	Owner, Thing string // names
	Asked        int    // materials that the applicant may have to hand in
	text         string // what is searched, in lower case
}

// materialRow is a material as a list shows it.
type materialRow struct {
	*catalog.Material
	Matter   *catalog.Matter
	Owner    string // the name of the matter's department
	Datasets []string
	text     string
	modes    modeSet
	// Copied from the matter, because a list looks at every one.
	department, thing string
}

// modeSet holds the modes of a chain, one bit for each of catalog.Modes.
type modeSet uint16

func bitOf(mode catalog.Mode) modeSet {
	if i := slices.Index(catalog.Modes(), mode); i >= 0 {
		return 1 << i
	}
	return 0
}

// asks reports whether the applicant may have to hand the material in.
func (s modeSet) asks() bool { return s&(bitOf(catalog.ModeUpload)|bitOf(catalog.ModeDefer)) != 0 }

// datasetRow is a dataset as a list shows it.
type datasetRow struct {
	*catalog.Dataset
	Owner string
	Uses  []*materialRow
	text  string
	// How many of the uses get a field, and how many check it, by field.
	released, checked []int
}

func newShelf(rev *catalog.Revision) *shelf {
	s := &shelf{rev: rev, material: map[string]*materialRow{}, standard: map[string]int{}, things: rev.OneThings(), thingRows: map[string]*thingRow{}}
	uses := map[string][]*materialRow{}
	for _, m := range rev.Matters() {
		row := &matterRow{Matter: m, Owner: nameOf(rev, m.Department), text: lower(m.Code, m.ImplementationCode, m.Name)}
		if thing := rev.OneThing(m.OneThing); thing != nil {
			row.Thing = thing.Name
		}
		for i := range m.Materials {
			material := newMaterialRow(m, &m.Materials[i], row.Owner)
			if material.modes.asks() {
				row.Asked++
			}
			s.materials = append(s.materials, material)
			s.material[material.Code] = material
			for _, code := range material.Datasets {
				uses[code] = append(uses[code], material)
			}
			for _, standard := range standardsOf(material.Material) {
				s.standard[standard]++
			}
		}
		s.matters = append(s.matters, row)
	}
	for _, d := range rev.Datasets() {
		row := &datasetRow{Dataset: d, Owner: nameOf(rev, d.Department), Uses: uses[d.Code], text: lower(d.Code, d.ResourceCode, d.Name)}
		row.countFields()
		s.datasets = append(s.datasets, row)
	}
	s.check(nil)
	s.countThings()
	s.sort()
	return s
}

// mostFindings bounds what is kept of one rule for a page; all are counted.
const mostFindings = 20_000

// check looks through the revision by all rules, with what was measured.
func (s *shelf) check(measures *lint.Measures) {
	s.measures, s.findings = measures, nil
	s.report = lint.Check(s.rev, lint.Config{Measures: measures, Keep: mostFindings})
	for _, f := range s.report.Findings {
		s.findings = append(s.findings, finding{f, s.material[f.Code], lower(f.Code, f.Name)})
	}
	s.rules = countRules(s.report)
}

func newMaterialRow(matter *catalog.Matter, m *catalog.Material, owner string) *materialRow {
	row := &materialRow{Material: m, Matter: matter, Owner: owner, text: lower(m.Code, m.Name), department: matter.Department, thing: matter.OneThing}
	for _, step := range m.Chain {
		row.modes |= bitOf(step.Mode)
	}
	for _, p := range m.Proofs {
		for _, l := range p.Lookups {
			if !slices.Contains(row.Datasets, l.Dataset) {
				row.Datasets = append(row.Datasets, l.Dataset)
			}
		}
	}
	return row
}

// standardsOf are the standard materials that a material can be proved as.
func standardsOf(m *catalog.Material) []string {
	var out []string
	for _, code := range append([]string{m.StandardMaterial}, proofStandards(m)...) {
		if code != "" && !slices.Contains(out, code) {
			out = append(out, code)
		}
	}
	return out
}

func proofStandards(m *catalog.Material) []string {
	out := make([]string, len(m.Proofs))
	for i, p := range m.Proofs {
		out[i] = p.StandardMaterial
	}
	return out
}

// lower joins texts to be searched.
func lower(texts ...string) string { return strings.ToLower(strings.Join(texts, "\n")) }

func nameOf(rev *catalog.Revision, department string) string {
	if d := rev.Department(department); d != nil {
		return d.Name
	}
	return department
}

// sort puts each list in order once, for every key that it can be sorted by; the
// empty key is the catalog's own order.
func (s *shelf) sort() {
	s.matterOrders = orders(s.matters, map[string]func(a, b *matterRow) int{
		"name": func(a, b *matterRow) int { return strings.Compare(a.Name, b.Name) },
		"materials": func(a, b *matterRow) int {
			return len(b.Materials) - len(a.Materials)
		},
		"asked": func(a, b *matterRow) int { return b.Asked - a.Asked },
		"days":  func(a, b *matterRow) int { return b.Days - a.Days },
	})
	s.materialOrders = orders(s.materials, map[string]func(a, b *materialRow) int{
		"name":       func(a, b *materialRow) int { return strings.Compare(a.Name, b.Name) },
		"department": func(a, b *materialRow) int { return strings.Compare(a.department, b.department) },
	})
	s.datasetOrders = orders(s.datasets, map[string]func(a, b *datasetRow) int{
		"name": func(a, b *datasetRow) int { return strings.Compare(a.Name, b.Name) },
		"uses": func(a, b *datasetRow) int { return len(b.Uses) - len(a.Uses) },
	})
}

func orders[T any](rows []T, by map[string]func(a, b T) int) map[string][]int32 {
	plain := make([]int32, len(rows))
	for i := range plain {
		plain[i] = int32(i) // a catalog has fewer entries
	}
	out := map[string][]int32{"": plain}
	for key, compare := range by {
		order := slices.Clone(plain)
		slices.SortStableFunc(order, func(a, b int32) int { return compare(rows[a], rows[b]) })
		out[key] = order
	}
	return out
}
