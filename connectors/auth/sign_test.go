package auth_test

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"hash"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"
	"github.com/emmansun/gmsm/smx509"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/auth"
)

const (
	canary = "canary-word-that-nobody-may-see"
	body   = `{"number":"370199198805163323"}`
	sign   = "${method}\n${path}\n${query}\n${timestamp}\n${nonce}\n${key}\n${body_digest}"
	// What sign comes to, up to the digest of the body: 2026-11-23T00:00:00Z is
	// 20 780 days after 1970, of 86 400 000 milliseconds each.
	signed = "POST\n/a%20b/query\nx=1&y=%E6%B5%8E\n1795392000000\nnonce-1\npublic\n"
)

// keys are the secrets of a test.
type keys map[catalog.SecretRef]string

func (k keys) Secret(ref catalog.SecretRef) ([]byte, error) {
	if value, ok := k[ref]; ok {
		return []byte(value), nil
	}
	return nil, errors.New("no secret " + string(ref))
}

func TestSM3_IsTheOneOfTheStandard(t *testing.T) {
	t.Parallel()
	sum := sm3.Sum([]byte("abc")) // GB/T 32905, appendix A.1
	if got := hex.EncodeToString(sum[:]); got != "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0" {
		t.Errorf("got %s", got)
	}
}

func TestSign_SendsASecretAsItIs(t *testing.T) {
	t.Parallel()
	r := newRequest(t)
	a := &catalog.Auth{Header: &catalog.HeaderAuth{Name: "Authorization", Prefix: "AppCode ", Secret: "s"}}
	if err := auth.Sign(r, nil, a, keys{"s": canary}, stamp()); err != nil {
		t.Fatal(err)
	}
	if got := r.Header.Get("Authorization"); got != "AppCode "+canary {
		t.Errorf("got %q", got)
	}
}

func TestSign_AddsNothingWhereNothingIsAskedFor(t *testing.T) {
	t.Parallel()
	for _, a := range []*catalog.Auth{nil, {}, {TLS: &catalog.TLSAuth{CA: "s"}}} {
		r := newRequest(t)
		if err := auth.Sign(r, nil, a, nil, stamp()); err != nil || len(r.Header) > 0 {
			t.Errorf("got %v, %v", r.Header, err)
		}
	}
}

func TestSign_SignsByHMAC(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		algorithm, encoding string
		digest              func() hash.Hash
		encode              func([]byte) string
	}{
		{"sha256", "", sha256.New, hex.EncodeToString},
		{"sha256", "base64", sha256.New, base64.StdEncoding.EncodeToString},
		{"sm3", "hex", sm3.New, hex.EncodeToString},
	} {
		r := newRequest(t)
		a := &catalog.Auth{HMAC: &catalog.HMACAuth{Key: "public", Secret: "s", Algorithm: c.algorithm, Sign: sign, Encoding: c.encoding}}
		if err := auth.Sign(r, []byte(body), a, keys{"s": canary}, stamp()); err != nil {
			t.Fatal(err)
		}
		mac := hmac.New(c.digest, []byte(canary))
		mac.Write([]byte(signed + digestOf(c.digest)))
		for name, want := range map[string]string{
			"X-App-Key": "public", "X-Timestamp": "1795392000000", "X-Nonce": "nonce-1", "X-Signature": c.encode(mac.Sum(nil)),
		} {
			if got := r.Header.Get(name); got != want {
				t.Errorf("%s %s: %s is %q, want %q", c.algorithm, c.encoding, name, got, want)
			}
		}
	}
}

// The second case of RFC 4231: key "Jefe", data "what do ya want for nothing?".
func TestSign_AgreesWithThePublishedHMAC(t *testing.T) {
	t.Parallel()
	r := newRequest(t)
	a := &catalog.Auth{HMAC: &catalog.HMACAuth{Key: "k", Secret: "s", Algorithm: "sha256", Sign: "what do ya want for nothing?"}}
	if err := auth.Sign(r, nil, a, keys{"s": "Jefe"}, stamp()); err != nil {
		t.Fatal(err)
	}
	if got := r.Header.Get("X-Signature"); got != "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" {
		t.Errorf("got %s", got)
	}
}

