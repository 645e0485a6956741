package exchange

import (
	"log/slog"
	"time"
)

// System (接入系统) is a department's registered software; it holds the token.
type System struct {
	ID         string
	Department string
	Name       string
	// Credentials are all that it ever had, the oldest first.
	Credentials []Credential
	// Requires is what its tokens must be bound to.
	Requires  Binding
	Disabled  bool
	CreatedAt time.Time
}

// Binding (令牌绑定) is what a token is bound to besides the one who holds it.
type Binding string

// The bindings.
const (
	BindingNone Binding = ""     // nothing is required: a bearer token will do
	BindingDPoP Binding = "dpop" // a key of the caller (RFC 9449)
	BindingMTLS Binding = "mtls" // the caller's TLS certificate (RFC 8705)
)

// LogValue keeps everything but the identifier out of logs.
func (s System) LogValue() slog.Value { return slog.StringValue(s.ID) }

// Credential gives the system's credential of that id if it is good at a
// moment; nil if it is not.
func (s System) Credential(id string, at time.Time) *Credential {
	for i := range s.Credentials {
		if s.Credentials[i].ID == id && s.Credentials[i].GoodAt(at) {
			return &s.Credentials[i]
		}
	}
	return nil
}
