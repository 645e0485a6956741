package pgtest

import (
	"context"
	"errors"
	"fmt"
)

// Cluster is a server for a program that measures: it commits as one in service
// does, its files are on a disk, and it belongs to no test.
type Cluster struct{ server *server }

// StartCluster makes a database cluster in a folder of its own under parent, and
// starts its server with settings such as "shared_buffers=512MB", which go before
// those of tests. Close ends it. It dies with this process too.
func StartCluster(ctx context.Context, parent string, settings ...string) (*Cluster, error) {
	binaries, err := findInstalled()
	if err != nil {
		return nil, err
	}
	account, err := unprivileged()
	if err != nil {
		return nil, err
	}
	folder, err := newFolder(parent)
	if err != nil {
		return nil, err
	}
	s := &server{binaries: binaries, account: account, folder: folder, password: password(), durable: true, settings: settings}
	if err := s.boot(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("start PostgreSQL from %s: %w", binaries, err), folder.remove())
	}
	return &Cluster{s}, nil
}

// CreateDatabase makes an empty database and gives its URL.
func (c *Cluster) CreateDatabase(ctx context.Context, name string) (string, error) {
	return c.server.url(name), c.server.execute(ctx, "CREATE DATABASE "+name)
}

// PID is the process of which all sessions of the server are children.
func (c *Cluster) PID() int { return c.server.process.cmd.Process.Pid }

// Binaries is the folder of the server's programs.
func (c *Cluster) Binaries() string { return c.server.binaries }

// Folder is where the server's files are.
func (c *Cluster) Folder() string { return c.server.folder.path }

// Close stops the server and removes its files.
func (c *Cluster) Close() error { return c.server.stop() }
