package catalog

import (
	"fmt"
	"slices"
)

// TrialInput is what the rules are tried with (规则试算).
type TrialInput struct {
	Subject string // code of a matter or of a one-thing
	Facts   Facts
	// Kinds says of which kind the party in a role is taken to be; a role that is
	// not named is of the first kind that it may have.
	Kinds map[string]PartyKind
}

// Trial (规则试算) is what a case with these facts would be asked for, and by
// which mode each material would first be tried. Nobody is asked, and nobody's
// name is needed: each role is taken to have one party.
type Trial struct {
	OneThing  *OneThing
	Matters   []PlannedMatter
	Materials []TrialMaterial
	Questions []TrialQuestion
	Totals    map[TrialGroup]int // of requirements: a paper that serves several materials counts once
}

// TrialGroup says what a material would first come to.
type TrialGroup string

// The groups, in the order in which they are shown.
const (
	TrialExempt       TrialGroup = "exempt"  // a mode other than these three comes first
	TrialCommit       TrialGroup = "commit"  // 告知承诺
	TrialDefer        TrialGroup = "defer"   // 容缺后补
	TrialUpload       TrialGroup = "upload"  // 申请人提交
	TrialUnsettled    TrialGroup = "none"    // no step can be tried
	TrialQuestioned   TrialGroup = "unknown" // a fact is missing
	TrialInapplicable TrialGroup = "not_applicable"
)

// Name gives the group in Chinese.
func (g TrialGroup) Name() string {
	return map[TrialGroup]string{
		TrialExempt: "免提交", TrialCommit: "告知承诺", TrialDefer: "容缺后补", TrialUpload: "须提交", TrialUnsettled: "须人工核查",
		TrialQuestioned: "须先答问题", TrialInapplicable: "不适用",
	}[g]
}

// TrialGroups lists the groups.
func TrialGroups() []TrialGroup {
	return []TrialGroup{TrialExempt, TrialCommit, TrialDefer, TrialUpload, TrialUnsettled, TrialQuestioned, TrialInapplicable}
}

// TrialMaterial is one requirement of a trial.
type TrialMaterial struct {
	*Requirement
	When  Words // by which condition it applies, or does not
	Group TrialGroup
	// First is the place of the step that would be tried first; -1 for none.
	First int
	Steps []TrialStep // empty unless it applies
	Facts []string    // the unknown facts that stand before First
}

// FirstStep gives the step that would be tried first, or nil.
func (m *TrialMaterial) FirstStep() *TrialStep {
	if m.First < 0 {
		return nil
	}
	return &m.Steps[m.First]
}

// StepStanding says what becomes of a step of a chain.
type StepStanding string

// The standings.
const (
	StepFirst       StepStanding = "first"
	StepNext        StepStanding = "next"        // tried when those before it do not settle
	StepPassed      StepStanding = "passed"      // its condition is false
	StepAsks        StepStanding = "asks"        // its condition needs a fact
	StepUnreachable StepStanding = "unreachable" // there is nothing that it could be tried with
	StepAfterEnd    StepStanding = "after_end"   // a step before it ends the chain
)

// TrialStep is a step of a chain, as a trial sees it.
type TrialStep struct {
	Step
	Condition Words
	Standing  StepStanding
	// Why says why the step is not the first, in words, and Facts which facts it
	// needs.
	Why   string
	Facts []string
}

// TrialQuestion is a fact that is not known and could change the answer.
type TrialQuestion struct {
	Fact      *Fact
	Materials []string // the codes of those that depend on it
}

// Try works out what a case would be asked for. The error is for a subject that
// the revision does not know, or a condition that cannot be evaluated.
func (r *Revision) Try(in TrialInput) (*Trial, error) {
	plan, err := r.Plan(PlanInput{Subject: in.Subject, Facts: in.Facts, Parties: r.standInParties(in)})
	if err != nil {
		return nil, err
	}
	t := &Trial{OneThing: plan.OneThing, Matters: plan.Matters, Totals: map[TrialGroup]int{}}
	asked := map[string][]string{}
	for _, requirement := range plan.Requirements {
		m, err := r.tryRequirement(plan, requirement, in.Facts)
		if err != nil {
			return nil, err
		}
		t.Totals[m.Group]++
		t.Materials = append(t.Materials, m)
		for _, code := range m.questions() {
			asked[code] = append(asked[code], m.Material().Code)
		}
	}
	for _, f := range r.facts {
		if materials := asked[f.Code]; materials != nil {
			t.Questions = append(t.Questions, TrialQuestion{Fact: f, Materials: materials})
		}
	}
	return t, nil
}

// tryRequirement says what a requirement of a plan would first come to.
func (r *Revision) tryRequirement(plan *Plan, requirement *Requirement, facts Facts) (TrialMaterial, error) {
	m := TrialMaterial{Requirement: requirement, When: requirement.Material().WhenInWords(), First: -1, Facts: requirement.Facts}
	if planned := plan.Matter(requirement.Matter().Code); planned.State == StateUndecided {
		m.When = planned.Matter.WhenInWords()
	}
	switch requirement.Applies {
	case False:
		m.Group = TrialInapplicable
	case Unknown:
		m.Group = TrialQuestioned
	case True:
		if err := r.tryChain(plan, &m, facts); err != nil {
			return m, err
		}
	}
	return m, nil
}

