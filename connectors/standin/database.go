package standin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
)

// maxMessage bounds what a client may send to the database at once.
const maxMessage = 1 << 20

// Database speaks PostgreSQL's protocol for the views of the departments (库表交换):
// a view for each dataset, named {department}.{dataset} in small letters with _
// for -, such as cc.d_cc01. Its columns are the codes of the fields, and
// subject_name, subject_number, as_of and revoked. Whoever gives DemoSecret may
// read; the user's name does not matter.
//
// It understands the one statement that such a view is for,
//
//	SELECT columns FROM view WHERE subject_number = $1
//
// and those that prepare it. The number may stand in the statement as a text.
type Database struct {
	server *Server

	mutex   sync.Mutex
	last    uint32
	cancels map[uint32]func() // by process number
}

// NewDatabase returns the database of all departments.
func NewDatabase(s *Server) *Database {
	return &Database{server: s, cancels: map[uint32]func(){}}
}

// Serve answers whoever connects, until ctx ends; then it closes the listener
// and all connections, and waits for them.
func (d *Database) Serve(ctx context.Context, listener net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = listener.Close() })
	defer stop()
	var sessions sync.WaitGroup
	defer sessions.Wait()
	defer cancel() // before the wait: sessions end with ctx
	for {
		conn, err := listener.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("stand-in database: %w", err)
		}
		sessions.Go(func() { d.session(ctx, conn) })
	}
}

// session is one connection.
type session struct {
	database *Database
	backend  *pgproto3.Backend
	conn     net.Conn
	process  uint32
	status   byte // I, T or E, as ReadyForQuery says it
	timeout  time.Duration
	prepared map[string]statement
	bound    portal

	mutex     sync.Mutex
	interrupt context.CancelFunc // of the statement that runs
}

// session speaks with one client to the end.
func (d *Database) session(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	s := &session{database: d, backend: pgproto3.NewBackend(conn, conn), conn: conn, status: 'I', prepared: map[string]statement{}}
	s.backend.SetMaxBodyLen(maxMessage)
	if err := s.start(); err != nil {
		return
	}
	defer d.forget(s.process)
	for {
		message, err := s.backend.Receive()
		if err != nil {
			return
		}
		if err := s.answer(ctx, message); err != nil {
			return
		}
	}
}

var errOver = errors.New("the session is over")

// start goes through the start of a connection: no encryption, a password.
func (s *session) start() error {
	for {
		message, err := s.backend.ReceiveStartupMessage()
		if err != nil {
			return err
		}
		switch message := message.(type) {
		case *pgproto3.SSLRequest, *pgproto3.GSSEncRequest:
			if _, err := io.WriteString(s.conn, "N"); err != nil {
				return err
			}
		case *pgproto3.CancelRequest:
			s.database.interrupt(message.ProcessID)
			return errOver
		case *pgproto3.StartupMessage:
			return s.authenticate()
		default:
			return errOver
		}
	}
}

func (s *session) authenticate() error {
	s.backend.Send(&pgproto3.AuthenticationCleartextPassword{})
	if err := errors.Join(s.backend.Flush(), s.backend.SetAuthType(pgproto3.AuthTypeCleartextPassword)); err != nil {
		return err
	}
	message, err := s.backend.Receive()
	if err != nil {
		return err
	}
	password, is := message.(*pgproto3.PasswordMessage)
	if !is || !same(password.Password, DemoSecret) {
		s.fail("28P01", "密码不对")
		return errors.Join(s.backend.Flush(), errOver)
	}
	s.process = s.database.remember(s)
	s.backend.Send(&pgproto3.AuthenticationOk{})
	for _, setting := range [][2]string{
		{"server_version", "17.0"}, {"client_encoding", "UTF8"}, {"standard_conforming_strings", "on"},
		{"DateStyle", "ISO, YMD"}, {"TimeZone", "UTC"}, {"integer_datetimes", "on"},
	} {
		s.backend.Send(&pgproto3.ParameterStatus{Name: setting[0], Value: setting[1]})
	}
	s.backend.Send(&pgproto3.BackendKeyData{ProcessID: s.process, SecretKey: []byte{0, 0, 0, 0}})
	return s.ready()
}

func (s *session) ready() error {
	s.backend.Send(&pgproto3.ReadyForQuery{TxStatus: s.status})
	return s.backend.Flush()
}

// fail answers with an error; a transaction is lost by it.
func (s *session) fail(state, message string) {
	if s.status == 'T' {
		s.status = 'E'
	}
	s.backend.Send(&pgproto3.ErrorResponse{Severity: "ERROR", SeverityUnlocalized: "ERROR", Code: state, Message: message})
}

func (d *Database) remember(s *session) uint32 {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.last++
	d.cancels[d.last] = s.cancel
	return d.last
}

func (d *Database) forget(process uint32) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	delete(d.cancels, process)
}

// interrupt ends the statement that a session runs. The stand-in asks for no
// key: whoever can reach it may stop a demonstration.
func (d *Database) interrupt(process uint32) {
	d.mutex.Lock()
	cancel := d.cancels[process]
	d.mutex.Unlock()
	if cancel != nil {
		cancel()
	}
}

func (s *session) cancel() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.interrupt != nil {
		s.interrupt()
	}
}
