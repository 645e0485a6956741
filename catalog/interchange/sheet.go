package interchange

import (
	"strings"

	"mianti/catalog"
)

// column is one column of a sheet.
type column struct {
	heading string   // as it is exported
	also    []string // what other lists call it
	// key is the way to the value: "national.medium". Empty for a column that is
	// exported for reading, and that finds its thing at most.
	key  string
	form form
	// says writes the cell where form would not: it sees the whole record.
	says func(s *scribe, r *record) string
	// needed says that a thing is nothing without it.
	needed bool
	// finds is what the column tells of which thing the row is about.
	finds finding
}

// finding is a part of what a row is found by.
type finding string

const (
	findsCode           finding = "code"
	findsMatter         finding = "matter"
	findsImplementation finding = "implementation"
	findsName           finding = "name"
	findsHolder         finding = "holder" // the department that holds a dataset
	findsResource       finding = "resource"
	findsGroup          finding = "group"
	findsItem           finding = "item"
	findsAct            finding = "act"
)

// record is what a row is written from.
type record struct {
	code   string
	in     string         // the department that holds a dataset
	values map[string]any // of the thing, or of one entry of its list
	owner  map[string]any // the thing, where the row is one entry of its list
	group  int            // the proof of a mapping, from 1
	head   bool           // the first lookup of its proof
}

// sheet is one sheet of a workbook, or one CSV file.
type sheet struct {
	name    string
	also    []string
	kind    catalog.ThingKind
	list    string // the key whose entries the rows are; empty where a row is a thing
	about   string // what it is for, for people
	columns []column
	// byHeading has the columns by all of their headings, see plainHeading.
	byHeading map[string]int
}

// indexed makes the columns findable. The first to have a heading keeps it.
func (s *sheet) indexed() *sheet {
	s.byHeading = map[string]int{}
	for i, c := range s.columns {
		for _, heading := range append([]string{c.heading}, c.also...) {
			if plain := plainHeading(heading); s.byHeading[plain] == 0 {
				s.byHeading[plain] = i + 1
			}
		}
	}
	return s
}

// actColumn says what is done with a row; without it a row is added or changed.
func actColumn() column {
	return column{heading: "操作", also: []string{"处理", "action"}, finds: findsAct, says: func(*scribe, *record) string { return "" }}
}

// sheets are all sheets of the catalog, in the order of a workbook.
func sheets() []*sheet {
	all := []*sheet{
		oneThingSheet(), matterSheet(), materialSheet(), mappingSheet(), datasetSheet(), fieldSheet(),
		commonSheet(), standardSheet(), departmentSheet(), factSheet(), roleSheet(),
	}
	for _, s := range all {
		s.indexed()
	}
	return all
}

// Kinds lists the sheets by name, with what each is for.
func Kinds() [][2]string {
	var out [][2]string
	for _, s := range sheets() {
		out = append(out, [2]string{s.name, s.about})
	}
	return append(out, [2]string{grantSheetName, "谁为哪个事项可以用哪些数据项；不随目录草案，由运维在服务器上给予"})
}

func code(heading string, also ...string) column {
	return column{heading: heading, also: also, finds: findsCode, says: func(_ *scribe, r *record) string { return r.code }}
}

func text(heading, key string, also ...string) column {
	return column{heading: heading, key: key, form: plainText(), also: also}
}

func as(f form, heading, key string, also ...string) column {
	return column{heading: heading, key: key, form: f, also: also}
}

func (c column) must() column { c.needed = true; return c }

func oneThingSheet() *sheet {
	return &sheet{name: "一件事", kind: catalog.ThingOneThing, about: "一件事的名称、办理方式和牵头部门", columns: []column{
		code("一件事代码", "一件事编码", "主题代码"),
		text("一件事名称", "name", "主题名称").must(),
		as(words(
			word{"serial", "1", "串联", nil}, word{"parallel", "2", "并联", nil}, word{"mixed", "3", "混联", []string{"串并联"}},
		), "办理方式", "handling").must(),
		as(reference(catalog.ThingDepartment), "牵头部门", "lead", "牵头单位").must(),
		as(many(plainText(), "\n"), "阶段", "stages"),
		text("授权说明", "consent"),
		actColumn(),
	}}
}

