package snapshot

import (
	"context"
	"errors"
	"iter"
	"time"

	"mianti/catalog"
	"mianti/internal/fault"
)

// clockSkew is how far a department's clock may be ahead of ours.
const clockSkew = 10 * time.Minute

// codeOlder is the code of a file that is older than the one that is served.
const codeOlder = "snapshot-older"

// Stage is what is being done with a file.
type Stage string

// The stages, in their order.
const (
	StageCheck Stage = "check" // every row is read and checked
	StageStore Stage = "store" // and then stored
)

// Options are the settings of a Loader.
type Options struct {
	Rows Rows
	// Key is what the rows are stored under, the same as the Connector's; 32 bytes
	// or more.
	Key []byte
	Now func() time.Time
	// Force loads a file although it is older than the one that is served.
	Force bool
	// Progress, when set, is told of the rows that are done, every thousand.
	Progress func(stage Stage, rows int)
}

// Loader loads files. It is safe for use by many goroutines.
type Loader struct {
	options Options
}

// NewLoader returns a Loader.
func NewLoader(o Options) *Loader { return &Loader{options: o} }

// Report is how a load ended.
type Report struct {
	Source    string
	AsOf      time.Time
	Rows      int
	Digest    string
	Unchanged bool // the same file was loaded before; nothing was stored
}

// Load checks a file and puts it in the place of the one before: as a whole, or
// not at all. A zero asOf is read out of the file's name.
//
// The error is a RowErrors where the file is at fault, or a *fault.Error where
// it may not be loaded.
func (l *Loader) Load(ctx context.Context, d *catalog.Dataset, s *catalog.Source, asOf time.Time, f File) (Report, error) {
	if s.Kind != Kind || s.Snapshot == nil {
		return Report{}, fault.New(fault.Invalid, "snapshot-source", "数源 %s 不是文件下载方式，不能载入文件", s.Code)
	}
	v, err := newVault(l.options.Key)
	if err != nil {
		return Report{}, fault.New(fault.Unavailable, "snapshot-key", "没有设置数源文件的密钥，或不足%d字节", minKey).Because(err)
	}
	asOf, err = l.moment(asOf, f.Name)
	if err != nil {
		return Report{}, err
	}
	digest, err := f.digest(d, s)
	if err != nil {
		return Report{}, err
	}
	h := Header{Source: s.Code, AsOf: asOf, Digest: digest, KeyID: v.id()}
	return l.load(ctx, &loading{loader: l, vault: v, dataset: d, source: s, file: f, header: h})
}

// moment is the one from which the file is. It is never the file's own time of
// change: that says when it was copied.
func (l *Loader) moment(asOf time.Time, name string) (time.Time, error) {
	if asOf.IsZero() {
		var told bool
		if asOf, told = AsOf(name); !told {
			return time.Time{}, fault.New(fault.Invalid, "snapshot-as-of",
				"不知道文件是哪一时刻的数据：请在文件名末尾写明，例如 名称-20261123.csv 或 名称-20261123T2200.xlsx")
		}
	}
	if asOf.After(l.options.Now().Add(clockSkew)) {
		return time.Time{}, fault.New(fault.Invalid, "snapshot-future", "文件的数据时刻在将来，请核对文件名中的日期")
	}
	return asOf.UTC().Truncate(time.Microsecond), nil
}

// loading is one file on its way.
type loading struct {
	loader  *Loader
	vault   *vault
	dataset *catalog.Dataset
	source  *catalog.Source
	file    File
	header  Header
}

// load looks once more at what is there when another load was quicker.
func (l *Loader) load(ctx context.Context, g *loading) (Report, error) {
	checked := false
	for again := false; ; again = true {
		current, err := l.options.Rows.Snapshot(ctx, g.header.Source)
		if err != nil {
			return Report{}, err
		}
		if unchanged, err := g.follows(current); err != nil || unchanged {
			return g.report(unchanged), err
		}
		if !checked {
			if err := g.check(ctx); err != nil {
				return Report{}, err
			}
			checked = true
		}
		g.header.LoadedAt = l.options.Now().UTC().Truncate(time.Microsecond)
		err = l.options.Rows.ReplaceSnapshot(ctx, g.header, g.sealed(ctx))
		if !again && errors.Is(err, fault.Conflict) {
			continue
		}
		return g.report(false), err
	}
}

