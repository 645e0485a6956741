package api

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"
)

// The two algorithms that are used, for tokens and for assertions alike. The
// key decides which, never the token.
const (
	algorithmES256 = "ES256"
	algorithmEdDSA = "EdDSA"
)

// SigningKeys are the keys of the authorization server: the one that signs,
// and older ones that are still published, so that tokens outlive a change of
// keys.
type SigningKeys struct {
	signer    crypto.Signer
	current   publicKey
	published []publicKey // the current one first
}

type publicKey struct {
	id        string // RFC 7638 thumbprint
	algorithm string
	key       crypto.PublicKey
}

// NewSigningKeys returns keys that sign with current. Keys are ECDSA P-256 or
// Ed25519.
func NewSigningKeys(current crypto.Signer, older ...crypto.PublicKey) (*SigningKeys, error) {
	if current == nil {
		return nil, errors.New("signing keys: no current key")
	}
	first, err := newPublicKey(current.Public())
	if err != nil {
		return nil, err
	}
	if _, ok := current.(*ecdsa.PrivateKey); first.algorithm == algorithmES256 && !ok {
		return nil, errors.New("signing keys: an ECDSA key must be held in memory")
	}
	keys := &SigningKeys{signer: current, current: first, published: []publicKey{first}}
	for _, k := range older {
		old, err := newPublicKey(k)
		if err != nil {
			return nil, err
		}
		keys.published = append(keys.published, old)
	}
	return keys, nil
}

// LoadSigningKeys reads keys from PEM: the first is a private key (PKCS#8) and
// signs; the others are older ones, private or public.
func LoadSigningKeys(pemBytes ...[]byte) (*SigningKeys, error) {
	if len(pemBytes) == 0 {
		return nil, errors.New("signing keys: none given")
	}
	current, err := parsePrivateKey(pemBytes[0])
	if err != nil {
		return nil, err
	}
	var older []crypto.PublicKey
	for _, text := range pemBytes[1:] {
		key, err := parseOlderKey(text)
		if err != nil {
			return nil, err
		}
		older = append(older, key)
	}
	return NewSigningKeys(current, older...)
}

func parsePrivateKey(text []byte) (crypto.Signer, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PRIVATE KEY" {
		return nil, errors.New(`signing keys: not a PEM block "PRIVATE KEY" (PKCS#8)`)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("signing keys: the private key cannot be read")
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, errors.New("signing keys: the private key cannot sign")
	}
	return signer, nil
}

func parseOlderKey(text []byte) (crypto.PublicKey, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PUBLIC KEY" {
		signer, err := parsePrivateKey(text)
		if err != nil {
			return nil, err
		}
		return signer.Public(), nil
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, errors.New("signing keys: an older public key cannot be read")
	}
	return key, nil
}

// newPublicKey says by which algorithm a key is used, and refuses any other
// kind of key.
func newPublicKey(key crypto.PublicKey) (publicKey, error) {
	out := publicKey{key: key}
	switch k := key.(type) {
	case *ecdsa.PublicKey:
		if k.Curve != elliptic.P256() {
			return publicKey{}, errors.New("keys: an ECDSA key must be on P-256")
		}
		out.algorithm = algorithmES256
	case ed25519.PublicKey:
		out.algorithm = algorithmEdDSA
	default:
		return publicKey{}, errors.New("keys: a key must be ECDSA P-256 or Ed25519")
	}
	sum, err := (&jose.JSONWebKey{Key: key}).Thumbprint(crypto.SHA256)
	if err != nil {
		return publicKey{}, fmt.Errorf("keys: thumbprint: %w", err)
	}
	out.id = base64.RawURLEncoding.EncodeToString(sum)
	return out, nil
}

// find gives the published key of that id.
func (k *SigningKeys) find(id string) (publicKey, bool) {
	for _, p := range k.published {
		if p.id == id {
			return p, true
		}
	}
	return publicKey{}, false
}

// document is the JWKS of the published keys.
func (k *SigningKeys) document() jose.JSONWebKeySet {
	set := jose.JSONWebKeySet{}
	for _, p := range k.published {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: p.key, KeyID: p.id, Algorithm: p.algorithm, Use: "sig"})
	}
	return set
}

// HashSecret gives the form in which a client secret is kept. It is for random
// secrets of at least 32 characters only: there is no salt, and it is fast.
func HashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return "sha256:" + hex.EncodeToString(sum[:])
}
