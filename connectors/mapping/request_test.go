package mapping_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/mapping"
)

func TestRequest_IsPlainWithoutADescription(t *testing.T) {
	t.Parallel()
	s := &catalog.Source{Path: "/query/D-MZ01"}
	got, err := compile(t, s).Request(query(s, "registered_on", "name"), 1, today())
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"request_id": "q-1", "purpose": "办件核验",
		"subject": map[string]any{"kind": "person", "name": "王建国", "number": number},
		"fields":  []any{"姓名", "登记日期"}, // in the dataset's order
	}
	if diff := cmp.Diff(want, tree(t, got.Body)); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
	if got.Method != "POST" || got.Target != "/query/D-MZ01" || got.ContentType != "application/json; charset=utf-8" || len(got.Header) != 0 {
		t.Errorf("got %s %s, %s, %v", got.Method, got.Target, got.ContentType, got.Header)
	}
}

func TestRequest_FillsInEveryVariable(t *testing.T) {
	t.Parallel()
	s := described(catalog.HTTPAnswer{})
	s.HTTP.Query = map[string]string{"v": "2", "trace": "a&b=${id}"}
	s.HTTP.Headers = map[string]string{"X-Time": "${time}", "X-Purpose": "100% ${purpose}"}
	s.HTTP.Kinds = map[catalog.PartyKind]string{catalog.KindPerson: "1"}
	s.HTTP.Paging = &catalog.Paging{First: 0, Size: 10, Pages: 3}
	s.HTTP.Body = map[string]any{
		"who": map[string]any{"n": "${name}/${number}", "k": "${kind}"}, "list": "${field_codes}", "text": "[${fields}]",
		"ts": "${timestamp}", "day": "${date}", "page": "${page}", "mixed": []any{"${id}", 7.0, nil, true}, "money": "$5 $${name}",
	}
	got, err := compile(t, s).Request(query(s, "name", "sex"), 4, today())
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"who": map[string]any{"n": "王建国/" + number, "k": "1"}, "list": []any{"name", "sex"}, "text": "[姓名,性别]",
		"ts": "1795392000000", "day": "2026-11-23", "page": "4", "mixed": []any{"q-1", 7.0, nil, true}, "money": "$5 ${name}",
	}
	if diff := cmp.Diff(want, tree(t, got.Body)); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
	if got.Target != "/q?trace=a%26b%3Dq-1&v=2" {
		t.Errorf("target is %s", got.Target)
	}
	header := http.Header{"X-Time": {"2026-11-23T08:00:00+08:00"}, "X-Purpose": {"100%25 %E5%8A%9E%E4%BB%B6%E6%A0%B8%E9%AA%8C"}}
	if diff := cmp.Diff(header, got.Header); diff != "" {
		t.Errorf("header (-want +got):\n%s", diff)
	}
}

// A name is whatever somebody has typed; it stays one value.
func TestRequest_LetsNoValueAddToWhatIsSent(t *testing.T) {
	t.Parallel()
	hostile := []string{`","number":"` + otherNumber, "${number}", "$${id}", "a&zjhm=" + otherNumber, "x\r\nX-Admin: 1", `\u0022`, "<b>&", "\u2028"}
	for _, name := range hostile {
		s := described(catalog.HTTPAnswer{})
		q := query(s)
		q.Subject.Name = name
		got, err := compile(t, s).Request(q, 1, today())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(any(map[string]any{"xm": name, "zjhm": number}), tree(t, got.Body)); diff != "" {
			t.Errorf("JSON (-want +got):\n%s", diff)
		}
		s.HTTP.Form = true
		if got, err = compile(t, s).Request(q, 1, today()); err != nil {
			t.Fatal(err)
		}
		pairs, err := url.ParseQuery(string(got.Body))
		if diff := cmp.Diff(url.Values{"xm": {name}, "zjhm": {number}}, pairs); err != nil || diff != "" {
			t.Errorf("form: %v (-want +got):\n%s", err, diff)
		}
	}
}

func TestRequest_RefusesControlCharactersInHeaders(t *testing.T) {
	t.Parallel()
	for _, purpose := range []string{"a\r\nX-Admin: 1", "a\nb", "a\x00", "a\x7f", "a\u0085b", "a\tb"} {
		s := described(catalog.HTTPAnswer{})
		s.HTTP.Headers = map[string]string{"X-Purpose": "${purpose}"}
		q := query(s)
		q.Purpose = purpose
		_, err := compile(t, s).Request(q, 1, today())
		wantFault(t, err, connectors.FaultMisset)
	}
}

func TestRequest_RefusesAKindThatTheSourceHasNoWordFor(t *testing.T) {
	t.Parallel()
	s := described(catalog.HTTPAnswer{})
	s.HTTP.Kinds = map[catalog.PartyKind]string{catalog.KindOrganization: "2"}
	q := query(s)
	_, err := compile(t, s).Request(q, 1, today())
	wantFault(t, err, "") // ${kind} is not sent
	s.HTTP.Body = map[string]any{"n": "${number}", "xm": "${name}", "k": "${kind}"}
	_, err = compile(t, s).Request(q, 1, today())
	wantFault(t, err, connectors.FaultMisset)
}

func TestMasked_ShowsTheRequestButNotWhomItIsAbout(t *testing.T) {
	t.Parallel()
	s := described(catalog.HTTPAnswer{})
	s.HTTP.Headers = map[string]string{"X-Trace": "${id}"}
	q := query(s)
	got, err := compile(t, s).Masked(q, today())
	want := "POST /q\nX-Trace: q-1\nContent-Type: application/json; charset=utf-8\n\n" + `{"xm":"王*","zjhm":"3701**********3323"}` + "\n"
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("JSON: %v (-want +got):\n%s", err, diff)
	}
	s.HTTP.Form = true
	got, err = compile(t, s).Masked(q, today())
	want = "POST /q\nX-Trace: q-1\nContent-Type: application/x-www-form-urlencoded\n\nxm=王*\nzjhm=3701**********3323\n"
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("form: %v (-want +got):\n%s", err, diff)
	}
}

func TestMask_LeavesTooLittleToKnowSomebodyBy(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"": "", "7": "*", "鲁A12345": "鲁******", "12345678901": "1**********", "123456789012": "1234****9012"} {
		if got := mapping.MaskNumber(in); got != want {
			t.Errorf("MaskNumber(%q) is %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{"": "", "王": "*", "冯涛": "冯*", "阿依努尔·买买提": "阿*"} {
		if got := mapping.MaskName(in); got != want {
			t.Errorf("MaskName(%q) is %q, want %q", in, got, want)
		}
	}
}

func TestHeaderText_ReadsTheSameEverywhere(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"JN-1 (a)%": "JN-1 (a)%", "济1%": "%E6%B5%8E1%25", "": ""} {
		if got, err := mapping.HeaderText(in); err != nil || got != want {
			t.Errorf("HeaderText(%q) is %q, %v, want %q", in, got, err, want)
		}
	}
	if _, err := mapping.HeaderText("a\r\n"); err == nil || strings.Contains(err.Error(), "a\r") {
		t.Errorf("a line break: %v", err)
	}
}
