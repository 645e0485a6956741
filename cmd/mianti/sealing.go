package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"mianti/internal/fault"
	"mianti/keyring"
	"mianti/ledger"
	"mianti/store"
)

// sealEvery is how often entries are sealed and a checkpoint is published, when
// there is something new.
const sealEvery = time.Second

// sealing gives entries their place in the log. Every replica tries; the
// database lets one at a time.
type sealing struct {
	ledger *store.Log
	signer func(ctx context.Context) (*ledger.Signer, error)
	log    *slog.Logger
	failed bool // at the last pass, so that it is said once
}

// pass seals all that waits.
func (s *sealing) pass(ctx context.Context) {
	err := s.sealAll(ctx)
	switch {
	case err == nil && s.failed:
		s.log.LogAttrs(ctx, slog.LevelInfo, "entries are sealed again")
	case err != nil && ctx.Err() == nil && !s.failed:
		// Traffic goes on: entries are recorded, and wait.
		s.log.LogAttrs(ctx, slog.LevelError, "entries are not sealed", slog.Any("cause", err))
	}
	s.failed = err != nil && ctx.Err() == nil
}

func (s *sealing) sealAll(ctx context.Context) error {
	signer, err := s.signer(ctx)
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		done, err := s.ledger.Seal(ctx, signer, store.SealBatch)
		if err != nil || done.Elsewhere || done.Entries < store.SealBatch {
			return err
		}
	}
	return nil
}

// checkpointSigner gives the signer of checkpoints. It asks for the key each
// time: a new one signs from the next checkpoint on, on every replica.
func (s *exchangeSettings) checkpointSigner(log *store.Log, ring *keyring.Ring) func(context.Context) (*ledger.Signer, error) {
	return func(ctx context.Context) (*ledger.Signer, error) {
		origin, err := s.ledgerOrigin(ctx, log)
		if err != nil {
			return nil, err
		}
		secret, err := ring.Secret(ctx, keyring.Checkpoints, keyring.RandomBytes)
		if err != nil {
			return nil, err
		}
		return ledger.NewSigner(origin, secret.Bytes)
	}
}

// ledgerOrigin names the log: as it is set, else as it has been called so far,
// else by the address of this exchange. A log does not change its name because
// the exchange moves.
func (s *exchangeSettings) ledgerOrigin(ctx context.Context, log *store.Log) (string, error) {
	if s.LedgerOrigin != "" {
		return s.LedgerOrigin, nil
	}
	last, err := log.Checkpoint(ctx)
	if err == nil {
		return last.Origin, nil
	}
	if refused := fault.As(err); refused == nil || refused.Code != ledger.NotSealedYet().Code {
		return "", fmt.Errorf("name the log: %w", err)
	}
	issuer, err := url.Parse(s.Issuer)
	if err != nil || issuer.Host == "" {
		return "", errors.New("MIANTI_ISSUER: want an absolute address, such as https://mianti.example")
	}
	return issuer.Host + strings.TrimRight(issuer.Path, "/") + "/log", nil
}
