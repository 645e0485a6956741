package exchange_test

import (
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/exchange"
	"mianti/policies"
)

// familyCatalog is a matter about an applicant, his spouse and his child. What
// the sheets say of it is derived below by hand.
func familyCatalog() map[string][]byte {
	return map[string][]byte{
		"catalog.yaml": []byte("format: mianti-catalog/1\nkind: catalog\ntitle: 授权测试目录\nversion: test-1\n"),
		"roles.yaml": []byte(`format: mianti-catalog/1
kind: roles
roles:
  - {code: applicant, name: 申请人, kinds: [person]}
  - {code: spouse, name: 配偶, kinds: [person], consent: own}
  - {code: child, name: 子女, kinds: [person], consent: guardian}
  - {code: guardian, name: 监护人, kinds: [person], basis: [义务教育法11]}
`),
		"facts.yaml": []byte(`format: mianti-catalog/1
kind: facts
facts:
  - {code: married, type: bool, ask: 是否已婚}
`),
		"standard-materials.yaml": []byte("format: mianti-catalog/1\nkind: standard_materials\nstandard_materials:\n  - {code: STD-ID, name: 身份证明}\n"),
		"departments/SPJ.yaml":    []byte("format: mianti-catalog/1\nkind: department\ndepartment: {code: SPJ, name: 市行政审批服务局, credit_code: 11370100MB9010002W}\ndatasets: []\n"),
		"departments/GA.yaml": []byte(`format: mianti-catalog/1
kind: department
department: {code: GA, name: 市公安局, credit_code: 11370100MB901074XC}
datasets:
  - code: D-GA01
    name: 居民身份证
    resource_code: 3070153701003/000001
    sharing: conditional
    terms: 依法履职，按件核验
    update: realtime
    sensitivity: 3
    asked_by: [person]
    valid_until: valid_to
    fields:
      - {code: name, name: 姓名, type: string}
      - {code: address, name: 住址, type: string}
      - {code: valid_to, name: 有效期止, type: date}
    sources:
      - {code: GA.D-GA01.query, kind: httpjson, path: /query/D-GA01}
`),
		"departments/MZ.yaml": []byte(`format: mianti-catalog/1
kind: department
department: {code: MZ, name: 市民政局, credit_code: 11370100MB9013334W}
datasets:
  - code: D-MZ01
    name: 婚姻登记
    resource_code: 3070153701011/000001
    sharing: conditional
    terms: 依法履职，按件核验
    update: daily
    sensitivity: 2
    asked_by: [person]
    fields:
      - {code: registered_on, name: 登记日期, type: date}
      - {code: office, name: 登记机关, type: string}
    sources:
      - {code: MZ.D-MZ01.query, kind: httpjson, path: /query/D-MZ01}
`),
		"one-things/S90.yaml": []byte(`format: mianti-catalog/1
kind: one_thing
one_thing: {code: S90, name: 家庭一件事, handling: serial, lead: SPJ}
matters:
  - code: S90.M1
    name: 家庭信息登记
    basic_code: "370131001000"
    level: 3
    department: SPJ
    days: 1
    result: {name: 登记表}
    materials:
      - code: S90.M1.a
        name: 身份证明
        kind: certificate
        need: required
        basis: [条例16(1)]
        origin: government
        subjects: [applicant, spouse, child]
        standard_material: STD-ID
        proofs:
          - {lookups: [{dataset: D-GA01, release: [valid_to]}]}
        chain: [{mode: data}, {mode: upload}]
      - code: S90.M1.b
        name: 结婚证
        kind: certificate
        need: conditional
        when: married
        basis: [条例16(2)]
        origin: government
        subjects: [spouse]
        proofs:
          - {lookups: [{dataset: D-MZ01}, {dataset: D-GA01, release: [address]}]}
        chain: [{mode: data}, {mode: upload}]
`),
	}
}

// family are the parties: p1 the applicant and guardian, p2 the spouse, p3 the
// child.
func family() []catalog.Party {
	return []catalog.Party{
		{ID: "p1", Roles: []string{"applicant", "guardian"}, Kind: catalog.KindPerson, Name: "王建国", Number: "370199198805163315"},
		{ID: "p2", Roles: []string{"spouse"}, Kind: catalog.KindPerson, Name: "郑丽华", Number: "370199198704202485"},
		{ID: "p3", Roles: []string{"child"}, Kind: catalog.KindPerson, Name: "冯乐乐", Number: "370199201908051134"},
	}
}

func loadFamily(t testing.TB) *catalog.Revision {
	t.Helper()
	files := fstest.MapFS{}
	for name, content := range familyCatalog() {
		files[name] = &fstest.MapFile{Data: content}
	}
	rev, err := catalog.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	return rev
}

