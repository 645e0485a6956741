package ledger

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// ErrNoEntries is what a TileLog's Fetch gives for entry bundles that it may not
// have: then the hashes alone are verified.
var ErrNoEntries = errors.New("the entries of this log are not to be had")

// TileLog is a log that is kept as tiles: a folder, or the exchange itself. It
// implements KeptLog.
type TileLog struct {
	// Fetch gives what is at a path below the log's prefix, such as "checkpoint" or
	// what Tile.Path says.
	Fetch func(ctx context.Context, path string) ([]byte, error)
}

// CheckpointPath is where the newest checkpoint of a log of tiles is.
const CheckpointPath = "checkpoint"

// Published gives the one checkpoint that there is.
func (l TileLog) Published(ctx context.Context, after int64, _ int) ([]Published, error) {
	if after > 0 {
		return nil, nil
	}
	text, err := l.Fetch(ctx, CheckpointPath)
	if err != nil {
		return nil, err
	}
	c, err := ReadCheckpoint(string(text))
	if err != nil {
		return nil, err
	}
	return []Published{{Number: 1, Size: c.Size, Note: string(text)}}, nil
}

// Tile gives the hashes of a tile.
func (l TileLog) Tile(ctx context.Context, t Tile) ([]byte, error) { return l.Fetch(ctx, t.Path()) }

// Strays gives none: nothing is in tiles that is not in the log.
func (l TileLog) Strays(context.Context, int) ([]int64, error) { return nil, nil }

// Rows gives the leaves of the bundle in which a place is, from it on. Since
// bundles are read whole, it can be fewer than limit, but never none before the
// end.
func (l TileLog) Rows(ctx context.Context, from int64, limit int) ([]Row, error) {
	published, err := l.Published(ctx, 0, 1)
	if err != nil {
		return nil, err
	}
	t, there := Tile{Index: from >> TileHeight}.Newest(published[0].Size)
	if !there || from >= published[0].Size {
		return nil, nil
	}
	hashes, err := l.Fetch(ctx, t.Path())
	if err != nil {
		return nil, err
	}
	t.Entries = true
	bundle, err := l.Fetch(ctx, t.Path())
	unseen := errors.Is(err, ErrNoEntries)
	if err != nil && !unseen {
		return nil, err
	}
	rows, err := tileRows(t, hashes, bundle, unseen)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.Path(), err)
	}
	rows = rows[from-t.Index<<TileHeight:]
	return rows[:min(limit, len(rows))], nil
}

// tileRows makes rows of a tile of leaf hashes and the bundle of its leaves.
func tileRows(t Tile, hashes, bundle []byte, unseen bool) ([]Row, error) {
	leaves, err := SplitBundle(bundle)
	if err != nil {
		return nil, err
	}
	if len(hashes) != t.Width*tlog.HashSize {
		return nil, fmt.Errorf("the tile has %d bytes, want %d", len(hashes), t.Width*tlog.HashSize)
	}
	rows := make([]Row, t.Width)
	for i := range rows {
		rows[i] = Row{Index: t.Index<<TileHeight + int64(i), Unseen: unseen}
		copy(rows[i].Hash[:], hashes[i*tlog.HashSize:])
		if i >= len(leaves) {
			continue
		}
		rows[i].Entry = leaves[i] // stays so when it is no leaf: then its hash is not right either
		if leaf, err := ParseLeaf(leaves[i]); err == nil {
			rows[i].Entry, rows[i].Links = leaf.Entry, leaf.Links
		}
	}
	return rows, nil
}

// Export writes what a log has at a checkpoint as files of tiles: those that it
// had not at an earlier size, and the checkpoint last, so that what is there is
// complete whenever it ends.
func Export(ctx context.Context, tiles Tiles, c Checkpoint, from int64, write func(path string, content []byte) error) error {
	for _, t := range TilesOf(from, c.Size) {
		content, err := tiles.Tile(ctx, t)
		if err != nil {
			return fmt.Errorf("export %s: %w", t.Path(), err)
		}
		if err := write(t.Path(), content); err != nil {
			return err
		}
	}
	return write(CheckpointPath, []byte(c.Note))
}
