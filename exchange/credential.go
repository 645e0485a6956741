package exchange

import (
	"log/slog"
	"time"

	"mianti/ledger"
)

// Credential (凭据) is one thing by which a system proves itself: a secret or a
// public key. Several may be good at once, so that one can follow another
// without an interruption. A token ends with the credential it was given for.
type Credential struct {
	ID   string
	Kind CredentialKind
	// KeyID is the id by which an assertion names the key; empty for a secret.
	KeyID string
	// Content is the digest of a random secret with the algorithm's name in
	// front, or the public key as a JSON Web Key.
	Content   string
	NotBefore time.Time
	NotAfter  time.Time // zero: it does not end by itself
	RevokedAt time.Time // zero: it was not revoked
	CreatedAt time.Time
	CreatedBy string // "operator", or "system:" and the id of the system itself
}

// CredentialKind is the kind of a credential.
type CredentialKind string

// The kinds of credentials.
const (
	CredentialSecret CredentialKind = "secret"
	CredentialJWK    CredentialKind = "jwk"
)

// MaxCredentials bounds the credentials of a system that are good at once.
const MaxCredentials = 10

// GoodAt reports whether the credential proves anything at a moment. It ends at
// NotAfter, and does not outlive it.
func (c Credential) GoodAt(at time.Time) bool {
	return c.RevokedAt.IsZero() && !at.Before(c.NotBefore) && (c.NotAfter.IsZero() || at.Before(c.NotAfter))
}

// LogValue keeps everything but the identifier out of logs.
func (c Credential) LogValue() slog.Value { return slog.StringValue(c.ID) }

// Rotation is a change of a system's credentials, with its entries.
type Rotation struct {
	System string
	Add    []Credential
	// EndOthers is when those that it had end, unless they end before; zero
	// leaves them.
	EndOthers time.Time
	Entries   []ledger.Entry
}

// CredentialState is what a credential is good for at a moment.
type CredentialState string

// The states of credentials.
const (
	CredentialActive  CredentialState = "active"
	CredentialPending CredentialState = "pending" // good later
	CredentialEnded   CredentialState = "ended"
	CredentialRevoked CredentialState = "revoked"
)

// StateAt gives the state of the credential at a moment.
func (c Credential) StateAt(at time.Time) CredentialState {
	switch {
	case !c.RevokedAt.IsZero():
		return CredentialRevoked
	case c.GoodAt(at):
		return CredentialActive
	case at.Before(c.NotBefore):
		return CredentialPending
	default:
		return CredentialEnded
	}
}
