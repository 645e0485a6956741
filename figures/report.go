package figures

import (
	"slices"
	"time"

	"mianti/catalog"
	"mianti/policies"
)

// Report (指标报告) is what a query comes to.
type Report struct {
	Query
	CountedAt time.Time `json:"counted_at"`
	// Figures are in the order in which they are told.
	Figures []Figure `json:"figures"`
	// Ways say where every material that was asked for went.
	Ways         []WayCount `json:"ways" doc:"各类材料次数; 不适用、以承诺代替、申请人选择自行提交单列, 都不计为免提交"`
	ByDepartment []Line     `json:"by_department"`
	ByMatter     []Line     `json:"by_matter"`
	ByOneThing   []Line     `json:"by_one_thing"`
	Trend        []Point    `json:"trend" doc:"逐日"`
	// Uploads are the materials that were most often still uploaded.
	Uploads []StillUploaded `json:"uploads" doc:"仍需提交次数最多的二十种材料, 即下一步应接通的数据"`
	Sources []SourceTime    `json:"sources"`
}

// Figure (一项指标) is a share with its definition: Part of Whole. Absent says why
// there is no number.
type Figure struct {
	Code       string `json:"code" enum:"marked,actual,at_once,field_share,demand,correction"`
	Name       string `json:"name"`
	Definition string `json:"definition"`
	Part       int    `json:"part"`
	Whole      int    `json:"whole"`
	Absent     string `json:"absent,omitempty" doc:"为什么没有数字"`
	// Beside is what belongs beside the number and is not in it.
	Beside []Beside `json:"beside" doc:"不计入而单独列出的"`
}

// Beside (另计) is a number that stands beside a figure.
type Beside struct {
	Name string `json:"name"`
	N    int    `json:"n"`
}

// Share gives the part of the whole, from 0 to 1; 0 for none of nothing.
func (f *Figure) Share() float64 { return share(f.Part, f.Whole) }

