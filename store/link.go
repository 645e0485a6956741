package store

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"gorm.io/gorm"

	"mianti/ledger"
)

// entryLinks are the links of an entry, in an order that says nothing, and the number
// that each has among those of its person.
type entryLinks struct{ links, nths []string }

// link counts, for everybody whom these entries are about, how many there are,
// and gives the entries' links: to whoever has the person's key each says that
// it is his next one, and to others nothing. See docs/ledger.md.
func (s *Store) link(ctx context.Context, tx *gorm.DB, ids []int64) (map[int64]entryLinks, error) {
	const doing = "link entries"
	rows, err := s.accessesOf(ctx, tx, ids)
	if err != nil || len(rows) == 0 {
		return nil, translate(err, doing, things{})
	}
	heads, err := s.accessHeads(ctx, tx, rows)
	if err != nil {
		return nil, translate(err, doing, things{})
	}
	given := map[int64][][2]string{}
	for _, row := range rows {
		head := heads[row.Subject]
		head.Count++
		given[row.Entry] = append(given[row.Entry], [2]string{ledger.Link(head.Key, head.Count), strconv.FormatInt(head.Count, 10)})
	}
	links := make(map[int64]entryLinks, len(given))
	for id, of := range given {
		slices.SortFunc(of, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
		var l entryLinks
		for _, pair := range of {
			l.links, l.nths = append(l.links, pair[0]), append(l.nths, pair[1])
		}
		links[id] = l
	}
	return links, translate(s.saveHeads(ctx, tx, heads), doing, things{})
}

// accessesOf gives whom entries are about, in the order of the entries.
func (s *Store) accessesOf(ctx context.Context, tx *gorm.DB, ids []int64) ([]accessRow, error) {
	var rows []accessRow
	where, args := s.among("entry_id", ids)
	err := each(ctx, tx, "SELECT entry_id, subject FROM accesses WHERE "+where, args, func(found *sql.Rows) error {
		rows = append(rows, accessRow{})
		return found.Scan(&rows[len(rows)-1].Entry, &rows[len(rows)-1].Subject)
	})
	slices.SortFunc(rows, func(a, b accessRow) int {
		return cmp.Or(cmp.Compare(a.Entry, b.Entry), strings.Compare(a.Subject, b.Subject))
	})
	return rows, err
}

// saveHeads stores how far each person's count has come.
func (s *Store) saveHeads(ctx context.Context, tx *gorm.DB, heads map[string]*accessHeadRow) error {
	var subjects []string
	var keys [][]byte
	var counts []int64
	for _, subject := range slices.Sorted(maps.Keys(heads)) {
		subjects, keys, counts = append(subjects, subject), append(keys, heads[subject].Key), append(counts, heads[subject].Count)
	}
	return s.insertAll(ctx, tx, "access_heads", "ON CONFLICT (subject) DO UPDATE SET count = excluded.count", texts("subject", subjects), blobs("key", keys), ints("count", counts))
}

// findLinks gives a person's accesses their links and numbers, from the leaves of those
// that are sealed. Accesses that earlier programs have sealed have them.
func (s *Store) findLinks(ctx context.Context, subject string, rows []accessRow) error {
	const doing = "find links"
	at := map[int64]*accessRow{}
	var ids []int64
	for i := range rows {
		if rows[i].Nth == nil {
			at[rows[i].Entry], ids = &rows[i], append(ids, rows[i].Entry)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	var head []accessHeadRow
	if err := s.db.WithContext(ctx).Where("subject = ?", subject).Find(&head).Error; err != nil || len(head) == 0 {
		return translate(err, doing, things{})
	}
	var leaves []leafRow
	for part := range slices.Chunk(ids, entryBatch) {
		var some []leafRow
		if err := s.db.WithContext(ctx).Where("entry_id IN ?", part).Find(&some).Error; err != nil {
			return translate(err, doing, things{})
		}
		leaves = append(leaves, some...)
	}
	for _, leaf := range leaves {
		row := at[leaf.EntryID]
		row.Nth, row.Link = ownLink(head[0].Key, leaf)
	}
	return nil
}

// ownLink finds which of a leaf's links is that of whoever has the key.
func ownLink(key []byte, leaf leafRow) (*int64, string) {
	links, nths := strings.Fields(leaf.Links), strings.Fields(leaf.Nths)
	for i := range min(len(links), len(nths)) {
		nth, err := strconv.ParseInt(nths[i], 10, 64)
		if err == nil && ledger.Link(key, nth) == links[i] {
			return &nth, links[i]
		}
	}
	return nil, ""
}

// accessHeads gives how far the counts of these people have come; who is counted
// for the first time gets a key.
func (s *Store) accessHeads(ctx context.Context, tx *gorm.DB, rows []accessRow) (map[string]*accessHeadRow, error) {
	heads := map[string]*accessHeadRow{}
	var subjects []string
	for _, row := range rows {
		if heads[row.Subject] == nil {
			heads[row.Subject] = &accessHeadRow{Subject: row.Subject}
			subjects = append(subjects, row.Subject)
		}
	}
	err := s.query(ctx, tx, "SELECT subject, key, count FROM access_heads WHERE subject IN (SELECT subject FROM v)", func(found *sql.Rows) error {
		var head accessHeadRow
		err := found.Scan(&head.Subject, &head.Key, &head.Count)
		heads[head.Subject] = &head
		return err
	}, texts("subject", subjects))
	if err != nil {
		return nil, err
	}
	for _, head := range heads {
		if head.Key != nil {
			continue
		}
		head.Key = make([]byte, sha256.Size)
		if _, err := rand.Read(head.Key); err != nil {
			return nil, fmt.Errorf("make the key of links: %w", err)
		}
	}
	return heads, nil
}
