package anchor_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mianti/ledger/anchor"
)

// authority is a time-stamping authority that openssl runs: `openssl ts -reply`
// for every question.
type authority struct {
	dir   string // of its files
	roots *x509.CertPool
	asked atomic.Int64
	// spoil, if given, changes an answer.
	spoil func([]byte) []byte
}

// certified says how the authority's certificate is made.
type certified struct {
	rsa      bool
	usage    []x509.ExtKeyUsage
	uncritic bool
	expired  bool
	digest   string // of the signature
	ess      string // the algorithm that names the certificate
}

func newAuthority(t testing.TB, c certified) *authority {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Fatal("openssl is not installed: install the Debian package openssl")
	}
	if c.usage == nil {
		c.usage = []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping}
	}
	a := &authority{dir: t.TempDir(), roots: x509.NewCertPool()}
	rootKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test Root"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	rootDER := makeCertificate(t, root, root, &rootKey.PublicKey, rootKey)
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "Test TSA"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtraExtensions: []pkix.Extension{usageExtension(t, c)},
	}
	if c.expired {
		leaf.NotBefore, leaf.NotAfter = now.Add(-2*time.Hour), now.Add(-time.Hour)
	}
	key, public := makeKey(t, c.rsa)
	leafDER := makeCertificate(t, leaf, root, public, rootKey)
	parsed, err := x509.ParseCertificate(rootDER)
	if err != nil {
		t.Fatal(err)
	}
	a.roots.AddCert(parsed)
	a.write(t, "root.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: rootDER}))
	a.write(t, "tsa.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leafDER}))
	a.write(t, "tsa.key", key)
	if c.digest == "" {
		c.digest = "sha256"
	}
	if c.ess == "" {
		c.ess = "sha256"
	}
	a.write(t, "serial", []byte("01\n"))
	a.write(t, "ts.cnf", fmt.Appendf(nil, `[tsa]
serial = %[1]s/serial
crypto_device = builtin
signer_cert = %[1]s/tsa.pem
signer_key = %[1]s/tsa.key
certs = %[1]s/root.pem
default_policy = 1.2.3.4.1
signer_digest = %[2]s
digests = sha256
accuracy = secs:1, millisecs:500, microsecs:100
ordering = yes
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = %[3]s
`, a.dir, c.digest, c.ess))
	return a
}

func usageExtension(t testing.TB, c certified) pkix.Extension {
	t.Helper()
	known := map[x509.ExtKeyUsage]asn1.ObjectIdentifier{
		x509.ExtKeyUsageTimeStamping: {1, 3, 6, 1, 5, 5, 7, 3, 8}, x509.ExtKeyUsageServerAuth: {1, 3, 6, 1, 5, 5, 7, 3, 1},
	}
	var all []asn1.ObjectIdentifier
	for _, u := range c.usage {
		all = append(all, known[u])
	}
	value, err := asn1.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: !c.uncritic, Value: value}
}

func makeKey(t testing.TB, isRSA bool) (text []byte, public any) {
	t.Helper()
	var key any
	if isRSA {
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		key, public = k, &k.PublicKey
	} else {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		key, public = k, &k.PublicKey
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), public
}

