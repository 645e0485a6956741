// Package identity says who the people are that sign in. A provider that speaks
// OpenID Connect says who somebody is, one for staff and one for applicants;
// what he may do is assigned here, for one department at a time, and recorded.
//
// A session is a row of the database: it ends on every replica at once. Who he
// is, whether he is still active and which duties he has is read anew at every
// request. A citizen's number leaves this package as a keyed digest only.
package identity

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"

	"mianti/ledger"
)

// SessionUses keeps when sessions are used, and ends them.
type SessionUses interface {
	// LastUse gives when a session was last used; the zero time for none.
	LastUse(ctx context.Context, token string) (time.Time, error)
	// Touch remembers that a session was used.
	Touch(ctx context.Context, token string, at time.Time) error
	// End ends a session, together with the entries about that, and reports
	// whether it was still there: of two who end it at once, one does.
	End(ctx context.Context, token string, entries ...ledger.Entry) (bool, error)
}

// Config is what an Identity is made of. All fields are required, but for those
// that name a default.
type Config struct {
	Persons Persons
	// Store and Uses are the same sessions: as the session library wants them, and
	// what it does not know of.
	Store scs.Store
	Uses  SessionUses
	// Staff and Citizens say who somebody is; nil: they do not sign in.
	Staff, Citizens *Provider
	// SubjectOf gives the keyed digest of a citizen's number.
	SubjectOf func(number string) string
	// DepartmentName gives the name of a department of the catalog, "" for none.
	DepartmentName func(ctx context.Context, code string) string
	// Address is where people reach this server, such as "https://mianti.example".
	Address string
	Now     func() time.Time
	NewID   func() string
	Log     *slog.Logger
	// StaffIdle and CitizenIdle are how long a session may lie unused, Lifetime how
	// long it may last. Default 30 min, 15 min and 8 h.
	StaffIdle, CitizenIdle, Lifetime time.Duration
}

// Identity signs people in and out. It is safe for concurrent use.
type Identity struct {
	Config
	sessions *scs.SessionManager // of those who have signed in
	logins   *scs.SessionManager // of those who are about to
	sameSite *http.CrossOriginProtection
}

// loginLife is how long somebody may take at the provider.
const loginLife = 10 * time.Minute

// New returns an Identity. It fails when the configuration cannot work; whether
// the providers answer is found out when somebody signs in.
func New(c Config) (*Identity, error) {
	if c.Persons == nil || c.Store == nil || c.Uses == nil || c.SubjectOf == nil || c.DepartmentName == nil ||
		c.Now == nil || c.NewID == nil || c.Log == nil {
		return nil, errors.New("identity: a required part of the configuration is missing")
	}
	setDefault(&c.StaffIdle, 30*time.Minute)
	setDefault(&c.CitizenIdle, 15*time.Minute)
	setDefault(&c.Lifetime, 8*time.Hour)
	if c.StaffIdle < 0 || c.CitizenIdle < 0 || c.Lifetime < max(c.StaffIdle, c.CitizenIdle) {
		return nil, errors.New("identity: a session must last at least as long as it may lie unused")
	}
	c.Address = strings.TrimRight(c.Address, "/")
	secure, err := checkAddress(c.Address)
	if err != nil {
		return nil, fmt.Errorf("identity: address: %w", err)
	}
	i := &Identity{Config: c, sameSite: http.NewCrossOriginProtection()}
	if err := i.sameSite.AddTrustedOrigin(c.Address); err != nil {
		return nil, fmt.Errorf("identity: address: %w", err)
	}
	i.sessions = newManager(c.Store, cookieName("mianti", secure), c.Lifetime, secure)
	i.logins = newManager(c.Store, cookieName("mianti-login", secure), loginLife, secure)
	return i, nil
}

func setDefault(d *time.Duration, value time.Duration) {
	if *d == 0 {
		*d = value
	}
}

// newManager makes a manager of sessions whose token is in a cookie, and only its
// digest in the database. It knows no idle time: that differs by kind.
func newManager(store scs.Store, cookie string, life time.Duration, secure bool) *scs.SessionManager {
	m := scs.New()
	m.Store, m.Codec, m.Lifetime, m.HashTokenInStore = store, codec{}, life, true
	m.Cookie = scs.SessionCookie{Name: cookie, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: secure}
	return m
}

// cookieName has the prefix by which a browser lets no other host set it.
func cookieName(name string, secure bool) string {
	if secure {
		return "__Host-" + name
	}
	return name
}

// checkAddress accepts https, and http on this machine alone.
func checkAddress(address string) (secure bool, err error) {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Opaque != "":
		return false, errors.New("want an absolute address, such as https://mianti.example")
	case u.Scheme == "https":
		return true, nil
	case u.Scheme == "http" && isLoopback(u.Hostname()):
		return false, nil
	}
	return false, errors.New("people sign in over https only; http is for this machine alone")
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// provider gives who answers for a kind; nil for nobody.
func (i *Identity) provider(kind Kind) *Provider {
	switch kind {
	case Staff:
		return i.Staff
	case Citizen:
		return i.Citizens
	}
	return nil
}

func (i *Identity) idle(kind Kind) time.Duration {
	if kind == Staff {
		return i.StaffIdle
	}
	return i.CitizenIdle
}
