package api_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"mianti/exchange"
)

// prover makes DPoP proofs with a key of its own.
type prover struct {
	key *ecdsa.PrivateKey
	jwk members
	n   int
}

func newProver(t testing.TB) *prover {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := jose.JSONWebKey{Key: &key.PublicKey}.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	p := &prover{key: key}
	if err := json.Unmarshal(raw, &p.jwk); err != nil {
		t.Fatal(err)
	}
	return p
}

// proof makes a proof for the token endpoint, with some things changed.
func (p *prover) proof(header, claims members) string {
	p.n++
	goodHeader := members{"typ": "dpop+jwt", "alg": "ES256", "jwk": p.jwk}
	goodClaims := members{"jti": fmt.Sprintf("p-%d", p.n), "htm": "POST", "htu": issuer + "/oauth/token", "iat": at().Unix()}
	return signES256(p.key, goodHeader.with(header), goodClaims.with(claims))
}

// use makes a proof for reading the departments with a token.
func (p *prover) use(token string, header, claims members) string {
	sum := sha256.Sum256([]byte(token))
	good := members{"htm": "GET", "htu": issuer + "/v1/departments", "ath": base64url(sum[:])}
	maps.Copy(good, claims) // also what is to be left out
	return p.proof(header, good)
}

// boundToken asks for a token with proofs.
func (h *harness) boundToken(system string, proofs ...string) *httptest.ResponseRecorder {
	r := tokenRequest(url.Values{"grant_type": {"client_credentials"}}, system, secret)
	for _, p := range proofs {
		r.Header.Add("DPoP", p)
	}
	return h.send(r)
}

// boundTo gets a token that is bound to the prover's key.
func (h *harness) boundTo(p *prover) string {
	h.t.Helper()
	w := h.boundToken(ownSystem, p.proof(nil, nil))
	var got struct {
		AccessToken string `json:"access_token"`
		TokenType   string `json:"token_type"`
	}
	decode(h.t, w, &got)
	if w.Code != http.StatusOK || got.TokenType != "DPoP" {
		h.t.Fatalf("%d %s", w.Code, w.Body)
	}
	return got.AccessToken
}

// tryProofs asks for the departments with a token under a scheme.
func (h *harness) tryProofs(scheme, token string, proofs ...string) *httptest.ResponseRecorder {
	r := request(http.MethodGet, "/v1/departments", "", "Authorization", scheme+" "+token)
	for _, p := range proofs {
		r.Header.Add("DPoP", p)
	}
	return h.send(r)
}

