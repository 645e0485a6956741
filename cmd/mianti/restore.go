package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"mianti/backup"
	"mianti/internal/fault"
	"mianti/keyring"
	"mianti/ledger"
	"mianti/store"
)

type restoreCommand struct {
	databaseSetting
	retentionSettings
	toolSetting
	Dir        string   `arg:"" help:"Folder of the backup." type:"existingdir"`
	Replace    bool     `help:"Restore over a database that is not empty: everything in it is lost."`
	Checkpoint []string `help:"File of a checkpoint that was kept elsewhere: the restored ledger must still hold what it held, and what it lacks is counted." type:"existingfile"`
	Destroyed  []string `help:"List of what was destroyed since (destroyed.jsonl of a later backup, or mianti retention destroyed): it is destroyed again." type:"existingfile"`
	Tiles      string   `help:"Folder to which the ledger was exported: what was destroyed since is destroyed again, and what was lost is listed."`
	Keys       string   `help:"File with the keys of checkpoints, kept elsewhere. Default: those that the backup names."`
	WithoutKey bool     `help:"Restore without the key file: nothing that was destroyed since can be destroyed again, so do not start the exchange on it."`
}

// Run restores a backup, verifies the ledger, and destroys again what had been
// destroyed. An error says that the database is not to be used.
func (c *restoreCommand) Run(ctx context.Context, con console) error {
	if err := c.terms().Check(); err != nil {
		return err
	}
	keys, err := c.keysIfAny()
	if err != nil {
		return err
	}
	checked, err := backup.Verify(ctx, c.Dir, wrapperOf(keys), bytesRead(con.Err))
	if err != nil {
		return err
	}
	m := &checked.Manifest
	fmt.Fprintf(con.Out, "备份完整。%s\n", authenticity(checked))
	printManifest(con.Out, m)
	if err := c.checkKeys(keys, m); err != nil {
		return err
	}
	if err := c.checkTarget(ctx, m); err != nil {
		return err
	}
	if err := c.makeRoom(ctx); err != nil {
		return err
	}
	fmt.Fprintln(con.Err, "正在恢复……")
	if err := c.restore(ctx); err != nil {
		return err
	}
	if err := c.compare(ctx, m); err != nil {
		return unusable(err)
	}
	if err := store.Migrate(ctx, c.DatabaseURL); err != nil {
		return unusable(err)
	}
	if err := c.settle(ctx, con, m, keys); err != nil {
		return unusable(err)
	}
	printRestored(con.Out, c, keys != nil)
	return nil
}

func unusable(err error) error {
	return fmt.Errorf("恢复没有完成，不要在这个数据库上启动免提：%w", err)
}

// checkKeys wants the keys that the backup was encrypted under, before anything is done.
func (c *restoreCommand) checkKeys(keys *keyring.File, m *backup.Manifest) error {
	if c.WithoutKey {
		return nil
	}
	if keys == nil {
		return fault.New(fault.Unavailable, "key-missing", "没有密钥文件：请用 MIANTI_KEY_FILE 指明备份时所用的那一个，其中要有编号为 %s 的密钥。", strings.Join(m.Keys, "、"))
	}
	for _, id := range m.Keys {
		if !keys.Has(id) {
			return fault.New(fault.Unavailable, "key-missing", "密钥文件中没有编号为 %s 的密钥，备份中的内容是用它加密的。请把含有它的那一行放回密钥文件。", id)
		}
	}
	return nil
}

// checkTarget wants a database of the same kind, that knows all that the backup holds.
func (c *restoreCommand) checkTarget(ctx context.Context, m *backup.Manifest) error {
	path, err := store.SQLitePath(c.DatabaseURL)
	switch {
	case err != nil:
		return err
	case path != "" && m.Dialect != "sqlite":
		return errors.New("这份备份是 PostgreSQL 的，只能恢复到 PostgreSQL")
	case path == "" && m.Dialect != "postgres":
		return errors.New("这份备份是 SQLite 的，只能恢复到 sqlite: 文件")
	case path != "":
		return nil
	}
	version, err := store.ServerVersion(ctx, c.DatabaseURL)
	if err != nil {
		return err
	}
	return backup.CheckServer(m.Server, version)
}

// makeRoom wants an empty database, or empties it when it is told to.
func (c *restoreCommand) makeRoom(ctx context.Context) error {
	empty, err := store.Emptiness(ctx, c.DatabaseURL)
	if err != nil || empty {
		return err
	}
	if !c.Replace {
		return fault.New(fault.Conflict, "database-not-empty", "数据库不是空的。请恢复到一个新建的空库；确要覆盖时用 --replace，其中现有的一切都会丢失。")
	}
	return store.Clear(ctx, c.DatabaseURL)
}

func (c *restoreCommand) restore(ctx context.Context) error {
	path, err := store.SQLitePath(c.DatabaseURL)
	if err != nil {
		return err
	}
	if path != "" {
		return copyFile(filepath.Join(c.Dir, backup.SQLiteName), path)
	}
	server, err := serverOf(c.DatabaseURL, "")
	if err != nil {
		return err
	}
	return c.tools().Restore(ctx, server, filepath.Join(c.Dir, backup.PostgresName))
}

// copyFile copies a file that its owner alone can read; it has its name when all of it
// is on the disk.
func copyFile(from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return fmt.Errorf("make the folder of the sqlite file: %w", err)
	}
	source, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("read the backup: %w", err)
	}
	defer source.Close()
	draft := to + ".restoring"
	target, err := os.OpenFile(draft, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write the sqlite file: %w", err)
	}
	_, err = io.Copy(target, source)
	if err := errors.Join(err, target.Sync(), target.Close()); err != nil {
		return errors.Join(fmt.Errorf("write the sqlite file: %w", err), os.Remove(draft))
	}
	return os.Rename(draft, to)
}

