package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"mianti/catalog"
	"mianti/catalog/lint"
	"mianti/doctor"
	"mianti/internal/fault"
	"mianti/internal/workday"
	"mianti/keyring"
	"mianti/ledger"
	"mianti/ledger/anchor"
	"mianti/store"
)

// lookDatabase looks at the schema first: without it nothing else is read.
func (d *diagnosing) lookDatabase(ctx context.Context) {
	d.lookCalendar()
	plan, err := store.PlanMigration(ctx, d.DatabaseURL)
	if d.err("数据库", "看数据库是否在运行、地址和口令是否对、网络是否通", err) {
		return
	}
	d.add(doctor.Schema(plan))
	db, err := store.Open(ctx, store.Config{URL: d.DatabaseURL, Now: time.Now, MaxConnections: 2})
	if err != nil {
		if plan.Found >= plan.Wanted { // else it was said already
			d.err("结构", "换用不低于数据库的版本", err)
		}
		return
	}
	defer db.Close()
	found, err := db.Diagnose(ctx)
	if d.err("数据库", "看数据库的日志", err) {
		return
	}
	now := time.Now()
	if !found.SQLite {
		d.add(doctor.Clock("数据库", found.Ahead))
	}
	d.add(doctor.Database(found)...)
	d.lookDisk(found.Path)
	d.lookKeys(ctx, db, found)
	d.add(doctor.Ledger(found, now))
	d.add(doctor.Work(found, now)...)
	d.lookRetention(ctx, db)
	d.add(doctor.Alarms(found.OpenAlarms), doctor.Backups(found.LastBackup, now))
	d.lookAnchors(ctx, db)
	d.lookCatalog(ctx, db)
	d.lookLedger(ctx, db)
}

func (d *diagnosing) lookCalendar() {
	calendar, err := workday.Load()
	if !d.err("时钟/工作日", "换用完好的程序", err) {
		d.add(doctor.Calendar(time.Now().In(catalog.TimeZone()), calendar.Known))
	}
}

// lookDisk looks what is free where a path is, when that is on this machine.
func (d *diagnosing) lookDisk(path string) {
	if path == "" {
		d.add(doctor.NotLookedAt("磁盘", "数据库在别的机器上，或账户看不到它在哪里：请在那里看（pg_monitor 的成员看得到）"))
		return
	}
	if _, err := os.Stat(path); err != nil {
		d.add(doctor.NotLookedAt("磁盘 "+path, "不在这台机器上，或没有权限：请在数据库那里看"))
		return
	}
	if free, total, err := diskFree(path); err == nil {
		d.add(doctor.Disk(path, free, total))
	}
}

// lookKeys opens one key of everything with the key file.
func (d *diagnosing) lookKeys(ctx context.Context, db *store.Store, found store.Diagnosis) {
	const check, do = "密钥/可用", "把含有它的那一行放回密钥文件；没有它，用它加密的内容谁也读不出来"
	if keys, err := d.keysIfAny(); err == nil && keys == nil && len(found.Secrets) == 0 {
		d.add(doctor.NotLookedAt(check, "还没有密钥：第一次启动时生成"))
		return
	}
	ring, err := d.ring(ctx, db)
	if d.err(check, do, err) || d.err(check, do, db.Unlock(ctx, ring.Wrapper, d.Cipher)) {
		return
	}
	for _, purpose := range keyring.Purposes() {
		if _, err := ring.All(ctx, purpose); d.err(check, do, err) {
			return
		}
	}
	d.add(doctor.Good(check, "密钥文件能打开数据库里的每一种密钥"))
	for _, purpose := range []keyring.Purpose{keyring.Evidence, keyring.TokenSigning} {
		if purpose == keyring.TokenSigning && d.SigningKeyFile != "" {
			continue // it is in a file, which says nothing of its age
		}
		d.add(doctor.KeyAge(string(purpose), found.Secrets[string(purpose)], time.Now()))
	}
}

// lookRetention looks whether what is due was destroyed.
func (d *diagnosing) lookRetention(ctx context.Context, db *store.Store) {
	const check = "销毁"
	report, err := newRetention(db, d.retentionSettings, "").Report(ctx)
	if d.err(check, "看数据库的日志", err) {
		return
	}
	due := 0
	for _, h := range report.Departments {
		due += h.Due + h.SaltsDue
	}
	d.add(doctor.Due(due))
}

func (d *diagnosing) lookAnchors(ctx context.Context, db *store.Store) {
	const check = "存证/锚定"
	worker, err := d.newAnchors(db, slog.New(slog.DiscardHandler))
	if d.err(check, "改正 MIANTI_WITNESSES、MIANTI_TSA_URL 等设置", err) {
		return
	}
	report, err := worker.Report(ctx)
	if d.err(check, "看数据库的日志", err) {
		return
	}
	var gaps []doctor.Anchor
	for _, g := range report.Gaps {
		if g.Configured {
			gaps = append(gaps, doctor.Anchor{Name: g.Name, Trouble: g.Since != nil, Diverged: g.Trouble == anchor.Diverged, Text: g.Text})
		}
	}
	d.add(doctor.Anchors(gaps)...)
}

func (d *diagnosing) lookCatalog(ctx context.Context, db *store.Store) {
	const check = "目录"
	catalogs := store.NewCatalogsHolding(db, d.CatalogMaterials)
	rev, err := catalogs.Current(ctx)
	if errors.Is(err, fault.NotFound) {
		err = errors.New("还没有装入目录")
	}
	if d.err(check, "mianti catalog load 文件夹", err) {
		return
	}
	if d.Quick {
		d.add(doctor.Good(check, fmt.Sprintf("第 %d 版", rev.Number)), doctor.NotLookedAt("目录/体检", "--quick"), doctor.NotLookedAt("数源", "--quick"))
		return
	}
	d.slowly("目录")
	report, err := lookThrough(io.Discard, rev, nil, func(look func(*catalog.Revision) error) error {
		return catalogs.EachOneThing(ctx, rev.Number, look)
	})
	if !d.err(check, "mianti catalog lint", err) {
		d.add(doctor.Catalog(rev.Number, report.Open(lint.Error), report.Open(lint.Warning)))
	}
	d.lookSources(ctx, rev)
}

// lookLedger computes the whole log anew.
func (d *diagnosing) lookLedger(ctx context.Context, db *store.Store) {
	const check = "存证/核对"
	if d.Quick {
		d.add(doctor.NotLookedAt(check, "--quick；完整核对用 mianti ledger verify"))
		return
	}
	d.slowly("存证")
	record := store.NewLog(db)
	keys, err := (&ledgerSource{}).keys(ctx, record)
	if d.err(check, "mianti ledger verify", err) {
		return
	}
	report, err := ledger.Verification{Keys: keys, Progress: progressOf(d.errs, d.begun)}.Verify(ctx, record)
	if d.err(check, "mianti ledger verify", err) {
		return
	}
	d.add(doctor.Verified(report.Size, len(report.Faults)))
}
