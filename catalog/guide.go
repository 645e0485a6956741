package catalog

import (
	"cmp"
	"fmt"
	"slices"
)

// GuideGroup (导办分组) is where a material stands for somebody who has not
// applied yet.
type GuideGroup string

// The groups.
const (
	// GuideNone: nobody hands it in. A form is made, a department's record settles
	// it, or it is not asked for any more.
	GuideNone GuideGroup = "none"
	// GuideChecking: an officer is asked, or the result of an earlier matter is
	// awaited.
	GuideChecking GuideGroup = "checking"
	// GuideSubmit: the applicant hands it in, commits to it, or may bring it later.
	GuideSubmit GuideGroup = "submit"
	// GuideOpen: it cannot be told before a question is answered.
	GuideOpen GuideGroup = "open"
	// GuideNotApplicable: it is not asked of this applicant.
	GuideNotApplicable GuideGroup = "not_applicable"
)

// Guidance (导办) is what can be told of a case before there is one: which
// questions still matter, and the materials as far as the answers go.
type Guidance struct {
	OneThing *OneThing // nil for a single matter
	Matters  []PlannedMatter
	// Questions are those whose answer can still change Materials, the most useful
	// first. An answer to any other changes nothing.
	Questions []GuideQuestion
	Materials []GuidedMaterial
}

// GuideQuestion (导办问题) is a fact that is worth asking for.
type GuideQuestion struct {
	Fact      *Fact
	Materials []string // that wait for it
	// Burden says that the applicant may have to hand one of them in.
	Burden bool
}

// GuidedMaterial (导办材料) is one paper, or a check that takes the place of one.
type GuidedMaterial struct {
	Uses  []Use    // the first gives the rules
	Roles []string // whose it is; empty for the case's own
	Group GuideGroup
	// Mode is the step of the chain that the group follows from; empty while it is
	// open, and where the chain ends with somebody who looks at it.
	Mode Mode
	// Departments hold the record, or answer; Prior are the matters that are awaited.
	Departments []string
	Prior       []string
	Days        int // working days, of an officer or for bringing it later
	// Consents are the roles whose own consent is needed, unless they apply
	// themselves; Preview says that the person sees first what was found.
	Consents []string
	Preview  bool
	// Else are the steps of the chain after Mode by which the applicant can still
	// get on: history, commit, defer, upload.
	Else  []Mode
	Facts []string // that it waits for, when it is open
}

// Material is the one that gives the rules.
func (m *GuidedMaterial) Material() *Material { return m.Uses[0].Material }

// In are the materials of a group, in the order of the catalog.
func (g *Guidance) In(group GuideGroup) []GuidedMaterial {
	var in []GuidedMaterial
	for _, m := range g.Materials {
		if m.Group == group {
			in = append(in, m)
		}
	}
	return in
}

// Guide tells what a case of a matter or of a one-thing would need, by the
// answers so far and by nothing else: no person is named, and no record is read.
// That a record settles a material supposes that there is one. It is pure. The
// error is for a subject that the revision does not know, or a condition that
// cannot be evaluated.
func (r *Revision) Guide(subject string, facts Facts) (*Guidance, error) {
	plan, err := r.Plan(PlanInput{Subject: subject, Facts: facts, Parties: r.imagined()})
	if err != nil {
		return nil, fmt.Errorf("guide: %w", err)
	}
	g := guiding{
		rev: r, plan: plan, facts: facts, out: &Guidance{OneThing: plan.OneThing, Matters: plan.Matters},
		at: map[string]int{}, asks: map[string]*GuideQuestion{},
	}
	for _, need := range plan.Requirements {
		if err := g.add(need); err != nil {
			return nil, fmt.Errorf("guide: %w", err)
		}
	}
	g.out.Questions = g.questions()
	return g.out, nil
}

