// Package anchor hands the ledger's signed checkpoints to parties outside
// (存证锚定): to witnesses, which refuse a log that was rewritten (C2SP
// tlog-witness), and to a time-stamping authority, which says when a checkpoint
// was there (RFC 3161).
//
// A log that its owner keeps alone proves nothing against the owner. What is
// anchored cannot be taken back by him.
//
// Nothing waits for an anchor. While one is away, entries are written and
// checkpoints are signed as always; Report shows how far behind it is, and why.
package anchor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Kind (锚定方式) is what an anchor does.
type Kind string

// The kinds.
const (
	Witness   Kind = "witness"   // 见证: cosigns that the log only grew
	Timestamp Kind = "timestamp" // 时间戳: says when a checkpoint was there
)

// Log is the log whose checkpoints are anchored.
type Log interface {
	// Checkpoint gives the newest signed checkpoint: a signed note of C2SP
	// tlog-checkpoint. It is empty before the first one.
	Checkpoint(ctx context.Context) (signed []byte, err error)
	// ConsistencyProof gives the hashes which prove that the tree of size from is
	// the beginning of that of a checkpoint which the log gave (RFC 6962 §2.1.2);
	// 0 < from <= to.Size.
	ConsistencyProof(ctx context.Context, from int64, to Checkpoint) ([]tlog.Hash, error)
}

// Store keeps what was anchored, and what failed.
type Store interface {
	// AddAnchored keeps an anchoring, and forgets the trouble before it.
	AddAnchored(ctx context.Context, a Anchored) error
	// NoteTrouble keeps the last failure of an anchor, and since when it fails.
	NoteTrouble(ctx context.Context, kind Kind, name string, t Trouble, at time.Time) error
	// AnchorStates gives how it stands with every anchor there ever was, by kind
	// and name.
	AnchorStates(ctx context.Context) ([]State, error)
}

// Checkpoint (检查点) is a signed checkpoint, read.
type Checkpoint struct {
	Origin string
	Size   int64
	Hash   tlog.Hash // the root
	Signed []byte    // the signed note, as it was read
}

// Anchored (锚定记录) is one checkpoint that an anchor holds.
type Anchored struct {
	Kind Kind
	Name string
	Checkpoint
	// Body is what the anchor gave: the note signature lines of a witness
	// (cosignature/v1), or the DER of a TimeStampResp.
	Body []byte
	// At is the time that the anchor itself states.
	At time.Time
	// Kept is when we stored it.
	Kept time.Time
}

// State (锚定状态) is how it stands with one anchor.
type State struct {
	Kind Kind
	Name string
	// Of the newest anchoring; Size is 0 and the times are zero when there is none.
	Size int64
	Hash tlog.Hash
	At   time.Time
	Kept time.Time
	// Of the failures since; "" and zero when the last attempt succeeded.
	Trouble Trouble
	Since   time.Time // of the first failure in a row
	Tried   time.Time // of the last one
}

// ParseCheckpoint reads a signed checkpoint (https://c2sp.org/tlog-checkpoint):
// the lines origin, size and root hash, and at least one signature. Signatures
// are not verified.
func ParseCheckpoint(signed []byte) (Checkpoint, error) {
	// Without a verifier, Open ends in an error that carries the parsed note.
	_, err := note.Open(signed, note.VerifierList())
	var unverified *note.UnverifiedNoteError
	if !errors.As(err, &unverified) {
		return Checkpoint{}, fmt.Errorf("parse checkpoint: %w", err)
	}
	return parseBody(unverified.Note.Text, signed)
}

func parseBody(text string, signed []byte) (Checkpoint, error) {
	// tlog knows the same three lines with a first line of its own.
	origin, rest, ok := cutLine(text)
	if !ok || origin == "" {
		return Checkpoint{}, errors.New("parse checkpoint: no origin line")
	}
	size, rest, ok := cutLine(rest)
	if !ok {
		return Checkpoint{}, errors.New("parse checkpoint: no size line")
	}
	hash, _, ok := cutLine(rest)
	if !ok {
		return Checkpoint{}, errors.New("parse checkpoint: no hash line")
	}
	n, err := parseSize(size)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("parse checkpoint: %w", err)
	}
	root, err := tlog.ParseHash(hash)
	if err != nil {
		return Checkpoint{}, errors.New("parse checkpoint: the hash line is no base64 of 32 bytes")
	}
	return Checkpoint{Origin: origin, Size: n, Hash: root, Signed: signed}, nil
}
