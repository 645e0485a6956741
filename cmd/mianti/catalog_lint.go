package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"mianti/catalog"
	"mianti/catalog/lint"
	"mianti/store"
)

// lintKept is how many findings of each rule are printed; all are counted.
const lintKept = 1000

type catalogLintCommand struct {
	secretsSetting
	Secrets   bool     `help:"Report too which secrets are not there."`
	Database  string   `placeholder:"URL" help:"Look through the current revision of this database instead of a folder, with the grants, sources and uploads of the last 90 days."`
	Rule      []string `help:"Findings of these rules alone."`
	Severity  string   `enum:",error,warning,notice" default:"" help:"Findings of this severity alone: error, warning or notice."`
	Explained bool     `help:"Print the findings too that lint.yaml explains."`
	JSON      bool     `name:"json" help:"Print the findings as JSON."`
	FailOn    string   `enum:"none,error,warning,notice" default:"none" help:"End with status 1 when there is an open finding of this severity or a graver one. A fault always does."`
	Dir       string   `arg:"" optional:"" type:"existingdir" help:"Folder of the catalog. Default: the Jinan catalog that comes with the program."`
}

// Run reports every fault of a catalog; of one without, what the rules find.
func (c *catalogLintCommand) Run(ctx context.Context, con console) error {
	for _, rule := range c.Rule {
		if !lint.Rule(rule).Known() {
			return fmt.Errorf("没有规则 %s，应为：%s", rule, join(lint.Rules()))
		}
	}
	report, rev, err := c.look(ctx, con)
	if err != nil {
		return err
	}
	report.Findings = slices.DeleteFunc(report.Findings, func(f lint.Finding) bool { return !c.wants(&f) })
	slices.SortStableFunc(report.Findings, func(a, b lint.Finding) int { return rank(a.Severity) - rank(b.Severity) })
	if c.JSON {
		if err := printLintReport(con.Out, report); err != nil {
			return err
		}
		return c.verdict(report)
	}
	fmt.Fprintf(con.Out, "%s（%s）没有错误：部门 %d，数据资源 %d，一件事 %d，事项 %d，材料 %d。\n", rev.Title, rev.Version,
		len(rev.Departments()), len(rev.Datasets()), report.OneThings, report.Matters, report.Materials)
	printFindings(con.Out, report)
	return c.verdict(report)
}

// printLintReport prints a report for machines.
func printLintReport(w io.Writer, report *lint.Report) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(report)
}

func join(rules []lint.Rule) string {
	names := make([]string, len(rules))
	for i, rule := range rules {
		names[i] = string(rule)
	}
	return strings.Join(names, "、")
}

// look reads the catalog, from the folder or the database, and looks through it.
func (c *catalogLintCommand) look(ctx context.Context, con console) (*lint.Report, *catalog.Revision, error) {
	if c.Database != "" {
		return c.lookCurrent(ctx, con)
	}
	var checks []catalog.SourceCheck
	if c.Secrets {
		checks = append(checks, secretCheck(c.secrets()))
	}
	folder := catalogFolder(c.Dir)
	rev, err := loadCatalog(folder, con.Err, checks...)
	if err != nil {
		return nil, nil, c.faulty(con, folder, checks, err)
	}
	report, err := lookThrough(con.Err, rev, nil, func(look func(*catalog.Revision) error) error { return look(rev) })
	if err != nil {
		return nil, nil, err
	}
	files, err := catalog.Files(folder)
	if err != nil {
		return nil, nil, err
	}
	lint.Locate(report.Findings, files)
	return report, rev, nil
}

// faulty prints the faults for machines too, where they are asked for so.
func (c *catalogLintCommand) faulty(con console, folder fs.FS, checks []catalog.SourceCheck, err error) error {
	_, again := catalog.Load(folder, checks...)
	var faults catalog.Faults
	if !c.JSON || !errors.As(again, &faults) {
		return err
	}
	report := &lint.Report{Findings: lint.OfFaults(faults), Counts: []lint.Count{}, Unmeasured: []lint.Rule{}}
	return errors.Join(printLintReport(con.Out, report), err)
}

