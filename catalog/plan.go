package catalog

import (
	"fmt"
	"slices"
)

// MatterState is where a matter of a case stands; docs/resolution-rules.md §1.
type MatterState string

// The states.
const (
	StateOpen      MatterState = "open"
	StateWaiting   MatterState = "waiting"
	StateSkipped   MatterState = "skipped"
	StateUndecided MatterState = "undecided"
	StateGranted   MatterState = "granted"
	StateRefused   MatterState = "refused"
	StateStopped   MatterState = "stopped"
)

// Pending reports whether the matter may still be granted.
func (s MatterState) Pending() bool {
	return s == StateOpen || s == StateWaiting || s == StateUndecided
}

// Verdict is how an authority decided a matter.
type Verdict string

// The verdicts.
const (
	Granted Verdict = "granted"
	Refused Verdict = "refused"
)

// PlanInput is what a plan follows from.
type PlanInput struct {
	Subject  string // code of a matter or of a one-thing
	Facts    Facts
	Parties  []Party
	Verdicts map[string]Verdict // by matter code, as reported so far
}

// Plan says what a case needs, before anybody is asked.
type Plan struct {
	OneThing     *OneThing // nil when the case is for a single matter
	Matters      []PlannedMatter
	Requirements []*Requirement
	// Missing are the roles that a material which applies needs, and that no
	// party of the case is in.
	Missing []MissingParty
}

// PlannedMatter is a matter of the case with its state.
type PlannedMatter struct {
	Matter *Matter
	State  MatterState
	After  []string // the matters before it that are not skipped
	Facts  []string // the unknown facts that its condition needs, when undecided
}

// MissingParty is a role that nobody is in.
type MissingParty struct {
	Roles    []string // any one of them would do
	Material string
}

// Use is a material of a matter.
type Use struct {
	Matter   *Matter
	Material *Material
}

// Requirement (材料需求) is what is asked for once: one paper of one party,
// for all the materials that ask for it. The first use gives the rules.
type Requirement struct {
	Uses    []Use
	Applies Truth
	Facts   []string // the unknown facts, when Applies is Unknown
	// Party is whose it is, and Role the role that names it; nil and empty for
	// the case's own.
	Party            *Party
	Role             string
	StandardMaterial string
	Proofs           []*Proof // those that fit the party's kind
	// SamePaper is the key of the earlier requirement that asks for the same
	// paper of the same party with another check; empty if there is none.
	SamePaper string
}

// Material is the one that gives the rules.
func (r *Requirement) Material() *Material { return r.Uses[0].Material }

// Matter is the one that the rules come from.
func (r *Requirement) Matter() *Matter { return r.Uses[0].Matter }

// Key names the requirement in its case: "S01.M1.b@p2", or the code alone
// where it is the case's own.
func (r *Requirement) Key() string {
	if r.Party == nil {
		return r.Material().Code
	}
	return r.Material().Code + "@" + r.Party.ID
}

// UsedBy are the codes of the materials that it serves.
func (r *Requirement) UsedBy() []string {
	codes := make([]string, len(r.Uses))
	for i, use := range r.Uses {
		codes[i] = use.Material.Code
	}
	return codes
}

// Apart gives the requirement for some of its uses alone: they ask for the same
// paper, but cannot share one answer. Their own first use gives the rules.
func (r *Requirement) Apart(uses []Use) *Requirement {
	apart := &Requirement{Uses: uses, Applies: r.Applies, Party: r.Party, SamePaper: r.SamePaper}
	if apart.SamePaper == "" {
		apart.SamePaper = r.Key()
	}
	if r.Party != nil {
		apart.Role, _ = roleOf(r.Party, uses[0].Material.Subjects)
	}
	apart.StandardMaterial, apart.Proofs = fitting(uses[0].Material, r.Party)
	return apart
}

// Matter gives the planned matter of a code, or nil.
func (p *Plan) Matter(code string) *PlannedMatter {
	for i := range p.Matters {
		if p.Matters[i].Matter.Code == code {
			return &p.Matters[i]
		}
	}
	return nil
}

