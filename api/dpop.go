package api

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	// proofType is the `typ` of a DPoP proof (RFC 9449 §4.2).
	proofType = "dpop+jwt"
	// maxProofAge is how old a proof may be: it is made for one request.
	maxProofAge = time.Minute
)

// errProof says that a DPoP proof cannot be believed.
var errProof = errors.New("DPoP proof refused")

// proofOf is what a DPoP proof must be about: the request, by the address under
// which callers know this server and never by its Host header, and the access
// token that goes with it, if any.
type proofOf struct {
	method string
	url    string
	token  string
}

// useProof checks the one DPoP proof of a request (RFC 9449 §4.3), uses it up,
// and gives the thumbprint of its key. What is wrong with it is errProof.
func (s *server) useProof(ctx context.Context, system string, proofs []string, want proofOf) (jkt string, err error) {
	if len(proofs) != 1 {
		return "", errProof
	}
	key, claims, err := s.readProof(proofs[0])
	if err != nil {
		return "", err
	}
	jti, _ := claims["jti"].(string)
	issued, ok := moment(claims["iat"])
	if jti == "" || len(jti) > maxAssertionID || !ok || issued.Before(s.Now().Add(-maxProofAge)) {
		return "", errProof
	}
	if !want.matches(claims) {
		return "", errProof
	}
	if err := s.Systems.UseAssertion(ctx, system, proofID(key.id, jti), issued.Add(maxProofAge)); err != nil {
		return "", fmt.Errorf("use DPoP proof: %w", conflictAsProof(err))
	}
	return key.id, nil
}

// readProof reads a proof and the key that it brings along, by which it must be
// signed. It refuses one that is dated too far ahead.
func (s *server) readProof(text string) (publicKey, jwt.MapClaims, error) {
	var key publicKey
	if err := checkSegments(text); err != nil {
		return key, nil, errProof
	}
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{algorithmES256, algorithmEdDSA}), jwt.WithIssuedAt(), jwt.WithLeeway(maxAhead),
		jwt.WithTimeFunc(s.Now), jwt.WithStrictDecoding(),
	)
	claims := jwt.MapClaims{}
	_, err := parser.ParseWithClaims(text, claims, func(t *jwt.Token) (any, error) {
		var err error
		key, err = proofKey(t)
		return key.key, err
	})
	if err != nil {
		return key, nil, errProof
	}
	return key, claims, nil
}

// proofKey gives the public key in a proof's header, which may hold the
// algorithm, the type and that key, and nothing else.
func proofKey(t *jwt.Token) (publicKey, error) {
	for name := range t.Header {
		if name != "alg" && name != "typ" && name != "jwk" {
			return publicKey{}, errProof
		}
	}
	typ, _ := t.Header["typ"].(string)
	members, _ := t.Header["jwk"].(map[string]any)
	if !strings.EqualFold(typ, proofType) {
		return publicKey{}, errProof
	}
	for name := range members {
		switch name {
		case "kty", "crv", "x", "y", "alg", "use":
		default:
			return publicKey{}, errProof // above all d: the private key
		}
	}
	raw, err := json.Marshal(members)
	if err != nil {
		return publicKey{}, errProof
	}
	key, err := readPublicKey(raw)
	if err != nil || t.Method.Alg() != key.algorithm {
		return publicKey{}, errProof
	}
	return key, nil
}

// matches holds a proof's claims against the request.
func (p proofOf) matches(claims jwt.MapClaims) bool {
	method, _ := claims["htm"].(string)
	address, _ := claims["htu"].(string)
	hash, _ := claims["ath"].(string)
	if method != p.method || !sameAddress(address, p.url) {
		return false
	}
	if p.token == "" {
		return true
	}
	sum := sha256.Sum256([]byte(p.token))
	return hash == base64.RawURLEncoding.EncodeToString(sum[:])
}

// sameAddress compares two addresses without query and fragment, as RFC 9449
// §4.3 wants: scheme and host in any case, the path as it is.
func sameAddress(got, want string) bool {
	a, err := url.Parse(got)
	if err != nil || a.User != nil || a.Opaque != "" {
		return false
	}
	b, err := url.Parse(want)
	return err == nil && strings.EqualFold(a.Scheme, b.Scheme) && hostOf(a) == hostOf(b) && a.EscapedPath() == b.EscapedPath()
}

// hostOf gives host and port, with the port that the scheme stands for.
func hostOf(u *url.URL) string {
	port := u.Port()
	switch {
	case port != "":
	case strings.EqualFold(u.Scheme, "https"):
		port = "443"
	default:
		port = "80"
	}
	return strings.ToLower(u.Hostname()) + " " + port
}

// proofID names a proof among what a system has used: by a digest, so that it
// has a bounded length and meets no id of an assertion.
func proofID(key, jti string) string {
	sum := sha256.Sum256([]byte(key + "." + jti))
	return "dpop:" + base64.RawURLEncoding.EncodeToString(sum[:])
}
