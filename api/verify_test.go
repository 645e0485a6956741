package api_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"mianti/api"
)

type members map[string]any

// with gives a copy in which some members are others; nil takes one away.
func (m members) with(changed members) members {
	out := maps.Clone(m)
	for name, value := range changed {
		if value == nil {
			delete(out, name)
			continue
		}
		out[name] = value
	}
	return out
}

func segment(v any) string {
	raw, ok := v.(string) // JSON as it is
	if !ok {
		encoded, _ := json.Marshal(v)
		raw = string(encoded)
	}
	return base64url([]byte(raw))
}

func signES256(key *ecdsa.PrivateKey, header, claims any) string {
	text := segment(header) + "." + segment(claims)
	sum := sha256.Sum256([]byte(text))
	r, s, _ := ecdsa.Sign(rand.Reader, key, sum[:])
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return text + "." + base64url(signature)
}

func signHS256(key []byte, header, claims any) string {
	text := segment(header) + "." + segment(claims)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return text + "." + base64url(mac.Sum(nil))
}

// spareBit sets a bit of the last character that stands for nothing: a lax
// decoder reads the same signature from it.
func spareBit(token string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := len(token) - 1
	return token[:last] + string(alphabet[strings.IndexByte(alphabet, token[last])|1])
}

// goodToken gives header and claims as the server itself makes them.
func (h *harness) goodToken() (members, members) {
	w := h.send(request(http.MethodGet, "/.well-known/jwks.json", ""))
	var set struct{ Keys []struct{ Kid string } }
	decode(h.t, w, &set)
	now := at().Unix()
	header := members{"alg": "ES256", "typ": "at+jwt", "kid": set.Keys[0].Kid}
	return header, members{
		"iss": issuer, "aud": issuer + "/v1", "sub": ownSystem, "client_id": ownSystem, "department": "SPJ",
		"iat": now, "nbf": now, "exp": now + 600, "jti": "t-1",
		"cred": credentialOf(ownSystem),
	}
}

// tryToken asks for something with an Authorization header.
func (h *harness) tryToken(authorization string) int {
	return h.send(request(http.MethodGet, "/v1/departments", "", "Authorization", authorization)).Code
}

func TestAccessToken_IsAcceptedAsTheServerMakesIt(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	header, claims := h.goodToken()
	now := at().Unix()
	for name, token := range map[string]string{
		"forged like the real one": "Bearer " + signES256(h.key, header, claims),
		"the real one":             "Bearer " + h.token(ownSystem),
		"scheme in another case":   "bearer " + h.token(ownSystem),
		"a clock 10 s ahead":       "Bearer " + signES256(h.key, header, claims.with(members{"iat": now + 10, "nbf": now + 10, "exp": now + 600})),
	} {
		if code := h.tryToken(token); code != http.StatusOK {
			t.Errorf("%s: %d", name, code)
		}
	}
}

