package api_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"mianti/api"
	"mianti/ledger"
)

// addition makes the proof by which the signer adds a key, with some things
// changed.
func (h *harness) addition(jwk any, header, claims members) string {
	h.t.Helper()
	return h.assertion(members{"typ": "add-key+jwt"}.with(header), members{"jwk": jwk, "jti": "add-1"}.with(claims))
}

func ed25519JWK(t testing.TB, kid string) members {
	t.Helper()
	public, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return members{"kty": "OKP", "crv": "Ed25519", "x": base64url(public), "kid": kid}
}

// asSigner sends a request with a token that was got by private_key_jwt.
func (h *harness) asSigner(method, target, body string) *httptest.ResponseRecorder {
	h.t.Helper()
	w := h.send(tokenRequest(assertionForm(h.assertion(nil, members{"jti": "login-" + h.config.NewID()})), "", ""))
	var got struct {
		AccessToken string `json:"access_token"`
	}
	decode(h.t, w, &got)
	r := request(method, target, body, "Authorization", "Bearer "+got.AccessToken)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return h.send(r)
}

type systemBody struct {
	ID          string
	Credentials []struct {
		ID, Kind, State string
		KeyID           string `json:"key_id"`
		NotAfter        string `json:"not_after"`
		CreatedBy       string `json:"created_by"`
		InUse           bool   `json:"in_use"`
	}
}

func TestReadSystem_ShowsItsCredentialsAndNoSecret(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	w := h.call(ownSystem, http.MethodGet, "/v1/system", "")
	var got systemBody
	decode(t, w, &got)
	if got.ID != ownSystem || len(got.Credentials) != 1 || got.Credentials[0].State != "active" || !got.Credentials[0].InUse || got.Credentials[0].Kind != "secret" {
		t.Errorf("%+v", got)
	}
	if strings.Contains(w.Body.String(), "sha256") {
		t.Errorf("a digest is shown: %s", w.Body)
	}
}

func TestAddSystemKey_LetsASystemChangeItsKeyByItself(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	body := fmt.Sprintf(`{"proof":%q,"overlap_hours":72}`, h.addition(ed25519JWK(t, "k2"), nil, nil))
	w := h.asSigner(http.MethodPost, "/v1/system/keys", body)
	if w.Code != http.StatusCreated {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	var got systemBody
	decode(t, w, &got)
	if len(got.Credentials) != 2 || got.Credentials[0].NotAfter != "2026-11-26T09:00:00Z" ||
		got.Credentials[1].KeyID != "k2" || got.Credentials[1].CreatedBy != "system:signer" || got.Credentials[1].NotAfter != "" {
		t.Errorf("%+v", got.Credentials)
	}
	entries := h.memory.entries
	if len(entries) != 1 || entries[0].Kind != ledger.CredentialAdded || entries[0].Object != "system:signer" || entries[0].System != "signer" || entries[0].Why == "" {
		t.Errorf("entries %+v", entries)
	}
	if w := h.asSigner(http.MethodPost, "/v1/system/keys", body); w.Code != http.StatusConflict {
		t.Errorf("the same proof again: %d %s", w.Code, w.Body)
	}
}

func TestAddSystemKey_RefusesWhatThePresentKeyDoesNotVouchFor(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	jwk := ed25519JWK(t, "k2")
	private := jwk.with(members{"d": base64url(make([]byte, 32))})
	proof := func(text string) string { return fmt.Sprintf(`{"proof":%q}`, text) }
	_, foreign, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	strange := *h
	strange.client = foreign
	for name, tc := range map[string]struct {
		body   string
		status int
		code   string
	}{
		"a client assertion":     {proof(h.addition(jwk, members{"typ": "JWT"}, nil)), 422, "invalid-key-proof"},
		"no type":                {proof(h.addition(jwk, members{"typ": nil}, nil)), 422, "invalid-key-proof"},
		"signed by another":      {proof(strange.addition(jwk, nil, nil)), 422, "invalid-key-proof"},
		"of another system":      {proof(h.addition(jwk, nil, members{"iss": ownSystem, "sub": ownSystem})), 422, "invalid-key-proof"},
		"for another server":     {proof(h.addition(jwk, nil, members{"aud": "https://other.example"})), 422, "invalid-key-proof"},
		"expired":                {proof(h.addition(jwk, nil, members{"exp": at().Unix() - 1})), 422, "invalid-key-proof"},
		"garbage":                {proof("a.b.c"), 422, "invalid-key-proof"},
		"no key":                 {proof(h.addition(nil, nil, nil)), 422, "invalid-key"},
		"a private key":          {proof(h.addition(private, nil, nil)), 422, "invalid-key"},
		"a symmetric key":        {proof(h.addition(members{"kty": "oct", "k": "AAAA"}, nil, nil)), 422, "invalid-key"},
		"an overlap of no time":  {fmt.Sprintf(`{"proof":%q,"overlap_hours":0}`, h.addition(jwk, nil, nil)), 422, "invalid-request"},
		"something that is more": {fmt.Sprintf(`{"proof":%q,"system":"spj-approval"}`, h.addition(jwk, nil, nil)), 400, "unknown-field"},
	} {
		t.Run(name, func(t *testing.T) {
			wantProblem(t, h.asSigner(http.MethodPost, "/v1/system/keys", tc.body), tc.status, tc.code)
		})
	}
	w := h.call(ownSystem, http.MethodPost, "/v1/system/keys", proof(h.addition(jwk, nil, nil)))
	wantProblem(t, w, http.StatusForbidden, "key-needed")
	if len(h.memory.entries) != 0 || len(h.memory.systems["signer"].Credentials) != 1 {
		t.Error("something was changed")
	}
}

func TestAddSystemKey_TakesTheWordOfNoKeyButThatOfTheToken(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	_, second, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public, _ := second.Public().(ed25519.PublicKey)
	set := fmt.Sprintf(`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k2","x":%q}]}`, base64url(public))
	added, err := api.KeyCredentials([]byte(set), func() string { return "c2" }, at())
	if err != nil {
		t.Fatal(err)
	}
	h.memory.change(func(m *memory) {
		s := m.systems["signer"]
		s.Credentials = append(s.Credentials, added...)
		m.systems["signer"] = s
	})
	bySecond := *h
	bySecond.client = second
	proof := bySecond.addition(ed25519JWK(t, "k3"), members{"kid": "k2"}, nil)
	w := h.asSigner(http.MethodPost, "/v1/system/keys", fmt.Sprintf(`{"proof":%q}`, proof))
	wantProblem(t, w, http.StatusUnprocessableEntity, "invalid-key-proof")
}

func TestAssertion_ByAKeyThatHasEndedIsRefused(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.memory.change(func(m *memory) {
		s := m.systems["signer"]
		s.Credentials[0].NotAfter = at()
		m.systems["signer"] = s
	})
	if code := h.assert(h.assertion(nil, nil)); code != http.StatusUnauthorized {
		t.Errorf("%d", code)
	}
	var raw json.RawMessage = h.send(request(http.MethodGet, "/.well-known/oauth-authorization-server", "")).Body.Bytes()
	for _, name := range []string{`"revocation_endpoint":"https://mianti.example/oauth/revoke"`, `"dpop_signing_alg_values_supported":["ES256","EdDSA"]`, `"tls_client_certificate_bound_access_tokens":false`} {
		if !strings.Contains(string(raw), name) {
			t.Errorf("the metadata lack %s", name)
		}
	}
}
