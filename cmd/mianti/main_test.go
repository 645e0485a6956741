package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"mianti/internal/pgtest"
	"mianti/store"
)

// asProgram, in the environment, makes the tests' binary the program itself: a test
// that needs a process to kill starts it, and need not build it first.
const asProgram = "TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(pgtest.Main(m, store.Migrate))
}

// TestRun_SaysWhatToDo runs command lines that go wrong.
func TestRun_SaysWhatToDo(t *testing.T) {
	t.Parallel()
	empty := "--database=sqlite:" + t.TempDir() + "/none.db"
	for _, test := range []struct {
		name   string
		args   []string
		status int
		says   []string
	}{
		{"no command", nil, 2, []string{"demo", "serve"}},
		{"an unknown command", []string{"serv"}, 2, []string{"serv"}},
		{"an unknown flag", []string{"serve", "--prot=1"}, 2, []string{"prot"}},
		{"a database that is not there", []string{"serve", empty}, 1, []string{"mianti migrate"}},
		{"stand-ins for the whole world", []string{"simulate", "--listen=0.0.0.0:0"}, 1, []string{"loopback"}},
		{"a source address that is none", []string{"serve", "--sources-url=nowhere", "--database=sqlite:x.db"}, 1, []string{"MIANTI_SOURCES_URL"}},
		{"a client id with a blank", []string{"system", "add", "a b", "--department=SPJ", "--name=x", empty}, 1, []string{"letters, digits"}},
		{"an exchange without http", []string{"resolve", "main.go", "--client=a", "--secret=b", "--url=127.0.0.1:1"}, 1, []string{"main.go"}},
		{"resolve without a system", []string{"resolve", "main.go"}, 1, []string{"MIANTI_CLIENT_ID"}},
		{"a file that is no case", []string{"resolve", "main.go", "--client=a", "--secret=b"}, 1, []string{"main.go"}},
		{"a folder that is no catalog", []string{"catalog", "lint", "."}, 1, []string{"catalog.yaml", "处错误"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var out, errs bytes.Buffer
			if got := run(t.Context(), test.args, &out, &errs); got != test.status {
				t.Errorf("status %d, want %d", got, test.status)
			}
			for _, words := range test.says {
				if !strings.Contains(out.String()+errs.String(), words) {
					t.Errorf("does not say %q:\n%s%s", words, out.String(), errs.String())
				}
			}
		})
	}
}

// TestList_OfNothingSaysWhatToDo runs the lists of an empty database: a heading
// alone does not say whether something is wrong.
func TestList_OfNothingSaysWhatToDo(t *testing.T) {
	t.Parallel()
	database := "--database=sqlite:" + t.TempDir() + "/empty.db"
	mianti(t, 0, "migrate", database)
	for list, says := range map[string]string{
		"system": "mianti system add", "person": "mianti person assign", "grant": "没有这样的共享授权", "stop": "没有停用的对象", "alarm": "没有告警",
	} {
		if out := mianti(t, 0, list, "list", database); !strings.Contains(out, says) {
			t.Errorf("%s list says %q, want %q", list, out, says)
		}
	}
}

// TestQuota_IsSetForWhatThereIsAlone: for a slip of the pen, nothing would be
// limited and nobody told.
func TestQuota_IsSetForWhatThereIsAlone(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/quota.db"
	if _, err := fillDemo(t.Context(), "sqlite:"+path, newSecret()); err != nil {
		t.Fatal(err)
	}
	for meter, want := range map[string]int{
		"system demo-SPJ": 0, "grant catalog:S01.M1:D-GA01": 0, "matter S01.M1": 0,
		"system demo-XX": 1, "grant nope": 1, "matter S01": 1, "person 370199198805163315": 1,
	} {
		args := append([]string{"quota", "set"}, strings.Fields(meter)...)
		mianti(t, want, append(args, "--calls-per-hour=1", "--calls-per-day=1", "--subjects-per-hour=1", "--subjects-per-day=1",
			"--reason=试用", "--database=sqlite:"+path)...)
	}
}