func claimsOf(t testing.TB, token string) map[string]any {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(raw, &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

func TestDPoP_BindsATokenToTheKeyOfItsProof(t *testing.T) {
	t.Parallel()
	h, p := newHarness(t), newProver(t)
	token := h.boundTo(p)
	sum, err := (&jose.JSONWebKey{Key: &p.key.PublicKey}).Thumbprint(crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	if cnf, _ := claimsOf(t, token)["cnf"].(map[string]any); cnf["jkt"] != base64url(sum) || len(cnf) != 1 {
		t.Errorf("cnf is %v", cnf)
	}
	proof := p.use(token, nil, nil)
	if w := h.tryProofs("DPoP", token, proof); w.Code != http.StatusOK {
		t.Fatalf("with its proof: %d %s", w.Code, w.Body)
	}
	if w := h.tryProofs("DPoP", token, proof); w.Code != http.StatusUnauthorized {
		t.Errorf("the proof again: %d", w.Code)
	}
	if w := h.tryProofs("dpop", token, p.use(token, nil, nil)); w.Code != http.StatusOK {
		t.Errorf("the scheme in another case: %d", w.Code)
	}
}

func TestDPoP_RefusesATokenWithoutItsProof(t *testing.T) {
	t.Parallel()
	h, p, thief := newHarness(t), newProver(t), newProver(t)
	token, plain := h.boundTo(p), h.token(ownSystem)
	for name, w := range map[string]*httptest.ResponseRecorder{
		"as a bearer token":            h.tryProofs("Bearer", token),
		"as a bearer token with proof": h.tryProofs("Bearer", token, p.use(token, nil, nil)),
		"no proof":                     h.tryProofs("DPoP", token),
		"two proofs":                   h.tryProofs("DPoP", token, p.use(token, nil, nil), p.use(token, nil, nil)),
		"another's proof":              h.tryProofs("DPoP", token, thief.use(token, nil, nil)),
		"a bearer token as DPoP":       h.tryProofs("DPoP", plain, p.use(plain, nil, nil)),
	} {
		wantProblem(t, w, http.StatusUnauthorized, "unauthenticated")
		if strings.HasPrefix(name, "as a") == strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "DPoP ") {
			t.Errorf("%s: challenge %q", name, w.Header().Get("WWW-Authenticate"))
		}
	}
}

// badProofs are ways in which a proof can be wrong, at both places.
func badProofs(p *prover) map[string][2]members {
	now := at().Unix()
	private := p.jwk.with(members{"d": base64url(make([]byte, 32))}) // that it is there is enough
	return map[string][2]members{
		"another method":         {nil, {"htm": "PUT"}},
		"method in another case": {nil, {"htm": "post"}},
		"no method":              {nil, {"htm": nil}},
		"another host":           {nil, {"htu": "https://other.example/oauth/token"}},
		"another path":           {nil, {"htu": issuer + "/v1/matters"}},
		"another scheme":         {nil, {"htu": "http://mianti.example/oauth/token"}},
		"another port":           {nil, {"htu": "https://mianti.example:444/oauth/token"}},
		"a user in the address":  {nil, {"htu": "https://a@mianti.example/oauth/token"}},
		"no address":             {nil, {"htu": nil}},
		"iat 61 s ago":           {nil, {"iat": now - 61}},
		"iat 60 s ahead":         {nil, {"iat": now + 60}},
		"iat as text":            {nil, {"iat": fmt.Sprint(now)}},
		"no iat":                 {nil, {"iat": nil}},
		"no jti":                 {nil, {"jti": nil}},
		"empty jti":              {nil, {"jti": ""}},
		"long jti":               {nil, {"jti": strings.Repeat("j", 256)}},
		"expired":                {nil, {"exp": now - 11}},
		"nbf 60 s ahead":         {nil, {"nbf": now + 60}},
		"no typ":                 {{"typ": nil}, nil},
		"typ JWT":                {{"typ": "JWT"}, nil},
		"no key":                 {{"jwk": nil}, nil},
		"a private key":          {{"jwk": private}, nil},
		"a symmetric key":        {{"jwk": members{"kty": "oct", "k": "AAAA"}, "alg": "HS256"}, nil},
		"alg none":               {{"alg": "none"}, nil},
		"alg of another key":     {{"alg": "EdDSA"}, nil},
		"crit":                   {{"crit": []string{"x"}, "x": 1}, nil},
		"kid":                    {{"kid": "k"}, nil},
	}
}

func TestDPoP_RefusesAWrongProofWhereATokenIsAskedFor(t *testing.T) {
	t.Parallel()
	h, p := newHarness(t), newProver(t)
	for name, changed := range badProofs(p) {
		if name == "another path" {
			changed = [2]members{nil, {"htu": issuer + "/oauth/revoke"}}
		}
		w := h.boundToken(ownSystem, p.proof(changed[0], changed[1]))
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), `"invalid_dpop_proof"`) || strings.Contains(w.Body.String(), "access_token") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	one := p.proof(nil, nil)
	if w := h.boundToken(ownSystem, one, p.proof(nil, nil)); w.Code != http.StatusBadRequest {
		t.Errorf("two proofs: %d", w.Code)
	}
	if first, again := h.boundToken(ownSystem, one), h.boundToken(ownSystem, one); first.Code != 200 || again.Code != http.StatusBadRequest {
		t.Errorf("a proof twice: %d, %d", first.Code, again.Code)
	}
}

func TestDPoP_RefusesAWrongProofWhereATokenIsUsed(t *testing.T) {
	t.Parallel()
	h, p := newHarness(t), newProver(t)
	token := h.boundTo(p)
	bad := badProofs(p)
	bad["proof for the token endpoint"] = [2]members{nil, {"htm": "POST", "htu": issuer + "/oauth/token"}}
	bad["no ath"] = [2]members{nil, {"ath": nil}}
	bad["ath of another token"] = [2]members{nil, {"ath": base64url(make([]byte, 32))}}
	for name, changed := range bad {
		w := h.tryProofs("DPoP", token, p.use(token, changed[0], changed[1]))
		wantProblem(t, w, http.StatusUnauthorized, "unauthenticated")
		if want := `DPoP realm="mianti", error="invalid_dpop_proof", algs="ES256 EdDSA"`; w.Header().Get("WWW-Authenticate") != want {
			t.Errorf("%s: challenge %q", name, w.Header().Get("WWW-Authenticate"))
		}
	}
}

// The address in a proof is compared with the one that callers know us by; what
// the Host header says is the caller's own invention.
func TestDPoP_TakesTheAddressFromTheIssuerAndNotFromTheHostHeader(t *testing.T) {
	t.Parallel()
	h, p := newHarness(t), newProver(t)
	token := h.boundTo(p)
	for address, want := range map[string]int{
		issuer + "/v1/departments":                    200,
		"HTTPS://MIANTI.example:443/v1/departments":   200,
		issuer + "/v1/departments?page=2#x":           200, // RFC 9449 §4.3: both are left out
		"https://proxy.internal/v1/departments":       401,
		"http://proxy.internal:8080/v1/departments":   401,
		issuer + "/v1/departments/":                   401,
		issuer + "/v1/../v1/departments":              401,
		"https://mianti.example.evil/v1/departments":  401,
		"https://mianti.example%2ev1/v1/departments":  401,
		"https:mianti.example/v1/departments":         401,
		"//mianti.example/v1/departments":             401,
		"https://mianti.example\t/v1/departments":     401,
		"https://mianti.example@evil/v1/departments":  401,
		"https://evil#@mianti.example/v1/departments": 401,
	} {
		r := request(http.MethodGet, "/v1/departments", "", "Authorization", "DPoP "+token, "DPoP", p.use(token, nil, members{"htu": address}))
		r.Host = "proxy.internal"
		r.Header.Set("X-Forwarded-Host", "proxy.internal")
		if w := h.send(r); w.Code != want {
			t.Errorf("%s: %d, want %d", address, w.Code, want)
		}
	}
}

func TestDPoP_IsEnforcedForASystemThatMustUseIt(t *testing.T) {
	t.Parallel()
	h, p := newHarness(t), newProver(t)
	before := h.token(ownSystem)
	h.memory.change(func(m *memory) {
		s := m.systems[ownSystem]
		s.Requires = exchange.BindingDPoP
		m.systems[ownSystem] = s
	})
	if w := h.boundToken(ownSystem); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "invalid_dpop_proof") {
		t.Errorf("a plain token: %d %s", w.Code, w.Body)
	}
	if code := h.tryToken("Bearer " + before); code != http.StatusUnauthorized {
		t.Errorf("a plain token from before: %d", code)
	}
	token := h.boundTo(p)
	if w := h.tryProofs("DPoP", token, p.use(token, nil, nil)); w.Code != http.StatusOK {
		t.Errorf("a bound token: %d", w.Code)
	}
}

func TestAccessToken_IsRefusedWhenItIsBoundToWhatWeDoNotKnow(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	header, claims := h.goodToken()
	for name, cnf := range map[string]any{
		"nothing": members{}, "text": "x", "list": []any{}, "null": json.RawMessage("null"), "another way": members{"jwk": members{}},
		"a number": members{"jkt": 1}, "empty": members{"jkt": ""}, "one more": members{"jkt": "x", "osc": "y"},
	} {
		if code := h.tryToken("Bearer " + signES256(h.key, header, claims.with(members{"cnf": cnf}))); code != http.StatusUnauthorized {
			t.Errorf("%s: %d", name, code)
		}
	}
}

func TestDPoP_ChallengesThoseWhoBringNothing(t *testing.T) {
	t.Parallel()
	got := newHarness(t).send(request(http.MethodGet, "/v1/departments", "")).Header().Values("WWW-Authenticate")
	if len(got) != 2 || got[0] != `Bearer realm="mianti"` || got[1] != `DPoP realm="mianti", algs="ES256 EdDSA"` {
		t.Errorf("challenges: %q", got)
	}
}
