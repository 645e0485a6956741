package mapping_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/connectors"
)

func TestRead_UnderstandsHowASourceWritesItsValues(t *testing.T) {
	t.Parallel()
	sex := catalog.ValueOf{Codes: map[string]string{"1": "男", "2": "女"}}
	long := strings.Repeat("长", 4001)
	for _, c := range []struct {
		name, field string
		as          catalog.ValueOf
		sent        string
		want        any // nil: no value
		fault       connectors.FaultKind
	}{
		{"a text", "sex", catalog.ValueOf{}, `"男"`, "男", ""},
		{"an empty text", "sex", catalog.ValueOf{}, `""`, "", ""},
		{"a number for a text", "sex", catalog.ValueOf{}, `1`, nil, connectors.FaultMalformed},
		{"a text that is too long", "sex", catalog.ValueOf{}, `"` + long + `"`, nil, connectors.FaultMalformed},
		{"a text as long as may be", "sex", catalog.ValueOf{}, `"` + long[3:] + `"`, long[3:], ""},
		{"a code", "sex", sex, `"1"`, "男", ""},
		{"a code that is a number", "sex", sex, `2`, "女", ""},
		{"a code that is not listed", "sex", sex, `"3"`, nil, connectors.FaultMalformed},
		{"a code's meaning for the code", "sex", sex, `"男"`, nil, connectors.FaultMalformed},
		{"no code", "sex", sex, `""`, nil, ""},
		{"no code, which means something", "sex", catalog.ValueOf{Codes: map[string]string{"": "未知"}}, `""`, "未知", ""},
		{"an object for a code", "sex", sex, `{}`, nil, connectors.FaultMalformed},
		{"a number", "copies", catalog.ValueOf{}, `2.50`, 2.5, ""},
		{"a number as text", "copies", catalog.ValueOf{}, `" 2.50 "`, 2.5, ""},
		{"a number that is none", "copies", catalog.ValueOf{}, `"两份"`, nil, connectors.FaultMalformed},
		{"a number without end", "copies", catalog.ValueOf{}, `1e999`, nil, connectors.FaultMalformed},
		{"a yes", "valid", catalog.ValueOf{}, `"是"`, true, ""},
		{"a coded yes", "valid", catalog.ValueOf{Codes: map[string]string{"Y": "true", "N": "false"}}, `"Y"`, true, ""},
		{"a coded no", "valid", catalog.ValueOf{Codes: map[string]string{"Y": "true", "N": "false"}}, `"N"`, false, ""},
		{"neither yes nor no", "valid", catalog.ValueOf{Codes: map[string]string{"Y": "true", "N": "false"}}, `"true"`, nil, connectors.FaultMalformed},
		{"a date", "registered_on", catalog.ValueOf{}, `"2024-05-06"`, "2024-05-06", ""},
		{"a date without dashes", "registered_on", catalog.ValueOf{Date: "YYYYMMDD"}, `"20240506"`, "2024-05-06", ""},
		{"the same as a number", "registered_on", catalog.ValueOf{Date: "YYYYMMDD"}, `20240506`, "2024-05-06", ""},
		{"a date in Chinese", "registered_on", catalog.ValueOf{Date: "YYYY年MM月DD日"}, `"2024年05月06日"`, "2024-05-06", ""},
		{"day and month", "registered_on", catalog.ValueOf{Date: "DD/MM/YYYY"}, `"05/06/2024"`, "2024-06-05", ""},
		{"month and day", "registered_on", catalog.ValueOf{Date: "MM_DD_YYYY"}, `"05_06_2024"`, "2024-05-06", ""},
		{"another layout than agreed", "registered_on", catalog.ValueOf{Date: "YYYYMMDD"}, `"2024-05-06"`, nil, connectors.FaultMalformed},
		{"a day that there is not", "registered_on", catalog.ValueOf{Date: "YYYYMMDD"}, `"20230229"`, nil, connectors.FaultMalformed},
		{"the year 0", "registered_on", catalog.ValueOf{Date: "YYYYMMDD"}, `"00000101"`, nil, connectors.FaultMalformed},
		{"without end", "registered_on", catalog.ValueOf{Date: "YYYYMMDD"}, `"长期"`, "9999-12-31", ""},
		{"no date", "registered_on", catalog.ValueOf{Date: "YYYYMMDD"}, `""`, nil, ""},
		{"a truth for a date", "registered_on", catalog.ValueOf{Date: "YYYYMMDD"}, `true`, nil, connectors.FaultMalformed},
		{"a list", "partners", catalog.ValueOf{}, `["甲、乙", "丙"]`, []string{"甲、乙", "丙"}, ""},
		{"a list as text", "partners", catalog.ValueOf{}, `"甲、乙；丙"`, []string{"甲", "乙", "丙"}, ""},
		{"a list with its own separator", "partners", catalog.ValueOf{Split: "|"}, `"甲、乙| |丙"`, []string{"甲、乙", "丙"}, ""},
		{"a coded list", "partners", catalog.ValueOf{Split: ",", Codes: map[string]string{"1": "甲", "2": "乙"}}, `"2,1"`, []string{"乙", "甲"}, ""},
		{"a coded list of numbers", "partners", catalog.ValueOf{Codes: map[string]string{"1": "甲"}}, `[1, 1]`, []string{"甲", "甲"}, ""},
		{"a list with a code that is not listed", "partners", catalog.ValueOf{Split: ",", Codes: map[string]string{"1": "甲"}}, `"1,2"`, nil, connectors.FaultMalformed},
		{"an object in a list", "partners", catalog.ValueOf{Split: ","}, `[{}]`, nil, connectors.FaultMalformed},
		{"a list that is too long", "partners", catalog.ValueOf{}, `[` + strings.Repeat(`"x",`, 1000) + `"x"]`, nil, connectors.FaultMalformed},
		{"the same as text", "partners", catalog.ValueOf{Split: ","}, `"` + strings.Repeat("x,", 1001) + `"`, nil, connectors.FaultMalformed},
		{"a long item", "partners", catalog.ValueOf{}, `["` + long + `"]`, nil, connectors.FaultMalformed},
		{"null", "partners", catalog.ValueOf{Split: ","}, `null`, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := described(catalog.HTTPAnswer{
				Records: "/d", Fields: map[string]string{c.field: "/in/0/a~1b"}, Values: map[string]catalog.ValueOf{c.field: c.as},
			})
			got, err := read(t, s, `{"d": {"zjhm": "`+number+`", "in": [{"a/b": `+c.sent+`}]}}`, c.field)
			wantFault(t, err, c.fault)
			if err != nil {
				return
			}
			want := map[string]any{}
			if c.want != nil {
				want[c.field] = c.want
			}
			if diff := cmp.Diff(want, got.Records[0].Fields); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestRead_FindsFieldsInsideARecord(t *testing.T) {
	t.Parallel()
	a := catalog.HTTPAnswer{Records: "/d", Record: "/in", Fields: map[string]string{"sex": "/base/xb", "copies": "/list/1/fs"}}
	for _, c := range []struct {
		name, rest string
		want       map[string]any
		fault      connectors.FaultKind
	}{
		{"all", `"in": {"姓名": "甲"}, "base": {"xb": "男"}, "list": [{}, {"fs": 2}]`, map[string]any{"name": "甲", "sex": "男", "copies": 2.0}, ""},
		{"none", `"in": {}`, map[string]any{}, ""},
		{"null on the way", `"in": {}, "base": null, "list": null`, map[string]any{}, ""},
		{"a short list on the way", `"in": {}, "list": [{}]`, map[string]any{}, ""},
		{"a text on the way", `"in": {}, "base": "无"`, nil, connectors.FaultMalformed},
		{"a field in another case", `"in": {}, "Base": {"xb": "男"}`, map[string]any{}, ""},
		{"no content", `"base": {"xb": "男"}`, nil, connectors.FaultMalformed},
		{"a list for the content", `"in": []`, nil, connectors.FaultMalformed},
		{"a wrong type where nobody asks", `"in": {"登记日期": 17}`, map[string]any{}, ""},
	} {
		got, err := read(t, described(a), `{"d": {"zjhm": "`+number+`", `+c.rest+`}}`, "name", "sex", "copies")
		wantFault(t, err, c.fault)
		if err == nil {
			if diff := cmp.Diff(c.want, got.Records[0].Fields); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.name, diff)
			}
		}
	}
}
