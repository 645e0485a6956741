package webhook_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"mianti/catalog"
	"mianti/internal/fault"
	"mianti/internal/webhook"
)

func master() []byte { return bytes.Repeat([]byte("密"), 11) } // 33 bytes

func mac(key, text []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(text)
	return h.Sum(nil)
}

// RFC 5869: one block is HMAC(HMAC(zeros, key), info and 0x01).
func TestSecret_IsDerivedFromTheMasterKey(t *testing.T) {
	t.Parallel()
	extracted := mac(make([]byte, sha256.Size), master())
	for _, c := range []struct {
		system     string
		generation int
		info       string
	}{
		{"spj-1", 1, "spj-1|1"}, {"spj-1", 2, "spj-1|2"}, {"spj-2", 1, "spj-2|1"}, {"a|1", 2, "a|1|2"},
	} {
		want := "whsec_" + base64.StdEncoding.EncodeToString(mac(extracted, append([]byte(c.info), 1)))
		if got := webhook.Secret(master(), c.system, c.generation); got != want {
			t.Errorf("Secret(%s, %d) is not the one of %q", c.system, c.generation, c.info)
		}
	}
	if webhook.Secret(append(master(), 'x'), "spj-1", 1) == webhook.Secret(master(), "spj-1", 1) {
		t.Error("another master key gives the same secret")
	}
}

func TestCheckURL_AllowsWhatMayBeRegistered(t *testing.T) {
	t.Parallel()
	const public, private, local = catalog.NetworkPublic, catalog.NetworkPrivate, catalog.NetworkLocal
	for _, c := range []struct {
		url     string
		network catalog.Network
		says    string // part of the refusal; empty means allowed
	}{
		{"https://spj.example/hook?token=1", public, ""},
		{"https://spj.example:8443/hook", private, ""},
		{"http://spj.example/hook", private, ""},
		{"http://10.1.2.3/hook", private, ""},
		{"http://127.0.0.1:9000/hook", local, ""},
		{"http://[::1]:9000/hook", local, ""},
		{"http://localhost/hook", local, ""},

		{"http://spj.example/hook", public, "以 https:// 开头"},
		{"ftp://spj.example/hook", private, "以 https:// 开头"},
		{"file:///etc/passwd", local, "完整的网址"},
		{"gopher://spj.example/", local, "以 https:// 开头"},
		{"https:spj.example", public, "完整的网址"},
		{"https://", public, "完整的网址"},
		{"https://:443/", public, "完整的网址"},
		{"//spj.example/hook", public, "以 https:// 开头"},
		{"hook", public, "完整的网址"},
		{"", public, "完整的网址"},
		{"https://spj.example/\r\nX: y", public, "完整的网址"},
		{"https://spj.example/" + strings.Repeat("a", 2000), public, "完整的网址"},
		{"https://user@spj.example/hook", public, "用户名"},
		{"https://user:secret@spj.example/hook", public, "用户名"},
		{"https://spj.example/hook#part", public, "#"},
		{"https://spj.example/hook#", public, "#"},
		{"https://2130706433/hook", public, "写法不规范"},
		{"https://0x7f.1/hook", public, "写法不规范"},
		{"http://017700000001/hook", local, "写法不规范"},
		{"https://spj.example:0/hook", public, "端口"},
		{"https://spj.example:70000/hook", public, "端口"},
		{"https://spj.example/hook", "any", "网络范围"},

		{"https://10.1.2.3/hook", public, "不在允许的网络范围"},
		{"https://127.0.0.1/hook", public, "不在允许的网络范围"},
		{"https://127.0.0.1/hook", private, "不在允许的网络范围"},
		{"https://[::ffff:127.0.0.1]/hook", private, "不在允许的网络范围"},
		{"https://[::ffff:10.1.2.3]/hook", public, "不在允许的网络范围"},
		{"https://169.254.169.254/hook", private, "不在允许的网络范围"},
		{"https://0.0.0.0/hook", local, "不在允许的网络范围"},
		{"https://10.1.2.3/hook", local, "不在允许的网络范围"},
	} {
		err := webhook.CheckURL(c.url, c.network)
		if c.says == "" {
			if err != nil {
				t.Errorf("CheckURL(%q, %q) = %v", c.url, c.network, err)
			}
			continue
		}
		refused := fault.As(err)
		if refused == nil || !errors.Is(err, fault.Invalid) || !strings.Contains(refused.Message, c.says) {
			t.Errorf("CheckURL(%q, %q) = %v, want a refusal that says %q", c.url, c.network, err, c.says)
			continue
		}
		if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "10.1.2.3") {
			t.Errorf("the refusal repeats the address: %v", err)
		}
	}
}
