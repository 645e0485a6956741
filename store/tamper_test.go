package store

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"mianti/ledger"
)

// The log of these tests has 600 entries, numbered from 1, in places from 0,
// sealed by the hundred.
const (
	tamperEntries = 600
	tamperBatch   = 100
)

func sealHundreds(t *testing.T, s *Store) ledger.Checkpoint {
	t.Helper()
	var last ledger.Checkpoint
	for range tamperEntries / tamperBatch {
		appendN(t, s, tamperBatch)
		last = sealAll(t, s, 2*tamperBatch)
	}
	return last
}

// disarm takes away what keeps the tables from being changed, as only the
// owner of the database can.
func disarm(t *testing.T, s *Store) {
	t.Helper()
	tables := []string{"ledger_entries", "ledger_leaves", "ledger_nodes", "ledger_checkpoints", "ledger_keys"}
	if s.dialect == dialectPostgres {
		for _, table := range tables {
			execute(t, s, "ALTER TABLE "+table+" DISABLE TRIGGER ALL")
		}
		return
	}
	var triggers []string
	if err := s.db.Raw("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name IN ?", tables).Scan(&triggers).Error; err != nil {
		t.Fatal(err)
	}
	for _, trigger := range triggers {
		execute(t, s, "DROP TRIGGER "+trigger)
	}
}

func execute(t *testing.T, s *Store, statement string) {
	t.Helper()
	if _, err := s.pool.ExecContext(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// shift moves the places from one on, by way of places that are free.
func shift(from, by int) string {
	return fmt.Sprintf("UPDATE ledger_leaves SET place = place + 1000000 WHERE place >= %d; UPDATE ledger_leaves SET place = place - %d WHERE place >= 1000000",
		from, 1000000-by)
}

func swap(a, b int) string {
	return fmt.Sprintf("UPDATE ledger_leaves SET place = 1000000 WHERE place = %[1]d; UPDATE ledger_leaves SET place = %[1]d WHERE place = %[2]d; "+
		"UPDATE ledger_leaves SET place = %[2]d WHERE place = 1000000", a, b)
}

// TestVerify_NamesWhatWasDone does to the database what only its owner can, and
// wants to be told which entry it was.
func TestVerify_NamesWhatWasDone(t *testing.T) {
	t.Parallel()
	const insertEntry = "INSERT INTO ledger_entries (kind, case_id, resolution_id, at, body) " +
		"SELECT kind, case_id, resolution_id, at, body FROM ledger_entries WHERE id = 7"
	tests := []struct {
		name, statement string
		want            ledger.Fault // the first; without its words
	}{
		{"entry changed", `UPDATE ledger_entries SET body = replace(body, 'SPJ', 'GAJ') WHERE id = 301`,
			ledger.Fault{Kind: ledger.Changed, From: 300, To: 300, EntryID: 301}},
		{"entry changed by a space", `UPDATE ledger_entries SET body = body || ' ' WHERE id = 600`,
			ledger.Fault{Kind: ledger.Changed, From: 599, To: 599, EntryID: 600}},
		{"hidden from its case", `UPDATE ledger_entries SET case_id = 'other' WHERE id = 301`,
			ledger.Fault{Kind: ledger.Changed, From: 300, To: 300, EntryID: 301}},
		{"hidden by its kind", `UPDATE ledger_entries SET kind = 'read' WHERE id = 1`,
			ledger.Fault{Kind: ledger.Changed, From: 0, To: 0, EntryID: 1}},
		{"two entries exchanged", `UPDATE ledger_entries SET body = (SELECT body FROM ledger_entries o WHERE o.id = 302) WHERE id = 301`,
			ledger.Fault{Kind: ledger.Changed, From: 300, To: 300, EntryID: 301}},
		{"link changed", `UPDATE ledger_leaves SET links = 'ab' WHERE place = 300`,
			ledger.Fault{Kind: ledger.Changed, From: 300, To: 300, EntryID: 301}},
		{"entry removed", `DELETE FROM ledger_entries WHERE id = 301`,
			ledger.Fault{Kind: ledger.Removed, From: 300, To: 300, EntryID: 301}},
		{"leaf removed", `DELETE FROM ledger_leaves WHERE place = 300`,
			ledger.Fault{Kind: ledger.Removed, From: 300, To: 300}},
		{"first removed", `DELETE FROM ledger_leaves WHERE place = 0; DELETE FROM ledger_entries WHERE id = 1`,
			ledger.Fault{Kind: ledger.Removed, From: 0, To: 0}},
		{"removed, the rest moved up", `DELETE FROM ledger_leaves WHERE place = 300; DELETE FROM ledger_entries WHERE id = 301; ` + shift(301, -1),
			ledger.Fault{Kind: ledger.Removed, From: 300, To: 300}},
		{"neighbours swapped", swap(300, 301), ledger.Fault{Kind: ledger.Reordered, From: 300, To: 300, EntryID: 302}},
		{"far ones swapped", swap(100, 500), ledger.Fault{Kind: ledger.Reordered, From: 100, To: 100, EntryID: 501}},
		{"entry slipped in", insertEntry, ledger.Fault{Kind: ledger.Inserted, From: -1, To: -1, EntryID: 601}},
		{"leaf slipped in at the end", insertEntry + `; INSERT INTO ledger_leaves (place, entry_id, hash, links) SELECT 600, 601, hash, '' FROM ledger_leaves WHERE place = 6`,
			ledger.Fault{Kind: ledger.Inserted, From: 600, To: 600, EntryID: 601}},
		{"tail cut", `DELETE FROM ledger_leaves WHERE place >= 590; DELETE FROM ledger_entries WHERE id > 590`,
			ledger.Fault{Kind: ledger.Cut, From: 590, To: 590}},
		{"everything cut", `DELETE FROM ledger_leaves; DELETE FROM ledger_entries`, ledger.Fault{Kind: ledger.Cut, From: 0, To: 0}},
		{"hash of the tree changed", `UPDATE ledger_nodes SET hash = (SELECT hash FROM ledger_leaves WHERE place = 0) WHERE place = 1`,
			ledger.Fault{Kind: ledger.Changed, From: -1, To: -1}},
		{"checkpoint changed", `UPDATE ledger_checkpoints SET note = replace(note, 'mianti.example', 'other.example') WHERE number = 3`,
			ledger.Fault{Kind: ledger.Unsigned, From: -1, To: -1}},
		{"checkpoint removed", `DELETE FROM ledger_checkpoints WHERE number = 3`, ledger.Fault{Kind: ledger.Removed, From: -1, To: -1}},
	}
	eachStore(t, func(t *testing.T, s *Store) {
		sealHundreds(t, s)
		if report := verify(t, s); len(report.Faults) > 0 || report.Size != tamperEntries || report.Checkpoints != tamperEntries/tamperBatch {
			t.Fatalf("before anything is done: %+v", report)
		}
		disarm(t, s)
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				wantFault(t, inATransaction(t, s, tt.statement), tt.want)
			})
		}
		t.Run("nothing is left of it", func(t *testing.T) { wantGreen(t, s, tamperEntries) })
	})
}

