// Package sharing is how a department comes to use another's data: it applies
// for fields of a dataset for named matters, the provider decides field by
// field, and what is agreed becomes grants, which can be suspended and ended
// (政务数据共享条例, art. 20–22, 25, 27).
//
// Procedure holds the rules and is pure: it knows no database and reads no
// clock. Sharing holds the use cases around it.
package sharing

import (
	"slices"
	"time"

	"mianti/catalog"
)

// State (申请状态) is how far a sharing request has come.
type State string

// The states; docs/sharing.md says which act leads from which to which.
const (
	Submitted    State = "submitted"     // 待答复
	Incomplete   State = "incomplete"    // 待补正
	Resubmitted  State = "resubmitted"   // 已补正, 待答复
	Agreed       State = "agreed"        // 同意, 待开通
	PartlyAgreed State = "partly_agreed" // 部分同意, 待开通
	Refused      State = "refused"       // 不同意
	Delivered    State = "delivered"     // 已开通
	Withdrawn    State = "withdrawn"     // 已撤回
	Expired      State = "expired"       // 使用时限已过; follows from the clock and is never stored
)

// Manner (共享方式) is how the data is shared (条例, art. 22).
type Manner string

// The manners.
const (
	MannerQuery  Manner = "query"  // 接口查询
	MannerVerify Manner = "verify" // 核验
	MannerBatch  Manner = "batch"  // 批量交换
	MannerFile   Manner = "file"   // 文件下载
)

// Application (共享申请书) is what a department applies with (条例, art. 20).
type Application struct {
	Dataset  string   `json:"dataset" maxLength:"64" doc:"数据资源代码" example:"D-GA01"`
	Fields   []string `json:"fields" maxItems:"200" doc:"数据项代码"`
	Matters  []string `json:"matters" maxItems:"50" doc:"用于本部门的哪些事项, 事项短码"`
	Basis    string   `json:"basis" maxLength:"1000" doc:"使用依据: 法律、法规或国务院决定的条款"`
	Scenario string   `json:"scenario" maxLength:"1000" doc:"使用场景"`
	Scope    string   `json:"scope" maxLength:"1000" doc:"使用范围"`
	Purpose  string   `json:"purpose,omitempty" maxLength:"1000" doc:"使用用途; 申请有条件共享的数据项时必填"`
	Manner   Manner   `json:"manner" enum:"query,verify,batch,file" doc:"共享方式: 接口查询、核验、批量交换、文件下载"`
	From     string   `json:"from" format:"date" doc:"使用时限的第一天"`
	Until    string   `json:"until" format:"date" doc:"使用时限的最后一天"`
	Officer  string   `json:"officer" maxLength:"50" doc:"签署申请的本部门共享工作机构负责人"`
}

// term gives the moments between which the application wants to use the data:
// from the first day's beginning to the last one's end, in Asia/Shanghai.
func (a *Application) term() (from, until time.Time, err error) {
	if from, err = time.ParseInLocation(time.DateOnly, a.From, catalog.TimeZone()); err != nil {
		return from, until, err
	}
	last, err := time.ParseInLocation(time.DateOnly, a.Until, catalog.TimeZone())
	return from.UTC(), last.AddDate(0, 0, 1).UTC(), err
}

// Item (申请数据项) is one field that is applied for, and what the provider says
// of it.
type Item struct {
	Field string          `json:"field"`
	Class catalog.Sharing `json:"class" doc:"申请时的共享属性"`
	// Agreed is nil until the provider has decided.
	Agreed *bool  `json:"agreed,omitempty"`
	Reason string `json:"reason,omitempty" doc:"不同意的理由"`
}

// Deadline (答复期限) is until when somebody has to act, by which article.
type Deadline struct {
	Article string    `json:"article" doc:"政务数据共享条例的条款"`
	DueAt   time.Time `json:"due_at"`
}

