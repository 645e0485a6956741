//go:build unix

package wire

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"mianti/catalog"
	"mianti/connectors/egress"
)

// plainTransport carries calls without TLS, by HTTP/1.1, on the goroutine of who
// asks. http.Transport has two goroutines for each connection, and hands every
// call to the one and takes its answer from the other (BenchmarkTransport: three
// quarters of the time, server included). It keeps what http.Transport is relied on
// for here: the dialer that judges addresses, the bound of the header, no
// compression, no redirect, no proxy, the end with the context, and that nothing
// which a source sends unasked is taken for an answer.
//
// It puts a call once. A connection is looked at before it is used again, so that
// one which the source has closed is not.
type plainTransport struct {
	dialer *net.Dialer
	now    func() time.Time

	mu   sync.Mutex
	idle map[string][]*plainConn // by address, the last used last
	// looking says that expire will come, which it does while there are any.
	looking bool
}

func newPlainTransport(n catalog.Network, now func() time.Time) roundTripper {
	return &plainTransport{dialer: egress.Dialer(n), now: now, idle: map[string][]*plainConn{}}
}

// plainConn is a connection that one call at a time uses.
type plainConn struct {
	net.Conn
	address string
	reader  *bufio.Reader
	writer  *bufio.Writer
	left    int64 // how much of the header may still be read; -1 without bound
	since   time.Time
}

var errLongHeader = errors.New("the header of the answer is too long")

// Read keeps io.Reader. It bounds the header, whose lines are read as long as
// they come.
func (c *plainConn) Read(p []byte) (int, error) {
	if c.left == 0 {
		return 0, errLongHeader
	}
	if c.left > 0 && int64(len(p)) > c.left {
		p = p[:c.left]
	}
	n, err := c.Conn.Read(p)
	if c.left > 0 {
		c.left -= int64(n)
	}
	return n, err
}

// RoundTrip keeps http.RoundTripper. The connection goes back when the body has
// been read to its end, and is closed if it is closed before.
func (t *plainTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	ctx := request.Context()
	if !isSendable(request.Header) {
		return nil, errors.New("a header cannot be sent")
	}
	c, err := t.take(ctx, request.URL)
	if err != nil {
		if request.Body != nil {
			_ = request.Body.Close() // it was not begun
		}
		return nil, err
	}
	// The end of the context ends what the connection is waiting for.
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
	response, err := c.converse(request)
	if err != nil {
		stop()
		_ = c.Close() // what it said is lost in any case
		return nil, err
	}
	body := &plainBody{ReadCloser: response.Body, transport: t, conn: c, stop: stop}
	body.keep = !response.Close && !request.Close && response.StatusCode >= http.StatusOK
	if response.Body = body; response.ContentLength == 0 {
		body.end(true)
	}
	return response, nil
}

// isSendable refuses what would break a header's line; request.Write would send
// it in part.
func isSendable(header http.Header) bool {
	isControl := func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }
	isNoToken := func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r) }
	for name, values := range header {
		if name == "" || strings.ContainsFunc(name, isNoToken) {
			return false
		}
		for _, value := range values {
			if strings.ContainsFunc(value, isControl) {
				return false
			}
		}
	}
	return true
}

// converse puts a call and reads the header of its answer.
func (c *plainConn) converse(request *http.Request) (*http.Response, error) {
	c.left = maxHeader
	if err := request.Write(c.writer); err != nil {
		return nil, err
	}
	if err := c.writer.Flush(); err != nil {
		return nil, err
	}
	const most = 5 // provisional answers, as http.Transport takes them
	for range most + 1 {
		response, err := http.ReadResponse(c.reader, request)
		if err != nil {
			return nil, err
		}
		if response.StatusCode >= http.StatusOK || response.StatusCode == http.StatusSwitchingProtocols {
			c.left = -1
			return response, nil
		}
	}
	return nil, errors.New("too many provisional answers")
}

