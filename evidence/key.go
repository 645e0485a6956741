package evidence

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/smx509"
	"github.com/go-jose/go-jose/v4"
)

// Algorithm (签名算法) is how evidence is signed. The key decides which, never
// the header of what is to be verified.
type Algorithm string

// The algorithms: ECDSA on P-256 with SHA-256 and Ed25519 (RFC 7518, RFC 8037),
// and SM2 with SM3 (GB/T 32918.2, GB/T 35276), whose name JOSE does not register.
const (
	ES256 Algorithm = "ES256"
	EdDSA Algorithm = "EdDSA"
	SM2   Algorithm = "SM2"
)

// ErrAlgorithm is an algorithm that evidence is not signed by.
var ErrAlgorithm = errors.New("evidence is signed by ES256, EdDSA or SM2")

// NewKey makes a private key for an algorithm, as PKCS #8.
func NewKey(a Algorithm) ([]byte, error) {
	var key any
	var err error
	switch a {
	case ES256:
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case EdDSA:
		_, key, err = ed25519.GenerateKey(rand.Reader)
	case SM2:
		key, err = sm2.GenerateKey(rand.Reader)
	default:
		return nil, ErrAlgorithm
	}
	if err != nil {
		return nil, fmt.Errorf("make an evidence key: %w", err)
	}
	return smx509.MarshalPKCS8PrivateKey(key)
}

// SigningKey (签名密钥) signs evidence. Once it is retired its public half still
// verifies what it signed before.
type SigningKey struct {
	private any
	public  PublicKey
}

// ReadKey reads what NewKey made. created is when the key came into use, retired
// when another one took its place; zero for the present one.
func ReadKey(pkcs8 []byte, created, retired time.Time) (*SigningKey, error) {
	private, err := smx509.ParsePKCS8PrivateKey(pkcs8)
	if err != nil {
		return nil, errors.New("an evidence key cannot be read as PKCS #8")
	}
	key := &SigningKey{private: private}
	switch k := private.(type) {
	case *ecdsa.PrivateKey:
		key.public, err = newPublicKey(&k.PublicKey)
	case ed25519.PrivateKey:
		key.public, err = newPublicKey(k.Public())
	case *sm2.PrivateKey:
		key.public, err = newPublicKey(&k.PublicKey)
	default:
		err = ErrAlgorithm
	}
	if err != nil {
		return nil, err
	}
	key.public.created, key.public.retired = created, retired
	return key, nil
}

// Public gives the public half.
func (k *SigningKey) Public() PublicKey { return k.public }

// signer is what go-jose signs with.
func (k *SigningKey) signer() (jose.SigningKey, error) {
	name := jose.SignatureAlgorithm(k.public.algorithm)
	switch private := k.private.(type) {
	case *ecdsa.PrivateKey, ed25519.PrivateKey:
		return jose.SigningKey{Algorithm: name, Key: private}, nil
	case *sm2.PrivateKey:
		return jose.SigningKey{Algorithm: name, Key: sm2Signer{private}}, nil
	}
	return jose.SigningKey{}, ErrAlgorithm
}

// PublicKey (验证公钥) verifies evidence.
type PublicKey struct {
	id        string // RFC 7638 thumbprint
	algorithm Algorithm
	key       crypto.PublicKey
	created   time.Time
	retired   time.Time // zero for the present one
}

// ID is the key's RFC 7638 thumbprint, which evidence names as `kid`.
func (p PublicKey) ID() string { return p.id }

// Algorithm is the one that the key is for.
func (p PublicKey) Algorithm() Algorithm { return p.algorithm }

// Retired is when another key took its place; zero for the present one.
func (p PublicKey) Retired() time.Time { return p.retired }

func newPublicKey(key crypto.PublicKey) (PublicKey, error) {
	p := PublicKey{key: key}
	switch k := key.(type) {
	case *ecdsa.PublicKey:
		switch k.Curve {
		case elliptic.P256():
			p.algorithm = ES256
		case sm2.P256():
			p.algorithm = SM2
		default:
			return PublicKey{}, ErrAlgorithm
		}
	case ed25519.PublicKey:
		p.algorithm = EdDSA
	default:
		return PublicKey{}, ErrAlgorithm
	}
	id, err := p.thumbprint()
	p.id = id
	return p, err
}

// verifier is what go-jose verifies with.
func (p PublicKey) verifier() any {
	if public, ok := p.key.(*ecdsa.PublicKey); ok && p.algorithm == SM2 {
		return sm2Verifier{public}
	}
	return p.key
}
