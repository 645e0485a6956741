package standin

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
)

func TestExpression_RefersToWhomTheRecordIsAbout(t *testing.T) {
	t.Parallel()
	r := registryOf(t)
	cases := []struct {
		subject string
		value   any
		want    any
	}{
		{"man", "$name", "王建国"},
		{"man", "literal", "literal"},
		{"man", 12, 12},
		{"man", "$number（$sex）", "370199198805163315（男）"},
		{"man", "$birthday", "1988-05-16"},
		{"man", "$spouse.name", "赵晓敏"},
		{"man", "$couple", []string{"王建国", "赵晓敏"}},
		{"man", "$marriage", "已婚"},
		{"single", "$marriage", "未婚"},
		{"single", "$couple", []string{"李文博"}},
		{"man", "$kinship", "户主"},
		{"woman", "$kinship", "配偶"},
		{"child", "$kinship", "子女"},
		{"child", "$mother.name", "赵晓敏"},
		{"woman", "$child.father.name", "王建国"},
		{"child", "$home.location", "济南市示例区泉北路1号"},
		{"woman", "$property.location", "济南市示例区泉北路1号"},
		{"man", "$organization.name", "济南示例有限公司"},
		{"company", "$legal_representative.name", "王建国"},
		{"company", "$shareholders", []string{"王建国", "李文博"}},
		{"company", "$shares", []string{"50.00%", "50.00%"}},
		{"lorry", "$holder.name", "济南示例有限公司"},
		{"lorry", "$person.name", "王建国"},
		{"company", "$vehicle.number", "LTEST000000000001"},
		{"house", "$usage", "住宅"},
		{"house", []any{"$holder.name", "乙"}, []any{"王建国", "乙"}},
		{"man", "$date", "2026-11-23"},
		{"man", "$date(+5y)", "2031-11-23"},
		{"man", "$date(-6m)", "2026-05-23"},
		{"man", "$date(+10d)", "2026-12-03"},
		{"man", "$month(-6)", "2026-05"},
		{"man", "$date(-1y)至$date(+1y)", "2025-11-23至2027-11-23"},
		{"child", "$date(-20y)", "2019-08-05"}, // not before birth
	}
	for _, c := range cases {
		x, err := parseExpression(c.value)
		if err != nil {
			t.Fatal(err)
		}
		got, err := x.value(scene{subject: r.byCode[c.subject], dataset: &catalog.Dataset{Code: "D-A"}, ordinal: 1, today: day()})
		if err != nil {
			t.Errorf("%s: %v: %v", c.subject, c.value, err)
			continue
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", c.subject, c.value, diff)
		}
	}
}

func TestExpression_AlwaysLeadsSomewhere(t *testing.T) {
	t.Parallel()
	r := registryOf(t)
	steps := []string{"holder", "organization", "legal_representative", "shareholder", "person", "spouse", "child", "mother", "father", "property", "home", "vehicle", "project"}
	for code, e := range r.byCode {
		for _, step := range steps {
			next, err := e.related(step)
			if err != nil || next == nil || next.name == "" {
				t.Fatalf("%s of %s leads nowhere: %v", step, code, err)
			}
			if next.number == "" || checkNumber(next.kind, next.number) != nil {
				t.Errorf("%s of %s has a wrong number", step, code)
			}
		}
	}
}

func TestExpression_RefusesWhatMeansNothing(t *testing.T) {
	t.Parallel()
	r := registryOf(t)
	for _, value := range []any{"$", "$5", "$colour", "$cousin.name", "$date(soon)", "$date(+5w)", "$date(+)", []any{"$colour"}} {
		x, err := parseExpression(value)
		if err == nil {
			_, err = x.value(scene{subject: r.byCode["man"], dataset: &catalog.Dataset{Code: "D-A"}, today: day()})
		}
		if err == nil {
			t.Errorf("%v is accepted", value)
		}
	}
}

func TestHousehold_IsTheSameForAllWhoLiveTogether(t *testing.T) {
	t.Parallel()
	r := registryOf(t)
	man := householdNumber(r.byCode["man"])
	for _, code := range []string{"woman", "child"} {
		if got := householdNumber(r.byCode[code]); got != man {
			t.Errorf("%s lives in %s, want %s", code, got, man)
		}
	}
	if householdNumber(r.byCode["single"]) == man {
		t.Error("somebody unrelated lives there too")
	}
}

func registryOf(t *testing.T) *registry {
	t.Helper()
	r, err := newRegistry(&Population{
		Persons: []Person{
			{Code: "man", Name: "王建国", Number: "370199198805163315", Spouse: "woman", Children: []string{"child"}},
			{Code: "woman", Name: "赵晓敏", Number: "370199199007221247", Spouse: "man", Children: []string{"child"}},
			{Code: "child", Name: "冯乐乐", Number: "370199201908051134"},
			{Code: "single", Name: "李文博", Number: "370199198503091176"},
		},
		Organizations: []Organization{
			{Code: "company", Name: "济南示例有限公司", Number: "91370102MA9X10017T", LegalRepresentative: "man", Shareholders: []string{"man", "single"}},
			{Code: "headless", Name: "济南无人示例有限公司", Number: "91370102MA9X10025M"},
		},
		Properties: []Property{{Code: "house", Name: "济南市示例区泉北路1号", Number: "370199001001GB00001F00000001", Holder: "man", Usage: "住宅"}},
		Vehicles:   []Holding{{Code: "lorry", Name: "鲁A0X001", Number: "LTEST000000000001", Holder: "company"}},
		Projects:   []Holding{{Code: "works", Name: "济南示例项目", Number: "2401-370199-04-01-100001", Holder: "headless"}},
		Addresses:  []Address{{Code: "address", Name: "济南市示例区泉北路1号", Number: "370199000000000001"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func day() time.Time { return time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC) }
