package bench

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"mianti/bench/load"
	"mianti/internal/pgtest"
)

// scaleBed is an exchange on a durable PostgreSQL, with five departments.
type scaleBed struct {
	cluster  *pgtest.Cluster
	database string
	exchange *load.Exchange
}

func newScaleBed(b *testing.B, systems, cases int) *scaleBed {
	b.Helper()
	folder := b.TempDir()
	// Built programs are found from the module's folder.
	if err := os.Chdir(".."); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = os.Chdir("bench") })
	tools, err := load.Build(folder)
	if err != nil {
		b.Fatal(err)
	}
	sources, err := load.StartSources(tools)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = sources.Stop() })
	cluster, err := load.StartPostgres(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = cluster.Close() })
	database, err := cluster.CreateDatabase(b.Context(), "mianti")
	if err != nil {
		b.Fatal(err)
	}
	exchange, err := load.PrepareExchange(b.Context(), load.ExchangeConfig{
		Tools: tools, Folder: folder, Sources: sources, Database: database, DatabasePID: cluster.PID(), Systems: systems, Cases: cases,
	})
	if err != nil {
		b.Fatal(err)
	}
	return &scaleBed{cluster: cluster, database: database, exchange: exchange}
}

func (s *scaleBed) start(b *testing.B, wrap ...string) *load.Node {
	b.Helper()
	node, err := s.exchange.StartNode(wrap...)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = node.Stop() })
	if err := node.Ready(b.Context(), 30*time.Second); err != nil {
		b.Fatal(err)
	}
	return node
}

// capAt is the part of a core that each node is given, so that on a machine of two
// cores the nodes are what is short, and neither PostgreSQL nor the sources are.
const capAt = 0.20

