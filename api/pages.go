package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"

	"github.com/gin-gonic/gin"
	"github.com/swaggest/swgui/v5emb"

	"mianti/internal/fault"
)

const docsPath = "/docs"

// registerPages adds what is no operation: the interface's own description,
// its page, the problem types, and health.
func (s *server) registerPages() error {
	// Rendered when it is first asked for: it is large, and most processes are never
	// asked.
	asJSON := sync.OnceValues(func() ([]byte, error) { return json.Marshal(s.api.OpenAPI()) })
	asYAML := sync.OnceValues(s.api.OpenAPI().YAML)
	s.engine.GET("/openapi.json", s.whenAsked("application/openapi+json", asJSON))
	s.engine.GET("/openapi.yaml", s.whenAsked("application/openapi+yaml", asYAML))
	s.engine.GET("/", func(c *gin.Context) { c.Redirect(http.StatusFound, docsPath) })
	s.engine.GET("/healthz", constant("text/plain; charset=utf-8", []byte("ok")))
	s.engine.GET("/readyz", s.answerReady)
	s.engine.GET("/problems/:code", s.explain)
	s.engine.GET(checkPath+":code", s.checkSheet)
	s.registerLog()
	s.registerSignIn()
	if err := s.registerVerifier(); err != nil {
		return err
	}
	return s.registerDocs()
}

func constant(kind string, body []byte) gin.HandlerFunc {
	return func(c *gin.Context) { c.Data(http.StatusOK, kind, body) }
}

// whenAsked answers with what is made when it is first asked for.
func (s *server) whenAsked(kind string, body func() ([]byte, error)) gin.HandlerFunc {
	return func(c *gin.Context) {
		text, err := body()
		if err != nil {
			s.refuse(c, fmt.Errorf("render %s: %w", kind, err))
			return
		}
		c.Data(http.StatusOK, kind, text)
	}
}

// explained is what is said of a problem type.
type explained struct {
	Type        string `json:"type"`
	Title       string `json:"title"`
	Explanation string `json:"explanation"`
}

// explain answers at the address that a problem's type names.
func (s *server) explain(c *gin.Context) {
	code := c.Param("code")
	text, ok := s.texts[code]
	if !ok {
		s.refuse(c, fault.New(fault.NotFound, "unknown", "没有这种问题类型。"))
		return
	}
	c.Header("Cache-Control", publicFor)
	c.JSON(http.StatusOK, explained{Type: "/problems/" + code, Title: text.title, Explanation: text.explanation})
}

// registerDocs serves the interface's page from the program itself. The page
// carries scripts of its own, so its policy names them by their hashes.
func (s *server) registerDocs() error {
	ui := v5emb.New("免提 Mianti", "/openapi.json", docsPath+"/")
	index, err := render(ui)
	if err != nil {
		return err
	}
	policy := docsPolicy(index, s.Issuer)
	s.engine.GET(docsPath, func(c *gin.Context) {
		c.Header("Content-Security-Policy", policy)
		c.Data(http.StatusOK, "text/html; charset=utf-8", index)
	})
	s.engine.GET(docsPath+"/*file", func(c *gin.Context) {
		if c.Param("file") == "/" {
			c.Redirect(http.StatusFound, docsPath)
			return
		}
		c.Header("Cache-Control", publicFor)
		ui.ServeHTTP(c.Writer, c.Request)
	})
	return nil
}

// captured is a response that is kept.
type captured struct {
	bytes.Buffer
	header http.Header
}

func (c *captured) Header() http.Header { return c.header }
func (c *captured) WriteHeader(int)     {}

// render gives the page that a handler serves at its root.
func render(h http.Handler) ([]byte, error) {
	r, err := http.NewRequest(http.MethodGet, docsPath+"/", nil)
	if err != nil {
		return nil, fmt.Errorf("api: render docs: %w", err)
	}
	page := &captured{header: http.Header{}}
	h.ServeHTTP(page, r)
	if page.Len() == 0 {
		return nil, errors.New("api: render docs: the page is empty")
	}
	return page.Bytes(), nil
}

// docsPolicy allows the page's own files and its own inline scripts. Its
// styles are set by its scripts.
func docsPolicy(page []byte, issuer string) string {
	scripts := []string{"script-src 'self'"}
	for _, found := range regexp.MustCompile(`(?s)<script>(.*?)</script>`).FindAllSubmatch(page, -1) {
		sum := sha256.Sum256(found[1])
		scripts = append(scripts, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
	}
	return strings.Join([]string{
		"default-src 'none'", strings.Join(scripts, " "), "style-src 'self' 'unsafe-inline'", "img-src 'self' data:",
		"font-src 'self' data:", "connect-src 'self' " + issuer, "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'",
	}, "; ")
}
