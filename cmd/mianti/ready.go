package main

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"mianti/api"
	"mianti/keyring"
)

// readiness looks at what a resolution needs, and remembers what did not work, so that
// it is logged once and not once a second.
type readiness struct {
	node *node
	ring *keyring.Ring
	log  *slog.Logger

	mu     sync.Mutex
	broken map[string]bool
}

// parts does what a resolution would do, as far as nothing is asked or recorded by it,
// and says which part of it works.
func (r *readiness) parts(ctx context.Context) []api.Part {
	database := r.node.store.Ready(ctx)
	parts := []api.Part{r.part(ctx, "database", database)}
	if database != nil { // the others would only wait for it
		return parts
	}
	_, catalog := r.node.catalogs.Current(ctx)
	parts = append(parts, r.part(ctx, "keys", r.unwrapKeys(ctx)), r.part(ctx, "catalog", catalog))
	if catalog != nil {
		return parts
	}
	return append(parts, r.part(ctx, "settlement", r.node.exchange.SelfTest(ctx)))
}

// part says whether a part works, and logs a change.
func (r *readiness) part(ctx context.Context, name string, err error) api.Part {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch was := r.broken[name]; {
	case err != nil && !was:
		r.log.LogAttrs(ctx, slog.LevelError, "not ready", slog.String("part", name), slog.Any("cause", err))
	case err == nil && was:
		r.log.LogAttrs(ctx, slog.LevelInfo, "ready again", slog.String("part", name))
	}
	r.broken[name] = err != nil
	return api.PartOf(name, err)
}

// unwrapKeys opens a key of the database with the key file.
func (r *readiness) unwrapKeys(ctx context.Context) error {
	all, err := r.ring.All(ctx, keyring.SheetNumbers)
	if err == nil && len(all) == 0 {
		return errors.New("the key that numbers sheets is gone")
	}
	return err
}
