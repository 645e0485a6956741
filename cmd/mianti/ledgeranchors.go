package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"time"

	"mianti/ledger/anchor"
	"mianti/store"
)

type ledgerAnchorsCommand struct {
	databaseSetting
	anchorSettings
}

// Run shows how far witnesses and time stamps are behind the ledger. It fails
// when one of them holds another history.
func (c *ledgerAnchorsCommand) Run(ctx context.Context, con console) error {
	if err := c.check(); err != nil {
		return err
	}
	db, err := store.Open(ctx, store.Config{URL: c.DatabaseURL, Now: time.Now})
	if err != nil {
		return err
	}
	defer db.Close()
	worker, err := c.newAnchors(db, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	report, err := worker.Report(ctx)
	if err != nil {
		return err
	}
	printAnchors(con.Out, report)
	for _, gap := range report.Gaps {
		if gap.Trouble == anchor.Diverged {
			return errors.New("日志与已锚定的检查点不相承接：可能被改写或回退")
		}
	}
	return nil
}

// printAnchors prints the anchors as a table, and under it why one is behind.
func printAnchors(out io.Writer, report *anchor.Report) {
	fmt.Fprintf(out, "存证 %d 条\n", report.Size)
	if len(report.Gaps) == 0 {
		fmt.Fprintln(out, "没有锚定方。配置见 docs/anchors.md。")
		return
	}
	names := map[anchor.Kind]string{anchor.Witness: "见证", anchor.Timestamp: "时间戳"}
	rows := make([][]string, len(report.Gaps))
	for i, gap := range report.Gaps {
		at, state := "从未", "正常"
		if gap.At != nil {
			at = localTime(*gap.At)
		}
		switch {
		case gap.Since != nil:
			state = "自 " + localTime(*gap.Since) + " 起失败"
		case !gap.Configured:
			state = "已不在配置中"
		case gap.Size == 0:
			state = "尚未锚定"
		}
		rows[i] = []string{names[gap.Kind], printable(gap.Name), strconv.FormatInt(gap.Size, 10), at, strconv.FormatInt(gap.Behind, 10), state}
	}
	printRows(out, []string{"方式", "锚定方", "已锚定", "锚定时间", "未锚定", "状态"}, rows)
	for _, gap := range report.Gaps {
		if gap.Text != "" {
			fmt.Fprintf(out, "%s：%s\n", printable(gap.Name), gap.Text)
		}
	}
}
