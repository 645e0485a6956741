package main

import (
	"database/sql"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"mianti/examples/jinan"
)

// TestBadInput_IsRefusedByNameAndStoresNothing sends what callers get wrong to
// the running program, and counts the rows afterwards.
func TestBadInput_IsRefusedByNameAndStoresNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bad.db")
	d, err := startDemo(t.Context(), "sqlite:"+path, "127.0.0.1:0", quiet())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	caller, err := d.as(t.Context(), "SPJ")
	if err != nil {
		t.Fatal(err)
	}
	good := goodCase(t)
	var opened struct{ ID string }
	if err := caller.call(t.Context(), http.MethodPost, "/v1/cases", good, &opened); err != nil {
		t.Fatal(err)
	}
	before := rows(t, path)
	changed := func(change func(map[string]any)) string {
		body := goodCase(t)
		body["number"] = "JN-BAD-0001"
		change(body)
		return asJSON(t, body)
	}
	party := func(body map[string]any, i int) map[string]any { return body["parties"].([]any)[i].(map[string]any) }
	facts := func(body map[string]any) map[string]any { return body["facts"].(map[string]any) }
	for _, test := range []struct {
		name, body, token string
		status            int
		code              string
		says              []string // words of the answer
	}{
		{"unknown matter", changed(func(b map[string]any) { delete(b, "one_thing"); b["matter"] = "S99.M1" }), "", 422, "unknown-matter", []string{"body.matter"}},
		{"unknown one-thing", changed(func(b map[string]any) { b["one_thing"] = "S99" }), "", 422, "unknown-one-thing", nil},
		{"a matter and a one-thing", changed(func(b map[string]any) { b["matter"] = "S01.M1" }), "", 422, "invalid-case", nil},
		{"a party missing for a role that a material needs", changed(func(b map[string]any) { b["parties"] = b["parties"].([]any)[:1] }), "", 422, "missing-party", []string{"S01.M1.b", "shareholder", "股东"}},
		{"citizen id of 17 digits", changed(func(b map[string]any) { party(b, 1)["number"] = "37019919880516331" }), "", 422, "invalid-case", []string{"body.parties[1].number", `"length"`}},
		{"citizen id with an impossible date", changed(func(b map[string]any) { party(b, 1)["number"] = "370199198802303315" }), "", 422, "invalid-case", []string{"body.parties[1].number", `"date"`}},
		{"citizen id with a wrong check digit", changed(func(b map[string]any) { party(b, 1)["number"] = "370199198805163316" }), "", 422, "invalid-case", []string{"body.parties[1].number", `"check-digit"`}},
		{"credit code with a letter it never has", changed(func(b map[string]any) { party(b, 0)["number"] = "91370102MA9X10O17T" }), "", 422, "invalid-case", []string{"body.parties[0].number", `"alphabet"`}},
		{"credit code with a wrong check digit", changed(func(b map[string]any) { party(b, 0)["number"] = "91370102MA9X10017A" }), "", 422, "invalid-case", []string{"body.parties[0].number", `"check-digit"`}},
		{"a fact of the wrong type", changed(func(b map[string]any) { facts(b)["agent"] = "no" }), "", 422, "invalid-case", []string{"body.facts.agent", `"wrong-type"`}},
		{"an option that does not exist", changed(func(b map[string]any) { facts(b)["ent_type"] = "gmbh" }), "", 422, "invalid-case", []string{"body.facts.ent_type"}},
		{"an unknown fact", changed(func(b map[string]any) { facts(b)["aegnt"] = false }), "", 422, "invalid-case", []string{"body.facts.aegnt", `"unknown-fact"`}},
		{"an unknown field", changed(func(b map[string]any) { b["purpose"] = "x" }), "", 400, "unknown-field", []string{"purpose"}},
		{"an unknown field of a party", changed(func(b map[string]any) { party(b, 0)["verified"] = true }), "", 400, "unknown-field", []string{"verified"}},
		{"the same key twice", strings.Replace(changed(func(map[string]any) {}), `"number":`, `"number":"X","number":`, 1), "", 400, "", nil},
		{"something after the JSON", changed(func(map[string]any) {}) + "{}", "", 400, "", nil},
		{"no JSON", "number=1", "", 400, "", nil},
		{"a body over the limit", `{"number":"` + strings.Repeat("x", 2<<20) + `"}`, "", 413, "", nil},
		{"no token", changed(func(map[string]any) {}), "none", 401, "", nil},
		{"an unsigned token", changed(func(map[string]any) {}), "Bearer " + unsigned(caller.token), 401, "", nil},
		{"a bare token", changed(func(map[string]any) {}), caller.token, 401, "", nil},
		{"a matter of another department", changed(func(b map[string]any) { b["one_thing"] = "S07" }), "", 403, "matter-of-another-department", nil},
		{"the same case number with another body", strings.Replace(asJSON(t, good), `"need_seal":true`, `"need_seal":false`, 1), "", 409, "case-number-conflict", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, problem, text := postRaw(t, d.url+"/v1/cases", test.body, authorization(test.token, caller.token))
			if status != test.status || (test.code != "" && problem["code"] != test.code) {
				t.Errorf("status %d, code %v; want %d, %s\n%s", status, problem["code"], test.status, test.code, text)
			}
			for _, field := range []string{"type", "title", "status", "fault", "code"} {
				if problem[field] == nil {
					t.Errorf("the problem has no %s: %s", field, text)
				}
			}
			for _, words := range test.says {
				if !strings.Contains(text, words) {
					t.Errorf("the problem does not say %q: %s", words, text)
				}
			}
			if strings.Contains(text, "37019919880") {
				t.Errorf("the problem repeats an identity number: %s", text)
			}
			if after := rows(t, path); after != before {
				t.Errorf("rows before %v, after %v", before, after)
			}
		})
	}
}

func goodCase(t *testing.T) map[string]any {
	t.Helper()
	content, err := jinan.Files.ReadFile("cases/S01-own-premises.yaml")
	if err != nil {
		t.Fatal(err)
	}
	file, err := parseCase("S01-own-premises.yaml", content)
	if err != nil {
		t.Fatal(err)
	}
	var body map[string]any
	if err := json.Unmarshal([]byte(asJSON(t, file.Case)), &body); err != nil {
		t.Fatal(err)
	}
	return body
}

// unsigned turns a token into one that claims to need no signature.
func unsigned(token string) string {
	parts := strings.Split(token, ".")
	return "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0." + parts[1] + "."
}

func authorization(given, good string) string {
	switch given {
	case "":
		return "Bearer " + good
	case "none":
		return ""
	}
	return given
}

func postRaw(t *testing.T, url, body, authorization string) (int, map[string]any, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if authorization != "" {
		request.Header.Set("Authorization", authorization)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	var problem map[string]any
	if err := json.Unmarshal(content, &problem); err != nil {
		t.Errorf("the answer is no JSON: %s", content)
	}
	return response.StatusCode, problem, string(content)
}

// rowCounts are the rows that opening a case would add to.
type rowCounts struct{ cases, entries, resolutions int }

func rows(t *testing.T, path string) rowCounts {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var n rowCounts
	row := db.QueryRowContext(t.Context(), "SELECT (SELECT COUNT(*) FROM cases), (SELECT COUNT(*) FROM ledger_entries), (SELECT COUNT(*) FROM resolutions)")
	if err := row.Scan(&n.cases, &n.entries, &n.resolutions); err != nil {
		t.Fatal(err)
	}
	return n
}
