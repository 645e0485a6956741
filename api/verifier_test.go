package api_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// receiptFile is a receipt as its file holds it.
type receiptFile struct {
	Evidence string `json:"evidence,omitempty"`
	Leaf     string `json:"leaf,omitempty"`
	Proof    string `json:"proof,omitempty"`
}

// receiptIssuer makes receipts as the exchange does, by other means.
type receiptIssuer struct {
	log       note.Signer
	logKey    string
	witness   ed25519.PrivateKey
	witnessID []byte
	keys      map[string]any // the keys document
}

const logName = "mianti.example/ledger"

func newReceiptIssuer(t *testing.T) *receiptIssuer {
	t.Helper()
	secret, public, err := note.GenerateKey(nil, logName)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	i := &receiptIssuer{log: signer, logKey: public}
	witness, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	typed := append([]byte{4}, witness...)
	sum := sha256.Sum256(append([]byte("witness.example/w1\n"), typed...))
	i.witness, i.witnessID = private, sum[:4]
	i.keys = map[string]any{
		"keys": []any{}, "checkpoint": []string{public},
		"witnesses": []string{"witness.example/w1+" + hex.EncodeToString(sum[:4]) + "+" + base64.StdEncoding.EncodeToString(typed)},
	}
	return i
}

// publish adds a public key to the keys document, and gives its id.
func (i *receiptIssuer) publish(t *testing.T, public any, algorithm string, more map[string]any) string {
	t.Helper()
	key := jose.JSONWebKey{Key: public, Algorithm: algorithm}
	thumb, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	key.KeyID = base64.RawURLEncoding.EncodeToString(thumb)
	var members map[string]any
	text, err := json.Marshal(key)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &members); err != nil {
		t.Fatal(err)
	}
	maps.Copy(members, more)
	i.keys["keys"] = append(i.keys["keys"].([]any), members)
	return key.KeyID
}

// issuedAt is when the evidences of the tests were signed.
func issuedAt() time.Time { return time.Date(2026, 11, 27, 3, 0, 0, 0, time.UTC) }

// evidence signs an evidence; its record is written in the canonical form.
func (i *receiptIssuer) evidence(t *testing.T, private any, algorithm jose.SignatureAlgorithm, kid, typ string) (token, digest string) {
	t.Helper()
	const record = `{"class":"government","dataset":"GA-001","department":"GA","fields":{"姓名":{"value":"某甲"},"数":{"value":1e+21},"面积":{"unavailable":"yes_no_only"}},"nonce":"n\u000f€","source":"ga"}`
	sum := sha256.Sum256([]byte(record))
	digest = "sha256:" + hex.EncodeToString(sum[:])
	// In the envelope the same record stands in another order and with blanks.
	payload := fmt.Sprintf(`{ "iss":"https://mianti.example","iat":%d,"name":"居民户口簿","case_number":"C-1","evidence":{"nonce":"n\u000f\u20ac", "source":"ga","fields":{"面积":{"unavailable":"yes_no_only"},"数":{"value":1E21},"姓名":{"value":"某甲"}},"department":"GA","dataset":"GA-001","class":"government"},"digest":%q}`, issuedAt().Unix(), digest)
	options := (&jose.SignerOptions{}).WithType(jose.ContentType(typ)).WithHeader("kid", kid)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: private}, options)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign([]byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	if token, err = signed.CompactSerialize(); err != nil {
		t.Fatal(err)
	}
	return token, digest
}

// storedHashes are those of a log in memory.
type storedHashes []tlog.Hash

func (h storedHashes) ReadHashes(at []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(at))
	for i, n := range at {
		if n >= int64(len(h)) {
			return nil, errors.New("no such hash")
		}
		out[i] = h[n]
	}
	return out, nil
}

