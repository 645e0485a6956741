package store

import (
	"strings"
	"testing"
)

func TestLedger_RefusesEveryChange(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, statement string
		only            dialect // empty: both
	}{
		{"update", "UPDATE ledger_entries SET body = '{}'", ""},
		{"delete", "DELETE FROM ledger_entries", ""},
		{"upsert", "INSERT INTO ledger_entries (id, kind, case_id, resolution_id, at, body) %OVERRIDE% " +
			"VALUES (1, 'x', '', '', 0, '') ON CONFLICT (id) DO UPDATE SET body = '{}'", ""},
		{"replace", "REPLACE INTO ledger_entries (id, kind, case_id, resolution_id, at, body) " +
			"VALUES (1, 'x', '', '', 0, '')", dialectSQLite},
		{"replace without recursive triggers", "PRAGMA recursive_triggers = 0; " +
			"REPLACE INTO ledger_entries (id, kind, case_id, resolution_id, at, body) " +
			"VALUES (1, 'x', '', '', 0, '')", dialectSQLite},
		{"truncate", "TRUNCATE ledger_entries", dialectPostgres},
		{"as a replica", "SET session_replication_role = replica; UPDATE ledger_entries SET kind = 'x'", dialectPostgres},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			eachStore(t, func(t *testing.T, s *Store) {
				if tt.only != "" && tt.only != s.dialect {
					t.Skip("no such statement in this dialect")
				}
				addEntries(t, s, "first", "second")
				overriding := map[dialect]string{dialectPostgres: "OVERRIDING SYSTEM VALUE"}[s.dialect]
				_, err := s.pool.ExecContext(t.Context(), strings.ReplaceAll(tt.statement, "%OVERRIDE%", overriding))
				if err == nil || !strings.Contains(err.Error(), "append-only") {
					t.Errorf("error = %v, want a refusal", err)
				}
				wantEntries(t, s, "first", "second")
			})
		})
	}
}

func TestLedger_NumbersEntriesInTheirOrder(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		addEntries(t, s, "first", "second", "third")
		wantEntries(t, s, "first", "second", "third")
	})
}

func addEntries(t *testing.T, s *Store, kinds ...string) {
	t.Helper()
	for i, kind := range kinds {
		row := entryRow{Kind: kind, At: At(testTime), Body: "{}"}
		if err := table[entryRow](s.db).Create(t.Context(), &row); err != nil {
			t.Fatal(err)
		}
		if row.ID != int64(i+1) {
			t.Errorf("entry %q has number %d, want %d", kind, row.ID, i+1)
		}
	}
}

func wantEntries(t *testing.T, s *Store, kinds ...string) {
	t.Helper()
	rows, err := table[entryRow](s.db).Order("id").Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, row := range rows {
		if row.Body != "{}" || row.At != At(testTime) {
			t.Errorf("entry %d was changed", row.ID)
		}
		got = append(got, row.Kind)
	}
	if strings.Join(got, ",") != strings.Join(kinds, ",") {
		t.Errorf("entries = %v, want %v", got, kinds)
	}
}
