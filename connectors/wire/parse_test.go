package wire

import (
	"bytes"
	"encoding/json"
	"io"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// reference reads as Parse does, by encoding/json, slowly.
func reference(text []byte) (any, bool) {
	if !utf8.Valid(text) {
		return nil, false
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if !scanReference(decoder, 0) {
		return nil, false
	}
	if _, err := decoder.Token(); err != io.EOF || !json.Valid(text) {
		return nil, false
	}
	var value any
	decoder = json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	err := decoder.Decode(&value)
	return value, err == nil
}

func scanReference(decoder *json.Decoder, depth int) bool {
	token, err := decoder.Token()
	if err != nil {
		return false
	}
	if text, is := token.(string); is {
		return !strings.ContainsAny(text, "\ufffd\x00")
	}
	if _, is := token.(json.Delim); !is {
		return true
	}
	if depth == maxDepth {
		return false
	}
	seen := map[string]bool{}
	for decoder.More() {
		if token == json.Delim('{') {
			name, err := decoder.Token()
			text, is := name.(string)
			if err != nil || !is || seen[fold(text)] || strings.ContainsAny(text, "\ufffd\x00") {
				return false
			}
			seen[fold(text)] = true
		}
		if !scanReference(decoder, depth+1) {
			return false
		}
	}
	_, err = decoder.Token()
	return err == nil
}

func checkAgainstReference(t *testing.T, text []byte) {
	t.Helper()
	want, good := reference(text)
	got, err := Parse(text)
	if (err == nil) != good {
		t.Fatalf("%q: got %v, encoding/json says %v", text, err, good)
	}
	if !reflect.DeepEqual(got, want) { // cmp takes 2^64 steps for the deepest
		t.Errorf("%q: got %#v, want %#v", text, got, want)
	}
}

func TestParse_ReadsAsEncodingJSONDoes(t *testing.T) {
	t.Parallel()
	many := func(last string) string {
		var out strings.Builder
		for i := range 40 {
			out.WriteString(`"n` + strings.Repeat("x", i) + `": [], `)
		}
		return "{" + out.String() + `"` + last + `": 1}`
	}
	for _, text := range []string{
		`{"a": {"b": [1, "x", null, true, false]}, "c": {}, "d": []}`, " \t\r\n[1]\n ", `""`, `"\"\\\/\b\f\n\r\t\u6d4e\u00e9"`, `"\ud83d\ude00"`, `"\ud83d\u0041"`,
		`"\ude00"`, `"\ud83d"`, `"\ud83dx"`, `"\ud83d\u"`, `"\u12"`, `"\u+123"`, `"\u1_23"`, `"\x"`, `"\`, `"abc`, "\"a\nb\"", "\"\x00\"", `"\u0000"`, `"\ufffd"`, "\"\ufffd\"",
		`0`, `-0`, `-`, `00`, `01`, `-01`, `1.`, `.5`, `1.5e+10`, `1e`, `1e-`, `1E5`, `+1`, `0x1`, `1_0`, `Infinity`, `12345678901234567890.1`,
		`tru`, `truex`, `nul`, `null`, `[1 2]`, `[1,]`, `[,1]`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{,}`, `{a:1}`, `{"a" 1}`, `[`, `{`, `{"a":1`, `]`, `}`, `[1}`, `{"a":1]`,
		`{"a":1,"A":2}`, `{"k":1,"\u212a":2}`, `{"a":1}{"b":2}`, ``, ` `, "\ufeff{}", "\xff", many("n"), many("NX"), many("other"), many("nxxxx\u0058"),
		strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth), strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1),
	} {
		checkAgainstReference(t, []byte(text))
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{`{"code":"0","data":[{"a":1.5e3,"A ":null}]}`, `"\ud83d\ude00"`, `[true,false,{"k":"\u212a"}]`, `-0.0e-1`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(checkAgainstReference)
}

// BenchmarkParse reads an answer of a department, by Parse and by encoding/json,
// in one run.
func BenchmarkParse(b *testing.B) {
	text := []byte(`{"code":"0","serial":"ZJ-2026-000017","data":[{"subject":{"name":"泉城示例置业有限公司","number":"91370102MA9X10033G"},"as_of":"2026-11-23T09:00:00+08:00",` +
		`"record":{"项目名称":"泉城示例住宅小区项目","项目代码":"2401-370199-04-01-100038","建设单位":"泉城示例置业有限公司","竣工日期":"2026-05-06","备案编号":"JNZJ-2026-0017","建筑面积":"12345.67"}}]}`)
	b.Run("parse", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Parse(text); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding-json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, good := reference(text); !good {
				b.Fatal("refused")
			}
		}
	})
}
