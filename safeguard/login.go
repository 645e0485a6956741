package safeguard

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"mianti/internal/fault"
)

// LoginLimits (登录失败上限) are how many failed authentications there may be
// within LoginWindow. That of a client is higher: one who sits at one address
// must not be able to lock a client out.
type LoginLimits struct {
	PerAddress int64 `json:"per_address"`
	PerClient  int64 `json:"per_client"`
}

// LoginWindow is how long a failed authentication counts.
const LoginWindow = 5 * time.Minute

// LoginKind is by what failed authentications are counted.
type LoginKind string

// By what they are counted.
const (
	LoginAddress LoginKind = "address"
	LoginClient  LoginKind = "client"
)

// Login (登录来源) is who tries to authenticate: a client or an address, as a
// digest. What a caller claims to be is not kept.
type Login struct {
	Kind   LoginKind
	Digest string
}

// LoginKeeper counts failed authentications.
type LoginKeeper interface {
	// LoginFailures gives how many there were since a moment, of each.
	LoginFailures(ctx context.Context, of []Login, since time.Time) (map[Login]int64, error)
	// AddLoginFailure counts one more, of each.
	AddLoginFailure(ctx context.Context, of []Login, at time.Time) error
}

// Attempt is one authentication: the client that it claims to be, and the
// address that it comes from.
type Attempt struct {
	Client  string
	Address string
}

func (a Attempt) logins() []Login {
	return []Login{{LoginAddress, digest(a.Address)}, {LoginClient, digest(a.Client)}}
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// AdmitLogin refuses an attempt after too many failures, before anything of it
// is looked at: the answer is the same whether there is such a client.
func (s *Safeguard) AdmitLogin(ctx context.Context, a Attempt) error {
	failures, err := s.Logins.LoginFailures(ctx, a.logins(), s.Now().Add(-LoginWindow))
	if err != nil {
		return fmt.Errorf("read failed logins: %w", err)
	}
	for login, n := range failures {
		most := s.Rules.Logins.PerAddress
		if login.Kind == LoginClient {
			most = s.Rules.Logins.PerClient
		}
		if n >= most {
			return fault.New(fault.Exhausted, "too-many-logins", "失败的登录过多，请稍后重试。").After(LoginWindow)
		}
	}
	return nil
}

// LoginFailed counts an attempt that failed.
func (s *Safeguard) LoginFailed(ctx context.Context, a Attempt) error {
	if err := s.Logins.AddLoginFailure(ctx, a.logins(), s.Now()); err != nil {
		return fmt.Errorf("count a failed login: %w", err)
	}
	return nil
}
