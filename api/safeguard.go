package api

import (
	"context"
	"net/http"

	"mianti/policies"
	"mianti/safeguard"
)

// safeguardTag groups the operations against abuse.
const safeguardTag = "防滥用"

const (
	stopsPath  = "/v1/stops"
	quotasPath = "/v1/quotas"
	alarmsPath = "/v1/alarms"
)

type listStopsOutput struct {
	Body page[safeguard.Held]
}

type addStopInput struct {
	Body struct {
		Kind   policies.StopKind `json:"kind" enum:"system,grant,dataset,source"`
		ID     string            `json:"id" minLength:"1" maxLength:"200" doc:"被停用对象的代码"`
		Reason string            `json:"reason" minLength:"1" maxLength:"200" doc:"理由; 长期留存, 不写姓名与号码"`
	}
}

type stopOutput struct {
	Body *safeguard.Held
}

type stopPath struct {
	Kind policies.StopKind `path:"kind" enum:"system,grant,dataset,source"`
	ID   string            `path:"id" maxLength:"200"`
}

// QuotaPath says whose limits are meant. It is exported for the code that reads
// requests, which overlooks what is not.
type QuotaPath struct {
	Kind safeguard.Kind `path:"kind" enum:"grant,system,person,matter"`
	ID   string         `path:"id" maxLength:"200"`
}

func (p QuotaPath) meter() safeguard.Meter { return safeguard.Meter{Kind: p.Kind, ID: p.ID} }

type setQuotaInput struct {
	QuotaPath
	Body struct {
		safeguard.Limits
		Reason string `json:"reason" minLength:"1" maxLength:"200" doc:"理由; 长期留存, 不写姓名与号码"`
	}
}

type quotaOutput struct {
	Body *safeguard.Quota
}

