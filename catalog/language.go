package catalog

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/types"
)

// The names that a check sees besides facts and records.
const (
	nameSubject = "subject"
	nameParams  = "params"
	nameToday   = "today"
)

// Limits of one expression. An estimate over costLimit is refused when the
// catalog is loaded. The run-time limit is a net below it: it is higher,
// because a record may hold longer lists than the estimate supposes.
const (
	costLimit        = 20_000
	costLimitRunning = 1_000_000
	expressionLimit  = 2_000 // characters
	nestingLimit     = 2     // of all, exists, filter, map
	listEstimate     = 50    // items
	textEstimate     = 200   // characters
)

// language is what the expressions of one catalog are written in. Conditions
// see the facts; checks see the records too.
type language struct {
	facts    map[string]*Fact
	datasets map[string]*Dataset // by alias
	objects  *objectTypes
	base     *cel.Env // conditions
	checks   *cel.Env // checks where there are no params
	// anyParams is for the checks of common materials: which parameters there
	// are is known only where one is used.
	anyParams *cel.Env
	// compiled holds what was compiled already: the same expression stands in
	// many places.
	compiled *compilations
	// withParams are the languages of checks by the parameters that they see: the same
	// matter is handled with the same parameters in many places.
	withParams *checkLanguages
}

// checkLanguage is what the checks of one place are written in: those of a
// one-thing see its parameters.
type checkLanguage struct {
	env    *cel.Env
	params map[string]any // nil where there are none, or they are not known
	// own holds what was compiled with the parameters, which nobody else can use;
	// nil where there are none.
	own *compilations
}

// commonChecks is the language of the checks of common materials: which
// parameters there are is known only where one is used.
func (l *language) commonChecks() checkLanguage {
	return checkLanguage{env: l.anyParams, own: l.compiled}
}

// expression is a text with all that its meaning depends on.
type expression struct {
	env      *cel.Env
	text     string
	datasets string
}

func newLanguage(facts []*Fact, datasets []*Dataset) (*language, error) {
	objects, err := newObjectTypes()
	if err != nil {
		return nil, err
	}
	l := &language{facts: map[string]*Fact{}, datasets: map[string]*Dataset{}, objects: objects, compiled: newCompilations(), withParams: &checkLanguages{made: map[string]checkLanguage{}}}
	// Names that clash are reported with the facts; here they only must not
	// keep the other expressions from being compiled.
	for _, d := range datasets {
		if alias := Alias(d.Code); l.datasets[alias] == nil && namePattern.MatchString(alias) && !reserved(alias) {
			l.datasets[alias] = d
		}
	}
	for _, f := range facts {
		if l.facts[f.Code] == nil && l.datasets[f.Code] == nil && namePattern.MatchString(f.Code) && !reserved(f.Code) {
			l.facts[f.Code] = f
		}
	}
	if l.base, err = cel.NewEnv(l.options()...); err != nil {
		return nil, fmt.Errorf("make the language of conditions: %w", err)
	}
	if l.checks, err = l.base.Extend(l.checkOptions()...); err != nil {
		return nil, fmt.Errorf("make the language of checks: %w", err)
	}
	params := cel.Variable(nameParams, cel.MapType(cel.StringType, cel.DynType))
	if l.anyParams, err = l.checks.Extend(params); err != nil {
		return nil, fmt.Errorf("make the language of checks: %w", err)
	}
	return l, nil
}

func (l *language) options() []cel.EnvOption {
	options := []cel.EnvOption{
		cel.CustomTypeProvider(l.objects),
		cel.CustomTypeAdapter(l.objects),
		cel.CrossTypeNumericComparisons(true),
		cel.DefaultUTCTimeZone(true),
		cel.ParserExpressionSizeLimit(expressionLimit),
		cel.ParserRecursionLimit(50),
		cel.ASTValidators(
			cel.ValidateDurationLiterals(), cel.ValidateTimestampLiterals(), cel.ValidateRegexLiterals(),
			cel.ValidateHomogeneousAggregateLiterals(), cel.ValidateComprehensionNestingLimit(nestingLimit)),
	}
	options = append(options, functions()...)
	for _, code := range slices.Sorted(maps.Keys(l.facts)) {
		options = append(options, cel.Variable(code, factType(l.facts[code].Type)))
	}
	return options
}

