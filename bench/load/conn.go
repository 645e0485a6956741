package load

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// Request is an HTTP/1.1 request as it goes over the wire, so that nothing of it
// is made while it is measured. Headers are "Name: value".
func Request(method, path, host string, body []byte, headers ...string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", method, path, host)
	for _, header := range headers {
		b.WriteString(header + "\r\n")
	}
	if body != nil {
		fmt.Fprintf(&b, "Content-Type: application/json\r\nContent-Length: %d\r\n", len(body))
	}
	b.WriteString("\r\n")
	b.Write(body)
	return b.Bytes()
}

// Conn is one connection of a caller that is kept alive. It costs a fifth of what
// net/http's client costs, so that more of the machine is left to what is
// measured. It belongs to one goroutine.
type Conn struct {
	address string
	timeout time.Duration
	conn    net.Conn
	in      *bufio.Reader
	body    []byte
}

// NewConn is a connection to host:port, which is opened when it is needed. No
// answer takes longer than the timeout.
func NewConn(address string, timeout time.Duration) *Conn {
	return &Conn{address: address, timeout: timeout}
}

// Answer is what came back.
type Answer struct {
	Status     int
	RetryAfter string // the header, if there was one
	Body       []byte // good until the next request
}

// Do sends a request and reads the answer to its end. After an error the next
// request opens a new connection. A connection that the server has closed
// meanwhile is opened again, once.
func (c *Conn) Do(request []byte) (Answer, error) {
	reused := c.conn != nil
	answer, err := c.try(request)
	if err != nil && reused && (errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed)) {
		answer, err = c.try(request)
	}
	return answer, err
}

func (c *Conn) try(request []byte) (Answer, error) {
	if err := c.open(); err != nil {
		return Answer{}, err
	}
	_ = c.conn.SetDeadline(time.Now().Add(c.timeout)) // an error shows in the write
	if _, err := c.conn.Write(request); err != nil {
		c.Close()
		return Answer{}, err
	}
	answer, stays, err := c.read()
	if err != nil || !stays {
		c.Close()
	}
	return answer, err
}

func (c *Conn) open() error {
	if c.conn != nil {
		return nil
	}
	conn, err := net.DialTimeout("tcp", c.address, c.timeout)
	if err != nil {
		return err
	}
	c.conn = conn
	if c.in == nil {
		c.in = bufio.NewReaderSize(conn, 16<<10)
	}
	c.in.Reset(conn)
	return nil
}

// Close gives the connection up; Do opens another one.
func (c *Conn) Close() {
	if c.conn != nil {
		_ = c.conn.Close() // nothing is lost
		c.conn = nil
	}
}

// read takes one answer, and says whether the connection stays open.
func (c *Conn) read() (answer Answer, stays bool, err error) {
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return Answer{}, false, err
	}
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.")) {
		return Answer{}, false, fmt.Errorf("not HTTP: %q", line)
	}
	if answer.Status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return Answer{}, false, fmt.Errorf("no status: %q", line)
	}
	head, err := readHead(c.in)
	if err != nil {
		return Answer{}, false, err
	}
	answer.RetryAfter = head.retryAfter
	c.body = c.body[:0]
	if head.chunked {
		err = c.readChunks()
	} else {
		err = c.readBody(head.length)
	}
	answer.Body = c.body
	return answer, !head.closes, err
}

type head struct {
	length     int
	chunked    bool
	closes     bool
	retryAfter string
}

// readHead reads header lines to the empty one.
func readHead(in *bufio.Reader) (head, error) {
	var h head
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return h, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			return h, nil
		}
		// Most headers are none of these, and are told by their first letter.
		switch line[0] | 0x20 {
		case 'c', 't', 'r':
			if err := h.take(line); err != nil {
				return h, err
			}
		}
	}
}

func (h *head) take(line []byte) error {
	name, value, _ := bytes.Cut(line, []byte(":"))
	text := strings.TrimSpace(string(value))
	switch strings.ToLower(string(name)) {
	case "content-length":
		length, err := strconv.Atoi(text)
		if err != nil || length < 0 {
			return fmt.Errorf("length of the body: %q", text)
		}
		h.length = length
	case "transfer-encoding":
		h.chunked = strings.EqualFold(text, "chunked")
	case "connection":
		h.closes = strings.EqualFold(text, "close")
	case "retry-after":
		h.retryAfter = text
	}
	return nil
}

func (c *Conn) readBody(length int) error {
	begin := len(c.body)
	if need := begin + length; need > cap(c.body) {
		c.body = append(make([]byte, 0, 2*need), c.body...)
	}
	c.body = c.body[:begin+length]
	_, err := io.ReadFull(c.in, c.body[begin:])
	return err
}

func (c *Conn) readChunks() error {
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		size, err := strconv.ParseInt(string(bytes.TrimSpace(line)), 16, 32)
		if err != nil {
			return fmt.Errorf("size of a chunk: %q", line)
		}
		if size == 0 {
			_, err := readHead(c.in)
			return err
		}
		if err := c.readBody(int(size)); err != nil {
			return err
		}
		if _, err := c.in.Discard(2); err != nil {
			return err
		}
	}
}
