package mapping_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/mapping"
)

// read reads an answer with status 200.
func read(t *testing.T, s *catalog.Source, body string, fields ...string) (connectors.Reply, error) {
	t.Helper()
	reply, _, err := compile(t, s).Read(query(s, fields...), 200, []byte(body), today())
	return reply, err
}

func TestRead_BelievesNoPlainAnswerThatBreaksTheInterface(t *testing.T) {
	t.Parallel()
	item := func(subject, record string) string {
		return `{"code": "0", "data": [{"subject": ` + subject + `, "record": ` + record + `}]}`
	}
	mine := `{"name": "王建国", "number": "` + number + `"}`
	other := `{"name": "王建国", "number": "` + otherNumber + `"}`
	for _, c := range []struct {
		name, body string
		want       connectors.FaultKind
	}{
		{"none", `{"code": "0", "data": []}`, ""},
		{"null for a list, as a failed serialisation looks", `{"code": "0", "data": null}`, connectors.FaultMalformed},
		{"one", item(mine, `{"姓名": "王建国"}`), ""},
		{"a code that is a number", `{"code": 0, "data": []}`, ""},
		{"no code", `{"data": []}`, connectors.FaultMalformed},
		{"null for the code", `{"code": null, "data": []}`, connectors.FaultMalformed},
		{"an object for the code", `{"code": {"a": "0"}, "data": []}`, connectors.FaultMalformed},
		{"almost the code", `{"code": "0 ", "data": []}`, connectors.FaultMalformed},
		{"busy", `{"code": "9001", "data": []}`, connectors.FaultBusy},
		{"busy, with a record", strings.Replace(item(mine, `{}`), `"0"`, `"9001"`, 1), connectors.FaultBusy},
		{"an unknown code", `{"code": "9002", "data": []}`, connectors.FaultMalformed},
		{"no data", `{"code": "0"}`, connectors.FaultMalformed},
		{"an object without a subject", `{"code": "0", "data": {}}`, connectors.FaultMalformed},
		{"a text for data", `{"code": "0", "data": "无"}`, connectors.FaultMalformed},
		{"a null record", `{"code": "0", "data": [null]}`, connectors.FaultMalformed},
		{"a text for a record", `{"code": "0", "data": ["无"]}`, connectors.FaultMalformed},
		{"no subject", `{"code": "0", "data": [{"record": {}}]}`, connectors.FaultMalformed},
		{"an empty number", item(`{"name": "王建国", "number": ""}`, `{}`), connectors.FaultMalformed},
		{"a number that is one", item(`{"name": "王建国", "number": `+number+`}`, `{}`), connectors.FaultMalformed},
		{"no name", item(`{"number": "`+number+`"}`, `{}`), connectors.FaultMalformed},
		{"no content", `{"code": "0", "data": [{"subject": ` + mine + `}]}`, connectors.FaultMalformed},
		{"null for the content", item(mine, `null`), connectors.FaultMalformed},
		{"a wrong type", item(mine, `{"姓名": 17}`), connectors.FaultMalformed},
		{"two codes", `{"code": "9001", "Code": "0", "data": []}`, connectors.FaultMalformed},
		{"more after the end", `{"code": "0", "data": []}{}`, connectors.FaultMalformed},
		{"damaged text", item(mine, `{"姓名": "王\ufffd国"}`), connectors.FaultMalformed},
		{"not UTF-8", item(mine, "{\"姓名\": \"\xcd\xf5\"}"), connectors.FaultMalformed},
		{"nothing", ``, connectors.FaultMalformed},
		{"null", `null`, connectors.FaultMalformed},
		{"somebody else", item(other, `{}`), connectors.FaultWrongSubject},
		{"somebody else, and no record to speak of", item(other, `17`), connectors.FaultWrongSubject},
		{"somebody else after a record that cannot be read", strings.Replace(item(mine, `{"份数": "many"}`), `}]}`, `}, {"subject": `+other+`, "record": {}}]}`, 1), connectors.FaultWrongSubject},
		{"somebody else after nobody", `{"code": "0", "data": [{}, {"subject": ` + other + `}]}`, connectors.FaultWrongSubject},
		{"too many", `{"code": "0", "data": [` + strings.Repeat(`{},`, 100) + `{}]}`, connectors.FaultMalformed},
		{"a long serial", `{"code": "0", "serial": "` + strings.Repeat("长", 129) + `", "data": []}`, connectors.FaultMalformed},
		{"a serial of two lines", `{"code": "0", "serial": "1\n2", "data": []}`, connectors.FaultMalformed},
		{"an object for the serial", `{"code": "0", "serial": {}, "data": []}`, connectors.FaultMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := read(t, &catalog.Source{Path: "/q"}, c.body)
			wantFault(t, err, c.want)
			for _, secret := range []string{number, otherNumber, "王"} {
				if err != nil && strings.Contains(err.Error(), secret) {
					t.Errorf("the fault holds %s: %v", secret, err)
				}
			}
		})
	}
}

