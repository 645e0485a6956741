package lint

import (
	"fmt"
	"slices"
	"strings"

	"mianti/catalog"
)

// member is a thing with a condition, among others with conditions.
type member struct {
	at        place
	condition *catalog.Condition
	terms     string
}

// lookMatters looks at the conditions of the matters of the one-thing.
func (l *Linter) lookMatters() {
	members := l.thing.conditional[:0]
	for i := range l.thing.thing.Matters {
		m := &l.thing.thing.Matters[i]
		if c := m.Condition(); c != nil {
			members = append(members, member{place{l.thing.thing, m, nil}, c, l.spaces.termsOf(l.thing.rev, c)})
		}
	}
	l.thing.conditional = members
	l.lookGroups(nil, "事项")
}

// lookAlternatives looks at the conditions of the materials of the matter.
func (l *Linter) lookAlternatives() {
	members := l.thing.conditional[:0]
	matter := l.thing.matter
	for i := range matter.Materials {
		m := &matter.Materials[i]
		if c := m.Condition(); c != nil {
			members = append(members, member{l.here(m), c, l.spaces.termsOf(l.thing.rev, c)})
		}
	}
	l.thing.conditional = members
	l.lookGroups(matter.Condition(), "材料")
}

// lookGroups looks at those members together that depend on the same facts.
func (l *Linter) lookGroups(within *catalog.Condition, what string) {
	members := l.thing.conditional
	if len(members) < 2 {
		return
	}
	for i := range members {
		if slices.ContainsFunc(members[:i], func(m member) bool { return m.terms == members[i].terms }) {
			continue
		}
		group := []member{members[i]}
		for _, m := range members[i+1:] {
			if m.terms == members[i].terms && !slices.ContainsFunc(group, func(g member) bool { return g.condition.Text() == m.condition.Text() }) {
				group = append(group, m)
			}
		}
		if len(group) > 1 {
			l.lookGroup(within, group, what)
		}
	}
}

func (l *Linter) lookGroup(within *catalog.Condition, group []member, what string) {
	conditions := make([]*catalog.Condition, len(group), len(group)+1)
	for i := range group {
		conditions[i] = group[i].condition
	}
	result := remembered(l.spaces.groups, textsOf(append(conditions, within)), func() *groupResult {
		return lookConditions(l.thing.rev, within, conditions)
	})
	last := group[len(group)-1].at
	if result.undecided != "" {
		if f := l.found(Undecided, last, "when"); f != nil {
			f.Reason = fmt.Sprintf("与 %s 的交叉和空档没有判断：%s", named(group[0].at), result.undecided)
		}
		return
	}
	for _, o := range result.overlaps {
		if f := l.found(Overlap, group[o.second].at, "when"); f != nil {
			f.Reason = fmt.Sprintf("与%s %s 会同时成立：%s", what, named(group[o.first].at), o.example)
		}
	}
	if len(result.gaps) == 0 {
		return
	}
	at := last
	if at.material != nil {
		at.material = nil
	} else {
		at.matter = nil
	}
	if f := l.found(Gap, at, "when"); f != nil {
		names := make([]string, len(result.kept))
		for i, n := range result.kept {
			names[i] = named(group[n].at)
		}
		f.Reason = fmt.Sprintf("%s %s 之间有空档，哪一项也不成立：%s", what, strings.Join(names, "、"), strings.Join(result.gaps, "；"))
	}
}

func named(p place) string {
	if p.material != nil {
		return p.material.Code + " " + p.material.Name
	}
	return p.matter.Code + " " + p.matter.Name
}

// termsOf says what a condition depends on: its facts, and of a set the options
// that it names, each of which is a choice of its own.
func (s *spaces) termsOf(rev *catalog.Revision, c *catalog.Condition) string {
	if terms, ok := s.terms[c.Text()]; ok {
		return terms
	}
	var terms []string
	for _, code := range c.FactsNamed() {
		if fact := rev.Fact(code); fact == nil || fact.Type != catalog.FactSet {
			terms = append(terms, code)
			continue
		}
		options, _ := c.Compared(code)
		for _, option := range options {
			terms = append(terms, fmt.Sprint(code, ":", option))
		}
	}
	slices.Sort(terms)
	if len(s.terms) >= mostRemembered {
		clear(s.terms)
	}
	s.terms[c.Text()] = strings.Join(slices.Compact(terms), " ")
	return s.terms[c.Text()]
}

// groupResult is what was found out about conditions on the same facts.
type groupResult struct {
	undecided string
	overlaps  []overlap
	kept      []int    // those that no other one contains
	gaps      []string // examples, in words
}

type overlap struct {
	first, second int
	example       string
}

// mostMembers is how many different conditions on the same facts are held against
// each other, and mostGaps how many examples are given.
const (
	mostMembers = 63
	mostGaps    = 3
)