// TryMaterial is Try for one material of its one-thing: what it would first come
// to for each of its roles. It is empty where the matter is not part of such a
// case, or the revision has no such material.
func (r *Revision) TryMaterial(code string, facts Facts) ([]TrialMaterial, error) {
	material, matter := r.Material(code), r.MatterOf(code)
	if material == nil || matter == nil {
		return nil, nil
	}
	plan, matters, err := r.begin(matter.OneThing)
	if err != nil {
		return nil, err
	}
	in := PlanInput{Facts: facts, Parties: r.standInParties(TrialInput{Subject: matter.Code})}
	if err := plan.decideMatters(matters, in); err != nil {
		return nil, err
	}
	planned := plan.Matter(matter.Code)
	if planned.State == StateSkipped {
		return nil, nil
	}
	g := gatherer{plan: plan, in: in, first: map[paper]*Requirement{}}
	if err := g.add(*planned, material); err != nil {
		return nil, err
	}
	out := make([]TrialMaterial, len(plan.Requirements))
	for i, requirement := range plan.Requirements {
		if out[i], err = r.tryRequirement(plan, requirement, facts); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// questions are the facts that the material depends on, each once.
func (m *TrialMaterial) questions() []string {
	facts := slices.Clone(m.Facts)
	for _, s := range m.Steps {
		facts = append(facts, s.Facts...)
	}
	slices.Sort(facts)
	return slices.Compact(facts)
}

// standInParties gives one party for each role that a material of the subject
// may need.
func (r *Revision) standInParties(in TrialInput) []Party {
	var parties []Party
	for _, role := range r.RolesOf(in.Subject) {
		kind, chosen := in.Kinds[role.Code]
		if !chosen || !slices.Contains(role.Kinds, kind) {
			kind = role.Kinds[0]
		}
		parties = append(parties, Party{ID: role.Code, Roles: []string{role.Code}, Kind: kind})
	}
	return parties
}

// RolesOf lists the roles that the materials of a matter or a one-thing name, in
// the catalog's order.
func (r *Revision) RolesOf(subject string) []*Role {
	named := map[string]bool{}
	for _, m := range r.mattersOf(subject) {
		for i := range m.Materials {
			for _, role := range m.Materials[i].roles() {
				named[role] = true
			}
		}
	}
	return slices.DeleteFunc(r.Roles(), func(role *Role) bool { return !named[role.Code] })
}

// FactsOf lists the facts that decide what a matter or a one-thing asks for, in
// the catalog's order.
func (r *Revision) FactsOf(subject string) []*Fact {
	named := map[string]bool{}
	for _, m := range r.mattersOf(subject) {
		for _, code := range m.FactsNamed() {
			named[code] = true
		}
		for i := range m.Materials {
			for _, code := range m.Materials[i].FactsNamed() {
				named[code] = true
			}
		}
	}
	return slices.DeleteFunc(r.Facts(), func(f *Fact) bool { return !named[f.Code] })
}

// FactsNamed are the facts that decide whether the matter is part of a case.
func (m *Matter) FactsNamed() []string {
	if m.when == nil {
		return nil
	}
	return slices.Clone(m.when.facts)
}

// FactsNamed are the facts that decide whether the material is asked for, and how.
// Those that only a check reads are not among them.
func (m *Material) FactsNamed() []string {
	var codes []string
	for _, c := range append([]*Condition{m.when}, m.steps...) {
		if c != nil {
			codes = append(codes, c.facts...)
		}
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}

func (r *Revision) mattersOf(subject string) []*Matter {
	if thing := r.OneThing(subject); thing != nil {
		matters := make([]*Matter, len(thing.Matters))
		for i := range thing.Matters {
			matters[i] = &thing.Matters[i]
		}
		return matters
	}
	if m := r.Matter(subject); m != nil {
		return []*Matter{m}
	}
	return nil
}

// roles are the roles whose records a material may need.
func (m *Material) roles() []string {
	roles := slices.Clone(m.Subjects)
	for _, p := range m.Proofs {
		for _, l := range p.Lookups {
			if l.Subject != "" {
				roles = append(roles, l.Subject)
			}
		}
	}
	return roles
}

// TrialRow is a material in two trials; nil where it is not in one of them.
type TrialRow struct {
	Code, Name     string
	Matter         *Matter
	Before, After  *TrialMaterial
	Changed        bool
	BeforeStanding string
	AfterStanding  string
}

// Beside puts two trials side by side, material by material: first those of the
// later one in its order, then those that are gone.
func Beside(before, after *Trial) []TrialRow {
	rows, at := []TrialRow{}, map[string]int{}
	for i := range after.Materials {
		m := &after.Materials[i]
		for _, use := range m.Uses {
			at[rowKey(m, use)] = len(rows)
			rows = append(rows, TrialRow{Code: use.Material.Code, Name: use.Material.Name, Matter: use.Matter, After: m})
		}
	}
	for i := range before.Materials {
		m := &before.Materials[i]
		for _, use := range m.Uses {
			if n, ok := at[rowKey(m, use)]; ok {
				rows[n].Before = m
				continue
			}
			rows = append(rows, TrialRow{Code: use.Material.Code, Name: use.Material.Name, Matter: use.Matter, Before: m})
		}
	}
	for i := range rows {
		row := &rows[i]
		row.BeforeStanding, row.AfterStanding = row.Before.standing(), row.After.standing()
		row.Changed = row.BeforeStanding != row.AfterStanding
	}
	return rows
}

// rowKey tells the materials of the parties apart.
func rowKey(m *TrialMaterial, use Use) string { return fmt.Sprint(use.Material.Code, "@", m.Role) }

// standing says all that a trial says of a material, to be held against another.
func (m *TrialMaterial) standing() string {
	if m == nil {
		return ""
	}
	text := string(m.Group)
	for _, s := range m.Steps {
		text += fmt.Sprint("|", s.Mode, " ", s.Standing, " ", s.When)
	}
	return text + fmt.Sprint("|", m.Facts)
}
