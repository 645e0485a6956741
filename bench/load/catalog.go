package load

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"mianti/internal/identifier"
)

// MeasuredMatter is the matter that is resolved: eight materials with a condition
// each, looked up in five datasets of five departments.
const MeasuredMatter = "T01.M1"

// AskingDepartment opens the cases.
const AskingDepartment = "SP"

// fields are what a source says of a person.
func fields() [][3]string {
	return [][3]string{
		{"name", "姓名", "string"}, {"state", "状态", "string"}, {"level", "等级", "number"}, {"valid_to", "有效期止", "date"}, {"registered_on", "登记日期", "date"},
		{"authority", "登记机关", "string"}, {"address", "住所", "string"}, {"code", "编号", "string"}, {"note", "备注", "string"},
	}
}

// materials are the eight, by dataset, with their conditions.
func materials() [][2]string {
	return [][2]string{
		{"GA", "same_name(%s.name, subject.name) && %s.state == '正常'"}, {"GA", "%s.valid_to >= today"},
		{"RS", "%s.state == '正常' && %s.level >= 2.0"}, {"RS", "years(%s.registered_on, today) >= 1"},
		{"SW", "%s.state in ['正常', '非正常'] && %s.level > 1.0"}, {"SW", "%s.code != '' && same_name(%s.name, subject.name)"},
		{"ZR", "%s.valid_to > %s.registered_on && %s.state == '正常'"}, {"MZ", "%s.state == '正常' && %s.level < 5.0"},
	}
}

// WriteCatalog writes the catalog of the measurement into a folder. sources are
// the addresses of the departments.
func WriteCatalog(folder string, sources map[string]string) error {
	files := map[string]string{
		"catalog.yaml": "format: mianti-catalog/1\nkind: catalog\ntitle: 测量用目录\nversion: \"1\"\n",
		"roles.yaml":   "format: mianti-catalog/1\nkind: roles\nroles:\n  - {code: applicant, name: 申请人, kinds: [person]}\n",
		"departments/" + AskingDepartment + ".yaml": department(0, AskingDepartment, ""),
		"one-things/T01.yaml":                       OneThing("T01", 1),
	}
	for i, code := range Departments() {
		files["departments/"+code+".yaml"] = department(i+1, code, sources[code])
	}
	for name, content := range files {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// department is one, with its dataset where it has an address.
func department(n int, code, address string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "format: mianti-catalog/1\nkind: department\ndepartment: {code: %s, name: 测量用部门%d, credit_code: %s}\n", code, n, creditCode(n))
	if address == "" {
		return b.String()
	}
	fmt.Fprintf(&b, "datasets:\n  - code: D-%[1]s01\n    name: 测量用数据%[2]d\n    resource_code: 307015370%[3]d/000001\n    sharing: conditional\n    terms: 依法履职，按办件核验\n", code, n, 1900+n)
	b.WriteString("    update: realtime\n    sensitivity: 3\n    asked_by: [person]\n    fields:\n")
	for _, f := range fields() {
		fmt.Fprintf(&b, "      - {code: %s, name: %s, type: %s}\n", f[0], f[1], f[2])
	}
	fmt.Fprintf(&b, "    sources:\n      - {code: %[1]s.D-%[1]s01.query, kind: httpjson, path: /query/D-%[1]s01, address: %[2]q, network: local}\n", code, address)
	return b.String()
}

// creditCode is that of the nth made-up body.
func creditCode(n int) string {
	body := fmt.Sprintf("11370100MA9B%05d", n)
	return body + string(identifier.CreditCodeCheck(body))
}

// OneThing is a one-thing by a code of so many matters, {code}.M1 and on, with the
// eight materials each.
func OneThing(code string, matters int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "format: mianti-catalog/1\nkind: one_thing\none_thing: {code: %s, name: 测量用一件事, handling: serial, lead: %s}\nmatters:\n", code, AskingDepartment)
	for n := range matters {
		matter := fmt.Sprintf("%s.M%d", code, n+1)
		fmt.Fprintf(&b, "  - code: %s\n    name: 测量用事项%d\n    basic_code: \"370199%03d000\"\n    level: 3\n    department: %s\n    days: 1\n", matter, n+1, n+1, AskingDepartment)
		b.WriteString("    result: {name: 测量用决定书}\n    materials:\n")
		for i, m := range materials() {
			alias := strings.ToLower(m[0]) + "01"
			fmt.Fprintf(&b, "      - code: %s.%c\n        name: 测量用材料%d\n        kind: proof\n        need: required\n        basis: [测量用规定第%d条]\n", matter, 'a'+i, i+1, i+1)
			fmt.Fprintf(&b, "        origin: government\n        subjects: [applicant]\n        proofs:\n          - lookups: [{dataset: D-%s01}]\n", m[0])
			fmt.Fprintf(&b, "            check: %q\n            check_text: 测量用条件%d\n        chain: [{mode: data}, {mode: upload}]\n", strings.ReplaceAll(m[1], "%s", alias), i+1)
		}
	}
	return b.String()
}

// Opening is what opens the nth case, of a person of its own, for a matter.
func Opening(n int, matter string) []byte {
	name, number := person(n)
	body, err := json.Marshal(map[string]any{
		"number": fmt.Sprintf("LOAD-%08d", n), "matter": matter,
		"parties": []any{map[string]any{"id": "p1", "roles": []string{"applicant"}, "kind": "person", "name": name, "number": number}},
	})
	if err != nil {
		panic("texts are JSON: " + err.Error())
	}
	return body
}

// person is the nth made-up person, with a number of the unassigned area 370199.
func person(n int) (name, number string) {
	syllables := []rune("安宝昌达恩方广和吉康乐明宁平庆荣盛泰旺祥")
	name = "测" + string(syllables[n%20]) + string(syllables[n/20%20])
	body := fmt.Sprintf("370199%04d%02d%02d%03d", 1950+n/1000/12/28%55, 1+n/1000/28%12, 1+n/1000%28, n%1000)
	return name, body + string(identifier.CitizenIDCheck(body))
}