func levels() form {
	return words(word{1.0, "1", "国家级", []string{"国家"}}, word{2.0, "2", "省级", []string{"省"}}, word{3.0, "3", "市级", []string{"市", "设区的市级"}},
		word{4.0, "4", "县级", []string{"县", "区县级"}}, word{5.0, "5", "乡级", []string{"乡", "镇街级"}}, word{6.0, "6", "村级", []string{"村", "村居级"}})
}

func matterSheet() *sheet {
	return &sheet{name: "事项", also: []string{"事项清单", "实施清单"}, kind: catalog.ThingMatter, about: "事项的编码、实施主体、时限和办理结果", columns: []column{
		code("事项代码", "事项短码"),
		implementationColumn(),
		text("事项名称", "name", "实施清单名称", "政务服务事项名称").must(),
		as(pattern(`[0-9]{12}`, " 12 位数字"), "基本编码", "basic_code", "事项基本编码", "基本目录编码").must(),
		as(levels(), "行使层级", "level", "实施层级").must(),
		as(reference(catalog.ThingDepartment), "实施主体", "department", "实施主体名称", "实施机构", "实施部门").must(),
		as(whole(0, 3650), "承诺办结时限", "days", "承诺时限", "承诺办理时限", "承诺办结时限工作日").must(),
		as(whole(1, 99), "阶段", "stage"),
		as(many(plainText(), "、"), "前置事项", "after", "前置事项代码"),
		as(expression(), "适用条件", "when"),
		text("办理结果名称", "result.name", "审批结果名称", "结果名称").must(),
		as(dataset(), "结果数据资源代码", "result.dataset", "结果数据资源"),
		actColumn(),
	}}
}

// dataset is the code of a dataset, whose name is understood too.
func dataset() form {
	f := reference(catalog.ThingDataset)
	f.show = plainText().show
	return f
}

// implementationColumn is the 31-character code, which follows from other columns
// and finds the matter.
func implementationColumn() column {
	return column{
		heading: "实施编码", also: []string{"事项编码", "实施清单编码", "政务服务事项编码"}, finds: findsImplementation,
		says: func(s *scribe, r *record) string { return s.implementation(r) },
	}
}

// implementation works the implementation code of a matter out, as loading does; of
// another thing's matter it is looked up.
func (s *scribe) implementation(r *record) string {
	if code, ok := r.values["implementation_code"].(string); ok {
		return code
	}
	if m := s.rev.MatterOf(r.code); m != nil {
		return m.ImplementationCode
	}
	if m := s.rev.Matter(r.code); m != nil {
		return m.ImplementationCode
	}
	return ""
}

func kinds() form {
	return words(word{"form", "", "申请表", []string{"表", "表单", "申请表格", "申请表格文书"}}, word{"certificate", "", "证照", []string{"证", "证件"}},
		word{"approval", "", "批文", []string{"批", "批准文件"}}, word{"proof", "", "证明", []string{"明", "证明文件"}}, word{"other", "", "其他", []string{"他", "其它"}})
}

