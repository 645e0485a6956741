package wire

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mianti/catalog"
	"mianti/connectors"
)

func TestDo_TakesNoProxy(t *testing.T) {
	t.Parallel()
	transport := newTransport(catalog.NetworkLocal, nil)
	if transport.Proxy != nil {
		t.Error("there is a proxy")
	}
}

func TestDo_BelievesOnlyTheCertificateThatIsSet(t *testing.T) {
	t.Parallel()
	ours, other := newAuthority(t), newAuthority(t)
	url := listenTLS(t, ours.issue(t, "127.0.0.1"), nil)
	for _, c := range []struct {
		name string
		set  catalog.TLSAuth
		want connectors.FaultKind
	}{
		{"our authority", catalog.TLSAuth{CA: "s-ca"}, ""},
		{"another authority", catalog.TLSAuth{CA: "s-other"}, connectors.FaultDown},
		{"the system's", catalog.TLSAuth{}, connectors.FaultDown},
		{"another name", catalog.TLSAuth{CA: "s-ca", ServerName: "elsewhere.example"}, connectors.FaultDown},
		{"no certificate", catalog.TLSAuth{CA: "s-garbage"}, connectors.FaultMisset},
		{"no secret", catalog.TLSAuth{CA: "s-missing"}, connectors.FaultMisset},
		{"a key that does not fit", catalog.TLSAuth{CA: "s-ca", Certificate: "s-ca", Key: "s-garbage"}, connectors.FaultMisset},
	} {
		secrets := newSecrets()
		secrets.set("s-ca", ours.pem())
		secrets.set("s-other", other.pem())
		secrets.set("s-garbage", []byte("canary-370199"))
		_, err := secrets.client(t).Do(t.Context(), Call{Query: overTLS(url, c.set), Method: http.MethodGet, URL: url})
		wantFault(t, err, c.want)
		if err != nil && strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: the fault quotes a secret", c.name)
		}
	}
}

func TestDo_SpeaksHTTP2AndShowsItsCertificate(t *testing.T) {
	t.Parallel()
	authority := newAuthority(t)
	own := authority.issue(t, "exchange.example")
	var protocol, shown atomic.Value
	url := listenTLS(t, authority.issue(t, "127.0.0.1"), authority.pool(), func(r *http.Request) {
		protocol.Store(r.Proto)
		shown.Store(r.TLS.PeerCertificates[0].Subject.CommonName)
	})
	secrets := newSecrets()
	secrets.set("s-ca", authority.pem())
	secrets.set("s-cert", own.certificate)
	secrets.set("s-key", own.key)
	set := catalog.TLSAuth{CA: "s-ca", Certificate: "s-cert", Key: "s-key"}
	if _, err := secrets.client(t).Do(t.Context(), Call{Query: overTLS(url, set), Method: http.MethodGet, URL: url}); err != nil {
		t.Fatal(err)
	}
	if protocol.Load() != "HTTP/2.0" || shown.Load() != "exchange.example" {
		t.Errorf("got %v by %v", protocol.Load(), shown.Load())
	}
	_, err := secrets.client(t).Do(t.Context(), Call{Query: overTLS(url, catalog.TLSAuth{CA: "s-ca"}), Method: http.MethodGet, URL: url})
	// In TLS 1.3 the refusal comes after the handshake, and can be overtaken by the
	// end of the connection.
	if kind := connectors.KindOf(err); kind != connectors.FaultRefused && kind != connectors.FaultDown {
		t.Errorf("without a certificate: %v, want refused, or a connection that broke", err)
	}
}

func TestDo_WantsTLSWhereACertificateIsSet(t *testing.T) {
	t.Parallel()
	url := listen(t, func(http.ResponseWriter, *http.Request) { t.Error("asked in the clear") })
	_, err := newSecrets().client(t).Do(t.Context(), Call{Query: overTLS(url, catalog.TLSAuth{CA: "s-ca"}), Method: http.MethodGet, URL: url})
	wantFault(t, err, connectors.FaultMisset)
}

func TestDo_NoticesAChangedSecretAndEndsTheOldConnections(t *testing.T) {
	t.Parallel()
	authority := newAuthority(t)
	first, second := authority.issue(t, "first"), authority.issue(t, "second")
	var shown atomic.Value
	count := &connections{}
	url := listenTLS(t, authority.issue(t, "127.0.0.1"), authority.pool(), func(r *http.Request) {
		shown.Store(r.TLS.PeerCertificates[0].Subject.CommonName)
	}, count)
	secrets := newSecrets()
	client := secrets.client(t)
	secrets.set("s-ca", authority.pem())
	set := catalog.TLSAuth{CA: "s-ca", Certificate: "s-cert", Key: "s-key"}
	for _, own := range []issued{first, second} {
		secrets.set("s-cert", own.certificate)
		secrets.set("s-key", own.key)
		for range 2 {
			if _, err := client.Do(t.Context(), Call{Query: overTLS(url, set), Method: http.MethodGet, URL: url}); err != nil {
				t.Fatal(err)
			}
			if shown.Load() != own.name {
				t.Errorf("shows %v, want %s", shown.Load(), own.name)
			}
		}
	}
	if opened := count.opened.Load(); opened != 2 {
		t.Errorf("%d connections were opened, want one for each certificate", opened)
	}
	count.wait(t, 1)
	client.Close()
	count.wait(t, 0)
}

