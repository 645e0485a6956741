package doctor

import (
	"slices"
	"strings"
	"time"

	"mianti/store"
)

// Schema judges whether this program can work with the database's schema.
func Schema(p store.MigrationPlan) Finding {
	const check = "结构"
	switch {
	case p.Found < p.Wanted:
		return found(Fail, check, "mianti migrate --plan 看要做什么，然后 mianti migrate", "第 %d 版，本程序需要第 %d 版（%d 步待执行）", p.Found, p.Wanted, len(p.Pending))
	case p.Found > p.Wanted:
		return found(Warn, check, "把这个实例也升级到新版本", "第 %d 版，比本程序的第 %d 版新", p.Found, p.Wanted)
	}
	older := slices.ContainsFunc(p.Running, func(r store.Running) bool { return r.Schema != p.Wanted })
	if older {
		return found(Warn, check, "把所有实例升级到同一版本", "第 %d 版；有别的版本的程序正连着", p.Found)
	}
	return ok(check, "第 %d 版", p.Found)
}

// leastVersion is the oldest PostgreSQL that the project is tried on.
const leastVersion = 150000

// Database judges the server, the role and the connection.
func Database(d store.Diagnosis) []Finding {
	out := []Finding{durability(d)}
	if d.SQLite {
		return append(out, ok("数据库/版本", "SQLite %s", d.Version))
	}
	out = append(out, version(d), isolation(d), connections(d), recovering(d))
	out = append(out, role(d)...)
	out = append(out, replicas(d)...)
	if !d.Encrypted {
		out = append(out, found(Warn, "数据库/连接", "在 MIANTI_DATABASE_URL 里用 sslmode=verify-full；只在本机或专线上可以不加密", "连接没有加密"))
	}
	if d.ArchiveFailed {
		out = append(out, found(Fail, "数据库/归档", "看 PostgreSQL 日志里的 archive_command 为什么失败；修好前写前日志会越积越多", "写前日志归档失败"))
	}
	return out
}

func durability(d store.Diagnosis) Finding {
	const check = "数据库/持久"
	if len(d.Undurable) > 0 {
		return found(Fail, check, "改回 on 并重载（fsync 须重启）：断电会丢失已经回答了的记录", "%s", strings.Join(d.Undurable, "，"))
	}
	return ok(check, "已回答的断电后仍在")
}

func version(d store.Diagnosis) Finding {
	const check = "数据库/版本"
	if d.Number < leastVersion {
		return found(Fail, check, "升级到 PostgreSQL 15 或更新", "PostgreSQL %s 没有试过", d.Version)
	}
	return ok(check, "PostgreSQL %s", d.Version)
}

func isolation(d store.Diagnosis) Finding {
	const check = "数据库/隔离"
	if d.Isolation != "read committed" {
		return found(Fail, check, "ALTER DATABASE … SET default_transaction_isolation = 'read committed'", "默认隔离级别是 %s：本程序按 read committed 加锁，别的级别会使请求失败", d.Isolation)
	}
	return ok(check, "%s", d.Isolation)
}

func connections(d store.Diagnosis) Finding {
	const check, do = "数据库/连接数", "加大 max_connections，或在前面放 pgbouncer（deploy/pgbouncer）"
	switch used := d.Connections * 100 / max(d.MaxConnections, 1); {
	case used >= 95:
		return found(Fail, check, do, "%d / %d：新连接就要被拒绝", d.Connections, d.MaxConnections)
	case used >= 80:
		return found(Warn, check, do, "%d / %d", d.Connections, d.MaxConnections)
	}
	return ok(check, "%d / %d", d.Connections, d.MaxConnections)
}

func recovering(d store.Diagnosis) Finding {
	const check = "数据库/主库"
	if d.Recovering {
		return found(Fail, check, "把 MIANTI_DATABASE_URL 指向主库（多个主机时加 target_session_attrs=read-write）", "连着的是只读的副本")
	}
	return ok(check, "连着主库")
}

func role(d store.Diagnosis) []Finding {
	const check, do = "数据库/账户", "运行用 deploy/postgres/roles.sql 里的 mianti_app，迁移和备份用 mianti_owner"
	var out []Finding
	if d.Superuser {
		out = append(out, found(Fail, check, do, "运行账户是超级用户：它能关掉保护存证的触发器"))
	}
	if d.MayCreate {
		out = append(out, found(Warn, check, do, "运行账户能建表、改结构"))
	}
	if d.MayChangeLedger {
		out = append(out, found(Warn, check, do, "运行账户有修改或删除存证的权限（触发器会拒绝，但权限本不该有）"))
	}
	if len(d.Lacking) > 0 {
		out = append(out, found(Fail, check, "迁移之后再运行一次 deploy/postgres/roles.sql", "运行账户缺少对这些表的权限：%s", strings.Join(d.Lacking, "、")))
	}
	if len(d.Unguarded) > 0 {
		out = append(out, found(Fail, "数据库/触发器", "ALTER TABLE … ENABLE ALWAYS TRIGGER ALL，然后 mianti ledger verify，并查清是谁关的", "保护存证的触发器被关掉：%s", strings.Join(d.Unguarded, "、")))
	}
	if len(out) == 0 {
		out = append(out, ok(check, "运行账户不能改结构，也不能改存证"))
	}
	return out
}

func replicas(d store.Diagnosis) []Finding {
	var out []Finding
	for _, r := range d.Replicas {
		check := "数据库/副本 " + r.Name
		switch {
		case r.State != "streaming" || r.Lag > time.Minute:
			out = append(out, found(Fail, check, "看副本的日志和网络；落后时它上面的页面和报表是旧的", "状态 %s，落后 %s", r.State, r.Lag.Round(time.Millisecond)))
		case r.Lag > 10*time.Second:
			out = append(out, found(Warn, check, "看副本的负载和网络", "落后 %s", r.Lag.Round(time.Millisecond)))
		default:
			out = append(out, ok(check, "落后 %s", r.Lag.Round(time.Millisecond)))
		}
	}
	return out
}

// Disk judges what is free where a path is.
func Disk(path string, free, total uint64) Finding {
	check := "磁盘 " + path
	const gib = 1 << 30
	do := "扩容，或清理同一块盘上的别的文件；写满后查询一律 503（不会记一半）"
	percent := free * 100 / max(total, 1)
	switch {
	case percent < 3 || free < gib/2:
		return found(Fail, check, do, "剩 %.1f GiB（%d%%）", float64(free)/gib, percent)
	case percent < 10:
		return found(Warn, check, do, "剩 %.1f GiB（%d%%）", float64(free)/gib, percent)
	}
	return ok(check, "剩 %.1f GiB（%d%%）", float64(free)/gib, percent)
}
