package api

import (
	"context"

	"mianti/catalog"
	"mianti/internal/fault"
)

type trialInput struct {
	Number int `path:"number" minimum:"1"`
	Body   struct {
		Subject  string            `json:"subject" maxLength:"64" doc:"事项短码或一件事代码"`
		Facts    map[string]any    `json:"facts,omitempty" doc:"情形, 按情形代码; 见 GET /v1/facts"`
		Kinds    map[string]string `json:"kinds,omitempty" doc:"各角色的当事人种类; 不写的取目录中的第一种"`
		Material string            `json:"material,omitempty" maxLength:"60000" doc:"改写后的一份材料 (YAML); 按改写后的目录试算, 不保存"`
	}
}

// trialView is a trial as callers read it.
type trialView struct {
	Totals    map[string]int      `json:"totals" doc:"按结果计数"`
	Materials []trialMaterialView `json:"materials"`
	Questions []trialQuestionView `json:"questions" doc:"还要先知道的情形"`
}

type trialMaterialView struct {
	Codes     []string        `json:"codes" doc:"由这一份材料满足的各项"`
	Name      string          `json:"name"`
	Role      string          `json:"role,omitempty"`
	Group     string          `json:"group" enum:"exempt,commit,defer,upload,none,unknown,not_applicable"`
	Condition string          `json:"condition,omitempty" doc:"需要提交的条件, 白话"`
	First     string          `json:"first,omitempty" doc:"首先采用的方式"`
	Steps     []trialStepView `json:"steps"`
	Facts     []string        `json:"facts" doc:"先要知道的情形"`
}

type trialStepView struct {
	Mode     string `json:"mode"`
	Standing string `json:"standing" enum:"first,next,passed,asks,unreachable,after_end"`
	Why      string `json:"why,omitempty"`
}

type trialQuestionView struct {
	Fact      string   `json:"fact"`
	Materials []string `json:"materials"`
}

type trialOutput struct{ Body trialView }

func (s *server) tryRules(ctx context.Context, in *trialInput) (*trialOutput, error) {
	rev, err := s.revisionOf(ctx, in.Number, in.Body.Subject)
	if err != nil {
		return nil, err
	}
	if rev.OneThing(in.Body.Subject) == nil && rev.Matter(in.Body.Subject) == nil {
		return nil, fault.New(fault.Invalid, "invalid-trial", "试算的内容不符合要求。").
			With(fault.Detail{Location: "body.subject", Code: "unknown-matter", Message: "目录中没有这个事项或一件事，请核对代码。"})
	}
	facts, details := rev.ParseFacts(in.Body.Facts)
	for i := range details {
		details[i].Location = "body." + details[i].Location
	}
	if len(details) > 0 {
		return nil, fault.New(fault.Invalid, "invalid-trial", "试算的内容不符合要求。").With(details...)
	}
	if in.Body.Material != "" {
		if rev, err = redrafted(rev, in.Body.Material); err != nil {
			return nil, err
		}
	}
	kinds := map[string]catalog.PartyKind{}
	for role, kind := range in.Body.Kinds {
		kinds[role] = catalog.PartyKind(kind)
	}
	trial, err := rev.Try(catalog.TrialInput{Subject: in.Body.Subject, Facts: facts, Kinds: kinds})
	if err != nil {
		return nil, err
	}
	return &trialOutput{Body: viewTrial(trial)}, nil
}

// redrafted gives the revision with a material as it is written in a text.
func redrafted(rev *catalog.Revision, text string) (*catalog.Revision, error) {
	next, _, faults, err := rev.Redraft([]byte(text))
	if err != nil {
		return nil, err
	}
	if len(faults) == 0 {
		return next, nil
	}
	details := make([]fault.Detail, len(faults))
	for i, f := range faults {
		details[i] = fault.Detail{Location: "body.material", Code: f.Code, Message: f.String()}
	}
	return nil, fault.New(fault.Invalid, "invalid-trial", "试算的内容不符合要求。").With(details...)
}

func viewTrial(t *catalog.Trial) trialView {
	v := trialView{Totals: map[string]int{}, Materials: []trialMaterialView{}, Questions: []trialQuestionView{}}
	for group, n := range t.Totals {
		v.Totals[string(group)] = n
	}
	for i := range t.Materials {
		m := &t.Materials[i]
		one := trialMaterialView{
			Codes: m.UsedBy(), Name: m.Material().Name, Role: m.Role, Group: string(m.Group), Condition: m.When.Text,
			Steps: []trialStepView{}, Facts: list(m.Facts),
		}
		if first := m.FirstStep(); first != nil {
			one.First = string(first.Mode)
		}
		for _, step := range m.Steps {
			one.Steps = append(one.Steps, trialStepView{string(step.Mode), string(step.Standing), step.Why})
		}
		v.Materials = append(v.Materials, one)
	}
	for _, q := range t.Questions {
		v.Questions = append(v.Questions, trialQuestionView{q.Fact.Code, q.Materials})
	}
	return v
}

type conditionInput struct {
	Number int `path:"number" minimum:"1"`
	Body   struct {
		Condition string `json:"condition" maxLength:"2000" doc:"条件 (CEL); 空为总是"`
	}
}

// conditionView is a condition in words, or what is wrong with it.
type conditionView struct {
	Words  string                    `json:"words" doc:"白话; 空为总是"`
	Exact  bool                      `json:"exact" doc:"false: 没有合适的说法, words 是原文"`
	Faults []catalog.ExpressionFault `json:"faults" doc:"有误之处; 没有则条件可用"`
}

type conditionOutput struct{ Body conditionView }

func (s *server) tryCondition(ctx context.Context, in *conditionInput) (*conditionOutput, error) {
	rev, err := s.revisionOf(ctx, in.Number)
	if err != nil {
		return nil, err
	}
	words, faults := rev.TryCondition(in.Body.Condition)
	return &conditionOutput{Body: conditionView{Words: words.Text, Exact: words.Exact, Faults: list(faults)}}, nil
}
