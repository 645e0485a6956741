package reduction_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"mianti/catalog"
	"mianti/catalog/reduction"
	"mianti/examples/jinan"
)

// small is a catalog that is counted by hand: the comment at each material says what
// becomes of it, and whether it has to be issued by somebody.
const small = `
format: mianti-catalog/1
kind: one_thing
one_thing: {code: T1, name: 开店, handling: mixed, lead: SC}
matters:
  - code: T1.M1
    name: 登记
    basic_code: "370131001000"
    level: 3
    department: SC
    days: 2
    result: {name: 执照, dataset: D-SC01}
    materials:
      # exempt, by the form
      - {code: T1.M1.a, name: 申请书, kind: form, need: required, origin: applicant, chain: [{mode: form}]}
      # exempt, by the licence; falls back
      - code: T1.M1.b
        name: 身份证
        kind: certificate
        need: required
        origin: government
        standard_material: STD-ID
        subjects: [applicant]
        proofs: [{lookups: [{dataset: D-GA01}]}]
        chain: [{mode: elicense}, {mode: upload}]
      # committed; falls back; issued
      - {code: T1.M1.c, name: 验资证明, kind: proof, need: required, origin: other, chain: [{mode: commit, when: willing}, {mode: upload}]}
      # uploaded
      - {code: T1.M1.d, name: 章程, kind: other, need: required, origin: applicant, chain: [{mode: upload}]}
  - code: T1.M2
    name: 备案
    basic_code: "371009001000"
    level: 3
    department: GA
    days: 3
    after: [T1.M1]
    result: {name: 回执}
    materials:
      # joined with T1.M1.b
      - {code: T1.M2.a, name: 身份证复印件, kind: certificate, need: required, origin: government, standard_material: STD-ID, subjects: [applicant], chain: [{mode: upload}]}
      # cancelled
      - {code: T1.M2.b, name: 备案表, kind: form, need: required, origin: applicant, chain: [{mode: cancel}]}
      # exempt, by the result of T1.M1; issued
      - {code: T1.M2.c, name: 批准文件, kind: approval, need: required, origin: government, prior: [T1.M1], chain: [{mode: prior}]}
      # uploaded; issued
      - {code: T1.M2.d, name: 无违法证明, kind: proof, need: required, origin: government, chain: [{mode: upload}]}
  - code: T1.M3
    name: 开户
    basic_code: "371009002000"
    level: 3
    department: GA
    days: 1
    result: {name: 账号}
    materials:
      # deferred: what was handed in before may not be there
      - {code: T1.M3.a, name: 照片, kind: other, need: required, origin: applicant, chain: [{mode: history, months: 12}, {mode: defer, days: 5}, {mode: upload}]}
      # joined: the same paper of somebody in the same role
      - {code: T1.M3.b, name: 身份证, kind: certificate, need: required, origin: government, standard_material: STD-ID, subjects: [applicant], chain: [{mode: upload}]}
      # uploaded: the same paper, but of another role
      - {code: T1.M3.c, name: 身份证, kind: certificate, need: required, origin: government, standard_material: STD-ID, subjects: [agent], chain: [{mode: upload}]}
`

