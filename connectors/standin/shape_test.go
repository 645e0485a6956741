package standin_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mianti/connectors/standin"
)

// call sends a request and gives the answer with its body read.
func call(t *testing.T, method, address string, header http.Header, body string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		request.Header[name] = values
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text := new(strings.Builder)
	if _, err := copyAll(text, answer.Body); err != nil {
		t.Fatal(err)
	}
	return answer, text.String()
}

func form(values ...string) string {
	out := url.Values{}
	for i := 0; i < len(values); i += 2 {
		out.Set(values[i], values[i+1])
	}
	return out.Encode()
}

func TestRest_AnswersAFormWithCodedValues(t *testing.T) {
	t.Parallel()
	server, base := newServer(t, 0)
	asForm := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	ask := func(body string) map[string]any {
		t.Helper()
		_, text := call(t, http.MethodPost, base+"/AA/rest/D-A", asForm, body)
		var out map[string]any
		if err := json.Unmarshal([]byte(text), &out); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		return out
	}
	good := form("xm", "王建国", "sfzh", "370199198805163315", "lx", "1", "reason", "办件核验", "trace", "q-1")
	want := map[string]any{"status": 200.0, "trace": "q-1", "result": []any{map[string]any{
		"who":     map[string]any{"xm": "王建国", "sfzh": "370199198805163315"},
		"updated": "2026-11-23 08:00:00", "state": "1",
		"content": map[string]any{"name": "王建国", "location": "济南市示例区云杉路1号", "area": "120.5", "valid_to": "20291123"},
	}}}
	if diff := cmp.Diff(want, ask(good)); diff != "" {
		t.Errorf("a known person (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]any{"status": 404.0, "trace": "", "result": nil}, ask(form("xm", "王建", "sfzh", "370199198805163315", "reason", "x"))); diff != "" {
		t.Errorf("another name (-want +got):\n%s", diff)
	}
	if got := ask(form("xm", "王建国", "sfzh", "370199198805163315"))["status"]; got != 400.0 {
		t.Errorf("no reason: status %v", got)
	}
	if err := server.SetRules(standin.Rule{Fault: standin.FaultBusy}); err != nil {
		t.Fatal(err)
	}
	if got := ask(good)["status"]; got != 429.0 {
		t.Errorf("busy: status %v", got)
	}
}

func TestXRoad_BindsTheAnswerToTheQuestion(t *testing.T) {
	t.Parallel()
	server, base := newServer(t, 0)
	const id = "018f6b0e-1111-7000-8000-000000000001"
	body := `{"request_id":"q-1","purpose":"x","fields":["姓名"],"subject":{"kind":"person","name":"王建国","number":"370199198805163315"}}`
	header := func(changes ...string) http.Header {
		h := http.Header{"X-Road-Client": {"MT-TEST/GOV/1001/exchange"}, "X-Road-Id": {id}}
		for i := 0; i < len(changes); i += 2 {
			h.Del(changes[i])
			if changes[i+1] != "" {
				h.Set(changes[i], changes[i+1])
			}
		}
		return h
	}
	for _, path := range []string{"/r1/MT-TEST/GOV/AA/registers/D-A", "/AA/r1/MT-TEST/GOV/AA/registers/D-A"} {
		answer, text := call(t, http.MethodPost, base+path, header(), body)
		hash, err := base64.StdEncoding.DecodeString(answer.Header.Get("X-Road-Request-Hash"))
		if answer.StatusCode != http.StatusOK || err != nil || len(hash) != 64 || !strings.Contains(text, "王建国") {
			t.Errorf("%s: status %d, hash of %d bytes: %s", path, answer.StatusCode, len(hash), text)
		}
		if got := answer.Header.Get("X-Road-Id") + " " + answer.Header.Get("X-Road-Service"); got != id+" MT-TEST/GOV/AA/registers/D-A" {
			t.Errorf("%s: answered as %s", path, got)
		}
	}
	for _, c := range []struct {
		name, path string
		header     http.Header
		fault      standin.Fault
		status     int
		want       string
	}{
		{"no client", "/r1/MT-TEST/GOV/AA/registers/D-A", header("X-Road-Client", ""), "", 400, "Client.MissingHeader"},
		{"no UUID", "/r1/MT-TEST/GOV/AA/registers/D-A", header("X-Road-Id", "q-1"), "", 400, "Client.BadRequest"},
		{"no such service", "/r1/MT-TEST/GOV/AA/registers/D-B", header(), "", 500, "Server.ServerProxy.UnknownService"},
		{"refused", "/r1/MT-TEST/GOV/AA/registers/D-A", header(), standin.FaultXRoadClient, 400, "Client.AccessDenied"},
		{"out of order", "/r1/MT-TEST/GOV/AA/registers/D-A", header(), standin.FaultXRoadServer, 500, "Server.ServerProxy.NetworkError"},
		{"the source itself", "/r1/MT-TEST/GOV/AA/registers/D-A", header(), standin.FaultDown, 503, ""},
	} {
		if err := server.SetRules(standin.Rule{Fault: c.fault}); err != nil {
			t.Fatal(err)
		}
		answer, text := call(t, http.MethodPost, base+c.path, c.header, body)
		if got := answer.Header.Get("X-Road-Error"); answer.StatusCode != c.status || got != c.want {
			t.Errorf("%s: status %d, error %q: %s", c.name, answer.StatusCode, got, text)
		}
	}
}

func TestVerify_HasEightResults(t *testing.T) {
	t.Parallel()
	server, base := newServer(t, 0)
	good := map[string]string{"holder": "王建国", "holderCode": "370199198805163315", "certNo": "证0000000001", "面积": "120.5", "有效期止": "20291123"}
	with := func(changes ...string) map[string]string {
		out := map[string]string{}
		for k, v := range good {
			out[k] = v
		}
		for i := 0; i < len(changes); i += 2 {
			out[changes[i]] = changes[i+1]
		}
		return out
	}
	for _, c := range []struct {
		name  string
		rules []standin.Rule
		data  map[string]string
		want  string
	}{
		{"good", nil, with(), "0"},
		{"not in force yet", []standin.Rule{{Fault: standin.FaultInactive}}, with(), "1"},
		{"suspended", []standin.Rule{{Fault: standin.FaultSuspended}}, with(), "2"},
		{"revoked", []standin.Rule{{Fault: standin.FaultRevoked}}, with(), "3"},
		{"expired", []standin.Rule{{Fault: standin.FaultExpired}}, with("有效期止", "20261023"), "3"},
		{"the register lacks a field", []standin.Rule{{Dataset: "D-A", Fields: map[string]any{"area": nil}}}, with(), "4"},
		{"nobody", nil, with("holderCode", "370199198503091176"), "5"},
		{"no record", []standin.Rule{{Fault: standin.FaultNotFound}}, with(), "5"},
		{"no holder", nil, with("holder", ""), "6"},
		{"another name", nil, with("holder", "王建"), "7"},
		{"another number of the licence", nil, with("certNo", "证9"), "7"},
		{"another value", nil, with("面积", "121"), "7"},
	} {
		if err := server.SetRules(c.rules...); err != nil {
			t.Fatal(err)
		}
		_, body := post(t, base+"/AA/elicense/verifyCertInfo", map[string]any{"certTypeCode": "D-A", "certData": c.data, "useCause": "x"})
		var answer struct {
			Head struct{ Status string }
			Data struct{ Result string }
		}
		if err := json.Unmarshal(body, &answer); err != nil || answer.Head.Status != "0" || answer.Data.Result != c.want {
			t.Errorf("%s: %s, want result %s", c.name, body, c.want)
		}
	}
}
