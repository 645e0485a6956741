package frame

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"mianti/catalog"
	"mianti/exchange"
	"mianti/identity"
	"mianti/internal/fault"
	"mianti/policies"
)

// Visit is one request for a page: who makes it, and what he sends. It belongs to
// one goroutine.
type Visit struct {
	Caller  policies.Caller
	Session *identity.Session // nil for nobody
	Now     time.Time
	// Catalog is the revision for new cases; nil where there is none yet.
	Catalog *catalog.Revision

	c      *gin.Context
	site   *Site
	prefer preferences
}

// Context ends when the visitor goes.
func (v *Visit) Context() context.Context { return v.c.Request.Context() }

// Request is the request itself.
func (v *Visit) Request() *http.Request { return v.c.Request }

// Param gives a part of the path.
func (v *Visit) Param(name string) string { return v.c.Param(name) }

// Query gives a value of the address; "" for none.
func (v *Visit) Query(name string) string { return v.c.Query(name) }

// Form gives a value of the form that was sent; "" for none.
func (v *Visit) Form(name string) string { return v.c.PostForm(name) }

// Forms gives all values of a name.
func (v *Visit) Forms(name string) []string { return v.c.PostFormArray(name) }

// English reports whether the visitor reads English rather than Chinese.
func (v *Visit) English() bool { return v.prefer.Language == english }

// T translates a Chinese text with the visitor's language.
func (v *Visit) T(text string, args ...any) string {
	return v.site.looks[v.prefer.Language].translate(text, args...)
}

// Revision gives the catalog for new cases, or says that there is none. About are the
// codes that the page looks at, which a catalog that is held in part comes with.
func (v *Visit) Revision(about ...string) (*catalog.Revision, error) {
	if v.Catalog == nil {
		return nil, fault.New(fault.Unavailable, "no-catalog", "还没有发布目录。")
	}
	if v.Catalog.Whole() || len(about) == 0 {
		return v.Catalog, nil
	}
	return v.site.Catalogs.Revision(v.Context(), v.Catalog.Number, about...)
}

// serve answers with a page: it finds the visitor, asks for his duty, and shows
// what the page's handler gives.
func (s *Site) serve(section Section, p Page) gin.HandlerFunc {
	return func(c *gin.Context) {
		v := &Visit{c: c, site: s, Now: s.Now(), prefer: readPreferences(c.Request)}
		answer, err := s.answer(v, p)
		shownBy := section.Name // of this answer alone: the next one may be none
		if err != nil {
			answer, err = s.problem(v, err), nil
			shownBy = "frame"
		}
		if err = answer.write(v, shownBy); err != nil {
			s.Log.ErrorContext(c.Request.Context(), "a page was not shown", "route", c.FullPath(), "cause", err)
		}
	}
}

func (s *Site) answer(v *Visit, p Page) (Answer, error) {
	if err := s.sameSite.Check(v.Request()); err != nil {
		return Answer{}, identity.CrossSite()
	}
	if err := s.recognise(v); err != nil {
		return Answer{}, err
	}
	if err := v.require(p.Duties); err != nil {
		return Answer{}, err
	}
	var err error
	var unchecked time.Time
	if v.Catalog, unchecked, err = s.standing.Current(v.Context()); err != nil && !errors.Is(err, fault.NotFound) {
		return Answer{}, err
	}
	if !unchecked.IsZero() {
		v.c.Header(exchange.UncheckedHeader, unchecked.UTC().Format(time.RFC3339))
	}
	if v.Request().Method == http.MethodPost {
		limit := s.MaxBody
		if p.MaxBody > 0 {
			limit = p.MaxBody
			// A file takes its time; a server that sets no deadlines needs none.
			_ = http.NewResponseController(v.c.Writer).SetReadDeadline(v.Now.Add(fileDeadline))
		}
		v.Request().Body = http.MaxBytesReader(v.c.Writer, v.Request().Body, limit)
		if err := v.readForm(limit); err != nil {
			return Answer{}, err
		}
	}
	return p.Handle(v)
}

// fileDeadline is how long a page that takes a file waits for all of it.
const fileDeadline = 2 * time.Minute

// readForm reads a form that was sent, all of it in memory: what people hand in is
// on no disk, not even for a moment. limit bounds it.
func (v *Visit) readForm(limit int64) error {
	r := v.Request()
	err := r.ParseForm()
	if err == nil {
		err = r.ParseMultipartForm(limit)
	}
	if errors.Is(err, http.ErrNotMultipart) {
		err = nil // a form without files
	}
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return fault.New(fault.TooLarge, "too-large", "提交的内容超过 %d KB 的上限，没有保存。请减少内容后再提交。", tooLarge.Limit>>10)
	case err != nil:
		return fault.New(fault.Invalid, "bad-form", "表单没有完整送达，没有保存。请重新提交。").Because(err)
	}
	return nil
}

