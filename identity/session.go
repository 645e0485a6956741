package identity

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// Session (会话) is somebody who has signed in, as he is now.
type Session struct {
	Person Person
	// Department is for which he acts: the one that he has duties for, or of several
	// the one that he has chosen. Empty until then, and for a citizen.
	Department string
	// Duties are his duties there.
	Duties []policies.Duty
	// IdleEnd is when the session ends if it is not used, End when it ends anyway.
	IdleEnd, End time.Time

	token string // as the store knows it
}

// What a session holds.
const (
	valuePerson     = "person"
	valueBegun      = "begun"
	valueDepartment = "department"
)

// touchEvery is how long a use may go unrecorded, so that not every request
// writes. A session ends by so much earlier at most.
const touchEvery = 30 * time.Second

// Caller gives who a request's session belongs to.
func (i *Identity) Caller(r *http.Request) (policies.Caller, error) {
	s, err := i.Session(r)
	if err != nil {
		return policies.Caller{}, err
	}
	return s.Caller(), nil
}

// Caller is who acts in the session.
func (s *Session) Caller() policies.Caller {
	c := policies.Caller{Person: s.Person.ID, Session: s.token, Department: s.Department, Duties: append([]policies.Duty{policies.DutyPerson}, s.Duties...)}
	if s.Person.Kind == Citizen {
		c.Subject = s.Person.Subject
	}
	return c
}

// Session gives the session that a request belongs to, and counts the request as
// a use of it. The person and his duties are read anew.
func (i *Identity) Session(r *http.Request) (*Session, error) {
	_, s, err := i.load(r)
	return s, err
}

// load gives a session together with the context in which the session library
// finds it.
func (i *Identity) load(r *http.Request) (context.Context, *Session, error) {
	token := cookieOf(r, i.sessions.Cookie.Name)
	if token == "" {
		return nil, nil, signInFirst()
	}
	ctx, err := i.sessions.Load(r.Context(), token)
	if err != nil {
		return nil, nil, fmt.Errorf("load session: %w", err)
	}
	id := i.sessions.GetString(ctx, valuePerson)
	begun, err := time.Parse(time.RFC3339Nano, i.sessions.GetString(ctx, valueBegun))
	if id == "" || err != nil {
		return nil, nil, signInFirst()
	}
	person, err := i.Persons.Person(ctx, id)
	switch {
	case errors.Is(err, fault.NotFound):
		return nil, nil, signInFirst()
	case err != nil:
		return nil, nil, fmt.Errorf("load session: %w", err)
	case person.Deactivated:
		return nil, nil, signInFirst()
	}
	s := &Session{Person: *person, End: begun.Add(i.Lifetime), token: storedToken(token)}
	if err := i.use(ctx, s); err != nil {
		return nil, nil, err
	}
	s.choose(i.sessions.GetString(ctx, valueDepartment))
	return ctx, s, nil
}

// use counts a use, unless the session has lain unused for too long or has lasted
// for too long.
func (i *Identity) use(ctx context.Context, s *Session) error {
	now := i.Now()
	last, err := i.Uses.LastUse(ctx, s.token)
	if err != nil {
		return fmt.Errorf("load session: %w", err)
	}
	idle := i.idle(s.Person.Kind)
	if !now.Before(s.End) || !now.Before(last.Add(idle)) {
		return signInFirst()
	}
	if now.Sub(last) >= touchEvery {
		if err := i.Uses.Touch(ctx, s.token, now); err != nil {
			return fmt.Errorf("load session: %w", err)
		}
		last = now
	}
	s.IdleEnd = last.Add(idle)
	if s.End.Before(s.IdleEnd) {
		s.IdleEnd = s.End
	}
	return nil
}

// choose sets the department and the duties there. A choice that the person has
// no duty for any more is none.
func (s *Session) choose(department string) {
	if s.Person.Kind == Citizen {
		s.Duties = []policies.Duty{policies.DutyCitizen}
		return
	}
	all := s.Person.Departments()
	if len(all) == 1 {
		department = all[0]
	}
	if slices.Contains(all, department) {
		s.Department, s.Duties = department, s.Person.DutiesIn(department)
	}
}

// ChooseDepartment sets for which of his departments somebody acts from now on in
// this session.
func (i *Identity) ChooseDepartment(r *http.Request, department string) (*Session, error) {
	ctx, s, err := i.load(r)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(s.Person.Departments(), department) {
		return nil, fault.New(fault.Denied, "no-duty-there", "您在这个部门没有岗位。").
			With(fault.Detail{Location: "body.department", Code: "no-duty-there", Message: "请从 GET /v1/session 的 departments 中选择。"})
	}
	i.sessions.Put(ctx, valueDepartment, department)
	if _, _, err := i.sessions.Commit(ctx); err != nil {
		return nil, fmt.Errorf("choose department: %w", err)
	}
	s.Department, s.Duties = "", nil
	s.choose(department)
	return s, nil
}

// begin makes the session of somebody who has just signed in. Its token is always
// a new one; a session that the browser had before is ended.
func (i *Identity) begin(w http.ResponseWriter, r *http.Request, p *Person) error {
	if before := cookieOf(r, i.sessions.Cookie.Name); before != "" {
		if _, err := i.Uses.End(r.Context(), storedToken(before)); err != nil {
			return fmt.Errorf("begin session: %w", err)
		}
	}
	ctx, err := i.sessions.Load(r.Context(), "") // "": a new one
	if err != nil {
		return fmt.Errorf("begin session: %w", err)
	}
	i.sessions.Put(ctx, valuePerson, p.ID)
	i.sessions.Put(ctx, valueBegun, i.Now().UTC().Format(time.RFC3339Nano))
	token, expiry, err := i.sessions.Commit(ctx)
	if err != nil {
		return fmt.Errorf("begin session: %w", err)
	}
	i.sessions.WriteSessionCookie(ctx, w, token, expiry)
	return nil
}

// end ends the session of a request on every replica, and records it. Whoever is
// not signed in is signed out already.
func (i *Identity) end(w http.ResponseWriter, r *http.Request) error {
	ctx, s, err := i.load(r)
	switch {
	case errors.Is(err, fault.Unauthenticated):
		ctx = r.Context()
	case err != nil:
		return err
	default:
		e := ledger.Entry{Kind: ledger.SignedOut, At: i.Now().UTC(), Person: s.Person.ID, Department: s.Department}
		if _, err := i.Uses.End(ctx, s.token, e); err != nil {
			return fmt.Errorf("sign out: %w", err)
		}
	}
	i.sessions.WriteSessionCookie(ctx, w, "", time.Time{})
	return nil
}

// maxToken bounds a token before it is looked for.
const maxToken = 128

// cookieOf gives the token in a request's cookie. A request with two is somebody's
// attempt to have it read in two ways.
func cookieOf(r *http.Request, name string) string {
	cookies := r.CookiesNamed(name)
	if len(cookies) != 1 || len(cookies[0].Value) > maxToken || strings.ContainsRune(cookies[0].Value, 0) {
		return ""
	}
	return cookies[0].Value
}

// storedToken is the token as the session library hands it to the store
// (HashTokenInStore).
func storedToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func signInFirst() error {
	return fault.New(fault.Unauthenticated, "unauthenticated", "没有登录，或登录已失效。请到 /auth/ 登录；接入系统请使用访问令牌。")
}