func loadSmall(t *testing.T, oldAndNew ...string) *catalog.Revision {
	t.Helper()
	text := strings.NewReplacer(oldAndNew...).Replace(small)
	if len(oldAndNew) > 0 && text == small {
		t.Fatalf("the catalog does not hold %q", oldAndNew[0])
	}
	source := func(code string) string {
		return "    resource_code: " + code + "\n    sharing: unconditional\n    update: daily\n    sensitivity: 1\n"
	}
	files := fstest.MapFS{
		"catalog.yaml":            {Data: []byte("format: mianti-catalog/1\nkind: catalog\ntitle: 手算目录\nversion: \"1\"\n")},
		"facts.yaml":              {Data: []byte("format: mianti-catalog/1\nkind: facts\nfacts:\n  - {code: willing, type: bool, ask: 是否愿意承诺}\n")},
		"standard-materials.yaml": {Data: []byte("format: mianti-catalog/1\nkind: standard_materials\nstandard_materials:\n  - {code: STD-ID, name: 身份证明}\n")},
		"roles.yaml":              {Data: []byte("format: mianti-catalog/1\nkind: roles\nroles:\n  - {code: applicant, name: 申请人, kinds: [person]}\n  - {code: agent, name: 代理人, kinds: [person], consent: own}\n")},
		"departments/GA.yaml": {Data: []byte("format: mianti-catalog/1\nkind: department\ndepartment: {code: GA, name: 公安局, credit_code: 11370100MB901074XC}\ndatasets:\n  - code: D-GA01\n    name: 身份证\n" + source("3070153701003/000001") +
			"    certificate: {type_code: 11100000000013127D001}\n    asked_by: [person]\n    fields:\n      - {code: name, name: 姓名, type: string}\n    sources:\n      - {code: GA.D-GA01.elicense, kind: elicense, path: /elicense}\n")},
		"departments/SC.yaml": {Data: []byte("format: mianti-catalog/1\nkind: department\ndepartment: {code: SC, name: 市场监管局, credit_code: 11370100MB901111XE}\ndatasets:\n  - code: D-SC01\n    name: 营业执照\n" + source("3070153701031/000001") +
			"    asked_by: [organization]\n    fields:\n      - {code: name, name: 名称, type: string}\n    sources:\n      - {code: SC.D-SC01.query, kind: httpjson, path: /query/D-SC01}\n")},
	}
	_, code, _ := strings.Cut(text, "one_thing: {code: ")
	code, _, _ = strings.Cut(code, ",")
	files["one-things/"+code+".yaml"] = &fstest.MapFile{Data: []byte(text)}
	rev, err := catalog.Load(files)
	var faults catalog.Faults
	if errors.As(err, &faults) {
		t.Fatalf("the hand-made catalog has faults: %v", faults)
	}
	if err != nil {
		t.Fatal(err)
	}
	return rev
}

// What is counted by hand in the comments of the catalog: 11 materials, of which 1 is
// cancelled, 2 are joined, 3 are exempt, 1 is committed to, 3 are uploaded and 1 follows
// later. Two of the reduced ones fall back. Four have to be issued, of which one is
// still uploaded. Three matters are applied for at once; the days are 2+3+1, and the
// longest way is T1.M1, then T1.M2.
func smallCounts() reduction.Sums {
	return reduction.Sums{
		Materials: 11, Cancelled: 1, Joined: 2, Exempt: 3, Committed: 1, Deferred: 1, Uploaded: 3, FallBack: 2,
		Modes:   map[catalog.Mode]int{catalog.ModeForm: 1, catalog.ModeElicense: 1, catalog.ModePrior: 1},
		Matters: 3, Submissions: 1, Issued: 3, StillIssued: 1, Departments: 2, Leads: 1, Days: 6, DaysAfter: 5,
	}
}

func TestCount_IsWhatIsCountedByHand(t *testing.T) {
	t.Parallel()
	tally := reduction.Count(loadSmall(t))
	want := smallCounts()
	if diff := cmp.Diff(want, tally.Total.Sums); diff != "" {
		t.Errorf("in all (-want +got):\n%s", diff)
	}
	// Reduced 1+2+3+1, still 1+3; steps 3 matters and 3 papers to be issued before, 1 and 1 after.
	total := &tally.Total
	if total.Reduced() != 7 || total.Still() != 4 || total.StepsBefore() != 6 || total.StepsAfter() != 2 || total.StepsReduced() != 4 {
		t.Errorf("reduced %d, still %d, steps %d to %d", total.Reduced(), total.Still(), total.StepsBefore(), total.StepsAfter())
	}
	byMatter := map[string][3]int{}
	for _, l := range tally.Matters {
		byMatter[l.Code] = [3]int{l.Materials, l.Reduced(), l.Still()}
	}
	if diff := cmp.Diff(map[string][3]int{"T1.M1": {4, 3, 1}, "T1.M2": {4, 3, 1}, "T1.M3": {3, 1, 2}}, byMatter); diff != "" {
		t.Errorf("by matter: materials, reduced, still (-want +got):\n%s", diff)
	}
	byDepartment := map[string][3]int{}
	for _, l := range tally.Departments() {
		byDepartment[l.Code] = [3]int{l.Matters, l.Materials, l.Still()}
	}
	if diff := cmp.Diff(map[string][3]int{"GA": {2, 7, 3}, "SC": {1, 4, 1}}, byDepartment); diff != "" {
		t.Errorf("by department: matters, materials, still (-want +got):\n%s", diff)
	}
}

