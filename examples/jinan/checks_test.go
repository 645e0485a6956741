package jinan_test

import (
	"strings"
	"testing"
	"time"

	"mianti/catalog"
)

type (
	records = map[string]map[string]any
	fields  = map[string]any
)

// today is the date of every check here.
var today = time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)

var (
	person  = catalog.Party{Kind: catalog.KindPerson, Name: "阿依努尔·买买提", Number: "37019919910914262X"}
	company = catalog.Party{Kind: catalog.KindOrganization, Name: "济南大件物流（示例）有限公司", Number: "91370102MA9X10041B"}
	lorry   = catalog.Party{Kind: catalog.KindVehicle, Name: "鲁A0X001", Number: "LTEST000000000001"}
)

// checkCase tries one check of the catalog at an edge of what the source says.
type checkCase struct {
	name     string
	material string
	subject  catalog.Party
	facts    catalog.Facts
	records  records
	want     catalog.Truth
}

func runChecks(t *testing.T, tests []checkCase) {
	t.Helper()
	r := load(t)
	for _, tt := range tests {
		t.Run(tt.material+" "+tt.name, func(t *testing.T) {
			t.Parallel()
			matter := r.Matter(tt.material[:strings.LastIndexByte(tt.material, '.')])
			thing := r.OneThing(matter.OneThing)
			proof := r.Material(tt.material).Proofs[0]
			got, err := proof.Holds(catalog.CheckInput{
				Records: tt.records, Subject: tt.subject, Facts: tt.facts, Params: thing.Params, Today: today,
			})
			if err != nil {
				t.Fatal(err)
			}
			if got.Truth != tt.want {
				t.Errorf("%s: %s, want %s (missing field %q, facts %v)", proof.Check, got.Truth, tt.want, got.MissingField, got.Facts)
			}
		})
	}
}

func TestChecks_IdentityAndPremisesSayWhatTheSourceSays(t *testing.T) {
	t.Parallel()
	runChecks(t, []checkCase{
		{"identity: the same name with another dot, valid until today", "S06.M2.b", person, nil, records{"D-GA01": {"name": "阿依努尔•买买提", "citizen_id": "37019919910914262X", "valid_to": "2026-11-20"}}, catalog.True},
		{"identity: ended yesterday", "S06.M2.b", person, nil, records{"D-GA01": {"name": "阿依努尔·买买提", "citizen_id": "37019919910914262X", "valid_to": "2026-11-19"}}, catalog.False},
		{"identity: another number", "S06.M2.b", person, nil, records{"D-GA01": {"name": "阿依努尔·买买提", "citizen_id": "370199199109142611", "valid_to": "2030-01-01"}}, catalog.False},
		{"licence: in business", "S02.M3.a", company, nil, records{"D-SC01": {"registration_status": "存续"}}, catalog.True},
		{"licence: deregistered", "S02.M3.a", company, nil, records{"D-SC01": {"registration_status": "注销"}}, catalog.False},
		{"legal representative: of this licence", "S08.M3.g", person, nil, records{"D-GA01": {"name": person.Name}, "D-SC01": {"legal_representative": "阿依努尔・买买提"}}, catalog.True},
		{"legal representative: somebody else", "S08.M3.g", person, nil, records{"D-GA01": {"name": person.Name}, "D-SC01": {"legal_representative": "周敏"}}, catalog.False},
		{"premises: a shop", "S01.M1.d", person, catalog.Facts{"premises_use": "commercial"}, records{"D-ZR01": {"usage": "商业"}}, catalog.True},
		{"premises: a flat said to be a shop", "S01.M1.d", person, catalog.Facts{"premises_use": "commercial"}, records{"D-ZR01": {"usage": "住宅"}}, catalog.False},
		{"premises: a flat, said to be one", "S01.M1.d", person, catalog.Facts{"premises_use": "residential"}, records{"D-ZR01": {"usage": "住宅"}}, catalog.True},
		{"premises: a shop, whatever was said", "S01.M1.d", person, nil, records{"D-ZR01": {"usage": "商业"}}, catalog.True},
		{"premises: a flat, nothing said", "S01.M1.d", person, nil, records{"D-ZR01": {"usage": "住宅"}}, catalog.Unknown},
	})
}

