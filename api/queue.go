package api

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"

	"mianti/exchange"
	"mianti/ledger"
)

type listCasesInput struct {
	State   string `query:"state" enum:"open,new,waiting,needs_input,done,closed" doc:"open: 未关闭的; new: 待核验; waiting: 核验中; needs_input: 待补充; done: 已有结论; closed: 已关闭; 不填则全部"`
	Subject string `query:"subject" maxLength:"64" doc:"事项短码或一件事代码"`
	Number  string `query:"number" maxLength:"64" doc:"办件编号以此开头; 填写后按编号排序"`
	Order   string `query:"order" enum:"newest,oldest" default:"newest"`
	Limit   int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	Cursor  string `query:"cursor" maxLength:"64" pattern:"^[0-9A-Za-z][0-9A-Za-z_-]*$" doc:"上一页的 next"`
	Before  string `query:"before" maxLength:"64" pattern:"^[0-9A-Za-z][0-9A-Za-z_-]*$" doc:"下一页的 prev, 用于往回翻"`
}

// caseBrief is a case as the queue shows it.
type caseBrief struct {
	ID         string               `json:"id"`
	Number     string               `json:"number"`
	Subject    string               `json:"subject" doc:"事项短码或一件事代码"`
	Revision   int                  `json:"revision" doc:"登记时的目录修订号"`
	State      exchange.CaseState   `json:"state" enum:"new,waiting,needs_input,done,closed"`
	Resolution string               `json:"resolution,omitempty" doc:"最近一次核验结果"`
	Counts     *exchange.CaseCounts `json:"counts,omitempty" doc:"最近一次核验的材料数; 没有计数则不填"`
	OpenedAt   time.Time            `json:"opened_at"`
	UpdatedAt  time.Time            `json:"updated_at"`
	ClosedAt   *time.Time           `json:"closed_at,omitempty"`
	ClosedFor  string               `json:"closed_for,omitempty" enum:"withdrawn,finished"`
	Destroyed  bool                 `json:"destroyed,omitempty" doc:"内容已按期销毁"`
}

type listCasesOutput struct {
	Body struct {
		page[caseBrief]
		Prev   string                     `json:"prev,omitempty" doc:"往回翻的 before; 没有则这是第一页"`
		Counts map[exchange.CaseState]int `json:"counts" doc:"本部门各状态的办件数, 最多数到 1000"`
	}
}

type listFollowUpsInput struct {
	DueBefore time.Time `query:"due_before" doc:"只列在此时刻之前到期的"`
	Limit     int       `query:"limit" minimum:"1" maximum:"200" default:"50"`
	Cursor    string    `query:"cursor" maxLength:"400" doc:"上一页的 next"`
}

type listFollowUpsOutput struct {
	Body page[exchange.FollowUp]
}