func TestSign_SignsBySM2(t *testing.T) {
	t.Parallel()
	key, text := newKey(t)
	for user, verifiedAs := range map[string]string{"": "1234567812345678", "ALICE": "ALICE"} {
		r := newRequest(t)
		a := &catalog.Auth{SM2: &catalog.SM2Auth{Key: "public", Secret: "s", Sign: sign, UserID: user, SignatureHeader: "X-Sign", KeyHeader: "X-Id", NonceHeader: "X-N", TimestampHeader: "X-T"}}
		if err := auth.Sign(r, []byte(body), a, keys{"s": text}, stamp()); err != nil {
			t.Fatal(err)
		}
		signature, err := base64.StdEncoding.DecodeString(r.Header.Get("X-Sign"))
		if err != nil {
			t.Fatal(err)
		}
		if !sm2.VerifyASN1WithSM2(&key.PublicKey, []byte(verifiedAs), []byte(signed+digestOf(sm3.New)), signature) {
			t.Errorf("the signature of %q cannot be verified", user)
		}
		if sm2.VerifyASN1WithSM2(&key.PublicKey, []byte("somebody"), []byte(signed+digestOf(sm3.New)), signature) {
			t.Error("the signature is anybody's")
		}
		if r.Header.Get("X-Id") != "public" || r.Header.Get("X-N") != "nonce-1" || r.Header.Get("X-T") != "1795392000000" {
			t.Errorf("got %v", r.Header)
		}
	}
}

func TestSign_SignsThePathThatIsSent(t *testing.T) {
	t.Parallel()
	r, err := http.NewRequest(http.MethodGet, "https://department.example", nil)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{"/": true, "": false} {
		mac := hmac.New(sha256.New, []byte(canary))
		mac.Write([]byte(text))
		a := &catalog.Auth{HMAC: &catalog.HMACAuth{Key: "k", Secret: "s", Algorithm: "sha256", Sign: "${path}"}}
		if err := auth.Sign(r, nil, a, keys{"s": canary}, stamp()); err != nil {
			t.Fatal(err)
		}
		if got := r.Header.Get("X-Signature") == hex.EncodeToString(mac.Sum(nil)); got != want {
			t.Errorf("the signature is over %q is %v, want %v", text, got, want)
		}
	}
}

func TestSign_IsMissetWithoutWhatItNeedsAndQuotesNoSecret(t *testing.T) {
	t.Parallel()
	ecdsa := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte(canary)})
	secrets := keys{"s": canary, "empty": "", "lines": canary + "\nX-Other: 1", "pem": string(ecdsa)}
	byHMAC := func(change func(*catalog.HMACAuth)) *catalog.Auth {
		a := &catalog.HMACAuth{Key: "k", Secret: "s", Algorithm: "sha256", Sign: "${nonce}"}
		change(a)
		return &catalog.Auth{HMAC: a}
	}
	for name, a := range map[string]*catalog.Auth{
		"no secret":             {Header: &catalog.HeaderAuth{Name: "X-A", Secret: "none"}},
		"an empty secret":       {Header: &catalog.HeaderAuth{Name: "X-A", Secret: "empty"}},
		"a secret of two lines": {Header: &catalog.HeaderAuth{Name: "X-A", Secret: "lines"}},
		"no secret of HMAC":     byHMAC(func(a *catalog.HMACAuth) { a.Secret = "none" }),
		"an unknown algorithm":  byHMAC(func(a *catalog.HMACAuth) { a.Algorithm = "md5" }),
		"an unknown encoding":   byHMAC(func(a *catalog.HMACAuth) { a.Encoding = "rot13" }),
		"an unknown variable":   byHMAC(func(a *catalog.HMACAuth) { a.Sign = "${secret}" }),
		"no key of SM2":         {SM2: &catalog.SM2Auth{Key: "k", Secret: "none", Sign: "x"}},
		"a key that is no PEM":  {SM2: &catalog.SM2Auth{Key: "k", Secret: "s", Sign: "x"}},
		"a key that is none":    {SM2: &catalog.SM2Auth{Key: "k", Secret: "pem", Sign: "x"}},
	} {
		err := auth.Sign(newRequest(t), nil, a, secrets, stamp())
		var fault *connectors.Fault
		if !errors.As(err, &fault) || fault.Kind != connectors.FaultMisset {
			t.Errorf("%s: got %v, want fault misset", name, err)
			continue
		}
		if strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: the fault holds the secret", name)
		}
	}
	if err := auth.Sign(newRequest(t), nil, &catalog.Auth{Header: &catalog.HeaderAuth{Name: "X-A", Secret: "s"}}, nil, stamp()); connectors.KindOf(err) != connectors.FaultMisset {
		t.Errorf("without secrets: got %v", err)
	}
}

func newRequest(t *testing.T) *http.Request {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, "https://department.example/a%20b/query?x=1&y=%E6%B5%8E", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func stamp() auth.Stamp {
	return auth.Stamp{Now: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC), Nonce: "nonce-1"}
}

func digestOf(digest func() hash.Hash) string {
	d := digest()
	d.Write([]byte(body))
	return hex.EncodeToString(d.Sum(nil))
}

func newKey(t *testing.T) (*sm2.PrivateKey, string) {
	t.Helper()
	key, err := sm2.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := smx509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}
