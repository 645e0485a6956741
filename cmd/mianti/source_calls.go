package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"mianti/catalog"
	"mianti/connectors/guard"
	"mianti/store"
)

type sourceCallsCommand struct {
	databaseSetting
	Source string `arg:"" help:"Code of the source, such as GA.D-GA01.query."`
	Limit  int    `default:"20" help:"How many calls to show, 1000 at most."`
}

// Run shows the last calls to a source, the newest first. Nothing of what was
// asked or answered is kept.
func (c *sourceCallsCommand) Run(ctx context.Context, con console) error {
	if c.Limit < 1 || c.Limit > 1000 {
		return errors.New("--limit: want 1 to 1000")
	}
	db, err := store.Open(ctx, store.Config{URL: c.DatabaseURL, Now: time.Now})
	if err != nil {
		return err
	}
	defer db.Close()
	calls, err := db.SourceCalls(ctx, c.Source, time.Unix(0, 0), c.Limit)
	if err != nil {
		return err
	}
	if len(calls) == 0 {
		fmt.Fprintf(con.Out, "没有对数源 %s 的调用记录。\n", printable(c.Source))
		return nil
	}
	rows := make([][]string, len(calls))
	for i := range calls {
		rows[i] = callCells(&calls[i])
	}
	printRows(con.Out, []string{"时间", "等待", "对方", "检查", "字节", "记录", "结果", "次数", "备注"}, rows)
	fmt.Fprintln(con.Out, "等待：提问到发出；对方：发出到收回；检查：收回到完成。单位均为毫秒。")
	return nil
}

func callCells(c *guard.Call) []string {
	waiting, away, examined := millis(c.In, c.Done), "–", "–"
	if !c.Out.IsZero() {
		waiting = millis(c.In, c.Out)
	}
	if !c.Out.IsZero() && !c.Back.IsZero() {
		away, examined = millis(c.Out, c.Back), millis(c.Back, c.Done)
	}
	attempt := "没有调用"
	if c.Attempt > 0 {
		attempt = fmt.Sprintf("%d/%d", c.Attempt, c.Attempts)
	}
	at := c.In.In(catalog.TimeZone()).Format("2006-01-02 15:04:05.000")
	return []string{at, waiting, away, examined, fmt.Sprint(c.Bytes), fmt.Sprint(c.Records), c.Result, attempt, callRemarks(c)}
}

func callRemarks(c *guard.Call) string {
	var words []string
	for _, one := range []struct {
		word string
		set  bool
	}{{"另问", c.Hedged}, {"合并", c.Coalesced}, {"探测", c.Probe}} {
		if one.set {
			words = append(words, one.word)
		}
	}
	for _, warning := range c.Warnings {
		words = append(words, printable(warning))
	}
	return strings.Join(words, "，")
}

func millis(from, to time.Time) string { return fmt.Sprint(to.Sub(from).Milliseconds()) }
