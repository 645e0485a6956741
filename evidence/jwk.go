package evidence

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/emmansun/gmsm/sm2"
)

// JWK is one public key of the keys document (RFC 7517). An SM2 key is of type EC
// on the curve "SM2", which JOSE does not register.
type JWK struct {
	Kty string `json:"kty" enum:"EC,OKP"`
	Crv string `json:"crv" enum:"P-256,Ed25519,SM2"`
	X   string `json:"x"`
	Y   string `json:"y,omitempty"`
	Kid string `json:"kid" doc:"RFC 7638 指纹"`
	Alg string `json:"alg" enum:"ES256,EdDSA,SM2"`
	Use string `json:"use" enum:"sig"`
	// From is when the key came into use, Until when another one took its place;
	// what it signed before that holds. Seconds since 1970, 0 for none.
	From  int64 `json:"iat,omitempty" doc:"启用时间"`
	Until int64 `json:"exp,omitempty" doc:"停用时间; 此前签发的凭据仍可验证"`
}

// TrustDocument (信任公钥文件) is what somebody needs to check receipts offline.
type TrustDocument struct {
	Issuer string `json:"issuer"`
	Keys   []JWK  `json:"keys" doc:"凭据的验证公钥, 现用的在前"`
	// Checkpoint are the verifier keys of the ledger's checkpoints, Witnesses those
	// of who has seen them (c2sp.org/signed-note).
	Checkpoint []string `json:"checkpoint" doc:"存证检查点的验证公钥"`
	Witnesses  []string `json:"witnesses" doc:"见证方的验证公钥"`
}

// JWK renders a key for publication.
func (p PublicKey) JWK() JWK {
	out := JWK{Kid: p.id, Alg: string(p.algorithm), Use: "sig", From: seconds(p.created), Until: seconds(p.retired)}
	switch k := p.key.(type) {
	case *ecdsa.PublicKey:
		out.Kty, out.Crv = "EC", "P-256"
		if p.algorithm == SM2 {
			out.Crv = "SM2"
		}
		point := pointOf(k, p.algorithm)
		out.X, out.Y = base64.RawURLEncoding.EncodeToString(point[1:1+coordinate]), base64.RawURLEncoding.EncodeToString(point[1+coordinate:])
	case ed25519.PublicKey:
		out.Kty, out.Crv, out.X = "OKP", "Ed25519", base64.RawURLEncoding.EncodeToString(k)
	}
	return out
}

// pointOf gives a key as an uncompressed point: 4, x, y. A key that is no point of
// its curve, which newPublicKey lets nobody make, gives zeros.
func pointOf(k *ecdsa.PublicKey, a Algorithm) []byte {
	if a == SM2 {
		if key, err := sm2.PublicKeyToECDH(k); err == nil {
			return key.Bytes()
		}
	} else if point, err := k.Bytes(); err == nil {
		return point
	}
	return make([]byte, 1+2*coordinate)
}

func seconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// thumbprint names a key by what it is (RFC 7638 §3).
func (p PublicKey) thumbprint() (string, error) {
	k := p.JWK()
	members := map[string]string{"kty": k.Kty, "crv": k.Crv, "x": k.X}
	if k.Y != "" {
		members["y"] = k.Y
	}
	text, err := Canonical(members)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return base64.RawURLEncoding.EncodeToString(sum[:]), nil
}

// ReadJWK reads a published key, and refuses one that is not what its id says.
func ReadJWK(k JWK) (PublicKey, error) {
	var p PublicKey
	x, err := base64.RawURLEncoding.Strict().DecodeString(k.X)
	if err != nil || len(x) != coordinate {
		return p, fmt.Errorf("key %q: x is not 32 bytes in base64url", k.Kid)
	}
	switch k.Kty + " " + k.Crv {
	case "OKP Ed25519":
		p, err = newPublicKey(ed25519.PublicKey(x))
	case "EC P-256", "EC SM2":
		curve := elliptic.P256()
		if k.Crv == "SM2" {
			curve = sm2.P256()
		}
		p, err = readPoint(curve, x, k.Y)
	default:
		err = ErrAlgorithm
	}
	switch {
	case err != nil:
		return PublicKey{}, fmt.Errorf("key %q: %w", k.Kid, err)
	case k.Kid != p.id:
		return PublicKey{}, fmt.Errorf("key %q: its id is not the thumbprint of the key, %s", k.Kid, p.id)
	case k.Alg != string(p.algorithm):
		return PublicKey{}, fmt.Errorf("key %q: the key is for %s, not for %q", k.Kid, p.algorithm, k.Alg)
	}
	p.created, p.retired = moment(k.From), moment(k.Until)
	return p, nil
}

func readPoint(curve elliptic.Curve, x []byte, y64 string) (PublicKey, error) {
	y, err := base64.RawURLEncoding.Strict().DecodeString(y64)
	if err != nil || len(y) != coordinate {
		return PublicKey{}, errors.New("y is not 32 bytes in base64url")
	}
	point := slices.Concat([]byte{4}, x, y)
	var public *ecdsa.PublicKey
	if curve == elliptic.P256() {
		public, err = ecdsa.ParseUncompressedPublicKey(curve, point)
	} else {
		public, err = sm2.NewPublicKey(point)
	}
	if err != nil {
		return PublicKey{}, errors.New("the point is not on the curve")
	}
	return newPublicKey(public)
}

func moment(at int64) time.Time {
	if at == 0 {
		return time.Time{}
	}
	return time.Unix(at, 0).UTC()
}
