package sqlview

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"mianti/connectors"
)

func mysqlDialect() dialect {
	return dialect{
		quote: "`", placeholder: "?",
		prepare: prepareMySQL, begin: beginMySQL, abandon: killMySQL, verdict: mysqlVerdict,
	}
}

// prepareMySQL makes the settings of the driver. The server gets no file, no
// password in clear text and no weak hash of it, however it asks.
func prepareMySQL(s *settings) (func(dialFunc) (driver.Connector, error), error) {
	secure, err := s.tlsConfig()
	if err != nil {
		return nil, err
	}
	config := mysql.NewConfig()
	config.Net, config.Addr, config.DBName, config.User, config.Passwd = "tcp", s.address(), s.database, s.user, s.password
	config.TLS, config.AllowFallbackToPlaintext = secure, false
	config.AllowAllFiles, config.AllowCleartextPasswords, config.AllowOldPasswords = false, false, false
	config.MultiStatements, config.InterpolateParams, config.ParseTime = false, false, false
	config.ConnectionAttributes = "program_name:mianti"
	config.Logger = &mysql.NopLogger{}
	return func(dial dialFunc) (driver.Connector, error) {
		own := config.Clone()
		own.DialFunc = dial
		return mysql.NewConnector(own)
	}, nil
}

// beginMySQL sets the limit of the session, in the words of MySQL or MariaDB,
// and China's time, in which TIMESTAMP is given.
func beginMySQL(ctx context.Context, conn *sql.Conn, s *session, limit time.Duration) error {
	if s.id == 0 {
		var version string
		if err := conn.QueryRowContext(ctx, "SELECT CONNECTION_ID(), VERSION()").Scan(&s.id, &version); err != nil {
			return err
		}
		s.mariaDB = strings.Contains(version, "MariaDB")
	}
	millis := max(limit.Milliseconds(), 1)
	bound := "max_execution_time = " + strconv.FormatInt(millis, 10)
	if s.mariaDB {
		bound = fmt.Sprintf("max_statement_time = %d.%03d", millis/1000, millis%1000)
	}
	lock := max(millis/2000, 1) // seconds
	if _, err := conn.ExecContext(ctx, fmt.Sprintf("SET SESSION %s, lock_wait_timeout = %d, time_zone = '+08:00'", bound, lock)); err != nil {
		return err
	}
	_, err := conn.ExecContext(ctx, "START TRANSACTION READ ONLY")
	return err
}

// killMySQL ends a statement that the server would go on with: it does not
// notice that its connection was closed. A user may end what is its own.
func killMySQL(ended context.Context, db *sql.DB, s *session) {
	if s == nil || s.id == 0 || !errors.Is(ended.Err(), context.Canceled) {
		return // at the deadline the server ends it by itself
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ended), 5*grace)
	defer cancel()
	_, _ = db.ExecContext(ctx, "KILL QUERY "+strconv.FormatUint(s.id, 10)) // the server's own limit ends it too
}

// mysqlVerdict reads the number of an error, of MySQL or MariaDB, and else its
// SQLSTATE.
func mysqlVerdict(err error) *connectors.Fault {
	for _, refused := range []error{mysql.ErrNoTLS, mysql.ErrCleartextPassword, mysql.ErrOldPassword, mysql.ErrUnknownPlugin} {
		if errors.Is(err, refused) {
			return fail(connectors.FaultRefused, noAgreement)
		}
	}
	var said *mysql.MySQLError
	if !errors.As(err, &said) {
		return nil
	}
	switch said.Number {
	case 1969, 3024, 1317: // max_statement_time, max_execution_time, interrupted by either
		return stateFault("57014")
	case 1040, 1203, 1226: // too many connections, of all, of the user, in an hour
		return stateFault("53300")
	case 1205: // lock wait timeout
		return stateFault("55P03")
	case 1142, 1143, 1227, 1370: // no right to the view, a column, an operation, a function of it
		return stateFault("42501")
	case 1044, 1045, 1698, 1820, 1862, 3118: // no right to the database, no such login, expired, locked
		return stateFault("28000")
	case 1792: // a write in a transaction that can only read
		return stateFault("25006")
	case 1049, 1054, 1146, 1356, 1267: // no such database, column, view; a broken view; texts that cannot be compared
		return stateFault("42000")
	}
	return stateFault(string(said.SQLState[:]))
}
