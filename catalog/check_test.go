package catalog_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
)

var today = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)

// withCheck loads the good catalog with a check over D-SC01 in a one-thing
// that has params.
func withCheck(t testing.TB, check string) (*catalog.Revision, *catalog.Proof) {
	t.Helper()
	files := good(t)
	text := string(files[s01].Data)
	from, to := strings.Index(text, "            check: |"), strings.Index(text, "            check_text:")
	edit(t, files, s01, text[from:to], "            check: "+quote(check)+"\n")
	r := load(t, files)
	return r, &r.Material("S01.M2.a").Proofs[0]
}

// licence is a record of D-SC01 that has every field.
func licence() map[string]any {
	return map[string]any{
		"name": "济南示例有限公司", "legal_representative": "王建国", "officers": []string{"王建国", "李梅"},
		"capital": 100.0, "active": true, "founded_on": "2026-05-31",
	}
}

func input(r *catalog.Revision, record map[string]any) catalog.CheckInput {
	return catalog.CheckInput{
		Records: map[string]map[string]any{"D-SC01": record},
		Subject: catalog.Party{Kind: catalog.KindOrganization, Name: "济南示例有限公司", Number: "91370102MA9X10017T"},
		Params:  r.OneThing("S01").Params,
		Today:   today,
	}
}

func TestHolds_JudgesTheRecord(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		check  string
		change map[string]any // nil takes a field away
		facts  catalog.Facts
		want   catalog.CheckResult
	}{
		{"sc01.active", nil, nil, catalog.CheckResult{Truth: catalog.True}},
		{"sc01.active", map[string]any{"active": false}, nil, catalog.CheckResult{Truth: catalog.False}},
		{"same_name(sc01.name, subject.name) && subject.kind == 'organization' && subject.number.size() == 18", nil, nil, catalog.CheckResult{Truth: catalog.True}},
		{"sc01.capital >= params.capital_min", nil, nil, catalog.CheckResult{Truth: catalog.True}},
		{"sc01.capital >= params.capital_min", map[string]any{"capital": 99.5}, nil, catalog.CheckResult{Truth: catalog.False}},
		{"params.strict && '甲' in params.kinds && params.cutoff == '2026-05-31'", nil, nil, catalog.CheckResult{Truth: catalog.True}},
		{"sc01.founded_on <= date(params.cutoff)", nil, nil, catalog.CheckResult{Truth: catalog.True}},
		{"sc01.founded_on < date(params.cutoff)", nil, nil, catalog.CheckResult{Truth: catalog.False}},
		{"today == date('2026-11-23')", nil, nil, catalog.CheckResult{Truth: catalog.True}},
		{"sc01.officers.exists(o, same_name(o, '李梅'))", nil, nil, catalog.CheckResult{Truth: catalog.True}},
		{"'张三' in sc01.officers", nil, nil, catalog.CheckResult{Truth: catalog.False}},
		// A field that is missing, null or of another type makes it false.
		{"sc01.active", map[string]any{"active": nil}, nil, catalog.CheckResult{Truth: catalog.False, MissingField: "D-SC01.active"}},
		{"!sc01.active", map[string]any{"active": nil}, nil, catalog.CheckResult{Truth: catalog.False, MissingField: "D-SC01.active"}},
		{"sc01.capital > 1.0", map[string]any{"capital": "many"}, nil, catalog.CheckResult{Truth: catalog.False, MissingField: "D-SC01.capital"}},
		{"sc01.founded_on < today", map[string]any{"founded_on": "31.5.2026"}, nil, catalog.CheckResult{Truth: catalog.False, MissingField: "D-SC01.founded_on"}},
		{"size(sc01.officers) > 0", map[string]any{"officers": "李梅"}, nil, catalog.CheckResult{Truth: catalog.False, MissingField: "D-SC01.officers"}},
		// A field that cannot change the answer may be missing.
		{"sc01.active || sc01.capital > 1.0", map[string]any{"capital": nil}, nil, catalog.CheckResult{Truth: catalog.True}},
		{"has(sc01.capital) && sc01.capital > 1.0", map[string]any{"capital": nil}, nil, catalog.CheckResult{Truth: catalog.False}},
		{"!has(sc01.capital)", map[string]any{"capital": nil}, nil, catalog.CheckResult{Truth: catalog.True}},
		// What cannot be worked out on the record does not hold.
		{"date(sc01.name) < today", nil, nil, catalog.CheckResult{Truth: catalog.False}},
		{"sc01.officers[0] == '王建国'", map[string]any{"officers": []string{}}, nil, catalog.CheckResult{Truth: catalog.False}},
		// Facts are as in conditions.
		{"sc01.active && agent", nil, nil, catalog.CheckResult{Truth: catalog.Unknown, Facts: []string{"agent"}}},
		{"sc01.active && agent", map[string]any{"active": false}, nil, catalog.CheckResult{Truth: catalog.False}},
		{"sc01.active && agent", nil, catalog.Facts{"agent": true}, catalog.CheckResult{Truth: catalog.True}},
		{"same_address(sc01.name, business_address)", nil, catalog.Facts{"business_address": "济南示例有限公司"}, catalog.CheckResult{Truth: catalog.True}},
	} {
		r, proof := withCheck(t, c.check)
		record := licence()
		maps.Copy(record, c.change)
		in := input(r, record)
		in.Facts = c.facts
		got, err := proof.Holds(in)
		if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
			t.Errorf("%s with %v: error %v (-want +got):\n%s", c.check, c.change, err, diff)
		}
	}
}

func TestHolds_WithoutACheckIsTrue(t *testing.T) {
	t.Parallel()
	var none catalog.Proof
	if got, err := none.Holds(catalog.CheckInput{}); got.Truth != catalog.True || err != nil {
		t.Errorf("Holds = %+v, %v", got, err)
	}
}

