package store

import (
	"context"
	"time"
)

// assertionKeep is how long an assertion is remembered past its expiry. It
// covers every clock leeway that a caller may allow: an assertion that could
// still be accepted must not be forgotten.
const assertionKeep = time.Hour

// assertionRow is a signed login of a system (client assertion) that was used.
type assertionRow struct {
	System  string    `gorm:"column:system;primaryKey"`
	JTI     string    `gorm:"column:jti;primaryKey"`
	Expires Timestamp `gorm:"column:expires_at"`
}

// TableName names the table.
func (assertionRow) TableName() string { return "used_assertions" }

func assertions() things { return things{code: "assertion", name: "登录断言"} }

// UseAssertion remembers that the system used the assertion jti, which is
// valid until expires. A second use is fault.Conflict, on whichever instance
// it comes in. Callers check the expiry themselves, with a leeway under an
// hour.
func (s *Store) UseAssertion(ctx context.Context, system, jti string, expires time.Time) error {
	// Forgetting comes first: were it to fail after the insert, the caller
	// would be told to try again with an assertion that is used up.
	if err := s.forgetAssertions(ctx); err != nil {
		return err
	}
	row := assertionRow{System: system, JTI: jti, Expires: At(expires)}
	err := table[assertionRow](s.db).Create(ctx, &row)
	return translate(err, "use an assertion", assertions())
}

func (s *Store) forgetAssertions(ctx context.Context) error {
	limit := At(s.now().Add(-assertionKeep))
	_, err := table[assertionRow](s.db).Where("expires_at < ?", limit).Delete(ctx)
	return translate(err, "forget expired assertions", assertions())
}
