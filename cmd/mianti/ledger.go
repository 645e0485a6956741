package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"mianti/catalog"
	"mianti/ledger"
	"mianti/store"
)

type ledgerCommands struct {
	Verify     ledgerVerifyCommand     `cmd:"" help:"Compute the whole log anew, and name what was tampered with."`
	Prove      ledgerProveCommand      `cmd:"" help:"Prove that an entry is in the log, or check a receipt, without the exchange."`
	Checkpoint ledgerCheckpointCommand `cmd:"" help:"Print the newest checkpoint."`
	Anchors    ledgerAnchorsCommand    `cmd:"" help:"Show how far witnesses and time stamps are behind."`
	Export     ledgerExportCommand     `cmd:"" help:"Write the log as tiles into a folder."`
}

// ledgerSource is where a log is read from, and under which keys it is believed.
type ledgerSource struct {
	databaseSetting
	Tiles string `help:"Read the log as tiles from this folder or address instead of the database."`
	Token string `env:"MIANTI_TOKEN" help:"Access token of an auditor, for the entries behind an address. Without it the hashes alone are read there."`
	Keys  string `help:"File with the keys of checkpoints: the document of /v1/trust, or one key a line. Default: those that the database names, which proves nothing to an outsider."`
}

// open gives the log and its keys. The log is usable until done is called.
func (s *ledgerSource) open(ctx context.Context) (record ledger.KeptLog, keys ledger.Keys, done func() error, err error) {
	done = func() error { return nil }
	if s.Tiles != "" {
		record = ledger.TileLog{Fetch: fetchTiles(s.Tiles, s.Token)}
	} else {
		db, err := store.Open(ctx, store.Config{URL: s.DatabaseURL, Now: time.Now})
		if err != nil {
			return nil, keys, nil, err
		}
		record, done = store.NewLog(db), db.Close
	}
	keys, err = s.keys(ctx, record)
	if err != nil {
		return nil, keys, nil, errors.Join(err, done())
	}
	return record, keys, done, nil
}

func (s *ledgerSource) keys(ctx context.Context, record ledger.KeptLog) (ledger.Keys, error) {
	if s.Keys != "" {
		return readKeys(s.Keys)
	}
	named, ok := record.(*store.Log)
	if !ok {
		return ledger.Keys{}, errors.New("--tiles 要与 --keys 一起用：公钥须另外取得，例如 GET /v1/trust")
	}
	vkeys, err := named.VKeys(ctx)
	if err != nil {
		return ledger.Keys{}, err
	}
	return ledger.ParseKeys(vkeys)
}

// readKeys reads the keys of checkpoints: from a JSON document that names them as
// "checkpoint", or from lines.
func readKeys(file string) (ledger.Keys, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return ledger.Keys{}, fmt.Errorf("read --keys: %w", err)
	}
	var document struct {
		Checkpoint []string `json:"checkpoint"`
	}
	if json.Unmarshal(content, &document) == nil {
		return ledger.ParseKeys(document.Checkpoint)
	}
	return ledger.ParseKeys(strings.Fields(string(content)))
}

type ledgerVerifyCommand struct {
	ledgerSource
	Checkpoint []string `help:"File of a checkpoint that was kept: the log must still hold what it held then." type:"existingfile"`
	JSON       bool     `name:"json" help:"Print the report as JSON."`
}

var errTampered = errors.New("日志与封存时不一致")

// Run verifies a log, and fails when anything is wrong with it.
func (c *ledgerVerifyCommand) Run(ctx context.Context, con console) error {
	record, keys, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	kept, err := readCheckpoints(c.Checkpoint, keys)
	if err != nil {
		return errors.Join(err, done())
	}
	begun := time.Now()
	report, err := ledger.Verification{Keys: keys, Kept: kept, Progress: progressOf(con.Err, begun)}.Verify(ctx, record)
	if err := errors.Join(err, done()); err != nil {
		return err
	}
	if c.JSON {
		encoder := json.NewEncoder(con.Out)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(report); err != nil {
			return err
		}
	} else {
		printVerification(con.Out, report, len(kept), time.Since(begun))
	}
	if len(report.Faults) > 0 {
		return errTampered
	}
	return nil
}

func readCheckpoints(files []string, keys ledger.Keys) ([]ledger.Checkpoint, error) {
	var kept []ledger.Checkpoint
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read --checkpoint: %w", err)
		}
		c, err := keys.Open(string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		kept = append(kept, c)
	}
	return kept, nil
}

// progressOf tells how far it is, when it takes longer than somebody would wait
// without a word.
func progressOf(w io.Writer, begun time.Time) func(done, total int64) {
	told := begun
	return func(done, total int64) {
		if now := time.Now(); now.Sub(told) > patience {
			told = now
			fmt.Fprintf(w, "已核对 %d / %d 条\n", done, total)
		}
	}
}

func printVerification(w io.Writer, r ledger.Report, kept int, took time.Duration) {
	fmt.Fprintf(w, "日志 %s　%d 条　根 %s\n核对了 %d 个已发布的检查点、%d 个另外保存的检查点，用时 %s\n",
		printable(r.Origin), r.Size, r.Root, r.Checkpoints, kept, took.Round(time.Millisecond))
	if r.Unseen {
		fmt.Fprintln(w, "存证内容没有读取（需要审计岗位的令牌），只核对了哈希。")
	}
	if len(r.Faults) == 0 {
		fmt.Fprintln(w, "没有发现改动。")
		return
	}
	for _, f := range r.Faults {
		fmt.Fprintln(w, "✗", f)
	}
}

