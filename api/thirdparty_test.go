package api_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"mianti/api"
	"mianti/exchange"
)

// served is the interface on a port of this machine, by the time of day.
func (h *harness) served(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	config := h.config
	config.Issuer, config.Now = "http://"+server.Listener.Addr().String(), time.Now
	server.Config.Handler = h.newHandler(config)
	server.Start()
	t.Cleanup(server.Close)
	return server
}

// The clients of the Go team and of the npm package openid-client know nothing
// of us but the issuer.
func TestThirdParty_GoClientCredentialsWorkUnchanged(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	system := exchange.System{ID: "go", Department: "SPJ", Credentials: []exchange.Credential{api.SecretCredential("c", secret, time.Now().Add(-time.Hour))}}
	h.memory.change(func(m *memory) { m.systems["go"] = system })
	server := h.served(t)
	config := clientcredentials.Config{ClientID: "go", ClientSecret: secret, TokenURL: server.URL + "/oauth/token", AuthStyle: oauth2.AuthStyleAutoDetect}
	answer, err := config.Client(context.Background()).Get(server.URL + "/v1/system")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("status %d", answer.StatusCode)
	}
}

func TestThirdParty_OpenIDClientWorksUnchanged(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	since := time.Now().Add(-time.Hour)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &key.PublicKey, KeyID: "2026-11"}}})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := api.KeyCredentials(set, func() string { return "k" }, since)
	if err != nil {
		t.Fatal(err)
	}
	h.memory.change(func(m *memory) {
		m.systems["by-secret"] = exchange.System{ID: "by-secret", Department: "SPJ", Credentials: []exchange.Credential{api.SecretCredential("c", secret, since)}}
		m.systems["by-key"] = exchange.System{ID: "by-key", Department: "SPJ", Credentials: keys}
	})
	input, err := json.Marshal(map[string]any{
		"issuer": h.served(t).URL, "secretID": "by-secret", "secret": secret, "keyID": "by-key", "jwk": jose.JSONWebKey{Key: key}, "kid": "2026-11",
	})
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(runNode(t, "testdata/openid-client", "client.mjs", string(input)), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"secret": []any{"bearer", 200.0}, "revoked": 401.0, "wrong": 401.0,
		"privateKeyJWT": []any{"bearer", 200.0},
		"dpop":          []any{"dpop", 200.0, 200.0}, "stolen": 401.0, "otherKey": 401.0,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what the client saw (-want +got):\n%s", diff)
	}
}

// runNode installs a Node program in a folder of its own, exactly as its lock
// file says, runs it, and gives what it printed.
func runNode(t *testing.T, folder, script string, arguments ...string) []byte {
	t.Helper()
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("%s is not installed: run tools/install-test-tools.sh node, or install the Debian packages nodejs and npm", program)
		}
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	install := func(more ...string) ([]byte, error) {
		command := exec.CommandContext(t.Context(), "npm", append([]string{"ci", "--no-audit", "--no-fund", "--ignore-scripts"}, more...)...)
		command.Dir = dir
		return command.CombinedOutput()
	}
	if _, err := install("--offline"); err != nil { // not in npm's cache yet
		if out, err := install(); err != nil {
			t.Fatalf("npm ci cannot install what %s needs; it has to reach a registry once: %v\n%s", folder, err, out)
		}
	}
	var errs bytes.Buffer
	command := exec.CommandContext(t.Context(), "node", append([]string{filepath.Join(dir, script)}, arguments...)...)
	command.Dir, command.Stderr = dir, &errs
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, errs.String())
	}
	return out
}