func TestChecks_SchoolEnrolmentSayWhatTheSourceSays(t *testing.T) {
	t.Parallel()
	runChecks(t, []checkCase{
		{"six on 31 August", "S05.M1.a", person, nil, records{"D-GA02": {"birth_date": "2020-08-31"}}, catalog.True},
		{"six on 1 September", "S05.M1.a", person, nil, records{"D-GA02": {"birth_date": "2020-09-01"}}, catalog.False},
		{"home: registered on the last day", "S05.M2.a", person, nil, records{"D-ZR01": {"usage": "住宅", "registered_on": "2026-05-31"}}, catalog.True},
		{"home: a day late", "S05.M2.a", person, nil, records{"D-ZR01": {"usage": "住宅", "registered_on": "2026-06-01"}}, catalog.False},
		{"home: an office", "S05.M2.a", person, nil, records{"D-ZR01": {"usage": "办公", "registered_on": "2020-06-01"}}, catalog.False},
		{"residence: six months", "S05.M3.a", person, nil, records{"D-GA03": {"residence_months": 6.0}}, catalog.True},
		{"residence: five", "S05.M3.a", person, nil, records{"D-GA03": {"residence_months": 5.0}}, catalog.False},
		{"insured: the whole last year", "S05.M4.a", person, nil, insured(30, true, "2020-01", "2026-10"), catalog.True},
		{"insured: six months without a gap, until last month", "S05.M4.a", person, nil, insured(6, false, "2026-05", "2026-10"), catalog.True},
		{"insured: six months with a gap", "S05.M4.a", person, nil, insured(6, false, "2026-04", "2026-10"), catalog.False},
		{"insured: six months, long ago", "S05.M4.a", person, nil, insured(6, false, "2024-05", "2024-10"), catalog.False},
		{"insured: five months", "S05.M4.a", person, nil, insured(5, false, "2026-06", "2026-10"), catalog.False},
		{"business: six months before the date", "S05.M5.a", person, nil, records{"D-SC01": {"established_on": "2025-11-30", "registration_status": "存续"}}, catalog.True},
		{"business: a day short", "S05.M5.a", person, nil, records{"D-SC01": {"established_on": "2025-12-01", "registration_status": "存续"}}, catalog.False},
		{"school: registered elsewhere", "S05.M7.b", person, nil, records{"D-JY01": {"status": "在读"}}, catalog.False},
	})
}

func TestChecks_HomesSayWhatTheSourceSays(t *testing.T) {
	t.Parallel()
	runChecks(t, []checkCase{
		{"homes: the second", "S06.M2.f", person, nil, records{"D-ZR04": {"homes_in_city": 1.0}}, catalog.True},
		{"homes: the third", "S06.M2.f", person, nil, records{"D-ZR04": {"homes_in_city": 2.0}}, catalog.False},
		{"deed tax: of this contract", "S06.M4.e", person, nil, records{"D-SW01": {"contract_number": "A1", "paid_on": "2026-11-20"}, "D-ZJ01": {"contract_number": "A1"}}, catalog.True},
		{"deed tax: of another contract", "S06.M4.e", person, nil, records{"D-SW01": {"contract_number": "A1", "paid_on": "2026-11-20"}, "D-ZJ01": {"contract_number": "A2"}}, catalog.False},
		{"held for two years", "S07.M2.c", person, catalog.Facts{"seller_only5": false}, records{"D-ZR01": {"registered_on": "2024-11-20"}}, catalog.True},
		{"held for four years, five claimed", "S07.M2.c", person, catalog.Facts{"seller_only5": true}, records{"D-ZR01": {"registered_on": "2022-11-20"}}, catalog.False},
		{"held for five years", "S07.M2.c", person, catalog.Facts{"seller_only5": true}, records{"D-ZR01": {"registered_on": "2021-11-20"}}, catalog.True},
		{"water: arrears", "S07.M5.d", person, nil, records{"D-WS01": {"has_arrears": true}}, catalog.False},
	})
}

