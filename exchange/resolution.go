package exchange

import (
	"time"

	"mianti/catalog"
	"mianti/policies"
)

// Status says whether a resolution waits for something.
type Status string

// The statuses; docs/resolution-rules.md §6.
const (
	StatusComplete   Status = "complete"
	StatusPending    Status = "pending"
	StatusNeedsInput Status = "needs_input"
)

// Resolution (核验结果) is the answer for a case: what is settled, by whom and
// how, and what the applicant still has to upload, and why.
type Resolution struct {
	ID         string `json:"id"`
	Case       string `json:"case"`
	CaseNumber string `json:"case_number"`
	Revision   int    `json:"revision" doc:"目录修订号"`
	// CaseVersion is the version of the case that it was made from.
	CaseVersion int              `json:"case_version" doc:"核验时的办件版本"`
	Ruleset     string           `json:"ruleset"`
	Status      Status           `json:"status" enum:"complete,pending,needs_input"`
	OneThing    string           `json:"one_thing,omitempty"`
	Matters     []MatterState    `json:"matters"`
	Summary     Summary          `json:"summary"`
	Materials   []MaterialResult `json:"materials"`
	Upload      []string         `json:"upload" doc:"仍需上传的材料代码, 每个代码只列一次"`
	Papers      []Paper          `json:"papers" doc:"仍需上传的每一份材料: 同一材料, 每个当事人一份"`
	Questions   []Question       `json:"questions"`
	ResolvedAt  time.Time        `json:"resolved_at"`
	// Version counts from 1: a resolution that waits for a source or an officer
	// goes on by itself, and each time it does there is another version.
	Version   int       `json:"version" doc:"本核验结果的版次, 自动继续核验一次加一"`
	StartedAt time.Time `json:"started_at" doc:"第一版的时间"`
	// RetryAt is when it goes on by itself at the latest; nil when it does not.
	RetryAt *time.Time `json:"retry_at,omitempty" doc:"最迟何时自动继续核验; 没有则不会自动继续"`
	// Destroyed is set when the content was destroyed: this is the outline.
	Destroyed *Destruction `json:"destroyed,omitempty" doc:"内容已按期销毁, 只保留结论"`
}

// Continues reports whether it goes on by itself.
func (r *Resolution) Continues() bool { return r.RetryAt != nil }

// stop takes out that it goes on by itself: its case has moved on.
func (r *Resolution) stop() {
	r.RetryAt = nil
	for i := range r.Materials {
		r.Materials[i].RetryAt = nil
	}
}

// ResolutionState (核验进度) is how far a resolution is: nothing of what it says.
type ResolutionState struct {
	Version   int    `json:"version" doc:"版次"`
	Status    Status `json:"status" enum:"complete,pending,needs_input"`
	Continues bool   `json:"continues" doc:"是否会自动继续核验"`
}

// Paper is one paper that the applicant still has to upload.
type Paper struct {
	Code  string `json:"code"`
	Party string `json:"party,omitempty"`
	Name  string `json:"name"`
}

// MatterState is where a matter of the case stands.
type MatterState struct {
	Code  string              `json:"code"`
	Name  string              `json:"name"`
	State catalog.MatterState `json:"state" enum:"open,waiting,skipped,undecided,granted,refused,stopped"`
	After []string            `json:"after"`
}

// Summary counts the materials by outcome. Materials that do not apply are
// never counted as exempt.
type Summary struct {
	Matters       int `json:"matters" doc:"不含跳过的事项"`
	Asked         int `json:"asked" doc:"各事项索要的材料次数"`
	Applicable    int `json:"applicable" doc:"去重后适用的材料"`
	Settled       int `json:"settled"`
	Committed     int `json:"committed"`
	Deferred      int `json:"deferred"`
	Verifying     int `json:"verifying"`
	AwaitingPrior int `json:"awaiting_prior"`
	NeedsConsent  int `json:"needs_consent"`
	NeedsFact     int `json:"needs_fact"`
	Upload        int `json:"upload" doc:"仍需上传的材料, 同一材料只计一次"`
	NotApplicable int `json:"not_applicable"`
}

