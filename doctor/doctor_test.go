package doctor_test

import (
	"testing"
	"time"

	"mianti/doctor"
	"mianti/store"
)

var now = time.Date(2026, 12, 2, 9, 0, 0, 0, time.UTC)

// healthy is a database with nothing to say against it.
func healthy() store.Diagnosis {
	return store.Diagnosis{
		Version: "15.7", Number: 150007, Isolation: "read committed", Encrypted: true, Connections: 20, MaxConnections: 200, Entries: 100,
		Replicas: []store.Follower{{Name: "b", State: "streaming", Lag: time.Second}},
	}
}

func changed(change func(*store.Diagnosis)) store.Diagnosis {
	d := healthy()
	change(&d)
	return d
}

func years(known ...int) func(int) bool {
	return func(year int) bool {
		for _, k := range known {
			if k == year {
				return true
			}
		}
		return false
	}
}

func database(change func(*store.Diagnosis)) []doctor.Finding {
	return doctor.Database(changed(change))
}

func one(f doctor.Finding) []doctor.Finding { return []doctor.Finding{f} }

// TestChecks_CanFail has each check fail once, and wants it to say what to do.
func TestChecks_CanFail(t *testing.T) {
	t.Parallel()
	known := []string{"MIANTI_KEY_FILE", "MIANTI_ISSUER", "MIANTI_SECRET_*"}
	safe := doctor.Exposure{DatabaseURL: "postgres://u@db.example/m?sslmode=verify-full", EvenTime: true, Issuer: "https://mianti.example"}
	exposed := func(change func(*doctor.Exposure)) []doctor.Finding {
		e := safe
		change(&e)
		return doctor.Insecure(e)
	}
	for _, c := range []struct {
		name string
		got  []doctor.Finding
		want doctor.Level
	}{
		{"unknown variable", doctor.Variables([]string{"MIANTI_KEYFILE"}, known), doctor.Warn},
		{"known variables", doctor.Variables([]string{"MIANTI_KEY_FILE", "MIANTI_SECRET_GA_APP_KEY"}, known), doctor.OK},
		{"secure settings", doctor.Insecure(safe), doctor.OK},
		{"sqlite", exposed(func(e *doctor.Exposure) { e.DatabaseURL = "sqlite:mianti.db" }), doctor.Warn},
		{"database unverified", exposed(func(e *doctor.Exposure) { e.DatabaseURL = "postgres://u@db.example/m?sslmode=require" }), doctor.Fail},
		{"database on this machine", exposed(func(e *doctor.Exposure) { e.DatabaseURL = "postgres://u@127.0.0.1/m?sslmode=disable" }), doctor.OK},
		{"every proxy believed", exposed(func(e *doctor.Exposure) { e.Proxies = []string{"0.0.0.0/0"} }), doctor.Fail},
		{"debug", exposed(func(e *doctor.Exposure) { e.Debug = true }), doctor.Warn},
		{"time tells", exposed(func(e *doctor.Exposure) { e.EvenTime = false }), doctor.Warn},
		{"clear text", exposed(func(e *doctor.Exposure) { e.Issuer = "http://mianti.example" }), doctor.Fail},

		{"clock", one(doctor.Clock("数据库", -400*time.Millisecond)), doctor.OK},
		{"clock a little off", one(doctor.Clock("数据库", -2*time.Second)), doctor.Warn},
		{"clock off", one(doctor.Clock("数据库", time.Minute)), doctor.Fail},
		{"calendar", one(doctor.Calendar(now, years(2026, 2027))), doctor.OK},
		{"calendar of next year", one(doctor.Calendar(now, years(2026))), doctor.Warn},
		{"calendar of this year", one(doctor.Calendar(now, years(2025))), doctor.Fail},

		{"key file", one(doctor.KeyFile("密钥/文件", "k", 0o600)), doctor.OK},
		{"key file readable by others", one(doctor.KeyFile("密钥/文件", "k", 0o640)), doctor.Fail},
		{"key beside the database", one(doctor.KeyBesideDatabase("k")), doctor.Warn},
		{"young key", one(doctor.KeyAge("evidence", now.AddDate(0, -1, 0), now)), doctor.OK},
		{"no key yet", one(doctor.KeyAge("evidence", time.Time{}, now)), doctor.OK},
		{"old key", one(doctor.KeyAge("evidence", now.AddDate(0, -14, 0), now)), doctor.Warn},
		{"ancient key", one(doctor.KeyAge("evidence", now.AddDate(-3, 0, 0), now)), doctor.Fail},
		{"certificate", one(doctor.Certificate("TLS", now.AddDate(0, 3, 0), now)), doctor.OK},
		{"certificate ends soon", one(doctor.Certificate("TLS", now.AddDate(0, 0, 20), now)), doctor.Warn},
		{"certificate ends very soon", one(doctor.Certificate("TLS", now.AddDate(0, 0, 2), now)), doctor.Fail},
		{"certificate ended", one(doctor.Certificate("TLS", now.AddDate(0, 0, -1), now)), doctor.Fail},

		{"schema", one(doctor.Schema(store.MigrationPlan{Found: 38, Wanted: 38, Running: []store.Running{{Schema: 38, Connections: 2}}})), doctor.OK},
		{"schema pending", one(doctor.Schema(store.MigrationPlan{Found: 37, Wanted: 38})), doctor.Fail},
		{"schema newer", one(doctor.Schema(store.MigrationPlan{Found: 39, Wanted: 38})), doctor.Warn},
		{"programs of two versions", one(doctor.Schema(store.MigrationPlan{Found: 38, Wanted: 38, Running: []store.Running{{Schema: 37, Connections: 2}}})), doctor.Warn},

		{"database", doctor.Database(healthy()), doctor.OK},
		{"not durable", database(func(d *store.Diagnosis) { d.Undurable = []string{"fsync=off"} }), doctor.Fail},
		{"sqlite not durable", doctor.Database(store.Diagnosis{SQLite: true, Undurable: []string{"synchronous"}}), doctor.Fail},
		{"old server", database(func(d *store.Diagnosis) { d.Number = 130001 }), doctor.Fail},
		{"isolation", database(func(d *store.Diagnosis) { d.Isolation = "serializable" }), doctor.Fail},
		{"many connections", database(func(d *store.Diagnosis) { d.Connections = 170 }), doctor.Warn},
		{"connections used up", database(func(d *store.Diagnosis) { d.Connections = 195 }), doctor.Fail},
		{"a replica", database(func(d *store.Diagnosis) { d.Recovering = true }), doctor.Fail},
		{"superuser", database(func(d *store.Diagnosis) { d.Superuser = true }), doctor.Fail},
		{"may change the schema", database(func(d *store.Diagnosis) { d.MayCreate = true }), doctor.Warn},
		{"may change the ledger", database(func(d *store.Diagnosis) { d.MayChangeLedger = true }), doctor.Warn},
		{"rights missing", database(func(d *store.Diagnosis) { d.Lacking = []string{"backups"} }), doctor.Fail},
		{"triggers off", database(func(d *store.Diagnosis) { d.Unguarded = []string{"ledger_entries"} }), doctor.Fail},
		{"connection in clear", database(func(d *store.Diagnosis) { d.Encrypted = false }), doctor.Warn},
		{"archive", database(func(d *store.Diagnosis) { d.ArchiveFailed = true }), doctor.Fail},
		{"replica behind", database(func(d *store.Diagnosis) { d.Replicas[0].Lag = 20 * time.Second }), doctor.Warn},
		{"replica far behind", database(func(d *store.Diagnosis) { d.Replicas[0].Lag = 2 * time.Minute }), doctor.Fail},
		{"replica gone", database(func(d *store.Diagnosis) { d.Replicas[0].State = "catchup" }), doctor.Fail},
		{"disk", one(doctor.Disk("d", 50<<30, 100<<30)), doctor.OK},
		{"disk getting full", one(doctor.Disk("d", 8<<30, 100<<30)), doctor.Warn},
		{"disk full", one(doctor.Disk("d", 1<<30, 100<<30)), doctor.Fail},

		{"ledger", one(doctor.Ledger(healthy(), now)), doctor.OK},
		{"just written", one(doctor.Ledger(changed(func(d *store.Diagnosis) { d.Waiting, d.OldestWaiting = 3, now.Add(-time.Second) }), now)), doctor.OK},
		{"sealing rests", one(doctor.Ledger(changed(func(d *store.Diagnosis) { d.Waiting, d.OldestWaiting = 3, now.Add(-time.Minute) }), now)), doctor.Warn},
		{"sealing stands still", one(doctor.Ledger(changed(func(d *store.Diagnosis) { d.Waiting, d.OldestWaiting = 3, now.Add(-time.Hour) }), now)), doctor.Fail},
		{"work", doctor.Work(healthy(), now), doctor.OK},
		{"work late", doctor.Work(changed(func(d *store.Diagnosis) { d.JobsOverdue, d.OldestJob = 1, now.Add(-3*time.Minute) }), now), doctor.Warn},
		{"nobody works", doctor.Work(changed(func(d *store.Diagnosis) { d.JobsOverdue, d.OldestJob = 1, now.Add(-time.Hour) }), now), doctor.Fail},
		{"work given up", doctor.Work(changed(func(d *store.Diagnosis) { d.JobsFailed = 1 }), now), doctor.Warn},
		{"no alarms", one(doctor.Alarms(0)), doctor.OK},
		{"alarms unseen", one(doctor.Alarms(2)), doctor.Warn},
		{"backup", one(doctor.Backups(now.Add(-20*time.Hour), now)), doctor.OK},
		{"backup missed", one(doctor.Backups(now.Add(-30*time.Hour), now)), doctor.Warn},
		{"no backup for a week", one(doctor.Backups(now.AddDate(0, 0, -8), now)), doctor.Fail},
		{"no backup ever", one(doctor.Backups(time.Time{}, now)), doctor.Warn},
		{"nothing due", one(doctor.Due(0)), doctor.OK},
		{"something due", one(doctor.Due(3)), doctor.Warn},
		{"anchored", doctor.Anchors([]doctor.Anchor{{Name: "w"}}), doctor.OK},
		{"no anchor", doctor.Anchors(nil), doctor.Warn},
		{"anchor away", doctor.Anchors([]doctor.Anchor{{Name: "w", Trouble: true, Text: "away"}}), doctor.Warn},
		{"another history", doctor.Anchors([]doctor.Anchor{{Name: "w", Trouble: true, Diverged: true}}), doctor.Fail},
		{"verified", one(doctor.Verified(10, 0)), doctor.OK},
		{"tampered with", one(doctor.Verified(10, 1)), doctor.Fail},
		{"catalog", one(doctor.Catalog(3, 0, 5)), doctor.OK},
		{"catalog with errors", one(doctor.Catalog(3, 1, 5)), doctor.Fail},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := doctor.Worst(c.got); got != c.want {
				t.Errorf("%s, want %s: %+v", got, c.want, c.got)
			}
			for _, f := range c.got {
				if f.Check == "" || f.Found == "" || (f.Level != doctor.OK) != (f.Do != "") {
					t.Errorf("says not what to do, or without need: %+v", f)
				}
			}
		})
	}
}

func TestVariables_SaysWhichIsMeant(t *testing.T) {
	t.Parallel()
	got := doctor.Variables([]string{"MIANTI_KEYFILE"}, []string{"MIANTI_ISSUER", "MIANTI_KEY_FILE"})
	if len(got) != 1 || got[0].Do != "是不是 MIANTI_KEY_FILE？" {
		t.Errorf("%+v", got)
	}
}
