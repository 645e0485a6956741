package api

import (
	"context"
	"errors"
	"net/http"

	"mianti/catalog"
	"mianti/catalog/reduction"
	"mianti/effect"
	"mianti/internal/fault"
)

type effectInput struct {
	Number int `path:"number" minimum:"1" doc:"基准修订"`
	Body   struct {
		With  int            `json:"with,omitempty" minimum:"1" doc:"与哪一个修订比较; with、edits、draft 只填一项"`
		Edits []catalog.Edit `json:"edits,omitempty" maxItems:"1000" doc:"修改, 不保存"`
		Draft string         `json:"draft,omitempty" maxLength:"64" doc:"草案: 把它的修改放在这一修订上"`
		About []string       `json:"about,omitempty" maxItems:"100" doc:"与修订比较而目录太大、不能整个比较时, 只看哪些一件事或事项"`
		Cases *int           `json:"cases,omitempty" minimum:"0" maximum:"1000" doc:"重算多少件最近的办件; 不填为 200, 0 为不重算"`
	}
}

// given is in how many ways the change is named.
func (in *effectInput) given() (n int) {
	for _, there := range []bool{in.Body.With != 0, len(in.Body.Edits) > 0, in.Body.Draft != ""} {
		if there {
			n++
		}
	}
	return n
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
	var q effect.Question
	var err error
	switch {
	case in.given() != 1:
		err = invalidEffect(fault.Detail{Location: "body", Code: "one-of", Message: "with、edits、draft 填且只填一项。"})
	case in.Body.With != 0:
		q, err = s.twoRevisions(ctx, in.Number, in.Body.With, in.Body.About)
	default:
		q, err = s.edited(ctx, in)
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

// twoRevisions is the change from one revision to another, as a whole or in some
// one-things alone.
func (s *server) twoRevisions(ctx context.Context, before, after int, about []string) (q effect.Question, err error) {
	if q.Before, err = s.revisionOf(ctx, before, about...); err != nil {
		return q, err
	}
	if q.After, err = s.revisionOf(ctx, after, about...); err != nil || len(about) > 0 {
		return q, err
	}
	for _, rev := range []*catalog.Revision{q.Before, q.After} {
		if err := wholeOf(rev, "请在 about 中写明要比较的一件事。"); err != nil {
			return q, err
		}
	}
	return q, nil
}

// edited is the change that edits of a revision would be, given or those of a draft.
func (s *server) edited(ctx context.Context, in *effectInput) (effect.Question, error) {
	edits, named := in.Body.Edits, "unsaved"
	if in.Body.Draft != "" {
		d, err := s.Drafts.Draft(ctx, callerOf(ctx), in.Body.Draft)
		if err != nil {
			return effect.Question{}, err
		}
		edits, named = d.Edits, d.ID
	}
	if _, err := s.revisionOf(ctx, in.Number); err != nil {
		return effect.Question{}, err
	}
	q, err := effect.Edited(ctx, s.Catalogs, s.Drafter, in.Number, edits, named)
	var faults catalog.Faults
	if errors.As(err, &faults) {
		details := make([]fault.Detail, len(faults))
		for i, f := range faults {
			details[i] = fault.Detail{Location: "body.edits", Code: f.Code, Message: f.String()}
		}
		err = invalidEffect(details...)
	}
	return q, err
}

func invalidEffect(details ...fault.Detail) error {
	return fault.New(fault.Invalid, "invalid-effect", "测算的内容不符合要求。").With(details...)
}

func (s *server) reportReduction(ctx context.Context, in *reductionInput) (*reductionOutput, error) {
	now, err := s.tally(ctx, in.Number, in.OneThing)
	if err != nil {
		return nil, err
	}
	if in.OneThing != "" && len(now.OneThings) == 0 {
		return nil, fault.New(fault.NotFound, "unknown-one-thing", "目录中没有一件事 %s。", in.OneThing)
	}
	var earlier *reduction.Tally
	if in.Since != 0 {
		if earlier, err = s.tally(ctx, in.Since, in.OneThing); err != nil {
			return nil, err
		}
	}
	return &reductionOutput{Body: (*reductionReport)(reduction.Make(now, earlier))}, nil
}

// tally counts a revision, or one of its one-things.
func (s *server) tally(ctx context.Context, number int, oneThing string) (*reduction.Tally, error) {
	var about []string
	if oneThing != "" {
		about = append(about, oneThing)
	}
	rev, err := s.revisionOf(ctx, number, about...)
	if err != nil {
		return nil, err
	}
	t := &reduction.Tally{WithoutMatters: oneThing == ""}
	if oneThing == "" {
		if err := wholeOf(rev, "请用 one_thing 指明一件事，或用 mianti catalog report。"); err != nil {
			return nil, err
		}
		t.Add(rev)
		return t, nil
	}
	t.Revision, t.Title = rev.Number, rev.Title
	if thing := rev.OneThing(oneThing); thing != nil {
		t.AddThing(rev, thing)
	}
	return t, nil
}

func effectProblems() map[string]problemText {
	return map[string]problemText{
		"invalid-effect": {title: "测算的内容不符合要求", explanation: "errors 逐条说明位置与原因。测算不保存任何改动。"},
		"too-many-cases": {title: "重算的办件太多", explanation: "一次重算的办件有上限。请减少 cases，或用 mianti catalog effect。"},
	}
}
