package exchange_test

import (
	"context"
	"maps"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/exchange"
)

// The people and bodies of the tests; area 370199 is unassigned.
const (
	wang     = "370199198805163315"
	wu       = "370199196809113156"
	zhou     = "370199198302151427"
	stranger = "37019919910914262X"
	trading  = "91370114MA9X10105M"
	estates  = "91370102MA9X10033G"
)

// record is what the departments hold of everybody they are asked about: more
// than any material needs.
func record(q connectors.Query) connectors.Record {
	fields := map[string]map[string]any{
		"D-GA01": {"name": q.Subject.Name, "citizen_id": q.Subject.Number, "address": "济南市示例区身份证住址1号", "valid_to": "2040-01-31"},
		"D-ZR01": {
			"certificate_number": "鲁(2020)示例不动产权第0000001号", "holder": q.Subject.Name, "holder_number": q.Subject.Number,
			"location": "济南市示例区云杉路9号", "unit_number": "370199001001GB00002F00000002", "usage": "商业", "registered_on": "2020-02-03",
		},
		"D-FG02": {"subject_number": q.Subject.Number, "dishonesty_kind": "无", "repaired": false},
		"D-SC04": {"credit_code": trading, "listing_category": "无"},
		"D-SC01": {
			"credit_code": q.Subject.Number, "name": q.Subject.Name, "legal_representative": "王建国",
			"registration_status": "存续", "registered_capital": 1234567.5, "domicile": "济南市示例区住所2号",
		},
		"D-SW04": {"may_move_or_deregister": true, "open_categories": 7654321.0},
	}
	return connectors.Record{Subject: q.Subject, Fields: fields[q.Dataset.Code]}
}

// wellKept answers every question with the record of whom it was asked about.
func wellKept(_ context.Context, q connectors.Query) (connectors.Reply, error) {
	return connectors.Reply{Records: []connectors.Record{record(q)}, Reference: "应答-" + q.ID}, nil
}

// except answers about one dataset otherwise than the others.
func except(dataset string, other source) source {
	return func(ctx context.Context, q connectors.Query) (connectors.Reply, error) {
		if q.Dataset.Code == dataset {
			return other(ctx, q)
		}
		return wellKept(ctx, q)
	}
}

// openingEntries are what is recorded when it is opened: that, and the word of the
// four parties who have given theirs.
const openingEntries = 5

// founding is a case that asks about four people in one round: four identity
// cards and titles, and two registers of the bad.
func founding() exchange.Opening {
	return exchange.Opening{
		Number: "JN-T-0001", Matter: "S01.M1", Facts: map[string]any{
			"applicant_kind": "company", "ent_type": "ltd", "premises": "own", "premises_use": "commercial",
			"has_preapproval": false, "foreign_party": false, "has_employee": false, "need_seal": true,
			"agent": false, "name_reserved": false, "accept_commitment": false,
		},
		Parties: []catalog.Party{
			{ID: "p1", Roles: []string{"applicant"}, Kind: catalog.KindOrganization, Name: "济南示例新设有限公司", Consent: catalog.ConsentGiven},
			person("p2", "王建国", wang, "shareholder", "legal_representative", "officer"),
			person("p3", "吴刚", wu, "shareholder", "property_holder"),
			person("p4", "周敏", zhou, "officer"),
		},
	}
}

// foundingQuestions is how many questions founding asks when all is well: the
// identity of three people, one title, two registers.
const foundingQuestions = 6

// wholeFounding is founding with all that follows it.
func wholeFounding() exchange.Opening {
	in := founding()
	in.Matter, in.OneThing = "", "S01"
	in.Parties = append(in.Parties, person("p5", "刘海燕", "370199199206183466", "tax_officer"))
	return in
}

// archive is a case whose one paper comes from the applicant.
func archive(number, applicant string) exchange.Opening {
	return exchange.Opening{
		Number: number, Matter: "S04.M21", Facts: map[string]any{"civil_defense": "offsite"},
		Parties: []catalog.Party{{ID: "p1", Roles: []string{"applicant"}, Kind: catalog.KindOrganization, Name: "示例置业有限公司", Number: applicant}},
	}
}

func person(id, name, number string, roles ...string) catalog.Party {
	return catalog.Party{ID: id, Roles: roles, Kind: catalog.KindPerson, Name: name, Number: number, Consent: catalog.ConsentGiven}
}

// with gives facts with one more.
func with(facts map[string]any, code string, value any) map[string]any {
	more := maps.Clone(facts)
	more[code] = value
	return more
}
