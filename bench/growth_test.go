package bench

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"mianti/bench/load"
	"mianti/bench/report"
	"mianti/catalog"
	"mianti/internal/pgtest"
	"mianti/policies"
)

var (
	growthDocs  = flag.String("growth-docs", "", "folder of performance.md, to write the figures of BenchmarkGrowth into")
	growthShort = flag.Bool("growth-short", false, "without the largest size of each series, and two rounds")
)

// series is something that grows, and at which sizes it is measured.
type series struct {
	name  string
	what  string // in the table
	sizes []int
	// fill grows the database before the exchange starts, and grow after it has
	// opened and resolved a case.
	fill func(b *testing.B, g *grown)
	grow func(b *testing.B, g *grown)
}

// grown is an exchange of one size.
type grown struct {
	size      int
	database  string
	addresses map[string]string
	node      *load.Node
	target    *load.Target
	took      []load.Result // by round
	resident  float64       // MiB, after all rounds
}

// matters of a grown catalog that are resolved.
const mattersResolved = 256

func growthSeries() []series {
	return []series{
		{"catalog", "matters in the catalog, eight materials each", []int{1_000, 10_000, 100_000, 1_000_000}, fillCatalog, nil},
		{"grants", "grants in force", []int{100, 1_000, 10_000, 100_000}, fillGrants, nil},
		{"ledger", "entries in the ledger", []int{10_000, 100_000, 1_000_000, 10_000_000}, nil, growLedger},
		{"cases", "cases, each resolved once", []int{10_000, 100_000, 1_000_000}, nil, growCases},
	}
}

// BenchmarkGrowth resolves cases in exchanges that differ in the size of one thing,
// by turns, in one run: "ratio" is what a resolution costs at the largest size, in
// processor time of the exchange and of PostgreSQL, for each at the smallest, and
// "rss-MiB" what the exchange holds at the largest. A table says the rest. The sizes
// are made by statements, since only how much there is matters here.
func BenchmarkGrowth(b *testing.B) {
	tools, err := load.Build(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	sources, err := load.StartSources(tools)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = sources.Stop() })
	var written strings.Builder
	chart := report.Lines{Title: "Processor time for one resolution, the smallest size = 1", Unit: "ratio"}
	for _, s := range growthSeries() {
		if *growthShort {
			s.sizes = s.sizes[:len(s.sizes)-1]
		}
		b.Run(s.name, func(b *testing.B) {
			all := s.measure(b, tools, sources)
			table := growthTable(s, all)
			b.Log("\n" + table)
			written.WriteString(table)
			line := report.Series{Name: s.what}
			for _, g := range all {
				line.Points = append(line.Points, report.Point{Size: float64(g.size), Value: costRatio(g, all[0])})
			}
			chart.Series = append(chart.Series, line)
			b.ReportMetric(costRatio(all[len(all)-1], all[0]), "ratio")
			b.ReportMetric(all[len(all)-1].resident, "rss-MiB")
			b.ReportMetric(0, "ns/op")
		})
	}
	if *growthDocs == "" || len(chart.Series) != len(growthSeries()) {
		return // nothing, or a part, is not written
	}
	text := time.Now().UTC().Format(time.DateOnly) + "; at each size 8 callers, sources at 0 ms, medians of turns in one run.\n\n" +
		"![Cost by size](performance/growth.svg)\n\n" + written.String()
	if err := errors.Join(
		report.ReplaceSection(filepath.Join(*growthDocs, "performance.md"), "growth", text),
		os.WriteFile(filepath.Join(*growthDocs, "performance", "growth.svg"), chart.SVG(), 0o644),
	); err != nil {
		b.Fatal(err)
	}
}

// measure makes all sizes and gives each its turn in each round.
func (s *series) measure(b *testing.B, tools load.Tools, sources *load.RunningSources) []*grown {
	b.Helper()
	rounds, span := 5, 2*time.Second
	if *growthShort {
		rounds, span = 2, time.Second
	}
	// What autovacuum does, and when, is not to be measured: it is done before.
	cluster, err := load.StartPostgres(b.Context(), "autovacuum=off", "max_wal_size=16GB")
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = cluster.Close() }()
	var all []*grown
	for _, size := range s.sizes {
		begun := time.Now()
		g := s.start(b, tools, sources, cluster, size)
		defer func() { _ = g.node.Stop() }()
		b.Logf("%s: %s made in %s", s.name, report.Thousands(float64(size)), time.Since(begun).Round(time.Second))
		all = append(all, g)
	}
	for _, g := range all { // nothing is cold
		if _, err := load.Closed(b.Context(), g.target, 8, span); err != nil {
			b.Fatal(err)
		}
	}
	for round := range rounds {
		for i := range all {
			g := all[(i+round)%len(all)]
			result, err := load.Closed(b.Context(), g.target, 8, span)
			if err != nil || result.Failed > 0 {
				b.Fatal(err, result.FirstError)
			}
			g.took = append(g.took, result)
		}
	}
	for _, g := range all {
		if s.name == "catalog" {
			readGuides(b, g)
		}
		bytes, err := load.Resident(g.node.PID)
		if err != nil {
			b.Fatal(err)
		}
		g.resident = float64(bytes) / (1 << 20)
	}
	return all
}

