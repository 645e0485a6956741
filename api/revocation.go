package api

import (
	"context"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// revocationResponse has no body: the status says it all (RFC 7009 §2.2).
type revocationResponse struct {
	CacheControl string `header:"Cache-Control"`
}

func (s *server) registerRevocation() {
	op := s.operation(http.MethodPost, revokePath, "revoke-token", "吊销访问令牌", "授权")
	op.Description = "RFC 7009。系统以换取令牌时的同样方式证明身份，只能吊销自己的令牌；令牌无效或已到期也返回 200。吊销在受理的实例随即生效，在其他实例 2 秒内生效。"
	op.DefaultStatus = http.StatusOK
	s.describeForm(&op, []string{"token"}, map[string]*huma.Schema{
		"token": formText("要吊销的访问令牌"), "token_type_hint": formText("可省略，不影响结果"),
	})
	handle(s, op, s.revokeToken)
}

// revokeToken ends an access token of the client that asks. A token that is none
// is no error: it is of no use to anybody.
func (s *server) revokeToken(ctx context.Context, in *tokenRequest) (*revocationResponse, error) {
	form, err := readForm(in)
	if err != nil {
		return nil, err
	}
	who, err := s.admit(ctx, in, form)
	if err != nil {
		return nil, s.tokenFailed(ctx, err)
	}
	setSystem(ctx, who.system.ID)
	if form.Get("token") == "" {
		return nil, badTokenRequest("token is missing")
	}
	done := &revocationResponse{CacheControl: "no-store"}
	token, err := s.verify(form.Get("token"))
	if err != nil {
		return done, nil // nothing that this server would accept
	}
	if token.system != who.system.ID {
		return nil, badTokenRequest("the token was given to another client")
	}
	if err := s.Tokens.RevokeToken(ctx, token.jti, token.expires); err != nil {
		return nil, s.tokenFailed(ctx, fmt.Errorf("revoke token: %w", err))
	}
	return done, nil
}
