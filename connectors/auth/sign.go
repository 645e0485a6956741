// Package auth proves to a source who asks (认证方式): by a secret in a header,
// by a signature over the request, or by a token that is got for the purpose.
//
// Every failure is a *connectors.Fault. No secret, token or signature is ever
// part of one.
package auth

import (
	"cmp"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"hash"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"
	"github.com/emmansun/gmsm/smx509"

	"mianti/catalog"
	"mianti/connectors"
)

// userID is the signer's identifier where none is agreed (GB/T 32918.2 §5.5).
const userID = "1234567812345678"

// Stamp makes a signature unlike any other. No two requests MUST have the same
// nonce.
type Stamp struct {
	Now   time.Time
	Nonce string
}

// Sign adds to a request what its source asks for, unless that is a token. The
// body is the one that is sent. Nothing of the request that is signed may be
// changed afterwards.
func Sign(r *http.Request, body []byte, a *catalog.Auth, secrets connectors.Secrets, stamp Stamp) error {
	switch {
	case a == nil:
		return nil
	case a.Header != nil:
		return addHeader(r, a.Header, secrets)
	case a.HMAC != nil:
		return signHMAC(r, body, a.HMAC, secrets, stamp)
	case a.SM2 != nil:
		return signSM2(r, body, a.SM2, secrets, stamp)
	default:
		return nil
	}
}

func addHeader(r *http.Request, a *catalog.HeaderAuth, secrets connectors.Secrets) error {
	secret, err := lookUp(secrets, a.Secret)
	if err != nil {
		return err
	}
	value := a.Prefix + string(secret)
	if !fitsHeader(value) {
		return misset("the secret of the source cannot be sent in a header")
	}
	r.Header.Set(a.Name, value)
	return nil
}

func signHMAC(r *http.Request, body []byte, a *catalog.HMACAuth, secrets connectors.Secrets, stamp Stamp) error {
	secret, err := lookUp(secrets, a.Secret)
	if err != nil {
		return err
	}
	var digest func() hash.Hash
	switch a.Algorithm {
	case "sha256":
		digest = sha256.New
	case "sm3":
		digest = sm3.New
	default:
		return misset("the algorithm of the signature is neither sha256 nor sm3")
	}
	s := signing{
		key: a.Key, text: a.Sign, digest: digest, stamp: stamp,
		keyHeader: a.KeyHeader, timestampHeader: a.TimestampHeader, nonceHeader: a.NonceHeader, signatureHeader: a.SignatureHeader,
	}
	text, err := s.expand(r, body)
	if err != nil {
		return err
	}
	mac := hmac.New(digest, secret)
	_, _ = mac.Write(text) // a digest takes everything
	switch a.Encoding {
	case "", "hex":
		s.write(r, hex.EncodeToString(mac.Sum(nil)))
	case "base64":
		s.write(r, base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	default:
		return misset("the encoding of the signature is neither hex nor base64")
	}
	return nil
}

func signSM2(r *http.Request, body []byte, a *catalog.SM2Auth, secrets connectors.Secrets, stamp Stamp) error {
	key, err := privateKey(secrets, a.Secret)
	if err != nil {
		return err
	}
	s := signing{
		key: a.Key, text: a.Sign, digest: sm3.New, stamp: stamp,
		keyHeader: a.KeyHeader, timestampHeader: a.TimestampHeader, nonceHeader: a.NonceHeader, signatureHeader: a.SignatureHeader,
	}
	text, err := s.expand(r, body)
	if err != nil {
		return err
	}
	signature, err := sm2.SignASN1(rand.Reader, key, text, sm2.NewSM2SignerOption(true, []byte(cmp.Or(a.UserID, userID))))
	if err != nil {
		return misset("nothing can be signed with the key of the source")
	}
	s.write(r, base64.StdEncoding.EncodeToString(signature))
	return nil
}

// privateKey reads an SM2 key, PKCS#8 in PEM.
func privateKey(secrets connectors.Secrets, ref catalog.SecretRef) (*sm2.PrivateKey, error) {
	secret, err := lookUp(secrets, ref)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(secret)
	if block == nil {
		return nil, misset("secret " + string(ref) + " is no PEM")
	}
	// The error could quote the key.
	found, err := smx509.ParsePKCS8PrivateKey(block.Bytes)
	key, isSM2 := found.(*sm2.PrivateKey)
	if err != nil || !isSM2 {
		return nil, misset("secret " + string(ref) + " is no SM2 key in PKCS#8")
	}
	return key, nil
}

// signing is what both kinds of signature have in common.
type signing struct {
	key, text string
	digest    func() hash.Hash
	stamp     Stamp
	// The names of the headers, empty for the defaults.
	keyHeader, timestampHeader, nonceHeader, signatureHeader string
}

// expand gives the text that is signed.
func (s *signing) expand(r *http.Request, body []byte) ([]byte, error) {
	digest := s.digest()
	_, _ = digest.Write(body) // a digest takes everything
	values := map[string]string{
		"method":      r.Method,
		"path":        cmp.Or(r.URL.EscapedPath(), "/"), // as it stands in the request
		"query":       r.URL.RawQuery,
		"timestamp":   s.timestamp(),
		"nonce":       s.stamp.Nonce,
		"key":         s.key,
		"body_digest": hex.EncodeToString(digest.Sum(nil)),
	}
	text, err := catalog.Expand(s.text, func(name string) (string, bool) { v, ok := values[name]; return v, ok })
	if err != nil {
		return nil, misset("the text that is to be signed cannot be made")
	}
	return []byte(text), nil
}

func (s *signing) timestamp() string { return strconv.FormatInt(s.stamp.Now.UnixMilli(), 10) }

func (s *signing) write(r *http.Request, signature string) {
	r.Header.Set(cmp.Or(s.keyHeader, "X-App-Key"), s.key)
	r.Header.Set(cmp.Or(s.timestampHeader, "X-Timestamp"), s.timestamp())
	r.Header.Set(cmp.Or(s.nonceHeader, "X-Nonce"), s.stamp.Nonce)
	r.Header.Set(cmp.Or(s.signatureHeader, "X-Signature"), signature)
}

// lookUp gives a secret. What is said when there is none names it, and not what
// it holds.
func lookUp(secrets connectors.Secrets, ref catalog.SecretRef) ([]byte, error) {
	if secrets == nil {
		return nil, misset("there are no secrets here, and the source needs " + string(ref))
	}
	secret, err := secrets.Secret(ref)
	if err != nil {
		return nil, &connectors.Fault{Kind: connectors.FaultMisset, Cause: err}
	}
	if len(secret) == 0 {
		return nil, misset("secret " + string(ref) + " is empty")
	}
	return secret, nil
}

// fitsHeader reports whether a text can be the value of a header.
func fitsHeader(value string) bool {
	return !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}

func misset(reason string) *connectors.Fault { return fail(connectors.FaultMisset, reason) }

func fail(kind connectors.FaultKind, reason string) *connectors.Fault {
	return &connectors.Fault{Kind: kind, Cause: errors.New(reason)}
}
