package pgtest

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strconv"

	"github.com/jackc/pgx/v5"
)

const (
	maintenance = "postgres"
	template    = "mianti_template"
)

// url gives the address of a database on this server.
func (s *server) url(database string) string {
	address := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(superuser, s.password),
		Host:     net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)),
		Path:     "/" + database,
		RawQuery: "sslmode=disable",
	}
	return address.String()
}

// prepareTemplate makes the database that all others are copied from, and
// closes it: a database can be copied only while nobody is connected to it.
func (s *server) prepareTemplate(ctx context.Context, migrate Migrate) error {
	if err := s.execute(ctx, "CREATE DATABASE "+template); err != nil {
		return err
	}
	if migrate != nil {
		if err := migrate(ctx, s.url(template)); err != nil {
			return fmt.Errorf("migrate the template database: %w", err)
		}
	}
	return s.execute(ctx, "ALTER DATABASE "+template+" WITH IS_TEMPLATE true ALLOW_CONNECTIONS false")
}

func (s *server) createDatabase(ctx context.Context) (string, error) {
	name := fmt.Sprintf("test_%d", s.created.Add(1))
	return name, s.execute(ctx, "CREATE DATABASE "+name+" TEMPLATE "+template)
}

// dropDatabase drops it even when a test forgot to close a connection.
func (s *server) dropDatabase(ctx context.Context, name string) error {
	return s.execute(ctx, "DROP DATABASE "+name+" WITH (FORCE)")
}

func (s *server) execute(ctx context.Context, statement string) error {
	conn, err := pgx.Connect(ctx, s.url(maintenance))
	if err != nil {
		return fmt.Errorf("connect to the test server: %w", err)
	}
	_, err = conn.Exec(ctx, statement)
	closeErr := conn.Close(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return closeErr
}
