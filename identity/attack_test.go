package identity_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"mianti/identity"
	"mianti/identity/testprovider"
)

// wantNoSession checks that an answer is a plain refusal, and that nobody is
// signed in by it.
func wantNoSession(t *testing.T, s *site, b *browser, a answer, status int) {
	t.Helper()
	if a.status != status || b.cookie(s, "mianti") != "" {
		t.Errorf("status %d, session %q; want %d and none\n%s", a.status, b.cookie(s, "mianti"), status, a.body)
	}
	if _, got := b.whoami(s); got != http.StatusUnauthorized {
		t.Errorf("afterwards: %d, want 401", got)
	}
	if n := len(s.entries()); n != 0 {
		t.Errorf("%d entries, want none", n)
	}
}

// changed gives an address with one parameter changed; "" takes it away.
func changed(t *testing.T, address, name, value string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if q.Set(name, value); value == "" {
		q.Del(name)
	}
	u.RawQuery = q.Encode()
	return u.String()
}

func TestCallback_RefusesAnswersThatDoNotBelongToTheSignIn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		of   func(t *testing.T, callback string) string
	}{
		{"wrong state", func(t *testing.T, to string) string { return changed(t, to, "state", "WRONG") }},
		{"no state", func(t *testing.T, to string) string { return changed(t, to, "state", "") }},
		{"no code", func(t *testing.T, to string) string { return changed(t, to, "code", "") }},
		{"made-up code", func(t *testing.T, to string) string { return changed(t, to, "code", "AAAA") }},
		{"another issuer", func(t *testing.T, to string) string { return changed(t, to, "iss", "https://evil.example") }},
		{"the staff's code at the citizens' callback", func(_ *testing.T, to string) string {
			return strings.Replace(to, "/auth/callback/staff", "/auth/callback/citizen", 1)
		}},
		{"provider returns an error", func(t *testing.T, to string) string {
			return changed(t, changed(t, to, "error", "access_denied"), "error_description", "<script>alert(1)</script>")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, b := newSite(t, siteSettings{}), newBrowser(t)
			a := b.get(c.of(t, b.callback(s, "staff", "s-1")))
			wantNoSession(t, s, b, a, http.StatusForbidden)
			if strings.Contains(a.body, "<script>") || strings.Contains(a.body, "access_denied") {
				t.Errorf("the provider's text is shown: %s", a.body)
			}
		})
	}
}

func TestCallback_RefusesTokensThatDoNotHold(t *testing.T) {
	t.Parallel()
	claim := func(name string, value any) func(*testprovider.IDToken) {
		return func(t *testprovider.IDToken) {
			if t.Claims[name] = value; value == nil {
				delete(t.Claims, name)
			}
		}
	}
	algorithm := func(name string) func(*testprovider.IDToken) {
		return func(t *testprovider.IDToken) { t.Algorithm = name }
	}
	for name, spoil := range map[string]func(*testprovider.IDToken){
		"wrong nonce": claim("nonce", "another"), "no nonce": claim("nonce", nil),
		"wrong aud": claim("aud", "another-client"), "no aud": claim("aud", nil),
		"another party's, with ours beside": claim("aud", []string{"mianti-staff", "another-client"}),
		"azp of another party":              claim("azp", "another-client"),
		"wrong iss":                         claim("iss", "https://evil.example"), "no iss": claim("iss", nil),
		"expired": claim("exp", time.Now().Add(-time.Minute).Unix()), "no exp": claim("exp", nil),
		"of the future": claim("iat", time.Now().Add(time.Hour).Unix()),
		"no sub":        claim("sub", ""), "sub with a line break": claim("sub", "s-1\ns-2"),
		"alg none": algorithm("none"), "alg HS256 with the client secret": algorithm("HS256"),
		"unknown key": func(t *testprovider.IDToken) { t.Header["kid"] = "evil" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, b := newSite(t, siteSettings{spoil: spoil}), newBrowser(t)
			wantNoSession(t, s, b, b.signIn(s, "staff", "s-1"), http.StatusForbidden)
		})
	}
}

func TestCallback_IsGoodForOneAnswerOfTheSameBrowserWithinTenMinutes(t *testing.T) {
	t.Parallel()
	s, b := newSite(t, siteSettings{}), newBrowser(t)
	stranger := newBrowser(t)
	to := b.callback(s, "staff", "s-1")
	if a := stranger.get(to); a.status != http.StatusForbidden || stranger.cookie(s, "mianti") != "" {
		t.Errorf("in another browser: %d", a.status)
	}
	login := b.cookie(s, "mianti-login")
	if a := b.get(to); a.status != http.StatusOK || b.cookie(s, "mianti") == "" {
		t.Fatalf("in its own: %d %s", a.status, a.body)
	}
	if b.cookie(s, "mianti-login") != "" {
		t.Error("the cookie of the sign-in is still there")
	}
	again := newBrowser(t)
	again.setCookie(s, "mianti-login", login)
	if a := again.get(to); a.status != http.StatusForbidden || again.cookie(s, "mianti") != "" {
		t.Errorf("a second time: %d", a.status)
	}
	late := newBrowser(t)
	to = late.callback(s, "staff", "s-1")
	s.pass(10*time.Minute + time.Second)
	if a := late.get(to); a.status != http.StatusForbidden || late.cookie(s, "mianti") != "" {
		t.Errorf("after ten minutes: %d", a.status)
	}
}

