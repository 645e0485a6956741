package lint

import (
	"fmt"

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
	place int // in the file's list
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
	for i, one := range list {
		e.rules[Rule(one.Rule)] = true
		for _, code := range one.At {
			u := &used{explained: explained{Rule(one.Rule), code, one.Key}, Explanation: Explanation{one.Why, one.By, one.On}, place: i}
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
		key := fmt.Sprintf("explained.%d", u.place+1)
		f := l.found(Unexplained, place{}, key)
		if f == nil {
			continue
		}
		f.Code, f.File = u.code, "lint.yaml"
		f.Reason = fmt.Sprintf("第 %d 条说明所指的 %s（%s）没有这样的发现", u.place+1, u.code, u.rule.Name())
	}
}
