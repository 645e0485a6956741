package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"mianti/backup"
	"mianti/keyring"
	"mianti/ledger"
	"mianti/store"
)

type backupCommands struct {
	Make   backupCommand       `cmd:"" default:"withargs" help:"Copy the database into a new folder, while the exchange runs."`
	Verify backupVerifyCommand `cmd:"" help:"Check that a backup is whole and unchanged."`
}

// toolSetting says where PostgreSQL's programs are.
type toolSetting struct {
	PGTools string `name:"pg-tools" help:"Folder of pg_dump and pg_restore. Default: the newest that are found."`
}

func (s toolSetting) tools() backup.Tools {
	return backup.Tools{Dir: s.PGTools, Environment: os.Environ()}
}

type backupCommand struct {
	databaseSetting
	toolSetting
	Dir string `arg:"" help:"Folder to make; it must not be there yet."`
}

// Run makes a backup. What is broken off leaves nothing that looks like one.
func (c *backupCommand) Run(ctx context.Context, con console) error {
	keys, err := c.keysIfAny()
	if err != nil {
		return err
	}
	folder, err := backup.New(c.Dir)
	if err != nil {
		return err
	}
	m, sum, err := c.make(ctx, con, folder, keys)
	if err != nil {
		return errors.Join(err, folder.Discard())
	}
	if err := c.note(ctx, m, sum); err != nil {
		return fmt.Errorf("备份已做好，但没能记下：%w", err)
	}
	printBackup(con.Out, c.Dir, m, keys != nil)
	return nil
}

// keysIfAny reads the key file that is configured, or that lies beside a SQLite file;
// nil without one.
func (s *databaseSetting) keysIfAny() (*keyring.File, error) {
	path := s.KeyFile
	if sqlite, ok := strings.CutPrefix(s.DatabaseURL, "sqlite:"); ok && path == "" {
		path = sqlite + ".key"
	}
	if path == "" {
		return nil, nil //nolint:nilnil // a backup is made without it too
	}
	keys, err := readKeyFile(path)
	if errors.Is(err, fs.ErrNotExist) && s.KeyFile == "" {
		return nil, nil //nolint:nilnil // see above
	}
	return keys, err
}

func (c *backupCommand) make(ctx context.Context, con console, folder *backup.Folder, keys *keyring.File) (*backup.Manifest, string, error) {
	m := &backup.Manifest{Made: time.Now().UTC(), Program: thisBuild().Version, Tool: "sqlite"}
	if err := c.announce(ctx); err != nil {
		return nil, "", err
	}
	counting := func() { fmt.Fprintln(con.Err, "正在清点……") }
	err := store.WithDump(ctx, c.DatabaseURL, folder.Path(backup.SQLiteName), counting, func(d store.Dump) error {
		m.Contents = d.Contents
		if d.Snapshot == "" {
			return nil
		}
		file := folder.Path(backup.PostgresName)
		defer watchFile(con.Err, file)()
		server, err := serverOf(c.DatabaseURL, d.Contents.Server)
		if err != nil {
			return err
		}
		m.Tool, err = c.tools().Dump(ctx, server, d.Snapshot, file)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	if err := backup.WriteDestroyedFile(folder.Path(backup.DestroyedName), m.Destroyed); err != nil {
		return nil, "", err
	}
	sum, err := folder.Finish(ctx, m, wrapperOf(keys))
	return m, sum, err
}

// wrapperOf keeps a nil file from becoming an interface that is not nil.
func wrapperOf(keys *keyring.File) keyring.Wrapper {
	if keys == nil {
		return nil
	}
	return keys
}

// serverOf is the server of an address, for PostgreSQL's programs.
func serverOf(url, version string) (backup.Server, error) {
	address, password, ok, err := store.PostgresAddress(url)
	if err != nil {
		return backup.Server{}, err
	}
	if !ok {
		return backup.Server{}, errors.New("这份备份是 PostgreSQL 的，只能恢复到 PostgreSQL")
	}
	return backup.Server{Address: address, Password: password, Version: version}, nil
}

// announce records that all of it is about to be copied.
func (c *backupCommand) announce(ctx context.Context) error {
	db, err := store.Open(ctx, store.Config{URL: c.DatabaseURL, Now: time.Now})
	if err != nil {
		return err
	}
	return errors.Join(recordAtMachine(ctx, db, ledger.Entry{Kind: ledger.BackupBegun, Object: "database"}), db.Close())
}

// note lets mianti doctor know of the backup.
func (c *backupCommand) note(ctx context.Context, m *backup.Manifest, sum string) error {
	db, err := store.Open(ctx, store.Config{URL: c.DatabaseURL, Now: time.Now})
	if err != nil {
		return err
	}
	return errors.Join(db.BackupMade(ctx, sum, m.Made, m.Entries, m.Bytes()), db.Close())
}

// watchFile tells how long a file has become, now and then, until it is told to stop.
func watchFile(w io.Writer, path string) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(patience)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				if info, err := os.Stat(path); err == nil {
					fmt.Fprintf(w, "已写出 %s……\n", megabytes(info.Size()))
				}
			}
		}
	}()
	return func() { close(done); <-ended }
}

