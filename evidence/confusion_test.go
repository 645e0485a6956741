package evidence_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/emmansun/gmsm/smx509"
	"github.com/go-jose/go-jose/v4"

	"mianti/evidence"
)

// plainKey is a key of the issuer, in the hands of the test.
func plainKey(t testing.TB) (*ecdsa.PrivateKey, []evidence.JWK) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := smx509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	key, err := evidence.ReadKey(pkcs8, time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return private, []evidence.JWK{key.Public().JWK()}
}

func plainSign(t testing.TB, key any, alg jose.SignatureAlgorithm, kid, typ string, payload []byte) string {
	t.Helper()
	options := (&jose.SignerOptions{}).WithType(jose.ContentType(typ)).WithHeader("kid", kid)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, options)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// withHeader puts another header before what a key signed.
func withHeader(token string, header map[string]any) string {
	text, _ := json.Marshal(header)
	_, rest, _ := strings.Cut(token, ".")
	return base64.RawURLEncoding.EncodeToString(text) + "." + rest
}

// RFC 8725 §2.1, §3.1: the algorithm is that of the key, whatever the header says.
func TestVerify_TakesTheAlgorithmFromTheKey(t *testing.T) {
	t.Parallel()
	for _, a := range algorithms() {
		key := newKey(t, a, issued(), time.Time{})
		keys, token := []evidence.JWK{key.Public().JWK()}, sign(t, key, statement())
		header := func(alg string) map[string]any {
			return map[string]any{"alg": alg, "kid": key.Public().ID(), "typ": evidence.Type}
		}
		for _, other := range []string{"ES256", "EdDSA", "SM2"} {
			if other == string(a) {
				continue
			}
			if _, err := evidence.Verify(withHeader(token, header(other)), keys); !errors.Is(err, evidence.ErrWrongHeader) {
				t.Errorf("a key for %s with a header that says %s: %v", a, other, err)
			}
		}
		for _, foreign := range []string{"none", "None", "HS256", "RS256", "ES384", ""} {
			if _, err := evidence.Verify(withHeader(token, header(foreign)), keys); !errors.Is(err, evidence.ErrMalformed) {
				t.Errorf("a key for %s with a header that says %q: %v", a, foreign, err)
			}
		}
		unsigned := withHeader(token, header("none"))
		unsigned = unsigned[:strings.LastIndex(unsigned, ".")+1]
		if _, err := evidence.Verify(unsigned, keys); err == nil {
			t.Errorf("%s: an unsigned one is taken", a)
		}
	}
}

// The public key as the secret of an HMAC, which is the oldest of these attacks.
func TestVerify_RefusesAPublicKeyAsASecret(t *testing.T) {
	t.Parallel()
	_, keys := plainKey(t)
	payload, _ := json.Marshal(statement())
	public, _ := json.Marshal(keys[0])
	for _, secret := range [][]byte{public, []byte(keys[0].X), make([]byte, 32)} {
		token := plainSign(t, secret, jose.HS256, keys[0].Kid, evidence.Type, payload)
		if _, err := evidence.Verify(token, keys); !errors.Is(err, evidence.ErrMalformed) {
			t.Errorf("HS256: %v", err)
		}
	}
}

// A signature by SM2 says ES256 in its header, which is signed with it: the key
// decides all the same, and so it is with an ES256 key that says SM2.
func TestVerify_RefusesACurveUnderAnothersName(t *testing.T) {
	t.Parallel()
	private, keys := plainKey(t)
	payload, _ := json.Marshal(statement())
	forged := keys[0]
	forged.Crv, forged.Alg = "SM2", "SM2"
	if _, err := evidence.ReadJWK(forged); err == nil {
		t.Error("a point of P-256 is taken as one of SM2")
	}
	if _, err := evidence.Verify(plainSign(t, private, jose.ES256, forged.Kid, evidence.Type, payload), []evidence.JWK{forged}); err == nil {
		t.Error("an envelope is verified by a key of another curve")
	}
}

