package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mianti/catalog"
	"mianti/draft"
	"mianti/internal/fault"
)

const (
	draftsPath = "/v1/drafts"
	draftsTag  = "目录草案"
)

type openDraftInput struct {
	Body struct {
		Title string         `json:"title" maxLength:"100" doc:"草案的名称"`
		Why   string         `json:"why,omitempty" maxLength:"2000" doc:"为什么改"`
		Base  int            `json:"base,omitempty" minimum:"1" doc:"改动所依据的目录修订; 不填为现行的"`
		Edits []catalog.Edit `json:"edits,omitempty" maxItems:"50000" doc:"改动; 同一对象至多一处"`
	}
}

type listDraftsInput struct {
	State  string `query:"state" enum:"editing,submitted,returned,approved,scheduled,published,withdrawn"`
	Open   bool   `query:"open" doc:"只列还没有发布或撤销的"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	Cursor string `query:"cursor" maxLength:"64" pattern:"^[0-9A-Za-z][0-9A-Za-z_-]*$" doc:"上一页的 next"`
}

type listDraftsOutput struct{ Body page[draft.Outline] }

type draftOutput struct {
	ETag     string `header:"ETag"`
	Location string `header:"Location"`
	Body     *draft.Dossier
}

type draftActInput struct {
	CasePath
	Precondition
}

// EditPath names what a draft does to one thing. It is exported for the reason that
// CasePath is.
type EditPath struct {
	CasePath
	Kind string `path:"kind" enum:"one_thing,matter,material,common_material,standard_material,dataset,fact,role,department,explanation"`
	Code string `path:"code" maxLength:"64" pattern:"^[0-9A-Za-z][0-9A-Za-z._-]*$"`
}

type putEditInput struct {
	EditPath
	Precondition
	Body struct {
		In    string          `json:"in,omitempty" maxLength:"64" doc:"数据资源所属的部门; 其他对象不填"`
		Value json.RawMessage `json:"value" doc:"整个对象, 与目录文件中的写法相同; null 为删除"`
	}
}

type removeEditInput struct {
	EditPath
	Precondition
}

type mergeDraftInput struct {
	CasePath
	Precondition
	Body struct {
		Choices []draft.Choice `json:"choices,omitempty" maxItems:"10000" doc:"每处冲突的取舍"`
	}
}

type draftReasonInput struct {
	CasePath
	Precondition
	Body struct {
		Reason string `json:"reason" maxLength:"2000" doc:"意见或者理由"`
	}
}

type publishDraftInput struct {
	CasePath
	Precondition
	Body struct {
		On string `json:"on,omitempty" maxLength:"10" doc:"发布的日期, 到这一天零时发布; 不填为立即发布" example:"2026-12-01"`
	}
}

type rollBackInput struct {
	Number int `path:"number" minimum:"1"`
	Body   struct {
		Reason string `json:"reason" maxLength:"2000" doc:"为什么恢复"`
	}
}

type draftMeetingOutput struct{ Body *draft.Meeting }

type draftChangesOutput struct{ Body page[catalog.ThingChange] }

func (s *server) registerDrafts() {
	create := s.operation(http.MethodPost, draftsPath, "create-draft", "起草", draftsTag, 403, 409, 422)
	create.DefaultStatus = http.StatusCreated
	create.Description = "起一份目录草案，可以带改动，也可以之后逐项加入。改动在发布之前不影响任何办件。"
	handle(s, create, s.createDraft)
	handle(s, s.operation(http.MethodGet, draftsPath, "list-drafts", "草案列表", draftsTag, 422), s.listDrafts)
	read := s.operation(http.MethodGet, draftsPath+"/{id}", "read-draft", "读取草案", draftsTag, 404, 422)
	read.Description = "连同改动、错误、别人改过的对象、改同一对象的其他草案，以及您现在可以办理的事项。"
	handle(s, read, s.readDraft)
	put := s.operation(http.MethodPut, draftsPath+"/{id}/edits/{kind}/{code}", "put-edit", "改写一个对象", draftsTag, 403, 404, 409, 412, 422)
	put.Description = "整个对象重写；value 为 null 时删除，连同它所含的。错误在返回的 faults 中逐条列出，改正之后才能提交审核。"
	handle(s, put, s.putEdit)
	handle(s, s.operation(http.MethodDelete, draftsPath+"/{id}/edits/{kind}/{code}", "remove-edit", "不再改这个对象", draftsTag, 403, 404, 409, 412, 422), s.removeEdit)
	changes := s.operation(http.MethodGet, draftsPath+"/{id}/changes", "compare-draft", "草案改了什么", draftsTag, 404, 422)
	changes.Description = "逐个对象、逐个键，与所依据的目录修订比较。"
	handle(s, changes, s.compareDraft)
	meet := s.operation(http.MethodGet, draftsPath+"/{id}/merge", "preview-merge", "合并会遇到什么", draftsTag, 404, 422)
	meet.Description = "把草案合并到现行目录时，别人改过哪些对象，哪些地方双方改得不一样。不保存。"
	handle(s, meet, s.previewMerge)
	merge := s.operation(http.MethodPost, draftsPath+"/{id}/merge", "merge-draft", "合并到现行目录", draftsTag, 403, 404, 409, 412, 422)
	merge.Description = "改在不同地方的自动合并；同一处改得不一样的，须在 choices 中逐处取舍，否则不保存。"
	handle(s, merge, s.mergeDraft)
	handle(s, s.draftAct("submission", "submit-draft", "提交审核", "没有错误、也没有要合并的，才能提交。"), s.submitDraft)
	handle(s, s.draftAct("recall", "recall-draft", "收回修改", "审核通过的也可以收回，改好后须重新提交审核。"), s.recallDraft)
	handle(s, s.draftAct("return", "return-draft", "退回", "由目录审核人员办理，须说明意见。"), s.returnDraft)
	handle(s, s.draftAct("approval", "approve-draft", "审核通过", "由没有参与编写的目录审核人员办理。"), s.approveDraft)
	handle(s, s.draftAct("publication", "publish-draft", "发布", "由没有参与编写的目录审核人员办理。写了日期的，到那一天零时自动发布；其间别人改了同一对象的，不发布，退给起草人合并。"), s.publishDraft)
	handle(s, s.draftAct("withdrawal", "withdraw-draft", "撤销草案", "须说明理由。"), s.withdrawDraft)
	back := s.operation(http.MethodPost, "/v1/revisions/{number}/restoration", "roll-back", "起草恢复到以前的修订", draftsTag, 403, 404, 409, 422)
	back.DefaultStatus = http.StatusCreated
	back.Description = "得到一份草案，其改动使目录回到该修订；审核和发布与其他草案相同。以前的修订不变。"
	handle(s, back, s.rollBack)
}

func (s *server) draftAct(act, id, summary, description string) huma.Operation {
	op := s.operation(http.MethodPost, draftsPath+"/{id}/"+act, id, summary, draftsTag, 403, 404, 409, 412, 422)
	op.DefaultStatus, op.Description = http.StatusOK, description
	return op
}

func draftAnswer(d *draft.Dossier, err error) (*draftOutput, error) {
	if err != nil {
		return nil, err
	}
	return &draftOutput{ETag: versionTag(d.ID, d.Version), Body: d}, nil
}

func (s *server) createDraft(ctx context.Context, in *openDraftInput) (*draftOutput, error) {
	b := &in.Body
	out, err := draftAnswer(s.Drafts.Create(ctx, callerOf(ctx), draft.Opening{Title: b.Title, Why: b.Why, Base: b.Base, Edits: b.Edits}))
	if err == nil {
		out.Location = draftsPath + "/" + out.Body.ID
	}
	return out, err
}

func (s *server) listDrafts(ctx context.Context, in *listDraftsInput) (*listDraftsOutput, error) {
	found, err := s.Drafts.List(ctx, draft.Filter{State: draft.State(in.State), Open: in.Open, After: in.Cursor, Limit: in.Limit + 1})
	if err != nil {
		return nil, err
	}
	out := &listDraftsOutput{Body: page[draft.Outline]{Items: found}}
	if len(found) > in.Limit {
		out.Body.Items, out.Body.Next = found[:in.Limit], found[in.Limit-1].ID
	}
	return out, nil
}

func (s *server) readDraft(ctx context.Context, in *CasePath) (*draftOutput, error) {
	return draftAnswer(s.Drafts.Draft(ctx, callerOf(ctx), in.ID))
}

func (s *server) putEdit(ctx context.Context, in *putEditInput) (*draftOutput, error) {
	version, err := versionOf(in.ID, in.IfMatch)
	if err != nil {
		return nil, err
	}
	edit := catalog.Edit{Kind: catalog.ThingKind(in.Kind), Code: in.Code, In: in.Body.In, Value: in.Body.Value}
	return draftAnswer(s.Drafts.Put(ctx, callerOf(ctx), in.ID, version, edit))
}

func (s *server) removeEdit(ctx context.Context, in *removeEditInput) (*draftOutput, error) {
	version, err := versionOf(in.ID, in.IfMatch)
	if err != nil {
		return nil, err
	}
	return draftAnswer(s.Drafts.Remove(ctx, callerOf(ctx), in.ID, version, draft.Thing{Kind: catalog.ThingKind(in.Kind), Code: in.Code}))
}

func (s *server) compareDraft(ctx context.Context, in *CasePath) (*draftChangesOutput, error) {
	changes, err := s.Drafts.Changes(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &draftChangesOutput{Body: page[catalog.ThingChange]{Items: changes}}, nil
}

func (s *server) previewMerge(ctx context.Context, in *CasePath) (*draftMeetingOutput, error) {
	meeting, err := s.Drafts.Meet(ctx, in.ID, nil)
	if err != nil {
		return nil, err
	}
	return &draftMeetingOutput{Body: meeting}, nil
}

func (s *server) mergeDraft(ctx context.Context, in *mergeDraftInput) (*draftOutput, error) {
	version, err := versionOf(in.ID, in.IfMatch)
	if err != nil {
		return nil, err
	}
	return draftAnswer(s.Drafts.Merge(ctx, callerOf(ctx), in.ID, version, in.Body.Choices))
}

func (s *server) submitDraft(ctx context.Context, in *draftActInput) (*draftOutput, error) {
	return s.actOnDraft(ctx, in.ID, in.IfMatch, draft.Event{Act: draft.Submit})
}

func (s *server) recallDraft(ctx context.Context, in *draftActInput) (*draftOutput, error) {
	return s.actOnDraft(ctx, in.ID, in.IfMatch, draft.Event{Act: draft.Recall})
}

func (s *server) approveDraft(ctx context.Context, in *draftActInput) (*draftOutput, error) {
	return s.actOnDraft(ctx, in.ID, in.IfMatch, draft.Event{Act: draft.Approve})
}

func (s *server) returnDraft(ctx context.Context, in *draftReasonInput) (*draftOutput, error) {
	return s.actOnDraft(ctx, in.ID, in.IfMatch, draft.Event{Act: draft.Return, Why: in.Body.Reason})
}

func (s *server) withdrawDraft(ctx context.Context, in *draftReasonInput) (*draftOutput, error) {
	return s.actOnDraft(ctx, in.ID, in.IfMatch, draft.Event{Act: draft.Withdraw, Why: in.Body.Reason})
}

func (s *server) actOnDraft(ctx context.Context, id, ifMatch string, e draft.Event) (*draftOutput, error) {
	version, err := versionOf(id, ifMatch)
	if err != nil {
		return nil, err
	}
	return draftAnswer(s.Drafts.Act(ctx, callerOf(ctx), id, version, e))
}

func (s *server) publishDraft(ctx context.Context, in *publishDraftInput) (*draftOutput, error) {
	version, err := versionOf(in.ID, in.IfMatch)
	if err != nil {
		return nil, err
	}
	if in.Body.On == "" {
		return draftAnswer(s.Drafts.Publish(ctx, callerOf(ctx), in.ID, version))
	}
	on, err := time.ParseInLocation(time.DateOnly, in.Body.On, catalog.TimeZone())
	if err != nil {
		return nil, fault.New(fault.Invalid, "invalid-publish-date", "发布日期应为日期，如 2026-12-01。").
			With(fault.Detail{Location: "body.on", Code: "format", Message: "请填写日期，如 2026-12-01。"})
	}
	return draftAnswer(s.Drafts.Schedule(ctx, callerOf(ctx), in.ID, version, on))
}

func (s *server) rollBack(ctx context.Context, in *rollBackInput) (*draftOutput, error) {
	out, err := draftAnswer(s.Drafts.RollBack(ctx, callerOf(ctx), in.Number, in.Body.Reason))
	if err == nil {
		out.Location = draftsPath + "/" + out.Body.ID
	}
	return out, err
}

// draftProblems are those of drafts of the catalog.
func draftProblems() map[string]problemText {
	return map[string]problemText{
		"unknown-draft":               {title: "没有这份草案", explanation: "没有这份目录草案。请从 GET /v1/drafts 中选择。"},
		"unknown-edit":                {title: "草案没有改这个对象", explanation: "草案中没有这个对象的改动。请重新读取草案。"},
		"invalid-draft":               {title: "草案不符合要求", explanation: "errors 逐条说明位置与原因。改正之前没有保存任何内容。"},
		"invalid-edit":                {title: "改动不符合要求", explanation: "errors 说明哪一处、什么原因。改动应是整个对象，写法与目录文件相同。"},
		"too-many-edits":              {title: "改动太多", explanation: "一份草案至多改 50 000 项。请分成几份。"},
		"invalid-choice":              {title: "取舍不符合要求", explanation: "take 应为 theirs、mine 或 value；value 应为 JSON。"},
		"invalid-publish-date":        {title: "发布日期不对", explanation: "发布日期应为今天之后的日期，如 2026-12-01。今天发布的，不填日期。"},
		"draft-empty":                 {title: "草案没有改动", explanation: "草案还没有任何改动，不能提交。"},
		"draft-state":                 {title: "现在不能这样办理", explanation: "草案的状态不允许这样办理。errors 之外的说明写明了现在可以怎么做。"},
		"draft-published":             {title: "草案已经发布", explanation: "已经发布的修订不再改变。请另起一份草案。"},
		"draft-withdrawn":             {title: "草案已经撤销", explanation: "撤销的草案不能再办理。请另起一份草案。"},
		"draft-changed":               {title: "草案刚被办理", explanation: "另一个人同时办理了这份草案。请重新读取。"},
		"draft-behind":                {title: "要先合并", explanation: "起草之后别人改过同一对象。请先合并到现行目录（merge-draft），再提交审核。"},
		"draft-faulty":                {title: "草案有错误", explanation: "errors 逐条说明哪一处改动、什么错误。改正之后才能提交和发布。"},
		"draft-changes-nothing":       {title: "没有可以发布的", explanation: "草案和现行目录没有不同。"},
		"lint-errors":                 {title: "目录检查不通过", explanation: "errors 逐条说明。改正之后才能提交和发布。"},
		"merge-conflict":              {title: "双方改得不一样", explanation: "errors 逐处列出。请在 choices 中逐处说明保留哪一个，或者另写。"},
		"revision-moved":              {title: "目录刚刚更新", explanation: "别人刚刚发布了新的修订。请重试。"},
		"nothing-to-restore":          {title: "不需要恢复", explanation: "现行目录和要恢复的修订没有不同。"},
		"own-draft":                   {title: "不能审核自己写的草案", explanation: "参与编写的人不能审核或者发布。请由其他审核人员办理。"},
		"not-the-drafting-department": {title: "应由起草部门编写", explanation: "草案由起草部门的人员编写。可以另起一份草案。"},
	}
}
