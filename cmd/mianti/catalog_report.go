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

// Run says what a catalog takes off applicants. A catalog that is too large to be held
// whole is counted one-thing by one-thing.
func (c *catalogReportCommand) Run(ctx context.Context, con console) error {
	r, err := c.read(ctx, con)
	if err != nil {
		return err
	}
	report := reduction.Make(r.now, r.earlier)
	switch c.Format {
	case "json":
		encoder := json.NewEncoder(con.Out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(report)
	case "xlsx":
		body, err := reduction.Workbook(report, r.whole)
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

// reportRead is what a report is made from; whole is the catalog itself, nil where it is
// too large to be held.
type reportRead struct {
	now, earlier *reduction.Tally
	whole        *catalog.Revision
}

func (c *catalogReportCommand) read(ctx context.Context, con console) (r reportRead, err error) {
	if c.Dir != "" {
		if r.whole, err = loadCatalog(catalogFolder(c.Dir), con.Err); err != nil {
			return r, err
		}
		if r.now = reduction.Count(r.whole); c.Before == 0 {
			return r, nil
		}
	}
	db, err := c.openUnlocked(ctx, "")
	if err != nil {
		return r, err
	}
	defer db.Close()
	catalogs := store.NewCatalogs(db)
	if r.now == nil {
		number := c.Revision
		if number == 0 {
			if number, err = db.LatestRevision(ctx); err != nil {
				return r, err
			}
		}
		if r.now, r.whole, err = c.tally(ctx, con, catalogs, number); err != nil {
			return r, err
		}
	}
	if c.Before != 0 {
		r.earlier, _, err = c.tally(ctx, con, catalogs, c.Before)
	}
	return r, err
}

// tally counts a stored revision, and gives it where it is held whole.
func (c *catalogReportCommand) tally(ctx context.Context, con console, catalogs *store.Catalogs, number int) (*reduction.Tally, *catalog.Revision, error) {
	rev, err := catalogs.Revision(ctx, number)
	if err != nil {
		return nil, nil, err
	}
	if rev.Whole() {
		return reduction.Count(rev), rev, nil
	}
	t := &reduction.Tally{WithoutMatters: c.By != "matter"}
	bar := newProgress(con.Err, -1, "统计一件事")
	err = catalogs.EachOneThing(ctx, number, func(one *catalog.Revision) error {
		t.Add(one)
		_ = bar.Add(1) // a bar that is not shown is no failure
		return nil
	})
	_ = bar.Finish()
	return t, nil, err
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
