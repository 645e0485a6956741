package api

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"mianti/internal/fault"
	"mianti/sharing"
)

const (
	sharingPath = "/v1/sharing-requests"
	sharingTag  = "共享申请"
)

type listSharingInput struct {
	As      string `query:"as" enum:"applicant,provider" doc:"applicant: 本部门提出的; provider: 向本部门提出的; 不填则两者"`
	State   string `query:"state" enum:"submitted,incomplete,resubmitted,agreed,partly_agreed,refused,delivered,withdrawn,expired"`
	Overdue bool   `query:"overdue" doc:"只列已过期限的"`
	Limit   int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	Cursor  string `query:"cursor" maxLength:"64" pattern:"^[0-9A-Za-z][0-9A-Za-z_-]*$" doc:"上一页的 next"`
}

type listSharingOutput struct {
	Body page[sharing.Request]
}

// Precondition is the version that a change was made for. It is exported for
// the reason that CasePath is.
type Precondition struct {
	IfMatch string `header:"If-Match" maxLength:"200" doc:"读取时的 ETag; 其间有变更则为 412"`
}

// sharingPathInput names a request that something is done about.
type sharingPathInput struct {
	CasePath
	Precondition
}

type sharingOutput struct {
	ETag     string `header:"ETag"`
	Location string `header:"Location"`
	Body     *sharing.Request
}

type submitSharingInput struct {
	Body sharing.Application
}

type completeSharingInput struct {
	CasePath
	Precondition
	Body sharing.Application
}

type completionInput struct {
	CasePath
	Precondition
	Body struct {
		Missing string `json:"missing" maxLength:"2000" doc:"需要补正的全部内容; 只能告知一次"`
	}
}

type extensionInput struct {
	CasePath
	Precondition
	Body struct {
		Days   int    `json:"days" doc:"延长多少个工作日, 至多 10"`
		Reason string `json:"reason" maxLength:"1000"`
	}
}

type decisionInput struct {
	CasePath
	Precondition
	Body struct {
		Fields  []sharing.FieldAnswer `json:"fields" maxItems:"200" doc:"逐项答复, 每个数据项一条"`
		Officer string                `json:"officer" maxLength:"50" doc:"签署答复的本部门共享工作机构负责人"`
	}
}

type reasonInput struct {
	CasePath
	Precondition
	Body struct {
		Reason string `json:"reason" maxLength:"1000" doc:"理由"`
	}
}

type overdueOutput struct {
	Body struct {
		Items []sharing.Overdue `json:"items"`
	}
}

func (s *server) registerSharing() {
	submit := s.operation(http.MethodPost, sharingPath, "submit-sharing-request", "申请共享数据", sharingTag, 403, 409, 422)
	submit.DefaultStatus = http.StatusCreated
	submit.Description = "为本部门的事项申请其他部门的数据项。答复期限：全部为无条件共享的 1 个工作日，否则 10 个工作日。"
	handle(s, submit, s.submitSharing)
	list := s.operation(http.MethodGet, sharingPath, "list-sharing-requests", "本部门提出和收到的申请", sharingTag, 404, 422)
	list.Description = "按收到的先后列出。主管部门不填 as 时列出全部。"
	handle(s, list, s.listSharing)
	handle(s, s.operation(http.MethodGet, sharingPath+"/{id}", "read-sharing-request", "读取申请", sharingTag, 404, 422), s.readSharing)
	s.registerReplies()
	overdue := s.operation(http.MethodGet, "/v1/overdue", "count-overdue", "逾期未办的申请和校核数", sharingTag, 422)
	overdue.Description = "按提供部门和条款计数。主管部门和审计人员看到全部部门，其他人看到本部门。"
	handle(s, overdue, s.countOverdue)
}

// registerReplies registers what is done about a request.
func (s *server) registerReplies() {
	handle(s, s.sharingAct("completion-request", "ask-for-completion", "一次性告知补正", "申请不全的，在答复期限内一次性告知全部需要补正的内容。补正期间不计入答复期限。"), s.askCompletion)
	handle(s, s.sharingAct("completion", "complete-sharing-request", "补正申请", "以补正后的申请代替原申请。"), s.completeSharing)
	handle(s, s.sharingAct("extension", "ask-for-extension", "申请延长答复", "提供部门申请；主管部门同意之后才延长。"), s.askExtension)
	handle(s, s.sharingAct("extension-consent", "consent-to-extension", "同意延长答复", "由政务数据共享主管部门办理；需求部门在申请中看到新的期限。"), s.consentExtension)
	handle(s, s.sharingAct("decision", "decide-sharing-request", "逐项答复", "每个数据项同意或者不同意，不同意的说明理由。"), s.decideSharing)
	handle(s, s.sharingAct("delivery", "deliver-sharing-request", "开通", "每个事项生成一项共享授权。同意之后 20 个工作日内办理。"), s.deliverSharing)
	handle(s, s.sharingAct("withdrawal", "withdraw-sharing-request", "撤回申请", "开通之前由需求部门办理。"), s.withdrawSharing)
}

