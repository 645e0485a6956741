// Package api is the machine interface of the exchange: JSON over HTTP, its
// OpenAPI document, and the authorization server that gives its tokens.
//
// It decodes strictly, calls one method of the exchange, and renders. It makes
// no decision about a case, and it opens no connection of its own. Every error
// leaves as a problem (RFC 9457), but for those of /oauth/token, which have a
// form of their own (RFC 6749 §5.2). Neither a body nor an identity is ever
// logged.
package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"
	"github.com/golang-jwt/jwt/v5"

	"mianti/admission"
	"mianti/batch"
	"mianti/catalog/interchange"
	"mianti/catalog/suggest"
	"mianti/citizen"
	"mianti/correction"
	"mianti/draft"
	"mianti/effect"
	"mianti/exchange"
	"mianti/figures"
	"mianti/identity"
	"mianti/policies"
	"mianti/safeguard"
	"mianti/sharing"
	"mianti/sheet"
)

// Systems (接入系统) is the register of the software that may ask.
type Systems interface {
	// System gives a system by its client id; fault.NotFound for none.
	System(ctx context.Context, id string) (*exchange.System, error)
	// SystemInForce is System for every request of one: what was changed by another
	// replica is known within two seconds.
	SystemInForce(ctx context.Context, id string) (*exchange.System, error)
	// UseAssertion uses up the id of a client assertion until it expires. It is
	// a fault.Conflict when the id was used before.
	UseAssertion(ctx context.Context, system, jti string, expires time.Time) error
	// Rotate adds credentials to a system, and lets the others end.
	Rotate(ctx context.Context, r exchange.Rotation) error
}

// Tokens remembers the access tokens that were revoked before their time.
type Tokens interface {
	// RevokeToken ends a token by its id; it would end by itself at expires.
	RevokeToken(ctx context.Context, jti string, expires time.Time) error
	// TokenRevoked reports whether a token was revoked, by anybody, anywhere.
	TokenRevoked(ctx context.Context, jti string) (bool, error)
}

// People finds who has signed in.
type People interface {
	// Caller gives the person whose session a request belongs to;
	// fault.Unauthenticated for none.
	Caller(r *http.Request) (policies.Caller, error)
}

// Observer is told of requests. Routes are the interface's own, such as
// "/v1/cases/:id"; "none" stands for an address that nobody serves.
type Observer interface {
	// Begin is called before a request is looked at, and gives its context.
	Begin(r *http.Request, route string) context.Context
	// End is called when it was answered, with that context.
	End(ctx context.Context, route, method string, status int, took time.Duration)
}

// Config is what the interface is made of. All fields are required, but for
// those that name a default.
type Config struct {
	Exchange *exchange.Exchange
	Catalogs exchange.Catalogs
	// Revisions lists those that are stored; nil for none.
	Revisions Revisions
	// Matters finds matters of a catalog that is too large to be held whole; nil for one
	// that never is.
	Matters MatterIndex
	// Interchange exports the catalog, and holds files against it.
	Interchange *interchange.Desk
	// Measures gives what was measured, for the lint; nil where nothing is.
	Measures Measures
	Systems  Systems
	Tokens   Tokens
	Sharing  *sharing.Sharing
	Figures  *figures.Figures
	Ledger   Ledger
	// Effects says what a change of the catalog would do, Drafter what a revision would
	// be with edits.
	Effects *effect.Desk
	Drafter effect.Drafter
	// Corrections are what is said of wrong records.
	Corrections *correction.Desk
	// Drafts are how the catalog comes to change.
	Drafts *draft.Desk
	// Safeguard knows stops, quotas, alarms and failed logins.
	Safeguard *safeguard.Safeguard
	// Batches are lists that are verified in the background.
	Batches *batch.Desk
	// Suggestions is the mapping assistant.
	Suggestions *suggest.Desk
	// Anchors tells of the parties outside that hold checkpoints; nil for none.
	Anchors Anchors
	// People are those who sign in, Sessions theirs, Office gives them duties, and
	// SignIn serves the pages below /auth/; nil for nobody.
	People   People
	Sessions Sessions
	Office   *identity.Office
	SignIn   http.Handler
	// Citizen is what people may ask about themselves; nil for nothing.
	Citizen *citizen.Citizen
	Keys    *SigningKeys
	// EvidenceKeys are those of evidence. CheckpointKeys are those of the ledger's
	// checkpoints, and Prover proves what is in it; nil for a ledger without them.
	EvidenceKeys   EvidenceKeys
	CheckpointKeys CheckpointKeys
	Prover         Prover
	// PDFFont is what sheets are set in as PDF; nil gives no PDF.
	PDFFont *sheet.Font
	// Issuer is the address under which callers reach this interface, such as
	// "https://mianti.example"; tokens name it.
	Issuer string
	Now    func() time.Time
	NewID  func() string
	Log    *slog.Logger
	// Ready says of each part of a node whether it works; nil looks at the catalog alone.
	// It does the real thing and records nothing.
	Ready func(ctx context.Context) []Part
	// Observer is told of every request; nil for nobody.
	Observer Observer
	// MaxBody bounds a request body in bytes. Default 1 MiB.
	MaxBody int64
	// TokenLife is how long an access token is good for. Default 10 min.
	TokenLife time.Duration
	// Draining, if given, is closed when the server is about to end: streams then
	// end too.
	Draining <-chan struct{}
	// TrustedProxies are the addresses whose X-Forwarded-For is believed.
	// Default none.
	TrustedProxies []string
	// Callers is told whose a credential was found to be; nil for nobody who asks.
	Callers *admission.Callers
	// ClientCertificates says that the server asks for them, so that tokens can be
	// bound to them (RFC 8705).
	ClientCertificates bool
}

