package api

import (
	"context"
	"net/http"

	"mianti/exchange"
	"mianti/policies"
)

const previewsPath = "/v1/me/previews"

type listPreviewsOutput struct {
	Body page[exchange.Preview]
}

type previewOutput struct {
	Body *exchange.Preview
}

type decidePreviewInput struct {
	CasePath
	Body struct {
		Content string `json:"content" maxLength:"80" doc:"所看内容的摘要"`
	}
}

func (s *server) registerPreviews() {
	const tag = "先看后用"
	list := s.operation(http.MethodGet, previewsPath, "list-previews", "查到而待我放行的", tag, 404, 422)
	list.Description = "不含查到的内容。"
	handle(s, list, s.listPreviews)
	read := s.operation(http.MethodGet, previewsPath+"/{id}", "read-preview", "看查到的内容", tag, 404, 422)
	read.Description = "每次查看都留痕。放行之前，审批系统得不到。"
	handle(s, read, s.readPreview)
	release := s.operation(http.MethodPost, previewsPath+"/{id}/release", "release-preview", "放行", tag, 404, 409, 422)
	release.DefaultStatus, release.Description = http.StatusOK, "只放行所看的内容；内容变了须重新查看。可以重复提交；办件关闭之前可以改为自行提交。"
	handle(s, release, s.releasePreview)
	paper := s.operation(http.MethodPost, previewsPath+"/{id}/paper", "choose-paper", "改为自行提交", tag, 404, 409, 422)
	paper.DefaultStatus, paper.Description = http.StatusOK, "审批系统不会得到查到的内容；已经放行的，此后不再提供。"
	handle(s, paper, s.choosePaper)
}

func (s *server) listPreviews(ctx context.Context, in *listConsentsInput) (*listPreviewsOutput, error) {
	found, err := s.Exchange.MyPreviews(ctx, callerOf(ctx), exchange.ConsentFilter{After: in.Cursor, Limit: in.Limit + 1})
	if err != nil {
		return nil, err
	}
	out := &listPreviewsOutput{Body: page[exchange.Preview]{Items: found}}
	if len(found) > in.Limit {
		out.Body.Items, out.Body.Next = found[:in.Limit], found[in.Limit-1].ID
	}
	return out, nil
}

func (s *server) readPreview(ctx context.Context, in *CasePath) (*previewOutput, error) {
	p, err := s.Exchange.MyPreview(ctx, callerOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return &previewOutput{Body: p}, nil
}

func (s *server) releasePreview(ctx context.Context, in *decidePreviewInput) (*previewOutput, error) {
	return s.decidePreview(ctx, in, policies.PreviewReleased)
}

func (s *server) choosePaper(ctx context.Context, in *decidePreviewInput) (*previewOutput, error) {
	return s.decidePreview(ctx, in, policies.PreviewPaper)
}

func (s *server) decidePreview(ctx context.Context, in *decidePreviewInput, said policies.PreviewState) (*previewOutput, error) {
	p, err := s.Exchange.DecidePreview(ctx, callerOf(ctx), in.ID, in.Body.Content, said)
	if err != nil {
		return nil, err
	}
	return &previewOutput{Body: p}, nil
}

// previewProblems are those of what is seen first.
func previewProblems() map[string]problemText {
	return map[string]problemText{
		"unknown-preview": {title: "没有这项待看的内容", explanation: "没有这项内容，或者它不是您的。"},
		"preview-changed": {title: "内容或决定已有变化", explanation: "content 不是所存内容的摘要，或者刚刚已有另一个决定。请重新查看后再决定；没有登记任何决定。"},
	}
}
