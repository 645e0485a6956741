package store

import (
	"context"

	"mianti/internal/fault"
)

// Ready reports what keeps the database from being used: it does not answer, its schema
// is none that this program was made for, or it takes no writes. It writes nothing.
func (s *Store) Ready(ctx context.Context) error {
	if err := checkSchema(ctx, address{dialect: s.dialect}, s.pool); err != nil {
		return err
	}
	if s.dialect == dialectSQLite {
		return nil
	}
	var readOnly bool
	err := s.pool.QueryRowContext(ctx, "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on'").Scan(&readOnly)
	if err != nil {
		return translate(err, "ask whether the database takes writes", things{})
	}
	if readOnly {
		return fault.New(fault.Unavailable, "database-read-only", "数据库只读（备库，或已设为只读），不能留痕，因此不能办理核验。")
	}
	return nil
}