// materialColumns are what the materials of matters and common ones have alike; the
// names are those of the national implementation list.
func materialColumns() []column {
	return []column{
		text("材料名称", "name", "申请材料名称", "通用材料名称").must(),
		as(kinds(), "材料类别", "kind", "材料种类").must(),
		as(words(word{"original", "1", "原件", nil}, word{"copy", "2", "复印件", nil},
			word{"original_and_copy", "3", "原件和复印件", []string{"原件及复印件"}}, word{"original_or_copy", "4", "原件或复印件", nil}), "材料类型", "national.type"),
		as(words(word{"paper", "1", "纸质", []string{"纸质材料"}}, word{"electronic", "2", "电子", []string{"电子化", "电子材料"}},
			word{"either", "3", "纸质或电子", []string{"纸质/电子", "纸质或电子化", "纸质/电子化"}}), "材料形式", "national.medium"),
		as(words(word{"required", "1", "必要", []string{"是"}}, word{"conditional", "2", "非必要", []string{"否", "有条件", "容缺"}}), "材料必要性", "need", "必要性", "是否必要").must(),
		{heading: "非必要时办理情形", also: []string{"办理情形", "非必要情形"}, key: "national.situation", form: plainText(), says: situation},
		as(expression(), "适用条件", "when"),
		text("空白表格", "national.blank_form", "空表"),
		text("示例样表", "national.sample", "样表", "示例"),
		as(words(word{"applicant", "10", "申请人自备", []string{"申请人", "自备"}}, word{"government", "20", "政府部门核发", []string{"政府部门", "部门核发"}},
			word{"other", "99", "其他", []string{"其它", "其他来源"}}), "来源渠道", "origin", "材料来源", "来源").must(),
		text("来源渠道说明", "national.origin_note"),
		as(whole(0, 100), "纸质材料原件份数", "national.originals", "原件份数", "纸质原件份数"),
		as(whole(0, 100), "纸质材料复印件份数", "national.copies", "复印件份数", "纸质复印件份数"),
		text("规格", "national.specification", "纸质材料规格", "材料规格"),
		text("填报须知", "national.instructions"),
		text("受理标准", "national.acceptance"),
		as(many(plainText(), "\n"), "要求提供材料的依据", "basis", "设定依据", "材料依据"),
		as(yes(), "是否需本人现场填写", "national.on_site"),
		as(reference(catalog.ThingStandardMaterial), "标准材料", "standard_material", "标准材料代码", "标准材料目录编码"),
		as(many(reference(catalog.ThingRole), "、"), "材料属于谁", "subjects", "角色", "持证主体"),
		{heading: "是否可免提交", says: exempt},
		as(chain(), "免交方式", "chain", "免提交方式", "免交方式顺位").must(),
		text("无法免交说明", "national.why_paper"),
		as(many(plainText(), "、"), "前序事项", "prior", "前序事项代码"),
		as(yes(), "前序须全部办结", "prior_all"),
		as(yes(), "先看后用", "preview"),
		text("备注", "note"),
	}
}

// situation says when a material is asked for that is not always: in the list's own
// words where it has any, else as the condition says.
func situation(s *scribe, r *record) string {
	if own := asText(at(r.values, "national.situation")); own != "" {
		return own
	}
	when := asText(r.values["when"])
	if when == "" {
		return ""
	}
	words, faults := s.rev.TryCondition(when)
	if len(faults) > 0 || !words.Exact {
		return ""
	}
	return words.Text
}

// exempt says whether a material can do without paper, which is worked out.
func exempt(_ *scribe, r *record) string {
	list, _ := r.values["chain"].([]any)
	for _, item := range list {
		if step, _ := item.(map[string]any); step["mode"] != string(catalog.ModeUpload) {
			return "是"
		}
	}
	return "否"
}

func materialSheet() *sheet {
	columns := []column{
		code("材料代码", "申请材料代码", "材料编码"),
		{heading: "事项代码", also: []string{"事项短码"}, finds: findsMatter, says: func(_ *scribe, r *record) string { return matterOf(r.code) }},
		implementationColumn(),
		{heading: "事项名称", also: []string{"实施清单名称"}, says: func(s *scribe, r *record) string {
			if m := s.rev.MatterOf(r.code); m != nil {
				return m.Name
			}
			return ""
		}},
	}
	columns = append(columns, materialColumns()...)
	return &sheet{name: "材料", also: []string{"材料清单", "申请材料", "申请材料清单"}, kind: catalog.ThingMaterial, about: "各事项的申请材料，列名与实施清单一致", columns: append(columns,
		as(pattern(`C[0-9]+`, "通用材料代码，如 C01"), "通用材料代码", "common", "通用材料"), actColumn())}
}

// matterOf gives the code of the matter that a material's code goes on from.
func matterOf(material string) string { return material[:max(strings.LastIndexByte(material, '.'), 0)] }

func commonSheet() *sheet {
	columns := append([]column{code("通用材料代码")}, materialColumns()...)
	for i := range columns {
		columns[i].needed = columns[i].key == "name"
	}
	return &sheet{name: "通用材料", kind: catalog.ThingCommonMaterial, about: "写一次、各事项引用的材料", columns: append(columns, actColumn())}
}

