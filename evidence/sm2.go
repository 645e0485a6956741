package evidence

import (
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/asn1"
	"errors"
	"math/big"

	"github.com/emmansun/gmsm/sm2"
	"github.com/go-jose/go-jose/v4"
)

// coordinate is the length of a number of a 256-bit curve, in bytes.
const coordinate = 32

// signature is one of ECDSA or SM2 in ASN.1.
type signature struct{ R, S *big.Int }

// sm2Signer signs JWS by SM2 with SM3 under the user identifier that GB/T 35276
// gives (1234567812345678).
type sm2Signer struct{ key *sm2.PrivateKey }

// Public is nil: the header names the key by its id alone.
func (s sm2Signer) Public() *jose.JSONWebKey { return nil }

// Algs names the one algorithm.
func (s sm2Signer) Algs() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.SignatureAlgorithm(SM2)}
}

// SignPayload gives r and s, of 32 bytes each.
func (s sm2Signer) SignPayload(payload []byte, _ jose.SignatureAlgorithm) ([]byte, error) {
	der, err := s.key.SignWithSM2(rand.Reader, nil, payload)
	if err != nil {
		return nil, err
	}
	var sig signature
	if _, err := asn1.Unmarshal(der, &sig); err != nil {
		return nil, err
	}
	raw := make([]byte, 2*coordinate)
	sig.R.FillBytes(raw[:coordinate])
	sig.S.FillBytes(raw[coordinate:])
	return raw, nil
}

// sm2Verifier verifies what sm2Signer signs.
type sm2Verifier struct{ key *ecdsa.PublicKey }

// VerifyPayload holds a signature against the payload.
func (v sm2Verifier) VerifyPayload(payload, raw []byte, alg jose.SignatureAlgorithm) error {
	if alg != jose.SignatureAlgorithm(SM2) || len(raw) != 2*coordinate {
		return errors.New("not an SM2 signature")
	}
	der, err := asn1.Marshal(signature{R: new(big.Int).SetBytes(raw[:coordinate]), S: new(big.Int).SetBytes(raw[coordinate:])})
	if err != nil {
		return err
	}
	if !sm2.VerifyASN1WithSM2(v.key, nil, payload, der) {
		return errors.New("the SM2 signature does not hold")
	}
	return nil
}
