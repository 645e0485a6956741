package catalog_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
)

// sourcePlant is one fault in a source that docs/catalog-format.md shows: the
// one place that reads old replaced by now.
type sourcePlant struct {
	name     string
	kind     catalog.SourceKind
	old, now string
	at       string // a text on the line that is reported; by default now
	code     string
}

const (
	httpjson = catalog.SourceHTTPJSON
	elicense = catalog.SourceElicense
	sqlview  = catalog.SourceSQLView
	snapshot = catalog.SourceSnapshot
	xroad    = catalog.SourceXRoad
	assist   = catalog.SourceAssist

	gateway = "https://share.example.gov.cn:8443/gateway"
	server  = "postgres://10.20.0.8:5432/share"
)

// settingPlants are faults of the settings that all kinds share.
var settingPlants = []sourcePlant{
	{name: "unknown kind", kind: httpjson, old: "kind: httpjson", now: "kind: soap", code: "wrong-value"},
	{name: "unknown key", kind: httpjson, old: "timeout_millis: 3000", now: "timeout: 3000", code: "unknown-key"},
	{name: "unknown key in auth", kind: httpjson, old: "key: mianti", now: "key: mianti\n    salt: x", at: "salt: x", code: "unknown-key"},
	{name: "unknown key in limits", kind: httpjson, old: "concurrent: 8", now: "parallel: 8", code: "unknown-key"},
	{name: "unknown key in an answer", kind: httpjson, old: "as_of: /gxsj", now: "asof: /gxsj", code: "unknown-key"},
	{name: "unknown key in a view", kind: sqlview, old: "connections: 4", now: "pool: 4", code: "unknown-key"},
	{name: "unknown key in a snapshot", kind: snapshot, old: "max_rows: 200000", now: "rows: 200000", code: "unknown-key"},
	{name: "timeout beyond all patience", kind: httpjson, old: "timeout_millis: 3000", now: "timeout_millis: 120001", code: "wrong-value"},
	{name: "half a millisecond", kind: httpjson, old: "timeout_millis: 3000", now: "timeout_millis: 0.5", code: "wrong-value"},
	{name: "six attempts", kind: httpjson, old: "attempts: 2", now: "attempts: 6", code: "wrong-value"},
	{name: "no calls at all", kind: httpjson, old: "per_second: 20", now: "per_second: 0", code: "wrong-value"},
	{name: "time that the clock does not show", kind: httpjson, old: `"23:00"`, now: `"24:00"`, code: "wrong-value"},
	{name: "eighth day of the week", kind: httpjson, old: "days: [7]", now: "days: [8]", code: "wrong-value"},
	{name: "officer with too many days", kind: assist, old: "days: 3", now: "days: 61", code: "wrong-value"},
	{name: "no path", kind: elicense, old: "path: /elicense\n", at: "code: MZ.D-MZ01.elicense", code: "setting-missing"},
	{name: "no age", kind: snapshot, old: "fresh_hours: 36\n", at: "code: MZ.D-MZ01.file", code: "setting-missing"},
	{name: "no address of a database", kind: sqlview, old: "address: " + server + "\n", at: "code: MZ.D-MZ01.view", code: "setting-missing"},
	{name: "view of a JSON interface", kind: httpjson, old: "timeout_millis: 3000", now: "view: {name: v, subject_name: a, subject_number: b}", code: "setting-unexpected"},
	{name: "http of a licence platform", kind: elicense, old: "timeout_millis: 4000", now: "http: {body: {a: \"${number}\"}, answer: {records: \"\", subject_name: /m, subject_number: /n}}", code: "setting-unexpected"},
	{name: "path of a database", kind: sqlview, old: "network: private", now: "network: private\npath: /v", at: "path: /v", code: "setting-unexpected"},
	{name: "address of a file", kind: snapshot, old: "fresh_hours: 36", now: "fresh_hours: 36\naddress: https://a.example.gov.cn", at: "address: https", code: "setting-unexpected"},
	{name: "auth of a person", kind: assist, old: "days: 3", now: "days: 3\nauth: {header: {name: X-Key, secret: mz-key}}", at: "auth:", code: "setting-unexpected"},
	{name: "limits of a person", kind: assist, old: "days: 3", now: "days: 3\nlimits: {attempts: 1}", at: "limits:", code: "setting-unexpected"},
	{name: "probe of a person", kind: assist, old: "days: 3", now: "days: 3\nprobe: {kind: person, name: 测试甲, number: \"370199198805163323\"}", at: "probe:", code: "setting-unexpected"},
	{name: "days of a machine", kind: elicense, old: "timeout_millis: 4000", now: "days: 2", code: "setting-unexpected"},
	{name: "burst alone", kind: httpjson, old: "per_second: 20, burst: 5", now: "burst: 5", code: "burst-without-rate"},
	{name: "hedge after the end", kind: httpjson, old: "hedge_millis: 800", now: "hedge_millis: 3000", code: "hedge-beyond-timeout"},
	{name: "hedge where one call is all", kind: httpjson, old: "attempts: 2", now: "attempts: 1", code: "hedge-with-one-attempt"},
	{name: "maintenance without end", kind: httpjson, old: `to: "02:00"`, now: `to: "23:00"`, code: "empty-window"},
	{name: "probe of a kind that cannot be asked", kind: httpjson, old: "probe: {kind: person", now: "probe: {kind: vehicle", code: "subject-kind"},
	{name: "probe with a wrong check digit", kind: httpjson, old: "370199198805163323", now: "370199198805163324", code: "probe-number"},
	{name: "probe of an organisation by a person's number", kind: httpjson, old: "probe: {kind: person", now: "probe: {kind: organization", code: "probe-number"},
}

