package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"mianti/connectors/guard"
	"mianti/exchange"
	"mianti/internal/keytest"
	"mianti/internal/pgtest"
	"mianti/keyring"
	"mianti/ledger"
	"mianti/safeguard"
)

// planned collects the plans of all statements that are run, as PostgreSQL itself
// tells them: those inside of triggers and functions too.
type planned struct {
	mu    sync.Mutex
	plans []plan
}

// plan is a statement with the tables that it touched, as often as it did.
type plan struct {
	Query   string `json:"Query Text"`
	Root    node   `json:"Plan"`
	touched []string
}

// node is a step of a plan.
type node struct {
	Relation string  `json:"Relation Name"`
	Loops    float64 `json:"Actual Loops"`
	Plans    []node
}

// relations adds the tables that a step and those below it touched.
func (n *node) relations(to []string) []string {
	if n.Relation != "" && n.Loops > 0 {
		to = append(to, n.Relation)
	}
	for i := range n.Plans {
		to = n.Plans[i].relations(to)
	}
	return to
}

func (p *planned) notice(_ *pgconn.PgConn, notice *pgconn.Notice) {
	_, text, found := strings.Cut(notice.Message, "plan:\n")
	if !found {
		return
	}
	var one plan
	if err := json.Unmarshal([]byte(text), &one); err != nil {
		one.Query = "not readable: " + err.Error() + ": " + text
	}
	one.touched = one.Root.relations(nil)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plans = append(p.plans, one)
}

// taken gives the plans so far and forgets them.
func (p *planned) taken() []plan {
	p.mu.Lock()
	defer p.mu.Unlock()
	plans := p.plans
	p.plans = nil
	return plans
}

// planning opens a store whose statements are explained as they run.
func planning(t *testing.T, url string) (*Store, *planned) {
	t.Helper()
	at, err := parseAddress(url)
	if err != nil {
		t.Fatal(err)
	}
	seen := &planned{}
	at.postgres.OnNotice = seen.notice
	for name, value := range map[string]string{
		"session_preload_libraries": "auto_explain", "auto_explain.log_min_duration": "0", "auto_explain.log_analyze": "on",
		"auto_explain.log_timing": "off", "auto_explain.log_format": "json", "auto_explain.log_level": "notice",
		"auto_explain.log_nested_statements": "on",
	} {
		at.postgres.RuntimeParams[name] = value
	}
	pool, err := at.connect(existing)
	if err != nil {
		t.Fatal(err)
	}
	limitConnections(pool, 0)
	s, err := newStore(t.Context(), at, pool, testClock)
	if err != nil {
		t.Fatal(err)
	}
	s.rules = safeguard.Defaults()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := s.Unlock(t.Context(), keytest.Keys(), keyring.AES256GCM); err != nil {
		t.Fatal(err)
	}
	return s, seen
}

// partitionOf gives the table that a name is a partition of, empty for none.
func partitionOf(relation string) string {
	for _, table := range []string{"ledger_entries", "accesses", "dataset_uses", "source_calls"} {
		if strings.HasPrefix(relation, table+"_") {
			return table
		}
	}
	return ""
}

