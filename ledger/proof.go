package ledger

import (
	"context"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"mianti/internal/fault"
)

// InclusionProof (存证证明) shows that a leaf is in the log: with its hash and these, the
// checkpoint's own hash can be computed (RFC 6962 §2.1.1).
type InclusionProof struct {
	Index      int64
	Hashes     []Hash // the sibling of the leaf first
	Checkpoint string // the signed note
}

// proofHeader is the first line of a proof's text (C2SP tlog-proof).
const proofHeader = "c2sp.org/tlog-proof@v1"

// ProveInclusion proves that the log of the checkpoint has a leaf at index. The
// tiles are checked against the checkpoint, so that a proof that is given holds.
func ProveInclusion(ctx context.Context, tiles Tiles, c Checkpoint, index int64) (InclusionProof, error) {
	if index < 0 || index >= c.Size {
		return InclusionProof{}, fault.New(fault.NotFound, "unknown-ledger-index", "日志中没有第 %d 条：检查点共 %d 条，从 0 数起。", index, c.Size)
	}
	hashes, err := tlog.ProveRecord(c.Size, index, hashReader(ctx, tiles, c.Tree))
	if err != nil {
		return InclusionProof{}, fmt.Errorf("prove that leaf %d is in the log: %w", index, err)
	}
	return InclusionProof{Index: index, Hashes: hashes, Checkpoint: c.Note}, nil
}

// ProveConsistency proves that the log of the checkpoint holds all that it held
// when it had from leaves, unchanged and in the same order (RFC 6962 §2.1.2).
// From nothing, and from the same size, there is nothing to prove.
func ProveConsistency(ctx context.Context, tiles Tiles, c Checkpoint, from int64) ([]Hash, error) {
	if from < 0 || from > c.Size {
		return nil, fault.New(fault.NotFound, "unknown-ledger-index", "日志没有 %d 条：检查点共 %d 条。", from, c.Size)
	}
	if from == 0 || from == c.Size {
		return nil, nil
	}
	hashes, err := tlog.ProveTree(c.Size, from, hashReader(ctx, tiles, c.Tree))
	if err != nil {
		return nil, fmt.Errorf("prove that the log has only grown since %d: %w", from, err)
	}
	return hashes, nil
}

// CheckConsistency checks that a log has only grown from one state to another.
func CheckConsistency(older, newer Tree, hashes []Hash) error {
	switch {
	case older.Size > newer.Size:
		return fault.New(fault.Conflict, "ledger-cut", "日志被截短：原有 %d 条，现在只有 %d 条。", older.Size, newer.Size)
	case older.Size == newer.Size && older.Root == newer.Root && len(hashes) == 0,
		older.Size == 0 && older.Root == emptyRoot() && len(hashes) == 0:
		return nil
	case older.Size == 0 || older.Size == newer.Size || tlog.CheckTree(hashes, newer.Size, newer.Root, older.Size, older.Root) != nil:
		return fault.New(fault.Conflict, "ledger-rewritten", "日志被改写：前 %d 条与原来的检查点不一致。", older.Size)
	}
	return nil
}

// Check checks that a leaf with this hash is in the log, and gives the checkpoint
// that says so.
func (p InclusionProof) Check(leaf Hash, keys Keys) (Checkpoint, error) {
	c, err := keys.Open(p.Checkpoint)
	if err != nil {
		return Checkpoint{}, err
	}
	if p.Index >= c.Size || p.Index < 0 || tlog.CheckRecord(p.Hashes, c.Size, c.Root, p.Index, leaf) != nil {
		return Checkpoint{}, fault.New(fault.Invalid, "bad-proof", "证明不成立：这一条不在检查点所说的日志里。")
	}
	return c, nil
}

// String gives the proof as a text (C2SP tlog-proof).
func (p InclusionProof) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s\nindex %d\n", proofHeader, p.Index)
	for _, h := range p.Hashes {
		text.WriteString(h.String() + "\n")
	}
	return text.String() + "\n" + p.Checkpoint
}

// ParseProof reads a proof's text. What it may say besides ("extra") is left out:
// nothing vouches for it.
func ParseProof(text string) (InclusionProof, error) {
	head, checkpoint, found := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	if !found || lines[0] != proofHeader {
		return InclusionProof{}, badProofText("第一行应为 " + proofHeader)
	}
	lines = lines[1:]
	if len(lines) > 0 && strings.HasPrefix(lines[0], "extra ") {
		if _, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[0], "extra ")); err != nil {
			return InclusionProof{}, badProofText("extra 不是 base64")
		}
		lines = lines[1:]
	}
	if len(lines) == 0 {
		return InclusionProof{}, badProofText("缺少 index")
	}
	digits, found := strings.CutPrefix(lines[0], "index ")
	index, err := strconv.ParseInt(digits, 10, 64)
	if !found || err != nil || index < 0 || strconv.FormatInt(index, 10) != digits {
		return InclusionProof{}, badProofText("index 不是序号")
	}
	const deepest = 63 // as many levels as a tree can have
	if len(lines) > 1+deepest {
		return InclusionProof{}, badProofText("哈希过多")
	}
	p := InclusionProof{Index: index, Checkpoint: checkpoint}
	for _, line := range lines[1:] {
		h, err := tlog.ParseHash(line)
		if err != nil {
			return InclusionProof{}, badProofText("有一行不是哈希")
		}
		p.Hashes = append(p.Hashes, h)
	}
	return p, nil
}

func badProofText(why string) error {
	return fault.New(fault.Invalid, "bad-proof", "证明文本不可读：%s（格式见 c2sp.org/tlog-proof）。", why)
}

// NotSealedYet is told of what is recorded and has no place in the log yet.
func NotSealedYet() *fault.Error {
	f := fault.New(fault.Unavailable, "not-sealed-yet", "这条存证已经记录，正在封存进日志。请一秒后再取。")
	f.Wait = time.Second
	return f
}
