package api

import (
	"context"
	"net/http"

	"mianti/catalog"
	"mianti/internal/fault"
)

type guideInput struct {
	Body struct {
		Subject string         `json:"subject" maxLength:"64" doc:"事项或一件事的代码"`
		Facts   map[string]any `json:"facts,omitempty" maxProperties:"200" doc:"已经回答的情形; 不接收姓名、号码、地址等能认出人的内容"`
	}
}

type guideOutput struct {
	Body guideView
}

// guideView is a guidance (导办) as callers read it.
type guideView struct {
	Subject   string              `json:"subject"`
	Name      string              `json:"name"`
	Revision  int                 `json:"revision" doc:"目录修订号"`
	Matters   []guidedMatterView  `json:"matters"`
	Questions []guideQuestionView `json:"questions" doc:"仍会改变材料清单的情形, 最该先问的在前; 答别的不改变清单"`
	Counts    map[string]int      `json:"counts" doc:"各组的材料数: none 无须提交, checking 部门核对或等前一步结果, submit 仍需提交, open 看回答, not_applicable 不适用"`
	Materials []guidedView        `json:"materials"`
}

type guidedMatterView struct {
	Code       string              `json:"code"`
	Name       string              `json:"name"`
	Department string              `json:"department"`
	Days       int                 `json:"days" doc:"承诺办结工作日"`
	State      catalog.MatterState `json:"state" enum:"open,waiting,skipped,undecided"`
	After      []string            `json:"after"`
}

type guideQuestionView struct {
	Fact      string           `json:"fact"`
	Ask       string           `json:"ask"`
	Type      catalog.FactType `json:"type" enum:"bool,enum,set,number,region"`
	Options   []catalog.Option `json:"options"`
	Materials []string         `json:"materials" doc:"取决于它的材料"`
	Burden    bool             `json:"burden" doc:"其中有的可能须由申请人提交"`
}

type guidedView struct {
	Code        string             `json:"code"`
	Name        string             `json:"name"`
	UsedBy      []string           `json:"used_by" doc:"同一份材料在各事项中的代码"`
	Roles       []string           `json:"roles" doc:"谁的材料"`
	Group       catalog.GuideGroup `json:"group" enum:"none,checking,submit,open,not_applicable"`
	Mode        catalog.Mode       `json:"mode,omitempty" doc:"由材料链的哪一步得出"`
	Departments []string           `json:"departments" doc:"由哪些部门的记录或答复"`
	Prior       []string           `json:"prior" doc:"等哪些事项的结果"`
	Days        int                `json:"days,omitempty" doc:"协查或后补的工作日"`
	Consents    []string           `json:"consents" doc:"须本人同意的角色, 是申请人本人的除外"`
	Preview     bool               `json:"preview,omitempty" doc:"先看后用"`
	Else        []catalog.Mode     `json:"else" doc:"不成时, 或想省去提交时, 还可以怎样"`
	Facts       []string           `json:"facts" doc:"取决于哪些情形"`
}

func (s *server) registerGuide() {
	op := s.operation(http.MethodPost, "/v1/guide", "guide", "导办：还要问什么，要交什么", catalogTag, 404, 422)
	op.DefaultStatus = http.StatusOK
	op.Description = "办件之前，按已有的回答告知：还有哪些问题会改变材料清单；哪些材料无须提交，哪些由部门核对，哪些仍需提交。不查询任何人的记录，不登记任何内容。"
	handle(s, op, s.guide)
}

func (s *server) guide(ctx context.Context, in *guideInput) (*guideOutput, error) {
	rev, err := s.revision(ctx, in.Body.Subject)
	if err != nil {
		return nil, err
	}
	out := guideView{Subject: in.Body.Subject, Revision: rev.Number}
	switch thing, matter := rev.OneThing(in.Body.Subject), rev.Matter(in.Body.Subject); {
	case thing != nil:
		out.Name = thing.Name
	case matter != nil:
		out.Name = matter.Name
	default:
		return nil, unknownCode("unknown-matter", "事项或一件事")
	}
	facts, wrong := rev.GuideFacts(in.Body.Facts)
	if len(wrong) > 0 {
		for i := range wrong {
			wrong[i].Location = "body." + wrong[i].Location
		}
		return nil, fault.New(fault.Invalid, "invalid-answers", "有 %d 个回答不符合要求。", len(wrong)).With(wrong...)
	}
	guidance, err := rev.Guide(in.Body.Subject, facts)
	if err != nil {
		return nil, err
	}
	out.fill(guidance)
	return &guideOutput{Body: out}, nil
}

func (v *guideView) fill(g *catalog.Guidance) {
	v.Matters, v.Questions, v.Materials = []guidedMatterView{}, []guideQuestionView{}, []guidedView{}
	v.Counts = map[string]int{
		string(catalog.GuideNone): 0, string(catalog.GuideChecking): 0, string(catalog.GuideSubmit): 0, string(catalog.GuideOpen): 0,
		string(catalog.GuideNotApplicable): 0,
	}
	for _, m := range g.Matters {
		v.Matters = append(v.Matters, guidedMatterView{
			Code: m.Matter.Code, Name: m.Matter.Name, Department: m.Matter.Department, Days: m.Matter.Days, State: m.State, After: list(m.After),
		})
	}
	for _, q := range g.Questions {
		v.Questions = append(v.Questions, guideQuestionView{
			Fact: q.Fact.Code, Ask: q.Fact.Ask, Type: q.Fact.Type, Options: list(q.Fact.Options), Materials: list(q.Materials), Burden: q.Burden,
		})
	}
	for i := range g.Materials {
		m := &g.Materials[i]
		used := []string{}
		for _, use := range m.Uses {
			used = append(used, use.Material.Code)
		}
		v.Counts[string(m.Group)]++
		v.Materials = append(v.Materials, guidedView{
			Code: m.Material().Code, Name: m.Material().Name, UsedBy: used, Roles: list(m.Roles), Group: m.Group, Mode: m.Mode,
			Departments: list(m.Departments), Prior: list(m.Prior), Days: m.Days, Consents: list(m.Consents), Preview: m.Preview,
			Else: list(m.Else), Facts: list(m.Facts),
		})
	}
}

// guideProblems are those of a guide.
func guideProblems() map[string]problemText {
	return map[string]problemText{
		"invalid-answers": {title: "回答不符合要求", explanation: "errors 逐条说明是哪个情形、应填什么。导办不接收能认出人的内容：姓名、号码、地址。"},
	}
}
