package api

import (
	"context"
	"net/http"

	"mianti/exchange"
)

type closeCaseInput struct {
	CasePath
	Body struct {
		Reason string `json:"reason" enum:"withdrawn,finished" doc:"撤回 withdrawn, 办结 finished"`
	}
}

func (s *server) registerClosing(tag string) {
	closing := s.operation(http.MethodPost, casesPath+"/{id}/closing", "close-case", "关闭办件", tag, 404, 409, 410, 422)
	closing.Description = "关闭后只能读取：不再核验、更改、登记结果或已交材料。以同一原因再次关闭，结果相同。"
	handle(s, closing, s.closeCase)
}

func (s *server) closeCase(ctx context.Context, in *closeCaseInput) (*caseOutput, error) {
	c, err := s.Exchange.CloseCase(ctx, callerOf(ctx), in.ID, exchange.ClosingReason(in.Body.Reason))
	if err != nil {
		return nil, err
	}
	return s.render(ctx, c)
}

// closingProblems are those of a case that is closed.
func closingProblems() map[string]problemText {
	return map[string]problemText{
		"case-destroyed":  {title: "办件内容已销毁", explanation: "使用目的完成或保存期限届满后，办件的内容已按期销毁，不能恢复。核验结果只能读到各项材料的结论。"},
		"keys-missing":    {title: "没有密钥", explanation: "程序没有密钥文件，不能读写办件内容。请联系运维。"},
		"key-missing":     {title: "缺少密钥", explanation: "密钥文件中缺少加密内容所用的密钥。请联系运维。"},
		"case-closed":     {title: "办件已关闭", explanation: "关闭的办件只能读取。确需继续办理的，请以新的办件编号登记办件。"},
		"invalid-closing": {title: "办结原因不符合要求", explanation: "办结原因须是 withdrawn（撤回）或 finished（办结）。"},
	}
}
