package standin_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/connectors/standin"
	"mianti/internal/identifier"
)

func TestQuery_AnswersOnlyTheRightPairAndTellsNothingElseApart(t *testing.T) {
	t.Parallel()
	server, base := newServer(t, 0)
	cases := []struct {
		name, kind, who, number string
		want                    int
	}{
		{"the right pair", "person", "王建国", "370199198805163315", 1},
		{"another kind of middle dot", "person", "阿依努尔•买买提", "37019919910914262X", 1},
		{"half-width brackets", "organization", "济南大件物流(示例)有限公司", "91370102MA9X10041B", 1},
		{"a property by its unit", "property", "济南市示例区云杉路1号", "370199001001GB00001F00000001", 1},
		{"a vehicle", "vehicle", "鲁A0X001", "LTEST000000000001", 1},
		{"another name", "person", "王建", "370199198805163315", 0},
		{"no name", "person", "", "370199198805163315", 0},
		{"another's number", "person", "王建国", "370199199007221247", 0},
		{"an unknown number", "person", "王建国", "370199198503091176", 0},
		{"no number", "organization", "示例海外投资控股有限公司（境外）", "", 0},
		{"another kind", "organization", "王建国", "370199198805163315", 0},
	}
	for _, c := range cases {
		got := ask(t, base, "D-A", c.kind, c.who, c.number, "姓名")
		if got.Code != "0" || len(got.Data) != c.want {
			t.Errorf("%s: code %s and %d records, want %d", c.name, got.Code, len(got.Data), c.want)
		}
	}
	none := func(who, number string) []byte {
		_, body := post(t, base+"/AA/query/D-A", map[string]any{
			"request_id": "q-1", "purpose": "x", "fields": []string{"姓名"}, "subject": map[string]string{"kind": "person", "name": who, "number": number}})
		return body
	}
	noPerson := none("王建国", "370199198503091176")
	if err := server.SetRules(standin.Rule{Fault: standin.FaultNotFound}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(noPerson), string(none("王建国", "370199198805163315"))); diff != "" {
		t.Errorf("no person and no record are told apart:\n%s", diff)
	}
}

func TestQuery_RefusesQuestionsThatAreNotAsAgreed(t *testing.T) {
	t.Parallel()
	_, base := newServer(t, 0)
	question := func(change func(q map[string]any)) map[string]any {
		q := map[string]any{"request_id": "q-1", "purpose": "x", "fields": []string{"姓名"},
			"subject": map[string]string{"kind": "person", "name": "王建国", "number": "370199198805163315"}}
		change(q)
		return q
	}
	cases := []struct {
		name, path string
		question   any
		status     int
		code       string
	}{
		{"no purpose", "/AA/query/D-A", question(func(q map[string]any) { q["purpose"] = " " }), 200, "1001"},
		{"an unknown field", "/AA/query/D-A", question(func(q map[string]any) { q["fields"] = []string{"密码"} }), 200, "1002"},
		{"a kind that it is not asked by", "/AA/query/D-ZR01", question(func(q map[string]any) { q["subject"] = map[string]string{"kind": "vehicle"} }), 200, "1002"},
		{"an unknown key", "/AA/query/D-A", question(func(q map[string]any) { q["all"] = true }), 400, ""},
		{"an unknown dataset", "/AA/query/D-B", question(func(map[string]any) {}), 404, ""},
		{"another department", "/BB/query/D-A", question(func(map[string]any) {}), 404, ""},
	}
	for _, c := range cases {
		status, body := post(t, base+c.path, c.question)
		if status != c.status || !strings.Contains(string(body), c.code) || strings.Contains(string(body), "3701991988") {
			t.Errorf("%s: status %d, %s", c.name, status, body)
		}
	}
}

func TestQuery_GivesOneRecordForEachPropertyThatIsHeld(t *testing.T) {
	t.Parallel()
	_, base := newServer(t, 0)
	locations := func(name, number string) []string {
		var out []string
		for _, item := range ask(t, base, "D-ZR01", "person", name, number, "坐落", "用途", "权利人").Data {
			if item.Record["权利人"] != name {
				t.Errorf("the holder is %v", item.Record["权利人"])
			}
			out = append(out, item.Record["坐落"].(string)+" "+item.Record["用途"].(string))
		}
		return out
	}
	if diff := cmp.Diff([]string{"济南市示例区云杉路1号 住宅"}, locations("王建国", "370199198805163315")); diff != "" {
		t.Errorf("one property:\n%s", diff)
	}
	if diff := cmp.Diff([]string{"济南市示例区云杉路2号 商业", "济南市示例区云杉路3号 住宅"}, locations("赵晓敏", "370199199007221247")); diff != "" {
		t.Errorf("two properties:\n%s", diff)
	}
	// Who holds none in the population still has a home on record.
	if got := locations("阿依努尔·买买提", "37019919910914262X"); len(got) != 1 || !strings.HasSuffix(got[0], "住宅") {
		t.Errorf("no property: %v", got)
	}
}

