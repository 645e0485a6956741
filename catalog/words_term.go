package catalog

import (
	"strconv"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// comparisons are how two values are compared: numbers, dates, and a time that
// has passed. The opposite of each stands for its negation.
func comparisons() map[string]struct{ opposite, swapped, numbers, dates, passed string } {
	return map[string]struct{ opposite, swapped, numbers, dates, passed string }{
		operators.Equals:        {operators.NotEquals, operators.Equals, "等于", "是", "正好"},
		operators.NotEquals:     {operators.Equals, operators.NotEquals, "不等于", "不是", "不是"},
		operators.Less:          {operators.GreaterEquals, operators.Greater, "小于", "早于", "不满"},
		operators.LessEquals:    {operators.Greater, operators.GreaterEquals, "不超过", "不晚于", "不超过"},
		operators.Greater:       {operators.LessEquals, operators.Less, "大于", "晚于", "超过"},
		operators.GreaterEquals: {operators.Less, operators.LessEquals, "不低于", "不早于", "满"},
	}
}

// compare says how two values compare.
func (s *speaker) compare(operator string, left, right ast.Expr, yes bool) string {
	if left.Kind() == ast.LiteralKind && right.Kind() != ast.LiteralKind {
		left, right, operator = right, left, comparisons()[operator].swapped
	}
	if !yes {
		operator = comparisons()[operator].opposite
	}
	how, equality := comparisons()[operator], operator == operators.Equals || operator == operators.NotEquals
	if truth, ok := literalBool(right); ok && equality {
		return s.truth(left, truth == (operator == operators.Equals)).within("==")
	}
	if unit, from, to := elapsed(left); unit != "" {
		return "从" + s.term(from) + "到" + s.term(to) + how.passed + s.term(right) + unit
	}
	switch kind := s.tree.GetType(left.ID()).Kind(); {
	case kind == types.TimestampKind:
		return s.term(left) + how.dates + s.term(right)
	case kind == types.StringKind && equality:
		if value, ok := text(right); ok && value == "" {
			return s.term(left) + choose(operator == operators.Equals, "为空", "不为空")
		}
		return s.term(left) + choose(operator == operators.Equals, "为", "不是") + s.value(left, right)
	case kind == types.IntKind || kind == types.DoubleKind || kind == types.UintKind:
		return s.term(left) + how.numbers + s.term(right)
	}
	return s.lose().text
}

func literalBool(e ast.Expr) (bool, bool) {
	if e.Kind() != ast.LiteralKind {
		return false, false
	}
	v, ok := e.AsLiteral().(types.Bool)
	return bool(v), ok
}

// elapsed takes years(a, b) and months(a, b) apart.
func elapsed(e ast.Expr) (unit string, from, to ast.Expr) {
	if e.Kind() != ast.CallKind {
		return "", nil, nil
	}
	switch call := e.AsCall(); call.FunctionName() {
	case "years":
		return "年", call.Args()[0], call.Args()[1]
	case "months":
		return "个月", call.Args()[0], call.Args()[1]
	default:
		return "", nil, nil
	}
}

// value says a value as that of a fact: an option by its label.
func (s *speaker) value(of, e ast.Expr) string {
	value, ok := text(e)
	if !ok {
		return s.term(e)
	}
	if of.Kind() == ast.IdentKind && !s.items[of.AsIdent()] {
		if f := s.language.facts[of.AsIdent()]; f != nil {
			value = f.Label(value)
		}
	}
	if of.Kind() == ast.SelectKind && of.AsSelect().FieldName() == "kind" && isName(of.AsSelect().Operand(), nameSubject) {
		value = PartyKind(value).Name()
	}
	return "“" + value + "”"
}

func isName(e ast.Expr, name string) bool { return e.Kind() == ast.IdentKind && e.AsIdent() == name }

// term says what a value is.
func (s *speaker) term(e ast.Expr) string {
	switch e.Kind() {
	case ast.IdentKind:
		return s.name(e.AsIdent())
	case ast.SelectKind:
		return s.selected(e)
	case ast.LiteralKind:
		return s.literal(e)
	case ast.ListKind:
		values := make([]string, 0, e.AsList().Size())
		for _, element := range e.AsList().Elements() {
			values = append(values, s.term(element))
		}
		return strings.Join(values, "、")
	case ast.CallKind:
		return s.computed(e.AsCall(), s.tree.GetType(e.ID()).Kind() == types.StringKind)
	}
	return s.lose().text
}

func (s *speaker) name(name string) string {
	switch f := s.language.facts[name]; {
	case s.items[name]:
		return "该项"
	case f != nil:
		return topic(f.Ask)
	case name == nameToday:
		return "今天"
	}
	return s.lose().text
}

func (s *speaker) selected(e ast.Expr) string {
	if d, f := s.field(e); f != nil {
		return d.Name + "的“" + f.Name + "”"
	}
	field := e.AsSelect().FieldName()
	switch operand := e.AsSelect().Operand(); {
	case isName(operand, nameSubject):
		return "当事人的" + map[string]string{"name": "姓名或名称", "number": "号码", "kind": "类型"}[field]
	case isName(operand, nameParams):
		switch v := s.params[field].(type) {
		case string:
			return apart(v)
		case float64:
			return apart(plainNumber(v))
		case bool:
			return choose(v, "是", "否")
		}
		return apart("参数 " + field)
	}
	return s.lose().text
}

func (s *speaker) literal(e ast.Expr) string {
	switch v := e.AsLiteral().(type) {
	case types.String:
		return "“" + string(v) + "”"
	case types.Int:
		return apart(strconv.FormatInt(int64(v), 10))
	case types.Uint:
		return apart(strconv.FormatUint(uint64(v), 10))
	case types.Double:
		return apart(plainNumber(float64(v)))
	}
	return s.lose().text
}

// bare says a text without marks, to be read on.
func (s *speaker) bare(e ast.Expr) string {
	if value, ok := text(e); ok {
		return value
	}
	return strings.TrimSpace(s.term(e))
}

// computed says what a value is computed of.
func (s *speaker) computed(call ast.CallExpr, isText bool) string {
	args := call.Args()
	switch name := call.FunctionName(); name {
	case operators.Add:
		if isText {
			return s.bare(args[0]) + s.bare(args[1])
		}
		return s.term(args[0]) + "加" + s.term(args[1])
	case operators.Subtract:
		return s.term(args[0]) + "减" + s.term(args[1])
	case operators.Multiply:
		return s.term(args[0]) + "乘以" + s.term(args[1])
	case operators.Divide:
		return s.term(args[0]) + "除以" + s.term(args[1])
	case operators.Conditional:
		return "（如果" + s.truth(args[0], true).within("?") + "，为" + s.term(args[1]) + "，否则为" + s.term(args[2]) + "）"
	case "date":
		return s.bare(args[0])
	case "string", "int", "double":
		return s.term(args[0])
	case "months", "years":
		return "从" + s.term(args[0]) + "到" + s.term(args[1]) + choose(name == "months", "的整月数", "的整年数")
	case "size":
		if len(args) == 1 {
			return s.term(args[0]) + choose(s.tree.GetType(args[0].ID()).Kind() == types.StringKind, "的字数", "的项数")
		}
	case "getFullYear":
		if call.IsMemberFunction() && isName(call.Target(), nameToday) {
			return "今年"
		}
	}
	return s.lose().text
}