// addressPlants are faults of where a source is.
var addressPlants = []sourcePlant{
	{name: "no address", kind: httpjson, old: gateway, now: "share.example.gov.cn", code: "bad-address"},
	{name: "another protocol", kind: httpjson, old: gateway, now: "ftp://share.example.gov.cn", code: "bad-address"},
	{name: "database of a JSON interface", kind: httpjson, old: gateway, now: "postgres://share.example.gov.cn/share", code: "bad-address"},
	{name: "JSON interface of a database", kind: sqlview, old: server, now: "http://10.20.0.8:5432/share", code: "bad-address"},
	{name: "database without a name", kind: sqlview, old: server, now: "postgres://10.20.0.8:5432", code: "bad-address"},
	{name: "two hosts of a database", kind: sqlview, old: server, now: "postgres://10.20.0.8:5432,10.20.0.9:5432/share", code: "bad-host"},
	{name: "options of a database", kind: sqlview, old: server, now: "postgres://10.20.0.8:5432/share?host=10.20.0.9", code: "bad-address"},
	{name: "password in an address", kind: httpjson, old: gateway, now: "https://mianti:geheim@share.example.gov.cn", code: "bad-address"},
	{name: "query in an address", kind: httpjson, old: gateway, now: gateway + "?a=1", code: "bad-address"},
	{name: "fragment in an address", kind: httpjson, old: gateway, now: "\"" + gateway + "#a\"", code: "bad-address"},
	{name: "port out of range", kind: httpjson, old: "8443", now: "65536", code: "bad-address"},
	{name: "empty port", kind: httpjson, old: ":8443/", now: ":/", at: "gov.cn:/gateway", code: "bad-address"},
	{name: "slash at the end", kind: httpjson, old: gateway, now: gateway + "/", code: "bad-address"},
	{name: "way up in an address", kind: httpjson, old: gateway, now: gateway + "/../a", code: "bad-address"},
	{name: "private address in public", kind: httpjson, old: gateway, now: "https://10.1.2.3", code: "address-outside-network"},
	{name: "shared address in public", kind: httpjson, old: gateway, now: "https://100.64.0.1", code: "address-outside-network"},
	{name: "private IPv6 address in public", kind: httpjson, old: gateway, now: "\"https://[fd12::1]:8443\"", code: "address-outside-network"},
	{name: "this machine in public", kind: httpjson, old: gateway, now: "https://127.0.0.1", code: "address-outside-network"},
	{name: "this machine by IPv6", kind: httpjson, old: gateway, now: "\"https://[::1]:443\"", code: "address-outside-network"},
	{name: "this machine by name", kind: httpjson, old: gateway, now: "https://localhost:8443", code: "address-outside-network"},
	{name: "this machine by another name", kind: httpjson, old: gateway, now: "https://a.LOCALHOST.:8443", code: "address-outside-network"},
	{name: "this machine in private", kind: sqlview, old: "10.20.0.8", now: "127.0.0.1", code: "address-outside-network"},
	{name: "other machine in local", kind: sqlview, old: "network: private", now: "network: local", at: "address: postgres", code: "address-outside-network"},
	{name: "metadata of a cloud", kind: sqlview, old: "10.20.0.8", now: "169.254.169.254", code: "address-outside-network"},
	{name: "metadata of a cloud in a private range", kind: sqlview, old: "10.20.0.8", now: "100.100.100.200", code: "address-outside-network"},
	{name: "no address at all", kind: sqlview, old: "10.20.0.8", now: "0.0.0.0", code: "address-outside-network"},
	{name: "many addresses", kind: sqlview, old: "10.20.0.8", now: "239.1.2.3", code: "address-outside-network"},
	{name: "decimal address", kind: httpjson, old: gateway, now: "https://2130706433", code: "bad-host"},
	{name: "hexadecimal address", kind: httpjson, old: gateway, now: "https://0x7f.1", code: "bad-host"},
	{name: "octal address", kind: httpjson, old: gateway, now: "https://0177.0.0.1", code: "bad-host"},
	{name: "short address", kind: httpjson, old: gateway, now: "https://127.1", code: "bad-host"},
	{name: "address with a dot behind", kind: httpjson, old: gateway, now: "https://127.0.0.1.", code: "bad-host"},
	{name: "IPv4 as IPv6", kind: httpjson, old: gateway, now: "\"https://[::ffff:8.8.8.8]:443\"", code: "bad-host"},
	{name: "IPv6 of one link", kind: sqlview, old: "10.20.0.8:5432", now: "[fe80::1%25eth0]:5432", code: "bad-host"},
	{name: "host in full-width digits", kind: httpjson, old: gateway, now: "https://１２７.０.０.１", code: "bad-host"},
	{name: "public address in the clear", kind: httpjson, old: gateway, now: "http://8.8.8.8", at: "http://8.8.8.8", code: "address-unencrypted"},
	{name: "network that there is not", kind: sqlview, old: "network: private", now: "network: any", code: "wrong-value"},
	{name: "path from nowhere", kind: elicense, old: "path: /elicense", now: "path: elicense", code: "wrong-value"},
	{name: "path with a query", kind: elicense, old: "path: /elicense", now: "path: /elicense?a=1", code: "bad-path"},
	{name: "path with another host", kind: elicense, old: "path: /elicense", now: "path: //elicense", code: "bad-path"},
	{name: "path with a way up", kind: elicense, old: "path: /elicense", now: "path: /a/%2e%2e/b", code: "bad-path"},
	{name: "path with a hidden slash", kind: elicense, old: "path: /elicense", now: "path: /a%2Fb", code: "bad-path"},
	{name: "path with a variable", kind: elicense, old: "path: /elicense", now: "path: \"/query/${id}\"", code: "bad-path"},
	{name: "path with an identity", kind: httpjson, old: "path: /marriage/query", now: "path: \"/marriage/${number}\"", code: "identity-in-address"},
}

