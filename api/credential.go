package api

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"

	"mianti/exchange"
	"mianti/ledger"
)

// SecretCredential is a random secret of at least 32 characters as a credential,
// good from a moment on.
func SecretCredential(id, secret string, from time.Time) exchange.Credential {
	return exchange.Credential{
		ID: id, Kind: exchange.CredentialSecret, Content: HashSecret(secret),
		NotBefore: from, CreatedAt: from, CreatedBy: ledger.Operator,
	}
}

// KeyCredentials are the public keys of a JSON Web Key Set (RFC 7517) as
// credentials, good from a moment on. Every key must be one that can
// authenticate a system, under an id of its own.
func KeyCredentials(jwks []byte, newID func() string, from time.Time) ([]exchange.Credential, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(jwks, &set); err != nil {
		return nil, errors.New("want a JSON Web Key Set (RFC 7517)")
	}
	if len(set.Keys) == 0 || len(set.Keys) > exchange.MaxCredentials {
		return nil, fmt.Errorf("want 1 to %d keys, found %d", exchange.MaxCredentials, len(set.Keys))
	}
	seen := map[string]bool{}
	var out []exchange.Credential
	for i, raw := range set.Keys {
		c, err := keyCredential(raw, newID(), from)
		if err != nil {
			return nil, fmt.Errorf("key %d cannot be used: %w", i+1, err)
		}
		if seen[c.KeyID] {
			return nil, fmt.Errorf("key %d has the id of another", i+1)
		}
		seen[c.KeyID] = true
		out = append(out, c)
	}
	return out, nil
}

func keyCredential(jwk []byte, id string, from time.Time) (exchange.Credential, error) {
	key, err := readPublicKey(jwk)
	if err != nil {
		return exchange.Credential{}, err
	}
	return exchange.Credential{
		ID: id, Kind: exchange.CredentialJWK, KeyID: key.id, Content: string(jwk),
		NotBefore: from, CreatedAt: from, CreatedBy: ledger.Operator,
	}, nil
}

// maxKeyID bounds the id that a key brings along.
const maxKeyID = 255

// readPublicKey reads a JSON Web Key. One without an id goes by its thumbprint.
func readPublicKey(jwk []byte) (publicKey, error) {
	var k jose.JSONWebKey
	if err := json.Unmarshal(jwk, &k); err != nil {
		return publicKey{}, errors.New("keys: not a JSON Web Key")
	}
	key, err := newPublicKey(k.Key)
	if err != nil {
		return publicKey{}, err
	}
	if (k.Algorithm != "" && k.Algorithm != key.algorithm) || (k.Use != "" && k.Use != "sig") {
		return publicKey{}, errors.New("keys: the key is for another use")
	}
	if len(k.KeyID) > maxKeyID {
		return publicKey{}, fmt.Errorf("keys: a key id has at most %d bytes", maxKeyID)
	}
	if k.KeyID != "" {
		key.id = k.KeyID
	}
	return key, nil
}

// systemKey is a public key of a system.
type systemKey struct {
	publicKey
	credential string
}

// keysOf gives the public keys of a system that are good now. A key of another
// kind is of no use here.
func (s *server) keysOf(system *exchange.System) []systemKey {
	var keys []systemKey
	for _, c := range system.Credentials {
		if c.Kind != exchange.CredentialJWK || !c.GoodAt(s.Now()) {
			continue
		}
		if key, err := readPublicKey([]byte(c.Content)); err == nil {
			keys = append(keys, systemKey{key, c.ID})
		}
	}
	return keys
}

// secretOf gives the id of the credential that a secret is; "" for none. Every
// secret is compared in constant time, and a system without one costs a
// comparison too.
func (s *server) secretOf(system *exchange.System, secret string) string {
	hash, found := []byte(HashSecret(secret)), ""
	subtle.ConstantTimeCompare(hash, hash)
	for _, c := range system.Credentials {
		same := subtle.ConstantTimeCompare([]byte(c.Content), hash) == 1
		if same && c.Kind == exchange.CredentialSecret && c.GoodAt(s.Now()) {
			found = c.ID
		}
	}
	return found
}
