package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"mianti/ledger"
	"mianti/store"
)

// fetchTiles reads a log of tiles from a folder, or over HTTP.
func fetchTiles(where, token string) func(ctx context.Context, path string) ([]byte, error) {
	if strings.HasPrefix(where, "https://") || strings.HasPrefix(where, "http://") {
		client := &http.Client{Timeout: time.Minute}
		return func(ctx context.Context, path string) ([]byte, error) {
			return getTile(ctx, client, strings.TrimRight(where, "/")+"/"+path, token)
		}
	}
	return func(_ context.Context, path string) ([]byte, error) {
		content, err := os.ReadFile(filepath.Join(where, filepath.FromSlash(path)))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("日志文件夹中没有 %s", path)
		}
		return content, err
	}
}

// largestFile bounds what is read of an answer: a bundle of the longest leaves.
const largestFile = ledger.TileWidth * (ledger.MaxLeaf + 2)

func getTile(ctx context.Context, client *http.Client, url, token string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fmt.Errorf("read the log: %w", err)
	}
	if token != "" && strings.Contains(url, "/tile/entries/") {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("read the log: %w", err)
	}
	defer answer.Body.Close()
	switch {
	case answer.StatusCode == http.StatusUnauthorized && token == "":
		return nil, ledger.ErrNoEntries
	case answer.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%s: %s", url, answer.Status)
	}
	content, err := io.ReadAll(io.LimitReader(answer.Body, largestFile+1))
	if err != nil || len(content) > largestFile {
		return nil, errors.Join(fmt.Errorf("read %s: it ends too early or is too long", url), err)
	}
	return content, nil
}

// exportTiles writes what a folder lacks of the log, and gives the log's size.
func exportTiles(ctx context.Context, db *store.Store, dir string) (int64, error) {
	log := store.NewLog(db)
	newest, err := log.Checkpoint(ctx)
	if err != nil {
		return 0, err
	}
	from := int64(0)
	text, err := os.ReadFile(filepath.Join(dir, ledger.CheckpointPath))
	if err == nil {
		if from, err = exportedBefore(ctx, log, newest, string(text)); err != nil {
			return 0, err
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("read the folder's checkpoint: %w", err)
	}
	return newest.Size, ledger.Export(ctx, log, newest, from, func(path string, content []byte) error {
		return writeWhole(filepath.Join(dir, filepath.FromSlash(path)), content)
	})
}

// exportedBefore gives how much a folder holds, and refuses one of another log,
// or of this one before it was rewritten.
func exportedBefore(ctx context.Context, tiles ledger.Tiles, newest ledger.Checkpoint, text string) (int64, error) {
	old, err := ledger.ReadCheckpoint(text)
	if err != nil {
		return 0, err
	}
	var hashes []ledger.Hash
	if old.Size <= newest.Size {
		if hashes, err = ledger.ProveConsistency(ctx, tiles, newest, old.Size); err != nil {
			return 0, err
		}
	}
	if err := ledger.CheckConsistency(old.Tree, newest.Tree, hashes); err != nil {
		return 0, fmt.Errorf("文件夹中的日志不是这个日志的前一段：%w", err)
	}
	return old.Size, nil
}

// writeWhole writes a file that is there whole or not at all.
func writeWhole(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("write the log: %w", err)
	}
	if err := os.WriteFile(path+".part", content, 0o644); err != nil {
		return fmt.Errorf("write the log: %w", err)
	}
	if err := os.Rename(path+".part", path); err != nil {
		return fmt.Errorf("write the log: %w", err)
	}
	return nil
}
