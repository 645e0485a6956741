package mapping_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/connectors/mapping"
)

func explained() *catalog.Source {
	return described(catalog.HTTPAnswer{
		Code: "/head/c", OK: []string{"0"}, NotFound: []string{"1"}, Records: "/d", Reference: "/no", SubjectName: "/xm", AsOf: "/t", Revoked: "/zt",
		Fields: map[string]string{"sex": "/base/xb"},
		Values: map[string]catalog.ValueOf{"sex": {Codes: map[string]string{"1": "男"}}},
	})
}

func TestExplain_SaysWhatIsWhereAndWhatComesOfIt(t *testing.T) {
	t.Parallel()
	s := explained()
	body := `{"head": {"c": "0"}, "no": "S-1", "d": [{"xm": "王建国", "zjhm": "` + number + `", "t": "2026-11-20 08:00:00", "base": {"xb": "9"}, "份数": null}]}`
	got := compile(t, s).Explain(query(s, "name", "sex", "copies"), 200, []byte(body), today())
	want := []mapping.Step{
		{Name: "HTTP 状态", Found: true, OK: true, Text: "200"},
		{Name: "数源状态", Pointer: "/head/c", Found: true, OK: true, Text: "成功"},
		{Name: "记录", Pointer: "/d", Found: true, OK: true, Text: "1 条"},
		{Name: "应答编号", Pointer: "/no", Found: true, OK: true},
		{Record: 1, Name: "当事人号码", Pointer: "/zjhm", Found: true, OK: true},
		{Record: 1, Name: "当事人名称", Pointer: "/xm", Found: true, OK: true},
		{Record: 1, Name: "数据时间", Pointer: "/t", Found: true, OK: true},
		{Record: 1, Name: "是否失效", Pointer: "/zt", OK: true},
		{Record: 1, Field: "name", Name: "姓名", Pointer: "/姓名", OK: true, Text: "类型 string"},
		{Record: 1, Field: "sex", Name: "性别", Pointer: "/base/xb", Found: true, Text: "类型 string"},
		{Record: 1, Field: "copies", Name: "份数", Pointer: "/份数", Found: true, OK: true, Text: "空值，按缺项处理"},
		{Name: "结论", Text: "应答与接口描述不符，不采信：field sex is not a string as it is described"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestExplain_EndsInTheVerdictAndHoldsNoValue(t *testing.T) {
	t.Parallel()
	secret := "不应出现"
	mine := `{"xm": "` + secret + `", "zjhm": "` + number + `", "姓名": "` + secret + `"}`
	for _, c := range []struct {
		name   string
		status int
		body   string
		want   string
		ok     bool
	}{
		{"a record", 200, `{"head": {"c": "0"}, "d": ` + mine + `}`, "查到 1 条记录", true},
		{"no record", 200, `{"head": {"c": "1"}, "d": null}`, "查无记录", true},
		{"somebody else", 200, `{"head": {"c": "0"}, "d": {"zjhm": "` + otherNumber + `", "xm": "` + secret + `"}}`, "记录不是所查的当事人，整个应答不采信", false},
		{"an unknown status", 200, `{"head": {"c": "` + secret + `"}, "d": []}`, "应答与接口描述不符，不采信：the answer has an unknown status, which is not described", false},
		{"no records", 200, `{"head": {"c": "0"}}`, "应答与接口描述不符，不采信：the answer has no records where they should be", false},
		{"too many records", 200, `{"head": {"c": "0"}, "d": [` + strings.Repeat("0,", 100) + `0]}`, "应答与接口描述不符，不采信：the answer has too many records", false},
		{"no JSON", 200, secret, "应答与接口描述不符，不采信：the answer is not JSON", false},
		{"refused", 403, secret, "数源拒绝：凭证或权限不对：HTTP status 403", false},
		{"busy", 429, "", "数源繁忙：HTTP status 429", false},
		{"out of order", 502, "", "数源故障：HTTP status 502", false},
	} {
		s := explained()
		steps := compile(t, s).Explain(query(s), c.status, []byte(c.body), today())
		last := steps[len(steps)-1]
		if last.Name != "结论" || last.Text != c.want || last.OK != c.ok {
			t.Errorf("%s: %+v, want %s", c.name, last, c.want)
		}
		for _, value := range []string{secret, number, otherNumber} {
			if strings.Contains(fmt.Sprint(steps), value) {
				t.Errorf("%s: the explanation holds %s", c.name, value)
			}
		}
	}
}
