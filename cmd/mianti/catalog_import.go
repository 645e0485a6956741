package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"mianti/batch/table"
	"mianti/catalog"
	"mianti/catalog/interchange"
	"mianti/draft"
	"mianti/policies"
)

type catalogImportCommand struct {
	interchangeSource
	Edits  string `help:"Write the edits to this YAML file, to be added to a draft." placeholder:"OUT.yaml"`
	Draft  string `help:"Put the edits into a new draft of this title." placeholder:"TITLE"`
	Grants string `help:"Give the grants of the sheet 授权 that are not given yet, for this reason. It is recorded in the ledger; no personal data." placeholder:"REASON"`
	File   string `arg:"" type:"existingfile" help:"XLSX or CSV with the sheets of an export, lists in a ZIP archive, or the catalog's YAML: one file, or the whole folder in a ZIP archive."`
}

// Run shows what an import would change, or every cell that is wrong. It changes
// nothing but what it is told to: a file of edits, a draft, grants.
func (c *catalogImportCommand) Run(ctx context.Context, con console) error {
	content, err := readBounded(c.File, table.MaxFile)
	if err != nil {
		return err
	}
	desk, closes, err := c.open(ctx, con)
	if err != nil {
		return err
	}
	defer closes()
	tell, done := rowProgress(con.Err)
	p, number, err := desk.Preview(ctx, c.Revision, content, tell)
	done()
	if err != nil {
		return err
	}
	printPreview(con.Out, p)
	if !p.OK() {
		return fmt.Errorf("文件有 %d 处错误，没有改动任何内容", p.ErrorCount)
	}
	if c.Edits != "" {
		if err := writeEdits(con, c.Edits, number, p.Edits); err != nil {
			return err
		}
	}
	if c.Draft != "" {
		if err := c.draft(ctx, con, number, p.Edits); err != nil {
			return err
		}
	}
	if c.Grants != "" {
		return c.give(ctx, con, p.Grants)
	}
	return nil
}

// draft begins a draft of the edits.
func (c *catalogImportCommand) draft(ctx context.Context, con console, base int, edits []catalog.Edit) error {
	switch {
	case c.Catalog != "":
		return errors.New("--draft: 草案在数据库里，不能与 --catalog 同用")
	case len(edits) == 0:
		return nil // nothing is other than before, which the preview has said
	}
	db, desk, err := openDrafts(ctx, c.DatabaseURL)
	if err != nil {
		return err
	}
	defer db.Close()
	d, err := desk.Create(ctx, policyStaff(), draft.Opening{Title: c.Draft, Base: base, Edits: edits})
	if err != nil {
		return err
	}
	printDraft(con.Out, d)
	return nil
}

// give gives the grants of the file.
func (c *catalogImportCommand) give(ctx context.Context, con console, grants []policies.Grant) error {
	if c.Catalog != "" {
		return errors.New("--grants: 授权在数据库里，不能与 --catalog 同用")
	}
	db, desk, err := openSharing(ctx, c.DatabaseURL)
	if err != nil {
		return err
	}
	defer db.Close()
	given, err := desk.Give(ctx, machine(), grants, c.Grants)
	if err != nil {
		return err
	}
	fmt.Fprintf(con.Out, "已给予 %d 项共享授权。\n", len(given))
	return nil
}

// readBounded reads a file, or one byte more than its bound.
func readBounded(name string, most int64) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open the file: %w", err)
	}
	defer file.Close() // only read from
	content, err := io.ReadAll(io.LimitReader(file, most+1))
	if err != nil {
		return nil, fmt.Errorf("read the file: %w", err)
	}
	return content, nil
}

// rowProgress tells how far a reading is, once it takes longer than people wait for.
func rowProgress(w io.Writer) (tell func(rows int), done func()) {
	begin, told := time.Now(), false
	tell = func(rows int) {
		if time.Since(begin) >= quietFor {
			fmt.Fprintf(w, "\r已读 %d 行", rows)
			told = true
		}
	}
	return tell, func() {
		if told {
			fmt.Fprintln(w)
		}
	}
}

// shownRows is how many rows of a table are printed.
const shownRows = 100