// follows says whether the file is the one that is served already, and refuses
// an older one.
func (g *loading) follows(current *Header) (unchanged bool, err error) {
	if current == nil {
		g.header.Seq = 1
		return false, nil
	}
	g.header.Seq = current.Seq + 1
	if current.KeyID == g.header.KeyID && current.Digest == g.header.Digest && current.AsOf.Equal(g.header.AsOf) {
		g.header.Rows = current.Rows
		return true, nil
	}
	if g.header.AsOf.Before(current.AsOf) && !g.loader.options.Force {
		return false, fault.New(fault.Conflict, codeOlder, "文件比现在使用的（%s）旧，没有载入",
			current.AsOf.In(catalog.TimeZone()).Format("2006-01-02 15:04"))
	}
	return false, nil
}

func (g *loading) report(unchanged bool) Report {
	h := g.header
	return Report{Source: h.Source, AsOf: h.AsOf, Rows: h.Rows, Digest: h.Digest, Unchanged: unchanged}
}

// check reads the whole file before anything is stored, so that a file with a
// fault in its last row holds nobody up. A file of nobody is refused: it would
// make everybody one that was not found, and is more likely an export that failed.
func (g *loading) check(ctx context.Context) error {
	done := g.progress(StageCheck)
	rows, err := Read(ctx, g.file, g.dataset, g.source, func(Row) error { done(); return nil })
	if err == nil && rows == 0 {
		return wholeFile(CodeNoRows, "文件没有数据行，没有载入（此前的数据继续有效），请核对后重新导出")
	}
	g.header.Rows = rows
	return err
}

// sealed reads the file again and gives its rows as they are stored. A file that
// changed meanwhile is an error.
func (g *loading) sealed(ctx context.Context) iter.Seq2[Sealed, error] {
	return func(yield func(Sealed, error) bool) {
		enough := errors.New("no more rows are wanted")
		done := g.progress(StageStore)
		_, err := Read(ctx, g.file, g.dataset, g.source, func(r Row) error {
			row, err := g.seal(r)
			if err != nil {
				return err
			}
			if !yield(row, nil) {
				return enough
			}
			done()
			return nil
		})
		if err == nil {
			err = g.checkUnchanged()
		}
		if err != nil && !errors.Is(err, enough) {
			yield(Sealed{}, err)
		}
	}
}

func (g *loading) seal(r Row) (Sealed, error) {
	plain, err := r.encode(g.dataset)
	if err != nil {
		return Sealed{}, err
	}
	who := owner{source: g.source.Code, kind: r.Subject.Kind, number: r.Subject.Number}
	return g.vault.seal(who, &g.header, plain)
}

func (g *loading) checkUnchanged() error {
	digest, err := g.file.digest(g.dataset, g.source)
	if err != nil {
		return err
	}
	if digest != g.header.Digest {
		return fault.New(fault.Conflict, "snapshot-written", "文件在载入时还在变化，没有载入，请传完后再送")
	}
	return nil
}

// progress counts rows and tells of every thousandth.
func (g *loading) progress(stage Stage) func() {
	const step = 1000
	rows := 0
	return func() {
		rows++
		if tell := g.loader.options.Progress; tell != nil && rows%step == 0 {
			tell(stage, rows)
		}
	}
}

// refusal gives the errors of a load that the file or its name is to blame for;
// nil when it was not the file.
func refusal(err error) RowErrors {
	var rows RowErrors
	if errors.As(err, &rows) {
		return rows
	}
	refused := fault.As(err)
	if refused == nil || refused.Kind != fault.Invalid && refused.Code != codeOlder {
		return nil
	}
	return wholeFile(refused.Code, refused.Message)
}

// unknownSource is a folder that belongs to no source.
func unknownSource(code string) error {
	return fault.New(fault.NotFound, "snapshot-unknown-source", "目录中没有以文件下载方式接入的数源 %s，文件留在原处", code)
}
