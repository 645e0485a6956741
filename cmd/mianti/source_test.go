package main

import (
	"bytes"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mianti/connectors/guard"
	"mianti/connectors/standin"
	"mianti/store"
)

// The test subject of the catalog that is tried, out of the population that
// comes with the program; and another person.
const (
	probeName, probeNumber = "王建国", "370199198805163315"
	otherName, otherNumber = "赵晓敏", "370199199007221247"
)

// triedCatalog has a source of each kind that can be tried, and sources that
// are wrong in one thing each.
const triedCatalog = `format: mianti-catalog/1
kind: department
department: {code: CC, name: 示例局, credit_code: 11370100MB901074XC}
datasets:
  - code: D-CC01
    name: 示例身份证
    resource_code: 3070153701003/000001
    sharing: conditional
    terms: 依法履职
    update: realtime
    sensitivity: 3
    certificate: {type_code: 11100000000013127D001}
    asked_by: [person]
    valid_until: valid_to
    fields:
      - {code: name, name: 姓名, type: string}
      - {code: citizen_id, name: 公民身份号码, type: string}
      - {code: valid_to, name: 有效期止, type: date}
    sources:
      - {code: CC.query, kind: httpjson, path: /query/D-CC01, limits: {per_second: 500, burst: 8}, PROBE}
      - {code: CC.noprobe, kind: httpjson, path: /query/D-CC01}
      - {code: CC.elicense, kind: elicense, path: /elicense, PROBE}
      - {code: CC.desk, kind: assist, days: 3}
      - code: CC.rest
        kind: httpjson
        path: /rest/D-CC01
        PROBE
        http:
          form: true
          body: {xm: "${name}", sfzh: "${number}", lx: "${kind}", reason: "${purpose}", trace: "${id}"}
          kinds: {person: "1"}
          answer: REST, fields: {name: /content/name, citizen_id: /content/citizen_id, valid_to: /content/valid_to}, values: {valid_to: {date: YYYYMMDD}}}
      - code: CC.pointer
        kind: httpjson
        path: /rest/D-CC01
        PROBE
        http:
          form: true
          body: {xm: "${name}", sfzh: "${number}", lx: "${kind}", reason: "${purpose}", trace: "${id}"}
          kinds: {person: "1"}
          answer: REST, fields: {name: /content/nome, citizen_id: /content/citizen_id, valid_to: /content/name}, values: {valid_to: {date: YYYYMMDD}}}
      - {code: CC.hmac, kind: httpjson, path: /signed/hmac/D-CC01, auth: {hmac: {key: stand-in-key, secret: cc-app-secret, algorithm: sha256, sign: "SIGN"}}, PROBE}
      - {code: CC.refused, kind: httpjson, path: /signed/header/D-CC01, auth: {header: {name: X-App-Key, secret: cc-old-secret}}, PROBE}
      - {code: CC.secretless, kind: httpjson, path: /signed/header/D-CC01, auth: {header: {name: X-App-Key, secret: cc-no-secret}}, PROBE}
      - {code: CC.dead, kind: httpjson, path: /query/D-CC01, address: "http://127.0.0.1:1", network: local, PROBE}
      - code: CC.file
        kind: snapshot
        fresh_hours: 36
        PROBE
        snapshot: {subject_kind: person, subject_name: 主体名称, subject_number: 主体号码}
`

// restAnswer describes the stand-in's other JSON shape, but for its fields.
const restAnswer = `{code: /status, ok: ["200"], not_found: ["404"], refused: ["403"], busy: ["429"], records: /result,
            reference: /trace, subject_name: /who/xm, subject_number: /who/sfzh, as_of: /updated, record: /content`

// tried is a stand-in department, its catalog and the secrets for it.
type tried struct {
	dir     string
	standIn *standin.Server
	url     string
}