type ledgerProveCommand struct {
	ledgerSource
	What string `arg:"" help:"Place of an entry in the log, from 0, or the file of a receipt."`
}

// Run makes the receipt of an entry, or checks one; a receipt needs no log.
func (c *ledgerProveCommand) Run(ctx context.Context, con console) error {
	index, err := strconv.ParseInt(c.What, 10, 64)
	if err != nil {
		return c.check(con)
	}
	record, keys, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	if log, ok := record.(*store.Log); ok {
		if err := recordAtMachine(ctx, log.Store(), ledger.Entry{Kind: ledger.LogRead, Object: fmt.Sprintf("log:%d", index)}); err != nil {
			return errors.Join(err, done())
		}
	}
	receipt, err := makeReceipt(ctx, record, keys, index)
	if err := errors.Join(err, done()); err != nil {
		return err
	}
	encoder := json.NewEncoder(con.Out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(receipt)
}

func makeReceipt(ctx context.Context, record ledger.KeptLog, keys ledger.Keys, index int64) (ledger.Receipt, error) {
	c, err := newestOf(ctx, record, keys)
	if err != nil {
		return ledger.Receipt{}, err
	}
	proof, err := ledger.ProveInclusion(ctx, record, c, index)
	if err != nil {
		return ledger.Receipt{}, err
	}
	rows, err := record.Rows(ctx, index, 1)
	if err != nil {
		return ledger.Receipt{}, err
	}
	if len(rows) != 1 || rows[0].Index != index || rows[0].Entry == nil {
		return ledger.Receipt{}, fmt.Errorf("第 %d 条的内容读不到：请运行 mianti ledger verify", index)
	}
	receipt := ledger.NewReceipt(rows[0].Leaf(), proof)
	_, err = ledger.VerifyReceipt(receipt, keys)
	return receipt, err
}

// newestOf gives the newest checkpoint of a log.
func newestOf(ctx context.Context, record ledger.KeptLog, keys ledger.Keys) (ledger.Checkpoint, error) {
	if log, ok := record.(*store.Log); ok {
		c, err := log.Checkpoint(ctx)
		if err != nil {
			return c, err
		}
		return keys.Open(c.Note)
	}
	published, err := record.Published(ctx, 0, 1)
	if err != nil {
		return ledger.Checkpoint{}, err
	}
	return keys.Open(published[0].Note)
}

func (c *ledgerProveCommand) check(con console) error {
	if c.Keys == "" {
		return errors.New("核对凭证要用 --keys 指定公钥文件")
	}
	keys, err := readKeys(c.Keys)
	if err != nil {
		return err
	}
	content, err := os.ReadFile(c.What)
	if err != nil {
		return fmt.Errorf("read the receipt: %w", err)
	}
	receipt, err := ledger.ParseReceipt(content)
	if err != nil {
		return err
	}
	verified, err := ledger.VerifyReceipt(receipt, keys)
	if err != nil {
		return err
	}
	printVerified(con.Out, verified)
	return nil
}

// printVerified says what a receipt shows.
func printVerified(w io.Writer, v ledger.Verified) {
	fmt.Fprintf(w, "✓ 在日志中：%s 第 %d 条（检查点共 %d 条）\n", printable(v.Checkpoint.Origin), v.Leaf.Index, v.Checkpoint.Size)
	fmt.Fprintf(w, "  %s　%s　部门 %s　办件 %s\n", v.Entry.At.In(catalog.TimeZone()).Format("2006-01-02 15:04:05"), printable(string(v.Entry.Kind)),
		printable(v.Entry.Department), printable(v.Entry.Case))
}

type ledgerCheckpointCommand struct{ databaseSetting }

// Run prints the newest checkpoint, to be kept elsewhere.
func (c *ledgerCheckpointCommand) Run(ctx context.Context, con console) error {
	db, err := store.Open(ctx, store.Config{URL: c.DatabaseURL, Now: time.Now})
	if err != nil {
		return err
	}
	newest, err := store.NewLog(db).Checkpoint(ctx)
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	_, err = io.WriteString(con.Out, newest.Note)
	return err
}

type ledgerExportCommand struct {
	databaseSetting
	Dir string `arg:"" help:"Folder; what it holds already of this log is kept, and the rest added."`
}

// Run writes the log as tiles, and adds to what an earlier run has written.
func (c *ledgerExportCommand) Run(ctx context.Context, con console) error {
	db, err := store.Open(ctx, store.Config{URL: c.DatabaseURL, Now: time.Now})
	if err != nil {
		return err
	}
	size, err := c.export(ctx, db)
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	fmt.Fprintf(con.Out, "已写出 %d 条存证到 %s。\n", size, c.Dir)
	return nil
}

func (c *ledgerExportCommand) export(ctx context.Context, db *store.Store) (int64, error) {
	if err := recordAtMachine(ctx, db, ledger.Entry{Kind: ledger.LogExported, Object: "log"}); err != nil {
		return 0, err
	}
	return exportTiles(ctx, db, c.Dir)
}

// recordAtMachine records what is about to be done by command, where nobody signs
// in. What cannot be recorded is not done.
func recordAtMachine(ctx context.Context, db *store.Store, e ledger.Entry) error {
	e.At, e.Person = time.Now().UTC(), ledger.Operator
	if err := db.Append(ctx, []ledger.Entry{e}); err != nil {
		return fmt.Errorf("没有办理，因为未能留痕：%w", err)
	}
	return nil
}