func TestAccessToken_IsRefusedWhateverIsWrongWithIt(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	header, claims := h.goodToken()
	now := at().Unix()
	foreign, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	der, _ := x509.MarshalPKIXPublicKey(&h.key.PublicKey)
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	good := signES256(h.key, header, claims)
	claim := func(changed members) string { return "Bearer " + signES256(h.key, header, claims.with(changed)) }
	head := func(changed members) string { return "Bearer " + signES256(h.key, header.with(changed), claims) }
	text, _ := json.Marshal(claims)
	twice := func(member string) string { // the same claims with one more member in front
		return "Bearer " + signES256(h.key, header, "{"+member+","+string(text[1:]))
	}
	for name, token := range map[string]string{
		"none":                      "",
		"bare token":                good,
		"basic":                     "Basic " + good,
		"two spaces":                "Bearer  " + good,
		"expired":                   claim(members{"iat": now - 700, "nbf": now - 700, "exp": now - 1}),
		"expires this second":       claim(members{"iat": now - 600, "exp": now}),
		"not yet":                   claim(members{"nbf": now + 60}),
		"issued 60 s ahead":         claim(members{"iat": now + 60, "exp": now + 660}),
		"far exp":                   claim(members{"exp": now + 10*365*24*3600}),
		"exp a second too far":      claim(members{"exp": now + 601}),
		"no exp":                    claim(members{"exp": nil}),
		"exp zero":                  claim(members{"exp": 0}),
		"exp as string":             claim(members{"exp": strconv.FormatInt(now+600, 10)}),
		"exp out of range":          claim(members{"exp": 1e300}),
		"Exp alone":                 claim(members{"exp": nil, "Exp": now + 600}),
		"exp past and Exp ahead":    claim(members{"exp": now - 10, "Exp": now + 600}),
		"exp good and Exp besides":  claim(members{"Exp": now + 600}),
		"exp twice":                 twice(`"exp":1`),
		"no iat":                    claim(members{"iat": nil}),
		"foreign issuer":            claim(members{"iss": "https://other.example"}),
		"no issuer":                 claim(members{"iss": nil}),
		"wrong audience":            claim(members{"aud": issuer}),
		"audience among others":     claim(members{"aud": []string{issuer + "/v1", "https://other.example"}}),
		"no audience":               claim(members{"aud": nil}),
		"missing sub":               claim(members{"sub": nil}),
		"empty sub":                 claim(members{"sub": "", "client_id": ""}),
		"sub is not the client":     claim(members{"sub": other}),
		"missing cred":              claim(members{"cred": nil}),
		"unknown cred":              claim(members{"cred": "c9"}),
		"another system's cred":     claim(members{"cred": credentialOf(other)}),
		"missing jti":               claim(members{"jti": nil}),
		"disabled system":           claim(members{"sub": disabled, "client_id": disabled, "cred": credentialOf(disabled)}),
		"unknown system":            claim(members{"sub": "nobody", "client_id": "nobody"}),
		"unsigned":                  "Bearer " + good[:strings.LastIndexByte(good, '.')+1],
		"two segments":              "Bearer " + good[:strings.LastIndexByte(good, '.')],
		"foreign key":               "Bearer " + signES256(foreign, header, claims),
		"alg none":                  "Bearer " + segment(header.with(members{"alg": "none"})) + "." + segment(claims) + ".",
		"HS256 with the public PEM": "Bearer " + signHS256(public, header.with(members{"alg": "HS256"}), claims),
		"HS256 with the public DER": "Bearer " + signHS256(der, header.with(members{"alg": "HS256"}), claims),
		"alg of another key":        head(members{"alg": "EdDSA"}),
		"alg in another case":       head(members{"alg": "es256"}),
		"wrong typ":                 head(members{"typ": "JWT"}),
		"no typ":                    head(members{"typ": nil}),
		"no kid":                    head(members{"kid": nil}),
		"unknown kid":               head(members{"kid": "other"}),
		"crit":                      head(members{"crit": []string{"exp"}, "exp": 1}),
		"unknown crit":              head(members{"crit": []string{"x"}, "x": 1}),
		"b64":                       head(members{"b64": false}),
		"zip":                       head(members{"zip": "DEF"}),
		"cty":                       head(members{"cty": "JWT"}),
		"jku":                       head(members{"jku": "http://127.0.0.1:1/keys"}),
		"jwk":                       head(members{"jwk": members{"kty": "EC"}}),
		"claims are no object":      "Bearer " + signES256(h.key, header, `[]`),
		"changed signature":         "Bearer " + good[:len(good)-4] + "AAAA",
		"padding":                   "Bearer " + good + "==",
		"spare bits of signature":   "Bearer " + spareBit(good),
		"huge":                      claim(members{"x": strings.Repeat("a", 9000)}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := h.send(request(http.MethodGet, "/v1/departments", "", "Authorization", token))
			p := wantProblem(t, w, http.StatusUnauthorized, "unauthenticated")
			if p.Detail != "没有有效的访问令牌。请到 /oauth/token 换取后重试。" || len(p.Errors) != 0 {
				t.Errorf("the body says which check failed: %s", w.Body)
			}
			if !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), `Bearer realm="mianti"`) {
				t.Errorf("challenge: %q", w.Header().Get("WWW-Authenticate"))
			}
		})
	}
}

func TestAccessToken_IsRefusedWhenGivenTwice(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	token := "Bearer " + h.token(ownSystem)
	w := h.send(request(http.MethodGet, "/v1/departments", "", "Authorization", token, "Authorization", token))
	wantProblem(t, w, http.StatusUnauthorized, "unauthenticated")
}

func TestAccessToken_DiesWithItsSystem(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	token := "Bearer " + h.token(ownSystem)
	if code := h.tryToken(token); code != http.StatusOK {
		t.Fatalf("before: %d", code)
	}
	h.memory.change(func(m *memory) {
		s := m.systems[ownSystem]
		s.Disabled = true
		m.systems[ownSystem] = s
	})
	if code := h.tryToken(token); code != http.StatusUnauthorized {
		t.Errorf("after: %d", code)
	}
}

func TestAccessToken_DepartmentComesFromTheRegister(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	id := h.open("JN-1")
	header, claims := h.goodToken()
	forged := "Bearer " + signES256(h.key, header, claims.with(members{"sub": other, "client_id": other, "cred": credentialOf(other), "department": "SPJ"}))
	w := h.send(request(http.MethodGet, "/v1/cases/"+id, "", "Authorization", forged))
	wantProblem(t, w, http.StatusNotFound, "unknown-case")
}

func TestAccessToken_OutlivesAChangeOfKeys(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	old := "Bearer " + h.token(ownSystem)
	next, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	keys, err := api.NewSigningKeys(next, &h.key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	config := h.config
	config.Keys = keys
	h.handler = h.newHandler(config)
	if code := h.tryToken(old); code != http.StatusOK {
		t.Errorf("a token of the older key: %d", code)
	}
	if code := h.tryToken("Bearer " + h.token(ownSystem)); code != http.StatusOK {
		t.Errorf("a token of the new key: %d", code)
	}
	var set struct{ Keys []map[string]string }
	decode(t, h.send(request(http.MethodGet, "/.well-known/jwks.json", "")), &set)
	if len(set.Keys) != 2 || set.Keys[0]["kid"] == set.Keys[1]["kid"] || set.Keys[0]["d"] != "" {
		t.Errorf("published keys: %v", set.Keys)
	}
}

func TestAccessToken_CannotBeCheckedWhileTheRegisterIsAway(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	token := "Bearer " + h.token(ownSystem)
	h.memory.change(func(m *memory) { m.fail = http.ErrServerClosed })
	w := h.send(request(http.MethodGet, "/v1/departments", "", "Authorization", token))
	p := wantProblem(t, w, http.StatusInternalServerError, "internal")
	if strings.Contains(w.Body.String(), "Server closed") || p.Fault != "exchange" {
		t.Errorf("an internal error shows its cause: %s", w.Body)
	}
}
