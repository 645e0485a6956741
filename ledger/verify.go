package ledger

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/tlog"
)

// Verification is what a log is held against.
type Verification struct {
	Keys Keys
	// Kept are checkpoints that somebody kept elsewhere; the log must still hold
	// what it held then.
	Kept []Checkpoint
	// Progress, if given, is told of every page.
	Progress func(done, total int64)
}

const (
	// maxFaults is how many are collected before the verification ends.
	maxFaults = 20
	// verifyPage is how many rows are in memory at once.
	verifyPage = 4096
)

// Verify re-computes the whole log from its entries, and holds it against the
// hashes that are kept, every published checkpoint and those in v.Kept. What is
// wrong with the log is in the report; an error says that it could not be
// verified. Its memory does not grow with the log.
func (v Verification) Verify(ctx context.Context, record KeptLog) (Report, error) {
	w := walk{Verification: v, record: record, classify: true}
	slices.SortFunc(w.Kept, func(a, b Checkpoint) int { return int(a.Size - b.Size) })
	if err := w.start(ctx); err != nil {
		return w.report, err
	}
	for !w.ended && w.frontier.Size() < w.total && len(w.report.Faults) < maxFaults {
		if err := w.page(ctx); err != nil {
			return w.report, err
		}
	}
	err := w.finish(ctx)
	return w.report, err
}

// walk is one verification under way.
type walk struct {
	Verification
	record   KeptLog
	report   Report
	total    int64 // by the newest checkpoint
	frontier Frontier
	ended    bool  // the tree cannot be followed further
	wrong    bool  // the tree is not the published one; it will stay so
	classify bool  // it is still worth looking for where a row was sealed
	good     int64 // size of the newest checkpoint that the tree agrees with
	// suspect are hashes that are kept and are not those of the tree; the next
	// checkpoint says which of the two is right.
	suspect []Node
	tiles   map[int]tileInHand
	// The published checkpoints that come next, and the number of the one before them.
	ahead   []Published
	last    int64
	allRead bool
	held    int // of Kept
}

type tileInHand struct {
	index int64
	data  []byte
}

func (w *walk) fault(f Fault) {
	if len(w.report.Faults) < maxFaults {
		w.report.Faults = append(w.report.Faults, f)
	}
}

// start finds the newest checkpoint.
func (w *walk) start(ctx context.Context) error {
	w.tiles = map[int]tileInHand{}
	newest, err := w.newest(ctx, 0)
	if err != nil {
		return err
	}
	w.total = newest
	return w.settle(ctx)
}

// newest gives the size of the largest checkpoint that is published after a
// number.
func (w *walk) newest(ctx context.Context, after int64) (int64, error) {
	size := int64(0)
	for {
		page, err := w.record.Published(ctx, after, verifyPage)
		if err != nil {
			return 0, err
		}
		for _, p := range page {
			size, after = max(size, p.Size), p.Number
		}
		if len(page) < verifyPage {
			return size, nil
		}
	}
}

// page verifies the next rows.
func (w *walk) page(ctx context.Context) error {
	from := w.frontier.Size()
	rows, err := w.record.Rows(ctx, from, int(min(verifyPage, w.total-from)))
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		w.fault(Fault{Kind: Cut, From: from, To: from, WhatElse: fmt.Sprintf("检查点说共有 %d 条", w.total)})
		w.ended = true
		return nil
	}
	for i := range rows {
		if rows[i].Index != w.frontier.Size() {
			w.fault(Fault{Kind: Removed, From: w.frontier.Size(), To: w.frontier.Size(), WhatElse: "这个序号是空的"})
			w.ended = true
			return nil
		}
		w.row(rows, i)
		if err := w.grow(ctx, rows[i].Hash); err != nil {
			return err
		}
	}
	if w.Progress != nil {
		w.Progress(w.frontier.Size(), w.total)
	}
	return nil
}

