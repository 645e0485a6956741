package api

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/golang-jwt/jwt/v5"

	"mianti/exchange"
	"mianti/internal/fault"
)

// tokenType is the `typ` of an access token (RFC 9068), so that no other kind
// of token can be used in its place.
const tokenType = "at+jwt"

// maxTokenRequest bounds the form that asks for a token.
const maxTokenRequest = 16 << 10

// oauthError is an error of the token endpoint (RFC 6749 §5.2).
type oauthError struct {
	Code        string `json:"error" enum:"invalid_request,invalid_client,unauthorized_client,unsupported_grant_type,invalid_scope,temporarily_unavailable,server_error"`
	Description string `json:"error_description"`
	status      int
	basic       bool // the client tried HTTP Basic
	wait        time.Duration
}

func (e *oauthError) Error() string  { return e.Code + ": " + e.Description }
func (e *oauthError) GetStatus() int { return e.status }

// GetHeaders adds what the two statuses demand.
func (e *oauthError) GetHeaders() http.Header {
	h := http.Header{"Cache-Control": {"no-store"}}
	if e.basic && e.status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Basic realm="mianti", charset="UTF-8"`)
	}
	if e.status == http.StatusServiceUnavailable {
		h.Set("Retry-After", retryAfter)
	}
	if e.wait > 0 {
		h.Set("Retry-After", seconds(e.wait))
	}
	return h
}

func badTokenRequest(description string) error {
	return &oauthError{Code: "invalid_request", Description: description, status: http.StatusBadRequest}
}

// badClient is one answer for every way in which a client can fail to prove
// itself: it does not say which.
func badClient(basic bool) error {
	return &oauthError{Code: "invalid_client", Description: "client authentication failed", status: http.StatusUnauthorized, basic: basic}
}

// tokenRequest is the form that asks for a token.
type tokenRequest struct {
	Authorization string `header:"Authorization" hidden:"true"`
	ContentType   string `header:"Content-Type" hidden:"true"`
	RawBody       []byte `contentType:"application/x-www-form-urlencoded"`
}

// tokenResponse is the answer with a token.
type tokenResponse struct {
	CacheControl string `header:"Cache-Control"`
	Pragma       string `header:"Pragma"`
	Body         accessToken
}

// accessToken is an access token, as RFC 6749 §5.1 renders it.
type accessToken struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type" enum:"Bearer"`
	ExpiresIn   int    `json:"expires_in" doc:"秒"`
}

func (s *server) registerToken() {
	op := s.operation(http.MethodPost, tokenPath, "issue-token", "换取访问令牌", "授权")
	op.Security = nil
	op.Description = "OAuth 2.0 client_credentials。接入系统以 HTTP Basic 出示密钥，或以 private_key_jwt（RFC 7523）出示签名断言。"
	op.MaxBodyBytes = maxTokenRequest
	failed := s.api.OpenAPI().Components.Schemas.Schema(typeOf[oauthError](), true, "OAuthError")
	for _, status := range []string{"400", "401", "413", "429", "500", "503"} {
		op.Responses[status] = &huma.Response{
			Description: "RFC 6749 §5.2",
			Content:     map[string]*huma.MediaType{"application/json": {Schema: failed}},
		}
	}
	op.RequestBody = tokenForm()
	handle(s, op, s.issueToken)
}

// tokenForm documents the form; it is read by hand.
func tokenForm() *huma.RequestBody {
	text := func(about string, values ...any) *huma.Schema {
		return &huma.Schema{Type: huma.TypeString, Description: about, Enum: values}
	}
	return &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"application/x-www-form-urlencoded": {Schema: &huma.Schema{
			Type:     huma.TypeObject,
			Required: []string{"grant_type"},
			Properties: map[string]*huma.Schema{
				"grant_type":            text("", "client_credentials"),
				"client_id":             text("private_key_jwt 时可省略"),
				"client_assertion_type": text("private_key_jwt", assertionType),
				"client_assertion":      text("签名断言"),
			},
		}},
	}}
}

// issueToken authenticates a client and gives it an access token.
func (s *server) issueToken(ctx context.Context, in *tokenRequest) (*tokenResponse, error) {
	form, err := readTokenForm(in)
	if err != nil {
		return nil, err
	}
	system, err := s.admit(ctx, in, form)
	if err != nil {
		return nil, s.tokenFailed(ctx, err)
	}
	signed, err := s.sign(system)
	if err != nil {
		return nil, s.tokenFailed(ctx, err)
	}
	setSystem(ctx, system.ID)
	return &tokenResponse{
		CacheControl: "no-store", Pragma: "no-cache",
		Body: accessToken{AccessToken: signed, TokenType: "Bearer", ExpiresIn: int(s.TokenLife / time.Second)},
	}, nil
}

