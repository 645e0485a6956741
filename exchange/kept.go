package exchange

import (
	"slices"
	"strings"

	"mianti/catalog"
	"mianti/policies"
)

// kept gives the materials of the version before that are not settled anew and
// rest on nothing that is stopped, by what tells them apart.
func (r *Resolution) kept(stops policies.Stops, anew func(*MaterialResult) bool) map[string]*MaterialResult {
	out := map[string]*MaterialResult{}
	if r == nil {
		return out
	}
	for i := range r.Materials {
		m := &r.Materials[i]
		if anew(m) || m.restsOnStopped(stops) {
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

// anyDecided reports whether keepDecided could keep anything.
func anyDecided(plan *catalog.Plan) bool {
	return slices.ContainsFunc(plan.Requirements, func(r *catalog.Requirement) bool { return r.Applies == catalog.True && plan.Decided(r) })
}

// keepDecided keeps what the last resolution of the case concluded of materials
// whose matters have all been decided since (docs/decisions/0012-decided-matters.md).
// It takes them apart as that one did, and gives them by what tells them apart.
func keepDecided(plan *catalog.Plan, last *Resolution) map[string]*MaterialResult {
	kept := map[string]*MaterialResult{}
	var requirements []*catalog.Requirement
	for _, r := range plan.Requirements {
		if !plan.Decided(r) || r.Applies != catalog.True {
			requirements = append(requirements, r)
			continue
		}
		for _, part := range last.parts(r) {
			requirements = append(requirements, part)
			if m := last.concluded(part); m != nil {
				kept[identityOf(part)] = m
			}
		}
	}
	plan.Requirements = requirements
	return kept
}

// concluded gives what the resolution concluded of a requirement, without the
// fields that were released for it: their purpose is done (政务数据共享条例, art. 27).
// What it had left open is nobody's to do any more, and is not given.
func (r *Resolution) concluded(part *catalog.Requirement) *MaterialResult {
	at := r.entryOf(part, part.Uses[0])
	if at < 0 || !slices.Contains([]policies.Outcome{policies.Settled, policies.Committed, policies.Deferred}, r.Materials[at].Outcome) {
		return nil
	}
	m := r.Materials[at]
	m.Code, m.Name, m.UsedBy, m.SamePaper = part.Material().Code, part.Material().Name, part.UsedBy(), part.SamePaper
	m.RetryAt, m.Task, m.DueAt = nil, "", nil
	if m.Evidence != nil {
		kept := *m.Evidence
		kept.remove()
		m.Evidence = &kept
	}
	m.Supporting = slices.Clone(m.Supporting)
	for i := range m.Supporting {
		m.Supporting[i].remove()
	}
	return &m
}

// remove takes out the fields, whose purpose is done.
func (e *Evidence) remove() {
	e.Removed = e.Removed || len(e.Fields) > 0
	e.Fields = nil
}

// entryOf finds the entry that served a use of a requirement, or -1.
func (r *Resolution) entryOf(whole *catalog.Requirement, use catalog.Use) int {
	party := ""
	if whole.Party != nil {
		party = whole.Party.ID
	}
	return slices.IndexFunc(r.Materials, func(m MaterialResult) bool {
		return m.party() == party && slices.Contains(m.UsedBy, use.Material.Code)
	})
}

// parts takes a requirement apart as the version before did.
func (r *Resolution) parts(whole *catalog.Requirement) []*catalog.Requirement {
	if r == nil || len(whole.Uses) == 1 {
		return []*catalog.Requirement{whole}
	}
	var order []int // of materials
	uses := map[int][]catalog.Use{}
	for _, use := range whole.Uses {
		of := r.entryOf(whole, use)
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
