package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"mianti/safeguard"
)

type quotaCommands struct {
	List quotaListCommand `cmd:"" help:"Show the limits by default, and those that have their own."`
	Set  quotaSetCommand  `cmd:"" help:"Give a grant, system, person or matter limits of its own."`
}

type quotaListCommand struct {
	databaseSetting
	safeguardSetting
}

// Run shows the limits.
func (c *quotaListCommand) Run(ctx context.Context, con console) error {
	return withSafeguard(ctx, c.databaseSetting, c.safeguardSetting, func(s *safeguard.Safeguard) error {
		own, err := s.Quotas.Overrides(ctx)
		if err != nil {
			return err
		}
		var rows [][]string
		for _, kind := range []safeguard.Kind{safeguard.KindSystem, safeguard.KindGrant, safeguard.KindPerson, safeguard.KindMatter} {
			rows = append(rows, limitCells(string(kind), "（默认）", s.Rules.LimitsOf(safeguard.Meter{Kind: kind}, nil)))
		}
		byKind := func(a, b safeguard.Meter) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID)) }
		for _, m := range slices.SortedFunc(maps.Keys(own), byKind) {
			rows = append(rows, limitCells(string(m.Kind), printable(m.ID), own[m]))
		}
		printRows(con.Out, []string{"类别", "代码", "次/时", "次/日", "对象/时", "对象/日"}, rows)
		return nil
	})
}

func limitCells(kind, id string, l safeguard.Limits) []string {
	cells := []string{kind, id}
	for _, n := range []int64{l.CallsPerHour, l.CallsPerDay, l.SubjectsPerHour, l.SubjectsPerDay} {
		cells = append(cells, strconv.FormatInt(n, 10))
	}
	return cells
}

type quotaSetCommand struct {
	databaseSetting
	Kind            string `arg:"" enum:"grant,system,person,matter" help:"grant, system, person or matter."`
	ID              string `arg:"" help:"Its code."`
	CallsPerHour    int64  `required:"" help:"Most look-ups of an hour."`
	CallsPerDay     int64  `required:"" help:"Most look-ups of a day."`
	SubjectsPerHour int64  `required:"" help:"Most distinct subjects of an hour."`
	SubjectsPerDay  int64  `required:"" help:"Most distinct subjects of a day."`
	Reason          string `required:"" help:"Why, in words; it is recorded, so no names and numbers."`
}

// Run sets the limits.
func (c *quotaSetCommand) Run(ctx context.Context, con console) error {
	return withSafeguard(ctx, c.databaseSetting, safeguardSetting{}, func(s *safeguard.Safeguard) error {
		limits := safeguard.Limits{
			CallsPerHour: c.CallsPerHour, CallsPerDay: c.CallsPerDay, SubjectsPerHour: c.SubjectsPerHour, SubjectsPerDay: c.SubjectsPerDay,
		}
		if _, err := s.SetQuota(ctx, atConsole(), safeguard.Meter{Kind: safeguard.Kind(c.Kind), ID: c.ID}, limits, c.Reason); err != nil {
			return err
		}
		fmt.Fprintf(con.Out, "已设定 %s %s 的用量上限，立即生效。\n", c.Kind, printable(c.ID))
		return nil
	})
}
