package anchor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"mianti/catalog"
	"mianti/connectors/egress"
)

// Config is what a Worker is made of. Log, Store, Now and Logger are required.
type Config struct {
	Log   Log
	Store Store
	Now   func() time.Time
	// Logger is the operator's, and has nothing to do with Log.
	Logger *slog.Logger

	Witnesses []WitnessAddress
	// WitnessEvery is how often a checkpoint goes to each witness; default 1 min.
	WitnessEvery time.Duration
	// Authorities stamp checkpoints.
	Authorities []Authority
	// AuthorityEvery is how often a checkpoint is stamped; default 1 h.
	AuthorityEvery time.Duration
	// Network is where the addresses may lead to.
	Network catalog.Network
	// Timeout bounds one attempt; default 10 s.
	Timeout time.Duration
	// TLSRoots are the authorities that are believed for https; nil means the
	// system's.
	TLSRoots *x509.CertPool
}

const (
	defaultWitnessEvery   = time.Minute
	defaultAuthorityEvery = time.Hour
	defaultTimeout        = 10 * time.Second
	// retryEvery is the longest pause after a failure, so that what is anchored
	// rarely is not left for long.
	retryEvery = time.Minute
	// warnEvery is how often a failure that lasts is logged again.
	warnEvery = time.Hour
	// leastEvery keeps a slip of the settings from becoming a flood.
	leastEvery       = time.Second
	mostAnswerHeader = 64 << 10
)

// target is one anchor, and how to reach it.
type target struct {
	kind   Kind
	name   string
	every  time.Duration
	anchor func(ctx context.Context, log Log, cp Checkpoint, last State) (Anchored, error)
}

// Worker (锚定任务) hands out checkpoints in the background.
type Worker struct {
	Config
	targets []target
}

// New checks the configuration and fills in the defaults.
func New(cfg Config) (*Worker, error) {
	if cfg.Log == nil || cfg.Store == nil || cfg.Now == nil || cfg.Logger == nil {
		return nil, errors.New("new anchor worker: Log, Store, Now or Logger is not set")
	}
	for _, d := range []struct {
		value    *time.Duration
		fallback time.Duration
	}{{&cfg.WitnessEvery, defaultWitnessEvery}, {&cfg.AuthorityEvery, defaultAuthorityEvery}, {&cfg.Timeout, defaultTimeout}} {
		if *d.value == 0 {
			*d.value = d.fallback
		}
		if *d.value < leastEvery {
			return nil, fmt.Errorf("new anchor worker: a time is under %s", leastEvery)
		}
	}
	w := &Worker{Config: cfg}
	client := newClient(cfg.Network, cfg.TLSRoots)
	for _, at := range cfg.Witnesses {
		w.add(target{Witness, at.Key.Name(), cfg.WitnessEvery, (&witness{at, client, cfg.Now}).anchor})
	}
	for _, at := range cfg.Authorities {
		w.add(target{Timestamp, at.Name(), cfg.AuthorityEvery, (&timestamper{at, client, cfg.Now}).anchor})
	}
	for i, t := range w.targets {
		for _, other := range w.targets[:i] {
			if t.kind == other.kind && t.name == other.name {
				return nil, fmt.Errorf("new anchor worker: two anchors are called %q", t.name)
			}
		}
	}
	return w, nil
}

func (w *Worker) add(t target) { w.targets = append(w.targets, t) }

// newClient makes a client that connects to nothing outside the network, by no
// proxy, and follows nobody elsewhere.
func newClient(network catalog.Network, roots *x509.CertPool) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext:            egress.Dialer(network).DialContext,
			TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			DisableCompression:     true,
			MaxResponseHeaderBytes: mostAnswerHeader,
			IdleConnTimeout:        2 * time.Minute,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Run anchors until ctx ends. It fails never: what an anchor does not do is kept
// and shown.
func (w *Worker) Run(ctx context.Context) {
	var all sync.WaitGroup
	for _, t := range w.targets {
		all.Go(func() { w.run(ctx, t) })
	}
	all.Wait()
}

func (w *Worker) run(ctx context.Context, t target) {
	var warned time.Time
	for ctx.Err() == nil {
		pause := t.every
		if err := w.once(ctx, t); err != nil && ctx.Err() == nil {
			pause = min(t.every, retryEvery)
			if now := w.Now(); now.Sub(warned) >= warnEvery {
				warned = now
				w.Logger.LogAttrs(ctx, levelOf(err), "the ledger is not anchored", slog.String("kind", string(t.kind)), slog.String("anchor", t.name),
					slog.String("trouble", string(troubleOf(err))), slog.Any("cause", err))
			}
		} else {
			warned = time.Time{}
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// levelOf is an error for what cannot be an anchor's fault.
func levelOf(err error) slog.Level {
	if troubleOf(err) == Diverged {
		return slog.LevelError
	}
	return slog.LevelWarn
}

// Once hands the newest checkpoint to every anchor whose time has come, one
// after the other, and gives what failed.
func (w *Worker) Once(ctx context.Context) error {
	var failures []error
	for _, t := range w.targets {
		if err := w.once(ctx, t); err != nil {
			failures = append(failures, fmt.Errorf("%s %s: %w", t.kind, t.name, err))
		}
	}
	return errors.Join(failures...)
}

// once anchors the newest checkpoint, unless this or another replica has done
// so just now, or there is nothing new.
func (w *Worker) once(ctx context.Context, t target) error {
	ctx, stop := context.WithTimeout(ctx, w.Timeout)
	defer stop()
	last, err := w.state(ctx, t)
	if err != nil {
		return err
	}
	now := w.Now()
	// Half, so that replicas whose turns differ a little do not both go.
	if last.Trouble == "" && now.Sub(last.Kept) < t.every/2 && !now.Before(last.Kept) {
		return nil
	}
	cp, err := newest(ctx, w.Log)
	if err != nil {
		return w.note(ctx, t, last, err)
	}
	if cp.Size == 0 || last.Trouble == "" && cp.Size == last.Size && cp.Hash == last.Hash {
		return nil
	}
	a, err := t.anchor(ctx, w.Log, cp, last)
	if err != nil {
		return w.note(ctx, t, last, err)
	}
	a.Kept = w.Now()
	if err := w.Store.AddAnchored(ctx, a); err != nil {
		return fmt.Errorf("keep an anchoring: %w", err)
	}
	return nil
}

// note keeps a failure and gives it back. That a log has diverged stays until
// the anchor takes it again: an anchor that goes away then hides nothing. The
// time for the attempt may be over.
func (w *Worker) note(ctx context.Context, t target, last State, err error) error {
	trouble := troubleOf(err)
	if last.Trouble == Diverged {
		trouble = Diverged
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), defaultTimeout)
	defer stop()
	return errors.Join(err, w.Store.NoteTrouble(ctx, t.kind, t.name, trouble, w.Now()))
}

// state gives how it stands with one anchor; the zero state for a new one.
func (w *Worker) state(ctx context.Context, t target) (State, error) {
	states, err := w.Store.AnchorStates(ctx)
	if err != nil {
		return State{}, fmt.Errorf("read the states of anchors: %w", err)
	}
	for _, s := range states {
		if s.Kind == t.kind && s.Name == t.name {
			return s, nil
		}
	}
	return State{Kind: t.kind, Name: t.name}, nil
}
