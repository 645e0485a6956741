package store

import (
	"testing"
	"time"

	"mianti/ledger"
)

// TestDiagnose_SeesWhatWaits leaves work undone, and wants all of it to be seen.
func TestDiagnose_SeesWhatWaits(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		fresh, err := s.Diagnose(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if fresh.Waiting != 0 || fresh.JobsOverdue != 0 || !fresh.LastBackup.IsZero() || fresh.OpenAlarms != 0 || fresh.Version == "" || fresh.Bytes == 0 {
			t.Errorf("a fresh database: %+v", fresh)
		}
		if !fresh.SQLite && (!fresh.Superuser || !fresh.MayCreate || fresh.MaxConnections == 0 || fresh.Connections == 0 || len(fresh.Unguarded) != 0) {
			t.Errorf("a fresh PostgreSQL: %+v", fresh)
		}
		hourAgo := testTime.Add(-time.Hour)
		if err := s.Append(t.Context(), []ledger.Entry{{Kind: ledger.LogRead, At: hourAgo, Object: "log:1"}}); err != nil {
			t.Fatal(err)
		}
		if err := s.BackupMade(t.Context(), "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", hourAgo, 1, 2); err != nil {
			t.Fatal(err)
		}
		job := "INSERT INTO jobs (id, kind, key, payload, state, run_at, claimable_at, owner, attempts, reason, created_at, ended_at) VALUES "
		for _, row := range []string{"('j1', 'k', '', '', 'waiting', 0, ?, '', 0, '', 0, 0)", "('j2', 'k', '', '', 'failed', 0, ?, '', 0, '', 0, 1)"} {
			if err := s.db.Exec(job+row, At(hourAgo)).Error; err != nil {
				t.Fatal(err)
			}
		}
		d, err := s.Diagnose(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if d.Waiting != 1 || !d.OldestWaiting.Equal(hourAgo) || d.JobsOverdue != 1 || !d.OldestJob.Equal(hourAgo) || d.JobsFailed != 1 || !d.LastBackup.Equal(hourAgo) {
			t.Errorf("with work undone: %+v", d)
		}
	})
}
