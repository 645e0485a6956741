package conformance

import (
	"net/http/httptest"
	"testing"
	"time"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/standin"
)

// The datasets of the trial: an identity card, which ends, and a sheet with a
// field of each type, which does not.
const (
	cardCode  = "D-CC01"
	sheetCode = "D-CC02"
)

const (
	department = "CC"
	// notAsked is a field that nobody asks for in the trial.
	notAsked = "address"
)

// trial is the small catalog of the trial.
type trial struct {
	datasets []*catalog.Dataset
}

func newTrial() trial {
	return trial{datasets: []*catalog.Dataset{
		{
			Code: cardCode, Name: "示例身份证", Department: department, ValidUntil: "valid_to",
			Certificate: &catalog.Certificate{TypeCode: "11100000000013127D001"}, AskedBy: []catalog.PartyKind{catalog.KindPerson},
			Fields: []catalog.Field{
				{Code: "name", Name: "姓名", Type: catalog.FieldString},
				{Code: "citizen_id", Name: "公民身份号码", Type: catalog.FieldString},
				{Code: notAsked, Name: "住址", Type: catalog.FieldString},
				{Code: "valid_to", Name: "有效期止", Type: catalog.FieldDate},
			},
			Sources: sources(cardCode),
		},
		{
			Code: sheetCode, Name: "示例登记表", Department: department,
			Certificate: &catalog.Certificate{}, AskedBy: []catalog.PartyKind{catalog.KindPerson},
			Fields: []catalog.Field{
				{Code: "name", Name: "姓名", Type: catalog.FieldString},
				{Code: "trial_number", Name: "示例数量", Type: catalog.FieldNumber},
				{Code: "trial_flag", Name: "示例有无", Type: catalog.FieldBool},
				{Code: "trial_day", Name: "示例日期", Type: catalog.FieldDate},
				{Code: "trial_list", Name: "示例名单", Type: catalog.FieldList},
			},
			Sources: sources(sheetCode),
		},
	}}
}

func sources(dataset string) []catalog.Source {
	return []catalog.Source{
		{Code: department + "." + dataset + ".elicense", Kind: "elicense", Path: "/elicense"},
		{Code: department + "." + dataset + ".query", Kind: "httpjson", Path: "/query/" + dataset},
	}
}

// Datasets gives all datasets.
func (c trial) Datasets() []*catalog.Dataset { return c.datasets }

// Department gives the one department.
func (c trial) Department(code string) *catalog.Department {
	if code != department {
		return nil
	}
	return &catalog.Department{Code: department, Name: "示例部门", CreditCode: "11370100MB901074XC"}
}

func (c trial) dataset(code string) *catalog.Dataset {
	for _, d := range c.datasets {
		if d.Code == code {
			return d
		}
	}
	return nil
}

// StandIn starts the stand-in department of the trial, and returns it with the
// base URL that a query needs. It ends with the test.
func StandIn(t testing.TB) (*standin.Server, string) {
	t.Helper()
	persons := make([]standin.Person, 0, len(everybody()))
	for _, s := range everybody() {
		persons = append(persons, standin.Person{Code: s.Number, Name: s.Name, Number: s.Number})
	}
	server, err := standin.New(standin.Options{
		Catalog:    newTrial(),
		Population: &standin.Population{Persons: persons},
		Today:      today,
	})
	if err != nil {
		t.Fatal(err)
	}
	listener := httptest.NewServer(server)
	t.Cleanup(listener.Close)
	return server, listener.URL + "/" + department
}

func today() time.Time { return time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC) }

// known is the person whom everything is known of.
func known() connectors.Subject { return everybody()[0] }

func everybody() []connectors.Subject {
	person := func(name, number string) connectors.Subject {
		return connectors.Subject{Kind: catalog.KindPerson, Name: name, Number: number}
	}
	return []connectors.Subject{
		person("冯涛", "370199198601121535"),
		person("郑丽华", "370199198704202485"),
		person("阿依努尔·买买提", "37019919910914262X"),
	}
}

func card(s connectors.Subject, expired bool) connectors.Record {
	until := "2029-11-23"
	if expired {
		until = "2026-10-23"
	}
	return connectors.Record{Subject: s, Fields: map[string]any{"name": s.Name, "citizen_id": s.Number, "valid_to": until}}
}

func sheet(s connectors.Subject) connectors.Record {
	return connectors.Record{Subject: s, Fields: map[string]any{
		"name": s.Name, "trial_number": 1.0, "trial_flag": false, "trial_day": "2024-11-23", "trial_list": []string{"示例示例名单"},
	}}
}

func revoked(r connectors.Record) connectors.Record {
	r.Revoked = true
	return r
}

func without(r connectors.Record, field string) connectors.Record {
	delete(r.Fields, field)
	return r
}