type listActsInput struct {
	Kind   string `query:"kind" maxLength:"40" pattern:"^[a-z_]*$" doc:"只列一种存证, 如 intent、read、unmasked"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	Cursor int64  `query:"cursor" minimum:"0" doc:"上一页的 next"`
}

// actView is what somebody did, as he sees it.
type actView struct {
	Number     int64       `json:"number" doc:"存证编号"`
	Kind       ledger.Kind `json:"kind"`
	At         time.Time   `json:"at"`
	Case       string      `json:"case,omitempty"`
	CaseNumber string      `json:"case_number,omitempty"`
	Resolution string      `json:"resolution,omitempty"`
	Material   string      `json:"material,omitempty"`
	Mode       string      `json:"mode,omitempty"`
	Dataset    string      `json:"dataset,omitempty"`
	Fields     []string    `json:"fields" doc:"数据项代码"`
	Result     string      `json:"result,omitempty"`
}

type listActsOutput struct {
	Body struct {
		Items []actView `json:"items"`
		Next  int64     `json:"next,omitempty" doc:"下一页的 cursor; 没有则到此为止"`
	}
}

type unmaskPartyInput struct {
	CasePath
	Body struct {
		Party string `json:"party" minLength:"1" maxLength:"64" doc:"当事人在办件中的代号"`
	}
}

type unmaskPartyOutput struct {
	Body struct {
		ID     string   `json:"id"`
		Roles  []string `json:"roles"`
		Kind   string   `json:"kind"`
		Name   string   `json:"name"`
		Number string   `json:"number,omitempty"`
	}
}

func (s *server) registerQueue() {
	const tag = "办件"
	list := s.operation(http.MethodGet, casesPath, "list-cases", "本部门的办件", tag, 404, 422)
	list.Description = "收件台：按登记先后列出，不含当事人和情形。"
	handle(s, list, s.listCases)
	unmask := s.operation(http.MethodPost, casesPath+"/{id}/unmasking", "unmask-party", "查看当事人的姓名和号码", tag, 404, 410, 422)
	unmask.DefaultStatus = http.StatusOK
	unmask.Description = "每次查看先留痕，当事人在查阅清单中能看到。"
	handle(s, unmask, s.unmaskParty)
	follow := s.operation(http.MethodGet, "/v1/follow-ups", "list-follow-ups", "容缺后补的材料", tag, 422)
	follow.Description = "本部门未关闭的办件中可以后补的材料，先到期的在前，不含当事人信息。"
	handle(s, follow, s.listFollowUps)
	asked := s.operation(http.MethodGet, "/v1/asked-assist-tasks", "list-asked-assist-tasks", "本部门发出的协查", "协查", 404, 422)
	asked.Description = "按期限先后列出，不含当事人信息。"
	handle(s, asked, s.listAsked)
	acts := s.operation(http.MethodGet, "/v1/session/acts", "list-my-acts", "我的用证记录", "存证", 422)
	acts.Description = "本人经办的查询、读取和出具，新的在前。这次读取也留痕。"
	handle(s, acts, s.listActs)
}

func (s *server) listCases(ctx context.Context, in *listCasesInput) (*listCasesOutput, error) {
	found, err := s.Exchange.CaseList(ctx, callerOf(ctx), exchange.CaseFilter{
		State: exchange.CaseState(in.State), Subject: in.Subject, Number: in.Number, Oldest: in.Order == "oldest",
		After: in.Cursor, Before: in.Before, Limit: in.Limit,
	})
	if err != nil {
		return nil, err
	}
	out := &listCasesOutput{}
	out.Body.Next, out.Body.Prev, out.Body.Counts, out.Body.Items = found.Next, found.Prev, found.Counts, []caseBrief{}
	for _, c := range found.Items {
		out.Body.Items = append(out.Body.Items, caseBrief{
			ID: c.ID, Number: c.Number, Subject: c.Subject, Revision: c.Revision, State: c.State, Resolution: c.Resolution, Counts: c.Counts,
			OpenedAt: c.OpenedAt, UpdatedAt: c.UpdatedAt, ClosedAt: c.ClosedAt, ClosedFor: string(c.ClosedFor), Destroyed: c.Destroyed,
		})
	}
	return out, nil
}

func (s *server) unmaskParty(ctx context.Context, in *unmaskPartyInput) (*unmaskPartyOutput, error) {
	p, err := s.Exchange.UnmaskParty(ctx, callerOf(ctx), in.ID, in.Body.Party)
	if err != nil {
		return nil, err
	}
	out := &unmaskPartyOutput{}
	out.Body.ID, out.Body.Roles, out.Body.Kind, out.Body.Name, out.Body.Number = p.ID, list(p.Roles), string(p.Kind), p.Name, p.Number
	return out, nil
}

func (s *server) listFollowUps(ctx context.Context, in *listFollowUpsInput) (*listFollowUpsOutput, error) {
	f := exchange.FollowUpFilter{DueBefore: in.DueBefore, Limit: in.Limit + 1}
	if in.Cursor != "" {
		raw, err := base64.RawURLEncoding.Strict().DecodeString(in.Cursor)
		if err != nil || json.Unmarshal(raw, &f.After) != nil {
			return nil, badCursor()
		}
	}
	found, err := s.Exchange.FollowUps(ctx, callerOf(ctx), f)
	if err != nil {
		return nil, err
	}
	out := &listFollowUpsOutput{Body: page[exchange.FollowUp]{Items: found}}
	if len(found) > in.Limit {
		last, err := json.Marshal(found[in.Limit-1].FollowUpKey)
		if err != nil {
			return nil, err
		}
		out.Body.Items, out.Body.Next = found[:in.Limit], base64.RawURLEncoding.EncodeToString(last)
	}
	return out, nil
}

func (s *server) listAsked(ctx context.Context, in *listAssistInput) (*listAssistOutput, error) {
	tasks, err := s.Exchange.AskedTasks(ctx, callerOf(ctx), exchange.AssistFilter{
		State: exchange.AssistState(in.State), After: in.Cursor, Limit: in.Limit + 1,
	})
	if err != nil {
		return nil, err
	}
	return assistPage(tasks, in.Limit), nil
}

func (s *server) listActs(ctx context.Context, in *listActsInput) (*listActsOutput, error) {
	found, err := s.Exchange.MyActs(ctx, callerOf(ctx), ledger.Kind(in.Kind), exchange.ActFilter{Before: in.Cursor, Limit: in.Limit + 1})
	if err != nil {
		return nil, err
	}
	out := &listActsOutput{}
	if out.Body.Items = []actView{}; len(found) > in.Limit {
		found = found[:in.Limit]
		out.Body.Next = found[in.Limit-1].Number
	}
	for _, a := range found {
		e := &a.Entry
		out.Body.Items = append(out.Body.Items, actView{
			Number: a.Number, Kind: e.Kind, At: e.At, Case: e.Case, CaseNumber: a.CaseNumber, Resolution: e.Resolution, Material: e.Material,
			Mode: e.Mode, Dataset: e.Dataset, Fields: list(e.Fields), Result: e.Result,
		})
	}
	return out, nil
}
