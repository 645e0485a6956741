// Package frame is what all pages have in common: layout, style, components,
// languages, the gate that asks for a session and a duty, and the page that an
// error becomes. What a page is about lives in the section that it belongs to, a
// package beside this one.
//
// Pages are rendered by the server and need no script. No text that came from
// outside is ever taken for markup: sections hand over values, and the templates
// escape them.
package frame

import (
	"cmp"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"mianti/exchange"
	"mianti/identity"
	"mianti/policies"
)

//go:embed pages static text.en.json
var files embed.FS

// People finds who has signed in.
type People interface {
	// Session gives the session that a request belongs to; fault.Unauthenticated
	// for none.
	Session(r *http.Request) (*identity.Session, error)
}

// Observer is told of requests. Routes are those of pages; "none" stands for an address
// that nobody serves.
type Observer interface {
	// Begin is called before a request is looked at, and gives its context.
	Begin(r *http.Request, route string) context.Context
	// End is called when it was answered, with that context.
	End(ctx context.Context, route, method string, status int, took time.Duration)
}

// Config is what a site is made of. All fields are required, but for those that
// name a default.
type Config struct {
	// People are those who sign in; nil for nobody.
	People   People
	Catalogs exchange.Catalogs
	// WorkingDays counts the working days (工作日) from one moment to another.
	WorkingDays func(from, to time.Time) int
	// Address is where people reach the site, such as "https://mianti.example".
	Address string
	Now     func() time.Time
	NewID   func() string
	Log     *slog.Logger
	// Observer is told of every request; nil for nobody.
	Observer Observer
	// MaxBody bounds what a form sends, in bytes. Default 64 KiB; a page may have a
	// bound of its own.
	MaxBody int64
}

// Section (栏目) is the pages for one kind of people.
type Section struct {
	// Name is the section's in the names of its pages, such as "clerk".
	Name string
	// Files has pages/*.html, each of which defines "content", text.en.json, and
	// style.css for what the components do not have.
	Files fs.FS
	Pages []Page
	Menu  []MenuItem
}

// Page is one page, or one form that is sent.
type Page struct {
	Method string // default GET
	Path   string // as gin takes it, such as "/clerk/cases/:id"
	// Duties are those of whom it is; nil for everybody, signed in or not.
	Duties []policies.Duty
	// MaxBody bounds what is sent, in bytes. Default that of the site.
	MaxBody int64
	// Handle answers. An error becomes a page with its status.
	Handle func(v *Visit) (Answer, error)
}

// MenuItem is one entry of the menu.
type MenuItem struct {
	Title  string // Chinese; it is translated
	Path   string
	Duties []policies.Duty // nil for everybody
}

// Site is the handler of all pages. It is safe for concurrent use.
type Site struct {
	Config
	engine   *gin.Engine
	looks    map[string]*look // by language
	menu     []MenuItem
	assets   map[string]asset
	styles   map[string]string // addresses, by section
	sameSite *http.CrossOriginProtection
	standing *exchange.Standing
}

// New returns the handler of all pages. It fails when the configuration, a
// template or a translation cannot work.
func New(c Config, sections ...Section) (*Site, error) {
	if c.Catalogs == nil || c.WorkingDays == nil || c.Now == nil || c.NewID == nil || c.Log == nil {
		return nil, errors.New("web: a required part of the configuration is missing")
	}
	c.MaxBody = cmp.Or(c.MaxBody, 64<<10)
	address, err := url.Parse(c.Address)
	if err != nil || address.Host == "" {
		return nil, fmt.Errorf("web: address %q is not that of a server", c.Address)
	}
	s := &Site{Config: c, sameSite: http.NewCrossOriginProtection(), standing: &exchange.Standing{Catalogs: c.Catalogs, Now: c.Now}}
	if err := s.sameSite.AddTrustedOrigin(address.Scheme + "://" + address.Host); err != nil {
		return nil, fmt.Errorf("web: address: %w", err)
	}
	sections = append([]Section{s.own()}, sections...)
	if err := s.loadAssets(sections); err != nil {
		return nil, err
	}
	if s.looks, err = s.loadLooks(sections); err != nil {
		return nil, err
	}
	s.route(sections)
	return s, nil
}

// ServeHTTP answers with a page.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.engine.ServeHTTP(w, r) }

// Routes gives what is a page.
func (s *Site) Routes() gin.RoutesInfo { return s.engine.Routes() }

// own is the section of what belongs to no other.
func (s *Site) own() Section {
	return Section{Name: "frame", Files: files, Pages: []Page{
		{Method: http.MethodPost, Path: "/preferences", Handle: prefer},
		{Path: "/styleguide", Handle: styleguide},
	}}
}

