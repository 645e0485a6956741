package snapshot

import (
	"context"
	"errors"
	"fmt"
	"io"

	"mianti/catalog"
)

// defaultMaxRows is how many rows are read where the catalog does not say.
const defaultMaxRows = 1_000_000

// table is a file of either format as rows of cells. What next gives is valid
// until the next call; after the last row comes io.EOF. A RowErrors says that
// the file cannot be read on.
type table interface {
	next() (line, error)
	Close() error
}

// mostRows is how many rows a file may have below its headings.
func mostRows(s *catalog.Snapshot) int {
	if s.MaxRows <= 0 {
		return defaultMaxRows
	}
	return s.MaxRows
}

func tooManyRows(most int) RowErrors {
	return wholeFile(CodeRows, fmt.Sprintf("超过了这个数源允许的%d行，请核对文件，或在目录里调大 max_rows", most))
}

// line is one row with at least one cell that is not empty.
type line struct {
	number int // as a reader of the file counts it, from 1
	cells  []cell
	whole  bool // the format writes empty cells at the end too
}

// Read checks a file from its first row to its last, and hands each row over
// until there is an error in one. The error is a RowErrors, with all that is
// wrong, where the file is at fault; or what each returned.
func Read(ctx context.Context, f File, d *catalog.Dataset, s *catalog.Source, each func(Row) error) (rows int, err error) {
	if s.Snapshot == nil {
		return 0, fmt.Errorf("read a file: source %s does not say how", s.Code)
	}
	t, err := openTable(f, s.Snapshot)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	heading, err := t.next()
	if errors.Is(err, io.EOF) {
		return 0, wholeFile(CodeHeading, "文件是空的，连列名也没有，请重新导出")
	}
	if err != nil {
		return 0, err
	}
	l, faults := newLayout(d, s.Snapshot, heading)
	if len(faults) > 0 {
		return 0, faults
	}
	return l.readAll(ctx, t, each)
}

func openTable(f File, s *catalog.Snapshot) (table, error) {
	switch FormatOf(f.Name) {
	case FormatCSV:
		return openCSV(f, s)
	case FormatXLSX:
		return openXLSX(f, s)
	default:
		return nil, wholeFile(CodeFile, "只接收 .csv 和 .xlsx 文件")
	}
}

// readAll reads the rows below the headings.
func (l *layout) readAll(ctx context.Context, t table, each func(Row) error) (int, error) {
	const between = 256 // rows, after which the context is looked at
	most := mostRows(l.snapshot)
	var faults RowErrors
	for rows := 0; ; rows++ {
		if rows%between == 0 && ctx.Err() != nil {
			return 0, ctx.Err()
		}
		at, err := t.next()
		switch fatal := (RowErrors)(nil); {
		case errors.Is(err, io.EOF) && len(faults) == 0:
			return rows, nil
		case errors.Is(err, io.EOF):
			return 0, faults
		case errors.As(err, &fatal): // it cannot be read on
			return 0, append(faults, fatal...)
		case err != nil:
			return 0, err
		case rows == most:
			return 0, append(faults, tooManyRows(most)...)
		}
		row, wrong := l.row(at)
		faults = append(faults, wrong...)
		if len(faults) >= maxErrors {
			return 0, faults[:maxErrors]
		}
		if len(faults) > 0 {
			continue
		}
		if err := each(row); err != nil {
			return 0, err
		}
	}
}
