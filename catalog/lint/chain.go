package lint

import (
	"fmt"
	"slices"
	"strings"

	"mianti/catalog"
)

// lookChain looks for steps that are never tried, and for a material that is never
// asked for.
func (l *Linter) lookChain(m *catalog.Material, modes modeSet) {
	if m.Condition() != nil || l.thing.matter.Condition() != nil || conditional(m) {
		l.lookConditionalChain(m)
	} else if i := endsAt(m); i >= 0 && i < len(m.Chain)-1 {
		l.deadSteps(m, i+1, afterEnd(m))
	}
	if modes.has(catalog.ModePrior) {
		l.lookPriorStep(m)
	}
}

func conditional(m *catalog.Material) bool {
	for i := range m.Chain {
		if m.Chain[i].When != "" {
			return true
		}
	}
	return false
}

// endsAt gives the first step after which nothing is tried, whatever the facts are;
// -1 for none.
func endsAt(m *catalog.Material) int {
	for i := range m.Chain {
		if m.Chain[i].Mode.Ends() && m.Chain[i].When == "" {
			return i
		}
	}
	return -1
}

// afterEnd says why what stands later is never tried.
func afterEnd(m *catalog.Material) string {
	i := endsAt(m)
	if i < 0 || i == len(m.Chain)-1 {
		return "前面的步骤在任何情形下都有结果"
	}
	return fmt.Sprintf("前面“%s”一步总有结果，链在那里就结束了", m.Chain[i].Mode.Name())
}

// lookPriorStep looks for a result that can never be in the same case.
func (l *Linter) lookPriorStep(m *catalog.Material) {
	none := len(m.Prior) > 0
	for _, code := range m.Prior {
		other := l.thing.find(code)
		if other == nil {
			continue
		}
		conditions := []*catalog.Condition{l.thing.matter.Condition(), m.Condition(), other.Condition()}
		if l.spaces.possible(l.thing.rev, conditions) != catalog.False {
			none = false
		}
	}
	if !none {
		return
	}
	prior := func(s catalog.Step) bool { return s.Mode == catalog.ModePrior }
	i := slices.IndexFunc(m.Chain, prior)
	if f := l.found(Unreachable, l.here(m), fmt.Sprintf("chain.%d", i+1)); f != nil {
		f.Reason = fmt.Sprintf("第 %d 步“%s”用不到：前序事项 %s 与本事项的条件不可能同时成立，不会在同一件之中", i+1, catalog.ModePrior.Name(), strings.Join(m.Prior, "、"))
		f.Fix = l.thing.withoutStep(m, prior)
	}
}

// deadSteps reports all steps from one on, as one finding.
func (l *Linter) deadSteps(m *catalog.Material, from int, why string) {
	f := l.found(Unreachable, l.here(m), fmt.Sprintf("chain.%d", from+1))
	if f == nil {
		return
	}
	names := make([]string, 0, len(m.Chain)-from)
	for _, step := range m.Chain[from:] {
		names = append(names, "“"+step.Mode.Name()+"”")
	}
	f.Reason = fmt.Sprintf("第 %d 步起的%s用不到：%s", from+1, strings.Join(names, "、"), why)
	changed := *m
	changed.Chain = m.Chain[:from]
	f.Fix = l.thing.fix(&changed)
}

// chainResult is what was found out about a chain with conditions.
type chainResult struct {
	undecided string
	never     bool   // the material is never asked for
	dead      []int  // the steps that are never tried
	unmet     []bool // those whose condition never holds
}

func (l *Linter) lookConditionalChain(m *catalog.Material) {
	conditions := []*catalog.Condition{l.thing.matter.Condition(), m.Condition()}
	var key strings.Builder
	key.WriteString(conditions[0].Text())
	key.WriteByte(0)
	key.WriteString(conditions[1].Text())
	for i := range m.Chain {
		key.WriteByte(0)
		key.WriteString(string(m.Chain[i].Mode))
		key.WriteByte(1)
		key.WriteString(m.Chain[i].When)
		conditions = append(conditions, m.StepCondition(i))
	}
	result := remembered(l.spaces.chains, key.String(), func() *chainResult { return walkChain(l.thing.rev, m.Chain, conditions) })
	switch {
	case result.undecided != "":
		if f := l.found(Undecided, l.here(m), "chain"); f != nil {
			f.Reason = "有没有用不到的步骤没有判断：" + result.undecided
		}
		return
	case result.never:
		if f := l.found(Unreachable, l.here(m), "when"); f != nil {
			f.Reason = "事项适用时材料的条件在任何情形下都不成立，这份材料从不会要"
		}
		return
	}
	for n, i := range result.dead {
		if !result.unmet[n] {
			l.deadSteps(m, i, afterEnd(m))
			return
		}
		if f := l.found(Unreachable, l.here(m), fmt.Sprintf("chain.%d", i+1)); f != nil {
			f.Reason = fmt.Sprintf("第 %d 步“%s”用不到：条件（%s）在任何情形下都不成立", i+1, m.Chain[i].Mode.Name(), m.Chain[i].When)
			step := m.Chain[i]
			f.Fix = l.thing.withoutStep(m, func(s catalog.Step) bool { return s == step })
		}
	}
}

// walkChain walks down a chain at every combination of the facts' values. The first
// two conditions are the matter's and the material's, the rest the steps'.
func walkChain(rev *catalog.Revision, chain []catalog.Step, conditions []*catalog.Condition) *chainResult {
	s, why := spaceOf(rev, conditions)
	if why != "" {
		return &chainResult{undecided: why}
	}
	asked := false
	tried, held := make([]bool, len(chain)), make([]bool, len(chain))
	for point := range s.size {
		facts := s.facts(point)
		applies, err := holdAt(facts, conditions[:2])
		if err != nil {
			return &chainResult{undecided: "条件不能求值"}
		}
		if !applies {
			continue
		}
		asked = true
		ended := false
		for i := range chain {
			holds, err := holdAt(facts, conditions[2+i:3+i])
			if err != nil {
				return &chainResult{undecided: "条件不能求值"}
			}
			held[i] = held[i] || holds
			tried[i] = tried[i] || holds && !ended
			ended = ended || holds && chain[i].Mode.Ends()
		}
	}
	out := &chainResult{never: !asked}
	for i := range chain {
		if !tried[i] {
			out.dead, out.unmet = append(out.dead, i), append(out.unmet, !held[i])
		}
	}
	return out
}