// imagined are parties for a case that has none: one for each role and for each
// kind that can be in it. Two roles may be one person; that cannot be known.
func (r *Revision) imagined() []Party {
	var parties []Party
	for _, role := range r.roles {
		for _, kind := range role.Kinds {
			parties = append(parties, Party{ID: role.Code + "/" + string(kind), Roles: []string{role.Code}, Kind: kind})
		}
	}
	return parties
}

// guiding is a guidance that is being made.
type guiding struct {
	rev   *Revision
	plan  *Plan
	facts Facts
	out   *Guidance
	at    map[string]int // the place in out.Materials, by material and by key of a requirement
	asks  map[string]*GuideQuestion
}

// add takes a requirement of the plan. What is asked of several imagined parties
// is one material, and so is the same paper where it stands in the same group.
func (g *guiding) add(need *Requirement) error {
	first := need.Material()
	at, known := g.at[first.Code]
	if !known {
		made, err := g.guided(need)
		if err != nil {
			return err
		}
		at, known = g.sameAs(need, &made)
		if !known {
			at = len(g.out.Materials)
			g.out.Materials = append(g.out.Materials, made)
		}
	}
	m := &g.out.Materials[at]
	if need.Role != "" && slices.Contains(first.Subjects, need.Role) && first.Code == m.Material().Code && !slices.Contains(m.Roles, need.Role) {
		m.Roles = append(m.Roles, need.Role)
	}
	for _, use := range need.Uses {
		if _, listed := g.at[use.Material.Code]; !listed {
			g.at[use.Material.Code] = at
			if use.Material != m.Material() {
				m.Uses = append(m.Uses, use)
			}
		}
	}
	g.at[need.Key()] = at
	return nil
}

// sameAs finds the earlier entry for the same paper, if it comes to the same.
func (g *guiding) sameAs(need *Requirement, made *GuidedMaterial) (int, bool) {
	if need.SamePaper == "" {
		return 0, false
	}
	at, known := g.at[need.SamePaper]
	return at, known && g.out.Materials[at].Group == made.Group && g.out.Materials[at].Mode == made.Mode
}

// guided tells of one material, and notes what has to be asked for it.
func (g *guiding) guided(need *Requirement) (GuidedMaterial, error) {
	out := GuidedMaterial{Uses: need.Uses[:1:1]}
	if need.Applies == False {
		out.Group = GuideNotApplicable
		return out, nil
	}
	ends, unknown, err := g.ends(out.Material())
	if err != nil {
		return out, err
	}
	if need.Applies == Unknown {
		unknown = need.Facts
	}
	if len(unknown) > 0 {
		out.Group, out.Facts = GuideOpen, unknown
		if need.Role != "" {
			out.Roles = []string{need.Role}
		}
		g.ask(unknown, out.Material().Code, slices.ContainsFunc(ends, func(e guideEnd) bool { return e.group == GuideSubmit }))
		return out, nil
	}
	ends[0].tell(&out)
	return out, nil
}

// ask notes a question. A text is not asked for: it may say who somebody is.
func (g *guiding) ask(facts []string, material string, burden bool) {
	for _, code := range facts {
		fact := g.rev.Fact(code)
		if fact == nil || fact.Type == FactText {
			continue
		}
		q := g.asks[code]
		if q == nil {
			q = &GuideQuestion{Fact: fact}
			g.asks[code] = q
		}
		q.Materials = append(q.Materials, material)
		q.Burden = q.Burden || burden
	}
}

// questions puts first what may burden the applicant, then what most materials
// wait for, then what no record will tell later.
func (g *guiding) questions() []GuideQuestion {
	var out []GuideQuestion
	for _, fact := range g.rev.facts {
		if q := g.asks[fact.Code]; q != nil {
			out = append(out, *q)
		}
	}
	slices.SortStableFunc(out, func(a, b GuideQuestion) int {
		return cmp.Or(
			trueFirst(a.Burden, b.Burden), cmp.Compare(len(b.Materials), len(a.Materials)),
			trueFirst(a.Fact.Derived == "", b.Fact.Derived == ""),
		)
	})
	return out
}

func trueFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}