func makeCertificate(t testing.TB, template, parent *x509.Certificate, public any, by *ecdsa.PrivateKey) []byte {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, by)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func (a *authority) write(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(a.dir, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// openssl runs openssl in the authority's folder.
func (a *authority) openssl(arguments ...string) ([]byte, error) {
	command := exec.Command("openssl", arguments...)
	command.Dir = a.dir
	return command.CombinedOutput()
}

// reply answers a question as openssl does.
func (a *authority) reply(query []byte) ([]byte, error) {
	n := a.asked.Add(1)
	question, answer := filepath.Join(a.dir, fmt.Sprintf("%d.tsq", n)), filepath.Join(a.dir, fmt.Sprintf("%d.tsr", n))
	if err := os.WriteFile(question, query, 0o600); err != nil {
		return nil, err
	}
	if out, err := a.openssl("ts", "-reply", "-config", "ts.cnf", "-section", "tsa", "-queryfile", question, "-out", answer); err != nil {
		return nil, fmt.Errorf("openssl ts -reply: %w\n%s", err, out)
	}
	return os.ReadFile(answer)
}

func (a *authority) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query, _ := io.ReadAll(r.Body)
	if r.Header.Get("Content-Type") != "application/timestamp-query" {
		http.Error(w, "not a time stamp query", http.StatusUnsupportedMediaType)
		return
	}
	reply, err := a.reply(query)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if a.spoil != nil {
		reply = a.spoil(reply)
	}
	w.Header().Set("Content-Type", "application/timestamp-reply")
	_, _ = w.Write(reply)
}

// stamp asks openssl for a time stamp of data.
func (a *authority) stamp(t testing.TB, data string, nonce *big.Int) []byte {
	t.Helper()
	query, err := anchor.NewTimestampQuery([]byte(data), nonce)
	if err != nil {
		t.Fatal(err)
	}
	reply, err := a.reply(query)
	if err != nil {
		t.Fatal(err)
	}
	return reply
}

// newStamped is a setting whose log is stamped, and not witnessed. It runs by
// the time of day, as openssl does.
func newStamped(t *testing.T, a *authority) *setting {
	t.Helper()
	s := newSetting(t, nil)
	s.clock.at, s.step, s.config.AuthorityEvery = time.Now(), 2*time.Second, time.Second
	s.config.Witnesses, s.config.Authorities = nil, []anchor.Authority{{URL: serve(t, a), Roots: a.roots}}
	return s
}

func TestTimestamp_OfACheckpointIsVerifiedByOpenSSL(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, certified{})
	s := newStamped(t, a)
	s.log.grow(t, 5)
	if err := s.once(t); err != nil {
		t.Fatal(err)
	}
	kept := s.store.last(t)
	if kept.Kind != anchor.Timestamp || kept.Size != 5 || time.Since(kept.At).Abs() > time.Minute {
		t.Errorf("kept %+v", kept)
	}
	data, reply := a.write(t, "checkpoint", kept.Signed), a.write(t, "kept.tsr", kept.Body)
	if out, err := a.openssl("ts", "-verify", "-data", data, "-in", reply, "-CAfile", "root.pem"); err != nil || !bytes.Contains(out, []byte("Verification: OK")) {
		t.Errorf("openssl does not verify what was kept: %v\n%s", err, out)
	}
	a.write(t, "checkpoint", append(kept.Signed, '\n'))
	if out, err := a.openssl("ts", "-verify", "-data", data, "-in", reply, "-CAfile", "root.pem"); err == nil {
		t.Errorf("openssl verifies it for another checkpoint:\n%s", out)
	}
}

func TestTimestamp_IsVerifiedWhateverTheKey(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]certified{
		"ecdsa": {}, "rsa": {rsa: true}, "sha384": {digest: "sha384"}, "rsa sha512": {rsa: true, digest: "sha512"}, "named by sha1": {ess: "sha1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAuthority(t, c)
			nonce := big.NewInt(77)
			stamp, err := anchor.VerifyTimestamp(a.stamp(t, "data", nonce), []byte("data"), nonce, a.roots)
			if err != nil {
				t.Fatal(err)
			}
			if time.Since(stamp.Time).Abs() > time.Minute || stamp.Accuracy != 1500100*time.Microsecond || stamp.Policy != "1.2.3.4.1" {
				t.Errorf("stamp %+v", stamp)
			}
		})
	}
}

