package main

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"mianti/catalog"
	"mianti/examples/jinan"
	"mianti/internal/pgtest"
	"mianti/store"
)

// twoReplicas are two exchanges of one database and one key.
type twoReplicas struct {
	t    *testing.T
	url  string
	a, b *node
}

func newTwoReplicas(t *testing.T) *twoReplicas {
	t.Helper()
	r := &twoReplicas{t: t, url: pgtest.Database(t)}
	db, err := store.Open(t.Context(), store.Config{URL: r.url, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rev, err := catalog.Load(jinan.Files)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := saveCatalog(t.Context(), db, jinan.Files, rev); err != nil {
		t.Fatal(err)
	}
	settings := exchangeSettings{
		Issuer: "https://mianti.example", Deadline: 8 * time.Second, SourceDeadline: time.Second,
		sourceSettings: sourceSettings{SourcesURL: "http://127.0.0.1:1/{department}"},
	}
	settings.DatabaseURL, settings.KeyFile = r.url, filepath.Join(t.TempDir(), "mianti.key")
	writeKeyFile(t, settings.KeyFile)
	for _, n := range []**node{&r.a, &r.b} {
		if *n, err = newNode(t.Context(), settings, slog.New(slog.DiscardHandler)); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = (*n).Close() })
	}
	return r
}

// command runs `mianti system …` on the database, which must succeed.
func (r *twoReplicas) command(args ...string) string {
	r.t.Helper()
	var out, errs bytes.Buffer
	if status := run(r.t.Context(), append([]string{"system"}, append(args, "--database="+r.url)...), &out, &errs); status != 0 {
		r.t.Fatalf("system %v: status %d\n%s%s", args, status, out.String(), errs.String())
	}
	return out.String()
}

// secretIn finds the secret in what a command printed.
func secretIn(t *testing.T, text string) string {
	t.Helper()
	found := regexp.MustCompile(`：([\w-]{43})\n`).FindStringSubmatch(text)
	if found == nil {
		t.Fatalf("no secret in %q", text)
	}
	return found[1]
}

// post sends a form to a replica as a system.
func post(n *node, path, id, secret string, form url.Values) *httptest.ResponseRecorder {
	request := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(id, secret)
	w := httptest.NewRecorder()
	n.handler.ServeHTTP(w, request)
	return w
}

// token gets a token; "" when it is refused.
func token(n *node, id, secret string) string {
	w := post(n, "/oauth/token", id, secret, url.Values{"grant_type": {"client_credentials"}})
	var answer struct {
		Token string `json:"access_token"`
	}
	_ = json.Unmarshal(w.Body.Bytes(), &answer) // no token then
	return answer.Token
}

// ask gives the status of a request with a token.
func ask(n *node, token string) int {
	request := httptest.NewRequest(http.MethodGet, "/v1/system", nil)
	request.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	n.handler.ServeHTTP(w, request)
	return w.Code
}

func TestRevocation_HoldsAtTheVeryNextRequestOnAnotherReplica(t *testing.T) {
	t.Parallel()
	r := newTwoReplicas(t)
	for name, act := range map[string]func(id, secret, token string){
		"revoked-system": func(id, _, _ string) { r.command("revoke", id) },
		"revoked-credential": func(id, _, _ string) {
			system, err := r.a.store.System(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			r.command("revoke", id, "--credential="+system.Credentials[0].ID)
		},
		"revoked-token": func(id, secret, token string) {
			if w := post(r.a, "/oauth/revoke", id, secret, url.Values{"token": {token}}); w.Code != http.StatusOK {
				t.Fatalf("revoke: %d %s", w.Code, w.Body)
			}
		},
		"rotated-at-once": func(id, _, _ string) { r.command("rotate", id, "--overlap=0s") },
		"replaced":        func(id, _, _ string) { r.command("add", id, "--department=SPJ", "--name=新", "--replace") },
	} {
		t.Run(name, func(t *testing.T) {
			secret := secretIn(t, r.command("add", name, "--department=SPJ", "--name=审批"))
			mine, others := token(r.a, name, secret), token(r.b, name, secret)
			if ask(r.b, mine) != http.StatusOK || ask(r.a, mine) != http.StatusOK {
				t.Fatal("the token does not work before")
			}
			act(name, secret, mine)
			if b, a := ask(r.b, mine), ask(r.a, mine); b != http.StatusUnauthorized || a != http.StatusUnauthorized {
				t.Errorf("after: %d on the other replica, %d on this one", b, a)
			}
			stillGood := name == "revoked-token"
			if got := ask(r.b, others) == http.StatusOK; got != stillGood {
				t.Errorf("the other token works: %v, want %v", got, stillGood)
			}
			if got := token(r.b, name, secret) != ""; got != stillGood {
				t.Errorf("the secret works: %v, want %v", got, stillGood)
			}
		})
	}
}

func TestRotation_LetsOneSecretFollowAnotherWithoutAnInterruption(t *testing.T) {
	t.Parallel()
	r := newTwoReplicas(t)
	first := secretIn(t, r.command("add", "spj-1", "--department=SPJ", "--name=审批"))
	held := token(r.a, "spj-1", first)
	second := secretIn(t, r.command("rotate", "spj-1"))
	if ask(r.b, held) != http.StatusOK || token(r.b, "spj-1", first) == "" || token(r.a, "spj-1", second) == "" {
		t.Error("within the overlap something is refused")
	}
	listed := r.command("list")
	if !strings.Contains(listed, "⚠ 1 个凭据将在 30 天内终止") || strings.Contains(listed, second) {
		t.Errorf("list:\n%s", listed)
	}
	var list []listedSystem
	if err := json.Unmarshal([]byte(r.command("list", "--json")), &list); err != nil {
		t.Fatal(err)
	}
	if len(list) != 1 || len(list[0].Credentials) != 2 || !list[0].Credentials[0].EndsSoon || list[0].Credentials[1].EndsSoon {
		t.Errorf("list: %+v", list)
	}
}

func TestSystemCommands_SayWhatToDo(t *testing.T) {
	t.Parallel()
	r := newTwoReplicas(t)
	r.command("add", "spj-1", "--department=SPJ", "--name=审批")
	bad := filepath.Join(t.TempDir(), "keys.json")
	if err := os.WriteFile(bad, []byte(`{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		args []string
		says string
	}{
		"registered already":      {[]string{"add", "spj-1", "--department=SPJ", "--name=x"}, "mianti system rotate"},
		"unknown system":          {[]string{"rotate", "nobody"}, "没有这个接入系统"},
		"negative overlap":        {[]string{"rotate", "spj-1", "--overlap=-1h"}, "--overlap"},
		"keys that are of no use": {[]string{"rotate", "spj-1", "--jwks=" + bad}, "key 1 cannot be used"},
		"unknown credential":      {[]string{"revoke", "spj-1", "--credential=c9"}, "没有这个凭据"},
		"revoke an unknown one":   {[]string{"revoke", "nobody"}, "没有这个接入系统"},
		"unknown binding":         {[]string{"add", "x-1", "--department=SPJ", "--name=x", "--require=tls"}, "--require"},
	} {
		var errs bytes.Buffer
		if status := run(t.Context(), append([]string{"system"}, append(tc.args, "--database="+r.url)...), io.Discard, &errs); status == 0 || !strings.Contains(errs.String(), tc.says) {
			t.Errorf("%s: status %d, %s", name, status, errs.String())
		}
	}
}