// authPlants are faults of how the exchange proves itself.
var authPlants = []sourcePlant{
	{name: "nothing of auth", kind: xroad, old: "  tls: {certificate: mz-xroad-certificate, key: mz-xroad-key, ca: mz-xroad-ca}", now: "  {}", at: "auth:", code: "wrong-value"},
	{name: "secret instead of a reference", kind: httpjson, old: "secret: mz-app-secret", now: "secret: Geheim123", code: "wrong-value"},
	{name: "secret of another department", kind: httpjson, old: "secret: mz-app-secret", now: "secret: ga-app-secret", code: "foreign-secret"},
	{name: "secret of a department with a longer code", kind: httpjson, old: "secret: mz-app-secret", now: "secret: mzj-app-secret", code: "foreign-secret"},
	{name: "certificate of another department", kind: xroad, old: "key: mz-xroad-key", now: "key: ga-xroad-key", code: "foreign-secret"},
	{name: "two methods", kind: httpjson, old: "  tls: {cert", now: "  header: {name: X-Key, secret: mz-key}\n  tls: {cert", at: "hmac:", code: "auth-twice"},
	{name: "login of a JSON interface", kind: xroad, old: "  tls: {cert", now: "  login: {user: a, secret: mz-key}\n  tls: {cert", at: "login:", code: "setting-unexpected"},
	{name: "database without a login", kind: sqlview, old: "login: {user: mianti_read, secret: mz-database-password}", now: "tls: {ca: mz-ca}", at: "auth:", code: "setting-missing"},
	{name: "header of a database", kind: sqlview, old: "  login:", now: "  header: {name: X-Key, secret: mz-key}\n  login:", at: "header:", code: "setting-unexpected"},
	{name: "certificate without a key", kind: xroad, old: "key: mz-xroad-key, ", now: "", at: "tls:", code: "certificate-without-key"},
	{name: "tls in the clear", kind: xroad, old: "address: https://security-server.example.gov.cn", now: "address: http://10.0.0.1\nnetwork: private", at: "tls:", code: "tls-without-https"},
	{name: "unknown algorithm", kind: httpjson, old: "algorithm: sm3", now: "algorithm: md5", code: "wrong-value"},
	{name: "signature over a variable that there is not", kind: httpjson, old: "${body_digest}", now: "${body}", code: "unknown-variable"},
	{name: "signature over an identity", kind: httpjson, old: "${body_digest}", now: "${number}", code: "unknown-variable"},
	{name: "signature that is not closed", kind: httpjson, old: "${body_digest}", now: "${body_digest", code: "bad-template"},
	{name: "signature in the host header", kind: httpjson, old: "algorithm: sm3", now: "algorithm: sm3\n    signature_header: host", at: "signature_header:", code: "reserved-header"},
	{name: "signature where the nonce is", kind: httpjson, old: "algorithm: sm3", now: "algorithm: sm3\n    signature_header: x-nonce", at: "signature_header:", code: "duplicate-header"},
	{name: "key where a header is", kind: httpjson, old: "headers: {X-Purpose:", now: "headers: {X-App-Key:", at: "hmac:", code: "duplicate-header"},
}