func (c *catalogLintCommand) lookCurrent(ctx context.Context, con console) (*lint.Report, *catalog.Revision, error) {
	if c.Dir != "" {
		return nil, nil, errors.New("文件夹和 --database 只能给一个")
	}
	db, err := store.Open(ctx, store.Config{URL: c.Database, Now: time.Now})
	if err != nil {
		return nil, nil, err
	}
	defer db.Close()
	measures, err := newLintMeasures(db, time.Now).Measures(ctx)
	if err != nil {
		return nil, nil, err
	}
	catalogs := store.NewCatalogs(db)
	ground, err := catalogs.Current(ctx)
	if err != nil {
		return nil, nil, err
	}
	report, err := lookThrough(con.Err, ground, measures, func(look func(*catalog.Revision) error) error {
		return catalogs.EachOneThing(ctx, ground.Number, look)
	})
	return report, ground, err
}

// lookThrough looks through the one-things that each hands over, with progress on a
// terminal. The ground is a revision of the catalog, whole or not.
func lookThrough(w io.Writer, ground *catalog.Revision, measures *lint.Measures, each func(look func(*catalog.Revision) error) error) (*lint.Report, error) {
	steps := -1 // of one that is not whole nobody has counted them
	if ground.Whole() {
		steps = len(ground.OneThings())
	}
	bar := newProgress(w, steps, "体检")
	linter := lint.New(ground, lint.Config{Measures: measures, Keep: lintKept})
	err := each(func(rev *catalog.Revision) error {
		for _, thing := range rev.OneThings() {
			linter.Look(rev, thing)
			_ = bar.Add(1) // a progress bar that cannot be drawn stops nothing
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	_ = bar.Finish() // see above
	linter.Ground(ground)
	return linter.Report(), nil
}

func (c *catalogLintCommand) wants(f *lint.Finding) bool {
	return (c.Explained || f.Explained == nil) && (c.Severity == "" || c.Severity == string(f.Severity)) &&
		(len(c.Rule) == 0 || slices.Contains(c.Rule, string(f.Rule)))
}

func rank(s lint.Severity) int { return slices.Index(lint.Severities(), s) }

// verdict is the error of a catalog with findings as grave as the caller minds.
func (c *catalogLintCommand) verdict(report *lint.Report) error {
	if c.FailOn == "none" {
		return nil
	}
	for _, severity := range lint.Severities()[:rank(lint.Severity(c.FailOn))+1] {
		if n := report.Open(severity); n > 0 {
			return fmt.Errorf("有 %d 处没有说明的%s", n, severity.Name())
		}
	}
	return nil
}

// printFindings prints the findings, one a line, and the counts below them.
func printFindings(w io.Writer, report *lint.Report) {
	for _, f := range report.Findings {
		at := f.File
		if f.Line > 0 {
			at = fmt.Sprintf("%s:%d", f.File, f.Line)
		}
		fmt.Fprintf(w, "%s: %s %s %s：%s [%s]\n", at, f.Severity.Name(), f.Code, f.Name, f.Reason, f.Rule)
		if f.Explained != nil {
			fmt.Fprintf(w, "    说明：%s（%s）\n", f.Explained.Why, f.Explained.By)
		}
	}
	fmt.Fprintln(w)
	for _, n := range report.Counts {
		if slices.Contains(report.Unmeasured, n.Rule) {
			fmt.Fprintf(w, "%-12s %s 未测量\t%s\n", n.Rule, n.Severity.Name(), n.Rule.Name())
			continue
		}
		fmt.Fprintf(w, "%-12s %s %5d 处，已说明 %d\t%s\n", n.Rule, n.Severity.Name(), n.Open, n.Explained, n.Rule.Name())
	}
}
