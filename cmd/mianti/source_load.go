package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"mianti/catalog"
	"mianti/connectors/snapshot"
	"mianti/store"
)

type sourceLoadCommand struct {
	databaseSetting
	SubjectKeyFile string `env:"MIANTI_SUBJECT_KEY_FILE" help:"The exchange's file of the key of subjects, if it has one, under which the rows are stored."`
	Catalog        string `type:"existingdir" help:"Folder of a catalog. Default: the catalog that is loaded, by which the file is read later."`
	Source         string `arg:"" help:"Code of the source."`
	File           string `arg:"" type:"existingfile" help:"CSV or XLSX file of the department."`
	AsOf           string `help:"Day from which the file is, as 2006-01-02. Default: what its name says, such as …-20261123.csv."`
	Force          bool   `help:"Load it although a newer one is loaded."`
}

const (
	// shownErrors is how many errors of a file are printed; all are in its report.
	shownErrors = 20
	// quietFor is how long a load says nothing of its progress.
	quietFor = 2 * time.Second
)

// Run loads a file as a whole, or nothing of it.
func (c *sourceLoadCommand) Run(ctx context.Context, con console) error {
	asOf, err := c.asOf()
	if err != nil {
		return err
	}
	db, key, err := c.openSnapshots(ctx, c.SubjectKeyFile)
	if err != nil {
		return err
	}
	defer db.Close()
	rev, err := c.revision(ctx, db, con.Err)
	if err != nil {
		return err
	}
	dataset, source := findSource(rev, c.Source)
	if source == nil {
		return unknownSource(c.Source)
	}
	file, err := os.Open(c.File)
	if err != nil {
		return fmt.Errorf("open the file: %w", err)
	}
	defer file.Close() // only read from
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("open the file: %w", err)
	}
	progress, done := loadProgress(con.Err)
	loader := snapshot.NewLoader(snapshot.Options{Rows: db, Key: key, Now: time.Now, Force: c.Force, Progress: progress})
	report, err := loader.Load(ctx, dataset, source, asOf, snapshot.File{Name: filepath.Base(c.File), Content: file, Size: info.Size()})
	done()
	if rows := (snapshot.RowErrors)(nil); errors.As(err, &rows) {
		return c.refuse(con.Out, rows)
	}
	if err != nil {
		return err
	}
	printReport(con.Out, report)
	return nil
}

// asOf is the beginning of the given day in China; zero for none.
func (c *sourceLoadCommand) asOf() (time.Time, error) {
	if c.AsOf == "" {
		return time.Time{}, nil
	}
	day, err := time.ParseInLocation(time.DateOnly, c.AsOf, catalog.TimeZone())
	if err != nil {
		return time.Time{}, errors.New("--as-of: want a date such as 2026-11-23")
	}
	return day, nil
}

func (c *sourceLoadCommand) revision(ctx context.Context, db *store.Store, errs io.Writer) (*catalog.Revision, error) {
	if c.Catalog != "" {
		return loadCatalog(catalogFolder(c.Catalog), errs)
	}
	rev, err := store.NewCatalogs(db).Current(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w\nload a catalog first, or name one: --catalog DIR", err)
	}
	return rev, nil
}

// loadProgress tells of the rows once it takes long. The second function ends
// its line.
func loadProgress(w io.Writer) (tell func(snapshot.Stage, int), done func()) {
	begin, told := time.Now(), false
	last := begin
	tell = func(stage snapshot.Stage, rows int) {
		now := time.Now()
		if now.Sub(begin) < quietFor || now.Sub(last) < quietFor/10 {
			return
		}
		word := "检查"
		if stage == snapshot.StageStore {
			word = "存入"
		}
		fmt.Fprintf(w, "\r%s：%d 行", word, rows)
		last, told = now, true
	}
	return tell, func() {
		if told {
			fmt.Fprintln(w)
		}
	}
}

// refuse shows why a file is not loaded, and writes all of it beside the file.
func (c *sourceLoadCommand) refuse(w io.Writer, rows snapshot.RowErrors) error {
	cells := make([][]string, 0, shownErrors)
	for _, e := range rows[:min(len(rows), shownErrors)] {
		row := "整个文件"
		if e.Row > 0 {
			row = fmt.Sprint(e.Row)
		}
		cells = append(cells, []string{row, printable(e.Column), e.Code, printable(e.Message)})
	}
	printRows(w, []string{"行", "列", "代码", "说明"}, cells)
	if len(rows) > shownErrors {
		fmt.Fprintf(w, "另有 %d 处。\n", len(rows)-shownErrors)
	}
	refused := fmt.Errorf("文件有 %d 处错误，没有载入任何一行", len(rows))
	name := c.File + ".errors.csv"
	if err := writeErrors(name, rows); err != nil {
		return errors.Join(refused, err)
	}
	return fmt.Errorf("%w；全部错误在 %s", refused, name)
}

func writeErrors(name string, rows snapshot.RowErrors) error {
	file, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	_, err = rows.WriteTo(file)
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

func printReport(w io.Writer, r snapshot.Report) {
	if r.Unchanged {
		fmt.Fprintf(w, "数源 %s 已经载入过这个文件（数据时间 %s），没有改动。\n", r.Source, chinaTime(r.AsOf))
		return
	}
	fmt.Fprintf(w, "数源 %s 已载入 %d 行，数据时间 %s；以前的文件不再使用。\n", r.Source, r.Rows, chinaTime(r.AsOf))
}
