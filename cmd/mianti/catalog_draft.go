package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"strconv"
	"strings"
	"time"

	"mianti/catalog"
	"mianti/draft"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
	"mianti/store"
)

type catalogDraftCommands struct {
	Create   draftCreateCommand   `cmd:"" help:"Begin a draft: from a folder with the whole catalog as it should be, or from a YAML list of edits."`
	List     draftListCommand     `cmd:"" help:"List the drafts, the newest first."`
	Show     draftShowCommand     `cmd:"" help:"Show a draft: where it stands, what is wrong, who else changes the same."`
	Submit   draftSubmitCommand   `cmd:"" help:"Hand a draft in for review."`
	Merge    draftMergeCommand    `cmd:"" help:"Put a draft on top of the current revision."`
	Withdraw draftWithdrawCommand `cmd:"" help:"Give a draft up."`
}

// policyStaff is who drafts and publishes by command: the operator, who may not
// review what he wrote any more than others.
func policyStaff() policies.Caller {
	return policies.Caller{Person: ledger.Operator, Duties: []policies.Duty{policies.DutyPolicyEditor, policies.DutyPolicyReviewer}}
}

// openDrafts opens the drafts of a database. Whoever calls it closes the store.
func openDrafts(ctx context.Context, url string) (*store.Store, *draft.Desk, error) {
	db, err := store.Open(ctx, store.Config{URL: url, Now: time.Now})
	if err != nil {
		return nil, nil, err
	}
	return db, newDrafts(db, store.NewCatalogs(db)), nil
}

type draftCreateCommand struct {
	databaseSetting
	Title string `required:"" help:"What the draft is called."`
	Why   string `help:"Why the catalog is changed."`
	Base  int    `help:"The revision that the changes were made from. Default: the current one."`
	From  string `arg:"" type:"existingpath" help:"Folder of the catalog as it should be, or a YAML file with a list of edits."`
}

// Run begins a draft, and says what is wrong with it.
func (c *draftCreateCommand) Run(ctx context.Context, con console) error {
	db, desk, err := openDrafts(ctx, c.DatabaseURL)
	if err != nil {
		return err
	}
	defer db.Close()
	if c.Base == 0 {
		if c.Base, err = db.LatestRevision(ctx); err != nil {
			return err
		}
	}
	edits, err := c.edits(ctx, db, con.Err)
	if err != nil {
		return err
	}
	d, err := desk.Create(ctx, policyStaff(), draft.Opening{Title: c.Title, Why: c.Why, Base: c.Base, Edits: edits})
	if err != nil {
		return err
	}
	printDraft(con.Out, d)
	return nil
}

func (c *draftCreateCommand) edits(ctx context.Context, db *store.Store, errs io.Writer) ([]catalog.Edit, error) {
	info, err := os.Stat(c.From)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		files, err := catalog.Files(os.DirFS(c.From))
		if err != nil {
			return nil, err
		}
		return editsToFiles(ctx, db, c.Base, files)
	}
	text, err := os.ReadFile(c.From)
	if err != nil {
		return nil, err
	}
	edits, faults := catalog.ReadEdits(c.From, text)
	for _, f := range faults {
		fmt.Fprintln(errs, f)
	}
	if len(faults) > 0 {
		return nil, fmt.Errorf("%s 有 %d 处错误，没有起草", c.From, len(faults))
	}
	return edits, nil
}

