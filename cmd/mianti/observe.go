package main

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"

	"strings"
	"time"

	"go.opentelemetry.io/otel"

	"mianti/admission"
	"mianti/api"
	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/guard"
	"mianti/exchange"
	"mianti/internal/jobs"
	"mianti/policies"
	"mianti/safeguard"
	"mianti/store"
	"mianti/telemetry"
)

// observeSettings say what an operator sees.
type observeSettings struct {
	MetricsListen   string  `env:"MIANTI_METRICS_LISTEN" help:"Address at which Prometheus finds /metrics, such as 127.0.0.1:9464; for operators alone. Default: none."`
	TracesURL       string  `name:"traces-url" env:"MIANTI_TRACES_URL" help:"Address of the OpenTelemetry collector that spans are sent to over HTTP, such as http://127.0.0.1:4318. Default: none."`
	TracesRatio     float64 `env:"MIANTI_TRACES_RATIO" default:"0.01" help:"Which part of the traces is recorded, from 0 to 1."`
	BackupStampFile string  `env:"MIANTI_BACKUP_STAMP_FILE" help:"File whose time of change is when the last backup by another program was checked; those of mianti backup are known. Default: none."`
}

// watch is what an operator sees of a node. Without settings it is nil, and nothing is
// paid for.
type watch struct {
	metrics  *telemetry.Metrics
	tracer   *telemetry.Tracer
	observer *telemetry.Observer
	listener net.Listener
	backup   string
	files    string // the folder in which this node keeps files
}

// newWatch opens the listener of the metrics, and makes ready what sends traces.
func (s *exchangeSettings) newWatch(ctx context.Context, log *slog.Logger) (*watch, error) {
	if s.MetricsListen == "" && s.TracesURL == "" {
		return nil, nil
	}
	w := &watch{backup: s.BackupStampFile, files: cmp.Or(s.SnapshotsDir, ".")}
	if path, ok := strings.CutPrefix(s.DatabaseURL, "sqlite:"); ok {
		w.files = filepath.Dir(path)
	}
	var err error
	if s.TracesURL != "" {
		quietTraces(log)
		w.tracer, err = telemetry.NewTracer(ctx, telemetry.Tracing{URL: s.TracesURL, Ratio: s.TracesRatio, Version: thisBuild().Version, Failed: logTraces(log)})
		if err != nil {
			return nil, fmt.Errorf("MIANTI_TRACES_URL, MIANTI_TRACES_RATIO: %w", err)
		}
	}
	if s.MetricsListen != "" {
		if w.listener, err = net.Listen("tcp", s.MetricsListen); err != nil {
			return nil, fmt.Errorf("MIANTI_METRICS_LISTEN: %w", err)
		}
		w.metrics = telemetry.New(telemetry.Program{Version: thisBuild().Version, Go: runtime.Version(), Ruleset: policies.Ruleset}, time.Now)
	}
	w.observer = telemetry.NewObserver(w.metrics, w.tracer, time.Now)
	return w, nil
}

// quietTraces keeps what the library of traces has to say out of standard error, which
// holds JSON of ours.
func quietTraces(log *slog.Logger) {
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(error) {
		log.LogAttrs(context.Background(), slog.LevelWarn, "the library of traces reported something; its text is not kept")
	}))
}

func logTraces(log *slog.Logger) func(error) {
	return func(err error) {
		if err == nil {
			log.LogAttrs(context.Background(), slog.LevelInfo, "spans are sent again")
			return
		}
		log.LogAttrs(context.Background(), slog.LevelWarn, "spans are lost", slog.Any("cause", err))
	}
}

// openStore tells the store whom it tells.
func (w *watch) openStore(c *store.Config) {
	if w == nil || w.metrics == nil {
		return
	}
	told := c.Alarmed
	c.Alarmed = func(ctx context.Context, a safeguard.Alarm) {
		w.metrics.Alarmed(string(a.Kind), string(a.Of.Kind))
		told(ctx, a)
	}
	c.Observe = func(o store.Committed) { w.metrics.Committed(o.Batch, o.Queued, o.Took, o.Failed) }
}

// carry writes the trace into what goes to sources; nil for nothing.
func (w *watch) carry() func(context.Context, http.Header) {
	if w == nil || w.tracer == nil {
		return nil
	}
	return w.observer.Carry
}

// guard watches calls to sources.
func (w *watch) guard(c *guard.Config) {
	if w == nil {
		return
	}
	c.Connectors, c.Called = w.observer.Connectors(c.Connectors), w.observer.Called
}