// take gives a connection that is open and silent, or a new one.
func (t *plainTransport) take(ctx context.Context, to *url.URL) (*plainConn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	port := cmp.Or(to.Port(), "80")
	address := net.JoinHostPort(to.Hostname(), port)
	for c := t.pop(address); c != nil; c = t.pop(address) {
		if t.now().Sub(c.since) < idleTimeout && c.isSilent() {
			return c, nil
		}
		_ = c.Close() // nothing was under way
	}
	conn, err := t.dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	c := &plainConn{Conn: conn, address: address}
	c.reader, c.writer = bufio.NewReader(c), bufio.NewWriter(conn)
	return c, nil
}

func (t *plainTransport) pop(address string) *plainConn {
	t.mu.Lock()
	defer t.mu.Unlock()
	kept := t.idle[address]
	if len(kept) == 0 {
		return nil
	}
	c := kept[len(kept)-1]
	t.idle[address] = kept[:len(kept)-1]
	return c
}

// put keeps a connection for the next call. The one that was unused for longest
// goes when there are too many, or when it is too old.
func (t *plainTransport) put(c *plainConn) {
	c.since = t.now()
	t.mu.Lock()
	kept := append(t.idle[c.address], c)
	var old *plainConn
	if len(kept) > maxIdlePerHost || c.since.Sub(kept[0].since) > idleTimeout {
		old, kept = kept[0], kept[1:]
	}
	t.idle[c.address] = kept
	if !t.looking {
		t.looking = true
		time.AfterFunc(idleTimeout, t.expire)
	}
	t.mu.Unlock()
	if old != nil {
		_ = old.Close() // nothing was under way
	}
}

// CloseIdleConnections closes the connections that are not in use.
func (t *plainTransport) CloseIdleConnections() {
	t.mu.Lock()
	all := t.idle
	t.idle = map[string][]*plainConn{}
	t.mu.Unlock()
	for _, kept := range all {
		for _, c := range kept {
			_ = c.Close() // nothing was under way
		}
	}
}

// closeSpent closes the connections that have been unused for too long, and those
// that the source has closed: after a rush there are many that nobody takes again.
func (t *plainTransport) closeSpent() {
	now := t.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	for address, kept := range t.idle {
		good := slices.DeleteFunc(kept, func(c *plainConn) bool {
			spent := now.Sub(c.since) >= idleTimeout || !c.isSilent()
			if spent {
				_ = c.Close() // nothing was under way
			}
			return spent
		})
		if t.idle[address] = good; len(good) == 0 {
			delete(t.idle, address)
		}
	}
}

// expire closes what is spent when no call comes any more, and comes again as long as
// something is left.
func (t *plainTransport) expire() {
	t.closeSpent()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.looking = len(t.idle) > 0; t.looking {
		time.AfterFunc(idleTimeout, t.expire)
	}
}

// isSilent reports whether the connection is open and has nothing to be read. On
// one that is not in use there is nothing that could be an answer.
func (c *plainConn) isSilent() bool {
	if c.reader.Buffered() > 0 {
		return false
	}
	under, is := c.Conn.(syscall.Conn)
	if !is {
		return false
	}
	raw, err := under.SyscallConn()
	if err != nil {
		return false
	}
	silent := false
	var one [1]byte
	err = raw.Read(func(fd uintptr) bool {
		_, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		silent = err == syscall.EAGAIN
		return true
	})
	return silent && err == nil
}

// plainBody is the body of an answer, and gives the connection back.
type plainBody struct {
	io.ReadCloser
	transport *plainTransport
	conn      *plainConn // nil when it has been given back
	stop      func() bool
	keep      bool
}

// Read keeps io.Reader.
func (b *plainBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.end(err == io.EOF)
	}
	return n, err
}

// Close keeps io.Closer.
func (b *plainBody) Close() error {
	b.end(false)
	return nil
}

// end gives the connection back, once: to be used again if the answer has been
// read whole and nothing came after it.
func (b *plainBody) end(whole bool) {
	c := b.conn
	if c == nil {
		return
	}
	b.conn = nil
	unbroken := b.stop()
	if whole && unbroken && b.keep && c.reader.Buffered() == 0 {
		b.transport.put(c)
		return
	}
	_ = c.Close() // the rest of the answer is not wanted
}
