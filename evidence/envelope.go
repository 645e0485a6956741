package evidence

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Type is the `typ` of an envelope, so that no other signed thing can stand in
// its place (RFC 8725 §3.11).
const Type = "mianti-evidence+jws"

// maxEnvelope bounds what is read of an envelope, in bytes.
const maxEnvelope = 1 << 20

// rotationLeeway is by how much the clocks of two replicas may differ at the
// moment at which a key takes the place of another.
const rotationLeeway = time.Minute

// Sign gives the envelope of a statement: a compact JWS (RFC 7515). It sets the
// digest.
func (k *SigningKey) Sign(s Statement) (string, error) {
	var err error
	if s.Digest, err = s.Evidence.Digest(); err != nil {
		return "", err
	}
	key, err := k.signer()
	if err != nil {
		return "", err
	}
	options := (&jose.SignerOptions{}).WithType(Type).WithHeader("kid", k.public.id)
	signer, err := jose.NewSigner(key, options)
	if err != nil {
		return "", fmt.Errorf("sign an evidence: %w", err)
	}
	payload, err := Canonical(s)
	if err != nil {
		return "", fmt.Errorf("sign an evidence: %w", err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("sign an evidence: %w", err)
	}
	return signed.CompactSerialize()
}

// The reasons for which an envelope is refused.
var (
	ErrMalformed   = errors.New("not an evidence envelope")
	ErrUnknownKey  = errors.New("signed by a key that is not among the published ones")
	ErrWrongHeader = errors.New("the header names another algorithm than the key's, or another type")
	ErrSignature   = errors.New("the signature does not hold")
	ErrDigest      = errors.New("the digest is not that of the evidence")
	ErrKeyTime     = errors.New("issued when its key was not in use")
)

// Verified (已验证的凭据) is an envelope that holds.
type Verified struct {
	Statement
	Key PublicKey // that signed it
}

// Verify checks an envelope with the published keys and gives what it states.
func Verify(token string, keys []JWK) (*Verified, error) {
	if len(token) > maxEnvelope {
		return nil, fmt.Errorf("%w: longer than %d bytes", ErrMalformed, maxEnvelope)
	}
	known := []jose.SignatureAlgorithm{jose.ES256, jose.EdDSA, jose.SignatureAlgorithm(SM2)}
	signed, err := jose.ParseSignedCompact(token, known)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	header := signed.Signatures[0].Protected
	key, err := find(keys, header.KeyID)
	if err != nil {
		return nil, err
	}
	if typ := header.ExtraHeaders[jose.HeaderType]; typ != Type || header.Algorithm != string(key.algorithm) {
		return nil, fmt.Errorf("%w: alg %s, typ %v; the key is for %s", ErrWrongHeader, header.Algorithm, typ, key.algorithm)
	}
	payload, err := signed.Verify(key.verifier())
	if err != nil {
		return nil, ErrSignature
	}
	return read(payload, key)
}

func find(keys []JWK, id string) (PublicKey, error) {
	at := slices.IndexFunc(keys, func(k JWK) bool { return k.Kid == id })
	if id == "" || at < 0 {
		return PublicKey{}, fmt.Errorf("%w: %q", ErrUnknownKey, id)
	}
	return ReadJWK(keys[at])
}

// read reads a payload whose signature holds. The digest is that of the evidence
// as it stands there, also of what this version does not know.
func read(payload []byte, key PublicKey) (*Verified, error) {
	out := Verified{Key: key}
	var raw struct {
		Evidence json.RawMessage `json:"evidence"`
	}
	if err := errors.Join(json.Unmarshal(payload, &out.Statement), json.Unmarshal(payload, &raw)); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	text, err := canonicalText(raw.Evidence)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if got := digest(text); got != out.Digest {
		return nil, fmt.Errorf("%w: it is %s, the envelope says %q", ErrDigest, got, out.Digest)
	}
	issued := time.Unix(out.IssuedAt, 0)
	early := !key.created.IsZero() && issued.Add(rotationLeeway).Before(key.created)
	late := !key.retired.IsZero() && issued.Add(-rotationLeeway).After(key.retired)
	if early || late {
		return nil, fmt.Errorf("%w: %s", ErrKeyTime, issued.UTC().Format(time.RFC3339))
	}
	return &out, nil
}
