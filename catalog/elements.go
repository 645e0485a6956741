package catalog

// MaterialElements (材料要素) is what the national implementation list (实施清单)
// says of a material beyond what is decided by here. It is kept for people and for
// lists that go back to where they came from; no rule reads it.
type MaterialElements struct {
	// Type is 材料类型: original, copy, original_and_copy or original_or_copy.
	Type string `json:"type,omitempty"`
	// Medium is 材料形式: paper, electronic or either.
	Medium    string `json:"medium,omitempty"`
	Situation string `json:"situation,omitempty"` // 非必要时办理情形, in words; the condition is Material.When
	// OriginNote is 来源渠道说明.
	OriginNote    string `json:"origin_note,omitempty"`
	BlankForm     string `json:"blank_form,omitempty"` // 空白表格
	Sample        string `json:"sample,omitempty"`     // 示例样表
	Originals     int    `json:"originals,omitempty"`  // 纸质份数, 原件
	Copies        int    `json:"copies,omitempty"`     // 纸质份数, 复印件
	Specification string `json:"specification,omitempty"`
	Instructions  string `json:"instructions,omitempty"` // 填报须知
	Acceptance    string `json:"acceptance,omitempty"`   // 受理标准
	// OnSite says that the applicant fills it in himself and there (本人现场填写).
	OnSite bool `json:"on_site,omitempty"`
	// WhyPaper is 无法免交说明: why it is still asked for.
	WhyPaper string `json:"why_paper,omitempty"`
}

// DatasetElements (资源要素) is what the resource catalogue (政务信息资源目录) says of a
// dataset beyond what is decided by here.
type DatasetElements struct {
	Classification string   `json:"classification,omitempty"` // 信息资源分类
	Summary        string   `json:"summary,omitempty"`        // 摘要
	Format         string   `json:"format,omitempty"`         // 信息资源格式
	Openness       string   `json:"openness,omitempty"`       // 开放属性
	Published      string   `json:"published,omitempty"`      // 发布日期
	Related        []string `json:"related,omitempty"`        // 关联资源代码
}
