package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"mianti/catalog"
	"mianti/effect"
	"mianti/exchange"
	"mianti/ledger"
	"mianti/policies"
	"mianti/store"
)

type catalogEffectCommand struct {
	databaseSetting
	Dir    string `arg:"" optional:"" type:"existingdir" help:"Folder of the catalog as it would be. Default: the latest revision, against the one before."`
	Draft  string `help:"Id of a draft, in place of a folder."`
	Edits  string `type:"existingfile" help:"YAML list of edits of the revision, in place of a folder; see docs/drafts.md."`
	Before int    `help:"Number of the revision to compare with. Default: the latest; without a folder, the one before it."`
	After  int    `help:"Number of the revision as it would be, in place of a folder."`
	Cases  int    `default:"200" help:"How many recorded cases are resolved again, at most 10000; 0 for none."`
	JSON   bool   `name:"json" help:"Print it as JSON."`
}

// Run says what a change of the catalog would do. It asks nobody and changes nothing.
func (c *catalogEffectCommand) Run(ctx context.Context, con console) error {
	db, err := c.openUnlocked(ctx, "")
	if err != nil {
		return err
	}
	defer db.Close()
	q, err := c.question(ctx, con, db)
	if err != nil {
		return err
	}
	if q.Cases = c.Cases; q.Cases == 0 {
		q.Cases = -1
	}
	bar := newProgress(con.Err, max(q.Cases, 1), "重算办件")
	q.Progress = func(done, _ int) {
		_ = bar.Set(done) // a bar that is not shown is no failure
	}
	desk := effect.Desk{Past: db, Rights: db, Journal: db, Now: time.Now}
	got, err := desk.Measure(ctx, policies.Caller{Person: ledger.Operator}, q)
	if err != nil {
		return err
	}
	_ = bar.Finish()
	if c.JSON {
		encoder := json.NewEncoder(con.Out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(got)
	}
	printEffect(con.Out, got)
	return nil
}

func (c *catalogEffectCommand) question(ctx context.Context, con console, db *store.Store) (q effect.Question, err error) {
	catalogs := store.NewCatalogs(db)
	latest, err := db.LatestRevision(ctx)
	if err != nil {
		return q, err
	}
	before := latest
	switch {
	case c.Edits != "" || c.Draft != "":
		return c.edited(ctx, con, db, catalogs, cmp.Or(c.Before, before))
	case c.Dir != "":
		q.After, err = loadCatalog(catalogFolder(c.Dir), con.Err)
		q.Draft = filepath.Base(c.Dir)
	case c.After != 0:
		q.After, err = catalogs.Revision(ctx, c.After)
	default:
		before = max(latest-1, 1)
		q.After, err = catalogs.Revision(ctx, latest)
	}
	if err != nil {
		return q, err
	}
	if q.Before, err = catalogs.Revision(ctx, cmp.Or(c.Before, before)); err != nil {
		return q, err
	}
	if !q.Before.Whole() || !q.After.Whole() {
		return q, errors.New("目录太大，不能整个比较。请用 --edits 给出修改。")
	}
	return q, nil
}

// edited is the change that a file of edits, or a draft, would be.
func (c *catalogEffectCommand) edited(ctx context.Context, con console, db *store.Store, catalogs *store.Catalogs, base int) (q effect.Question, err error) {
	var edits []catalog.Edit
	named := c.Draft
	if c.Draft != "" {
		d, err := db.Draft(ctx, c.Draft)
		if err != nil {
			return q, err
		}
		edits, base = d.Edits, cmp.Or(c.Before, d.Base)
	} else {
		text, err := os.ReadFile(c.Edits)
		if err != nil {
			return q, err
		}
		var faults catalog.Faults
		if edits, faults = catalog.ReadEdits(c.Edits, text); len(faults) > 0 {
			return q, printFaults(con.Err, faults)
		}
		named = filepath.Base(c.Edits)
	}
	q, err = effect.Edited(ctx, catalogs, catalogs, base, edits, named)
	var faults catalog.Faults
	if errors.As(err, &faults) {
		err = printFaults(con.Err, faults)
	}
	return q, err
}

func printEffect(w io.Writer, e *effect.Effect) {
	fmt.Fprintf(w, "影响测算：%s 改为 %s\n", revisionName(e.Before), revisionName(e.After))
	if e.Partial {
		fmt.Fprintln(w, "目录太大，只看了改动所在的一件事；改动数据资源、情形、角色对其他一件事的影响没有看。")
	}
	printChanges(w, e)
	if len(e.Switches) > 0 {
		rows := make([][]string, len(e.Switches))
		for i := range e.Switches {
			s := &e.Switches[i]
			rows[i] = []string{s.Material, s.Name, s.From.Name() + " → " + s.To.Name(), fmt.Sprintf("%d / %d", s.Situations, s.Of), situationText(s)}
		}
		fmt.Fprintf(w, "\n提交与否改变的材料（按目录推算，数源会答什么不猜）\n%s\n", newTable(rows, 12, 26, 18, 10, 44).Headers("代码", "材料", "变化", "情形", "例如"))
	}
	if len(e.Lacks) > 0 {
		rows := make([][]string, len(e.Lacks))
		for i, l := range e.Lacks {
			rows[i] = []string{l.Kind.Name(), l.Material, strings.TrimSpace(l.Dataset + " " + l.Name), l.Why, strings.Join(l.Fields, "、")}
		}
		fmt.Fprintf(w, "\n还缺的授权和数源\n%s\n", newTable(rows, 14, 12, 24, 40, 30).Headers("缺什么", "材料", "数据资源", "为什么", "要覆盖的数据项"))
	}
	printReruns(w, &e.Cases)
}

func printChanges(w io.Writer, e *effect.Effect) {
	if len(e.Changes) == 0 {
		fmt.Fprintln(w, "\n要什么材料没有变化。")
	}
	for _, c := range e.Changes {
		name := strings.TrimSpace(c.Material + " " + c.Name)
		if name == "" {
			name = c.Matter + " " + c.MatterName
		}
		fmt.Fprintf(w, "\n%s %s\n", map[catalog.ChangeKind]string{catalog.ThingAdded: "新增", catalog.ThingRemoved: "删除", catalog.ThingChanged: "更改"}[c.Kind], name)
		for _, line := range c.Lines {
			fmt.Fprintf(w, "  %s\n    原 %s\n    现 %s\n", line.What, orNothing(line.Old), orNothing(line.New))
		}
	}
	if e.Others > 0 {
		fmt.Fprintf(w, "\n另有 %d 处改动不直接改变要什么材料。\n", e.Others)
	}
}

func printReruns(w io.Writer, r *effect.Reruns) {
	if r.Looked == 0 {
		fmt.Fprintln(w, "\n没有重算办件。")
		return
	}
	fmt.Fprintf(w, "\n最近 %d 件办件中涉及改动的 %d 件，用当时的情形和答复重算，没有询问任何数源。\n", r.Looked, r.Rerun)
	for _, skipped := range []struct {
		n    int
		text string
	}{{r.Destroyed, "件内容已按期销毁，跳过"}, {r.Unrecorded, "件没有保存核验输入，跳过"}, {r.Gone, "件所办的事项不在其中一个修订里"}, {r.Failed, "件当时的情形不能用于改后的条件"}} {
		if skipped.n > 0 {
			fmt.Fprintf(w, "  %d %s\n", skipped.n, skipped.text)
		}
	}
	if r.Rerun == 0 {
		return
	}
	for _, of := range []struct {
		name  string
		lines []effect.RerunLine
	}{{"一件事", r.ByOneThing}, {"部门", r.ByDepartment}} {
		rows := [][]string{}
		for _, l := range append(of.lines, r.Total) {
			if l.Name == "" {
				l.Name = "合计"
			}
			rows = append(rows, []string{l.Name, strconv.Itoa(l.Cases), strconv.Itoa(l.Changed), strconv.Itoa(l.Before), strconv.Itoa(l.After), fmt.Sprintf("%+d", l.Difference()), strconv.Itoa(l.Unknown)})
		}
		fmt.Fprintln(w, newTable(rows, 34, 8, 10, 10, 10, 8, 8).Headers(of.name, "办件", "有变化", "原须提交", "现须提交", "增减", "未知"))
	}
	if len(r.Moves) == 0 {
		return
	}
	rows := make([][]string, len(r.Moves))
	for i, m := range r.Moves {
		rows[i] = []string{m.Material, m.Name, concludes(m.From) + " → " + concludes(m.To), strconv.Itoa(m.N), strings.Join(m.Asks, "、"), strings.Join(m.Examples, " ")}
	}
	fmt.Fprintln(w, newTable(rows, 12, 26, 24, 6, 16, 40).Headers("代码", "材料", "结论", "次数", "要问", "核验结果"))
}

// concludes is an outcome in words.
func concludes(o policies.Outcome) string {
	switch o {
	case "":
		return "不要"
	case exchange.NotRecorded:
		return "未知"
	}
	for _, g := range groups() {
		if len(g.outcomes) == 1 && g.outcomes[0] == o {
			return g.title
		}
	}
	return string(o)
}

func situationText(s *effect.Switch) string {
	texts := make([]string, len(s.Example))
	for i, a := range s.Example {
		texts[i] = a.Ask + "：" + a.Value
	}
	text := strings.Join(texts, "；")
	if !s.Complete {
		text = strings.TrimPrefix(text+"（未看全部情形）", "；")
	}
	return text
}

func revisionName(number int) string {
	if number == 0 {
		return "待发布的目录"
	}
	return "修订 " + strconv.Itoa(number)
}

func orNothing(text string) string {
	if text == "" {
		return "（无）"
	}
	return text
}
