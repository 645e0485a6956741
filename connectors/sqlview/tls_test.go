package sqlview_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"mianti/catalog"
	"mianti/connectors"
)

// keys are an authority of a test, a server that it speaks for, and a client;
// all in PEM.
type keys struct {
	authority                            string
	server, serverKey, client, clientKey string
}

func newKeys() (*keys, error) {
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	rootKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, root, root, rootKey.Public(), rootKey)
	if err != nil {
		return nil, err
	}
	k := &keys{authority: inPEM("CERTIFICATE", der)}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "test"}, NotBefore: root.NotBefore, NotAfter: root.NotAfter,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"db.example"},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if k.server, k.serverKey, err = issue(leaf, root, rootKey); err != nil {
		return nil, err
	}
	k.client, k.clientKey, err = issue(leaf, root, rootKey)
	return k, err
}

func issue(leaf, root *x509.Certificate, rootKey *ecdsa.PrivateKey) (certificate, key string, err error) {
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", err
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, root, own.Public(), rootKey)
	if err != nil {
		return "", "", err
	}
	private, err := x509.MarshalPKCS8PrivateKey(own)
	return inPEM("CERTIFICATE", der), inPEM("PRIVATE KEY", private), err
}

func inPEM(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// encrypt makes the server offer TLS, and gives whom it has its certificate of.
// MariaDB does from its start.
func (d *database) encrypt(t *testing.T) *keys {
	t.Helper()
	if !d.isPostgres() {
		return maria.keys
	}
	k, err := newKeys()
	if err != nil {
		t.Fatal(err)
	}
	var folder string
	if err := d.admin.QueryRowContext(t.Context(), "SHOW data_directory").Scan(&folder); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(folder)
	if err != nil {
		t.Fatal(err)
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		t.Fatal("the folder of the server has no owner")
	}
	for name, text := range map[string]string{"server.crt": k.server, "server.key": k.serverKey} {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(path, int(owner.Uid), int(owner.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	d.exec(t, "ALTER SYSTEM SET ssl = on", "SELECT pg_reload_conf()")
	await(t, "the server offers TLS", func() bool {
		return d.count(t, "SELECT count(*) FROM pg_settings WHERE name = 'ssl' AND setting = 'on'") == 1
	})
	return k
}

func TestAsk_BelievesOnlyTheSourcesCertificate(t *testing.T) {
	t.Parallel()
	other, err := newKeys()
	if err != nil {
		t.Fatal(err)
	}
	eachServer(t, func(t *testing.T, d *database) {
		d.view(t, cardRow)
		k := d.encrypt(t)
		c, held := d.connector(t)
		for ref, text := range map[catalog.SecretRef]string{
			"cc-ca": k.authority, "cc-other": other.authority, "cc-crt": k.client, "cc-key": k.clientKey, "cc-bad": "no PEM", "cc-foreign": other.clientKey,
		} {
			held.set(ref, text)
		}
		if !d.isPostgres() { // without TLS and a certificate it lets nobody in
			d.exec(t, "ALTER USER "+d.login+"@'%' REQUIRE X509")
		}
		full := catalog.TLSAuth{CA: "cc-ca", Certificate: "cc-crt", Key: "cc-key"}
		for _, tt := range []struct {
			name   string
			change func(*catalog.TLSAuth)
			want   connectors.FaultKind // empty: an answer
		}{
			{"its own", func(*catalog.TLSAuth) {}, ""},
			{"its own by name", func(a *catalog.TLSAuth) { a.ServerName = "db.example" }, ""},
			{"another name", func(a *catalog.TLSAuth) { a.ServerName = "other.example" }, connectors.FaultDown},
			{"another authority", func(a *catalog.TLSAuth) { a.CA = "cc-other" }, connectors.FaultDown},
			{"the system's authorities", func(a *catalog.TLSAuth) { a.CA = "" }, connectors.FaultDown},
			{"an authority that is none", func(a *catalog.TLSAuth) { a.CA = "cc-bad" }, connectors.FaultMisset},
			{"a key of another certificate", func(a *catalog.TLSAuth) { a.Key = "cc-foreign" }, connectors.FaultMisset},
			{"no secret", func(a *catalog.TLSAuth) { a.CA = "cc-none" }, connectors.FaultMisset},
		} {
			auth := full
			tt.change(&auth)
			q := d.query(known)
			q.Source.Auth.TLS = &auth
			reply, err := c.Ask(within(t, patience), q)
			if tt.want != "" {
				t.Run(tt.name, func(t *testing.T) { checkFault(t, err, tt.want) })
				continue
			}
			if err != nil || len(reply.Records) != 1 {
				t.Errorf("%s: got %v, %v, want a record", tt.name, reply.Records, err)
			}
			if d.isPostgres() && d.count(t, "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE ssl AND usename = '"+d.login+"'") == 0 {
				t.Errorf("%s: the connection is not encrypted", tt.name)
			}
		}
	})
}
