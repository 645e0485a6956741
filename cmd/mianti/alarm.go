package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"mianti/safeguard"
)

type alarmCommands struct {
	List alarmListCommand `cmd:"" help:"Show alarms, the newest first."`
	Ack  alarmAckCommand  `cmd:"" help:"Say that an alarm has been seen."`
}

type alarmListCommand struct {
	databaseSetting
	All   bool `help:"Also those that have been seen."`
	Limit int  `default:"50" help:"How many to show, 1000 at most."`
}

// Run shows alarms.
func (c *alarmListCommand) Run(ctx context.Context, con console) error {
	if c.Limit < 1 || c.Limit > 1000 {
		return errors.New("--limit: want 1 to 1000")
	}
	return withSafeguard(ctx, c.databaseSetting, safeguardSetting{}, func(s *safeguard.Safeguard) error {
		alarms, err := s.ListAlarms(ctx, atConsole(), safeguard.AlarmFilter{Open: !c.All, Limit: c.Limit})
		if err != nil {
			return err
		}
		if len(alarms) == 0 {
			fmt.Fprintln(con.Out, "没有告警。")
			return nil
		}
		rows := make([][]string, len(alarms))
		for i, a := range alarms {
			rows[i] = []string{
				strconv.FormatInt(a.ID, 10), string(a.Kind), string(a.Of.Kind) + " " + printable(a.Of.ID), a.Department, localTime(a.Window.Start),
				string(a.Window.Span), fmt.Sprintf("%d/%d", a.Value, a.Threshold), strconv.FormatInt(a.Times, 10), a.AcknowledgedBy,
			}
		}
		printRows(con.Out, []string{"编号", "告警", "对象", "部门", "时段开始", "时段", "数值/界限", "次数", "确认人"}, rows)
		return nil
	})
}

type alarmAckCommand struct {
	databaseSetting
	ID int64 `arg:"" help:"Its number."`
}

// Run notes that an alarm has been seen.
func (c *alarmAckCommand) Run(ctx context.Context, con console) error {
	return withSafeguard(ctx, c.databaseSetting, safeguardSetting{}, func(s *safeguard.Safeguard) error {
		if _, err := s.Acknowledge(ctx, atConsole(), c.ID); err != nil {
			return err
		}
		fmt.Fprintf(con.Out, "已确认告警 %d。\n", c.ID)
		return nil
	})
}
