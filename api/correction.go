package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"mianti/correction"
	"mianti/exchange"
)

const correctionsPath = "/v1/corrections"

type openCorrectionInput struct {
	Body struct {
		Case     string           `json:"case" minLength:"1" maxLength:"64" doc:"办件"`
		Material string           `json:"material" minLength:"1" maxLength:"64" doc:"核验结果中的材料代码"`
		Party    string           `json:"party,omitempty" maxLength:"64" doc:"核验结果中 subject.party; 办件本身的材料不填"`
		Dataset  string           `json:"dataset" minLength:"1" maxLength:"64" doc:"哪个数据资源的记录"`
		Fields   []string         `json:"fields,omitempty" maxItems:"100" doc:"哪些数据项有误; 未查到记录的不填"`
		Claim    correction.Claim `json:"claim"`
	}
}

type listCorrectionsInput struct {
	As      string `query:"as" enum:"provider,receiver,authority" default:"provider" doc:"provider: 向本部门提出的; receiver: 本部门办件的; authority: 提请主管部门的。个人只看到自己提出的"`
	State   string `query:"state" enum:"open,taken,corrected,upheld,negotiating,mediating,referred,ordered,withdrawn"`
	Overdue bool   `query:"overdue" doc:"只列已过期限的"`
	Case    string `query:"case" maxLength:"64" doc:"只列这个办件的"`
	Limit   int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	Cursor  string `query:"cursor" maxLength:"64" pattern:"^[0-9A-Za-z][0-9A-Za-z_-]*$" doc:"上一页的 next"`
}

type listCorrectionsOutput struct {
	Body page[correction.Brief]
}

type correctionPathInput struct {
	CasePath
	Precondition
}

type explainedInput struct {
	CasePath
	Precondition
	Body struct {
		Explanation string `json:"explanation" maxLength:"2000" doc:"理由"`
	}
}

type answerCorrectionInput struct {
	CasePath
	Precondition
	Body struct {
		Result      string `json:"result" enum:"corrected,upheld" doc:"corrected: 已更正; upheld: 记录无误"`
		Reason      string `json:"reason" enum:"wrongly_recorded,not_collected,out_of_date,record_right,not_proven,other_procedure" doc:"理由代码"`
		Explanation string `json:"explanation,omitempty" maxLength:"2000" doc:"说明; 记录无误的必填"`
	}
}

type passOnInput struct {
	CasePath
	Precondition
	Body struct {
		Department  string `json:"department" minLength:"1" maxLength:"64" doc:"应由哪个部门核实"`
		Explanation string `json:"explanation" maxLength:"2000" doc:"理由"`
	}
}

type rulingInput struct {
	CasePath
	Precondition
	Body struct {
		Result      string `json:"result" enum:"corrected,upheld" doc:"corrected: 应予更正; upheld: 记录无误"`
		Document    string `json:"document,omitempty" maxLength:"200" doc:"本级政府决定的文号; 登记决定时必填"`
		Explanation string `json:"explanation" maxLength:"2000" doc:"理由"`
	}
}

type correctionOutput struct {
	ETag     string `header:"ETag"`
	Location string `header:"Location"`
	Body     *correction.View
}