func newTried(t *testing.T) *tried {
	t.Helper()
	dir := t.TempDir()
	text := strings.NewReplacer(
		"PROBE", `probe: {kind: person, name: `+probeName+`, number: "`+probeNumber+`"}`,
		"REST", restAnswer, "SIGN", strings.ReplaceAll(standin.DemoSign, "\n", `\n`),
	).Replace(triedCatalog)
	for name, content := range map[string]string{
		"catalog/catalog.yaml":        "format: mianti-catalog/1\nkind: catalog\ntitle: 试用\nversion: \"1\"\n",
		"catalog/departments/CC.yaml": text,
		"secrets/cc-app-secret":       standin.DemoSecret + "\n",
		"secrets/cc-old-secret":       "an-older-one\n",
		"key":                         strings.Repeat("k", 32),
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	standIn, err := newStandIns(os.DirFS(filepath.Join(dir, "catalog")), 1, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	listener := httptest.NewServer(standIn)
	t.Cleanup(listener.Close)
	return &tried{dir: dir, standIn: standIn, url: listener.URL + "/{department}"}
}

// run runs a command of mianti source that asks, and gives its status and all
// that it printed.
func (x *tried) run(t *testing.T, args ...string) (int, string) {
	t.Helper()
	args = append([]string{"source"}, args...)
	return runs(t, append(args, "--catalog="+filepath.Join(x.dir, "catalog"), "--sources-url="+x.url,
		"--secrets-dir="+filepath.Join(x.dir, "secrets"), "--subject-key-file="+filepath.Join(x.dir, "key"), "--database="+x.database())...)
}

func (x *tried) database() string { return "sqlite:" + filepath.Join(x.dir, "tried.db") }

func runs(t *testing.T, args ...string) (int, string) {
	t.Helper()
	var out, errs bytes.Buffer
	status := run(t.Context(), args, &out, &errs)
	return status, out.String() + errs.String()
}

// wantSaid holds what was printed against what it must say, and against the
// identities that it must not.
func wantSaid(t *testing.T, text string, says ...string) {
	t.Helper()
	for _, words := range says {
		if !strings.Contains(text, words) {
			t.Errorf("does not say %q:\n%s", words, text)
		}
	}
	for _, identity := range []string{probeName, probeNumber, otherName, otherNumber} {
		if strings.Contains(text, identity) {
			t.Errorf("names somebody:\n%s", text)
		}
	}
}

func TestSourceTry_ShowsWhatCameOfOneQuestion(t *testing.T) {
	t.Parallel()
	x := newTried(t)
	for _, c := range []struct {
		name   string
		args   []string
		status int
		says   []string
	}{
		{"plain", []string{"CC.query"}, 0, []string{"POST /query/D-CC01", "王*", "3701**********3315", "/record/姓名", "found", "查到 1 条记录", "HTTP 状态 200"}},
		{"another shape", []string{"CC.rest"}, 0, []string{"POST /rest/D-CC01", "/content/valid_to", "查到 1 条记录"}},
		{"licences", []string{"CC.elicense"}, 0, []string{"有效期止", "found", "查到 1 条记录"}},
		{"signed", []string{"CC.hmac"}, 0, []string{"cc-app-secret", "查到 1 条记录"}},
		{"one field", []string{"CC.query", "--field=valid_to"}, 0, []string{"/record/有效期止"}},
		{"somebody else", []string{"CC.query", "--name=" + otherName, "--number=" + otherNumber}, 0, []string{"赵*", "查到 1 条记录"}},
		{"nobody", []string{"CC.query", "--name=查无此人", "--number=370199199503211718"}, 0, []string{"查无记录"}},
		{"an unknown source", []string{"CC.nowhere"}, 1, []string{"CC.nowhere", "mianti source list"}},
		{"no test subject", []string{"CC.noprobe"}, 1, []string{"没有探测对象", "probe: {kind: person"}},
		{"a desk", []string{"CC.desk"}, 1, []string{"部门人员"}},
		{"an unknown field", []string{"CC.query", "--field=nome"}, 1, []string{"nome"}},
		{"wrong places", []string{"CC.pointer"}, 1, []string{"/content/nome", "absent", "有效期止（valid_to）", "wrong type", "malformed", "http.answer"}},
		{"no secret", []string{"CC.secretless"}, 1, []string{"misset", "cc-no-secret", "MIANTI_SECRETS_DIR", "MIANTI_SECRET_CC_NO_SECRET"}},
		{"an old secret", []string{"CC.refused"}, 1, []string{"refused", "申请权限"}},
		{"a dead address", []string{"CC.dead"}, 1, []string{"down", "核对地址和端口"}},
		{"an address outside its network", []string{"CC.query", "--sources-network=public"}, 1, []string{"misset", "network"}},
		{"a wrong check digit", []string{"CC.query", "--name=" + otherName, "--number=370199199007221248"}, 1, []string{"校验位"}},
		{"a name without a number", []string{"CC.query", "--name=" + otherName}, 1, []string{"一起给出"}},
		{"values of a person", []string{"CC.query", "--name=" + otherName, "--number=" + otherNumber, "--show-values"}, 1, []string{"探测对象"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			status, text := x.run(t, append([]string{"try"}, c.args...)...)
			if status != c.status {
				t.Errorf("status %d, want %d\n%s", status, c.status, text)
			}
			wantSaid(t, text, c.says...)
			for _, secret := range []string{standin.DemoSecret, "an-older-one"} {
				if strings.Contains(text, secret) {
					t.Errorf("tells a secret:\n%s", text)
				}
			}
		})
	}
}

func TestSourceTry_AsksNothingWhenTheNumberCannotBe(t *testing.T) {
	t.Parallel()
	x := newTried(t)
	if status, _ := x.run(t, "try", "CC.query", "--name="+otherName, "--number=370199199007221248"); status != 1 {
		t.Errorf("status %d", status)
	}
	if asked := x.standIn.Counts()["D-CC01"]; asked != 0 {
		t.Errorf("the department was asked %d times", asked)
	}
}

func TestSourceTry_ShowsTheValuesOfTheTestSubjectOnRequest(t *testing.T) {
	t.Parallel()
	x := newTried(t)
	status, text := x.run(t, "try", "CC.query", "--show-values")
	if status != 0 || !strings.Contains(text, "注意") || !strings.Contains(text, probeNumber) {
		t.Errorf("status %d\n%s", status, text)
	}
}

func TestSourceTry_SaysWhatEachFaultMeans(t *testing.T) {
	t.Parallel()
	for fault, says := range map[standin.Fault][]string{
		standin.FaultWrongPerson: {"wrong_subject", "停止接入", "不是所查的当事人"},
		standin.FaultMalformed:   {"malformed"},
		standin.FaultLimited:     {"busy", "limits"},
		standin.FaultBroken:      {"down"},
		standin.FaultHTML:        {"malformed"},
	} {
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			x := newTried(t)
			if err := x.standIn.SetRules(standin.Rule{Fault: fault}); err != nil {
				t.Fatal(err)
			}
			status, text := x.run(t, "try", "CC.query")
			if status != 1 {
				t.Errorf("status %d, want 1", status)
			}
			wantSaid(t, text, append(says, "怎么办")...)
		})
	}
}