// prove gives the leaf and the proof of an entry at a place in a log of a size.
func (i *receiptIssuer) prove(t *testing.T, digest string, index, size int64, witnessed bool) receiptFile {
	t.Helper()
	leafOf := func(n int64) []byte {
		return fmt.Appendf(nil, `{"index":%d,"entry":{"kind":"resolved","at":"2026-11-27T03:00:00Z","case":"c%d","evidence":[%q]},"links":[]}`, n, n, digest)
	}
	var stored storedHashes
	for n := range size {
		more, err := tlog.StoredHashes(n, leafOf(n), stored)
		if err != nil {
			t.Fatal(err)
		}
		stored = append(stored, more...)
	}
	root, err := tlog.TreeHash(size, stored)
	if err != nil {
		t.Fatal(err)
	}
	hashes, err := tlog.ProveRecord(size, index, stored)
	if err != nil {
		t.Fatal(err)
	}
	body := fmt.Sprintf("%s\n%d\n%s\n", logName, size, root)
	signed, err := note.Sign(&note.Note{Text: body}, i.log)
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("c2sp.org/tlog-proof@v1\nindex %d\n", index)
	for _, hash := range hashes {
		text += hash.String() + "\n"
	}
	text += "\n" + string(signed)
	if witnessed {
		sig := binary.BigEndian.AppendUint64(slices.Clone(i.witnessID), uint64(issuedAt().Unix()))
		sig = append(sig, ed25519.Sign(i.witness, fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", issuedAt().Unix(), body))...)
		text += "— witness.example/w1 " + base64.StdEncoding.EncodeToString(sig) + "\n"
	}
	return receiptFile{Leaf: base64.StdEncoding.EncodeToString(leafOf(index)), Proof: text}
}

// receiptCase is one file that the page verifies.
type receiptCase struct {
	Name    string `json:"name"`
	Receipt string `json:"receipt"`
	Keys    string `json:"keys"`

	state string // that is wanted
	step  string // and a step with its state
}

// found is what the page found of a receipt.
type found struct {
	State, Text, Meaning string
	Steps                []string
}

// verifyByPage runs the page's own module over receipts.
func verifyByPage(t *testing.T, cases []receiptCase) map[string][]found {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		t.Fatal("node is not installed: run tools/install-test-tools.sh node, or install the Debian package nodejs")
	}
	file := filepath.Join(t.TempDir(), "cases.json")
	if err := os.WriteFile(file, []byte(toJSON(t, cases)), 0o600); err != nil {
		t.Fatal(err)
	}
	module, err := filepath.Abs("verifier/receipt.mjs")
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "node", "testdata/verifier/run.mjs", module, file).CombinedOutput()
	if err != nil {
		t.Fatalf("node: %v\n%s", err, out)
	}
	var all map[string][]found
	if err := json.Unmarshal(out[strings.IndexByte(string(out), '{'):], &all); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return all
}