func (s *series) start(b *testing.B, tools load.Tools, sources *load.RunningSources, cluster *pgtest.Cluster, size int) *grown {
	b.Helper()
	ctx := b.Context()
	g := &grown{size: size, addresses: sources.Addresses}
	var err error
	if g.database, err = cluster.CreateDatabase(ctx, fmt.Sprintf("%s_%d", s.name, size)); err != nil {
		b.Fatal(err)
	}
	config := load.ExchangeConfig{Tools: tools, Folder: b.TempDir(), Sources: sources, Database: g.database, DatabasePID: cluster.PID(), Cases: mattersResolved}
	if s.name == "catalog" {
		config.Fill = func(context.Context, string) error { s.fill(b, g); return nil }
		config.Matter = func(n int) string { return g.matter(n) }
	}
	x, err := load.PrepareExchange(ctx, config)
	if err != nil {
		b.Fatal(err)
	}
	if s.fill != nil && s.name != "catalog" {
		s.fill(b, g)
	}
	if g.node, err = x.StartNode(); err != nil {
		b.Fatal(err)
	}
	if _, err := g.node.OpenCases(ctx); err != nil {
		b.Fatal(err)
	}
	if g.target, err = g.node.Target(ctx, s.name, 0); err != nil {
		b.Fatal(err)
	}
	if err := g.target.Once(0); err != nil {
		b.Fatal(err)
	}
	if s.grow != nil {
		s.grow(b, g)
	}
	g.execute(b, "VACUUM ANALYZE", "CHECKPOINT")
	return g
}

// matter is that of the nth case: others than those of the cases before, all over
// the catalog.
func (g *grown) matter(n int) string {
	things := g.size / mattersOfThing
	return fmt.Sprintf("%s.M%d", thingCode(n*things/mattersResolved%things), 1+n%mattersOfThing)
}

func fillCatalog(b *testing.B, g *grown) {
	big := newMeasuredCatalog(b, g.addresses)
	s := openStore(b, g.database)
	big.save(b, s, g.size)
	var grants []policies.Grant
	seen := map[string]bool{}
	for n := range mattersResolved {
		if seen[g.matter(n)] {
			continue
		}
		seen[g.matter(n)] = true
		grants = append(grants, everyGrantTo(big.datasets(b), load.AskingDepartment, g.matter(n))...)
	}
	if err := s.SaveGrants(b.Context(), grants); err != nil {
		b.Fatal(err)
	}
}

// newMeasuredCatalog makes catalogs of any size out of the one of the measurement.
func newMeasuredCatalog(b *testing.B, addresses map[string]string) *bigCatalog {
	b.Helper()
	folder := b.TempDir()
	if err := load.WriteCatalog(folder, addresses); err != nil {
		b.Fatal(err)
	}
	files, err := catalog.Files(os.DirFS(folder))
	if err != nil {
		b.Fatal(err)
	}
	c := &bigCatalog{}
	for path, content := range files {
		if !catalog.IsOneThing(path) {
			c.ground = append(c.ground, catalog.Part{Path: path, Content: content})
		}
	}
	ground, err := catalog.LoadParts(c.ground)
	if err != nil {
		b.Fatal(err)
	}
	part := catalog.Part{Path: "one-things/" + placeholder + ".yaml", Content: []byte(load.OneThing(placeholder, mattersOfThing))}
	if err := ground.Check(&part); err != nil {
		b.Fatal(err)
	}
	c.templates = []template{{part.Content, part.Tree}}
	return c
}

func (c *bigCatalog) datasets(b *testing.B) []*catalog.Dataset {
	b.Helper()
	ground, err := catalog.LoadParts(c.ground)
	if err != nil {
		b.Fatal(err)
	}
	return ground.Datasets()
}

// everyGrantTo gives a department every field of the datasets for a matter.
func everyGrantTo(datasets []*catalog.Dataset, department, matter string) []policies.Grant {
	var grants []policies.Grant
	for _, d := range datasets {
		var fields []string
		for _, f := range d.Fields {
			fields = append(fields, f.Code)
		}
		grants = append(grants, policies.Grant{
			ID: matter + ":" + d.Code, Department: department, Matter: matter, Dataset: d.Code, Fields: fields,
			From: time.Now().Add(-time.Hour), Until: time.Now().AddDate(1, 0, 0), State: policies.GrantActive,
		})
	}
	return grants
}