func printPreview(w io.Writer, p *interchange.Preview) {
	var rows [][]string
	for _, s := range p.Sheets {
		if p.Format == interchange.YAML && s.Same == s.Rows && s.Removed == 0 {
			continue // there are as many files as one-things
		}
		rows = append(rows, []string{printable(s.Sheet), s.Kind, strconv.Itoa(s.Rows), strconv.Itoa(s.Added), strconv.Itoa(s.Changed), strconv.Itoa(s.Removed), strconv.Itoa(s.Same)})
	}
	if len(rows) > 0 {
		printRows(w, []string{"页", "种类", "行", "新增", "更改", "删除", "不变"}, rows)
	}
	if !p.OK() {
		fmt.Fprintf(w, "\n%d 处错误：\n", p.ErrorCount)
		printPlaces(w, p.Errors, p.ErrorCount)
	}
	if len(p.Notices) > 0 {
		fmt.Fprintln(w, "\n提示：")
		printPlaces(w, p.Notices, len(p.Notices))
	}
	if p.OK() {
		printImportChanges(w, p)
	}
}

// printPlaces prints what is said of places in the file.
func printPlaces(w io.Writer, of []interchange.RowError, total int) {
	var rows [][]string
	for _, e := range of[:min(len(of), shownRows)] {
		row := ""
		if e.Row > 0 {
			row = strconv.Itoa(e.Row)
		}
		rows = append(rows, []string{printable(e.Sheet), row, printable(e.Column), printable(e.Message), printable(e.Remedy)})
	}
	printRows(w, []string{"页", "行", "列", "问题", "怎样改正"}, rows)
	if total > len(rows) {
		fmt.Fprintf(w, "只列前 %d 处，共 %d 处。\n", len(rows), total)
	}
}

func printImportChanges(w io.Writer, p *interchange.Preview) {
	if len(p.Edits) == 0 {
		fmt.Fprintln(w, "\n与目录没有不同。")
	} else {
		fmt.Fprintf(w, "\n会改 %d 项：\n", len(p.Edits))
		var rows [][]string
		for _, c := range p.Changes[:min(len(p.Changes), shownRows)] {
			rows = append(rows, []string{changeName(c.Change), c.Kind.Name(), printable(c.Code), printable(c.Name), printable(placesOf(c.ThingChange))})
		}
		printRows(w, []string{"", "种类", "代码", "名称", "改了什么"}, rows)
		if len(p.Edits) > len(rows) {
			fmt.Fprintf(w, "只列前 %d 项。\n", len(rows))
		}
	}
	if len(p.Grants) > 0 {
		fmt.Fprintf(w, "\n另有 %d 项共享授权待给予：不随目录草案，用 --grants 理由 给予。\n", len(p.Grants))
	}
}

func changeName(change catalog.ChangeKind) string {
	return map[catalog.ChangeKind]string{catalog.ThingAdded: "新增", catalog.ThingRemoved: "删除", catalog.ThingChanged: "更改"}[change]
}

// placesOf names the keys that a change is about; of what is new or gone, none.
func placesOf(c catalog.ThingChange) string {
	if c.Change != catalog.ThingChanged {
		return ""
	}
	names := make([]string, len(c.Fields))
	for i, f := range c.Fields {
		names[i] = f.Place
	}
	return strings.Join(names, " ")
}

// writtenEdit is an edit as a person reads it, in the list that
// mianti catalog draft create takes.
type writtenEdit struct {
	Kind  catalog.ThingKind `yaml:"kind"`
	Code  string            `yaml:"code"`
	In    string            `yaml:"in,omitempty"`
	Value any               `yaml:"value"` // null removes
}

func writeEdits(con console, name string, base int, edits []catalog.Edit) error {
	list := make([]writtenEdit, len(edits))
	for i, e := range edits {
		list[i] = writtenEdit{Kind: e.Kind, Code: e.Code, In: e.In}
		if e.Removes() {
			continue
		}
		if err := json.Unmarshal(e.Value, &list[i].Value); err != nil {
			return fmt.Errorf("write the edits: %w", err)
		}
	}
	err := writeNew(name, func(w io.Writer) error {
		encoder := yaml.NewEncoder(w)
		encoder.SetIndent(2)
		return encoder.Encode(list)
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(con.Out, "已把 %d 项修改写入 %s", len(edits), name)
	if base > 0 {
		fmt.Fprintf(con.Out, "，依据目录修订 %d", base)
	}
	fmt.Fprintln(con.Out, "。")
	return nil
}
