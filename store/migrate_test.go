package store

import (
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gorm.io/gorm"

	"mianti/internal/fault"
	"mianti/internal/pgtest"
)

// rowTypes are the rows of all tables.
func rowTypes() []any {
	return []any{
		revisionRow{}, partRow{}, pathRow{}, matterRow{}, systemRow{}, grantRow{}, caseRow{}, resultRow{}, resolutionRow{},
		submissionRow{}, entryRow{}, idempotencyRow{}, assertionRow{},
		jobRow{}, endpointRow{}, assistRow{}, versionRow{}, callRow{}, snapshotRow{}, snapshotBody{}, credentialRow{}, revokedRow{},
		sharingRow{}, consentRow{}, caseKeyRow{}, correctionRow{}, correctedFieldRow{}, draftRow{}, draftEditRow{}, releaseRow{}, viewerRow{},
		batchRow{}, batchRowRow{}, batchKeyRow{},
		mappingRow{},
		personRow{}, dutyRow{}, sessionRow{},
		inputsRow{}, followUpRow{}, actRow{},
		secretRow{}, accessRow{}, accessHeadRow{},
		anchorRow{}, troubleRow{}, backupRow{}, compatibilityRow{},
		materialCountRow{}, caseCountRow{}, useRow{}, useCountRow{}, callCountRow{},
		pendingRow{}, leafRow{}, nodeRow{}, checkpointRow{}, logKeyRow{},
		fileLinkRow{}, noticeRow{}, grantSetRow{}, stopRow{}, quotaRow{}, usageRow{}, subjectRow{}, alarmRow{}, loginRow{},
	}
}

func TestMigrate_MakesTheColumnsThatTheRowsName(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		for _, row := range rowTypes() {
			statement := &gorm.Statement{DB: s.db}
			if err := statement.Parse(row); err != nil {
				t.Fatal(err)
			}
			columns, err := s.db.Migrator().ColumnTypes(row)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, column := range columns {
				got = append(got, column.Name())
			}
			want := slices.Sorted(slices.Values(statement.Schema.DBNames))
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("columns of %s (-row +table):\n%s", statement.Table, diff)
			}
		}
	})
}

func TestMigrate_LeavesNoTableWithoutARow(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		known := map[string]bool{"goose_db_version": true, "sqlite_sequence": true}
		for _, row := range rowTypes() {
			statement := &gorm.Statement{DB: s.db}
			if err := statement.Parse(row); err != nil {
				t.Fatal(err)
			}
			known[statement.Table] = true
		}
		tables, err := s.db.Migrator().GetTables()
		if err != nil {
			t.Fatal(err)
		}
		if len(tables) < len(rowTypes()) {
			t.Errorf("only %d tables: %v", len(tables), tables)
		}
		var partitions []string // are tables too
		if s.dialect == dialectPostgres {
			if err := s.db.Raw("SELECT inhrelid::regclass::text FROM pg_inherits").Scan(&partitions).Error; err != nil {
				t.Fatal(err)
			}
		}
		for _, table := range tables {
			if !known[table] && !slices.Contains(partitions, table) {
				t.Errorf("table %s has no row type", table)
			}
		}
	})
}

func TestMigrate_ChangesNothingTheSecondTime(t *testing.T) {
	t.Parallel()
	eachURL(t, func(t *testing.T, url string) {
		s := openStore(t, Config{URL: url, Now: testClock})
		saveSystem(t, s, "spj-1")
		if err := Migrate(t.Context(), url); err != nil {
			t.Fatal(err)
		}
		if _, err := s.System(t.Context(), "spj-1"); err != nil {
			t.Error(err)
		}
	})
}

func TestMigrate_LetsInstancesStartTogether(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	s := openStore(t, Config{URL: url, Now: testClock})
	if _, err := s.pool.ExecContext(t.Context(), "DROP SCHEMA public CASCADE; CREATE SCHEMA public"); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 3 {
		group.Go(func() {
			if err := Migrate(t.Context(), url); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	openStore(t, Config{URL: url, Now: testClock})
}

func TestMigrate_KeepsTheFileToItsOwner(t *testing.T) {
	t.Parallel()
	url := newSQLiteURL(t)
	if err := Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	s := openStore(t, Config{URL: url, Now: testClock})
	saveSystem(t, s, "spj-1")
	path := strings.TrimPrefix(url, "sqlite:")
	for _, suffix := range []string{"", "-wal"} {
		info, err := os.Stat(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != 0o600 {
			t.Errorf("rights of the file%s = %o, want 600", suffix, got)
		}
	}
}

func TestOpen_RefusesASchemaOfAnotherVersion(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, statement, code string }{
		{"older", "DELETE FROM goose_db_version WHERE version_id > 0", "schema-outdated"},
		{"never migrated", "DROP TABLE goose_db_version", "schema-outdated"},
		{"newer", "INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, true)", "schema-newer"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			eachURL(t, func(t *testing.T, url string) {
				s := openStore(t, Config{URL: url, Now: testClock})
				if err := s.db.Exec(tt.statement).Error; err != nil {
					t.Fatal(err)
				}
				_, err := Open(t.Context(), Config{URL: url, Now: testClock})
				refused := fault.As(err)
				if refused == nil || refused.Code != tt.code {
					t.Fatalf("Open: %v, want code %s", err, tt.code)
				}
				if !strings.Contains(refused.Message, migrateCommand) {
					t.Errorf("message %q does not say what to run", refused.Message)
				}
			})
		})
	}
}

func TestMigrate_RefusesANewerSchema(t *testing.T) {
	t.Parallel()
	eachURL(t, func(t *testing.T, url string) {
		s := openStore(t, Config{URL: url, Now: testClock})
		newer := "INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, true)"
		if err := s.db.Exec(newer).Error; err != nil {
			t.Fatal(err)
		}
		if err := Migrate(t.Context(), url); !errors.Is(err, fault.Conflict) {
			t.Errorf("Migrate: %v, want a conflict", err)
		}
	})
}
