package usual

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestHolds_JudgesTheRecord(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		`{"data":[{"record":{"状态":"正常","有效期止":"2039-12-31"}}]}`: true,
		`{"data":[{"record":{"状态":"注销","有效期止":"2039-12-31"}}]}`: false,
		`{"data":[{"record":{"状态":"正常","有效期止":"2019-12-31"}}]}`: false,
		`{"data":[]}`: false,
		`{}`:          false,
	} {
		var record map[string]any
		if err := json.Unmarshal([]byte(text), &record); err != nil {
			t.Fatal(err)
		}
		if got := holds(record); got != want {
			t.Errorf("holds(%s) = %t, want %t", text, got, want)
		}
	}
}

func TestAggregator_MergesWhatAllSay(t *testing.T) {
	t.Parallel()
	source := func(answer string) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(answer)) }))
		t.Cleanup(s.Close)
		return s.URL
	}
	one, two := source(`{"a":1}`), source(`{"b":2}`)
	a := Aggregator{Client: http.DefaultClient, Sources: []string{one, two}}
	recorder := httptest.NewRecorder()
	a.Handler().ServeHTTP(recorder, httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{"q":1}`)))
	var merged map[string]map[string]float64
	if err := json.Unmarshal(recorder.Body.Bytes(), &merged); err != nil {
		t.Fatal(err)
	}
	if merged[one]["a"] != 1 || merged[two]["b"] != 2 || len(merged) != 2 {
		t.Errorf("merged = %v", merged)
	}
	a.Sources = append(a.Sources, source(`no JSON`))
	recorder = httptest.NewRecorder()
	a.Handler().ServeHTTP(recorder, httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{"q":1}`)))
	if recorder.Code != http.StatusBadGateway {
		t.Errorf("status %d when a source says nonsense, want 502", recorder.Code)
	}
}