func partyKinds() []word {
	return []word{{"person", "1", "自然人", []string{"个人"}}, {"organization", "2", "法人和组织", []string{"法人", "组织", "企业"}}, {"property", "3", "不动产", nil},
		{"vehicle", "4", "车辆", nil}, {"project", "5", "项目", nil}, {"address", "6", "地址", nil}}
}

func mappingSheet() *sheet {
	return &sheet{name: "映射", also: []string{"材料数据映射", "材料映射"}, kind: catalog.ThingMaterial, list: "proofs", about: "哪份材料由哪些数据资源证明，怎样核验", columns: []column{
		code("材料代码", "申请材料代码"),
		{heading: "材料名称", says: func(_ *scribe, r *record) string { return asText(r.owner["name"]) }},
		{heading: "证明组", also: []string{"组", "组号"}, finds: findsGroup, says: func(_ *scribe, r *record) string { return itoa(r.group) }},
		as(words(partyKinds()...), "适用的当事人", "for"),
		as(reference(catalog.ThingStandardMaterial), "证明为标准材料", "standard_material"),
		{heading: "数据资源代码", also: []string{"数据资源"}, finds: findsItem, says: func(_ *scribe, r *record) string { return asText(r.values["dataset"]) }},
		{heading: "数据资源名称", also: []string{"信息资源名称"}, says: func(s *scribe, r *record) string {
			return s.nameOf(catalog.ThingDataset, asText(r.values["dataset"]))
		}},
		as(reference(catalog.ThingRole), "按谁查", "subject"),
		as(many(plainText(), "、"), "给出的数据项", "release"),
		as(yes(), "只给结论", "yes_no"),
		text("核验条件", "check"),
		text("核验说明", "check_text"),
		actColumn(),
	}}
}

func sharings() form {
	return words(word{"unconditional", "1", "无条件共享", []string{"无条件"}}, word{"conditional", "2", "有条件共享", []string{"有条件"}},
		word{"withheld", "3", "不予共享", []string{"不共享"}})
}

// datasetSheet has the core metadata of the resource catalogue.
func datasetSheet() *sheet {
	return &sheet{name: "数据资源", also: []string{"信息资源", "政务信息资源目录", "资源目录"}, kind: catalog.ThingDataset, about: "部门共享的数据资源，列名与政务信息资源目录一致", columns: []column{
		code("数据资源代码"),
		text("信息资源名称", "name", "数据资源名称", "资源名称").must(),
		{heading: "信息资源代码", also: []string{"资源代码", "政务信息资源代码"}, key: "resource_code", finds: findsResource, needed: true,
			form: pattern(`[0-9A-Z]{13}/[0-9]{6}`, "前段码/顺序码，如 3070153701003/000001")},
		{heading: "信息资源提供方", also: []string{"提供方", "提供部门", "数源部门", "数源单位"}, finds: findsHolder,
			says: func(s *scribe, r *record) string { return s.nameOf(catalog.ThingDepartment, r.in) }},
		{heading: "信息资源提供方代码", also: []string{"提供方代码"}, finds: findsHolder, says: func(s *scribe, r *record) string {
			if d := s.rev.Department(r.in); d != nil {
				return d.CreditCode
			}
			return ""
		}},
		text("信息资源分类", "national.classification", "资源分类"),
		text("信息资源摘要", "national.summary", "摘要", "资源摘要"),
		text("信息资源格式", "national.format", "资源格式", "资源类型"),
		as(sharings(), "共享类型", "sharing", "共享属性").must(),
		text("共享条件", "terms", "使用条件"),
		text("共享范围", "scope"),
		text("使用用途", "purpose"),
		text("不予共享依据", "clause", "不共享依据"),
		text("开放属性", "national.openness", "是否开放", "是否向社会开放"),
		as(words(word{"realtime", "1", "实时", nil}, word{"daily", "2", "每日", []string{"每天", "日"}}, word{"weekly", "3", "每周", []string{"周"}},
			word{"monthly", "4", "每月", []string{"月"}}, word{"yearly", "6", "每年", []string{"年"}}, word{"on_demand", "7", "按需", []string{"不定期"}}),
			"更新周期", "update", "更新频率").must(),
		as(pattern(`[0-9]{4}-[0-9]{2}-[0-9]{2}`, "年-月-日，如 2026-01-31"), "发布日期", "national.published"),
		as(many(plainText(), "、"), "关联资源代码", "national.related"),
		as(words(word{1.0, "1", "1 级", []string{"1级", "一级"}}, word{2.0, "2", "2 级", []string{"2级", "二级"}}, word{3.0, "3", "3 级", []string{"3级", "三级"}},
			word{4.0, "4", "4 级", []string{"4级", "四级"}}), "敏感级别", "sensitivity").must(),
		text("核验回答", "verify"),
		as(yes(), "须本人授权", "consent"),
		as(present(), "是否电子证照", "certificate"),
		as(pattern(`[0-9A-Z]{21}`, " 21 位证照类型代码"), "证照类型代码", "certificate.type_code", "证照编码"),
		as(many(words(partyKinds()...), "、"), "可按谁查", "asked_by").must(),
		text("有效期止数据项", "valid_until"),
		actColumn(),
	}}
}

