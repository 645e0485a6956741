package catalog

import (
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var (
	hostName     = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$`)
	databaseName = regexp.MustCompile(`^/[\p{L}\p{N}_][\p{L}\p{N}_$-]*$`)
	// numericLabel ends what many programs read as an IPv4 address, in decimal,
	// octal or hexadecimal, whole or in parts.
	numericLabel = regexp.MustCompile(`(?i)(^|\.)([0-9]+|0x[0-9a-f]*)\.?$`)
)

// finding is what is wrong with a value; without a code nothing is.
type finding struct{ code, reason string }

func (s sourceScope) reportFinding(at spot, f finding) {
	if f.code != "" {
		s.reportLine(at, at.file.tree.line(at.at), f.code, f.reason)
	}
}

// validatePath checks what is appended to the address.
func (s sourceScope) validatePath(at spot, path string) {
	names, err := Variables(path)
	switch {
	case path == "":
	case slices.Contains(names, "name") || slices.Contains(names, "number"):
		s.report(at, "identity-in-address", "路径中不能有 ${name}、${number}：地址会留在沿途的日志里，请写到 http.body 中")
	case err != nil || len(names) > 0:
		s.report(at, "bad-path", "路径中不能有变量，请写到 http.query 或 http.body 中")
	default:
		s.reportFinding(at, pathFinding(path))
	}
}

// pathFinding says what is wrong with a path that is appended to an address.
func pathFinding(path string) finding {
	switch {
	case !strings.HasPrefix(path, "/"):
		return finding{} // reported by the schema
	case strings.ContainsAny(path, "?#"):
		return finding{"bad-path", "路径中不能有 ? 或 #，参数请写到 http.query 中"}
	case strings.HasPrefix(path, "//"):
		return finding{"bad-path", "路径不能以 // 开头"}
	}
	u, err := url.Parse(path)
	if err != nil || !plainPath(u) {
		return finding{"bad-path", "路径中不能有空格、反斜杠、控制字符、. 与 .. 段、编码的斜杠"}
	}
	return finding{}
}

// plainPath reports whether a path can be read in one way only.
func plainPath(u *url.URL) bool {
	if strings.ContainsAny(u.Path, " \\") || hasControl(u.Path) || strings.Contains(strings.ToLower(u.EscapedPath()), "%2f") {
		return false
	}
	return !slices.ContainsFunc(strings.Split(u.Path, "/"), func(part string) bool { return part == "." || part == ".." })
}

// validateAddress checks the address of a source, and that it lies within the
// source's network as far as can be told before it is resolved.
func (s sourceScope) validateAddress() {
	address, at := s.source.Address, s.at.in("address")
	if address == "" {
		return
	}
	schemes := []string{"https", "http"}
	if s.source.Kind == SourceSQLView {
		schemes = []string{"postgres", "mysql"}
	}
	u, found := parseAddress(address, schemes)
	switch {
	case found.code != "":
	case s.source.Kind == SourceSQLView && !databaseName.MatchString(u.Path):
		found = finding{"bad-address", "地址要写到数据库名，如 postgres://db.example.gov.cn:5432/share"}
	case strings.HasSuffix(u.Path, "/"):
		found = finding{"bad-address", "地址末尾不要写斜杠"}
	default:
		found = s.hostFinding(u.Hostname())
	}
	if found.code == "" && u.Scheme == "http" && s.source.Network == NetworkPublic {
		found = finding{"address-unencrypted", "公网地址要用 https；政务外网、本机的地址可用 http，并写 network: private 或 local"}
	}
	s.reportFinding(at, found)
}

// parseAddress parses an absolute address and says what is wrong with it, but
// for its host. It never repeats the address, which could hold a password.
func parseAddress(address string, schemes []string) (*url.URL, finding) {
	bad := func(reason string) (*url.URL, finding) { return nil, finding{"bad-address", reason} }
	u, err := url.Parse(address)
	if err != nil || u.Opaque != "" || u.Hostname() == "" || !slices.Contains(schemes, u.Scheme) {
		return bad("应为以 " + strings.Join(schemes, ":// 或 ") + ":// 开头的完整地址")
	}
	if u.User != nil {
		return bad("地址中不能有用户名或密码，请写到 auth 中")
	}
	if strings.ContainsAny(address, "?#") {
		return bad("地址中不能有 ? 或 #，参数请写到 http.query 中")
	}
	if port := u.Port(); port != "" || strings.HasSuffix(u.Host, ":") {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 || port[0] == '0' {
			return bad("端口应为 1 到 65535 的数字")
		}
	}
	if !plainPath(u) {
		return bad("地址的路径中不能有空格、反斜杠、控制字符、. 与 .. 段、编码的斜杠")
	}
	return u, finding{}
}

// hostFinding says why a host may not be reached by the source. A name is
// judged again when it has been resolved.
func (s sourceScope) hostFinding(host string) finding {
	n := s.source.Network
	if n != NetworkPublic && n != NetworkPrivate && n != NetworkLocal {
		return finding{} // reported by the schema
	}
	outside := func(kind string) finding {
		return finding{"address-outside-network", "地址是" + kind + "：" + networkRemedy(n)}
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		switch {
		case ip.Zone() != "" || ip.Is4In6():
			return finding{"bad-host", "不是主机名，也不是通常写法的 IP 地址；IPv4 地址请写成四段十进制"}
		case CheckNetwork(n, ip) == nil:
			return finding{}
		}
		switch kindOfAddress(ip) {
		case addressLocal:
			return outside("本机地址")
		case addressPrivate:
			return outside("内网地址")
		case addressPublic:
			return outside("公网地址")
		default:
			return finding{"address-outside-network", "这类地址（链路本地、组播、未指定、保留）永不连接，请改用数源的主机名"}
		}
	}
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	switch {
	case numericLabel.MatchString(host) || !hostName.MatchString(host) || len(host) > 253:
		return finding{"bad-host", "不是主机名，也不是通常写法的 IP 地址；IPv4 地址请写成四段十进制，主机名用 ASCII"}
	case (name == "localhost" || strings.HasSuffix(name, ".localhost")) && n != NetworkLocal:
		return outside("本机地址")
	default:
		return finding{}
	}
}

func networkRemedy(n Network) string {
	switch n {
	case NetworkPrivate:
		return "network: private 只到公网与内网；若网关在本机，请写 network: local"
	case NetworkLocal:
		return "network: local 只到本机；请删去 network，或写 network: private"
	default:
		return "不写 network 时只到公网；内网请写 network: private，本机请写 network: local"
	}
}
