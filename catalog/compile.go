package catalog

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
)

// namePattern is how facts and aliases may be spelt.
var namePattern = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// problem is one thing wrong with an expression, with its place in the text;
// both count from 1.
type problem struct {
	line, column int
	code, reason string
}

// compilation is an expression with what was found out about it: a condition,
// or the problems that keep it from being one.
type compilation struct {
	condition *Condition
	problems  []problem
}

// condition compiles an expression over the facts.
func (l *language) condition(text string) *compilation {
	return l.compiled.once(expression{env: l.base, text: text}, func() *compilation {
		return l.compile(checkLanguage{env: l.base}, text, "unknown-fact", nil)
	})
}

// check compiles an expression over the records of these datasets. One that names
// no parameters means the same in every one-thing, and is compiled once for all.
func (l *language) check(in checkLanguage, text string, datasets []string) *compilation {
	known := in.own
	if known == nil || !strings.Contains(text, nameParams) {
		in, known = checkLanguage{env: l.checks}, l.compiled
	}
	return known.once(expression{in.env, text, strings.Join(datasets, " ")}, func() *compilation {
		return l.compile(in, text, "unknown-name", datasets)
	})
}

func (l *language) compile(in checkLanguage, text, undeclared string, datasets []string) *compilation {
	env := in.env
	tree, issues := env.Compile(text)
	if issues.Err() != nil {
		return &compilation{problems: problemsOf(issues, undeclared)}
	}
	if !tree.OutputType().IsExactType(cel.BoolType) {
		return &compilation{problems: []problem{{1, 1, "not-bool", "表达式的结果应为是或否（bool），现为 " + tree.OutputType().String()}}}
	}
	walk := walker{language: l, tree: tree.NativeRep(), allowed: datasets, facts: map[string]bool{}, reads: map[string]map[string]bool{}}
	walk.run()
	if len(walk.problems) > 0 {
		return &compilation{problems: walk.problems}
	}
	estimate, err := env.EstimateCost(tree, sizes{})
	if err != nil || estimate.Max > costLimit {
		return &compilation{problems: []problem{{1, 1, "too-costly", fmt.Sprintf("表达式的计算量过大（估计 %d，上限 %d），请减少嵌套的列表运算", estimate.Max, costLimit)}}}
	}
	condition, err := program(env, tree, walk)
	if err != nil {
		return &compilation{problems: []problem{{1, 1, "bad-expression", "表达式不能执行：" + err.Error()}}}
	}
	condition.text, condition.words = text, l.words(in.params, tree.NativeRep(), text)
	return &compilation{condition: condition}
}

func program(env *cel.Env, tree *cel.Ast, walk walker) (*Condition, error) {
	c := &Condition{facts: slices.Sorted(maps.Keys(walk.facts)), reads: map[string][]string{}, compared: walk.compared, entangled: walk.entangled}
	for dataset, fields := range walk.reads {
		c.reads[dataset] = slices.Sorted(maps.Keys(fields))
	}
	var err error
	if c.whole, err = env.Program(tree, cel.EvalOptions(cel.OptOptimize), cel.CostLimit(costLimitRunning)); err != nil {
		return nil, err
	}
	if c.partial, err = env.Program(tree, cel.EvalOptions(cel.OptOptimize, cel.OptPartialEval), cel.CostLimit(costLimitRunning)); err != nil {
		return nil, err
	}
	return c, nil
}

var (
	undeclaredName = regexp.MustCompile(`undeclared reference to '([^']*)'`)
	undefinedField = regexp.MustCompile(`undefined field '([^']*)'`)
)

func problemsOf(issues *cel.Issues, undeclared string) []problem {
	var problems []problem
	for _, e := range issues.Errors() {
		p := problem{line: max(e.Location.Line(), 1), column: max(e.Location.Column(), 0) + 1, code: "bad-expression"}
		switch name, field := undeclaredName.FindStringSubmatch(e.Message), undefinedField.FindStringSubmatch(e.Message); {
		case name != nil && !strings.HasPrefix(name[1], "_") && !strings.HasPrefix(name[1], "@"):
			p.code, p.reason = undeclared, fmt.Sprintf("没有名为 %s 的情形、数据资源或函数", name[1])
		case field != nil:
			p.code, p.reason = "unknown-field", fmt.Sprintf("没有名为 %s 的数据项或参数", field[1])
		default:
			p.reason = "表达式有误：" + firstLine(e.Message)
		}
		problems = append(problems, p)
	}
	return problems
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// walker looks through a checked expression for what its types do not tell.
type walker struct {
	language *language
	tree     *ast.AST
	allowed  []string // the datasets that the expression may read
	facts    map[string]bool
	reads    map[string]map[string]bool
	selected map[int64]bool // names that stand before a dot
	compared map[string][]any
	plain    map[int64]bool // names of facts that are held against literals
	// entangled are the facts that are used otherwise.
	entangled map[string]bool
	problems  []problem
}

func (w *walker) run() {
	w.selected, w.plain = map[int64]bool{}, map[int64]bool{}
	w.compared, w.entangled = map[string][]any{}, map[string]bool{}
	// A select comes before its operand, which is how a name that stands alone
	// is told from one before a dot.
	ast.PreOrderVisit(w.tree.Expr(), ast.NewExprVisitor(w.visit))
}

func (w *walker) visit(e ast.Expr) {
	switch e.Kind() {
	case ast.SelectKind:
		w.visitSelect(e)
	case ast.IdentKind:
		w.visitName(e)
	case ast.CallKind:
		w.visitCall(e)
	case ast.StructKind:
		w.report(e, "bad-expression", "表达式里不能构造对象")
	}
}

func (w *walker) report(e ast.Expr, code, reason string) {
	at := w.tree.SourceInfo().GetStartLocation(e.ID())
	w.problems = append(w.problems, problem{max(at.Line(), 1), max(at.Column(), 0) + 1, code, reason})
}

func (w *walker) visitSelect(e ast.Expr) {
	operand := e.AsSelect().Operand()
	if operand.Kind() != ast.IdentKind {
		return
	}
	w.selected[operand.ID()] = true
	dataset := w.language.datasets[operand.AsIdent()]
	if dataset == nil || !w.isRecord(operand) {
		return
	}
	if w.reads[dataset.Code] == nil {
		w.reads[dataset.Code] = map[string]bool{}
	}
	w.reads[dataset.Code][e.AsSelect().FieldName()] = true
}

// isRecord tells a dataset's alias from a variable of a macro with that name.
func (w *walker) isRecord(name ast.Expr) bool {
	return w.tree.GetType(name.ID()).TypeName() == "Record_"+name.AsIdent()
}

func (w *walker) visitName(e ast.Expr) {
	name := e.AsIdent()
	if w.language.facts[name] != nil {
		w.facts[name] = true
		if !w.plain[e.ID()] {
			w.entangled[name] = true
		}
		return
	}
	dataset := w.language.datasets[name]
	isRecord := dataset != nil && w.isRecord(e)
	switch {
	case isRecord && !slices.Contains(w.allowed, dataset.Code):
		w.report(e, "foreign-dataset", fmt.Sprintf("核验条件用到 %s，但这组证明不查 %s", name, dataset.Code))
	case w.selected[e.ID()]:
		return
	case isRecord || name == nameSubject || name == nameParams:
		w.report(e, "bad-expression", fmt.Sprintf("%s 后面要写出数据项，如 %s.name", name, name))
	}
}
