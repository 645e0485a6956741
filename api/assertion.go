package api

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

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
func (s *server) byAssertion(ctx context.Context, form url.Values) (*client, error) {
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
	signed, err := s.verifySigned(text, system, clientAssertion())
	if err != nil {
		return nil, badClient(false)
	}
	err = s.useOnce(ctx, system.ID, signed)
	if errors.Is(err, fault.Conflict) {
		return nil, badClient(false)
	}
	if err != nil {
		return nil, err
	}
	return &client{system: system, credential: signed.credential}, nil
}

// useOnce uses up what a system signed. It is a fault.Conflict when it was used
// before.
func (s *server) useOnce(ctx context.Context, system string, signed *signedBySystem) error {
	if err := s.Systems.UseAssertion(ctx, system, signed.jti, signed.expires); err != nil {
		return fmt.Errorf("use assertion: %w", err)
	}
	return nil
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

// purpose says which of the things that a system signs one is, by its `typ`: one
// never stands for another (RFC 8725 §3.12).
type purpose []string

// clientAssertion may come without a type, as RFC 7523 knows none; every other
// kind of token that we take must have its own.
func clientAssertion() purpose { return purpose{"", "JWT", "client-authentication+jwt"} }

// keyAddition is what adds the next key of a system.
func keyAddition() purpose { return purpose{"add-key+jwt"} }

// signedBySystem is what a system has signed and what holds in every respect.
type signedBySystem struct {
	credential string // that signed it
	jti        string
	expires    time.Time
	claims     jwt.MapClaims
}

// verifySigned checks what a system signed against its registered keys.
func (s *server) verifySigned(text string, system *exchange.System, want purpose) (*signedBySystem, error) {
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{algorithmES256, algorithmEdDSA}), jwt.WithIssuer(system.ID), jwt.WithSubject(system.ID),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(maxAhead), jwt.WithTimeFunc(s.Now), jwt.WithStrictDecoding(),
	)
	if err := checkSegments(text); err != nil {
		return nil, err
	}
	keys, out := s.keysOf(system), &signedBySystem{claims: jwt.MapClaims{}}
	_, err := parser.ParseWithClaims(text, out.claims, func(t *jwt.Token) (any, error) {
		key, err := signingKey(t, keys, want)
		out.credential = key.credential
		return key.key, err
	})
	if err != nil {
		return nil, errToken
	}
	return out, s.checkSigned(out)
}

// signingKey gives the registered key that must have signed a token. The header
// may hold the algorithm, the type and the key's id, and nothing else: no crit,
// b64, zip, cty, jwk, jku or x5u.
func signingKey(t *jwt.Token, keys []systemKey, want purpose) (systemKey, error) {
	for name := range t.Header {
		if name != "alg" && name != "kid" && name != "typ" {
			return systemKey{}, errToken
		}
	}
	typ, isText := t.Header["typ"].(string)
	if _, given := t.Header["typ"]; given && (!isText || typ == "") {
		return systemKey{}, errToken
	}
	if !slices.ContainsFunc(want, func(known string) bool { return strings.EqualFold(known, typ) }) {
		return systemKey{}, errToken
	}
	kid, _ := t.Header["kid"].(string)
	at := slices.IndexFunc(keys, func(k systemKey) bool { return k.id == kid })
	if at < 0 || t.Method.Alg() != keys[at].algorithm {
		return systemKey{}, errToken
	}
	return keys[at], nil
}

func (s *server) checkSigned(signed *signedBySystem) error {
	signed.jti, _ = signed.claims["jti"].(string)
	if signed.jti == "" || len(signed.jti) > maxAssertionID || !s.meantForUs(signed.claims["aud"]) {
		return errToken
	}
	now := s.Now()
	expires, ok := moment(signed.claims["exp"])
	if !ok || !now.Before(expires) || expires.After(now.Add(maxAssertionLife)) {
		return errToken
	}
	signed.expires = expires
	return nil
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
