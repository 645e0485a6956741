package doctor

import (
	"io/fs"
	"time"
)

// day is 24 hours; the terms here are no legal ones.
const day = 24 * time.Hour

// KeyFile judges who can read a file of secrets.
func KeyFile(check, path string, mode fs.FileMode) Finding {
	if mode.Perm()&0o077 != 0 {
		return found(Fail, check, "chmod 600 "+path+"，并查清谁读过它", "%s 的权限是 %04o：别的用户能读", path, mode.Perm())
	}
	return ok(check, "%s 只有属主能读", path)
}

// KeyBesideDatabase judges a key that lies in the same folder as what it protects.
func KeyBesideDatabase(path string) Finding {
	return found(Warn, "密钥/位置", "用 MIANTI_KEY_FILE 把它放到另一块盘或另一台机器上", "%s 和数据库在同一个文件夹：拿到一个就拿到了两个", path)
}

const (
	oldKey     = 400 * day
	ancientKey = 2 * 365 * day
)

// KeyAge judges how long a signing key has been the present one. made is zero when
// there is none yet.
func KeyAge(purpose string, made, now time.Time) Finding {
	check, do := "密钥/"+purpose, "mianti key rotate "+purpose
	age := now.Sub(made)
	switch {
	case made.IsZero():
		return ok(check, "还没有，启动时会生成")
	case age > ancientKey:
		return found(Fail, check, do, "现用的密钥已用了 %d 天", days(age))
	case age > oldKey:
		return found(Warn, check, do, "现用的密钥已用了 %d 天", days(age))
	}
	return ok(check, "现用的密钥用了 %d 天", days(age))
}

func days(d time.Duration) int { return int(d / day) }

// Certificate judges how long a certificate is still valid.
func Certificate(check string, notAfter, now time.Time) Finding {
	left := notAfter.Sub(now)
	const soon, verySoon = 30 * day, 7 * day
	switch {
	case left <= 0:
		return found(Fail, check, "立即换证书并重启", "证书已于 %s 过期", notAfter.Format(time.DateOnly))
	case left < verySoon:
		return found(Fail, check, "换证书并重启", "证书 %d 天后过期", days(left))
	case left < soon:
		return found(Warn, check, "换证书并重启", "证书 %d 天后过期", days(left))
	}
	return ok(check, "证书到 %s 有效", notAfter.Format(time.DateOnly))
}

// Clock judges how far two clocks are apart. from is whose the other is.
func Clock(from string, apart time.Duration) Finding {
	const check = "时钟"
	off := apart.Abs()
	do := "在每台机器上开启时间同步（chrony 或 systemd-timesyncd），用 chronyc tracking 核对"
	switch {
	case off > 10*time.Second:
		return found(Fail, check, do, "与%s相差 %s：令牌会被拒绝，期限会算错", from, off.Round(time.Millisecond))
	case off > time.Second:
		return found(Warn, check, do, "与%s相差 %s", from, off.Round(time.Millisecond))
	}
	return ok(check, "与%s相差 %s", from, off.Round(time.Millisecond))
}

// Calendar judges whether working days are known for this year, and for the next one
// when it is near.
func Calendar(now time.Time, known func(year int) bool) Finding {
	const check, do = "时钟/工作日", "升级到含有该年放假安排的版本（国务院办公厅每年 11 月前后公布）"
	switch {
	case !known(now.Year()):
		return found(Fail, check, do, "没有 %d 年的放假安排：按周一至周五计算，法定期限会算错", now.Year())
	case now.Month() >= time.December && !known(now.Year()+1):
		return found(Warn, check, do, "还没有 %d 年的放假安排", now.Year()+1)
	}
	return ok(check, "有 %d 年的放假安排", now.Year())
}
