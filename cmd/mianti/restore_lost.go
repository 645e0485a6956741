package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"mianti/backup"
	"mianti/ledger"
	"mianti/store"
)

// destroyedSince gathers what was destroyed after the backup: from the lists that were
// kept, and from the ledger where it was exported.
func (c *restoreCommand) destroyedSince(ctx context.Context, w io.Writer, keys ledger.Keys, m *backup.Manifest) ([]store.Destroyed, error) {
	var list []store.Destroyed
	for _, path := range c.Destroyed {
		more, err := backup.ReadDestroyed(path)
		if err != nil {
			return nil, err
		}
		list = append(list, more...)
	}
	if c.Tiles == "" {
		return list, nil
	}
	lost, err := readLost(ctx, ledger.TileLog{Fetch: fetchTiles(c.Tiles, "")}, keys, m.Entries)
	if err != nil {
		return nil, fmt.Errorf("read the exported ledger: %w", err)
	}
	lost.print(w)
	return append(list, lost.destroyed...), nil
}

// lost is what an exported ledger tells of the time after a backup.
type lost struct {
	entries   int64
	counts    map[ledger.Kind]int64
	redo      []ledger.Entry
	destroyed []store.Destroyed
}

// readLost reads the entries of an exported ledger from a place on, page by page.
func readLost(ctx context.Context, record ledger.TileLog, keys ledger.Keys, from int64) (*lost, error) {
	newest, err := newestOf(ctx, record, keys)
	if err != nil {
		return nil, err
	}
	l := &lost{counts: map[ledger.Kind]int64{}}
	for from < newest.Size {
		rows, err := record.Rows(ctx, from, ledger.TileWidth)
		if err != nil {
			return nil, err
		}
		if len(rows) == 0 {
			return nil, fmt.Errorf("there is nothing at place %d, though the checkpoint says %d", from, newest.Size)
		}
		for _, row := range rows {
			var e ledger.Entry
			if err := json.Unmarshal(row.Entry, &e); err != nil {
				return nil, fmt.Errorf("read the entry at place %d: %w", row.Index, err)
			}
			l.add(e)
		}
		from += int64(len(rows))
	}
	return l, nil
}

func (l *lost) add(e ledger.Entry) {
	l.entries++
	l.counts[e.Kind]++
	if slices.Contains(toRedo(), e.Kind) {
		l.redo = append(l.redo, e)
	}
	d := store.Destroyed{Case: e.Case, At: e.At, Why: e.Result}
	switch e.Kind {
	case ledger.CaseDestroyed:
	case ledger.SaltDestroyed:
		d.SaltAt = &e.At
	case ledger.BatchDestroyed:
		d = store.Destroyed{Batch: strings.TrimPrefix(e.Object, "batch:"), At: e.At}
	default:
		return
	}
	if d.Case != "" || d.Batch != "" {
		l.destroyed = append(l.destroyed, d)
	}
}

// toRedo are the acts that took something away from somebody: without them a restored
// database allows what had been ended.
func toRedo() []ledger.Kind {
	return []ledger.Kind{
		ledger.ConsentWithdrawn, ledger.GrantTerminated, ledger.GrantSuspended, ledger.GrantNarrowed, ledger.GrantCorrectionOrdered, ledger.Stopped,
		ledger.SystemRevoked, ledger.CredentialRevoked, ledger.PersonDeactivated, ledger.DutyRemoved, ledger.SharingWithdrawn,
	}
}

func (l *lost) print(w io.Writer) {
	fmt.Fprintf(w, "备份之后的存证 %d 条，所记的事不在恢复出的库里：\n", l.entries)
	for _, kind := range slices.Sorted(maps.Keys(l.counts)) {
		fmt.Fprintf(w, "  %-24s %d\n", printable(string(kind)), l.counts[kind])
	}
	for _, e := range l.redo {
		fmt.Fprintf(w, "  须重做：%s　%s　%s%s　%s\n", clockTime(e.At), printable(string(e.Kind)), printable(e.Object), printable(e.Case), printable(e.Consent))
	}
}
