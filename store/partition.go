package store

import (
	"context"
	"fmt"
	"math/bits"
	"time"

	"gorm.io/gorm"
)

// Partition (分区) says how far the partitions of a table reach ahead of what is
// written to it.
type Partition struct {
	// Table is the partitioned table.
	Table string
	// Partitions is how many it has.
	Partitions int
	// Left is how much more it takes: entries for a table by their number, seconds
	// for a table by time. At 0 the next insertion is refused, or goes beside.
	Left int64
	// Low says that less is left than there should be: nobody has made more.
	Low bool
}

// partitionLock names the advisory lock of PostgreSQL that who makes partitions holds.
const partitionLock = sealingLock + 1

const (
	// leastWidth and mostWidth bound how many entries a partition takes. In between it
	// takes about what comes in a month (PartitionTerm). The index of accesses by person,
	// into which rows go everywhere, has to stay in memory: 9 GB for the widest.
	leastWidth int64 = 1 << 24
	mostWidth  int64 = 1 << 26
	// PartitionTerm is how long a partition is meant to last.
	PartitionTerm = 30 * 24 * time.Hour
	// partitionsAhead is how many whole partitions there are beyond the one in use.
	partitionsAhead = 2
)

// byNumber are the tables in partitions of the entries' numbers, and the column that
// has it.
func byNumber() []struct{ table, key string } {
	return []struct{ table, key string }{{"ledger_entries", "id"}, {"accesses", "entry_id"}, {"dataset_uses", "entry_id"}}
}

// callsTable is in partitions of months.
const callsTable = "source_calls"

// KeepPartitions makes the partitions that will be needed next, and says how far they
// reach. Every node may call it at any time: the database lets one do the work, and a
// failure leaves what there is, which lasts for some partitions more. On SQLite there
// is nothing to do.
func (s *Store) KeepPartitions(ctx context.Context) ([]Partition, error) {
	if s.dialect != dialectPostgres {
		return nil, nil
	}
	err := s.transact(ctx, func(tx *gorm.DB) error {
		mine := false
		if err := tx.Raw("SELECT pg_try_advisory_xact_lock(?)", partitionLock).Row().Scan(&mine); err != nil || !mine {
			return translate(err, "take the lock of partitions", things{})
		}
		if err := s.addByNumber(ctx, tx); err != nil {
			return err
		}
		return s.addMonths(ctx, tx)
	})
	if err != nil {
		return nil, err
	}
	return s.Partitions(ctx)
}

// Partitions says how far the partitions of each table reach; none on SQLite.
func (s *Store) Partitions(ctx context.Context) ([]Partition, error) {
	if s.dialect != dialectPostgres {
		return nil, nil
	}
	last, err := lastEntry(ctx, s.db)
	if err != nil {
		return nil, err
	}
	var out []Partition
	for _, t := range byNumber() {
		bounds, err := boundsOf(ctx, s.db, t.table)
		if err != nil {
			return nil, err
		}
		p := Partition{Table: t.table, Partitions: bounds.N, Left: max(bounds.Past-1-last.ID, 0)}
		p.Low = p.Left < leastWidth/2
		out = append(out, p)
	}
	bounds, err := boundsOf(ctx, s.db, callsTable)
	if err != nil {
		return nil, err
	}
	left := max(Timestamp(bounds.Past).Time().Sub(s.now()), 0)
	return append(out, Partition{Table: callsTable, Partitions: bounds.N, Left: int64(left.Seconds()), Low: left < 7*24*time.Hour}), nil
}

// bounds are where the partitions of a table begin and end.
type bounds struct {
	N      int
	Newest int64 // where the last one begins; 0 for the first
	Past   int64 // where it ends
}

// boundsOf reads the bounds from the database's own catalog. A default partition has
// none and is counted alone.
func boundsOf(ctx context.Context, db *gorm.DB, table string) (bounds, error) {
	const statement = `SELECT count(*) AS n, COALESCE(MAX((regexp_match(bound, 'FROM \([^)0-9]*(\d+)'))[1]::bigint), 0) AS newest,
	COALESCE(MAX((regexp_match(bound, 'TO \([^)0-9]*(\d+)'))[1]::bigint), 0) AS past
FROM (SELECT pg_get_expr(c.relpartbound, c.oid) AS bound FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = ?::regclass) AS p`
	var b bounds
	err := db.WithContext(ctx).Raw(statement, table).Scan(&b).Error
	return b, translate(err, "read the partitions of "+table, things{})
}