func TestRead_PassesOnWhatTheSourceSaysAndWasAskedFor(t *testing.T) {
	t.Parallel()
	got, err := read(t, &catalog.Source{Path: "/q"}, `{"code": "0", "serial": "S-17", "data": [{"subject": {"name": "王建國", "number": "`+number+`"},
		"as_of": "2026-11-23T09:00:00+08:00", "revoked": true,
		"record": {"姓名": "王建國", "登记日期": "20300101", "性别": "男", "份数": "2.5", "双方": "甲、乙", "有效": null, "备注": "x"}}]}`,
		"name", "registered_on", "copies", "partners", "valid")
	if err != nil {
		t.Fatal(err)
	}
	want := connectors.Reply{Reference: "S-17", Records: []connectors.Record{{
		Subject: connectors.Subject{Kind: catalog.KindPerson, Name: "王建國", Number: number},
		Fields:  map[string]any{"name": "王建國", "registered_on": "2030-01-01", "copies": 2.5, "partners": []string{"甲", "乙"}},
		Revoked: true, AsOf: time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC),
	}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRead_KnowsEveryWayToSayNoRecord(t *testing.T) {
	t.Parallel()
	withCode := catalog.HTTPAnswer{Code: "/c", OK: []string{"200"}, NotFound: []string{"404"}, Refused: []string{"401"}, Busy: []string{"429"}, Records: "/d"}
	byStatus := withCode
	byStatus.NotFoundStatus = []int{404}
	bare := catalog.HTTPAnswer{Records: "/d"}
	bareStatus := catalog.HTTPAnswer{Records: "/d", NotFoundStatus: []int{404}}
	whole := catalog.HTTPAnswer{Records: "", Code: "/c", OK: []string{"200"}, NotFound: []string{"404"}}
	one := `{"zjhm": "` + number + `"}`
	for _, c := range []struct {
		name   string
		answer catalog.HTTPAnswer
		status int
		body   string
		want   connectors.FaultKind
	}{
		{"by an empty list", bare, 200, `{"d": []}`, ""},
		{"by null", bare, 200, `{"d": null}`, ""},
		{"by nothing at all", bare, 200, `{}`, connectors.FaultMalformed},
		{"by an empty object", bare, 200, `{"d": {}}`, connectors.FaultMalformed},
		{"by code", withCode, 200, `{"c": 404}`, ""},
		{"by code, with null", withCode, 200, `{"c": "404", "d": null}`, ""},
		{"by code, with an empty object", withCode, 200, `{"c": "404", "d": {}}`, ""},
		{"by code, with a text", withCode, 200, `{"c": "404", "d": "查无此人"}`, ""},
		{"by code in the record's own place", whole, 200, `{"c": "404"}`, ""},
		{"by code, with a record all the same", withCode, 200, `{"c": "404", "d": [` + one + `]}`, connectors.FaultMalformed},
		{"by code, refused", withCode, 200, `{"c": "401", "d": []}`, connectors.FaultRefused},
		{"by code, busy", withCode, 200, `{"c": "429", "d": []}`, connectors.FaultBusy},
		{"by code, unknown", withCode, 200, `{"c": "500", "d": []}`, connectors.FaultMalformed},
		{"by status", byStatus, 404, `{"c": 404}`, ""},
		{"by status, with an empty list", byStatus, 404, `{"c": 200, "d": []}`, ""},
		{"by status alone", bareStatus, 404, ``, ""},
		{"by status alone, with a page", bareStatus, 404, `<html>404</html>`, ""},
		{"by status, without a text", byStatus, 404, ``, connectors.FaultMalformed},
		{"by status, with a gateway's page", byStatus, 404, `<html>404</html>`, connectors.FaultMalformed},
		{"by status, without a code", byStatus, 404, `{"error": "no such route"}`, connectors.FaultMalformed},
		{"by status, with an unknown code", byStatus, 404, `{"c": 7777}`, connectors.FaultMalformed},
		{"by status, with success and nothing", byStatus, 404, `{"c": 200}`, connectors.FaultMalformed},
		{"by status, with success and a record", byStatus, 404, `{"c": 200, "d": [` + one + `]}`, connectors.FaultMalformed},
		{"by status, with a record all the same", byStatus, 404, `{"c": 404, "d": [` + one + `]}`, connectors.FaultMalformed},
		{"by status, but refused", byStatus, 404, `{"c": 401}`, connectors.FaultRefused},
		{"by status, but busy", byStatus, 404, `{"c": 429}`, connectors.FaultBusy},
		{"by a status that was not agreed", withCode, 404, `{"c": 404}`, connectors.FaultMalformed},
		{"by no content", byStatus, 204, ``, connectors.FaultMalformed},
		{"unauthorized", byStatus, 401, `{"c": 404}`, connectors.FaultRefused},
		{"forbidden", byStatus, 403, `{"c": 404}`, connectors.FaultRefused},
		{"too many requests", byStatus, 429, `{"c": 404}`, connectors.FaultBusy},
		{"error", byStatus, 500, `{"c": 404}`, connectors.FaultDown},
		{"moved", byStatus, 302, `{"c": 404}`, connectors.FaultMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := described(c.answer)
			reply, _, err := compile(t, s).Read(query(s), c.status, []byte(c.body), today())
			wantFault(t, err, c.want)
			if len(reply.Records) > 0 {
				t.Errorf("%d records", len(reply.Records))
			}
		})
	}
}

func TestRead_ComparesTheNumberAsItIsIssued(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		asked, answered string
		want            connectors.FaultKind
	}{
		{"37019919910914262X", "37019919910914262X", ""},
		{"37019919910914262X", "37019919910914262x", ""},
		{"37019919910914262x", "37019919910914262X", ""},
		{"91370102MA9X00011G", "91370102ma9x00011g", ""},
		{"37019919910914262X", "37019919910914262Ｘ", connectors.FaultWrongSubject}, // full width
		{number, number + " ", connectors.FaultWrongSubject},
		{number, "0" + number, connectors.FaultWrongSubject},
		{number, number[:17], connectors.FaultWrongSubject},
		{"91370102MA9K00011G", "91370102MA9\u212a00011G", connectors.FaultWrongSubject}, // the sign for Kelvin
		{"", "", connectors.FaultMalformed},
	} {
		s := described(catalog.HTTPAnswer{Records: "/d"})
		q := query(s)
		q.Subject.Number = c.asked
		_, _, err := compile(t, s).Read(q, 200, []byte(`{"d": [{"zjhm": "`+c.answered+`"}]}`), today())
		wantFault(t, err, c.want)
	}
}

