package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"

	"mianti/exchange"
	"mianti/internal/fault"
)

const (
	assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	// maxAssertionLife is how far ahead an assertion may expire.
	maxAssertionLife = 5 * time.Minute
	maxAssertionID   = 255
)

// byAssertion authenticates a client by private_key_jwt (RFC 7523). Each
// assertion is good for one use.
func (s *server) byAssertion(ctx context.Context, form url.Values) (*exchange.System, error) {
	text := form.Get("client_assertion")
	if form.Get("client_assertion_type") != assertionType || text == "" {
		return nil, badTokenRequest("client_assertion and its type " + assertionType + " belong together")
	}
	id, err := claimedClient(text)
	if err != nil || (form.Has("client_id") && form.Get("client_id") != id) {
		return nil, badClient(false)
	}
	system, err := s.activeSystem(ctx, id)
	if errors.Is(err, fault.Unauthenticated) {
		return nil, badClient(false)
	}
	if err != nil {
		return nil, err
	}
	jti, expires, err := s.verifyAssertion(text, system)
	if err != nil {
		return nil, badClient(false)
	}
	err = s.Systems.UseAssertion(ctx, system.ID, jti, expires)
	if errors.Is(err, fault.Conflict) {
		return nil, badClient(false)
	}
	if err != nil {
		return nil, fmt.Errorf("use assertion: %w", err)
	}
	return system, nil
}

// claimedClient reads whose assertion it says to be, before anything is known
// to be true of it.
func claimedClient(text string) (string, error) {
	if err := checkSegments(text); err != nil {
		return "", err
	}
	claims := jwt.MapClaims{}
	if _, _, err := jwt.NewParser(jwt.WithStrictDecoding()).ParseUnverified(text, claims); err != nil {
		return "", errToken
	}
	sub, _ := claims["sub"].(string)
	iss, _ := claims["iss"].(string)
	if sub == "" || iss != sub {
		return "", errToken
	}
	return sub, nil
}

// verifyAssertion checks an assertion against the registered keys of a system.
func (s *server) verifyAssertion(text string, system *exchange.System) (jti string, expires time.Time, err error) {
	keys, err := systemKeys(system)
	if err != nil {
		return "", time.Time{}, err
	}
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{algorithmES256, algorithmEdDSA}), jwt.WithIssuer(system.ID), jwt.WithSubject(system.ID),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(maxAhead), jwt.WithTimeFunc(s.Now), jwt.WithStrictDecoding(),
	)
	claims := jwt.MapClaims{}
	_, err = parser.ParseWithClaims(text, claims, func(t *jwt.Token) (any, error) { return assertionKey(t, keys) })
	if err != nil {
		return "", time.Time{}, errToken
	}
	return s.checkAssertion(claims)
}

// assertionKey gives the registered key that must have signed an assertion.
func assertionKey(t *jwt.Token, keys []publicKey) (any, error) {
	for _, name := range []string{"crit", "b64", "zip", "cty", "jwk", "jku", "x5u", "x5c"} {
		if _, present := t.Header[name]; present {
			return nil, errToken
		}
	}
	typ, _ := t.Header["typ"].(string)
	if !strings.EqualFold(typ, "JWT") && !strings.EqualFold(typ, "client-authentication+jwt") {
		return nil, errToken
	}
	kid, _ := t.Header["kid"].(string)
	at := slices.IndexFunc(keys, func(k publicKey) bool { return k.id == kid })
	if at < 0 || t.Method.Alg() != keys[at].algorithm {
		return nil, errToken
	}
	return keys[at].key, nil
}

func (s *server) checkAssertion(claims jwt.MapClaims) (jti string, expires time.Time, err error) {
	jti, _ = claims["jti"].(string)
	if jti == "" || len(jti) > maxAssertionID || !s.meantForUs(claims["aud"]) {
		return "", time.Time{}, errToken
	}
	now := s.Now()
	expires, ok := moment(claims["exp"])
	if !ok || !now.Before(expires) || expires.After(now.Add(maxAssertionLife)) {
		return "", time.Time{}, errToken
	}
	return jti, expires, nil
}

// meantForUs wants this server as the one audience, by issuer or by token
// endpoint: an assertion that is good at two servers can be replayed by one.
func (s *server) meantForUs(claim any) bool {
	if list, ok := claim.([]any); ok && len(list) == 1 {
		claim = list[0]
	}
	audience, _ := claim.(string)
	return audience == s.Issuer || audience == s.tokenURL
}

// systemKeys reads the public keys of a system. A key without an id goes by
// its thumbprint.
func systemKeys(system *exchange.System) ([]publicKey, error) {
	if system.JWKS == "" {
		return nil, errToken
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(system.JWKS), &set); err != nil {
		return nil, fmt.Errorf("read keys of system %s: %w", system.ID, err)
	}
	keys := make([]publicKey, 0, len(set.Keys))
	for _, k := range set.Keys {
		key, err := newPublicKey(k.Key)
		if err != nil || (k.Algorithm != "" && k.Algorithm != key.algorithm) || (k.Use != "" && k.Use != "sig") {
			continue // a key of another kind is of no use here
		}
		if k.KeyID != "" {
			key.id = k.KeyID
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// CheckJWKS says why a set of public keys cannot authenticate a system; nil if
// at least one of them can.
func CheckJWKS(jwks []byte) error {
	keys, err := systemKeys(&exchange.System{JWKS: string(jwks)})
	if err != nil {
		return errors.New("want a JSON Web Key Set (RFC 7517)")
	}
	if len(keys) == 0 {
		return errors.New("none of the keys can be used: want a public P-256 or Ed25519 key for signing")
	}
	return nil
}
