package api_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/golang-jwt/jwt/v5"
)

// The traps into which a program falls that uses its libraries as they are
// recommended. Each test shows first that the library lets the input through, so
// that the trap is a real one, and then that we do not.

// recommended parses as the library's documentation recommends: fixed methods,
// issuer, audience, and an expiry that must be there.
func recommended(t *testing.T, token string, claims jwt.Claims, key any, audience string, issuer string) error {
	t.Helper()
	_, err := jwt.NewParser(
		jwt.WithValidMethods([]string{"ES256", "EdDSA"}), jwt.WithIssuer(issuer), jwt.WithAudience(audience),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(10*time.Second), jwt.WithStrictDecoding(), jwt.WithTimeFunc(at),
	).ParseWithClaims(token, claims, func(*jwt.Token) (any, error) { return key, nil })
	return err
}

// trap is an input that the library accepts.
type trap struct {
	name           string
	header, claims members
	last           string // a member after all others
	asStruct       bool   // the claims are read into jwt.RegisteredClaims
}

// text gives the claims as JSON with the trap in them.
func (tr trap) text(t *testing.T, good members) string {
	t.Helper()
	raw, err := json.Marshal(good.with(tr.claims))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(string(raw), "}") + tr.last + "}"
}

func traps() []trap {
	now := at().Unix()
	return []trap{
		{name: "an unknown critical header", header: members{"crit": []string{"x"}, "x": 1}},
		{name: "b64 false", header: members{"b64": false, "crit": []string{"b64"}}},
		{name: "zip", header: members{"zip": "DEF"}},
		{name: "any type", header: members{"typ": "dpop+jwt"}},
		{name: "a nested token", header: members{"cty": "JWT"}},
		{name: "no subject", claims: members{"sub": nil}},
		{name: "an empty subject", claims: members{"sub": ""}},
		{name: "an expiry ten years ahead", claims: members{"exp": now + 10*365*24*3600}},
		{name: "exp past and Exp ahead", claims: members{"exp": now - 3600}, last: fmt.Sprintf(`,"Exp":%d`, now+60), asStruct: true},
		{name: "exp as text", claims: members{"exp": strconv.FormatInt(now+60, 10)}, asStruct: true},
	}
}

func (tr trap) isAcceptedByTheLibrary(t *testing.T, token string, key any, audience, issuer string) bool {
	t.Helper()
	if tr.asStruct {
		return recommended(t, token, &jwt.RegisteredClaims{}, key, audience, issuer) == nil
	}
	return recommended(t, token, jwt.MapClaims{}, key, audience, issuer) == nil
}

func TestTrap_JWTLibraryLetsThrough_AccessToken(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	header, claims := h.goodToken()
	if code := h.tryToken("Bearer " + signES256(h.key, header, claims)); code != http.StatusOK {
		t.Fatalf("a good one: %d", code)
	}
	for _, tr := range traps() {
		token := signES256(h.key, header.with(tr.header), tr.text(t, claims))
		if !tr.isAcceptedByTheLibrary(t, token, &h.key.PublicKey, issuer+"/v1", issuer) {
			t.Errorf("%s: the library refuses it, so this is no trap", tr.name)
		}
		if code := h.tryToken("Bearer " + token); code != http.StatusUnauthorized {
			t.Errorf("%s: %d", tr.name, code)
		}
	}
}

func TestTrap_JWTLibraryLetsThrough_ClientAssertion(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	public, _ := h.client.Public().(ed25519.PublicKey)
	for i, tr := range traps() {
		text := segment(members{"alg": "EdDSA", "typ": "JWT", "kid": "k1"}.with(tr.header)) + "." + segment(tr.text(t, members{
			"iss": "signer", "sub": "signer", "aud": issuer + "/oauth/token", "iat": at().Unix(), "exp": at().Unix() + 60, "jti": fmt.Sprint(i),
		}))
		token := text + "." + base64url(ed25519.Sign(h.client, []byte(text)))
		if !tr.isAcceptedByTheLibrary(t, token, public, issuer+"/oauth/token", "signer") {
			t.Errorf("%s: the library refuses it, so this is no trap", tr.name)
		}
		if code := h.assert(token); code != http.StatusUnauthorized {
			t.Errorf("%s: %d", tr.name, code)
		}
	}
}

