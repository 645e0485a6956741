package exchange

import (
	"fmt"
	"slices"
	"time"

	"mianti/catalog"
	"mianti/policies"
)

// PastCase (已核验办件) is a case that has been resolved, as far as that is kept in
// clear.
type PastCase struct {
	ID         string
	Department string
	Subject    string // matter or one-thing
	Revision   int
	Resolution string // its newest
	ResolvedAt time.Time
	// Destroyed says that nothing is left with which it could be worked out again.
	Destroyed bool
}

// NotRecorded (未记录) is what becomes of a material in a rerun where that hangs on
// what was never asked or said in the case. No resolution holds it.
const NotRecorded policies.Outcome = "unknown"

// Rerun (套用重算) is what a recorded case would come to under a revision of the
// catalog: had it been opened at that revision, with the same people, situation
// and answers. It holds nothing that came from a record.
type Rerun struct {
	OneThing  string
	Materials []RerunMaterial
}

// RerunMaterial is what becomes of one material of one matter, of one party.
type RerunMaterial struct {
	Code, Name string
	Party      string // its id in the case; empty for the case's own
	Matter     string
	Department string // of the matter
	Outcome    policies.Outcome
	Mode       catalog.Mode
	// Paper says that it is one of the papers to upload: each is told once, by the
	// first of the materials that it serves.
	Paper bool
	// Asks are the datasets that would be asked, and the roles that a party would
	// have to be named for, where the outcome is NotRecorded.
	Asks []string
}

// RerunCase works a case out under a revision from the inputs of its resolutions,
// in the order in which they were made. It asks nobody and is pure: what was not
// asked then is NotRecorded.
//
// Decisions on its matters are left out, and papers that were handed in for it:
// the question is what an applicant is asked for who comes with the same case.
func RerunCase(rev *catalog.Revision, c PastCase, inputs []*Inputs) (*Rerun, error) {
	if len(inputs) == 0 {
		return nil, fmt.Errorf("rerun case %s: nothing is recorded of it", c.ID)
	}
	first, last := inputs[0], inputs[len(inputs)-1]
	plan, err := rev.Plan(catalog.PlanInput{Subject: c.Subject, Facts: last.Facts, Parties: last.Parties})
	if err != nil {
		return nil, fmt.Errorf("rerun: plan: %w", err)
	}
	then := &Case{ID: c.ID, Department: c.Department, Parties: last.Parties, Facts: last.Facts}
	s := newSituation(rev, plan, then, held{NewGrantSet(last.Grants), NewStopSet(last.Stops)}, first.Handed, last.Permissions, last.Now)
	s.System, s.Since, s.Previews = last.System, last.Since, last.Previews
	for _, in := range slices.Backward(inputs) { // what was said last counts
		for _, a := range in.Answers {
			s.Answers[a.Ask] = append(s.Answers[a.Ask], a.Answers...)
		}
	}
	apart := takeOutMissing(plan)
	s.Plan = separate(s, nil, nil)
	run := resolving{c: then, s: s}
	settlements, _, err := run.walk()
	if err != nil {
		return nil, fmt.Errorf("rerun: %w", err)
	}
	out := &Rerun{}
	if plan.OneThing != nil {
		out.OneThing = plan.OneThing.Code
	}
	papers := map[string]bool{}
	for i, r := range s.Plan.Requirements {
		out.add(r, &settlements[i], papers)
	}
	for _, r := range apart {
		out.add(r, &policies.Settlement{Outcome: NotRecorded}, papers)
	}
	for _, missing := range plan.Missing {
		out.addMissing(rev, missing)
	}
	return out, nil
}

// takeOutMissing takes the requirements out of a plan, and gives them, that cannot be
// settled because somebody is missing whose record they need.
func takeOutMissing(plan *catalog.Plan) []*catalog.Requirement {
	var kept, apart []*catalog.Requirement
	for _, r := range plan.Requirements {
		lacks := func(m catalog.MissingParty) bool { return m.Material == r.Material().Code }
		if r.Applies == catalog.True && slices.ContainsFunc(plan.Missing, lacks) {
			apart = append(apart, r)
			continue
		}
		kept = append(kept, r)
	}
	plan.Requirements = kept
	return apart
}

func (out *Rerun) add(r *catalog.Requirement, settled *policies.Settlement, papers map[string]bool) {
	m := RerunMaterial{Outcome: settled.Outcome, Mode: settled.Mode}
	if r.Party != nil {
		m.Party = r.Party.ID
	}
	if len(settled.Wishes) > 0 {
		m.Outcome, m.Mode = NotRecorded, ""
		for _, w := range settled.Wishes {
			if w.Mode == catalog.ModeAssist {
				m.Asks = append(m.Asks, w.Assistant)
				continue
			}
			m.Asks = append(m.Asks, w.Dataset)
		}
		m.Asks = slices.Compact(slices.Sorted(slices.Values(m.Asks)))
	}
	if m.Outcome == policies.Upload {
		key := r.Key()
		if r.SamePaper != "" {
			key = r.SamePaper
		}
		m.Paper, papers[key] = !papers[key], true
	}
	for _, use := range r.Uses {
		m.Code, m.Name, m.Matter, m.Department = use.Material.Code, use.Material.Name, use.Matter.Code, use.Matter.Department
		out.Materials = append(out.Materials, m)
		m.Paper = false
	}
}

// addMissing tells of a material that a party would have to be named for.
func (out *Rerun) addMissing(rev *catalog.Revision, missing catalog.MissingParty) {
	var roles []string
	for _, code := range missing.Roles {
		roles = append(roles, rev.Role(code).Name)
	}
	told := false
	for i := range out.Materials {
		if m := &out.Materials[i]; m.Code == missing.Material && m.Outcome == NotRecorded {
			m.Asks, told = append(m.Asks, roles...), true
		}
	}
	if told {
		return
	}
	material, matter := rev.Material(missing.Material), rev.MatterOf(missing.Material)
	out.Materials = append(out.Materials, RerunMaterial{
		Code: material.Code, Name: material.Name, Matter: matter.Code, Department: matter.Department, Outcome: NotRecorded, Asks: roles,
	})
}
