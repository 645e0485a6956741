package api

import (
	"context"
	"net/http"

	"mianti/ledger/anchor"
)

const anchorsPath = "/v1/ledger/anchors"

// Anchors knows how far the parties outside are behind the ledger.
type Anchors interface {
	Report(ctx context.Context) (*anchor.Report, error)
}

type anchorsOutput struct {
	Body *anchor.Report
}

func (s *server) registerAnchors() {
	op := s.operation(http.MethodGet, anchorsPath, "list-anchors", "存证锚定情况", "存证")
	op.Description = "存证日志的检查点交给了哪些见证方和时间戳机构，各落后多少条，以及为什么。锚定方不可用时业务照常，差距在此显示。"
	handle(s, op, s.listAnchors)
}

func (s *server) listAnchors(ctx context.Context, _ *struct{}) (*anchorsOutput, error) {
	if s.Anchors == nil {
		return &anchorsOutput{Body: &anchor.Report{Gaps: []anchor.Gap{}}}, nil
	}
	report, err := s.Anchors.Report(ctx)
	if err != nil {
		return nil, err
	}
	return &anchorsOutput{Body: report}, nil
}