func (s *server) registerCorrections() {
	const tag = "校核"
	open := s.operation(http.MethodPost, correctionsPath, "open-correction", "提出校核", tag, 403, 404, 409, 422)
	open.DefaultStatus = http.StatusCreated
	open.Description = "记录有误、不完整，或者应有而未查到的，向提供部门提出。个人只能就自己（或其监护的儿童）的记录提出，部门就本部门的办件提出。提供部门在 10 个工作日内核实、更正并反馈（政务数据共享条例第二十六条）。"
	handle(s, open, s.openCorrection)
	list := s.operation(http.MethodGet, correctionsPath, "list-corrections", "校核列表", tag, 404, 422)
	list.Description = "按提出的先后列出，不含异议的内容。"
	handle(s, list, s.listCorrections)
	read := s.operation(http.MethodGet, correctionsPath+"/{id}", "read-correction", "读取校核", tag, 404, 422)
	read.Description = "含异议的内容；提供部门还看到是谁的记录。部门每次读取都留痕。"
	handle(s, read, s.readCorrection)
	handle(s, s.correctionAct("taking", "take-correction", "受理核实", "提供部门开始核实，期限不变。"), s.takeCorrection)
	handle(s, s.correctionAct("answer", "answer-correction", "答复校核", "已更正的，依据该记录的未结办件自动重新核验；记录无误的，说明理由。逾期的答复仍然有效。"), s.answerCorrection)
	handle(s, s.correctionAct("passing-on", "pass-on-correction", "转有关部门", "不是本部门的记录的，转给应当核实的部门，期限自转出之日重新起算；转出过的部门不能再转回。"), s.passOnCorrection)
	handle(s, s.correctionAct("escalation", "escalate-correction", "提请上一级处理", "逾期未答复或不同意答复的，依次提请部门协商、主管部门协调、本级政府决定（政务数据共享条例第二十八条）。"), s.escalateCorrection)
	handle(s, s.correctionAct("mediation", "mediate-correction", "登记协调意见", "由政务数据共享主管部门办理。"), s.mediateCorrection)
	handle(s, s.correctionAct("decision", "decide-correction", "登记本级政府决定", "由政务数据共享主管部门登记，须填文号。"), s.decideCorrection)
	handle(s, s.correctionAct("withdrawal", "withdraw-correction", "撤回校核", "由提出的人办理。"), s.withdrawCorrection)
}

func (s *server) correctionAct(act, id, summary, description string) huma.Operation {
	op := s.operation(http.MethodPost, correctionsPath+"/{id}/"+act, id, summary, "校核", 403, 404, 409, 412, 422)
	op.DefaultStatus, op.Description = http.StatusOK, description
	return op
}

func (s *server) openCorrection(ctx context.Context, in *openCorrectionInput) (*correctionOutput, error) {
	b := &in.Body
	c, err := s.Corrections.Submit(ctx, callerOf(ctx), correction.Submission{
		ContestRef: exchange.ContestRef{Case: b.Case, Material: b.Material, Party: b.Party, Dataset: b.Dataset}, Fields: b.Fields, Claim: b.Claim,
	})
	if err != nil {
		return nil, err
	}
	return &correctionOutput{ETag: versionTag(c.ID, c.Version), Location: correctionsPath + "/" + c.ID, Body: c}, nil
}

func (s *server) listCorrections(ctx context.Context, in *listCorrectionsInput) (*listCorrectionsOutput, error) {
	found, err := s.Corrections.List(ctx, callerOf(ctx), correction.Side(in.As), correction.Filter{
		State: correction.State(in.State), Overdue: in.Overdue, Case: in.Case, After: in.Cursor, Limit: in.Limit + 1,
	})
	if err != nil {
		return nil, err
	}
	out := &listCorrectionsOutput{Body: page[correction.Brief]{Items: found}}
	if len(found) > in.Limit {
		out.Body.Items, out.Body.Next = found[:in.Limit], found[in.Limit-1].ID
	}
	return out, nil
}