// Decided reports whether every matter that asks for a requirement has been
// decided: nobody is asked any more. Uses of which that is true and of which it
// is not are never joined.
func (p *Plan) Decided(r *Requirement) bool {
	return !slices.ContainsFunc(r.Uses, func(use Use) bool { return p.Matter(use.Matter.Code).State.Pending() })
}

// Plan works out which matters and materials a case needs, whose they are, and
// which of them are one paper. It is pure; docs/resolution-rules.md §1–3. The
// error is for a subject that the revision does not know, or a condition that
// cannot be evaluated.
func (r *Revision) Plan(in PlanInput) (*Plan, error) {
	plan, matters, err := r.begin(in.Subject)
	if err != nil {
		return nil, err
	}
	if err := plan.decideMatters(matters, in); err != nil {
		return nil, err
	}
	g := gatherer{plan: plan, in: in, first: map[paper]*Requirement{}}
	for _, m := range plan.Matters {
		if m.State == StateSkipped {
			continue
		}
		for i := range m.Matter.Materials {
			if err := g.add(m, &m.Matter.Materials[i]); err != nil {
				return nil, err
			}
		}
	}
	return plan, nil
}

func (r *Revision) begin(subject string) (*Plan, []*Matter, error) {
	if thing := r.OneThing(subject); thing != nil {
		matters := make([]*Matter, len(thing.Matters))
		for i := range thing.Matters {
			matters[i] = &thing.Matters[i]
		}
		return &Plan{OneThing: thing}, matters, nil
	}
	if matter := r.Matter(subject); matter != nil {
		return &Plan{}, []*Matter{matter}, nil
	}
	return nil, nil, fmt.Errorf("plan: revision %d knows no matter or one-thing %q", r.Number, subject)
}

// decideMatters sets every matter's state. A matter's state depends on those
// before it, so it goes round until nothing changes; the loader has refused
// cycles.
func (p *Plan) decideMatters(matters []*Matter, in PlanInput) error {
	for _, m := range matters {
		planned := PlannedMatter{Matter: m, State: StateOpen}
		applies, unknown, err := m.Applies(in.Facts)
		if err != nil {
			return fmt.Errorf("condition of matter %s: %w", m.Code, err)
		}
		switch applies {
		case False:
			planned.State = StateSkipped
		case Unknown:
			planned.State, planned.Facts = StateUndecided, unknown
		}
		if v, ok := in.Verdicts[m.Code]; ok && planned.State != StateSkipped {
			planned.State = MatterState(v)
		}
		p.Matters = append(p.Matters, planned)
	}
	for i := range p.Matters {
		m := &p.Matters[i]
		for _, code := range m.Matter.After {
			if before := p.Matter(code); before != nil && before.State != StateSkipped {
				m.After = append(m.After, code)
			}
		}
	}
	for changed := true; changed; {
		changed = false
		for i := range p.Matters {
			changed = p.follow(&p.Matters[i]) || changed
		}
	}
	return nil
}

// follow moves a matter to waiting or stopped by what comes before it.
func (p *Plan) follow(m *PlannedMatter) bool {
	if m.State != StateOpen && m.State != StateWaiting {
		return false
	}
	next := StateOpen
	for _, code := range m.After {
		switch before := p.Matter(code).State; {
		case before == StateRefused || before == StateStopped:
			next = StateStopped
		case before != StateGranted && next == StateOpen:
			next = StateWaiting
		}
	}
	changed := next != m.State
	m.State = next
	return changed
}

// paper is what is asked for once.
type paper struct{ standard, party string }

type gatherer struct {
	plan  *Plan
	in    PlanInput
	first map[paper]*Requirement
}

