package main

import (
	"errors"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"time"
)

// The ways in which a source fails.
const (
	well     = iota
	slow     // answers after slowFor
	broken   // answers 500
	hangsUp  // ends the connection without an answer
	failings // how many ways there are
)

const slowFor = 400 * time.Millisecond

// failingName is a way in words.
func failingName(way int32) string {
	return []string{"is well", "takes " + slowFor.String(), "answers 500", "hangs up"}[way]
}

// faultySources stand before the stand-ins of departments, and let them fail.
type faultySources struct {
	addresses map[string]string        // by department, as http://host:port
	way       map[string]*atomic.Int32 // what each does now
	servers   []*http.Server
}

func newFaultySources(behind map[string]string) (*faultySources, error) {
	f := &faultySources{addresses: map[string]string{}, way: map[string]*atomic.Int32{}}
	for department, address := range behind {
		target, err := url.Parse(address)
		if err != nil {
			return f, err
		}
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return f, err
		}
		way := &atomic.Int32{}
		server := &http.Server{Handler: failing(way, handingOn(target)), ReadHeaderTimeout: 5 * time.Second}
		f.addresses[department], f.way[department] = "http://"+listener.Addr().String(), way
		f.servers = append(f.servers, server)
		go func() { _ = server.Serve(listener) }() // ends with close
	}
	return f, nil
}

// handingOn hands questions on, and says nothing of askers that have gone: nodes are
// killed.
func handingOn(target *url.URL) http.Handler {
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	return proxy
}

// failing fails in its present way, or hands on.
func failing(way *atomic.Int32, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch way.Load() {
		case broken:
			http.Error(w, "out of order", http.StatusInternalServerError)
			return
		case hangsUp:
			panic(http.ErrAbortHandler)
		case slow:
			time.Sleep(slowFor)
		}
		next.ServeHTTP(w, r)
	})
}

// heal makes all of them well.
func (f *faultySources) heal() {
	for _, way := range f.way {
		way.Store(well)
	}
}

func (f *faultySources) close() error {
	var errs []error
	for _, s := range f.servers {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}
