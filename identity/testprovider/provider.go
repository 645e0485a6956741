// Package testprovider is a small OpenID provider for demonstrations and tests.
// Whoever opens its page picks which made-up person to be; there is no password.
// It must never stand before real records: Listen serves this machine alone.
package testprovider

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

//go:embed pages
var pageFiles embed.FS

// Person is a made-up person whom one can be.
type Person struct {
	Subject string
	Name    string
	Note    string
	// Claims are said of him besides his name, such as citizen_id.
	Claims map[string]any
}

// Config is what a provider is made of. All fields are required, but for those
// that name a default.
type Config struct {
	// Issuer is its address, such as "http://127.0.0.1:8093/staff". It answers
	// below the path of it.
	Issuer string
	Title  string // of its page
	People []Person
	// ClientID is the one client; ClientSecret is empty for a public one.
	ClientID, ClientSecret string
	// RedirectURLs are where it may send people back to.
	RedirectURLs []string
	Now          func() time.Time
	// Spoil, if given, changes an id token before it is signed, so that tests can
	// see it refused.
	Spoil func(t *IDToken)
}

// IDToken is what is about to be signed. Algorithm may be ES256, HS256 with the
// client secret, or none.
type IDToken struct {
	Algorithm string
	Header    map[string]any
	Claims    map[string]any
}

// Provider is one provider. It is safe for concurrent use.
type Provider struct {
	Config
	base string // path of the issuer
	key  *ecdsa.PrivateKey
	page *template.Template
	mux  *http.ServeMux

	mu    sync.Mutex
	codes map[string]grant
}

// grant is what a code stands for, once.
type grant struct {
	person    Person
	nonce     string
	redirect  string
	challenge string
	until     time.Time
}

const (
	codeLife  = time.Minute
	tokenLife = 5 * time.Minute
	keyID     = "test-1"
	// maxCodes bounds what is kept for those who never come back.
	maxCodes = 1000
	maxForm  = 8 << 10
)

// New returns a provider with a new key.
func New(c Config) (*Provider, error) {
	issuer, err := url.Parse(c.Issuer)
	if err != nil || !isLoopback(issuer.Hostname()) {
		return nil, errors.New("testprovider: the issuer must be on this machine, such as http://127.0.0.1:8093/staff")
	}
	if c.ClientID == "" || c.Now == nil || len(c.RedirectURLs) == 0 {
		return nil, errors.New("testprovider: a required part of the configuration is missing")
	}
	p := &Provider{Config: c, base: strings.TrimRight(issuer.Path, "/"), codes: map[string]grant{}}
	if p.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, fmt.Errorf("testprovider: make a key: %w", err)
	}
	if p.page, err = template.ParseFS(pageFiles, "pages/choose.html"); err != nil {
		return nil, fmt.Errorf("testprovider: read the page: %w", err)
	}
	p.mux = http.NewServeMux()
	p.mux.HandleFunc("GET "+p.base+"/.well-known/openid-configuration", p.describe)
	p.mux.HandleFunc("GET "+p.base+"/jwks", p.keys)
	p.mux.HandleFunc("GET "+p.base+"/style.css", style)
	p.mux.HandleFunc("GET "+p.base+"/authorize", p.authorize)
	p.mux.HandleFunc("POST "+p.base+"/token", p.token)
	return p, nil
}

// Listen opens a port of this machine, and refuses any other.
func Listen(address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil || !isLoopback(host) {
		return nil, fmt.Errorf("testprovider: %q: it listens on this machine only, such as 127.0.0.1:8093", address)
	}
	return net.Listen("tcp", address)
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// ServeHTTP answers as the provider.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	p.mux.ServeHTTP(w, r)
}

func (p *Provider) describe(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{
		"issuer": p.Issuer, "authorization_endpoint": p.Issuer + "/authorize", "token_endpoint": p.Issuer + "/token", "jwks_uri": p.Issuer + "/jwks",
		"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
		"id_token_signing_alg_values_supported": []string{"ES256"}, "code_challenge_methods_supported": []string{"S256"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post", "none"},
		"scopes_supported":                      []string{"openid", "profile"}, "authorization_response_iss_parameter_supported": true,
	})
}

func (p *Provider) keys(w http.ResponseWriter, _ *http.Request) {
	point, err := p.key.PublicKey.Bytes() // 4, x, y
	if err != nil {
		http.Error(w, "no key", http.StatusInternalServerError)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"keys": []any{map[string]string{
		"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": keyID,
		"x": base64.RawURLEncoding.EncodeToString(point[1:33]), "y": base64.RawURLEncoding.EncodeToString(point[33:]),
	}}})
}

// choice is one person on the page, with the address that picks him.
type choice struct {
	Name, Note string
	URL        template.URL
}

// authorize shows whom one can be, or sends the one who was picked back.
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Get("client_id") != p.ClientID || !slices.Contains(p.RedirectURLs, q.Get("redirect_uri")) {
		http.Error(w, "client_id or redirect_uri is not registered", http.StatusBadRequest)
		return
	}
	switch {
	case q.Get("response_type") != "code" || !slices.Contains(strings.Fields(q.Get("scope")), "openid"):
		p.back(w, r, url.Values{"error": {"invalid_request"}})
	case q.Get("code_challenge_method") != "S256" || q.Get("code_challenge") == "":
		p.back(w, r, url.Values{"error": {"invalid_request"}, "error_description": {"PKCE with S256 is required"}})
	case q.Get("choose") == "none":
		p.back(w, r, url.Values{"error": {"access_denied"}})
	case q.Has("choose"):
		p.choose(w, r, q)
	default:
		p.show(w, q)
	}
}

