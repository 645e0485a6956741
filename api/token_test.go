package api_test

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"mianti/internal/fault"
)

func TestToken_IsGivenForTheSecret(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	w := h.send(tokenRequest(url.Values{"grant_type": {"client_credentials"}}, ownSystem, secret))
	var got struct {
		AccessToken string `json:"access_token"`
		TokenType   string `json:"token_type"`
		ExpiresIn   int    `json:"expires_in"`
	}
	decode(t, w, &got)
	if w.Code != http.StatusOK || got.TokenType != "Bearer" || got.ExpiresIn != 600 || strings.Count(got.AccessToken, ".") != 2 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Pragma") != "no-cache" {
		t.Errorf("headers %v", w.Header())
	}
	if strings.Contains(h.log.String(), secret) || strings.Contains(h.log.String(), got.AccessToken) {
		t.Error("a secret is in the log")
	}
}

func TestToken_IsRefusedInTheFormOfRFC6749(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	grant := url.Values{"grant_type": {"client_credentials"}}
	with := func(name, value string) url.Values {
		return url.Values{"grant_type": {"client_credentials"}, name: {value}}
	}
	raw := func(body string, headers ...string) *http.Request {
		return request(http.MethodPost, "/oauth/token", body, headers...)
	}
	form := "application/x-www-form-urlencoded"
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte(ownSystem+":"+secret))
	for name, tc := range map[string]struct {
		request *http.Request
		status  int
		code    string
	}{
		"wrong secret":       {tokenRequest(grant, ownSystem, "x"+secret[1:]), 401, "invalid_client"},
		"empty secret":       {tokenRequest(grant, ownSystem, ""), 401, "invalid_client"},
		"unknown system":     {tokenRequest(grant, "nobody", secret), 401, "invalid_client"},
		"disabled system":    {tokenRequest(grant, disabled, secret), 401, "invalid_client"},
		"system without one": {tokenRequest(grant, "signer", ""), 401, "invalid_client"},
		"no credentials":     {tokenRequest(grant, "", ""), 401, "invalid_client"},
		"another client_id":  {tokenRequest(with("client_id", other), ownSystem, secret), 401, "invalid_client"},
		"secret in the form": {tokenRequest(with("client_secret", secret), "", ""), 400, "invalid_request"},
		"two methods":        {tokenRequest(with("client_assertion", "x"), ownSystem, secret), 400, "invalid_request"},
		"no grant type":      {tokenRequest(url.Values{}, ownSystem, secret), 400, "invalid_request"},
		"other grant type":   {tokenRequest(url.Values{"grant_type": {"password"}}, ownSystem, secret), 400, "unsupported_grant_type"},
		"a scope":            {tokenRequest(with("scope", "all"), ownSystem, secret), 400, "invalid_scope"},
		"grant type twice":   {raw("grant_type=client_credentials&grant_type=client_credentials", "Content-Type", form, "Authorization", basic), 400, "invalid_request"},
		"JSON":               {raw(`{"grant_type":"client_credentials"}`, "Content-Type", "application/json", "Authorization", basic), 400, "invalid_request"},
		"broken form":        {raw("grant_type=%zz", "Content-Type", form, "Authorization", basic), 400, "invalid_request"},
		"empty":              {raw("", "Content-Type", form, "Authorization", basic), 400, "invalid_request"},
		"huge":               {raw(strings.Repeat("a", 20000), "Content-Type", form, "Authorization", basic), 413, "invalid_request"},
		"broken basic":       {raw(grant.Encode(), "Content-Type", form, "Authorization", "Basic !"), 401, "invalid_client"},
		"bearer":             {raw(grant.Encode(), "Content-Type", form, "Authorization", "Bearer x"), 401, "invalid_client"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := h.send(tc.request)
			var got struct {
				Error       string `json:"error"`
				Description string `json:"error_description"`
			}
			decode(t, w, &got)
			if w.Code != tc.status || got.Error != tc.code || got.Description == "" {
				t.Errorf("got %d %s, want %d %s", w.Code, w.Body, tc.status, tc.code)
			}
			if w.Header().Get("Cache-Control") != "no-store" || !strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") {
				t.Errorf("headers %v", w.Header())
			}
			if tc.status == 401 && !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Basic ") {
				t.Errorf("no challenge")
			}
		})
	}
}

