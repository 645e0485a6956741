package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"charm.land/lipgloss/v2"
	"charm.land/lipgloss/v2/table"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/assist"
	"mianti/connectors/guard"
	"mianti/connectors/secret"
	"mianti/connectors/snapshot"
	"mianti/store"
)

// sourceCommands are for those who connect a department.
type sourceCommands struct {
	List  sourceListCommand  `cmd:"" help:"List the sources of a catalog."`
	Try   sourceTryCommand   `cmd:"" help:"Ask a source one question, and show what was sent, what came back and what it means."`
	Check sourceCheckCommand `cmd:"" help:"Try a live source for what can be tried, with its test subject."`
	Load  sourceLoadCommand  `cmd:"" help:"Load a department's file into the database."`
	Calls sourceCallsCommand `cmd:"" help:"Show the last calls to a source."`
}

// catalogSetting names the catalog in which a source stands.
type catalogSetting struct {
	Catalog string `type:"existingdir" help:"Folder of a catalog. Default: the Jinan catalog that comes with the program."`
}

// reachSettings are what is needed to ask a source as the exchange asks it.
type reachSettings struct {
	databaseSetting
	sourceSettings
	catalogSetting
	SubjectKeyFile string        `env:"MIANTI_SUBJECT_KEY_FILE" help:"The exchange's file of the key of subjects, if it has one; for sources of kind snapshot."`
	SourceDeadline time.Duration `env:"MIANTI_SOURCE_DEADLINE" default:"3s" help:"Longest time of one question, for a source that says none."`
}

// reached is a source that can be asked.
type reached struct {
	dataset  *catalog.Dataset
	source   *catalog.Source
	address  string
	network  catalog.Network
	deadline time.Duration
	secrets  *secret.Store
	asker    connectors.Connector
	close    func()
}

// reach finds a source in the catalog and makes its connector.
func (s *reachSettings) reach(ctx context.Context, code string, errs io.Writer) (*reached, error) {
	if err := s.sourceSettings.check(); err != nil {
		return nil, err
	}
	if s.SourceDeadline <= 0 {
		return nil, errors.New("MIANTI_SOURCE_DEADLINE: want more than 0")
	}
	rev, err := loadCatalog(catalogFolder(s.Catalog), errs)
	if err != nil {
		return nil, err
	}
	dataset, source := findSource(rev, code)
	if source == nil {
		return nil, unknownSource(code)
	}
	if source.Kind == catalog.SourceAssist {
		return nil, fmt.Errorf("数源 %s 由部门人员答复（assist），没有可以试问的接口", code)
	}
	r := &reached{dataset: dataset, source: source, deadline: s.SourceDeadline, secrets: s.secrets()}
	if source.TimeoutMillis > 0 {
		r.deadline = time.Duration(source.TimeoutMillis) * time.Millisecond
	}
	r.address, r.network = s.locate(dataset.Department, source)
	return r, s.connect(ctx, r)
}

// connect makes the connector. Only a file needs the database.
func (s *reachSettings) connect(ctx context.Context, r *reached) error {
	var rows snapshot.Rows
	var key []byte
	closeRows := func() {}
	if r.source.Kind == catalog.SourceSnapshot {
		db, subjectKey, err := s.openSnapshots(ctx, s.SubjectKeyFile)
		if err != nil {
			return err
		}
		rows, key, closeRows = db, subjectKey, func() { _ = db.Close() } // it was only read from
	}
	all, _, closeAll := newConnectors(r.secrets, rows, key, nobody{}, nil)
	r.asker = all[r.source.Kind]
	r.close = func() {
		closeAll()
		closeRows()
	}
	return nil
}

// openSnapshots opens the database with the key under which files are stored.
func (s *databaseSetting) openSnapshots(ctx context.Context, keyFile string) (*store.Store, []byte, error) {
	db, err := store.Open(ctx, store.Config{URL: s.DatabaseURL, Now: time.Now})
	if err != nil {
		return nil, nil, err
	}
	ring, err := s.ring(ctx, db)
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	key, err := subjectKey(ctx, ring, keyFile)
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return db, key, nil
}

// nobody is the desk of a program that opens no tasks.
type nobody struct{}

// Task refuses.
func (nobody) Task(context.Context, connectors.Query) (assist.Task, error) {
	return assist.Task{}, errors.New("no task is opened on trial")
}

func unknownSource(code string) error {
	return fmt.Errorf("目录中没有数源 %s；用 mianti source list 查看全部，用 --catalog 指定目录", printable(code))
}

