package store

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"mianti/internal/fault"
	"mianti/internal/pgtest"
)

// newerBy makes a database look as after a migration of a later program.
func newerBy(t *testing.T, s *Store, version, oldest int64) {
	t.Helper()
	statements := []string{fmt.Sprintf("INSERT INTO goose_db_version (version_id, is_applied) VALUES (%d, true)", version)}
	if oldest > 0 {
		statements = append(statements, fmt.Sprintf("INSERT INTO schema_compatibility (version, oldest) VALUES (%d, %d);", version, oldest))
	}
	for _, statement := range statements {
		if err := s.db.Exec(statement).Error; err != nil {
			t.Fatal(err)
		}
	}
}

func TestOpen_GoesOnUnderANewerSchemaThatBearsIt(t *testing.T) {
	t.Parallel()
	mine := SchemaVersion()
	tests := []struct {
		name  string
		newer [][2]int64 // version and oldest
		want  string     // the code of the refusal
	}{
		{"expanded", [][2]int64{{998, mine}}, ""},
		{"expanded twice", [][2]int64{{998, mine}, {999, mine - 1}}, ""},
		{"expanded, then contracted", [][2]int64{{998, mine}, {999, 998}}, "schema-newer"},
		{"one says nothing", [][2]int64{{998, 0}, {999, mine}}, "schema-newer"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			eachURL(t, func(t *testing.T, url string) {
				s := openStore(t, Config{URL: url, Now: testClock})
				for _, n := range tt.newer {
					newerBy(t, s, n[0], n[1])
				}
				opened, err := Open(t.Context(), Config{URL: url, Now: testClock})
				code := ""
				if refused := fault.As(err); refused != nil {
					code = refused.Code
				}
				if code != tt.want || (err == nil) != (tt.want == "") {
					t.Fatalf("Open: %v, want code %q", err, tt.want)
				}
				if err == nil && opened.Close() != nil {
					t.Error("not closed")
				}
				if err := Migrate(t.Context(), url); (err == nil) != (tt.want == "") {
					t.Errorf("Migrate by the earlier program: %v", err)
				}
			})
		})
	}
}

func TestMigrationPlan_SaysWhoMayGoOn(t *testing.T) {
	t.Parallel()
	expand, contract := Migration{Version: 41, Oldest: 40}, Migration{Version: 42, Oldest: 41}
	tests := []struct {
		name    string
		pending []Migration
		schema  int64
		want    bool
	}{
		{"nothing pending", nil, 40, true},
		{"an expansion bears the program before it", []Migration{expand}, 40, true},
		{"and not one of before that", []Migration{expand}, 39, false},
		{"a contraction does not", []Migration{expand, contract}, 40, false},
		{"but the program that came with the expansion", []Migration{expand, contract}, 41, true},
		{"the newest", []Migration{expand, contract}, 42, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := MigrationPlan{Pending: tt.pending, Running: []Running{{Schema: tt.schema, Connections: 3}}}
			if got := p.Bears(tt.schema); got != tt.want {
				t.Errorf("Bears(%d) = %v, want %v", tt.schema, got, tt.want)
			}
			if got := len(p.Stranded()) == 0; got != tt.want {
				t.Errorf("Stranded = %v", p.Stranded())
			}
		})
	}
}

func TestPlanMigration_ListsWhatWouldRun(t *testing.T) {
	t.Parallel()
	missing, err := PlanMigration(t.Context(), newSQLiteURL(t))
	if err != nil || missing.Found != 0 || len(missing.Pending) < 20 {
		t.Fatalf("of a file that is not there: %+v, %v; want all pending", missing, err)
	}
	if first := missing.Pending[0]; first.Version != 1 || first.Oldest != 1 || first.Name != "00001_schema" {
		t.Errorf("the first is %+v", first)
	}
	eachURL(t, func(t *testing.T, url string) {
		p, err := PlanMigration(t.Context(), url)
		if err != nil || p.Found != p.Wanted || len(p.Pending) != 0 {
			t.Errorf("of a migrated database: %+v, %v; want nothing pending", p, err)
		}
	})
}

// TestPlanMigration_SeesProgramsThatAreConnected wants a program to be seen by the
// schema that it was made for, under which its connections name it.
func TestPlanMigration_SeesProgramsThatAreConnected(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	older := openStore(t, Config{URL: url + "&application_name=mianti%2F12", Now: testClock})
	this := openStore(t, Config{URL: url, Now: testClock})
	for _, s := range []*Store{older, this} {
		if err := s.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	p, err := PlanMigration(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	var seen []int64
	for _, r := range p.Running {
		if r.Connections > 0 {
			seen = append(seen, r.Schema)
		}
	}
	if !slices.Equal(seen, []int64{12, SchemaVersion()}) {
		t.Errorf("running %+v, want programs of schema 12 and %d", p.Running, SchemaVersion())
	}
}

// TestMigrations_SayWhomTheyBear keeps both dialects to the same promise, and each
// promise to its own file.
func TestMigrations_SayWhomTheyBear(t *testing.T) {
	t.Parallel()
	postgres, err := migrationsAfter(dialectPostgres, 0)
	if err != nil {
		t.Fatal(err)
	}
	sqlite, err := migrationsAfter(dialectSQLite, 0)
	if err != nil || !slices.Equal(postgres, sqlite) {
		t.Errorf("the dialects differ: %v\npostgres %+v\nsqlite %+v", err, postgres, sqlite)
	}
	for _, m := range postgres {
		if m.Oldest > m.Version || m.Oldest < 1 {
			t.Errorf("%s bears programs from %d on", m.Name, m.Oldest)
		}
	}
	text := "-- +goose Up\nINSERT INTO schema_compatibility (version, oldest) VALUES (41, 40);\n"
	if got := oldestBorne(text, 41); got != 40 {
		t.Errorf("oldest = %d, want 40", got)
	}
	if got := oldestBorne(strings.ReplaceAll(text, "41", "39"), 41); got != 41 {
		t.Errorf("another's promise was read as its own: %d", got)
	}
}