func TestSourceCheck_PassesAGoodSource(t *testing.T) {
	t.Parallel()
	x := newTried(t)
	for _, source := range []string{"CC.query", "CC.rest", "CC.elicense", "CC.hmac"} {
		t.Run(source, func(t *testing.T) {
			t.Parallel()
			status, text := x.run(t, "check", source)
			if status != 0 || strings.Contains(text, "FAILED") {
				t.Errorf("status %d", status)
			}
			wantSaid(t, text, "共 11 项", "没有通过 0", "ok              不可能的号码查无记录", "ok              姓名不符的不当作本人", "同时问了 8 个")
		})
	}
}

func TestSourceCheck_NamesWhatFails(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, source string
		rule         standin.Rule
		says         []string
	}{
		{"no record of the test subject", "CC.query", standin.Rule{Fault: standin.FaultNotFound}, []string{"FAILED          探测对象查得到", "not applicable  每个字段的类型都对"}},
		{"another name", "CC.query", standin.Rule{Fault: standin.FaultMismatch}, []string{"FAILED          探测对象查得到"}},
		{"somebody else", "CC.query", standin.Rule{Fault: standin.FaultWrongPerson}, []string{"FAILED          探测对象查得到", "wrong_subject"}},
		{"slow", "CC.query", standin.Rule{Fault: standin.FaultSlow, Delay: 600 * time.Millisecond, Subject: probeNumber}, []string{"FAILED          答复够快"}},
		{"a wrong place", "CC.pointer", standin.Rule{}, []string{"FAILED          探测对象查得到", "valid_to"}},
		{"no secret", "CC.secretless", standin.Rule{}, []string{"FAILED          密钥齐全", "cc-no-secret", "not applicable  不可能的号码查无记录：密钥不全"}},
		{"an old secret", "CC.refused", standin.Rule{}, []string{"ok              密钥齐全", "refused"}},
		{"a dead address", "CC.dead", standin.Rule{}, []string{"FAILED", "down"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x := newTried(t)
			if c.rule.Fault != "" {
				if err := x.standIn.SetRules(c.rule); err != nil {
					t.Fatal(err)
				}
			}
			status, text := x.run(t, "check", c.source, "--source-deadline=1s")
			if status != 1 {
				t.Errorf("status %d, want 1", status)
			}
			wantSaid(t, text, append(c.says, "没有通过")...)
		})
	}
	x := newTried(t)
	status, text := x.run(t, "check", "CC.noprobe")
	if status != 1 {
		t.Errorf("status %d, want 1", status)
	}
	wantSaid(t, text, "probe: {kind: person")
}

