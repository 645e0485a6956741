package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// authority is a certificate authority of tests, with a folder for its files.
type authority struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, dir: t.TempDir()}
	a.key = a.newKey()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.write("ca.pem", "CERTIFICATE", der)
	return a
}

func (a *authority) newKey() *ecdsa.PrivateKey {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	return key
}

func (a *authority) write(name, kind string, der []byte) string {
	a.t.Helper()
	path := filepath.Join(a.dir, name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		a.t.Fatal(err)
	}
	return path
}

// issue makes a certificate for a name, and writes it and its key.
func (a *authority) issue(name string) (certFile, keyFile string) {
	a.t.Helper()
	key := a.newKey()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	return a.write(name+".pem", "CERTIFICATE", der), a.write(name+".key", "PRIVATE KEY", keyDER)
}

// client speaks TLS with the certificate of that name, or with none.
func (a *authority) client(name string) *http.Client {
	a.t.Helper()
	config := &tls.Config{RootCAs: x509.NewCertPool()}
	config.RootCAs.AddCert(a.cert)
	if name != "" {
		pair, err := tls.LoadX509KeyPair(filepath.Join(a.dir, name+".pem"), filepath.Join(a.dir, name+".key"))
		if err != nil {
			a.t.Fatal(err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: config}}
}

// tokenOver asks for a token over TLS.
func tokenOver(t *testing.T, c *http.Client, address, id, secret string) (status int, token string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address+"/oauth/token", strings.NewReader(url.Values{"grant_type": {"client_credentials"}}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(id, secret)
	answer, err := c.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var body struct {
		Token string `json:"access_token"`
	}
	_ = json.NewDecoder(answer.Body).Decode(&body) // no token then
	return answer.StatusCode, body.Token
}

// useOver reads the caller's own registration over TLS.
func useOver(t *testing.T, c *http.Client, address, token string, headers ...string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+"/v1/system", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	answer, err := c.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	return answer.StatusCode
}

// RFC 8705 §3: a token that is bound to a certificate is of no use without it.
func TestTLS_BindsTokensToTheCallersCertificate(t *testing.T) {
	t.Parallel()
	r, ca := newTwoReplicas(t), newAuthority(t)
	secret := secretIn(t, r.command("add", "spj-mtls", "--department=SPJ", "--name=审批", "--require=mtls"))
	certFile, keyFile := ca.issue("server")
	ca.issue("own")
	ca.issue("thief")
	settings := tlsSettings{TLSCertFile: certFile, TLSKeyFile: keyFile, TLSClientCAFile: filepath.Join(ca.dir, "ca.pem")}
	config, err := settings.config()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(r.a.handler)
	server.TLS = config
	server.Config.ErrorLog = nil
	server.StartTLS()
	t.Cleanup(server.Close)

	own, thief, none := ca.client("own"), ca.client("thief"), ca.client("")
	status, token := tokenOver(t, own, server.URL, "spj-mtls", secret)
	if status != http.StatusOK {
		t.Fatalf("token: %d", status)
	}
	wantBoundTo(t, token, filepath.Join(ca.dir, "own.pem"))
	if status, _ := tokenOver(t, none, server.URL, "spj-mtls", secret); status != http.StatusBadRequest {
		t.Errorf("a token without a certificate: %d", status)
	}
	pemText, err := os.ReadFile(filepath.Join(ca.dir, "own.pem"))
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct{ got, want int }{
		"with its certificate":      {useOver(t, own, server.URL, token), 200},
		"with another's":            {useOver(t, thief, server.URL, token), 401},
		"with none":                 {useOver(t, none, server.URL, token), 401},
		"with a header that has it": {useOver(t, none, server.URL, token, "X-Client-Cert", url.QueryEscape(string(pemText)), "X-Ssl-Client-Verify", "SUCCESS"), 401},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: %d, want %d", name, tc.got, tc.want)
		}
	}
	stranger := newAuthority(t)
	stranger.issue("stranger")
	foreign := stranger.client("stranger")
	foreign.Transport.(*http.Transport).TLSClientConfig.RootCAs.AddCert(ca.cert)
	if answer, err := foreign.Get(server.URL + "/healthz"); err == nil {
		answer.Body.Close()
		t.Error("a certificate of an unknown authority is accepted")
	}
}

// wantBoundTo checks `cnf` of a token by hand.
func wantBoundTo(t *testing.T, token, certFile string) {
	t.Helper()
	text, err := os.ReadFile(certFile)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	sum := sha256.Sum256(block.Bytes)
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims struct {
		Cnf map[string]string `json:"cnf"`
	}
	if err := json.Unmarshal(raw, &claims); err != nil {
		t.Fatal(err)
	}
	if want := base64.RawURLEncoding.EncodeToString(sum[:]); claims.Cnf["x5t#S256"] != want {
		t.Errorf("bound to %v, want %s", claims.Cnf, want)
	}
}

func TestTLSSettings_RefuseWhatCannotWork(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	certFile, keyFile := ca.issue("server")
	_, otherKey := ca.issue("other")
	for name, s := range map[string]tlsSettings{
		"a certificate without a key": {TLSCertFile: certFile},
		"a key without a certificate": {TLSKeyFile: keyFile},
		"client CAs alone":            {TLSClientCAFile: filepath.Join(ca.dir, "ca.pem")},
		"another's key":               {TLSCertFile: certFile, TLSKeyFile: otherKey},
		"no file":                     {TLSCertFile: "none.pem", TLSKeyFile: keyFile},
		"client CAs that are none":    {TLSCertFile: certFile, TLSKeyFile: keyFile, TLSClientCAFile: keyFile},
	} {
		if config, err := s.config(); err == nil || config != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if config, err := (&tlsSettings{}).config(); config != nil || err != nil {
		t.Errorf("without settings: %v, %v", config, err)
	}
}

// The row "secrets and defaults" of the attacks: secrets do not travel in the
// clear.
func TestServe_RefusesToSendSecretsInTheClear(t *testing.T) {
	t.Parallel()
	address := func(text string) net.Addr {
		a, err := net.ResolveTCPAddr("tcp", text)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	for _, tc := range []struct {
		issuer, listen string
		tls, ok        bool
	}{
		{"http://127.0.0.1:8080", "127.0.0.1:8080", false, true},
		{"http://localhost:8080", "[::1]:8080", false, true},
		{"https://mianti.example", "127.0.0.1:8080", false, true}, // a proxy in front
		{"https://mianti.example", "10.1.2.3:8080", false, true},
		{"https://mianti.example", "0.0.0.0:443", true, true},
		{"http://mianti.example", "127.0.0.1:8080", false, false},
		{"http://127.0.0.1:8080", "0.0.0.0:8080", false, false},
		{"http://[::]:8080", "[::]:8080", false, false},
		{"http://10.1.2.3:8080", "10.1.2.3:8080", false, false},
		{"http://127.0.0.1.example:8080", "127.0.0.1:8080", false, false},
		{"http://127.0.0.1:8080", "127.0.0.1:8080", true, false},
	} {
		err := checkTransport(tc.issuer, address(tc.listen), tc.tls)
		if (err == nil) != tc.ok || (err != nil && !strings.Contains(err.Error(), "MIANTI_ISSUER")) {
			t.Errorf("%+v: %v", tc, err)
		}
	}
}

func TestServe_DoesNotStartWithWeakKeysOrInTheClear(t *testing.T) {
	t.Parallel()
	weak := filepath.Join(t.TempDir(), "weak.key")
	if err := os.WriteFile(weak, []byte(strings.Repeat("changeme", 6)), 0o600); err != nil {
		t.Fatal(err)
	}
	none := "--database=sqlite:" + t.TempDir() + "/none.db"
	for name, tc := range map[string]struct {
		args []string
		says string
	}{
		"a sample key":        {[]string{"--subject-key-file=" + weak}, "MIANTI_SUBJECT_KEY_FILE: this is no random key"},
		"a sample webhook":    {[]string{"--webhook-key-file=" + weak}, "MIANTI_WEBHOOK_KEY_FILE: this is no random key"},
		"a key that is none":  {[]string{"--signing-key-file=" + weak}, "PRIVATE KEY"},
		"open to all in http": {[]string{"--listen=0.0.0.0:0"}, "MIANTI_ISSUER"},
		"an issuer in http":   {[]string{"--issuer=http://mianti.example"}, "MIANTI_ISSUER"},
		"half a certificate":  {[]string{"--tls-cert-file=" + weak}, "MIANTI_TLS_KEY_FILE"},
	} {
		var errs strings.Builder
		args := append([]string{"serve", "--listen=127.0.0.1:0", none}, tc.args...)
		if status := run(t.Context(), args, io.Discard, &errs); status != 1 || !strings.Contains(errs.String(), tc.says) {
			t.Errorf("%s: status %d, %s", name, status, errs.String())
		}
	}
}
