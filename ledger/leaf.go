package ledger

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"golang.org/x/mod/sumdb/tlog"
)

// Hash is a hash of the log's tree: SHA-256, as RFC 6962 §2.1 forms it.
type Hash = tlog.Hash

// Leaf (存证叶) is an entry with its place in the log, as it is hashed. Its place
// is part of it, so that an entry that was moved is known by itself, and so that
// two equal entries are two leaves.
type Leaf struct {
	// Index is the place, from 0.
	Index int64 `json:"index"`
	// Entry is the JSON of an Entry, byte for byte as it was recorded.
	Entry json.RawMessage `json:"entry"`
	// Links are the marks by which somebody whom the entry is about knows, with the
	// key of his list, that it is the next one of his list; see docs/ledger.md. To
	// everybody else they are random.
	Links []string `json:"links"`
}

// MaxLeaf bounds the bytes of a leaf: an entry bundle gives each leaf 16 bits for
// its length (C2SP tlog-tiles), so that a longer one could never be published.
const MaxLeaf = 1<<16 - 1

// Fits reports whether an entry with so many links makes a leaf that is not too
// long, wherever its place is.
func Fits(entry []byte, links int) bool {
	const link, rest = 64 + 3, 64 // 64 digits, two quotes, a comma; names and place
	return len(entry)+links*link+rest <= MaxLeaf
}

// Encode gives the bytes that are hashed: one line of JSON, with the entry as it
// was recorded.
func (l Leaf) Encode() []byte {
	out := make([]byte, 0, len(l.Entry)+64+67*len(l.Links))
	out = append(out, `{"index":`...)
	out = strconv.AppendInt(out, l.Index, 10)
	out = append(out, `,"entry":`...)
	out = append(out, l.Entry...)
	out = append(out, `,"links":[`...)
	for i, link := range l.Links {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, '"')
		out = append(out, link...)
		out = append(out, '"')
	}
	return append(out, "]}"...)
}

// Hash gives the leaf's hash (RFC 6962 §2.1: SHA-256 of 0x00 and the leaf).
func (l Leaf) Hash() Hash { return tlog.RecordHash(l.Encode()) }

// ParseLeaf reads the bytes of a leaf, and refuses what Encode would not write.
func ParseLeaf(text []byte) (Leaf, error) {
	var l Leaf
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&l); err != nil {
		return Leaf{}, fmt.Errorf("read a leaf: %w", err)
	}
	if !bytes.Equal(l.Encode(), text) {
		return Leaf{}, fmt.Errorf("read a leaf: it is not in the form in which leaves are sealed")
	}
	return l, nil
}

// Read gives the entry of the leaf.
func (l Leaf) Read() (Entry, error) {
	var e Entry
	if err := json.Unmarshal(l.Entry, &e); err != nil {
		return Entry{}, fmt.Errorf("read the entry of leaf %d: %w", l.Index, err)
	}
	return e, nil
}