func TestToken_WaitsForTheRegister(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for err, want := range map[error]string{
		fault.New(fault.Unavailable, "database-unavailable", "away"): `{"error":"temporarily_unavailable"`,
		errors.New("broken"): `{"error":"server_error"`,
	} {
		h.memory.change(func(m *memory) { m.fail = err })
		w := h.send(tokenRequest(url.Values{"grant_type": {"client_credentials"}}, ownSystem, secret))
		if w.Code < 500 || !strings.HasPrefix(w.Body.String(), want) || strings.Contains(w.Body.String(), "broken") {
			t.Errorf("%v: %d %s", err, w.Code, w.Body)
		}
	}
}

func TestToken_ServesAClientThatIsNotOurs(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	// The library takes the time of day for the expiry, which is not the test's.
	server := httptest.NewServer(h.handler)
	t.Cleanup(server.Close)
	config := clientcredentials.Config{
		ClientID: ownSystem, ClientSecret: secret, TokenURL: server.URL + "/oauth/token", AuthStyle: oauth2.AuthStyleInHeader,
	}
	token, err := config.Token(context.Background())
	if err != nil {
		t.Fatalf("token: %v", err)
	}
	r := request(http.MethodGet, "/v1/matters/S01.M1", "")
	token.SetAuthHeader(r)
	if w := h.send(r); w.Code != http.StatusOK {
		t.Errorf("call with it: %d %s", w.Code, w.Body)
	}
	config.ClientSecret = "wrong"
	if _, err := config.Token(context.Background()); err == nil || !strings.Contains(err.Error(), "invalid_client") {
		t.Errorf("wrong secret: %v", err)
	}
}

// assertion makes a client assertion with one thing changed.
func (h *harness) assertion(header, claims members) string {
	now := at().Unix()
	goodHeader := members{"alg": "EdDSA", "typ": "JWT", "kid": "k1"}
	goodClaims := members{"iss": "signer", "sub": "signer", "aud": issuer + "/oauth/token", "iat": now, "exp": now + 60, "jti": "a-1"}
	text := segment(goodHeader.with(header)) + "." + segment(goodClaims.with(claims))
	return text + "." + base64url(ed25519.Sign(h.client, []byte(text)))
}

func assertionForm(assertion string) url.Values {
	return url.Values{
		"grant_type": {"client_credentials"}, "client_assertion": {assertion},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
	}
}

func (h *harness) assert(assertion string) int {
	return h.send(tokenRequest(assertionForm(assertion), "", "")).Code
}

func TestAssertion_IsGoodForOneToken(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	first := h.assertion(nil, nil)
	if code := h.assert(first); code != http.StatusOK {
		t.Fatalf("first: %d", code)
	}
	if code := h.assert(first); code != http.StatusUnauthorized {
		t.Errorf("replayed: %d", code)
	}
	if code := h.assert(h.assertion(nil, members{"exp": at().Unix() + 30})); code != http.StatusUnauthorized {
		t.Errorf("the same jti in another assertion: %d", code)
	}
}

func TestAssertion_IsAcceptedInEveryGoodForm(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	now := at().Unix()
	for name, claims := range map[string]members{
		"audience is the issuer": {"jti": "b1", "aud": issuer},
		"audience as a list":     {"jti": "b2", "aud": []string{issuer}},
		"clock 10 s ahead":       {"jti": "b3", "iat": now + 10, "nbf": now + 10},
		"exp 5 min ahead":        {"jti": "b4", "exp": now + 300},
		"without iat":            {"jti": "b5", "iat": nil},
	} {
		if code := h.assert(h.assertion(nil, claims)); code != http.StatusOK {
			t.Errorf("%s: %d", name, code)
		}
	}
	if code := h.assert(h.assertion(members{"typ": "client-authentication+jwt"}, members{"jti": "b6"})); code != http.StatusOK {
		t.Errorf("explicit type: %d", code)
	}
}