func (s *Site) route(sections []Section) {
	gin.SetMode(gin.ReleaseMode)
	s.engine = gin.New()
	s.engine.ContextWithFallback = true
	s.engine.HandleMethodNotAllowed = true
	s.engine.RedirectTrailingSlash = false
	s.engine.Use(s.begin)
	s.engine.NoRoute(s.serve(Section{Name: "frame"}, Page{Handle: noSuchPage}))
	s.engine.NoMethod(s.serve(Section{Name: "frame"}, Page{Handle: noSuchPage}))
	s.engine.GET(assetPath+":name", s.serveAsset)
	for _, section := range sections {
		s.menu = append(s.menu, section.Menu...)
		for _, p := range section.Pages {
			s.engine.Handle(cmp.Or(p.Method, http.MethodGet), p.Path, s.serve(section, p))
		}
	}
}

// begin gives every request its headers, and writes its one line into the log: by
// route, never by address, and never what was in it.
func (s *Site) begin(c *gin.Context) {
	id := s.NewID()
	h := c.Writer.Header()
	h.Set("X-Request-Id", id)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", contentPolicy)
	begun, route := s.Now(), cmp.Or(c.FullPath(), "none")
	if s.Observer != nil {
		c.Request = c.Request.WithContext(s.Observer.Begin(c.Request, route))
		defer func() {
			s.Observer.End(c.Request.Context(), route, knownMethod(c.Request.Method), c.Writer.Status(), s.Now().Sub(begun))
		}()
	}
	defer func() {
		s.Log.LogAttrs(c.Request.Context(), slog.LevelInfo, "page", slog.String("method", knownMethod(c.Request.Method)),
			slog.String("route", route), slog.Int("status", c.Writer.Status()),
			slog.Int64("millis", s.Now().Sub(begun).Milliseconds()), slog.String("request_id", id))
	}()
	c.Next()
}

// knownMethod keeps a caller's invention out of the log.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodPost, http.MethodHead, http.MethodOptions:
		return method
	default:
		return "other"
	}
}

// contentPolicy allows our own files, and nothing that is written into a page.
const contentPolicy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// Where the site's own files are. A name changes with what is in it.
const assetPath = "/assets/"

// asset is one of the site's own files.
type asset struct {
	kind string
	body []byte
}

// loadAssets reads what is in static, and each section's style. The name that a
// browser asks for has a digest in it.
func (s *Site) loadAssets(sections []Section) error {
	s.assets, s.styles = map[string]asset{}, map[string]string{}
	for name, kind := range map[string]string{"style.css": styleKind, "app.js": "text/javascript; charset=utf-8"} {
		body, err := files.ReadFile("static/" + name)
		if err != nil {
			return fmt.Errorf("web: %w", err)
		}
		s.assets[digested(name, body)] = asset{kind, body}
	}
	for _, section := range sections {
		body, err := fs.ReadFile(section.Files, "style.css")
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("web: section %s: %w", section.Name, err)
		}
		name := digested(section.Name+".css", body)
		s.assets[name], s.styles[section.Name] = asset{styleKind, body}, assetPath+name
	}
	return nil
}

const styleKind = "text/css; charset=utf-8"

func digested(name string, body []byte) string {
	sum := sha256.Sum256(body)
	base, extension, _ := strings.Cut(name, ".")
	return base + "-" + hex.EncodeToString(sum[:6]) + "." + extension
}

// assetURL gives the address of a file of static.
func (s *Site) assetURL(name string) string {
	base, extension, _ := strings.Cut(name, ".")
	for known := range s.assets {
		if strings.HasPrefix(known, base+"-") && strings.HasSuffix(known, "."+extension) {
			return assetPath + known
		}
	}
	return assetPath + name
}

func (s *Site) serveAsset(c *gin.Context) {
	a, there := s.assets[c.Param("name")]
	if !there {
		c.Status(http.StatusNotFound)
		return
	}
	c.Header("Cache-Control", "public, max-age=31536000, immutable")
	c.Data(http.StatusOK, a.kind, a.body)
}

// menuFor gives the entries for somebody with duties.
func (s *Site) menuFor(v *Visit) []menuEntry {
	var out []menuEntry
	for _, item := range s.menu {
		if item.Duties == nil || mayDo(v.Caller.Duties, item.Duties) {
			out = append(out, menuEntry{Title: v.T(item.Title), Path: item.Path})
		}
	}
	markCurrent(out, v.Request().URL.Path)
	return out
}

// menuEntry is one entry as it is shown.
type menuEntry struct {
	Title, Path string
	Current     bool
}

// markCurrent marks the entry with the longest path that the page is at or below.
func markCurrent(entries []menuEntry, path string) {
	best := -1
	for i, e := range entries {
		below := path == e.Path || strings.HasPrefix(path, strings.TrimSuffix(e.Path, "/")+"/") && e.Path != "/"
		if below && (best < 0 || len(e.Path) > len(entries[best].Path)) {
			best = i
		}
	}
	if best >= 0 {
		entries[best].Current = true
	}
}

func mayDo(has, needs []policies.Duty) bool {
	for _, duty := range needs {
		for _, own := range has {
			if own == duty {
				return true
			}
		}
	}
	return false
}
