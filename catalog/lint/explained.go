package lint

import (
	"encoding/json"
	"fmt"
	"slices"

	"mianti/catalog"
)

// explanations are those of the catalog, by what they are about.
type explanations struct {
	at    map[explained]*used
	rules map[Rule]bool // those of which there is any
	all   []*used
}

// explained is what an explanation is about; the key is empty for any.
type explained struct {
	rule      Rule
	code, key string
}

// used is an explanation of one code, and whether there is a finding for it.
type used struct {
	explained
	Explanation
	of    *catalog.LintExplanation
	place int // among the codes that it is about
	found bool
}

// reason is what a finding says of it; nil for none.
func (u *used) reason() *Explanation {
	if u == nil {
		return nil
	}
	return &u.Explanation
}

func newExplanations(list []catalog.LintExplanation) *explanations {
	e := &explanations{at: map[explained]*used{}, rules: map[Rule]bool{}}
	for i := range list {
		one := &list[i]
		e.rules[Rule(one.Rule)] = true
		for j, code := range one.At {
			u := &used{explained: explained{Rule(one.Rule), code, one.Key}, Explanation: Explanation{one.Why, one.By, one.On}, of: one, place: j}
			e.all = append(e.all, u)
			if e.at[u.explained] == nil {
				e.at[u.explained] = u
			}
		}
	}
	return e
}

// of gives the explanation of a finding, the nearest one, and takes note that it is
// used; nil for none.
func (e *explanations) of(rule Rule, codes [4]string, key string) *used {
	why := e.find(rule, codes, key)
	if why != nil {
		why.found = true
	}
	return why
}

func (e *explanations) find(rule Rule, codes [4]string, key string) *used {
	if !e.rules[rule] {
		return nil
	}
	for _, code := range codes {
		if code == "" {
			continue
		}
		for _, k := range [2]string{key, ""} {
			if u := e.at[explained{rule, code, k}]; u != nil {
				return u
			}
		}
	}
	return nil
}

// lookExplanations reports what is explained and is not there. What could not be
// measured may well be there.
func (l *Linter) lookExplanations() {
	unmeasured := map[Rule]bool{}
	for _, rule := range l.measured.missing(l.severity) {
		unmeasured[rule] = true
	}
	for _, u := range l.explains.all {
		if u.found || unmeasured[u.rule] || l.severity[u.rule.index()] == Off {
			continue
		}
		f := l.foundAt(Unexplained, [4]string{}, fmt.Sprintf("at.%d", u.place+1))
		if f == nil {
			continue
		}
		f.Kind, f.Code, f.Name, f.File = catalog.ThingExplanation, u.of.Code, u.of.Why, "lint.yaml"
		f.Reason = fmt.Sprintf("所指的 %s（%s）没有这样的发现", u.code, u.rule.Name())
		f.Fix = without(u.of, u.place)
	}
}

// without gives the change that takes a code out of an explanation; one that would be
// about nothing is removed.
func without(e *catalog.LintExplanation, place int) *catalog.Edit {
	edit := &catalog.Edit{Kind: catalog.ThingExplanation, Code: e.Code}
	if len(e.At) == 1 {
		return edit
	}
	changed := *e
	changed.At = slices.Delete(slices.Clone(e.At), place, place+1)
	text, err := json.Marshal(changed)
	if err != nil {
		return nil
	}
	edit.Value = text
	return edit
}

// longestCode bounds the code of an explanation, as the format does.
const longestCode = 64

// Explain gives the change that explains a finding, ready for a draft.
func Explain(f *Finding, why Explanation) (catalog.Edit, error) {
	code := string(f.Rule) + "-" + f.Code + "-" + f.Key
	written := catalog.LintExplanation{
		Code: code[:min(len(code), longestCode)], Rule: string(f.Rule), At: []string{f.Code}, Key: f.Key, Why: why.Why, By: why.By, On: why.On,
	}
	text, err := json.Marshal(written)
	if err != nil {
		return catalog.Edit{}, fmt.Errorf("explain %s of %s: %w", f.Rule, f.Code, err)
	}
	return catalog.Edit{Kind: catalog.ThingExplanation, Code: written.Code, Value: text}, nil
}
