package httpjson_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/simplifiedchinese"

	"mianti/catalog"
	"mianti/connectors"
)

// wantRecord asks and compares the one record that has to come of it.
func wantRecord(t *testing.T, q connectors.Query, want map[string]any) {
	t.Helper()
	got, err := asker(t).Ask(t.Context(), q)
	if err != nil || len(got.Records) != 1 {
		t.Fatalf("%d records, %v", len(got.Records), err)
	}
	if diff := cmp.Diff(want, got.Records[0].Fields); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	if got.Records[0].Subject != q.Subject {
		t.Error("the record is said to be somebody else's")
	}
}

// A gateway that takes everything in the address, the number too.
func TestAsk_ReadsAGatewayThatIsAskedByGET(t *testing.T) {
	t.Parallel()
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.URL.RequestURI() != "/gateway/api?code=A01&sfzh="+number+"&time=2026-11-23&trace=q-1" || r.ContentLength > 0 {
			t.Errorf("%s %s with %d bytes", r.Method, r.URL.RequestURI(), r.ContentLength)
		}
		if r.Header.Get("X-Token") != "k-1" || r.Header.Get("X-Purpose") != "%E5%8A%9E%E4%BB%B6%E6%A0%B8%E9%AA%8C" {
			t.Errorf("headers %v", r.Header)
		}
		sendJSON(w, `{"status": 200, "msg": "ok", "result": {"xm": "王建国", "sfzh": "`+number+`", "姓名": "王建国", "性别": "男"}}`)
	})
	wantRecord(t, query(url, &catalog.Source{
		Path: "/gateway/api", Auth: &catalog.Auth{Header: &catalog.HeaderAuth{Name: "X-Token", Secret: "mz-key"}},
		HTTP: &catalog.HTTPCall{
			Method: "GET", IdentityInQuery: true,
			Query: map[string]string{"code": "A01", "sfzh": "${number}", "time": "${date}", "trace": "${id}"}, Headers: map[string]string{"X-Purpose": "${purpose}"},
			Answer: catalog.HTTPAnswer{Code: "/status", OK: []string{"200"}, NotFound: []string{"404"}, Records: "/result", SubjectName: "/xm", SubjectNumber: "/sfzh"},
		},
	}), map[string]any{"name": "王建国", "sex": "男"})
}

func formInGB18030() *catalog.Source {
	return &catalog.Source{Path: "/servlet/Query", HTTP: &catalog.HTTPCall{
		Form: true, Body: map[string]any{"xm": "${name}", "sfzh": "${number}", "lx": "${kind}", "sx": "${fields}", "sy": "${purpose}&x=1"},
		Kinds: map[catalog.PartyKind]string{catalog.KindPerson: "1"}, Charset: "gb18030",
		Answer: catalog.HTTPAnswer{Records: "/rows", SubjectName: "/XM", SubjectNumber: "/SFZH", Fields: map[string]string{"name": "/XM", "sex": "/XB", "registered_on": "/DJRQ"}},
	}}
}

// An old system: a form, and an answer in its own character set.
func TestAsk_ReadsAnOldSystemThatIsAskedByForm(t *testing.T) {
	t.Parallel()
	text, err := simplifiedchinese.GB18030.NewEncoder().String(`{"rows": [{"XM": "王建国", "SFZH": "` + number + `", "XB": "男", "DJRQ": "2024-05-06"}]}`)
	if err != nil {
		t.Fatal(err)
	}
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
			t.Error(err, r.Header)
		}
		got := fmt.Sprint(r.PostForm)
		if want := "map[lx:[1] sfzh:[" + number + "] sx:[姓名,性别,登记日期] sy:[办件核验&x=1] xm:[王建国]]"; got != want {
			t.Errorf("form is %s", got)
		}
		w.Header().Set("Content-Type", "application/json; charset=GB18030")
		_, _ = w.Write([]byte(text))
	})
	wantRecord(t, query(url, formInGB18030()), map[string]any{"name": "王建国", "sex": "男", "registered_on": "2024-05-06"})
}

// Many departments call it by the name of a part of it.
func TestAsk_TakesGBKForTheGB18030ThatIsAgreed(t *testing.T) {
	t.Parallel()
	text, err := simplifiedchinese.GB18030.NewEncoder().String(`{"rows": [{"XM": "王建国", "SFZH": "` + number + `", "XB": "男", "DJRQ": "2024-05-06"}]}`)
	if err != nil {
		t.Fatal(err)
	}
	for _, label := range []string{"GBK", "gb2312"} {
		url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json; charset="+label)
			_, _ = w.Write([]byte(text))
		})
		wantRecord(t, query(url, formInGB18030()), map[string]any{"name": "王建国", "sex": "男", "registered_on": "2024-05-06"})
	}
}

func TestAsk_BelievesNoCharacterSetButTheAgreedOne(t *testing.T) {
	t.Parallel()
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=big5")
		_, _ = w.Write([]byte(`{"rows": []}`))
	})
	_, err := asker(t).Ask(t.Context(), query(url, formInGB18030()))
	wantFault(t, err, connectors.FaultMalformed)
}