func TestSetRules_TheLatestFittingRuleDecides(t *testing.T) {
	t.Parallel()
	server, base := newServer(t, 0)
	if err := server.SetRules(standin.Rule{Fault: standin.FaultBusy}, standin.Rule{Dataset: "D-A", Fault: standin.FaultNotFound},
		standin.Rule{Dataset: "D-A", Subject: "37019919910914262X", Fault: standin.FaultMultiple},
		standin.Rule{Dataset: "D-A", Fields: map[string]any{"area": 7, "location": "别处"}}); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, base, "D-ZR01", "person", "王建国", "370199198805163315"); got.Code != "9001" {
		t.Errorf("the rule for all: code %s", got.Code)
	}
	if got := ask(t, base, "D-A", "person", "王建国", "370199198805163315"); got.Code != "0" || len(got.Data) != 0 {
		t.Errorf("the rule for the dataset: %v", got)
	}
	got := ask(t, base, "D-A", "person", "阿依努尔·买买提", "37019919910914262X", "面积", "坐落")
	if len(got.Data) != 2 {
		t.Fatalf("the rule for the person: %d records", len(got.Data))
	}
	if diff := cmp.Diff(map[string]any{"面积": 7.0, "坐落": "别处"}, got.Data[0].Record); diff != "" {
		t.Errorf("replaced fields (-want +got):\n%s", diff)
	}
	server.ClearRules()
	if got := ask(t, base, "D-A", "person", "王建国", "370199198805163315"); len(got.Data) != 1 {
		t.Errorf("after all rules are gone: %v", got)
	}
}

func TestSetRules_RefusesARuleThatCannotBePlayed(t *testing.T) {
	t.Parallel()
	server, _ := newServer(t, 0)
	for name, rule := range map[string]standin.Rule{
		"an unknown fault":         {Fault: "explode"},
		"an unknown dataset":       {Dataset: "D-B", Fault: standin.FaultDown},
		"an unknown field":         {Dataset: "D-A", Fields: map[string]any{"colour": "red"}},
		"a value of another type":  {Dataset: "D-A", Fields: map[string]any{"area": []string{"x"}}},
		"a date that is none":      {Dataset: "D-A", Fields: map[string]any{"valid_to": "soon"}},
		"fields without a dataset": {Fields: map[string]any{"area": 1}},
	} {
		if err := server.SetRules(rule); err == nil {
			t.Errorf("SetRules takes %s", name)
		}
		if err := server.AddRule(rule); err == nil {
			t.Errorf("AddRule takes %s", name)
		}
	}
}

func TestFaultsPath_SetsAndClearsRules(t *testing.T) {
	t.Parallel()
	_, base := newServer(t, 0)
	for _, bad := range []map[string]any{{"fault": "explode"}, {"delay": "long"}, {"delay": "-1s"}, {"colour": "red"}} {
		if status, _ := post(t, base+"/_faults", bad); status != http.StatusBadRequest {
			t.Errorf("%v gives status %d, want 400", bad, status)
		}
	}
	status, body := post(t, base+"/_faults", map[string]any{"dataset": "D-A", "number": "370199198805163315", "fields": map[string]any{"area": 9}, "delay": "1ms"})
	if status != http.StatusNoContent {
		t.Fatalf("status %d: %s", status, body)
	}
	if got := ask(t, base, "D-A", "person", "王建国", "370199198805163315", "面积"); got.Data[0].Record["面积"] != 9.0 {
		t.Errorf("the rule does not hold: %v", got)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, base+"/_faults", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if got := ask(t, base, "D-A", "person", "王建国", "370199198805163315", "面积"); answer.StatusCode != http.StatusNoContent || got.Data[0].Record["面积"] == 9.0 {
		t.Errorf("status %d, and the rule holds on: %v", answer.StatusCode, got)
	}
}

func TestServer_WaitsItsLatencyAndNoLongerThanItIsAskedFor(t *testing.T) {
	t.Parallel()
	const latency = 30 * time.Millisecond
	server, base := newServer(t, latency)
	start := time.Now()
	ask(t, base, "D-A", "person", "王建国", "370199198805163315")
	if took := time.Since(start); took < latency {
		t.Errorf("the answer came after %v, want at least %v", took, latency)
	}
	if err := server.AddRule(standin.Rule{Fault: standin.FaultSlow}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), latency)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/AA/query/D-A", strings.NewReader(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	// The listener's Close, at the end of the test, waits for every handler: one
	// that slept on would show as a test of half a minute.
	if _, err := http.DefaultClient.Do(request); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the deadline", err)
	}
}