// compare holds what was restored against the manifest, row count by row count.
func (c *restoreCommand) compare(ctx context.Context, m *backup.Manifest) error {
	now, err := store.ContentsOf(ctx, c.DatabaseURL)
	if err != nil {
		return err
	}
	for name, want := range m.Rows {
		if got, ok := now.Rows[name]; !ok || got != want {
			return fault.New(fault.Invalid, "restore-differs", "表 %s 恢复出 %d 行，清单上是 %d 行。", name, got, want)
		}
	}
	if now.Checkpoint != m.Checkpoint || now.Schema != m.Schema {
		return fault.New(fault.Invalid, "restore-differs", "恢复出的检查点或结构版本与清单不符。")
	}
	return nil
}

// settle verifies the ledger of what was restored, says what is lost, destroys again,
// and records that it was restored.
func (c *restoreCommand) settle(ctx context.Context, con console, m *backup.Manifest, kek *keyring.File) error {
	db, err := store.Open(ctx, store.Config{URL: c.DatabaseURL, Now: time.Now})
	if err != nil {
		return err
	}
	defer db.Close()
	record := store.NewLog(db)
	keys, err := (&ledgerSource{Keys: c.Keys}).keys(ctx, record)
	if err != nil {
		return err
	}
	if err := c.verify(ctx, con, record, keys, m); err != nil {
		return err
	}
	list, err := c.destroyedSince(ctx, con.Out, keys, m)
	if err != nil {
		return err
	}
	if kek == nil {
		return nil
	}
	if err := db.Unlock(ctx, kek, c.Cipher); err != nil {
		return err
	}
	if err := c.destroyAgain(ctx, con.Out, db, list); err != nil {
		return err
	}
	return recordAtMachine(ctx, db, ledger.Entry{Kind: ledger.Restored, Object: "database", Why: "backup of " + m.Made.Format(time.RFC3339)})
}

// verify verifies the ledger against the checkpoint of the manifest, and those that
// were kept elsewhere.
func (c *restoreCommand) verify(ctx context.Context, con console, record *store.Log, keys ledger.Keys, m *backup.Manifest) error {
	kept, err := readCheckpoints(c.Checkpoint, keys)
	if err != nil {
		return err
	}
	if m.Checkpoint != "" {
		own, err := keys.Open(m.Checkpoint)
		if err != nil {
			return fmt.Errorf("the checkpoint of the manifest: %w", err)
		}
		kept = append(kept, own)
	}
	// A later checkpoint is no proof against what was restored: it tells what is lost.
	within := slices.DeleteFunc(slices.Clone(kept), func(k ledger.Checkpoint) bool { return k.Size > m.Entries })
	begun := time.Now()
	report, err := ledger.Verification{Keys: keys, Kept: within, Progress: progressOf(con.Err, begun)}.Verify(ctx, record)
	if err != nil {
		return err
	}
	printVerification(con.Out, report, len(within), time.Since(begun))
	if len(report.Faults) > 0 {
		return errTampered
	}
	for _, k := range kept {
		if k.Size > m.Entries {
			fmt.Fprintf(con.Out, "丢失：另外保存的检查点共 %d 条，恢复出 %d 条已封存，其后至多 %d 条存证及其所记的事不在了。见证方会报 diverged，参见 docs/operate.md。\n",
				k.Size, m.Entries, k.Size-m.Entries)
		}
	}
	return nil
}

// destroyAgain destroys what a later state had destroyed, and what is due by now.
func (c *restoreCommand) destroyAgain(ctx context.Context, w io.Writer, db *store.Store, list []store.Destroyed) error {
	entry := func(kind ledger.Kind, d store.Destroyed) ledger.Entry {
		e := ledger.Entry{Kind: kind, At: time.Now().UTC(), Person: ledger.Operator, Case: d.Case, Result: d.Why,
			Why: "restored from a backup; had been destroyed at " + d.At.UTC().Format(time.RFC3339)}
		if d.Batch != "" {
			e.Object = "batch:" + d.Batch
		}
		return e
	}
	again, batches, err := db.DestroyAgain(ctx, list, entry)
	if err != nil {
		return err
	}
	due, err := newRetention(db, c.retentionSettings, ledger.Operator).Run(ctx, nil)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "按销毁清单（%d 项）再次销毁：%d 个办件的内容，%d 个办件与当事人的对应关系，%d 个批量。按期限又销毁：%d 个办件的内容，%d 个对应关系。\n",
		len(list), again.Cases, again.Salts, batches, due.Cases, due.Salts)
	return nil
}

func printRestored(w io.Writer, c *restoreCommand, unlocked bool) {
	if !unlocked {
		fmt.Fprintln(w, "数据已恢复，账本核对无误，但没有密钥：已销毁的内容可能又在其中。不要启动；放好密钥文件后用 --replace 重新恢复。")
		return
	}
	if len(c.Destroyed) == 0 && c.Tiles == "" {
		fmt.Fprintln(w, "注意：没有给出销毁清单。备份之后才销毁的内容可能又在其中。找到最新的 destroyed.jsonl 后运行：mianti restore … --replace --destroyed 文件")
	}
	fmt.Fprintln(w, `已恢复。启动之前：
  · 备份之后的撤销也丢失了：逐一重做（撤回的同意、终止的授权、停用、撤销的系统和凭据、离岗人员）；给出 --tiles 时已列在上面；
  · 用 deploy/postgres/roles.sql 给运行账户授权（备份不含权限）；
  · 运行 mianti doctor。`)
}
