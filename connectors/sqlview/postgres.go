package sqlview

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/stdlib"

	"mianti/catalog"
	"mianti/connectors"
)

func postgresDialect() dialect {
	return dialect{
		quote: `"`, placeholder: "$1",
		prepare: preparePostgres, begin: beginPostgres, verdict: postgresVerdict,
	}
}

// preparePostgres makes the settings of the driver. Those that it takes from
// the environment or from files of the user are overwritten, all of them.
func preparePostgres(s *settings) (func(dialFunc) (driver.Connector, error), error) {
	secure, err := s.tlsConfig()
	if err != nil {
		return nil, err
	}
	config, err := pgx.ParseConfig("host=localhost sslmode=disable")
	if err != nil { // its text may quote the environment
		return nil, fail(connectors.FaultMisset, "the environment holds settings of PostgreSQL that cannot be read")
	}
	config.Host, config.Port, config.Database, config.User, config.Password = s.host, s.port, s.database, s.user, s.password
	config.TLSConfig, config.SSLNegotiation, config.SSLCertMode = secure, "postgres", "allow"
	config.Fallbacks, config.ValidateConnect = nil, nil
	config.ChannelBinding, config.RequireAuth, config.KerberosSrvName, config.KerberosSpn = "prefer", s.passwordRule(), "", ""
	config.MinProtocolVersion, config.MaxProtocolVersion = "3.0", "3.0"
	config.ConnectTimeout = longest
	// Those that PgBouncer passes on; the rest is said in each transaction.
	config.RuntimeParams = map[string]string{
		"application_name": "mianti", "client_encoding": "UTF8", "datestyle": "ISO", "timezone": "Asia/Shanghai",
	}
	config.MaxProtocolMessageBodyLen = maxReceived
	// No prepared statement stays behind at a pooler between us and the server.
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	config.StatementCacheCapacity, config.DescriptionCacheCapacity = 0, 0
	config.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler { return canceller{conn} }
	return func(dial dialFunc) (driver.Connector, error) {
		own := config.Copy()
		own.DialFunc = pgconn.DialFunc(dial)
		// A connection that has died shows when its transaction begins.
		never := func(context.Context, stdlib.ShouldPingParams) bool { return false }
		return stdlib.GetConnector(*own, stdlib.OptionShouldPing(never)), nil
	}, nil
}

// passwordRule lets nobody have the password as it is over a network that is
// not this machine's.
func (s *settings) passwordRule() string {
	if s.tls || s.network == catalog.NetworkLocal {
		return ""
	}
	return "!password"
}

// canceller ends the statement at the server when nobody waits for it any more,
// and the reading of its answer a moment later, whatever the server does.
type canceller struct{ conn *pgconn.PgConn }

// HandleCancel is called when the context of a statement has ended.
func (c canceller) HandleCancel(ended context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ended), grace)
	defer cancel()
	deadline, _ := ctx.Deadline()
	_ = c.conn.Conn().SetDeadline(deadline) // a connection that is closed needs none
	_ = c.conn.CancelRequest(ctx)           // the server's own limit ends it too
}

// HandleUnwatchAfterCancel is called when the statement has ended. Its
// connection is not used again.
func (c canceller) HandleUnwatchAfterCancel() {}

// beginPostgres says everything in one round trip. A lock makes the source
// busy, not slow, so it is waited for half as long.
func beginPostgres(ctx context.Context, conn *sql.Conn, _ *session, limit time.Duration) error {
	millis := max(limit.Milliseconds(), 1)
	_, err := conn.ExecContext(ctx, fmt.Sprintf("BEGIN READ ONLY; SET LOCAL statement_timeout = %d; SET LOCAL lock_timeout = %d;"+
		" SET LOCAL idle_in_transaction_session_timeout = %d", millis, max(millis/2, 1), millis+1000))
	return err
}

// postgresVerdict reads the SQLSTATE (PostgreSQL, appendix A).
func postgresVerdict(err error) *connectors.Fault {
	var long *pgproto3.ExceededMaxBodyLenErr
	if errors.As(err, &long) {
		return malformed("the answer is larger than 1 MiB")
	}
	var said *pgconn.PgError
	if errors.As(err, &said) {
		return stateFault(said.Code)
	}
	var connecting *pgconn.ConnectError
	if errors.As(err, &connecting) && !isNetwork(err) {
		return fail(connectors.FaultRefused, noAgreement)
	}
	return nil
}