// tokenFailed puts what is no fault of the client into the form of the token
// endpoint.
func (s *server) tokenFailed(ctx context.Context, err error) error {
	var refused *oauthError
	if errors.As(err, &refused) {
		return refused
	}
	p := s.problemFor(err)
	s.logFailure(ctx, p, err)
	if p.Status == http.StatusServiceUnavailable {
		return &oauthError{Code: "temporarily_unavailable", Description: "try again later", status: p.Status}
	}
	return &oauthError{Code: "server_error", Description: "internal error", status: http.StatusInternalServerError}
}

// readTokenForm reads the form. A parameter that is given twice is refused, as
// RFC 6749 §3.2 wants.
func readTokenForm(in *tokenRequest) (url.Values, error) {
	kind, _, err := mime.ParseMediaType(in.ContentType)
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, badTokenRequest("the content type must be application/x-www-form-urlencoded")
	}
	form, err := url.ParseQuery(string(in.RawBody))
	if err != nil {
		return nil, badTokenRequest("the form cannot be read")
	}
	for _, values := range form {
		if len(values) > 1 {
			return nil, badTokenRequest("a parameter is given more than once")
		}
	}
	switch form.Get("grant_type") {
	case "client_credentials":
	case "":
		return nil, badTokenRequest("grant_type is missing")
	default:
		return nil, &oauthError{Code: "unsupported_grant_type", Description: "only client_credentials is supported", status: http.StatusBadRequest}
	}
	if form.Get("scope") != "" {
		return nil, &oauthError{Code: "invalid_scope", Description: "there are no scopes; leave it out", status: http.StatusBadRequest}
	}
	return form, nil
}

// authenticateClient finds the system that a token is asked for, by exactly
// one method.
func (s *server) authenticateClient(ctx context.Context, authorization string, form url.Values) (*exchange.System, error) {
	_, withAssertion := form["client_assertion"]
	_, withType := form["client_assertion_type"]
	switch {
	case form.Has("client_secret"):
		return nil, badTokenRequest("send the client secret by HTTP Basic, not in the form")
	case authorization != "" && (withAssertion || withType):
		return nil, badTokenRequest("use one method of client authentication")
	case authorization != "":
		return s.byBasic(ctx, authorization, form)
	case withAssertion || withType:
		return s.byAssertion(ctx, form)
	default:
		return nil, badClient(true)
	}
}

func (s *server) byBasic(ctx context.Context, authorization string, form url.Values) (*exchange.System, error) {
	id, secret, ok := readBasic(authorization)
	if !ok || (form.Has("client_id") && form.Get("client_id") != id) {
		return nil, badClient(true)
	}
	system, err := s.activeSystem(ctx, id)
	if err != nil && !errors.Is(err, fault.Unauthenticated) {
		return nil, err
	}
	hash := ""
	if err == nil {
		hash = system.SecretHash
	}
	if !secretMatches(hash, secret) || err != nil {
		return nil, badClient(true)
	}
	return system, nil
}

// readBasic reads HTTP Basic credentials, which RFC 6749 §2.3.1 wants to be
// form-encoded before they are joined.
func readBasic(authorization string) (id, secret string, ok bool) {
	scheme, rest, found := strings.Cut(authorization, " ")
	if !found || !strings.EqualFold(scheme, "Basic") {
		return "", "", false
	}
	raw, err := base64.StdEncoding.DecodeString(rest)
	if err != nil {
		return "", "", false
	}
	encodedID, encodedSecret, found := strings.Cut(string(raw), ":")
	id, idErr := url.QueryUnescape(encodedID)
	secret, secretErr := url.QueryUnescape(encodedSecret)
	return id, secret, found && idErr == nil && secretErr == nil && id != ""
}

// activeSystem gives a system that may ask; fault.Unauthenticated when there
// is none of that id, or it is disabled.
func (s *server) activeSystem(ctx context.Context, id string) (*exchange.System, error) {
	system, err := s.Systems.System(ctx, id)
	if errors.Is(err, fault.NotFound) {
		return nil, unauthenticated()
	}
	if err != nil {
		return nil, fmt.Errorf("read system: %w", err)
	}
	if system.Disabled || system.Department == "" {
		return nil, unauthenticated()
	}
	return system, nil
}

// sign makes an access token for a system.
func (s *server) sign(system *exchange.System) (string, error) {
	now := s.Now()
	token := jwt.NewWithClaims(jwt.GetSigningMethod(s.Keys.current.algorithm), jwt.MapClaims{
		"iss": s.Issuer, "aud": s.audience, "sub": system.ID, "client_id": system.ID, "department": system.Department,
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(s.TokenLife).Unix(), "jti": s.NewID(),
	})
	token.Header["typ"], token.Header["kid"] = tokenType, s.Keys.current.id
	signed, err := token.SignedString(s.Keys.signer)
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	return signed, nil
}