// row holds the entry of a row against the hash of its leaf.
func (w *walk) row(rows []Row, i int) {
	row := rows[i]
	if row.Unseen {
		w.report.Unseen = true
		return
	}
	at := Fault{Kind: Changed, From: row.Index, To: row.Index, EntryID: row.EntryID}
	if row.Entry == nil {
		at.Kind, at.WhatElse = Removed, "只剩下它的哈希"
		w.fault(at)
		return
	}
	if row.hashAt(row.Index) != row.Hash {
		w.fault(w.moved(rows, i, at))
		return
	}
	if which := row.Columns.differ(row.Entry); which != "" {
		at.WhatElse = which + " 列与内容不一致"
		w.fault(at)
	}
}

// moved says of a row that is not what was sealed at its place whether it was
// sealed at another. If the one before it was put in, this one has moved up by
// one; if one was taken out there, down by one.
func (w *walk) moved(rows []Row, i int, at Fault) Fault {
	sealedAt := w.sealedAt(rows[i])
	if sealedAt < 0 {
		return at
	}
	w.classify = false // what follows has moved with it
	switch next := i + 1; {
	case sealedAt == at.From-1:
		return Fault{Kind: Inserted, From: sealedAt, To: sealedAt, WhatElse: "其后的存证因此后移"}
	case sealedAt == at.From+1 && (next == len(rows) || rows[next].hashAt(at.From) != rows[next].Hash):
		return Fault{Kind: Removed, From: at.From, To: at.From, WhatElse: "其后的存证因此前移"}
	default:
		at.Kind, at.WhatElse = Reordered, fmt.Sprintf("封存时是第 %d 条", sealedAt)
		return at
	}
}

// sealedAt looks for the place at which a row was sealed; -1 for none.
func (w *walk) sealedAt(row Row) int64 {
	if !w.classify {
		return -1
	}
	for _, near := range []int64{row.Index - 1, row.Index + 1} {
		if near >= 0 && row.hashAt(near) == row.Hash {
			return near
		}
	}
	for index := range w.total {
		if row.hashAt(index) == row.Hash {
			return index
		}
	}
	w.classify = false // once is enough: it takes a while
	return -1
}

// grow adds a leaf to the tree, and holds what that completes against what is
// kept.
func (w *walk) grow(ctx context.Context, leaf Hash) error {
	var failed error
	w.frontier.Append(leaf, func(n Node) {
		if failed == nil && n.Level%TileHeight == 0 {
			failed = w.node(ctx, n)
		}
	})
	if failed != nil {
		return failed
	}
	return w.settle(ctx)
}

// node holds a hash of the tree against the tile that keeps it.
func (w *walk) node(ctx context.Context, n Node) error {
	level := n.Level / TileHeight
	t, _ := Tile{Level: level, Index: n.Index >> TileHeight}.Newest(w.total)
	inHand, there := w.tiles[level]
	if !there || inHand.index != t.Index {
		data, err := w.record.Tile(ctx, t)
		if err != nil {
			return fmt.Errorf("read a tile of level %d: %w", level, err)
		}
		inHand = tileInHand{t.Index, data}
		w.tiles[level] = inHand
	}
	at := int(n.Index&(TileWidth-1)) * tlog.HashSize
	if len(inHand.data) >= at+tlog.HashSize && bytes.Equal(inHand.data[at:at+tlog.HashSize], n.Hash[:]) {
		return nil
	}
	w.suspect = append(w.suspect, n)
	return nil
}

