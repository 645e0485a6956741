package evidence_test

import (
	"encoding/json"
	"math"
	"testing"

	"mianti/evidence"
)

func TestCanonical_IsThatOfRFC8785(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, in, want string }{
		{"§3.2.2", "{\"numbers\":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],\"string\":\"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\\"\\/\",\"literals\":[null,true,false]}",
			"{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],\"string\":\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}"},
		{"§3.2.3", "{\"\\u20ac\":1,\"\\r\":2,\"\\ufb33\":3,\"1\":4,\"\\ud83d\\ude00\":5,\"\\u0080\":6,\"\\u00f6\":7}",
			"{\"\\r\":2,\"1\":4,\"\u0080\":6,\"ö\":7,\"€\":1,\"😀\":5,\"\ufb33\":3}"},
		{"line separators and HTML stay", "\"\\u2028<>&\\u007f\"", "\"\u2028<>&\u007f\""},
		{"minus zero", "-0", "0"},
		{"beyond 2^53 a number is a double", "9007199254740993", "9007199254740992"},
		{"large and small", "[1e21,1e20,1e-6,1e-7]", "[1e+21,100000000000000000000,0.000001,1e-7]"},
	} {
		got, err := evidence.Canonical(json.RawMessage(c.in))
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %s %v\nwant %s", c.name, got, err, c.want)
		}
	}
	if _, err := evidence.Canonical(math.Inf(1)); err == nil {
		t.Error("infinity has a form")
	}
}
