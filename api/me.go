package api

import (
	"context"
	"net/http"
	"time"

	"mianti/catalog"
	"mianti/citizen"
	"mianti/internal/fault"
)

const mePath = "/v1/me"

type meOutput struct {
	Body *citizen.Me
}

type listMyCasesInput struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"50" default:"10"`
	Cursor string `query:"cursor" maxLength:"20" pattern:"^[0-9]+$" doc:"上一页的 next"`
}

type myCasesOutput struct {
	Body *citizen.OwnCaseList
}

type myCaseOutput struct {
	Body *citizen.OwnCase
}

type listMyAccessesInput struct {
	Department string `query:"department" maxLength:"64" pattern:"^[0-9A-Za-z][0-9A-Za-z_-]*$" doc:"只看这个部门的查阅"`
	From       string `query:"from" format:"date" doc:"从哪一天起, 含当日 (北京时间)"`
	To         string `query:"to" format:"date" doc:"到哪一天止, 含当日 (北京时间)"`
	Others     bool   `query:"others" doc:"不含本人的查看"`
	Limit      int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	Cursor     string `query:"cursor" maxLength:"20" pattern:"^[0-9]+$" doc:"上一页的 next"`
}

type myAccessesOutput struct {
	Body *citizen.AccessList
}

type accessKeyOutput struct {
	Body *citizen.LinkKey
}

type exportOutput struct {
	ContentDisposition string `header:"Content-Disposition"`
	Body               *citizen.OwnExport
}

// registerMe adds what a person may ask about himself.
func (s *server) registerMe() {
	const tag = "我的"
	handle(s, s.operation(http.MethodGet, mePath, "read-me", "我是谁", tag, 403, 404), s.readMe)
	cases := s.operation(http.MethodGet, mePath+"/cases", "list-my-cases", "我的办件", tag, 403, 404, 422)
	cases.Description = "您是当事人的办件，为您免提交了哪些材料，还要上传什么。不含数据的内容；每次查看都留痕。"
	handle(s, cases, s.listMyCases)
	one := s.operation(http.MethodGet, mePath+"/cases/{id}", "read-my-case", "我的一个办件", tag, 403, 404, 422)
	one.Description = "含办理中使用的您本人的数据项内容；别的当事人的数据不提供。查看留痕。"
	handle(s, one, s.readMyCase)
	accesses := s.operation(http.MethodGet, mePath+"/accesses", "list-my-accesses", "谁查阅过我的数据", tag, 403, 404, 422)
	accesses.Description = "每一次查阅：谁、哪些数据项、为什么、何时、结果如何，包括未获允许的与没有结果的。最近的在前；查看清单本身也留痕并列入清单。"
	handle(s, accesses, s.listMyAccesses)
	key := s.operation(http.MethodGet, mePath+"/accesses/key", "read-my-access-key", "我的查阅密钥", tag, 403, 404)
	key.Description = "用来核对清单是否完整：见 how。"
	handle(s, key, s.readMyAccessKey)
	export := s.operation(http.MethodGet, mePath+"/export", "export-my-data", "导出我的全部记录", tag, 403, 404)
	export.Description = "我的办件与所填内容、全部查阅、授权同意、核对方法。导出留痕。"
	handle(s, export, s.exportMyData)
	s.registerMyPage(tag)
	s.registerUsage()
}

// own gives what people may ask about themselves.
func (s *server) own() (*citizen.Citizen, error) {
	if s.Citizen == nil {
		return nil, signInOff()
	}
	return s.Citizen, nil
}

func (s *server) readMe(ctx context.Context, _ *struct{}) (*meOutput, error) {
	own, err := s.own()
	if err != nil {
		return nil, err
	}
	me, err := own.Me(ctx, callerOf(ctx))
	return &meOutput{Body: me}, err
}

func (s *server) listMyCases(ctx context.Context, in *listMyCasesInput) (*myCasesOutput, error) {
	own, err := s.own()
	if err != nil {
		return nil, err
	}
	list, err := own.ListCases(ctx, callerOf(ctx), in.Cursor, in.Limit)
	return &myCasesOutput{Body: list}, err
}

func (s *server) readMyCase(ctx context.Context, in *CasePath) (*myCaseOutput, error) {
	own, err := s.own()
	if err != nil {
		return nil, err
	}
	c, err := own.Case(ctx, callerOf(ctx), in.ID)
	return &myCaseOutput{Body: c}, err
}

func (s *server) listMyAccesses(ctx context.Context, in *listMyAccessesInput) (*myAccessesOutput, error) {
	own, err := s.own()
	if err != nil {
		return nil, err
	}
	q := citizen.Query{Department: in.Department, Others: in.Others, Cursor: in.Cursor, Limit: in.Limit}
	if q.From, q.Until, err = days(in.From, in.To); err != nil {
		return nil, err
	}
	list, err := own.List(ctx, callerOf(ctx), q)
	return &myAccessesOutput{Body: list}, err
}

func (s *server) readMyAccessKey(ctx context.Context, _ *struct{}) (*accessKeyOutput, error) {
	own, err := s.own()
	if err != nil {
		return nil, err
	}
	key, err := own.LinkKey(ctx, callerOf(ctx))
	return &accessKeyOutput{Body: key}, err
}

func (s *server) exportMyData(ctx context.Context, _ *struct{}) (*exportOutput, error) {
	own, err := s.own()
	if err != nil {
		return nil, err
	}
	export, err := own.Export(ctx, callerOf(ctx))
	return &exportOutput{ContentDisposition: `attachment; filename="mianti-export.json"`, Body: export}, err
}

// days are the moments at which a first date begins and a last one is over, in
// Shanghai; zero for a date that is not given.
func days(from, to string) (first, last time.Time, err error) {
	if first, err = day(from, "query.from", 0); err != nil {
		return first, last, err
	}
	if last, err = day(to, "query.to", 1); err != nil {
		return first, last, err
	}
	if !last.IsZero() && !first.Before(last) {
		return first, last, fault.New(fault.Invalid, "invalid-period", "起始日期晚于截止日期。").
			With(fault.Detail{Location: "query.to", Code: "ends-before-it-begins", Message: "截止日期不能早于起始日期。"})
	}
	return first, last, nil
}

// day is the moment at which a date begins, so many days later.
func day(date, location string, later int) (time.Time, error) {
	if date == "" {
		return time.Time{}, nil
	}
	at, err := time.ParseInLocation(time.DateOnly, date, catalog.TimeZone())
	if err != nil {
		return time.Time{}, fault.New(fault.Invalid, "invalid-period", "日期不正确。").
			With(fault.Detail{Location: location, Code: "format", Message: "须为日期，如 2026-11-23。"})
	}
	return at.AddDate(0, 0, later), nil
}

// meProblems are those of what people ask about themselves.
func meProblems() map[string]problemText {
	return map[string]problemText{
		"invalid-period": {title: "查询的时间段不正确", explanation: "起始与截止都是日期（北京时间，含当日），起始不晚于截止；按时刻查询时，截止晚于起始。"},
		"not-your-own":   {title: "不是本人的记录", explanation: "使用记录只能由本人查阅：以本人身份登录，userCode 填本人的公民身份号码或留空。系统不能代查。"},
	}
}
