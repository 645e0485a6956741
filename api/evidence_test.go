package api_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/evidence"
	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/policies"
)

// notary signs evidence with the first of its keys, and publishes all.
type notary struct {
	keys []*evidence.SigningKey
	fail error
}

func newNotary(t testing.TB, algorithms ...evidence.Algorithm) *notary {
	t.Helper()
	n := &notary{}
	for _, a := range algorithms {
		pkcs8, err := evidence.NewKey(a)
		if err != nil {
			t.Fatal(err)
		}
		key, err := evidence.ReadKey(pkcs8, at().Add(-time.Hour), time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		n.keys = append(n.keys, key)
	}
	return n
}

func (n *notary) SignEvidence(_ context.Context, s evidence.Statement) (string, error) {
	s.Issuer = issuer
	return n.keys[0].Sign(s)
}

func (n *notary) EvidenceKeys(context.Context) ([]evidence.JWK, error) {
	var out []evidence.JWK
	for _, k := range n.keys {
		out = append(out, k.Public().JWK())
	}
	return out, n.fail
}

// receipt is an item of the answer as an approval system reads it.
type receipt struct {
	Material, Party, Mode, Department, Dataset, Digest, Evidence, Proof string
	Withheld                                                            string
	Leaf                                                                []byte
	Entry                                                               struct {
		Kind, Resolution string
		Version          int
	}
}

type receipts struct {
	Resolution string
	Version    int
	Items      []receipt
}

// resolution opens a case, resolves it, and gives the resolution.
func (h *harness) resolution(number string) *exchange.Resolution {
	h.t.Helper()
	var r exchange.Resolution
	decode(h.t, h.call(ownSystem, http.MethodPost, "/v1/cases/"+h.open(number)+"/resolutions", ""), &r)
	return &r
}

// recorded marks the entries of a resolution as proven.
type recorded struct{ asked [][2]any }

func (p *recorded) ProveResolution(_ context.Context, resolution string, version int) ([]byte, string, error) {
	p.asked = append(p.asked, [2]any{resolution, version})
	return []byte(`{"entry":{}}`), "c2sp.org/tlog-proof@v1\n", nil
}

func TestEvidence_OfAResolutionIsSignedAndListed(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	p := &recorded{}
	h.config.Prover = p
	h.handler = h.newHandler(h.config)
	r := h.resolution("JN-1")
	w := h.call(ownSystem, http.MethodGet, "/v1/resolutions/"+r.ID+"/evidence", "")
	var got receipts
	decode(t, w, &got)
	keys, _ := h.notary.EvidenceKeys(t.Context())
	signed := 0
	for _, item := range got.Items {
		if item.Evidence == "" {
			continue
		}
		signed++
		v, err := evidence.Verify(item.Evidence, keys)
		if err != nil {
			t.Fatal(err)
		}
		if v.Issuer != issuer || v.Digest != item.Digest || v.Resolution != r.ID || !slices.Contains(v.Materials, item.Material) || v.Evidence.Department != item.Department {
			t.Errorf("%s: %+v", item.Material, v.Statement)
		}
		if string(item.Leaf) != `{"entry":{}}` || item.Proof != "c2sp.org/tlog-proof@v1\n" || item.Entry.Kind != "resolved" || item.Entry.Resolution != r.ID || item.Entry.Version != 1 {
			t.Errorf("%s: where it is recorded: %+v", item.Material, item)
		}
	}
	if w.Code != http.StatusOK || signed == 0 || got.Resolution != r.ID || got.Version != 1 || len(p.asked) != 1 {
		t.Errorf("%d: %d signed of %+v; proof asked for %v", w.Code, signed, got, p.asked)
	}
	if cache := w.Header().Get("Cache-Control"); cache != "no-store" {
		t.Errorf("Cache-Control %q", cache)
	}
}

func TestEvidence_OfOneMaterialOfOneParty(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	r := h.resolution("JN-1")
	for i := range r.Materials {
		m := &r.Materials[i]
		if m.Evidence == nil {
			continue
		}
		path := "/v1/resolutions/" + r.ID + "/evidence/" + m.Code
		var got receipts
		decode(t, h.call(ownSystem, http.MethodGet, path+"?party="+url.QueryEscape(m.Subject.Party), ""), &got)
		if len(got.Items) != len(m.Evidences()) || got.Items[0].Digest != m.Evidence.Digest || got.Items[0].Party != m.Subject.Party {
			t.Errorf("%s: %+v", m.Code, got)
		}
		wantProblem(t, h.call(ownSystem, http.MethodGet, path+"?party=nobody", ""), 404, "unknown-material")
		wantProblem(t, h.call(ownSystem, http.MethodGet, "/v1/resolutions/"+r.ID+"/evidence/S01.M1.zz", ""), 404, "unknown-material")
		return
	}
	t.Fatal("nothing is settled by a record")
}

// Somebody else's looks as what does not exist, to the letter but for its name.
func TestEvidence_OfAnotherDepartmentLooksUnknown(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	r := h.resolution("JN-1")
	for _, path := range []string{"/evidence", "/evidence/S01.M1.b", "/sheet", "/sheet.pdf"} {
		if path == "/sheet.pdf" {
			h.config.PDFFont = testFont(t)
			h.handler = h.newHandler(h.config)
		}
		accept := []string{"Accept", "*/*"}
		theirs := wantProblem(t, h.call(other, http.MethodGet, "/v1/resolutions/"+r.ID+path, "", accept...), 404, "unknown-resolution")
		none := wantProblem(t, h.call(other, http.MethodGet, "/v1/resolutions/nothing"+path, "", accept...), 404, "unknown-resolution")
		theirs.Instance, theirs.RequestID, none.Instance, none.RequestID = "", "", "", ""
		if diff := cmp.Diff(none, theirs); diff != "" {
			t.Errorf("%s tells that it exists (-none +theirs):\n%s", path, diff)
		}
	}
}

func TestEvidence_WithheldIsListedWithoutItsEnvelopeAndRefusedAlone(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	r := h.resolution("JN-1")
	h.memory.change(func(m *memory) { m.grants[0].State = policies.GrantTerminated })
	var got receipts
	decode(t, h.call(ownSystem, http.MethodGet, "/v1/resolutions/"+r.ID+"/evidence", ""), &got)
	withheld := 0
	for _, item := range got.Items {
		if item.Withheld == "" {
			continue
		}
		withheld++
		if item.Withheld != "grant_terminated" || item.Evidence != "" || item.Digest == "" {
			t.Errorf("%+v", item)
		}
		wantProblem(t, h.call(ownSystem, http.MethodGet, "/v1/resolutions/"+r.ID+"/evidence/"+item.Material+"?party="+item.Party, ""), 409, "evidence-withheld")
	}
	if withheld == 0 {
		t.Errorf("nothing is withheld: %+v", got)
	}
}

func TestTrust_PublishesTheKeysForAnybody(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.notary = newNotary(t, evidence.SM2, evidence.EdDSA, evidence.ES256)
	h.config.EvidenceKeys, h.config.CheckpointKeys = h.notary, logKeys{}
	h.handler = h.newHandler(h.config)
	w := h.send(request(http.MethodGet, "/v1/trust", ""))
	var got evidence.TrustDocument
	decode(t, w, &got)
	keys, _ := h.notary.EvidenceKeys(t.Context())
	want := evidence.TrustDocument{Issuer: issuer, Keys: keys, Checkpoint: []string{"mianti.example+1+AA"}, Witnesses: []string{"witness+2+AA"}}
	if diff := cmp.Diff(want, got); diff != "" || w.Code != http.StatusOK || w.Header().Get("Cache-Control") != "public, max-age=300" {
		t.Errorf("%d %v (-want +got):\n%s", w.Code, w.Header(), diff)
	}
	if strings.Contains(w.Body.String(), `"d"`) {
		t.Error("a private key is published")
	}
	h.notary.fail = errors.New("the database is away")
	wantProblem(t, h.send(request(http.MethodGet, "/v1/trust", "")), 503, "keys-unavailable")
}

type logKeys struct{}

func (logKeys) CheckpointKeys(context.Context) ([]string, []string, error) {
	return []string{"mianti.example+1+AA"}, []string{"witness+2+AA"}, nil
}

// The npm package jose knows nothing of us but the published keys.
func TestThirdParty_JoseVerifiesEvidence(t *testing.T) {
	t.Parallel()
	for _, a := range []evidence.Algorithm{evidence.ES256, evidence.EdDSA} {
		t.Run(string(a), func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			h.notary.keys = newNotary(t, a, evidence.ES256).keys
			token, digest := h.oneEvidence(t)
			parts := strings.Split(token, ".")
			payload, err := base64.RawURLEncoding.DecodeString(parts[1])
			if err != nil {
				t.Fatal(err)
			}
			forged := parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(payload), "S01", "S02", 1))) + "." + parts[2]
			input, err := json.Marshal(map[string]any{
				"keys": json.RawMessage(h.send(request(http.MethodGet, "/v1/trust", "")).Body.Bytes()), "evidence": token, "forged": forged,
			})
			if err != nil {
				t.Fatal(err)
			}
			var got map[string]any
			if err := json.Unmarshal(runNode(t, "testdata/jose", "verify.mjs", string(input)), &got); err != nil {
				t.Fatal(err)
			}
			want := map[string]any{"alg": string(a), "digest": digest, "stated": digest, "issuer": issuer, "forged": "ERR_JWS_SIGNATURE_VERIFICATION_FAILED"}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("what jose saw (-want +got):\n%s", diff)
			}
		})
	}
}

