package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"mianti/backup"
	"mianti/catalog"
	"mianti/keyring"
	"mianti/ledger"
	"mianti/retention"
	"mianti/store"
)

// retentionSettings say how long what is kept of cases is kept, and under which
// cipher.
type retentionSettings struct {
	KeepPayload retention.Term `env:"MIANTI_KEEP_PAYLOAD" default:"30d" help:"How long the content of a case is kept after its purpose was done: 30d, 1y."`
	KeepOpen    retention.Term `env:"MIANTI_KEEP_OPEN" default:"2y" help:"How long the content of a case is kept at most after it was opened, when that never comes."`
	KeepRecord  retention.Term `env:"MIANTI_KEEP_RECORD" default:"3y" help:"How long persons can be found in the ledger after that. At least 3y."`
	Cipher      keyring.Cipher `env:"MIANTI_CIPHER" enum:"aes-256-gcm,sm4-gcm" default:"aes-256-gcm" help:"What new content is encrypted with: aes-256-gcm, or sm4-gcm."`
}

// terms are the terms that are set, or the defaults where nothing was read.
func (s retentionSettings) terms() retention.Terms {
	t := retention.Terms{Payload: s.KeepPayload, Open: s.KeepOpen, Record: s.KeepRecord}
	if t == (retention.Terms{}) {
		return retention.DefaultTerms()
	}
	return t
}

func newRetention(db *store.Store, s retentionSettings, by string) *retention.Retention {
	return &retention.Retention{Store: db, Terms: s.terms(), Now: time.Now, By: by}
}

type retentionCommands struct {
	Run       retentionRunCommand       `cmd:"" help:"Destroy what is due. The exchange does so by itself every hour."`
	Report    retentionReportCommand    `cmd:"" help:"Show what is kept, what is due when, and what was destroyed."`
	Destroyed retentionDestroyedCommand `cmd:"" help:"List what was destroyed, to be kept apart, so that no backup brings it back."`
}

type retentionRunCommand struct {
	databaseSetting
	retentionSettings
}

// Run destroys what is due.
func (c *retentionRunCommand) Run(ctx context.Context, con console) error {
	return c.withRetention(ctx, c.retentionSettings, func(r *retention.Retention) error {
		done, err := r.Run(ctx, func(d retention.Done) {
			if (d.Cases+d.Salts)%100 == 0 {
				fmt.Fprintf(con.Err, "已销毁 %d 个办件的内容，%d 个办件的对应关系……\n", d.Cases, d.Salts)
			}
		})
		fmt.Fprintf(con.Out, "销毁了 %d 个办件的内容，%d 个办件与当事人的对应关系，%d 条查询索引。结论与存证不变。\n", done.Cases, done.Salts, done.Records)
		return err
	})
}

// withRetention opens the database with its keys.
func (s *databaseSetting) withRetention(ctx context.Context, settings retentionSettings, do func(*retention.Retention) error) error {
	if err := settings.terms().Check(); err != nil {
		return err
	}
	db, err := s.openUnlocked(ctx, settings.Cipher)
	if err != nil {
		return err
	}
	return errors.Join(do(newRetention(db, settings, ledger.Operator)), db.Close())
}

// openUnlocked opens the database with the keys of what is in it.
func (s *databaseSetting) openUnlocked(ctx context.Context, cipher keyring.Cipher) (*store.Store, error) {
	db, err := store.Open(ctx, store.Config{URL: s.DatabaseURL, Now: time.Now})
	if err != nil {
		return nil, err
	}
	ring, err := s.ring(ctx, db)
	if err == nil {
		err = db.Unlock(ctx, ring.Wrapper, cipher)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

type retentionDestroyedCommand struct{ databaseSetting }

// Run lists what was destroyed, for mianti restore --destroyed. It needs no key.
func (c *retentionDestroyedCommand) Run(ctx context.Context, con console) error {
	db, err := store.Open(ctx, store.Config{URL: c.DatabaseURL, Now: time.Now})
	if err != nil {
		return err
	}
	list, err := db.Destructions(ctx)
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	return backup.WriteDestroyed(con.Out, list)
}

type retentionReportCommand struct {
	databaseSetting
	retentionSettings
	JSON bool `name:"json" help:"Print it as JSON."`
}

// Run shows what is kept and what was destroyed. It needs no key.
func (c *retentionReportCommand) Run(ctx context.Context, con console) error {
	if err := c.terms().Check(); err != nil {
		return err
	}
	db, err := store.Open(ctx, store.Config{URL: c.DatabaseURL, Now: time.Now})
	if err != nil {
		return err
	}
	defer db.Close()
	report, err := newRetention(db, c.retentionSettings, "").Report(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		encoder := json.NewEncoder(con.Out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(report)
	}
	printRetention(con.Out, report)
	return nil
}

func printRetention(w io.Writer, r retention.Report) {
	rows := make([][]string, len(r.Departments))
	for i, h := range r.Departments {
		next := "–"
		if h.Next != nil {
			next = h.Next.In(catalog.TimeZone()).Format(time.DateOnly)
		}
		rows[i] = []string{h.Department}
		for _, n := range []int{h.Kept, h.Done, h.Due, h.Soon} {
			rows[i] = append(rows[i], strconv.Itoa(n))
		}
		rows[i] = append(rows[i], next)
		for _, n := range []int{h.PurposeDone, h.TermEnded, h.SaltsDue, h.SaltsDestroyed, h.InClear} {
			rows[i] = append(rows[i], strconv.Itoa(n))
		}
	}
	printRows(w, []string{"部门", "保存中", "已办结", "已到期", "30 天内到期", "最近到期", "已销毁（目的完成）", "已销毁（期限届满）", "对应关系到期", "对应关系已销毁", "未加密"}, rows)
	fmt.Fprintf(w, "\n办结后保存 %s：%s\n最长保存 %s：%s\n使用记录保存 %s：%s\n", r.Terms.Payload, r.Terms.Basis.Payload,
		r.Terms.Open, r.Terms.Basis.Open, r.Terms.Record, r.Terms.Basis.Record)
}
