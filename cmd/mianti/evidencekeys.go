package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"mianti/evidence"
	"mianti/keyring"
)

// evidenceKeys are the keys that sign evidence: the newest signs, all verify. They
// are read whenever they are used, so that a rotation counts at once, on every
// replica.
type evidenceKeys struct {
	ring      *keyring.Ring
	algorithm evidence.Algorithm // of a key that is made
	issuer    string
}

// all gives the keys, newest first, and makes the first one where there is none.
func (k *evidenceKeys) all(ctx context.Context) ([]*evidence.SigningKey, error) {
	algorithm := k.algorithm
	if algorithm == "" {
		algorithm = evidence.ES256
	}
	if _, err := k.ring.Secret(ctx, keyring.Evidence, func() ([]byte, error) { return evidence.NewKey(algorithm) }); err != nil {
		return nil, err
	}
	secrets, err := k.ring.All(ctx, keyring.Evidence)
	if err != nil {
		return nil, err
	}
	keys, retired := make([]*evidence.SigningKey, len(secrets)), time.Time{}
	for i, s := range secrets {
		if keys[i], err = evidence.ReadKey(s.Bytes, s.Created, retired); err != nil {
			return nil, fmt.Errorf("read evidence key %d: %w", s.Number, err)
		}
		retired = s.Created
	}
	return keys, nil
}

// SignEvidence signs with the present key, in the name of this exchange.
func (k *evidenceKeys) SignEvidence(ctx context.Context, s evidence.Statement) (string, error) {
	keys, err := k.all(ctx)
	if err != nil {
		return "", err
	}
	s.Issuer = k.issuer
	return keys[0].Sign(s)
}

// EvidenceKeys gives what is published.
func (k *evidenceKeys) EvidenceKeys(ctx context.Context) ([]evidence.JWK, error) {
	keys, err := k.all(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]evidence.JWK, len(keys))
	for i, key := range keys {
		out[i] = key.Public().JWK()
	}
	return out, nil
}

// check makes sure that evidence can be signed, and says when it is signed by
// another algorithm than is configured: a setting changes no key.
func (k *evidenceKeys) check(ctx context.Context, log *slog.Logger) error {
	keys, err := k.all(ctx)
	if err != nil {
		return err
	}
	if present := keys[0].Public().Algorithm(); k.algorithm != "" && present != k.algorithm {
		log.Warn("evidence is signed by the algorithm of its present key until it is rotated: mianti key rotate evidence",
			"setting", "MIANTI_EVIDENCE_ALG", "configured", string(k.algorithm), "present", string(present))
	}
	return nil
}
