package api

import (
	"context"
	"net/http"
	"time"

	"mianti/citizen"
	"mianti/internal/fault"
)

const usagePath = "/v1/findUsage"

// findUsageInput is that of the protocol but for userCode: nobody's number
// belongs in an address, and whose usages they are follows from the session.
type findUsageInput struct {
	Start  string `query:"periodStart" format:"date-time" doc:"从何时起"`
	End    string `query:"periodEnd" format:"date-time" doc:"到何时止"`
	Offset int    `query:"offset" minimum:"0" maximum:"1000000" default:"0"`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"1000"`
}

type postUsageInput struct {
	Body struct {
		UserCode string `json:"userCode,omitempty" maxLength:"20" doc:"本人的公民身份号码; 可以留空"`
		Start    string `json:"periodStart,omitempty" format:"date-time"`
		End      string `json:"periodEnd,omitempty" format:"date-time"`
		Offset   int    `json:"offset,omitempty" minimum:"0" maximum:"1000000"`
		Limit    int    `json:"limit,omitempty" minimum:"1" maximum:"1000" default:"1000"`
	}
}

type usagesOutput struct {
	Body *citizen.Usages
}

type usagePeriodOutput struct {
	Body *citizen.UsagePeriod
}

type heartbeatOutput struct {
	Body struct {
		Status string    `json:"status" enum:"OK"`
		Time   time.Time `json:"time"`
	}
}

// registerUsage adds the operations of Estonia's Data Tracker, protocol 1.6; who
// may call them is in docs/decisions/0021-access-list.md.
func (s *server) registerUsage() {
	const tag = "我的"
	find := s.operation(http.MethodGet, usagePath, "find-usage", "使用记录 (Data Tracker 1.6)", tag, 403, 404, 422)
	find.Description = "谁查阅过我的数据，形式同爱沙尼亚 Data Tracker 协议 1.6 的 findUsage。本人由登录确定；地址中不写号码，带 userCode 的请求用 POST。"
	handle(s, find, s.findUsage)
	post := s.operation(http.MethodPost, usagePath, "find-usage-of", "使用记录 (userCode 在请求体中)", tag, 403, 404, 422)
	post.DefaultStatus = http.StatusOK
	handle(s, post, s.postUsage)
	handle(s, s.operation(http.MethodGet, "/v1/usagePeriod", "read-usage-period", "使用记录的起止", tag, 403, 404), s.usagePeriod)
	handle(s, s.operation(http.MethodGet, "/v1/heartbeat", "usage-heartbeat", "使用记录服务是否可用", tag, 403, 404), s.heartbeat)
}

func (s *server) findUsage(ctx context.Context, in *findUsageInput) (*usagesOutput, error) {
	return s.usages(ctx, "", in.Start, in.End, in.Offset, in.Limit)
}

func (s *server) postUsage(ctx context.Context, in *postUsageInput) (*usagesOutput, error) {
	return s.usages(ctx, in.Body.UserCode, in.Body.Start, in.Body.End, in.Body.Offset, in.Body.Limit)
}

func (s *server) usages(ctx context.Context, userCode, start, end string, offset, limit int) (*usagesOutput, error) {
	own, err := s.own()
	if err != nil {
		return nil, err
	}
	q := citizen.UsageQuery{UserCode: userCode, Offset: offset, Limit: limit}
	if q.From, err = instant(start); err != nil {
		return nil, err
	}
	if q.Until, err = instant(end); err != nil {
		return nil, err
	}
	if !q.Until.IsZero() && !q.From.Before(q.Until) {
		return nil, badPeriod()
	}
	found, err := own.FindUsage(ctx, callerOf(ctx), q)
	return &usagesOutput{Body: found}, err
}

// instant reads a moment; zero for none.
func instant(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, badPeriod()
	}
	return at, nil
}

func badPeriod() error {
	return fault.New(fault.Invalid, "invalid-period", "periodStart 与 periodEnd 须为时刻，如 2026-11-23T09:00:00Z，且起始早于截止。")
}

func (s *server) usagePeriod(ctx context.Context, _ *struct{}) (*usagePeriodOutput, error) {
	own, err := s.own()
	if err != nil {
		return nil, err
	}
	period, err := own.UsagePeriod(ctx)
	return &usagePeriodOutput{Body: period}, err
}

// heartbeat answers when the list can be read.
func (s *server) heartbeat(ctx context.Context, _ *struct{}) (*heartbeatOutput, error) {
	own, err := s.own()
	if err != nil {
		return nil, err
	}
	period, err := own.UsagePeriod(ctx)
	if err != nil {
		return nil, err
	}
	out := &heartbeatOutput{}
	out.Body.Status, out.Body.Time = "OK", period.PeriodEnd
	return out, nil
}
