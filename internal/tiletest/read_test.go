package tiletest_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"mianti/internal/tiletest"
)

const origin = "mianti.example/ledger"

// hashes are the stored hashes of a log in memory.
type hashes []tlog.Hash

func (h hashes) ReadHashes(at []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(at))
	for i, n := range at {
		if n >= int64(len(h)) {
			return nil, errors.New("no such hash")
		}
		out[i] = h[n]
	}
	return out, nil
}

// writeLog writes a log of n entries as files, in the layout of the
// specification, by its words: tile/L/N[.p/W], tile/entries/N[.p/W].
func writeLog(t *testing.T, n int64, signer note.Signer) (dir string, entries [][]byte) {
	t.Helper()
	dir = t.TempDir()
	var stored hashes
	for i := range n {
		entry := fmt.Appendf(nil, `{"entry":{"case":"c%d"},"links":[]}`, i)
		more, err := tlog.StoredHashes(i, entry, stored)
		if err != nil {
			t.Fatal(err)
		}
		stored, entries = append(stored, more...), append(entries, entry)
	}
	for level, width := 0, n; width > 0; level, width = level+1, width>>8 {
		for first := int64(0); first < width; first += 256 {
			count := min(256, width-first)
			var tile []byte
			for i := first; i < first+count; i++ {
				hash, err := stored.ReadHashes([]int64{tlog.StoredHashIndex(8*level, i)})
				if err != nil {
					t.Fatal(err)
				}
				tile = append(tile, hash[0][:]...)
			}
			write(t, dir, fmt.Sprintf("tile/%d/%s", level, number(first/256, count)), tile)
		}
	}
	for first := int64(0); first < n; first += 256 {
		count := min(256, n-first)
		var bundle []byte
		for _, entry := range entries[first : first+count] {
			bundle = append(binary.BigEndian.AppendUint16(bundle, uint16(len(entry))), entry...)
		}
		write(t, dir, "tile/entries/"+number(first/256, count), bundle)
	}
	root, err := tlog.TreeHash(n, stored)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := note.Sign(&note.Note{Text: fmt.Sprintf("%s\n%d\n%s\n", origin, n, root)}, signer)
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "checkpoint", signed)
	return dir, entries
}

// number is the path of a tile of an index under 1 000 000.
func number(index, width int64) string {
	name := fmt.Sprintf("%03d", index%1000)
	if index >= 1000 {
		name = fmt.Sprintf("x%03d/%s", index/1000, name)
	}
	if width < 256 {
		name += fmt.Sprintf(".p/%d", width)
	}
	return name
}

func write(t *testing.T, dir, name string, data []byte) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func newKey(t *testing.T) (note.Signer, note.Verifier) {
	t.Helper()
	secret, public, err := note.GenerateKey(nil, origin)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := note.NewVerifier(public)
	if err != nil {
		t.Fatal(err)
	}
	return signer, verifier
}

func serve(t *testing.T, dir string) string {
	t.Helper()
	server := httptest.NewServer(http.FileServer(http.Dir(dir)))
	t.Cleanup(server.Close)
	return server.URL
}

func TestRead_ReadsEveryEntry(t *testing.T) {
	t.Parallel()
	signer, verifier := newKey(t)
	for _, n := range []int64{1, 255, 256, 257, 70000} {
		dir, entries := writeLog(t, n, signer)
		log, err := tiletest.Read(t.Context(), serve(t, dir), verifier, nil)
		if err != nil {
			t.Fatalf("%d entries: %v", n, err)
		}
		if log.Tree.N != n || log.Origin != origin || !slices.EqualFunc(log.Entries, entries, bytes.Equal) {
			t.Errorf("%d entries: read %d of %q", n, len(log.Entries), log.Origin)
		}
	}
}

func TestRead_NoticesEveryChange(t *testing.T) {
	t.Parallel()
	signer, verifier := newKey(t)
	_, stranger := newKey(t)
	for name, spoil := range map[string]func(t *testing.T, dir string) note.Verifier{
		"nothing":       func(*testing.T, string) note.Verifier { return verifier },
		"another key":   func(*testing.T, string) note.Verifier { return stranger },
		"an entry":      func(t *testing.T, dir string) note.Verifier { change(t, dir, "tile/entries/000", 9); return verifier },
		"a leaf's hash": func(t *testing.T, dir string) note.Verifier { change(t, dir, "tile/0/000", 33); return verifier },
		"a hash above":  func(t *testing.T, dir string) note.Verifier { change(t, dir, "tile/1/000.p/2", 0); return verifier },
		"the size": func(t *testing.T, dir string) note.Verifier {
			change(t, dir, "checkpoint", len(origin)+1)
			return verifier
		},
	} {
		dir, _ := writeLog(t, 600, signer)
		key := spoil(t, dir)
		if _, err := tiletest.Read(t.Context(), serve(t, dir), key, nil); (err == nil) != (name == "nothing") {
			t.Errorf("%s was changed: %v", name, err)
		}
	}
}

// change changes one byte of a file.
func change(t *testing.T, dir, name string, at int) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[at] ^= 1
	write(t, dir, name, data)
}
