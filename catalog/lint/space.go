package lint

import (
	"fmt"
	"slices"
	"strings"

	"mianti/catalog"
)

// mostPoints bounds how many combinations of values are tried. Beyond it a finding
// says that nothing was decided.
const mostPoints = 4096

// mostOptions bounds how many options of a set are combined.
const mostOptions = 10

// space is the values that some facts can take together.
type space struct {
	axes []axis
	size int
}

// axis is the values of one fact that conditions can tell apart.
type axis struct {
	fact   *catalog.Fact
	values []any
	stride int // how far apart neighbouring values are among the points
}

// spaceOf gives the space of the facts that conditions name; why says in words what
// keeps it from being enumerated.
func spaceOf(rev *catalog.Revision, conditions []*catalog.Condition) (s *space, why string) {
	s = &space{size: 1}
	for _, c := range conditions {
		for _, code := range c.FactsNamed() {
			if slices.ContainsFunc(s.axes, func(a axis) bool { return a.fact.Code == code }) {
				continue
			}
			fact := rev.Fact(code)
			if fact == nil {
				return nil, "没有情形 " + code
			}
			values, why := valuesOf(fact, conditions)
			if why != "" {
				return nil, why
			}
			s.axes = append(s.axes, axis{fact: fact, values: values, stride: s.size})
			if s.size *= len(values); s.size > mostPoints {
				return nil, fmt.Sprintf("情形的取值组合超过 %d 种", mostPoints)
			}
		}
	}
	return s, ""
}

// valuesOf gives the values of a fact that the conditions can tell apart.
func valuesOf(fact *catalog.Fact, conditions []*catalog.Condition) (values []any, why string) {
	var held []any
	for _, c := range conditions {
		literals, only := c.Compared(fact.Code)
		if !only && fact.Type != catalog.FactBool && fact.Type != catalog.FactEnum && fact.Type != catalog.FactSet {
			return nil, fmt.Sprintf("条件对情形 %s 作了与固定值比较以外的运算", fact.Code)
		}
		if !only && fact.Type == catalog.FactSet {
			for _, o := range fact.Options {
				literals = append(literals, o.Value)
			}
		}
		held = append(held, literals...)
	}
	switch fact.Type {
	case catalog.FactBool:
		return []any{true, false}, ""
	case catalog.FactEnum:
		for _, o := range fact.Options {
			values = append(values, o.Value)
		}
		return values, ""
	case catalog.FactSet:
		return subsets(fact, held)
	case catalog.FactNumber:
		return numbers(held), ""
	case catalog.FactRegion:
		return texts(held, "000000"), ""
	default:
		return texts(held, otherText), ""
	}
}

// otherText stands for a text that no condition names.
const otherText = "（其他）"

func texts(held []any, other string) []any {
	var values []any
	for _, v := range held {
		if s, ok := v.(string); ok && !slices.Contains(values, v) && s != other {
			values = append(values, v)
		}
	}
	return append(values, other)
}

// numbers gives the numbers that are named, one between each two, and one beyond
// either end.
func numbers(held []any) []any {
	var named []float64
	for _, v := range held {
		if n, ok := v.(float64); ok {
			named = append(named, n)
		}
	}
	slices.Sort(named)
	named = slices.Compact(named)
	if len(named) == 0 {
		return []any{0.0}
	}
	values := []any{named[0] - 1}
	for i, n := range named {
		if i > 0 {
			values = append(values, (named[i-1]+n)/2)
		}
		values = append(values, n)
	}
	return append(values, named[len(named)-1]+1)
}

// subsets gives every choice among the options that are named.
func subsets(fact *catalog.Fact, held []any) (values []any, why string) {
	var named []string
	for _, o := range fact.Options {
		if slices.Contains(held, any(o.Value)) {
			named = append(named, o.Value)
		}
	}
	if len(named) > mostOptions {
		return nil, fmt.Sprintf("情形 %s 可同时选的选项超过 %d 个", fact.Code, mostOptions)
	}
	for bits := range 1 << len(named) {
		chosen := []string{}
		for i, option := range named {
			if bits>>i&1 == 1 {
				chosen = append(chosen, option)
			}
		}
		values = append(values, chosen)
	}
	return values, ""
}

