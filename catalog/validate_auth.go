package catalog

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
)

var secretRef = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)+$`)

// authMethod is one way of proving oneself, by its key.
type authMethod struct {
	key string
	set bool
}

func (a *Auth) methods() []authMethod {
	return []authMethod{
		{"header", a.Header != nil}, {"hmac", a.HMAC != nil}, {"oauth2", a.OAuth2 != nil}, {"sm2", a.SM2 != nil}, {"login", a.Login != nil},
	}
}

// validateAuth checks how the exchange proves itself.
func (s sourceScope) validateAuth() {
	auth, at := s.source.Auth, s.at.in("auth")
	if auth == nil || s.source.Kind == SourceSnapshot || s.source.Kind == SourceAssist {
		return // the two kinds that have none: reported with the settings
	}
	s.validateMethods(at, auth)
	for _, named := range s.source.SecretRefs() {
		s.validateRef(s.at.in(named.At...), named.Ref)
	}
	if tls := auth.TLS; tls != nil {
		if (tls.Certificate == "") != (tls.Key == "") {
			s.report(at.in("tls"), "certificate-without-key", "certificate 与 key 要一起写")
		}
		if strings.HasPrefix(s.source.Address, "http:") && s.source.Network != NetworkPublic {
			// In public the address itself is at fault, and its remedy is this one's.
			s.report(at.in("tls"), "tls-without-https", "有 tls 时地址要用 https")
		}
	}
	if auth.HMAC != nil {
		s.template(at.in("hmac", "sign"), auth.HMAC.Sign, signVariables())
	}
	if auth.SM2 != nil {
		s.template(at.in("sm2", "sign"), auth.SM2.Sign, signVariables())
	}
	if auth.OAuth2 != nil {
		s.validateTokenURL(at.in("oauth2", "token_url"), auth.OAuth2.TokenURL)
	}
	s.validateAuthHeaders(at, auth)
}

// signVariables are what a text that is signed may hold.
func signVariables() []string {
	return []string{"method", "path", "query", "timestamp", "nonce", "key", "body_digest"}
}

func (s sourceScope) validateMethods(at spot, auth *Auth) {
	database, first := s.source.Kind == SourceSQLView, ""
	for _, method := range auth.methods() {
		switch {
		case !method.set:
		case database != (method.key == "login"):
			s.report(at.in(method.key), "setting-unexpected", "login 只用于 sqlview，sqlview 也只能用 login；请改认证方式")
		case first != "":
			s.report(at.in(method.key), "auth-twice", "认证方式只能有一种，已有 %s", first)
		default:
			first = method.key
		}
	}
	if database && auth.Login == nil {
		s.report(at, "setting-missing", "sqlview 接口的 auth 要写 login")
	}
}

// validateRef keeps a source to the secrets of its own department.
func (s sourceScope) validateRef(at spot, ref SecretRef) {
	own := strings.ToLower(s.dataset.Department) + "-"
	if !secretRef.MatchString(string(ref)) || own == "-" {
		return // reported by the schema
	}
	if !strings.HasPrefix(string(ref), own) && !strings.HasPrefix(string(ref), "shared-") {
		s.report(at, "foreign-secret", "密钥引用应以 %s 或 shared- 开头：一个部门的接口不能用别的部门的密钥", own)
	}
}

// validateTokenURL checks where tokens come from: a path at the source's own
// address, or an address of its own that is always encrypted.
func (s sourceScope) validateTokenURL(at spot, text string) {
	if strings.HasPrefix(text, "/") {
		s.validatePath(at, text)
		return
	}
	if text == "" {
		return // reported by the schema
	}
	u, found := parseAddress(text, []string{"https"})
	if found.code == "" {
		found = s.hostFinding(u.Hostname())
	}
	s.reportFinding(at, found)
}

// validateAuthHeaders reports a header that has another use, or that two
// values would be sent in.
func (s sourceScope) validateAuthHeaders(at spot, auth *Auth) {
	seen := map[string]bool{}
	if s.source.HTTP != nil {
		for name := range s.source.HTTP.Headers {
			seen[http.CanonicalHeaderKey(name)] = true
		}
	}
	check := func(method, key, name, byDefault string) {
		if name == "" {
			name = byDefault
		}
		where, canonical := at.in(method, key), http.CanonicalHeaderKey(name)
		switch {
		case s.reservedHeader(name):
			s.report(where, "reserved-header", "HTTP 头 %s 由程序自己写，请换一个", name)
		case seen[canonical]:
			s.report(where, "duplicate-header", "HTTP 头 %s 已用过，请换一个", name)
		}
		seen[canonical] = true
	}
	if auth.Header != nil {
		check("header", "name", auth.Header.Name, "")
	}
	if a := auth.HMAC; a != nil {
		check("hmac", "key_header", a.KeyHeader, "X-App-Key")
		check("hmac", "timestamp_header", a.TimestampHeader, "X-Timestamp")
		check("hmac", "nonce_header", a.NonceHeader, "X-Nonce")
		check("hmac", "signature_header", a.SignatureHeader, "X-Signature")
	}
	if a := auth.SM2; a != nil {
		check("sm2", "key_header", a.KeyHeader, "X-App-Key")
		check("sm2", "timestamp_header", a.TimestampHeader, "X-Timestamp")
		check("sm2", "nonce_header", a.NonceHeader, "X-Nonce")
		check("sm2", "signature_header", a.SignatureHeader, "X-Signature")
	}
}

// reservedHeader reports whether a header belongs to the transport or to the
// protocol of the source's kind.
func (s sourceScope) reservedHeader(name string) bool {
	canonical := http.CanonicalHeaderKey(name)
	if strings.HasPrefix(canonical, "Proxy-") || s.source.Kind == SourceXRoad && strings.HasPrefix(canonical, "X-Road-") {
		return true
	}
	return slices.Contains([]string{
		"Host", "Connection", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Expect",
		"Content-Length", "Content-Type", "Content-Encoding", "Accept-Encoding",
	}, canonical)
}