// capped keeps a process to a part of a core, where this machine lets us; the cgroup's
// period is short, so that a request is held up by milliseconds.
func capped(b *testing.B, name string, pid int) bool {
	b.Helper()
	const period = 20000 // µs
	quota := int(capAt * period)
	for root, files := range map[string]map[string]string{
		"/sys/fs/cgroup/cpu": {"cpu.cfs_period_us": strconv.Itoa(period), "cpu.cfs_quota_us": strconv.Itoa(quota)},
		"/sys/fs/cgroup":     {"cpu.max": fmt.Sprintf("%d %d", quota, period)},
	} {
		folder := filepath.Join(root, fmt.Sprintf("mianti-bench-%d-%s", os.Getpid(), name))
		if os.Mkdir(folder, 0o755) != nil {
			continue
		}
		// A group ends when no process is in it.
		b.Cleanup(func() { _ = os.Remove(folder) })
		done := true
		for _, file := range slices.Sorted(mapKeys(files)) {
			done = done && os.WriteFile(filepath.Join(folder, file), []byte(files[file]), 0o644) == nil
		}
		if done && os.WriteFile(filepath.Join(folder, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0o644) == nil {
			return true
		}
	}
	return false
}

func mapKeys(m map[string]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// slice is what one slice of load came to, over the nodes under it.
type slice struct {
	perSecond, node, database float64 // µs of processor time for one resolution
	busy                      float64 // cores that the database kept busy
	shed                      float64 // requests
}

// under puts nodes under load at once.
func under(b *testing.B, nodes []*load.Node, callers int, span time.Duration) slice {
	b.Helper()
	targets := make([]*load.Target, len(nodes))
	for i, n := range nodes {
		t, err := n.Target(b.Context(), "node", i)
		if err != nil {
			b.Fatal(err)
		}
		if i > 0 {
			t.DatabasePID = 0 // counted once
		}
		targets[i] = t
	}
	results, errs := make([]load.Result, len(nodes)), make([]error, len(nodes))
	var group sync.WaitGroup
	for i, t := range targets {
		group.Go(func() { results[i], errs[i] = load.Closed(b.Context(), t, callers, span) })
	}
	group.Wait()
	var out slice
	requests, node, database := 0, time.Duration(0), time.Duration(0)
	for i, r := range results {
		// A node that is held to a part of a core may shed what it would answer late.
		if errs[i] != nil || r.Failed > r.Requests/10 {
			b.Fatalf("%d of %d failed, %v, %v", r.Failed, r.Requests+r.Failed, errs[i], r.FirstError)
		}
		requests += r.Requests
		out.shed += float64(r.Failed)
		out.perSecond += r.PerSecond
		node += r.CPU * time.Duration(r.Requests)
		database += r.DatabaseCPU * time.Duration(r.Requests)
	}
	out.node, out.database = float64(node.Microseconds())/float64(requests), float64(database.Microseconds())/float64(requests)
	out.busy = database.Seconds() / results[0].Elapsed.Seconds()
	return out
}

func medianOf(all []slice, of func(slice) float64) float64 {
	values := make([]float64, len(all))
	for i, s := range all {
		values[i] = of(s)
	}
	return load.Median(values)
}

// BenchmarkTwoNodes sets two nodes on one PostgreSQL beside one of them, by turns.
//
//   - capped: each node has a fifth of a core, which is what is short then; two of
//     them on a machine of many cores and PostgreSQL on another are like it.
//   - pinned: each node is on one core of its own, and shares it with PostgreSQL, the
//     sources and the callers. On two cores these are what is short: what one node
//     leaves of its core is no more than they need. cores-busy says how many
//     of the machine's cores PostgreSQL alone has kept busy.
//
// ratio is of throughput. by-cost is what it would be were each node's core its own: two,
// by how much dearer a resolution gets when there are two nodes.
func BenchmarkTwoNodes(b *testing.B) {
	const rounds, span, callers = 7, 2 * time.Second, 4
	bed := newScaleBed(b, 2, 512)
	for _, how := range []string{"capped", "pinned"} {
		b.Run(how, func(b *testing.B) {
			wraps := [][]string{nil, nil}
			if how == "pinned" {
				wraps = [][]string{{"taskset", "-c", "0"}, {"taskset", "-c", "1"}}
			}
			var nodes []*load.Node
			for i, wrap := range wraps {
				node := bed.start(b, wrap...)
				if i == 0 {
					if _, err := node.OpenCases(b.Context()); err != nil {
						b.Fatal(err)
					}
				}
				nodes = append(nodes, node)
			}
			nodes[1].Adopt(nodes[0].Cases())
			if how == "capped" {
				for i, node := range nodes {
					if !capped(b, strconv.Itoa(i), node.PID) {
						b.Skip("this machine lets us cap nothing: run it as root, with cgroups")
					}
				}
			}
			under(b, nodes, callers, span) // warm
			var one, two []slice
			for range rounds {
				one = append(one, under(b, nodes[:1], callers, span))
				two = append(two, under(b, nodes, callers, span))
			}
			perSecond := func(s slice) float64 { return s.perSecond }
			node, database := func(s slice) float64 { return s.node }, func(s slice) float64 { return s.database }
			b.ReportMetric(medianOf(one, perSecond), "one/s")
			b.ReportMetric(medianOf(two, perSecond), "two/s")
			b.ReportMetric(medianOf(two, perSecond)/medianOf(one, perSecond), "ratio")
			b.ReportMetric(medianOf(one, node), "node-µs-one")
			b.ReportMetric(medianOf(two, node), "node-µs-two")
			b.ReportMetric(2*medianOf(one, node)/medianOf(two, node), "by-cost")
			b.ReportMetric(medianOf(one, database), "db-µs-one")
			b.ReportMetric(medianOf(two, database), "db-µs-two")
			b.ReportMetric(medianOf(two, func(s slice) float64 { return s.busy }), "db-cores-busy")
			b.ReportMetric(medianOf(two, func(s slice) float64 { return s.shed }), "shed-two")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkUnitCosts measures what one case and one resolution of it cost: processor
// time of a node and of PostgreSQL, write-ahead log, and rows and bytes in each
// table, indexes included. docs/scale.md reckons with these.
func BenchmarkUnitCosts(b *testing.B) {
	const n = 4000
	bed := newScaleBed(b, 1, n)
	node := bed.start(b)
	conn, err := pgx.Connect(b.Context(), bed.database)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close(context.Background())
	before := footprint(b, conn)
	if _, err := node.OpenCases(b.Context()); err != nil {
		b.Fatal(err)
	}
	opened := settled(b, conn)
	target, err := node.Target(b.Context(), "mianti", 0)
	if err != nil {
		b.Fatal(err)
	}
	// Each case once.
	result, err := load.Fixed(b.Context(), target, 400, 32, n/400*time.Second)
	if err != nil || result.Failed > 0 {
		b.Fatalf("%d failed, %v, %v", result.Failed, err, result.FirstError)
	}
	resolved := settled(b, conn)
	reportTables(b, "case", before, opened, n)
	reportTables(b, "resolution", opened, resolved, result.Requests)
	b.ReportMetric(float64(result.CPU.Microseconds()), "node-µs")
	b.ReportMetric(float64(result.DatabaseCPU.Microseconds()), "db-µs")
	b.ReportMetric(float64(resolved.wal-opened.wal)/float64(result.Requests), "wal-B")
	b.ReportMetric(float64(resolved.bytes()-opened.bytes())/float64(result.Requests), "B")
	b.ReportMetric(0, "ns/op")
}

// footprints are what is in a database.
type footprints struct {
	wal    int64
	tables map[string]tableSize
}

type tableSize struct{ rows, bytes int64 }

func (f footprints) bytes() (total int64) {
	for _, t := range f.tables {
		total += t.bytes
	}
	return total
}

// settled waits until all entries are sealed, so that their places are counted.
func settled(b *testing.B, conn *pgx.Conn) footprints {
	b.Helper()
	for begun := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		var waiting int64
		if err := conn.QueryRow(b.Context(), "SELECT count(*) FROM ledger_pending").Scan(&waiting); err != nil {
			b.Fatal(err)
		}
		if waiting == 0 {
			return footprint(b, conn)
		}
		if time.Since(begun) > time.Minute {
			b.Fatal("entries are not sealed")
		}
	}
}

// footprint counts rows and bytes of every table, its partitions with it.
func footprint(b *testing.B, conn *pgx.Conn) footprints {
	b.Helper()
	f := footprints{tables: map[string]tableSize{}}
	if err := conn.QueryRow(b.Context(), "SELECT (pg_current_wal_lsn() - '0/0')::bigint").Scan(&f.wal); err != nil {
		b.Fatal(err)
	}
	const statement = `SELECT COALESCE(i.inhparent::regclass::text, c.relname), SUM(pg_total_relation_size(c.oid))::bigint
FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace GROUP BY 1`
	rows, err := conn.Query(b.Context(), statement)
	if err != nil {
		b.Fatal(err)
	}
	var name string
	var bytes int64
	if _, err := pgx.ForEachRow(rows, []any{&name, &bytes}, func() error {
		f.tables[name] = tableSize{bytes: bytes}
		return nil
	}); err != nil {
		b.Fatal(err)
	}
	for name, size := range f.tables {
		if err := conn.QueryRow(b.Context(), "SELECT count(*) FROM "+pgx.Identifier{name}.Sanitize()).Scan(&size.rows); err != nil {
			b.Fatal(err)
		}
		f.tables[name] = size
	}
	return f
}

// reportTables prints what each table has gained for one of n.
func reportTables(b *testing.B, of string, before, after footprints, n int) {
	b.Helper()
	var lines []string
	names := make([]string, 0, len(after.tables))
	for name := range after.tables {
		names = append(names, name)
	}
	slices.SortFunc(names, func(x, y string) int {
		return cmp.Or(-cmp.Compare(after.tables[x].bytes-before.tables[x].bytes, after.tables[y].bytes-before.tables[y].bytes), cmp.Compare(x, y))
	})
	for _, name := range names {
		rows, bytes := after.tables[name].rows-before.tables[name].rows, after.tables[name].bytes-before.tables[name].bytes
		if bytes > 0 {
			lines = append(lines, fmt.Sprintf("%-22s %6.2f rows %7.0f B", name, float64(rows)/float64(n), float64(bytes)/float64(n)))
		}
	}
	b.Logf("one %s (write-ahead log %.0f B):\n%s", of, float64(after.wal-before.wal)/float64(n), strings.Join(lines, "\n"))
}
