package wire

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/connectors"
)

func TestValue_TakesTheSpellingsThatDepartmentsUse(t *testing.T) {
	t.Parallel()
	cases := []struct {
		kind catalog.FieldType
		raw  string
		want any // nil: refused
	}{
		{catalog.FieldString, `"王建国"`, "王建国"},
		{catalog.FieldString, `""`, ""},
		{catalog.FieldString, `370199`, nil},
		{catalog.FieldString, `true`, nil},
		{catalog.FieldString, `["a"]`, nil},
		{catalog.FieldNumber, `12.5`, 12.5},
		{catalog.FieldNumber, `"12.5"`, 12.5},
		{catalog.FieldNumber, `"-3"`, -3.0},
		{catalog.FieldNumber, `" 7 "`, 7.0},
		{catalog.FieldNumber, `1e400`, nil},
		{catalog.FieldNumber, `"NaN"`, nil},
		{catalog.FieldNumber, `"Inf"`, nil},
		{catalog.FieldNumber, `"0x10"`, nil},
		{catalog.FieldNumber, `"1,000"`, nil},
		{catalog.FieldNumber, `"12平方米"`, nil},
		{catalog.FieldNumber, `"1.2.3"`, nil},
		{catalog.FieldNumber, `true`, nil},
		{catalog.FieldBool, `true`, true},
		{catalog.FieldBool, `"false"`, false},
		{catalog.FieldBool, `"有"`, true},
		{catalog.FieldBool, `"无"`, false},
		{catalog.FieldBool, `"是"`, true},
		{catalog.FieldBool, `"否"`, false},
		{catalog.FieldBool, `"1"`, true},
		{catalog.FieldBool, `0`, false},
		{catalog.FieldBool, `2`, nil},
		{catalog.FieldBool, `"可能"`, nil},
		{catalog.FieldDate, `"2026-11-23"`, "2026-11-23"},
		{catalog.FieldDate, `"20261123"`, "2026-11-23"},
		{catalog.FieldDate, `"2026-11-23T08:00:00+08:00"`, "2026-11-23"},
		{catalog.FieldDate, `"2026-11-22T16:00:00Z"`, "2026-11-23"}, // midnight in China
		{catalog.FieldDate, `"长期"`, "9999-12-31"},
		{catalog.FieldDate, `"99991231"`, "9999-12-31"},
		{catalog.FieldDate, `"2026-02-30"`, nil},
		{catalog.FieldDate, `"0000-00-00"`, nil},
		{catalog.FieldDate, `"0000-01-01"`, nil},
		{catalog.FieldDate, `"2026年11月23日"`, nil},
		{catalog.FieldDate, `20261123`, nil},
		{catalog.FieldList, `["甲", "乙"]`, []string{"甲", "乙"}},
		{catalog.FieldList, `"甲、乙；丙; 丁"`, []string{"甲", "乙", "丙", "丁"}},
		{catalog.FieldList, `[]`, []string{}},
		{catalog.FieldList, `["甲", 1]`, nil},
		{catalog.FieldList, `{"a": 1}`, nil},
		{catalog.FieldType("other"), `"x"`, nil},
	}
	for _, c := range cases {
		t.Run(string(c.kind)+" "+c.raw, func(t *testing.T) {
			t.Parallel()
			got, ok := Value(c.kind, json.RawMessage(c.raw))
			if ok != (c.want != nil) {
				t.Fatalf("ok is %v with %v, want %v", ok, got, c.want)
			}
			if diff := cmp.Diff(c.want, got); ok && diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestFields_KeepsTheWantedOnesAndLeavesOutWhatIsNotSent(t *testing.T) {
	t.Parallel()
	dataset := &catalog.Dataset{Fields: []catalog.Field{
		{Code: "name", Name: "姓名", Type: catalog.FieldString},
		{Code: "valid_to", Name: "有效期止", Type: catalog.FieldDate},
		{Code: "area", Name: "面积", Type: catalog.FieldNumber},
		{Code: "address", Name: "住址", Type: catalog.FieldString},
	}}
	record := map[string]json.RawMessage{
		"姓名": json.RawMessage(`"王建国"`), "有效期止": json.RawMessage(`""`), "面积": json.RawMessage(` null`),
		"住址": json.RawMessage(`17`), "其他": json.RawMessage(`"x"`),
	}
	got, err := Fields(dataset, []string{"name", "valid_to", "area"}, record)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"name": "王建国"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	_, err = Fields(dataset, []string{"address"}, record)
	if connectors.KindOf(err) != connectors.FaultMalformed {
		t.Errorf("a number for a text gives %v, want fault malformed", err)
	}
}

func FuzzValue(f *testing.F) {
	for _, seed := range []string{`"2026-11-23"`, `1e5`, `"甲、乙"`, `[1]`, `null`, `{`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if value, ok := Value(catalog.FieldDate, raw); ok {
			if _, err := time.Parse(time.DateOnly, value.(string)); err != nil {
				t.Errorf("%q is taken for the date %q", raw, value)
			}
		}
		for _, kind := range []catalog.FieldType{catalog.FieldString, catalog.FieldNumber, catalog.FieldBool, catalog.FieldList} {
			if value, ok := Value(kind, raw); ok && value == nil {
				t.Errorf("%q is taken for a %s without a value", raw, kind)
			}
		}
	})
}
