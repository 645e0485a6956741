package policy

import (
	"slices"

	"mianti/catalog"
	"mianti/catalog/lint"
	"mianti/web/frame"
)

// stepView is a step of a chain as it is shown.
type stepView struct {
	catalog.Step
	Name, Chip string
	Condition  catalog.Words
	Who        string // who answers an assist step
	Missing    string // why the step can never be tried; empty if it can
}

// stepsOf shows a chain. Without a revision it says nothing of whether the steps
// can be tried.
func stepsOf(rev *catalog.Revision, m *catalog.Material) []stepView {
	out := make([]stepView, len(m.Chain))
	for i, step := range m.Chain {
		out[i] = stepView{Step: step, Name: step.Mode.Name(), Chip: modeChip(step.Mode), Condition: m.StepInWords(i)}
		if rev == nil {
			continue
		}
		if step.Mode == catalog.ModeAssist {
			out[i].Who = nameOf(rev, assistant(rev, m, step))
		}
		asks := step.Mode == catalog.ModeData || step.Mode == catalog.ModeElicense
		if asks && !slices.ContainsFunc(m.Proofs, func(p catalog.Proof) bool { return rev.Reachable(&p, step.Mode) }) {
			out[i].Missing = "没有可问的数源"
		}
	}
	return out
}

// assistant is the department whose officer is asked.
func assistant(rev *catalog.Revision, m *catalog.Material, step catalog.Step) string {
	if step.Department != "" || len(m.Proofs) == 0 || len(m.Proofs[0].Lookups) == 0 {
		return step.Department
	}
	if d := rev.Dataset(m.Proofs[0].Lookups[0].Dataset); d != nil {
		return d.Department
	}
	return ""
}

// materialView is one material.
type materialView struct {
	base
	*materialLine
	MatterRow *matterRow
	Proofs    []proofView
	Roles     []string
	Prior     []*catalog.Matter
	Standard  *catalog.StandardMaterial
	Same      int // how many materials there are of the same standard material, this one among them
	Shared    *catalog.Material
	Findings  []lint.Finding
	YAML      string
}

// proofView is one set of records that together settle a material.
type proofView struct {
	*catalog.Proof
	For     string
	Words   catalog.Words
	Lookups []lookupView
}

// lookupView is one record of a proof.
type lookupView struct {
	catalog.Lookup
	Dataset *catalog.Dataset
	Owner   string
	Subject string
	Fields  []string // names of what is released; none where the conclusion is all
}

func (s *section) material(v *frame.Visit) (frame.Answer, error) {
	shelf, b, err := s.at(v, "materials")
	if err != nil {
		return frame.Answer{}, err
	}
	row := shelf.material[v.Param("code")]
	if row == nil {
		return frame.Answer{}, missing("unknown-material", "材料")
	}
	text, err := shelf.rev.YAML(row.Material)
	if err != nil {
		return frame.Answer{}, err
	}
	view := &materialView{base: b, materialLine: lineOf(shelf, row), YAML: string(text), Standard: shelf.rev.StandardMaterial(row.StandardMaterial)}
	if view.Standard != nil {
		view.Same = shelf.standard[view.Standard.Code]
	}
	for i := range row.Material.Proofs {
		view.Proofs = append(view.Proofs, proofOf(shelf.rev, &row.Material.Proofs[i]))
	}
	for _, code := range row.Subjects {
		view.Roles = append(view.Roles, roleName(shelf.rev, code))
	}
	for _, code := range row.Material.Prior {
		view.Prior = append(view.Prior, shelf.rev.Matter(code))
	}
	for _, f := range shelf.findings {
		if f.row == row {
			view.Findings = append(view.Findings, f.Finding)
		}
	}
	for _, common := range shelf.rev.CommonMaterials() {
		if common.Code == row.Common {
			view.Shared = common
		}
	}
	return frame.Show("material.html", row.Name, view), nil
}

func proofOf(rev *catalog.Revision, p *catalog.Proof) proofView {
	out := proofView{Proof: p, Words: p.CheckInWords()}
	if p.For != "" {
		out.For = p.For.Name()
	}
	for _, l := range p.Lookups {
		one := lookupView{Lookup: l, Dataset: rev.Dataset(l.Dataset), Subject: roleName(rev, l.Subject)}
		one.Owner = nameOf(rev, one.Dataset.Department)
		for _, f := range one.Dataset.Fields {
			if !l.YesNo && (len(l.Release) == 0 || slices.Contains(l.Release, f.Code)) {
				one.Fields = append(one.Fields, f.Name)
			}
		}
		out.Lookups = append(out.Lookups, one)
	}
	return out
}

func roleName(rev *catalog.Revision, code string) string {
	if r := rev.Role(code); r != nil {
		return r.Name
	}
	return code
}