// callPlants are faults of what is asked of a JSON interface, and of what is
// read from its answer.
var callPlants = []sourcePlant{
	{name: "unknown method", kind: httpjson, old: "method: POST", now: "method: PUT", code: "wrong-value"},
	{name: "body with GET", kind: httpjson, old: "method: POST", now: "method: GET", code: "body-with-get"},
	{name: "name in a query", kind: httpjson, old: `version: "2"`, now: `version: "${name}"`, code: "identity-in-address"},
	{name: "number in a header", kind: httpjson, old: `"${purpose}"`, now: `"${number}"`, code: "identity-in-address"},
	{name: "variable that there is not", kind: httpjson, old: `"${kind}"`, now: `"${sort}"`, code: "unknown-variable"},
	{name: "variable that is not closed", kind: httpjson, old: `"${kind}"`, now: `"${kind"`, code: "bad-template"},
	{name: "variable without a name", kind: httpjson, old: `"${kind}"`, now: `"${}"`, code: "bad-template"},
	{name: "variable in a key", kind: httpjson, old: `lx: "${kind}"`, now: `"${kind}": "1"`, code: "bad-template"},
	{name: "header on two lines", kind: httpjson, old: `{X-Purpose: "${purpose}"}`, now: `{X-Purpose: "a\r\nX-B: c"}`, code: "bad-header"},
	{name: "header with a space", kind: httpjson, old: "{X-Purpose:", now: "{X Purpose:", code: "bad-header"},
	{name: "credential in a header", kind: httpjson, old: "{X-Purpose:", now: "{authorization:", code: "reserved-header"},
	{name: "header of the transport", kind: httpjson, old: "{X-Purpose:", now: "{Content-Length:", code: "reserved-header"},
	{name: "header twice", kind: httpjson, old: "{X-Purpose:", now: "{x-purpose: a, X-Purpose:", code: "duplicate-header"},
	{name: "name that nobody compares", kind: xroad, old: "path: /marriages", now: "http: {body: {n: \"${number}\"}, answer: {records: \"\", subject_number: /n}}", code: "name-not-compared"},
	{name: "nobody is asked about", kind: httpjson, old: `{xm: "${name}", zjhm: "${number}", `, now: `{`, at: "http:", code: "subject-not-asked"},
	{name: "kind that cannot be asked", kind: httpjson, old: `organization: "2"`, now: `vehicle: "2"`, code: "subject-kind"},
	{name: "form that is not flat", kind: httpjson, old: "  method: POST", now: "  method: POST\n  form: true", at: "applicant:", code: "bad-form"},
	{name: "page without paging", kind: httpjson, old: "  paging: {first: 1, size: 20, pages: 5}\n", at: "http:", code: "page-without-paging"},
	{name: "paging without page", kind: httpjson, old: "    page: \"${page}\"\n", at: "paging:", code: "paging-without-page"},
	{name: "hundred and one pages", kind: httpjson, old: "pages: 5", now: "pages: 101", code: "wrong-value"},
	{name: "unknown charset", kind: httpjson, old: "charset: utf-8", now: "charset: big5", code: "wrong-value"},
	{name: "answer without records", kind: httpjson, old: "    records: /data/list\n", at: "answer:", code: "missing-key"},
	{name: "answer without a subject", kind: httpjson, old: "    subject_number: /zjhm\n", at: "answer:", code: "missing-key"},
	{name: "place that is no pointer", kind: httpjson, old: "records: /data/list", now: "records: data.list", code: "wrong-value"},
	{name: "pointer with a wrong escape", kind: httpjson, old: "records: /data/list", now: "records: /data~2list", code: "bad-pointer"},
	{name: "pointer of a field with a wrong escape", kind: httpjson, old: "partners: /detail/xmlb", now: "partners: /detail~", code: "bad-pointer"},
	{name: "place of a field that there is not", kind: httpjson, old: "certificate_number: /detail/zsbh", now: "certificate_no: /detail/zsbh", code: "unknown-field"},
	{name: "values of a field that there is not", kind: httpjson, old: "state: {codes", now: "status: {codes", code: "unknown-field"},
	{name: "layout of a text", kind: httpjson, old: `state: {codes: {"1": 有效, "2": 注销}}`, now: "state: {date: YYYYMMDD}", code: "wrong-field-type"},
	{name: "layout without a day", kind: httpjson, old: "{date: YYYYMMDD}", now: "{date: YYYYMM}", code: "bad-layout"},
	{name: "layout with letters", kind: httpjson, old: "{date: YYYYMMDD}", now: "{date: YYYY-MM-DDTHH}", code: "bad-layout"},
	{name: "split of a text", kind: httpjson, old: `partners: {split:`, now: `state: {split:`, at: "state: {split:", code: "duplicate-key"},
	{name: "split of a number", kind: httpjson, old: `partners: {split:`, now: `copies: {split:`, code: "wrong-field-type"},
	{name: "codes of a number", kind: httpjson, old: `state: {codes:`, now: `copies: {codes:`, code: "wrong-field-type"},
	{name: "codes of a truth value", kind: httpjson, old: `state: {codes: {"1": 有效, "2": 注销}}`, now: `valid: {codes: {"1": "true", "2": 否}}`, code: "wrong-field-type"},
	{name: "status without success", kind: httpjson, old: "    ok: [\"0\"]\n", at: "code: /head/status", code: "status-without-ok"},
	{name: "status nowhere", kind: httpjson, old: "    code: /head/status\n    ok: [\"0\"]\n    not_found: [\"1001\"]\n    refused: [\"4001\", \"4003\"]\n", at: "busy:", code: "status-without-code"},
	{name: "status with two meanings", kind: httpjson, old: `busy: ["5003"]`, now: `busy: ["4003"]`, code: "status-twice"},
	{name: "status twice", kind: httpjson, old: `refused: ["4001", "4003"]`, now: `refused: ["4001", "4001"]`, code: "wrong-value"},
	{name: "status that is a number", kind: httpjson, old: `ok: ["0"]`, now: `ok: [0]`, code: "wrong-value"},
	{name: "refusal taken for nothing found", kind: httpjson, old: "[404]", now: "[403]", code: "wrong-status"},
	{name: "redirect taken for nothing found", kind: httpjson, old: "[404]", now: "[302]", code: "wrong-status"},
	{name: "failure taken for nothing found", kind: httpjson, old: "[404]", now: "[500]", code: "wrong-value"},
	{name: "values of nothing", kind: httpjson, old: "    revoked: /zt\n", at: "revoked_in:", code: "revoked-missing"},
	{name: "X-Road header of one's own", kind: xroad, old: "path: /marriages", now: "http: {headers: {X-Road-Client: a}, body: {n: \"${number}\"}, answer: {records: \"\", subject_name: /m, subject_number: /n}}", code: "reserved-header"},
	{name: "service without a member", kind: xroad, old: "CN-SD/GOV/370110/registry/marriage", now: "CN-SD/GOV/registry/marriage", code: "wrong-value"},
	{name: "service with a way up", kind: xroad, old: "CN-SD/GOV/370110/registry/marriage", now: "CN-SD/GOV/370110/../marriage", code: "bad-identifier"},
	{name: "client with an escape", kind: xroad, old: "CN-SD/GOV/370100/mianti", now: "CN-SD/GOV/370100/%2e", code: "bad-identifier"},
}

