package policies

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"
)

// TestReasonOfDecision_EveryReasonIsSaidInWords reads the reasons from the
// source, so that a new one cannot be forgotten.
func TestReasonOfDecision_EveryReasonIsSaidInWords(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "decide.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); !ok || kind.Name != "ReasonOfDecision" {
			return true
		}
		literal, _ := spec.Values[0].(*ast.BasicLit)
		reason, err := strconv.Unquote(literal.Value)
		if err != nil {
			t.Fatal(err)
		}
		count++
		if ReasonOfDecision(reason).Text() == ReasonOfDecision("odd").Text() {
			t.Errorf("no text for %s", reason)
		}
		return true
	})
	if count < 20 || count != len(reasonTexts()) {
		t.Errorf("%d reasons and %d texts, want the same", count, len(reasonTexts()))
	}
}
