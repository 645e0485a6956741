package api

import (
	"context"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
)

// The addresses that are named in more than one place.
const (
	tokenPath    = "/oauth/token"
	revokePath   = "/oauth/revoke"
	jwksPath     = "/.well-known/jwks.json"
	metadataPath = "/.well-known/oauth-authorization-server"
	casesPath    = "/v1/cases"
)

// securityScheme names the one way of authorization in the OpenAPI document.
const securityScheme = "oauth2"

// version is that of the interface, not of the program.
const version = "1.0.0"

// newOperations makes the part that knows operations: what it checks of every
// request, in this order, and how it renders.
func (s *server) newOperations() huma.API {
	registry := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	registry.RegisterTypeAlias(typeOf[huma.ErrorModel](), typeOf[problem]())
	config := huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "免提 Mianti", Version: version,
				Description: "免提交核验接口：登记办件，取得核验结果——哪些材料已由部门数据核实，哪些仍需上传，以及为什么。",
			},
			Servers: []*huma.Server{{URL: s.Issuer}},
			Components: &huma.Components{
				Schemas: registry,
				SecuritySchemes: map[string]*huma.SecurityScheme{securityScheme: {
					Type: "oauth2", Description: "接入系统以 client_credentials 换取的访问令牌",
					Flows: &huma.OAuthFlows{ClientCredentials: &huma.OAuthFlow{TokenURL: s.tokenURL, Scopes: map[string]string{}}},
				}},
			},
		},
		Formats:                      map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat},
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
		Transformers:                 []huma.Transformer{s.transform},
	}
	operations := humagin.New(s.engine, config)
	operations.UseMiddleware(s.requireCaller, s.requireAcceptable, s.requireStrictBody)
	return operations
}

func (s *server) registerOperations() {
	s.registerToken()
	s.registerRevocation()
	s.registerSystem()
	s.registerDiscovery()
	s.registerCases()
	s.registerQueue()
	s.registerResolutions()
	s.registerEvidence()
	s.registerSheets()
	s.registerAssist()
	s.registerConsents()
	s.registerSnapshots()
	s.registerBatches()
	s.registerLedger()
	s.registerSharing()
	s.registerGrants()
	s.registerCorrections()
	s.registerPreviews()
	s.registerSafeguard()
	s.registerFigures()
	s.registerAnchors()
	s.registerMatters()
	s.registerOneThings()
	s.registerMaterials()
	s.registerDatasets()
	s.registerDepartments()
	s.registerFacts()
	s.registerRevisions()
	s.registerEffects()
	s.registerCatalogCheck()
	s.registerDrafts()
	s.registerInterchange()
	s.registerSuggestions()
	s.registerGuide()
	s.registerSession()
	s.registerPersons()
	s.registerMe()
	for _, schema := range s.api.OpenAPI().Components.Schemas.Map() {
		requireArrays(schema)
	}
}

// requireArrays says that a list is a list: no list of this interface is ever
// null, and none may be sent as null.
func requireArrays(schema *huma.Schema) {
	if schema.Type == huma.TypeArray {
		schema.Nullable = false
	}
	if schema.Items != nil {
		requireArrays(schema.Items)
	}
	for _, property := range schema.Properties {
		requireArrays(property)
	}
}

// operation describes an operation that needs a caller, with the errors that
// any such operation can end in and those of these statuses.
func (s *server) operation(method, path, id, summary, tag string, statuses ...int) huma.Operation {
	op := huma.Operation{
		Method: method, Path: path, OperationID: id, Summary: summary, Tags: []string{tag},
		Security:     []map[string][]string{{securityScheme: {}}},
		Responses:    map[string]*huma.Response{},
		MaxBodyBytes: s.MaxBody + 1, // requireStrictBody has already bounded it
	}
	statuses = append(statuses, http.StatusUnauthorized, http.StatusNotAcceptable, http.StatusInternalServerError, http.StatusServiceUnavailable)
	if method != http.MethodGet {
		statuses = append(statuses, http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	schema := s.api.OpenAPI().Components.Schemas.Schema(typeOf[problem](), true, "Problem")
	for _, status := range statuses {
		response := &huma.Response{Description: http.StatusText(status)}
		if status >= http.StatusBadRequest {
			response.Content = map[string]*huma.MediaType{problemType: {Schema: schema}}
		}
		op.Responses[strconv.Itoa(status)] = response
	}
	return op
}

// handle registers an operation. What the handler returns as an error is
// rendered in the one form.
func handle[I, O any](s *server, op huma.Operation, handler func(context.Context, *I) (*O, error)) {
	huma.Register(s.api, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := handler(ctx, in)
		if err != nil {
			return nil, s.failed(ctx, err)
		}
		return out, nil
	})
}
