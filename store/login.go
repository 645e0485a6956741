package store

import (
	"context"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"mianti/safeguard"
)

// loginRow counts the failed authentications of a minute.
type loginRow struct {
	Kind     string    `gorm:"column:kind;primaryKey"`
	Digest   string    `gorm:"column:digest;primaryKey"`
	Start    Timestamp `gorm:"column:start_at;primaryKey"`
	Failures int64     `gorm:"column:failures"`
}

// TableName names the table.
func (loginRow) TableName() string { return "login_failures" }

// LoginFailures gives how many failed authentications there were since a moment.
func (s *Store) LoginFailures(ctx context.Context, of []safeguard.Login, since time.Time) (map[safeguard.Login]int64, error) {
	values := make([]any, 0, 2*len(of))
	for _, login := range of {
		values = append(values, string(login.Kind), login.Digest)
	}
	rows, err := table[loginRow](s.db).Where("start_at > ?", At(since)).
		Where("(kind, digest) IN (VALUES "+placeholders(len(of), 2)+")", values...).Find(ctx)
	if err != nil {
		return nil, translate(err, "read failed logins", things{})
	}
	out := map[safeguard.Login]int64{}
	for _, row := range rows {
		out[safeguard.Login{Kind: safeguard.LoginKind(row.Kind), Digest: row.Digest}] += row.Failures
	}
	return out, nil
}

// AddLoginFailure counts one more failed authentication.
func (s *Store) AddLoginFailure(ctx context.Context, of []safeguard.Login, at time.Time) error {
	rows := make([]loginRow, len(of))
	for i, login := range of {
		rows[i] = loginRow{Kind: string(login.Kind), Digest: login.Digest, Start: At(at.Truncate(time.Minute)), Failures: 1}
	}
	oneMore := clause.OnConflict{
		Columns:   []clause.Column{{Name: "kind"}, {Name: "digest"}, {Name: "start_at"}},
		DoUpdates: clause.Assignments(map[string]any{"failures": gorm.Expr("login_failures.failures + 1")}),
	}
	return s.transact(ctx, func(tx *gorm.DB) error {
		return translate(table[loginRow](tx, oneMore).CreateInBatches(ctx, &rows, entryBatch), "count a failed login", things{})
	})
}
