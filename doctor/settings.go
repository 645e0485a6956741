package doctor

import (
	"net"
	"net/url"
	"slices"
	"strings"
)

// Variables finds variables that nothing reads. known are those that there are, and
// those that end with * stand for all that begin so.
func Variables(set, known []string) []Finding {
	const check = "配置/变量"
	var out []Finding
	for _, name := range set {
		isKnown := slices.ContainsFunc(known, func(k string) bool {
			prefix, open := strings.CutSuffix(k, "*")
			return k == name || open && strings.HasPrefix(name, prefix)
		})
		if isKnown {
			continue
		}
		do := "删去它，或改成 docs/configuration.md 里的名字"
		if near := nearest(name, known); near != "" {
			do = "是不是 " + near + "？"
		}
		out = append(out, found(Warn, check, do, "%s 没有被任何命令读取", name))
	}
	if len(out) == 0 {
		out = append(out, ok(check, "设了 %d 个 MIANTI_ 变量，都认识", len(set)))
	}
	return out
}

// nearest gives the known name that differs by the fewest letters, if that is few.
func nearest(name string, known []string) string {
	best, least := "", 4
	for _, k := range known {
		if d := distance(name, k); d < least {
			best, least = k, d
		}
	}
	return best
}

// distance is the number of letters to put in, take out or change.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		previous := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := previous
			if a[i] != b[j] {
				cost = min(previous, row[j], row[j+1]) + 1
			}
			previous, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}

// Exposure are settings that weaken what guards the exchange.
type Exposure struct {
	DatabaseURL string
	Debug       bool     // the log says everything
	Proxies     []string // whose headers are believed
	EvenTime    bool     // answers about nobody take as long as others
	Issuer      string
}

// Insecure finds settings that work and should not stay so.
func Insecure(e Exposure) []Finding {
	var out []Finding
	if strings.HasPrefix(e.DatabaseURL, "sqlite:") {
		out = append(out, found(Warn, "配置/数据库", "正式运行用 PostgreSQL：设 MIANTI_DATABASE_URL=postgres://…", "用的是 SQLite：只适合试用和一个实例"))
	} else if u, err := url.Parse(e.DatabaseURL); err == nil && !local(u.Hostname()) {
		if mode := u.Query().Get("sslmode"); mode != "verify-full" && mode != "verify-ca" {
			out = append(out, found(Fail, "配置/数据库", "在 MIANTI_DATABASE_URL 里加 sslmode=verify-full 和 sslrootcert=…", "到数据库的连接不核对证书（sslmode=%s）：网络上的人可以冒充它", mode))
		}
	}
	for _, p := range e.Proxies {
		if strings.HasSuffix(p, "/0") {
			out = append(out, found(Fail, "配置/代理", "只写均衡器自己的地址", "MIANTI_TRUSTED_PROXIES=%s：任何人都能冒充别的来源地址", p))
		}
	}
	if e.Debug {
		out = append(out, found(Warn, "配置/日志", "设 MIANTI_LOG_LEVEL=INFO", "日志级别是 DEBUG：量很大，只用于查问题"))
	}
	if !e.EvenTime {
		out = append(out, found(Warn, "配置/均时", "去掉 MIANTI_EVEN_TIME=0", "查无此人的回答不拖到一样久：用时会泄露号码是不是某人的"))
	}
	if u, err := url.Parse(e.Issuer); err != nil || u.Scheme != "https" && !local(u.Hostname()) {
		out = append(out, found(Fail, "配置/地址", "把 MIANTI_ISSUER 设成对外的 https 地址", "MIANTI_ISSUER=%s 不是 https：口令和令牌会明文传输", e.Issuer))
	}
	if len(out) == 0 {
		out = append(out, ok("配置/安全", "没有削弱防护的设置"))
	}
	return out
}

func local(host string) bool {
	ip := net.ParseIP(host)
	return host == "" || host == "localhost" || ip != nil && ip.IsLoopback()
}