// readGuides asks for ten thousand matters, so that what is kept in memory is full.
func readGuides(b *testing.B, g *grown) {
	b.Helper()
	random := rand.New(rand.NewPCG(5, 6))
	for range 10_000 {
		answer, err := http.Get(g.node.URL + "/guide/" + fmt.Sprintf("%s.M%d", thingCode(random.IntN(g.size/mattersOfThing)), 1+random.IntN(mattersOfThing)))
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, answer.Body) // the connection is used again
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			b.Fatalf("%s: %s", answer.Request.URL.Path, answer.Status)
		}
	}
}

// fillGrants copies the grants that there are: of a hundred departments, the asking
// one among them, each for matters of its own.
func fillGrants(b *testing.B, g *grown) {
	g.copyRows(b, "grants", "true", "r.n = 1", g.size, map[string]string{
		"id": "'copy:' || i", "matter": "'X' || i / 500 || '.M1'", "department": "CASE WHEN i / 5 % 100 = 0 THEN t.department ELSE 'D' || i / 5 % 100 END",
	})
}

// growLedger copies the entries of a resolution, for cases that there are not. They
// have no place in the sealed log: sealing reads no old entries, and
// BenchmarkLog_Grows in package store holds its cost against the log's size.
func growLedger(b *testing.B, g *grown) {
	g.copyRows(b, "ledger_entries", "t.resolution_id <> ''", "true", g.size, map[string]string{
		"case_id": moved("case_id"), "resolution_id": moved("resolution_id"), "body": begun,
	})
}

// begun is the beginning of a content: nobody reads that of a copy, and those of ten
// million entries and a million cases would fill the disk.
const begun = "substr(t.body, 1, 200)"

// growCases copies a case that has been resolved, with all rows that belong to it.
func growCases(b *testing.B, g *grown) {
	first := g.text(b, "SELECT case_id FROM resolutions LIMIT 1")
	tables := strings.Fields(g.text(b, `SELECT string_agg(relname, ' ' ORDER BY relname = 'cases' DESC, relname = 'resolutions' DESC, relname) FROM pg_class c
		WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition AND relname NOT LIKE 'ledger%'
		AND (relname = 'cases' OR EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname IN ('case_id', 'resolution_id')))
		AND NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'entry_id')`))
	for _, table := range tables {
		where := "t.case_id = '" + first + "'"
		if table == "cases" {
			where = "t.id = '" + first + "'"
		}
		if !g.hasColumn(b, table, "case_id") && table != "cases" {
			where = "t.resolution_id IN (SELECT id FROM resolutions WHERE case_id = '" + first + "')"
		}
		rows := 0
		if _, err := fmt.Sscan(g.text(b, fmt.Sprintf("SELECT count(*) FROM %s t WHERE %s", table, where)), &rows); err != nil {
			b.Fatal(err)
		}
		if rows == 0 {
			continue
		}
		g.copyRows(b, table, where, "true", g.size*rows, map[string]string{
			"id": moved("id"), "case_id": moved("case_id"), "resolution_id": moved("resolution_id"), "number": "'COPY-' || i", "body": begun,
		})
	}
}

// moved is an identifier of the ith copy.
func moved(column string) string {
	return fmt.Sprintf("CASE WHEN t.%[1]s = '' THEN '' ELSE overlay(t.%[1]s placing lpad(to_hex(i), 8, '0') from 29) END", column)
}

