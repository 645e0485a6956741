package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"syscall"
)

// URL gives the address of a database of the cluster.
func (c *Cluster) URL(database string) string { return c.server.url(database) }

// Follow starts a streaming replica beside the cluster, with its settings. Close ends
// it, before that of the cluster.
func (c *Cluster) Follow(ctx context.Context) (*Cluster, error) {
	replica, err := c.server.follow(ctx, filepath.Dir(c.server.folder.path), 0)
	if err != nil {
		return nil, err
	}
	return &Cluster{replica}, nil
}

// Restart does what pg_ctl -m immediate restart does: sessions are cut, and the server
// recovers at its old address. It returns when connections are taken again. One
// goroutine at a time may call it.
func (c *Cluster) Restart(ctx context.Context) error {
	if err := c.server.process.cmd.Process.Signal(syscall.SIGQUIT); err != nil {
		return err
	}
	<-c.server.process.done
	var err error
	for range startAttempts { // its port may still be held for a moment
		if err = c.server.launch(ctx); err == nil || errors.Is(err, context.DeadlineExceeded) {
			break
		}
	}
	return err
}

// Pooler is a PgBouncer in transaction mode before a cluster.
type Pooler struct {
	cluster *Cluster
	program string
	size    int
	port    int
	process *process
}

// StartPooler starts a pooler with so many connections to the cluster. Close ends it.
func (c *Cluster) StartPooler(ctx context.Context, size int) (*Pooler, error) {
	program, err := findPooler()
	if err != nil {
		return nil, err
	}
	running, port, err := c.server.startPooler(ctx, size)
	if err != nil {
		return nil, err
	}
	return &Pooler{cluster: c, program: program, size: size, port: port, process: running}, nil
}

// URL gives the address of a database of the cluster as the pooler hands it on.
func (p *Pooler) URL(database string) (string, error) {
	address, err := url.Parse(p.cluster.URL(database))
	if err != nil {
		return "", err
	}
	address.Host = net.JoinHostPort("127.0.0.1", strconv.Itoa(p.port))
	return address.String(), nil
}

// Restart ends the pooler, with all connections through it, and starts it again at its
// old address.
func (p *Pooler) Restart(ctx context.Context) error {
	if err := p.process.halt(); err != nil {
		return err
	}
	var err error
	for range startAttempts { // its port may still be held for a moment
		var running *process
		if running, err = p.cluster.server.launchPooler(ctx, p.program, p.port, p.size); err == nil {
			p.process = running
			return nil
		}
	}
	return fmt.Errorf("start the pooler again: %w", err)
}

// Close ends the pooler.
func (p *Pooler) Close() error { return p.process.halt() }
