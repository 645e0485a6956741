package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"mianti/internal/workday"
	"mianti/ledger"
	"mianti/policies"
	"mianti/safeguard"
	"mianti/store"
)

// safeguardSetting says what is too much.
type safeguardSetting struct {
	SafeguardFile string `env:"MIANTI_SAFEGUARD_FILE" help:"JSON file of the quotas, and of when an alarm is raised; docs/safeguards.md. Default: generous ones."`
}

// rules reads the rules against abuse, or gives those by default.
func (s *safeguardSetting) rules() (safeguard.Rules, error) {
	rules := safeguard.Defaults()
	if s.SafeguardFile != "" {
		data, err := os.ReadFile(s.SafeguardFile)
		if err != nil {
			return rules, fmt.Errorf("read MIANTI_SAFEGUARD_FILE: %w", err)
		}
		if rules, err = safeguard.ParseRules(data); err != nil {
			return rules, fmt.Errorf("MIANTI_SAFEGUARD_FILE: %w", err)
		}
	}
	calendar, err := workday.Load()
	if err != nil {
		return rules, err
	}
	rules.IsWorkday = calendar.IsWorkday
	return rules, nil
}

// newSafeguard wires the use cases against abuse.
func newSafeguard(db *store.Store, catalogs *store.Catalogs, rules safeguard.Rules) *safeguard.Safeguard {
	return safeguard.New(safeguard.Config{
		Stops: db, Owners: store.NewOwners(db, catalogs), Quotas: db, Alarms: db, Logins: db, Rules: rules, Now: time.Now,
	})
}

// logAlarms tells the operator of each new alarm. A person is an opaque
// identifier.
func logAlarms(log *slog.Logger) func(context.Context, safeguard.Alarm) {
	return func(ctx context.Context, a safeguard.Alarm) {
		level := slog.LevelWarn
		if a.Severe() {
			level = slog.LevelError
		}
		log.LogAttrs(ctx, level, "alarm", slog.Int64("alarm", a.ID), slog.String("kind", string(a.Kind)), slog.String("of", string(a.Of.Kind)),
			slog.String("id", a.Of.ID), slog.String("department", a.Department), slog.String("span", string(a.Window.Span)),
			slog.Int64("value", a.Value), slog.Int64("threshold", a.Threshold))
	}
}

// atConsole is who acts by a command: whoever may open the database.
func atConsole() policies.Caller {
	return policies.Caller{Person: ledger.Operator, Duties: []policies.Duty{policies.DutyOperator}}
}

// withSafeguard runs a command with the use cases over a database.
func withSafeguard(ctx context.Context, database databaseSetting, setting safeguardSetting, run func(*safeguard.Safeguard) error) error {
	rules, err := setting.rules()
	if err != nil {
		return err
	}
	db, err := store.Open(ctx, store.Config{URL: database.DatabaseURL, Now: time.Now})
	if err != nil {
		return err
	}
	defer db.Close()
	return run(newSafeguard(db, store.NewCatalogs(db), rules))
}

// localTime is a moment as people here read it.
func localTime(t time.Time) string {
	return t.In(time.FixedZone("", 8*60*60)).Format("2006-01-02 15:04:05")
}
