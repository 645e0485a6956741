package catalog

import (
	"fmt"
	"slices"
	"strings"
)

// tryChain walks down the chain of a material that applies, as far as that can
// be done without asking anybody.
func (r *Revision) tryChain(plan *Plan, m *TrialMaterial, facts Facts) error {
	material, ended := m.Material(), ""
	for i := range material.Chain {
		step := TrialStep{Step: material.Chain[i], Condition: material.StepInWords(i)}
		applies, unknown, err := material.StepApplies(i, facts)
		if err != nil {
			return fmt.Errorf("condition of step %d of material %s: %w", i+1, material.Code, err)
		}
		why := r.unreachable(plan, m, step.Mode)
		switch {
		case ended != "":
			step.Standing, step.Why = StepAfterEnd, "“"+ended+"”一步总有结果，不会走到这里"
		case applies == False:
			step.Standing, step.Why = StepPassed, "条件不成立："+step.Condition.Text
		case why != "":
			step.Standing, step.Why = StepUnreachable, why
		case applies == Unknown && m.First < 0:
			step.Standing, step.Why, step.Facts = StepAsks, "先要知道："+r.topics(unknown), unknown
			m.Facts = append(m.Facts, unknown...)
		case step.Mode == ModeHistory:
			step.Standing, step.Why = StepNext, fmt.Sprintf("%d 个月内交过同一份才用得上", step.Months)
		case step.Mode == ModeWait:
			step.Standing, step.Why = StepNext, fmt.Sprintf("数源一时问不到才等，最多 %d 分钟", step.Minutes)
		case m.First < 0:
			step.Standing, step.Why, m.First = StepFirst, r.tells(m, step.Mode), i
			if step.Mode.Ends() {
				ended = step.Mode.Name()
			}
		default:
			step.Standing, step.Why = StepNext, "前面都不成时才用"
			if applies == Unknown {
				step.Why, step.Facts = "前面都不成时才用，届时先要知道："+r.topics(unknown), unknown
			} else if step.Mode.Ends() {
				ended = step.Mode.Name()
			}
		}
		m.Steps = append(m.Steps, step)
	}
	m.Group = m.group()
	return nil
}

// Ends reports whether nothing is tried after the mode: it always has a result.
func (m Mode) Ends() bool {
	switch m {
	case ModeForm, ModeCommit, ModeDefer, ModeCancel, ModeUpload:
		return true
	default:
		return false
	}
}

// group says what the material would come to. A question that stands before the
// first step is open: what comes of it could be anything.
func (m *TrialMaterial) group() TrialGroup {
	if slices.ContainsFunc(m.Steps, func(s TrialStep) bool { return s.Standing == StepAsks }) {
		return TrialQuestioned
	}
	if m.First < 0 {
		return TrialUnsettled
	}
	switch m.Steps[m.First].Mode {
	case ModeCommit:
		return TrialCommit
	case ModeDefer:
		return TrialDefer
	case ModeUpload:
		return TrialUpload
	default:
		return TrialExempt
	}
}

// topics names facts by their questions.
func (r *Revision) topics(codes []string) string {
	asks := make([]string, len(codes))
	for i, code := range codes {
		asks[i] = code
		if f := r.Fact(code); f != nil {
			asks[i] = "“" + f.Ask + "”"
		}
	}
	return strings.Join(asks, "、")
}

// unreachable says why a mode has nothing to be tried with; empty if it has.
func (r *Revision) unreachable(plan *Plan, m *TrialMaterial, mode Mode) string {
	switch mode {
	case ModePrior:
		return priorMissing(plan, m.Material())
	case ModeElicense, ModeData:
		return r.unasked(m, mode)
	case ModeWait:
		if !slices.ContainsFunc(m.Steps, func(s TrialStep) bool {
			return (s.Mode == ModeElicense || s.Mode == ModeData) && (s.Standing == StepFirst || s.Standing == StepNext)
		}) {
			return "前面没有可问的数源，没有什么可等"
		}
	case ModeForm, ModeHistory, ModeAssist, ModeCommit, ModeDefer, ModeCancel, ModeUpload:
	default:
		return "不认识的方式"
	}
	return ""
}

// tells says what the first step would rest on.
func (r *Revision) tells(m *TrialMaterial, mode Mode) string {
	switch mode {
	case ModePrior:
		return "取本件中 " + strings.Join(m.Material().Prior, "、") + " 的办理结果"
	case ModeElicense, ModeData:
		for _, p := range m.Proofs {
			if !r.Reachable(p, mode) {
				continue
			}
			var asked []string
			for _, l := range p.Lookups {
				d := r.Dataset(l.Dataset)
				asked = append(asked, r.Department(d.Department).Name+"的“"+d.Name+"”")
			}
			return "查" + strings.Join(asked, "和")
		}
	}
	return ""
}

// priorMissing says why no result of this case can be taken.
func priorMissing(plan *Plan, m *Material) string {
	var absent []string
	for _, code := range m.Prior {
		if planned := plan.Matter(code); planned == nil || planned.State == StateSkipped {
			absent = append(absent, code)
		}
	}
	if len(absent) == 0 || !m.PriorAll && len(absent) < len(m.Prior) {
		return ""
	}
	return "本件中不办 " + strings.Join(absent, "、") + "，没有前序结果可用"
}

// unasked says why no proof can be looked up by a mode: nothing is mapped, not
// for this kind of party, or a dataset has no source for it.
func (r *Revision) unasked(m *TrialMaterial, mode Mode) string {
	if len(m.Material().Proofs) == 0 {
		return "没有写证明组合（proofs），不知道查什么"
	}
	if len(m.Proofs) == 0 {
		return "没有适用于这类当事人（" + m.Party.Kind.Name() + "）的证明组合"
	}
	var without []string
	for _, p := range m.Proofs {
		if r.Reachable(p, mode) {
			return ""
		}
		for _, l := range p.Lookups {
			if r.SourceFor(l.Dataset, mode) == nil && !slices.Contains(without, l.Dataset) {
				without = append(without, l.Dataset)
			}
		}
	}
	what := "数据接口"
	if mode == ModeElicense {
		what = "电子证照接口"
	}
	return strings.Join(without, "、") + " 没有" + what
}
