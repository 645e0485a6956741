package lint

import (
	"fmt"
	"slices"
	"strings"

	"mianti/catalog"
)

// asking is a material that the applicant may have to hand in.
type asking struct {
	matter   *catalog.Matter
	material *catalog.Material
}

// lookTwice looks for the same paper under another code, which the plan cannot join
// because nothing tells it that they are one (docs/resolution-rules.md §3).
func (l *Linter) lookTwice(m *catalog.Material) {
	name := strings.TrimSpace(withoutBracket(m.Name))
	earlier := l.thing.asked[name]
	l.thing.asked[name] = append(earlier, asking{l.thing.matter, m})
	for _, other := range earlier {
		if !sameSubject(other.material, m) || oneStandard(other.material, m) || l.exclude(other, m) {
			continue
		}
		f := l.found(Twice, l.here(m), "standard_material")
		if f == nil {
			return
		}
		f.Reason = fmt.Sprintf("与 %s %s（%s）同名，向同一角色要，却不是同一标准材料", other.material.Code, other.material.Name, other.matter.Name)
		if standard := other.material.StandardMaterial; standard != "" && m.StandardMaterial == "" {
			changed := *m
			changed.StandardMaterial = standard
			f.Fix = l.thing.fix(&changed)
		}
		return
	}
}

func sameSubject(a, b *catalog.Material) bool {
	if len(a.Subjects) == 0 || len(b.Subjects) == 0 {
		return len(a.Subjects) == len(b.Subjects)
	}
	return slices.ContainsFunc(a.Subjects, func(role string) bool { return slices.Contains(b.Subjects, role) })
}

// oneStandard reports whether two materials can be one paper to the plan.
func oneStandard(a, b *catalog.Material) bool {
	if a.StandardMaterial != "" && a.StandardMaterial == b.StandardMaterial {
		return true
	}
	for i := range a.Proofs {
		standard := a.Proofs[i].StandardMaterial
		if standard == "" {
			continue
		}
		if standard == b.StandardMaterial || slices.ContainsFunc(b.Proofs, func(p catalog.Proof) bool { return p.StandardMaterial == standard }) {
			return true
		}
	}
	return slices.ContainsFunc(b.Proofs, func(p catalog.Proof) bool {
		return p.StandardMaterial != "" && p.StandardMaterial == a.StandardMaterial
	})
}

// exclude reports whether the two are never asked for together.
func (l *Linter) exclude(other asking, m *catalog.Material) bool {
	conditions := []*catalog.Condition{other.matter.Condition(), other.material.Condition(), l.thing.matter.Condition(), m.Condition()}
	return l.spaces.possible(l.thing.rev, conditions) == catalog.False
}
