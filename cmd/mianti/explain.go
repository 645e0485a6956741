package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"mianti/catalog"
	"mianti/ledger"
	"mianti/policies"
	"mianti/store"
)

type explainCommand struct {
	databaseSetting
	ID       string `arg:"" help:"Id of a case or of a resolution."`
	Material string `help:"Only this material, by its code."`
	JSON     bool   `name:"json" help:"Print the entries as they are recorded."`
}

// Run says from the record why each look-up of a case was allowed or denied, by
// what and by which rules, and what came of it. It shows no value.
func (c *explainCommand) Run(ctx context.Context, con console) error {
	db, err := store.Open(ctx, store.Config{URL: c.DatabaseURL, Now: time.Now})
	if err != nil {
		return err
	}
	defer db.Close()
	entries, err := c.entries(ctx, db)
	if err != nil {
		return err
	}
	if err := recordAtMachine(ctx, db, ledger.Entry{Kind: ledger.LogRead, Case: entries[0].Case, Revision: entries[0].Revision}); err != nil {
		return err
	}
	if c.JSON {
		encoder := json.NewEncoder(con.Out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(entries)
	}
	var about []string
	for _, e := range entries {
		about = append(about, e.Material)
	}
	rev, err := store.NewCatalogs(db).Revision(ctx, entries[0].Revision, about...)
	if err != nil {
		return err
	}
	explain(con.Out, rev, entries)
	return nil
}

func (c *explainCommand) entries(ctx context.Context, db *store.Store) ([]ledger.Entry, error) {
	entries, err := db.Entries(ctx, c.ID)
	if err == nil && len(entries) == 0 {
		entries, err = db.EntriesOfResolution(ctx, c.ID)
	}
	if err != nil {
		return nil, err
	}
	entries = slices.DeleteFunc(entries, func(e ledger.Entry) bool { return !c.concerns(e) })
	if len(entries) == 0 {
		return nil, fmt.Errorf("没有 %s 的查询记录；请核对办件或核验结果的 id，以及 --material", c.ID)
	}
	return entries, nil
}

// concerns reports whether an entry says something of a look-up.
func (c *explainCommand) concerns(e ledger.Entry) bool {
	if e.Kind != ledger.Outcome && e.Kind != ledger.Intent && e.Kind != ledger.Denied {
		return false
	}
	serves := func(s ledger.Service) bool { return s.Material == c.Material }
	return c.Material == "" || e.Material == c.Material || slices.ContainsFunc(e.Also, serves)
}

// explain writes each look-up once: as its outcome, or as the intent of which
// nothing came.
func explain(w io.Writer, rev *catalog.Revision, entries []ledger.Entry) {
	open := map[string]int{}
	for _, e := range entries {
		if e.Kind == ledger.Outcome {
			open[lookUpKey(e)]--
		}
		if e.Kind == ledger.Intent {
			open[lookUpKey(e)]++
		}
	}
	resolution := ""
	for _, e := range entries {
		if e.Kind == ledger.Intent && open[lookUpKey(e)] <= 0 {
			continue
		}
		if e.Resolution != resolution {
			resolution = e.Resolution
			fmt.Fprintf(w, "核验 %s　办件 %s　目录修订 %d\n", e.Resolution, e.Case, e.Revision)
		}
		explainOne(w, rev, e)
	}
}

func lookUpKey(e ledger.Entry) string {
	return strings.Join([]string{e.Resolution, e.Matter, e.Material, e.Mode, e.Dataset, e.Subject}, "|")
}

func explainOne(w io.Writer, rev *catalog.Revision, e ledger.Entry) {
	verdict := "允许"
	if e.Kind == ledger.Denied {
		verdict = "不允许，未查询"
	}
	fmt.Fprintf(w, "\n  %s　%s（%s）　%s\n", e.At.In(catalog.TimeZone()).Format("2006-01-02 15:04:05"), e.Material, materialName(rev, e.Material), verdict)
	if e.Dataset != "" {
		fmt.Fprintf(w, "    查什么　%s《%s》%s\n", e.Dataset, datasetName(rev, e.Dataset), fieldNames(rev, e))
	}
	fmt.Fprintf(w, "    谁来查　%s\n", actor(e))
	explainBasis(w, "", e.Grant, e.Basis)
	for _, also := range e.Also {
		explainBasis(w, "（同时用于 "+also.Material+"）", also.Grant, also.Basis)
	}
	fmt.Fprintf(w, "    规则版本　%s\n", e.Ruleset)
	switch e.Kind {
	case ledger.Outcome:
		fmt.Fprintf(w, "    结果　%s，%d 毫秒\n", e.Result, e.Millis)
	case ledger.Intent:
		fmt.Fprintln(w, "    结果　没有记录：查询没有做完，也没有给出结果")
	}
}

func explainBasis(w io.Writer, what, grant string, basis []string) {
	for _, reason := range basis {
		text := policies.ReasonOfDecision(reason).Text()
		if grant != "" && reason == string(policies.GrantCovers) {
			text += "：" + grant
		}
		fmt.Fprintf(w, "    因为%s　%s（%s）\n", what, text, reason)
	}
}

func actor(e ledger.Entry) string {
	if e.Person != "" {
		return "部门 " + e.Department + " 的工作人员 " + e.Person
	}
	return "部门 " + e.Department + " 的系统 " + e.System
}

func materialName(rev *catalog.Revision, code string) string {
	if m := rev.Material(code); m != nil {
		return m.Name
	}
	return "目录中没有"
}

func datasetName(rev *catalog.Revision, code string) string {
	if d := rev.Dataset(code); d != nil {
		return d.Name
	}
	return code
}

func fieldNames(rev *catalog.Revision, e ledger.Entry) string {
	d := rev.Dataset(e.Dataset)
	if d == nil || len(e.Fields) == 0 {
		return ""
	}
	var names []string
	for _, code := range e.Fields {
		name := code
		if f := d.Field(code); f != nil {
			name = f.Name
		}
		names = append(names, name)
	}
	return "：" + strings.Join(names, "、")
}
