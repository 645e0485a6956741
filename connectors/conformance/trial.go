package conformance

import (
	"strings"
	"time"

	"mianti/catalog"
	"mianti/connectors"
)

// The datasets of the trial: an identity card, which ends, and a sheet with a
// field of each type, which does not.
const (
	Card  = "D-CC01"
	Sheet = "D-CC02"
)

const (
	department = "CC"
	// NotAsked is a field of Card that nobody asks for in the trial.
	NotAsked = "address"
)

// trial is the small catalog of the trial.
type trial struct {
	datasets []*catalog.Dataset
}

func newTrial() trial {
	return trial{datasets: []*catalog.Dataset{
		{
			Code: Card, Name: "示例身份证", Department: department, ValidUntil: "valid_to",
			Certificate: &catalog.Certificate{TypeCode: "11100000000013127D001"}, AskedBy: []catalog.PartyKind{catalog.KindPerson},
			Fields: []catalog.Field{
				{Code: "name", Name: "姓名", Type: catalog.FieldString},
				{Code: "citizen_id", Name: "公民身份号码", Type: catalog.FieldString},
				{Code: NotAsked, Name: "住址", Type: catalog.FieldString},
				{Code: "valid_to", Name: "有效期止", Type: catalog.FieldDate},
			},
		},
		{
			Code: Sheet, Name: "示例登记表", Department: department,
			Certificate: &catalog.Certificate{}, AskedBy: []catalog.PartyKind{catalog.KindPerson},
			Fields: []catalog.Field{
				{Code: "name", Name: "姓名", Type: catalog.FieldString},
				{Code: "trial_number", Name: "示例数量", Type: catalog.FieldNumber},
				{Code: "trial_flag", Name: "示例有无", Type: catalog.FieldBool},
				{Code: "trial_day", Name: "示例日期", Type: catalog.FieldDate},
				{Code: "trial_list", Name: "示例名单", Type: catalog.FieldList},
			},
		},
	}}
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

// Dataset gives a new copy of Card or Sheet, without sources; nil for any
// other code.
func Dataset(code string) *catalog.Dataset {
	for _, d := range newTrial().datasets {
		if d.Code == code {
			return d
		}
	}
	return nil
}

// Query asks for all fields of a dataset but NotAsked. The source becomes the
// dataset's only one.
func Query(dataset string, source catalog.Source, baseURL string, s connectors.Subject) connectors.Query {
	d := Dataset(dataset)
	d.Sources = []catalog.Source{source}
	fields := []string{}
	for _, f := range d.Fields {
		if f.Code != NotAsked {
			fields = append(fields, f.Code)
		}
	}
	return connectors.Query{
		ID: "q-1", Dataset: d, Source: &d.Sources[0], BaseURL: baseURL, Network: catalog.NetworkLocal, Subject: s, Fields: fields,
		// Longer than the licence platform takes.
		Purpose: strings.Repeat("办件 JN-S01-0001，事项 S01.M1，材料 S01.M1.b。", 10),
		Case:    "018f6b0e-0000-7000-8000-000000000001", CaseNumber: "JN-S01-0001", Receiver: "AA",
		Matter: "S01.M1", Material: "S01.M1.b", Days: 2,
	}
}

// Today is the time of the trial, for a connector's clock: 2026-11-23, eight
// o'clock in China.
func Today() time.Time { return time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC) }

// known is the person whom everything is known of.
func known() connectors.Subject { return People()[0] }

// People are those whom the department holds records of.
func People() []connectors.Subject {
	person := func(name, number string) connectors.Subject {
		return connectors.Subject{Kind: catalog.KindPerson, Name: name, Number: number}
	}
	return []connectors.Subject{
		person("冯涛", "370199198601121535"),
		person("郑丽华", "370199198704202485"),
		person("阿依努尔·买买提", "37019919910914262X"),
	}
}

func card(s connectors.Subject) connectors.Record {
	return connectors.Record{Subject: s, Fields: map[string]any{"name": s.Name, "citizen_id": s.Number, "valid_to": "2029-11-23"}}
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

func with(r connectors.Record, field string, value any) connectors.Record {
	r.Fields[field] = value
	return r
}

func without(r connectors.Record, field string) connectors.Record {
	delete(r.Fields, field)
	return r
}
