package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"mianti/batch"
	"mianti/connectors/guard"
	"mianti/correction"
	"mianti/draft"
	"mianti/exchange"
	"mianti/figures"
	"mianti/internal/fault"
	"mianti/internal/jobs"
	"mianti/internal/webhook"
	"mianti/keyring"
	"mianti/ledger/anchor"
	"mianti/retention"
	"mianti/store"
)

// background is what an exchange does besides answering: jobs, probes, the
// record of calls, and files of departments.
type background struct {
	// runners have kinds of jobs of their own, so that neither batches nor receivers
	// of events who do not answer hold a case up.
	runners    []*jobs.Runner
	guard      *guard.Guard
	targets    func() []guard.Target
	folder     *snapshotFolder // nil when none is configured
	sealing    *sealing
	anchors    *anchor.Worker
	store      purger
	partitions partitions
	elections  elections
	watch      func(context.Context) error // for what other nodes change
	// counter counts finished cases for the figures.
	counter *figures.Counter
	// retention ends what was kept long enough.
	retention *retention.Retention
	batches   *batch.Desk
	// certificates looks when those end by which departments know us.
	certificates func(context.Context)
	log          *slog.Logger
}

// purger drops what is kept for a while only.
type purger interface {
	PurgeCalls(ctx context.Context, before time.Time) (int, error)
	PurgeSessions(ctx context.Context, before time.Time) (int, error)
	PurgeUsage(ctx context.Context, now time.Time) (int, error)
	PurgeAnchors(ctx context.Context, before time.Time) (int, error)
}

// elections let one node at a time do some work.
type elections interface {
	Alone(ctx context.Context, name string, work func(ctx context.Context)) (mine bool, err error)
}

// partitions keeps those of the database ahead of what is written.
type partitions interface {
	KeepPartitions(ctx context.Context) ([]store.Partition, error)
	Partitions(ctx context.Context) ([]store.Partition, error)
}

const (
	// keepCalls is how long the record of calls is kept. It says how sources did,
	// not who asked about whom: that is the ledger's.
	keepCalls  = 90 * 24 * time.Hour
	purgeEvery = time.Hour
	// keepCosignatures is how long every cosignature is kept; then one for each day.
	keepCosignatures = 30 * 24 * time.Hour
	// countEvery is how often finished cases are counted.
	countEvery = 20 * time.Second
	// partitionEvery is how often it is looked whether partitions are needed.
	partitionEvery = time.Minute
	// folderEvery is how often the folder of files is looked at.
	folderEvery = 10 * time.Second
	// catalogDeadline bounds a look at the present catalog, so that a database that
	// is away does not hold the end of the program up.
	catalogDeadline = 5 * time.Second
)

// newBackground wires what a node does besides answering.
func (s *exchangeSettings) newBackground(n *node, catalogs *store.Catalogs, ring *keyring.Ring, subjectKey, webhookKey []byte, log *slog.Logger) (*background, error) {
	b := &background{guard: n.guard, store: n.store, partitions: n.store, elections: n.store, watch: n.store.Watch, retention: newRetention(n.store, s.retentionSettings, ""), batches: n.batches, log: log,
		counter: &figures.Counter{Ended: n.store, Catalogs: catalogs, Now: time.Now}, targets: func() []guard.Target { return s.targets(catalogs) }}
	sender, err := webhook.NewSender(webhook.Config{Master: webhookKey, Now: time.Now})
	if err != nil {
		return nil, err
	}
	for _, handlers := range []map[string]jobs.Handler{
		{
			exchange.JobContinue: n.exchange.ContinueJob, exchange.JobAssistNotice: n.exchange.AssistNotice,
			exchange.JobReflow: n.exchange.ReflowJob, exchange.JobReconsider: n.exchange.ReconsiderJob, correction.JobNotice: n.corrections.NoticeJob,
		},
		{batch.JobRun: n.batches.Job},
		{draft.JobPublish: n.drafts.PublishJob},
		{exchange.JobEvent: webhook.Deliver(n.store, sender, log)},
	} {
		runner, err := jobs.New(jobs.Config{Queue: n.store, Owner: newID(), Handlers: n.watch.handlers(handlers), Now: time.Now, Log: log})
		if err != nil {
			return nil, err
		}
		b.runners = append(b.runners, runner)
	}
	b.certificates = func(ctx context.Context) { n.watch.certificates(ctx, catalogs, s.secrets()) }
	b.sealing = &sealing{ledger: store.NewLog(n.store), log: log, signer: s.checkpointSigner(store.NewLog(n.store), ring)}
	if s.SnapshotsDir != "" {
		b.folder = newSnapshotFolder(s.SnapshotsDir, catalogs, n.store, subjectKey, log)
	}
	return b, nil
}

// targets are the sources of the present catalog that have a test subject.
func (s *exchangeSettings) targets(catalogs *store.Catalogs) []guard.Target {
	ctx, stop := context.WithTimeout(context.Background(), catalogDeadline)
	defer stop()
	rev, err := catalogs.Current(ctx)
	if err != nil {
		return nil // nothing is loaded yet, or the database is away: the guard asks again
	}
	var out []guard.Target
	for _, dataset := range rev.Datasets() {
		for i := range dataset.Sources {
			source := &dataset.Sources[i]
			if source.Probe == nil {
				continue
			}
			t := guard.Target{Dataset: dataset, Source: source}
			t.BaseURL, t.Network = s.locate(dataset.Department, source)
			out = append(out, t)
		}
	}
	return out
}

