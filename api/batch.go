package api

import (
	"bytes"
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"mianti/batch"
)

const (
	batchesPath = "/v1/batches"
	batchTag    = "批量核验"
	zipType     = "application/zip"
)

type submitBatchInput struct {
	Subject string `query:"subject" required:"true" maxLength:"64" doc:"事项或一件事代码"`
	Purpose string `query:"purpose" required:"true" maxLength:"200" doc:"用途, 5 至 200 字"`
	Basis   string `query:"basis" required:"true" maxLength:"200" doc:"法律依据, 5 至 200 字"`
	PerDay  int    `query:"per_day" required:"true" minimum:"1" maximum:"60000" doc:"每日最多核验的行数"`
	System  string `query:"system" maxLength:"64" doc:"人员提交、本部门有几个接入系统时, 办件登记在哪一个名下"`
	RawBody []byte `contentType:"application/octet-stream"`
}

type batchOutput struct {
	Location string `header:"Location"`
	Body     *batch.Batch
}

type listBatchesInput struct {
	State  string `query:"state" enum:"receiving,invalid,ready,running,paused,finished,cancelled"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	Cursor string `query:"cursor" maxLength:"64" pattern:"^[0-9A-Za-z][0-9A-Za-z_-]*$" doc:"上一页的 next"`
}

type listBatchesOutput struct {
	Body page[batch.Batch]
}

type batchRowsInput struct {
	CasePath
	State string `query:"state" enum:"wrong,todo,waiting,done,lacking,failed"`
	After int    `query:"after" minimum:"0" doc:"从这一行之后开始, 即上一页最后一行的行号"`
	Limit int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
}

type batchRowsOutput struct {
	Body struct {
		Items []batch.Row `json:"items"`
	}
}

type startBatchInput struct {
	CasePath
	Body struct {
		LeaveOut bool `json:"leave_out,omitempty" doc:"剔除校验有误的行, 只核验其余的行"`
	}
}

type batchActInput struct {
	CasePath
	Body struct {
		Reason string `json:"reason,omitempty" maxLength:"200" doc:"理由; 会留痕, 不写个人信息"`
	}
}

type batchResultInput struct {
	CasePath
	Body struct {
		Passphrase string `json:"passphrase" minLength:"16" maxLength:"200" doc:"结果文件的口令; 系统不保存"`
	}
}

type templatePath struct {
	Code string `path:"code" maxLength:"64" pattern:"^[0-9A-Za-z][0-9A-Za-z._-]*$" doc:"事项或一件事代码"`
}

func (s *server) registerBatches() {
	submit := s.operation(http.MethodPost, batchesPath, "submit-batch", "提交名单", batchTag, 403, 409, 422)
	submit.Description = "请求体是 XLSX 或 CSV 名单，最多 60000 行、32 MiB，列名见模板。只校验，不核验：没有错误的为 ready，有错误的为 invalid，逐行的错误另行读取。"
	submit.DefaultStatus, submit.MaxBodyBytes, submit.BodyReadTimeout = http.StatusCreated, batch.MaxFile, time.Minute
	submit.Middlewares = huma.Middlewares{s.admitFile(batch.MaxFile)}
	handle(s, submit, s.submitBatch)
	body := s.api.OpenAPI().Paths[submit.Path].Post.RequestBody
	file := body.Content["application/octet-stream"]
	body.Content = map[string]*huma.MediaType{csvType: file, xlsxType: file}
	list := s.operation(http.MethodGet, batchesPath, "list-batches", "本部门的批次", batchTag, 404, 422)
	list.Description = "新的在前。"
	handle(s, list, s.listBatches)
	handle(s, s.operation(http.MethodGet, batchesPath+"/{id}", "read-batch", "读取批次及其进度", batchTag, 404, 422), s.readBatch)
	rows := s.operation(http.MethodGet, batchesPath+"/{id}/rows", "list-batch-rows", "逐行的错误或结论", batchTag, 404, 410, 422)
	rows.Description = "校验有误的行说明位置和怎样改正；已核验的行给出各项材料的结论和理由，数据项的值见各办件的核验结果。"
	handle(s, rows, s.listBatchRows)
	handle(s, s.fileOperation(http.MethodGet, batchesPath+"/{id}/errors", "read-batch-errors", "下载逐行的错误", xlsxType, 404, 410, 422), s.readBatchErrors)
	handle(s, s.fileOperation(http.MethodGet, "/v1/batch-templates/{code}", "read-batch-template", "下载名单模板", xlsxType, 404, 422), s.readBatchTemplate)
	s.registerBatchActs()
}

func (s *server) registerBatchActs() {
	act := func(name, id, summary, description string) huma.Operation {
		op := s.operation(http.MethodPost, batchesPath+"/{id}/"+name, id, summary, batchTag, 403, 404, 409, 410, 422)
		op.DefaultStatus, op.Description = http.StatusOK, description
		return op
	}
	handle(s, act("start", "start-batch", "开始核验", "由提交人开始。有错误的名单不开始，除非说明剔除有错的行。"), s.startBatch)
	handle(s, act("pause", "pause-batch", "暂停", "正在核验的几行完成后停下。"), s.pauseBatch)
	handle(s, act("resume", "resume-batch", "继续", "由提交人继续，已核验的行不再核验。"), s.resumeBatch)
	handle(s, act("cancel", "cancel-batch", "取消", "没有核验的行不再核验，已核验的不变。"), s.cancelBatch)
	result := s.fileOperation(http.MethodPost, batchesPath+"/{id}/result", "read-batch-result", "取得结果文件", zipType, 403, 404, 409, 410, 422)
	result.Description = "只给提交人：AES-256 加密的 ZIP，内有一份 XLSX，用请求中的口令打开。文件在内存中生成，不保存；每次取得都先留痕。"
	handle(s, result, s.readBatchResult)
}

// fileOperation describes an operation that answers with a file.
func (s *server) fileOperation(method, path, id, summary, kind string, statuses ...int) huma.Operation {
	op := s.operation(method, path, id, summary, batchTag, statuses...)
	op.DefaultStatus = http.StatusOK
	op.Responses["200"] = &huma.Response{
		Description: "文件", Content: map[string]*huma.MediaType{kind: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}},
	}
	return op
}

func (s *server) submitBatch(ctx context.Context, in *submitBatchInput) (*batchOutput, error) {
	b, err := s.Batches.Submit(ctx, callerOf(ctx), batch.Submission{
		Subject: in.Subject, Purpose: in.Purpose, Basis: in.Basis, PerDay: in.PerDay, System: in.System, File: in.RawBody,
	})
	if err != nil {
		return nil, err
	}
	return &batchOutput{Location: batchesPath + "/" + b.ID, Body: b}, nil
}

func (s *server) listBatches(ctx context.Context, in *listBatchesInput) (*listBatchesOutput, error) {
	found, err := s.Batches.Batches(ctx, callerOf(ctx), batch.Filter{State: batch.State(in.State), Before: in.Cursor, Limit: in.Limit + 1})
	if err != nil {
		return nil, err
	}
	out := &listBatchesOutput{Body: page[batch.Batch]{Items: list(found)}}
	if len(found) > in.Limit {
		out.Body.Items, out.Body.Next = found[:in.Limit], found[in.Limit-1].ID
	}
	return out, nil
}

func (s *server) readBatch(ctx context.Context, in *CasePath) (*batchOutput, error) {
	return batchAnswer(s.Batches.Batch(ctx, callerOf(ctx), in.ID))
}

func batchAnswer(b *batch.Batch, err error) (*batchOutput, error) {
	if err != nil {
		return nil, err
	}
	return &batchOutput{Body: b}, nil
}

func (s *server) listBatchRows(ctx context.Context, in *batchRowsInput) (*batchRowsOutput, error) {
	f := batch.RowFilter{Batch: in.ID, After: in.After, Limit: in.Limit}
	if in.State != "" {
		f.States = []batch.RowState{batch.RowState(in.State)}
	}
	found, err := s.Batches.List(ctx, callerOf(ctx), f)
	if err != nil {
		return nil, err
	}
	out := &batchRowsOutput{}
	out.Body.Items = list(found)
	return out, nil
}

func (s *server) startBatch(ctx context.Context, in *startBatchInput) (*batchOutput, error) {
	return batchAnswer(s.Batches.Start(ctx, callerOf(ctx), in.ID, in.Body.LeaveOut))
}

func (s *server) pauseBatch(ctx context.Context, in *batchActInput) (*batchOutput, error) {
	return batchAnswer(s.Batches.Pause(ctx, callerOf(ctx), in.ID, in.Body.Reason))
}

func (s *server) resumeBatch(ctx context.Context, in *batchActInput) (*batchOutput, error) {
	return batchAnswer(s.Batches.Resume(ctx, callerOf(ctx), in.ID, in.Body.Reason))
}

func (s *server) cancelBatch(ctx context.Context, in *batchActInput) (*batchOutput, error) {
	return batchAnswer(s.Batches.Cancel(ctx, callerOf(ctx), in.ID, in.Body.Reason))
}

func (s *server) readBatchErrors(ctx context.Context, in *CasePath) (*huma.StreamResponse, error) {
	file, err := s.Batches.Errors(ctx, callerOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return attachment(xlsxType, "batch-errors.xlsx", file), nil
}

func (s *server) readBatchTemplate(ctx context.Context, in *templatePath) (*huma.StreamResponse, error) {
	var out bytes.Buffer
	if err := s.Batches.Template(ctx, in.Code, &out); err != nil {
		return nil, err
	}
	return attachment(xlsxType, "batch-"+in.Code+".xlsx", out.Bytes()), nil
}

func (s *server) readBatchResult(ctx context.Context, in *batchResultInput) (*huma.StreamResponse, error) {
	file, err := s.Batches.Result(ctx, callerOf(ctx), in.ID, in.Body.Passphrase)
	if err != nil {
		return nil, err
	}
	return attachment(zipType, file.Name, file.Content), nil
}

// attachment is a file to be kept.
func attachment(kind, name string, content []byte) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		c := humagin.Unwrap(hc)
		c.Header("Content-Disposition", `attachment; filename="`+name+`"`)
		c.Data(http.StatusOK, kind, content)
	}}
}

// batchProblems are those of batches.
func batchProblems() map[string]problemText {
	return map[string]problemText{
		"unknown-batch":      {title: "没有这个批次", explanation: "没有这个批次，或它不属于本部门。"},
		"invalid-batch":      {title: "批量核验不符合要求", explanation: "用途、依据、每日行数或事项不符合要求。errors 逐条说明，没有登记任何内容。"},
		"invalid-list":       {title: "名单不能读取", explanation: "文件不是名单，或列名不认识。errors 说明位置与怎样改正，没有登记任何内容。"},
		"invalid-passphrase": {title: "口令不能使用", explanation: "结果文件的口令至少 16 个字符。没有给出结果。"},
		"batch-has-errors":   {title: "名单有错误，没有开始", explanation: "请改正后重新提交，或说明剔除有错的行。"},
		"batch-empty":        {title: "名单没有符合要求的行", explanation: "请改正后重新提交。"},
		"batch-not-started":  {title: "批次还没有开始", explanation: "开始之后才有结果。"},
		"batch-state":        {title: "批次的状态不允许", explanation: "请重新读取批次，按它现在的状态操作。"},
		"batch-changed":      {title: "批次刚刚被改动", explanation: "请重新读取后再试。"},
		"batch-destroyed":    {title: "名单与结果已销毁", explanation: "保存期限届满，名单与结果已按期销毁，只保留批次的记录。各办件不受影响。"},
		"not-the-requester":  {title: "不是提交人", explanation: "只有提交人可以开始、继续和取得结果。"},
		"no-system":          {title: "部门没有接入系统", explanation: "办件要登记在本部门的接入系统名下。请联系运维人员登记。"},
	}
}
