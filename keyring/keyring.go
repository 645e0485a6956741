// Package keyring keeps the exchange's secrets under one key-encryption key
// (密钥加密密钥): the keys that encrypt cases, that sign, and that key the digests
// of subjects. Whoever has the database without that key has none of them.
//
// The key-encryption key lies in a file, or behind whatever else is a Wrapper,
// such as a key management service.
package keyring

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"mianti/internal/fault"
)

// Wrapper wraps secrets under a key-encryption key that does not leave it. about
// says what a secret is for; one that was wrapped for something else does not
// unwrap.
type Wrapper interface {
	Wrap(ctx context.Context, plain, about []byte) (Wrapped, error)
	Unwrap(ctx context.Context, w Wrapped, about []byte) ([]byte, error)
}

// Wrapped is a secret under a key-encryption key.
type Wrapped struct {
	KEK   string // the identifier of that key
	Bytes []byte
}

// Purpose (密钥用途) says what a secret is for.
type Purpose string

// The purposes.
const (
	Subjects     Purpose = "subjects"      // keys the digests of persons and bodies; it cannot be rotated
	Webhooks     Purpose = "webhooks"      // the secrets of webhooks are made from it
	TokenSigning Purpose = "token-signing" // PEM
	Evidence     Purpose = "evidence"      // signs evidence
	Checkpoints  Purpose = "checkpoints"   // signs the checkpoints of the ledger
	SheetNumbers Purpose = "sheet-numbers" // keys the check codes of verification sheets
)

// Secret is one secret of a purpose, unwrapped.
type Secret struct {
	Purpose Purpose
	Number  int // counts those of its purpose, from 1; the highest is the present one
	Bytes   []byte
	Created time.Time
}

// Stored is a secret as it is kept.
type Stored struct {
	Purpose Purpose
	Number  int
	Wrapped Wrapped
	Created time.Time
}

// Secrets keeps wrapped secrets.
type Secrets interface {
	// SecretsOf gives those of a purpose, newest first.
	SecretsOf(ctx context.Context, p Purpose) ([]Stored, error)
	// AddSecret adds one; a fault.Conflict when there is one of that number.
	AddSecret(ctx context.Context, s Stored) error
	// RewrapSecret puts another wrapping in the place of a secret's present one.
	RewrapSecret(ctx context.Context, s Stored) error
}

// Ring gives secrets. All replicas on one database have the same.
type Ring struct {
	Wrapper Wrapper
	Secrets Secrets
	Now     func() time.Time
}

// secretLength is that of a secret that is random bytes.
const secretLength = 32

// RandomBytes makes a secret of 32 random bytes.
func RandomBytes() ([]byte, error) {
	b := make([]byte, secretLength)
	if _, err := rand.Read(b); err != nil {
		return nil, fmt.Errorf("make a secret: %w", err)
	}
	return b, nil
}

// Secret gives the present secret of a purpose. Where there is none it makes the
// first; of two replicas that do so at once, both get the same.
func (r *Ring) Secret(ctx context.Context, p Purpose, make func() ([]byte, error)) (Secret, error) {
	for range 2 {
		all, err := r.Secrets.SecretsOf(ctx, p)
		if err != nil {
			return Secret{}, fmt.Errorf("read the secret for %s: %w", p, err)
		}
		if len(all) > 0 {
			return r.unwrap(ctx, all[0])
		}
		plain, err := make()
		if err != nil {
			return Secret{}, err
		}
		if _, err := r.add(ctx, p, 1, plain); err != nil && !errors.Is(err, fault.Conflict) {
			return Secret{}, err
		}
	}
	return Secret{}, fmt.Errorf("make the secret for %s: it was made and is not there", p)
}

// All gives every secret of a purpose, newest first: what an earlier one signed
// still has to be verified.
func (r *Ring) All(ctx context.Context, p Purpose) ([]Secret, error) {
	stored, err := r.Secrets.SecretsOf(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("read the secrets for %s: %w", p, err)
	}
	all := make([]Secret, len(stored))
	for i := range stored {
		if all[i], err = r.unwrap(ctx, stored[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Rotate makes a new secret the present one of its purpose. It is a
// fault.Conflict when somebody else has just done so.
func (r *Ring) Rotate(ctx context.Context, p Purpose, plain []byte) (Secret, error) {
	all, err := r.Secrets.SecretsOf(ctx, p)
	if err != nil {
		return Secret{}, fmt.Errorf("read the secrets for %s: %w", p, err)
	}
	number := 1
	if len(all) > 0 {
		number = all[0].Number + 1
	}
	return r.add(ctx, p, number, plain)
}

func (r *Ring) add(ctx context.Context, p Purpose, number int, plain []byte) (Secret, error) {
	now := r.Now().UTC()
	wrapped, err := r.Wrapper.Wrap(ctx, plain, about(p, number))
	if err != nil {
		return Secret{}, fmt.Errorf("wrap the secret for %s: %w", p, err)
	}
	if err := r.Secrets.AddSecret(ctx, Stored{Purpose: p, Number: number, Wrapped: wrapped, Created: now}); err != nil {
		return Secret{}, fmt.Errorf("keep the secret for %s: %w", p, err)
	}
	return Secret{Purpose: p, Number: number, Bytes: plain, Created: now}, nil
}

func (r *Ring) unwrap(ctx context.Context, s Stored) (Secret, error) {
	plain, err := r.Wrapper.Unwrap(ctx, s.Wrapped, about(s.Purpose, s.Number))
	if err != nil {
		return Secret{}, fmt.Errorf("unwrap the secret for %s: %w", s.Purpose, err)
	}
	return Secret{Purpose: s.Purpose, Number: s.Number, Bytes: plain, Created: s.Created}, nil
}

// Rewrap wraps the secrets of a purpose under the present key-encryption key,
// where they are under an earlier one, and says how many they were.
func (r *Ring) Rewrap(ctx context.Context, p Purpose) (int, error) {
	stored, err := r.Secrets.SecretsOf(ctx, p)
	if err != nil {
		return 0, fmt.Errorf("read the secrets for %s: %w", p, err)
	}
	n := 0
	for _, s := range stored {
		plain, err := r.unwrap(ctx, s)
		if err != nil {
			return n, err
		}
		wrapped, err := r.Wrapper.Wrap(ctx, plain.Bytes, about(p, s.Number))
		if err != nil {
			return n, fmt.Errorf("wrap the secret for %s: %w", p, err)
		}
		if wrapped.KEK == s.Wrapped.KEK {
			continue
		}
		s.Wrapped = wrapped
		if err := r.Secrets.RewrapSecret(ctx, s); err != nil {
			return n, fmt.Errorf("keep the secret for %s: %w", p, err)
		}
		n++
	}
	return n, nil
}

// about binds a wrapped secret to its place.
func about(p Purpose, number int) []byte { return fmt.Appendf(nil, "secret|%s|%d", p, number) }

// Purposes are all of them.
func Purposes() []Purpose {
	return []Purpose{Subjects, Webhooks, TokenSigning, Evidence, Checkpoints, SheetNumbers}
}