// editsToFiles gives the edits that lead from a revision to what files say. Files
// that are the same are not looked into; the catalog's own title and version are no
// thing, and stay.
func editsToFiles(ctx context.Context, db *store.Store, base int, files map[string][]byte) ([]catalog.Edit, error) {
	old := map[string][]byte{}
	fresh := maps.Clone(files)
	err := db.EachFile(ctx, base, func(p catalog.Part) error {
		if bytes.Equal(fresh[p.Path], p.Content) {
			delete(fresh, p.Path)
			return nil
		}
		old[p.Path] = p.Content
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, both := range []map[string][]byte{old, fresh} {
		delete(both, "catalog.yaml")
	}
	before, faults := catalog.Things(old)
	after, more := catalog.Things(fresh)
	if faults = append(faults, more...); len(faults) > 0 {
		return nil, faults
	}
	return draft.Between(before, after), nil
}

type draftListCommand struct {
	databaseSetting
	Open  bool `help:"Those alone that are neither published nor withdrawn."`
	Limit int  `default:"50" help:"How many."`
}

// Run lists the drafts.
func (c *draftListCommand) Run(ctx context.Context, con console) error {
	db, desk, err := openDrafts(ctx, c.DatabaseURL)
	if err != nil {
		return err
	}
	defer db.Close()
	found, err := desk.List(ctx, draft.Filter{Open: c.Open, Limit: max(c.Limit, 1)})
	if err != nil {
		return err
	}
	if len(found) == 0 {
		fmt.Fprintln(con.Out, "还没有草案。用 mianti catalog draft create 起草。")
		return nil
	}
	rows := make([][]string, len(found))
	for i, d := range found {
		rows[i] = []string{printable(d.ID), printable(d.Title), d.State.Name(), strconv.Itoa(d.Things), strconv.Itoa(d.Base), whenPublished(d)}
	}
	printRows(con.Out, []string{"编号", "名称", "状态", "改动", "依据修订", "发布"}, rows)
	return nil
}

func whenPublished(d draft.Outline) string {
	switch {
	case d.Revision != 0:
		return "修订 " + strconv.Itoa(d.Revision)
	case d.PublishAt != nil:
		return d.PublishAt.In(catalog.TimeZone()).Format(time.DateOnly)
	default:
		return ""
	}
}

type draftShowCommand struct {
	databaseSetting
	ID string `arg:"" help:"The draft."`
}

// Run shows a draft.
func (c *draftShowCommand) Run(ctx context.Context, con console) error {
	db, desk, err := openDrafts(ctx, c.DatabaseURL)
	if err != nil {
		return err
	}
	defer db.Close()
	d, err := desk.Draft(ctx, policyStaff(), c.ID)
	if err != nil {
		return err
	}
	printDraft(con.Out, d)
	return nil
}

func printDraft(w io.Writer, d *draft.Dossier) {
	fmt.Fprintf(w, "草案 %s：%s（%s），改 %d 项，依据修订 %d，现行修订 %d。\n", printable(d.ID), printable(d.Title), d.State.Name(), len(d.Edits), d.Base, d.Head)
	if d.Revision != 0 {
		fmt.Fprintf(w, "已发布为修订 %d。\n", d.Revision)
	}
	if d.PublishAt != nil {
		fmt.Fprintf(w, "将于 %s 发布。\n", d.PublishAt.In(catalog.TimeZone()).Format(time.DateOnly))
	}
	for _, f := range d.Faults {
		at := strings.TrimSpace(f.Thing.Kind.Name() + " " + f.Thing.Code + " " + f.Place)
		fmt.Fprintf(w, "错误：%s：%s [%s]\n", printable(at), f.Reason, f.Code)
	}
	for _, t := range d.Moved {
		fmt.Fprintf(w, "别人改过：%s %s，要先合并（mianti catalog draft merge）\n", t.Kind.Name(), printable(t.Code))
	}
	for _, o := range d.Others {
		codes := make([]string, len(o.Things))
		for i, t := range o.Things {
			codes[i] = printable(t.Code)
		}
		fmt.Fprintf(w, "同时在改：草案 %s（%s，%s）也改 %s\n", printable(o.ID), printable(o.Title), o.State.Name(), strings.Join(codes, "、"))
	}
	if len(d.History) > 0 && d.State.Open() {
		if last := d.History[len(d.History)-1]; last.Why != "" {
			fmt.Fprintf(w, "最近：%s：%s\n", last.Act.Name(), printable(last.Why))
		}
	}
}

type draftSubmitCommand struct {
	databaseSetting
	ID string `arg:"" help:"The draft."`
}

// Run hands a draft in for review.
func (c *draftSubmitCommand) Run(ctx context.Context, con console) error {
	return actOnDraft(ctx, con, c.DatabaseURL, c.ID, draft.Event{Act: draft.Submit})
}

type draftWithdrawCommand struct {
	databaseSetting
	ID  string `arg:"" help:"The draft."`
	Why string `required:"" help:"Why."`
}

// Run gives a draft up.
func (c *draftWithdrawCommand) Run(ctx context.Context, con console) error {
	return actOnDraft(ctx, con, c.DatabaseURL, c.ID, draft.Event{Act: draft.Withdraw, Why: c.Why})
}

func actOnDraft(ctx context.Context, con console, url, id string, e draft.Event) error {
	db, desk, err := openDrafts(ctx, url)
	if err != nil {
		return err
	}
	defer db.Close()
	d, err := desk.Act(ctx, policyStaff(), id, 0, e)
	if err != nil {
		return err
	}
	printDraft(con.Out, d)
	return nil
}

type draftMergeCommand struct {
	databaseSetting
	ID   string `arg:"" help:"The draft."`
	Take string `enum:",theirs,mine" default:"" help:"What stands where both sides changed the same: theirs (the current catalog's) or mine (the draft's). Without it conflicts are shown, and nothing is stored."`
}

// Run puts a draft on top of the current revision.
func (c *draftMergeCommand) Run(ctx context.Context, con console) error {
	db, desk, err := openDrafts(ctx, c.DatabaseURL)
	if err != nil {
		return err
	}
	defer db.Close()
	meeting, err := desk.Meet(ctx, c.ID, nil)
	if err != nil {
		return err
	}
	if len(meeting.Conflicts) > 0 && c.Take == "" {
		for _, conflict := range meeting.Conflicts {
			printConflict(con.Out, &conflict)
		}
		return fault.New(fault.Conflict, "merge-conflict", "有 %d 处双方改得不一样，没有合并。用 --take 选择保留哪一个，或者在页面上逐处选择。", len(meeting.Conflicts))
	}
	choices := make([]draft.Choice, len(meeting.Conflicts))
	for i, conflict := range meeting.Conflicts {
		choices[i] = draft.Choice{Thing: conflict.Thing, Place: conflict.Place, Take: draft.Taking(c.Take)}
	}
	d, err := desk.Merge(ctx, policyStaff(), c.ID, 0, choices)
	if err != nil {
		return err
	}
	printDraft(con.Out, d)
	return nil
}

func printConflict(w io.Writer, c *draft.Conflict) {
	place := c.Place
	if place == "" {
		place = "整个对象"
	}
	fmt.Fprintf(w, "%s %s %s\n  原来：%s\n  现行：%s\n  草案：%s\n", c.Kind.Name(), printable(c.Code), printable(place), inJSON(c.Base), inJSON(c.Theirs), inJSON(c.Mine))
	for i, t := range c.Inside {
		if i == 0 {
			fmt.Fprint(w, "  别人改过其中的：")
		}
		fmt.Fprint(w, printable(t.Code), " ")
		if i == len(c.Inside)-1 {
			fmt.Fprintln(w)
		}
	}
}