// copyRows copies rows of a table until there are about size more, with some columns
// otherwise: i counts the copies. Triggers of statements are kept from it, because
// they would have the copies worked on.
func (g *grown) copyRows(b *testing.B, table, where, which string, size int, otherwise map[string]string) {
	b.Helper()
	columns := strings.Fields(g.text(b, `SELECT string_agg(column_name, ' ' ORDER BY ordinal_position) FROM information_schema.columns
		WHERE table_schema = 'public' AND table_name = '`+table+`' AND is_identity = 'NO' AND is_generated = 'NEVER' AND COALESCE(column_default, '') NOT LIKE 'nextval%'`))
	values := make([]string, len(columns))
	for i, column := range columns {
		values[i] = "t." + column
		if expression, found := otherwise[column]; found {
			values[i] = expression
		}
	}
	type trigger struct {
		Name    string
		Enabled string
	}
	conn := g.connect(b)
	defer conn.Close(context.Background()) //nolint:errcheck // nothing is lost
	ctx := b.Context()
	rows, err := conn.Query(ctx, "SELECT tgname, tgenabled::text FROM pg_trigger WHERE tgrelid = $1::regclass AND NOT tgisinternal", table)
	if err != nil {
		b.Fatal(err)
	}
	triggers, err := pgx.CollectRows(rows, pgx.RowToStructByPos[trigger])
	if err != nil {
		b.Fatal(err)
	}
	statements := []string{"BEGIN", "SET LOCAL session_replication_role = replica"} // references hold by themselves
	for _, t := range triggers {
		statements = append(statements, fmt.Sprintf("ALTER TABLE %s DISABLE TRIGGER %s", table, t.Name))
	}
	statements = append(statements, fmt.Sprintf(`WITH t AS MATERIALIZED (SELECT * FROM (SELECT t.*, row_number() OVER () AS n FROM %s t WHERE %s) r WHERE %s)
		INSERT INTO %s (%s) SELECT %s FROM generate_series(1, greatest(%d / (SELECT count(*) FROM t), 1)) AS i, t`,
		table, where, which, table, strings.Join(columns, ", "), strings.Join(values, ", "), size))
	for _, t := range triggers {
		how := "ENABLE"
		if t.Enabled == "A" {
			how = "ENABLE ALWAYS"
		}
		statements = append(statements, fmt.Sprintf("ALTER TABLE %s %s TRIGGER %s", table, how, t.Name))
	}
	for _, statement := range append(statements, "COMMIT") {
		if _, err := conn.Exec(ctx, statement); err != nil {
			b.Fatalf("%s: %v", statement, err)
		}
	}
}

func (g *grown) connect(b *testing.B) *pgx.Conn {
	b.Helper()
	conn, err := pgx.Connect(b.Context(), g.database)
	if err != nil {
		b.Fatal(err)
	}
	return conn
}

func (g *grown) execute(b *testing.B, statements ...string) {
	b.Helper()
	conn := g.connect(b)
	defer conn.Close(context.Background()) //nolint:errcheck // nothing is lost
	for _, statement := range statements {
		if _, err := conn.Exec(b.Context(), statement); err != nil {
			b.Fatalf("%s: %v", statement, err)
		}
	}
}

// text gives the one value that a statement finds.
func (g *grown) text(b *testing.B, statement string) string {
	b.Helper()
	conn := g.connect(b)
	defer conn.Close(context.Background()) //nolint:errcheck // nothing is lost
	value := ""
	if err := conn.QueryRow(b.Context(), "SELECT ("+statement+")::text").Scan(&value); err != nil {
		b.Fatalf("%s: %v", statement, err)
	}
	return value
}

func (g *grown) hasColumn(b *testing.B, table, column string) bool {
	b.Helper()
	return g.text(b, "SELECT EXISTS (SELECT FROM information_schema.columns WHERE table_schema = 'public' AND table_name = '"+table+"' AND column_name = '"+column+"')") == "true"
}

// cost is what a resolution takes of the processors, in microseconds.
func cost(r load.Result) float64 { return micros(r.CPU + r.DatabaseCPU) }

// costRatio is the median of the ratios within a round.
func costRatio(g, to *grown) float64 {
	var ratios []float64
	for i := range g.took {
		ratios = append(ratios, cost(g.took[i])/cost(to.took[i]))
	}
	return load.Median(ratios)
}

func growthTable(s series, all []*grown) string {
	var t strings.Builder
	fmt.Fprintf(&t, "| %s | CPU µs | PostgreSQL µs | cost / smallest | p50 ms | p99 ms | memory MiB |\n| --- | --- | --- | --- | --- | --- | --- |\n", s.what)
	middle := func(g *grown, value func(load.Result) float64) float64 {
		var values []float64
		for _, r := range g.took {
			values = append(values, value(r))
		}
		return load.Median(values)
	}
	for _, g := range all {
		fmt.Fprintf(&t, "| %s | %.0f | %.0f | %.2f | %.2f | %.2f | %.0f |\n", report.Thousands(float64(g.size)),
			middle(g, func(r load.Result) float64 { return micros(r.CPU) }), middle(g, func(r load.Result) float64 { return micros(r.DatabaseCPU) }),
			costRatio(g, all[0]), middle(g, func(r load.Result) float64 { return micros(r.P50) / 1000 }), middle(g, func(r load.Result) float64 { return micros(r.P99) / 1000 }), g.resident)
	}
	return t.String() + "\n"
}

func TestGrowthSeries_BeginSmallAndGrowTenfold(t *testing.T) {
	t.Parallel()
	for _, s := range growthSeries() {
		if s.fill == nil && s.grow == nil {
			t.Errorf("%s does not grow", s.name)
		}
		for i := 1; i < len(s.sizes); i++ {
			if s.sizes[i] != 10*s.sizes[i-1] {
				t.Errorf("%s: %d after %d", s.name, s.sizes[i], s.sizes[i-1])
			}
		}
	}
}
