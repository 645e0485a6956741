package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/sync/errgroup"

	"mianti/catalog"
	"mianti/ledger"
	"mianti/store"
)

type catalogLoadCommand struct {
	databaseSetting
	secretsSetting
	Dir string `arg:"" optional:"" type:"existingdir" help:"Folder of the catalog. Default: the Jinan catalog that comes with the program."`
}

// manyThings is how many one-things are loaded at once at most. A larger catalog is
// checked and stored one-thing by one-thing.
const manyThings = 2_000

// Run loads a catalog as a new revision. The same catalog again is no new one.
func (c *catalogLoadCommand) Run(ctx context.Context, con console) error {
	files := catalogFolder(c.Dir)
	things, err := fs.ReadDir(files, "one-things")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	db, err := store.Open(ctx, store.Config{URL: c.DatabaseURL, Now: time.Now})
	if err != nil {
		return err
	}
	defer db.Close()
	number := 0
	if len(things) > manyThings {
		number, err = loadThings(ctx, con, db, files, things, secretCheck(c.secrets()))
	} else {
		number, err = c.load(ctx, con, db, files)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(con.Out, "已载入为修订 %d。新办件按它办理，已开的办件不变。\n", number)
	return nil
}

func (c *catalogLoadCommand) load(ctx context.Context, con console, db *store.Store, files fs.FS) (int, error) {
	rev, err := loadCatalog(files, con.Err, secretCheck(c.secrets()))
	if err != nil {
		return 0, err
	}
	number, err := saveCatalog(ctx, db, files, rev)
	if err == nil {
		printContents(con.Out, rev)
	}
	return number, err
}

// saveCatalog stores the files of a catalog that has been loaded.
func saveCatalog(ctx context.Context, db *store.Store, folder fs.FS, rev *catalog.Revision) (int, error) {
	files, err := catalog.Files(folder)
	if err != nil {
		return 0, err
	}
	return db.SaveRevision(ctx, files, store.RevisionMeta{Title: rev.Title, Version: rev.Version}, loadedEntry())
}

func loadedEntry() ledger.Entry {
	return ledger.Entry{Kind: ledger.CatalogLoaded, At: time.Now().UTC(), Person: ledger.Operator, Object: "catalog"}
}

// withoutThings is a folder of a catalog without its one-things.
type withoutThings struct{ fs.FS }

// Open hides the one-things.
func (w withoutThings) Open(name string) (fs.File, error) {
	if name == "one-things" || strings.HasPrefix(name, "one-things/") {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return w.FS.Open(name)
}

// loadThings checks and stores a large catalog. All is stored, or where anything is
// wrong nothing.
func loadThings(ctx context.Context, con console, db *store.Store, files fs.FS, things []fs.DirEntry, checks ...catalog.SourceCheck) (int, error) {
	ground, err := loadCatalog(withoutThings{files}, con.Err, checks...)
	if err != nil {
		return 0, err
	}
	shared, err := catalog.Files(withoutThings{files})
	if err != nil {
		return 0, err
	}
	var names []string
	for _, entry := range things {
		if !entry.IsDir() && strings.HasSuffix(entry.Name(), ".yaml") {
			names = append(names, path.Join("one-things", entry.Name()))
		}
	}
	reading := &thingReader{files: files, ground: ground, progress: newProgress(con.Err, len(names), "检查并载入一件事")}
	number, err := db.SaveParts(ctx, func(yield func(catalog.Part, error) bool) {
		for name, content := range shared {
			if !yield(catalog.Part{Path: name, Content: content}, nil) {
				return
			}
		}
		reading.each(names, yield)
	}, store.RevisionMeta{Title: ground.Title, Version: ground.Version}, loadedEntry())
	_ = reading.progress.Finish() // a picture alone
	var faults catalog.Faults
	if errors.As(err, &faults) {
		return 0, printFaults(con.Err, faults)
	}
	if err == nil {
		fmt.Fprintf(con.Out, "%s（%s）没有错误：一件事 %d。\n", ground.Title, ground.Version, len(names))
	}
	return number, err
}

// maxFaultsShown is how many faults of a large catalog are told at once.
const maxFaultsShown = 1_000

// thingReader reads and checks one-things, some at once.
type thingReader struct {
	files    fs.FS
	ground   *catalog.Revision
	progress *progressbar.ProgressBar
}

// each hands over the files of one-things. It goes on after faults, to tell more than
// one, and ends with them.
func (r *thingReader) each(names []string, yield func(catalog.Part, error) bool) {
	var faults catalog.Faults
	for some := range slices.Chunk(names, 200) {
		parts, found, err := r.read(some)
		if err != nil {
			yield(catalog.Part{}, err)
			return
		}
		_ = r.progress.Add(len(some)) // a picture alone
		if faults = append(faults, found...); len(faults) > maxFaultsShown {
			break
		}
		for _, p := range parts {
			if len(faults) == 0 && !yield(p, nil) {
				return
			}
		}
	}
	if len(faults) > 0 {
		yield(catalog.Part{}, faults)
	}
}

func (r *thingReader) read(names []string) ([]catalog.Part, catalog.Faults, error) {
	parts, errs := make([]catalog.Part, len(names)), make([]error, len(names))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, name := range names {
		group.Go(func() error {
			content, err := fs.ReadFile(r.files, name)
			if err != nil {
				return err
			}
			parts[i] = catalog.Part{Path: name, Content: content}
			errs[i] = r.ground.Check(&parts[i])
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, nil, err
	}
	var all catalog.Faults
	for _, err := range errs {
		var faults catalog.Faults
		switch {
		case errors.As(err, &faults):
			all = append(all, faults...)
		case err != nil:
			return nil, nil, err
		}
	}
	return parts, all, nil
}

// printFaults prints what is wrong with a catalog, and gives the error that ends the
// command.
func printFaults(w io.Writer, faults catalog.Faults) error {
	for _, f := range faults {
		fmt.Fprintf(w, "%s:%d: %s [%s]\n", f.File, f.Line, f.Reason, f.Code)
	}
	return fmt.Errorf("目录有 %d 处错误，没有载入任何内容", len(faults))
}
