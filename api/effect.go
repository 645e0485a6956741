package api

import (
	"context"
	"net/http"

	"mianti/catalog"
	"mianti/catalog/reduction"
	"mianti/effect"
	"mianti/internal/fault"
)

type effectInput struct {
	Number int `path:"number" minimum:"1" doc:"基准修订"`
	Body   struct {
		With     int    `json:"with,omitempty" minimum:"1" doc:"与哪一个修订比较; 与 material 只填一项"`
		Material string `json:"material,omitempty" maxLength:"60000" doc:"改写后的一份材料 (YAML), 不保存"`
		Cases    *int   `json:"cases,omitempty" minimum:"0" maximum:"1000" doc:"重算多少件最近的办件; 不填为 200, 0 为不重算"`
	}
}

// catalogEffect is an effect under a name of its own in the interface's description.
type catalogEffect effect.Effect

type effectOutput struct{ Body *catalogEffect }

type reductionInput struct {
	Number   int    `path:"number" minimum:"1"`
	Since    int    `query:"since" minimum:"1" doc:"与哪一个较早的修订比较; 不填则只比改革前后"`
	OneThing string `query:"one_thing" maxLength:"64" doc:"只看一件事; 事项只在指定一件事时列出"`
}

// reductionReport is a report under a name of its own.
type reductionReport reduction.Report

type reductionOutput struct{ Body *reductionReport }

func (s *server) registerEffects() {
	measure := s.operation(http.MethodPost, "/v1/revisions/{number}/effects", "draft-effect", "影响测算", catalogTag, 404, 422)
	measure.Description = "改动之后，哪些事项要的材料不同，哪些材料由须提交变为不提交或反过来，还缺哪些授权和数源；并用最近办件当时的情形和答复重算。不询问任何数源，不保存任何改动；打开办件记入存证。结果只有计数和核验结果编号，没有个人信息。"
	handle(s, measure, s.measureEffect)
	report := s.operation(http.MethodGet, "/v1/revisions/{number}/reduction", "reduction-report", "减材料报告", catalogTag, 404, 422)
	report.Description = "按一件事、事项、部门：改革前要的材料，其中取消、合并、免提交、承诺的和仍需提交的；环节、部门和承诺工作日。口径随数返回。只按目录计算，与办件无关。"
	handle(s, report, s.reportReduction)
}

// measureEffect measures a change. What is not among the cases that it touches is not
// opened.
func (s *server) measureEffect(ctx context.Context, in *effectInput) (*effectOutput, error) {
	before, err := s.revisionOf(ctx, in.Number)
	if err != nil {
		return nil, err
	}
	if (in.Body.With == 0) == (in.Body.Material == "") {
		return nil, fault.New(fault.Invalid, "invalid-effect", "测算的内容不符合要求。").
			With(fault.Detail{Location: "body", Code: "one-of", Message: "with、material 填且只填一项。"})
	}
	q := effect.Question{Before: before}
	if in.Body.With != 0 {
		q.After, err = s.revisionOf(ctx, in.Body.With)
	} else {
		q.After, err = redrafted(before, in.Body.Material)
		q.Draft = "unsaved"
	}
	if err != nil {
		return nil, err
	}
	if in.Body.Cases != nil {
		if q.Cases = *in.Body.Cases; q.Cases == 0 {
			q.Cases = -1
		}
	}
	measured, err := s.Effects.Measure(ctx, callerOf(ctx), q)
	if err != nil {
		return nil, err
	}
	return &effectOutput{Body: (*catalogEffect)(measured)}, nil
}

func (s *server) reportReduction(ctx context.Context, in *reductionInput) (*reductionOutput, error) {
	rev, err := s.revisionOf(ctx, in.Number)
	if err != nil {
		return nil, err
	}
	var earlier *reduction.Tally
	if in.Since != 0 {
		was, err := s.revisionOf(ctx, in.Since)
		if err != nil {
			return nil, err
		}
		earlier = tally(was, in.OneThing)
	}
	if in.OneThing != "" && rev.OneThing(in.OneThing) == nil {
		return nil, fault.New(fault.NotFound, "unknown-one-thing", "目录中没有一件事 %s。", in.OneThing)
	}
	return &reductionOutput{Body: (*reductionReport)(reduction.Make(tally(rev, in.OneThing), earlier))}, nil
}

// tally counts a revision, or one of its one-things.
func tally(rev *catalog.Revision, oneThing string) *reduction.Tally {
	t := &reduction.Tally{WithoutMatters: oneThing == ""}
	if oneThing == "" {
		t.Add(rev)
		return t
	}
	if thing := rev.OneThing(oneThing); thing != nil {
		t.AddThing(rev, thing)
	}
	return t
}

func effectProblems() map[string]problemText {
	return map[string]problemText{
		"invalid-effect": {title: "测算的内容不符合要求", explanation: "errors 逐条说明位置与原因。测算不保存任何改动。"},
		"too-many-cases": {title: "重算的办件太多", explanation: "一次重算的办件有上限。请减少 cases，或用 mianti catalog effect。"},
	}
}
