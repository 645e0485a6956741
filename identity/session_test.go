package identity_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"mianti/identity"
	"mianti/internal/pgtest"
	"mianti/ledger"
	"mianti/policies"
)

// Session fixation: an id that was planted is never the one that is signed in.
func TestSession_GetsANewIDAtSignIn(t *testing.T) {
	t.Parallel()
	s, b := newSite(t, siteSettings{}), newBrowser(t)
	b.setCookie(s, "mianti", "planted-by-somebody-else")
	b.signIn(s, "staff", "s-1")
	first := b.cookie(s, "mianti")
	if first == "" || first == "planted-by-somebody-else" {
		t.Fatalf("id %q", first)
	}
	planter := newBrowser(t)
	planter.setCookie(s, "mianti", "planted-by-somebody-else")
	if _, status := planter.whoami(s); status != http.StatusUnauthorized {
		t.Errorf("who planted it: %d, want 401", status)
	}
	b.signIn(s, "staff", "s-2")
	if second := b.cookie(s, "mianti"); second == first {
		t.Error("the id before is the id after")
	}
	planter.setCookie(s, "mianti", first)
	if _, status := planter.whoami(s); status != http.StatusUnauthorized {
		t.Errorf("the id before the second sign-in: %d, want 401", status)
	}
	login := newBrowser(t)
	login.callback(s, "staff", "s-1")
	login.setCookie(s, "mianti", login.cookie(s, "mianti-login"))
	if _, status := login.whoami(s); status != http.StatusUnauthorized {
		t.Errorf("the id of a sign-in under way: %d, want 401", status)
	}
}

func TestSession_IsNoMoreAfterSignOut(t *testing.T) {
	t.Parallel()
	s, b := newSite(t, siteSettings{}), newBrowser(t)
	b.signIn(s, "staff", "s-1")
	kept := b.cookie(s, "mianti")
	if a := b.post(s.url+"/auth/logout", nil); a.status != http.StatusOK || b.cookie(s, "mianti") != "" {
		t.Errorf("sign out: %d, cookie %q", a.status, b.cookie(s, "mianti"))
	}
	b.setCookie(s, "mianti", kept)
	if _, status := b.whoami(s); status != http.StatusUnauthorized {
		t.Errorf("with the old id: %d, want 401", status)
	}
	entries := s.entries()
	if last := entries[len(entries)-1]; last.Kind != ledger.SignedOut || last.Person != s.person("张三").ID {
		t.Errorf("entry %+v", last)
	}
	if a := newBrowser(t).post(s.url+"/auth/logout", nil); a.status != http.StatusOK || len(s.entries()) != len(entries) {
		t.Errorf("somebody who was not signed in: %d, %d entries", a.status, len(s.entries()))
	}
}

// A request under way when the session ends must not bring it back.
func TestSession_IsNotBroughtBackByARequestUnderWay(t *testing.T) {
	t.Parallel()
	s, b := newSite(t, siteSettings{}), newBrowser(t)
	b.signIn(s, "staff", "s-1")
	p := s.person("张三")
	s.assign(p.ID, "SPJ", policies.DutyClerk)
	s.assign(p.ID, "GA", policies.DutyClerk)
	kept := b.cookie(s, "mianti")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			racer := newBrowser(t)
			racer.setCookie(s, "mianti", kept)
			racer.post(s.url+"/auth/department", map[string][]string{"department": {"GA"}})
		})
	}
	b.post(s.url+"/auth/logout", nil)
	all.Wait()
	b.setCookie(s, "mianti", kept)
	if _, status := b.whoami(s); status != http.StatusUnauthorized {
		t.Errorf("afterwards: %d, want 401", status)
	}
}

func TestSession_EndsWhenItLiesUnusedOrGrowsOld(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind, subject string
		idle          time.Duration
	}{{"staff", "s-1", 30 * time.Minute}, {"citizen", "c-1", 15 * time.Minute}} {
		t.Run(c.kind, func(t *testing.T) {
			t.Parallel()
			s, b := newSite(t, siteSettings{}), newBrowser(t)
			b.signIn(s, c.kind, c.subject)
			s.pass(c.idle - 10*time.Second)
			if _, status := b.whoami(s); status != http.StatusOK {
				t.Fatalf("within the idle limit: %d", status)
			}
			s.pass(c.idle - 10*time.Second)
			if _, status := b.whoami(s); status != http.StatusOK {
				t.Fatalf("a use did not count: %d", status)
			}
			s.pass(c.idle + time.Second)
			if _, status := b.whoami(s); status != http.StatusUnauthorized {
				t.Errorf("unused for %s: %d, want 401", c.idle, status)
			}
			old := newBrowser(t)
			old.signIn(s, c.kind, c.subject)
			for range 8 * 60 / 10 {
				s.pass(10 * time.Minute)
				old.whoami(s)
			}
			if _, status := old.whoami(s); status != http.StatusUnauthorized {
				t.Errorf("after eight hours of use: %d, want 401", status)
			}
		})
	}
}