func TestRead_TakesTheAskedNameOnlyWhereTheSourceGivesNone(t *testing.T) {
	t.Parallel()
	body := `{"d": {"zjhm": "` + number + `", "xm": "王建國"}}`
	for _, c := range []struct{ place, want string }{{"", "王建国"}, {"/xm", "王建國"}} {
		got, err := read(t, described(catalog.HTTPAnswer{Records: "/d", SubjectName: c.place}), body)
		if err != nil || got.Records[0].Subject.Name != c.want {
			t.Errorf("%q: %v, %v", c.place, got.Records, err)
		}
	}
}

func TestRead_KeepsNoReferenceThatSaysWhomItIsAbout(t *testing.T) {
	t.Parallel()
	s := described(catalog.HTTPAnswer{Records: "/d", Reference: "/no"})
	for reference, want := range map[string]string{
		`"S-1"`: "S-1", `17`: "17", `null`: "", `"A` + number + `"`: "", `"王建国的查询"`: "",
	} {
		got, err := read(t, s, `{"d": [], "no": `+reference+`}`)
		if err != nil || got.Reference != want {
			t.Errorf("%s: %q, %v", reference, got.Reference, err)
		}
		if personal := len(got.Warnings) == 1 && got.Warnings[0] == mapping.WarningReference; personal != (want == "" && reference != "null") {
			t.Errorf("%s: warnings %v", reference, got.Warnings)
		}
	}
}

func TestRead_TellsWhenARecordWasSo(t *testing.T) {
	t.Parallel()
	s := described(catalog.HTTPAnswer{Records: "/d", AsOf: "/t"})
	at := func(day, hour, minute int) time.Time { return time.Date(2026, 11, day, hour, minute, 0, 0, time.UTC) }
	for _, c := range []struct {
		sent  string
		want  time.Time
		fault connectors.FaultKind
	}{
		{`"2026-11-20T08:30:00+08:00"`, at(20, 0, 30), ""},
		{`"2026-11-20T08:30:00Z"`, at(20, 8, 30), ""},
		{`"2026-11-20 08:30:00"`, at(20, 0, 30), ""},
		{`null`, time.Time{}, ""},
		{`""`, time.Time{}, ""},
		{`"2026-11-24T00:00:00Z"`, at(24, 0, 0), ""}, // 24 hours ahead
		{`"2026-11-24T00:00:01Z"`, time.Time{}, connectors.FaultMalformed},
		{`"2036-11-23 08:00:00"`, time.Time{}, connectors.FaultMalformed},
		// It would pass for a time that was not said, which counts as now.
		{`"0001-01-01T00:00:00Z"`, time.Time{}, connectors.FaultMalformed},
		{`"2026-11-20"`, time.Time{}, connectors.FaultMalformed},
		{`"2026-02-30 08:00:00"`, time.Time{}, connectors.FaultMalformed},
		{`1795132800000`, time.Time{}, connectors.FaultMalformed},
		{`{}`, time.Time{}, connectors.FaultMalformed},
	} {
		got, err := read(t, s, `{"d": {"zjhm": "`+number+`", "t": `+c.sent+`}}`)
		wantFault(t, err, c.fault)
		if err == nil && !got.Records[0].AsOf.Equal(c.want) {
			t.Errorf("%s is %v, want %v", c.sent, got.Records[0].AsOf, c.want)
		}
	}
}