func fieldSheet() *sheet {
	return &sheet{name: "数据项", also: []string{"信息项"}, kind: catalog.ThingDataset, list: "fields", about: "数据资源的信息项，逐项的共享类型", columns: []column{
		code("数据资源代码"),
		{heading: "信息资源名称", also: []string{"数据资源名称"}, says: func(_ *scribe, r *record) string { return asText(r.owner["name"]) }},
		{heading: "信息项代码", also: []string{"数据项代码", "信息项英文名称"}, finds: findsItem, says: func(_ *scribe, r *record) string { return asText(r.values["code"]) }},
		text("信息项名称", "name", "数据项名称").must(),
		as(words(word{"string", "1", "文本", []string{"字符型", "字符型c", "字符串"}}, word{"number", "2", "数值", []string{"数值型", "数值型n"}},
			word{"bool", "3", "是否", []string{"布尔型", "逻辑型"}}, word{"date", "4", "日期", []string{"日期型", "日期型d"}}, word{"list", "5", "列表", nil}), "数据类型", "type").must(),
		as(sharings(), "共享类型", "sharing", "共享属性"),
		text("共享范围", "scope"),
		text("使用用途", "purpose"),
		text("不予共享依据", "clause", "不共享依据"),
		actColumn(),
	}}
}

func standardSheet() *sheet {
	return &sheet{name: "标准材料", kind: catalog.ThingStandardMaterial, about: "同一份材料在各事项中的统一代码", columns: []column{
		code("标准材料代码", "标准材料目录编码"), text("标准材料名称", "name").must(), actColumn(),
	}}
}

func departmentSheet() *sheet {
	return &sheet{name: "部门", kind: catalog.ThingDepartment, about: "部门和公用企业的名称与统一社会信用代码", columns: []column{
		code("部门代码"),
		text("部门名称", "name").must(),
		as(pattern(`[0-9A-HJ-NPQRTUWXY]{18}`, " 18 位统一社会信用代码"), "统一社会信用代码", "credit_code").must(),
		as(yes(), "公用企业", "public_utility"),
		actColumn(),
	}}
}

func factSheet() *sheet {
	return &sheet{name: "情形", kind: catalog.ThingFact, about: "条件里可以用的情形：代码、问题和选项", columns: []column{
		code("情形代码"),
		as(words(word{"bool", "1", "是否", nil}, word{"enum", "2", "单选", nil}, word{"set", "3", "多选", nil}, word{"number", "4", "数值", nil},
			word{"text", "5", "文字", nil}, word{"region", "6", "行政区划", nil}), "情形类型", "type").must(),
		text("问题", "ask").must(),
		as(pairs(), "选项", "options"),
		text("推得", "derived"),
		actColumn(),
	}}
}

func roleSheet() *sheet {
	return &sheet{name: "角色", kind: catalog.ThingRole, about: "当事人的角色，查他的记录要不要授权", columns: []column{
		code("角色代码"),
		text("角色名称", "name").must(),
		as(many(words(partyKinds()...), "、"), "当事人种类", "kinds").must(),
		as(words(word{"own", "1", "本人授权", nil}, word{"guardian", "2", "监护人授权", nil}), "授权方式", "consent"),
		as(many(plainText(), "\n"), "无须授权的依据", "basis"),
		actColumn(),
	}}
}
