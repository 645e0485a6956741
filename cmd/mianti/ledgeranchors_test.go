package main

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"mianti/catalog"
	"mianti/internal/tiletest"
	"mianti/ledger"
	"mianti/ledger/anchor"
	"mianti/ledger/anchor/testwitness"
	"mianti/store"
)

// sealed is a ledger in a database of its own, that is sealed when a test says.
type sealed struct {
	url    string
	db     *store.Store
	signer *ledger.Signer
}

func newSealed(t *testing.T, seed byte) *sealed {
	t.Helper()
	url := "sqlite:" + filepath.Join(t.TempDir(), "mianti.db")
	if err := store.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), store.Config{URL: url, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	signer, err := ledger.NewSigner("mianti.example/log", bytes.Repeat([]byte{seed}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return &sealed{url: url, db: db, signer: signer}
}

// add records entries and seals them.
func (s *sealed) add(t *testing.T, of string, n int) {
	t.Helper()
	entries := make([]ledger.Entry, n)
	for i := range entries {
		entries[i] = ledger.Entry{Kind: ledger.SignedIn, At: time.Now(), Department: "SPJ", Object: fmt.Sprintf("%s:%d", of, i)}
	}
	if err := s.db.Append(t.Context(), entries); err != nil {
		t.Fatal(err)
	}
	if _, err := store.NewLog(s.db).Seal(t.Context(), s.signer, store.SealBatch); err != nil {
		t.Fatal(err)
	}
}

func (s *sealed) verifier(t *testing.T) note.Verifier {
	t.Helper()
	v, err := note.NewVerifier(s.signer.VKey())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// anchorTo gives the settings for a witness that knows the log.
func (s *sealed) anchorTo(t *testing.T) (anchorSettings, *testwitness.Witness) {
	t.Helper()
	w := testwitness.New("witness.example/w1", ed25519.NewKeyFromSeed(bytes.Repeat([]byte{9}, 32)), time.Now, s.verifier(t))
	server := httptest.NewServer(w)
	t.Cleanup(server.Close)
	return anchorSettings{Witnesses: []string{w.Key().String() + "=" + server.URL}, AnchorNetwork: catalog.NetworkLocal, WitnessEvery: time.Second}, w
}

func (s *sealed) once(t *testing.T, settings anchorSettings) error {
	t.Helper()
	worker, err := settings.newAnchors(s.db, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return worker.Once(t.Context())
}

// show runs `mianti ledger anchors`.
func (s *sealed) show(t *testing.T, settings anchorSettings) (int, string) {
	t.Helper()
	var out bytes.Buffer
	status := run(t.Context(), []string{"ledger", "anchors", "--database", s.url, "--witnesses", settings.Witnesses[0], "--anchor-network", "local"}, &out, &out)
	return status, out.String()
}

func TestLedgerAnchors_ShowsTheGapAndARewrittenLog(t *testing.T) {
	t.Parallel()
	s := newSealed(t, 1)
	settings, w := s.anchorTo(t)
	if status, out := s.show(t, settings); status != 0 || !strings.Contains(out, "尚未锚定") {
		t.Errorf("at first: %d\n%s", status, out)
	}
	if err := s.once(t, settings); err != nil {
		t.Errorf("before the first checkpoint: %v", err)
	}
	s.add(t, "a", 5)
	if err := s.once(t, settings); err != nil {
		t.Fatal(err)
	}
	s.add(t, "b", 295)
	if status, out := s.show(t, settings); status != 0 || !strings.Contains(out, "存证 300 条") || !strings.Contains(out, "正常") || !strings.Contains(out, "295") {
		t.Errorf("behind: %d\n%s", status, out)
	}
	settings.WitnessEvery = time.Hour // the clock is the machine's: another replica's turn
	if err := s.once(t, settings); err != nil || w.Size("mianti.example/log") != 5 {
		t.Errorf("out of turn: %v, %d", err, w.Size("mianti.example/log"))
	}

	// The same key, another history.
	forked := newSealed(t, 1)
	forked.add(t, "c", 300)
	if err := forked.once(t, settings); err == nil {
		t.Error("the fork was cosigned")
	}
	if status, out := forked.show(t, settings); status != 1 || !strings.Contains(out, "不相承接") {
		t.Errorf("forked: %d\n%s", status, out)
	}
}

// The proofs that our log gives are those which a witness wants.
func TestAnchoredLog_ProvesThatItGrew(t *testing.T) {
	t.Parallel()
	s := newSealed(t, 2)
	settings, w := s.anchorTo(t)
	for i, n := range []int{1, 1, 5, 250, 300} {
		s.add(t, fmt.Sprint(n), n)
		worker, err := settings.newAnchors(s.db, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		worker.Now = func() time.Time { return time.Now().Add(time.Duration(i) * 10 * time.Second) } // its turn has come again
		if err := worker.Once(t.Context()); err != nil {
			t.Fatalf("%d more: %v", n, err)
		}
	}
	if got := w.Size("mianti.example/log"); got != 557 {
		t.Errorf("the witness knows %d entries", got)
	}
	cp, err := s.db.Cosigned(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := note.Open(cp.Signed, note.VerifierList(s.verifier(t), w.Key())); err != nil || cp.Size != 557 {
		t.Errorf("%d: %v", cp.Size, err)
	}
}

func TestLog_IsReadByAnothersClient(t *testing.T) {
	t.Parallel()
	s := newSealed(t, 3)
	s.add(t, "a", 300)
	log := store.NewLog(s.db)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/checkpoint" {
			c, err := log.Checkpoint(r.Context())
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
			}
			_, _ = w.Write([]byte(c.Note))
			return
		}
		tile, err := ledger.ParseTilePath(strings.TrimPrefix(r.URL.Path, "/"))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		data, err := log.Tile(r.Context(), tile)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(data)
	}))
	t.Cleanup(server.Close)
	read, err := tiletest.Read(t.Context(), server.URL, s.verifier(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(read.Entries) != 300 || read.Origin != "mianti.example/log" {
		t.Fatalf("%d entries of %q", len(read.Entries), read.Origin)
	}
	for i, entry := range read.Entries {
		leaf, err := ledger.ParseLeaf(entry)
		if err != nil || leaf.Index != int64(i) || !strings.Contains(string(leaf.Entry), fmt.Sprintf(`"a:%d"`, i)) {
			t.Fatalf("entry %d: %s, %v", i, entry, err)
		}
	}
}

func TestAnchorSettings_AreReadTogether(t *testing.T) {
	t.Parallel()
	key := anchor.NewWitnessKey("w.example", make([]byte, 32)).String()
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	list := file("witnesses", "# ours\n\n"+key+"=https://w.example/a?b=c\n"+key+"=https://w.example/\n")
	public := catalog.NetworkPublic
	for _, c := range []struct {
		name     string
		settings anchorSettings
		want     string // part of the error; "" for none
	}{
		{"nothing", anchorSettings{AnchorNetwork: public}, ""},
		{"a witness", anchorSettings{AnchorNetwork: public, Witnesses: []string{key + "=https://w.example"}}, ""},
		{"a file", anchorSettings{AnchorNetwork: public, Witnesses: []string{"file:" + list}}, ""},
		{"no such file", anchorSettings{AnchorNetwork: public, Witnesses: []string{"file:" + list + "x"}}, "MIANTI_WITNESSES"},
		{"no address", anchorSettings{AnchorNetwork: public, Witnesses: []string{key}}, "VKEY=URL"},
		{"no key", anchorSettings{AnchorNetwork: public, Witnesses: []string{"w=https://w.example"}}, "MIANTI_WITNESSES"},
		{"outside", anchorSettings{AnchorNetwork: public, Witnesses: []string{key + "=http://127.0.0.1:1"}}, "outside"},
		{"no roots", anchorSettings{AnchorNetwork: public, TSAURL: "https://tsa.example"}, "MIANTI_TSA_ROOTS_FILE"},
		{"empty roots", anchorSettings{AnchorNetwork: public, TSAURL: "https://tsa.example", TSARootsFile: list}, "no certificate"},
		{"a bad address", anchorSettings{AnchorNetwork: public, TSAURL: "tsa.example", TSARootsFile: list}, "MIANTI_TSA_URL"},
	} {
		err := c.settings.check()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	got, err := (&anchorSettings{AnchorNetwork: public, Witnesses: []string{"file:" + list}}).witnesses()
	if err != nil || len(got) != 2 || got[0].URL.String() != "https://w.example/a?b=c" {
		t.Errorf("%v, %v", got, err)
	}
}