// TestPartitions_EachHotQueryTouchesOne runs what a resolution does, from the opening of
// its case to the seal of its entries, twelve times, so that plans are kept and used
// again, with entries in an old partition and in the present one. No statement of it,
// and none inside of a trigger, touches more than one partition of a table, nor an
// old one.
func TestPartitions_EachHotQueryTouchesOne(t *testing.T) {
	t.Parallel()
	s, seen := planning(t, pgtest.Database(t))
	ready(t, s)
	addEntries(t, s, "old", "older")
	if _, err := s.KeepPartitions(t.Context()); err != nil {
		t.Fatal(err)
	}
	b, err := boundsOf(t.Context(), s.db, "ledger_entries")
	if err != nil {
		t.Fatal(err)
	}
	if b.N < 2 {
		t.Fatalf("%d partitions of entries, want the present one and one ahead", b.N)
	}
	if _, err := NewLog(s).Seal(t.Context(), testSigner(t), SealBatch); err != nil {
		t.Fatal(err)
	}
	execute(t, s, fmt.Sprintf("ALTER TABLE ledger_entries ALTER COLUMN id RESTART WITH %d", b.Newest))
	touched := map[string]int{}
	for n := range 12 {
		id := fmt.Sprintf("c%d", n)
		seen.taken()
		open(t, s, newCase(id, "JN-"+id))
		if _, err := s.ReserveKey(t.Context(), &exchange.Key{System: "spj", Value: id, Request: "r", At: testTime}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Case(t.Context(), "SPJ", id); err != nil {
			t.Fatal(err)
		}
		of := func(kind ledger.Kind) ledger.Entry {
			e := entry(kind, id)
			e.Resolution, e.Dataset, e.Grant, e.Ask = "r"+id, "D-GA01", "g1", "ask-"+id
			e.Concerns = []string{"somebody-" + id, "everybody"}
			return e
		}
		if err := s.AppendIntents(t.Context(), []ledger.Entry{of(ledger.Intent), of(ledger.Intent)}, []string{"p1", "p2"}); err != nil {
			t.Fatal(err)
		}
		commit := exchange.Commit{
			Resolution: newResolution("r"+id, id), Key: &exchange.Key{System: "spj", Value: id, Request: "r", At: testTime},
			Entries: []ledger.Entry{of(ledger.Outcome), of(ledger.Outcome), of(ledger.Resolved)},
		}
		if err := s.CommitResolution(t.Context(), commit); err != nil {
			t.Fatal(err)
		}
		if err := s.RecordCalls(t.Context(), []guard.Call{{Source: "GA.D-GA01.api", Dataset: "D-GA01", Department: "GA", In: testTime, Out: testTime, Back: testTime, Done: testTime, Result: "ok", Attempt: 1, Attempts: 1}}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Resolution(t.Context(), "SPJ", "r"+id); err != nil {
			t.Fatal(err)
		}
		if done, err := NewLog(s).Seal(t.Context(), testSigner(t), SealBatch); err != nil || done.Entries == 0 {
			t.Fatalf("sealed %d, %v", done.Entries, err)
		}
		for _, p := range seen.taken() {
			parts := map[string][]string{}
			for _, relation := range p.touched {
				touched[relation]++
				if of := partitionOf(relation); of != "" && !slices.Contains(parts[of], relation) {
					parts[of] = append(parts[of], relation)
				}
			}
			for table, several := range parts {
				if len(several) > 1 || strings.HasSuffix(several[0], "_first") && table != "source_calls" {
					t.Errorf("round %d: touched %v of %s:\n%s", n, several, table, p.Query)
				}
			}
		}
	}
	for _, relation := range []string{fmt.Sprintf("ledger_entries_from_%d", b.Newest), fmt.Sprintf("accesses_from_%d", b.Newest)} {
		if touched[relation] == 0 {
			t.Errorf("nothing touched %s, so this has shown nothing: %v", relation, touched)
		}
	}
}

func TestPartitions_OfAListByCaseAndByPersonGoOverAll(t *testing.T) {
	t.Parallel()
	s := openStore(t, Config{URL: pgtest.Database(t), Now: testClock})
	ready(t, s)
	open(t, s, newCase("c1", "JN-1"))
	if _, err := s.KeepPartitions(t.Context()); err != nil {
		t.Fatal(err)
	}
	b, err := boundsOf(t.Context(), s.db, "ledger_entries")
	if err != nil {
		t.Fatal(err)
	}
	execute(t, s, fmt.Sprintf("ALTER TABLE ledger_entries ALTER COLUMN id RESTART WITH %d", b.Newest))
	e := entry(ledger.FactsChanged, "c1")
	e.Concerns = []string{"somebody"}
	if err := s.Append(t.Context(), []ledger.Entry{e}); err != nil {
		t.Fatal(err)
	}
	if got := kinds(t, s, "c1"); !slices.Equal(got, []ledger.Kind{ledger.CaseOpened, ledger.FactsChanged}) {
		t.Errorf("entries of the case: %v", got)
	}
	if _, err := NewLog(s).Seal(t.Context(), testSigner(t), SealBatch); err != nil {
		t.Fatal(err)
	}
	if report := verify(t, s); len(report.Faults) > 0 {
		t.Errorf("the log over two partitions: %v", report.Faults)
	}
}

func TestKeepPartitions_MakesThemOnceAndAsOneOfMany(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	var nodes []*Store
	for range 3 {
		nodes = append(nodes, openStore(t, Config{URL: url, Now: testClock}))
	}
	var group sync.WaitGroup
	for _, s := range nodes {
		group.Go(func() {
			if _, err := s.KeepPartitions(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	first, err := nodes[0].KeepPartitions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	again, err := nodes[1].KeepPartitions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(first, again) {
		t.Errorf("made more without need: %v, then %v", first, again)
	}
	for _, p := range first {
		if p.Low || p.Partitions < 2 {
			t.Errorf("%+v", p)
		}
	}
}

func TestKeepPartitions_OfAFormerNumberAreAppendOnlyToo(t *testing.T) {
	t.Parallel()
	s := openStore(t, Config{URL: pgtest.Database(t), Now: testClock})
	if _, err := s.KeepPartitions(t.Context()); err != nil {
		t.Fatal(err)
	}
	b, err := boundsOf(t.Context(), s.db, "ledger_entries")
	if err != nil {
		t.Fatal(err)
	}
	execute(t, s, fmt.Sprintf("ALTER TABLE ledger_entries ALTER COLUMN id RESTART WITH %d", b.Newest))
	if err := s.Append(t.Context(), []ledger.Entry{entry(ledger.CaseOpened, "c1")}); err != nil {
		t.Fatal(err)
	}
	for _, relation := range []string{"ledger_entries", "ledger_entries_first", fmt.Sprintf("ledger_entries_from_%d", b.Newest)} {
		for _, statement := range []string{"UPDATE %s SET body = '{}'", "DELETE FROM %s", "TRUNCATE %s", "SET session_replication_role = replica; DELETE FROM %s"} {
			_, err := s.pool.ExecContext(t.Context(), fmt.Sprintf(statement, relation))
			if err == nil || !strings.Contains(err.Error(), "append-only") {
				t.Errorf("%s: %v, want a refusal", fmt.Sprintf(statement, relation), err)
			}
		}
	}
}

func TestKeepPartitions_SaysWhatIsLeftWhenItCannotMakeMore(t *testing.T) {
	t.Parallel()
	s := openStore(t, Config{URL: pgtest.Database(t), Now: testClock})
	execute(t, s, "ALTER TABLE ledger_entries ALTER COLUMN id RESTART WITH 33554000")
	execute(t, s, "DROP FUNCTION add_partition")
	if err := s.Append(t.Context(), []ledger.Entry{entry(ledger.CaseOpened, "c1")}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.KeepPartitions(t.Context()); err == nil {
		t.Fatal("made partitions without the means")
	}
	got, err := s.Partitions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range got {
		if p.Table == "ledger_entries" && (p.Left != 33554432-33554000-1 || !p.Low) {
			t.Errorf("%+v, want 431 entries left", p)
		}
	}
}

func TestWidthAt_IsAMonthOfEntries(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		entries int64
		in      time.Duration
		known   bool
		want    int64
	}{
		{0, 0, false, leastWidth},
		{1 << 20, 0, true, leastWidth},
		{1 << 20, 365 * 24 * time.Hour, true, leastWidth}, // slow
		{1 << 20, 24 * time.Hour, true, 1 << 25},          // 31 million a month
		{1 << 20, time.Minute, true, mostWidth},
	} {
		if got := widthAt(tt.entries, tt.in, tt.known); got != tt.want {
			t.Errorf("widthAt(%d, %s) = %d, want %d", tt.entries, tt.in, got, tt.want)
		}
	}
}

func TestSourceCalls_GoWithTheirMonth(t *testing.T) {
	t.Parallel()
	now := time.Date(2030, 6, 15, 12, 0, 0, 0, time.UTC)
	s := openStore(t, Config{URL: pgtest.Database(t), Now: func() time.Time { return now }})
	call := func(at time.Time) guard.Call {
		return guard.Call{Source: "s", Dataset: "d", Department: "GA", In: at, Done: at, Result: "ok"}
	}
	// They came before anybody had made their months.
	calls := []guard.Call{call(now), call(now.AddDate(0, -5, 0)), call(now.AddDate(0, -1, 0)), call(now.AddDate(1, 0, 0))}
	if err := s.RecordCalls(t.Context(), calls); err != nil {
		t.Fatal(err)
	}
	if _, err := s.KeepPartitions(t.Context()); err != nil {
		t.Fatal(err)
	}
	var moved int64
	if err := s.db.Raw("SELECT count(*) FROM source_calls_p203006").Scan(&moved).Error; err != nil || moved != 1 {
		t.Errorf("%d calls in the month that was made late, %v", moved, err)
	}
	before, err := boundsOf(t.Context(), s.db, callsTable)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.PurgeCalls(t.Context(), now.AddDate(0, 0, -60)); err != nil {
		t.Fatal(err)
	}
	after, err := boundsOf(t.Context(), s.db, callsTable)
	if err != nil {
		t.Fatal(err)
	}
	if after.N >= before.N {
		t.Errorf("%d partitions before and %d after, want fewer", before.N, after.N)
	}
	left, err := s.SourceCalls(t.Context(), "s", time.Time{}, 10)
	if err != nil || len(left) != 3 {
		t.Errorf("%d calls left, %v, want 3", len(left), err)
	}
}

// TestMigrate_MakesWhatThereIsTheFirstPartition brings a database with entries from the
// version before partitions to this one, twice at once.
func TestMigrate_MakesWhatThereIsTheFirstPartition(t *testing.T) {
	t.Parallel()
	eachEmptyURL(t, func(t *testing.T, url string) {
		migrateTo(t, url, 36)
		at, err := parseAddress(url)
		if err != nil {
			t.Fatal(err)
		}
		pool, err := at.connect(existing)
		if err != nil {
			t.Fatal(err)
		}
		statements := []string{
			"INSERT INTO ledger_entries (kind, case_id, resolution_id, at, body) VALUES ('first', '', '', 1763890200123456, '{}'), ('second', '', '', 1763890200123456, '{}')",
			"INSERT INTO accesses (entry_id, subject, case_id) VALUES (1, 'somebody', ''), (2, 'somebody', '')",
			"INSERT INTO source_calls (source, dataset, department, called_in, called_out, called_back, done, bytes, records, result, attempt, attempts, flags, warnings)" +
				" VALUES ('s', 'd', 'GA', 1763890200123456, 0, 0, 0, 0, 0, 'ok', 0, 0, 0, ''), ('s', 'd', 'GA', 4070908800000000, 0, 0, 0, 0, 0, 'ok', 0, 0, 0, '')",
		}
		if at.dialect == dialectPostgres {
			statements = append(statements, "DO $$ BEGIN CREATE ROLE mianti_reader; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
				"GRANT SELECT ON ledger_entries TO mianti_reader")
		}
		for _, statement := range statements {
			if _, err := pool.ExecContext(t.Context(), statement); err != nil {
				t.Fatalf("%s: %v", statement, err)
			}
		}
		if err := pool.Close(); err != nil {
			t.Fatal(err)
		}
		var group sync.WaitGroup
		failed := make([]error, 2)
		for i := range failed {
			if i == 0 || at.dialect == dialectPostgres {
				group.Go(func() { failed[i] = Migrate(t.Context(), url) })
			}
		}
		group.Wait()
		if err := errors.Join(failed...); err != nil {
			t.Fatal(err)
		}
		s := openStore(t, Config{URL: url, Now: testClock})
		row := entryRow{Kind: "third", At: At(testTime), Body: "{}"}
		if err := table[entryRow](s.db).Create(t.Context(), &row); err != nil || row.ID != 3 {
			t.Fatalf("the next entry has number %d, %v", row.ID, err)
		}
		for table, want := range map[string]int64{"ledger_entries": 3, "ledger_waiting": 3, "accesses": 2, "source_calls": 2} {
			var n int64
			if err := s.db.Table(table).Count(&n).Error; err != nil || n != want {
				t.Errorf("%d rows of %s, %v, want %d", n, table, err, want)
			}
		}
		_, err = s.pool.ExecContext(t.Context(), "DELETE FROM ledger_entries")
		if err == nil || !strings.Contains(err.Error(), "append-only") {
			t.Errorf("deleted entries: %v", err)
		}
		if s.dialect != dialectPostgres {
			return
		}
		var allowed, always bool
		if err := s.db.Raw("SELECT has_table_privilege('mianti_reader', 'ledger_entries', 'SELECT'), bool_and(tgenabled = 'A') FROM pg_trigger WHERE tgrelid = 'ledger_entries'::regclass AND NOT tgisinternal").Row().Scan(&allowed, &always); err != nil || !allowed || !always {
			t.Errorf("rights kept: %v, triggers always: %v, %v", allowed, always, err)
		}
		var indexes []byte
		if err := s.db.Raw("SELECT string_agg(indexname, ' ' ORDER BY indexname) FROM pg_indexes WHERE tablename IN ('ledger_entries', 'accesses')").Row().Scan(&indexes); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"ledger_entries_pkey", "ledger_entries_by_case", "accesses_pkey", "accesses_by_entry", "accesses_outcomes"} {
			if !bytes.Contains(indexes, []byte(name)) {
				t.Errorf("no index %s: %s", name, indexes)
			}
		}
	})
}
