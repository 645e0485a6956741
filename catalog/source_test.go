package catalog_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
)

func TestSecretRefs_SaysWhereEachStands(t *testing.T) {
	t.Parallel()
	ref := func(name string, at ...any) catalog.NamedRef {
		return catalog.NamedRef{At: at, Ref: catalog.SecretRef(name)}
	}
	tls := &catalog.TLSAuth{Certificate: "mz-certificate", Key: "mz-key", CA: "shared-ca"}
	ofTLS := []catalog.NamedRef{
		ref("mz-certificate", "auth", "tls", "certificate"), ref("mz-key", "auth", "tls", "key"), ref("shared-ca", "auth", "tls", "ca"),
	}
	for name, c := range map[string]struct {
		auth *catalog.Auth
		want []catalog.NamedRef
	}{
		"none":        {nil, nil},
		"header":      {&catalog.Auth{Header: &catalog.HeaderAuth{Secret: "mz-a"}}, []catalog.NamedRef{ref("mz-a", "auth", "header", "secret")}},
		"hmac":        {&catalog.Auth{HMAC: &catalog.HMACAuth{Secret: "mz-a"}}, []catalog.NamedRef{ref("mz-a", "auth", "hmac", "secret")}},
		"oauth2":      {&catalog.Auth{OAuth2: &catalog.OAuth2Auth{Secret: "mz-a"}}, []catalog.NamedRef{ref("mz-a", "auth", "oauth2", "secret")}},
		"sm2":         {&catalog.Auth{SM2: &catalog.SM2Auth{Secret: "mz-a"}}, []catalog.NamedRef{ref("mz-a", "auth", "sm2", "secret")}},
		"login":       {&catalog.Auth{Login: &catalog.LoginAuth{Secret: "mz-a"}}, []catalog.NamedRef{ref("mz-a", "auth", "login", "secret")}},
		"tls":         {&catalog.Auth{TLS: tls}, ofTLS},
		"server name": {&catalog.Auth{TLS: &catalog.TLSAuth{ServerName: "a"}}, nil},
	} {
		source := catalog.Source{Auth: c.auth}
		if diff := cmp.Diff(c.want, source.SecretRefs()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestLoad_ReportsWhatACheckFindsAtItsLine(t *testing.T) {
	t.Parallel()
	files := withSource(t, docSource(t, catalog.SourceHTTPJSON))
	missing := func(d *catalog.Dataset, s *catalog.Source) []catalog.SourceFault {
		var faults []catalog.SourceFault
		for _, named := range s.SecretRefs() {
			if named.Ref != "shared-government-ca" {
				faults = append(faults, catalog.SourceFault{At: named.At, Code: "unknown-secret", Reason: "100% 没有 " + d.Department + " 的密钥 " + string(named.Ref)})
			}
		}
		return faults
	}
	elsewhere := func(*catalog.Dataset, *catalog.Source) []catalog.SourceFault {
		return []catalog.SourceFault{{At: []any{"maintenance", 0, "nowhere"}, Code: "b", Reason: "乙"}, {Code: "a", Reason: "甲"}}
	}
	_, err := catalog.Load(files, missing, elsewhere)
	want := catalog.Faults{
		{File: mz, Line: lineOf(t, files, mz, "code: MZ.D-MZ01.query"), Code: "a", Reason: "甲"},
		{File: mz, Line: lineOf(t, files, mz, "secret: mz-app-secret"), Code: "unknown-secret", Reason: "100% 没有 MZ 的密钥 mz-app-secret"},
		{File: mz, Line: lineOf(t, files, mz, "tls:"), Code: "unknown-secret", Reason: "100% 没有 MZ 的密钥 mz-client-certificate"},
		{File: mz, Line: lineOf(t, files, mz, "tls:"), Code: "unknown-secret", Reason: "100% 没有 MZ 的密钥 mz-client-key"},
		{File: mz, Line: lineOf(t, files, mz, "days: [7]"), Code: "b", Reason: "乙"},
	}
	if diff := cmp.Diff(error(want), err); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLoad_ACheckWithoutFindingsChangesNothing(t *testing.T) {
	t.Parallel()
	var seen []string
	r, err := catalog.Load(good(t), func(d *catalog.Dataset, s *catalog.Source) []catalog.SourceFault {
		seen = append(seen, d.Department+" "+s.Code)
		return nil
	})
	if err != nil || r.Digest != load(t, good(t)).Digest {
		t.Errorf("the catalog is another one: %v", err)
	}
	want := []string{"GA GA.D-GA01.elicense", "GA GA.D-GA01.query", "SC SC.D-SC01.elicense", "SC SC.D-SC01.query", "SC SC.D-SC02.query"}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("sources looked at (-want +got):\n%s", diff)
	}
}

func TestSourceFor_AsksTheLicencePlatformOnlyByElicense(t *testing.T) {
	t.Parallel()
	r := load(t, good(t))
	for _, c := range []struct {
		dataset string
		mode    catalog.Mode
		want    string
	}{
		{"D-GA01", catalog.ModeElicense, "GA.D-GA01.elicense"},
		{"D-GA01", catalog.ModeData, "GA.D-GA01.query"},
		{"D-SC02", catalog.ModeElicense, ""},
		{"D-SC09", catalog.ModeData, ""},
	} {
		got := ""
		if source := r.SourceFor(c.dataset, c.mode); source != nil {
			got = source.Code
		}
		if got != c.want {
			t.Errorf("SourceFor(%s, %s) = %q, want %q", c.dataset, c.mode, got, c.want)
		}
	}
	desk := load(t, withSource(t, docSource(t, catalog.SourceAssist)))
	if source := desk.SourceFor("D-MZ01", catalog.ModeData); source == nil || source.Days != 3 {
		t.Errorf("the mode data asks no officer: %+v", source)
	}
}

// Settings that look like a fault and are none.
func TestLoad_AllowsSourcesThatDiffer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		kind     catalog.SourceKind
		old, now string
	}{
		{"an address of a department's own", catalog.SourceHTTPJSON, "address: https://share.example.gov.cn:8443/gateway\n", ""},
		{"a network without an address", catalog.SourceElicense, "timeout_millis: 4000", "network: private"},
		{"a private network that reaches a public address", catalog.SourceSQLView, "10.20.0.8:5432", "8.8.8.8"},
		{"a private IPv6 address", catalog.SourceSQLView, "10.20.0.8:5432", "[fd12::1]:5432"},
		{"a host name that begins like an address", catalog.SourceXRoad, "security-server.example", "10.20.0.8.example"},
		{"a host name with one label", catalog.SourceXRoad, "security-server.example.gov.cn", "gateway"},
		{"another database", catalog.SourceSQLView, "postgres://10.20.0.8:5432", "mysql://db.example.gov.cn:3306"},
		{"a path that ends in a slash", catalog.SourceElicense, "path: /elicense", "path: /elicense/证照/"},
		{"the plain shape over X-Road, without a path", catalog.SourceXRoad, "path: /marriages\n", ""},
		{"a look-up by name alone", catalog.SourceHTTPJSON, `, zjhm: "${number}"`, ""},
		{"a dollar sign in a text", catalog.SourceHTTPJSON, `lx: "${kind}"`, `lx: "$1 $${kind}"`},
		{"the whole answer as the records", catalog.SourceHTTPJSON, "records: /data/list", `records: ""`},
		{"an escaped pointer", catalog.SourceHTTPJSON, "records: /data/list", "records: /data~1list/~0"},
		{"a status that is empty", catalog.SourceHTTPJSON, `not_found: ["1001"]`, `not_found: ["1001", ""]`},
		{"a layout in words", catalog.SourceHTTPJSON, "YYYYMMDD", "YYYY年MM月DD日"},
		{"a credential in the header that is for it", catalog.SourceXRoad, "  tls: {cert", "  header: {name: Authorization, secret: mz-key}\n  tls: {cert"},
		{"a heading with brackets", catalog.SourceSnapshot, "证书编号", "证书编号（新）"},
		{"a probe that is an organisation", catalog.SourceHTTPJSON, `{kind: person, name: 测试甲, number: "370199198805163323"}`, "{kind: organization, name: 测试公司, number: 91370102MA9X00011G}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			source := docSource(t, c.kind)
			if strings.Count(source, c.old) != 1 {
				t.Fatalf("the source does not hold %q once", c.old)
			}
			load(t, withSource(t, strings.Replace(source, c.old, c.now, 1)))
		})
	}
}

func TestLoad_AllowsAWaitBetweenALookupAndTheRest(t *testing.T) {
	t.Parallel()
	files := good(t)
	edit(t, files, s01, "[{mode: data}, {mode: history, months: 24}, {mode: cancel}]",
		"[{mode: data}, {mode: wait, minutes: 4320, when: willing}, {mode: history, months: 24}, {mode: wait, minutes: 1}, {mode: upload}]")
	chain := load(t, files).Material("S01.M2.b").Chain
	if chain[1].Mode != catalog.ModeWait || chain[1].Minutes != 4320 || chain[3].Minutes != 1 {
		t.Errorf("chain = %+v", chain)
	}
}