func (p *Provider) show(w http.ResponseWriter, q url.Values) {
	link := func(subject string) template.URL {
		picked := url.Values{}
		for name, values := range q {
			picked[name] = values
		}
		picked.Set("choose", subject)
		return template.URL(p.base + "/authorize?" + picked.Encode()) //nolint:gosec // encoded just now
	}
	page := struct {
		Base, Title string
		People      []choice
		None        template.URL
	}{Base: p.base, Title: p.Title, None: link("none")}
	for _, person := range p.People {
		page.People = append(page.People, choice{person.Name, person.Note, link(person.Subject)})
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if err := p.page.Execute(w, page); err != nil {
		return // who has gone does not need it
	}
}

func (p *Provider) choose(w http.ResponseWriter, r *http.Request, q url.Values) {
	at := slices.IndexFunc(p.People, func(x Person) bool { return x.Subject == q.Get("choose") })
	if at < 0 {
		http.Error(w, "no such person", http.StatusBadRequest)
		return
	}
	code, now := rand.Text(), p.Now()
	p.mu.Lock()
	for old, g := range p.codes {
		if len(p.codes) >= maxCodes || now.After(g.until) {
			delete(p.codes, old)
		}
	}
	p.codes[code] = grant{
		person: p.People[at], nonce: q.Get("nonce"), redirect: q.Get("redirect_uri"), challenge: q.Get("code_challenge"), until: now.Add(codeLife),
	}
	p.mu.Unlock()
	p.back(w, r, url.Values{"code": {code}})
}

// back sends somebody back to the client.
func (p *Provider) back(w http.ResponseWriter, r *http.Request, answer url.Values) {
	q := r.URL.Query()
	answer.Set("state", q.Get("state"))
	answer.Set("iss", p.Issuer)
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+answer.Encode(), http.StatusFound)
}

// token trades a code for an id token, once, to the client that it was made for
// and that knows the verifier.
func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if !p.isClient(r) {
		writeJSON(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client"})
		return
	}
	code := r.PostFormValue("code")
	p.mu.Lock()
	g, ok := p.codes[code]
	delete(p.codes, code)
	p.mu.Unlock()
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if r.PostFormValue("grant_type") != "authorization_code" || !ok || p.Now().After(g.until) || g.redirect != r.PostFormValue("redirect_uri") ||
		!same(g.challenge, base64.RawURLEncoding.EncodeToString(sum[:])) {
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant"})
		return
	}
	signed, err := p.idToken(g)
	if err != nil {
		http.Error(w, "no token", http.StatusInternalServerError)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"access_token": rand.Text(), "token_type": "Bearer", "expires_in": int(tokenLife.Seconds()), "id_token": signed})
}

func (p *Provider) isClient(r *http.Request) bool {
	id, secret, basic := r.BasicAuth()
	if !basic {
		return r.PostFormValue("client_id") == p.ClientID && same(p.ClientSecret, r.PostFormValue("client_secret"))
	}
	id, err := url.QueryUnescape(id)
	if err != nil {
		return false
	}
	secret, err = url.QueryUnescape(secret)
	return err == nil && id == p.ClientID && same(p.ClientSecret, secret)
}

func (p *Provider) idToken(g grant) (string, error) {
	now := p.Now()
	claims := map[string]any{
		"iss": p.Issuer, "sub": g.person.Subject, "aud": p.ClientID, "nonce": g.nonce, "name": g.person.Name,
		"iat": now.Unix(), "exp": now.Add(tokenLife).Unix(),
	}
	for name, value := range g.person.Claims {
		claims[name] = value
	}
	said := &IDToken{Algorithm: "ES256", Header: map[string]any{"kid": keyID}, Claims: claims}
	if p.Spoil != nil {
		p.Spoil(said)
	}
	return p.sign(said)
}

func (p *Provider) sign(said *IDToken) (string, error) {
	method := jwt.GetSigningMethod(said.Algorithm)
	if method == nil {
		return "", fmt.Errorf("testprovider: no algorithm %s", said.Algorithm)
	}
	token := jwt.NewWithClaims(method, jwt.MapClaims(said.Claims))
	for name, value := range said.Header {
		token.Header[name] = value
	}
	switch method {
	case jwt.SigningMethodNone:
		return token.SignedString(jwt.UnsafeAllowNoneSignatureType)
	case jwt.SigningMethodHS256:
		return token.SignedString([]byte(p.ClientSecret))
	default:
		return token.SignedString(p.key)
	}
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func style(w http.ResponseWriter, _ *http.Request) {
	css, err := pageFiles.ReadFile("pages/style.css")
	if err != nil {
		http.Error(w, "no style", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	_, _ = w.Write(css) // who has gone does not need it
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		http.Error(w, "cannot be written", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // who has gone does not need it
}