// settle holds the tree against all checkpoints of its present size.
func (w *walk) settle(ctx context.Context) error {
	size := w.frontier.Size()
	for ; w.held < len(w.Kept) && w.Kept[w.held].Size <= size; w.held++ {
		if w.Kept[w.held].Root != w.frontier.Root() {
			w.fault(Fault{Kind: Rewritten, From: 0, To: max(0, size-1), WhatElse: "与另外保存的检查点不一致"})
		}
	}
	for {
		if len(w.ahead) == 0 && !w.allRead {
			page, err := w.record.Published(ctx, w.last, verifyPage)
			if err != nil {
				return err
			}
			w.ahead, w.allRead = page, len(page) < verifyPage
		}
		if len(w.ahead) == 0 || w.ahead[0].Size > size {
			return nil
		}
		w.checkpoint(w.ahead[0], Tree{Size: size, Root: w.frontier.Root()})
		w.last, w.ahead = w.ahead[0].Number, w.ahead[1:]
	}
}

// checkpoint holds the tree against one that was published.
func (w *walk) checkpoint(p Published, tree Tree) {
	w.report.Checkpoints++
	c, err := w.Keys.Open(p.Note)
	switch {
	case err != nil:
		w.fault(Fault{Kind: Unsigned, From: -1, To: -1, WhatElse: fmt.Sprintf("第 %d 号检查点", p.Number)})
		return
	case p.Number != w.last+1 && w.last > 0:
		w.fault(Fault{Kind: Removed, From: -1, To: -1, WhatElse: fmt.Sprintf("第 %d 号检查点之前缺少检查点", p.Number)})
	case c.Size != p.Size || p.Size < tree.Size:
		w.fault(Fault{Kind: Changed, From: -1, To: -1, WhatElse: fmt.Sprintf("第 %d 号检查点的条数与其签名不符，或次序不对", p.Number)})
		return
	}
	w.report.Origin = c.Origin
	if c.Root == tree.Root {
		w.good = tree.Size
		for _, n := range w.suspect {
			w.fault(Fault{Kind: Changed, From: -1, To: -1, WhatElse: fmt.Sprintf("保存的树第 %d 层第 %d 个哈希", n.Level, n.Index)})
		}
		w.suspect = nil
		return
	}
	if !w.wrong {
		w.wrong = true
		f := Fault{Kind: Rewritten, From: w.good, To: max(w.good, tree.Size-1), WhatElse: fmt.Sprintf("与已发布的第 %d 号检查点不一致", p.Number)}
		if len(w.suspect) > 0 { // whoever changed a leaf and its hash left the tree over it
			n := w.suspect[0]
			f.From, f.To = max(f.From, n.Index<<n.Level), min(f.To, (n.Index+1)<<n.Level-1)
		}
		w.fault(f)
	}
}

// finish looks for what is beyond the tree.
func (w *walk) finish(ctx context.Context) error {
	w.report.Size, w.report.Root = w.frontier.Size(), w.frontier.Root()
	if w.ended || len(w.report.Faults) >= maxFaults {
		return nil
	}
	for _, kept := range w.Kept[w.held:] {
		w.fault(Fault{Kind: Cut, From: w.total, To: w.total, WhatElse: fmt.Sprintf("另外保存的检查点说共有 %d 条", kept.Size)})
	}
	if err := w.beyond(ctx); err != nil {
		return err
	}
	strays, err := w.record.Strays(ctx, maxFaults)
	for _, id := range strays {
		w.fault(Fault{Kind: Inserted, From: -1, To: -1, EntryID: id, WhatElse: "它既没有封存，也不在等待封存"})
	}
	return err
}

// beyond looks for a row that no checkpoint includes. A log that is in use grows
// while it is verified: what was sealed since has its checkpoint by now, for both
// are written at once.
func (w *walk) beyond(ctx context.Context) error {
	rows, err := w.record.Rows(ctx, w.total, 1)
	if err != nil || len(rows) == 0 {
		return err
	}
	newest, err := w.newest(ctx, 0)
	if err != nil || rows[0].Index < newest {
		return err
	}
	w.fault(Fault{Kind: Inserted, From: rows[0].Index, To: rows[0].Index, EntryID: rows[0].EntryID, WhatElse: "没有检查点包括它"})
	return nil
}
