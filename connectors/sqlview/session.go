package sqlview

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"net"
	"sync/atomic"

	"mianti/catalog"
	"mianti/connectors/egress"
)

// dialFunc connects to an address of the network.
type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// opener makes sessions for database/sql.
type opener struct {
	network catalog.Network
	open    func(dialFunc) (driver.Connector, error)
}

// Connect opens a connection to the source.
func (o *opener) Connect(ctx context.Context) (driver.Conn, error) {
	l := newLink(o.network)
	connector, err := o.open(l.dial)
	if err != nil {
		l.end()
		return nil, err
	}
	conn, err := connector.Connect(ctx)
	if err != nil {
		l.end()
		return nil, err
	}
	full, ok := conn.(driverConn)
	if !ok {
		l.end()
		return nil, errors.Join(errors.New("the driver lacks what a session needs"), conn.Close())
	}
	return &session{driverConn: full, link: l, fresh: true}, nil
}

// Driver is asked for by database/sql, which has no use for it here.
func (o *opener) Driver() driver.Driver { return nil }

// driverConn is what both drivers can do and a session hands on.
type driverConn interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.QueryerContext
	driver.ExecerContext
	driver.SessionResetter
	driver.NamedValueChecker
}

// session is one connection of a driver, with what lies below it.
type session struct {
	driverConn
	link  *link
	fresh bool // it has answered nothing yet
	// Of MySQL: its number at the server, and whether that is MariaDB.
	id      uint64
	mariaDB bool
}

// IsValid reports whether the session may be used once more.
func (s *session) IsValid() bool {
	if v, ok := s.driverConn.(driver.Validator); ok {
		return v.IsValid()
	}
	return true
}

// Close ends the session, and whatever its driver still does for it.
func (s *session) Close() error {
	err := s.driverConn.Close()
	s.link.end()
	return err
}

// sessionOf gives the session behind a connection of database/sql.
func sessionOf(conn *sql.Conn) (*session, error) {
	var found *session
	err := conn.Raw(func(driverConn any) error {
		found, _ = driverConn.(*session)
		return nil
	})
	if err == nil && found == nil {
		err = driver.ErrBadConn
	}
	return found, err
}

// discard closes a connection for good instead of giving it back.
func discard(conn *sql.Conn) {
	_ = conn.Raw(func(any) error { return driver.ErrBadConn }) // the error is what closes it
	_ = conn.Close()
}

// maxAnswer is how many bytes of values an answer may have, and maxReceived how
// many of everything may come for one statement.
const (
	maxAnswer   = 1 << 20
	maxReceived = maxAnswer + 128<<10
)

var errTooLarge = errors.New("more than 1 MiB")

// link is the network below a session: all connections that its driver makes,
// the one that it talks over and those that cancel. They end with the session.
type link struct {
	dialer   *net.Dialer
	ended    context.Context //nolint:containedctx // it is a life, not a call's
	end      context.CancelFunc
	exceeded atomic.Bool // more came than may
}

func newLink(n catalog.Network) *link {
	l := &link{dialer: egress.Dialer(n)}
	l.ended, l.end = context.WithCancel(context.Background())
	return l
}

func (l *link) dial(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(l.ended, cancel)()
	conn, err := l.dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return nil, errors.Join(errors.New("not a TCP connection"), conn.Close())
	}
	context.AfterFunc(l.ended, func() { _ = tcp.Close() })
	m := &meter{TCPConn: tcp, link: l}
	m.left.Store(maxReceived)
	return m, nil
}

// meter is a connection that takes only so much for an answer. The drivers
// would read a value of any size into memory before anyone sees it.
type meter struct {
	*net.TCPConn
	link *link
	left atomic.Int64
}

// Write sends a part of a question; what comes from now on is its answer.
func (m *meter) Write(text []byte) (int, error) {
	m.left.Store(maxReceived)
	return m.TCPConn.Write(text)
}

// Read takes a part of an answer.
func (m *meter) Read(into []byte) (int, error) {
	left := m.left.Load()
	if left <= 0 {
		m.link.exceeded.Store(true)
		return 0, errTooLarge
	}
	n, err := m.TCPConn.Read(into[:min(int64(len(into)), left)])
	m.left.Add(int64(-n))
	return n, err
}