func TestVerify_RefusesWhatIsNotByAPublishedKey(t *testing.T) {
	t.Parallel()
	private, keys := plainKey(t)
	_, strangers := plainKey(t)
	payload, _ := json.Marshal(statement())
	mine := plainSign(t, private, jose.ES256, keys[0].Kid, evidence.Type, payload)
	borrowed := plainSign(t, private, jose.ES256, strangers[0].Kid, evidence.Type, payload) // another's name
	for _, c := range []struct {
		name, token string
		keys        []evidence.JWK
		want        error
	}{
		{"no keys", mine, nil, evidence.ErrUnknownKey},
		{"another's keys", mine, strangers, evidence.ErrUnknownKey},
		{"another's key id", borrowed, append(keys, strangers...), evidence.ErrSignature},
		{"no key id", plainSign(t, private, jose.ES256, "", evidence.Type, payload), keys, evidence.ErrUnknownKey},
		{"no type", plainSign(t, private, jose.ES256, keys[0].Kid, "", payload), keys, evidence.ErrWrongHeader},
		{"an access token's type", plainSign(t, private, jose.ES256, keys[0].Kid, "at+jwt", payload), keys, evidence.ErrWrongHeader},
		{"no JSON", plainSign(t, private, jose.ES256, keys[0].Kid, evidence.Type, []byte("x")), keys, evidence.ErrMalformed},
		{"empty", "", keys, evidence.ErrMalformed},
		{"two parts", mine[:strings.LastIndex(mine, ".")], keys, evidence.ErrMalformed},
		{"four parts", mine + ".x", keys, evidence.ErrMalformed},
		{"JSON serialization", `{"payload":"","signatures":[]}`, keys, evidence.ErrMalformed},
		{"too long", mine + strings.Repeat("A", 1<<20), keys, evidence.ErrMalformed},
		{"a signature cut short", mine[:len(mine)-4], keys, evidence.ErrSignature},
	} {
		if _, err := evidence.Verify(c.token, c.keys); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

// A key that was rotated out still verifies what it signed, and nothing later.
func TestVerify_HoldsAKeyToTheTimeOfItsUse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name             string
		created, retired time.Duration // from the moment of issue
		want             error
	}{
		{"in use", -time.Hour, 0, nil},
		{"rotated out later", -time.Hour, time.Hour, nil},
		{"rotated out at that moment", -time.Hour, -30 * time.Second, nil},
		{"rotated out before", -2 * time.Hour, -time.Hour, evidence.ErrKeyTime},
		{"made later", time.Hour, 0, evidence.ErrKeyTime},
	} {
		retired := time.Time{}
		if c.retired != 0 {
			retired = issued().Add(c.retired)
		}
		key := newKey(t, evidence.EdDSA, issued().Add(c.created), retired)
		if _, err := evidence.Verify(sign(t, key, statement()), []evidence.JWK{key.Public().JWK()}); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

func TestReadJWK_RefusesWhatIsNotTheKeyThatItSays(t *testing.T) {
	t.Parallel()
	for _, a := range algorithms() {
		good := newKey(t, a, issued(), time.Time{}).Public().JWK()
		other := newKey(t, a, issued(), time.Time{}).Public().JWK()
		if _, err := evidence.ReadJWK(good); err != nil {
			t.Fatalf("%s: %v", a, err)
		}
		for name, change := range map[string]func(*evidence.JWK){
			"another's x":    func(k *evidence.JWK) { k.X = other.X },
			"another's id":   func(k *evidence.JWK) { k.Kid = other.Kid },
			"no id":          func(k *evidence.JWK) { k.Kid = "" },
			"no x":           func(k *evidence.JWK) { k.X = "" },
			"x with padding": func(k *evidence.JWK) { k.X += "=" },
			"x too short":    func(k *evidence.JWK) { k.X = k.X[:20] },
			"RSA":            func(k *evidence.JWK) { k.Kty = "RSA" },
			"secret":         func(k *evidence.JWK) { k.Kty = "oct" },
			"HS256":          func(k *evidence.JWK) { k.Alg = "HS256" },
			"no algorithm":   func(k *evidence.JWK) { k.Alg = "" },
			"another curve":  func(k *evidence.JWK) { k.Crv = "P-384" },
		} {
			bad := good
			change(&bad)
			if _, err := evidence.ReadJWK(bad); err == nil {
				t.Errorf("%s: %s is taken", a, name)
			}
		}
	}
	for _, a := range []evidence.Algorithm{evidence.ES256, evidence.SM2} {
		bad := newKey(t, a, issued(), time.Time{}).Public().JWK()
		bad.Y = base64.RawURLEncoding.EncodeToString(make([]byte, 32))
		if _, err := evidence.ReadJWK(bad); err == nil || !strings.Contains(err.Error(), "curve") {
			t.Errorf("%s: a point beside the curve: %v", a, err)
		}
	}
}

func TestReadKey_RefusesWhatEvidenceIsNotSignedBy(t *testing.T) {
	t.Parallel()
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	wrong, err := smx509.MarshalPKCS8PrivateKey(p384)
	if err != nil {
		t.Fatal(err)
	}
	for _, bytes := range [][]byte{nil, []byte("x"), wrong} {
		if _, err := evidence.ReadKey(bytes, time.Time{}, time.Time{}); err == nil {
			t.Errorf("%d bytes are a key", len(bytes))
		}
	}
	if _, err := evidence.NewKey("RS256"); !errors.Is(err, evidence.ErrAlgorithm) {
		t.Errorf("RS256: %v", err)
	}
}
