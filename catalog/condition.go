package catalog

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// Truth is the value of a condition over facts that may be unknown.
type Truth string

// The three values.
const (
	True    Truth = "true"
	False   Truth = "false"
	Unknown Truth = "unknown"
)

// Condition is a compiled CEL predicate. It is safe for many goroutines.
type Condition struct {
	text  string
	words Words
	facts []string            // the facts that it names, sorted
	reads map[string][]string // the fields that it reads, by dataset code, sorted
	// compared are the values that it holds a fact against, by fact code; a fact of
	// which it makes anything else is in entangled.
	compared  map[string][]any
	entangled map[string]bool
	// whole is run when all of its facts are known, partial when some are not.
	// Both give the same answer; partial evaluation costs about twice as much.
	whole, partial cel.Program
}

// Eval tells whether the condition holds. Unknown comes with the sorted codes
// of the facts that are needed to tell; a fact that cannot change the answer
// is not among them. No condition (nil) holds.
func (c *Condition) Eval(f Facts) (Truth, []string, error) {
	if c == nil {
		return True, nil, nil
	}
	truth, unknown, err := c.run(f, f)
	if err != nil {
		return "", nil, fmt.Errorf("evaluate condition %q: %w", c.text, err)
	}
	return truth, unknown, nil
}

// run evaluates over vars, which hold the facts and for a check the records.
func (c *Condition) run(vars map[string]any, facts Facts) (Truth, []string, error) {
	var missing []*cel.AttributePatternType
	for _, code := range c.facts {
		if facts[code] == nil {
			missing = append(missing, cel.AttributePattern(code))
		}
	}
	if len(missing) == 0 {
		value, _, err := c.whole.Eval(vars)
		return truthOf(value, err)
	}
	input, err := cel.PartialVars(vars, missing...)
	if err != nil {
		return "", nil, err
	}
	value, _, err := c.partial.Eval(input)
	return truthOf(value, err)
}

var errNotTruth = errors.New("the result is no truth value")

func truthOf(value ref.Val, err error) (Truth, []string, error) {
	if err != nil {
		return "", nil, err
	}
	switch v := value.(type) {
	case types.Bool:
		if v {
			return True, nil, nil
		}
		return False, nil, nil
	case *types.Unknown:
		return Unknown, variablesOf(v), nil
	default:
		return "", nil, errNotTruth
	}
}

func variablesOf(unknown *types.Unknown) []string {
	names := map[string]bool{}
	for _, id := range unknown.IDs() {
		trails, _ := unknown.GetAttributeTrails(id)
		for _, trail := range trails {
			names[trail.Variable()] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// Text is the condition as it is written; empty for none.
func (c *Condition) Text() string {
	if c == nil {
		return ""
	}
	return c.text
}

// FactsNamed are the codes of the facts that the condition names, sorted. They are
// shared and MUST NOT be written to.
func (c *Condition) FactsNamed() []string {
	if c == nil {
		return nil
	}
	return c.facts
}

// Compared gives the values that the condition holds a fact against: bool, string
// or float64. Only is false where it does something else with the fact, so that
// other values might count too.
func (c *Condition) Compared(fact string) (values []any, only bool) {
	if c == nil {
		return nil, true
	}
	return c.compared[fact], !c.entangled[fact]
}

// Condition is the one under which the material is asked for; nil means always.
func (m *Material) Condition() *Condition { return m.when }

// StepCondition is the one under which a step of the chain is tried; nil means
// always.
func (m *Material) StepCondition(i int) *Condition {
	if i < 0 || i >= len(m.steps) {
		return nil
	}
	return m.steps[i]
}

// Condition is the one under which the matter is part of a case; nil means always.
func (m *Matter) Condition() *Condition { return m.when }

// Applies tells whether the material is asked for.
func (m *Material) Applies(f Facts) (Truth, []string, error) { return m.when.Eval(f) }

// StepApplies tells whether a step of the material's chain is to be tried.
func (m *Material) StepApplies(i int, f Facts) (Truth, []string, error) {
	if i < 0 || i >= len(m.Chain) {
		return "", nil, fmt.Errorf("material %s has no step %d", m.Code, i)
	}
	if i >= len(m.steps) {
		// A material that no catalog was loaded for: its conditions were never
		// compiled, and none must be taken for true.
		if m.Chain[i].When != "" {
			return "", nil, fmt.Errorf("step %d of material %s is not compiled", i, m.Code)
		}
		return True, nil, nil
	}
	return m.steps[i].Eval(f)
}

// Applies tells whether the matter is part of the case.
func (m *Matter) Applies(f Facts) (Truth, []string, error) { return m.when.Eval(f) }