func (s *server) readCorrection(ctx context.Context, in *CasePath) (*correctionOutput, error) {
	c, err := s.Corrections.Correction(ctx, callerOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return &correctionOutput{ETag: versionTag(c.ID, c.Version), Body: c}, nil
}

func (s *server) takeCorrection(ctx context.Context, in *correctionPathInput) (*correctionOutput, error) {
	return s.actOnCorrection(ctx, in.ID, in.IfMatch, correction.Event{Act: correction.Take})
}

func (s *server) answerCorrection(ctx context.Context, in *answerCorrectionInput) (*correctionOutput, error) {
	return s.actOnCorrection(ctx, in.ID, in.IfMatch, correction.Event{
		Act: correction.Answer, Result: correction.State(in.Body.Result), Reason: correction.Reason(in.Body.Reason), Why: in.Body.Explanation,
	})
}

func (s *server) passOnCorrection(ctx context.Context, in *passOnInput) (*correctionOutput, error) {
	return s.actOnCorrection(ctx, in.ID, in.IfMatch, correction.Event{Act: correction.PassOn, To: in.Body.Department, Why: in.Body.Explanation})
}

func (s *server) escalateCorrection(ctx context.Context, in *explainedInput) (*correctionOutput, error) {
	return s.actOnCorrection(ctx, in.ID, in.IfMatch, correction.Event{Act: correction.Escalate, Why: in.Body.Explanation})
}

func (s *server) mediateCorrection(ctx context.Context, in *rulingInput) (*correctionOutput, error) {
	return s.actOnCorrection(ctx, in.ID, in.IfMatch, in.event(correction.Mediate))
}

func (s *server) decideCorrection(ctx context.Context, in *rulingInput) (*correctionOutput, error) {
	return s.actOnCorrection(ctx, in.ID, in.IfMatch, in.event(correction.Decide))
}

func (in *rulingInput) event(act correction.Act) correction.Event {
	return correction.Event{Act: act, Result: correction.State(in.Body.Result), Why: in.Body.Explanation, Document: in.Body.Document}
}

func (s *server) withdrawCorrection(ctx context.Context, in *explainedInput) (*correctionOutput, error) {
	return s.actOnCorrection(ctx, in.ID, in.IfMatch, correction.Event{Act: correction.Withdraw, Why: in.Body.Explanation})
}

func (s *server) actOnCorrection(ctx context.Context, id, ifMatch string, e correction.Event) (*correctionOutput, error) {
	version, err := versionOf(id, ifMatch)
	if err != nil {
		return nil, err
	}
	c, err := s.Corrections.Act(ctx, callerOf(ctx), id, version, e)
	if err != nil {
		return nil, err
	}
	return &correctionOutput{ETag: versionTag(c.ID, c.Version), Body: c}, nil
}

// correctionProblems are those of corrections.
func correctionProblems() map[string]problemText {
	return map[string]problemText{
		"unknown-record":         {title: "没有这项记录的核验", explanation: "办件没有向部门查过这样的记录，或者记录不是您的。请对照核验结果中的材料、当事人和数据资源。"},
		"unknown-correction":     {title: "没有这个校核", explanation: "没有这个校核，或者您不是提出人，本部门也不是提供部门。"},
		"invalid-correction":     {title: "校核申请不符合要求", explanation: "errors 逐条说明位置与原因。改正之前没有登记任何内容。"},
		"invalid-correction-act": {title: "办理内容不符合要求", explanation: "errors 逐条说明位置与原因。改正之前没有登记任何内容。"},
		"correction-open":        {title: "正在校核", explanation: "同一记录的同一数据项同时只有一项校核。请等待答复。"},
		"correction-changed":     {title: "校核刚被办理", explanation: "另一个人同时办理了这项校核。请重新读取。"},
		"correction-state":       {title: "现在不能这样办理", explanation: "校核的状态不允许这样办理。请重新读取后再办理。"},
		"correction-final":       {title: "没有上一级", explanation: "本级政府已经决定（政务数据共享条例第二十八条）。依法可以申请行政复议或者提起行政诉讼。"},
		"answer-awaited":         {title: "还在答复期限之内", explanation: "期限过后仍未答复，或不同意答复的，才可以提请上一级处理。"},
		"not-the-opener":         {title: "应由提出人办理", explanation: "撤回和提请上一级处理由提出校核的人办理；提供部门对协调意见有异议的，可以提请本级政府决定。"},
		"not-the-authority":      {title: "应由主管部门办理", explanation: "协调和登记决定由政务数据共享主管部门的工作机构人员办理。"},
		"own-correction":         {title: "不能办理自己提出的校核", explanation: "提出校核的人不能自己答复或协调。请由其他人员办理。"},
		"no-authority":           {title: "没有主管部门", explanation: "本平台没有登记政务数据共享主管部门（MIANTI_DATA_AUTHORITY）。请联系运维人员。"},
	}
}
