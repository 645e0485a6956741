package suggest

import (
	"encoding/json"
	"fmt"
	"slices"

	"mianti/catalog"
	"mianti/internal/fault"
)

// Candidates gives what names may mean in a revision: its standard materials, then its
// common materials, then its datasets. Where several are the same paper, the first is
// suggested: a standard material is what a mapping is made to.
func Candidates(rev *catalog.Revision) []Candidate {
	held := holdings(rev)
	var out []Candidate
	for _, s := range rev.StandardMaterials() {
		out = append(out, Candidate{Kind: catalog.ThingStandardMaterial, Code: s.Code, Name: s.Name, Datasets: held[s.Code]})
	}
	for _, m := range rev.CommonMaterials() {
		out = append(out, Candidate{Kind: catalog.ThingCommonMaterial, Code: m.Code, Name: m.Name, Datasets: holdingsOf(rev, m)})
	}
	for _, d := range rev.Datasets() {
		out = append(out, Candidate{Kind: catalog.ThingDataset, Code: d.Code, Name: d.Name, Datasets: []HoldingDataset{{d.Code, d.Name}}})
	}
	return out
}

// holdings gives the datasets that stand in for each standard material, by what its
// materials look up.
func holdings(rev *catalog.Revision) map[string][]HoldingDataset {
	out := map[string][]HoldingDataset{}
	for _, m := range slices.Concat(rev.CommonMaterials(), rev.Materials()) {
		if m.StandardMaterial == "" {
			continue
		}
		for _, h := range holdingsOf(rev, m) {
			if !slices.Contains(out[m.StandardMaterial], h) {
				out[m.StandardMaterial] = append(out[m.StandardMaterial], h)
			}
		}
	}
	return out
}

// holdingsOf gives the datasets that a material is in: the first that each proof looks
// up. What it looks up besides only compares, such as who a firm's representative is.
func holdingsOf(rev *catalog.Revision, m *catalog.Material) []HoldingDataset {
	var out []HoldingDataset
	for _, p := range m.Proofs {
		if len(p.Lookups) == 0 {
			continue
		}
		if d := rev.Dataset(p.Lookups[0].Dataset); d != nil {
			if h := (HoldingDataset{d.Code, d.Name}); !slices.Contains(out, h) {
				out = append(out, h)
			}
		}
	}
	return out
}

// fillHoldings gives a candidate without datasets those that hold the same paper by
// their names.
func (a *Assistant) fillHoldings() {
	byPaper := map[string][]HoldingDataset{}
	for i, c := range a.candidates {
		if name := a.papers[i]; name != "" && c.Kind == catalog.ThingDataset {
			byPaper[name] = append(byPaper[name], c.Datasets...)
		}
	}
	for i := range a.candidates {
		if len(a.candidates[i].Datasets) == 0 {
			a.candidates[i].Datasets = byPaper[a.papers[i]]
		}
	}
}

// Map gives a material with the standard material or the common material that was
// accepted for it, as an edit for a draft. The material keeps all else.
func Map(material catalog.Edit, to Candidate) (catalog.Edit, error) {
	field := map[catalog.ThingKind]string{catalog.ThingStandardMaterial: "standard_material", catalog.ThingCommonMaterial: "common"}[to.Kind]
	if material.Kind != catalog.ThingMaterial || field == "" {
		return catalog.Edit{}, fault.New(fault.Invalid, "invalid-mapping", "只有材料能对应到标准材料或通用材料。")
	}
	var value map[string]json.RawMessage
	if err := json.Unmarshal(material.Value, &value); err != nil {
		return catalog.Edit{}, fmt.Errorf("read material %s: %w", material.Code, err)
	}
	code, err := json.Marshal(to.Code)
	if err != nil {
		return catalog.Edit{}, err
	}
	value[field] = code
	material.Value, err = json.Marshal(value)
	return material, err
}
