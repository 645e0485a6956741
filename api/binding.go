package api

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"

	"github.com/golang-jwt/jwt/v5"

	"mianti/exchange"
	"mianti/internal/fault"
)

// The schemes under which an access token is sent.
const (
	schemeBearer = "Bearer"
	schemeDPoP   = "DPoP"
)

// confirmation is what a token is bound to besides the one who holds it: the
// claim `cnf` (RFC 7800). Its zero value binds to nothing.
type confirmation struct {
	jkt         string // thumbprint of the key of DPoP proofs (RFC 9449 §6)
	certificate string // digest of the caller's certificate (RFC 8705 §3.1)
}

func (c confirmation) any() bool { return c != confirmation{} }

func (c confirmation) tokenType() string {
	if c.jkt != "" {
		return schemeDPoP
	}
	return schemeBearer
}

func (c confirmation) claim() map[string]string {
	claim := map[string]string{}
	if c.jkt != "" {
		claim["jkt"] = c.jkt
	}
	if c.certificate != "" {
		claim["x5t#S256"] = c.certificate
	}
	return claim
}

// readConfirmation reads the claim. A claim that binds to something else, or to
// nothing, is refused: a token is never taken for less bound than it is.
func readConfirmation(claims jwt.MapClaims) (confirmation, bool) {
	value, given := claims["cnf"]
	if !given {
		return confirmation{}, true
	}
	var out confirmation
	members, _ := value.(map[string]any)
	for name, value := range members {
		text, _ := value.(string)
		switch {
		case text == "":
			return out, false
		case name == "jkt":
			out.jkt = text
		case name == "x5t#S256":
			out.certificate = text
		default:
			return out, false
		}
	}
	return out, out.any()
}

// bind says what the token that a system asks for is to be bound to: the key of
// its DPoP proof, if it sends one, and its certificate, if it is to.
func (s *server) bind(ctx context.Context, system *exchange.System) (confirmation, error) {
	var out confirmation
	proofs := requestOf(ctx).header(schemeDPoP)
	if len(proofs) == 0 && system.Requires == exchange.BindingDPoP {
		return out, badProof("this system must send a DPoP proof")
	}
	if len(proofs) > 0 {
		jkt, err := s.useProof(ctx, system.ID, proofs, proofOf{method: http.MethodPost, url: s.tokenURL})
		if errors.Is(err, errProof) {
			return out, badProof("the DPoP proof is not valid")
		}
		if err != nil {
			return out, err
		}
		out.jkt = jkt
	}
	if system.Requires == exchange.BindingMTLS {
		if out.certificate = certificateOf(requestOf(ctx).http); out.certificate == "" {
			return out, badTokenRequest("this system must present its TLS certificate")
		}
	}
	return out, nil
}

func badProof(description string) error {
	return &oauthError{Code: "invalid_dpop_proof", Description: description, status: http.StatusBadRequest}
}

// checkBinding holds a request against what its token is bound to, and against
// what the system must by now bind its tokens to.
func (s *server) checkBinding(r *http.Request, scheme, token string, system *exchange.System, bound confirmation) error {
	if (bound.jkt != "") != strings.EqualFold(scheme, schemeDPoP) {
		return unauthenticated() // RFC 9449 §7.2: such a token is no bearer token
	}
	if (system.Requires == exchange.BindingDPoP && bound.jkt == "") || (system.Requires == exchange.BindingMTLS && bound.certificate == "") {
		return unauthenticated()
	}
	if bound.certificate != "" && subtle.ConstantTimeCompare([]byte(bound.certificate), []byte(certificateOf(r))) != 1 {
		return unauthenticated()
	}
	if bound.jkt == "" {
		return nil
	}
	jkt, err := s.useProof(r.Context(), system.ID, r.Header.Values(schemeDPoP), proofOf{method: r.Method, url: s.Issuer + r.URL.EscapedPath(), token: token})
	if errors.Is(err, errProof) || (err == nil && jkt != bound.jkt) {
		return unauthenticated().Because(errProof)
	}
	return err
}

// certificateOf gives the digest of the certificate that a caller presented in
// the TLS handshake with this very server; "" for none. No header is believed.
func certificateOf(r *http.Request) string {
	if r == nil || r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return ""
	}
	sum := sha256.Sum256(r.TLS.PeerCertificates[0].Raw)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// challenges are what RFC 6750 §3 and RFC 9449 §7.1 want with a 401. They never
// say what is wrong with a token.
func challenges(authorization string, err error) []string {
	const bearer, dpop = `Bearer realm="mianti"`, `DPoP realm="mianti"`
	const algorithms = `, algs="` + algorithmES256 + " " + algorithmEdDSA + `"`
	scheme, _, _ := strings.Cut(authorization, " ")
	switch {
	case authorization == "":
		return []string{bearer, dpop + algorithms}
	case !strings.EqualFold(scheme, schemeDPoP):
		return []string{bearer + `, error="invalid_token"`}
	case errors.Is(err, errProof):
		return []string{dpop + `, error="invalid_dpop_proof"` + algorithms}
	default:
		return []string{dpop + `, error="invalid_token"` + algorithms}
	}
}

// conflictAsProof says of a proof that was used before that it is none.
func conflictAsProof(err error) error {
	if errors.Is(err, fault.Conflict) {
		return errProof
	}
	return err
}
