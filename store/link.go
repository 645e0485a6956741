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
	"strings"

	"gorm.io/gorm"

	"mianti/ledger"
)

// link counts, for everybody whom these entries are about, how many there are,
// and gives the entries' links: to whoever has the person's key each says that
// it is his next one, and to others nothing. See docs/ledger.md.
func (s *Store) link(ctx context.Context, tx *gorm.DB, ids []int64) (map[int64][]string, error) {
	const doing = "link entries"
	links := map[int64][]string{}
	rows, err := s.accessesOf(ctx, tx, ids)
	if err != nil {
		return nil, translate(err, doing, things{})
	}
	if err := s.linkRows(ctx, tx, rows, links); err != nil {
		return nil, translate(err, doing, things{})
	}
	for _, of := range links {
		slices.Sort(of) // their order says nothing
	}
	return links, nil
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

// linkRows links some accesses, and stores how far each person's count has come.
func (s *Store) linkRows(ctx context.Context, tx *gorm.DB, rows []accessRow, links map[int64][]string) error {
	if len(rows) == 0 {
		return nil
	}
	heads, err := s.accessHeads(ctx, tx, rows)
	if err != nil {
		return err
	}
	subjects, ids, nths, given := make([]string, len(rows)), make([]int64, len(rows)), make([]int64, len(rows)), make([]string, len(rows))
	for i := range rows {
		head := heads[rows[i].Subject]
		head.Count++
		subjects[i], ids[i], nths[i], given[i] = rows[i].Subject, rows[i].Entry, head.Count, ledger.Link(head.Key, head.Count)
		links[rows[i].Entry] = append(links[rows[i].Entry], given[i])
	}
	// They are there: by their key they are found in the partition that has them.
	err = s.exec(ctx, tx, `INSERT INTO accesses (subject, entry_id, case_id, nth, link) SELECT subject, entry_id, '', nth, link FROM v WHERE true
ON CONFLICT (subject, entry_id) DO UPDATE SET nth = excluded.nth, link = excluded.link`,
		texts("subject", subjects), ints("entry_id", ids), ints("nth", nths), texts("link", given))
	if err != nil {
		return err
	}
	return s.saveHeads(ctx, tx, heads)
}

func (s *Store) saveHeads(ctx context.Context, tx *gorm.DB, heads map[string]*accessHeadRow) error {
	var subjects []string
	var keys [][]byte
	var counts []int64
	for _, subject := range slices.Sorted(maps.Keys(heads)) {
		subjects, keys, counts = append(subjects, subject), append(keys, heads[subject].Key), append(counts, heads[subject].Count)
	}
	return s.insertAll(ctx, tx, "access_heads", "ON CONFLICT (subject) DO UPDATE SET count = excluded.count", texts("subject", subjects), blobs("key", keys), ints("count", counts))
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
