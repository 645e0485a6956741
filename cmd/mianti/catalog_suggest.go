package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"mianti/catalog/suggest"
	"mianti/store"
)

type catalogSuggestCommand struct {
	databaseSetting
	Stored   bool   `help:"Suggest from the catalog in the database, with what staff decided there."`
	Catalog  string `type:"existingdir" help:"Folder of the catalog. Default: the Jinan catalog that comes with the program."`
	CSV      bool   `name:"csv" help:"Print CSV."`
	Evaluate string `type:"existingdir" placeholder:"DIR" help:"Print precision and recall on the labelled lists of a folder, and suggest nothing."`
	Faults   bool   `help:"With --evaluate: list what was wrong on the development lists."`
	File     string `arg:"" optional:"" default:"-" help:"List of names: CSV or XLSX, or a text with a name on each line; - for the standard input."`
}

// Run suggests for every name of a list, or evaluates.
func (c *catalogSuggestCommand) Run(ctx context.Context, con console) error {
	if c.Evaluate != "" {
		return c.evaluate(con)
	}
	names, err := c.names(os.Stdin)
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return fmt.Errorf("名单是空的：请每行写一个材料名称")
	}
	assistant, err := c.assistant(ctx, con)
	if err != nil {
		return err
	}
	progress := newProgress(con.Err, len(names), "比对")
	rows := [][]string{}
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return err
		}
		rows = append(rows, suggestionRows(assistant.Suggest(name))...)
		_ = progress.Add(1) // a bar that is not drawn is no failure
	}
	_ = progress.Finish()
	if c.CSV {
		return printCSV(con.Out, rows)
	}
	printSuggestions(con.Out, rows)
	return nil
}

// names reads the list, whatever it is.
func (c *catalogSuggestCommand) names(stdin io.Reader) ([]string, error) {
	if c.File == "-" {
		content, err := io.ReadAll(stdin)
		if err != nil || bytes.HasPrefix(content, []byte("PK")) {
			return suggestedNames(content, err)
		}
		return suggest.NamesOf(string(content)), nil
	}
	content, err := os.ReadFile(c.File)
	if ext := strings.ToLower(filepath.Ext(c.File)); err != nil || ext == ".csv" || ext == ".xlsx" {
		return suggestedNames(content, err)
	}
	return suggest.NamesOf(string(content)), nil
}

func suggestedNames(content []byte, err error) ([]string, error) {
	if err != nil {
		return nil, err
	}
	return suggest.NamesIn(content)
}

func (c *catalogSuggestCommand) assistant(ctx context.Context, con console) (*suggest.Assistant, error) {
	if !c.Stored {
		rev, err := loadCatalog(catalogFolder(c.Catalog), con.Err)
		if err != nil {
			return nil, err
		}
		return suggest.New(suggest.Candidates(rev), nil)
	}
	db, err := store.Open(ctx, store.Config{URL: c.DatabaseURL, Now: time.Now})
	if err != nil {
		return nil, err
	}
	defer db.Close()
	rev, err := store.NewCatalogs(db).Current(ctx)
	if err != nil {
		return nil, err
	}
	decided, err := db.MappingDecisions(ctx)
	if err != nil {
		return nil, err
	}
	return suggest.New(suggest.Candidates(rev), decided)
}

func suggestionHeading() []string {
	return []string{"名称", "材料", "种类", "代码", "建议", "数据资源", "把握", "理由"}
}

// suggestionRows has a row for each paper of a name.
func suggestionRows(s suggest.Suggestion) [][]string {
	var rows [][]string
	for _, p := range s.Papers {
		row := []string{s.Name, p.Text, "", "", "", "", p.Level.Name(), p.Reason}
		if p.Match != nil {
			var held []string
			for _, h := range p.Match.Datasets {
				held = append(held, h.Code)
			}
			row[2], row[3], row[4], row[5] = p.Match.Kind.Name(), p.Match.Code, p.Match.Name, strings.Join(held, " ")
		}
		rows = append(rows, row)
	}
	return rows
}

// printCSV prints for spreadsheet programs, which take the mark for UTF-8. What begins as
// a formula does is made a text.
func printCSV(w io.Writer, rows [][]string) error {
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	_ = out.Write(suggestionHeading()) // Error says it
	for _, row := range rows {
		for i := range row {
			row[i] = suggest.Inert(row[i])
		}
		_ = out.Write(row)
	}
	out.Flush()
	return out.Error()
}

func printSuggestions(w io.Writer, rows [][]string) {
	found := 0
	shown := make([][]string, len(rows))
	for i, row := range rows {
		to := ""
		if row[3] != "" {
			found++
			to = row[4] + " " + row[3]
		}
		shown[i] = []string{row[0], to, row[2], row[5], row[6], row[7]}
	}
	fmt.Fprintln(w, newTable(shown, 30, 26, 10, 16, 10, 44).Headers("名称", "建议", "种类", "数据资源", "把握", "理由"))
	fmt.Fprintf(w, "\n%d 项中 %d 项有建议。没有建议的请人工对应；在页面 /catalog/suggest 确认或否定后，以后的建议会用上。\n", len(rows), found)
}

// evaluate prints precision and recall, by list and for each of the two parts.
func (c *catalogSuggestCommand) evaluate(con console) error {
	result, err := suggest.EvaluateFolder(os.DirFS(c.Evaluate))
	if err != nil {
		return err
	}
	if len(result.Development)+len(result.HeldBack) == 0 {
		return fmt.Errorf("%s 中没有 development 或 held-back 的名单", c.Evaluate)
	}
	var rows [][]string
	add := func(tallies []suggest.Tally, name string) {
		for _, t := range slices.Concat(tallies, []suggest.Tally{suggest.Sum(name, tallies...)}) {
			rows = append(rows, []string{
				t.File, fmt.Sprint(t.Names), fmt.Sprint(t.None), fmt.Sprint(t.Papers), fmt.Sprint(t.Right), fmt.Sprint(t.Alike), fmt.Sprint(t.Wrong),
				fmt.Sprintf("%.3f", t.Precision()), fmt.Sprintf("%.3f", t.Recall()),
			})
		}
	}
	add(result.Development, "开发用，合计")
	add(result.HeldBack, "留出的，合计")
	fmt.Fprintln(con.Out, newTable(rows, 46, 8, 10, 8, 8, 12, 8, 10, 10).Headers("名单", "名称", "无对应", "应有", "对", "其中靠相近", "错", "精确率", "召回率"))
	if c.Faults {
		for _, t := range result.Development {
			for _, f := range t.Faults {
				fmt.Fprintf(con.Out, "%s: %s\n", t.File, f)
			}
		}
	}
	return nil
}
