package api_test

import (
	"bytes"
	"compress/flate"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"unicode/utf16"

	"mianti/api"
)

// The rules of RFC 8725 (JSON Web Token Best Current Practices), §3.1 to §3.12,
// each for the three kinds of tokens that we take: access tokens, client
// assertions, and DPoP proofs.

// tokenKind is one kind of token, as the one who may make it makes it.
type tokenKind struct {
	name    string
	header  members
	claims  members
	sign    func(header, claims any) string
	public  []byte // the public key that verifies it, as DER
	accepts func(token string) bool
}

// fresh gives the claims with an id that was not used before.
func (k tokenKind) fresh(changed members) members {
	return k.claims.with(members{"jti": fmt.Sprintf("%s-%d", k.name, sequence.Add(1))}).with(changed)
}

// sequence numbers the ids of tokens.
var sequence atomic.Int64

// tokenKinds gives the three kinds, each with an interface of its own.
func tokenKinds(t *testing.T) []tokenKind {
	t.Helper()
	h, p := newHarness(t), newProver(t)
	now := at().Unix()
	header, claims := h.goodToken()
	signEdDSA := func(header, claims any) string {
		text := segment(header) + "." + segment(claims)
		return text + "." + base64url(ed25519.Sign(h.client, []byte(text)))
	}
	der := func(key any) []byte {
		out, err := x509.MarshalPKIXPublicKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	return []tokenKind{
		{
			name: "access token", header: header, claims: claims, public: der(&h.key.PublicKey),
			sign:    func(header, claims any) string { return signES256(h.key, header, claims) },
			accepts: func(token string) bool { return h.refusedOrOK(t, h.tryToken("Bearer "+token)) },
		},
		{
			name: "client assertion", header: members{"alg": "EdDSA", "typ": "JWT", "kid": "k1"}, public: der(h.client.Public()),
			claims:  members{"iss": "signer", "sub": "signer", "aud": issuer, "iat": now, "exp": now + 60},
			sign:    signEdDSA,
			accepts: func(token string) bool { return h.refusedOrOK(t, h.assert(token)) },
		},
		{
			name: "DPoP proof", header: members{"alg": "ES256", "typ": "dpop+jwt", "jwk": p.jwk}, public: der(&p.key.PublicKey),
			claims:  members{"htm": "POST", "htu": issuer + "/oauth/token", "iat": now},
			sign:    func(header, claims any) string { return signES256(p.key, header, claims) },
			accepts: func(token string) bool { return h.refusedOrOK(t, h.boundToken(ownSystem, token).Code) },
		},
	}
}

// refusedOrOK says whether a status is 200; a refusal is 401, or 400 where RFC
// 9449 wants it.
func (h *harness) refusedOrOK(t *testing.T, status int) bool {
	if status != http.StatusOK && status != http.StatusUnauthorized && status != http.StatusBadRequest {
		t.Errorf("status %d", status)
	}
	return status == http.StatusOK
}

// eachTokenKind runs a test on each kind, after it has seen that a good one is
// accepted: else a test could pass for another reason.
func eachTokenKind(t *testing.T, test func(t *testing.T, k tokenKind)) {
	t.Helper()
	for _, k := range tokenKinds(t) {
		t.Run(k.name, func(t *testing.T) {
			if !k.accepts(k.sign(k.header, k.fresh(nil))) {
				t.Fatal("a good one is refused")
			}
			test(t, k)
			if !k.accepts(k.sign(k.header, k.fresh(nil))) {
				t.Fatal("a good one is refused afterwards")
			}
		})
	}
}

// refuses checks that a kind refuses tokens.
func (k tokenKind) refuses(t *testing.T, tokens map[string]string) {
	t.Helper()
	for name, token := range tokens {
		if k.accepts(token) {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestRFC8725_3_1_TheAlgorithmIsThatOfTheKey(t *testing.T) {
	t.Parallel()
	eachTokenKind(t, func(t *testing.T, k tokenKind) {
		swapped := map[any]string{"ES256": "EdDSA", "EdDSA": "ES256"}[k.header["alg"]]
		pemKey := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: k.public})
		k.refuses(t, map[string]string{
			"the other algorithm":           k.sign(k.header.with(members{"alg": swapped}), k.fresh(nil)),
			"HS256 by the public key":       signHS256(k.public, k.header.with(members{"alg": "HS256"}), k.fresh(nil)),
			"HS256 by the public key's PEM": signHS256(pemKey, k.header.with(members{"alg": "HS256"}), k.fresh(nil)),
			"no algorithm":                  k.sign(k.header.with(members{"alg": nil}), k.fresh(nil)),
		})
	})
}

func TestRFC8725_3_2_OnlyAppropriateAlgorithms(t *testing.T) {
	t.Parallel()
	eachTokenKind(t, func(t *testing.T, k tokenKind) {
		for _, algorithm := range []string{"none", "None", "NONE", "nOnE", "", "HS256", "HS512", "RS256", "RS1", "PS256", "ES384", "ES512", "ES256K", "es256", "eddsa", "RSA1_5", "dir"} {
			token := k.sign(k.header.with(members{"alg": algorithm}), k.fresh(nil))
			k.refuses(t, map[string]string{
				algorithm + " signed":   token,
				algorithm + " unsigned": token[:strings.LastIndexByte(token, '.')+1],
			})
		}
	})
}

func TestRFC8725_3_3_TheSignatureIsValidatedEntirely(t *testing.T) {
	t.Parallel()
	eachTokenKind(t, func(t *testing.T, k tokenKind) {
		token := k.sign(k.header, k.fresh(nil))
		parts := strings.Split(token, ".")
		another := strings.Split(k.sign(k.header, k.fresh(nil)), ".")
		k.refuses(t, map[string]string{
			"no signature":             parts[0] + "." + parts[1] + ".",
			"two parts":                parts[0] + "." + parts[1],
			"four parts":               token + "." + parts[2],
			"another's signature":      parts[0] + "." + parts[1] + "." + another[2],
			"another's claims":         parts[0] + "." + another[1] + "." + parts[2],
			"half a signature":         parts[0] + "." + parts[1] + "." + parts[2][:43],
			"signature of zeros":       parts[0] + "." + parts[1] + "." + base64url(make([]byte, 64)), // CVE-2022-21449
			"signature and more":       token + "AAAA",
			"padding":                  token + "==",
			"a blank":                  token + " ",
			"a line break":             parts[0] + "." + parts[1] + "\n." + parts[2],
			"spare bits":               spareBit(token),
			"the standard alphabet":    parts[0] + "." + parts[1] + "." + strings.Repeat("+/", 43),
			"an encrypted token (JWE)": segment(members{"alg": "dir", "enc": "A256GCM"}) + ".." + parts[1] + "." + parts[2] + "." + parts[2],
			"JSON serialization":       `{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `"}`,
		})
	})
}

func TestRFC8725_3_4_KeysAndPointsAreValidated(t *testing.T) {
	t.Parallel()
	h, p := newHarness(t), newProver(t)
	larger, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := larger.PublicKey.Bytes() // 0x04, x and y
	if err != nil {
		t.Fatal(err)
	}
	x, y := base64url(point[1:49]), base64url(point[49:])
	for name, jwk := range map[string]any{
		"a point off the curve": p.jwk.with(members{"y": p.jwk["x"]}),
		"the point at infinity": p.jwk.with(members{"x": base64url(make([]byte, 32)), "y": base64url(make([]byte, 32))}),
		"P-384":                 members{"kty": "EC", "crv": "P-384", "x": x, "y": y},
		"an unknown curve":      p.jwk.with(members{"crv": "secp256k1"}),
		"a short coordinate":    p.jwk.with(members{"x": "AA"}),
		"no coordinate":         p.jwk.with(members{"y": nil}),
		"short Ed25519":         members{"kty": "OKP", "crv": "Ed25519", "x": "AAAA"},
		"X25519":                members{"kty": "OKP", "crv": "X25519", "x": base64url(make([]byte, 32))},
		"for encryption":        p.jwk.with(members{"use": "enc"}),
		"for another algorithm": p.jwk.with(members{"alg": "ES384"}),
		"text":                  "key",
	} {
		if w := h.boundToken(ownSystem, p.proof(members{"jwk": jwk}, nil)); w.Code != http.StatusBadRequest {
			t.Errorf("%s in a proof: %d", name, w.Code)
		}
		set, err := json.Marshal(members{"keys": []any{jwk}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := api.KeyCredentials(set, h.config.NewID, at()); err == nil {
			t.Errorf("%s is registered", name)
		}
	}
}

// Nothing here is verified by a symmetric key, which could be one that people
// can remember.
func TestRFC8725_3_5_NoKeyIsWeak(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for name, jwk := range map[string]string{
		"symmetric": `{"kty":"oct","k":"c2VjcmV0"}`, "RSA of 1024 bits": `{"kty":"RSA","e":"AQAB","n":"` + strings.Repeat("q", 171) + `"}`,
		"private": `{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}`,
	} {
		if _, err := api.KeyCredentials([]byte(`{"keys":[`+jwk+`]}`), h.config.NewID, at()); err == nil {
			t.Errorf("a %s key is registered", name)
		}
	}
}

func TestRFC8725_3_6_NothingIsCompressed(t *testing.T) {
	t.Parallel()
	eachTokenKind(t, func(t *testing.T, k tokenKind) {
		plain, err := json.Marshal(k.fresh(nil))
		if err != nil {
			t.Fatal(err)
		}
		var packed bytes.Buffer
		w, err := flate.NewWriter(&packed, flate.BestCompression)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = w.Write(plain)
		_ = w.Close()
		k.refuses(t, map[string]string{
			"zip of plain claims":     k.sign(k.header.with(members{"zip": "DEF"}), k.fresh(nil)),
			"zip of packed claims":    k.sign(k.header.with(members{"zip": "DEF"}), packed.String()),
			"packed without a header": k.sign(k.header, packed.String()),
		})
	})
}

func TestRFC8725_3_7_TextIsUTF8(t *testing.T) {
	t.Parallel()
	eachTokenKind(t, func(t *testing.T, k tokenKind) {
		plain, err := json.Marshal(k.fresh(nil))
		if err != nil {
			t.Fatal(err)
		}
		wide := []byte{}
		for _, unit := range utf16.Encode([]rune(string(plain))) {
			wide = append(wide, byte(unit>>8), byte(unit))
		}
		k.refuses(t, map[string]string{
			"UTF-16":         k.sign(k.header, string(wide)),
			"a byte mark":    k.sign(k.header, "\ufeff"+string(plain)),
			"broken UTF-8":   k.sign(k.header, strings.Replace(string(plain), `"jti":"`, "\"jti\":\"\xff", 1)),
			"a name twice":   k.sign(k.header, `{"jti":"twice",`+string(plain[1:])),
			"more after it":  k.sign(k.header, string(plain)+"{}"),
			"lone surrogate": k.sign(k.header, strings.Replace(string(plain), `"jti":"`, `"jti":"\ud800`, 1)),
		})
	})
}

func TestRFC8725_3_8_IssuerAndSubjectAreValidated(t *testing.T) {
	t.Parallel()
	eachTokenKind(t, func(t *testing.T, k tokenKind) {
		if k.name == "DPoP proof" {
			t.Skip("a proof has neither; its key takes their place: TestDPoP_RefusesATokenWithoutItsProof")
		}
		wrong := map[string]members{
			"another issuer": {"iss": "https://other.example"}, "no issuer": {"iss": nil}, "issuer in a list": {"iss": []any{k.claims["iss"]}},
			"issuer with a slash": {"iss": fmt.Sprint(k.claims["iss"]) + "/"}, "issuer as number": {"iss": 1},
			"another subject": {"sub": other}, "no subject": {"sub": nil}, "empty subject": {"sub": ""}, "subject as number": {"sub": 1},
			"a subject in another case": {"sub": strings.ToUpper(fmt.Sprint(k.claims["sub"]))},
		}
		for name, changed := range wrong {
			k.refuses(t, map[string]string{name: k.sign(k.header, k.fresh(changed))})
		}
	})
}

func TestRFC8725_3_9_TheAudienceIsValidated(t *testing.T) {
	t.Parallel()
	eachTokenKind(t, func(t *testing.T, k tokenKind) {
		name := "aud"
		if k.name == "DPoP proof" {
			name = "htu" // the address takes its place
		}
		for about, value := range map[string]any{
			"another": "https://other.example", "none": nil, "empty": "", "two": []any{k.claims[name], "https://other.example"},
			"an empty list": []any{}, "a number": 1, "in another case": strings.ToUpper(fmt.Sprint(k.claims[name])) + "X", "a prefix": issuer[:10],
		} {
			k.refuses(t, map[string]string{about: k.sign(k.header, k.fresh(members{name: value}))})
		}
	})
}

// No header is followed: not to a file, a table, an address or a key.
func TestRFC8725_3_10_ReceivedClaimsAreNotTrusted(t *testing.T) {
	t.Parallel()
	var fetched atomic.Int64
	trap := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { fetched.Add(1) }))
	t.Cleanup(trap.Close)
	attacker := newProver(t)
	eachTokenKind(t, func(t *testing.T, k tokenKind) {
		for _, header := range []members{
			{"jku": trap.URL}, {"x5u": trap.URL}, {"kid": trap.URL}, {"jwk": members{"kty": "EC", "x5u": trap.URL}}, {"x5c": []any{"AAAA"}},
			{"kid": "../../../../dev/null"}, {"kid": "' OR '1'='1"}, {"kid": "k1\x00"}, {"kid": ""}, {"kid": nil, "jwk": nil}, {"kid": []any{"k1"}},
			{"crit": []any{"b64"}, "b64": false}, {"crit": []any{}}, {"cty": "JWT"},
		} {
			k.refuses(t, map[string]string{fmt.Sprint(header): k.sign(k.header.with(header), k.fresh(nil))})
		}
		if k.name != "DPoP proof" { // which brings its key along by design
			forged := signES256(attacker.key, members{"alg": "ES256", "typ": k.header["typ"], "jwk": attacker.jwk}, k.fresh(nil))
			named := signES256(attacker.key, members{"alg": "ES256", "typ": k.header["typ"], "kid": k.header["kid"], "jwk": attacker.jwk}, k.fresh(nil))
			k.refuses(t, map[string]string{"signed by a key that it brings along": forged, "under a known name": named})
		}
	})
	if n := fetched.Load(); n != 0 {
		t.Errorf("%d addresses were fetched", n)
	}
}

func TestRFC8725_3_11_TypesAreExplicit(t *testing.T) {
	t.Parallel()
	eachTokenKind(t, func(t *testing.T, k tokenKind) {
		for _, typ := range []any{"at+jwt", "JWT", "dpop+jwt", "add-key+jwt", "client-authentication+jwt", "JOSE", "", "logout+jwt", "secevent+jwt", nil, 1, []any{"at+jwt"}} {
			isIts := typ == k.header["typ"]
			if k.name == "client assertion" { // RFC 7523 knows no type, and clients send none
				isIts = isIts || typ == nil || typ == "client-authentication+jwt"
			}
			if got := k.accepts(k.sign(k.header.with(members{"typ": typ}), k.fresh(nil))); got != isIts {
				t.Errorf("typ %v is accepted: %v, want %v", typ, got, isIts)
			}
		}
	})
}

// Each kind in the place of each other: as it is, and with all that the other
// place wants to see besides.
func TestRFC8725_3_12_NoKindStandsForAnother(t *testing.T) {
	t.Parallel()
	kinds := tokenKinds(t)
	for _, made := range kinds {
		for _, place := range kinds {
			if made.name == place.name {
				continue
			}
			both := made.fresh(place.claims).with(members{"client_id": place.claims["sub"]})
			place.refuses(t, map[string]string{
				made.name + " as " + place.name:                          made.sign(made.header, made.fresh(nil)),
				made.name + " with the claims of " + place.name:          made.sign(made.header, both),
				made.name + " with the key's name of " + place.name:      made.sign(made.header.with(members{"kid": place.header["kid"]}), both),
				made.name + " with the type and claims of " + place.name: made.sign(made.header.with(members{"typ": place.header["typ"]}), both),
			})
		}
	}
}

// One key for two purposes: what a system signed for the one is of no use for
// the other.
func TestRFC8725_3_12_OneKeyServesTwoPurposesApart(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	public, _ := h.client.Public().(ed25519.PublicKey)
	jwk := members{"kty": "OKP", "crv": "Ed25519", "x": base64url(public)}
	now := at().Unix()
	sign := func(header members) string {
		claims := members{
			"iss": "signer", "sub": "signer", "aud": issuer, "iat": now, "exp": now + 60, "htm": "POST", "htu": issuer + "/oauth/token",
			"jti": fmt.Sprint(sequence.Add(1)), "jwk": jwk,
		}
		text := segment(header) + "." + segment(claims)
		return text + "." + base64url(ed25519.Sign(h.client, []byte(text)))
	}
	send := func(assertion, proof string) int {
		r := tokenRequest(assertionForm(assertion), "", "")
		r.Header.Set("DPoP", proof)
		return h.send(r).Code
	}
	assertion := func() string { return sign(members{"alg": "EdDSA", "typ": "JWT", "kid": "k1"}) }
	proof := func() string { return sign(members{"alg": "EdDSA", "typ": "dpop+jwt", "jwk": jwk}) }
	addition := func() string { return sign(members{"alg": "EdDSA", "typ": "add-key+jwt", "kid": "k1"}) }
	for name, tc := range map[string]struct {
		code, want int
	}{
		"each in its place":        {send(assertion(), proof()), 200},
		"a proof as assertion":     {send(proof(), proof()), 401},
		"an assertion as proof":    {send(assertion(), assertion()), 400},
		"an addition as assertion": {send(addition(), proof()), 401},
		"an addition as proof":     {send(assertion(), addition()), 400},
	} {
		if tc.code != tc.want {
			t.Errorf("%s: %d, want %d", name, tc.code, tc.want)
		}
	}
}