// numbered is an entry's number and when it was made.
type numbered struct {
	ID int64
	At int64
}

// lastEntry gives the newest entry, empty for none.
func lastEntry(ctx context.Context, db *gorm.DB) (numbered, error) {
	var last numbered
	err := db.WithContext(ctx).Raw("SELECT id, at FROM ledger_entries ORDER BY id DESC LIMIT 1").Scan(&last).Error
	return last, translate(err, "read the newest entry", things{})
}

// addByNumber makes partitions of the entries' numbers, the same for each table.
func (s *Store) addByNumber(ctx context.Context, tx *gorm.DB) error {
	last, err := lastEntry(ctx, tx)
	if err != nil {
		return err
	}
	width, err := s.width(ctx, tx, last)
	if err != nil {
		return err
	}
	for _, t := range byNumber() {
		b, err := boundsOf(ctx, tx, t.table)
		if err != nil {
			return err
		}
		for b.Past-last.ID <= partitionsAhead*width {
			if err := addPartition(ctx, tx, t.table, fmt.Sprintf("from_%d", b.Past), b.Past, b.Past+width); err != nil {
				return err
			}
			b.Past += width
		}
	}
	return nil
}

// width is how many entries the next partition takes: what comes in a month, at the
// pace of the last entries, as a power of two.
func (s *Store) width(ctx context.Context, tx *gorm.DB, last numbered) (int64, error) {
	const span = 1 << 20 // entries that tell the pace
	var earlier numbered
	err := tx.WithContext(ctx).Raw("SELECT id, at FROM ledger_entries WHERE id <= ? ORDER BY id DESC LIMIT 1", max(last.ID-span, 0)).Scan(&earlier).Error
	if err != nil {
		return 0, translate(err, "read an earlier entry", things{})
	}
	return widthAt(last.ID-earlier.ID, time.Duration(last.At-earlier.At)*time.Microsecond, earlier.ID > 0), nil
}

// widthAt gives the width for so many entries in so long a time.
func widthAt(entries int64, in time.Duration, known bool) int64 {
	if !known || in <= 0 {
		return leastWidth
	}
	month := int64(float64(entries) * (float64(PartitionTerm) / float64(in)))
	if month >= mostWidth {
		return mostWidth
	}
	return max(1<<bits.Len64(uint64(max(month, 1)-1)), leastWidth)
}

// addMonths makes partitions of months for the calls to sources.
func (s *Store) addMonths(ctx context.Context, tx *gorm.DB) error {
	b, err := boundsOf(ctx, tx, callsTable)
	if err != nil {
		return err
	}
	now := s.now().UTC()
	ahead := time.Date(now.Year(), now.Month()+partitionsAhead+1, 1, 0, 0, 0, 0, time.UTC)
	for begin := Timestamp(b.Past).Time().UTC(); begin.Before(ahead); begin = begin.AddDate(0, 1, 0) {
		if err := addPartition(ctx, tx, callsTable, begin.Format("p200601"), int64(At(begin)), int64(At(begin.AddDate(0, 1, 0)))); err != nil {
			return err
		}
	}
	return nil
}

// addPartition has the database make a partition: the function is in the migrations.
func addPartition(ctx context.Context, tx *gorm.DB, table, label string, from, past int64) error {
	err := tx.WithContext(ctx).Exec("SELECT add_partition(?, ?, ?, ?)", table, label, from, past).Error
	return translate(err, "make a partition of "+table, things{})
}

// dropMonths drops the months of calls that end before a moment. That it cannot wait
// for who reads them is no failure: the rows are deleted one by one then.
func (s *Store) dropMonths(ctx context.Context, before time.Time) {
	if s.dialect != dialectPostgres {
		return
	}
	_ = s.transact(ctx, func(tx *gorm.DB) error {
		return tx.Exec("SELECT drop_calls(?)", int64(At(before))).Error
	})
}

// spanOf gives the least and the greatest of some numbers, of which there is one at
// least. A condition by both beside a list of numbers lets the database leave other
// partitions out before it looks at any.
func spanOf(ids []int64) (least, most int64) {
	least, most = ids[0], ids[0]
	for _, id := range ids[1:] {
		least, most = min(least, id), max(most, id)
	}
	return least, most
}
