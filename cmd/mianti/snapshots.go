package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"mianti/catalog"
	"mianti/connectors/snapshot"
	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/store"
)

// snapshotFolder is the folder that departments' files are dropped into. It
// tells the operator what became of each.
type snapshotFolder struct {
	folder *snapshot.Folder
	log    *slog.Logger
}

func newSnapshotFolder(dir string, catalogs *store.Catalogs, rows snapshot.Rows, key []byte, log *slog.Logger) *snapshotFolder {
	loader := snapshot.NewLoader(snapshot.Options{Rows: rows, Key: key, Now: time.Now})
	find := func(code string) (*catalog.Dataset, *catalog.Source) {
		ctx, stop := context.WithTimeout(context.Background(), catalogDeadline)
		defer stop()
		rev, err := catalogs.Current(ctx)
		if err != nil {
			return nil, nil // looked for again in the next pass
		}
		return findSource(rev, code)
	}
	return &snapshotFolder{folder: snapshot.NewFolder(dir, loader, find, time.Now), log: log}
}

// snapshotLoader loads files that are uploaded.
type snapshotLoader struct {
	loader *snapshot.Loader
}

// LoadSnapshot loads a file, or says what is wrong with which row.
func (l snapshotLoader) LoadSnapshot(ctx context.Context, d *catalog.Dataset, s *catalog.Source, f exchange.SnapshotFile) (exchange.SnapshotReport, error) {
	format := snapshot.FormatCSV
	if f.Excel {
		format = snapshot.FormatXLSX
	}
	report, err := l.loader.Load(ctx, d, s, f.AsOf, snapshot.File{Name: "upload." + string(format), Content: f.Content, Size: f.Size})
	var wrong snapshot.RowErrors
	if errors.As(err, &wrong) {
		return exchange.SnapshotReport{}, refusedFile(wrong)
	}
	return exchange.SnapshotReport{Source: report.Source, AsOf: report.AsOf, Rows: report.Rows, Digest: report.Digest, Unchanged: report.Unchanged}, err
}

func refusedFile(wrong snapshot.RowErrors) error {
	f := fault.New(fault.Invalid, "invalid-snapshot", "文件有 %d 处错误，没有载入任何一行。", len(wrong))
	for _, e := range wrong {
		where := "body"
		if e.Row > 0 {
			where = fmt.Sprintf("row %d", e.Row)
		}
		if e.Column != "" {
			where += " " + e.Column
		}
		f = f.With(fault.Detail{Location: where, Code: e.Code, Message: e.Message})
	}
	return f
}

// findSource gives a source and its dataset; nil for none.
func findSource(rev *catalog.Revision, code string) (*catalog.Dataset, *catalog.Source) {
	for _, dataset := range rev.Datasets() {
		for i := range dataset.Sources {
			if dataset.Sources[i].Code == code {
				return dataset, &dataset.Sources[i]
			}
		}
	}
	return nil, nil
}

// pass looks through the folder once.
func (f *snapshotFolder) pass(ctx context.Context) {
	outcomes, err := f.folder.LoadFolder(ctx)
	if err != nil && ctx.Err() == nil {
		f.log.LogAttrs(ctx, slog.LevelWarn, "the folder of files was not read", slog.Any("cause", err))
	}
	for _, o := range outcomes {
		if o.Err != nil {
			what := "a file was not loaded; see its report in failed"
			if !o.Failed {
				what = "a file was not loaded; left in place"
			}
			f.log.LogAttrs(ctx, slog.LevelError, what, slog.String("source", o.Source), slog.Any("cause", o.Err))
			continue
		}
		f.log.LogAttrs(ctx, slog.LevelInfo, "a file was loaded", slog.String("source", o.Source), slog.Int("rows", o.Report.Rows))
	}
}
