package auth

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"mianti/catalog"
	"mianti/connectors"
)

const (
	// unsaid is how long a token is used whose end is not told.
	unsaid = 5 * time.Minute
	// longest is how long any token is used.
	longest = 24 * time.Hour
	// early is how long before its end a token is replaced, or a tenth of its life
	// where that is less.
	early = time.Minute
	// forgotten is how long a token is kept that nobody uses.
	forgotten = time.Hour
)

// Tokens gets tokens by client credentials (RFC 6749 §4.4) and keeps them until
// shortly before they end. It is safe for use by many goroutines, and asks for
// one token of a source at a time.
type Tokens struct {
	secrets connectors.Secrets
	now     func() time.Time

	mu    sync.Mutex
	known map[tokenKey]*holding
}

// TokenQuestion is whose token is wanted.
type TokenQuestion struct {
	Source  string // its code
	BaseURL string // of the source's interface, for a token URL that is a path
	Auth    *catalog.OAuth2Auth
	// Transport carries the question. It MUST follow no redirect, keep to the
	// source's network and bound what it reads.
	Transport http.RoundTripper
	// Refused is a token that the source has just refused; it is not given again.
	Refused string
}

// tokenKey is all that a token depends on.
type tokenKey struct {
	source, url, client, scopes string
	secret                      [sha256.Size]byte
}

// holding is the token of one source.
type holding struct {
	turn chan struct{} // who holds its one item may ask for a token

	mu     sync.Mutex
	token  string
	until  time.Time // when it is to be replaced
	used   time.Time
	basic  bool  // the credentials are wanted in the header
	body   bool  // or in the form; neither: not known yet
	asked  int   // how many questions have ended
	failed error // how the last one did
}

// NewTokens returns Tokens that holds none.
func NewTokens(secrets connectors.Secrets, now func() time.Time) *Tokens {
	return &Tokens{secrets: secrets, now: now, known: map[tokenKey]*holding{}}
}

// Token gives a token that the source should take. Only if there is none yet,
// or it ends soon, is the token endpoint asked. The error is a
// *connectors.Fault, or what the transport said.
func (t *Tokens) Token(ctx context.Context, q TokenQuestion) (string, error) {
	url, err := tokenURL(q)
	if err != nil {
		return "", err
	}
	secret, err := lookUp(t.secrets, q.Auth.Secret)
	if err != nil {
		return "", err
	}
	key := tokenKey{q.Source, url, q.Auth.ClientID, strings.Join(q.Auth.Scopes, " "), sha256.Sum256(secret)}
	h := t.holding(key)
	token, asked := h.good(t.now(), q.Refused)
	if token != "" {
		return token, nil
	}
	select {
	case <-h.turn:
		defer func() { h.turn <- struct{}{} }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	// Somebody else may have asked meanwhile, with or without success.
	token, now := h.good(t.now(), q.Refused)
	if token != "" {
		return token, nil
	}
	if now != asked && h.failure() != nil {
		return "", h.failure()
	}
	return h.ask(ctx, t.now, q.Transport, clientcredentials.Config{
		ClientID: q.Auth.ClientID, ClientSecret: string(secret), TokenURL: url, Scopes: q.Auth.Scopes,
	})
}

// tokenURL is where tokens come from: a path at the source's address, or an
// address of its own, which is always encrypted.
func tokenURL(q TokenQuestion) (string, error) {
	switch {
	case strings.HasPrefix(q.Auth.TokenURL, "/"):
		return q.BaseURL + q.Auth.TokenURL, nil
	case strings.HasPrefix(q.Auth.TokenURL, "https://"):
		return q.Auth.TokenURL, nil
	default:
		return "", misset("the address of the token endpoint is neither a path nor https")
	}
}

// holding gives the place of a token, and drops those that nobody uses.
func (t *Tokens) holding(key tokenKey) *holding {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	if h := t.known[key]; h != nil {
		return h
	}
	for other, h := range t.known {
		if h.idle(now) {
			delete(t.known, other)
		}
	}
	h := &holding{turn: make(chan struct{}, 1), used: now}
	h.turn <- struct{}{}
	t.known[key] = h
	return h
}

// good gives the token if it can be used, and how many questions have ended.
func (h *holding) good(now time.Time, refused string) (token string, asked int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.used = now
	if h.token == refused || !now.Before(h.until) {
		return "", h.asked
	}
	return h.token, h.asked
}

func (h *holding) idle(now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return now.Sub(h.used) > forgotten
}

func (h *holding) failure() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.failed
}

