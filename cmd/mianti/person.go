package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"mianti/identity"
	"mianti/ledger"
	"mianti/policies"
	"mianti/store"
)

type personCommands struct {
	List       personListCommand       `cmd:"" help:"List the people who have signed in, with their duties."`
	Assign     personAssignCommand     `cmd:"" help:"Give somebody a duty for a department."`
	Remove     personRemoveCommand     `cmd:"" help:"Take a duty away."`
	Deactivate personDeactivateCommand `cmd:"" help:"End somebody's access for good. His sessions end at once."`
}

// open opens the database, and the office of whoever works at this machine.
func (s *databaseSetting) openOffice(ctx context.Context) (*identity.Office, *store.Store, error) {
	db, err := store.Open(ctx, store.Config{URL: s.DatabaseURL, Now: time.Now})
	if err != nil {
		return nil, nil, err
	}
	return newOffice(db, true), db, nil
}

// atTheMachine is who acts by this command line.
func atTheMachine(department string) policies.Caller {
	return policies.Caller{Person: ledger.Operator, Department: department}
}

type personListCommand struct {
	databaseSetting
}

// listPage is how many people are read at once.
const listPage = 200

// Run lists the people. Applicants are left out: they have no duties.
func (c *personListCommand) Run(ctx context.Context, con console) error {
	office, db, err := c.openOffice(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	var rows [][]string
	for after := ""; ; {
		found, err := office.List(ctx, atTheMachine(""), after, listPage)
		if err != nil {
			return err
		}
		for i := range found {
			if found[i].Kind == identity.Staff {
				rows = append(rows, personCells(&found[i]))
			}
		}
		if len(found) < listPage {
			break
		}
		after = found[len(found)-1].ID
	}
	if len(rows) == 0 {
		fmt.Fprintln(con.Out, "还没有工作人员登录过。新人员先登录一次，再用 mianti person assign 分派岗位。")
		return nil
	}
	fmt.Fprintln(con.Out, newTable(rows, 40, 16, 8, 50).Headers("编号", "姓名", "状态", "岗位"))
	return nil
}

func personCells(p *identity.Person) []string {
	state, duties := "在用", []string{}
	if p.Deactivated {
		state = "已停用"
	}
	for _, a := range p.Duties {
		duties = append(duties, a.Department+" "+string(a.Duty))
	}
	return []string{p.ID, p.Name, state, strings.Join(duties, "，")}
}

type personDuty struct {
	databaseSetting
	ID         string        `arg:"" help:"The person's id, from mianti person list."`
	Department string        `required:"" help:"Code of the department, such as SPJ."`
	Duty       policies.Duty `required:"" help:"clerk, sharing_officer, policy_editor, policy_reviewer, department_admin, auditor or operator."`
}

type personAssignCommand struct{ personDuty }

// Run gives a duty.
func (c *personAssignCommand) Run(ctx context.Context, con console) error {
	office, db, err := c.openOffice(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := office.Assign(ctx, atTheMachine(c.Department), c.ID, c.Duty); err != nil {
		return err
	}
	fmt.Fprintf(con.Out, "已分派：%s 在 %s 的岗位 %s（%s）。\n", c.ID, c.Department, c.Duty, identity.DutyName(c.Duty))
	return nil
}

type personRemoveCommand struct{ personDuty }

// Run takes a duty away.
func (c *personRemoveCommand) Run(ctx context.Context, con console) error {
	office, db, err := c.openOffice(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := office.Remove(ctx, atTheMachine(c.Department), c.ID, c.Duty); err != nil {
		return err
	}
	fmt.Fprintf(con.Out, "已移除：%s 在 %s 的岗位 %s。\n", c.ID, c.Department, c.Duty)
	return nil
}

type personDeactivateCommand struct {
	databaseSetting
	ID string `arg:"" help:"The person's id, from mianti person list."`
}

// Run ends somebody's access.
func (c *personDeactivateCommand) Run(ctx context.Context, con console) error {
	office, db, err := c.openOffice(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := office.Deactivate(ctx, atTheMachine(""), c.ID); err != nil {
		return err
	}
	fmt.Fprintf(con.Out, "已停用：%s。其会话在下一个请求时失效。\n", c.ID)
	return nil
}
