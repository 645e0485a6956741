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
		w.compared(args[0], args[1])
		w.compared(args[1], args[0])
	case operators.In:
		w.member(args[0], args[1])
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

// compared checks `fact == 'literal'`.
func (w *walker) compared(name, literal ast.Expr) {
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
