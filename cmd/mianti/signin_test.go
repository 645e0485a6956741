package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"mianti/identity"
	"mianti/ledger"
	"mianti/store"
)

// surfer is somebody's browser at the demonstration.
type surfer struct {
	t    *testing.T
	url  string
	http *http.Client
}

// signInAs goes the whole way over real HTTP: our link, the provider, the person
// there, and back.
func signInAs(t *testing.T, d *demo, kind, subject string) *surfer {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &surfer{t: t, url: d.url, http: &http.Client{Jar: jar, Timeout: 20 * time.Second}}
	page, err := s.http.Get(d.url + "/auth/" + kind + "/login?return=/v1/session")
	if err != nil {
		t.Fatal(err)
	}
	page.Body.Close()
	back, err := s.http.Get(page.Request.URL.String() + "&choose=" + subject)
	if err != nil {
		t.Fatal(err)
	}
	back.Body.Close()
	if back.StatusCode != http.StatusOK {
		t.Fatalf("%s ended at %s with %d", subject, back.Request.URL.Path, back.StatusCode)
	}
	return s
}

// call calls the API with the cookie alone.
func (s *surfer) call(method, path, body string) (int, string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Idempotency-Key", "the-same-for-everybody")
	response, err := s.http.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return response.StatusCode, string(answer)
}

// TestSignIn_ThroughTheWholeProgram signs in as staff and as a citizen through the
// provider of the demonstration, and does what each may.
func TestSignIn_ThroughTheWholeProgram(t *testing.T) {
	url := "sqlite:" + filepath.Join(t.TempDir(), "people.db")
	d, err := startDemo(t.Context(), url, "127.0.0.1:0", quiet())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	opened := resolveNamed(t, d, "S01-own-premises.yaml")
	target := "/v1/cases/" + opened.Case + "/resolutions"

	clerk := signInAs(t, d, "staff", "clerk")
	status, body := clerk.call(http.MethodPost, target, "")
	if status >= 300 || !strings.Contains(body, opened.Case) {
		t.Errorf("a clerk resolves: %d %.300s", status, body)
	}
	if status, _ := clerk.call(http.MethodGet, "/v1/persons", ""); status != http.StatusForbidden {
		t.Errorf("a clerk lists people: %d", status)
	}
	for _, other := range []string{"auditor", "operator", "admin", "new"} {
		if status, _ := signInAs(t, d, "staff", other).call(http.MethodGet, "/v1/cases/"+opened.Case, ""); status != http.StatusForbidden {
			t.Errorf("%s reads a case: %d", other, status)
		}
	}
	citizen := signInAs(t, d, "citizen", "wang")
	status, body = citizen.call(http.MethodGet, "/v1/session", "")
	if status != http.StatusOK || !strings.Contains(body, `"duties":["citizen"]`) || strings.Contains(body, "370199") || strings.Contains(body, "王建国") {
		t.Errorf("a citizen's session: %d %s", status, body)
	}
	if status, _ := citizen.call(http.MethodGet, "/v1/cases/"+opened.Case, ""); status != http.StatusForbidden {
		t.Errorf("a citizen reads a case: %d", status)
	}
	givesADuty(t, d)
	entries, err := d.node.store.Entries(t.Context(), opened.Case)
	if err != nil {
		t.Fatal(err)
	}
	byPerson := 0
	for _, e := range entries {
		if e.Person != "" {
			byPerson++
			if e.System != "" {
				t.Errorf("an entry of a person and a system: %+v", e)
			}
		}
	}
	if byPerson == 0 {
		t.Error("the clerk's resolution has no entry of his")
	}
}

// givesADuty lets an administrator find the newcomer, make him a clerk and
// deactivate him, each of which counts at his next request.
func givesADuty(t *testing.T, d *demo) {
	t.Helper()
	admin, newcomer := signInAs(t, d, "staff", "admin"), signInAs(t, d, "staff", "new")
	_, body := newcomer.call(http.MethodGet, "/v1/session", "")
	var me struct{ Person string }
	if err := json.Unmarshal([]byte(body), &me); err != nil {
		t.Fatal(err)
	}
	if status, body := newcomer.call(http.MethodGet, "/v1/datasets", ""); status != http.StatusForbidden || !strings.Contains(body, "您还没有岗位，请联系本部门管理员") {
		t.Errorf("without a duty: %d %s", status, body)
	}
	if _, body := admin.call(http.MethodGet, "/v1/persons", ""); !strings.Contains(body, me.Person) {
		t.Errorf("the administrator does not find him: %s", body)
	}
	steps := []struct {
		method, path string
		want, then   int // for the administrator; for the newcomer afterwards
	}{
		{http.MethodPut, "/v1/persons/" + me.Person + "/duties/clerk", 200, 200},
		{http.MethodDelete, "/v1/persons/" + me.Person + "/duties/clerk", 204, 403},
		{http.MethodPut, "/v1/persons/" + me.Person + "/duties/operator", 403, 403},
		{http.MethodPut, "/v1/persons/" + me.Person + "/duties/auditor", 200, 200},
		{http.MethodPost, "/v1/persons/" + me.Person + "/deactivation", 204, 401},
	}
	for _, step := range steps {
		if status, body := admin.call(step.method, step.path, ""); status != step.want {
			t.Errorf("%s %s: %d %s, want %d", step.method, step.path, status, body, step.want)
		}
		if status, _ := newcomer.call(http.MethodGet, "/v1/datasets", ""); status != step.then {
			t.Errorf("after %s %s: the newcomer gets %d, want %d", step.method, step.path, status, step.then)
		}
	}
}