// tablePlants are faults of views and files.
var tablePlants = []sourcePlant{
	{name: "view that breaks out", kind: sqlview, old: "share.v_marriage", now: "v; drop table a", code: "bad-identifier"},
	{name: "view in quotes", kind: sqlview, old: "share.v_marriage", now: "'\"v\"'", code: "bad-identifier"},
	{name: "view in a database in a schema", kind: sqlview, old: "share.v_marriage", now: "a.b.c", code: "bad-identifier"},
	{name: "view in parentheses", kind: sqlview, old: "share.v_marriage", now: "（视图）", code: "bad-identifier"},
	{name: "column with a space", kind: sqlview, old: "subject_name: xm", now: "subject_name: x m", code: "bad-identifier"},
	{name: "column of a table", kind: sqlview, old: "revoked: is_void", now: "revoked: t.is_void", code: "bad-identifier"},
	{name: "column of a field with a comment", kind: sqlview, old: "certificate_number: zsbh", now: "certificate_number: zsbh--", code: "bad-identifier"},
	{name: "column of a field that there is not", kind: sqlview, old: "state: 状态", now: "status: 状态", code: "unknown-field"},
	{name: "view without the number", kind: sqlview, old: "  subject_number: zjhm\n", at: "view:", code: "missing-key"},
	{name: "file of vehicles", kind: snapshot, old: "subject_kind: person", now: "subject_kind: vehicle", code: "subject-kind"},
	{name: "heading on two lines", kind: snapshot, old: "证书编号", now: `"证书\n编号"`, code: "bad-column"},
	{name: "heading with a space before", kind: snapshot, old: "subject_name: 姓名", now: `subject_name: " 姓名"`, code: "bad-column"},
	{name: "heading of a field that there is not", kind: snapshot, old: "certificate_number: 证书编号", now: "number: 证书编号", code: "unknown-field"},
	{name: "file values of nothing", kind: snapshot, old: "  revoked: 状态\n", at: "revoked_in:", code: "revoked-missing"},
	{name: "file without end", kind: snapshot, old: "max_rows: 200000", now: "max_rows: 10000001", code: "wrong-value"},
}

