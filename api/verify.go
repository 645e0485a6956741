package api

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"mianti/exchange"
	"mianti/policies"
)

const (
	// maxToken bounds a token before anything of it is read.
	maxToken = 8 << 10
	// maxAhead is how far another clock may be ahead of this one.
	maxAhead = 10 * time.Second
)

// errToken says that a token cannot be believed. It does not say why: the
// answer to the caller must not.
var errToken = errors.New("token refused")

// accessTokenParser makes the parser of access tokens. What it lets through
// is checked again by checkHeader and checkAccess: the library accepts unknown
// critical headers, any type, and an expiry years ahead.
func (s *server) accessTokenParser() *jwt.Parser {
	return jwt.NewParser(
		jwt.WithValidMethods([]string{algorithmES256, algorithmEdDSA}),
		jwt.WithIssuer(s.Issuer), jwt.WithAudience(s.audience),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(maxAhead),
		jwt.WithTimeFunc(s.Now), jwt.WithStrictDecoding(),
	)
}

// access is an access token that holds in every respect but for what the
// register says of it now.
type access struct {
	system     string
	credential string
	jti        string
	expires    time.Time
	bound      confirmation
}

// authenticate finds the caller of a request by the value of its Authorization
// header. The register decides at every request whether a system may still
// ask, by that credential and that token, and for which department.
func (s *server) authenticate(r *http.Request, authorization string) (policies.Caller, error) {
	scheme, text, found := strings.Cut(authorization, " ")
	if !found || !(strings.EqualFold(scheme, schemeBearer) || strings.EqualFold(scheme, schemeDPoP)) {
		return policies.Caller{}, unauthenticated()
	}
	token, err := s.verify(text)
	if err != nil {
		return policies.Caller{}, unauthenticated().Because(err)
	}
	system, err := s.inForce(r.Context(), token)
	if err != nil {
		return policies.Caller{}, err
	}
	if err := s.checkBinding(r, scheme, text, system, token.bound); err != nil {
		return policies.Caller{}, err
	}
	if err := s.Safeguard.SystemStopped(r.Context(), system.ID); err != nil {
		return policies.Caller{}, err
	}
	requestOf(r.Context()).credential = token.credential
	return policies.Caller{System: system.ID, Department: system.Department, Duties: []policies.Duty{policies.DutySystem}}, nil
}

// inForce asks the register whether a token still holds. What was revoked here is
// refused at the next request, and what was revoked elsewhere within two seconds.
func (s *server) inForce(ctx context.Context, token *access) (*exchange.System, error) {
	system, err := active(s.Systems.SystemInForce(ctx, token.system))
	if err != nil {
		return nil, err
	}
	if system.Credential(token.credential, s.Now()) == nil {
		return nil, unauthenticated()
	}
	revoked, err := s.Tokens.TokenRevoked(ctx, token.jti)
	if err != nil {
		return nil, fmt.Errorf("look for a revoked token: %w", err)
	}
	if revoked {
		return nil, unauthenticated()
	}
	return system, nil
}

// verify gives what an access token says that we made and that has not ended.
func (s *server) verify(text string) (*access, error) {
	now := s.Now()
	if known := s.verified.find(text, now); known != nil {
		return known, nil
	}
	token, err := s.verifyAnew(text)
	if err == nil {
		s.verified.keep(text, token, now)
	}
	return token, err
}

func (s *server) verifyAnew(text string) (*access, error) {
	if err := checkSegments(text); err != nil {
		return nil, err
	}
	claims := jwt.MapClaims{}
	_, err := s.tokens.ParseWithClaims(text, claims, func(t *jwt.Token) (any, error) {
		return s.keyFor(t)
	})
	if err != nil {
		return nil, errToken
	}
	return s.checkAccess(claims)
}

// keyFor gives the key that must have signed a token. The header may hold what
// we put there, and nothing else: no crit, b64, zip, cty, jwk, jku or x5u.
func (s *server) keyFor(t *jwt.Token) (any, error) {
	for name := range t.Header {
		if name != "alg" && name != "kid" && name != "typ" {
			return nil, errToken
		}
	}
	typ, _ := t.Header["typ"].(string)
	kid, _ := t.Header["kid"].(string)
	key, ok := s.Keys.find(kid)
	if !ok || !strings.EqualFold(typ, tokenType) || t.Method.Alg() != key.algorithm {
		return nil, errToken
	}
	return key.key, nil
}

// checkAccess holds the claims against what this server puts into a token.
func (s *server) checkAccess(claims jwt.MapClaims) (*access, error) {
	out := &access{}
	client, _ := claims["client_id"].(string)
	audience, _ := claims["aud"].(string)
	out.system, _ = claims["sub"].(string)
	out.credential, _ = claims["cred"].(string)
	out.jti, _ = claims["jti"].(string)
	if out.system == "" || out.system != client || out.jti == "" || out.credential == "" || audience != s.audience {
		return nil, errToken
	}
	issued, issuedOK := moment(claims["iat"])
	expires, expiresOK := moment(claims["exp"])
	if !issuedOK || !expiresOK || !s.Now().Before(expires) || expires.Sub(issued) > s.TokenLife {
		return nil, errToken
	}
	out.expires = expires
	bound, ok := readConfirmation(claims)
	if !ok {
		return nil, errToken
	}
	out.bound = bound
	return out, nil
}

// moment reads a NumericDate: a number, never a string.
func moment(claim any) (time.Time, bool) {
	seconds, ok := claim.(float64)
	if !ok || seconds <= 0 || seconds > 1<<40 || math.IsNaN(seconds) {
		return time.Time{}, false
	}
	return time.Unix(int64(seconds), 0), true
}

// checkSegments refuses a token whose header or claims could be read in two
// ways: a name given twice, or in another case ("exp" and "Exp").
func checkSegments(text string) error {
	parts := strings.Split(text, ".")
	if len(text) > maxToken || len(parts) != 3 {
		return errToken
	}
	for _, part := range parts[:2] {
		raw, err := base64.RawURLEncoding.Strict().DecodeString(part)
		if err != nil {
			return errToken
		}
		value, err := decodeStrict(raw)
		if _, ok := value.(map[string]any); err != nil || !ok {
			return errToken
		}
	}
	return nil
}
