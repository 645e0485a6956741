package api

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"mianti/internal/fault"
	"mianti/safeguard"
)

// login is an authentication at the token endpoint: who it claims to be, and
// where it comes from.
func login(ctx context.Context, authorization string, form url.Values) safeguard.Attempt {
	a := safeguard.Attempt{Client: form.Get("client_id"), Address: requestOf(ctx).address}
	if id, _, ok := readBasic(authorization); ok {
		a.Client = id
	}
	if id, err := claimedClient(form.Get("client_assertion")); err == nil {
		a.Client = id
	}
	return a
}

// admit authenticates a client, but for one that failed too often, of which
// nothing is looked at, and one that is stopped.
func (s *server) admit(ctx context.Context, in *tokenRequest, form url.Values) (*client, error) {
	attempt := login(ctx, in.Authorization, form)
	if err := s.Safeguard.AdmitLogin(ctx, attempt); err != nil {
		return nil, refusedLogin(err)
	}
	who, err := s.authenticateClient(ctx, in.Authorization, form)
	var refused *oauthError
	if errors.As(err, &refused) && refused.status == http.StatusUnauthorized {
		if counting := s.Safeguard.LoginFailed(context.WithoutCancel(ctx), attempt); counting != nil {
			return nil, counting
		}
	}
	if err != nil {
		return nil, err
	}
	if err := s.Safeguard.SystemStopped(ctx, who.system.ID); err != nil {
		return nil, refusedLogin(err)
	}
	return who, nil
}

// refusedLogin puts what was refused into the form of the token endpoint.
func refusedLogin(err error) error {
	switch refused := fault.As(err); {
	case refused == nil:
		return err
	case refused.Kind == fault.Exhausted:
		return &oauthError{
			Code: "temporarily_unavailable", Description: "too many failed attempts, try again later", status: http.StatusTooManyRequests, wait: refused.Wait,
		}
	case refused.Kind == fault.Denied:
		return &oauthError{Code: "unauthorized_client", Description: "the client is stopped", status: http.StatusBadRequest}
	default:
		return err
	}
}