func TestVerifyTimestamp_RefusesWhatIsNotOfTheQuestion(t *testing.T) {
	t.Parallel()
	a, other := newAuthority(t, certified{}), newAuthority(t, certified{})
	nonce := big.NewInt(77)
	reply := a.stamp(t, "data", nonce)
	for _, c := range []struct {
		name  string
		reply []byte
		data  string
		nonce *big.Int
		roots *x509.CertPool
		ok    bool
	}{
		{"right", reply, "data", nonce, a.roots, true},
		{"any nonce", reply, "data", nil, a.roots, true},
		{"other data", reply, "other", nonce, a.roots, false},
		{"other nonce", reply, "data", big.NewInt(78), a.roots, false},
		{"without a nonce", a.stamp(t, "data", nil), "data", nonce, a.roots, false},
		{"other root", reply, "data", nonce, other.roots, false},
		{"no roots", reply, "data", nonce, nil, false},
		{"something behind", append(bytes.Clone(reply), 0), "data", nonce, a.roots, false},
		{"nothing", nil, "data", nonce, a.roots, false},
		{"a page", []byte("<html>"), "data", nonce, a.roots, false},
	} {
		if _, err := anchor.VerifyTimestamp(c.reply, []byte(c.data), c.nonce, c.roots); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestVerifyTimestamp_RefusesCertificatesThatAreForSomethingElse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]certified{
		"expired": {expired: true},
	} {
		a := newAuthority(t, c)
		query, err := anchor.NewTimestampQuery([]byte("data"), nil)
		if err != nil {
			t.Fatal(err)
		}
		reply, err := a.reply(query)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := anchor.VerifyTimestamp(reply, []byte("data"), nil, a.roots); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	// openssl itself refuses to answer with such a certificate; so ours is asked
	// directly.
	for name, c := range map[string]certified{
		"for servers": {usage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}, "not critical": {uncritic: true},
		"for both": {usage: []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping, x509.ExtKeyUsageServerAuth}},
	} {
		a := newAuthority(t, c)
		text, err := os.ReadFile(filepath.Join(a.dir, "tsa.pem"))
		if err != nil {
			t.Fatal(err)
		}
		block, _ := pem.Decode(text)
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		if err := anchor.VerifyChain(certificate, nil, a.roots, time.Now()); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// Every byte of an answer is changed, one at a time: what is taken nevertheless
// says the same.
func TestVerifyTimestamp_SurvivesNoChangeThatMatters(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, certified{})
	reply := a.stamp(t, "data", big.NewInt(77))
	want, err := anchor.VerifyTimestamp(reply, []byte("data"), nil, a.roots)
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for at := range reply {
		for _, bit := range []byte{0x01, 0x80} {
			changed := bytes.Clone(reply)
			changed[at] ^= bit
			got, err := anchor.VerifyTimestamp(changed, []byte("data"), nil, a.roots)
			if err != nil {
				refused++
				continue
			}
			if !got.Time.Equal(want.Time) || got.Serial.Cmp(want.Serial) != 0 || got.Policy != want.Policy || got.Accuracy != want.Accuracy {
				t.Errorf("byte %d: taken as %+v", at, got)
			}
		}
	}
	if refused < len(reply) { // at least half of all changes
		t.Errorf("only %d of %d changes are refused", refused, 2*len(reply))
	}
}

func TestTimestamp_KeepsWhyThereIsNone(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, certified{})
	rejection := []byte{0x30, 0x09, 0x30, 0x07, 0x02, 0x01, 0x02, 0x03, 0x02, 0x05, 0x20} // rejection, badRequest
	for _, c := range []struct {
		name  string
		serve http.HandlerFunc
		want  anchor.Trouble
	}{
		{"rejected", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(rejection) }, anchor.Rejected},
		{"a page", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }, anchor.Unverified},
		{"an earlier answer", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(a.stamp(t, "data", nil)) }, anchor.Unverified},
		{"broken", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, anchor.Away},
		{"no such page", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) }, anchor.Unverified},
	} {
		s := newStamped(t, a)
		s.config.Authorities[0].URL = serve(t, c.serve)
		s.log.grow(t, 2)
		if err := s.once(t); err == nil || s.state(t).Trouble != c.want {
			t.Errorf("%s: %v, %+v", c.name, err, s.state(t))
		}
	}
}

func TestTimestamp_IsOfNow(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, certified{})
	s := newStamped(t, a)
	s.clock.at = s.clock.at.Add(time.Hour)
	s.log.grow(t, 2)
	if err := s.once(t); err == nil || s.state(t).Trouble != anchor.Unverified {
		t.Errorf("%v, %+v", err, s.state(t))
	}
}

// An authority stamps anything, so that we look ourselves whether the log goes
// on from what was stamped.
func TestTimestamp_IsNotAskedForALogThatWasRewritten(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, certified{})
	s := newStamped(t, a)
	s.log.grow(t, 10)
	if err := s.once(t); err != nil {
		t.Fatal(err)
	}
	fork := s.log.fork(t, 5)
	fork.add(t, "changed")
	fork.grow(t, 12)
	for _, length := range []int{8, 10, 12} {
		short := fork.fork(t, length)
		s.config.Log = short
		if err := s.once(t); err == nil || s.state(t).Trouble != anchor.Diverged {
			t.Errorf("%d entries: %v, %+v", length, err, s.state(t))
		}
	}
	if a.asked.Load() != 1 {
		t.Errorf("asked %d times", a.asked.Load())
	}
	s.log.grow(t, 12)
	s.config.Log = s.log
	if err := s.once(t); err != nil || s.state(t).Trouble != "" {
		t.Errorf("the right log: %v, %+v", err, s.state(t))
	}
}

func TestTrouble_SaysWhatToDo(t *testing.T) {
	t.Parallel()
	for _, trouble := range []anchor.Trouble{anchor.Away, anchor.Forbidden, anchor.Unknown, anchor.Diverged, anchor.Unverified, anchor.Rejected, anchor.LogAway} {
		if text := trouble.Text(); !strings.HasSuffix(text, "。") || text == anchor.Trouble("else").Text() {
			t.Errorf("%s: %q", trouble, text)
		}
	}
}

// Whatever an authority sends, what is taken as its time stamp is the one that
// it signed.
func FuzzVerifyTimestamp(f *testing.F) {
	a := newAuthority(f, certified{})
	reply := a.stamp(f, "data", nil)
	want, err := anchor.VerifyTimestamp(reply, []byte("data"), nil, a.roots)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(reply)
	f.Add(reply[:len(reply)/2])
	f.Fuzz(func(t *testing.T, changed []byte) {
		got, err := anchor.VerifyTimestamp(changed, []byte("data"), nil, a.roots)
		if err == nil && (!got.Time.Equal(want.Time) || got.Serial.Cmp(want.Serial) != 0) {
			t.Errorf("taken: %+v", got)
		}
	})
}
