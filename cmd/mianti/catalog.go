package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"mianti/catalog"
)

type catalogCommands struct {
	Lint     catalogLintCommand     `cmd:"" help:"Report every fault of a catalog, and what is allowed and wrong all the same, with file and line."`
	Load     catalogLoadCommand     `cmd:"" help:"Load a catalog as a new revision."`
	Draft    catalogDraftCommands   `cmd:"" help:"Write changes of the catalog, to be reviewed by another person."`
	Diff     catalogDiffCommand     `cmd:"" help:"Show what a draft changes, thing by thing and key by key."`
	Publish  catalogPublishCommand  `cmd:"" help:"Make an approved draft the current revision, at once or at a date."`
	Rollback catalogRollbackCommand `cmd:"" help:"Bring an earlier revision back, by a new one."`
	// What a change would do, and what a catalog takes off applicants.
	Effect  catalogEffectCommand  `cmd:"" help:"Say what a change of the catalog would do, on recorded cases too."`
	Report  catalogReportCommand  `cmd:"" help:"Count what a catalog takes off applicants: materials, steps, days."`
	Export  catalogExportCommand  `cmd:"" help:"Export the catalog as a workbook, lists, its own files, or DCAT-AP."`
	Import  catalogImportCommand  `cmd:"" help:"Show what a file would change in the catalog, or every cell that is wrong in it."`
	Suggest catalogSuggestCommand `cmd:"" help:"Suggest the standard material for each name of somebody's list of materials."`
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
		return nil, printFaults(w, faults)
	}
	return rev, err
}