// exchange watches what resolutions wait for.
func (w *watch) exchange(c *exchange.Config) {
	if w == nil {
		return
	}
	c.Sources, c.Journal, c.Resolutions = w.observer.Sources(c.Sources), w.observer.Journal(c.Journal), w.observer.Resolutions(c.Resolutions)
}

// interfaces watches requests.
func (w *watch) interfaces(c *api.Config) {
	if w != nil {
		c.Observer = w.observer
	}
}

// handlers watches jobs.
func (w *watch) handlers(all map[string]jobs.Handler) map[string]jobs.Handler {
	if w == nil {
		return all
	}
	return w.observer.Handlers(all)
}

// node watches what is looked at when somebody asks for the metrics.
func (w *watch) node(n *node) {
	if w == nil || w.metrics == nil {
		return
	}
	w.metrics.WatchSources(n.guard)
	w.metrics.WatchDatabase(n.store, func(ctx context.Context) (int, error) {
		rev, err := n.catalogs.Current(ctx)
		if err != nil {
			return 0, err
		}
		return rev.Number, nil
	}, func() time.Time { return changed(w.backup) })
	w.metrics.WatchReady(func(ctx context.Context) map[string]bool {
		works := map[string]bool{}
		for _, p := range n.readiness.parts(ctx) {
			works[p.Name] = p.Ready
		}
		return works
	})
	w.metrics.WatchDisk(func() (uint64, error) {
		free, _, err := diskFree(w.files)
		return free, err
	})
	w.metrics.WatchAdmission(func() []telemetry.Admission { return admitted(n.overload.gate.Stats()) })
}

// admitted gives how the gate does, class by class.
func admitted(s admission.Stats) []telemetry.Admission {
	out := make([]telemetry.Admission, 0, len(s.Classes))
	for class, c := range s.Classes {
		out = append(out, telemetry.Admission{
			Class: class.String(), Active: c.Active, Away: c.Away, Waiting: c.Waiting, Admitted: c.Admitted, Refused: c.Refused, Overloaded: c.Overloaded,
		})
	}
	return out
}

// changed is when a file was changed last; zero where there is none.
func changed(path string) time.Time {
	info, err := os.Stat(path)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// expires notes when something ends that has to be renewed before.
func (w *watch) expires(what, department string, at time.Time) {
	if w != nil && w.metrics != nil {
		w.metrics.Expires(what, department, at)
	}
}

// certificates notes when the certificates end by which departments know this exchange:
// of each department's the first.
func (w *watch) certificates(ctx context.Context, catalogs *store.Catalogs, secrets connectors.Secrets) {
	if w == nil || w.metrics == nil {
		return
	}
	ctx, stop := context.WithTimeout(ctx, catalogDeadline)
	defer stop()
	rev, err := catalogs.Current(ctx)
	if err != nil {
		return // it is looked at again
	}
	first := map[string]time.Time{}
	for _, dataset := range rev.Datasets() {
		for i := range dataset.Sources {
			ends := certificateEnds(&dataset.Sources[i], secrets)
			if had := first[dataset.Department]; !ends.IsZero() && (had.IsZero() || ends.Before(had)) {
				first[dataset.Department] = ends
			}
		}
	}
	for department, ends := range first {
		w.metrics.Expires("source_certificate", department, ends)
	}
}

// certificateEnds is when the certificate ends by which a source knows us; zero for
// none, or one that cannot be read: that is told elsewhere.
func certificateEnds(s *catalog.Source, secrets connectors.Secrets) time.Time {
	if s.Auth == nil || s.Auth.TLS == nil || s.Auth.TLS.Certificate == "" {
		return time.Time{}
	}
	text, err := secrets.Secret(s.Auth.TLS.Certificate)
	if err != nil {
		return time.Time{}
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return time.Time{}
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return time.Time{}
	}
	return certificate.NotAfter
}

// serve answers for the metrics until ctx ends.
func (w *watch) serve(ctx context.Context) error {
	if w == nil || w.listener == nil {
		return nil
	}
	return serveHTTP(ctx, w.listener, w.metrics.Handler())
}

// close sends the last spans.
func (w *watch) close() error {
	if w == nil {
		return nil
	}
	ctx, stop := context.WithTimeout(context.Background(), 2*time.Second)
	defer stop()
	err := w.tracer.Close(ctx)
	if w.listener != nil {
		if e := w.listener.Close(); !errors.Is(e, net.ErrClosed) {
			err = errors.Join(err, e)
		}
	}
	return err
}