func (l *language) checkOptions() []cel.EnvOption {
	subject := l.objects.declare("Subject", map[string]FieldType{"name": FieldString, "number": FieldString, "kind": FieldString})
	options := []cel.EnvOption{cel.Variable(nameSubject, subject), cel.Variable(nameToday, cel.TimestampType)}
	for _, alias := range slices.Sorted(maps.Keys(l.datasets)) {
		fields := map[string]FieldType{}
		for _, f := range l.datasets[alias].Fields {
			fields[f.Code] = f.Type
		}
		options = append(options, cel.Variable(alias, l.objects.declare("Record_"+alias, fields)))
	}
	return options
}

// checksOf gives the language of the checks of a one-thing. No params, no name.
func (l *language) checksOf(params map[string]any) (checkLanguage, error) {
	if len(params) == 0 {
		return checkLanguage{env: l.checks}, nil
	}
	key, err := json.Marshal(params)
	if err != nil {
		return checkLanguage{}, fmt.Errorf("name the parameters of a one-thing: %w", err)
	}
	if known, ok := l.withParams.get(string(key)); ok {
		return known, nil
	}
	fields := make(map[string]FieldType, len(params))
	for name, value := range params {
		fields[name] = typeOf(value)
	}
	// The parameters are declared beside the other objects and not among them: a
	// one-thing may be read at any time, and another revision has others.
	objects := l.objects.beside()
	declared := objects.declare("Params", fields)
	env, err := l.checks.Extend(cel.CustomTypeProvider(objects), cel.CustomTypeAdapter(objects), cel.Variable(nameParams, declared))
	if err != nil {
		return checkLanguage{}, fmt.Errorf("make the language of checks with parameters: %w", err)
	}
	made := checkLanguage{env: env, params: params, own: newCompilations()}
	l.withParams.put(string(key), made)
	return made, nil
}

// typeOf gives the type of a parameter. A date is a text, to be read with
// date(): YAML has no dates of its own here.
func typeOf(value any) FieldType {
	switch value.(type) {
	case bool:
		return FieldBool
	case float64:
		return FieldNumber
	case []any, []string:
		return FieldList
	default:
		return FieldString
	}
}

func factType(t FactType) *cel.Type {
	switch t {
	case FactBool:
		return cel.BoolType
	case FactNumber:
		return cel.DoubleType
	case FactSet:
		return cel.ListType(cel.StringType)
	case FactEnum, FactText, FactRegion:
		return cel.StringType
	default:
		// The schema has reported the unknown type already.
		return cel.DynType
	}
}

// reserved reports whether a name means something else in an expression.
func reserved(name string) bool {
	switch name {
	case nameSubject, nameParams, nameToday,
		"same_name", "same_address", "years", "months", "date",
		"true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import",
		"let", "loop", "package", "namespace", "return", "var", "void", "while",
		"bool", "bytes", "double", "duration", "dyn", "int", "list", "map", "null_type", "string", "timestamp", "type", "uint":
		return true
	default:
		return false
	}
}

// sizes are the sizes that the cost of an expression is estimated with.
type sizes struct{}

// EstimateSize bounds texts and lists, about which CEL knows nothing.
func (sizes) EstimateSize(element cost.AstNode) *cost.SizeEstimate {
	var estimate cost.SizeEstimate
	switch element.Type().Kind() {
	case types.ListKind:
		estimate = cost.RangedSizeEstimate(0, listEstimate)
	case types.StringKind:
		estimate = cost.RangedSizeEstimate(0, textEstimate)
	default:
		return nil
	}
	return &estimate
}

// EstimateCallCost leaves every call to CEL's own estimate.
func (sizes) EstimateCallCost(string, string, *cost.AstNode, []cost.AstNode) *cost.CallEstimate {
	return nil
}
