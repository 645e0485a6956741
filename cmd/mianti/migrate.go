package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"mianti/internal/fault"
	"mianti/store"
)

type migrateCommand struct {
	databaseSetting
	Plan  bool `help:"Print what would be done, and whether programs of now may go on meanwhile; do nothing."`
	Check bool `help:"The same, and fail when there is something to do."`
	Force bool `help:"Migrate even if programs are connected that cannot go on under the new schema."`
	JSON  bool `name:"json" help:"With --plan or --check: print it as JSON."`
}

var errSchemaPending = errors.New("数据库结构有待升级：请运行 mianti migrate")

// Run brings the database to the schema of this version, or says what that would
// take. It refuses to strand a program that is connected.
func (c *migrateCommand) Run(ctx context.Context, con console) error {
	plan, err := store.PlanMigration(ctx, c.DatabaseURL)
	if err != nil {
		return err
	}
	if c.Plan || c.Check {
		return c.show(con.Out, plan)
	}
	if stranded := plan.Stranded(); len(stranded) > 0 && !c.Force {
		return fault.New(fault.Conflict, "programs-stranded",
			"有程序正连着数据库，升级后不能继续工作：%s。没有升级。请先停下它们再运行 mianti migrate（--force 不等待，它们会出错）；详见 mianti migrate --plan", describeRunning(stranded))
	}
	if err := store.Migrate(ctx, c.DatabaseURL); err != nil {
		return err
	}
	fmt.Fprintln(con.Out, "数据库结构已是本版本所需。")
	return nil
}

func (c *migrateCommand) show(w io.Writer, p store.MigrationPlan) error {
	if c.JSON {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(p); err != nil {
			return err
		}
	} else {
		printPlan(w, p)
	}
	if c.Check && len(p.Pending) > 0 {
		return errSchemaPending
	}
	return nil
}

func printPlan(w io.Writer, p store.MigrationPlan) {
	fmt.Fprintf(w, "数据库结构第 %d 版，本程序第 %d 版。\n", p.Found, p.Wanted)
	for _, m := range p.Pending {
		goesOn := "之前的程序都须先停下"
		if m.Oldest < m.Version {
			goesOn = fmt.Sprintf("第 %d 版起的程序可以继续", m.Oldest)
		}
		fmt.Fprintf(w, "  将执行 %s　%s\n", m.Name, goesOn)
	}
	if len(p.Running) > 0 {
		fmt.Fprintf(w, "正连着的程序：%s\n", describeRunning(p.Running))
	}
	switch stranded := p.Stranded(); {
	case len(p.Pending) == 0 && p.Found > p.Wanted:
		fmt.Fprintln(w, "数据库比本程序新；本程序能否继续，由 mianti doctor 检查。")
	case len(p.Pending) == 0:
		fmt.Fprintln(w, "没有要做的。")
	case p.Found == 0:
		fmt.Fprintln(w, "空数据库：运行 mianti migrate 建立。")
	case len(stranded) > 0:
		fmt.Fprintf(w, "须先停下：%s\n", describeRunning(stranded))
	case p.Found > 0 && p.Bears(p.Found):
		fmt.Fprintln(w, "可以不停机：先运行 mianti migrate，再逐个重启到新版本。")
	default:
		fmt.Fprintln(w, "须停机：停下全部程序，运行 mianti migrate，再启动新版本。")
	}
}

func describeRunning(all []store.Running) string {
	text := ""
	for i, r := range all {
		if i > 0 {
			text += "，"
		}
		text += fmt.Sprintf("结构第 %d 版的 %d 个连接", r.Schema, r.Connections)
	}
	return text
}