type listAlarmsInput struct {
	State  string `query:"state" enum:"open,all" default:"open" doc:"open: 尚无人确认; all: 全部"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	Before int64  `query:"before" minimum:"1" doc:"上一页最后一个告警的 id"`
}

type listAlarmsOutput struct {
	Body page[safeguard.Alarm]
}

type alarmPath struct {
	ID int64 `path:"id" minimum:"1"`
}

type alarmOutput struct {
	Body *safeguard.Alarm
}

func (s *server) registerSafeguard() {
	list := s.operation(http.MethodGet, stopsPath, "list-stops", "生效中的停用", safeguardTag, 422)
	list.Description = "运维和审计看到全部；其他岗位看到涉及本部门系统、数据和授权的停用。"
	handle(s, list, s.listStops)
	add := s.operation(http.MethodPost, stopsPath, "add-stop", "立即停用", safeguardTag, 403, 404, 409, 422)
	add.DefaultStatus = http.StatusCreated
	add.Description = "停用一个接入系统、共享授权、数据资源或数源接口，立即对所有实例生效，理由必填。运维可停用任何对象；" +
		"共享工作人员可停用本部门提供的数据、接口和其上的授权；部门管理员可停用本部门的系统。"
	handle(s, add, s.addStop)
	lift := s.operation(http.MethodDelete, stopsPath+"/{kind}/{id}", "lift-stop", "恢复使用", safeguardTag, 403, 404, 422)
	lift.Description = "运维提出的停用，只有运维可以恢复。"
	handle(s, lift, s.liftStop)
	read := s.operation(http.MethodGet, quotasPath+"/{kind}/{id}", "read-quota", "用量上限与用量", safeguardTag, 403, 422)
	handle(s, read, s.readQuota)
	set := s.operation(http.MethodPut, quotasPath+"/{kind}/{id}", "set-quota", "设定用量上限", safeguardTag, 403, 422)
	set.Description = "代替本类的默认上限。四个上限都要填，理由必填。"
	handle(s, set, s.setQuota)
	alarms := s.operation(http.MethodGet, alarmsPath, "list-alarms", "告警", safeguardTag, 403, 422)
	alarms.Description = "新的在前。部门管理员只看到本部门的。各类告警的含义与处置见运维手册。"
	handle(s, alarms, s.listAlarms)
	acknowledge := s.operation(http.MethodPost, alarmsPath+"/{id}/acknowledgement", "acknowledge-alarm", "确认告警", safeguardTag, 403, 404, 409, 422)
	acknowledge.DefaultStatus = http.StatusOK
	acknowledge.Description = "说明已有人看到并处理，不改变任何限制。"
	handle(s, acknowledge, s.acknowledgeAlarm)
}

func (s *server) listStops(ctx context.Context, _ *struct{}) (*listStopsOutput, error) {
	held, err := s.Safeguard.ListStops(ctx, callerOf(ctx))
	if err != nil {
		return nil, err
	}
	return &listStopsOutput{Body: page[safeguard.Held]{Items: listOf(held)}}, nil
}

func (s *server) addStop(ctx context.Context, in *addStopInput) (*stopOutput, error) {
	held, err := s.Safeguard.Stop(ctx, callerOf(ctx), in.Body.Kind, in.Body.ID, in.Body.Reason)
	if err != nil {
		return nil, err
	}
	return &stopOutput{Body: held}, nil
}

func (s *server) liftStop(ctx context.Context, in *stopPath) (*struct{}, error) {
	return nil, s.Safeguard.Lift(ctx, callerOf(ctx), in.Kind, in.ID)
}

func (s *server) readQuota(ctx context.Context, in *QuotaPath) (*quotaOutput, error) {
	q, err := s.Safeguard.Quota(ctx, in.meter())
	if err != nil {
		return nil, err
	}
	return &quotaOutput{Body: q}, nil
}

func (s *server) setQuota(ctx context.Context, in *setQuotaInput) (*quotaOutput, error) {
	q, err := s.Safeguard.SetQuota(ctx, callerOf(ctx), in.meter(), in.Body.Limits, in.Body.Reason)
	if err != nil {
		return nil, err
	}
	return &quotaOutput{Body: q}, nil
}

func (s *server) listAlarms(ctx context.Context, in *listAlarmsInput) (*listAlarmsOutput, error) {
	alarms, err := s.Safeguard.ListAlarms(ctx, callerOf(ctx), safeguard.AlarmFilter{
		Open: in.State == "open", Before: in.Before, Limit: in.Limit,
	})
	if err != nil {
		return nil, err
	}
	return &listAlarmsOutput{Body: page[safeguard.Alarm]{Items: listOf(alarms)}}, nil
}

func (s *server) acknowledgeAlarm(ctx context.Context, in *alarmPath) (*alarmOutput, error) {
	seen, err := s.Safeguard.Acknowledge(ctx, callerOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return &alarmOutput{Body: seen}, nil
}

// listOf gives a list that is never null.
func listOf[T any](items []T) []T {
	if items == nil {
		return []T{}
	}
	return items
}

// safeguardProblems are those of stops, quotas and alarms.
func safeguardProblems() map[string]problemText {
	return map[string]problemText{
		"stopped":               {title: "已被停用", explanation: "这个接入系统已被运维或本部门停用，令牌有效也不能使用。恢复之前重试没有用，请联系运维人员。"},
		"authorization-changed": {title: "授权刚刚变化", explanation: "核验期间，所依据的授权或接口被停用或撤回，没有给出结果。请重新核验。"},
		"quota-exceeded":        {title: "用量已达上限", explanation: "共享授权、接入系统、操作人或事项的用量在本时段已达上限，整次核验没有进行，也没有向任何部门查询。请按 Retry-After 重试；确有需要的，请联系运维人员调整上限。"},
		"invalid-reason":        {title: "理由不符合要求", explanation: "理由必填，最多 200 字，长期留存，不能含有证件、电话等号码。"},
		"invalid-quota":         {title: "上限不符合要求", explanation: "类别为 grant、system、person 或 matter，代码须已存在，四个上限都不小于 0。"},
		"unknown-stoppable":     {title: "没有可以停用的对象", explanation: "没有这个系统、授权、数据资源或数源接口，或它不属于本部门。"},
		"unknown-stop":          {title: "没有这个停用", explanation: "这个对象没有被停用，或它不属于本部门。"},
		"duplicate-stop":        {title: "已经停用", explanation: "这个对象已经停用。要更换理由，请先恢复。"},
		"not-your-stop":         {title: "不能恢复这个停用", explanation: "停用由运维或其他部门提出，由其恢复。"},
		"unknown-alarm":         {title: "没有这个告警", explanation: "没有这个告警，或它不属于本部门。"},
		"alarm-acknowledged":    {title: "告警已经确认", explanation: "已有人确认这个告警，第一次确认的人留有记录。"},
	}
}
