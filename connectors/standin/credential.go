package standin

import (
	"crypto/ecdsa"
	"encoding/pem"
	"fmt"
	"math/big"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/smx509"
)

// The credentials that the stand-in departments know. They are printed here,
// so they protect nothing; a real department's are nobody's but the operator's.
const (
	DemoKey      = "stand-in-key"                    // the public name of the key
	DemoSecret   = "stand-in-secret-that-is-printed" // of the header, of HMAC, of OAuth2 and of the database
	DemoHeader   = "X-App-Key"                       // of the method header
	DemoClient   = "stand-in-client"                 // of OAuth2
	DemoSign     = "${method}\n${path}\n${timestamp}\n${nonce}\n${body_digest}"
	DemoSM2User  = "1234567812345678"
	demoSM2Digit = "1234567890ABCDEF1234567890ABCDEF1234567890ABCDEF1234567890ABCDEF"
)

// demoSM2 is the private key whose number everybody can read.
func demoSM2() (*sm2.PrivateKey, error) {
	number, ok := new(big.Int).SetString(demoSM2Digit, 16)
	if !ok {
		return nil, fmt.Errorf("the demonstration's key is no number")
	}
	key := make([]byte, 32)
	return sm2.NewPrivateKey(number.FillBytes(key))
}

// DemoSM2Key is the private key of the demonstration, PKCS#8 in PEM.
func DemoSM2Key() ([]byte, error) {
	key, err := demoSM2()
	if err != nil {
		return nil, fmt.Errorf("make the demonstration's key: %w", err)
	}
	der, err := smx509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("make the demonstration's key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// verifySM2 says whether a signature over a text is the demonstration's.
func verifySM2(public *ecdsa.PublicKey, text, signature []byte) bool {
	return sm2.VerifyASN1WithSM2(public, []byte(DemoSM2User), text, signature)
}
