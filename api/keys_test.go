package api_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"testing"

	"mianti/api"
)

func privatePEM(t *testing.T, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func publicPEM(t *testing.T, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

func TestSigningKeys_LoadAndSign(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	_, edwards, _ := ed25519.GenerateKey(rand.Reader)
	older, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	keys, err := api.LoadSigningKeys(privatePEM(t, edwards), privatePEM(t, older), publicPEM(t, &h.key.PublicKey))
	if err != nil {
		t.Fatalf("load: %v", err)
	}
	old := "Bearer " + h.token(ownSystem)
	config := h.config
	config.Keys = keys
	h.handler = h.newHandler(config)
	if code := h.tryToken("Bearer " + h.token(ownSystem)); code != http.StatusOK {
		t.Errorf("Ed25519 token: %d", code)
	}
	if code := h.tryToken(old); code != http.StatusOK {
		t.Errorf("token of an older key: %d", code)
	}
}

func TestSigningKeys_RefuseWhatIsNoSuchKey(t *testing.T) {
	t.Parallel()
	short, _ := rsa.GenerateKey(rand.Reader, 2048)
	curve, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	good, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	for name, texts := range map[string][][]byte{
		"none": {}, "garbage": {[]byte("x")}, "RSA": {privatePEM(t, short)}, "P-384": {privatePEM(t, curve)},
		"public as current": {publicPEM(t, &good.PublicKey)}, "older P-384": {privatePEM(t, good), publicPEM(t, &curve.PublicKey)},
		"older garbage": {privatePEM(t, good), []byte("x")},
	} {
		if _, err := api.LoadSigningKeys(texts...); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	if _, err := api.NewSigningKeys(nil); err == nil {
		t.Error("no key is accepted")
	}
	if _, err := api.NewSigningKeys(good, crypto.PublicKey("x")); err == nil {
		t.Error("text as an older key is accepted")
	}
}

// The example of RFC 8037, appendix A.3.
func TestSigningKeys_AreNamedByTheirThumbprint(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	seed := []byte{
		0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4,
		0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
	}
	keys, err := api.NewSigningKeys(ed25519.NewKeyFromSeed(seed))
	if err != nil {
		t.Fatal(err)
	}
	config := h.config
	config.Keys = keys
	h.handler = h.newHandler(config)
	var set struct{ Keys []map[string]string }
	decode(t, h.send(request(http.MethodGet, "/.well-known/jwks.json", "")), &set)
	want := map[string]string{
		"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "use": "sig", "alg": "EdDSA",
		"kid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
	}
	for name, value := range want {
		if len(set.Keys) != 1 || set.Keys[0][name] != value {
			t.Errorf("%s: got %v, want %s", name, set.Keys, value)
		}
	}
}

func TestMetadata_NamesTheEndpoints(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	var got map[string]any
	decode(t, h.send(request(http.MethodGet, "/.well-known/oauth-authorization-server", "")), &got)
	if got["issuer"] != issuer || got["token_endpoint"] != issuer+"/oauth/token" || got["jwks_uri"] != issuer+"/.well-known/jwks.json" {
		t.Errorf("metadata %v", got)
	}
}

func TestNew_RefusesAConfigurationThatCannotWork(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for name, change := range map[string]func(*api.Config){
		"no exchange": func(c *api.Config) { c.Exchange = nil },
		"no keys":     func(c *api.Config) { c.Keys = nil },
		"no issuer":   func(c *api.Config) { c.Issuer = "" },
		"bare host":   func(c *api.Config) { c.Issuer = "mianti.example" },
		"query":       func(c *api.Config) { c.Issuer = "https://mianti.example/?a=b" },
		"long life":   func(c *api.Config) { c.TokenLife = 2 * 3600 * 1e9 },
		"bad proxy":   func(c *api.Config) { c.TrustedProxies = []string{"everywhere"} },
	} {
		config := h.config
		change(&config)
		if _, err := api.New(config); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}