// recognise finds who makes the request; nobody is somebody too.
func (s *Site) recognise(v *Visit) error {
	if s.People == nil {
		return nil
	}
	session, err := s.People.Session(v.Request())
	if errors.Is(err, fault.Unauthenticated) {
		return nil
	}
	if err != nil {
		return err
	}
	v.Session, v.Caller = session, session.Caller()
	return nil
}

// require refuses a visitor who has none of the duties.
func (v *Visit) require(duties []policies.Duty) error {
	switch {
	case duties == nil:
		return nil
	case v.Session == nil:
		return fault.New(fault.Unauthenticated, "unauthenticated", "请先登录。")
	case !mayDo(v.Caller.Duties, duties):
		return &missingDuty{needs: duties}
	}
	return nil
}

// missingDuty refuses somebody, and knows which duty it takes.
type missingDuty struct{ needs []policies.Duty }

func (*missingDuty) Error() string { return "the visitor has none of the page's duties" }

// The languages.
const (
	chinese = "zh"
	english = "en"
)

// preferences are how somebody wants to see the pages. They are in a cookie of his
// browser, and nowhere else.
type preferences struct {
	Language string // "zh", "en"
	Size     string // "", "large": 适老大字
	Theme    string // "": as the system, "light", "dark"
}

const preferenceCookie = "view"

func readPreferences(r *http.Request) preferences {
	p := preferences{Language: chinese}
	cookie, err := r.Cookie(preferenceCookie)
	if err != nil {
		return p
	}
	values, err := url.ParseQuery(cookie.Value)
	if err != nil {
		return p
	}
	for name, value := range values {
		p = p.with(name, value[0])
	}
	return p
}

// with gives the preferences with one of them changed; what cannot be is left out.
func (p preferences) with(name, value string) preferences {
	known := map[string][]string{"language": {chinese, english}, "size": {"", "large"}, "theme": {"", "light", "dark"}}
	if !slices.Contains(known[name], value) {
		return p
	}
	switch name {
	case "language":
		p.Language = value
	case "size":
		p.Size = value
	case "theme":
		p.Theme = value
	}
	return p
}

func (p preferences) cookie(secure bool) *http.Cookie {
	values := url.Values{"language": {p.Language}, "size": {p.Size}, "theme": {p.Theme}}
	return &http.Cookie{
		Name: preferenceCookie, Value: values.Encode(), Path: "/", MaxAge: int((365 * 24 * time.Hour).Seconds()),
		HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode,
	}
}

// prefer changes one preference, and goes back to where it was changed.
func prefer(v *Visit) (Answer, error) {
	p := v.prefer
	for _, name := range []string{"language", "size", "theme"} {
		if values := v.Forms(name); len(values) > 0 {
			p = p.with(name, values[0])
		}
	}
	http.SetCookie(v.c.Writer, p.cookie(v.site.secure()))
	return Go(ownPath(v.Form("back"))), nil
}

// ownPath keeps a path on this site; anything else becomes the first page.
func ownPath(path string) string {
	u, err := url.Parse(path)
	if err != nil || u.Scheme != "" || u.Host != "" || len(path) == 0 || path[0] != '/' || bytes.ContainsAny([]byte(path), "\\\r\n") || len(path) > 1 && path[1] == '/' {
		return "/"
	}
	return path
}

// messageCookie holds what is said once on the next page.
const messageCookie = "said"

// say keeps a message for the next page.
func (v *Visit) say(message string) {
	http.SetCookie(v.c.Writer, &http.Cookie{
		Name: messageCookie, Value: base64.RawURLEncoding.EncodeToString([]byte(message)), Path: "/", MaxAge: 60,
		HttpOnly: true, Secure: v.site.secure(), SameSite: http.SameSiteStrictMode,
	})
}

// said takes the message that was kept, once.
func (v *Visit) said() string {
	cookie, err := v.Request().Cookie(messageCookie)
	if err != nil {
		return ""
	}
	http.SetCookie(v.c.Writer, &http.Cookie{Name: messageCookie, Path: "/", MaxAge: -1, HttpOnly: true, Secure: v.site.secure()})
	message, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil {
		return ""
	}
	return string(message)
}

func (s *Site) secure() bool { return len(s.Address) > 5 && s.Address[:5] == "https" }

// Number reads a whole number from the address, between bounds; otherwise what is
// given instead.
func (v *Visit) Number(name string, least, most, instead int) int {
	n, err := strconv.Atoi(v.Query(name))
	if err != nil || n < least || n > most {
		return instead
	}
	return n
}
