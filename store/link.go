package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"mianti/ledger"
)

// link counts, for everybody whom these entries are about, how many there are,
// and gives the entries' links: to whoever has the person's key each says that
// it is his next one, and to others nothing. See docs/ledger.md.
func (s *Store) link(ctx context.Context, tx *gorm.DB, ids []int64) (map[int64][]string, error) {
	const doing = "link entries"
	links := map[int64][]string{}
	for part := range slices.Chunk(ids, sealStatement) {
		least, most := spanOf(part)
		rows, err := table[accessRow](tx).Where("entry_id >= ? AND entry_id <= ? AND entry_id IN ?", least, most, part).Order("entry_id, subject").Find(ctx)
		if err != nil {
			return nil, translate(err, doing, things{})
		}
		if err := linkRows(ctx, tx, rows, links); err != nil {
			return nil, translate(err, doing, things{})
		}
	}
	for _, of := range links {
		slices.Sort(of) // their order says nothing
	}
	return links, nil
}

// linkRows links some accesses, and stores how far each person's count has come.
func linkRows(ctx context.Context, tx *gorm.DB, rows []accessRow, links map[int64][]string) error {
	if len(rows) == 0 {
		return nil
	}
	heads, err := accessHeads(ctx, tx, rows)
	if err != nil {
		return err
	}
	for i := range rows {
		head := heads[rows[i].Subject]
		head.Count++
		nth := head.Count
		rows[i].Nth, rows[i].Link = &nth, ledger.Link(head.Key, nth)
		links[rows[i].Entry] = append(links[rows[i].Entry], rows[i].Link)
	}
	given := clause.OnConflict{Columns: []clause.Column{{Name: "subject"}, {Name: "entry_id"}}, DoUpdates: clause.AssignmentColumns([]string{"nth", "link"})}
	if err := table[accessRow](tx, given).CreateInBatches(ctx, &rows, sealStatement); err != nil {
		return err
	}
	all := make([]accessHeadRow, 0, len(heads))
	for _, subject := range slices.Sorted(maps.Keys(heads)) {
		all = append(all, *heads[subject])
	}
	counted := clause.OnConflict{Columns: []clause.Column{{Name: "subject"}}, DoUpdates: clause.AssignmentColumns([]string{"count"})}
	return table[accessHeadRow](tx, counted).CreateInBatches(ctx, &all, sealStatement)
}

// accessHeads gives how far the counts of these people have come; who is counted
// for the first time gets a key.
func accessHeads(ctx context.Context, tx *gorm.DB, rows []accessRow) (map[string]*accessHeadRow, error) {
	heads := map[string]*accessHeadRow{}
	var subjects []string
	for _, row := range rows {
		if heads[row.Subject] == nil {
			heads[row.Subject] = &accessHeadRow{Subject: row.Subject}
			subjects = append(subjects, row.Subject)
		}
	}
	for part := range slices.Chunk(subjects, sealStatement) {
		known, err := table[accessHeadRow](tx).Where("subject IN ?", part).Find(ctx)
		if err != nil {
			return nil, err
		}
		for i := range known {
			heads[known[i].Subject] = &known[i]
		}
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