func TestCount_CountsAnApplicationForEachStage(t *testing.T) {
	t.Parallel()
	rev := loadSmall(t, "lead: SC}", "lead: SC, stages: [登记, 备案]}", "days: 2", "days: 2\n    stage: 1", "days: 3", "days: 3\n    stage: 2", "days: 1\n", "days: 1\n    stage: 2\n")
	if got := reduction.Count(rev).Total; got.Submissions != 2 || got.StepsAfter() != 3 {
		t.Errorf("%d applications, %d steps after; want 2 and 3", got.Submissions, got.StepsAfter())
	}
}

func TestCount_AddsOneThingsUpOneAtATime(t *testing.T) {
	t.Parallel()
	rev, tally := loadSmall(t), &reduction.Tally{WithoutMatters: true}
	tally.Add(rev)
	tally.Add(rev)
	want := smallCounts()
	if tally.Total.Materials != 2*want.Materials || tally.Total.DaysAfter != 2*want.DaysAfter || tally.Total.Modes[catalog.ModeForm] != 2 || len(tally.OneThings) != 2 || tally.Matters != nil {
		t.Errorf("twice the same is %+v", tally.Total)
	}
}

var shipped = sync.OnceValues(func() (*catalog.Revision, error) { return catalog.Load(jinan.Files) })

// The three one-things were counted from the scenario list, material by material.
//
// S10 (29): forms M0.a M1.b M2.a M2.h M2.j M2.l M2.n(C03) M5.b; licences M0.b M2.e M2.o(C02) M3.b; data M0.c M1.c M2.d
// M2.f M7.b; earlier results M2.b M3.a M7.a; an officer M2.k: 8+4+5+3+1 = 21. Commitments M2.c M2.m. The charter M2.g is
// M1.b again, and the certificate of M4.a M5.a M6.a is that of M3.a: 4. Left: M1.a M2.i. To be issued: M0.c M2.b M2.c M2.d
// M2.f M2.k M7.b. Days 2+5+5+5×1, the longest way M0 M1 M2 M3 M7 = 2+5+5+1+1.
//
// S03 (10): forms M1.a M1.b M1.g(C03); a licence M1.c; data M1.d M1.e M1.f; earlier results M2.a(C04, by the licence of M1)
// M2.c. The form M2.b is cancelled. To be issued: M1.d M1.e M1.f M2.c. Days 1+0.
//
// S12 (18): forms M1.a M1.d M1.i M1.j; licences M1.b M1.c M1.m(C04); data M1.e M1.f M1.g M3.b; an officer M3.a (what was
// handed in before does not count). A commitment M1.k. M2.a and M2.b are M1.a and M1.e again. Left: M1.h M1.l M2.c. None has
// to be issued: all are forms, certificates and drawings. Days 2+3+2, side by side 3.
func TestCount_OfTheShippedCatalogIsThatOfTheScenarioList(t *testing.T) {
	t.Parallel()
	rev, err := shipped()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]reduction.Sums{
		"S10": {
			Materials: 29, Joined: 4, Exempt: 21, Committed: 2, Uploaded: 2,
			Modes:   map[catalog.Mode]int{catalog.ModeForm: 8, catalog.ModeElicense: 4, catalog.ModeData: 5, catalog.ModePrior: 3, catalog.ModeAssist: 1},
			Matters: 8, Submissions: 1, Issued: 7, Departments: 6, Leads: 1, Days: 17, DaysAfter: 14,
		},
		"S03": {
			Materials: 10, Cancelled: 1, Exempt: 9,
			Modes:   map[catalog.Mode]int{catalog.ModeForm: 3, catalog.ModeElicense: 1, catalog.ModeData: 3, catalog.ModePrior: 2},
			Matters: 2, Submissions: 1, Issued: 4, Departments: 2, Leads: 1, Days: 1, DaysAfter: 1,
		},
		"S12": {
			Materials: 18, Joined: 2, Exempt: 12, Committed: 1, Uploaded: 3,
			Modes:   map[catalog.Mode]int{catalog.ModeForm: 4, catalog.ModeElicense: 3, catalog.ModeData: 4, catalog.ModeAssist: 1},
			Matters: 3, Submissions: 1, Departments: 3, Leads: 1, Days: 7, DaysAfter: 3,
		},
	}
	for _, l := range reduction.Count(rev).OneThings {
		counts, ok := want[l.Code]
		if !ok {
			continue
		}
		delete(want, l.Code)
		counts.FallBack = l.FallBack // counted by hand in the small catalog
		if diff := cmp.Diff(counts, l.Sums); diff != "" {
			t.Errorf("%s (-want +got):\n%s", l.Code, diff)
		}
		if sum := l.Reduced() + l.Still(); sum != l.Materials {
			t.Errorf("%s: %d are reduced or handed in, of %d", l.Code, sum, l.Materials)
		}
	}
	if len(want) > 0 {
		t.Errorf("the catalog has no %v", want)
	}
}

