package httpjson_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/conformance"
	"mianti/connectors/httpjson"
	"mianti/connectors/wire"
)

const number = "370199198805163323"

func TestAsk_SendsTheAgreedQuestionAndNobodyInTheURL(t *testing.T) {
	t.Parallel()
	var path, id string
	var got map[string]any
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		path, id = r.URL.String(), r.Header.Get("X-Request-ID")
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
		sendJSON(w, `{"code": "0", "data": []}`)
	})
	if _, err := asker(t).Ask(t.Context(), query(url, &catalog.Source{Path: "/query/D-X"})); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"request_id": "q-1",
		"subject":    map[string]any{"kind": "person", "name": "王建国", "number": number},
		"fields":     []any{"姓名", "性别", "登记日期"},
		"purpose":    "办件核验",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("question (-want +got):\n%s", diff)
	}
	if path != "/query/D-X" || id != "q-1" {
		t.Errorf("path is %s, request %s", path, id)
	}
}

func TestAsk_PassesOnWhatTheSourceSays(t *testing.T) {
	t.Parallel()
	body := `{"code": "0", "serial": "S-17", "data": [{"subject": {"name": "王建國", "number": "` + number + `"},
		"as_of": "2026-11-23T07:00:00+08:00", "revoked": true, "record": {"姓名": "王建國", "登记日期": "20300101", "住址": "x"}}]}`
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) { sendJSON(w, body) })
	got, err := asker(t).Ask(t.Context(), query(url, &catalog.Source{Path: "/q"}))
	if err != nil {
		t.Fatal(err)
	}
	want := connectors.Reply{Reference: "S-17", Size: int64(len(body)), Records: []connectors.Record{{
		Subject: connectors.Subject{Kind: catalog.KindPerson, Name: "王建國", Number: number},
		Fields:  map[string]any{"name": "王建國", "registered_on": "2030-01-01"},
		Revoked: true, AsOf: time.Date(2026, 11, 22, 23, 0, 0, 0, time.UTC),
	}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAsk_AsksNobodyByADescriptionThatCannotBeMeant(t *testing.T) {
	t.Parallel()
	url := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("asked all the same") })
	for _, s := range []*catalog.Source{
		{Path: "/a/../b"},
		{Path: "/q", HTTP: &catalog.HTTPCall{Method: "GET", Query: map[string]string{"zjhm": "${number}"}, Answer: catalog.HTTPAnswer{SubjectNumber: "/n"}}},
	} {
		_, err := asker(t).Ask(t.Context(), query(url, s))
		wantFault(t, err, connectors.FaultMisset)
	}
}

func TestAsk_EndsAllPagesAtTheSourcesOwnLimit(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) == 1 {
			sendJSON(w, `{"d": [{"n": "`+number+`"}]}`)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body) // so that the end of the connection is seen
		<-r.Context().Done()
	})
	s := &catalog.Source{Path: "/q", TimeoutMillis: 300, HTTP: &catalog.HTTPCall{
		Query: map[string]string{"p": "${page}"}, Body: map[string]any{"n": "${number}", "xm": "${name}"},
		Answer: catalog.HTTPAnswer{Records: "/d", SubjectNumber: "/n"}, Paging: &catalog.Paging{First: 1, Size: 1, Pages: 9},
	}}
	_, err := asker(t).Ask(t.Context(), query(url, s))
	wantFault(t, err, connectors.FaultTimeout)
}

// asker has the clock of conformance.Today, as its departments have.
func asker(t testing.TB) *httpjson.Connector {
	t.Helper()
	client := wire.NewClient(wire.Options{
		Now:     conformance.Today,
		Secrets: keys{"mz-key": []byte("k-1")},
	})
	t.Cleanup(client.Close)
	return httpjson.New(client, conformance.Today)
}

func query(baseURL string, s *catalog.Source) connectors.Query {
	return connectors.Query{
		ID: "q-1", BaseURL: baseURL, Network: catalog.NetworkLocal, Source: s,
		Dataset: &catalog.Dataset{Code: "D-X", Fields: []catalog.Field{
			{Code: "name", Name: "姓名", Type: catalog.FieldString},
			{Code: "sex", Name: "性别", Type: catalog.FieldString},
			{Code: "address", Name: "住址", Type: catalog.FieldString},
			{Code: "registered_on", Name: "登记日期", Type: catalog.FieldDate},
		}},
		Subject: connectors.Subject{Kind: catalog.KindPerson, Name: "王建国", Number: number},
		Fields:  []string{"registered_on", "sex", "name"}, Purpose: "办件核验",
	}
}

func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", conformance.Today().Format(http.TimeFormat))
		handler(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func sendJSON(w http.ResponseWriter, body string) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, body)
}

func wantFault(t *testing.T, err error, want connectors.FaultKind) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("got %v, want an answer", err)
	case want != "" && (err == nil || connectors.KindOf(err) != want):
		t.Errorf("got %v, want fault %s", err, want)
	}
}