func TestAssertion_IsRefusedWhateverIsWrongWithIt(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	now := at().Unix()
	good := h.assertion(nil, nil)
	for name, assertion := range map[string]string{
		"expired":               h.assertion(nil, members{"exp": now - 1}),
		"expires now":           h.assertion(nil, members{"exp": now}),
		"exp over 5 min ahead":  h.assertion(nil, members{"exp": now + 301}),
		"no exp":                h.assertion(nil, members{"exp": nil}),
		"exp as string":         h.assertion(nil, members{"exp": strconv.FormatInt(now+60, 10)}),
		"Exp besides":           h.assertion(nil, members{"Exp": now + 60}),
		"iat 60 s ahead":        h.assertion(nil, members{"iat": now + 60}),
		"nbf 60 s ahead":        h.assertion(nil, members{"nbf": now + 60}),
		"nbf as string":         h.assertion(nil, members{"nbf": "1"}),
		"another audience":      h.assertion(nil, members{"aud": "https://other.example"}),
		"our own API":           h.assertion(nil, members{"aud": issuer + "/v1"}),
		"two audiences":         h.assertion(nil, members{"aud": []string{issuer, "https://other.example"}}),
		"no audience":           h.assertion(nil, members{"aud": nil}),
		"missing sub":           h.assertion(nil, members{"sub": nil}),
		"iss is another":        h.assertion(nil, members{"iss": ownSystem}),
		"missing jti":           h.assertion(nil, members{"jti": nil}),
		"empty jti":             h.assertion(nil, members{"jti": ""}),
		"long jti":              h.assertion(nil, members{"jti": strings.Repeat("j", 256)}),
		"unknown system":        h.assertion(nil, members{"iss": "nobody", "sub": "nobody"}),
		"system without keys":   h.assertion(nil, members{"iss": ownSystem, "sub": ownSystem}),
		"unknown kid":           h.assertion(members{"kid": "k2"}, nil),
		"no kid":                h.assertion(members{"kid": nil}, nil),
		"other algorithm":       h.assertion(members{"alg": "ES256"}, nil),
		"alg none":              h.assertion(members{"alg": "none"}, nil),
		"HS256":                 signHS256(h.client.Public().(ed25519.PublicKey), members{"alg": "HS256", "typ": "JWT", "kid": "k1"}, members{"iss": "signer", "sub": "signer", "aud": issuer, "exp": now + 60, "jti": "x"}),
		"an access token's typ": h.assertion(members{"typ": "at+jwt"}, nil),
		"empty typ":             h.assertion(members{"typ": ""}, nil),
		"typ is no text":        h.assertion(members{"typ": 1}, nil),
		"crit":                  h.assertion(members{"crit": []string{"x"}, "x": 1}, nil),
		"b64":                   h.assertion(members{"b64": false}, nil),
		"zip":                   h.assertion(members{"zip": "DEF"}, nil),
		"jku":                   h.assertion(members{"jku": "http://127.0.0.1:1"}, nil),
		"unsigned":              good[:strings.LastIndexByte(good, '.')+1],
		"garbage":               "a.b.c",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := h.send(tokenRequest(assertionForm(assertion), "", ""))
			if w.Code != http.StatusUnauthorized || !strings.Contains(w.Body.String(), `"client authentication failed"`) {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
}

func TestAssertion_NeedsItsType(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	form := assertionForm(h.assertion(nil, nil))
	form.Set("client_assertion_type", "other")
	if w := h.send(tokenRequest(form, "", "")); w.Code != http.StatusBadRequest {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	form = assertionForm(h.assertion(nil, nil))
	form.Set("client_id", ownSystem)
	if w := h.send(tokenRequest(form, "", "")); w.Code != http.StatusUnauthorized {
		t.Errorf("another client_id: %d %s", w.Code, w.Body)
	}
}
