package api

import (
	"context"
	"net/http"

	"mianti/figures"
)

const figuresTag = "指标"

type figuresInput struct {
	From       string `query:"from" format:"date" doc:"第一天; 不填则为截止日前的三十天"`
	Until      string `query:"until" format:"date" doc:"最后一天; 不填则为今天"`
	Department string `query:"department" maxLength:"64" doc:"只统计一个部门"`
	Matter     string `query:"matter" maxLength:"64" doc:"只统计一个事项, 事项短码"`
	OneThing   string `query:"one_thing" maxLength:"64" doc:"只统计一件事"`
}

// figuresReport is the report under a name of its own in the interface's
// description.
type figuresReport figures.Report

type figuresOutput struct{ Body *figuresReport }

type usesInput struct {
	From       string `query:"from" format:"date"`
	Until      string `query:"until" format:"date"`
	Dataset    string `query:"dataset" maxLength:"64" doc:"数据资源代码; 不填则本部门的全部"`
	Department string `query:"department" maxLength:"64" doc:"使用部门"`
	Matter     string `query:"matter" maxLength:"64" doc:"事项短码"`
	Result     string `query:"result" maxLength:"64" doc:"结果, 如 ok、not_found、denied"`
	Cursor     int64  `query:"cursor" minimum:"0" doc:"上一页的 next"`
	Limit      int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

type usesOutput struct{ Body *figures.Used }

type sourceHealthInput struct {
	Department string `query:"department" maxLength:"64" doc:"提供部门; 不填则本部门的, 可以查看全部的人员为全部"`
	Days       int    `query:"days" minimum:"1" maximum:"90" default:"7" doc:"最近多少天"`
}

type sourceHealthOutput struct {
	Body struct {
		Definition string               `json:"definition"`
		Items      []figures.SourceTime `json:"items"`
	}
}

func (s *server) registerFigures() {
	read := s.operation(http.MethodGet, "/v1/figures", "read-figures", "指标", figuresTag, 403, 422)
	read.Description = "每项指标附口径。不适用的、以承诺代替的、申请人选择自行提交的材料都不计为免提交，单独列出。部门人员只能查看本部门的；审计、目录、运维人员和主管部门可以查看全部。"
	handle(s, read, s.readFigures)
	uses := s.operation(http.MethodGet, "/v1/dataset-uses", "list-dataset-uses", "谁使用了本部门的数据", figuresTag, 404, 422)
	uses.Description = "本部门提供的数据资源的每一次查询：使用部门、事项、材料、结果与存证编号，不含当事人。存证封存之后列出。"
	handle(s, uses, s.listUses)
	health := s.operation(http.MethodGet, "/v1/source-health", "list-source-health", "数源应答情况", figuresTag, 403, 422)
	handle(s, health, s.listSourceHealth)
}

func (s *server) readFigures(ctx context.Context, in *figuresInput) (*figuresOutput, error) {
	report, err := s.Figures.Read(ctx, callerOf(ctx), figures.Query(*in))
	if err != nil {
		return nil, err
	}
	return &figuresOutput{Body: (*figuresReport)(report)}, nil
}

func (s *server) listUses(ctx context.Context, in *usesInput) (*usesOutput, error) {
	used, err := s.Figures.Used(ctx, callerOf(ctx), figures.UseQuery{
		From: in.From, Until: in.Until, Dataset: in.Dataset, Department: in.Department, Matter: in.Matter, Result: in.Result, Before: in.Cursor, Limit: in.Limit,
	})
	if err != nil {
		return nil, err
	}
	return &usesOutput{Body: used}, nil
}

func (s *server) listSourceHealth(ctx context.Context, in *sourceHealthInput) (*sourceHealthOutput, error) {
	found, err := s.Figures.Sources(ctx, callerOf(ctx), in.Department, in.Days)
	if err != nil {
		return nil, err
	}
	out := &sourceHealthOutput{}
	out.Body.Definition, out.Body.Items = figures.SourceDefinition(), found
	return out, nil
}

func figuresProblems() map[string]problemText {
	return map[string]problemText{
		"invalid-figures":               {title: "统计条件不符合要求", explanation: "日期须为年-月-日，结束不早于开始，一次最多三年。"},
		"figures-of-another-department": {title: "不是本部门的指标", explanation: "部门人员只能查看本部门的指标。请不填 department，或填本部门。"},
		"unknown-use":                   {title: "没有这条使用记录", explanation: "翻页标记无效。请从第一页重新查询。"},
		"counted-meanwhile":             {title: "办件刚由另一个进程统计", explanation: "下一次统计会继续，不会重复计数。"},
	}
}