func TestSourceList_ListsEverySource(t *testing.T) {
	t.Parallel()
	x := newTried(t)
	status, text := runs(t, "source", "list", "--catalog="+filepath.Join(x.dir, "catalog"), "--sources-url="+x.url)
	if status != 0 {
		t.Errorf("status %d", status)
	}
	wantSaid(t, text, "CC.query", "CC.file", "示例身份证", "MIANTI_SOURCES_URL /rest/D-CC01", "http://127.0.0.1:1/query/D-CC01", "local", "每秒500次，突发8次", "共 11 个数源")
}

func TestSourceCalls_ShowsTheLastFirst(t *testing.T) {
	t.Parallel()
	x := newTried(t)
	db := x.migrated(t)
	at := time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC)
	after := func(ms int) time.Time { return at.Add(time.Duration(ms) * time.Millisecond) }
	if err := db.RecordCalls(t.Context(), []guard.Call{
		{Source: "CC.query", In: at, Out: after(3), Back: after(45), Done: after(46), Bytes: 481, Records: 1, Result: guard.ResultOK, Attempt: 1, Attempts: 2},
		{Source: "CC.query", In: after(1000), Done: after(1007), Result: "paused", Probe: true},
	}); err != nil {
		t.Fatal(err)
	}
	status, text := runs(t, "source", "calls", "CC.query", "--database="+x.database())
	if status != 0 {
		t.Errorf("status %d", status)
	}
	// China's time is eight hours ahead.
	wantSaid(t, text, "2026-11-23 09:00:00.000  3", "42", "481", "1/2", "没有调用", "探测")
	if first, last := strings.Index(text, "09:00:01.000"), strings.Index(text, "09:00:00.000"); first < 0 || first > last {
		t.Errorf("the newest is not the first:\n%s", text)
	}
	_, none := runs(t, "source", "calls", "CC.rest", "--database="+x.database())
	wantSaid(t, none, "没有对数源 CC.rest 的调用记录")
	if status, _ := runs(t, "source", "calls", "CC.rest", "--limit=0", "--database="+x.database()); status != 1 {
		t.Error("a limit of 0 is taken")
	}
}

func (x *tried) migrated(t *testing.T) *store.Store {
	t.Helper()
	if err := store.Migrate(t.Context(), x.database()); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), store.Config{URL: x.database(), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}
