package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"mianti/identity"
	"mianti/internal/fault"
	"mianti/policies"
)

// request is what is known of a request under way. It belongs to one
// goroutine.
type request struct {
	id     string
	system string // once authenticated
	// credential is the one that a system's token was given for.
	credential string
	http       *http.Request // as it came
	// address is where it comes from, as far as the proxies in front are believed.
	address string
	answer  http.Header // of its answer
}

// say puts a header into the answer.
func (r *request) say(name, value string) {
	if r.answer != nil {
		r.answer.Set(name, value)
	}
}

// header gives all values of a header of the request.
func (r *request) header(name string) []string {
	if r.http == nil {
		return nil
	}
	return r.http.Header.Values(name)
}

type requestKey struct{}
type callerKey struct{}

// requestOf gives the request under way; an empty one outside of any.
func requestOf(ctx context.Context) *request {
	if r, ok := ctx.Value(requestKey{}).(*request); ok {
		return r
	}
	return &request{}
}

func setSystem(ctx context.Context, id string) { requestOf(ctx).system = id }

// callerOf gives who asks; nobody, and nobody's department, on an operation
// without security.
func callerOf(ctx context.Context) policies.Caller {
	caller, _ := ctx.Value(callerKey{}).(policies.Caller)
	return caller
}

// begin gives every request its id and its headers, and writes its one line
// into the log: by route, never by address, and never what was in it.
func (s *server) begin(c *gin.Context) {
	r := &request{id: c.GetHeader("X-Request-Id"), address: c.ClientIP()}
	if !isRequestID(r.id) {
		r.id = s.NewID()
	}
	c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), requestKey{}, r))
	r.http = c.Request
	h := c.Writer.Header()
	r.answer = h
	h.Set("X-Request-Id", r.id)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	begun := s.Now()
	route := cmp.Or(c.FullPath(), "none")
	if s.Observer != nil {
		c.Request = c.Request.WithContext(s.Observer.Begin(c.Request, route))
		r.http = c.Request
		defer func() {
			s.Observer.End(c.Request.Context(), route, knownMethod(c.Request.Method), c.Writer.Status(), s.Now().Sub(begun))
		}()
	}
	defer func() {
		s.Log.LogAttrs(c.Request.Context(), slog.LevelInfo, "request", slog.String("method", knownMethod(c.Request.Method)),
			slog.String("route", route), slog.Int("status", c.Writer.Status()), slog.Int64("millis", s.Now().Sub(begun).Milliseconds()),
			slog.String("system", r.system), slog.String("peer", peerOf(c)), slog.String("request_id", r.id))
	}()
	if hidesSlash(c.Request) {
		s.refuse(c, noSuchRoute())
		return
	}
	c.Next()
}

// hidesSlash reports a path with an encoded slash, which a proxy in front and
// the router would take for two different addresses.
func hidesSlash(r *http.Request) bool {
	raw := strings.ToLower(r.URL.RawPath)
	return strings.Contains(raw, "%2f") || strings.Contains(raw, "%5c")
}

// peerOf gives the address from which a system speaks to us, or whoever says to
// be one: that of the socket, or what a trusted proxy says. A person's is not
// logged.
func peerOf(c *gin.Context) string {
	if c.GetHeader("Authorization") == "" && !strings.HasPrefix(c.FullPath(), "/oauth/") {
		return ""
	}
	return c.ClientIP()
}

// knownMethod keeps a caller's invention out of the log.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodPut, http.MethodDelete, http.MethodHead, http.MethodOptions:
		return method
	default:
		return "other"
	}
}

// isRequestID accepts a caller's own id when it is a UUID. Anything freer could
// be somebody's number, and it goes into the log.
func isRequestID(id string) bool {
	return len(id) == 36 && uuid.Validate(id) == nil
}

