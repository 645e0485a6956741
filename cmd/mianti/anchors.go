package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"mianti/catalog"
	"mianti/connectors/egress"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/ledger/anchor"
	"mianti/store"
)

// anchorSettings say to whom checkpoints of the ledger are handed.
type anchorSettings struct {
	Witnesses     []string        `env:"MIANTI_WITNESSES" help:"Witnesses of the ledger as VKEY=URL, separated by commas; or file:PATH of a file with one on each line. Default: none."`
	WitnessEvery  time.Duration   `env:"MIANTI_WITNESS_EVERY" default:"1m" help:"How often a checkpoint goes to each witness."`
	TSAURL        string          `name:"tsa-url" env:"MIANTI_TSA_URL" help:"Address of the RFC 3161 time-stamping authority. Default: none."`
	TSARootsFile  string          `name:"tsa-roots-file" env:"MIANTI_TSA_ROOTS_FILE" help:"PEM file of the certificates that the authority's own must lead to."`
	TSAEvery      time.Duration   `name:"tsa-every" env:"MIANTI_TSA_EVERY" default:"1h" help:"How often a checkpoint is stamped."`
	AnchorNetwork catalog.Network `env:"MIANTI_ANCHOR_NETWORK" enum:"public,private,local" default:"public" help:"Where these addresses may lead to: public, private or local."`
}

// check reports every fault of the settings together.
func (s *anchorSettings) check() error {
	_, witnesses := s.witnesses()
	_, authorities := s.authorities()
	return errors.Join(witnesses, authorities)
}

// witnesses reads the witnesses.
func (s *anchorSettings) witnesses() ([]anchor.WitnessAddress, error) {
	var all []anchor.WitnessAddress
	for _, text := range s.Witnesses {
		lines := []string{text}
		if path, isFile := strings.CutPrefix(text, "file:"); isFile {
			data, err := os.ReadFile(path)
			if err != nil {
				return nil, fmt.Errorf("read MIANTI_WITNESSES: %w", err)
			}
			lines = strings.Split(string(data), "\n")
		}
		for _, line := range lines {
			if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
				continue
			}
			at, err := s.witness(line)
			if err != nil {
				return nil, fmt.Errorf("MIANTI_WITNESSES: %w", err)
			}
			all = append(all, at)
		}
	}
	return all, nil
}

// witness reads VKEY=URL. A verifier key of Ed25519 holds no "=".
func (s *anchorSettings) witness(text string) (anchor.WitnessAddress, error) {
	vkey, address, ok := strings.Cut(text, "=")
	if !ok {
		return anchor.WitnessAddress{}, errors.New("want VKEY=URL")
	}
	key, err := anchor.ParseWitnessKey(vkey)
	if err != nil {
		return anchor.WitnessAddress{}, err
	}
	to, err := egress.ParseURL(address, s.AnchorNetwork)
	if err != nil {
		return anchor.WitnessAddress{}, fmt.Errorf("%s: %w", key.Name(), err)
	}
	return anchor.WitnessAddress{Key: key, URL: to}, nil
}

// authorities reads the time-stamping authority, if there is one.
func (s *anchorSettings) authorities() ([]anchor.Authority, error) {
	if s.TSAURL == "" {
		return nil, nil
	}
	at, err := egress.ParseURL(s.TSAURL, s.AnchorNetwork)
	if err != nil {
		return nil, fmt.Errorf("MIANTI_TSA_URL: %w", err)
	}
	if s.TSARootsFile == "" {
		return nil, errors.New("MIANTI_TSA_ROOTS_FILE: must be set with MIANTI_TSA_URL")
	}
	pem, err := os.ReadFile(s.TSARootsFile)
	if err != nil {
		return nil, fmt.Errorf("read MIANTI_TSA_ROOTS_FILE: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, errors.New("MIANTI_TSA_ROOTS_FILE: holds no certificate")
	}
	return []anchor.Authority{{URL: at, Roots: roots}}, nil
}

// newAnchors wires what hands checkpoints out.
func (s *anchorSettings) newAnchors(db *store.Store, log *slog.Logger) (*anchor.Worker, error) {
	witnesses, err := s.witnesses()
	if err != nil {
		return nil, err
	}
	authorities, err := s.authorities()
	if err != nil {
		return nil, err
	}
	return anchor.New(anchor.Config{
		Log: anchoredLog{store.NewLog(db)}, Store: db, Now: time.Now, Logger: log, Network: s.AnchorNetwork,
		Witnesses: witnesses, WitnessEvery: s.WitnessEvery, Authorities: authorities, AuthorityEvery: s.TSAEvery,
	})
}

// anchoredLog is the log of a database, as it is anchored.
type anchoredLog struct{ log *store.Log }

// Checkpoint gives the newest checkpoint, and nothing before the first one.
func (l anchoredLog) Checkpoint(ctx context.Context) ([]byte, error) {
	c, err := l.log.Checkpoint(ctx)
	if f := fault.As(err); f != nil && f.Code == ledger.NotSealedYet().Code {
		return nil, nil
	}
	return []byte(c.Note), err
}

// ConsistencyProof proves that the log has only grown.
func (l anchoredLog) ConsistencyProof(ctx context.Context, from int64, to anchor.Checkpoint) ([]tlog.Hash, error) {
	c, err := ledger.ReadCheckpoint(string(to.Signed))
	if err != nil {
		return nil, err
	}
	return ledger.ProveConsistency(ctx, l.log, c, from)
}
