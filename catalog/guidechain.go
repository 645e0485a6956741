package catalog

import (
	"fmt"
	"slices"
)

// guideEnd is a way in which a chain can end without any record being read.
type guideEnd struct {
	material *Material
	step     int // len(Chain) where nothing of the chain ends it
	group    GuideGroup
	mode     Mode
	proof    *Proof // that is asked for, in modes elicense and data
	prior    []string
	rev      *Revision
}

// ends walks down the chain as policies.Settle does, but without any answer: a
// look-up that can be made counts as one that succeeds, and nothing counts as
// handed in before. They are the ways in which it can end; there is one alone
// unless facts are unknown, which are told.
func (g *guiding) ends(m *Material) ([]guideEnd, []string, error) {
	var ends []guideEnd
	var unknown []string
	for i := range m.Chain {
		applies, facts, err := m.StepApplies(i, g.facts)
		if err != nil {
			return nil, nil, fmt.Errorf("condition of step %d of %s: %w", i+1, m.Code, err)
		}
		if applies == False {
			continue
		}
		end, may, needs := g.step(m, i)
		if !may {
			continue
		}
		ends = append(ends, end)
		if applies == True && len(needs) == 0 {
			return ends, unknown, nil
		}
		if unknown == nil { // what comes after matters once this is known
			unknown = slices.Compact(slices.Sorted(slices.Values(slices.Concat(facts, needs))))
		}
	}
	return append(ends, guideEnd{material: m, step: len(m.Chain), group: GuideChecking, rev: g.rev}), unknown, nil
}

// step says how a step ends the chain, if it does. needs are facts on which it
// depends whether it does: of an earlier matter that may not be part of the case.
func (g *guiding) step(m *Material, i int) (end guideEnd, may bool, needs []string) {
	end = guideEnd{material: m, step: i, mode: m.Chain[i].Mode, rev: g.rev}
	switch end.mode {
	case ModeForm, ModeCancel:
		end.group = GuideNone
	case ModePrior:
		end.group = GuideChecking
		end.prior, needs = g.awaited(m, "")
		return end, len(end.prior) > 0, needs
	case ModeElicense, ModeData:
		return g.lookUp(end)
	case ModeAssist:
		end.group = GuideChecking
	case ModeCommit, ModeDefer, ModeUpload:
		end.group = GuideSubmit
	case ModeHistory, ModeWait: // without a record there is nothing to reuse or to wait for
		return end, false, nil
	}
	return end, true, needs
}

// lookUp takes the first proof that can be asked for by a mode. One of which a
// record is made by an earlier matter of the same case waits for that matter.
func (g *guiding) lookUp(end guideEnd) (guideEnd, bool, []string) {
	for i := range end.material.Proofs {
		proof := &end.material.Proofs[i]
		if !g.fits(end.material, proof) || !g.rev.Reachable(proof, end.mode) {
			continue
		}
		end.proof, end.group = proof, GuideNone
		var needs []string
		for _, l := range proof.Lookups {
			if g.rev.SourceFor(l.Dataset, end.mode).Kind == SourceAssist {
				end.group = GuideChecking
			}
			prior, facts := g.awaited(end.material, l.Dataset)
			end.prior, needs = append(end.prior, prior...), append(needs, facts...)
		}
		if len(end.prior) > 0 {
			end.group = GuideChecking
		}
		return end, true, needs
	}
	return end, false, nil
}

// fits reports whether a proof is for a kind of party that the material can be of.
func (g *guiding) fits(m *Material, proof *Proof) bool {
	return proof.For == "" || slices.ContainsFunc(m.Subjects, func(code string) bool {
		role := g.rev.Role(code)
		return role != nil && slices.Contains(role.Kinds, proof.For)
	})
}

// awaited are the matters before it whose result the material is; of a dataset
// only those that make its record. Where it is not known of any whether it is part
// of the case, the facts say so.
func (g *guiding) awaited(m *Material, dataset string) (matters, facts []string) {
	sure := false
	for _, code := range m.Prior {
		planned := g.plan.Matter(code)
		if planned == nil || planned.State == StateSkipped || dataset != "" && planned.Matter.Result.Dataset != dataset {
			continue
		}
		matters = append(matters, code)
		sure = sure || planned.State != StateUndecided
		facts = append(facts, planned.Facts...)
	}
	if sure {
		facts = nil
	}
	return matters, facts
}

// tell says of the material how it ends.
func (e *guideEnd) tell(out *GuidedMaterial) {
	out.Group, out.Mode, out.Prior, out.Preview = e.group, e.mode, e.prior, e.material.Preview && e.proof != nil
	if e.proof != nil {
		for _, l := range e.proof.Lookups {
			e.asked(out, &l)
		}
	}
	if e.step < len(e.material.Chain) {
		step := &e.material.Chain[e.step]
		out.Days = step.Days
		if step.Mode == ModeAssist {
			out.Departments = []string{e.assistant(out.Uses[0])}
		}
		for _, later := range e.material.Chain[e.step+1:] {
			e.orElse(out, later.Mode)
		}
		if step.Mode == ModeUpload && e.step > 0 {
			e.earlier(out)
		}
	}
}

// asked tells whose record is read, and who has to consent.
func (e *guideEnd) asked(out *GuidedMaterial, l *Lookup) {
	dataset := e.rev.Dataset(l.Dataset)
	if !slices.Contains(out.Departments, dataset.Department) {
		out.Departments = append(out.Departments, dataset.Department)
	}
	roles := e.material.Subjects
	if l.Subject != "" {
		roles = []string{l.Subject}
	}
	always := dataset.Consent
	if asks := e.rev.Department(out.Uses[0].Matter.Department); asks != nil {
		always = always || asks.PublicUtility
	}
	for _, code := range roles {
		role := e.rev.Role(code)
		if role != nil && (always || role.Consent != ConsentNone) && !isThing(role) && !slices.Contains(out.Consents, code) {
			out.Consents = append(out.Consents, code)
		}
	}
}

func isThing(role *Role) bool {
	return !slices.Contains(role.Kinds, KindPerson) && !slices.Contains(role.Kinds, KindOrganization)
}

// assistant is the department whose officer is asked: see policies.
func (e *guideEnd) assistant(use Use) string {
	if step := e.material.Chain[e.step]; step.Department != "" {
		return step.Department
	}
	for i := range e.material.Proofs {
		return e.rev.Dataset(e.material.Proofs[i].Lookups[0].Dataset).Department
	}
	return use.Matter.Department
}

func (e *guideEnd) orElse(out *GuidedMaterial, mode Mode) {
	switch mode {
	case ModeHistory, ModeCommit, ModeDefer, ModeUpload:
		if !slices.Contains(out.Else, mode) {
			out.Else = append(out.Else, mode)
		}
	}
}

// earlier are the steps before an upload that may still spare it: a paper that was
// handed in before, a commitment.
func (e *guideEnd) earlier(out *GuidedMaterial) {
	for _, step := range e.material.Chain[:e.step] {
		e.orElse(out, step.Mode)
	}
}
