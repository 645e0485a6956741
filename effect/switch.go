package effect

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"mianti/catalog"
)

// Switch (提交变化) is a material that an applicant would have to hand in where he did
// not before, or the other way round, in some of the situations that its conditions
// tell apart. It goes by the catalog alone: by the step that would be tried first
// (catalog.Trial). What a source would answer is not guessed at.
type Switch struct {
	Place
	From catalog.TrialGroup `json:"from" enum:"exempt,commit,defer,upload,none,not_applicable"`
	To   catalog.TrialGroup `json:"to" enum:"exempt,commit,defer,upload,none,not_applicable"`
	// Situations of Of come out so. Complete is false where there are more than were
	// looked at, or a fact is a text or a region, which has too many values to try.
	Situations int  `json:"situations" doc:"其中多少种情形如此变化"`
	Of         int  `json:"of" doc:"看过多少种情形"`
	Complete   bool `json:"complete" doc:"是否看过全部情形"`
	// Example is the first of these situations.
	Example []FactValue `json:"example" doc:"其中一种情形"`
}

// FactValue (情形取值) is a fact with a value that it may have.
type FactValue struct {
	Fact  string `json:"fact"`
	Ask   string `json:"ask"`
	Value string `json:"value"`
}

// Turn (减负或增负) says whether a switch takes a paper off the applicant or puts one on.
type Turn int

// The turns.
const (
	Neither Turn = 0
	Eased   Turn = -1
	Laden   Turn = 1
)

// Turn gives it.
func (s *Switch) Turn() Turn {
	switch was, is := handsIn(s.From), handsIn(s.To); {
	case was == is:
		return Neither
	case was:
		return Eased
	default:
		return Laden
	}
}

// handsIn reports whether the applicant hands the paper in, now or later. A chain that
// ends in nothing is for an officer to look at, and no burden of the applicant's.
func handsIn(g catalog.TrialGroup) bool {
	return g == catalog.TrialUpload || g == catalog.TrialDefer
}

// mostSituations bounds how many situations of a material are looked at.
const mostSituations = 1024

// switches tries each touched material in every situation that its conditions tell
// apart.
func (t *touched) switches() ([]Switch, error) {
	out := []Switch{}
	for _, code := range t.materials {
		found, err := t.switchesOf(code)
		if err != nil {
			return nil, fmt.Errorf("material %s: %w", code, err)
		}
		out = append(out, found...)
	}
	return out, nil
}

func (t *touched) switchesOf(code string) ([]Switch, error) {
	axes, complete := t.axes(code)
	of, counts := 0, map[[2]catalog.TrialGroup]*Switch{}
	var order []*Switch
	for facts := range situations(axes) {
		if of == mostSituations {
			complete = false
			break
		}
		of++
		from, err := heaviest(t.before, code, facts)
		if err != nil {
			return nil, err
		}
		to, err := heaviest(t.after, code, facts)
		if err != nil {
			return nil, err
		}
		if from == catalog.TrialQuestioned || to == catalog.TrialQuestioned {
			complete = false
			continue
		}
		if from == to {
			continue
		}
		key := [2]catalog.TrialGroup{from, to}
		if counts[key] == nil {
			counts[key] = &Switch{Place: t.place(code), From: from, To: to, Example: answers(axes, facts)}
			order = append(order, counts[key])
		}
		counts[key].Situations++
	}
	var out []Switch
	for _, s := range order {
		if s.Turn() != Neither {
			s.Of, s.Complete = of, complete
			out = append(out, *s)
		}
	}
	return out, nil
}

// heaviest is what a material comes to for the party for whom it comes to most.
func heaviest(rev *catalog.Revision, code string, facts catalog.Facts) (catalog.TrialGroup, error) {
	tried, err := rev.TryMaterial(code, facts)
	if err != nil {
		return "", err
	}
	order := []catalog.TrialGroup{
		catalog.TrialInapplicable, catalog.TrialExempt, catalog.TrialCommit, catalog.TrialQuestioned, catalog.TrialUnsettled, catalog.TrialDefer, catalog.TrialUpload,
	}
	most := 0
	for i := range tried {
		most = max(most, slices.Index(order, tried[i].Group))
	}
	return order[most], nil
}

// axis is a fact with the values that are tried.
type axis struct {
	fact   *catalog.Fact
	values []any
}