// Completion (补正) is the one request to complete an application
// (一次性告知, 条例 art. 21).
type Completion struct {
	Missing    string     `json:"missing" doc:"需要补正的全部内容"`
	AskedAt    time.Time  `json:"asked_at"`
	AnsweredAt *time.Time `json:"answered_at,omitempty"`
	// Spent are the working days of the reply that were gone when it was asked.
	Spent int `json:"spent" doc:"告知时已用去的答复工作日"`
}

// Extension (延长答复) is the longer time to reply, which holds once the
// authority (主管部门) has consented (条例, art. 21).
type Extension struct {
	Days        int        `json:"days" doc:"延长的工作日"`
	Reason      string     `json:"reason"`
	AskedAt     time.Time  `json:"asked_at"`
	ConsentedAt *time.Time `json:"consented_at,omitempty" doc:"主管部门同意的时间; 没有则尚未延长"`
	ConsentedBy string     `json:"consented_by,omitempty" doc:"同意的主管部门"`
}

// Note (办理记录) is one act on a request or on a grant, and who did it.
type Note struct {
	Act        string    `json:"act"`
	At         time.Time `json:"at"`
	Department string    `json:"department"`
	Person     string    `json:"person,omitempty" doc:"办理人的代号"`
	System     string    `json:"system,omitempty"`
	Why        string    `json:"why,omitempty"`
}

// Request (共享申请) is an application with what became of it. A request never
// changes: an act makes another one.
type Request struct {
	ID          string      `json:"id"`
	Applicant   string      `json:"applicant" doc:"需求部门"`
	Provider    string      `json:"provider" doc:"提供部门"`
	Application Application `json:"application"`
	Items       []Item      `json:"items"`
	State       State       `json:"state" enum:"submitted,incomplete,resubmitted,agreed,partly_agreed,refused,delivered,withdrawn,expired"`
	ReceivedAt  time.Time   `json:"received_at"`
	// Deadline is that of what is awaited now; nil when nothing is, or when it is
	// the applicant's to act.
	Deadline   *Deadline   `json:"deadline,omitempty" doc:"当前环节的期限"`
	Overdue    bool        `json:"overdue" doc:"已过期限"`
	Completion *Completion `json:"completion,omitempty"`
	Extension  *Extension  `json:"extension,omitempty"`
	// Officer is who signed the decision for the provider.
	Officer string   `json:"officer,omitempty" doc:"签署答复的提供部门共享工作机构负责人"`
	Grants  []string `json:"grants,omitempty" doc:"开通的共享授权"`
	History []Note   `json:"history"`
	// Revision is the catalog's at which the request was made or completed.
	Revision int `json:"revision"`
	Version  int `json:"version" doc:"每次变更加一"`
}

// Until is the moment at which the term that was applied for is over.
func (r *Request) Until() time.Time {
	_, until, _ := r.Application.term() // checked when it was received
	return until
}

// At gives the request as it is at a moment: its term can be over, and its
// deadline gone, without anybody having acted.
func (r Request) At(now time.Time) Request {
	r.Overdue = r.Deadline != nil && !now.Before(r.Deadline.DueAt)
	if r.State != Withdrawn && r.State != Refused && !now.Before(r.Until()) {
		r.State = Expired
	}
	return r
}

// conditional reports whether any field that is applied for is shared under
// conditions (有条件共享).
func (r *Request) conditional() bool {
	return slices.ContainsFunc(r.Items, func(i Item) bool { return i.Class != catalog.SharingUnconditional })
}

// agreedFields are the fields that the provider agreed to.
func (r *Request) agreedFields() []string {
	var out []string
	for _, item := range r.Items {
		if item.Agreed != nil && *item.Agreed {
			out = append(out, item.Field)
		}
	}
	return out
}

// did reports whether a person did one of these acts.
func (r *Request) did(person string, acts ...Act) bool {
	return slices.ContainsFunc(r.History, func(n Note) bool { return n.Person == person && slices.Contains(acts, Act(n.Act)) })
}
