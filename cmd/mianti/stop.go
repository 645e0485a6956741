package main

import (
	"context"
	"fmt"

	"mianti/policies"
	"mianti/safeguard"
)

type stopCommands struct {
	Add  stopAddCommand  `cmd:"" help:"End the use of a system, a grant, a dataset or a source at once, on every replica."`
	Lift stopLiftCommand `cmd:"" help:"Allow it again."`
	List stopListCommand `cmd:"" help:"Show what is stopped."`
}

type stopAddCommand struct {
	databaseSetting
	Kind   string `arg:"" enum:"system,grant,dataset,source" help:"system, grant, dataset or source."`
	ID     string `arg:"" help:"Its code."`
	Reason string `required:"" help:"Why, in words; it is recorded, so no names and numbers."`
}

// Run puts up a stop.
func (c *stopAddCommand) Run(ctx context.Context, con console) error {
	return withSafeguard(ctx, c.databaseSetting, safeguardSetting{}, func(s *safeguard.Safeguard) error {
		if _, err := s.Stop(ctx, atConsole(), policies.StopKind(c.Kind), c.ID, c.Reason); err != nil {
			return err
		}
		fmt.Fprintf(con.Out, "已停用 %s %s，立即对所有实例生效。\n", c.Kind, printable(c.ID))
		return nil
	})
}

type stopLiftCommand struct {
	databaseSetting
	Kind string `arg:"" enum:"system,grant,dataset,source" help:"system, grant, dataset or source."`
	ID   string `arg:"" help:"Its code."`
}

// Run takes a stop down.
func (c *stopLiftCommand) Run(ctx context.Context, con console) error {
	return withSafeguard(ctx, c.databaseSetting, safeguardSetting{}, func(s *safeguard.Safeguard) error {
		if err := s.Lift(ctx, atConsole(), policies.StopKind(c.Kind), c.ID); err != nil {
			return err
		}
		fmt.Fprintf(con.Out, "已恢复 %s %s。\n", c.Kind, printable(c.ID))
		return nil
	})
}

type stopListCommand struct {
	databaseSetting
}

// Run shows the stops in force.
func (c *stopListCommand) Run(ctx context.Context, con console) error {
	return withSafeguard(ctx, c.databaseSetting, safeguardSetting{}, func(s *safeguard.Safeguard) error {
		held, err := s.ListStops(ctx, atConsole())
		if err != nil {
			return err
		}
		if len(held) == 0 {
			fmt.Fprintln(con.Out, "没有停用的对象。")
			return nil
		}
		rows := make([][]string, len(held))
		for i, h := range held {
			rows[i] = []string{string(h.Kind), h.ID, h.Owner, localTime(h.At), h.By, printable(h.Reason)}
		}
		printRows(con.Out, []string{"类别", "代码", "部门", "停用时间", "停用人", "理由"}, rows)
		return nil
	})
}
