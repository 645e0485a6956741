package api

import (
	"context"
	"net/http"

	"mianti/exchange"
)

const consentsPath = "/v1/consents"

type askConsentsInput struct {
	CasePath
	Body struct {
		Again []string `json:"again,omitempty" maxItems:"500" doc:"曾经拒绝或撤回、现在要再次征求的当事人 id"`
	}
}

type consentsAskedOutput struct {
	Body *exchange.ConsentsAsked
}

type caseConsentsOutput struct {
	Body page[exchange.Consent]
}

type listConsentsInput struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	Cursor string `query:"cursor" maxLength:"64" pattern:"^[0-9A-Za-z][0-9A-Za-z_-]*$" doc:"上一页的 next"`
}

type consentOutput struct {
	Body *exchange.Consent
}

type decideConsentInput struct {
	CasePath
	Body exchange.ConsentDecision
}

type withdrawConsentInput struct {
	CasePath
	Body *struct{}
}

type receiptOutput struct {
	Body *exchange.ConsentReceipt
}

func (s *server) registerConsents() {
	const tag = "授权同意"
	ask := s.operation(http.MethodPost, casesPath+"/{id}/consents", "request-consents", "征求本人授权", tag, 404, 409, 410, 422)
	ask.DefaultStatus = http.StatusOK
	ask.Description = "按办件方案找出须经同意才能进行的核验，向相应的本人或监护人征求。知情内容未变时重复征求不产生新的征求；已经拒绝或撤回的，须在 again 中指明才再次征求。"
	handle(s, ask, s.askConsents)
	handle(s, s.operation(http.MethodGet, casesPath+"/{id}/consents", "list-case-consents", "办件的授权同意", tag, 404, 410, 422), s.caseConsents)
	handle(s, s.operation(http.MethodGet, consentsPath, "list-consents", "征求我同意的", tag, 404, 422), s.listConsents)
	read := s.operation(http.MethodGet, consentsPath+"/{id}", "read-consent", "读取知情内容", tag, 404, 422)
	read.Description = "谁得到哪些数据、用于什么、多久、不同意会怎样。不含数据的内容。"
	handle(s, read, s.readConsent)
	decide := s.operation(http.MethodPost, consentsPath+"/{id}/decision", "decide-consent", "同意或不同意", tag, 404, 409, 410, 422)
	decide.DefaultStatus = http.StatusOK
	decide.Description = "只能由本人或监护人作出，并须带所读知情内容的摘要。同样的决定可以重复提交。"
	handle(s, decide, s.decideConsent)
	withdraw := s.operation(http.MethodPost, consentsPath+"/{id}/withdrawal", "withdraw-consent", "撤回同意", tag, 404, 409, 410, 422)
	withdraw.DefaultStatus = http.StatusOK
	withdraw.Description = "撤回后不再查询，依据它取得的数据项不再提供。可以重复提交。"
	handle(s, withdraw, s.withdrawConsent)
	receipt := s.operation(http.MethodGet, consentsPath+"/{id}/receipt", "read-consent-receipt", "授权回执", tag, 404, 409, 410, 422)
	receipt.Description = "同意、不同意与撤回都有回执：何时、由什么渠道、就哪一份知情内容作出了什么决定。"
	handle(s, receipt, s.readReceipt)
}

func (s *server) askConsents(ctx context.Context, in *askConsentsInput) (*consentsAskedOutput, error) {
	asked, err := s.Exchange.AskConsents(ctx, callerOf(ctx), in.ID, in.Body.Again)
	if err != nil {
		return nil, err
	}
	return &consentsAskedOutput{Body: asked}, nil
}

func (s *server) caseConsents(ctx context.Context, in *CasePath) (*caseConsentsOutput, error) {
	consents, err := s.Exchange.CaseConsents(ctx, callerOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return &caseConsentsOutput{Body: page[exchange.Consent]{Items: consents}}, nil
}

func (s *server) listConsents(ctx context.Context, in *listConsentsInput) (*caseConsentsOutput, error) {
	consents, err := s.Exchange.MyConsents(ctx, callerOf(ctx), exchange.ConsentFilter{After: in.Cursor, Limit: in.Limit + 1})
	if err != nil {
		return nil, err
	}
	out := &caseConsentsOutput{Body: page[exchange.Consent]{Items: consents}}
	if len(consents) > in.Limit {
		out.Body.Items, out.Body.Next = consents[:in.Limit], consents[in.Limit-1].ID
	}
	return out, nil
}

func (s *server) readConsent(ctx context.Context, in *CasePath) (*consentOutput, error) {
	consent, err := s.Exchange.MyConsent(ctx, callerOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return &consentOutput{Body: consent}, nil
}

func (s *server) decideConsent(ctx context.Context, in *decideConsentInput) (*consentOutput, error) {
	consent, err := s.Exchange.DecideConsent(ctx, callerOf(ctx), in.ID, in.Body)
	if err != nil {
		return nil, err
	}
	return &consentOutput{Body: consent}, nil
}

func (s *server) withdrawConsent(ctx context.Context, in *withdrawConsentInput) (*consentOutput, error) {
	consent, err := s.Exchange.WithdrawConsent(ctx, callerOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return &consentOutput{Body: consent}, nil
}

func (s *server) readReceipt(ctx context.Context, in *CasePath) (*receiptOutput, error) {
	receipt, err := s.Exchange.Receipt(ctx, callerOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return &receiptOutput{Body: receipt}, nil
}

// consentProblems are those of consents, and of what rests on them.
func consentProblems() map[string]problemText {
	return map[string]problemText{
		"unknown-consent":           {title: "没有这个授权同意", explanation: "没有这个授权同意，或它不由您作出。"},
		"consent-sheet-changed":     {title: "知情内容与所读的不同", explanation: "sheet_digest 不是当前知情内容的摘要。请重新阅读后再决定；没有登记任何决定。"},
		"consent-expired":           {title: "授权同意已过期", explanation: "已过作出决定的期限，或同意的期限。需要时请受理部门重新征求。"},
		"consent-superseded":        {title: "这份征求不再有效", explanation: "办件的情形或当事人已有变化，或已有更新的决定。需要时受理部门会重新征求。"},
		"consent-decided":           {title: "已经作出决定", explanation: "已同意的，请用撤回停止查询；已拒绝或撤回的，改变主意时请受理部门重新征求。"},
		"consent-not-given":         {title: "没有可以撤回的同意", explanation: "只有已经作出的同意可以撤回。"},
		"consent-undecided":         {title: "还没有作出决定", explanation: "作出决定之后才有回执。"},
		"consent-decided-by-person": {title: "本人已自行作出决定", explanation: "本人在本平台作出的决定优先，部门不能转达相反的意思。需要时请向其重新征求授权。"},
		"invalid-decision":          {title: "决定不符合要求", explanation: "决定须为 given（同意）或 refused（不同意）。"},
		"authorization-changed":     {title: "核验依据已终止", explanation: "核验期间，所依据的共享授权或授权同意被终止、暂停或撤回，因此没有给出结果。请重新核验。"},
	}
}