// add puts a material of a matter into the plan, once for each of its parties.
func (g *gatherer) add(m PlannedMatter, material *Material) error {
	use := Use{Matter: m.Matter, Material: material}
	if m.State == StateUndecided {
		g.append(&Requirement{Uses: []Use{use}, Applies: Unknown, Facts: m.Facts, Role: firstOf(material.Subjects)})
		return nil
	}
	applies, unknown, err := material.Applies(g.in.Facts)
	if err != nil {
		return fmt.Errorf("condition of material %s: %w", material.Code, err)
	}
	if applies != True {
		g.append(&Requirement{Uses: []Use{use}, Applies: applies, Facts: unknown, Role: firstOf(material.Subjects)})
		return nil
	}
	if len(material.Subjects) == 0 {
		g.need(use, nil, "")
		return nil
	}
	found := false
	for i := range g.in.Parties {
		party := &g.in.Parties[i]
		if role, ok := roleOf(party, material.Subjects); ok {
			found = true
			g.need(use, party, role)
		}
	}
	if !found {
		g.plan.Missing = append(g.plan.Missing, MissingParty{Roles: material.Subjects, Material: material.Code})
	}
	return nil
}

// need adds a material that applies, or joins it to the requirement that asks
// for the same paper already.
func (g *gatherer) need(use Use, party *Party, role string) {
	r := &Requirement{Uses: []Use{use}, Applies: True, Party: party, Role: role}
	r.StandardMaterial, r.Proofs = fitting(use.Material, party)
	key := paper{standard: r.StandardMaterial}
	if party != nil {
		key.party = party.ID
	}
	if key.standard == "" {
		g.missingInLookups(r)
		g.append(r)
		return
	}
	for _, same := range g.plan.Requirements {
		if same.Applies == True && sameParty(same.Party, party) && same.StandardMaterial == r.StandardMaterial &&
			g.plan.Decided(same) == g.plan.Decided(r) && joins(same, r) {
			same.Uses = append(same.Uses, use)
			return
		}
	}
	if first, ok := g.first[key]; ok {
		r.SamePaper = first.Key()
	} else {
		g.first[key] = r
	}
	g.missingInLookups(r)
	g.append(r)
}

func (g *gatherer) append(r *Requirement) {
	g.plan.Requirements = append(g.plan.Requirements, r)
}

// missingInLookups notes the roles that a proof asks about besides the
// material's own subject.
func (g *gatherer) missingInLookups(r *Requirement) {
	for _, proof := range r.Proofs {
		for _, lookup := range proof.Lookups {
			if lookup.Subject == "" || PartyIn(g.in.Parties, lookup.Subject) != nil {
				continue
			}
			g.plan.Missing = append(g.plan.Missing, MissingParty{Roles: []string{lookup.Subject}, Material: r.Material().Code})
		}
	}
}

// PartyIn gives the first party in a role, or nil.
func PartyIn(parties []Party, role string) *Party {
	for i := range parties {
		if parties[i].In(role) {
			return &parties[i]
		}
	}
	return nil
}

// fitting gives the standard material and the proofs for a party's kind.
func fitting(m *Material, party *Party) (string, []*Proof) {
	standard := m.StandardMaterial
	var proofs []*Proof
	for i := range m.Proofs {
		proof := &m.Proofs[i]
		if proof.For != "" && party != nil && proof.For != party.Kind {
			continue
		}
		if proof.StandardMaterial != "" {
			standard = proof.StandardMaterial
		}
		proofs = append(proofs, proof)
	}
	return standard, proofs
}

// joins reports whether a later requirement for the same paper asks nothing
// that the earlier one does not: it has no check, or the same checks.
func joins(earlier, later *Requirement) bool {
	want := checksOf(later)
	return len(want) == 0 || slices.Equal(want, checksOf(earlier))
}

func checksOf(r *Requirement) []string {
	var checks []string
	for _, proof := range r.Proofs {
		if proof.Check != "" {
			checks = append(checks, proof.Check)
		}
	}
	return checks
}

func sameParty(a, b *Party) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.ID == b.ID
}

// roleOf gives the first of the roles that the party is in.
func roleOf(party *Party, roles []string) (string, bool) {
	for _, role := range roles {
		if party.In(role) {
			return role, true
		}
	}
	return "", false
}

func firstOf(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}
