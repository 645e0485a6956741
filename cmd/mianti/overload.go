package main

import (
	"context"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"time"

	"mianti/admission"
	"mianti/api"
	"mianti/identity"
)

// overload is what stands before all that is served: the gate that lets requests
// in, and what it knows of callers.
type overload struct {
	gate    *admission.Gate
	callers *admission.Callers
}

func newOverload(log *slog.Logger) *overload {
	changed := func(c admission.Class, begins bool) {
		level, message := slog.LevelInfo, "overload has ended"
		if begins {
			level, message = slog.LevelWarn, "overload: some requests are refused"
		}
		// The gate is held: whoever reads the log must not hold it up.
		go log.LogAttrs(context.Background(), level, message, slog.String("class", c.String()))
	}
	return &overload{
		gate:    admission.NewGate(admission.Config{Now: time.Now, Cores: runtime.GOMAXPROCS(0), Changed: changed}),
		callers: admission.NewCallers(),
	}
}

// before puts the gate before a handler.
func (o *overload) before(next http.Handler, trusted []string) (http.Handler, error) {
	proxies, err := admission.ParseTrusted(trusted)
	if err != nil {
		return nil, err
	}
	front := &admission.Front{Gate: o.gate, Callers: o.callers, Classify: api.ClassOf, Refuse: api.Overloaded(newID), Trusted: proxies}
	return front.Handler(bounded(next)), nil
}

// requestDeadline bounds the work on one request: later the server would not send the
// answer any more.
const requestDeadline = writing - 5*time.Second

// bounded ends what is done for a request in time, but for streams, which have a bound
// of their own.
func bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/events") {
			next.ServeHTTP(w, r)
			return
		}
		ctx, stop := context.WithTimeout(r.Context(), requestDeadline)
		defer stop()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// outside says that the request of ctx waits for departments, until back is called.
func outside(ctx context.Context) (back func()) { return admission.From(ctx).Away() }

// known is the people who sign in, of whom the gate learns.
type known struct {
	*identity.Identity
	callers *admission.Callers
}

// Session gives the session that a request belongs to.
func (k known) Session(r *http.Request) (*identity.Session, error) {
	s, err := k.Identity.Session(r)
	if err == nil {
		k.callers.Learn(r, s.Person.ID)
	}
	return s, err
}