// inATransaction verifies the log as it is after the statements, and undoes
// them.
func inATransaction(t *testing.T, s *Store, statements string) ledger.Report {
	t.Helper()
	tx := s.db.WithContext(t.Context()).Begin()
	defer tx.Rollback()
	for statement := range strings.SplitSeq(statements, "; ") {
		if err := tx.Exec(statement).Error; err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	return verify(t, &Store{db: tx, dialect: s.dialect, now: s.now})
}

func wantFault(t *testing.T, report ledger.Report, want ledger.Fault) {
	t.Helper()
	if len(report.Faults) == 0 {
		t.Fatal("nothing was found")
	}
	got := report.Faults[0]
	if got.String() == "" {
		t.Error("the fault has no words")
	}
	if got.WhatElse = ""; got != want {
		t.Errorf("found %+v, want %+v", report.Faults, want)
	}
}

// Who puts an entry in with a hash that fits moves all that follow.
func TestVerify_NamesWhatWasPutIn(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		sealHundreds(t, s)
		disarm(t, s)
		body := `{"kind":"intent","at":"2026-11-23T09:30:00.123456Z","case":"forged"}`
		h := ledger.Leaf{Index: 300, Entry: []byte(body)}.Hash()
		execute(t, s, shift(300, 1))
		execute(t, s, fmt.Sprintf("INSERT INTO ledger_entries (kind, case_id, resolution_id, at, body) VALUES ('intent', 'forged', '', %d, '%s')", At(testTime), body))
		if err := s.db.Create(&leafRow{Place: 300, EntryID: tamperEntries + 1, Hash: h[:]}).Error; err != nil {
			t.Fatal(err)
		}
		wantFault(t, verify(t, s), ledger.Fault{Kind: ledger.Inserted, From: 300, To: 300})
	})
}

// Who changes an entry and its hash with it meets the tree, and then what was
// published: it was one of those that were sealed together.
func TestVerify_FindsAChangeWhoseHashFits(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		sealHundreds(t, s)
		disarm(t, s)
		rewrite(t, s, 301)
		wantFault(t, verify(t, s), ledger.Fault{Kind: ledger.Rewritten, From: 300, To: 399})
	})
}

// rewrite changes an entry and its leaf, consistently.
func rewrite(t *testing.T, s *Store, id int64) {
	t.Helper()
	execute(t, s, fmt.Sprintf("UPDATE ledger_entries SET body = replace(body, 'SPJ', 'GAJ') WHERE id = %d", id))
	rows, err := NewLog(s).Rows(t.Context(), id-1, 1)
	if err != nil || len(rows) != 1 {
		t.Fatal(rows, err)
	}
	h := ledger.Leaf{Index: id - 1, Entry: rows[0].Entry, Links: rows[0].Links}.Hash()
	if err := s.db.Model(&leafRow{}).Where("place = ?", id-1).Update("hash", h[:]).Error; err != nil {
		t.Fatal(err)
	}
}

