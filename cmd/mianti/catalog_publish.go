package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"mianti/catalog"
	"mianti/internal/fault"
)

type catalogDiffCommand struct {
	databaseSetting
	JSON bool   `name:"json" help:"Print JSON, a thing a line."`
	ID   string `arg:"" help:"The draft."`
}

// Run shows what a draft changes, thing by thing and key by key.
func (c *catalogDiffCommand) Run(ctx context.Context, con console) error {
	db, desk, err := openDrafts(ctx, c.DatabaseURL)
	if err != nil {
		return err
	}
	defer db.Close()
	changes, err := desk.Changes(ctx, c.ID)
	if err != nil {
		return err
	}
	if len(changes) == 0 {
		fmt.Fprintln(con.Err, "草案和它依据的修订没有不同。")
	}
	names := map[catalog.ChangeKind]string{catalog.ThingAdded: "新增", catalog.ThingRemoved: "删除", catalog.ThingChanged: "更改"}
	encoder := json.NewEncoder(con.Out)
	for _, change := range changes {
		if c.JSON {
			if err := encoder.Encode(change); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(con.Out, "%s%s %s %s\n", names[change.Change], change.Kind.Name(), printable(change.Code), printable(change.Name))
		for _, f := range change.Fields {
			fmt.Fprintf(con.Out, "  %s\n  - %s\n  + %s\n", printable(f.Place), inJSON(f.Old), inJSON(f.New))
		}
	}
	return nil
}

// inJSON shows a value of the catalog on one line.
func inJSON(value any) string {
	if value == nil {
		return "（没有）"
	}
	text, err := json.Marshal(value)
	if err != nil {
		return "（不能显示）"
	}
	return printable(string(text))
}

type catalogPublishCommand struct {
	databaseSetting
	On string `help:"Publish at the beginning of this day, such as 2026-12-01. Default: at once." placeholder:"DATE"`
	ID string `arg:"" help:"The draft, which somebody else has approved."`
}

// Run publishes an approved draft.
func (c *catalogPublishCommand) Run(ctx context.Context, con console) error {
	db, desk, err := openDrafts(ctx, c.DatabaseURL)
	if err != nil {
		return err
	}
	defer db.Close()
	if c.On != "" {
		on, err := time.ParseInLocation(time.DateOnly, c.On, catalog.TimeZone())
		if err != nil {
			return fault.New(fault.Invalid, "invalid-publish-date", "--on 应为日期，如 2026-12-01。").Because(err)
		}
		d, err := desk.Schedule(ctx, policyStaff(), c.ID, 0, on)
		if err != nil {
			return err
		}
		printDraft(con.Out, d)
		return nil
	}
	d, err := desk.Publish(ctx, policyStaff(), c.ID, 0)
	if err != nil {
		return err
	}
	fmt.Fprintf(con.Out, "已发布为修订 %d。新办件按它办理，已开的办件不变。\n", d.Revision)
	return nil
}

type catalogRollbackCommand struct {
	databaseSetting
	Why    string `required:"" help:"Why. It is recorded in the ledger."`
	AtOnce bool   `help:"Publish without a review, when the current catalog does harm."`
	Number int    `arg:"" help:"The revision to bring back."`
}

// Run brings an earlier revision back: as a draft, or at once.
func (c *catalogRollbackCommand) Run(ctx context.Context, con console) error {
	db, desk, err := openDrafts(ctx, c.DatabaseURL)
	if err != nil {
		return err
	}
	defer db.Close()
	if c.AtOnce {
		d, err := desk.RollBackAtOnce(ctx, policyStaff(), c.Number, c.Why)
		if err != nil {
			return err
		}
		fmt.Fprintf(con.Out, "已恢复修订 %d 的内容，发布为修订 %d。以前的修订都不变。\n", c.Number, d.Revision)
		return nil
	}
	d, err := desk.RollBack(ctx, policyStaff(), c.Number, c.Why)
	if err != nil {
		return err
	}
	printDraft(con.Out, d)
	fmt.Fprintln(con.Out, "提交之后由其他人员审核和发布；紧急时用 --at-once。")
	return nil
}