func TestSignIn_SendsPKCEAndTheProviderHoldsToIt(t *testing.T) {
	t.Parallel()
	s, b := newSite(t, siteSettings{}), newBrowser(t)
	page := b.get(s.url + "/auth/staff/login")
	q := page.at.Query()
	if q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43 || q.Get("nonce") == "" || q.Get("state") == "" || q.Get("response_type") != "code" {
		t.Errorf("sent: %v", q)
	}
	for _, name := range []string{"code_challenge", "code_challenge_method"} {
		link := changed(t, choiceOn(t, page, "s-1"), name, "")
		if a := b.get(link); a.status != http.StatusForbidden || b.cookie(s, "mianti") != "" {
			t.Errorf("without %s: %d", name, a.status)
		}
		page = b.get(s.url + "/auth/staff/login")
	}
	// Another challenge than that of our verifier: a code that was made elsewhere.
	link := changed(t, choiceOn(t, page, "s-1"), "code_challenge", strings.Repeat("A", 43))
	wantNoSession(t, s, b, b.get(link), http.StatusForbidden)
}

func TestSignIn_LeadsBackToOurOwnPathsOnly(t *testing.T) {
	t.Parallel()
	s := newSite(t, siteSettings{})
	for back, want := range map[string]string{
		"/whoami": "/whoami", "/whoami?a=b%20c": "/whoami?a=b%20c", "": "/auth/",
		"https://evil.example/": "/auth/", "//evil.example/": "/auth/", "/\\evil.example/": "/auth/", "\\/evil.example": "/auth/",
		"/%2f/evil.example": "/auth/", "/\t/evil.example": "/auth/", "/%5cevil.example": "/%5cevil.example", "javascript:alert(1)": "/auth/",
		"/a\r\nSet-Cookie: x=1": "/auth/", "evil.example": "/auth/", "/" + strings.Repeat("a", 1000): "/auth/", "http:/evil.example": "/auth/",
	} {
		b := newBrowser(t)
		page := b.get(s.url + "/auth/citizen/login?return=" + url.QueryEscape(back))
		b.http.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
			if strings.HasPrefix(r.URL.Path, "/auth/callback/") {
				return nil
			}
			return http.ErrUseLastResponse
		}
		a := b.get(choiceOn(t, page, "c-1"))
		if got := a.header.Get("Location"); a.status != http.StatusSeeOther || got != want {
			t.Errorf("%q leads to %q (%d), want %q", back, got, a.status, want)
		}
	}
}

func TestSignIn_SaysThatTheProviderIsAway(t *testing.T) {
	t.Parallel()
	s := newSite(t, siteSettings{})
	gone, err := identity.NewProvider(identity.ProviderConfig{Issuer: "http://127.0.0.1:1/staff", ClientID: "x", Now: s.now})
	if err != nil {
		t.Fatal(err)
	}
	s.identity.Staff = gone
	b := newBrowser(t)
	a := b.get(s.url + "/auth/staff/login")
	if !strings.Contains(a.body, "统一身份认证暂时没有应答") {
		t.Errorf("says: %s", a.body)
	}
	wantNoSession(t, s, b, a, http.StatusServiceUnavailable)
	s.identity.Staff = s.provider(s.staff) // it is back, and nobody has to restart anything
	if a := b.signIn(s, "staff", "s-1"); a.status != http.StatusOK {
		t.Errorf("afterwards: %d", a.status)
	}
	s.identity.Staff = nil
	if a := b.get(s.url + "/auth/staff/login"); a.status != http.StatusNotFound {
		t.Errorf("without a provider: %d, want 404", a.status)
	}
}

func TestNewProvider_WantsHTTPS(t *testing.T) {
	t.Parallel()
	now := time.Now
	for issuer, ok := range map[string]bool{
		"https://id.example": true, "http://127.0.0.1:1/a": true, "http://id.example": false, "": false, "id.example": false,
		"https://u:p@id.example": false, "https://id.example?a": false,
	} {
		_, err := identity.NewProvider(identity.ProviderConfig{Issuer: issuer, ClientID: "x", Now: now})
		if (err == nil) != ok {
			t.Errorf("%q: %v", issuer, err)
		}
	}
}