func (s *server) sharingAct(act, id, summary, description string) huma.Operation {
	op := s.operation(http.MethodPost, sharingPath+"/{id}/"+act, id, summary, sharingTag, 403, 404, 409, 412, 422)
	op.DefaultStatus, op.Description = http.StatusOK, description
	return op
}

func (s *server) submitSharing(ctx context.Context, in *submitSharingInput) (*sharingOutput, error) {
	r, err := s.Sharing.Submit(ctx, callerOf(ctx), in.Body)
	if err != nil {
		return nil, err
	}
	return &sharingOutput{ETag: versionTag(r.ID, r.Version), Location: sharingPath + "/" + r.ID, Body: r}, nil
}

func (s *server) listSharing(ctx context.Context, in *listSharingInput) (*listSharingOutput, error) {
	found, err := s.Sharing.List(ctx, callerOf(ctx), sharing.Side(in.As), sharing.Filter{
		State: sharing.State(in.State), Overdue: in.Overdue, After: in.Cursor, Limit: in.Limit + 1,
	})
	if err != nil {
		return nil, err
	}
	out := &listSharingOutput{Body: page[sharing.Request]{Items: found}}
	if len(found) > in.Limit {
		out.Body.Items, out.Body.Next = found[:in.Limit], found[in.Limit-1].ID
	}
	return out, nil
}