// query makes a question on trial: it belongs to no case.
func (r *reached) query(subject connectors.Subject, fields []string) connectors.Query {
	return connectors.Query{
		ID: newID(), Dataset: r.dataset, Source: r.source, BaseURL: r.address, Network: r.network, Subject: subject,
		Fields: fields, Purpose: "接口试验，非办件", Receiver: r.dataset.Department,
	}
}

// ask puts a question and examines the answer as the exchange does.
func (r *reached) ask(ctx context.Context, q connectors.Query) (connectors.Reply, error) {
	ctx, cancel := context.WithTimeout(ctx, r.deadline)
	defer cancel()
	reply, err := r.asker.Ask(ctx, q)
	if err != nil {
		return connectors.Reply{}, err
	}
	return guard.Admit(q, reply)
}

// allFields are the codes of the dataset's fields.
func (r *reached) allFields() []string {
	codes := make([]string, len(r.dataset.Fields))
	for i := range r.dataset.Fields {
		codes[i] = r.dataset.Fields[i].Code
	}
	return codes
}

type sourceListCommand struct {
	catalogSetting
	sourceSettings
}

// Run lists the sources of a catalog.
func (c *sourceListCommand) Run(con console) error {
	if err := c.check(); err != nil {
		return err
	}
	rev, err := loadCatalog(catalogFolder(c.Catalog), con.Err)
	if err != nil {
		return err
	}
	var rows [][]string
	for _, d := range rev.Datasets() {
		for i := range d.Sources {
			s := &d.Sources[i]
			rows = append(rows, []string{s.Code, d.Name, string(s.Kind), addressText(s), c.networkText(d, s), limitsText(s.Limits), probeText(s)})
		}
	}
	printRows(con.Out, []string{"数源", "数据资源", "方式", "地址", "网络", "限制", "探测"}, rows)
	fmt.Fprintf(con.Out, "共 %d 个数源。\n", len(rows))
	return nil
}

// addressText is where a source is, without what the operator has set.
func addressText(s *catalog.Source) string {
	switch {
	case s.Kind == catalog.SourceSnapshot || s.Kind == catalog.SourceAssist:
		return "–"
	case s.Address == "":
		return "MIANTI_SOURCES_URL " + s.Path
	default:
		return s.Address + s.Path
	}
}

func (s *sourceSettings) networkText(d *catalog.Dataset, source *catalog.Source) string {
	if source.Kind == catalog.SourceSnapshot || source.Kind == catalog.SourceAssist {
		return "–"
	}
	_, network := s.locate(d.Department, source)
	return networkName(network)
}

func networkName(n catalog.Network) string {
	switch n {
	case catalog.NetworkPublic:
		return "public"
	case catalog.NetworkPrivate, catalog.NetworkLocal:
		return string(n)
	default:
		return "?"
	}
}

// limitsText says the limits that the catalog gives; the others are defaults.
func limitsText(l *catalog.Limits) string {
	if l == nil {
		return "默认"
	}
	var parts []string
	if l.PerSecond > 0 {
		parts = append(parts, fmt.Sprintf("每秒%g次", l.PerSecond))
	}
	for _, one := range []struct {
		text  string
		value int
	}{
		{"突发%d次", l.Burst}, {"并发%d", l.Concurrent}, {"至多问%d次", l.Attempts}, {"%d毫秒后另问一次", l.HedgeMillis},
		{"连错%d次停问", l.Failures}, {"停%d秒", l.PauseSeconds},
	} {
		if one.value > 0 {
			parts = append(parts, fmt.Sprintf(one.text, one.value))
		}
	}
	if len(parts) == 0 {
		return "默认"
	}
	return strings.Join(parts, "，")
}

func probeText(s *catalog.Source) string {
	if s.Probe == nil {
		return "无"
	}
	return "有"
}

// printRows prints rows in columns as wide as what they hold.
func printRows(w io.Writer, headers []string, rows [][]string) {
	fmt.Fprintln(w, table.New().Border(lipgloss.NormalBorder()).BorderColumn(false).BorderTop(false).BorderBottom(false).
		BorderLeft(false).BorderRight(false).Headers(headers...).Rows(rows...).
		StyleFunc(func(int, int) lipgloss.Style { return lipgloss.NewStyle().PaddingRight(2) }))
}

// printable takes out what could steer a terminal: a source's text is shown
// nowhere as it is.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r >= 0x200b && r <= 0x200f || r >= 0x2028 && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0xfeff {
			return '·'
		}
		return r
	}, text)
}
