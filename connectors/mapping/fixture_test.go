package mapping_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/mapping"
)

const (
	number      = "370199198805163323"
	otherNumber = "370199199007221247"
)

// today is eight o'clock in China.
func today() time.Time { return time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC) }

// dataset has a field of each type.
func dataset() *catalog.Dataset {
	return &catalog.Dataset{Code: "D-MZ01", Fields: []catalog.Field{
		{Code: "name", Name: "姓名", Type: catalog.FieldString},
		{Code: "sex", Name: "性别", Type: catalog.FieldString},
		{Code: "copies", Name: "份数", Type: catalog.FieldNumber},
		{Code: "valid", Name: "有效", Type: catalog.FieldBool},
		{Code: "registered_on", Name: "登记日期", Type: catalog.FieldDate},
		{Code: "partners", Name: "双方", Type: catalog.FieldList},
	}}
}

// query asks for some fields; none means all.
func query(s *catalog.Source, fields ...string) connectors.Query {
	d := dataset()
	if len(fields) == 0 {
		for _, f := range d.Fields {
			fields = append(fields, f.Code)
		}
	}
	return connectors.Query{
		ID: "q-1", Dataset: d, Source: s, Fields: fields, Purpose: "办件核验", CaseNumber: "JN-1",
		Subject: connectors.Subject{Kind: catalog.KindPerson, Name: "王建国", Number: number},
	}
}

func compile(t testing.TB, s *catalog.Source) *mapping.Mapping {
	t.Helper()
	m, err := mapping.Compile(dataset(), s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// described is a source whose answer is described; the request is simple.
func described(a catalog.HTTPAnswer) *catalog.Source {
	if a.SubjectNumber == "" {
		a.SubjectNumber = "/zjhm"
	}
	return &catalog.Source{Path: "/q", HTTP: &catalog.HTTPCall{
		Body: map[string]any{"xm": "${name}", "zjhm": "${number}"}, Answer: a,
	}}
}

// wantFault wants a *connectors.Fault of a kind; none when want is empty.
func wantFault(t *testing.T, err error, want connectors.FaultKind) {
	t.Helper()
	var fault *connectors.Fault
	switch {
	case want == "" && err != nil:
		t.Errorf("got %v, want an answer", err)
	case want != "" && (!errors.As(err, &fault) || fault.Kind != want):
		t.Errorf("got %v, want fault %s", err, want)
	}
}

func tree(t *testing.T, text []byte) any {
	t.Helper()
	var out any
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return out
}
