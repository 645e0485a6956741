package api

import (
	"embed"
	"fmt"
	"io/fs"
	"net/http"
	"path"

	"github.com/gin-gonic/gin"
)

//go:embed verifier
var verifierFiles embed.FS

const verifierPath = "/verify"

// registerVerifier serves the page that verifies a receipt in the browser
// (凭证核验). It is static: what is verified never comes here. Its policy allows
// its own files, and the one request for the published keys.
func (s *server) registerVerifier() error {
	const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	serve := func(at, name, kind string) error {
		body, err := fs.ReadFile(verifierFiles, path.Join("verifier", name))
		if err != nil {
			return fmt.Errorf("api: read the page of receipts: %w", err)
		}
		s.engine.GET(at, func(c *gin.Context) {
			c.Header("Content-Security-Policy", policy)
			c.Header("Cache-Control", "no-cache") // a page and scripts of two versions do not mix for long
			c.Data(http.StatusOK, kind, body)
		})
		return nil
	}
	const script = "text/javascript; charset=utf-8"
	for _, file := range []struct{ at, name, kind string }{
		{verifierPath, "index.html", "text/html; charset=utf-8"},
		{verifierPath + "/page.css", "page.css", "text/css; charset=utf-8"},
		{verifierPath + "/page.mjs", "page.mjs", script},
		{verifierPath + "/receipt.mjs", "receipt.mjs", script},
		{verifierPath + "/encoding.mjs", "encoding.mjs", script},
	} {
		if err := serve(file.at, file.name, file.kind); err != nil {
			return err
		}
	}
	return nil
}
