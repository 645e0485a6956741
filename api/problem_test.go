package api_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// codesIn gives the problem codes that a package's sources name: the second
// argument of fault.New, and of the helpers that hand it on.
func codesIn(t *testing.T, folder string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no sources in %s: %v", folder, err)
	}
	codes := map[string]bool{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) < 2 || !makesFault(call.Fun) {
				return true
			}
			if literal, ok := call.Args[1].(*ast.BasicLit); ok {
				code, _ := strconv.Unquote(literal.Value)
				codes[code] = true
			}
			return true
		})
	}
	return codes
}

func makesFault(fun ast.Expr) bool {
	switch f := fun.(type) {
	case *ast.SelectorExpr:
		owner, ok := f.X.(*ast.Ident)
		return ok && owner.Name == "fault" && f.Sel.Name == "New"
	case *ast.Ident:
		return f.Name == "unknownSubject"
	}
	return false
}

func TestProblems_ExplainEveryCodeThatIsUsed(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	codes := codesIn(t, "../exchange")
	for _, known := range []string{"invalid-case", "unknown-one-thing", "not-recorded"} {
		if !codes[known] {
			t.Errorf("the search for codes does not find %s", known)
		}
	}
	for code := range codesIn(t, ".") {
		codes[code] = true
	}
	for code := range codes {
		w := h.send(request(http.MethodGet, "/problems/"+code, ""))
		var got struct{ Type, Title, Explanation string }
		if decode(t, w, &got); w.Code != 200 || got.Type != "/problems/"+code || got.Title == "" || got.Explanation == "" {
			t.Errorf("%s: %d %s", code, w.Code, w.Body)
		}
	}
	wantProblem(t, h.send(request(http.MethodGet, "/problems/nothing", "")), 404, "unknown")
}

func TestProblem_OfARequestThatCannotBeRead(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	token := "Bearer " + h.token(ownSystem)
	good := opening("JN-1")
	deep := `{"facts":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`
	for name, tc := range map[string]struct {
		body    string
		headers []string
		status  int
		code    string
		detail  string // code of the first error
	}{
		"broken JSON":         {`{"number":`, nil, 400, "invalid-json", "syntax"},
		"trailing data":       {good + `{}`, nil, 400, "invalid-json", "syntax"},
		"duplicate key":       {`{"number":"a","number":"b"}`, nil, 400, "invalid-json", "duplicate-key"},
		"key in two cases":    {`{"number":"a","Number":"b"}`, nil, 400, "invalid-json", "duplicate-key"},
		"broken UTF-8":        {"{\"number\":\"\xff\"}", nil, 400, "invalid-json", "utf-8"},
		"lone surrogate":      {`{"number":"\ud800"}`, nil, 400, "invalid-json", "unstorable-text"},
		"NUL":                 {`{"number":"a\u0000"}`, nil, 400, "invalid-json", "unstorable-text"},
		"byte order mark":     {"\ufeff" + good, nil, 400, "invalid-json", "syntax"},
		"number out of range": {`{"facts":{"a":1e400}}`, nil, 400, "invalid-json", "number"},
		"too deep":            {deep, nil, 400, "invalid-json", "too-deep"},
		"no body":             {"", nil, 400, "missing-body", ""},
		"too large":           {`{"number":"` + strings.Repeat("a", 70<<10) + `"}`, nil, 413, "too-large", ""},
		"form":                {"a=b", []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, "unsupported-media-type", ""},
		"other charset":       {good, []string{"Content-Type", "application/json; charset=gbk"}, 415, "unsupported-media-type", ""},
		"compressed":          {good, []string{"Content-Type", "application/json", "Content-Encoding", "gzip"}, 415, "unsupported-media-type", ""},
		"no content type":     {good, []string{"Content-Type", ""}, 415, "unsupported-media-type", ""},
		"wants XML":           {good, []string{"Content-Type", "application/json", "Accept", "application/xml"}, 406, "not-acceptable", ""},
		"wants no JSON":       {good, []string{"Content-Type", "application/json", "Accept", "application/json;q=0"}, 406, "not-acceptable", ""},
		"too many parties":    {`{"number":"a","parties":[` + strings.Repeat(`{"id":"p","roles":[],"kind":"person","name":"n"},`, 500) + `{"id":"p","roles":[],"kind":"person","name":"n"}]}`, nil, 422, "invalid-request", "too-many"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			headers := tc.headers
			if headers == nil {
				headers = []string{"Content-Type", "application/json"}
			}
			w := h.send(request(http.MethodPost, "/v1/cases", tc.body, append(headers, "Authorization", token)...))
			p := wantProblem(t, w, tc.status, tc.code)
			if tc.detail != "" && (len(p.Errors) == 0 || p.Errors[0].Code != tc.detail) {
				t.Errorf("errors %v, want the code %s", p.Errors, tc.detail)
			}
		})
	}
	if len(h.memory.cases) != 0 {
		t.Error("a refused request opened a case")
	}
}

func TestProblem_OfAnAddressOrMethod(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	wantProblem(t, h.send(request(http.MethodGet, "/v1/nothing", "")), 404, "no-such-route")
	wantProblem(t, h.call(ownSystem, http.MethodGet, "/v1/cases/", ""), 404, "no-such-route")
	w := h.send(request(http.MethodDelete, "/v1/cases/x", ""))
	wantProblem(t, w, 405, "method-not-allowed")
	if w.Header().Get("Allow") != "GET" {
		t.Errorf("Allow: %q", w.Header().Get("Allow"))
	}
	p := wantProblem(t, h.call(ownSystem, http.MethodGet, "/v1/matters?sort=name", ""), 422, "invalid-request")
	if len(p.Errors) != 1 || p.Errors[0].Code != "unknown-parameter" || p.Errors[0].Location != "query.sort" {
		t.Errorf("errors %v", p.Errors)
	}
}

func FuzzDecodeCase(f *testing.F) {
	h := newHarness(f)
	token := "Bearer " + h.token(ownSystem)
	f.Add(opening("JN-1"))
	f.Add(`{"number":null,"parties":[null],"facts":{"premises":{"a":[1e9,true,null]}}}`)
	f.Add(`[{}]`)
	f.Add("{\"number\":\"\\ud800\xff\"}")
	f.Fuzz(func(t *testing.T, body string) {
		w := h.send(request(http.MethodPost, "/v1/cases", body, "Content-Type", "application/json", "Authorization", token))
		if w.Code >= 500 {
			t.Errorf("%d for %q: %s", w.Code, body, w.Body)
		}
		if w.Code >= 400 && w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%d is no problem: %s", w.Code, w.Body)
		}
	})
}
