package sqlview

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"strings"
	"time"

	"mianti/connectors"
)

// dialect is what differs between the servers.
type dialect struct {
	quote       string // around a name
	placeholder string // of the one parameter
	// prepare reads the settings once; what it gives makes a driver's connector
	// that dials by the given function.
	prepare func(*settings) (func(dialFunc) (driver.Connector, error), error)
	// begin starts a transaction that can write nothing and that the server ends
	// after the limit.
	begin func(context.Context, *sql.Conn, *session, time.Duration) error
	// abandon ends a statement whose connection is lost already; nil where the
	// driver does it.
	abandon func(context.Context, *sql.DB, *session)
	// verdict says what an error of the server or the driver means; nil for an
	// error of the network.
	verdict func(error) *connectors.Fault
}

// name quotes a name of the catalog. The names are checked already; the quotes
// are what keeps a reserved word a name.
func (d *dialect) name(name string) string {
	return d.quote + strings.ReplaceAll(name, d.quote, d.quote+d.quote) + d.quote
}

// statement is the question in SQL.
func (d *dialect) statement(s *selection) string {
	columns := make([]string, 0, len(s.columns))
	for _, c := range s.columns {
		columns = append(columns, d.name(c))
	}
	parts := strings.Split(s.view, ".")
	for i := range parts {
		parts[i] = d.name(parts[i])
	}
	return "SELECT " + strings.Join(columns, ", ") + " FROM " + strings.Join(parts, ".") +
		" WHERE " + d.name(s.number) + " = " + d.placeholder + " LIMIT 101" // one more than maxRecords
}
