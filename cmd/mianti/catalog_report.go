package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	"mianti/catalog"
	"mianti/catalog/reduction"
	"mianti/store"
)

type catalogReportCommand struct {
	databaseSetting
	Dir      string `arg:"" optional:"" type:"existingdir" help:"Folder of a catalog. Default: a revision of the database."`
	Revision int    `help:"Number of the revision. Default: the latest."`
	Before   int    `help:"Number of an earlier revision to set beside it. Default: none."`
	Format   string `enum:"table,json,xlsx,svg" default:"table" help:"table, json, xlsx or svg; the last two are written to the output."`
	By       string `enum:"one-thing,matter,department" default:"one-thing" help:"What a line of the table is."`
}

// Run says what a catalog takes off applicants.
func (c *catalogReportCommand) Run(ctx context.Context, con console) error {
	now, earlier, err := c.revisions(ctx, con)
	if err != nil {
		return err
	}
	tallies := [2]*reduction.Tally{reduction.Count(now)}
	if earlier != nil {
		tallies[1] = reduction.Count(earlier)
	}
	report := reduction.Make(tallies[0], tallies[1])
	switch c.Format {
	case "json":
		encoder := json.NewEncoder(con.Out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(report)
	case "xlsx":
		body, err := reduction.Workbook(report, now)
		if err == nil {
			_, err = con.Out.Write(body)
		}
		return err
	case "svg":
		chart := reduction.Draw(report.ByOneThing)
		_, err := con.Out.Write(chart.SVG("减材料：" + report.Title))
		return err
	default:
		c.print(con.Out, report)
		return nil
	}
}

// revisions gives the catalog and, if one is named, the earlier one.
func (c *catalogReportCommand) revisions(ctx context.Context, con console) (now, earlier *catalog.Revision, err error) {
	if c.Dir != "" {
		if now, err = loadCatalog(catalogFolder(c.Dir), con.Err); err != nil || c.Before == 0 {
			return now, nil, err
		}
	}
	db, err := c.openUnlocked(ctx, "")
	if err != nil {
		return nil, nil, err
	}
	defer db.Close()
	catalogs := store.NewCatalogs(db)
	switch {
	case now != nil:
	case c.Revision != 0:
		now, err = catalogs.Revision(ctx, c.Revision)
	default:
		now, err = catalogs.Current(ctx)
	}
	if err == nil && c.Before != 0 {
		earlier, err = catalogs.Revision(ctx, c.Before)
	}
	return now, earlier, err
}

func (c *catalogReportCommand) print(w io.Writer, r *reduction.Report) {
	fmt.Fprintf(w, "减材料报告：%s　%s\n", r.Title, revisionName(r.Revision))
	lines := map[string][]reduction.ReportRow{"one-thing": r.ByOneThing, "matter": r.ByMatter, "department": r.ByDepartment}[c.By]
	var rows [][]string
	for _, one := range append(lines[:len(lines):len(lines)], r.Total) {
		if one.Code == "" {
			one.Name = "合计"
		}
		row := []string{one.Code, one.Name, strconv.Itoa(one.Materials)}
		for _, n := range []int{one.Cancelled, one.Joined, one.Exempt, one.Committed, one.Reduced, one.FallBack, one.Still} {
			row = append(row, strconv.Itoa(n))
		}
		steps := ""
		if one.Submissions > 0 {
			steps = fmt.Sprintf("%d→%d", one.StepsBefore, one.StepsAfter)
		}
		was := ""
		if one.Was != nil {
			was = fmt.Sprintf("%d（%+d）", one.Was.Still(), one.Change())
		}
		rows = append(rows, append(row, steps, was))
	}
	fmt.Fprintln(w, newTable(rows, 8, 30, 8, 8, 8, 8, 8, 8, 8, 8, 10, 12).
		Headers("代码", "名称", "改革前", "取消", "合并", "免提交", "承诺", "减", "兜底", "仍交", "环节", "较早修订"))
	fmt.Fprintf(w, "\n减材料 %d 份（%d 份中，其中 %d 份后面留有提交一步），仍需提交 %d 份；减环节 %d 个（%d 个减为 %d 个）；跑 %d 个部门减为 %d 个。\n\n口径\n",
		r.Total.Reduced, r.Total.Materials, r.Total.FallBack, r.Total.Still, r.Total.StepsReduced, r.Total.StepsBefore, r.Total.StepsAfter, r.Total.Departments, r.Total.Leads)
	for _, d := range r.Definitions {
		fmt.Fprintf(w, "  %s　%s\n", d.Name, d.Text)
	}
}
