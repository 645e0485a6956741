package ledger

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	// TileHeight is how many levels of the tree one level of tiles spans.
	TileHeight = 8
	// TileWidth is how many hashes, or leaves, a full tile holds.
	TileWidth = 1 << TileHeight
)

// Tile is a run of hashes of one level of the tree, or a bundle of leaves (C2SP
// tlog-tiles).
type Tile struct {
	Level   int // of tiles: 0 holds hashes of leaves
	Index   int64
	Width   int  // 1 to TileWidth; less than TileWidth is a partial tile
	Entries bool // a bundle of leaves; then Level is 0
}

// Tiles reads the hashes of tiles.
type Tiles interface {
	// Tile gives the hashes of a tile, one after the other.
	Tile(ctx context.Context, t Tile) ([]byte, error)
}

// Path is where a tile is below the log's prefix, such as "tile/0/x001/234.p/7".
func (t Tile) Path() string {
	level := strconv.Itoa(t.Level)
	if t.Entries {
		level = "entries"
	}
	const perFolder = 1000
	n := t.Index
	name := fmt.Sprintf("%03d", n%perFolder)
	for n >= perFolder {
		n /= perFolder
		name = fmt.Sprintf("x%03d/%s", n%perFolder, name)
	}
	if t.Width != TileWidth {
		name += ".p/" + strconv.Itoa(t.Width)
	}
	return "tile/" + level + "/" + name
}

var errTilePath = errors.New("not the path of a tile")

// ParseTilePath reads what Path writes, and nothing else.
func ParseTilePath(path string) (Tile, error) {
	t := Tile{Width: TileWidth}
	parts := strings.Split(path, "/")
	if len(parts) < 3 || len(parts) > 10 || parts[0] != "tile" {
		return Tile{}, errTilePath
	}
	if t.Entries = parts[1] == "entries"; !t.Entries {
		level, err := strconv.Atoi(parts[1])
		if err != nil || level < 0 || level > 63/TileHeight {
			return Tile{}, errTilePath
		}
		t.Level = level
	}
	parts = parts[2:]
	if last := len(parts) - 1; last > 0 && strings.HasSuffix(parts[last-1], ".p") {
		width, err := strconv.Atoi(parts[last])
		if err != nil || width < 1 || width >= TileWidth {
			return Tile{}, errTilePath
		}
		t.Width, parts = width, parts[:last]
		parts[last-1] = strings.TrimSuffix(parts[last-1], ".p")
	}
	for _, part := range parts {
		number, err := strconv.Atoi(strings.TrimPrefix(part, "x"))
		if err != nil || number < 0 || number > 999 {
			return Tile{}, errTilePath
		}
		t.Index = t.Index*1000 + int64(number)
	}
	if t.Index < 0 || t.Path() != path {
		return Tile{}, errTilePath
	}
	return t, nil
}

// In reports whether a tree of this size has the tile.
func (t Tile) In(size int64) bool {
	hashes := size >> (TileHeight * t.Level) // of this level
	return t.Index < hashes>>TileHeight || t.Index == hashes>>TileHeight && int64(t.Width) <= hashes&(TileWidth-1)
}

// Newest gives the tile of this place as it is in a tree of this size: full, or
// as wide as it can be; false where the tree does not reach it.
func (t Tile) Newest(size int64) (Tile, bool) {
	hashes := size>>(TileHeight*t.Level) - t.Index<<TileHeight
	if hashes <= 0 {
		return Tile{}, false
	}
	t.Width = int(min(hashes, TileWidth))
	return t, true
}

// TilesOf gives the tiles that a tree has when it has grown from one size to
// another, those of leaves among them, and that the smaller one had not.
func TilesOf(from, to int64) []Tile {
	var out []Tile
	for level := 0; from>>(TileHeight*level) < to>>(TileHeight*level); level++ {
		t := Tile{Level: level, Index: from >> (TileHeight * (level + 1))}
		for newest, there := t.Newest(to); there; newest, there = t.Newest(to) {
			out = append(out, newest)
			if level == 0 {
				newest.Entries = true
				out = append(out, newest)
			}
			t.Index++
		}
	}
	return out
}

// AppendToBundle adds a leaf to an entry bundle: its length as 16 bits, the high
// byte first, and its bytes.
func AppendToBundle(bundle, leaf []byte) ([]byte, error) {
	if len(leaf) > MaxLeaf {
		return nil, fmt.Errorf("a leaf of %d bytes does not fit into a bundle", len(leaf))
	}
	bundle = binary.BigEndian.AppendUint16(bundle, uint16(len(leaf)))
	return append(bundle, leaf...), nil
}

// SplitBundle gives the leaves of an entry bundle.
func SplitBundle(bundle []byte) ([][]byte, error) {
	var leaves [][]byte
	for len(bundle) > 0 {
		if len(bundle) < 2 || len(bundle)-2 < int(binary.BigEndian.Uint16(bundle)) {
			return nil, errors.New("an entry bundle ends within a leaf")
		}
		end := 2 + int(binary.BigEndian.Uint16(bundle))
		leaves, bundle = append(leaves, bundle[2:end]), bundle[end:]
	}
	return leaves, nil
}

// hashReader reads single hashes of a tree from its tiles, and checks each tile
// against the tree's hash.
func hashReader(ctx context.Context, tiles Tiles, tree Tree) tlog.HashReader {
	return tlog.TileHashReader(tlog.Tree{N: tree.Size, Hash: tree.Root}, tileReader{ctx, tiles})
}

// tileReader carries a context through an interface that has none. It lives as
// long as one call.
type tileReader struct {
	ctx   context.Context
	tiles Tiles
}

// Height is that of C2SP's tiles.
func (tileReader) Height() int { return TileHeight }

// ReadTiles reads tiles one by one.
func (r tileReader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	out := make([][]byte, len(tiles))
	for i, t := range tiles {
		data, err := r.tiles.Tile(r.ctx, Tile{Level: t.L, Index: t.N, Width: t.W})
		if err != nil {
			return nil, err
		}
		if len(data) != t.W*tlog.HashSize {
			return nil, fmt.Errorf("tile %d/%d has %d hashes, want %d", t.L, t.N, len(data)/tlog.HashSize, t.W)
		}
		out[i] = data
	}
	return out, nil
}

// SaveTiles keeps nothing.
func (tileReader) SaveTiles([]tlog.Tile, [][]byte) {}
