package ledger_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"mianti/ledger"
)

const origin = "mianti.example/log"

func signer(t testing.TB, seed byte) *ledger.Signer {
	t.Helper()
	s, err := ledger.NewSigner(origin, bytes.Repeat([]byte{seed}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func keysOf(t testing.TB, signers ...*ledger.Signer) ledger.Keys {
	t.Helper()
	var vkeys []string
	for _, s := range signers {
		vkeys = append(vkeys, s.VKey())
	}
	keys, err := ledger.ParseKeys(vkeys)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func leafAt(i int) ledger.Leaf {
	return ledger.Leaf{Index: int64(i), Entry: fmt.Appendf(nil, `{"kind":"intent","at":"2026-11-23T09:00:00Z","case":"c%d"}`, i), Links: []string{fmt.Sprintf("%064x", i)}}
}

// treeHash is RFC 6962 §2.1, as it is written there.
func treeHash(leaves [][]byte) ledger.Hash {
	switch len(leaves) {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return sha256.Sum256(append([]byte{0}, leaves[0]...))
	}
	split := 1
	for split*2 < len(leaves) {
		split *= 2
	}
	left, right := treeHash(leaves[:split]), treeHash(leaves[split:])
	return sha256.Sum256(append(append([]byte{1}, left[:]...), right[:]...))
}

// folder is a log of tiles in memory, written by another way than the exchange
// writes it: each tile from its leaves.
type folder map[string][]byte

func newFolder(t testing.TB, by *ledger.Signer, size int) folder {
	t.Helper()
	leaves := make([][]byte, size)
	for i := range leaves {
		leaves[i] = leafAt(i).Encode()
	}
	f := folder{}
	for level, span := 0, 1; span <= size; level, span = level+1, span*256 {
		for n := 0; n*256*span+span <= size; n++ {
			var tile, bundle []byte
			width := 0
			for ; width < 256 && (n*256+width+1)*span <= size; width++ {
				from := (n*256 + width) * span
				h := treeHash(leaves[from : from+span])
				tile = append(tile, h[:]...)
				if level == 0 {
					bundle = append(bundle, byte(len(leaves[from])>>8), byte(len(leaves[from])))
					bundle = append(bundle, leaves[from]...)
				}
			}
			name := fmt.Sprintf("%03d", n) // none of these tests has a thousand
			if width < 256 {
				name += fmt.Sprintf(".p/%d", width)
			}
			f[fmt.Sprintf("tile/%d/%s", level, name)] = tile
			if level == 0 {
				f["tile/entries/"+name] = bundle
			}
		}
	}
	c, err := by.Sign(ledger.Tree{Size: int64(size), Root: treeHash(leaves)})
	if err != nil {
		t.Fatal(err)
	}
	f["checkpoint"] = []byte(c.Note)
	return f
}

func (f folder) fetch(_ context.Context, path string) ([]byte, error) {
	content, there := f[path]
	if !there {
		return nil, fmt.Errorf("%s: %w", path, fs.ErrNotExist)
	}
	return content, nil
}

func (f folder) log() ledger.TileLog { return ledger.TileLog{Fetch: f.fetch} }

func (f folder) checkpoint(t testing.TB) ledger.Checkpoint {
	t.Helper()
	c, err := ledger.ReadCheckpoint(string(f["checkpoint"]))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// sizes are those at which something is different: nothing, one, two, a tile that
// is full, two levels.
func sizes() []int { return []int{0, 1, 2, 3, 7, 8, 255, 256, 257, 511, 512, 700} }

func TestFrontier_HasTheHashOfRFC6962(t *testing.T) {
	t.Parallel()
	var f ledger.Frontier
	var leaves [][]byte
	for i := range 300 {
		if got, want := f.Root(), treeHash(leaves); got != want || f.Size() != int64(i) {
			t.Fatalf("the root of %d leaves is %s, want %s", i, got, want)
		}
		leaf := leafAt(i)
		leaves = append(leaves, leaf.Encode())
		f.Append(leaf.Hash(), func(n ledger.Node) {
			from := n.Index << n.Level
			if want := treeHash(leaves[from : from+1<<n.Level]); n.Hash != want {
				t.Fatalf("the subtree %d of height %d is %s, want %s", n.Index, n.Level, n.Hash, want)
			}
		})
	}
}

func TestFrontier_GoesOnFromWhatIsStored(t *testing.T) {
	t.Parallel()
	by := signer(t, 1)
	for _, size := range sizes() {
		f := newFolder(t, by, size)
		loaded, err := ledger.LoadFrontier(t.Context(), f.log(), f.checkpoint(t).Tree)
		if err != nil {
			t.Fatalf("%d: %v", size, err)
		}
		loaded.Append(leafAt(size).Hash(), func(ledger.Node) {})
		if want := newFolder(t, by, size+1).checkpoint(t); loaded.Root() != want.Root || loaded.Size() != want.Size {
			t.Errorf("%d and one: %s, want %s", size, loaded.Root(), want.Root)
		}
		if size == 0 {
			continue
		}
		for path, tile := range f { // its last hash is at the right edge, whatever the level
			if strings.HasPrefix(path, "tile/") && !strings.Contains(path, "entries") && strings.Contains(path, ".p/") {
				tile[len(tile)-1] ^= 1
				if _, err := ledger.LoadFrontier(t.Context(), f.log(), f.checkpoint(t).Tree); err == nil {
					t.Errorf("%d: %s was changed, and is gone on with", size, path)
				}
				tile[len(tile)-1] ^= 1
			}
		}
	}
}

func TestProofs_HoldForEveryLeafAndFailForEveryOther(t *testing.T) {
	t.Parallel()
	by := signer(t, 1)
	keys := keysOf(t, by)
	for _, size := range sizes() {
		f := newFolder(t, by, size)
		c := f.checkpoint(t)
		for index := range size {
			proof, err := ledger.ProveInclusion(t.Context(), f.log(), c, int64(index))
			if err != nil {
				t.Fatalf("%d of %d: %v", index, size, err)
			}
			read, err := ledger.ParseProof(proof.String())
			if err != nil || read.String() != proof.String() {
				t.Fatalf("%d of %d: read back %v, %v", index, size, read, err)
			}
			if _, err := read.Check(leafAt(index).Hash(), keys); err != nil {
				t.Errorf("%d of %d: %v", index, size, err)
			}
			if _, err := read.Check(leafAt(index+1).Hash(), keys); err == nil {
				t.Errorf("%d of %d: another leaf is proved", index, size)
			}
		}
		if _, err := ledger.ProveInclusion(t.Context(), f.log(), c, int64(size)); err == nil {
			t.Errorf("%d of %d is proved", size, size)
		}
	}
}

func TestConsistency_HoldsForEveryEarlierSize(t *testing.T) {
	t.Parallel()
	by := signer(t, 1)
	newest := newFolder(t, by, 700)
	for _, size := range sizes() {
		older, newer := newFolder(t, by, size).checkpoint(t), newest.checkpoint(t)
		hashes, err := ledger.ProveConsistency(t.Context(), newest.log(), newer, older.Size)
		if err != nil {
			t.Fatalf("from %d: %v", size, err)
		}
		if err := ledger.CheckConsistency(older.Tree, newer.Tree, hashes); err != nil {
			t.Errorf("from %d: %v", size, err)
		}
		other := older.Tree
		other.Root[0] ^= 1
		if err := ledger.CheckConsistency(other, newer.Tree, hashes); err == nil {
			t.Errorf("from %d: another history has only grown", size)
		}
		if size < 700 {
			if err := ledger.CheckConsistency(newer.Tree, older.Tree, nil); err == nil {
				t.Errorf("a log of %d is a longer one that has grown", size)
			}
		}
	}
}

func TestCheckpoint_IsBelievedUnderItsOwnKeyAlone(t *testing.T) {
	t.Parallel()
	first, second := signer(t, 1), signer(t, 2)
	c := newFolder(t, first, 3).checkpoint(t)
	verifier, err := note.NewVerifier(first.VKey()) // a reader of notes that is not ours
	if err != nil {
		t.Fatal(err)
	}
	if opened, err := note.Open([]byte(c.Note), note.VerifierList(verifier)); err != nil || opened.Text != fmt.Sprintf("%s\n3\n%s\n", origin, c.Root) {
		t.Errorf("%v, %v", opened, err)
	}
	if got, err := keysOf(t, second, first).Open(c.Note); err != nil || got != c { // after a rotation
		t.Errorf("%+v, %v; want %+v", got, err, c)
	}
	otherLog, err := ledger.NewSigner("other.example/log", bytes.Repeat([]byte{3}, 32))
	if err != nil {
		t.Fatal(err)
	}
	skey, vkey, err := note.GenerateKey(strings.NewReader(strings.Repeat("k", 64)), "witness.example")
	if err != nil {
		t.Fatal(err)
	}
	witness, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	byWitness, err := note.Sign(&note.Note{Text: fmt.Sprintf("%s\n3\n%s\n", origin, c.Root)}, witness)
	if err != nil {
		t.Fatal(err)
	}
	onlyWitness, err := ledger.ParseKeys([]string{vkey})
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		keys ledger.Keys
		note string
	}{
		"another key":           {keysOf(t, second), c.Note},
		"another log's key":     {keysOf(t, otherLog), c.Note},
		"no key":                {ledger.Keys{}, c.Note},
		"another size":          {keysOf(t, first), strings.Replace(c.Note, "\n3\n", "\n4\n", 1)},
		"a witness alone":       {onlyWitness, string(byWitness)},
		"no signature":          {keysOf(t, first), strings.Split(c.Note, "\n\n")[0] + "\n\n"},
		"nothing":               {keysOf(t, first), ""},
		"a size that is no one": {keysOf(t, first), strings.Replace(c.Note, "\n3\n", "\n03\n", 1)},
	} {
		if _, err := tt.keys.Open(tt.note); err == nil {
			t.Errorf("%s: it is believed", name)
		}
	}
	if !c.SignedBy(first) || c.SignedBy(second) {
		t.Error("it does not know its signer")
	}
}

func TestNewSigner_RefusesWhatCannotNameALog(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "a b", "a+b"} {
		if _, err := ledger.NewSigner(name, make([]byte, 32)); err == nil {
			t.Errorf("%q names a log", name)
		}
	}
	if _, err := ledger.NewSigner(origin, make([]byte, 31)); err == nil {
		t.Error("31 bytes are a key")
	}
}

func TestReceipt_IsVerifiedWithoutTheLog(t *testing.T) {
	t.Parallel()
	by := signer(t, 1)
	keys := keysOf(t, by)
	f := newFolder(t, by, 300)
	proof, err := ledger.ProveInclusion(t.Context(), f.log(), f.checkpoint(t), 42)
	if err != nil {
		t.Fatal(err)
	}
	good := ledger.NewReceipt(leafAt(42), proof)
	got, err := ledger.VerifyReceipt(good, keys)
	if err != nil || got.Entry.Case != "c42" || got.Leaf.Index != 42 || got.Checkpoint.Size != 300 {
		t.Fatalf("%+v, %v", got, err)
	}
	base := base64.StdEncoding
	moved := leafAt(42)
	moved.Index = 43
	for name, r := range map[string]ledger.Receipt{
		"another leaf":     {Leaf: base.EncodeToString(leafAt(41).Encode()), Proof: good.Proof},
		"the leaf moved":   {Leaf: base.EncodeToString(moved.Encode()), Proof: good.Proof},
		"a space more":     {Leaf: base.EncodeToString(append(leafAt(42).Encode(), ' ')), Proof: good.Proof},
		"no base64":        {Leaf: "%", Proof: good.Proof},
		"no leaf":          {Leaf: base.EncodeToString([]byte("{}")), Proof: good.Proof},
		"another index":    {Leaf: good.Leaf, Proof: strings.Replace(good.Proof, "index 42", "index 43", 1)},
		"a hash less":      {Leaf: good.Leaf, Proof: strings.Replace(good.Proof, proof.Hashes[0].String()+"\n", "", 1)},
		"another size":     {Leaf: good.Leaf, Proof: strings.Replace(good.Proof, "\n300\n", "\n301\n", 1)},
		"no header":        {Leaf: good.Leaf, Proof: strings.TrimPrefix(good.Proof, "c2sp.org/")},
		"index of letters": {Leaf: good.Leaf, Proof: strings.Replace(good.Proof, "index 42", "index +42", 1)},
		"nothing":          {},
	} {
		if _, err := ledger.VerifyReceipt(r, keys); err == nil {
			t.Errorf("%s: it is verified", name)
		}
	}
	withExtra := strings.Replace(good.Proof, "index 42", "extra AAAA\nindex 42", 1)
	if _, err := ledger.VerifyReceipt(ledger.Receipt{Leaf: good.Leaf, Proof: withExtra}, keys); err != nil {
		t.Errorf("with extra data: %v", err)
	}
}

func TestTile_HasThePathsOfC2SP(t *testing.T) {
	t.Parallel()
	for path, tile := range map[string]ledger.Tile{
		"tile/0/000":                  {Width: 256},
		"tile/0/000.p/1":              {Width: 1},
		"tile/1/x001/x234/067":        {Level: 1, Index: 1234067, Width: 256},
		"tile/entries/x001/234.p/112": {Index: 1234, Width: 112, Entries: true},
	} {
		if got := tile.Path(); got != path {
			t.Errorf("%+v is at %s, want %s", tile, got, path)
		}
		if got, err := ledger.ParseTilePath(path); err != nil || got != tile {
			t.Errorf("%s is %+v, %v", path, got, err)
		}
	}
	for _, path := range []string{
		"", "tile", "tile/0", "tile/0/", "tile/00/000", "tile/-1/000", "tile/8/000", "tile/0/0", "tile/0/1000", "tile/0/x000/000", "tile/0/000.p/0",
		"tile/0/000.p/256", "tile/0/000.p/01", "tile/0/000.p", "tile/0/001/000", "tile/data/000", "tile/0/../../etc", "tile/0/x9/x9/x9/x9/x9/x9/x9/x9/9", "tile/0/-01",
		"tile/0/x999/x999/x999/x999/x999/x999/999",
	} {
		if got, err := ledger.ParseTilePath(path); err == nil {
			t.Errorf("%q is %+v", path, got)
		}
	}
}

// The example of tlog-tiles: a tree of 70 000.
func TestTilesOf_GivesWhatATreeHas(t *testing.T) {
	t.Parallel()
	count := map[string]int{}
	for _, tile := range ledger.TilesOf(0, 70000) {
		if !tile.In(70000) {
			t.Errorf("%s is not in the tree", tile.Path())
		}
		name := fmt.Sprintf("level %d width %d entries %v", tile.Level, tile.Width, tile.Entries)
		count[name]++
	}
	want := map[string]int{
		"level 0 width 256 entries false": 273, "level 0 width 112 entries false": 1, "level 0 width 256 entries true": 273, "level 0 width 112 entries true": 1,
		"level 1 width 256 entries false": 1, "level 1 width 17 entries false": 1, "level 2 width 1 entries false": 1,
	}
	if fmt.Sprint(count) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", count, want)
	}
	if more := ledger.TilesOf(70000, 70001); len(more) != 2 { // the last tile of leaves, and its bundle
		t.Errorf("one leaf more changes %v", more)
	}
	for _, outside := range []ledger.Tile{{Index: 273, Width: 113}, {Index: 273, Width: 256}, {Index: 274, Width: 1}, {Level: 2, Width: 2}, {Level: 3, Width: 1}} {
		if outside.In(70000) {
			t.Errorf("%s is in the tree", outside.Path())
		}
	}
}

func TestExport_WritesWhatATreeHas(t *testing.T) {
	t.Parallel()
	by := signer(t, 1)
	got := folder{}
	from := int64(0)
	for _, size := range []int{0, 1, 2, 256, 300, 700} { // each on top of the one before
		f := newFolder(t, by, size)
		err := ledger.Export(t.Context(), f.log(), f.checkpoint(t), from, func(path string, content []byte) error {
			got[path] = content
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for path, content := range f {
			if !bytes.Equal(got[path], content) {
				t.Errorf("%d: %s was not written as it is", size, path)
			}
		}
		from = int64(size)
	}
}

func verify(t testing.TB, record ledger.KeptLog, kept ...ledger.Checkpoint) ledger.Report {
	t.Helper()
	report, err := ledger.Verification{Keys: keysOf(t, signer(t, 1)), Kept: kept}.Verify(t.Context(), record)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestVerify_FromTilesOfEverySize(t *testing.T) {
	t.Parallel()
	by := signer(t, 1)
	newest := newFolder(t, by, 700)
	for _, size := range sizes() {
		f := newFolder(t, by, size)
		if report := verify(t, f.log(), f.checkpoint(t)); len(report.Faults) > 0 || report.Size != int64(size) || report.Root != f.checkpoint(t).Root || report.Checkpoints != 1 {
			t.Errorf("%d: %+v", size, report)
		}
		if report := verify(t, newest.log(), f.checkpoint(t)); len(report.Faults) > 0 {
			t.Errorf("against the checkpoint of %d: %+v", size, report)
		}
		if report := verify(t, f.log(), newest.checkpoint(t)); size < 700 && (len(report.Faults) != 1 || report.Faults[0].Kind != ledger.Cut) {
			t.Errorf("%d of 700: %+v, want to hear that the rest is gone", size, report)
		}
	}
}

func TestVerify_FromTilesNamesWhatWasDone(t *testing.T) {
	t.Parallel()
	by := signer(t, 1)
	leaf := func(i int) []byte {
		text := leafAt(i).Encode()
		return append([]byte{byte(len(text) >> 8), byte(len(text))}, text...)
	}
	swap := func(bundle []byte, i, j int) []byte {
		bundle = bytes.Replace(bundle, leaf(i), []byte("HOLD"), 1)
		bundle = bytes.Replace(bundle, leaf(j), leaf(i), 1)
		return bytes.Replace(bundle, []byte("HOLD"), leaf(j), 1)
	}
	for name, tt := range map[string]struct {
		do   func(f folder)
		kind ledger.FaultKind
		from int64
	}{
		"a byte of an entry": {func(f folder) {
			f["tile/entries/001"] = bytes.Replace(f["tile/entries/001"], []byte(`"c300"`), []byte(`"c301"`), 1)
		}, ledger.Changed, 300},
		"a hash of a leaf": {func(f folder) { f["tile/0/001"][44*32] ^= 1 }, ledger.Changed, 300},
		"an entry gone": {func(f folder) {
			f["tile/entries/001"] = bytes.Replace(f["tile/entries/001"], leaf(300), nil, 1)
		}, ledger.Changed, 300},
		"two swapped":  {func(f folder) { f["tile/entries/001"] = swap(f["tile/entries/001"], 300, 400) }, ledger.Changed, 300},
		"a hash above": {func(f folder) { f["tile/1/000.p/2"][33] ^= 1 }, ledger.Changed, -1},
		"another root": {func(f folder) { f["checkpoint"] = newFolder(t, signer(t, 2), 700)["checkpoint"] }, ledger.Unsigned, -1},
		"an entry and its hash": {func(f folder) {
			forged := bytes.Replace(leafAt(300).Encode(), []byte(`"c300"`), []byte(`"c301"`), 1)
			f["tile/entries/001"] = bytes.Replace(f["tile/entries/001"], leafAt(300).Encode(), forged, 1)
			h := treeHash([][]byte{forged})
			copy(f["tile/0/001"][44*32:], h[:])
		}, ledger.Rewritten, 256},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFolder(t, by, 700)
			tt.do(f)
			report := verify(t, f.log())
			if len(report.Faults) == 0 || report.Faults[0].Kind != tt.kind || report.Faults[0].From != tt.from {
				t.Errorf("%v, want %s at %d", report.Faults, tt.kind, tt.from)
			}
		})
	}
}

func TestVerify_WithoutEntriesSaysSo(t *testing.T) {
	t.Parallel()
	f := newFolder(t, signer(t, 1), 300)
	closed := ledger.TileLog{Fetch: func(ctx context.Context, path string) ([]byte, error) {
		if strings.HasPrefix(path, "tile/entries/") {
			return nil, ledger.ErrNoEntries
		}
		return f.fetch(ctx, path)
	}}
	if report := verify(t, closed); !report.Unseen || len(report.Faults) > 0 || report.Size != 300 {
		t.Errorf("%+v, want 300 hashes and no entries", report)
	}
	f["tile/0/000"][5] ^= 1
	if report := verify(t, closed); len(report.Faults) == 0 {
		t.Error("a changed hash was not found")
	}
	delete(f, "tile/0/000")
	if _, err := (ledger.Verification{Keys: keysOf(t, signer(t, 1))}).Verify(t.Context(), f.log()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a tile that cannot be read: %v, want an error", err)
	}
}

func TestLeaf_KeepsTheEntryByteForByte(t *testing.T) {
	t.Parallel()
	l := ledger.Leaf{Index: 7, Entry: []byte(`{"kind":"intent","why":"<a> & \u003c"}`), Links: []string{"aa", "bb"}}
	if got, want := string(l.Encode()), `{"index":7,"entry":{"kind":"intent","why":"<a> & \u003c"},"links":["aa","bb"]}`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	read, err := ledger.ParseLeaf(l.Encode())
	if err != nil || read.Hash() != l.Hash() {
		t.Errorf("%+v, %v", read, err)
	}
	for _, text := range []string{``, `{}`, `{"index":7,"entry":{},"links":[],"more":1}`, `{"entry":{},"index":7,"links":[]}`, `{"index":7,"entry":{},"links":[]} `} {
		if _, err := ledger.ParseLeaf([]byte(text)); err == nil {
			t.Errorf("%q is a leaf", text)
		}
	}
}
