package ledger

import (
	"context"
	"fmt"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"
)

// Frontier is the right edge of a tree: all that is needed to go on with it. The
// zero value is the empty tree. It holds at most 63 hashes, however large the
// tree is.
type Frontier struct {
	size int64
	// peaks are the roots of the complete subtrees, the largest and first of the
	// log before the others.
	peaks []Hash
}

// Node is the hash of a complete subtree: Level is its height, Index counts those
// of its level from the left.
type Node struct {
	Level int
	Index int64
	Hash  Hash
}

// Size is the number of leaves.
func (f *Frontier) Size() int64 { return f.size }

// Append adds a leaf, and tells completed of each subtree that it completes, from
// the bottom up.
func (f *Frontier) Append(leaf Hash, completed func(Node)) {
	f.peaks = append(f.peaks, leaf)
	at := Node{Index: f.size}
	f.size++
	for at.Index&1 == 1 {
		last := len(f.peaks) - 1
		f.peaks[last-1] = tlog.NodeHash(f.peaks[last-1], f.peaks[last])
		f.peaks = f.peaks[:last]
		at = Node{Level: at.Level + 1, Index: at.Index >> 1, Hash: f.peaks[last-1]}
		completed(at)
	}
}

// Root gives the hash of the whole tree.
func (f *Frontier) Root() Hash {
	if f.size == 0 {
		return emptyRoot()
	}
	root := f.peaks[len(f.peaks)-1]
	for i := len(f.peaks) - 2; i >= 0; i-- {
		root = tlog.NodeHash(f.peaks[i], root)
	}
	return root
}

// emptyRoot is the hash of the tree without leaves: SHA-256 of nothing.
func emptyRoot() Hash {
	root, err := tlog.TreeHash(0, nil)
	if err != nil {
		panic("ledger: the empty tree has no hash: " + err.Error())
	}
	return root
}

// LoadFrontier reads the right edge of a stored tree, and checks it against the
// tree's hash: a tree that was changed there is not gone on with.
func LoadFrontier(ctx context.Context, tiles Tiles, tree Tree) (*Frontier, error) {
	f := &Frontier{size: tree.Size}
	var need []int64
	for rest, start := tree.Size, int64(0); rest > 0; {
		level := bits.Len64(uint64(rest)) - 1
		need = append(need, tlog.StoredHashIndex(level, start>>level))
		start, rest = start+1<<level, rest-1<<level
	}
	if len(need) == 0 {
		if tree.Root != emptyRoot() {
			return nil, fmt.Errorf("the empty tree has another hash")
		}
		return f, nil
	}
	peaks, err := hashReader(ctx, tiles, tree).ReadHashes(need)
	if err != nil {
		return nil, fmt.Errorf("read the right edge of the tree: %w", err)
	}
	f.peaks = peaks
	return f, nil
}