func toJSON(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// wantStates holds what the page found against what is wanted.
func wantStates(t *testing.T, cases []receiptCase) {
	t.Helper()
	all := verifyByPage(t, cases)
	for _, c := range cases {
		got := all[c.Name]
		if len(got) != 1 || got[0].State != c.state || c.step != "" && !slices.Contains(got[0].Steps, c.step) {
			t.Errorf("%s: got %+v, want %s with %s", c.Name, got, c.state, c.step)
		}
	}
}

func TestVerifier_VerifiesWhatTheExchangeIssues(t *testing.T) {
	t.Parallel()
	i := newReceiptIssuer(t)
	es256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public, edDSA, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	const typ = "mianti-evidence+jws"
	byES, digest := i.evidence(t, es256, jose.ES256, i.publish(t, &es256.PublicKey, "ES256", nil), typ)
	byEd, _ := i.evidence(t, edDSA, jose.EdDSA, i.publish(t, public, "EdDSA", nil), typ)
	keys := toJSON(t, i.keys)
	var cases []receiptCase
	add := func(name string, r receiptFile, keys, state, step string) {
		cases = append(cases, receiptCase{Name: name, Receipt: toJSON(t, r), Keys: keys, state: state, step: step})
	}
	whole := func(evidence string, index, size int64, witnessed bool) receiptFile {
		r := i.prove(t, digest, index, size, witnessed)
		r.Evidence = evidence
		return r
	}
	add("ES256", whole(byES, 3, 10, true), keys, "holds", "见证签名:holds")
	add("EdDSA", whole(byEd, 9, 10, false), keys, "holds", "见证签名:none")
	add("the ledger alone", whole("", 0, 1, true), keys, "holds", "凭据签名:none")
	add("not sealed yet", receiptFile{Evidence: byES}, keys, "open", "凭据签名:holds")
	// Every place in trees of every small size.
	for size := int64(1); size <= 17; size++ {
		for index := range size {
			add(fmt.Sprintf("%d of %d", index, size), whole("", index, size, false), keys, "holds", "存证在日志中:holds")
		}
	}
	wantStates(t, cases)
	answer := receiptCase{Name: "an answer of the API", Keys: keys, Receipt: `{"resolution":"r","items":[` + toJSON(t, whole(byES, 2, 5, true)) + `,{"evidence":"","material":"m"},` + toJSON(t, whole(byEd, 2, 5, true)) + `]}`}
	if got := verifyByPage(t, []receiptCase{answer})[answer.Name]; len(got) != 2 || got[0].State != "holds" || got[1].State != "holds" {
		t.Errorf("%+v", got)
	}
}

func TestVerifier_SaysThatABrowserKnowsNoSM2(t *testing.T) {
	t.Parallel()
	i := newReceiptIssuer(t)
	x := base64.RawURLEncoding.EncodeToString(make([]byte, 32))
	canonical := `{"crv":"SM2","kty":"EC","x":"` + x + `","y":"` + x + `"}`
	sum := sha256.Sum256([]byte(canonical))
	kid := base64.RawURLEncoding.EncodeToString(sum[:])
	i.keys["keys"] = []any{map[string]string{"kty": "EC", "crv": "SM2", "x": x, "y": x, "alg": "SM2", "kid": kid}}
	es256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	token, digest := i.evidence(t, es256, jose.ES256, kid, "mianti-evidence+jws")
	_, rest, _ := strings.Cut(token, ".")
	r := i.prove(t, digest, 1, 2, true)
	r.Evidence = base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"SM2","kid":"`+kid+`","typ":"mianti-evidence+jws"}`)) + "." + rest
	c := receiptCase{Name: "sm2", Receipt: toJSON(t, r), Keys: toJSON(t, i.keys), state: "open", step: "凭据签名:open"}
	wantStates(t, []receiptCase{c})
	if got := verifyByPage(t, []receiptCase{c})["sm2"]; !strings.Contains(got[0].Text, "SM2") || !strings.Contains(got[0].Text, "mianti receipt verify") {
		t.Errorf("%+v", got)
	}
}

func TestVerifier_FindsEveryPartThatWasChanged(t *testing.T) {
	t.Parallel()
	i := newReceiptIssuer(t)
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	kid := i.publish(t, &private.PublicKey, "ES256", map[string]any{"iat": issuedAt().Add(-time.Hour).Unix()})
	const typ = "mianti-evidence+jws"
	token, digest := i.evidence(t, private, jose.ES256, kid, typ)
	otherType, _ := i.evidence(t, private, jose.ES256, kid, "at+jwt")
	good := i.prove(t, digest, 5, 12, true)
	good.Evidence = token
	keys := toJSON(t, i.keys)
	parts := strings.Split(token, ".")
	lines := strings.Split(good.Proof, "\n")
	leaf, _ := base64.StdEncoding.DecodeString(good.Leaf)

	cases := []receiptCase{{Name: "as it is", Receipt: toJSON(t, good), Keys: keys, state: "holds"}}
	change := func(name, step string, do func(r *receiptFile)) {
		r := good
		do(&r)
		cases = append(cases, receiptCase{Name: name, Receipt: toJSON(t, r), Keys: keys, state: "fails", step: step})
	}
	change("the payload", "凭据签名:fails", func(r *receiptFile) {
		payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
		changed := strings.Replace(string(payload), "某甲", "某乙", 1)
		r.Evidence = parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(changed)) + "." + parts[2]
	})
	change("the payload, as the digest sees it", "凭据摘要:fails", func(r *receiptFile) {
		payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
		r.Evidence = parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(payload), "某甲", "某乙", 1))) + "." + parts[2]
	})
	change("the header says none", "凭据签名:fails", func(r *receiptFile) {
		r.Evidence = base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","kid":"`+kid+`","typ":"`+typ+`"}`)) + "." + parts[1] + "."
	})
	change("the header says EdDSA", "凭据签名:fails", func(r *receiptFile) {
		r.Evidence = base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"EdDSA","kid":"`+kid+`","typ":"`+typ+`"}`)) + "." + parts[1] + "." + parts[2]
	})
	change("no signature", "凭据签名:fails", func(r *receiptFile) { r.Evidence = parts[0] + "." + parts[1] + "." })
	change("two parts", "凭据签名:fails", func(r *receiptFile) { r.Evidence = parts[0] + "." + parts[1] })
	change("another kind of signed thing", "凭据签名:fails", func(r *receiptFile) { r.Evidence = otherType })
	change("the entry", "存证在日志中:fails", func(r *receiptFile) {
		r.Leaf = base64.StdEncoding.EncodeToString([]byte(strings.Replace(string(leaf), `"c5"`, `"c6"`, 1)))
	})
	change("the entry of another place", "存证格式:fails", func(r *receiptFile) { r.Leaf = i.prove(t, digest, 4, 12, true).Leaf })
	change("an entry of another evidence", "凭据记入存证:fails", func(r *receiptFile) {
		other := i.prove(t, "sha256:"+strings.Repeat("0", 64), 5, 12, true)
		r.Leaf, r.Proof = other.Leaf, other.Proof
	})
	change("a proof without an entry", "存证格式:fails", func(r *receiptFile) { r.Leaf = "" })
	change("an entry without a proof", "存证格式:fails", func(r *receiptFile) { r.Proof = "" })
	// Each line of the proof: the header, the index, each hash, the three lines of
	// the checkpoint, each signature.
	for n, line := range lines {
		if line == "" {
			continue
		}
		change(fmt.Sprintf("line %d of the proof", n), "", func(r *receiptFile) {
			changed := []byte(line)
			at := len(line) / 2
			if changed[at] == '1' {
				changed[at] = '2'
			} else {
				changed[at] = '1'
			}
			r.Proof = strings.Join(slices.Concat(lines[:n], []string{string(changed)}, lines[n+1:]), "\n")
		})
		change(fmt.Sprintf("without line %d of the proof", n), "", func(r *receiptFile) {
			r.Proof = strings.Join(slices.Concat(lines[:n], lines[n+1:]), "\n")
		})
	}
	wantTampered(t, cases)
}

// wantTampered wants all but the first to fail. A witness's line may be missing:
// that is said, and no fault.
func wantTampered(t *testing.T, cases []receiptCase) {
	t.Helper()
	for n := range cases {
		if strings.Contains(cases[n].Name, "without line") && !strings.Contains(cases[n].Receipt, "witness.example") {
			cases[n].state, cases[n].step = "holds", "见证签名:none"
		}
	}
	wantStates(t, cases)
}

func TestVerifier_BelievesNoKeyThatIsNotPublished(t *testing.T) {
	t.Parallel()
	i, stranger := newReceiptIssuer(t), newReceiptIssuer(t)
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	kid := i.publish(t, &private.PublicKey, "ES256", nil)
	token, digest := i.evidence(t, private, jose.ES256, kid, "mianti-evidence+jws")
	good := i.prove(t, digest, 5, 12, true)
	good.Evidence = token
	receipt := toJSON(t, good)
	with := func(change func(keys map[string]any)) string {
		keys := maps.Clone(i.keys)
		change(keys)
		return toJSON(t, keys)
	}
	key := i.keys["keys"].([]any)[0].(map[string]any)
	keyWith := func(name string, value any) string {
		changed := maps.Clone(key)
		changed[name] = value
		return with(func(k map[string]any) { k["keys"] = []any{changed} })
	}
	wantStates(t, []receiptCase{
		{"as it is", receipt, toJSON(t, i.keys), "holds", ""},
		{"another log's key", receipt, with(func(k map[string]any) { k["checkpoint"] = stranger.keys["checkpoint"] }), "fails", "检查点签名:fails"},
		{"no log's key", receipt, with(func(k map[string]any) { k["checkpoint"] = []string{} }), "fails", "检查点签名:fails"},
		{"a witness as the log", receipt, with(func(k map[string]any) { k["checkpoint"] = k["witnesses"] }), "fails", "检查点签名:fails"},
		{"another witness of that name", receipt, with(func(k map[string]any) { k["witnesses"] = stranger.keys["witnesses"] }), "holds", "见证签名:none"},
		{"no evidence key", receipt, with(func(k map[string]any) { k["keys"] = []any{} }), "fails", "凭据签名:fails"},
		{"another key under its id", receipt, keyWith("x", base64.RawURLEncoding.EncodeToString(make([]byte, 32))), "fails", "凭据签名:fails"},
		{"a key that came later", receipt, keyWith("iat", issuedAt().Add(time.Hour).Unix()), "fails", "凭据签名:fails"},
		{"a key that had ended", receipt, keyWith("exp", issuedAt().Add(-time.Hour).Unix()), "fails", "凭据签名:fails"},
		{"a key that ended later", receipt, keyWith("exp", issuedAt().Add(time.Hour).Unix()), "holds", ""},
		{"no keys document", receipt, `{}`, "refused", ""},
		{"keys that are no JSON", receipt, `<html>`, "refused", ""},
		{"a receipt that is no JSON", `<html>`, toJSON(t, i.keys), "refused", ""},
		{"a file of something else", `{"a":1}`, toJSON(t, i.keys), "refused", ""},
		{"an empty list", `[]`, toJSON(t, i.keys), "refused", ""},
	})
}

// The page is whole by itself: it names nothing of another site, and its policy
// allows nothing else.
func TestVerifier_IsServedWholeAndAlone(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	page := h.send(request(http.MethodGet, "/verify", ""))
	policy := page.Header().Get("Content-Security-Policy")
	if page.Code != http.StatusOK || strings.Contains(policy, "unsafe") || !strings.Contains(policy, "default-src 'none'") {
		t.Fatalf("%d %s", page.Code, policy)
	}
	if !strings.Contains(page.Body.String(), "不会上传") {
		t.Error("the page does not say that nothing is sent")
	}
	files := []string{"/verify/encoding.mjs", "/verify/receipt.mjs"} // imported by the script
	for _, m := range regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(page.Body.String(), -1) {
		if m[1] != "data:," {
			files = append(files, m[1])
		}
	}
	if len(files) != 4 {
		t.Errorf("files %v", files)
	}
	elsewhere := regexp.MustCompile(`(?i)https?://|\bstyle=|\bon[a-z]+=|innerHTML|eval\(`)
	for _, file := range append(files, "/verify") {
		w := h.send(request(http.MethodGet, file, ""))
		if w.Code != http.StatusOK || w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d", file, w.Code)
		}
		if strings.HasSuffix(file, ".mjs") && !strings.HasPrefix(w.Header().Get("Content-Type"), "text/javascript") {
			t.Errorf("%s: %s", file, w.Header().Get("Content-Type"))
		}
		if at := elsewhere.FindString(w.Body.String()); at != "" {
			t.Errorf("%s holds %q", file, at)
		}
	}
}
