package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"mianti/bench/load"
	"mianti/internal/pgtest"
)

// Names of what is measured, in the order of the tables.
const (
	nameFloor    = "floor"
	nameGin      = "gin"
	nameNginx    = "nginx"
	nameUsual    = "usual"
	nameMianti   = "mianti"
	nameEvidence = "mianti+evidence"
)

// names are all of them.
func names() []string {
	return []string{nameFloor, nameGin, nameNginx, nameUsual, nameMianti, nameEvidence}
}

// bed is everything that runs while it is measured.
type bed struct {
	folder  string
	tools   load.Tools
	sources *load.RunningSources
	cluster *pgtest.Cluster
	node    *load.Node
	targets map[string]*load.Target
	stops   []func() error
}

// newBed starts all of it. Close ends what was started, after an error too.
func newBed(ctx context.Context, cases int) (*bed, error) {
	folder, err := os.MkdirTemp("", "mianti-compare-")
	if err != nil {
		return nil, err
	}
	b := &bed{folder: folder, targets: map[string]*load.Target{}, stops: []func() error{func() error { return os.RemoveAll(folder) }}}
	for _, step := range []func(context.Context) error{b.build, b.startSources, b.startBare, b.startNginx, b.startPostgres, b.startUsual, b.startMianti(cases)} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(err, b.Close())
		}
	}
	return b, nil
}

// Close stops everything, the last first.
func (b *bed) Close() error {
	var failed error
	for i := len(b.stops) - 1; i >= 0; i-- {
		failed = errors.Join(failed, b.stops[i]())
	}
	return failed
}

func (b *bed) stop(f func() error) { b.stops = append(b.stops, f) }

func (b *bed) build(context.Context) (err error) {
	b.tools, err = load.Build(b.folder)
	return err
}

func (b *bed) startSources(context.Context) (err error) {
	if b.sources, err = load.StartSources(b.tools); err == nil {
		b.stop(b.sources.Stop)
	}
	return err
}

// startBare starts the servers that ask and merge, and do nothing else.
func (b *bed) startBare(context.Context) error {
	for _, name := range []string{nameFloor, nameGin} {
		p, t, err := load.StartServer(b.tools, name, "--sources="+b.sources.List())
		if err != nil {
			return err
		}
		b.stop(p.Stop)
		b.targets[name] = t
	}
	return nil
}

func (b *bed) startNginx(ctx context.Context) error {
	p, t, err := load.StartNginx(ctx, b.folder, b.sources)
	if err != nil {
		return err
	}
	b.stop(p.Stop)
	b.targets[nameNginx] = t
	return nil
}

func (b *bed) startPostgres(ctx context.Context) (err error) {
	if b.cluster, err = load.StartPostgres(ctx); err == nil {
		b.stop(b.cluster.Close)
	}
	return err
}

func (b *bed) startUsual(ctx context.Context) error {
	url, err := b.cluster.CreateDatabase(ctx, "usual")
	if err != nil {
		return err
	}
	p, t, err := load.StartServer(b.tools, nameUsual, "--database="+url, "--sources="+b.sources.List())
	if err != nil {
		return err
	}
	b.stop(p.Stop)
	token := ""
	for _, line := range p.Said {
		if rest, found := strings.CutPrefix(line, "token "); found {
			token = rest
		}
	}
	request := load.Request(http.MethodPost, "/", t.Address, load.Opening(0, load.MeasuredMatter), "Authorization: Bearer "+token)
	t.Request = func(int64) []byte { return request }
	t.DatabasePID = b.cluster.PID()
	b.targets[nameUsual] = t
	return nil
}

func (b *bed) startMianti(cases int) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		url, err := b.cluster.CreateDatabase(ctx, "mianti")
		if err != nil {
			return err
		}
		x, err := load.PrepareExchange(ctx, load.ExchangeConfig{
			Tools: b.tools, Folder: b.folder, Sources: b.sources, Database: url, DatabasePID: b.cluster.PID(), Cases: cases,
		})
		if err != nil {
			return err
		}
		if b.node, err = x.StartNode(); err != nil {
			return err
		}
		b.stop(b.node.Stop)
		if _, err := b.node.OpenCases(ctx); err != nil {
			return err
		}
		return b.signIn(ctx)
	}
}

// signIn gets a new token for the exchange: one is good for ten minutes.
func (b *bed) signIn(ctx context.Context) error {
	t, err := b.node.Target(ctx, nameMianti, 0)
	if err != nil {
		return err
	}
	b.targets[nameMianti], b.targets[nameEvidence] = t, load.WithEvidence(t, nameEvidence)
	return nil
}

// checkCalls makes sure that one request of each target asks each source once, so
// that all are measured at the same work.
func (b *bed) checkCalls() error {
	for _, name := range names() {
		before, err := b.sources.Asked()
		if err != nil {
			return err
		}
		if err := b.targets[name].Once(0); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		after, err := b.sources.Asked()
		if err != nil {
			return err
		}
		if got, want := after-before, int64(len(load.Departments())); got != want {
			return fmt.Errorf("%s asks the sources %d times, want %d", name, got, want)
		}
	}
	return nil
}
