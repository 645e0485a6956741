package api

import (
	"crypto/sha256"
	"sync"
	"time"
)

const (
	// verifiedLife is how long a token that was verified is not verified again.
	verifiedLife = time.Minute
	// maxVerified bounds how many are remembered: some megabytes.
	maxVerified = 10_000
)

// verified remembers access tokens whose signature and claims hold, by their digest:
// to verify an ES256 signature takes some 80 µs, to find it here less than one. It says nothing of whether a token was revoked, or its
// system, or its credential, nor of a proof that goes with it: that is looked at for
// every request. It is safe for concurrent use.
type verified struct {
	mu     sync.RWMutex
	tokens map[[sha256.Size]byte]verifiedToken
}

type verifiedToken struct {
	*access
	until time.Time
}

// find gives a token that was verified; nil for none.
func (v *verified) find(digest [sha256.Size]byte, now time.Time) *access {
	v.mu.RLock()
	defer v.mu.RUnlock()
	known, ok := v.tokens[digest]
	if !ok || !now.Before(known.until) {
		return nil
	}
	return known.access
}

// keep remembers a token that was verified now.
func (v *verified) keep(digest [sha256.Size]byte, token *access, now time.Time) {
	until := now.Add(verifiedLife)
	if token.expires.Before(until) {
		until = token.expires
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.tokens == nil || len(v.tokens) >= maxVerified { // they are verified again, once
		v.tokens = map[[sha256.Size]byte]verifiedToken{}
	}
	v.tokens[digest] = verifiedToken{token, until}
}
