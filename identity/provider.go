package identity

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"mianti/internal/fault"
)

// ProviderConfig says how a provider is reached. Issuer and ClientID are
// required.
type ProviderConfig struct {
	Issuer       string
	ClientID     string
	ClientSecret string // empty: a public client
	Scopes       []string
	// NameClaim holds a name to show, NumberClaim a citizen's number. Default name
	// and citizen_id.
	NameClaim, NumberClaim string
	Now                    func() time.Time
}

// Provider (身份提供方) says who somebody is, by OpenID Connect. It is asked for
// its own description when it is first needed, and may be away at any time.
type Provider struct {
	config ProviderConfig
	client *http.Client

	mu     sync.Mutex
	found  *discovered
	failed time.Time // when it last did not answer
}

// discovered is a provider that has described itself.
type discovered struct {
	oauth    oauth2.Config
	verifier *oidc.IDTokenVerifier
}

const (
	// providerDeadline bounds each question to a provider.
	providerDeadline = 5 * time.Second
	// providerPause is how long one that did not answer is not asked again: those
	// who wait behind each other would otherwise wait for a deadline each.
	providerPause = 3 * time.Second
	// maxProviderAnswer bounds what is read of an answer.
	maxProviderAnswer = 1 << 20
)

// NewProvider returns a provider. Nothing is asked yet.
func NewProvider(c ProviderConfig) (*Provider, error) {
	if c.ClientID == "" || c.Now == nil {
		return nil, errors.New("identity: a provider needs a client id")
	}
	if _, err := checkAddress(c.Issuer); err != nil {
		return nil, fmt.Errorf("identity: issuer: %w", err)
	}
	if c.NameClaim == "" {
		c.NameClaim = "name"
	}
	if c.NumberClaim == "" {
		c.NumberClaim = "citizen_id"
	}
	c.Scopes = slices.Clone(c.Scopes)
	if !slices.Contains(c.Scopes, oidc.ScopeOpenID) {
		c.Scopes = append([]string{oidc.ScopeOpenID}, c.Scopes...)
	}
	return &Provider{config: c, client: &http.Client{
		Timeout: providerDeadline, Transport: bounded{newTransport()},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

func newTransport() http.RoundTripper {
	return &http.Transport{
		Proxy: nil, TLSHandshakeTimeout: providerDeadline, ResponseHeaderTimeout: providerDeadline,
		MaxResponseHeaderBytes: 64 << 10, MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true,
	}
}

// bounded reads no more of an answer than it has to.
type bounded struct{ next http.RoundTripper }

// RoundTrip sends a request.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	response.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(response.Body, maxProviderAnswer), response.Body}
	return response, nil
}

// discover gives the provider's description, asking for it until it was once
// given.
func (p *Provider) discover(ctx context.Context) (*discovered, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found != nil {
		return p.found, nil
	}
	if now := p.config.Now(); !p.failed.IsZero() && now.Sub(p.failed) < providerPause {
		return nil, providerAway(errors.New("it did not answer a moment ago"))
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), providerDeadline)
	defer stop()
	found, err := p.ask(ctx)
	if err != nil {
		p.failed = p.config.Now()
		return nil, providerAway(err)
	}
	p.found = found
	return found, nil
}

func (p *Provider) ask(ctx context.Context) (*discovered, error) {
	provider, err := oidc.NewProvider(oidc.ClientContext(ctx, p.client), p.config.Issuer)
	if err != nil {
		return nil, errors.New("discovery failed") // the library quotes what it was sent
	}
	var also struct {
		Methods []string `json:"token_endpoint_auth_methods_supported"`
	}
	if err := provider.Claims(&also); err != nil {
		return nil, errors.New("its description cannot be read")
	}
	endpoint := provider.Endpoint()
	for _, address := range []string{endpoint.AuthURL, endpoint.TokenURL} {
		if err := checkEndpoint(address); err != nil {
			return nil, fmt.Errorf("an endpoint of it: %w", err)
		}
	}
	// Never left to trial and error: the trial would use up the code.
	endpoint.AuthStyle = oauth2.AuthStyleInHeader
	if p.config.ClientSecret == "" || (len(also.Methods) > 0 && !slices.Contains(also.Methods, "client_secret_basic")) {
		endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	return &discovered{
		oauth: oauth2.Config{ClientID: p.config.ClientID, ClientSecret: p.config.ClientSecret, Endpoint: endpoint, Scopes: p.config.Scopes},
		verifier: provider.Verifier(&oidc.Config{
			ClientID: p.config.ClientID, Now: p.config.Now,
			// Ours, whatever it says: never a symmetric one, never none.
			SupportedSigningAlgs: []string{oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA, oidc.PS256, oidc.PS384, oidc.PS512, oidc.RS256, oidc.RS384, oidc.RS512},
		}),
	}, nil
}

// checkEndpoint is checkAddress for an address that may have a query.
func checkEndpoint(address string) error {
	for i, r := range address {
		if r == '?' {
			address = address[:i]
			break
		}
	}
	_, err := checkAddress(address)
	return err
}

// authorizeURL is where somebody is sent to say who he is.
func (p *Provider) authorizeURL(ctx context.Context, callback string, l login) (string, error) {
	d, err := p.discover(ctx)
	if err != nil {
		return "", err
	}
	config := d.oauth
	config.RedirectURL = callback
	return config.AuthCodeURL(l.state, oidc.Nonce(l.nonce), oauth2.S256ChallengeOption(l.verifier)), nil
}

// claimed is what a provider says of somebody.
type claimed struct {
	subject string
	name    string
	number  string // a citizen's; it goes no further than SubjectOf
}

// redeem trades a code for what the provider says of somebody.
func (p *Provider) redeem(ctx context.Context, callback, code string, l login) (claimed, error) {
	d, err := p.discover(ctx)
	if err != nil {
		return claimed{}, err
	}
	ctx, stop := context.WithTimeout(oidc.ClientContext(ctx, p.client), 2*providerDeadline)
	defer stop()
	config := d.oauth
	config.RedirectURL = callback
	token, err := config.Exchange(ctx, code, oauth2.VerifierOption(l.verifier))
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) && refused.Response.StatusCode < http.StatusInternalServerError {
		return claimed{}, refusedLogin(fmt.Errorf("the provider refuses the code: status %d", refused.Response.StatusCode))
	}
	if err != nil {
		return claimed{}, providerAway(errors.New("the code was not exchanged"))
	}
	raw, _ := token.Extra("id_token").(string)
	verified, err := d.verifier.Verify(ctx, raw)
	if err != nil {
		return claimed{}, refusedLogin(errors.New("the id token does not hold"))
	}
	return p.claims(verified, l.nonce)
}

// claims checks what the library leaves to its caller, and reads the claims.
func (p *Provider) claims(t *oidc.IDToken, nonce string) (claimed, error) {
	all := map[string]any{}
	if err := t.Claims(&all); err != nil {
		return claimed{}, refusedLogin(errors.New("the claims cannot be read"))
	}
	text := func(name string) string {
		value, _ := all[name].(string)
		return value
	}
	party, given := all["azp"]
	switch {
	case !sameSecret(t.Nonce, nonce):
		return claimed{}, refusedLogin(errors.New("the nonce is another"))
	case (given || len(t.Audience) > 1) && party != p.config.ClientID:
		return claimed{}, refusedLogin(errors.New("the token was issued to another party"))
	case t.IssuedAt.After(p.config.Now().Add(time.Minute)):
		return claimed{}, refusedLogin(errors.New("the token was issued in the future"))
	case !plain(t.Subject) || t.Subject == "" || len(t.Subject) > maxSubject:
		return claimed{}, refusedLogin(errors.New("the token names nobody"))
	}
	return claimed{subject: t.Subject, name: text(p.config.NameClaim), number: text(p.config.NumberClaim)}, nil
}

// maxSubject is the longest subject that the standard knows.
const maxSubject = 255

func providerAway(cause error) error {
	return fault.New(fault.Unavailable, "provider-away", "统一身份认证暂时没有应答。请稍后再登录；急办的事项可到窗口办理。").Because(cause)
}

func refusedLogin(cause error) error {
	return fault.New(fault.Denied, "login-refused", "登录没有完成：统一身份认证的答复不能采信。请重新登录。").Because(cause)
}
