package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"mianti/catalog"
	"mianti/internal/workday"
	"mianti/policies"
	"mianti/sharing"
	"mianti/store"
)

// machine is who acts when somebody runs a command: the operator, for no
// department. Who that was is for the machine's own log.
func machine() policies.Caller {
	return policies.Caller{System: "mianti", Duties: []policies.Duty{policies.DutyOperator}}
}

// openSharing opens the grants of a database. Whoever calls it closes the store.
func openSharing(ctx context.Context, url string) (*store.Store, *sharing.Sharing, error) {
	calendar, err := workday.Load()
	if err != nil {
		return nil, nil, err
	}
	db, err := store.Open(ctx, store.Config{URL: url, Now: time.Now})
	if err != nil {
		return nil, nil, err
	}
	return db, newSharing(db, store.NewCatalogs(db), calendar, ""), nil
}

type grantListCommand struct {
	databaseSetting
	Department string `help:"Those that this department holds, such as SPJ."`
	Matter     string `help:"Those for this matter, such as S01.M1."`
	Dataset    string `help:"Those of this dataset, such as D-GA01."`
	State      string `enum:",active,suspended,terminated" default:"" help:"Those in this state: active, suspended or terminated."`
	JSON       bool   `name:"json" help:"Print JSON, a grant a line."`
}

// grantLine is a grant as it is printed in JSON.
type grantLine struct {
	ID         string         `json:"id"`
	Department string         `json:"department"`
	Matter     string         `json:"matter"`
	Dataset    string         `json:"dataset"`
	Fields     []string       `json:"fields"`
	Basis      string         `json:"basis"`
	From       time.Time      `json:"from"`
	Until      time.Time      `json:"until"`
	State      string         `json:"state"`
	CorrectBy  string         `json:"correct_by,omitempty"`
	Request    string         `json:"request,omitempty"`
	History    []sharing.Note `json:"history"`
}

// Run lists the grants, by id.
func (c *grantListCommand) Run(ctx context.Context, con console) error {
	db, grants, err := openSharing(ctx, c.DatabaseURL)
	if err != nil {
		return err
	}
	defer db.Close()
	var rows [][]string
	filter := sharing.GrantFilter{
		Department: c.Department, Matter: c.Matter, Dataset: c.Dataset, State: policies.GrantState(c.State), Limit: 500,
	}
	for {
		page, err := grants.ListGrants(ctx, machine(), "", filter)
		if err != nil {
			return err
		}
		for i := range page {
			if !c.JSON {
				rows = append(rows, grantCells(&page[i], time.Now()))
			} else if err := printGrantLine(con.Out, &page[i]); err != nil {
				return err
			}
		}
		if len(page) < filter.Limit {
			break
		}
		filter.After = page[len(page)-1].ID
	}
	switch {
	case c.JSON:
	case len(rows) == 0:
		fmt.Fprintln(con.Out, "没有这样的共享授权。")
	default:
		printRows(con.Out, []string{"编号", "使用部门", "事项", "数据资源", "数据项", "最后一天", "状态"}, rows)
	}
	return nil
}

func printGrantLine(w io.Writer, g *sharing.Grant) error {
	return json.NewEncoder(w).Encode(grantLine{
		ID: g.ID, Department: g.Department, Matter: g.Matter, Dataset: g.Dataset, Fields: g.Fields, Basis: g.Basis, From: g.From, Until: g.Until,
		State: string(g.State), CorrectBy: g.CorrectBy, Request: g.Request, History: g.History,
	})
}

func grantCells(g *sharing.Grant, now time.Time) []string {
	last := g.Until.Add(-time.Second).In(catalog.TimeZone()).Format(time.DateOnly)
	return []string{
		printable(g.ID), printable(g.Department), printable(g.Matter), printable(g.Dataset), printable(strings.Join(g.Fields, " ")), last, grantStateName(g, now),
	}
}

func grantStateName(g *sharing.Grant, now time.Time) string {
	switch {
	case g.State == policies.GrantTerminated:
		return "已终止"
	case !now.Before(g.Until):
		return "已到期"
	case g.State == policies.GrantSuspended && g.CorrectBy != "":
		return "暂停，整改至 " + g.CorrectBy
	case g.State == policies.GrantSuspended:
		return "暂停"
	case now.Before(g.From):
		return "未生效"
	default:
		return "有效"
	}
}

// grantChange is what every command that changes a grant is told.
type grantChange struct {
	databaseSetting
	ID     string `arg:"" help:"Id of the grant; see mianti grant list."`
	Reason string `required:"" help:"Why. It is recorded in the ledger; no personal data."`
}

// run does one act on a grant, with its entry in the ledger.
func (c *grantChange) run(ctx context.Context, con console, act sharing.GrantAct, done string) error {
	db, grants, err := openSharing(ctx, c.DatabaseURL)
	if err != nil {
		return err
	}
	defer db.Close()
	g, err := grants.ActOnGrant(ctx, machine(), c.ID, 0, sharing.GrantEvent{Act: act, Why: c.Reason})
	if err != nil {
		return err
	}
	fmt.Fprintf(con.Out, "共享授权 %s（%s，事项 %s，数据资源 %s）%s。\n", printable(g.ID), g.Department, g.Matter, g.Dataset, done)
	return nil
}

type grantSuspendCommand struct{ grantChange }

// Run suspends a grant.
func (c *grantSuspendCommand) Run(ctx context.Context, con console) error {
	return c.run(ctx, con, sharing.Suspend, "已暂停")
}

type grantResumeCommand struct{ grantChange }

// Run resumes a grant.
func (c *grantResumeCommand) Run(ctx context.Context, con console) error {
	return c.run(ctx, con, sharing.Resume, "已恢复")
}

type grantTerminateCommand struct{ grantChange }

// Run ends a grant.
func (c *grantTerminateCommand) Run(ctx context.Context, con console) error {
	return c.run(ctx, con, sharing.Terminate, "已终止")
}
