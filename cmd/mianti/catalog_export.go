package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"mianti/catalog"
	"mianti/catalog/interchange"
	"mianti/store"
)

// interchangeSource is where an export comes from, and what an import is compared
// with: a folder, or the database.
type interchangeSource struct {
	databaseSetting
	Catalog  string `type:"existingdir" help:"Folder of a catalog. Default: the catalog in the database."`
	Revision int    `help:"Number of the revision in the database. Default: the current one."`
}

// open gives the desk. Whoever calls it closes.
func (c *interchangeSource) open(ctx context.Context, con console) (desk *interchange.Desk, closes func(), err error) {
	if c.Catalog != "" {
		rev, err := loadCatalog(catalogFolder(c.Catalog), con.Err)
		if err != nil {
			return nil, nil, err
		}
		files, err := catalog.Files(catalogFolder(c.Catalog))
		if err != nil {
			return nil, nil, err
		}
		folder := &folderCatalog{rev, files}
		return &interchange.Desk{Catalogs: folder, Files: folder}, func() {}, nil
	}
	db, err := store.Open(ctx, store.Config{URL: c.DatabaseURL, Now: time.Now})
	if err != nil {
		return nil, nil, err
	}
	return &interchange.Desk{Catalogs: store.NewCatalogs(db), Files: db, Grants: db}, func() { db.Close() }, nil
}

// folderCatalog is a folder that stands for all revisions.
type folderCatalog struct {
	rev   *catalog.Revision
	files map[string][]byte
}

// Current gives the folder's catalog.
func (f *folderCatalog) Current(context.Context, ...string) (*catalog.Revision, error) {
	return f.rev, nil
}

// Revision gives the folder's catalog.
func (f *folderCatalog) Revision(context.Context, int, ...string) (*catalog.Revision, error) {
	return f.rev, nil
}

// EachOneThing gives all of them at once.
func (f *folderCatalog) EachOneThing(_ context.Context, _ int, each func(*catalog.Revision) error) error {
	return each(f.rev)
}

// Drafted loads the folder as it would be.
func (f *folderCatalog) Drafted(_ context.Context, _ int, edits []catalog.Edit, _ ...string) (*catalog.Drafted, error) {
	return interchange.Drafted(f.files, edits)
}

// File gives a file of the folder.
func (f *folderCatalog) File(_ context.Context, _ int, path string) ([]byte, error) {
	return f.files[path], nil
}

// EachFile gives the files of the folder.
func (f *folderCatalog) EachFile(_ context.Context, _ int, each func(catalog.Part) error) error {
	for _, path := range slices.Sorted(maps.Keys(f.files)) {
		if err := each(catalog.Part{Path: path, Content: f.files[path]}); err != nil {
			return err
		}
	}
	return nil
}

type catalogExportCommand struct {
	interchangeSource
	Format string   `enum:",xlsx,csv,yaml,dcat" default:"" help:"xlsx (a workbook), csv (one list, or several in a ZIP archive), yaml (the catalog's own files in a ZIP archive) or dcat (DCAT-AP in JSON-LD). Default: by the name of FILE."`
	Kind   []string `help:"Only these sheets, such as 材料. Default: all."`
	Base   string   `default:"urn:mianti:exchange" help:"Address of the exchange, by which DCAT names its datasets, such as https://mianti.example.gov.cn."`
	File   string   `arg:"" help:"File to write; - is standard output."`
}

// Run writes the catalog to a file.
func (c *catalogExportCommand) Run(ctx context.Context, con console) error {
	format, err := formatOf(c.Format, c.File)
	if err != nil {
		return err
	}
	desk, closes, err := c.open(ctx, con)
	if err != nil {
		return err
	}
	defer closes()
	desk.Address = c.Base
	wish := interchange.Wish{Number: c.Revision, Format: format, Sheets: c.Kind}
	if c.File == "-" {
		return desk.Export(ctx, wish, con.Out)
	}
	if err := writeNew(c.File, func(w io.Writer) error { return desk.Export(ctx, wish, w) }); err != nil {
		return err
	}
	fmt.Fprintf(con.Out, "已导出到 %s。\n", c.File)
	return nil
}

// formatOf gives the format that is asked for, or that a file's name says.
func formatOf(format, file string) (interchange.Format, error) {
	if format != "" {
		return interchange.Format(format), nil
	}
	byName := map[string]interchange.Format{".xlsx": interchange.XLSX, ".csv": interchange.CSV, ".zip": interchange.YAML, ".jsonld": interchange.DCAT}
	if f, ok := byName[strings.ToLower(filepath.Ext(file))]; ok {
		return f, nil
	}
	return "", errors.New("--format: 看不出格式，请写 xlsx、csv、yaml 或 dcat")
}

// writeNew writes a file as a whole: what was there stays until all is written.
func writeNew(name string, write func(io.Writer) error) error {
	file, err := os.CreateTemp(filepath.Dir(name), ".mianti-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	defer os.Remove(file.Name()) // gone already when all went well
	buffered := bufio.NewWriter(file)
	err = write(buffered)
	if err == nil {
		err = buffered.Flush()
	}
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(file.Name(), name)
	}
	return err
}
