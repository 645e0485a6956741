package catalog

import (
	"strconv"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// Words (条件白话) is an expression as people read it.
type Words struct {
	Text string
	// Exact is false where the expression has a shape that there are no words
	// for; Text is then the expression itself, and never half of it.
	Exact bool
}

// Always is what is said where there is no condition.
func (w Words) Always() bool { return w.Text == "" }

// WhenInWords says when the material is asked for; empty means always.
func (m *Material) WhenInWords() Words { return m.when.inWords(m.When) }

// StepInWords says when a step of the material's chain is tried; empty means
// always.
func (m *Material) StepInWords(i int) Words {
	if i < 0 || i >= len(m.Chain) {
		return Words{}
	}
	if i >= len(m.steps) {
		return (*Condition)(nil).inWords(m.Chain[i].When)
	}
	return m.steps[i].inWords(m.Chain[i].When)
}

// WhenInWords says when the matter is part of a case; empty means always.
func (m *Matter) WhenInWords() Words { return m.when.inWords(m.When) }

// CheckInWords says what the records must show; empty means that it is enough
// to find them.
func (p *Proof) CheckInWords() Words { return p.check.inWords(p.Check) }

func (c *Condition) inWords(text string) Words {
	if c == nil {
		return Words{Text: text, Exact: text == ""}
	}
	return c.words
}

// words puts a checked expression into words.
func (l *language) words(params map[string]any, tree *ast.AST, text string) Words {
	s := &speaker{language: l, tree: tree, params: params, items: map[string]bool{}}
	said := s.truth(tree.Expr(), true)
	if s.lost {
		return Words{Text: text}
	}
	return Words{Text: tidy(said.text), Exact: true}
}

// speaker says an expression. Once it is lost, nothing of what it said counts.
type speaker struct {
	language *language
	tree     *ast.AST
	params   map[string]any  // of the one-thing; nil where they are not known
	items    map[string]bool // the variables of the macros around
	lost     bool
}

// phrase is something said that is true or false.
type phrase struct {
	text string
	// joined is the operator that joins its parts; empty for a single statement.
	joined string
}

// within gives the phrase as a part of another that is joined by an operator.
func (p phrase) within(operator string) string {
	if p.joined == "" || p.joined == operator {
		return p.text
	}
	return "（" + p.text + "）"
}

func (s *speaker) lose() phrase {
	s.lost = true
	return phrase{}
}

// truth says that an expression is so, or that it is not.
func (s *speaker) truth(e ast.Expr, yes bool) phrase {
	switch e.Kind() {
	case ast.IdentKind:
		if f := s.language.facts[e.AsIdent()]; f != nil && f.Type == FactBool {
			return statement(f.Ask, yes)
		}
	case ast.SelectKind:
		if d, f := s.field(e); f != nil && f.Type == FieldBool {
			return phrase{text: d.Name + "显示" + shown(f.Name, yes)}
		}
	case ast.LiteralKind:
		if v, ok := e.AsLiteral().(types.Bool); ok {
			return phrase{text: map[bool]string{true: "任何情形", false: "没有这种情形"}[bool(v) == yes]}
		}
	case ast.CallKind:
		return s.call(e.AsCall(), yes)
	case ast.ComprehensionKind:
		return s.some(e.AsComprehension(), yes)
	}
	return s.lose()
}

func (s *speaker) call(call ast.CallExpr, yes bool) phrase {
	args := call.Args()
	switch name := call.FunctionName(); name {
	case operators.LogicalAnd, operators.LogicalOr:
		return s.join(name, args, yes)
	case operators.LogicalNot:
		return s.truth(args[0], !yes)
	case operators.Conditional:
		return phrase{text: "如果" + s.truth(args[0], true).within("?") + "，则" + s.truth(args[1], yes).within("?") +
			"，否则" + s.truth(args[2], yes).within("?"), joined: "?"}
	case operators.Equals, operators.NotEquals, operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals:
		return phrase{text: s.compare(name, args[0], args[1], yes)}
	case operators.In:
		return phrase{text: s.member(args[0], args[1], yes)}
	case "same_name", "same_address":
		return phrase{text: s.term(args[0]) + "与" + s.term(args[1]) + choose(yes, "一致", "不一致")}
	case "contains", "startsWith", "endsWith":
		if !call.IsMemberFunction() {
			return s.lose()
		}
		with := s.term(args[0])
		return phrase{text: s.term(call.Target()) + map[string]string{
			"contains": choose(yes, "含有", "不含") + with, "startsWith": choose(yes, "以", "不以") + with + "开头",
			"endsWith": choose(yes, "以", "不以") + with + "结尾",
		}[name]}
	default:
		return s.lose()
	}
}

// join says that all or some of the parts hold. What does not hold as a whole
// is said as a whole: taken apart, it would be longer and no clearer.
func (s *speaker) join(operator string, args []ast.Expr, yes bool) phrase {
	parts := make([]string, len(args))
	for i, arg := range args {
		parts[i] = s.truth(arg, true).within(operator)
	}
	text := strings.Join(parts, map[string]string{operators.LogicalAnd: "，并且", operators.LogicalOr: "，或者"}[operator])
	if !yes {
		return phrase{text: "并非（" + text + "）"}
	}
	return phrase{text: text, joined: operator}
}

// member says that something is one of a list, or in a set.
func (s *speaker) member(item, list ast.Expr, yes bool) string {
	if list.Kind() != ast.ListKind {
		return s.term(list) + choose(yes, "包含", "不包含") + s.value(list, item)
	}
	values := make([]string, 0, list.AsList().Size())
	for _, element := range list.AsList().Elements() {
		values = append(values, s.value(item, element))
	}
	if !yes && len(values) > 1 {
		return s.term(item) + "不是" + oneOf(values) + "中的任何一项"
	}
	return s.term(item) + choose(yes, "为", "不是") + oneOf(values)
}

// oneOf lists values of which one is meant.
func oneOf(values []string) string {
	if len(values) < 2 {
		return strings.Join(values, "")
	}
	return strings.Join(values[:len(values)-1], "、") + "或" + values[len(values)-1]
}

// some says that an item of a list is so, or that all are: the two macros whose
// sense survives without naming the item.
func (s *speaker) some(c ast.ComprehensionExpr, yes bool) phrase {
	start, literal := c.AccuInit(), types.False
	if start.Kind() == ast.LiteralKind {
		literal, _ = start.AsLiteral().(types.Bool)
	}
	step := c.LoopStep()
	if start.Kind() != ast.LiteralKind || c.HasIterVar2() || step.Kind() != ast.CallKind || c.Result().Kind() != ast.IdentKind {
		return s.lose()
	}
	operator, all := step.AsCall().FunctionName(), bool(literal)
	if all && operator != operators.LogicalAnd || !all && operator != operators.LogicalOr {
		return s.lose()
	}
	s.items[c.IterVar()] = true
	said := s.truth(step.AsCall().Args()[1], true).within("")
	delete(s.items, c.IterVar())
	text := s.term(c.IterRange()) + choose(all, "中的每一项都满足：", "中至少有一项满足：") + said
	if !yes {
		text = "并非（" + text + "）"
	}
	return phrase{text: text, joined: choose(yes, "some", "")}
}

// field gives what `alias.field` names, or nil.
func (s *speaker) field(e ast.Expr) (*Dataset, *Field) {
	operand := e.AsSelect().Operand()
	if operand.Kind() != ast.IdentKind || s.items[operand.AsIdent()] || e.AsSelect().IsTestOnly() {
		return nil, nil
	}
	d := s.language.datasets[operand.AsIdent()]
	if d == nil {
		return nil, nil
	}
	return d, d.Field(e.AsSelect().FieldName())
}

func choose(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}

// apart sets a number or a date apart from the characters around it.
func apart(text string) string { return " " + text + " " }

// tidy leaves one space where two came together, and none beside a mark.
func tidy(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	return strings.NewReplacer(" ，", "，", "， ", "，", " ）", "）", "（ ", "（").Replace(text)
}

func plainNumber(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