// A register with its own tables of codes and its own dates, and the record in
// several parts.
func TestAsk_ReadsARegisterWithCodedValues(t *testing.T) {
	t.Parallel()
	s := &catalog.Source{Path: "/api/v2/person", HTTP: &catalog.HTTPCall{
		Body: map[string]any{"param": map[string]any{"zjhm": "${number}", "xm": "${name}"}, "columns": "${field_codes}"},
		Answer: catalog.HTTPAnswer{
			Code: "/head/rc", OK: []string{"0000"}, NotFound: []string{"0001"}, Busy: []string{"9999"}, Records: "/body/data", Reference: "/head/sn",
			SubjectName: "/jbxx/xm", SubjectNumber: "/jbxx/zjhm", AsOf: "/gxsj", Revoked: "/zt", RevokedIn: []string{"2", "9"}, Record: "/jbxx",
			Fields: map[string]string{"name": "/jbxx/xm", "sex": "/jbxx/xbdm", "registered_on": "/djxx/0/djrq"},
			Values: map[string]catalog.ValueOf{"sex": {Codes: map[string]string{"1": "男", "2": "女"}}, "registered_on": {Date: "YYYYMMDD"}},
		},
	}}
	answer := `{"head": {"rc": "0000", "sn": "SN-1"}, "body": {"data": [{"jbxx": {"xm": "王建国", "zjhm": "` + number + `", "xbdm": 1},
		"djxx": [{"djrq": "20240506"}, {"djrq": "20230101"}], "gxsj": "2026-11-22 23:00:00", "zt": "9"}]}}`
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) { sendJSON(w, answer) })
	q := query(url, s)
	wantRecord(t, q, map[string]any{"name": "王建国", "sex": "男", "registered_on": "2024-05-06"})
	got, err := asker(t).Ask(t.Context(), q)
	if err != nil || !got.Records[0].Revoked || got.Reference != "SN-1" || got.Records[0].AsOf.Format("2006-01-02 15:04") != "2026-11-22 15:00" {
		t.Errorf("got %+v, %v", got, err)
	}
}

// A list that comes page by page.
func TestAsk_ReadsAListPageByPage(t *testing.T) {
	t.Parallel()
	s := &catalog.Source{Path: "/list", HTTP: &catalog.HTTPCall{
		Query: map[string]string{"pageNo": "${page}", "pageSize": "2"}, Body: map[string]any{"zjhm": "${number}", "xm": "${name}"},
		Answer: catalog.HTTPAnswer{Records: "/list", SubjectNumber: "/zjhm", Fields: map[string]string{"sex": "/i"}},
		Paging: &catalog.Paging{First: 1, Size: 2, Pages: 3},
	}}
	for held, want := range map[int]connectors.FaultKind{0: "", 1: "", 2: "", 3: "", 5: "", 6: connectors.FaultMalformed, 7: connectors.FaultMalformed} {
		url := serve(t, func(w http.ResponseWriter, r *http.Request) {
			var page int
			_, _ = fmt.Sscan(r.URL.Query().Get("pageNo"), &page)
			body, comma := `{"list": [`, ""
			for i := 2 * (page - 1); i < min(2*page, held); i++ {
				body += comma + fmt.Sprintf(`{"zjhm": %q, "i": "%d"}`, number, i)
				comma = ","
			}
			sendJSON(w, body+`]}`)
		})
		got, err := asker(t).Ask(t.Context(), query(url, s))
		wantFault(t, err, want)
		if err != nil {
			continue
		}
		for i, record := range got.Records {
			if record.Fields["sex"] != fmt.Sprint(i) {
				t.Errorf("of %d: record %d is %v", held, i, record.Fields)
			}
		}
		if len(got.Records) != held {
			t.Errorf("of %d: %d records", held, len(got.Records))
		}
	}
}

// The ways to say that there is no record, and what only looks like one.
func TestAsk_KnowsEveryWayToSayNoRecord(t *testing.T) {
	t.Parallel()
	describe := func(a catalog.HTTPAnswer) *catalog.Source {
		a.SubjectNumber = "/zjhm"
		return &catalog.Source{Path: "/q", HTTP: &catalog.HTTPCall{Body: map[string]any{"zjhm": "${number}", "xm": "${name}"}, Answer: a}}
	}
	byCode := catalog.HTTPAnswer{Code: "/c", OK: []string{"0"}, NotFound: []string{"404"}, Records: "/d"}
	byStatus := catalog.HTTPAnswer{NotFoundStatus: []int{404}, Records: "/d"}
	for _, c := range []struct {
		name       string
		answer     catalog.HTTPAnswer
		status     int
		kind, body string
		want       connectors.FaultKind
	}{
		{"by HTTP 404", byStatus, 404, "application/json", `{"error": "no such person"}`, ""},
		{"by HTTP 404 without JSON", byStatus, 404, "text/plain", "not found", ""},
		{"by an HTTP 404 that was not agreed", byCode, 404, "application/json", `{"c": 404}`, connectors.FaultMalformed},
		{"by a code", byCode, 200, "application/json", `{"c": 404, "d": null}`, ""},
		{"by an unknown code", byCode, 200, "application/json", `{"c": 405, "d": null}`, connectors.FaultMalformed},
		{"by null", byCode, 200, "application/json", `{"c": 0, "d": null}`, ""},
		{"by an empty list", byCode, 200, "application/problem+json", `{"c": 0, "d": []}`, ""},
		{"by leaving it out", byCode, 200, "application/json", `{"c": 0}`, connectors.FaultMalformed},
		{"by nothing", byCode, 200, "application/json", ``, connectors.FaultMalformed},
		{"by a page", byCode, 200, "text/html", `<p>查无此人`, connectors.FaultMalformed},
		{"by no content", byCode, 204, "application/json", ``, connectors.FaultMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", c.kind)
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body)) // 204 has no room for one
			})
			got, err := asker(t).Ask(t.Context(), query(url, describe(c.answer)))
			wantFault(t, err, c.want)
			if len(got.Records) > 0 {
				t.Errorf("%d records", len(got.Records))
			}
		})
	}
}
