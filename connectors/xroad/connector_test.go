package xroad_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/connectors"
)

func TestAsk_SpeaksTheProtocol(t *testing.T) {
	t.Parallel()
	s := &securityServer{t: t, body: married()}
	got, err := newConnector(t).Ask(t.Context(), query(s.start()))
	if err != nil {
		t.Fatal(err)
	}
	want := connectors.Reply{
		Reference: "S-1", Proof: "sha512:" + s.hash, Size: int64(len(married())),
		Records: []connectors.Record{{
			Subject: connectors.Subject{Kind: catalog.KindPerson, Name: "王建国", Number: number}, Fields: map[string]any{"state": "已婚"},
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	r := s.seen[0]
	if r.Method != "POST" || r.RequestURI != "/r1/CN-SD/GOV/370110/registry/marriage/marriages" {
		t.Errorf("%s %s", r.Method, r.RequestURI)
	}
	for name, want := range map[string]string{
		"X-Road-Client": "CN-SD/GOV/370100/mianti", "X-Road-Id": questionID, "X-Road-Issue": "JN-S01-0001", "X-Road-UserId": "mianti",
	} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestAsk_WritesEveryPartByItself(t *testing.T) {
	t.Parallel()
	s := &securityServer{t: t, body: married()}
	q := query(s.start())
	q.ID, q.CaseNumber, q.Source.Path = "q-1", "济办〔2026〕1号 100%", ""
	q.Source.XRoad = &catalog.XRoad{Client: "山东/GOV/370100/免提交", Service: "CN-SD/GOV/370110/reg istry/get+(a)"}
	if _, err := newConnector(t).Ask(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	if got := s.seen[0].RequestURI; got != "/r1/CN-SD/GOV/370110/reg%20istry/get+%28a%29" {
		t.Errorf("path is %s", got)
	}
	// 山东, 免提交, and 济办〔2026〕1号 100% in UTF-8.
	for name, want := range map[string]string{
		"X-Road-Client": "%E5%B1%B1%E4%B8%9C/GOV/370100/%E5%85%8D%E6%8F%90%E4%BA%A4",
		"X-Road-Issue":  "%E6%B5%8E%E5%8A%9E%E3%80%942026%E3%80%951%E5%8F%B7 100%25",
	} {
		if got := s.seen[0].Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if _, sent := s.seen[0].Header["X-Road-Userid"]; sent {
		t.Error("an X-Road-UserId that nobody has set")
	}
}

func TestAsk_NamesAQuestionAlwaysTheSame(t *testing.T) {
	t.Parallel()
	s := &securityServer{t: t, body: married()}
	url := s.start()
	connector := newConnector(t)
	for _, id := range []string{"q-1", "q-1", "q-2", strings.ToUpper(questionID)} {
		q := query(url)
		q.ID = id
		if _, err := connector.Ask(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	id := func(i int) string { return s.seen[i].Header.Get("X-Road-Id") }
	if id(0) != id(1) || id(0) == id(2) || id(3) != questionID {
		t.Errorf("%s, %s, %s, %s", id(0), id(1), id(2), id(3))
	}
}

func TestAsk_GivesEveryPageAMessageOfItsOwn(t *testing.T) {
	t.Parallel()
	s := &securityServer{t: t, body: `{"d": [{"n": "` + number + `"}]}`}
	q := query(s.start())
	q.Source.HTTP = &catalog.HTTPCall{
		Query: map[string]string{"p": "${page}"}, Body: map[string]any{"n": "${number}", "xm": "${name}"},
		Answer: catalog.HTTPAnswer{Records: "/d", SubjectNumber: "/n"}, Paging: &catalog.Paging{First: 1, Size: 1, Pages: 2},
	}
	_, err := newConnector(t).Ask(t.Context(), q)
	wantFault(t, err, connectors.FaultMalformed) // there is no end to it
	if len(s.seen) != 2 || s.seen[0].Header.Get("X-Road-Id") != questionID || s.seen[1].Header.Get("X-Road-Id") == questionID {
		t.Errorf("%d messages", len(s.seen))
	}
}

func TestAsk_BelievesNoAnswerThatIsNotBoundToTheQuestion(t *testing.T) {
	t.Parallel()
	set := func(name string, values ...string) func(http.Header) {
		return func(h http.Header) { h[name] = values }
	}
	for _, c := range []struct {
		name   string
		status int
		spoil  func(http.Header)
		want   connectors.FaultKind
	}{
		{"bound", 0, nil, ""},
		{"another question", 0, set("x-road-id", "00000000-0000-4000-8000-000000000000"), connectors.FaultMalformed},
		{"no question", 0, set("x-road-id"), connectors.FaultMalformed},
		{"the question twice", 0, set("x-road-id", questionID, questionID), connectors.FaultMalformed},
		{"the question in capitals", 0, set("x-road-id", strings.ToUpper(questionID)), ""},
		{"another service", 0, set("x-road-service", "CN-SD/GOV/370110/registry/divorce"), connectors.FaultMalformed},
		{"no service", 0, set("x-road-service"), connectors.FaultMalformed},
		{"the service twice", 0, set("x-road-service", "CN-SD/GOV/370110/registry/marriage", "CN-SD/GOV/370110/registry/marriage"), connectors.FaultMalformed},
		{"the service, escaped more", 0, set("x-road-service", "CN%2DSD/GOV/370110/registry/marriage"), ""},
		{"the service, escaped badly", 0, set("x-road-service", "CN%2/GOV/370110/registry/marriage"), connectors.FaultMalformed},
		{"the service with a path", 0, set("x-road-service", "CN-SD/GOV/370110/registry/marriage/marriages"), connectors.FaultMalformed},
		{"another client", 0, set("x-road-client", "CN-SD/GOV/370100/other"), connectors.FaultMalformed},
		{"no client", 0, set("x-road-client"), ""},
		{"no hash", 0, set("x-road-request-hash"), connectors.FaultMalformed},
		{"two hashes", 0, set("x-road-request-hash", "a", "b"), connectors.FaultMalformed},
		{"a hash of another kind", 0, set("x-road-request-hash", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="), connectors.FaultMalformed},
		{"a hash in hexadecimal", 0, set("x-road-request-hash", strings.Repeat("0f", 64)), connectors.FaultMalformed},
		{"an error with a record", 0, set("x-road-error", "Server.ServerProxy.NetworkError"), connectors.FaultDown},
		{"two errors", 0, set("x-road-error", "Client.A", "Client.A"), connectors.FaultMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := &securityServer{t: t, body: married(), status: c.status, spoil: c.spoil}
			got, err := newConnector(t).Ask(t.Context(), query(s.start()))
			wantFault(t, err, c.want)
			if err != nil && len(got.Records) > 0 {
				t.Error("a fault and a record")
			}
		})
	}
}

func TestAsk_TellsXRoadsFailuresFromTheSources(t *testing.T) {
	t.Parallel()
	const text = "不应外传 " + number
	failed := func(kind string) string {
		return `{"type": "` + kind + `", "message": "` + text + `", "detail": "` + text + `"}`
	}
	for _, c := range []struct {
		name   string
		status int
		header string // X-Road-Error
		body   string
		want   connectors.FaultKind
	}{
		{"our question is bad", 400, "Client.BadRequest", failed("Client.BadRequest"), connectors.FaultRefused},
		{"our server is out of order", 500, "Server.ClientProxy.OutdatedGlobalConf", failed("Server.ClientProxy.OutdatedGlobalConf"), connectors.FaultDown},
		{"we may not", 500, "Server.ServerProxy.AccessDenied", failed("Server.ServerProxy.AccessDenied"), connectors.FaultRefused},
		{"theirs is", 500, "Server.ServerProxy.ServiceFailed", failed("Server.ServerProxy.ServiceFailed"), connectors.FaultDown},
		{"the service is not there", 404, "Server.ServerProxy.UnknownService", failed("Server.ServerProxy.UnknownService"), connectors.FaultDown},
		{"of another type", 500, "Other", failed("Other"), connectors.FaultDown},
		{"with a page", 400, "Client.BadRequest", "<p>" + text, connectors.FaultRefused},
		{"with an empty flag", 500, "", failed("Client.BadRequest"), connectors.FaultDown},
		{"the source's own 400", 400, "-", failed("Client.BadRequest"), connectors.FaultMalformed},
		{"the source's own 404", 404, "-", `{}`, connectors.FaultMalformed},
		{"the source's own 500", 500, "-", failed("Client.BadRequest"), connectors.FaultDown},
		{"the source's own 503", 503, "-", `{}`, connectors.FaultDown},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := &securityServer{t: t, status: c.status, body: c.body, spoil: func(h http.Header) {
				if c.header != "-" {
					h["x-road-error"] = []string{c.header}
				}
			}}
			want := c.want
			if c.header == "" {
				want = connectors.FaultRefused // the type in the body says so
			}
			_, err := newConnector(t).Ask(t.Context(), query(s.start()))
			wantFault(t, err, want)
			if err != nil && (strings.Contains(err.Error(), "不应") || strings.Contains(err.Error(), number)) {
				t.Errorf("the fault quotes X-Road: %v", err)
			}
		})
	}
}

func TestAsk_TakesNoRecordByStatusFromTheServiceOnly(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		spoil func(http.Header)
		want  connectors.FaultKind
	}{
		{"the service", nil, ""},
		{"the service, without a hash", func(h http.Header) { delete(h, "x-road-request-hash") }, ""},
		{"something on the way", func(h http.Header) { delete(h, "x-road-id"); delete(h, "x-road-service") }, connectors.FaultMalformed},
		{"X-Road", func(h http.Header) { h["x-road-error"] = []string{"Server.ServerProxy.UnknownService"} }, connectors.FaultDown},
	} {
		s := &securityServer{t: t, status: 404, body: `{}`, spoil: c.spoil}
		q := query(s.start())
		q.Source.HTTP = &catalog.HTTPCall{
			Body:   map[string]any{"n": "${number}", "xm": "${name}"},
			Answer: catalog.HTTPAnswer{NotFoundStatus: []int{404}, Records: "/d", SubjectNumber: "/n"},
		}
		got, err := newConnector(t).Ask(t.Context(), q)
		if wantFault(t, err, c.want); len(got.Records) > 0 {
			t.Errorf("%s: %d records", c.name, len(got.Records))
		}
	}
}

func TestAsk_RefusesIdentifiersThatCanBeReadInTwoWays(t *testing.T) {
	t.Parallel()
	const client, service = "CN-SD/GOV/370100/mianti", "CN-SD/GOV/370110/registry/marriage"
	for _, c := range []*catalog.XRoad{
		nil,
		{Client: client},
		{Client: client, Service: "CN-SD/GOV/370110/registry"},
		{Client: client, Service: service + "/more"},
		{Client: "CN-SD/GOV/370100", Service: service},
		{Client: client, Service: "CN-SD/GOV/370110/../marriage"},
		{Client: client, Service: "CN-SD/GOV/370110/./marriage"},
		{Client: client, Service: "CN-SD/GOV/370110/%2e%2e/marriage"},
		{Client: client, Service: "CN-SD/GOV/370110//marriage"},
		{Client: client, Service: `CN-SD/GOV/370110/a\b/marriage`},
		{Client: client, Service: "CN-SD/GOV/370110/a;b/marriage"},
		{Client: client, Service: "CN-SD/GOV/370110/a:b/marriage"},
		{Client: client, Service: "CN-SD/GOV/370110/a?b/marriage"},
		{Client: client, Service: "CN-SD/GOV/370110/ a/marriage"},
		{Client: client, Service: "CN-SD/GOV/370110/a\u200bb/marriage"},
		{Client: client, Service: "CN-SD/GOV/370110/a\xffb/marriage"},
		{Client: "CN-SD/GOV/370100/a\r\nX-Road-Id: 1", Service: service},
		{Client: client, Service: service, UserID: "a\r\nX-Road-Id: 1"},
	} {
		q := query("http://127.0.0.1:1")
		q.Source.XRoad = c
		_, err := newConnector(t).Ask(t.Context(), q)
		wantFault(t, err, connectors.FaultMisset)
	}
	q := query("http://127.0.0.1:1")
	q.Source.HTTP = &catalog.HTTPCall{
		Headers: map[string]string{"x-road-client": "CN-SD/GOV/370100/other"}, Body: map[string]any{"n": "${number}", "xm": "${name}"},
		Answer: catalog.HTTPAnswer{SubjectNumber: "/n"},
	}
	_, err := newConnector(t).Ask(t.Context(), q)
	wantFault(t, err, connectors.FaultMisset)
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