func TestRead_TellsWhetherARecordIsInForce(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in    []string
		sent  string
		want  bool
		fault connectors.FaultKind
	}{
		{nil, `true`, true, ""}, {nil, `"true"`, true, ""}, {nil, `1`, true, ""}, {nil, `"是"`, true, ""},
		{nil, `false`, false, ""}, {nil, `0`, false, ""}, {nil, `null`, false, ""},
		{nil, `"注销"`, false, connectors.FaultMalformed}, {nil, `2`, false, connectors.FaultMalformed}, {nil, `[]`, false, connectors.FaultMalformed},
		{[]string{"2", "注销"}, `2`, true, ""}, {[]string{"2", "注销"}, `" 注销 "`, true, ""}, {[]string{"2"}, `"1"`, false, ""},
		{[]string{"true"}, `true`, true, ""}, {[]string{"2"}, `null`, false, connectors.FaultMalformed}, {[]string{"2"}, `{}`, false, connectors.FaultMalformed},
	} {
		got, err := read(t, described(catalog.HTTPAnswer{Records: "/d", Revoked: "/zt", RevokedIn: c.in}), `{"d": {"zjhm": "`+number+`", "zt": `+c.sent+`}}`)
		wantFault(t, err, c.fault)
		if err == nil && got.Records[0].Revoked != c.want {
			t.Errorf("%s in %v: revoked is %v", c.sent, c.in, got.Records[0].Revoked)
		}
	}
}

func TestRead_BelievesNoRecordThatKeepsBackWhatIsSaidToBeInIt(t *testing.T) {
	t.Parallel()
	plain := func(more string) string {
		return `{"code": "0", "data": [{"subject": {"name": "王建国", "number": "` + number + `"}, "record": {}` + more + `}]}`
	}
	own := func(more string) string { return `{"d": {"zjhm": "` + number + `"` + more + `}}` }
	dated := catalog.HTTPAnswer{Records: "/d", AsOf: "/t"}
	for _, c := range []struct {
		name   string
		source *catalog.Source
		fresh  int
		body   string
		want   connectors.FaultKind
	}{
		{"a time, where age does not matter", described(dated), 0, own(``), ""},
		{"a time", described(dated), 72, own(``), connectors.FaultMalformed},
		{"null for a time", described(dated), 72, own(`, "t": null`), connectors.FaultMalformed},
		{"an empty time", described(dated), 72, own(`, "t": ""`), connectors.FaultMalformed},
		{"nothing: the time is there", described(dated), 72, own(`, "t": "2026-11-20 08:30:00"`), ""},
		{"nothing: no time is described", described(catalog.HTTPAnswer{Records: "/d"}), 72, own(``), ""},
		{"a time of the plain shape, where age does not matter", &catalog.Source{Path: "/q"}, 0, plain(``), ""},
		{"a time of the plain shape", &catalog.Source{Path: "/q"}, 72, plain(``), connectors.FaultMalformed},
		{"nothing of the plain shape", &catalog.Source{Path: "/q"}, 72, plain(`, "as_of": "2026-11-20T08:30:00Z"`), ""},
		{"a state", described(catalog.HTTPAnswer{Records: "/d", Revoked: "/zt", RevokedIn: []string{"2"}}), 0, own(``), connectors.FaultMalformed},
		{"a yes or no", described(catalog.HTTPAnswer{Records: "/d", Revoked: "/zt"}), 0, own(``), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.source.FreshHours = c.fresh
			_, err := read(t, c.source, c.body)
			wantFault(t, err, c.want)
		})
	}
}

func TestRead_AsksForMoreAfterAFullPageOnly(t *testing.T) {
	t.Parallel()
	s := described(catalog.HTTPAnswer{Records: "/d"})
	s.HTTP.Query = map[string]string{"p": "${page}"}
	s.HTTP.Paging = &catalog.Paging{First: 1, Size: 2, Pages: 3}
	one := `{"zjhm": "` + number + `"}`
	for body, want := range map[string]bool{`[]`: false, `null`: false, `[` + one + `]`: false, `[` + one + `,` + one + `]`: true} {
		_, more, err := compile(t, s).Read(query(s), 200, []byte(`{"d": `+body+`}`), today())
		if err != nil || more != want {
			t.Errorf("%s: more is %v, %v", body, more, err)
		}
	}
}
