package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"

	"mianti/internal/fault"
)

// things names what a statement is about, for the texts of its errors.
type things struct {
	code string // last part of a problem type: "unknown-" + code
	name string // Chinese
}

// translate gives err the kind on which a caller can act, and says what was
// being done. It returns nil for nil.
func translate(err error, doing string, of things) error {
	if err == nil {
		return nil
	}
	cause := fmt.Errorf("%s: %w", doing, err)
	switch {
	case errors.Is(err, gorm.ErrRecordNotFound), errors.Is(err, sql.ErrNoRows):
		return of.unknown().Because(cause)
	case errors.Is(err, gorm.ErrDuplicatedKey):
		return of.duplicate().Because(cause)
	case isUnstorable(err):
		return fault.New(fault.Invalid, "unstorable-text", "文字中含有不能保存的字符，请删除后重试").Because(cause)
	case isAway(err):
		return fault.New(fault.Unavailable, "database-unavailable", "数据库暂时不可用，请稍后重试").Because(cause)
	default:
		return cause
	}
}

func (of things) unknown() *fault.Error {
	if of.code == "" {
		return fault.New(fault.NotFound, "unknown", "没有找到")
	}
	return fault.New(fault.NotFound, "unknown-"+of.code, "没有这个%s", of.name)
}

func (of things) duplicate() *fault.Error {
	if of.code == "" {
		return fault.New(fault.Conflict, "duplicate", "已经存在")
	}
	return fault.New(fault.Conflict, "duplicate-"+of.code, "这个%s已经存在", of.name)
}

// isAway reports whether err says that the database cannot be used at the
// moment, and nothing about the statement. A canceled context is neither: the
// caller has gone.
func isAway(err error) bool {
	if errors.Is(err, context.Canceled) {
		return false
	}
	for _, target := range []error{
		context.DeadlineExceeded, driver.ErrBadConn, sql.ErrConnDone, pgconn.ErrConnClosed, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed,
	} {
		if errors.Is(err, target) {
			return true
		}
	}
	var unreachable *pgconn.ConnectError
	var network net.Error
	if errors.As(err, &unreachable) || errors.As(err, &network) {
		return true
	}
	return isPostgresAway(err) || isSQLiteAway(err)
}

func isPostgresAway(err error) bool {
	var reported *pgconn.PgError
	if !errors.As(err, &reported) {
		return false
	}
	switch code := reported.Code; {
	case strings.HasPrefix(code, "08"), // connection
		strings.HasPrefix(code, "53"),  // out of connections, memory or disk
		strings.HasPrefix(code, "57P"), // shutting down, starting up
		strings.HasPrefix(code, "58"),  // its files cannot be read or written
		code == "57014",                // took longer than a statement may
		code == "25P03",                // was idle within a transaction for too long
		strings.HasPrefix(code, "40"),  // serialization failure, deadlock
		code == "55P03",                // lock not available
		code == "25006":                // read-only: we are on a replica after a failover
		return true
	}
	return false
}

// isSQLiteAway looks at the primary result code, the lowest byte of the
// extended one.
func isSQLiteAway(err error) bool {
	const busy, locked, readOnly, ioError, full, cannotOpen = 5, 6, 8, 10, 13, 14
	var reported interface {
		error
		Code() int
	}
	if !errors.As(err, &reported) {
		return false
	}
	switch reported.Code() & 0xff {
	case busy, locked, readOnly, ioError, full, cannotOpen:
		return true
	}
	return false
}

// isUnstorable reports text that PostgreSQL cannot keep: a NUL or broken UTF-8.
func isUnstorable(err error) bool {
	var reported *pgconn.PgError
	return errors.As(err, &reported) && (reported.Code == "22021" || reported.Code == "22P05")
}