// MaterialResult is the conclusion for one material, for every matter that
// asks for it.
type MaterialResult struct {
	Code             string           `json:"code"`
	UsedBy           []string         `json:"used_by"`
	Name             string           `json:"name"`
	StandardMaterial string           `json:"standard_material,omitempty"`
	Subject          *SubjectRef      `json:"subject,omitempty"`
	SamePaper        string           `json:"same_paper,omitempty" doc:"同一材料的另一条, 核验要求不同"`
	Outcome          policies.Outcome `json:"outcome" enum:"settled,committed,deferred,verifying,awaiting_prior,needs_consent,needs_fact,upload,not_applicable"`
	Mode             catalog.Mode     `json:"mode,omitempty"`
	Reason           Reason           `json:"reason"`
	Evidence         *Evidence        `json:"evidence,omitempty"`
	Supporting       []Evidence       `json:"supporting,omitempty" doc:"共同证明该材料的其他记录"`
	Attempts         []Attempt        `json:"attempts"`
	Questions        []Question       `json:"questions"`
	Prior            []string         `json:"prior,omitempty" doc:"等待其结果的事项"`
	Department       string           `json:"department,omitempty" doc:"协查部门"`
	DueDays          int              `json:"due_days,omitempty" doc:"工作日"`
	// Task is the assist task on which it depends, and DueAt its deadline.
	Task  string     `json:"task,omitempty" doc:"协查任务"`
	DueAt *time.Time `json:"due_at,omitempty" doc:"协查期限"`
	// RetryAt is when the source is asked again by itself.
	RetryAt *time.Time `json:"retry_at,omitempty" doc:"何时自动再次核验"`
}

// waits reports whether another try may change it: a source that was away is
// asked again, or an officer's answer may still come.
func (m *MaterialResult) waits() bool { return m.RetryAt != nil || m.Task != "" }

// SubjectRef names whose material it is.
type SubjectRef struct {
	Role  string `json:"role"`
	Party string `json:"party,omitempty"`
}

// Reason says why, for a program and for a person.
type Reason struct {
	Code policies.ReasonCode `json:"code"`
	Text string              `json:"text"`
}

// Evidence (凭据) is what settles a material.
type Evidence struct {
	Dataset    string         `json:"dataset,omitempty"`
	Department string         `json:"department,omitempty"`
	Source     string         `json:"source"`
	Reference  string         `json:"reference,omitempty" doc:"数源方的应答编号或证照编号"`
	Proof      string         `json:"source_proof,omitempty" doc:"数源方给出的、把应答与查询绑定的证明, 如 X-Road 的请求摘要"`
	AsOf       *time.Time     `json:"as_of,omitempty"`
	FetchedAt  *time.Time     `json:"fetched_at,omitempty"`
	ValidUntil string         `json:"valid_until,omitempty"`
	YesNo      bool           `json:"yes_no,omitempty" doc:"只返回是否, 不返回数据项"`
	Fields     map[string]any `json:"fields,omitempty"`
	Grant      string         `json:"grant,omitempty"`
	Consent    string         `json:"consent,omitempty" doc:"所依据的授权同意"`
	// Basis are the reasons that allowed the look-up.
	Basis  []policies.ReasonOfDecision `json:"basis,omitempty" doc:"允许查询的理由: 授权与法律依据"`
	Digest string                      `json:"digest" doc:"本凭据内容的摘要, 前缀为算法"`
	// Withheld says why the fields are not given out any more.
	Withheld Withheld `json:"withheld,omitempty" enum:"grant_suspended,grant_terminated,consent_withdrawn,consent_refused,consent_superseded,grant_stopped,dataset_stopped,source_stopped,destroyed" doc:"所依据的共享授权或授权同意已不再有效, 或内容已按期销毁, 因此不再提供数据项; 结论不变"`
}

// Attempt (核验尝试) is one mode that was tried.
type Attempt struct {
	Mode    catalog.Mode    `json:"mode"`
	Dataset string          `json:"dataset,omitempty"`
	Result  policies.Result `json:"result" enum:"ok,not_found,expired,mismatch,multiple,no_grant,no_consent,source_down,stale,pending"`
	Millis  int64           `json:"millis"`
	Detail  string          `json:"detail,omitempty"`
}

// Question is a fact that must be known.
type Question struct {
	Fact    string           `json:"fact"`
	Ask     string           `json:"ask"`
	Type    catalog.FactType `json:"type"`
	Options []catalog.Option `json:"options,omitempty"`
}
