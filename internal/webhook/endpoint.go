// Package webhook tells systems that something has happened, by Standard
// Webhooks 1.0: a signed POST to an address that the system has registered.
//
// A message says what happened and to which case, and nothing about a person: a
// system that wants to know more asks, with its own token. It is sent at least
// once, under one id; a receiver drops an id that it has seen.
package webhook

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"mianti/catalog"
	"mianti/connectors/egress"
	"mianti/internal/fault"
)

// Endpoint (通知地址) is where a system is told.
type Endpoint struct {
	System  string
	URL     string
	Network catalog.Network // where URL may lead to
	// Generation counts the secrets of the endpoint, from 1. RotatedAt is when
	// the present one replaced the one before; zero if it is the first.
	Generation int
	RotatedAt  time.Time
	Disabled   bool
	Reason     string // why it is disabled
}

// Endpoints keeps the endpoints of systems.
type Endpoints interface {
	// Endpoint gives the endpoint of a system, or fault.NotFound.
	Endpoint(ctx context.Context, system string) (Endpoint, error)
	// DisableEndpoint ends the messages to a system until its endpoint is saved
	// again. The reason is for its operator.
	DisableEndpoint(ctx context.Context, system, reason string) error
}

// secretSize is the size of a derived secret; the standard asks for 24 to 64
// bytes.
const secretSize = 32

// Secret (签名密钥) gives the secret by which a system checks its messages. It is
// derived from the master key, so that none is stored: a new generation is a
// new secret.
func Secret(master []byte, system string, generation int) string {
	key, err := hkdf.Key(sha256.New, master, nil, system+"|"+strconv.Itoa(generation), secretSize)
	if err != nil {
		panic("webhook: HKDF refuses a length that it allows: " + err.Error())
	}
	return secretPrefix + base64.StdEncoding.EncodeToString(key)
}

// secretPrefix marks a secret as one, so that scanners of sources find it.
const secretPrefix = "whsec_"

// longestURL bounds an address, in bytes.
const longestURL = 2000

// CheckURL says whether a system may register an address: https, or http too
// where it stays inside the government's network or this machine; a host that
// the network allows as far as can be told without resolving it. That is
// checked again whenever it is connected to.
func CheckURL(raw string, network catalog.Network) error {
	switch network {
	case catalog.NetworkPublic, catalog.NetworkPrivate, catalog.NetworkLocal:
	default:
		return invalidURL("网络范围应为空（公网）、private（政务外网）或 local（本机）")
	}
	u, err := url.Parse(raw)
	if err != nil || len(raw) > longestURL || u.Opaque != "" || u.Hostname() == "" {
		// The cause repeats the address, which may hold a token.
		return invalidURL("通知地址应为完整的网址，例如 https://主机/路径，不超过 %d 字节", longestURL)
	}
	if u.User != nil {
		return invalidURL("通知地址中不能写用户名和密码")
	}
	if strings.Contains(raw, "#") {
		return invalidURL("通知地址中不能有 # 及其后的部分")
	}
	if u.Scheme != "https" && (u.Scheme != "http" || network == catalog.NetworkPublic) {
		return invalidURL("通知地址应以 https:// 开头；只有政务外网和本机地址可以用 http://")
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return invalidURL("通知地址的端口应为 1 至 65535")
		}
	}
	if _, err := egress.ParseURL(raw, network); err != nil {
		return invalidURL("通知地址的主机不在允许的网络范围内，或 IP 地址的写法不规范").Because(err)
	}
	return nil
}

func invalidURL(format string, args ...any) *fault.Error {
	message := fmt.Sprintf(format, args...)
	return fault.New(fault.Invalid, "invalid-webhook-url", "%s", message).
		With(fault.Detail{Location: "url", Code: "invalid-webhook-url", Message: message})
}
