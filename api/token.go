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
	Code        string `json:"error" enum:"invalid_request,invalid_client,unauthorized_client,unsupported_grant_type,invalid_scope,invalid_dpop_proof,temporarily_unavailable,server_error"`
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

// client is a system that has proved itself, and by which of its credentials.
type client struct {
	system     *exchange.System
	credential string
}

// tokenRequest is a form that a client sends to the authorization server.
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
	TokenType   string `json:"token_type" enum:"Bearer,DPoP"`
	ExpiresIn   int    `json:"expires_in" doc:"秒"`
}

func (s *server) registerToken() {
	op := s.operation(http.MethodPost, tokenPath, "issue-token", "换取访问令牌", "授权")
	op.Description = "OAuth 2.0 client_credentials。接入系统以 HTTP Basic 出示密钥，或以 private_key_jwt（RFC 7523）出示签名断言。" +
		"请求带 DPoP 证明（RFC 9449）时，令牌绑定到其中的公钥；登记为须绑定的系统不能取得不绑定的令牌。"
	op.Parameters = []*huma.Param{{Name: "DPoP", In: "header", Description: "DPoP 证明（RFC 9449）", Schema: &huma.Schema{Type: huma.TypeString}}}
	s.describeForm(&op, []string{"grant_type"}, map[string]*huma.Schema{"grant_type": formText("", "client_credentials")})
	handle(s, op, s.issueToken)
}

// describeForm documents a form that a client sends, which is read by hand, and
// the errors in their own form.
func (s *server) describeForm(op *huma.Operation, required []string, fields map[string]*huma.Schema) {
	op.Security = nil
	op.MaxBodyBytes = maxTokenRequest
	failed := s.api.OpenAPI().Components.Schemas.Schema(typeOf[oauthError](), true, "OAuthError")
	for _, status := range []string{"400", "401", "413", "429", "500", "503"} {
		op.Responses[status] = &huma.Response{
			Description: "RFC 6749 §5.2",
			Content:     map[string]*huma.MediaType{"application/json": {Schema: failed}},
		}
	}
	fields["client_id"] = formText("private_key_jwt 时可省略")
	fields["client_assertion_type"] = formText("private_key_jwt", assertionType)
	fields["client_assertion"] = formText("签名断言")
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		formType: {Schema: &huma.Schema{Type: huma.TypeObject, Required: required, Properties: fields}},
	}}
}

func formText(about string, values ...any) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Description: about, Enum: values}
}

// issueToken authenticates a client and gives it an access token.
func (s *server) issueToken(ctx context.Context, in *tokenRequest) (*tokenResponse, error) {
	form, err := readTokenForm(in)
	if err != nil {
		return nil, err
	}
	who, err := s.admit(ctx, in, form)
	if err != nil {
		if errors.As(err, new(*oauthError)) {
			s.Callers.ForgetCredential(in.Authorization)
		}
		return nil, s.tokenFailed(ctx, err)
	}
	bound, err := s.bind(ctx, who.system)
	if err != nil {
		return nil, s.tokenFailed(ctx, err)
	}
	signed, err := s.sign(who, bound)
	if err != nil {
		return nil, s.tokenFailed(ctx, err)
	}
	setSystem(ctx, who.system.ID)
	s.Callers.LearnCredential(in.Authorization, who.system.ID)
	s.Callers.LearnCredential(bound.tokenType()+" "+signed, who.system.ID)
	return &tokenResponse{
		CacheControl: "no-store", Pragma: "no-cache",
		Body: accessToken{AccessToken: signed, TokenType: bound.tokenType(), ExpiresIn: int(s.TokenLife / time.Second)},
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

// formType is the media type of what clients send to the authorization server.
const formType = "application/x-www-form-urlencoded"

// readForm reads a form. A parameter that is given twice is refused, as RFC 6749
// §3.2 wants.
func readForm(in *tokenRequest) (url.Values, error) {
	kind, _, err := mime.ParseMediaType(in.ContentType)
	if err != nil || kind != formType {
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
	return form, nil
}

func readTokenForm(in *tokenRequest) (url.Values, error) {
	form, err := readForm(in)
	if err != nil {
		return nil, err
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
func (s *server) authenticateClient(ctx context.Context, authorization string, form url.Values) (*client, error) {
	_, withAssertion := form["client_assertion"]
	_, withType := form["client_assertion_type"]
	switch {
	case len(requestOf(ctx).header("Authorization")) > 1:
		return nil, badTokenRequest("Authorization is given more than once")
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

func (s *server) byBasic(ctx context.Context, authorization string, form url.Values) (*client, error) {
	id, secret, ok := readBasic(authorization)
	if !ok || (form.Has("client_id") && form.Get("client_id") != id) {
		return nil, badClient(true)
	}
	system, err := s.activeSystem(ctx, id)
	if err != nil && !errors.Is(err, fault.Unauthenticated) {
		return nil, err
	}
	if err != nil {
		system = &exchange.System{} // costs the same
	}
	credential := s.secretOf(system, secret)
	if credential == "" {
		return nil, badClient(true)
	}
	return &client{system: system, credential: credential}, nil
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
	return active(s.Systems.System(ctx, id))
}

func active(system *exchange.System, err error) (*exchange.System, error) {
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

// sign makes an access token for a client. It names the credential for which it
// is given, and ends with it.
func (s *server) sign(who *client, bound confirmation) (string, error) {
	now := s.Now()
	claims := jwt.MapClaims{
		"iss": s.Issuer, "aud": s.audience, "sub": who.system.ID, "client_id": who.system.ID, "department": who.system.Department,
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(s.TokenLife).Unix(), "jti": s.NewID(), "cred": who.credential,
	}
	if bound.any() {
		claims["cnf"] = bound.claim()
	}
	token := jwt.NewWithClaims(jwt.GetSigningMethod(s.Keys.current.algorithm), claims)
	token.Header["typ"], token.Header["kid"] = tokenType, s.Keys.current.id
	signed, err := token.SignedString(s.Keys.signer)
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	return signed, nil
}