func TestHolds_NeverTakesAnUncompiledCheckForTrue(t *testing.T) {
	t.Parallel()
	loose := catalog.Proof{Check: "false"}
	if got, err := loose.Holds(catalog.CheckInput{}); err == nil {
		t.Errorf("Holds = %+v and no error", got)
	}
}

func TestHolds_WantsEveryRecordThatTheCheckReads(t *testing.T) {
	t.Parallel()
	r, proof := withCheck(t, "sc01.active")
	in := input(r, nil)
	in.Records = nil
	if got, err := proof.Holds(in); err == nil {
		t.Errorf("Holds without a record = %+v and no error", got)
	}
}

func TestHolds_StopsACheckThatCostsTooMuch(t *testing.T) {
	t.Parallel()
	r, proof := withCheck(t, "sc01.officers.all(a, a in sc01.officers)")
	record := licence()
	officers := make([]string, 5_000)
	for i := range officers {
		officers[i] = strings.Repeat("长", 50) + time.Duration(i).String()
	}
	record["officers"] = officers
	if got, err := proof.Holds(input(r, record)); err == nil {
		t.Errorf("Holds = %+v and no error, though the record is far larger than any real one", got)
	}
}

func TestFieldsChecked_AreThoseThatTheCheckReads(t *testing.T) {
	t.Parallel()
	r, proof := withCheck(t, "sc01.capital > 1.0 && has(sc01.name) && sc01.officers.all(o, o != sc01.name) && subject.name != ''")
	if diff := cmp.Diff([]string{"capital", "name", "officers"}, proof.FieldsChecked("D-SC01")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if other := proof.FieldsChecked("D-GA01"); len(other) != 0 {
		t.Errorf("fields of a dataset that the check does not read: %v", other)
	}
	if none := r.Material("S01.M1.b").Proofs[1].FieldsChecked("D-SC01"); len(none) != 0 {
		t.Errorf("fields of a proof without a check: %v", none)
	}
}

func TestYearsAndMonths_CountWhatIsCompleted(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, to      string
		months, years int
	}{
		{"2020-08-31", "2026-08-31", 72, 6},
		{"2020-09-01", "2026-08-31", 71, 5},
		{"2026-05-15", "2026-06-14", 0, 0},
		{"2026-05-15", "2026-06-15", 1, 0},
		{"2026-01-31", "2026-02-27", 0, 0},
		{"2026-01-31", "2026-02-28", 1, 0},
		{"2026-01-31", "2026-04-30", 3, 0},
		{"2024-02-29", "2025-02-27", 11, 0},
		{"2024-02-29", "2025-02-28", 12, 1},
		{"2024-02-29", "2028-02-28", 47, 3},
		{"2024-02-29", "2028-02-29", 48, 4},
		{"2026-05-15", "2026-05-15", 0, 0},
		{"2026-06-15", "2026-05-15", -1, 0},
		{"2025-12-31", "2026-01-01", 0, 0},
		{"2024-05", "2026-05-01", 24, 2},
	} {
		check := fmt.Sprintf("months(date('%s'), date('%s')) == %d && years(date('%s'), date('%s')) == %d", c.from, c.to, c.months, c.from, c.to, c.years)
		r, proof := withCheck(t, check)
		if got, err := proof.Holds(input(r, licence())); err != nil || got.Truth != catalog.True {
			t.Errorf("%s does not hold: %+v, %v", check, got, err)
		}
	}
}

func TestSameName_IgnoresHowANameIsTyped(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"王建国", "王建国", true},
		{"王建国", "王建", false},
		{"阿卜杜拉·艾山", "阿卜杜拉•艾山", true},
		{"阿卜杜拉·艾山", "阿卜杜拉．艾山", true},
		{"阿卜杜拉·艾山", "阿卜杜拉.艾山", true},
		{"阿卜杜拉·艾山", "阿卜杜拉・艾山", true},
		{"阿卜杜拉·艾山", "阿卜杜拉‧艾山", true},
		{"阿卜杜拉·艾山", "阿卜杜拉艾山", false},
		{"济南示例（山东）有限公司", "济南示例(山东)有限公司", true},
		{"济南示例〔山东〕有限公司", "济南示例【山东】有限公司", true},
		{"济南ＡＢＣ１２有限公司", "济南ABC12有限公司", true},
		{" 王 建　国\t", "王建国", true},
		{"王建国\u200b", "王建国", true},
		{"ABC", "abc", false},
		{"", "", false},
		{" ", "", false},
	} {
		if got := catalog.SameName(c.a, c.b); got != c.want {
			t.Errorf("SameName(%q, %q) = %v", c.a, c.b, got)
		}
		if got := catalog.SameName(c.b, c.a); got != c.want {
			t.Errorf("SameName(%q, %q) = %v", c.b, c.a, got)
		}
	}
}

func TestSameAddress_IgnoresTheKindsOfDash(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"示例路１号２－３０１", "示例路1号2-301", true},
		{"示例路1号2—301", "示例路1号2–301", true},
		{"示例路1号2-301", "示例路1号2-302", false},
		{"", "", false},
	} {
		if got := catalog.SameAddress(c.a, c.b); got != c.want {
			t.Errorf("SameAddress(%q, %q) = %v", c.a, c.b, got)
		}
	}
}

func BenchmarkHolds(b *testing.B) {
	r, proof := withCheck(b, "sc01.active && sc01.capital >= params.capital_min && sc01.founded_on <= date(params.cutoff) && same_name(sc01.name, subject.name)")
	in := input(r, licence())
	b.ReportAllocs()
	for b.Loop() {
		if got, err := proof.Holds(in); err != nil || got.Truth != catalog.True {
			b.Fatal(got, err)
		}
	}
}