// server is the interface, wired.
type server struct {
	Config
	audience string
	tokenURL string
	texts    map[string]problemText
	tokens   *jwt.Parser
	verified tokenCache
	engine   *gin.Engine
	api      huma.API
	uploads  chan struct{} // files that are being received
	streams  chan struct{} // event streams that are open
	standing *exchange.Standing
	sameSite *http.CrossOriginProtection
	ready    readiness
}

// New returns the handler of the whole interface. It fails when the
// configuration cannot work.
func New(c Config) (*gin.Engine, error) {
	if err := c.complete(); err != nil {
		return nil, err
	}
	s := &server{Config: c, audience: c.Issuer + "/v1", tokenURL: c.Issuer + "/oauth/token", texts: problemTexts()}
	s.tokens = s.accessTokenParser()
	s.standing = &exchange.Standing{Catalogs: s.Catalogs, Now: s.Now}
	s.sameSite = http.NewCrossOriginProtection()
	if err := s.sameSite.AddTrustedOrigin(origin(c.Issuer)); err != nil {
		return nil, fmt.Errorf("api: issuer: %w", err)
	}
	s.uploads, s.streams = make(chan struct{}, maxUploads), make(chan struct{}, maxStreams)
	engine, err := s.newEngine()
	if err != nil {
		return nil, err
	}
	s.engine = engine
	s.api = s.newOperations()
	s.registerOperations()
	if err := s.registerPages(); err != nil {
		return nil, err
	}
	return s.engine, nil
}

func (c *Config) complete() error {
	if c.Exchange == nil || c.Catalogs == nil || c.Systems == nil || c.Tokens == nil || c.Sharing == nil || c.Figures == nil || c.Effects == nil || c.Drafter == nil || c.Ledger == nil || c.Corrections == nil || c.Drafts == nil || c.Safeguard == nil || c.Batches == nil || c.Keys == nil || c.EvidenceKeys == nil || c.Now == nil || c.NewID == nil || c.Log == nil {
		return errors.New("api: a required part of the configuration is missing")
	}
	c.Issuer = strings.TrimRight(c.Issuer, "/")
	issuer, err := url.Parse(c.Issuer)
	if err != nil || issuer.Host == "" || (issuer.Scheme != "https" && issuer.Scheme != "http") ||
		issuer.RawQuery != "" || issuer.Fragment != "" || issuer.User != nil {
		return fmt.Errorf("api: issuer %q is not the address of a server", c.Issuer)
	}
	if c.MaxBody == 0 {
		c.MaxBody = 1 << 20
	}
	if c.TokenLife == 0 {
		c.TokenLife = 10 * time.Minute
	}
	if c.MaxBody < 0 || c.TokenLife < 0 || c.TokenLife > time.Hour {
		return errors.New("api: the body limit must be positive, and a token may live for an hour at most")
	}
	return nil
}

func (s *server) newEngine() (*gin.Engine, error) {
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.ContextWithFallback = true
	engine.HandleMethodNotAllowed = true
	engine.RedirectTrailingSlash = false
	if err := engine.SetTrustedProxies(s.TrustedProxies); err != nil {
		return nil, fmt.Errorf("api: trusted proxies: %w", err)
	}
	engine.Use(s.begin, s.recoverPanic)
	engine.NoRoute(func(c *gin.Context) { s.refuse(c, noSuchRoute()) })
	engine.NoMethod(func(c *gin.Context) { s.refuse(c, methodNotAllowed()) })
	return engine, nil
}
