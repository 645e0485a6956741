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
	// SecretHash is the Argon2id or SHA-256 digest of a random client secret,
	// with the algorithm's name in front; empty when it signs assertions instead.
	SecretHash string
	// JWKS are its public keys for private_key_jwt, as JSON; empty for none.
	JWKS      string
	Disabled  bool
	CreatedAt time.Time
}

// LogValue keeps everything but the identifier out of logs.
func (s System) LogValue() slog.Value { return slog.StringValue(s.ID) }
