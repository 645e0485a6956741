package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/google/uuid"

	"mianti/api"
	"mianti/connectors"
	"mianti/connectors/elicense"
	"mianti/connectors/httpjson"
	"mianti/exchange"
	"mianti/store"
)

// node is one exchange, wired.
type node struct {
	store   *store.Store
	handler http.Handler
}

// newNode wires an exchange: settings, store, keys, connectors, exchange, api.
func newNode(ctx context.Context, s exchangeSettings, log *slog.Logger) (*node, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	keys, err := s.signingKeys(log)
	if err != nil {
		return nil, err
	}
	subjectKey, err := s.subjectKey()
	if err != nil {
		return nil, err
	}
	db, err := store.Open(ctx, store.Config{URL: s.DatabaseURL, Now: time.Now})
	if err != nil {
		return nil, err
	}
	catalogs := store.NewCatalogs(db)
	x := exchange.New(exchange.Config{
		Catalogs: catalogs, Cases: db, Resolutions: db, Submissions: db, Journal: db, Grants: db,
		Connectors: map[string]connectors.Connector{
			"httpjson": httpjson.New(httpjson.Options{}),
			"elicense": elicense.New(elicense.Options{}),
		},
		BaseURL: s.baseURL, SubjectKey: subjectKey, Now: time.Now, NewID: newID, Log: log,
		Deadline: s.Deadline, SourceDeadline: s.SourceDeadline,
	})
	handler, err := api.New(api.Config{
		Exchange: x, Catalogs: catalogs, Systems: db, Keys: keys, Issuer: s.Issuer,
		Now: time.Now, NewID: newID, Log: log, TrustedProxies: s.TrustedProxies,
	})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &node{store: db, handler: handler}, nil
}

// newID makes an identifier that sorts by the time it was made.
func newID() string {
	id, err := uuid.NewV7()
	if err != nil {
		panic("the machine gives no random bytes: " + err.Error())
	}
	return id.String()
}

// drain is how long requests under way may take to end at shutdown.
const drain = 15 * time.Second

// serveHTTP serves until ctx ends, and then lets the requests under way end.
func serveHTTP(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second,
		WriteTimeout: 60 * time.Second, IdleTimeout: 120 * time.Second, MaxHeaderBytes: 64 << 10,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	if err := server.Shutdown(ending); err != nil {
		return fmt.Errorf("shut down: %w", err)
	}
	return nil
}