// recoverPanic answers a programmer's mistake like any internal error. The
// value of the panic is not logged: it may hold what the request held.
func (s *server) recoverPanic(c *gin.Context) {
	defer func() {
		value := recover()
		if value == nil {
			return
		}
		if value == http.ErrAbortHandler { //nolint:errorlint // it is that very value by contract
			panic(value)
		}
		s.Log.LogAttrs(c.Request.Context(), slog.LevelError, "panic", slog.String("route", c.FullPath()),
			slog.String("request_id", requestOf(c.Request.Context()).id), slog.String("stack", string(debug.Stack())))
		if !c.Writer.Written() {
			s.send(c, s.problemFor(errors.New("panic")))
		}
		c.Abort()
	}()
	c.Next()
}

// refuse ends a request with the problem for err.
func (s *server) refuse(c *gin.Context, err error) {
	p := s.problemFor(err)
	s.logFailure(c.Request.Context(), p, err)
	if p.Status == http.StatusUnauthorized {
		p.headers["Www-Authenticate"] = challenges(c.GetHeader("Authorization"), err)
	}
	s.send(c, p)
}

func (s *server) send(c *gin.Context, p *problem) {
	if c.FullPath() != "" {
		p.Instance = c.Request.URL.EscapedPath()
	}
	p.RequestID = requestOf(c.Request.Context()).id
	for name, values := range p.headers {
		c.Writer.Header()[name] = values
	}
	body, err := json.Marshal(p)
	if err != nil {
		body = nil // the status still tells
	}
	c.Abort()
	c.Data(p.Status, problemType, body)
}

// callerFor finds who makes a request, and lets it be known for the next one.
func (s *server) callerFor(r *http.Request) (policies.Caller, error) {
	caller, err := s.findCaller(r)
	switch {
	case err == nil:
		s.Callers.Learn(r, cmp.Or(caller.System, caller.Person))
	case errors.Is(err, fault.Unauthenticated):
		s.Callers.Forget(r)
	}
	return caller, err
}

// findCaller finds a system by its token, or a person by a session. A request with a
// token is the system's, whatever else it carries.
func (s *server) findCaller(r *http.Request) (policies.Caller, error) {
	given := r.Header.Values("Authorization")
	switch {
	case len(given) == 1:
		return s.authenticate(r, given[0])
	case len(given) == 0 && s.People != nil:
		if err := s.sameSite.Check(r); err != nil {
			return policies.Caller{}, identity.CrossSite()
		}
		return s.People.Caller(r)
	default:
		return policies.Caller{}, unauthenticated()
	}
}

// requireCaller lets a request through when its operation needs no caller, or
// its token holds.
func (s *server) requireCaller(ctx huma.Context, next func(huma.Context)) {
	if len(ctx.Operation().Security) == 0 {
		next(ctx)
		return
	}
	c := humagin.Unwrap(ctx)
	caller, err := s.callerFor(c.Request)
	if errors.Is(err, fault.Unavailable) && readsCatalog(ctx.Operation()) {
		caller, err = s.knownReader(c.Request, err)
	}
	if err != nil {
		s.refuse(c, err)
		return
	}
	setSystem(ctx.Context(), caller.System)
	if !policies.MayDo(ctx.Operation().OperationID, caller.Duties) {
		s.refuse(c, s.notHis(c.Request, caller))
		return
	}
	next(huma.WithValue(ctx, callerKey{}, caller))
}

// readsCatalog reports whether an operation only reads the catalog, which holds nothing
// of people.
func readsCatalog(op *huma.Operation) bool {
	return op.Method == http.MethodGet && slices.Contains(op.Tags, catalogTag)
}

// knownReader lets a system read the catalog while the register of systems cannot be
// asked (away says why): with a token that we made, that has not ended, and that was found
// good here before. Whether it was revoked since is not known.
func (s *server) knownReader(r *http.Request, away error) (policies.Caller, error) {
	scheme, text, found := strings.Cut(r.Header.Get("Authorization"), " ")
	if !found || !strings.EqualFold(scheme, schemeBearer) {
		return policies.Caller{}, away
	}
	token, err := s.verify(text)
	if err != nil {
		return policies.Caller{}, unauthenticated().Because(err)
	}
	if token.bound.any() || s.Callers.Known(r) != token.system {
		return policies.Caller{}, away
	}
	return policies.Caller{System: token.system, Duties: []policies.Duty{policies.DutySystem}}, nil
}