func TestCounts_CountsQuestionsByDataset(t *testing.T) {
	t.Parallel()
	server, base := newServer(t, 0)
	ask(t, base, "D-A", "person", "王建国", "370199198805163315")
	ask(t, base, "D-A", "person", "王建", "370199198805163315")
	findLicence(t, base, "王建国", "370199198805163315")
	if diff := cmp.Diff(map[string]int{"D-A": 3}, server.Counts()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLicence_HasAValidIdentifierWithoutTheHoldersNumber(t *testing.T) {
	t.Parallel()
	_, base := newServer(t, 0)
	list := findLicence(t, base, "王建国", "370199198805163315")
	if len(list) != 1 {
		t.Fatalf("%d identifiers, want 1", len(list))
	}
	rest, isLicence := strings.CutPrefix(list[0], "1.2.156.3005.2.")
	parts := strings.Split(rest, ".")
	if !isLicence || len(parts) != 5 || strings.Contains(list[0], "198805163315") {
		t.Fatalf("identifier %s", list[0])
	}
	if check := identifier.ElicenseCheck(strings.Join(parts[:4], "")); parts[4] != string(check) {
		t.Errorf("check character %s, want %c", parts[4], check)
	}
	var answer struct {
		Head struct{ Status string }
		Data struct {
			CertIdentifier, ValidTo, Status string
			Extension                       map[string]any
		}
	}
	_, body := post(t, base+"/AA/elicense/queryCertInfo", map[string]string{"certIdentifier": list[0], "useCause": "x"})
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Fatal(err)
	}
	if answer.Head.Status != "0" || answer.Data.CertIdentifier != list[0] || answer.Data.Status != "01" || answer.Data.ValidTo != answer.Data.Extension["有效期止"] {
		t.Errorf("licence %s", body)
	}
}

func TestLicence_RefusesQuestionsThatAreNotAsAgreed(t *testing.T) {
	t.Parallel()
	_, base := newServer(t, 0)
	find := func(changes ...string) map[string]string {
		q := map[string]string{"holderCode": "370199198805163315", "holderName": "王建国", "holderTypeCode": "111", "certTypeCode": "D-A", "useCause": "x"}
		for i := 0; i < len(changes); i += 2 {
			q[changes[i]] = changes[i+1]
		}
		return q
	}
	read := func(identifier string) map[string]string {
		return map[string]string{"certIdentifier": identifier, "useCause": "x"}
	}
	cases := []struct {
		name, step string
		question   map[string]string
		want       string
	}{
		{"a known holder", "queryCertInfoByHolderCode", find(), "0"},
		{"another name", "queryCertInfoByHolderCode", find("holderName", "王建"), "10"},
		{"another kind of holder", "queryCertInfoByHolderCode", find("holderTypeCode", "001"), "10"},
		{"a vehicle as a thing", "queryCertInfoByHolderCode", find("holderTypeCode", "099", "holderName", "鲁A0X001", "holderCode", "LTEST000000000001"), "0"},
		{"another type", "queryCertInfoByHolderCode", find("certTypeCode", "D-ZR01"), "102"},
		{"no cause", "queryCertInfoByHolderCode", find("useCause", ""), "12"},
		{"a cause of 200 characters", "queryCertInfoByHolderCode", find("useCause", strings.Repeat("证", 200)), "0"},
		{"a cause of 201 characters", "queryCertInfoByHolderCode", find("useCause", strings.Repeat("证", 201)), "102"},
		{"no identifier", "queryCertInfo", read(""), "10"},
		{"an identifier of nobody", "queryCertInfo", read("1.2.156.3005.2.DA.11370100MB901074XC.00009999901.001.X"), "10"},
		{"an identifier of no kind", "queryCertInfo", read("1.2.156.3005.2.DA.11370100MB901074XC.90000000001.001.X"), "10"},
		{"an identifier that is none", "queryCertInfo", read("1.2.156.3005.2.DA.x.-0000000001.001.X"), "10"},
	}
	for _, c := range cases {
		var answer struct{ Head struct{ Status string } }
		_, body := post(t, base+"/AA/elicense/"+c.step, c.question)
		if err := json.Unmarshal(body, &answer); err != nil || answer.Head.Status != c.want {
			t.Errorf("%s: %s, want status %s", c.name, body, c.want)
		}
	}
}

func findLicence(t *testing.T, base, name, number string) []string {
	t.Helper()
	_, body := post(t, base+"/AA/elicense/queryCertInfoByHolderCode", map[string]string{
		"holderCode": number, "holderName": name, "holderTypeCode": "111", "certTypeCode": "D-A", "useCause": "x"})
	var answer struct {
		Data struct{ CertIdentifiers []string }
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Fatal(err)
	}
	return answer.Data.CertIdentifiers
}
