package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"

	"mianti/exchange"
)

const resolutionsPath = "/v1/resolutions"

type resolveInput struct {
	CasePath
	Key  string `header:"Idempotency-Key" maxLength:"255" pattern:"^[!-~]+$" doc:"重试时不变; 同一键得到同一核验结果"`
	Body *struct{}
}

type resolutionOutput struct {
	Location string `header:"Location"`
	Body     exchange.Resolution
}

type readResolutionOutput struct {
	Body exchange.Resolution
}

func (s *server) registerResolutions() {
	const tag = "核验"
	resolve := s.operation(http.MethodPost, casesPath+"/{id}/resolutions", "resolve-case", "核验办件的材料", tag, 404, 409, 422)
	resolve.DefaultStatus = http.StatusCreated
	resolve.Description = "向各部门并行查询，返回每项材料的结论与仍需上传的清单。数源故障是结论的一部分，不是错误。"
	handle(s, resolve, s.resolve)
	read := s.operation(http.MethodGet, resolutionsPath+"/{id}", "read-resolution", "读取核验结果", tag, 404, 422)
	handle(s, read, s.readResolution)
}

func (s *server) resolve(ctx context.Context, in *resolveInput) (*resolutionOutput, error) {
	caller := callerOf(ctx)
	var key *exchange.Key
	if in.Key != "" {
		sum := sha256.Sum256([]byte("resolve " + in.ID))
		key = &exchange.Key{System: caller.System, Value: in.Key, Request: "sha256:" + hex.EncodeToString(sum[:]), At: s.Now().UTC()}
	}
	r, err := s.Exchange.Resolve(ctx, caller, in.ID, key)
	if err != nil {
		return nil, err
	}
	return &resolutionOutput{Location: resolutionsPath + "/" + r.ID, Body: *r}, nil
}

func (s *server) readResolution(ctx context.Context, in *CasePath) (*readResolutionOutput, error) {
	r, err := s.Exchange.Resolution(ctx, callerOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return &readResolutionOutput{Body: *r}, nil
}
