package api_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/gin-gonic/gin"
)

type document struct {
	OpenAPI string
	Paths   map[string]map[string]struct {
		OperationID string
		Summary     string
		Tags        []string
		Security    []map[string][]string
		Responses   map[string]struct {
			Headers map[string]any
			Content map[string]struct{ Schema map[string]any }
		}
	}
	Components struct {
		Schemas         map[string]any
		SecuritySchemes map[string]struct {
			Type  string
			Flows map[string]struct{ TokenURL string }
		}
	}
}

func TestOpenAPI_DescribesExactlyTheRoutes(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	var doc document
	decode(t, h.send(request(http.MethodGet, "/openapi.json", "")), &doc)
	var described, routed []string
	for path, operations := range doc.Paths {
		for method := range operations {
			described = append(described, strings.ToUpper(method)+" "+path)
		}
	}
	engine, ok := h.handler.(*gin.Engine)
	if !ok {
		t.Fatalf("the handler is a %T", h.handler)
	}
	param := regexp.MustCompile(`:(\w+)`)
	for _, r := range engine.Routes() {
		for _, prefix := range []string{"/v1/", "/oauth/", "/.well-known/"} {
			if strings.HasPrefix(r.Path, prefix) {
				routed = append(routed, r.Method+" "+param.ReplaceAllString(r.Path, "{$1}"))
			}
		}
	}
	slices.Sort(described)
	slices.Sort(routed)
	if len(routed) < 20 || !slices.Equal(described, routed) {
		t.Errorf("described %v\nrouted    %v", described, routed)
	}
}

func TestOpenAPI_SaysOfEveryOperationWhatItNeeds(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	var doc document
	decode(t, h.send(request(http.MethodGet, "/openapi.json", "")), &doc)
	if doc.OpenAPI != "3.1.0" || doc.Components.SecuritySchemes["oauth2"].Type != "oauth2" ||
		doc.Components.SecuritySchemes["oauth2"].Flows["clientCredentials"].TokenURL != issuer+"/oauth/token" {
		t.Errorf("version or security: %+v", doc.Components.SecuritySchemes)
	}
	for path, operations := range doc.Paths {
		for method, op := range operations {
			if op.OperationID == "" || op.Summary == "" || len(op.Tags) == 0 {
				t.Errorf("%s %s has no id, summary or tag", method, path)
			}
			if strings.HasPrefix(path, "/v1/") && op.OperationID != "read-trust" { // which is public
				if len(op.Security) != 1 || op.Security[0]["oauth2"] == nil {
					t.Errorf("%s %s: security %v", method, path, op.Security)
				}
				for _, status := range []string{"401", "500", "503"} {
					if op.Responses[status].Content["application/problem+json"].Schema["$ref"] != "#/components/schemas/Problem" {
						t.Errorf("%s %s: no problem for %s", method, path, status)
					}
				}
			}
		}
	}
	for _, name := range []string{"Problem", "Resolution", "CaseView", "CaseInput"} {
		if doc.Components.Schemas[name] == nil {
			t.Errorf("no schema %s", name)
		}
	}
	if doc.Components.Schemas["ErrorModel"] != nil {
		t.Error("the library's own error form is described")
	}
}

func TestOpenAPI_SaysWhenToAskAgainWhereAResolutionGoesOn(t *testing.T) {
	t.Parallel()
	var doc document
	decode(t, newHarness(t).send(request(http.MethodGet, "/openapi.json", "")), &doc)
	for _, header := range []string{"Retry-After", "Location", "ETag"} {
		if doc.Paths["/v1/cases/{id}/resolutions"]["post"].Responses["202"].Headers[header] == nil {
			t.Errorf("202 has no %s", header)
		}
	}
}

func TestOpenAPI_IsValid(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	body := h.send(request(http.MethodGet, "/openapi.json", "")).Body.Bytes()
	doc, err := openapi3.NewLoader().LoadFromData(body)
	if err != nil {
		t.Fatalf("load: %v", err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Errorf("validate: %v", err)
	}
	if !json.Valid(body) || !strings.Contains(h.send(request(http.MethodGet, "/openapi.yaml", "")).Body.String(), "openapi: 3.1.0") {
		t.Error("the document cannot be read")
	}
}

func TestDocs_WorkOfflineUnderTheirPolicy(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	w := h.send(request(http.MethodGet, "/docs", ""))
	page := w.Body.String()
	policy := w.Header().Get("Content-Security-Policy")
	if w.Code != 200 || !strings.Contains(page, "/openapi.json") || strings.Contains(page, "https://") && strings.Contains(page, "cdn") {
		t.Errorf("docs: %d", w.Code)
	}
	if strings.Count(policy, "'sha256-") != strings.Count(page, "<script>") || strings.Contains(strings.Split(policy, "style-src")[0], "unsafe-inline") {
		t.Errorf("policy %q", policy)
	}
	for _, src := range regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(page, -1) {
		if got := h.send(request(http.MethodGet, src[1], "", "Accept-Encoding", "gzip")); got.Code != 200 || got.Body.Len() == 0 || !strings.HasPrefix(src[1], "/docs/") {
			t.Errorf("%s: %d", src[1], got.Code)
		}
	}
	if w := h.send(request(http.MethodGet, "/", "")); w.Code != http.StatusFound || w.Header().Get("Location") != "/docs" {
		t.Errorf("root: %d %s", w.Code, w.Header().Get("Location"))
	}
	if w := h.send(request(http.MethodPost, "/docs", "")); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("post: %d", w.Code)
	}
}