func TestPerson_CommandsAreRecordedAsTheOperators(t *testing.T) {
	t.Parallel()
	url := "sqlite:" + filepath.Join(t.TempDir(), "person.db")
	if _, err := fillDemo(t.Context(), url, newSecret()); err != nil {
		t.Fatal(err)
	}
	db := openStoreFor(t, url)
	p := &identity.Person{ID: "p-1", Kind: identity.Staff, Issuer: "https://id.example", Subject: "1", Name: "张三", CreatedAt: time.Now()}
	if _, err := db.SignIn(t.Context(), p, ledger.Entry{Kind: ledger.SignedIn, At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args   string
		status int
		says   string
	}{
		{"person assign p-1 --department SPJ --duty department_admin", 0, "部门管理员"},
		{"person assign p-1 --department SPJ --duty operator", 0, "运维"},
		{"person assign p-1 --department XX --duty clerk", 1, "没有这个部门"},
		{"person assign p-1 --department SPJ --duty root", 1, "没有这个岗位"},
		{"person assign nobody --department SPJ --duty clerk", 1, "没有这个人员"},
		{"person list", 0, "SPJ department_admin"},
		{"person remove p-1 --department SPJ --duty department_admin", 0, "已移除"},
		{"person remove p-1 --department SPJ --duty department_admin", 1, "没有这个岗位"},
		{"person deactivate p-1", 0, "已停用"},
		{"person list", 0, "已停用"},
	} {
		var out, errs bytes.Buffer
		if got := run(t.Context(), append(strings.Fields(c.args), "--database="+url), &out, &errs); got != c.status || !strings.Contains(out.String()+errs.String(), c.says) {
			t.Errorf("%s: %d, want %d and %q\n%s%s", c.args, got, c.status, c.says, out.String(), errs.String())
		}
	}
	entries, err := db.Entries(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	entries = slices.DeleteFunc(entries, func(e ledger.Entry) bool { return e.Kind == ledger.CatalogLoaded })
	var kinds []string
	for _, e := range entries[1:] {
		if kinds = append(kinds, string(e.Kind)); e.Person != ledger.Operator || e.Object != "person:p-1" {
			t.Errorf("entry %+v", e)
		}
	}
	if got, want := strings.Join(kinds, " "), "duty_assigned duty_assigned duty_removed person_deactivated"; got != want {
		t.Errorf("entries %s, want %s", got, want)
	}
}

func TestSignInSettings_SayWhatIsMissing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		s    signInSettings
		want string
	}{
		{signInSettings{}, ""},
		{signInSettings{StaffIssuer: "https://id.example"}, "MIANTI_STAFF_CLIENT_ID"},
		{signInSettings{CitizenClientID: "x"}, "MIANTI_CITIZEN_ISSUER"},
		{signInSettings{StaffIdle: time.Hour, SessionLifetime: time.Minute}, "MIANTI_SESSION_LIFETIME"},
	} {
		if err := c.s.check(); (err == nil) != (c.want == "") || (err != nil && !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%+v: %v, want %q", c.s, err, c.want)
		}
	}
	_, err := newProvider("", identity.ProviderConfig{Issuer: "http://id.example", ClientID: "x"})
	if err == nil {
		t.Error("a provider without https is accepted")
	}
	if _, _, err := (&signInSettings{StaffIssuer: "https://id.example", StaffClientID: "x", StaffClientSecretFile: "gone"}).providers(); err == nil {
		t.Error("a secret that is not there is accepted")
	}
}

func openStoreFor(t *testing.T, url string) *store.Store {
	t.Helper()
	db, err := store.Open(t.Context(), store.Config{URL: url, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}
