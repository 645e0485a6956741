package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

const (
	// drain is how long requests under way may take to end at shutdown.
	drain = 10 * time.Second
	// notice is for how long a server that is about to end goes on accepting, so that
	// balancers see that it is not ready any more; it is over when nobody has asked
	// anything for silence.
	notice, silence = 5 * time.Second, 100 * time.Millisecond
)

// writing is how long a request may take from its header to the end of its answer.
const writing = 60 * time.Second

// draining stands before a handler and lets callers know when the server is about to
// end: it is not ready, and every answer ends its connection, so that none is closed
// while a request is on its way on it.
type draining struct {
	next   http.Handler
	ending atomic.Bool
	latest atomic.Int64 // when somebody asked, in nanoseconds
}

// ServeHTTP answers.
func (d *draining) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !d.ending.Load() {
		d.next.ServeHTTP(w, r)
		return
	}
	w.Header().Set("Connection", "close")
	if r.URL.Path == "/readyz" {
		w.Header().Set("Retry-After", "1")
		http.Error(w, "ending", http.StatusServiceUnavailable)
		return
	}
	if !strings.HasPrefix(r.URL.Path, "/healthz") {
		d.latest.Store(time.Now().UnixNano())
	}
	d.next.ServeHTTP(w, r)
}

// begin says that the server is about to end, and waits until nobody asks any more.
func (d *draining) begin() {
	now := time.Now()
	d.latest.Store(now.UnixNano())
	d.ending.Store(true)
	for time.Since(now) < notice && time.Now().UnixNano()-d.latest.Load() < int64(silence) {
		time.Sleep(silence / 5)
	}
}

// serveHTTP serves until ctx ends, and then lets the requests under way end.
func serveHTTP(ctx context.Context, listener net.Listener, handler http.Handler) error {
	front := &draining{next: handler}
	server := &http.Server{
		Handler: front, ReadHeaderTimeout: slowest / 2, ReadTimeout: slowest,
		WriteTimeout: writing, IdleTimeout: 120 * time.Second, MaxHeaderBytes: 64 << 10,
		ErrorLog: log.New(log.Writer(), "", 0),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	front.begin()
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	if err := server.Shutdown(ending); err != nil {
		return fmt.Errorf("shut down: %w", err)
	}
	return nil
}