// facts gives the values at a point.
func (s *space) facts(point int) catalog.Facts {
	facts := make(catalog.Facts, len(s.axes))
	for i := range s.axes {
		facts[s.axes[i].fact.Code] = s.axes[i].at(point)
	}
	return facts
}

func (a *axis) place(point int) int { return point / a.stride % len(a.values) }

func (a *axis) at(point int) any { return a.values[a.place(point)] }

// along gives the point that differs from another in one value alone.
func (a *axis) along(point, value int) int { return point + (value-a.place(point))*a.stride }

// holds tells at which points every one of the conditions holds.
func (s *space) holds(conditions ...*catalog.Condition) ([]bool, error) {
	out := make([]bool, s.size)
	for point := range out {
		all, err := holdAt(s.facts(point), conditions)
		if err != nil {
			return nil, err
		}
		out[point] = all
	}
	return out, nil
}

func holdAt(facts catalog.Facts, conditions []*catalog.Condition) (bool, error) {
	for _, c := range conditions {
		truth, _, err := c.Eval(facts)
		if err != nil || truth != catalog.True {
			return false, err
		}
	}
	return true, nil
}

// words say a point in plain Chinese: each question that a condition depends on,
// with its answer.
func (s *space) words(point int, of *catalog.Condition) string {
	var said []string
	for i := range s.axes {
		if a := &s.axes[i]; slices.Contains(of.FactsNamed(), a.fact.Code) {
			said = append(said, fmt.Sprintf("“%s”答%s", a.fact.Ask, answer(a.fact, a.at(point))))
		}
	}
	return strings.Join(said, "，")
}

func answer(fact *catalog.Fact, value any) string {
	switch v := value.(type) {
	case bool:
		if v {
			return "“是”"
		}
		return "“否”"
	case []string:
		if len(v) == 0 {
			return "“都不选”"
		}
		labels := make([]string, len(v))
		for i, option := range v {
			labels[i] = labelOf(fact, option)
		}
		return "“" + strings.Join(labels, "、") + "”"
	case string:
		if v == otherText || fact.Type == catalog.FactRegion && v == "000000" {
			return "其他"
		}
		return "“" + labelOf(fact, v) + "”"
	default:
		return fmt.Sprint(v)
	}
}

func labelOf(fact *catalog.Fact, value string) string {
	for _, o := range fact.Options {
		if o.Value == value {
			return o.Label
		}
	}
	return value
}

// spaces remembers what was found out about conditions, by their texts: the same
// condition stands in many places.
type spaces struct {
	possibles map[string]catalog.Truth
	groups    map[string]*groupResult
	chains    map[string]*chainResult
	terms     map[string]string
}

// mostRemembered bounds what is remembered of each kind.
const mostRemembered = 100_000

func newSpaces() *spaces {
	return &spaces{
		possibles: map[string]catalog.Truth{}, groups: map[string]*groupResult{}, chains: map[string]*chainResult{}, terms: map[string]string{},
	}
}

// remembered gives what was found out about something, or finds it out.
func remembered[T any](known map[string]T, key string, find func() T) T {
	if v, ok := known[key]; ok {
		return v
	}
	if len(known) >= mostRemembered {
		clear(known)
	}
	v := find()
	known[key] = v
	return v
}

// possible tells whether conditions can hold together. Unknown is for those that
// cannot be enumerated.
func (s *spaces) possible(rev *catalog.Revision, conditions []*catalog.Condition) catalog.Truth {
	if !slices.ContainsFunc(conditions, func(c *catalog.Condition) bool { return c != nil }) {
		return catalog.True
	}
	return remembered(s.possibles, textsOf(conditions), func() catalog.Truth {
		space, why := spaceOf(rev, conditions)
		if why != "" {
			return catalog.Unknown
		}
		at, err := space.holds(conditions...)
		switch {
		case err != nil:
			return catalog.Unknown
		case slices.Contains(at, true):
			return catalog.True
		default:
			return catalog.False
		}
	})
}

func textsOf(conditions []*catalog.Condition) string {
	var key strings.Builder
	for _, c := range conditions {
		key.WriteString(c.Text())
		key.WriteByte(0)
	}
	return key.String()
}