func TestDo_SharesAConnectionWithinASourceAlone(t *testing.T) {
	t.Parallel()
	count := &connections{}
	server := httptest.NewUnstartedServer(http.HandlerFunc(sendEmpty))
	server.Config.ConnState = count.see
	server.Start()
	t.Cleanup(server.Close)
	client := newClient(t)
	for _, source := range []string{"A", "A", "B", "B", "A"} {
		q := local()
		q.Source.Code = source
		if _, err := client.Do(t.Context(), Call{Query: q, Method: http.MethodGet, URL: server.URL}); err != nil {
			t.Fatal(err)
		}
	}
	if opened := count.opened.Load(); opened != 2 {
		t.Errorf("%d connections were opened, want one for each source", opened)
	}
}

func TestDo_DropsThePoolsThatNobodyUses(t *testing.T) {
	t.Parallel()
	count := &connections{}
	server := httptest.NewUnstartedServer(http.HandlerFunc(sendEmpty))
	server.Config.ConnState = count.see
	server.Start()
	t.Cleanup(server.Close)
	now := clock()
	client := NewClient(Options{Now: func() time.Time { return now }})
	t.Cleanup(client.Close)
	ask := func(source string) {
		q := local()
		q.Source.Code = source
		if _, err := client.Do(t.Context(), Call{Query: q, Method: http.MethodGet, URL: server.URL}); err != nil {
			t.Fatal(err)
		}
	}
	ask("old")
	now = now.Add(unused + time.Second)
	ask("new")
	count.wait(t, 1)
	if n := len(client.pools); n != 1 {
		t.Errorf("%d pools are kept, want one", n)
	}
}

func sendEmpty(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{}`)
}

func overTLS(url string, set catalog.TLSAuth) connectors.Query {
	q := local()
	q.BaseURL = strings.TrimSuffix(url, "/")
	q.Source.Auth = &catalog.Auth{TLS: &set}
	return q
}

// secrets can be changed.
type secrets struct {
	mu    sync.Mutex
	known map[catalog.SecretRef][]byte
}

func newSecrets() *secrets { return &secrets{known: map[catalog.SecretRef][]byte{}} }

func (s *secrets) set(ref catalog.SecretRef, value []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known[ref] = value
}

func (s *secrets) Secret(ref catalog.SecretRef) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if value, ok := s.known[ref]; ok {
		return value, nil
	}
	return nil, errors.New("no secret " + string(ref))
}

func (s *secrets) client(t *testing.T) *Client {
	t.Helper()
	client := NewClient(Options{Secrets: s, Now: clock})
	t.Cleanup(client.Close)
	return client
}

// connections counts those of a server.
type connections struct{ opened, closed atomic.Int64 }

func (c *connections) see(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		c.opened.Add(1)
	case http.StateClosed:
		c.closed.Add(1)
	}
}

// wait ends when this many are open.
func (c *connections) wait(t *testing.T, open int64) {
	t.Helper()
	deadline := time.After(5 * time.Second)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for c.opened.Load()-c.closed.Load() != open {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%d opened, %d closed, want %d left", c.opened.Load(), c.closed.Load(), open)
		}
	}
}

// listenTLS serves with a certificate; with clients set it wants one of theirs.
func listenTLS(t *testing.T, own issued, clients *x509.CertPool, more ...any) string {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, m := range more {
			if see, ok := m.(func(*http.Request)); ok {
				see(r)
			}
		}
		sendEmpty(w, r)
	}))
	for _, m := range more {
		if count, ok := m.(*connections); ok {
			server.Config.ConnState = count.see
		}
	}
	pair, err := tls.X509KeyPair(own.certificate, own.key)
	if err != nil {
		t.Fatal(err)
	}
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	if clients != nil {
		server.TLS.ClientCAs, server.TLS.ClientAuth = clients, tls.RequireAndVerifyClientCert
	}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL + "/"
}

// authority issues certificates of a test.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// issued is a certificate and its key, in PEM.
type issued struct {
	name             string
	certificate, key []byte
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	plan := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, plan, plan, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return authority{certificate, key}
}

func (a authority) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw})
}

func (a authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	return pool
}

func (a authority) issue(t *testing.T, name string) issued {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	plan := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if ip := net.ParseIP(name); ip != nil {
		plan.IPAddresses = []net.IP{ip}
	}
	der, err := x509.CreateCertificate(rand.Reader, plan, a.certificate, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	text, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return issued{
		name:        name,
		certificate: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		key:         pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: text}),
	}
}
