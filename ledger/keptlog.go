package ledger

import (
	"context"
	"encoding/json"
	"time"
)

// KeptLog (保存的日志) is a log as it is kept somewhere, to be verified: in a
// database, or as tiles.
type KeptLog interface {
	Tiles
	// Rows gives what stands at the places from one on, in their order; fewer than
	// limit at the end alone.
	Rows(ctx context.Context, from int64, limit int) ([]Row, error)
	// Published gives checkpoints in the order in which they were published, those
	// after a number; fewer than limit at the end alone.
	Published(ctx context.Context, after int64, limit int) ([]Published, error)
	// Strays gives the ids of entries that are neither sealed nor wait for it.
	Strays(ctx context.Context, limit int) ([]int64, error)
}

// Row is what is kept of one place of the log. None of it is believed.
type Row struct {
	Index   int64
	EntryID int64 // in the database; 0 where it is not known
	Hash    Hash  // of the leaf, as it is kept
	Links   []string
	// Entry is the JSON of the entry; nil when it is gone.
	Entry []byte
	// Unseen says that entries cannot be read here, only their hashes.
	Unseen bool
	// Columns are copies of parts of the entry, by which it is found; nil for none.
	Columns *Columns
}

// Columns are the parts of an entry by which a database finds it.
type Columns struct {
	Kind       string
	Case       string
	Resolution string
	At         int64 // microseconds since 1970
}

// Published is a checkpoint as it is kept.
type Published struct {
	Number int64
	Size   int64
	Note   string
}

// Leaf gives the leaf that the row says to be.
func (r Row) Leaf() Leaf { return Leaf{Index: r.Index, Entry: r.Entry, Links: r.Links} }

func (r Row) hashAt(index int64) Hash {
	r.Index = index
	return r.Leaf().Hash()
}

// differ names the column that is not what the entry says; "" for none.
func (c *Columns) differ(entry []byte) string {
	if c == nil {
		return ""
	}
	var e struct {
		Kind       string    `json:"kind"`
		Case       string    `json:"case"`
		Resolution string    `json:"resolution"`
		At         time.Time `json:"at"`
	}
	if json.Unmarshal(entry, &e) != nil {
		return "body"
	}
	switch {
	case e.Kind != c.Kind:
		return "kind"
	case e.Case != c.Case:
		return "case_id"
	case e.Resolution != c.Resolution:
		return "resolution_id"
	case e.At.UnixMicro() != c.At:
		return "at"
	}
	return ""
}
