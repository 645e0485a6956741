package main

import (
	"net"
	"sync/atomic"
	"time"
)

// slowest is how long a caller may take to send a request, or to take a piece of an
// answer: whoever is slower is cut off.
const slowest = 10 * time.Second

// pacedListener accepts connections on which a write that gets nowhere ends. An
// answer may take as long as it takes to make; to be taken from us it may not, since
// it holds memory and a place meanwhile.
type pacedListener struct{ net.Listener }

// Accept waits for the next connection.
func (l pacedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &pacedConn{Conn: c}, nil
}

type pacedConn struct {
	net.Conn
	last atomic.Int64 // the deadline that was asked for, in nanoseconds; 0 for none
}

// Write gives a piece to the other side.
func (c *pacedConn) Write(p []byte) (int, error) {
	until := time.Now().Add(slowest)
	if last := c.last.Load(); last != 0 && last < until.UnixNano() {
		until = time.Unix(0, last)
	}
	if err := c.Conn.SetWriteDeadline(until); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

// SetWriteDeadline bounds all writes that follow.
func (c *pacedConn) SetWriteDeadline(t time.Time) error {
	c.remember(t)
	return c.Conn.SetWriteDeadline(t)
}

// SetDeadline bounds all that follows.
func (c *pacedConn) SetDeadline(t time.Time) error {
	c.remember(t)
	return c.Conn.SetDeadline(t)
}

func (c *pacedConn) remember(t time.Time) {
	if t.IsZero() {
		c.last.Store(0)
		return
	}
	c.last.Store(t.UnixNano())
}