// Who has the key as well can write the whole log anew: only what somebody has
// kept tells.
func TestVerify_FindsARewrittenLogByWhatWasKept(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		sealHundreds(t, s)
		kept, err := NewLog(s).Published(t.Context(), 3, 1)
		if err != nil {
			t.Fatal(err)
		}
		old, err := ledger.ReadCheckpoint(kept[0].Note)
		if err != nil {
			t.Fatal(err)
		}
		disarm(t, s)
		execute(t, s, "UPDATE ledger_entries SET body = replace(body, 'SPJ', 'GAJ') WHERE id = 301")
		writeLogAnew(t, s)
		now := sealAll(t, s, 100)
		wantGreen(t, s, tamperEntries)
		wantFault(t, verify(t, s, old), ledger.Fault{Kind: ledger.Rewritten, From: 0, To: 399})
		proof, err := ledger.ProveConsistency(t.Context(), NewLog(s), now, old.Size)
		if err != nil {
			t.Fatal(err)
		}
		if err := ledger.CheckConsistency(old.Tree, now.Tree, proof); err == nil {
			t.Error("the rewritten log proves that it has only grown")
		}

		// The same, but the entry is as it was: then it has only grown.
		execute(t, s, "UPDATE ledger_entries SET body = replace(body, 'GAJ', 'SPJ') WHERE id = 301")
		writeLogAnew(t, s)
		again := sealAll(t, s, 100)
		if proof, err = ledger.ProveConsistency(t.Context(), NewLog(s), again, old.Size); err != nil {
			t.Fatal(err)
		}
		if err := ledger.CheckConsistency(old.Tree, again.Tree, proof); err != nil {
			t.Errorf("the log as it was: %v", err)
		}

		// And the end cut off, with the checkpoints that tell of it.
		execute(t, s, "DELETE FROM ledger_entries WHERE id > 350")
		writeLogAnew(t, s)
		sealAll(t, s, 100)
		wantGreen(t, s, 350)
		wantFault(t, verify(t, s, old), ledger.Fault{Kind: ledger.Cut, From: 350, To: 350})
	})
}

// writeLogAnew has all entries wait again, and forgets what was sealed.
func writeLogAnew(t *testing.T, s *Store) {
	t.Helper()
	for _, table := range []string{"ledger_leaves", "ledger_nodes", "ledger_checkpoints", "ledger_pending"} {
		execute(t, s, "DELETE FROM "+table)
	}
	execute(t, s, "INSERT INTO ledger_pending (entry_id) SELECT id FROM ledger_entries")
}

func TestLog_RefusesEveryChange(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		sealHundreds(t, s)
		for _, table := range []string{"ledger_leaves", "ledger_nodes", "ledger_checkpoints", "ledger_keys"} {
			for _, statement := range []string{"DELETE FROM %[1]s", "UPDATE %[1]s SET %[2]s = %[2]s", "REPLACE INTO %[1]s SELECT * FROM %[1]s", "TRUNCATE %[1]s"} {
				if s.dialect == dialectPostgres == strings.HasPrefix(statement, "REPLACE") || s.dialect == dialectSQLite && strings.HasPrefix(statement, "TRUNCATE") {
					continue
				}
				column := map[string]string{"ledger_checkpoints": "note", "ledger_keys": "vkey"}[table]
				if column == "" {
					column = "hash"
				}
				_, err := s.pool.ExecContext(t.Context(), fmt.Sprintf(statement, table, column))
				if err == nil || !strings.Contains(err.Error(), "append-only") {
					t.Errorf("%s of %s: %v, want a refusal", statement, table, err)
				}
			}
		}
		wantGreen(t, s, tamperEntries)
	})
}

// growingLog is a log that is in use: more is sealed when the verification has come
// to the end of what it saw.
type growingLog struct {
	*Log
	grow func()
}

func (g *growingLog) Rows(ctx context.Context, from int64, limit int) ([]ledger.Row, error) {
	if from == tamperEntries && g.grow != nil {
		g.grow()
		g.grow = nil
	}
	return g.Log.Rows(ctx, from, limit)
}

// What is sealed while a log is verified is not taken for an insertion.
func TestVerify_OfALogThatGrowsMeanwhile(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		sealHundreds(t, s)
		keys, err := ledger.ParseKeys([]string{testSigner(t).VKey()})
		if err != nil {
			t.Fatal(err)
		}
		grown := false
		record := &growingLog{Log: NewLog(s), grow: func() {
			appendN(t, s, 3)
			sealAll(t, s, 10)
			grown = true
		}}
		report, err := ledger.Verification{Keys: keys}.Verify(t.Context(), record)
		if err != nil {
			t.Fatal(err)
		}
		if !grown || len(report.Faults) > 0 || report.Size != tamperEntries {
			t.Errorf("grown %v, %d entries, faults %v; want %d and none", grown, report.Size, report.Faults, tamperEntries)
		}
	})
}
