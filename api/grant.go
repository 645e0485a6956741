package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mianti/policies"
	"mianti/sharing"
)

const (
	grantsPath = "/v1/grants"
	grantTag   = "共享授权"
)

// GrantPath names a grant. It is exported for the reason that CasePath is.
type GrantPath struct {
	ID string `path:"id" maxLength:"128" pattern:"^[0-9A-Za-z][0-9A-Za-z._:-]*$"`
}

type listGrantsInput struct {
	As      string `query:"as" enum:"holder,provider" doc:"holder: 本部门使用的; provider: 本部门提供的; 不填则两者"`
	State   string `query:"state" enum:"active,suspended,terminated"`
	Matter  string `query:"matter" maxLength:"64" doc:"事项短码"`
	Dataset string `query:"dataset" maxLength:"64" doc:"数据资源代码"`
	Limit   int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	Cursor  string `query:"cursor" maxLength:"128" pattern:"^[0-9A-Za-z][0-9A-Za-z._:-]*$" doc:"上一页的 next"`
}

type listGrantsOutput struct {
	Body page[grantView]
}

// grantView is a grant as its two departments see it.
type grantView struct {
	ID         string         `json:"id"`
	Department string         `json:"department" doc:"使用部门"`
	Matter     string         `json:"matter"`
	Dataset    string         `json:"dataset"`
	Fields     []string       `json:"fields"`
	Basis      string         `json:"basis"`
	Scenario   string         `json:"scenario,omitempty"`
	Scope      string         `json:"scope,omitempty"`
	Manner     string         `json:"manner,omitempty"`
	From       time.Time      `json:"from"`
	Until      time.Time      `json:"until" doc:"从这一刻起不再有效"`
	State      string         `json:"state" enum:"active,suspended,terminated"`
	Expired    bool           `json:"expired"`
	CorrectBy  string         `json:"correct_by,omitempty" format:"date" doc:"限期整改的最后一天"`
	Request    string         `json:"request,omitempty" doc:"来自哪项共享申请"`
	History    []sharing.Note `json:"history"`
	Version    int            `json:"version"`
}

func (s *server) viewGrant(g *sharing.Grant) grantView {
	return grantView{
		ID: g.ID, Department: g.Department, Matter: g.Matter, Dataset: g.Dataset, Fields: g.Fields, Basis: g.Basis,
		Scenario: g.Scenario, Scope: g.Scope, Manner: string(g.Manner), From: g.From, Until: g.Until, State: string(g.State),
		Expired: !s.Now().Before(g.Until), CorrectBy: g.CorrectBy, Request: g.Request, History: g.History, Version: g.Version,
	}
}

type grantOutput struct {
	ETag string `header:"ETag"`
	Body grantView
}

type grantReasonInput struct {
	GrantPath
	Precondition
	Body struct {
		Reason string `json:"reason" maxLength:"1000" doc:"理由"`
	}
}

type correctionInput struct {
	GrantPath
	Precondition
	Body struct {
		Reason    string `json:"reason" maxLength:"1000" doc:"整改什么"`
		CorrectBy string `json:"correct_by" format:"date" doc:"整改期限的最后一天"`
	}
}

type narrowingInput struct {
	GrantPath
	Precondition
	Body struct {
		Reason string   `json:"reason" maxLength:"1000" doc:"理由"`
		Fields []string `json:"fields" maxItems:"200" doc:"保留的数据项"`
	}
}

func (s *server) registerGrants() {
	list := s.operation(http.MethodGet, grantsPath, "list-grants", "本部门使用和提供的共享授权", grantTag, 422)
	list.Description = "主管部门不填 as 时列出全部。"
	handle(s, list, s.listGrants)
	handle(s, s.operation(http.MethodGet, grantsPath+"/{id}", "read-grant", "读取共享授权", grantTag, 404, 422), s.readGrant)
	handle(s, s.grantAct("suspension", "suspend-grant", "暂停", "暂停后立即不能再用。"), s.suspendGrant)
	handle(s, s.grantAct("correction-order", "order-correction", "责令限期整改", "暂停之后办理。"), s.orderCorrection)
	handle(s, s.grantAct("resumption", "resume-grant", "恢复", "整改之后恢复使用。"), s.resumeGrant)
	handle(s, s.grantAct("termination", "terminate-grant", "终止", "提供部门在限期整改逾期不改之后办理；使用部门不再需要时可随时办理。"), s.terminateGrant)
	handle(s, s.grantAct("narrowing", "narrow-grant", "缩小范围", "减少数据项。扩大范围须重新申请。"), s.narrowGrant)
}

func (s *server) grantAct(act, id, summary, description string) huma.Operation {
	op := s.operation(http.MethodPost, grantsPath+"/{id}/"+act, id, summary, grantTag, 403, 404, 409, 412, 422)
	op.DefaultStatus, op.Description = http.StatusOK, description
	return op
}

