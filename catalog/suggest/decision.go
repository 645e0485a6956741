package suggest

import (
	"cmp"
	"slices"
	"time"

	"mianti/catalog"
)

// MappingDecision (映射决定) is what somebody of the policy staff said of a suggestion: that a
// name means a candidate, or that it does not.
type MappingDecision struct {
	Name       string            `json:"name" doc:"所确认的名称"`
	Kind       catalog.ThingKind `json:"kind" enum:"standard_material,common_material,dataset"`
	Code       string            `json:"code" doc:"标准材料、通用材料或数据资源的代码"`
	Accepted   bool              `json:"accepted"`
	Department string            `json:"department" doc:"确认人所在部门"`
	By         string            `json:"by" doc:"确认人的标识"`
	At         time.Time         `json:"at"`
}

// decided is a decision with the index of its candidate.
type decided struct {
	MappingDecision
	candidate int
}

// learnt is what decisions say, by the keys of the names.
type learnt struct {
	accepted map[string]decided
	rejected map[string][]decided
	// near are the keys of rejections, for names that are nearly the same.
	near []refusal
}

// refusal is a name for which a candidate was rejected.
type refusal struct {
	key       string
	candidate int
	term      *term
}

// learn takes the decisions in the order in which they were made: the later one about
// a name and a candidate holds. What is about a candidate that is gone is left out.
func (a *Assistant) learn(decisions []MappingDecision) {
	a.learnt = learnt{accepted: map[string]decided{}, rejected: map[string][]decided{}}
	at := map[[2]string]int{}
	for i, c := range a.candidates {
		at[[2]string{string(c.Kind), c.Code}] = i
	}
	inOrder := slices.Clone(decisions)
	slices.SortStableFunc(inOrder, func(x, y MappingDecision) int { return x.At.Compare(y.At) })
	for _, one := range inOrder {
		i, there := at[[2]string{string(one.Kind), one.Code}]
		if !there {
			continue
		}
		d := decided{one, i}
		key := a.words.DecisionKey(d.Name)
		a.learnt.rejected[key] = slices.DeleteFunc(a.learnt.rejected[key], func(o decided) bool { return o.candidate == i })
		if was, ok := a.learnt.accepted[key]; ok && was.candidate == i {
			delete(a.learnt.accepted, key)
		}
		if d.Accepted {
			a.learnt.accepted[key] = d
		} else {
			a.learnt.rejected[key] = append(a.learnt.rejected[key], d)
		}
	}
	for key, list := range a.learnt.rejected {
		for _, d := range list {
			a.learnt.near = append(a.learnt.near, refusal{key: key, candidate: d.candidate})
		}
	}
	slices.SortFunc(a.learnt.near, func(x, y refusal) int {
		return cmp.Or(cmp.Compare(x.key, y.key), cmp.Compare(x.candidate, y.candidate))
	})
}

// names are those that staff accepted: further names of their candidates.
func (l learnt) names() []indexed {
	var out []indexed
	for key, d := range l.accepted {
		out = append(out, indexed{key: key, candidate: d.candidate, learnt: true})
	}
	return out
}

// refused reports whether staff rejected a candidate for a name.
func (l learnt) refused(key string, candidate int) bool {
	return slices.ContainsFunc(l.rejected[key], func(d decided) bool { return d.candidate == candidate })
}

// DecisionKey is a name in the form in which decisions are remembered: without remarks,
// the role still on it, since 出租人身份证明 may be decided otherwise than 身份证明.
func (w *words) DecisionKey(name string) string { return w.key(w.read(name).text) }