// lookConditions tries every combination of the facts' values.
func lookConditions(rev *catalog.Revision, within *catalog.Condition, members []*catalog.Condition) *groupResult {
	if len(members) > mostMembers {
		return &groupResult{undecided: fmt.Sprintf("取决于同样情形的条件超过 %d 个", mostMembers)}
	}
	s, why := spaceOf(rev, append(slices.Clone(members), within))
	if why != "" {
		return &groupResult{undecided: why}
	}
	t := &table{space: s, masks: make([]uint64, s.size)}
	var err error
	if t.valid, err = s.holds(within); err != nil {
		return &groupResult{undecided: "条件不能求值"}
	}
	for i, c := range members {
		at, err := s.holds(c)
		if err != nil {
			return &groupResult{undecided: "条件不能求值"}
		}
		for point, holds := range at {
			if holds {
				t.masks[point] |= 1 << i
			}
		}
	}
	out := &groupResult{kept: t.maximal(len(members))}
	for i, a := range out.kept {
		for _, b := range out.kept[i+1:] {
			if point := t.both(a, b); point >= 0 {
				out.overlaps = append(out.overlaps, overlap{a, b, s.words(point, members[0])})
			}
		}
	}
	if len(out.overlaps) == 0 && len(out.kept) > 1 {
		out.gaps = t.gaps(members[0])
	}
	return out
}

// table says which members hold at each point.
type table struct {
	space *space
	valid []bool
	masks []uint64
}

// maximal gives the members that hold somewhere, and that no other one contains: of
// two that are the same, the first.
func (t *table) maximal(n int) []int {
	var out []int
	for a := range n {
		contained := !t.somewhere(func(mask uint64) bool { return mask>>a&1 == 1 })
		for b := range n {
			if a == b || contained {
				continue
			}
			beyond := t.somewhere(func(mask uint64) bool { return mask>>a&1 == 1 && mask>>b&1 == 0 })
			more := t.somewhere(func(mask uint64) bool { return mask>>a&1 == 0 && mask>>b&1 == 1 })
			contained = !beyond && (more || b < a)
		}
		if !contained {
			out = append(out, a)
		}
	}
	return out
}

func (t *table) somewhere(so func(mask uint64) bool) bool {
	for point, mask := range t.masks {
		if t.valid[point] && so(mask) {
			return true
		}
	}
	return false
}

// both gives a point at which both hold; -1 for none.
func (t *table) both(a, b int) int {
	return slices.IndexFunc(t.points(), func(point int) bool { return t.masks[point]>>a&1 == 1 && t.masks[point]>>b&1 == 1 })
}

func (t *table) points() []int {
	points := make([]int, 0, len(t.masks))
	for point := range t.masks {
		points = append(points, point)
	}
	return slices.DeleteFunc(points, func(point int) bool { return !t.valid[point] })
}

// gaps gives examples of points between the alternatives at which none holds.
func (t *table) gaps(of *catalog.Condition) []string {
	var out []string
	for point, mask := range t.masks {
		if !t.valid[point] || mask != 0 || !t.between(point, of) && !t.crossed(point, of) {
			continue
		}
		if words := t.space.words(point, of); !slices.Contains(out, words) {
			out = append(out, words)
		}
		if len(out) == mostGaps {
			break
		}
	}
	return out
}

// between reports whether along one fact, with the others as they are, different
// members hold at other values. Of a number there must be one on either side: where
// the first begins and the last ends is the catalog's to say.
func (t *table) between(point int, of *catalog.Condition) bool {
	for i := range t.space.axes {
		a := &t.space.axes[i]
		if a.fact.Type == catalog.FactSet || !slices.Contains(of.FactsNamed(), a.fact.Code) {
			continue
		}
		here := a.place(point)
		var all, below, above uint64
		for value := range a.values {
			other := a.along(point, value)
			if !t.valid[other] {
				continue
			}
			all |= t.masks[other]
			if value < here {
				below |= t.masks[other]
			} else {
				above |= t.masks[other]
			}
		}
		if all&(all-1) != 0 && (a.fact.Type != catalog.FactNumber || below != 0 && above != 0) {
			return true
		}
	}
	return false
}

// crossed reports whether each value at the point is one with which some member
// holds, though none does with all of them: a && b, !a && !b leave a && !b.
func (t *table) crossed(point int, of *catalog.Condition) bool {
	for i := range t.space.axes {
		a := &t.space.axes[i]
		if !slices.Contains(of.FactsNamed(), a.fact.Code) {
			continue
		}
		if a.fact.Type != catalog.FactBool {
			return false
		}
		met := false
		for other, mask := range t.masks {
			met = met || t.valid[other] && mask != 0 && a.place(other) == a.place(point)
		}
		if !met {
			return false
		}
	}
	return true
}
