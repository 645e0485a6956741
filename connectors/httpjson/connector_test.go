package httpjson_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/httpjson"
)

const number = "370199198805163315"

func TestAsk_BelievesNoAnswerThatBreaksTheInterface(t *testing.T) {
	t.Parallel()
	item := func(subject, record string) string {
		return `{"code": "0", "data": [{"subject": ` + subject + `, "record": ` + record + `}]}`
	}
	mine := `{"name": "王建国", "number": "` + number + `"}`
	cases := []struct {
		name, body string
		want       connectors.FaultKind
	}{
		{"none", `{"code": "0", "data": []}`, ""},
		{"one", item(mine, `{"姓名": "王建国"}`), ""},
		{"no code", `{"data": []}`, connectors.FaultMalformed},
		{"a code that is a number", `{"code": 0, "data": []}`, connectors.FaultMalformed},
		{"an error code", `{"code": "9001", "data": []}`, connectors.FaultDown},
		{"an error code with a record", strings.Replace(item(mine, `{}`), `"0"`, `"500"`, 1), connectors.FaultDown},
		{"no data", `{"code": "0"}`, connectors.FaultMalformed},
		{"null for data", `{"code": "0", "data": null}`, connectors.FaultMalformed},
		{"an object for data", `{"code": "0", "data": {}}`, connectors.FaultMalformed},
		{"a null record", `{"code": "0", "data": [null]}`, connectors.FaultMalformed},
		{"no subject", `{"code": "0", "data": [{"record": {}}]}`, connectors.FaultMalformed},
		{"no record", `{"code": "0", "data": [{"subject": ` + mine + `}]}`, connectors.FaultMalformed},
		{"a wrong type", item(mine, `{"姓名": 17}`), connectors.FaultMalformed},
		{"two codes", `{"code": "9001", "Code": "0", "data": []}`, connectors.FaultMalformed},
		{"no time", strings.Replace(item(mine, `{}`), `"record"`, `"as_of": "yesterday", "record"`, 1), connectors.FaultMalformed},
		{"somebody else", item(`{"name": "王建国", "number": "370199198503091176"}`, `{}`), connectors.FaultWrongSubject},
		{"nobody", item(`{"name": "王建国", "number": ""}`, `{}`), connectors.FaultWrongSubject},
		{"somebody else among mine", strings.Replace(item(mine, `{}`), `[`, `[{"subject": {"name": "王建国", "number": "370199198503091176"}, "record": {}}, `, 1), connectors.FaultWrongSubject},
		{"too many", `{"code": "0", "data": [` + strings.Repeat(`{},`, 100) + `{}]}`, connectors.FaultMalformed},
		{"a long serial", `{"code": "0", "serial": "` + strings.Repeat("x", 129) + `", "data": []}`, connectors.FaultMalformed},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := httpjson.New(httpjson.Options{}).Ask(t.Context(), query(serve(t, c.body, nil)))
			switch {
			case c.want == "" && err != nil:
				t.Errorf("got %v, want an answer", err)
			case c.want != "" && (err == nil || connectors.KindOf(err) != c.want):
				t.Errorf("got %v, want fault %s", err, c.want)
			}
		})
	}
}

func TestAsk_SendsTheAgreedQuestionAndNobodyInTheURL(t *testing.T) {
	t.Parallel()
	var path string
	var got map[string]any
	url := serve(t, `{"code": "0", "data": []}`, func(r *http.Request) {
		path = r.URL.String()
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
	})
	if _, err := httpjson.New(httpjson.Options{}).Ask(t.Context(), query(url)); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"request_id": "q-1",
		"subject":    map[string]any{"kind": "person", "name": "王建国", "number": number},
		"fields":     []any{"姓名", "有效期止"},
		"purpose":    "办件核验",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("question (-want +got):\n%s", diff)
	}
	if path != "/query/D-X" {
		t.Errorf("path is %s", path)
	}
}

func TestAsk_PassesOnWhatTheSourceSays(t *testing.T) {
	t.Parallel()
	url := serve(t, `{"code": "0", "serial": "S-17", "data": [{"subject": {"name": "王建國", "number": "`+number+`"},
		"as_of": "2026-11-23T09:00:00+08:00", "revoked": true, "record": {"姓名": "王建國", "有效期止": "20300101", "住址": "x"}}]}`, nil)
	got, err := httpjson.New(httpjson.Options{}).Ask(t.Context(), query(url))
	if err != nil {
		t.Fatal(err)
	}
	want := connectors.Reply{Reference: "S-17", Records: []connectors.Record{{
		Subject: connectors.Subject{Kind: catalog.KindPerson, Name: "王建國", Number: number},
		Fields:  map[string]any{"name": "王建國", "valid_to": "2030-01-01"},
		Revoked: true,
		AsOf:    time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC),
	}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func query(baseURL string) connectors.Query {
	return connectors.Query{
		ID: "q-1", BaseURL: baseURL, Source: &catalog.Source{Path: "/query/D-X"},
		Dataset: &catalog.Dataset{Code: "D-X", Fields: []catalog.Field{
			{Code: "name", Name: "姓名", Type: catalog.FieldString},
			{Code: "address", Name: "住址", Type: catalog.FieldString},
			{Code: "valid_to", Name: "有效期止", Type: catalog.FieldDate},
		}},
		Subject: connectors.Subject{Kind: catalog.KindPerson, Name: "王建国", Number: number},
		Fields:  []string{"valid_to", "name"}, Purpose: "办件核验",
	}
}

func serve(t *testing.T, body string, see func(*http.Request)) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if see != nil {
			see(r)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	return server.URL
}
