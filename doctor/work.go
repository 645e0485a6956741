package doctor

import (
	"time"

	"mianti/store"
)

// Ledger judges whether entries get their place in time.
func Ledger(d store.Diagnosis, now time.Time) Finding {
	const check, do = "存证/封存", "看各实例日志里的 entries are not sealed；没有实例在运行时先启动"
	age := now.Sub(d.OldestWaiting)
	switch {
	case d.Waiting == 0:
		return ok(check, "%d 条都已封存", d.Entries)
	case age > 5*time.Minute:
		return found(Fail, check, do, "%d 条在等，最早的等了 %s", d.Waiting, age.Round(time.Second))
	case age > 10*time.Second:
		return found(Warn, check, do, "%d 条在等，最早的等了 %s", d.Waiting, age.Round(time.Second))
	}
	return ok(check, "%d 条已封存，%d 条刚写入", d.Entries, d.Waiting)
}

// Work judges whether background work is done.
func Work(d store.Diagnosis, now time.Time) []Finding {
	const check = "后台"
	var out []Finding
	if d.JobsOverdue > 0 {
		level, late := Warn, now.Sub(d.OldestJob)
		if late > 15*time.Minute {
			level = Fail
		}
		out = append(out, found(level, check, "确认至少有一个 mianti serve 在运行，看它的日志", "%d 项工作过了时间没有人做，最早的晚了 %s", d.JobsOverdue, late.Round(time.Second)))
	}
	if d.JobsFailed > 0 {
		out = append(out, found(Warn, check, "看日志里 job 的失败原因；通知多半是接收方不可达（mianti system list）", "%d 项工作多次失败后放弃了", d.JobsFailed))
	}
	if len(out) == 0 {
		out = append(out, ok(check, "没有积压"))
	}
	return out
}

// Alarms judges whether somebody looks at alarms.
func Alarms(open int) Finding {
	const check = "配额与告警"
	if open > 0 {
		return found(Warn, check, "mianti alarm list 逐条看，看过的 mianti alarm ack 编号", "%d 条告警没有人确认", open)
	}
	return ok(check, "没有未确认的告警")
}

// Backups judges how old the newest backup is.
func Backups(last, now time.Time) Finding {
	const check, do = "备份", "每天运行 mianti backup 文件夹（deploy/systemd/mianti-backup.timer），并另存到别处；用别的办法备份的，按 docs/operate.md 核对"
	age := now.Sub(last)
	switch {
	case last.IsZero():
		return found(Warn, check, do, "从没有用 mianti backup 做过备份")
	case age > 7*day:
		return found(Fail, check, do, "最近一次备份是 %d 天前", days(age))
	case age > 26*time.Hour:
		return found(Warn, check, do, "最近一次备份是 %s前", age.Round(time.Hour))
	}
	return ok(check, "最近一次备份是 %s前", age.Round(time.Minute))
}

// Catalog judges what the lint says of the current revision.
func Catalog(revision, errors, warnings int) Finding {
	const check = "目录"
	if errors > 0 {
		return found(Fail, check, "mianti catalog lint --database … --severity error", "第 %d 版有 %d 处错误、%d 处警告", revision, errors, warnings)
	}
	return ok(check, "第 %d 版，没有错误，%d 处警告", revision, warnings)
}

// Due judges whether what was kept long enough is destroyed.
func Due(due int) Finding {
	const check = "销毁"
	if due > 0 {
		return found(Warn, check, "确认有 mianti serve 在运行（每小时销毁一次），或运行 mianti retention run", "%d 项到期了还没有销毁", due)
	}
	return ok(check, "没有到期未销毁的")
}

// Anchor is how a party that vouches for the ledger is doing.
type Anchor struct {
	Name              string
	Trouble, Diverged bool
	Text              string // about the trouble
}

// Anchors judges whether somebody outside holds the ledger's state.
func Anchors(all []Anchor) []Finding {
	const check = "存证/锚定"
	if len(all) == 0 {
		return []Finding{found(Warn, check, "设 MIANTI_WITNESSES 或 MIANTI_TSA_URL（docs/anchors.md），或至少每天把 mianti ledger checkpoint 存到别人那里", "没有外部锚定：改写了整个日志也没有人能证明")}
	}
	var out []Finding
	for _, a := range all {
		switch {
		case a.Diverged:
			out = append(out, found(Fail, check, "保住数据库，运行 mianti ledger verify；恢复过备份的见 docs/operate.md", "%s 持有另一部历史", a.Name))
		case a.Trouble:
			out = append(out, found(Warn, check, "见 docs/anchors.md 的表", "%s：%s", a.Name, a.Text))
		default:
			out = append(out, ok(check, "%s 正常", a.Name))
		}
	}
	return out
}

// Verified judges what a verification of the whole ledger has found.
func Verified(size int64, faults int) Finding {
	const check = "存证/核对"
	if faults > 0 {
		return found(Fail, check, "mianti ledger verify 看是哪几条；保住数据库，不要恢复覆盖", "%d 条存证，发现 %d 处改动", size, faults)
	}
	return ok(check, "%d 条存证，没有改动", size)
}
