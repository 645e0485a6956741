package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"mianti/exchange"
	"mianti/store"
)

type replayCommand struct {
	databaseSetting
	ID      string `arg:"" help:"Id of a resolution."`
	Version int    `help:"Which of its versions. Default: the last one."`
	JSON    bool   `name:"json" help:"Print what was worked out again as JSON."`
}

// Run works a past resolution out again from what was recorded, and says whether
// it is the same, or where it differs. It asks nobody.
func (c *replayCommand) Run(ctx context.Context, con console) error {
	db, err := c.openUnlocked(ctx, "")
	if err != nil {
		return err
	}
	defer db.Close()
	replayer := exchange.Replayer{Catalogs: store.NewCatalogs(db), Cases: db, Records: db}
	replay, err := replayer.Replay(ctx, c.ID, c.Version)
	if err != nil {
		return err
	}
	if c.JSON {
		encoder := json.NewEncoder(con.Out)
		encoder.SetIndent("", "  ")
		return errors.Join(encoder.Encode(replay.Again), replay.Verdict())
	}
	r := replay.Recorded
	fmt.Fprintf(con.Out, "核验 %s 第 %d 版　%s　目录修订 %d　材料 %d 项\n", r.ID, r.Version, r.ResolvedAt.Local().Format("2006-01-02 15:04:05"), r.Revision, len(r.Materials))
	fmt.Fprintf(con.Out, "  规则　当时 %s\n", r.Ruleset)
	if replay.Ruleset != r.Ruleset {
		fmt.Fprintf(con.Out, "  　　　现在 %s（规则已更新，差异可能由此而来）\n", replay.Ruleset)
	}
	if replay.Answered {
		fmt.Fprintln(con.Out, "  存档　与存证中的摘要一致：这就是当时给出的结果")
	} else {
		fmt.Fprintln(con.Out, "  存档　与存证中的摘要不一致：保存的结果不是当时给出的")
	}
	if len(replay.Differences) == 0 {
		fmt.Fprintln(con.Out, "  重算　完全一致")
	}
	for _, d := range replay.Differences {
		fmt.Fprintf(con.Out, "  不同　%s\n        当时 %s\n        重算 %s\n", d.Place, d.Recorded, d.Again)
	}
	return replay.Verdict()
}