// A proof has no issuer, audience, subject or expiry; what is left of the traps
// is in its header.
func TestTrap_JWTLibraryLetsThrough_DPoPProof(t *testing.T) {
	t.Parallel()
	h, p := newHarness(t), newProver(t)
	for _, tr := range traps() {
		if tr.header == nil || tr.name == "any type" {
			continue
		}
		token := p.proof(tr.header, nil)
		_, err := jwt.NewParser(jwt.WithValidMethods([]string{"ES256"}), jwt.WithIssuedAt(), jwt.WithStrictDecoding(), jwt.WithTimeFunc(at)).
			Parse(token, func(*jwt.Token) (any, error) { return &p.key.PublicKey, nil })
		if err != nil {
			t.Errorf("%s: the library refuses it, so this is no trap", tr.name)
		}
		if w := h.boundToken(ownSystem, token); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d", tr.name, w.Code)
		}
	}
}

// strings.CutPrefix without a look at its second result takes a token that has
// no scheme for one that has.
func TestTrap_CutPrefixTakesABareToken(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	token := h.token(ownSystem)
	if cut, _ := strings.CutPrefix(token, "Bearer "); cut != token {
		t.Fatal("this is no trap")
	}
	for _, header := range []string{token, " " + token, "Bearer" + token, "Token " + token, "Basic " + token, "Bearer, " + token} {
		if code := h.tryToken(header); code != http.StatusUnauthorized {
			t.Errorf("%.12s…: %d", header, code)
		}
	}
}

// gin believes X-Forwarded-For of everybody, unless it is told not to. The row
// "rate-limit bypass" of the attacks: what is recorded is the address of the
// socket, unless a trusted proxy says another.
func TestTrap_GinTrustsEveryProxy(t *testing.T) {
	t.Parallel()
	const socket, claimed = "192.0.2.7", "203.0.113.9"
	ask := func(handler http.Handler) {
		r := request(http.MethodGet, "/v1/departments", "", "Authorization", "Bearer x", "X-Forwarded-For", claimed, "X-Real-Ip", claimed, "Forwarded", "for="+claimed)
		r.RemoteAddr = socket + ":4711"
		handler.ServeHTTP(httptest.NewRecorder(), r)
	}
	seen := ""
	plain := gin.New()
	plain.GET("/v1/departments", func(c *gin.Context) { seen = c.ClientIP() })
	ask(plain)
	if seen != claimed {
		t.Fatalf("gin takes %s: this is no trap", seen)
	}
	h := newHarness(t)
	for name, tc := range map[string]struct {
		proxies []string
		want    string
	}{
		"none is trusted":    {nil, socket},
		"another is trusted": {[]string{"198.51.100.1"}, socket},
		"it is trusted":      {[]string{socket}, claimed},
	} {
		config := h.config
		config.TrustedProxies = tc.proxies
		h.log.Reset()
		ask(h.newHandler(config))
		if !bytes.Contains(h.log.Bytes(), []byte(`"peer":"`+tc.want+`"`)) {
			t.Errorf("%s: the log lacks %s: %s", name, tc.want, h.log)
		}
	}
}

// The address of somebody who signs in as a person is nobody's business.
func TestLog_HoldsNoAddressOfAPerson(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	r := request(http.MethodGet, "/v1/departments", "")
	r.RemoteAddr = "192.0.2.7:4711"
	h.send(r)
	if strings.Contains(h.log.String(), "192.0.2.7") {
		t.Errorf("log: %s", h.log)
	}
}
