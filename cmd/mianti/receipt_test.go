package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"mianti/evidence"
	"mianti/ledger"
	"mianti/store"
)

// archive is a folder of what an approval system keeps.
type archive struct {
	t   *testing.T
	dir string
}

func (a archive) keep(name string, content any) string {
	a.t.Helper()
	file := filepath.Join(a.dir, name)
	text, isText := content.([]byte)
	if !isText {
		var err error
		if text, err = json.Marshal(content); err != nil {
			a.t.Fatal(err)
		}
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		a.t.Fatal(err)
	}
	return file
}

// TestReceipt_IsCheckedOfflineAcrossARotation gets evidence over HTTP, rotates
// the key to SM2, gets it again, and checks both with the published keys alone.
func TestReceipt_IsCheckedOfflineAcrossARotation(t *testing.T) {
	dir := t.TempDir()
	database := "sqlite:" + filepath.Join(dir, "receipt.db")
	d, err := startDemo(t.Context(), database, "127.0.0.1:0", quiet())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	r := resolveNamed(t, d, "S01-own-premises.yaml")
	c, err := d.as(t.Context(), "SPJ")
	if err != nil {
		t.Fatal(err)
	}
	a := archive{t, dir}
	get := func(path string) map[string]any {
		t.Helper()
		var out map[string]any
		if err := c.call(t.Context(), http.MethodGet, path, nil, &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	path := "/v1/resolutions/" + r.ID + "/evidence"
	before, oldKeys := a.keep("before.json", get(path)), a.keep("old-keys.json", get("/v1/trust"))
	if said := mianti(t, 0, "receipt", "verify", before, "--keys", oldKeys); !strings.Contains(said, "ES256") || !strings.Contains(said, r.CaseNumber) || !strings.Contains(said, "现用") || !strings.Contains(said, "全部通过核对") {
		t.Errorf("before the rotation:\n%s", said)
	}
	list := mianti(t, 0, "key", "list", "--database="+database)
	if !strings.Contains(list, "evidence") || strings.Contains(list, "停用") {
		t.Errorf("keys:\n%s", list)
	}
	if said := mianti(t, 0, "key", "rotate", "evidence", "--evidence-alg=SM2", "--database="+database); !strings.Contains(said, "SM2") || !strings.Contains(said, "第 2 个") {
		t.Errorf("rotated: %s", said)
	}
	if list := mianti(t, 0, "key", "list", "--database="+database); !strings.Contains(list, "停用") || !strings.Contains(list, "SM2") || !strings.Contains(list, "ES256") {
		t.Errorf("keys after the rotation:\n%s", list)
	}
	whole := get(path)
	after, newKeys := a.keep("after.json", whole), a.keep("new-keys.json", get("/v1/trust"))
	if said := mianti(t, 0, "receipt", "verify", after, "--keys", newKeys); !strings.Contains(said, "SM2") || strings.Contains(said, "ES256") {
		t.Errorf("after the rotation:\n%s", said)
	}
	if said := mianti(t, 0, "receipt", "verify", before, "--keys", newKeys); !strings.Contains(said, "已停用，签发时在用") {
		t.Errorf("what the key signed before:\n%s", said)
	}
	if said := mianti(t, 1, "receipt", "verify", after, "--keys", oldKeys); !strings.Contains(said, "公钥不在公钥文件里") {
		t.Errorf("with the keys of before:\n%s", said)
	}
	a.refusesWhatIsWrong(whole, newKeys)
	wantRotationRecorded(t, database)
}

// refusesWhatIsWrong checks one receipt of an answer, and then spoiled ones.
func (a archive) refusesWhatIsWrong(whole map[string]any, keys string) {
	a.t.Helper()
	var one map[string]any
	items, _ := whole["items"].([]any)
	for _, item := range items {
		if item, ok := item.(map[string]any); ok && item["evidence"] != "" {
			one = item
		}
	}
	token, _ := one["evidence"].(string)
	parts := strings.Split(token, ".")
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		a.t.Fatal(err)
	}
	var statement evidence.Statement
	if err := json.Unmarshal(payload, &statement); err != nil {
		a.t.Fatal(err)
	}
	leaf := func(change func(*ledger.Entry)) []byte {
		e := ledger.Entry{Kind: ledger.Resolved, Case: statement.Case, Resolution: statement.Resolution, Version: statement.Version, Evidence: []string{statement.Digest}}
		change(&e)
		text, _ := json.Marshal(e)
		return ledger.Leaf{Entry: text}.Encode()
	}
	// A log of one leaf, and the keys with which its checkpoint is believed.
	signer, err := ledger.NewSigner("log.example", bytes.Repeat([]byte{7}, 32))
	if err != nil {
		a.t.Fatal(err)
	}
	listed := leaf(func(*ledger.Entry) {})
	checkpoint, err := signer.Sign(ledger.Tree{Size: 1, Root: tlog.RecordHash(listed)})
	if err != nil {
		a.t.Fatal(err)
	}
	proof := ledger.InclusionProof{Checkpoint: checkpoint.Note}.String()
	keys = a.withCheckpointKey(keys, signer.VKey())
	forged := parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(payload), statement.CaseNumber, "JN-T-9999", 1))) + "." + parts[2]
	for _, c := range []struct {
		name   string
		file   any
		status int
		says   string
	}{
		{"one receipt", one, 0, "1 份凭证全部通过核对"},
		{"an envelope alone", []byte(token + "\n"), 0, "未核对是否已写入存证"},
		{"with its entry", receiptFile{Evidence: token, Leaf: listed, Proof: proof}, 0, "已写入存证，包含证明成立"},
		{"with a proof that is none", receiptFile{Evidence: token, Leaf: listed, Proof: "p"}, 1, "存证证明不成立"},
		{"with the proof of another entry", receiptFile{Evidence: token, Leaf: leaf(func(e *ledger.Entry) { e.System = "another" }), Proof: proof}, 1, "存证证明不成立"},
		{"changed", []byte(forged), 1, "签名不成立"},
		{"another digest beside it", map[string]any{"evidence": token, "digest": "sha256:00"}, 1, "摘要不同"},
		{"the entry of another resolution", receiptFile{Evidence: token, Leaf: leaf(func(e *ledger.Entry) { e.Resolution = "r2" }), Proof: "p"}, 1, "不是这份凭据的核验结果"},
		{"the entry of another version", receiptFile{Evidence: token, Leaf: leaf(func(e *ledger.Entry) { e.Version++ }), Proof: "p"}, 1, "不是这份凭据的核验结果"},
		{"an entry of another kind", receiptFile{Evidence: token, Leaf: leaf(func(e *ledger.Entry) { e.Kind = ledger.Read }), Proof: "p"}, 1, "不是这份凭据的核验结果"},
		{"an entry that does not list it", receiptFile{Evidence: token, Leaf: leaf(func(e *ledger.Entry) { e.Evidence = nil }), Proof: "p"}, 1, "没有这份凭据的摘要"},
		{"a leaf that is no JSON", receiptFile{Evidence: token, Leaf: []byte("x"), Proof: "p"}, 1, "存证记录读不出来"},
		{"nothing", []byte("{}"), 1, "没有签名的凭据"},
		{"no JSON", []byte("{"), 1, "不是 JSON"},
		{"words", []byte("words"), 1, "不是签名的凭据"},
	} {
		file := a.keep("tried", c.file)
		if said := mianti(a.t, c.status, "receipt", "verify", file, "--keys", keys); !strings.Contains(said, c.says) {
			a.t.Errorf("%s: does not say %q:\n%s", c.name, c.says, said)
		}
	}
	if said := mianti(a.t, 1, "receipt", "verify", a.keep("tried", one), "--keys", a.keep("no-keys", []byte("{}"))); !strings.Contains(said, "没有验证公钥") {
		a.t.Errorf("without keys: %s", said)
	}
	other := evidence.TrustDocument{}
	text, err := os.ReadFile(keys)
	if err != nil {
		a.t.Fatal(err)
	}
	if err := json.Unmarshal(text, &other); err != nil {
		a.t.Fatal(err)
	}
	other.Issuer = "https://elsewhere.example"
	if said := mianti(a.t, 1, "receipt", "verify", a.keep("tried", one), "--keys", a.keep("other-keys", other)); !strings.Contains(said, "出具方") {
		a.t.Errorf("another issuer's: %s", said)
	}
}

func wantRotationRecorded(t *testing.T, database string) {
	t.Helper()
	db, err := store.Open(t.Context(), store.Config{URL: database, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	entries, err := db.Entries(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, e := range entries {
		if e.Kind == ledger.KeyRotated && e.Object == "key:evidence" && e.Person == ledger.Operator {
			found++
		}
	}
	if found != 1 {
		t.Errorf("%d entries of the rotation", found)
	}
}

// withCheckpointKey is a file of keys that believes one more log.
func (a archive) withCheckpointKey(file, vkey string) string {
	a.t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		a.t.Fatal(err)
	}
	var doc evidence.TrustDocument
	if err := json.Unmarshal(text, &doc); err != nil {
		a.t.Fatal(err)
	}
	if len(doc.Checkpoint) == 0 {
		a.t.Error("no key of the exchange's own log is published")
	}
	doc.Checkpoint = append(doc.Checkpoint, vkey)
	return a.keep("more-keys.json", doc)
}