func share(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// WayCount (提交情况计数) is how many materials went one way.
type WayCount struct {
	Way  Way    `json:"way" enum:"exempt,committed,chosen,upload,later,unsettled,not_applicable"`
	Name string `json:"name"`
	N    int    `json:"n"`
}

// Line (分项) is what the share is for one department, matter or one-thing.
type Line struct {
	Code string `json:"code"`
	Name string `json:"name"`
	// Exempt of Applicable went without; the others are told apart.
	Exempt        int `json:"exempt"`
	Applicable    int `json:"applicable"`
	Chosen        int `json:"chosen"`
	NotApplicable int `json:"not_applicable"`
	// Marked of Materials are those that the catalog says can go without.
	Marked    int `json:"marked" doc:"目录中标注可免提交的材料"`
	Materials int `json:"materials" doc:"目录中的材料"`
	Finished  int `json:"finished" doc:"办结的办件"`
	AtOnce    int `json:"at_once" doc:"其中首次核验后没有再要求补交材料的"`
}

// Share gives how much of what applied went without.
func (l *Line) Share() float64 { return share(l.Exempt, l.Applicable) }

// Point (逐日指标) is one day.
type Point struct {
	Day        string `json:"day" format:"date"`
	Exempt     int    `json:"exempt"`
	Applicable int    `json:"applicable"`
}

// Share gives how much of what applied went without.
func (p *Point) Share() float64 { return share(p.Exempt, p.Applicable) }

// StillUploaded (仍需提交材料) is one paper that applicants still bring.
type StillUploaded struct {
	Code    string   `json:"code" doc:"标准材料代码; 没有的为材料代码"`
	Name    string   `json:"name"`
	N       int      `json:"n"`
	Matters []string `json:"matters" doc:"涉及的事项"`
	Reason  string   `json:"reason" doc:"次数最多的原因"`
	Text    string   `json:"text" doc:"原因说明"`
	// Datasets are those that the catalog names for it.
	Datasets []string `json:"datasets" doc:"目录中可以代替它的数据资源; 空则尚无"`
}

// Answered (校核答复时间) is when a correction was opened, or passed on, and when
// it was answered.
type Answered struct {
	Provider   string
	OpenedAt   time.Time
	AnsweredAt time.Time // zero while it is not
	Withdrawn  bool
}

// SourceTime (数源应答情况) is how a source answered in a time.
type SourceTime struct {
	Source     string `json:"source"`
	Dataset    string `json:"dataset"`
	Department string `json:"department"`
	// Asked is how often it was called, Answered how often it answered, whatever it
	// said; Failed how often it did not, and Held how often it was not called
	// because it could not have been.
	Asked    int `json:"asked" doc:"实际调用次数"`
	Answered int `json:"answered" doc:"有应答的, 不论查到与否"`
	Failed   int `json:"failed" doc:"没有应答或应答不合格的"`
	Held     int `json:"held" doc:"因限流、暂停或维护而没有调用的"`
	// P50 and P95 are of the calls that came back, in milliseconds.
	P50         int64      `json:"p50_millis"`
	P95         int64      `json:"p95_millis"`
	LastSuccess *time.Time `json:"last_success,omitempty"`
	LastFailure *time.Time `json:"last_failure,omitempty"`
	Results     []Beside   `json:"results" doc:"按结果计数"`
}

// Rate gives how many of the calls were answered.
func (s *SourceTime) Rate() float64 { return share(s.Answered, s.Asked) }

// Well reports whether its last call was answered; so is one that was never
// called.
func (s *SourceTime) Well() bool {
	return s.LastFailure == nil || s.LastSuccess != nil && s.LastSuccess.After(*s.LastFailure)
}

// UseFilter (使用记录条件) chooses uses of datasets.
type UseFilter struct {
	// Datasets are those of whoever provides them; Provider sets them.
	Datasets   []string
	Department string
	Matter     string
	Result     string
	From       time.Time
	Until      time.Time
	// Before is where the page before ended; 0 begins with the newest.
	Before int64
	Limit  int
}

// Use (使用记录) is one look-up in a department's data.
type Use struct {
	Number     int64     `json:"number" doc:"存证编号"`
	At         time.Time `json:"at"`
	Dataset    string    `json:"dataset"`
	Department string    `json:"department" doc:"使用部门"`
	Matter     string    `json:"matter"`
	Material   string    `json:"material"`
	Result     string    `json:"result" doc:"ok, not_found 等为核验结果; denied 为依规则没有查询"`
	Case       string    `json:"case"`
	Grant      string    `json:"grant,omitempty"`
}

// UseTotal (使用计数) is how often a dataset was used by a department for a matter
// with a result.
type UseTotal struct {
	Dataset    string `json:"dataset"`
	Department string `json:"department"`
	Matter     string `json:"matter"`
	Result     string `json:"result"`
	N          int    `json:"n"`
}

// UseDenied is the result of a look-up that was not made because the rules say
// no.
const UseDenied = "denied"

// marked counts the materials of a matter, and those of them that can be
// without: those whose chain has a way that is neither an upload, now or later,
// nor a mere waiting.
func marked(m *catalog.Matter) (marked, all int) {
	without := func(step catalog.Step) bool {
		return step.Mode != catalog.ModeUpload && step.Mode != catalog.ModeDefer && step.Mode != catalog.ModeWait
	}
	for i := range m.Materials {
		all++
		if slices.ContainsFunc(m.Materials[i].Chain, without) {
			marked++
		}
	}
	return marked, all
}

// reasonName says in a few words why a paper was still asked for.
func reasonName(code string) string {
	names := map[policies.ReasonCode]string{
		policies.ReasonNoSource: "还没有接通数据", policies.ReasonApplicantOnly: "只有申请人持有", policies.ReasonMayFollow: "容缺后补",
		"not_found": "数源中没有查到", "mismatch": "与数源记录不一致", "expired": "证照或记录已过期", "source_down": "数源没有应答",
		"no_grant": "没有共享授权", "no_consent": "没有授权同意", "stale": "数据不够新", "multiple": "查到多条，需要确认",
	}
	if name := names[policies.ReasonCode(code)]; name != "" {
		return name
	}
	return code
}
