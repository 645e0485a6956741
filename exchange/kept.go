package exchange

import (
	"slices"
	"strings"

	"mianti/catalog"
	"mianti/policies"
)

// kept gives the materials of the version before that wait for nothing and rest
// on nothing that is stopped, by what tells them apart.
func (r *Resolution) kept(stops policies.Stops) map[string]*MaterialResult {
	out := map[string]*MaterialResult{}
	if r == nil {
		return out
	}
	for i := range r.Materials {
		m := &r.Materials[i]
		if m.waits() || m.restsOnStopped(stops) {
			continue
		}
		out[identity(m.Code, m.party(), m.UsedBy)] = m
	}
	return out
}

func identity(material, party string, usedBy []string) string {
	return material + "|" + party + "|" + strings.Join(usedBy, ",")
}

func identityOf(r *catalog.Requirement) string {
	party := ""
	if r.Party != nil {
		party = r.Party.ID
	}
	return identity(r.Material().Code, party, r.UsedBy())
}

// separate takes the requirements of a plan apart by the rights of their uses
// (policies.Separate). What the version before has answered stays as it was,
// whatever has become of the grants since.
func separate(s *policies.Situation, before *Resolution, kept map[string]*MaterialResult) *catalog.Plan {
	plan := *s.Plan
	plan.Requirements = nil
	for _, r := range s.Plan.Requirements {
		for _, part := range before.parts(r) {
			if kept[identityOf(part)] != nil {
				plan.Requirements = append(plan.Requirements, part)
				continue
			}
			plan.Requirements = append(plan.Requirements, policies.Separate(s, part)...)
		}
	}
	return &plan
}

// parts takes a requirement apart as the version before did.
func (r *Resolution) parts(whole *catalog.Requirement) []*catalog.Requirement {
	if r == nil || len(whole.Uses) == 1 {
		return []*catalog.Requirement{whole}
	}
	party := ""
	if whole.Party != nil {
		party = whole.Party.ID
	}
	var order []int // of materials
	uses := map[int][]catalog.Use{}
	for _, use := range whole.Uses {
		of := slices.IndexFunc(r.Materials, func(m MaterialResult) bool {
			return m.party() == party && slices.Contains(m.UsedBy, use.Material.Code)
		})
		if uses[of] == nil {
			order = append(order, of)
		}
		uses[of] = append(uses[of], use)
	}
	first := *whole
	first.Uses = uses[order[0]]
	out := []*catalog.Requirement{&first}
	for _, of := range order[1:] {
		out = append(out, whole.Apart(uses[of]))
	}
	return out
}

// party is whose material it is; empty for the case's own.
func (m *MaterialResult) party() string {
	if m.Subject == nil {
		return ""
	}
	return m.Subject.Party
}