func TestReport_SetsTwoRevisionsSideBySide(t *testing.T) {
	t.Parallel()
	earlier := loadSmall(t)
	later := loadSmall(t, "name: 章程, kind: other, need: required, origin: applicant, chain: [{mode: upload}]", "name: 章程, kind: other, need: required, origin: applicant, chain: [{mode: form}]")
	report := reduction.Make(reduction.Count(later), reduction.Count(earlier))
	if got := report.Total.Change(); got != -1 || report.Total.Reduced != 8 || report.Total.Was.Reduced() != 7 {
		t.Errorf("the charter is made from the form: change %d, reduced %d after %d", got, report.Total.Reduced, report.Total.Was.Reduced())
	}
	gone := reduction.Make(reduction.Count(loadSmall(t, "T1", "T2")), reduction.Count(earlier))
	if len(gone.ByOneThing) != 2 || gone.ByOneThing[0].Was != nil || gone.ByOneThing[1].Code != "T1" || gone.ByOneThing[1].Change() != -4 {
		t.Errorf("one-things %+v, want the new one and the one that is gone", gone.ByOneThing)
	}
}

func TestWorkbook_HoldsTheFiguresAndNoFormula(t *testing.T) {
	t.Parallel()
	rev := loadSmall(t, "name: 开店", `name: "=HYPERLINK(\"http://x\")"`)
	body, err := reduction.Workbook(reduction.Make(reduction.Count(rev), nil), rev)
	if err != nil {
		t.Fatal(err)
	}
	f, err := excelize.OpenReader(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if diff := cmp.Diff([]string{"口径", "按一件事", "按事项", "按部门", "逐份材料"}, f.GetSheetList()); diff != "" {
		t.Errorf("sheets (-want +got):\n%s", diff)
	}
	rows, err := f.GetRows("按一件事")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"T1", `'=HYPERLINK("http://x")`, "", "11", "1", "2", "3", "1", "1", "3", "7", "2", "4", "6", "2", "4", "2", "1", "6", "5"}
	if diff := cmp.Diff(want, rows[1]); diff != "" {
		t.Errorf("the one-thing (-want +got):\n%s", diff)
	}
	if formula, err := f.GetCellFormula("按一件事", "B2"); err != nil || formula != "" {
		t.Errorf("the name is the formula %q, %v", formula, err)
	}
	each, err := f.GetRows("逐份材料")
	if err != nil || len(each) != 1+11 {
		t.Errorf("%d rows of materials, %v; want a heading and 11", len(each), err)
	}
}

// The parts of a bar are as long as what they count, and what the catalog says stays
// a text.
func TestChart_DrawsWhatIsCounted(t *testing.T) {
	t.Parallel()
	rev := loadSmall(t, "name: 开店", "name: '<script>&'")
	chart := reduction.Draw(reduction.Make(reduction.Count(rev), nil).ByOneThing)
	if len(chart.Bars) != 1 || len(chart.Bars[0].Parts) != 6 || chart.Bars[0].Text != "11 → 4" {
		t.Fatalf("bars %+v, want one of six classes", chart.Bars)
	}
	for _, p := range chart.Bars[0].Parts {
		if first := chart.Bars[0].Parts[0]; p.Width != first.Width*float64(p.N) { // of the first there is one
			t.Errorf("%s is %.2f wide for %d, want %.2f for each", p.Class, p.Width, p.N, first.Width)
		}
	}
	texts, decoder := "", xml.NewDecoder(bytes.NewReader(chart.SVG("减材料")))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("the picture is no XML: %v", err)
		}
		switch part := token.(type) {
		case xml.StartElement:
			if part.Name.Local == "script" {
				t.Error("the picture holds a script")
			}
		case xml.CharData:
			texts += string(part)
		}
	}
	if !strings.Contains(texts, "<script>&") || !strings.Contains(texts, "11 → 4") {
		t.Errorf("the picture says %q", texts)
	}
}
