package exchange

import (
	"context"
	"fmt"
	"io"
	"time"

	"mianti/catalog"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// Snapshots loads the files that departments send.
type Snapshots interface {
	// LoadSnapshot puts a file in the place of the one before, as a whole or not
	// at all. Every row that is wrong is a detail of the fault.
	LoadSnapshot(ctx context.Context, d *catalog.Dataset, s *catalog.Source, f SnapshotFile) (SnapshotReport, error)
}

// SnapshotFile (数据文件) is a file of records.
type SnapshotFile struct {
	Content io.ReaderAt
	Size    int64
	Excel   bool      // XLSX; else CSV
	AsOf    time.Time // of when the records are
}

// SnapshotReport is what came of a file.
type SnapshotReport struct {
	Source string    `json:"source"`
	AsOf   time.Time `json:"as_of" doc:"数据时点"`
	Rows   int       `json:"rows" doc:"载入的行数"`
	Digest string    `json:"digest" doc:"文件摘要"`
	// Unchanged says that the same file was loaded before.
	Unchanged bool `json:"unchanged" doc:"同一文件已载入过, 没有变化"`
}

// LoadSnapshot loads a file for a source of the caller's own department.
func (x *Exchange) LoadSnapshot(ctx context.Context, by policies.Caller, code string, f SnapshotFile) (SnapshotReport, error) {
	rev, dataset, source, err := x.snapshotSource(ctx, by, code)
	if err != nil {
		return SnapshotReport{}, err
	}
	report, err := x.Snapshots.LoadSnapshot(ctx, dataset, source, f)
	if err != nil {
		return SnapshotReport{}, err
	}
	e := ledger.Entry{
		Kind: ledger.SnapshotLoaded, At: x.Now().UTC(), System: by.System, Person: by.Person, Department: by.Department, Revision: rev.Number,
		Dataset: dataset.Code, Source: source.Code, Digest: report.Digest,
	}
	if err := x.Journal.Append(ctx, []ledger.Entry{e}); err != nil {
		return SnapshotReport{}, notRecorded(err)
	}
	return report, nil
}

// MayLoadSnapshot says why a file for a source would not be taken; nil when it
// would. It is asked before the file is received.
func (x *Exchange) MayLoadSnapshot(ctx context.Context, by policies.Caller, code string) error {
	_, _, _, err := x.snapshotSource(ctx, by, code)
	return err
}

func (x *Exchange) snapshotSource(ctx context.Context, by policies.Caller, code string) (*catalog.Revision, *catalog.Dataset, *catalog.Source, error) {
	rev, err := x.Catalogs.Current(ctx)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("load a snapshot: %w", err)
	}
	source := rev.Source(code)
	dataset := datasetOf(rev, source)
	switch {
	case dataset == nil || dataset.Department != by.Department:
		return nil, nil, nil, fault.New(fault.NotFound, "unknown-source", "没有这个数源接口，或它不属于本部门。")
	case source.Kind != catalog.SourceSnapshot:
		return nil, nil, nil, fault.New(fault.Invalid, "no-snapshot-source", "这个数源接口不接收文件。")
	case x.Snapshots == nil:
		return nil, nil, nil, fault.New(fault.Unavailable, "unavailable", "这个节点不接收文件。")
	}
	return rev, dataset, source, nil
}

func datasetOf(rev *catalog.Revision, source *catalog.Source) *catalog.Dataset {
	if source == nil {
		return nil
	}
	for _, d := range rev.Datasets() {
		for i := range d.Sources {
			if d.Sources[i].Code == source.Code {
				return d
			}
		}
	}
	return nil
}