func (s *server) readSharing(ctx context.Context, in *CasePath) (*sharingOutput, error) {
	r, err := s.Sharing.Request(ctx, callerOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return &sharingOutput{ETag: versionTag(r.ID, r.Version), Body: r}, nil
}

func (s *server) askCompletion(ctx context.Context, in *completionInput) (*sharingOutput, error) {
	return s.actOnSharing(ctx, in.ID, in.IfMatch, sharing.Event{Act: sharing.AskCompletion, Why: in.Body.Missing})
}

func (s *server) completeSharing(ctx context.Context, in *completeSharingInput) (*sharingOutput, error) {
	return s.actOnSharing(ctx, in.ID, in.IfMatch, sharing.Event{Act: sharing.Complete, Application: &in.Body})
}

func (s *server) askExtension(ctx context.Context, in *extensionInput) (*sharingOutput, error) {
	return s.actOnSharing(ctx, in.ID, in.IfMatch, sharing.Event{Act: sharing.AskExtension, Why: in.Body.Reason, Days: in.Body.Days})
}

func (s *server) consentExtension(ctx context.Context, in *sharingPathInput) (*sharingOutput, error) {
	return s.actOnSharing(ctx, in.ID, in.IfMatch, sharing.Event{Act: sharing.ConsentExtension})
}

func (s *server) decideSharing(ctx context.Context, in *decisionInput) (*sharingOutput, error) {
	return s.actOnSharing(ctx, in.ID, in.IfMatch, sharing.Event{Act: sharing.Decide, Answers: in.Body.Fields, Officer: in.Body.Officer})
}

func (s *server) deliverSharing(ctx context.Context, in *sharingPathInput) (*sharingOutput, error) {
	return s.actOnSharing(ctx, in.ID, in.IfMatch, sharing.Event{Act: sharing.Deliver})
}

func (s *server) withdrawSharing(ctx context.Context, in *reasonInput) (*sharingOutput, error) {
	return s.actOnSharing(ctx, in.ID, in.IfMatch, sharing.Event{Act: sharing.Withdraw, Why: in.Body.Reason})
}

func (s *server) actOnSharing(ctx context.Context, id, ifMatch string, e sharing.Event) (*sharingOutput, error) {
	version, err := versionOf(id, ifMatch)
	if err != nil {
		return nil, err
	}
	r, err := s.Sharing.Act(ctx, callerOf(ctx), id, version, e)
	if err != nil {
		return nil, err
	}
	return &sharingOutput{ETag: versionTag(r.ID, r.Version), Body: r}, nil
}

func (s *server) countOverdue(ctx context.Context, _ *struct{}) (*overdueOutput, error) {
	found, err := s.Sharing.Overdue(ctx, callerOf(ctx))
	if err != nil {
		return nil, err
	}
	late, err := s.Corrections.Overdue(ctx, callerOf(ctx))
	if err != nil {
		return nil, err
	}
	out := &overdueOutput{}
	out.Body.Items = found
	for _, one := range late {
		out.Body.Items = append(out.Body.Items, sharing.Overdue(one))
	}
	return out, nil
}

// versionTag is the ETag of a version of a request or a grant. A grant's id may
// hold characters that a tag may not.
func versionTag(id string, version int) string {
	return fmt.Sprintf(`"%s-%d"`, digest(id)[:16], version)
}

// versionOf reads an If-Match header: the version that the caller has read, or 0
// where it is not given.
func versionOf(id, ifMatch string) (int, error) {
	if ifMatch == "" || ifMatch == "*" {
		return 0, nil
	}
	found := regexp.MustCompile(`^"([0-9a-f]{16})-([1-9][0-9]{0,8})"$`).FindStringSubmatch(ifMatch)
	if found == nil || found[1] != digest(id)[:16] {
		return 0, fault.New(fault.Invalid, "invalid-request", "If-Match 不是这个对象的 ETag。").
			With(fault.Detail{Location: "header.If-Match", Code: "format", Message: "请填读取时得到的 ETag。"})
	}
	return strconv.Atoi(found[2])
}

// sharingProblems are those of sharing requests.
func sharingProblems() map[string]problemText {
	return map[string]problemText{
		"unknown-sharing-request": {title: "没有这个共享申请", explanation: "没有这个共享申请，或本部门既不是需求部门，也不是提供部门。"},
		"invalid-sharing-request": {title: "申请不符合要求", explanation: "errors 逐条说明位置与原因。改正之前没有登记任何内容。"},
		"invalid-decision":        {title: "答复不符合要求", explanation: "每个数据项都要答复，不同意的要说明理由。errors 逐条说明位置与原因，没有登记任何内容。"},
		"invalid-extension":       {title: "延长的天数不对", explanation: "延长不超过 10 个工作日（政务数据共享条例第二十一条）。"},
		"reason-missing":          {title: "没有说明理由", explanation: "理由会留痕，请用文字说明，不要写入身份号码等个人信息。"},
		"not-the-applicant":       {title: "应由需求部门办理", explanation: "补正和撤回由提出申请的部门办理。"},
		"not-the-provider":        {title: "应由提供部门办理", explanation: "答复、开通、暂停、整改和恢复由提供数据的部门办理。使用部门可以缩小或者终止自己的授权。"},
		"own-application":         {title: "不能审核自己经办的申请", explanation: "经办申请的人不能告知补正、答复或者开通，也不能同意延长；申请延长的人不能自己同意。请由其他人员办理。"},
		"extension-without-consent": {
			title: "延长须经主管部门同意", explanation: "延长答复由提供部门申请，政务数据共享主管部门同意之后才生效（政务数据共享条例第二十一条）。",
		},
		"extension-not-allowed":   {title: "不能延长", explanation: "无条件共享的数据项在 1 个工作日内答复，不能延长。"},
		"extension-too-late":      {title: "延长已经太晚", explanation: "延长须在答复期限之内申请和同意。"},
		"second-extension":        {title: "已经延长过", explanation: "一项申请只能延长一次。"},
		"no-extension-asked":      {title: "没有申请延长", explanation: "提供部门申请之后，主管部门才能同意。"},
		"second-completion":       {title: "只能告知补正一次", explanation: "需要补正的内容应当一次性告知（政务数据共享条例第二十一条）。"},
		"completion-too-late":     {title: "告知补正已经太晚", explanation: "答复期限内没有告知的，视为申请完整。"},
		"awaiting-completion":     {title: "申请正在补正", explanation: "需求部门补正之后才能办理。"},
		"no-completion-asked":     {title: "没有要求补正", explanation: "提供部门告知补正之后，申请才能更改。"},
		"already-decided":         {title: "申请已经答复", explanation: "一项申请只答复一次。"},
		"already-delivered":       {title: "申请已经开通", explanation: "开通之后的变化在共享授权上办理。"},
		"not-agreed":              {title: "申请还没有同意", explanation: "提供部门同意之后才能开通。"},
		"request-expired":         {title: "申请的使用时限已过", explanation: "使用时限已过的申请不能再办理，可以撤回。"},
		"request-withdrawn":       {title: "申请已经撤回", explanation: "撤回的申请不能再办理。"},
		"sharing-request-changed": {title: "申请刚被办理", explanation: "另一个人同时办理了这项申请。请重新读取。"},
		"changed-since-read":      {title: "读取之后已有变更", explanation: "If-Match 中的版本不是现在的版本。请重新读取后再办理。", status: http.StatusPreconditionFailed},
	}
}
