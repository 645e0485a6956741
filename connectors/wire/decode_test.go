package wire

import (
	"errors"
	"strings"
	"testing"

	"mianti/connectors"
)

func TestDecode_RefusesWhatIsNotStrictJSON(t *testing.T) {
	t.Parallel()
	nested := func(levels int) string { return strings.Repeat("[", levels) + strings.Repeat("]", levels) }
	cases := []struct {
		name, text string
		good       bool
	}{
		{"an object", `{"a": {"b": [1, "x", null, true]}}`, true},
		{"unknown names", `{"a": 1, "z": 2}`, true},
		{"the same name in two objects", `{"a": {"x": 1}, "b": {"x": 1}}`, true},
		{"blanks at the end", "{}\n ", true},
		{"as deep as allowed", nested(maxDepth), true},
		{"too deep", nested(maxDepth + 1), false},
		{"very deep", strings.Repeat("[", 100_000), false},
		{"a name twice", `{"a": 1, "a": 2}`, false},
		{"a name twice by case", `{"code": "9001", "CODE": "0"}`, false},
		{"a name twice by an old letter", `{"subject": 1, "ſubject": 2}`, false},
		{"a name twice by escape", `{"a": 1, "\u0061": 2}`, false},
		{"something after the end", `{} {}`, false},
		{"garbage after the end", `{}x`, false},
		{"empty", ``, false},
		{"cut off", `{"a": [1`, false},
		{"a byte order mark", "\ufeff{}", false},
		{"invalid UTF-8", "{\"a\": \"\xff\"}", false},
		{"half a surrogate pair", `{"a": "\ud83d"}`, false},
		{"lost characters", "{\"a\": \"王\ufffd\"}", false},
		{"NUL", `{"a": "\u0000"}`, false},
		{"NUL in a name", `{"a\u0000": 1}`, false},
		{"a page", `<html></html>`, false},
		{"a comment", `{"a": 1 /* x */}`, false},
		{"NaN", `{"a": NaN}`, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var into any
			err := Decode([]byte(c.text), &into)
			var fault *connectors.Fault
			switch {
			case c.good && err != nil:
				t.Errorf("got %v, want no fault", err)
			case !c.good && (!errors.As(err, &fault) || fault.Kind != connectors.FaultMalformed):
				t.Errorf("got %v, want fault malformed", err)
			}
		})
	}
}

func TestDecode_RefusesAnotherShapeWithoutQuotingIt(t *testing.T) {
	t.Parallel()
	var into struct {
		Data []string `json:"data"`
	}
	err := Decode([]byte(`{"data": 370199198805163315}`), &into)
	if connectors.KindOf(err) != connectors.FaultMalformed || strings.Contains(err.Error(), "3701") {
		t.Errorf("got %v, want fault malformed without the number", err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{`{"code":"0","data":[]}`, `[[[[]]]]`, `{"a":1,"A":2}`, `"\ud800"`, "\xff"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var into any
		if err := Decode(text, &into); err != nil && connectors.KindOf(err) != connectors.FaultMalformed {
			t.Errorf("got %v, want fault malformed", err)
		}
	})
}
