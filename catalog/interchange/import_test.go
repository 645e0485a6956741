package interchange_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"mianti/catalog"
	"mianti/catalog/interchange"
)

// book is a workbook of another hand: one sheet of rows.
func book(t testing.TB, name string, rows [][]any, more ...func(f *excelize.File)) []byte {
	t.Helper()
	f := excelize.NewFile()
	if err := f.SetSheetName("Sheet1", name); err != nil {
		t.Fatal(err)
	}
	for i, row := range rows {
		at, err := excelize.CoordinatesToCellName(1, i+1)
		if err == nil {
			err = f.SetSheetRow(name, at, &row)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range more {
		m(f)
	}
	var out bytes.Buffer
	if err := f.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// valueOf gives the value of the one edit of a thing.
func valueOf(t testing.TB, p *interchange.Preview, kind catalog.ThingKind, code string) map[string]any {
	t.Helper()
	for _, e := range p.Edits {
		if e.Kind == kind && e.Code == code {
			var value map[string]any
			if err := json.Unmarshal(e.Value, &value); err != nil {
				t.Fatal(err)
			}
			return value
		}
	}
	t.Fatalf("no edit of %s %s: errors %+v, edits %d", kind, code, p.Errors, len(p.Edits))
	return nil
}

// written gives a thing as the shipped files have it.
func (s *shipped) written(t testing.TB, kind catalog.ThingKind, code string) map[string]any {
	t.Helper()
	e, err := s.base.Thing(kind, code)
	if err != nil {
		t.Fatal(err)
	}
	var value map[string]any
	if err := json.Unmarshal(e.Value, &value); err != nil {
		t.Fatal(err)
	}
	return value
}

func codesOf(errors []interchange.RowError) []string {
	var out []string
	for _, e := range errors {
		out = append(out, e.Code)
	}
	return out
}

// TestImport_UnderstandsTheNationalList reads a list as departments have it: a title
// over it, numbered and starred headings with notes in brackets and line breaks, the
// matter written once for all of its materials, and the numbers of the national
// schema in place of words.
func TestImport_UnderstandsTheNationalList(t *testing.T) {
	t.Parallel()
	s := ship(t)
	implementation := s.rev.Matter("S02.M2").ImplementationCode
	content := book(t, "表一", [][]any{
		{"公司设立登记申请材料清单"},
		{"0.事项编码", "1.材料名称*", "2、材料类型（1原件 2复印件 3原件和复印件 4原件或复印件）", "3．材料形式", "材料\n必要性", "（5）来源渠道", "⑥ 来源渠道说明", "纸质份数（说明）", "要求提供材料的依据", "受理 标准", "是否需本人现场填写", "部门自编号"},
		{implementation, "变更登记申请书", "1原件", 3, 1, "10", "申请人编写", "", "细则32", "签字齐全", 1, "x-1"},
		{nil, "食品经营场所平面图", "2", "电子化", "1必要", "99其他", "", "", "食品安全法35", "", "否", "x-2"},
	}, func(f *excelize.File) {
		for _, block := range [][2]string{{"A1", "L1"}, {"A3", "A4"}} {
			if err := f.MergeCell("表一", block[0], block[1]); err != nil {
				t.Fatal(err)
			}
		}
	})
	p := s.taken(t, content)
	if !p.OK() || len(p.Edits) != 2 {
		t.Fatalf("errors %+v, edits %d", p.Errors, len(p.Edits))
	}
	want := s.written(t, catalog.ThingMaterial, "S02.M2.a") // 变更登记申请书: 细则32, applicant, required
	want["national"] = map[string]any{"type": "original", "medium": "either", "origin_note": "申请人编写", "acceptance": "签字齐全", "on_site": true}
	if diff := cmp.Diff(want, valueOf(t, p, catalog.ThingMaterial, "S02.M2.a")); diff != "" {
		t.Errorf("the form (-want +got):\n%s", diff)
	}
	var code string
	for _, e := range p.Edits {
		if e.Code != "S02.M2.a" {
			code = e.Code
		}
	}
	if s.rev.Material(code) != nil || !strings.HasPrefix(code, "S02.M2.") {
		t.Errorf("the new material is called %s", code)
	}
	fresh := map[string]any{
		"code": code, "name": "食品经营场所平面图", "kind": "other", "need": "required", "origin": "other", "basis": []any{"食品安全法35"},
		"chain": []any{map[string]any{"mode": "upload"}}, "national": map[string]any{"type": "copy", "medium": "electronic"},
	}
	if diff := cmp.Diff(fresh, valueOf(t, p, catalog.ThingMaterial, code)); diff != "" {
		t.Errorf("the new material (-want +got):\n%s", diff)
	}
	if got := codesOf(p.Notices); !slices.Contains(got, "unknown-column") || !slices.Contains(got, "assumed") {
		t.Errorf("notices %+v", p.Notices)
	}
}

func TestImport_APartialSheetChangesOnlyItsColumns(t *testing.T) {
	t.Parallel()
	s := ship(t)
	p := s.taken(t, []byte("材料代码,备注\nS01.M1.d,标准地址库核对\nS01.M1.a,\n"))
	want := s.written(t, catalog.ThingMaterial, "S01.M1.d")
	want["note"] = "标准地址库核对"
	if diff := cmp.Diff(want, valueOf(t, p, catalog.ThingMaterial, "S01.M1.d")); diff != "" || len(p.Edits) != 1 {
		t.Errorf("%d edits (-want +got):\n%s", len(p.Edits), diff)
	}
	// An empty cell in a column that is there empties what stood there.
	p = s.taken(t, []byte("材料代码,备注\nS01.M1.d,\n"))
	delete(want, "note")
	if diff := cmp.Diff(want, valueOf(t, p, catalog.ThingMaterial, "S01.M1.d")); diff != "" {
		t.Errorf("emptied (-want +got):\n%s", diff)
	}
	p = s.taken(t, []byte("材料代码,材料名称\nS01.M1.d,\n"))
	if got := codesOf(p.Errors); !slices.Equal(got, []string{"missing-value"}) || len(p.Edits) != 0 {
		t.Errorf("a name that is emptied: %+v", p.Errors)
	}
}

// TestImport_LeavesToTheCommonMaterialWhatItSays edits S01.M1's uses of common ones:
// the edit has what the use says, and not what it takes.
func TestImport_LeavesToTheCommonMaterialWhatItSays(t *testing.T) {
	t.Parallel()
	s := ship(t)
	var use *catalog.Material
	for _, m := range s.rev.Materials() {
		if m.Common == "C03" { // 授权委托书: when: agent, note: 在线双方电子签, need: conditional
			use = m
			break
		}
	}
	own := s.written(t, catalog.ThingMaterial, use.Code)
	if own["kind"] != nil {
		t.Fatalf("%s says more than was thought: %v", use.Code, own)
	}
	p := s.taken(t, []byte("材料代码,材料名称,材料类别,备注,受理标准\n"+use.Code+","+use.Name+",其他,,盖章\n"))
	want := cloneOf(own)
	want["note"], want["national"] = "", map[string]any{"acceptance": "盖章"}
	if diff := cmp.Diff(want, valueOf(t, p, catalog.ThingMaterial, use.Code)); diff != "" {
		t.Errorf("the use (-want +got):\n%s", diff)
	}
	// What it says again as the common one does is left to that.
	p = s.taken(t, []byte("材料代码,材料类别\n"+use.Code+",证明\n"))
	if got := valueOf(t, p, catalog.ThingMaterial, use.Code)["kind"]; got != "proof" {
		t.Errorf("kind %v", got)
	}
}

func cloneOf(value map[string]any) map[string]any {
	out := map[string]any{}
	for key, v := range value {
		out[key] = v
	}
	return out
}

func TestImport_RemovesOnlyWhatARowSaysSo(t *testing.T) {
	t.Parallel()
	s := ship(t)
	// S01.M1.e (利害关系业主同意) feeds nothing.
	p := s.taken(t, []byte("材料代码,操作\nS01.M1.e,删除\nS01.M1.d,\n"))
	if !p.OK() || len(p.Edits) != 1 || p.Edits[0].Code != "S01.M1.e" || !p.Edits[0].Removes() || p.Sheets[0].Removed != 1 || p.Changes[0].Change != catalog.ThingRemoved {
		t.Errorf("%+v", p)
	}
	p = s.taken(t, []byte("材料代码,操作\nS01.M1.zz,删除\nS01.M1.d,丢掉\n"))
	if got := codesOf(p.Errors); !slices.Equal(got, []string{"unknown-thing", "unknown-word"}) {
		t.Errorf("%+v", p.Errors)
	}
}

// TestImport_ReadsMappingsRowByRow changes a proof, adds a lookup to it, adds another
// proof, and takes a lookup away.
func TestImport_ReadsMappingsRowByRow(t *testing.T) {
	t.Parallel()
	s := ship(t)
	// S01.M1.d is proved by D-ZR01, or by D-ZJ12.
	p := s.taken(t, []byte("材料代码,证明组,数据资源代码,按谁查,核验条件,核验说明,操作\n"+
		"S01.M1.d,1,D-ZR01,,zr01.usage != '住宅',非住宅,\n"+
		"S01.M1.d,1,D-GA01,项目,,,\n"+
		"S01.M1.d,2,D-ZJ12,,,,删除\n"))
	if codes := codesOf(p.Errors); !slices.Equal(codes, []string{"subject-kind"}) || p.Errors[0].Row != 2 || len(p.Edits) != 0 {
		t.Fatalf("a person's record about a project: %+v", p.Errors) // told by the catalog's own rules, at the first row of the material
	}
	p = s.taken(t, []byte("材料代码,证明组,数据资源代码,按谁查,核验条件,核验说明,操作\n"+
		"S01.M1.d,1,D-ZR01,,zr01.usage != '住宅',非住宅,\n"+
		"S01.M1.d,2,D-ZJ12,,,,删除\n"+
		"S01.M1.d,3,D-GA01,法定代表人,,,\n"))
	want := s.written(t, catalog.ThingMaterial, "S01.M1.d")
	proofs := want["proofs"].([]any)
	first := cloneOf(proofs[0].(map[string]any))
	first["check"], first["check_text"] = "zr01.usage != '住宅'", "非住宅"
	want["proofs"] = []any{first, map[string]any{"lookups": []any{map[string]any{"dataset": "D-GA01", "subject": "legal_representative"}}}}
	if diff := cmp.Diff(want, valueOf(t, p, catalog.ThingMaterial, "S01.M1.d")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if c := p.Sheets[0]; c.Changed != 1 || c.Removed != 1 || c.Added != 1 {
		t.Errorf("counts %+v", c)
	}
}

func TestImport_ReadsTheResourceCatalogue(t *testing.T) {
	t.Parallel()
	s := ship(t)
	p := s.taken(t, book(t, "信息资源", [][]any{
		{"数据资源代码", "信息资源名称", "信息资源代码", "信息资源提供方", "信息资源摘要", "信息资源格式", "共享属性（1无条件共享 2有条件共享 3不予共享）", "共享条件", "更新周期", "发布日期", "敏感级别", "可按谁查"},
		{"", "居民身份证", "3070153701003/000001", "市公安局", "居民身份证信息", "接口", 2, "依法履职，按办件核验", "实时", "2025-03-01", "3", "自然人"},
		{"D-GA90", "犬只登记", "3070153701003/000990", "11370100MB901074XC", "", "库表", "无条件共享", "", "每日", "", "一级", "自然人"},
	}, func(f *excelize.File) {
		if _, err := f.NewSheet("信息项"); err != nil {
			t.Fatal(err)
		}
		for i, row := range [][]any{{"数据资源代码", "信息项代码", "信息项名称", "数据类型"}, {"D-GA90", "tag", "犬牌号", "字符型C"}, {"D-GA01", "name", "姓名", "文本"}} {
			at, err := excelize.CoordinatesToCellName(1, i+1)
			if err == nil {
				err = f.SetSheetRow("信息项", at, &row)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}))
	if !p.OK() {
		t.Fatalf("errors %+v", p.Errors)
	}
	want := s.written(t, catalog.ThingDataset, "D-GA01")
	want["national"] = map[string]any{"summary": "居民身份证信息", "format": "接口", "published": "2025-03-01"}
	if diff := cmp.Diff(want, valueOf(t, p, catalog.ThingDataset, "D-GA01")); diff != "" {
		t.Errorf("found by its resource code (-want +got):\n%s", diff)
	}
	fresh := map[string]any{
		"code": "D-GA90", "name": "犬只登记", "resource_code": "3070153701003/000990", "sharing": "unconditional", "update": "daily", "sensitivity": 1.0,
		"asked_by": []any{"person"}, "national": map[string]any{"format": "库表"}, "fields": []any{map[string]any{"code": "tag", "name": "犬牌号", "type": "string"}},
		"sources": []any{map[string]any{"code": "GA.D-GA90.desk", "kind": "assist"}},
	}
	if diff := cmp.Diff(fresh, valueOf(t, p, catalog.ThingDataset, "D-GA90")); diff != "" {
		t.Errorf("the new one (-want +got):\n%s", diff)
	}
	if e := p.Edits[slices.IndexFunc(p.Edits, func(e catalog.Edit) bool { return e.Code == "D-GA90" })]; e.In != "GA" {
		t.Errorf("it is in %q", e.In)
	}
}

// TestImport_OfAWholeChangedCatalogGivesThatCatalog exports one catalog and imports
// it over another: the edits lead from this to that.
func TestImport_OfAWholeChangedCatalogGivesThatCatalog(t *testing.T) {
	t.Parallel()
	s := ship(t)
	goal := ship(t)
	text := string(goal.files["one-things/S01.yaml"])
	for _, change := range [][2]string{
		{"name: 住所(经营场所)相关文件", "name: 住所使用证明"}, {"handling: mixed", "handling: parallel"}, {"days: 1\n", "days: 3\n"},
		{"chain: [{mode: form}, {mode: upload}]\n        note: 示范文本", "chain: [{mode: form}, {mode: assist, department: GA, days: 3, when: agent}, {mode: upload}]\n        note: 示范文本"},
	} {
		if !strings.Contains(text, change[0]) {
			t.Fatalf("the shipped catalog does not say %q", change[0])
		}
		text = strings.Replace(text, change[0], change[1], 1)
	}
	goal.files["one-things/S01.yaml"] = []byte(text)
	var parts []catalog.Part
	for path, content := range goal.files {
		parts = append(parts, catalog.Part{Path: path, Content: content})
	}
	var err error
	if goal.rev, err = catalog.LoadParts(parts); err != nil {
		t.Fatal(err)
	}
	for _, format := range []interchange.Format{interchange.XLSX, interchange.CSV, interchange.YAML} {
		p := s.taken(t, goal.export(t, format))
		if !p.OK() || len(p.Edits) != 4 {
			t.Fatalf("%s: errors %+v, %d edits, want the one-thing, a matter and two materials", format, p.Errors, len(p.Edits))
		}
		drafted, err := interchange.Drafted(s.files, p.Edits)
		if err != nil {
			t.Fatal(err)
		}
		changes, err := catalog.Compare(goal.rev, drafted.Revision)
		if err != nil || len(changes) > 0 {
			t.Errorf("%s: what comes of it differs: %+v, %v", format, changes, err)
		}
	}
}

func TestImport_YAMLThatLacksAThingRemovesIt(t *testing.T) {
	t.Parallel()
	s, less := ship(t), ship(t)
	less.files["standard-materials.yaml"] = bytes.Replace(less.files["standard-materials.yaml"], []byte("  - {code: STD-CHARTER, name: 章程草案}\n"), nil, 1)
	p := s.taken(t, less.export(t, interchange.YAML))
	if used := len(p.Errors) > 0; used { // somebody refers to it: the catalog's rules say so
		if p.Errors[0].Code != "unknown-standard-material" || len(p.Edits) != 0 {
			t.Errorf("%+v", p.Errors)
		}
	} else if len(p.Edits) != 1 || p.Edits[0].Code != "STD-CHARTER" || !p.Edits[0].Removes() {
		t.Errorf("edits %+v", p.Edits)
	}
	// One file alone removes nothing.
	alone := s.taken(t, less.files["standard-materials.yaml"])
	if !alone.OK() || len(alone.Edits) != 0 || alone.Format != interchange.YAML {
		t.Errorf("alone: %+v", alone)
	}
	one := bytes.Replace(s.files["one-things/S01.yaml"], []byte("name: 公司章程"), []byte("name: 章程"), 1)
	if p := s.taken(t, one); len(p.Edits) != 1 || p.Edits[0].Code != "S01.M1.g" {
		t.Errorf("one file: %+v", p)
	}
}