// oneEvidence is an envelope and its digest.
func (h *harness) oneEvidence(t *testing.T) (token, digest string) {
	t.Helper()
	var got receipts
	decode(t, h.call(ownSystem, http.MethodGet, "/v1/resolutions/"+h.resolution("JN-1").ID+"/evidence", ""), &got)
	for _, item := range got.Items {
		if item.Evidence != "" {
			return item.Evidence, item.Digest
		}
	}
	t.Fatal("nothing is settled by a record")
	return "", ""
}

// openssl verifies SM2 with SM3 by the published key, as docs/evidence.md shows.
func TestThirdParty_OpenSSLVerifiesSM2Evidence(t *testing.T) {
	t.Parallel()
	if out, err := exec.CommandContext(t.Context(), "openssl", "list", "-digest-algorithms").Output(); err != nil || !strings.Contains(strings.ToLower(string(out)), "sm3") {
		t.Fatalf("openssl with SM2 and SM3 is needed: run tools/install-test-tools.sh openssl, or install the Debian package openssl (3.0 or later): %v", err)
	}
	h := newHarness(t)
	h.notary.keys = newNotary(t, evidence.SM2).keys
	token, _ := h.oneEvidence(t)
	var trust evidence.TrustDocument
	decode(t, h.send(request(http.MethodGet, "/v1/trust", "")), &trust)
	dir, cut := t.TempDir(), strings.LastIndexByte(token, '.')
	raw := decoded(t, token[cut+1:])
	// SubjectPublicKeyInfo of a point on SM2's curve (GB/T 32918.5: OID
	// 1.2.156.10197.1.301), and the signature as openssl wants it: in ASN.1.
	spki := append([]byte{0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x82, 0x2d, 0x03, 0x42, 0x00, 0x04},
		append(decoded(t, trust.Keys[0].X), decoded(t, trust.Keys[0].Y)...)...)
	files := map[string][]byte{"key.der": spki, "signature.der": asn1Pair(raw[:32], raw[32:]), "signed": []byte(token[:cut]), "forged": []byte(token[:cut] + "A")}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	verify := func(signed string) string {
		command := exec.CommandContext(t.Context(), "openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "key.der", "-rawin", "-digest", "sm3",
			"-pkeyopt", "distid:1234567812345678", "-sigfile", "signature.der", "-in", signed)
		command.Dir = dir
		out, err := command.CombinedOutput()
		if err != nil {
			return strings.TrimSpace(string(out)) + " " + err.Error()
		}
		return strings.TrimSpace(string(out))
	}
	if got := verify("signed"); got != "Signature Verified Successfully" {
		t.Errorf("the envelope: %s", got)
	}
	if got := verify("forged"); !strings.Contains(got, "Failure") {
		t.Errorf("a forged one: %s", got)
	}
}

func decoded(t *testing.T, text string) []byte {
	t.Helper()
	out, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// asn1Pair is the ASN.1 of two positive numbers of 32 bytes at most.
func asn1Pair(r, s []byte) []byte {
	body := append(integer(r), integer(s)...)
	return append([]byte{0x30, byte(len(body))}, body...)
}

func integer(n []byte) []byte {
	for len(n) > 1 && n[0] == 0 {
		n = n[1:]
	}
	if n[0] >= 0x80 {
		n = append([]byte{0}, n...)
	}
	return append([]byte{2, byte(len(n))}, n...)
}

func TestEvidence_GivesNothingThatIsNotRecorded(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	r, token := h.resolution("JN-1"), "Bearer "+h.token(ownSystem)
	h.memory.change(func(m *memory) {
		m.journalFails = fault.New(fault.Unavailable, "database-unavailable", "数据库暂时不可用")
	})
	for _, path := range []string{"/evidence", "/sheet"} {
		w := h.send(request(http.MethodGet, "/v1/resolutions/"+r.ID+path, "", "Authorization", token))
		wantProblem(t, w, 503, "not-recorded")
	}
}
