package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/sync/errgroup"

	"mianti/bench/load"
	"mianti/bench/usual"
)

// anyPort is where every server listens.
const anyPort = "127.0.0.1:0"

type sourcesCommand struct{}

// Run serves the departments until it is told to stop.
func (c *sourcesCommand) Run(ctx context.Context) error {
	s := load.NewSources(time.Now())
	group, ctx := errgroup.WithContext(ctx)
	var addresses []string
	for _, department := range load.Departments() {
		listener, err := net.Listen("tcp", anyPort)
		if err != nil {
			return err
		}
		addresses = append(addresses, listener.Addr().String())
		group.Go(func() error { return s.Serve(ctx, listener, department) })
	}
	fmt.Println("listening " + strings.Join(addresses, ","))
	return group.Wait()
}

// backends are the sources that a server asks.
type backends struct {
	Sources []string `required:"" help:"Addresses of the departments."`
}

// tuned keeps a connection for every question under way.
func tuned() *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 512, MaxIdleConns: 0, DisableCompression: true, IdleConnTimeout: time.Minute}}
}

// serve answers until ctx ends, and tells how much was allocated at /_allocations.
func serve(ctx context.Context, handler http.Handler) error {
	listener, err := net.Listen("tcp", anyPort)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/", handler)
	mux.HandleFunc("GET /_allocations", func(w http.ResponseWriter, _ *http.Request) {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		fmt.Fprintf(w, `{"mallocs":%d}`, m.Mallocs)
	})
	server := &http.Server{Handler: mux}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	fmt.Println("listening " + listener.Addr().String())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

type floorCommand struct{ backends }

// Run serves the floor: the least that a server in Go can do that asks five others
// at once and merges what they say.
func (c *floorCommand) Run(ctx context.Context) error {
	f := floor{client: tuned(), sources: c.Sources}
	return serve(ctx, http.HandlerFunc(f.serve))
}

type floor struct {
	client  *http.Client
	sources []string
}

func (f *floor) serve(w http.ResponseWriter, r *http.Request) {
	question, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	parts, errs := make([]json.RawMessage, len(f.sources)), make(chan error, len(f.sources))
	for i := range f.sources {
		go func() {
			var err error
			parts[i], err = f.ask(r.Context(), f.sources[i], question)
			errs <- err
		}()
	}
	for range f.sources {
		err = errors.Join(err, <-errs)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	merged, err := json.Marshal(map[string]any{"answers": parts})
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(merged) // the caller is gone
}

func (f *floor) ask(ctx context.Context, source string, question []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, source+"/query", bytes.NewReader(question))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := f.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	return io.ReadAll(response.Body)
}

type ginCommand struct{ backends }

// Run serves the bare aggregator.
func (c *ginCommand) Run(ctx context.Context) error {
	a := usual.Aggregator{Client: tuned(), Sources: c.Sources}
	return serve(ctx, a.Handler())
}

type usualCommand struct {
	backends
	Database string `required:"" help:"URL of an empty PostgreSQL database."`
	Grants   int    `default:"1000" help:"How many grants there are."`
}

// Run serves the usual way, and says a token first.
func (c *usualCommand) Run(ctx context.Context) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	token, err := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.RegisteredClaims{Subject: "load-0", ExpiresAt: jwt.NewNumericDate(time.Now().Add(24 * time.Hour))}).SignedString(key)
	if err != nil {
		return err
	}
	db, err := usual.Open(c.Database, c.Grants, time.Now)
	if err != nil {
		return err
	}
	fmt.Println("token " + token)
	s := usual.Server{DB: db, Key: &key.PublicKey, Sources: c.Sources, Now: time.Now}
	return serve(ctx, s.Handler())
}