// patience is how long somebody waits without a word.
const patience = 2 * time.Second

func megabytes(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }

func printBackup(w io.Writer, dir string, m *backup.Manifest, sealed bool) {
	fmt.Fprintf(w, "备份已做好：%s　%s　%s\n", dir, megabytes(m.Bytes()), m.Tool)
	printManifest(w, m)
	fmt.Fprintln(w, `
备份里没有密钥。另外保存（与备份分开，两处）：
  · MIANTI_KEY_FILE 的密钥文件——没有它，备份里的内容谁也读不出来；`+needsKeys(m)+`
  · MIANTI_SIGNING_KEY_FILE、MIANTI_SUBJECT_KEY_FILE、MIANTI_WEBHOOK_KEY_FILE（如果设了），MIANTI_SECRETS_DIR 里的各部门凭据，TLS 证书和私钥；
  · 环境变量和配置文件。
备份里办件内容是加密的；系统、授权、目录、存证等不是：请放在加密的磁盘上，或加密后再送出本机。
destroyed.jsonl 是已销毁内容的清单：恢复更早的备份时要用最新的一份（mianti restore --destroyed），以免已销毁的内容又回来。`)
	if !sealed {
		fmt.Fprintln(w, "没有给出密钥文件，清单没有封印：改动备份的人也能改清单。")
	}
}

func printManifest(w io.Writer, m *backup.Manifest) {
	var rows int64
	for _, n := range m.Rows {
		rows += n
	}
	fmt.Fprintf(w, "  %s　%s %s　结构第 %d 版　目录第 %d 版　%d 张表 %d 行　存证 %d 条（另有 %d 条待封存）\n",
		clockTime(m.Made), m.Dialect, m.Server, m.Schema, m.Catalog, len(m.Rows), rows, m.Entries, m.Waiting)
}

func needsKeys(m *backup.Manifest) string {
	if len(m.Keys) == 0 {
		return ""
	}
	return "这份要用的密钥编号：" + strings.Join(m.Keys, "、")
}

type backupVerifyCommand struct {
	Dir     string `arg:"" help:"Folder of the backup." type:"existingdir"`
	KeyFile string `env:"MIANTI_KEY_FILE" help:"File of the key that protects all others: with it the manifest itself is checked."`
}

// Run checks a backup. It needs no database.
func (c *backupVerifyCommand) Run(ctx context.Context, con console) error {
	setting := databaseSetting{KeyFile: c.KeyFile}
	keys, err := setting.keysIfAny()
	if err != nil {
		return err
	}
	checked, err := backup.Verify(ctx, c.Dir, wrapperOf(keys), bytesRead(con.Err))
	if err != nil {
		return err
	}
	fmt.Fprintf(con.Out, "备份完整，%d 个文件与清单一致。%s\n", len(checked.Manifest.Files), authenticity(checked))
	printManifest(con.Out, &checked.Manifest)
	return nil
}

func authenticity(c *backup.Checked) string {
	switch {
	case c.Authentic:
		return "清单是本系统密钥封的。"
	case c.Sealed:
		return "清单的封印没有核对：请用 MIANTI_KEY_FILE 指明密钥文件。"
	default:
		return "清单没有封印。"
	}
}

// bytesRead tells how much was read, when that takes a while.
func bytesRead(w io.Writer) func(done, total int64) {
	told := time.Now()
	return func(done, total int64) {
		if now := time.Now(); now.Sub(told) > patience {
			told = now
			fmt.Fprintf(w, "已核对 %s / %s\n", megabytes(done), megabytes(total))
		}
	}
}
