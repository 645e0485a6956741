package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// metadata describes the authorization server (RFC 8414).
type metadata struct {
	Issuer                string   `json:"issuer"`
	TokenEndpoint         string   `json:"token_endpoint"`
	JWKSURI               string   `json:"jwks_uri"`
	GrantTypes            []string `json:"grant_types_supported"`
	ResponseTypes         []string `json:"response_types_supported"`
	AuthMethods           []string `json:"token_endpoint_auth_methods_supported"`
	AuthSigningAlgorithms []string `json:"token_endpoint_auth_signing_alg_values_supported"`
	RevocationEndpoint    string   `json:"revocation_endpoint"`
	RevocationMethods     []string `json:"revocation_endpoint_auth_methods_supported"`
	RevocationAlgorithms  []string `json:"revocation_endpoint_auth_signing_alg_values_supported"`
	ProofAlgorithms       []string `json:"dpop_signing_alg_values_supported"`
	CertificateBound      bool     `json:"tls_client_certificate_bound_access_tokens"`
	ServiceDocumentation  string   `json:"service_documentation"`
}

// keyView is one public key, as RFC 7517 renders it.
type keyView struct {
	Kty string `json:"kty" enum:"EC,OKP"`
	Crv string `json:"crv" enum:"P-256,Ed25519"`
	X   string `json:"x"`
	Y   string `json:"y,omitempty"`
	Kid string `json:"kid" doc:"RFC 7638 指纹"`
	Alg string `json:"alg" enum:"ES256,EdDSA"`
	Use string `json:"use" enum:"sig"`
}

type keysView struct {
	Keys []keyView `json:"keys"`
}

type discoveryOutput[V any] struct {
	CacheControl string `header:"Cache-Control"`
	Body         V
}

// publicFor is how long the public facts of the authorization server may be
// kept: a new key is published longer than that before it signs.
const publicFor = "public, max-age=300"

func (s *server) registerDiscovery() {
	methods, algorithms := []string{"client_secret_basic", "private_key_jwt"}, []string{algorithmES256, algorithmEdDSA}
	facts := metadata{
		Issuer: s.Issuer, TokenEndpoint: s.tokenURL, JWKSURI: s.Issuer + jwksPath, GrantTypes: []string{"client_credentials"},
		ResponseTypes: []string{}, AuthMethods: methods, AuthSigningAlgorithms: algorithms,
		RevocationEndpoint: s.Issuer + revokePath, RevocationMethods: methods, RevocationAlgorithms: algorithms,
		ProofAlgorithms: algorithms, CertificateBound: s.ClientCertificates, ServiceDocumentation: s.Issuer + docsPath,
	}
	handle(s, s.public(metadataPath, "authorization-server", "授权服务器元数据 (RFC 8414)"),
		func(context.Context, *struct{}) (*discoveryOutput[metadata], error) {
			return &discoveryOutput[metadata]{CacheControl: publicFor, Body: facts}, nil
		})
	handle(s, s.public(jwksPath, "signing-keys", "令牌的验证公钥 (JWKS)"),
		func(context.Context, *struct{}) (*discoveryOutput[keysView], error) {
			keys, err := s.Keys.view()
			if err != nil {
				return nil, err
			}
			return &discoveryOutput[keysView]{CacheControl: publicFor, Body: keys}, nil
		})
}

// public describes an operation that anybody may call.
func (s *server) public(path, id, summary string) huma.Operation {
	op := s.operation(http.MethodGet, path, id, summary, "授权")
	op.Security = nil
	delete(op.Responses, "401")
	return op
}

// view renders the published keys.
func (k *SigningKeys) view() (keysView, error) {
	var out keysView
	raw, err := json.Marshal(k.document())
	if err != nil {
		return out, fmt.Errorf("render signing keys: %w", err)
	}
	if err := json.Unmarshal(raw, &out); err != nil {
		return out, fmt.Errorf("render signing keys: %w", err)
	}
	return out, nil
}