// ask asks for a token and keeps it. Only who has the turn may call it.
func (h *holding) ask(ctx context.Context, now func() time.Time, transport http.RoundTripper, config clientcredentials.Config) (string, error) {
	asked := now()
	token, err := h.fetch(ctx, transport, config)
	var value string
	var life time.Duration
	if err == nil {
		value, life, err = judge(token)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.token, h.until, h.failed = value, asked.Add(life-min(early, life/10)), err
	h.asked++
	if err != nil && ctx.Err() != nil {
		h.failed = nil // the asking one gave up, which says nothing to the others
	}
	return value, err
}

// fetch puts the question, with the credentials where the endpoint wants them:
// in the header (RFC 6749 §2.3.1), or in the form if the header is refused.
func (h *holding) fetch(ctx context.Context, transport http.RoundTripper, config clientcredentials.Config) (*oauth2.Token, error) {
	client := &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	ctx = context.WithValue(ctx, oauth2.HTTPClient, client)
	put := func(style oauth2.AuthStyle) (*oauth2.Token, error) {
		config.AuthStyle = style
		return config.Token(ctx)
	}
	if h.body {
		token, err := put(oauth2.AuthStyleInParams)
		return token, tokenFault(err)
	}
	token, err := put(oauth2.AuthStyleInHeader)
	if err == nil {
		h.basic = true
		return token, nil
	}
	if fault := tokenFault(err); h.basic || connectors.KindOf(fault) != connectors.FaultRefused {
		return nil, fault
	}
	if token, err = put(oauth2.AuthStyleInParams); err == nil {
		h.body = true
	}
	return token, tokenFault(err)
}

// tokenFault says what the token endpoint's answer means. Its text is dropped,
// as it may repeat what was sent. What the transport said is given as it is.
func tokenFault(err error) error {
	if err == nil {
		return nil
	}
	var answer *oauth2.RetrieveError
	if !errors.As(err, &answer) {
		return transportFault(err)
	}
	switch status := answer.Response.StatusCode; {
	case status == http.StatusBadRequest || status == http.StatusUnauthorized || status == http.StatusForbidden:
		return fail(connectors.FaultRefused, "the token endpoint refuses the credentials")
	case status == http.StatusTooManyRequests:
		return fail(connectors.FaultBusy, "the token endpoint is asked too often")
	case status >= 500 || status == http.StatusRequestTimeout:
		return fail(connectors.FaultDown, "the token endpoint is out of order")
	case status == http.StatusOK && answer.ErrorCode != "":
		return fail(connectors.FaultRefused, "the token endpoint refuses the credentials")
	default:
		return fail(connectors.FaultMalformed, "the token endpoint answers otherwise than agreed")
	}
}

func transportFault(err error) error {
	var fault *connectors.Fault
	var carried interface{ Timeout() bool } // url.Error: it came from the transport
	switch {
	case errors.As(err, &fault):
		return fault
	case errors.As(err, &carried):
		return err
	default:
		return fail(connectors.FaultMalformed, "the token endpoint gives no token")
	}
}

// judge gives what is sent of a token, and for how long it may be used.
func judge(token *oauth2.Token) (value string, life time.Duration, err error) {
	if !strings.EqualFold(token.Type(), "Bearer") || !fitsHeader(token.AccessToken) {
		return "", 0, fail(connectors.FaultMalformed, "the token is of an unknown kind")
	}
	return token.AccessToken, lifeOf(token), nil
}

// lifeOf is how long a token lives by what its endpoint says, not by this
// machine's clock.
func lifeOf(token *oauth2.Token) time.Duration {
	var seconds float64
	switch said := token.Extra("expires_in").(type) {
	case float64:
		seconds = said
	case int64:
		seconds = float64(said)
	case string:
		seconds, _ = strconv.ParseFloat(said, 64) // not a number: as if unsaid
	}
	switch {
	case !(seconds > 0):
		return unsaid
	case seconds > longest.Seconds():
		return longest
	default:
		return time.Duration(seconds * float64(time.Second))
	}
}
