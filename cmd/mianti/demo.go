package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"mianti/api"
	"mianti/catalog"
	"mianti/connectors/standin"
	"mianti/examples/jinan"
	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/store"
)

type demoCommand struct {
	Once     bool   `help:"Leave when the cases are resolved, instead of staying up."`
	Details  bool   `help:"Print every material of every case, with its outcome and reason."`
	Listen   string `default:"127.0.0.1:0" help:"Address to listen on; loopback only. Default: any free port."`
	Database string `help:"Database to use instead of a temporary one, such as postgres://…; it must be empty."`
}

// Run starts everything in one process, resolves one case of every one-thing,
// and prints what came of it.
func (c *demoCommand) Run(ctx context.Context, con console) error {
	if err := loopback("--listen", c.Listen); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "mianti-demo-")
	if err != nil {
		return fmt.Errorf("make a temporary folder: %w", err)
	}
	defer os.RemoveAll(dir)
	if c.Database == "" {
		c.Database = "sqlite:" + filepath.Join(dir, "demo.db")
	}
	fmt.Fprintln(con.Err, "正在准备：数据库、济南目录、36 个替身部门……")
	quiet := slog.New(slog.DiscardHandler)
	quietLibraries(quiet)
	d, err := startDemo(ctx, c.Database, c.Listen, quiet)
	if err != nil {
		return err
	}
	defer d.Close()
	shown, err := d.resolveOneEach(ctx, con.Err)
	if err != nil {
		return err
	}
	if c.Details {
		for _, s := range shown {
			printResolution(con.Out, s.title, s.resolution)
		}
	}
	printOverview(con.Out, shown)
	d.printHints(con.Out)
	if c.Once {
		return nil
	}
	if err := d.resolveMore(ctx); err != nil {
		return err
	}
	fmt.Fprintln(con.Out, "\n按 Ctrl+C 结束。")
	<-ctx.Done()
	return nil
}

// demo is an exchange with stand-in departments, each on a port of its own.
type demo struct {
	url      string
	standIns *standin.Server
	client   *client
	catalog  *catalog.Revision
	node     *node
	people   *demoPeople
	stop     context.CancelFunc
	served   chan error // one result for each server
}

// The demo has one system, of the department that runs the city's common
// counter, and one for each other department that takes cases.
const demoSystem = "demo-"

// startDemo migrates and fills a database, and starts the servers. What is adjusted is
// adjusted before that.
func startDemo(ctx context.Context, database, listen string, log *slog.Logger, adjust ...func(*exchangeSettings)) (*demo, error) {
	standIns, err := newStandIns(jinan.Files, 1, 200, 0)
	if err != nil {
		return nil, err
	}
	sources, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listen: %w", err), sources.Close())
	}
	d := &demo{url: "http://" + listener.Addr().String(), standIns: standIns, served: make(chan error, 3)}
	settings := exchangeSettings{
		Issuer: d.url, sourceSettings: sourceSettings{SourcesURL: "http://" + sources.Addr().String() + "/{department}"},
		Deadline: 8 * time.Second, SourceDeadline: 2 * time.Second, DataAuthority: "DSJ", CatalogMaterials: store.DefaultHeldMaterials,
	}
	settings.DatabaseURL = database
	for _, change := range adjust {
		change(&settings)
	}
	secret := newSecret()
	if d.people, err = openDemoPeople("127.0.0.1:0", d.url); err != nil {
		return nil, errors.Join(err, sources.Close(), listener.Close())
	}
	settings.signInSettings = d.people.settings()
	if d.catalog, err = fillDemo(ctx, database, secret); err != nil {
		return nil, errors.Join(err, sources.Close(), listener.Close(), d.people.Close())
	}
	if settings.KeyFile, err = demoKeyFile(database); err != nil {
		return nil, errors.Join(err, sources.Close(), listener.Close(), d.people.Close())
	}
	d.node, err = newNode(ctx, settings, log)
	if settings.KeyFile != "" { // it is read once
		err = errors.Join(err, os.Remove(settings.KeyFile))
	}
	if err != nil {
		return nil, errors.Join(err, sources.Close(), listener.Close(), d.people.Close())
	}
	if err = d.people.giveDuties(ctx, d.node.store); err != nil {
		return nil, errors.Join(err, sources.Close(), listener.Close(), d.people.Close(), d.node.Close())
	}
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	d.stop = stop
	go func() { d.served <- serveHTTP(serving, sources, standIns) }()
	go func() { d.served <- d.node.serve(serving, listener) }()
	go func() { d.served <- d.people.Serve(serving) }()
	d.client = newClient(d.url, "", secret)
	return d, nil
}

// demoKeyFile makes a key for a database that is not a file: it is used once, and
// what the demonstration stores is not to be read again.
func demoKeyFile(database string) (string, error) {
	if strings.HasPrefix(database, "sqlite:") {
		return "", nil
	}
	path := filepath.Join(os.TempDir(), "mianti-demo-"+newID()+".key")
	_, err := makeKeyFile(path)
	return path, err
}

// Close stops the servers and closes the database.
func (d *demo) Close() error {
	d.stop()
	return errors.Join(<-d.served, <-d.served, <-d.served, d.node.Close())
}