func TestSession_EndsWhenThePersonIsDeactivated(t *testing.T) {
	t.Parallel()
	s, b := newSite(t, siteSettings{}), newBrowser(t)
	b.signIn(s, "staff", "s-1")
	if err := s.office.Deactivate(t.Context(), machine(""), s.person("张三").ID); err != nil {
		t.Fatal(err)
	}
	if _, status := b.whoami(s); status != http.StatusUnauthorized {
		t.Errorf("the next request: %d, want 401", status)
	}
	n := len(s.entries())
	if a := b.signIn(s, "staff", "s-1"); a.status != http.StatusForbidden || !strings.Contains(a.body, "已停用") || len(s.entries()) != n {
		t.Errorf("signing in again: %d %s", a.status, a.body)
	}
}

// Two replicas on one PostgreSQL, each with its own connections and no shared
// memory.
func TestSession_EndsOnTheOtherReplicaWithTheNextRequest(t *testing.T) {
	t.Parallel()
	one := newSite(t, siteSettings{database: pgtest.Database(t)})
	two := newSite(t, siteSettings{like: one})
	b := newBrowser(t)
	b.signIn(one, "staff", "s-1") // cookies know no port: two is the same site to a browser
	p := one.person("张三")
	one.assign(p.ID, "SPJ", policies.DutyClerk)
	if caller, status := b.whoami(two); status != http.StatusOK || !caller.Has(policies.DutyClerk) {
		t.Fatalf("on the other: %d %+v", status, caller)
	}
	kept := b.cookie(one, "mianti")
	b.post(one.url+"/auth/logout", nil)
	b.setCookie(one, "mianti", kept)
	if _, status := b.whoami(two); status != http.StatusUnauthorized {
		t.Errorf("signed out on one: %d on the other, want 401", status)
	}
	b.signIn(one, "staff", "s-1")
	if _, status := b.whoami(two); status != http.StatusOK {
		t.Fatalf("signed in again: %d on the other", status)
	}
	if err := one.office.Deactivate(t.Context(), machine(""), p.ID); err != nil {
		t.Fatal(err)
	}
	if _, status := b.whoami(two); status != http.StatusUnauthorized {
		t.Errorf("deactivated on one: %d on the other, want 401", status)
	}
}

func TestPages_RefuseWhatAnotherSiteSends(t *testing.T) {
	t.Parallel()
	s, b := newSite(t, siteSettings{}), newBrowser(t)
	b.signIn(s, "staff", "s-1")
	for _, headers := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}} {
		if a := b.post(s.url+"/auth/logout", nil, headers...); a.status != http.StatusForbidden {
			t.Errorf("%v: %d, want 403", headers, a.status)
		}
	}
	if a := b.get(s.url + "/auth/logout"); a.status != http.StatusNotFound && a.status != http.StatusMethodNotAllowed {
		t.Errorf("a GET signs out: %d", a.status)
	}
	if _, status := b.whoami(s); status != http.StatusOK {
		t.Errorf("afterwards: %d, want still signed in", status)
	}
	if a := b.post(s.url+"/auth/logout", nil, "Origin", s.url); a.status != http.StatusOK {
		t.Errorf("from our own page: %d", a.status)
	}
}

func TestPages_SetCookiesThatScriptsAndOtherSitesDoNotGet(t *testing.T) {
	t.Parallel()
	s, b := newSite(t, siteSettings{}), newBrowser(t)
	to := b.callback(s, "staff", "s-1")
	b.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	set := b.get(to).header.Values("Set-Cookie")
	found := false
	for _, line := range set {
		if strings.HasPrefix(line, "mianti=") {
			found = true
			for _, want := range []string{"Path=/", "HttpOnly", "SameSite=Lax"} {
				if !strings.Contains(line, want) {
					t.Errorf("%s: no %s", strings.SplitN(line, ";", 2)[1], want)
				}
			}
			if strings.Contains(line, "Domain") || strings.Contains(line, "Expires") {
				t.Error("it outlives the browser, or belongs to other hosts too")
			}
		}
	}
	if !found {
		t.Errorf("%d cookies, no session", len(set))
	}
	policy := b.get(s.url + "/auth/").header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe-inline") || strings.Contains(policy, "script-src") {
		t.Errorf("policy %q", policy)
	}
}

func TestNew_WantsHTTPSAndBindsCookiesToTheHost(t *testing.T) {
	t.Parallel()
	s := newSite(t, siteSettings{})
	for address, ok := range map[string]bool{
		"https://mianti.example": true, "http://127.0.0.1:8080": true, "http://localhost:8080": true, "http://mianti.example": false, "mianti.example": false,
	} {
		c := s.identity.Config
		c.Address = address
		if _, err := identity.New(c); (err == nil) != ok {
			t.Errorf("%s: %v", address, err)
		}
	}
	c := s.identity.Config
	c.Address = "https://mianti.example"
	made, err := identity.New(c)
	if err != nil {
		t.Fatal(err)
	}
	pages, err := made.Handler()
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	pages.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/auth/staff/login", nil))
	if cookie := w.Header().Get("Set-Cookie"); !strings.HasPrefix(cookie, "__Host-mianti-login=") || !strings.Contains(cookie, "; Secure") {
		t.Errorf("cookie %q", strings.SplitN(cookie, "=", 2)[0])
	}
	if to := w.Header().Get("Location"); !strings.Contains(to, "redirect_uri=https%3A%2F%2Fmianti.example%2Fauth%2Fcallback%2Fstaff") {
		t.Errorf("sent to %s", to)
	}
}
