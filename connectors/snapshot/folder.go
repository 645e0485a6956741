package snapshot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"mianti/catalog"
)

// The folders of a source, below the one that is named by its code.
const (
	folderIn     = "in"     // where the department puts files
	folderWork   = "work"   // while they are loaded
	folderDone   = "done"   // afterwards
	folderFailed = "failed" // or here, with the errors beside them
)

// settled is how long a file has to be left alone before it counts as whole.
const settled = 10 * time.Second

// Folder loads the files that departments put into it:
//
//	<dir>/<code of the source>/in/<anything>-20261123.csv
//
// Several processes can look after the same one. It is for one pass at a time.
type Folder struct {
	dir    string
	loader *Loader
	// source gives the source of a code and its dataset; nil for one that is none.
	source func(code string) (*catalog.Dataset, *catalog.Source)
	now    func() time.Time

	mu   sync.Mutex
	seen map[string]stamp // files that were not taken in the last pass
}

// stamp tells whether a file was written to.
type stamp struct {
	size int64
	at   time.Time
	told bool // that it cannot be moved
}

// NewFolder returns a Folder. Nothing is read before the first pass.
func NewFolder(dir string, l *Loader, source func(code string) (*catalog.Dataset, *catalog.Source), now func() time.Time) *Folder {
	return &Folder{dir: dir, loader: l, source: source, now: now, seen: map[string]stamp{}}
}

// Outcome is what came of one file.
type Outcome struct {
	Source string // its code, or the name of a folder that is no source's
	File   string // its name
	Report Report
	// Err is nil when it was loaded. Failed says that it lies among the failed
	// ones; else it is tried again with the next pass.
	Err    error
	Failed bool
}

// LoadFolder looks once through all sources' folders and loads what is ready: a
// file that did not change since the last pass, or for ten seconds. The error is
// one of the folder as a whole.
func (f *Folder) LoadFolder(ctx context.Context) ([]Outcome, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	root, err := os.OpenRoot(f.dir) // nothing outside is reached, whatever is linked
	if err != nil {
		return nil, fmt.Errorf("open the folder of snapshots: %w", err)
	}
	defer root.Close() // only read
	folders, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return nil, fmt.Errorf("read the folder of snapshots: %w", err)
	}
	var all []Outcome
	seen := map[string]stamp{}
	for _, folder := range folders {
		if !folder.IsDir() || strings.HasPrefix(folder.Name(), ".") {
			continue
		}
		p := pass{folder: f, root: root, code: folder.Name(), seen: seen}
		all = append(all, p.run(ctx)...)
		if ctx.Err() != nil {
			return all, ctx.Err()
		}
	}
	f.seen = seen
	return all, nil
}

// pass is one look at one source's folder.
type pass struct {
	folder *Folder
	root   *os.Root
	code   string
	seen   map[string]stamp
}

// arrival is a file that lies in a source's folder.
type arrival struct {
	name string
	asOf time.Time
}

func (p *pass) path(parts ...string) string { return path.Join(append([]string{p.code}, parts...)...) }

func (p *pass) run(ctx context.Context) []Outcome {
	var all []Outcome
	d, s := p.folder.source(p.code)
	if s != nil {
		if err := p.giveBack(); err != nil {
			all = append(all, Outcome{Source: p.code, Err: err})
		}
	}
	arrivals, err := p.arrivals()
	if err != nil {
		return append(all, Outcome{Source: p.code, Err: err})
	}
	for _, a := range arrivals {
		if ctx.Err() != nil {
			return all
		}
		if s == nil {
			all = append(all, Outcome{Source: p.code, File: a.name, Err: unknownSource(p.code)})
			continue
		}
		if o, mine := p.take(ctx, d, s, a.name); mine {
			all = append(all, o)
		}
	}
	return all
}

// arrivals are the files that are ready, those of the oldest moment first.
func (p *pass) arrivals() ([]arrival, error) {
	entries, err := p.list(folderIn)
	if err != nil {
		return nil, err
	}
	var all []arrival
	for _, entry := range entries {
		// Links, and what is on its way, is left alone.
		if !entry.Type().IsRegular() || strings.HasPrefix(entry.Name(), ".") || FormatOf(entry.Name()) == "" {
			continue
		}
		if p.isReady(entry) {
			asOf, _ := AsOf(entry.Name())
			all = append(all, arrival{name: entry.Name(), asOf: asOf})
		}
	}
	slices.SortFunc(all, func(a, b arrival) int { return cmp.Or(a.asOf.Compare(b.asOf), cmp.Compare(a.name, b.name)) })
	return all, nil
}

func (p *pass) isReady(entry fs.DirEntry) bool {
	info, err := entry.Info()
	if err != nil {
		return false // it has gone
	}
	now := stamp{size: info.Size(), at: info.ModTime()}
	name := p.path(folderIn, entry.Name())
	p.seen[name] = now
	before, known := p.folder.seen[name]
	same := known && before.size == now.size && before.at.Equal(now.at)
	return same || now.at.Add(settled).Before(p.folder.now())
}

// isNew says that it was not told before that this file, as it is, cannot be
// moved, and remembers that it is told now.
func (p *pass) isNew(name string) bool {
	now, before := p.seen[name], p.folder.seen[name]
	now.told = true
	p.seen[name] = now
	return !before.told || before.size != now.size || !before.at.Equal(now.at)
}

// take loads a file, unless another process was quicker. One that cannot be
// taken is tried with each pass and told of once.
func (p *pass) take(ctx context.Context, d *catalog.Dataset, s *catalog.Source, name string) (Outcome, bool) {
	o := Outcome{Source: p.code, File: name}
	c, err := p.claim(name)
	if err != nil || c == nil {
		o.Err = err
		return o, err != nil && p.isNew(p.path(folderIn, name))
	}
	o.Report, o.Err = p.load(ctx, d, s, c)
	faults := refusal(o.Err)
	switch {
	case o.Err == nil:
		o.Err = p.move(c, folderDone)
	case faults != nil:
		o.Failed, err = p.fail(c, faults)
		o.Err = errors.Join(o.Err, err)
	default:
		// The database was away, or we are to stop: it is not the file's fault.
		o.Err = errors.Join(o.Err, p.move(c, folderIn))
	}
	return o, true
}

func (p *pass) load(ctx context.Context, d *catalog.Dataset, s *catalog.Source, c *claim) (Report, error) {
	at := p.work(c)
	info, err := p.root.Lstat(at)
	if err != nil {
		return Report{}, fmt.Errorf("look at a file of source %s: %w", p.code, nameless(err))
	}
	if !info.Mode().IsRegular() { // exchanged for a link just before it was taken
		return Report{}, wholeFile(CodeFile, "不是普通文件")
	}
	file, err := p.root.Open(at)
	if err != nil {
		return Report{}, fmt.Errorf("open a file of source %s: %w", p.code, nameless(err))
	}
	defer file.Close() // only read
	return p.folder.loader.Load(ctx, d, s, time.Time{}, File{Name: c.name, Content: namelessFile{file}, Size: info.Size()})
}