func (s *server) listGrants(ctx context.Context, in *listGrantsInput) (*listGrantsOutput, error) {
	as := sharing.Side(in.As)
	if in.As == "holder" {
		as = sharing.AsApplicant
	}
	found, err := s.Sharing.ListGrants(ctx, callerOf(ctx), as, sharing.GrantFilter{
		State: policies.GrantState(in.State), Matter: in.Matter, Dataset: in.Dataset, After: in.Cursor, Limit: in.Limit + 1,
	})
	if err != nil {
		return nil, err
	}
	out := &listGrantsOutput{Body: page[grantView]{Items: []grantView{}}}
	if len(found) > in.Limit {
		found = found[:in.Limit]
		out.Body.Next = found[in.Limit-1].ID
	}
	for i := range found {
		out.Body.Items = append(out.Body.Items, s.viewGrant(&found[i]))
	}
	return out, nil
}

func (s *server) readGrant(ctx context.Context, in *GrantPath) (*grantOutput, error) {
	g, err := s.Sharing.Grant(ctx, callerOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return &grantOutput{ETag: versionTag(g.ID, g.Version), Body: s.viewGrant(g)}, nil
}

func (s *server) suspendGrant(ctx context.Context, in *grantReasonInput) (*grantOutput, error) {
	return s.actOnGrant(ctx, in.ID, in.IfMatch, sharing.GrantEvent{Act: sharing.Suspend, Why: in.Body.Reason})
}

func (s *server) orderCorrection(ctx context.Context, in *correctionInput) (*grantOutput, error) {
	return s.actOnGrant(ctx, in.ID, in.IfMatch, sharing.GrantEvent{Act: sharing.Order, Why: in.Body.Reason, CorrectBy: in.Body.CorrectBy})
}

func (s *server) resumeGrant(ctx context.Context, in *grantReasonInput) (*grantOutput, error) {
	return s.actOnGrant(ctx, in.ID, in.IfMatch, sharing.GrantEvent{Act: sharing.Resume, Why: in.Body.Reason})
}

func (s *server) terminateGrant(ctx context.Context, in *grantReasonInput) (*grantOutput, error) {
	return s.actOnGrant(ctx, in.ID, in.IfMatch, sharing.GrantEvent{Act: sharing.Terminate, Why: in.Body.Reason})
}

func (s *server) narrowGrant(ctx context.Context, in *narrowingInput) (*grantOutput, error) {
	return s.actOnGrant(ctx, in.ID, in.IfMatch, sharing.GrantEvent{Act: sharing.Narrow, Why: in.Body.Reason, Fields: in.Body.Fields})
}

func (s *server) actOnGrant(ctx context.Context, id, ifMatch string, e sharing.GrantEvent) (*grantOutput, error) {
	version, err := versionOf(id, ifMatch)
	if err != nil {
		return nil, err
	}
	g, err := s.Sharing.ActOnGrant(ctx, callerOf(ctx), id, version, e)
	if err != nil {
		return nil, err
	}
	return &grantOutput{ETag: versionTag(g.ID, g.Version), Body: s.viewGrant(g)}, nil
}

// grantProblems are those of grants.
func grantProblems() map[string]problemText {
	return map[string]problemText{
		"unknown-grant":            {title: "没有这个共享授权", explanation: "没有这个共享授权，或本部门既不使用也不提供。"},
		"overlapping-grant":        {title: "与已有的共享授权重叠", explanation: "同一部门、事项、数据资源和数据项在同一时间只有一项授权。errors 指出是哪一项；没有登记任何内容。"},
		"grant-terminated":         {title: "共享授权已经终止", explanation: "终止的授权不能恢复，确有需要的请重新申请。"},
		"grant-expired":            {title: "共享授权已经到期", explanation: "到期的授权不能再办理，确有需要的请重新申请。"},
		"grant-suspended":          {title: "共享授权已经暂停", explanation: "可以责令限期整改，或者恢复。"},
		"grant-not-suspended":      {title: "共享授权没有暂停", explanation: "先暂停，才能责令整改或者恢复。"},
		"no-correction-order":      {title: "不能径行终止", explanation: "提供部门先暂停并责令限期整改，逾期不改的才能终止（政务数据共享条例第二十七条）。"},
		"correction-under-way":     {title: "整改期限还没有过", explanation: "整改期限过后仍未改正的，才能终止。"},
		"invalid-correction-order": {title: "整改期限不对", explanation: "整改期限须为今天或者以后的日期。"},
		"wider-needs-request":      {title: "扩大范围须重新申请", explanation: "共享授权只能缩小。需要更多数据项的，另行提出共享申请。"},
		"nothing-left":             {title: "没有保留数据项", explanation: "全部不再需要的，请终止授权。"},
		"nothing-changes":          {title: "没有变化", explanation: "与现有的数据项相同。"},
		"grant-changed":            {title: "授权刚被办理", explanation: "另一个人同时办理了这项授权。请重新读取。"},
	}
}