// axes are the facts that the material depends on in either revision. It is not
// complete where one of them cannot be tried through.
func (t *touched) axes(code string) (axes []axis, complete bool) {
	named, texts := map[string]bool{}, []string{}
	complete = true
	for _, rev := range []*catalog.Revision{t.before, t.after} {
		m, matter := rev.Material(code), rev.MatterOf(code)
		if m == nil || matter == nil {
			continue
		}
		texts = append(texts, m.When, matter.When)
		for _, step := range m.Chain {
			texts = append(texts, step.When)
		}
		facts := slices.Concat(m.FactsNamed(), matter.FactsNamed())
		for _, prior := range m.Prior {
			if other := rev.Matter(prior); other != nil {
				facts, texts = append(facts, other.FactsNamed()...), append(texts, other.When)
			}
		}
		for _, fact := range facts {
			named[fact] = true
		}
	}
	for _, rev := range []*catalog.Revision{t.after, t.before} {
		for _, f := range rev.Facts() {
			if !named[f.Code] {
				continue
			}
			delete(named, f.Code)
			values := valuesOf(f, texts)
			complete = complete && values != nil
			if values != nil {
				axes = append(axes, axis{f, values})
			}
		}
	}
	return axes, complete
}

// mostOfSet is the largest set all of whose subsets are tried.
const mostOfSet = 5

// valuesOf are the values of a fact that conditions can tell apart; nil where they
// cannot be listed. Of a number they are those at, below and above each number that
// the conditions hold.
func valuesOf(f *catalog.Fact, conditions []string) []any {
	switch f.Type {
	case catalog.FactBool:
		return []any{true, false}
	case catalog.FactEnum:
		var out []any
		for _, o := range f.Options {
			out = append(out, o.Value)
		}
		return out
	case catalog.FactSet:
		if len(f.Options) > mostOfSet {
			return nil
		}
		var out []any
		for bits := range 1 << len(f.Options) {
			chosen := []string{}
			for i, o := range f.Options {
				if bits>>i&1 == 1 {
					chosen = append(chosen, o.Value)
				}
			}
			out = append(out, chosen)
		}
		return out
	case catalog.FactNumber:
		return numbersIn(conditions)
	default:
		return nil
	}
}

var numeral = regexp.MustCompile(`\d+(\.\d+)?`)

func numbersIn(conditions []string) []any {
	found := []float64{0}
	for _, text := range conditions {
		for _, digits := range numeral.FindAllString(text, -1) {
			if n, err := strconv.ParseFloat(digits, 64); err == nil {
				found = append(found, max(n-1, 0), n, n+1)
			}
		}
	}
	slices.Sort(found)
	var out []any
	for _, n := range slices.Compact(found) {
		out = append(out, n)
	}
	return out
}

// situations gives every combination of the values, the first axis turning slowest.
func situations(axes []axis) func(func(catalog.Facts) bool) {
	return func(yield func(catalog.Facts) bool) {
		at := make([]int, len(axes))
		for {
			facts := catalog.Facts{}
			for i, a := range axes {
				facts[a.fact.Code] = a.values[at[i]]
			}
			if !yield(facts) {
				return
			}
			i := len(axes) - 1
			for ; i >= 0; i-- {
				if at[i]++; at[i] < len(axes[i].values) {
					break
				}
				at[i] = 0
			}
			if i < 0 {
				return
			}
		}
	}
}

func answers(axes []axis, facts catalog.Facts) []FactValue {
	out := []FactValue{}
	for _, a := range axes {
		out = append(out, FactValue{Fact: a.fact.Code, Ask: a.fact.Ask, Value: valueInWords(a.fact, facts[a.fact.Code])})
	}
	return out
}

func valueInWords(f *catalog.Fact, value any) string {
	label := func(of string) string {
		for _, o := range f.Options {
			if o.Value == of {
				return o.Label
			}
		}
		return of
	}
	switch v := value.(type) {
	case bool:
		return map[bool]string{true: "是", false: "否"}[v]
	case string:
		return label(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []string:
		text := ""
		for i, one := range v {
			if i > 0 {
				text += "、"
			}
			text += label(one)
		}
		if text == "" {
			return "都没有"
		}
		return text
	default:
		return fmt.Sprint(v)
	}
}
