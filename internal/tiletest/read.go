// Package tiletest reads a log in the tlog-tiles format (https://c2sp.org/tlog-tiles)
// with a client that we did not write, for tests.
package tiletest

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// readingTakes bounds reading a log, and one request of it.
const readingTakes = 60 * time.Second

// Log (日志) is what the client has read and verified.
type Log struct {
	Origin  string
	Tree    tlog.Tree
	Entries [][]byte
}

// Read reads the checkpoint below base, such as "http://127.0.0.1:8080/v1/ledger",
// verifies it with the key, reads every entry from the bundles, and holds each
// against the tiles and the root. A client of its own can add credentials; nil
// means one without.
func Read(ctx context.Context, base string, key note.Verifier, client *http.Client) (*Log, error) {
	ctx, stop := context.WithTimeout(ctx, readingTakes)
	defer stop()
	if client == nil {
		client = &http.Client{Timeout: readingTakes}
	}
	fetcher, err := torchwood.NewTileFetcher(base, torchwood.WithHTTPClient(client))
	if err != nil {
		return nil, fmt.Errorf("read a log: %w", err)
	}
	signed, err := fetcher.ReadEndpoint(ctx, "checkpoint")
	if err != nil {
		return nil, fmt.Errorf("read the checkpoint: %w", err)
	}
	policy := torchwood.ThresholdPolicy(2, torchwood.OriginPolicy(key.Name()), torchwood.SingleVerifierPolicy(key))
	cp, _, err := torchwood.VerifyCheckpoint(signed, policy)
	if err != nil {
		return nil, fmt.Errorf("verify the checkpoint: %w", err)
	}
	reader, err := torchwood.NewClient(fetcher, torchwood.WithTimeout(readingTakes))
	if err != nil {
		return nil, fmt.Errorf("read a log: %w", err)
	}
	log := &Log{Origin: cp.Origin, Tree: cp.Tree}
	for n, entry := range reader.AllEntries(ctx, cp.Tree, 0) {
		if n != int64(len(log.Entries)) {
			return nil, fmt.Errorf("read a log: entry %d follows entry %d", n, len(log.Entries)-1)
		}
		log.Entries = append(log.Entries, entry)
	}
	if err := reader.Err(); err != nil {
		return nil, fmt.Errorf("read the entries: %w", err)
	}
	if int64(len(log.Entries)) != cp.N {
		return nil, fmt.Errorf("read a log: %d entries of %d", len(log.Entries), cp.N)
	}
	return log, nil
}
