package load

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"mianti/internal/pgtest"
)

// diskFolder is where the database is put: not the usual folder of temporary
// files, which is in memory on many machines, where fsync costs nothing.
const diskFolder = "/var/tmp"

// PostgresSettings are those of the measured server. Everything that makes a
// commit durable is on.
func PostgresSettings() []string {
	return []string{
		"shared_buffers=512MB", "max_connections=400", "max_wal_size=4GB", "autovacuum=on", "checkpoint_timeout=15min",
		"fsync=on", "synchronous_commit=on", "full_page_writes=on",
	}
}

// StartPostgres starts a server of its own with PostgresSettings and more, whose
// files are on a disk. Close ends it and removes them.
func StartPostgres(ctx context.Context, more ...string) (*pgtest.Cluster, error) {
	parent := diskFolder
	if info, err := os.Stat(parent); err != nil || !info.IsDir() {
		parent = os.TempDir()
	}
	return pgtest.StartCluster(ctx, parent, append(PostgresSettings(), more...)...)
}

// FsyncTime is how long this disk takes to make 8 kB durable: the mean over a
// second of writing them again and again and syncing the file, where the server's
// files are.
func FsyncTime(c *pgtest.Cluster) (time.Duration, error) {
	f, err := os.Create(filepath.Join(c.Folder(), "fsync.out"))
	if err != nil {
		return 0, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	page := make([]byte, 8<<10)
	begun, n := time.Now(), 0
	for ; time.Since(begun) < time.Second; n++ {
		if _, err := f.WriteAt(page, 0); err != nil {
			return 0, err
		}
		if err := f.Sync(); err != nil {
			return 0, err
		}
	}
	return time.Since(begun) / time.Duration(n), nil
}
