package standin_test

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"hash"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"
	"github.com/emmansun/gmsm/smx509"

	"mianti/connectors/standin"
)

const signedBody = `{"request_id":"q-1","purpose":"x","fields":["姓名"],"subject":{"kind":"person","name":"王建国","number":"370199198805163315"}}`

// signedHeader signs by hand what the page of the interface asks for.
func signedHeader(path, nonce string, at time.Time, digest func() hash.Hash, sign func(text string) string) http.Header {
	d := digest()
	_, _ = d.Write([]byte(signedBody))
	stamp := strconv.FormatInt(at.UnixMilli(), 10)
	text := "POST\n" + path + "\n" + stamp + "\n" + nonce + "\n" + hex.EncodeToString(d.Sum(nil))
	h := http.Header{}
	h.Set("X-App-Key", "stand-in-key")
	h.Set("X-Timestamp", stamp)
	h.Set("X-Nonce", nonce)
	h.Set("X-Signature", sign(text))
	return h
}

func byHMAC(digest func() hash.Hash, secret string) func(string) string {
	return func(text string) string {
		mac := hmac.New(digest, []byte(secret))
		_, _ = mac.Write([]byte(text))
		return hex.EncodeToString(mac.Sum(nil))
	}
}

func bySM2(t *testing.T) func(string) string {
	t.Helper()
	text, err := standin.DemoSM2Key()
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	key, err := smx509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return func(text string) string {
		signature, err := key.(*sm2.PrivateKey).SignWithSM2(rand.Reader, []byte("1234567812345678"), []byte(text))
		if err != nil {
			t.Error(err)
		}
		return base64.StdEncoding.EncodeToString(signature)
	}
}

func TestSigned_AnswersOnlyWhoProvesWhoItIs(t *testing.T) {
	t.Parallel()
	_, base := newServer(t, 0)
	const hmacPath, sm3Path, sm2Path = "/AA/signed/hmac/D-A", "/AA/signed/hmac-sm3/D-A", "/AA/signed/sm2/D-A"
	secret := standin.DemoSecret
	without := func(h http.Header, name string) http.Header {
		h.Del(name)
		return h
	}
	sha, sm := byHMAC(sha256.New, secret), byHMAC(sm3.New, secret)
	cases := []struct {
		name, path string
		header     http.Header
		want       int
	}{
		{"header", "/AA/signed/header/D-A", http.Header{"X-App-Key": {secret}}, 200},
		{"header with another secret", "/AA/signed/header/D-A", http.Header{"X-App-Key": {"x"}}, 401},
		{"no header", "/AA/signed/header/D-A", nil, 401},
		{"hmac", hmacPath, signedHeader(hmacPath, "n1", today(), sha256.New, sha), 200},
		{"hmac again with one nonce", hmacPath, signedHeader(hmacPath, "n1", today(), sha256.New, sha), 401},
		{"hmac five minutes ago", hmacPath, signedHeader(hmacPath, "n2", today().Add(-5*time.Minute), sha256.New, sha), 200},
		{"hmac of too long ago", hmacPath, signedHeader(hmacPath, "n3", today().Add(-301*time.Second), sha256.New, sha), 401},
		{"hmac from the future", hmacPath, signedHeader(hmacPath, "n4", today().Add(301*time.Second), sha256.New, sha), 401},
		{"hmac of another path", hmacPath, signedHeader(sm3Path, "n5", today(), sha256.New, sha), 401},
		{"hmac with another secret", hmacPath, signedHeader(hmacPath, "n6", today(), sha256.New, byHMAC(sha256.New, "x")), 401},
		{"hmac without a key", hmacPath, without(signedHeader(hmacPath, "n7", today(), sha256.New, sha), "X-App-Key"), 401},
		{"hmac without a nonce", hmacPath, signedHeader(hmacPath, "", today(), sha256.New, sha), 401},
		{"sm3", sm3Path, signedHeader(sm3Path, "n8", today(), sm3.New, sm), 200},
		{"sm3 at the other interface", hmacPath, signedHeader(hmacPath, "n9", today(), sm3.New, sm), 401},
		{"sm2", sm2Path, signedHeader(sm2Path, "n10", today(), sm3.New, bySM2(t)), 200},
		{"sm2 of another path", sm2Path, signedHeader(sm3Path, "n11", today(), sm3.New, bySM2(t)), 401},
		{"no method", "/AA/signed/none/D-A", nil, 404},
		{"no token", "/AA/signed/oauth2/D-A", nil, 401},
		{"a made-up token", "/AA/signed/oauth2/D-A", http.Header{"Authorization": {"Bearer 0.99999999999.00"}}, 401},
	}
	for _, c := range cases {
		answer, text := call(t, http.MethodPost, base+c.path, c.header, signedBody)
		if answer.StatusCode != c.want || (c.want == 200) != strings.Contains(text, "王建国") {
			t.Errorf("%s: status %d, want %d: %s", c.name, answer.StatusCode, c.want, text)
		}
	}
}

func TestToken_IsGoodForAnHourOrUntilItIsRevoked(t *testing.T) {
	t.Parallel()
	base, move := clocked(t)
	asForm := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	get := func(secret string) (int, string) {
		answer, text := call(t, http.MethodPost, base+"/AA/oauth/token", asForm,
			form("grant_type", "client_credentials", "client_id", "stand-in-client", "client_secret", secret))
		var token struct {
			AccessToken string `json:"access_token"`
		}
		_ = json.Unmarshal([]byte(text), &token) // an error is an empty token
		return answer.StatusCode, token.AccessToken
	}
	use := func(token string) int {
		answer, _ := call(t, http.MethodPost, base+"/AA/signed/oauth2/D-A", http.Header{"Authorization": {"Bearer " + token}}, signedBody)
		return answer.StatusCode
	}
	if status, token := get("x"); status != http.StatusUnauthorized || token != "" {
		t.Errorf("another secret: status %d", status)
	}
	_, token := get(standin.DemoSecret)
	if got := use(token); got != http.StatusOK {
		t.Errorf("a new token: status %d", got)
	}
	move(time.Hour)
	if got := use(token); got != http.StatusUnauthorized {
		t.Errorf("after an hour: status %d", got)
	}
}

func TestRevokeTokens_EndsThoseThatWereIssued(t *testing.T) {
	t.Parallel()
	server, base := newServer(t, 0)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/AA/oauth/token", strings.NewReader("grant_type=client_credentials"))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth("stand-in-client", standin.DemoSecret)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var token struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&token); err != nil || token.AccessToken == "" {
		t.Fatalf("status %d: %v", answer.StatusCode, err)
	}
	bearer := http.Header{"Authorization": {"Bearer " + token.AccessToken}}
	if answer, _ := call(t, http.MethodPost, base+"/AA/signed/oauth2/D-A", bearer, signedBody); answer.StatusCode != http.StatusOK {
		t.Errorf("before: status %d", answer.StatusCode)
	}
	server.RevokeTokens()
	if answer, _ := call(t, http.MethodPost, base+"/AA/signed/oauth2/D-A", bearer, signedBody); answer.StatusCode != http.StatusUnauthorized {
		t.Errorf("after: status %d", answer.StatusCode)
	}
}
