package policies

import (
	"slices"

	"mianti/catalog"
)

// byMatter wants a matter that is still to be decided: the purpose of a look-up
// ends with its matter (条例, art. 25, 27). A state that nobody knows is not
// open.
func (f *finding) byMatter(state catalog.MatterState) {
	switch state {
	case catalog.StateOpen, catalog.StateWaiting:
	case catalog.StateGranted, catalog.StateRefused, catalog.StateStopped, catalog.StateSkipped:
		f.deny(MatterDecided)
	default:
		f.deny(MatterNotOpen)
	}
}

// byMaterial wants the matter's entry in the catalog to list the material, the
// material to be proved by this dataset about somebody in this role, the party
// to be in that role, and the dataset to have the fields.
func (f *finding) byMaterial(a *Access, lacksField bool) {
	reads, names := listed(a)
	switch {
	case !reads:
		f.deny(MaterialNotListed)
	case !names:
		f.deny(RoleNotListed)
	}
	if a.Role == nil || !a.Party.In(a.Role.Code) {
		f.deny(PartyNotInRole)
	}
	if lacksField {
		f.deny(FieldUnknown)
	}
}

// listed reports whether a proof of the material reads the dataset, and whether
// one does so about the role. It looks at what the catalog says of the matter,
// and at nothing that the caller could have made.
func listed(a *Access) (reads, names bool) {
	for i := range a.Matter.Materials {
		m := &a.Matter.Materials[i]
		if m.Code != a.Material {
			continue
		}
		for j := range m.Proofs {
			for k := range m.Proofs[j].Lookups {
				l := &m.Proofs[j].Lookups[k]
				if l.Dataset != a.Dataset.Code {
					continue
				}
				reads = true
				names = names || isAbout(m, &m.Proofs[j], l, a)
			}
		}
	}
	return reads, names
}

// isAbout reports whether a look-up is about parties in the role of the access,
// and of its party's kind.
func isAbout(m *catalog.Material, p *catalog.Proof, l *catalog.Lookup, a *Access) bool {
	if a.Role == nil {
		return false
	}
	if l.Subject != "" {
		return l.Subject == a.Role.Code
	}
	if p.For != "" && p.For != a.Party.Kind {
		return false
	}
	return slices.Contains(m.Subjects, a.Role.Code)
}