// run does all of it until ctx ends, and returns when nothing is under way any
// more.
func (b *background) run(ctx context.Context) error {
	var all sync.WaitGroup
	failed := make([]error, 3+len(b.runners))
	for i, runner := range b.runners {
		all.Go(func() { failed[3+i] = runner.Run(ctx) })
	}
	all.Go(func() { failed[2] = b.watch(ctx) })
	all.Go(func() { failed[0] = b.guard.Watch(ctx, b.targets) })
	all.Go(func() { failed[1] = b.guard.Run(ctx) })
	all.Go(func() { b.every(ctx, purgeEvery, b.alone("purge", b.purge)) })
	all.Go(func() { b.every(ctx, countEvery, b.alone("count", b.count)) })
	all.Go(func() { b.every(ctx, sealEvery, b.sealing.pass) })
	all.Go(func() { b.anchors.Run(ctx) })
	all.Go(func() { b.every(ctx, purgeEvery, b.alone("retain", b.retain)) })
	all.Go(func() { b.every(ctx, partitionEvery, b.keepPartitions) })
	all.Go(func() { b.every(ctx, purgeEvery, b.certificates) })
	if b.folder != nil {
		all.Go(func() { b.every(ctx, folderEvery, b.folder.pass) })
	}
	all.Wait()
	return errors.Join(failed...)
}

// every does something now and then until ctx ends.
func (b *background) every(ctx context.Context, pause time.Duration, do func(context.Context)) {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for ctx.Err() == nil {
		b.safely(ctx, do)
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

// alone does something unless another node is at it.
func (b *background) alone(name string, do func(context.Context)) func(context.Context) {
	return func(ctx context.Context) {
		if _, err := b.elections.Alone(ctx, name, func(ctx context.Context) { b.safely(ctx, do) }); err != nil && ctx.Err() == nil {
			b.log.LogAttrs(ctx, slog.LevelWarn, "background work was not done", slog.String("work", name), slog.Any("cause", err))
		}
	}
}

// safely does something once. A panic, such as of a library over a hostile file,
// ends that and not the program; what it says is not logged.
func (b *background) safely(ctx context.Context, do func(context.Context)) {
	defer func() {
		if value := recover(); value != nil {
			b.log.LogAttrs(ctx, slog.LevelError, "background work panicked", slog.String("type", fmt.Sprintf("%T", value)), slog.String("stack", string(debug.Stack())))
		}
	}()
	do(ctx)
}

func (b *background) purge(ctx context.Context) {
	if _, err := b.store.PurgeCalls(ctx, time.Now().Add(-keepCalls)); err != nil && ctx.Err() == nil {
		b.log.LogAttrs(ctx, slog.LevelWarn, "old calls were not dropped", slog.Any("cause", err))
	}
	if _, err := b.store.PurgeSessions(ctx, time.Now()); err != nil && ctx.Err() == nil {
		b.log.LogAttrs(ctx, slog.LevelWarn, "expired sessions were not dropped", slog.Any("cause", err))
	}
	if _, err := b.store.PurgeUsage(ctx, time.Now()); err != nil && ctx.Err() == nil {
		b.log.LogAttrs(ctx, slog.LevelWarn, "old counts were not dropped", slog.Any("cause", err))
	}
	if _, err := b.store.PurgeAnchors(ctx, time.Now().Add(-keepCosignatures)); err != nil && ctx.Err() == nil {
		b.log.LogAttrs(ctx, slog.LevelWarn, "old cosignatures were not dropped", slog.Any("cause", err))
	}
}

// keepPartitions makes the partitions that will be needed next. What is there lasts for
// long, so that a failure is a warning until little is left.
func (b *background) keepPartitions(ctx context.Context) {
	_, err := b.partitions.KeepPartitions(ctx)
	if err == nil || ctx.Err() != nil {
		return
	}
	b.log.LogAttrs(ctx, slog.LevelWarn, "partitions were not made ahead", slog.Any("cause", err))
	ahead, err := b.partitions.Partitions(ctx)
	if err != nil {
		return // the database is away: others say so
	}
	for _, p := range ahead {
		if p.Low {
			b.log.LogAttrs(ctx, slog.LevelError, "partitions end soon: when nothing is left, nothing can be recorded",
				slog.String("table", p.Table), slog.Int64("left", p.Left))
		}
	}
}

// count counts the cases that have ended. What another replica counts meanwhile is
// not counted again.
func (b *background) count(ctx context.Context) {
	if _, err := b.counter.Run(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, fault.Conflict) {
		b.log.LogAttrs(ctx, slog.LevelWarn, "finished cases were not counted", slog.Any("cause", err))
	}
}

// retain destroys what is due.
func (b *background) retain(ctx context.Context) {
	switch n, err := b.batches.Expire(ctx); {
	case err != nil && ctx.Err() == nil:
		b.log.LogAttrs(ctx, slog.LevelError, "batches that are due were not destroyed", slog.Any("cause", err))
	case n > 0:
		b.log.LogAttrs(ctx, slog.LevelInfo, "destroyed the lists and results of batches", slog.Int("batches", n))
	}
	done, err := b.retention.Run(ctx, nil)
	if err != nil && ctx.Err() == nil {
		b.log.LogAttrs(ctx, slog.LevelError, "what is due was not destroyed", slog.Any("cause", err))
	}
	if done != (retention.Done{}) {
		b.log.LogAttrs(ctx, slog.LevelInfo, "destroyed what was due", slog.Int("cases", done.Cases), slog.Int("salts", done.Salts), slog.Int("access_records", done.Records))
	}
}