// sheets gives the sheet for a party, of a case with these facts.
func sheets(t *testing.T, facts catalog.Facts, party string) *exchange.ConsentSheet {
	t.Helper()
	rev := loadFamily(t)
	c := &exchange.Case{Number: "JN-1", Department: "SPJ", Revision: 1, Subject: "S90", Facts: facts, Parties: family()}
	plan, err := rev.Plan(catalog.PlanInput{Subject: "S90", Facts: facts, Parties: c.Parties})
	if err != nil {
		t.Fatal(err)
	}
	s := &policies.Situation{
		Catalog: rev, Plan: plan, Receiver: "SPJ", Parties: c.Parties, Facts: facts, Grants: policies.IndexGrants(grantsFor(rev)), Now: at(),
	}
	needs, err := policies.ConsentNeeds(s)
	if err != nil {
		t.Fatal(err)
	}
	for i := range c.Parties {
		if c.Parties[i].ID == party {
			return exchange.SheetFor(c, s, &c.Parties[i], needs, "2027-05-22")
		}
	}
	t.Fatalf("no party %s", party)
	return nil
}

// rightsOnSheet are the same on every sheet.
func rightsOnSheet() []string {
	return []string{
		"可以随时撤回同意；撤回后不再查询，此前依据同意已经进行的核验仍然有效。",
		"可以查阅、复制办理中使用的本人数据，认为有误的可以请求更正。",
		"如有疑问或要行使上述权利，请联系受理部门，联系方式见其对外公布的办事指南。",
	}
}

func TestSheetFor_SaysWhoGetsWhichFieldsForWhat(t *testing.T) {
	t.Parallel()
	id := exchange.ConsentUse{Receiver: "市行政审批服务局", Matter: "家庭信息登记", Material: "身份证明"}
	marriage := exchange.ConsentUse{Receiver: "市行政审批服务局", Matter: "家庭信息登记", Material: "结婚证"}
	const sensitive = "含敏感个人信息：没有这些数据就不能核验上述材料；一旦泄露或被不当使用，可能影响人身、财产安全或个人尊严。仅向上述部门提供，并留痕备查。"
	base := exchange.ConsentSheet{
		CaseNumber: "JN-1", Matter: "家庭一件事", Revision: 1, Receivers: []string{"市行政审批服务局"}, Until: "2027-05-22",
		Purpose:   "仅用于核验本办件的上述材料，按件查询，不作他用。",
		Otherwise: "不同意的，可以自行提交纸质或电子材料，不影响办理。", Rights: rightsOnSheet(),
	}
	spouse, child, applicant := base, base, base
	spouse.About = "您本人（配偶）"
	spouse.Ground = "《中华人民共和国个人信息保护法》第十三条第一款第一项、第二十三条：取得个人同意；第二十九条：敏感个人信息取得单独同意"
	spouse.Notes = []string{sensitive}
	spouse.Items = []exchange.ConsentItem{
		{ // valid_to for the identity, and address besides for the marriage
			Dataset: "D-GA01", Name: "居民身份证", From: "市公安局", Sensitive: true, For: []exchange.ConsentUse{id, marriage},
			Fields: []exchange.ConsentField{{Code: "address", Name: "住址"}, {Code: "valid_to", Name: "有效期止"}},
		},
		{
			Dataset: "D-MZ01", Name: "婚姻登记", From: "市民政局", For: []exchange.ConsentUse{marriage},
			Fields: []exchange.ConsentField{{Code: "registered_on", Name: "登记日期"}, {Code: "office", Name: "登记机关"}},
		},
	}
	single := spouse // without the marriage certificate
	single.Items = []exchange.ConsentItem{{
		Dataset: "D-GA01", Name: "居民身份证", From: "市公安局", Sensitive: true, For: []exchange.ConsentUse{id},
		Fields: []exchange.ConsentField{{Code: "valid_to", Name: "有效期止"}},
	}}
	child.About, child.Guardian, child.Items = "您监护的未成年人（子女，当事人 p3）", true, single.Items
	child.Ground = "《中华人民共和国个人信息保护法》第十三条第一款第一项、第二十三条：取得个人同意；第三十一条：不满十四周岁未成年人由监护人同意；第二十九条：敏感个人信息取得单独同意"
	child.Notes = []string{"所查询的是不满十四周岁未成年人的个人信息，属于敏感个人信息，须由监护人同意；年满十四周岁后须由其本人同意。", sensitive}
	applicant.About, applicant.Notes = "您本人（申请人、监护人）", []string{}
	applicant.Ground = "《中华人民共和国个人信息保护法》第十三条第一款第一项、第二十三条：取得个人同意"
	for _, test := range []struct {
		name  string
		facts catalog.Facts
		party string
		want  exchange.ConsentSheet
	}{
		{"spouse, both materials", catalog.Facts{"married": true}, "p2", spouse},
		{"spouse, the marriage does not apply", catalog.Facts{"married": false}, "p2", single},
		{"spouse, not known yet whether it applies", catalog.Facts{}, "p2", single},
		{"child", catalog.Facts{"married": true}, "p3", child},
		{"applicant: his application is enough", catalog.Facts{"married": true}, "p1", applicant},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(&test.want, sheets(t, test.facts, test.party)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
