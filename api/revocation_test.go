package api_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// revoke asks as a system that a token be revoked.
func (h *harness) revoke(system, password string, form url.Values) *httptest.ResponseRecorder {
	r := tokenRequest(form, system, password)
	r.URL.Path = "/oauth/revoke"
	return h.send(r)
}

// RFC 7009 §2.2: a token that is none is no error.
func TestRevoke_EndsTheTokenAndNoOther(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	mine, second := h.token(ownSystem), h.token(ownSystem)
	for name, form := range map[string]url.Values{
		"the token": {"token": {mine}}, "again": {"token": {mine}}, "with a hint": {"token": {mine}, "token_type_hint": {"refresh_token"}},
		"garbage": {"token": {"a.b.c"}},
	} {
		w := h.revoke(ownSystem, secret, form)
		if w.Code != http.StatusOK || w.Body.Len() != 0 || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	if got, left := h.tryToken("Bearer "+mine), h.tryToken("Bearer "+second); got != http.StatusUnauthorized || left != http.StatusOK {
		t.Errorf("the revoked one: %d, the other: %d", got, left)
	}
}

func TestRevoke_RefusesOthersTokensAndUnknownClients(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	token := h.token(other)
	for name, tc := range map[string]struct {
		w      *httptest.ResponseRecorder
		status int
		code   string
	}{
		"another's token": {h.revoke(ownSystem, secret, url.Values{"token": {token}}), 400, "invalid_request"},
		"wrong secret":    {h.revoke(other, "x", url.Values{"token": {token}}), 401, "invalid_client"},
		"no client":       {h.revoke("", "", url.Values{"token": {token}}), 401, "invalid_client"},
		"no token":        {h.revoke(other, secret, url.Values{}), 400, "invalid_request"},
		"token twice":     {h.revoke(other, secret, url.Values{"token": {token, token}}), 400, "invalid_request"},
	} {
		if tc.w.Code != tc.status || !strings.Contains(tc.w.Body.String(), `"`+tc.code+`"`) {
			t.Errorf("%s: %d %s", name, tc.w.Code, tc.w.Body)
		}
	}
	if code := h.tryToken("Bearer " + token); code != http.StatusOK {
		t.Errorf("the token was revoked: %d", code)
	}
}
