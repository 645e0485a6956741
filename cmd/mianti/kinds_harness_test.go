package main

import (
	"context"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"mianti/api"
	"mianti/catalog"
	"mianti/connectors/standin"
	"mianti/exchange"
	"mianti/store"
)

// kindsFolder is the example with a source of every kind.
const kindsFolder = "../../examples/kinds"

// kinds is that example with its stand-ins, on ports of its own.
type kinds struct {
	dir      string // catalog/, secrets/, key and kinds.db
	standIns *standIns
	files    fs.FS
	catalog  *catalog.Revision
	secret   string
	url      string // of the exchange, once it is started
}

func newKinds(t *testing.T) *kinds {
	t.Helper()
	k := &kinds{dir: t.TempDir(), secret: newSecret()}
	server, err := newStandIns(os.DirFS(kindsFolder), 1, 10, 0)
	if err != nil {
		t.Fatal(err)
	}
	if k.standIns, err = openStandIns(server, standInPlaces{Departments: "127.0.0.1:0", Database: "127.0.0.1:0", Faults: "127.0.0.1:0"}); err != nil {
		t.Fatal(err)
	}
	serveUntilEnd(t, k.standIns.Serve)
	k.write(t, "key", strings.Repeat("k", leastKey))
	k.writeSecrets(t)
	k.writeCatalog(t)
	k.fillDatabase(t)
	return k
}

// serveUntilEnd runs a server until the test is over, and waits for its end.
func serveUntilEnd(t *testing.T, serve func(context.Context) error) {
	t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func (k *kinds) write(t *testing.T, name, content string) {
	t.Helper()
	path := filepath.Join(k.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

var demoVariable = regexp.MustCompile(`(?m)^export MIANTI_SECRET_(\w+)='([^']*)'$`)

// writeSecrets makes files of the secrets in demo.env.
func (k *kinds) writeSecrets(t *testing.T) {
	t.Helper()
	content, err := os.ReadFile(kindsFolder + "/demo.env")
	if err != nil {
		t.Fatal(err)
	}
	variables := demoVariable.FindAllStringSubmatch(string(content), -1)
	if len(variables) != 5 {
		t.Fatalf("demo.env sets %d secrets, want 5", len(variables))
	}
	for _, v := range variables {
		k.write(t, "secrets/"+strings.ToLower(strings.ReplaceAll(v[1], "_", "-")), v[2])
	}
}

// maintained is the time at which a source of the example is not asked.
const maintained = `        maintenance:
          - {days: [7], from: "03:00", to: "03:30"}
`

// writeCatalog copies the example, with the ports that are open here. The time
// at which a source is not asked is put off, so that the tests pass on Sundays.
func (k *kinds) writeCatalog(t *testing.T) {
	t.Helper()
	here := strings.NewReplacer(
		"127.0.0.1:8090", k.standIns.places.Departments, "127.0.0.1:8091", k.standIns.places.Database,
		maintained, "",
	)
	files := fstest.MapFS{}
	err := fs.WalkDir(os.DirFS(kindsFolder), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(filepath.Join(kindsFolder, filepath.FromSlash(name)))
		text := here.Replace(string(content))
		files[name] = &fstest.MapFile{Data: []byte(text)}
		k.write(t, "catalog/"+name, text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	k.files = files
	if k.catalog, err = catalog.Load(files); err != nil {
		t.Fatal(err)
	}
	for _, d := range k.catalog.Datasets() {
		for _, source := range d.Sources {
			if len(source.Maintenance) > 0 {
				t.Fatalf("%s is not asked at some times, as before", source.Code)
			}
		}
	}
}

func (k *kinds) database() string { return "sqlite:" + filepath.Join(k.dir, "kinds.db") }

// fillDatabase loads the catalog, with a system for each department and all
// grants.
func (k *kinds) fillDatabase(t *testing.T) {
	t.Helper()
	if err := store.Migrate(t.Context(), k.database()); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), store.Config{URL: k.database(), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := saveCatalog(t.Context(), db, k.files, k.catalog); err != nil {
		t.Fatal(err)
	}
	now := time.Now().UTC()
	for _, d := range k.catalog.Departments() {
		system := exchange.System{ID: demoSystem + d.Code, Department: d.Code, Name: d.Name, CreatedAt: now,
			Credentials: []exchange.Credential{api.SecretCredential(newID(), k.secret, now)}}
		if err := db.SaveSystem(t.Context(), system); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.SaveGrants(t.Context(), grantsNeeded(k.catalog, now, now.AddDate(1, 0, 0))); err != nil {
		t.Fatal(err)
	}
}

// loadFile loads the file of a dataset as the stand-ins render it, and gives
// its path.
func (k *kinds) loadFile(t *testing.T) string {
	t.Helper()
	name, content, err := k.standIns.File("D-YS02", "csv")
	if err != nil {
		t.Fatal(err)
	}
	k.write(t, name, string(content))
	path := filepath.Join(k.dir, name)
	if status, text := runs(t, "source", "load", "YS.D-YS02.file", path, "--catalog="+filepath.Join(k.dir, "catalog"),
		"--database="+k.database(), "--subject-key-file="+filepath.Join(k.dir, "key")); status != 0 {
		t.Fatal(text)
	}
	return path
}

// start starts an exchange. It gives a source a second.
func (k *kinds) start(t *testing.T) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	k.url = "http://" + listener.Addr().String()
	settings := exchangeSettings{Issuer: k.url, SubjectKeyFile: filepath.Join(k.dir, "key"), Deadline: 20 * time.Second, SourceDeadline: time.Second}
	settings.DatabaseURL, settings.SecretsDir = k.database(), filepath.Join(k.dir, "secrets")
	settings.SourcesURL = "http://127.0.0.1:1/{department}" // every source of the example has an address
	n, err := newNode(t.Context(), settings, quiet())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	serveUntilEnd(t, func(ctx context.Context) error { return n.serve(ctx, listener) })
}

// as signs in as the system of a department that waits for what goes on by
// itself.
func (k *kinds) as(t *testing.T, department string) *client {
	t.Helper()
	c := newClient(k.url, demoSystem+department, k.secret)
	if err := c.signIn(t.Context()); err != nil {
		t.Fatal(err)
	}
	return c
}

// patient asks the exchange to wait until nothing goes on any more.
type patient struct{}

// RoundTrip sends the request with the preference.
func (patient) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Prefer", "wait=40")
	return http.DefaultTransport.RoundTrip(r)
}

// resolve opens the example's case and resolves it.
func (k *kinds) resolve(t *testing.T) *exchange.Resolution {
	t.Helper()
	cases, err := readCases(k.files, "cases")
	if err != nil || len(cases) != 1 {
		t.Fatalf("%d cases, want 1: %v", len(cases), err)
	}
	r, err := k.as(t, "SL").resolve(t.Context(), cases[0].caseFile)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// play lets all departments have a fault.
func (k *kinds) play(t *testing.T, rule standin.Rule) {
	t.Helper()
	if err := k.standIns.SetRules(rule); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.standIns.ClearRules)
}