func allSourcePlants() []sourcePlant {
	var all []sourcePlant
	for _, plants := range [][]sourcePlant{settingPlants, addressPlants, authPlants, callPlants, tablePlants} {
		all = append(all, plants...)
	}
	return all
}

func TestLoad_ReportsEachFaultOfASourceAtItsLine(t *testing.T) {
	t.Parallel()
	for _, p := range allSourcePlants() {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			files := withSource(t, p.planted(t))
			at := p.at
			if at == "" {
				at = p.now
			}
			var got []catalog.Fault
			faults := faultsOf(t, files)
			for _, f := range faults {
				if f.Reason == "" || strings.Contains(f.Reason, "%!") {
					t.Errorf("reason %q", f.Reason)
				}
				got = append(got, catalog.Fault{File: f.File, Line: f.Line, Code: f.Code})
			}
			want := []catalog.Fault{{File: mz, Line: lineOf(t, files, mz, at), Code: p.code}}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s\nfaults:\n%v", diff, faults)
			}
		})
	}
}

// planted gives the source with the fault in it.
func (p sourcePlant) planted(t *testing.T) string {
	source := docSource(t, p.kind)
	if n := strings.Count(source, p.old); n != 1 {
		t.Fatalf("the source holds %q %d times, want once", p.old, n)
	}
	return strings.Replace(source, p.old, p.now, 1)
}

func TestDocs_ListEveryFaultCodeOfASource(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/catalog-format.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range allSourcePlants() {
		if p.code != "duplicate-key" && !strings.Contains(string(page), "`"+p.code+"`") {
			t.Errorf("the page does not list %s", p.code)
		}
	}
}