func TestChecks_WorksAndTransportSayWhatTheSourceSays(t *testing.T) {
	t.Parallel()
	runChecks(t, []checkCase{
		{"bid: required and won", "S09.M1.e", person, catalog.Facts{"bid_required": true}, records{"D-GGZY01": {"winner": "齐鲁示例建设集团有限公司"}}, catalog.True},
		{"bid: required and not won", "S09.M1.e", person, catalog.Facts{"bid_required": true}, records{"D-GGZY01": {"winner": ""}}, catalog.False},
		{"bid: not required", "S09.M1.e", person, catalog.Facts{"bid_required": false}, records{"D-GGZY01": {"winner": ""}}, catalog.True},
		{"record: none", "S10.M2.f", person, nil, records{"D-GA07": {"conclusion": "无"}}, catalog.True},
		{"record: one", "S10.M2.f", person, nil, records{"D-GA07": {"conclusion": "有"}}, catalog.False},
		{"lorry: licence of a car", "S11.M4.h", person, nil, records{"D-GA05": {"vehicle_classes": []string{"C1"}, "status": "正常"}}, catalog.False},
		{"lorry: the right licence", "S11.M4.h", person, nil, records{"D-GA05": {"vehicle_classes": []string{"C1", "B2"}, "status": "正常"}}, catalog.True},
		{"driver: the last day of sixty", "S11.M4.i", person, nil, records{"D-GA01": {"birth_date": "1965-11-21"}}, catalog.True},
		{"driver: sixty-one", "S11.M4.i", person, nil, records{"D-GA01": {"birth_date": "1965-11-20"}}, catalog.False},
		{"oversize: in scope", "S12.M1.b", company, nil, records{"D-JT01": {"business_scope": "道路普通货运；大型物件运输（一类）"}}, catalog.True},
		{"oversize: not in scope", "S12.M1.b", company, nil, records{"D-JT01": {"business_scope": "道路普通货运"}}, catalog.False},
		{"plate: another", "S12.M1.e", lorry, nil, records{"D-GA04": {"plate_number": "鲁A0X009"}}, catalog.False},
		{"school: a company", "S13.M2.b", company, nil, records{"D-SC01": {"entity_type": "有限责任公司(自然人独资)"}}, catalog.True},
		{"school: a branch", "S13.M2.b", company, nil, records{"D-SC01": {"entity_type": "有限责任公司分公司"}}, catalog.False},
		{"school: a sole trader", "S13.M2.b", company, nil, records{"D-SC01": {"entity_type": "个体工商户"}}, catalog.False},
	})
}

func insured(months float64, lastYear bool, from, to string) records {
	return records{"D-RS01": fields{"total_months": months, "continuous_12m": lastYear, "paid_from": from, "paid_to": to}}
}

// Nobody on a black list passes because a record of his was found.
func TestChecks_RefuseWhoIsListed(t *testing.T) {
	t.Parallel()
	r := load(t)
	tests := map[string]struct {
		dishonesty string
		repaired   bool
		listed     string
		want       catalog.Truth
	}{
		"clean":                       {"无", false, "无", catalog.True},
		"dishonest":                   {"严重失信", false, "无", catalog.False},
		"dishonest, and repaired":     {"严重失信", true, "无", catalog.True},
		"in the list of irregularity": {"无", false, "经营异常", catalog.False},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := r.Material("S01.M1.j").Proofs[0].Holds(catalog.CheckInput{
				Subject: person, Today: today,
				Records: records{
					"D-FG02": {"dishonesty_kind": tt.dishonesty, "repaired": tt.repaired},
					"D-SC04": {"listing_category": tt.listed},
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			if got.Truth != tt.want {
				t.Errorf("got %s, want %s", got.Truth, tt.want)
			}
		})
	}
}
