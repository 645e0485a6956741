// Package frametest serves sections of the site to tests, with somebody signed in.
package frametest

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"mianti/catalog"
	"mianti/examples/jinan"
	"mianti/identity"
	"mianti/internal/fault"
	"mianti/policies"
	"mianti/web/frame"
)

// Now is the time in these tests: a Monday morning in Shanghai.
func Now() time.Time { return time.Date(2026, 11, 23, 9, 30, 0, 0, catalog.TimeZone()) }

// Staff is somebody with duties in a department.
func Staff(department string, duties ...policies.Duty) *identity.Session {
	p := identity.Person{ID: "p-staff", Kind: identity.Staff, Name: "演示·人员"}
	for _, d := range duties {
		p.Duties = append(p.Duties, identity.Assignment{Person: p.ID, Department: department, Duty: d})
	}
	return &identity.Session{Person: p, Department: department, Duties: duties, IdleEnd: Now().Add(time.Hour), End: Now().Add(8 * time.Hour)}
}

// Citizen is somebody who has signed in for himself.
func Citizen(subject string) *identity.Session {
	p := identity.Person{ID: "p-citizen", Kind: identity.Citizen, Subject: subject}
	return &identity.Session{Person: p, Duties: []policies.Duty{policies.DutyCitizen}, IdleEnd: Now().Add(time.Hour), End: Now().Add(8 * time.Hour)}
}

// signedIn has one session for every request; nil for nobody's.
type signedIn struct{ session *identity.Session }

func (p signedIn) Session(*http.Request) (*identity.Session, error) {
	if p.session == nil {
		return nil, fault.New(fault.Unauthenticated, "unauthenticated", "没有登录。")
	}
	return p.session, nil
}

// catalogs has the shipped catalog as its only revision.
type catalogs struct{ rev *catalog.Revision }

func (c catalogs) Current(context.Context, ...string) (*catalog.Revision, error) { return c.rev, nil }
func (c catalogs) Revision(context.Context, int, ...string) (*catalog.Revision, error) {
	return c.rev, nil
}

// Catalog is the shipped catalog, loaded anew: a test may change it.
func Catalog(t testing.TB) *catalog.Revision {
	t.Helper()
	rev, err := catalog.Load(jinan.Files)
	if err != nil {
		t.Fatal(err)
	}
	rev.Number = 1
	return rev
}

// Site serves a section to somebody; nil for who has not signed in.
func Site(t testing.TB, session *identity.Session, sections ...frame.Section) *Visitor {
	t.Helper()
	handler, err := frame.New(frame.Config{
		People: signedIn{session}, Catalogs: catalogs{Catalog(t)}, Address: "http://127.0.0.1", Now: Now, NewID: func() string { return "request-1" },
		WorkingDays: func(from, to time.Time) int { return max(0, int(to.Sub(from).Hours()/24)) }, Log: slog.New(slog.DiscardHandler),
	}, sections...)
	if err != nil {
		t.Fatal(err)
	}
	return &Visitor{t: t, handler: handler}
}

// Visitor asks for pages.
type Visitor struct {
	t       testing.TB
	handler http.Handler
	Cookies []*http.Cookie
}

// Handler is the site itself, for a browser.
func (v *Visitor) Handler() http.Handler { return v.handler }

// Page is what a visitor was answered.
type Page struct {
	Status   int
	Location string
	Header   http.Header
	Body     string
}

// Has reports whether all texts are on the page, and says which is not.
func (p Page) Has(t testing.TB, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(p.Body, text) {
			t.Errorf("the page does not have %q:\n%s", text, p.Body)
		}
	}
}

// Lacks fails when one of the texts is on the page.
func (p Page) Lacks(t testing.TB, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(p.Body, text) {
			t.Errorf("the page has %q", text)
		}
	}
}

// Get asks for a page.
func (v *Visitor) Get(path string) Page {
	return v.Do(httptest.NewRequest(http.MethodGet, path, nil))
}

// Post sends a form.
func (v *Visitor) Post(path string, form url.Values) Page {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return v.Do(r)
}

// Do sends a request with the visitor's cookies, and keeps those that it is given.
func (v *Visitor) Do(r *http.Request) Page {
	v.t.Helper()
	for _, c := range v.Cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	v.handler.ServeHTTP(w, r)
	answer := w.Result()
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	for _, c := range answer.Cookies() {
		v.keep(c)
	}
	return Page{Status: answer.StatusCode, Location: answer.Header.Get("Location"), Header: answer.Header, Body: string(body)}
}

func (v *Visitor) keep(c *http.Cookie) {
	kept := v.Cookies[:0]
	for _, known := range v.Cookies {
		if known.Name != c.Name {
			kept = append(kept, known)
		}
	}
	if c.MaxAge >= 0 {
		kept = append(kept, c)
	}
	v.Cookies = kept
}