// fillDemo loads the catalog, and registers a system for every department and
// the grants that the catalog needs.
func fillDemo(ctx context.Context, database, secret string) (*catalog.Revision, error) {
	if err := store.Migrate(ctx, database); err != nil {
		return nil, err
	}
	db, err := store.Open(ctx, store.Config{URL: database, Now: time.Now})
	if err != nil {
		return nil, err
	}
	defer db.Close()
	if _, err := db.LatestRevision(ctx); !errors.Is(err, fault.NotFound) {
		return nil, errors.Join(errors.New("--database: 演示要用空的数据库，这个已经有内容"), err)
	}
	rev, err := catalog.Load(jinan.Files)
	if err != nil {
		return nil, err
	}
	if _, err := saveCatalog(ctx, db, jinan.Files, rev); err != nil {
		return nil, err
	}
	now := time.Now().UTC()
	for _, department := range rev.Departments() {
		system := exchange.System{
			ID: demoSystem + department.Code, Department: department.Code, Name: department.Name + "演示系统",
			Credentials: []exchange.Credential{api.SecretCredential(newID(), secret, now)}, CreatedAt: now,
		}
		if err := db.SaveSystem(ctx, system); err != nil {
			return nil, err
		}
	}
	return rev, db.SaveGrants(ctx, grantsNeeded(rev, now, now.AddDate(1, 0, 0)))
}

// as signs in as the system of a department.
func (d *demo) as(ctx context.Context, department string) (*client, error) {
	c := newClient(d.url, demoSystem+department, d.client.secret)
	return c, c.signIn(ctx)
}

// handler is the department that takes a case.
func (d *demo) handler(file *caseFile) string {
	if code, ok := file.Case["one_thing"].(string); ok {
		if thing := d.catalog.OneThing(code); thing != nil {
			return thing.Lead
		}
	}
	if code, ok := file.Case["matter"].(string); ok {
		if matter := d.catalog.Matter(code); matter != nil {
			return matter.Department
		}
	}
	return d.catalog.Departments()[0].Code
}

// resolve resolves a case file with the stand-ins answering as it says.
func (d *demo) resolve(ctx context.Context, file *caseFile) (*exchange.Resolution, error) {
	c, err := d.as(ctx, d.handler(file))
	if err != nil {
		return nil, err
	}
	if err := d.standIns.SetRules(file.rules()...); err != nil {
		return nil, err
	}
	defer d.standIns.ClearRules()
	return c.resolve(ctx, file)
}

// showcase is a resolved case of a one-thing.
type showcase struct {
	thing      *catalog.OneThing
	title      string
	resolution *exchange.Resolution
}

// resolveOneEach resolves the demo's case of every one-thing, and makes sure
// that every material came out with a reason.
func (d *demo) resolveOneEach(ctx context.Context, progress io.Writer) ([]showcase, error) {
	cases, err := readCases(jinan.Files, "cases")
	if err != nil {
		return nil, err
	}
	things := d.catalog.OneThings()
	bar := newProgress(progress, len(things), "办理 14 个一件事")
	defer bar.Finish()
	var shown []showcase
	for _, thing := range things {
		for _, file := range cases {
			if !file.Demo || file.Case["one_thing"] != thing.Code {
				continue
			}
			r, err := d.resolve(ctx, file.caseFile)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", file.Name, err)
			}
			if err := everyReason(r); err != nil {
				return nil, fmt.Errorf("%s: %w", file.Name, err)
			}
			shown = append(shown, showcase{thing: thing, title: file.Title, resolution: r})
		}
		_ = bar.Add(1) // a progress bar that cannot be drawn stops nothing
	}
	if len(shown) != len(things) {
		return nil, fmt.Errorf("%d cases for %d one-things: mark one case of each with `demo: true`", len(shown), len(things))
	}
	return shown, nil
}

// everyReason makes sure that every material has an outcome and a reason.
func everyReason(r *exchange.Resolution) error {
	for _, m := range r.Materials {
		if m.Outcome == "" || m.Reason.Code == "" || m.Reason.Text == "" {
			return fmt.Errorf("%s has no outcome or no reason", m.Code)
		}
	}
	return nil
}

// newProgress is a progress bar on a terminal, and nothing elsewhere.
func newProgress(w io.Writer, steps int, title string) *progressbar.ProgressBar {
	if file, ok := w.(*os.File); !ok || !isTerminal(file) {
		return progressbar.DefaultSilent(int64(steps))
	}
	return progressbar.NewOptions(steps, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(title),
		progressbar.OptionShowCount(), progressbar.OptionClearOnFinish(), progressbar.OptionSetWidth(30))
}

func isTerminal(file *os.File) bool {
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// printHints prints what to try next.
func (d *demo) printHints(w io.Writer) {
	fmt.Fprintf(w, `
每项材料都有结论和理由（--details 逐项列出）。免提交 = 不用交 / 适用材料；承诺、待前序、核验中、可后补均不计入。
同一材料多个事项共用时只计一次：「索要」是各事项索要的次数，「材料」是去重后的件数。

接口文档：%[1]s/docs
取一个令牌，再查一件事：
  TOKEN=$(curl -s -u %[2]s:%[3]s -d grant_type=client_credentials %[1]s/oauth/token | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
  curl -s -H "Authorization: Bearer $TOKEN" %[1]s/v1/one-things/S01
办理一个办件：
  MIANTI_URL=%[1]s MIANTI_CLIENT_ID=%[2]s MIANTI_CLIENT_SECRET=%[3]s go run ./cmd/mianti resolve examples/jinan/cases/S01-own-premises.yaml
（每个部门各有一个演示系统，如 demo-JY、demo-BDC，密钥相同；办件由牵头或办理部门的系统登记。）
`, d.url, demoSystem+"SPJ", d.client.secret)
	d.people.printHints(w, d.url)
}
