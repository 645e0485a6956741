package catalog

import (
	"fmt"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// visitCall looks at the literals that a fact is compared with, and at the
// dates that are written out. CEL takes an enum for a text, so that a slip of
// the pen would otherwise be a condition that never holds.
func (w *walker) visitCall(e ast.Expr) {
	call := e.AsCall()
	args := call.Args()
	switch call.FunctionName() {
	case operators.Equals, operators.NotEquals:
		w.equals(args[0], args[1])
		w.equals(args[1], args[0])
		w.against(args[0], args[1])
		w.against(args[1], args[0])
	case operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals:
		w.against(args[0], args[1])
		w.against(args[1], args[0])
	case operators.In:
		w.member(args[0], args[1])
		w.among(args[0], args[1])
	case "date":
		w.date(args[0])
	}
}

// fact gives the fact with options that an expression names, or nil.
func (w *walker) fact(e ast.Expr) *Fact {
	if e.Kind() != ast.IdentKind {
		return nil
	}
	if f := w.language.facts[e.AsIdent()]; f != nil && (f.Type == FactEnum || f.Type == FactSet) {
		return f
	}
	return nil
}

// against notes the literal that a fact is held against.
func (w *walker) against(name, literal ast.Expr) {
	value, ok := plainLiteral(literal)
	if !ok || name.Kind() != ast.IdentKind || w.language.facts[name.AsIdent()] == nil {
		return
	}
	w.plain[name.ID()] = true
	w.compared[name.AsIdent()] = append(w.compared[name.AsIdent()], value)
}

// among notes the literals of `fact in ['literal', …]` and `'literal' in fact`.
func (w *walker) among(item, list ast.Expr) {
	w.against(list, item)
	if list.Kind() != ast.ListKind {
		return
	}
	for _, literal := range list.AsList().Elements() {
		if _, ok := plainLiteral(literal); !ok {
			return // the name stays entangled
		}
	}
	for _, literal := range list.AsList().Elements() {
		w.against(item, literal)
	}
}

// plainLiteral gives a literal as a fact's value has it.
func plainLiteral(e ast.Expr) (any, bool) {
	if e.Kind() != ast.LiteralKind {
		return nil, false
	}
	switch v := e.AsLiteral().(type) {
	case types.Bool:
		return bool(v), true
	case types.String:
		return string(v), true
	case types.Int:
		return float64(v), true
	case types.Uint:
		return float64(v), true
	case types.Double:
		return float64(v), true
	default:
		return nil, false
	}
}

// equals checks `fact == 'literal'`.
func (w *walker) equals(name, literal ast.Expr) {
	if f := w.fact(name); f != nil && f.Type == FactEnum {
		w.option(f, literal)
	}
}

// member checks `fact in ['literal', …]` and `'literal' in fact`.
func (w *walker) member(item, list ast.Expr) {
	if f := w.fact(list); f != nil && f.Type == FactSet {
		w.option(f, item)
	}
	f := w.fact(item)
	if f == nil || f.Type != FactEnum || list.Kind() != ast.ListKind {
		return
	}
	for _, literal := range list.AsList().Elements() {
		w.option(f, literal)
	}
}

func (w *walker) option(f *Fact, literal ast.Expr) {
	if value, ok := text(literal); ok && !f.has(value) {
		w.report(literal, "unknown-option", fmt.Sprintf("情形 %s 没有选项 %q，应为：%s", f.Code, value, f.optionList()))
	}
}

// date checks a date that is written out.
func (w *walker) date(e ast.Expr) {
	value, ok := text(e)
	if !ok {
		return
	}
	if _, err := parseDate(value); err != nil {
		w.report(e, "bad-expression", fmt.Sprintf("%q 不是日期，应写成 date('2006-01-02')", value))
	}
}

func text(e ast.Expr) (string, bool) {
	if e.Kind() != ast.LiteralKind {
		return "", false
	}
	s, ok := e.AsLiteral().(types.String)
	return string(s), ok
}
