package api_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// FAPI 2.0 Security Profile §5.3.2.1 (clocks): what is dated up to 10 s ahead is
// accepted, what is dated 60 s ahead or more is not.
func TestFAPI2_ClocksMayDifferByTenSecondsAndNotBySixty(t *testing.T) {
	t.Parallel()
	now := at().Unix()
	eachTokenKind(t, func(t *testing.T, k tokenKind) {
		for ahead, want := range map[int64]bool{0: true, 1: true, 8: true, 10: true, 60: false, 61: false, 3600: false} {
			for _, claim := range []string{"iat", "nbf"} {
				token := k.sign(k.header, k.fresh(members{claim: now + ahead}))
				if got := k.accepts(token); got != want {
					t.Errorf("%s %d s ahead is accepted: %v, want %v", claim, ahead, got, want)
				}
			}
		}
	})
}

// The row "JWT" of the attacks: one answer to them all, and nothing leaks.
func TestAttack_JWTs_GetOneAnswerAndFetchNothing(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	header, claims := h.goodToken()
	bodies := map[string]bool{}
	for _, token := range []string{
		"", "x", "a.b.c", signES256(h.key, header, claims.with(members{"exp": 1})), signES256(h.key, header.with(members{"alg": "none"}), claims),
		signES256(h.key, header, claims.with(members{"sub": "nobody", "client_id": "nobody"})), signES256(h.key, header, claims.with(members{"cred": "c9"})),
		signES256(h.key, header.with(members{"jku": "http://127.0.0.1:1"}), claims), signES256(h.key, header, claims.with(members{"cnf": members{"jkt": "x"}})),
		strings.Repeat("a", 20<<10),
	} {
		w := h.send(request(http.MethodGet, "/v1/departments", "", "Authorization", "Bearer "+token))
		p := wantProblem(t, w, http.StatusUnauthorized, "unauthenticated")
		bodies[strings.ReplaceAll(w.Body.String(), p.RequestID, "")] = true
		if got := w.Header().Get("WWW-Authenticate"); got != `Bearer realm="mianti", error="invalid_token"` {
			t.Errorf("challenge %q", got)
		}
		if len(token) > 20 && strings.Contains(h.log.String()+w.Body.String(), token[:20]) {
			t.Error("the token is in the log or in the answer")
		}
	}
	if len(bodies) != 1 {
		t.Errorf("%d different bodies, want one", len(bodies))
	}
}

// The row "smuggling, parsing", at the token endpoint: what could be read in two
// ways is refused.
func TestAttack_Smuggling_TheTokenEndpointReadsOneWay(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	grant := url.Values{"grant_type": {"client_credentials"}}.Encode()
	const form = "application/x-www-form-urlencoded"
	basic := func(r *http.Request) *http.Request { r.SetBasicAuth(ownSystem, secret); return r }
	two := basic(request(http.MethodPost, "/oauth/token", grant, "Content-Type", form))
	two.Header.Add("Authorization", "Basic eDp5")
	other := func(path string) *http.Request {
		return basic(request(http.MethodPost, path, grant, "Content-Type", form))
	}
	for name, r := range map[string]*http.Request{
		"two Authorization headers": two,
		"a parameter twice":         basic(request(http.MethodPost, "/oauth/token", grant+"&grant_type=password", "Content-Type", form)),
		"a semicolon":               basic(request(http.MethodPost, "/oauth/token", grant+";client_id=x", "Content-Type", form)),
		"the form in the query":     basic(request(http.MethodPost, "/oauth/token?"+grant, "", "Content-Type", form)),
		"multipart":                 basic(request(http.MethodPost, "/oauth/token", grant, "Content-Type", "multipart/form-data; boundary=x")),
		"two slashes":               other("//oauth/token"),
		"an encoded slash":          other("/oauth%2ftoken"),
		"a path parameter":          other("/oauth/token;x=y"),
		"a trailing slash":          other("/oauth/token/"),
		"a trailing dot":            other("/oauth/token."),
		"GET":                       basic(request(http.MethodGet, "/oauth/token?"+grant, "")),
	} {
		w := h.send(r)
		if w.Code < 400 || w.Code >= 500 || strings.Contains(w.Body.String(), "access_token") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}
