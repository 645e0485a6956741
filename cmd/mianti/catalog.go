package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"mianti/catalog"
	"mianti/ledger"
	"mianti/store"
)

type catalogCommands struct {
	Lint catalogLintCommand `cmd:"" help:"Report every fault of a catalog, and what is allowed and wrong all the same, with file and line."`
	Load catalogLoadCommand `cmd:"" help:"Load a catalog as a new revision."`
	// Schema is for editors that do not find catalog/schema.json.
	Schema catalogSchemaCommand `cmd:"" help:"Print the JSON Schema of the file format, for editors."`
}

type catalogSchemaCommand struct{}

// Run prints the JSON Schema of the catalog's file format.
func (catalogSchemaCommand) Run(con console) error {
	_, err := con.Out.Write(catalog.Schema())
	return err
}

func printContents(w io.Writer, rev *catalog.Revision) {
	fmt.Fprintf(w, "%s（%s）没有错误：部门 %d，数据资源 %d，一件事 %d，事项 %d，材料 %d。\n", rev.Title, rev.Version,
		len(rev.Departments()), len(rev.Datasets()), len(rev.OneThings()), len(rev.Matters()), len(rev.Materials()))
}

// loadCatalog loads a catalog and prints all of its faults.
func loadCatalog(files fs.FS, w io.Writer, checks ...catalog.SourceCheck) (*catalog.Revision, error) {
	rev, err := catalog.Load(files, checks...)
	var faults catalog.Faults
	if errors.As(err, &faults) {
		for _, f := range faults {
			fmt.Fprintf(w, "%s:%d: %s [%s]\n", f.File, f.Line, f.Reason, f.Code)
		}
		return nil, fmt.Errorf("目录有 %d 处错误，没有载入任何内容", len(faults))
	}
	return rev, err
}

type catalogLoadCommand struct {
	databaseSetting
	secretsSetting
	Dir string `arg:"" optional:"" type:"existingdir" help:"Folder of the catalog. Default: the Jinan catalog that comes with the program."`
}

// Run loads a catalog as a new revision. The same catalog again is no new one.
func (c *catalogLoadCommand) Run(ctx context.Context, con console) error {
	files := catalogFolder(c.Dir)
	rev, err := loadCatalog(files, con.Err, secretCheck(c.secrets()))
	if err != nil {
		return err
	}
	db, err := store.Open(ctx, store.Config{URL: c.DatabaseURL, Now: time.Now})
	if err != nil {
		return err
	}
	defer db.Close()
	number, err := saveCatalog(ctx, db, files, rev)
	if err != nil {
		return err
	}
	printContents(con.Out, rev)
	fmt.Fprintf(con.Out, "已载入为修订 %d。新办件按它办理，已开的办件不变。\n", number)
	return nil
}

// saveCatalog stores the files of a catalog that has been loaded.
func saveCatalog(ctx context.Context, db *store.Store, folder fs.FS, rev *catalog.Revision) (int, error) {
	files, err := catalog.Files(folder)
	if err != nil {
		return 0, err
	}
	loaded := ledger.Entry{Kind: ledger.CatalogLoaded, At: time.Now().UTC(), Person: ledger.Operator, Object: "catalog"}
	return db.SaveRevision(ctx, files, store.RevisionMeta{Title: rev.Title, Version: rev.Version}, loaded)
}
