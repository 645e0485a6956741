package telemetry_test

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"mianti/connectors/guard"
	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/ledger/anchor"
	"mianti/policies"
	"mianti/store"
	"mianti/telemetry"
)

var update = flag.Bool("update", false, "write the table of docs/observe.md anew")

// whole gives metrics of which everything is watched.
func whole() *telemetry.Metrics {
	m := telemetry.New(telemetry.Program{Version: "v1", Go: "go1", Ruleset: "r1"}, time.Now)
	m.WatchDatabase(&database{}, func(context.Context) (int, error) { return 7, nil }, func() time.Time { return time.Unix(1_800_000_000, 0) })
	m.WatchSources(sources{})
	m.WatchAdmission(func() []telemetry.Admission {
		return []telemetry.Admission{{Class: "work", Active: 1, Admitted: 5, Refused: 2, Overloaded: true}}
	})
	m.WatchReady(func(context.Context) map[string]bool { return map[string]bool{"database": true, "keys": false} })
	m.WatchDisk(func() (uint64, error) { return 1 << 30, nil })
	return m
}

// database answers a survey, unless it is away.
type database struct {
	away     bool
	surveyed int
}

func (d *database) Survey(context.Context) (*store.Survey, error) {
	d.surveyed++
	if d.away {
		return nil, errors.New("no route to 370199198805163315")
	}
	at := time.Unix(1_800_000_000, 0)
	return &store.Survey{
		Primary: true, Jobs: []store.JobCount{{Kind: "event", Due: 3, Failed: 1, Oldest: at}}, Unsealed: 2, OldestUnsealed: at, Checkpoint: at,
		LedgerSize: 9, Alarms: map[string]int64{"fan_out": 1}, Stops: map[string]int64{"grant": 1}, CredentialEnds: map[string]time.Time{"GA": at},
		Replicas: []store.ReplicaLag{{Name: "standby", Bytes: 10, Time: time.Second}}, ClockOffset: 2 * time.Second, ClockDoubt: time.Second,
	}, nil
}

func (d *database) AnchorStates(context.Context) ([]anchor.State, error) {
	return []anchor.State{{Kind: anchor.Witness, Name: "witness.example", Size: 8, Kept: time.Unix(1_800_000_000, 0), Trouble: "away"}}, nil
}

func (d *database) PoolStats() sql.DBStats { return sql.DBStats{MaxOpenConnections: 16, InUse: 4} }

type sources struct{}

func (sources) Health() []guard.Health {
	return []guard.Health{{Source: "ga.rest", Department: "GA", State: guard.StatePaused, Since: time.Unix(1_800_000_000, 0)}}
}
func (sources) Lost() int64 { return 3 }

// scrape gives what /metrics answers, without its comments.
func scrape(t testing.TB, m *telemetry.Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("/metrics: %d %s", w.Code, w.Body)
	}
	var lines []string
	for line := range strings.Lines(w.Body.String()) {
		if !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

// wantLines asks for each of these lines.
func wantLines(t *testing.T, text string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no line %s", line)
		}
	}
}

func TestMetrics_CountWhatHappens(t *testing.T) {
	t.Parallel()
	m := whole()
	o := telemetry.NewObserver(m, nil, time.Now)
	r := httptest.NewRequest(http.MethodGet, "/v1/cases/123", nil)
	for _, status := range []int{200, 200, 503, 999} {
		o.End(o.Begin(r, "/v1/cases/:id"), "/v1/cases/:id", "GET", status, 20*time.Millisecond)
	}
	now := time.Now()
	call := guard.Call{Source: "ga.rest", Department: "GA", In: now, Out: now, Back: now.Add(30 * time.Millisecond), Result: "ok", Attempt: 1, Warnings: []string{"clock_skew"}}
	o.Called(call)
	call.Attempt, call.Warnings = 2, nil
	o.Called(call)
	o.Called(guard.Call{Source: "ga.rest", Department: "GA", Result: "paused"})
	o.Called(guard.Call{Source: "ga.rest", Department: "GA", Result: "ok", Coalesced: true})
	m.Committed(4, 7, 3*time.Millisecond, false)
	m.Alarmed("fan_out", "person")
	m.Expires("tls_certificate", "", time.Unix(1_800_000_000, 0))
	wantLines(t, scrape(t, m),
		`mianti_requests_total{method="GET",route="/v1/cases/:id",status="200"} 2`,
		`mianti_requests_total{method="GET",route="/v1/cases/:id",status="503"} 1`,
		`mianti_request_duration_seconds_bucket{class="2xx",route="/v1/cases/:id",le="0.025"} 2`,
		`mianti_request_duration_seconds_count{class="other",route="/v1/cases/:id"} 1`,
		`mianti_requests_in_flight 0`,
		`mianti_source_calls_total{department="GA",result="ok",source="ga.rest",try="first"} 1`,
		`mianti_source_calls_total{department="GA",result="ok",source="ga.rest",try="again"} 1`,
		`mianti_source_calls_total{department="GA",result="ok",source="ga.rest",try="shared"} 1`,
		`mianti_source_calls_total{department="GA",result="paused",source="ga.rest",try="refused"} 1`,
		`mianti_source_call_duration_seconds_count{department="GA",source="ga.rest"} 2`,
		`mianti_source_warnings_total{source="ga.rest",warning="clock_skew"} 1`,
		`mianti_source_state{department="GA",source="ga.rest",state="paused"} 1`,
		`mianti_source_state{department="GA",source="ga.rest",state="well"} 0`,
		`mianti_source_calls_unrecorded_total 3`,
		`mianti_committer_batch_size_sum 4`, `mianti_committer_queue_length 7`,
		`mianti_alarms_total{kind="fan_out",of="person"} 1`,
		`mianti_expiry_timestamp_seconds{department="",what="tls_certificate"} 1.8e+09`,
		`mianti_database_up 1`, `mianti_database_connections_used 4`, `mianti_catalog_revision 7`, `mianti_clock_offset_seconds 1.5`,
		`mianti_jobs_due{kind="event"} 3`, `mianti_ledger_anchor_failing{anchor="witness.example",kind="`+string(anchor.Witness)+`"} 1`,
		`mianti_credential_expiry_timestamp_seconds{department="GA"} 1.8e+09`, `mianti_database_replica_lag_seconds{replica="standby"} 1`,
		`mianti_admission_decisions_total{class="work",decision="refused"} 2`, `mianti_ready{part="keys"} 0`, `mianti_disk_free_bytes 1.073741824e+09`,
		`mianti_backup_timestamp_seconds 1.8e+09`, `mianti_build_info{go="go1",ruleset="r1",version="v1"} 1`,
	)
}

// kept is a store of resolutions and entries that may fail.
type kept struct {
	exchange.Resolutions
	exchange.Journal
	err error
}

func (k *kept) CommitResolution(context.Context, exchange.Commit) error       { return k.err }
func (k *kept) AppendIntents(context.Context, []ledger.Entry, []string) error { return k.err }
func (k *kept) Append(ctx context.Context, entries []ledger.Entry) error      { return k.err }

func TestMetrics_CountWhatWasCommittedAndNothingElse(t *testing.T) {
	t.Parallel()
	m := whole()
	o := telemetry.NewObserver(m, nil, time.Now)
	k := &kept{}
	resolutions, journal := o.Resolutions(k), o.Journal(k)
	first := exchange.Commit{Resolution: &exchange.Resolution{Version: 1, OneThing: "S01", Status: exchange.StatusComplete, Materials: []exchange.MaterialResult{
		{Outcome: policies.Settled, Mode: "data", Reason: exchange.Reason{Code: "data_valid"}}, {Outcome: policies.Upload, Reason: exchange.Reason{Code: "no_grant"}},
	}}}
	later := exchange.Commit{Resolution: &exchange.Resolution{Version: 2, OneThing: "S01", Status: exchange.StatusComplete, Materials: first.Resolution.Materials}}
	ctx := t.Context()
	for _, c := range []exchange.Commit{first, later} {
		if err := resolutions.CommitResolution(ctx, c); err != nil {
			t.Fatal(err)
		}
	}
	refused := fault.New(fault.Exhausted, "quota-exceeded", "…")
	for _, err := range []error{nil, refused, fault.New(fault.Conflict, "changed", "…"), errors.New("away")} {
		k.err = err
		if got := journal.AppendIntents(ctx, nil, nil); !errors.Is(got, err) {
			t.Errorf("got %v, want what the journal says: %v", got, err)
		}
	}
	if resolutions.CommitResolution(ctx, first) == nil { // away: nothing to count
		t.Error("a failure was lost")
	}
	wantLines(t, scrape(t, m),
		`mianti_resolutions_total{one_thing="S01",status="complete",version="first"} 1`,
		`mianti_resolutions_total{one_thing="S01",status="complete",version="later"} 1`,
		`mianti_materials_total{mode="data",outcome="settled",reason="data_valid"} 1`,
		`mianti_materials_total{mode="",outcome="upload",reason="no_grant"} 1`,
		`mianti_quota_refusals_total{code="quota-exceeded"} 1`,
		`mianti_commit_wait_seconds_count{result="ok",step="intents"} 1`, `mianti_commit_wait_seconds_count{result="quota",step="intents"} 1`,
		`mianti_commit_wait_seconds_count{result="conflict",step="intents"} 1`, `mianti_commit_wait_seconds_count{result="failed",step="intents"} 1`,
		`mianti_commit_wait_seconds_count{result="failed",step="resolution"} 1`,
	)
}

func TestMetrics_HaveABoundedNumberOfSeries(t *testing.T) {
	t.Parallel()
	m := whole()
	o := telemetry.NewObserver(m, nil, time.Now)
	resolutions := o.Resolutions(&kept{})
	for i := range 5000 {
		o.Called(guard.Call{Source: fmt.Sprint("s", i), Department: "D", Result: "down"})
		c := exchange.Commit{Resolution: &exchange.Resolution{Version: 1, OneThing: fmt.Sprint("T", i), Status: exchange.StatusComplete}}
		if err := resolutions.CommitResolution(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	text := scrape(t, m)
	if n := strings.Count(text, "mianti_source_calls_total{"); n != 1001 {
		t.Errorf("%d series of sources, want 1000 and one for the others", n)
	}
	if n := strings.Count(text, "mianti_resolutions_total{"); n != 201 {
		t.Errorf("%d series of one-things, want 200 and one for the others", n)
	}
	wantLines(t, text, `mianti_source_calls_total{department="D",result="down",source="other",try="refused"} 4000`)
}

func TestSurvey_SaysThatTheDatabaseIsAwayAndAsksItSeldom(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	m := telemetry.New(telemetry.Program{}, func() time.Time { return now })
	d := &database{away: true}
	m.WatchDatabase(d, func(context.Context) (int, error) { return 1, nil }, func() time.Time { return time.Time{} })
	for range 20 {
		text := scrape(t, m)
		wantLines(t, text, "mianti_database_up 0", "mianti_database_connections_limit 16")
		if strings.Contains(text, "mianti_ledger") || strings.Contains(text, "370199") {
			t.Errorf("told of a database that is away: %s", text)
		}
	}
	if d.surveyed != 1 {
		t.Errorf("%d surveys within ten seconds, want 1", d.surveyed)
	}
	d.away = false
	now = now.Add(10 * time.Second)
	wantLines(t, scrape(t, m), "mianti_database_up 1", "mianti_ledger_size 9", "mianti_backup_timestamp_seconds 0", "mianti_catalog_seen_timestamp_seconds 1.80000001e+09")
}

// TestHandler_ServesNothingElse: what stands on the listener of the metrics is for operators.
func TestHandler_ServesNothingElse(t *testing.T) {
	t.Parallel()
	for target, want := range map[string]int{"/metrics": 200, "/": 404, "/debug/pprof/": 404, "/v1/cases": 404} {
		w := httptest.NewRecorder()
		whole().Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
		if w.Code != want {
			t.Errorf("%s: %d, want %d", target, w.Code, want)
		}
	}
}

const (
	tableBegins = "<!-- metrics: written by go test ./telemetry -run TestDocs -update -->\n"
	tableEnds   = "<!-- end of metrics -->"
	observeDoc  = "../docs/observe.md"
)

func TestDocs_ListEveryMetric(t *testing.T) {
	t.Parallel()
	listed := whole().Listed()
	slices.SortFunc(listed, func(a, b telemetry.Described) int { return strings.Compare(a.Name, b.Name) })
	var want strings.Builder
	want.WriteString("| metric | kind | labels | meaning |\n| --- | --- | --- | --- |\n")
	for _, d := range listed {
		labels := "–"
		if len(d.Labels) > 0 {
			labels = "`" + strings.Join(d.Labels, "`, `") + "`"
		}
		fmt.Fprintf(&want, "| `%s` | %s | %s | %s |\n", d.Name, d.Kind, labels, d.Help)
	}
	text, err := os.ReadFile(observeDoc)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), tableBegins)
	have, after, ends := strings.Cut(rest, tableEnds)
	if !found || !ends {
		t.Fatalf("%s has no place for the table", observeDoc)
	}
	if have == want.String() {
		return
	}
	if !*update {
		t.Fatalf("the table of %s is not of these metrics: go test ./telemetry -run TestDocs -update", observeDoc)
	}
	if err := os.WriteFile(observeDoc, []byte(before+tableBegins+want.String()+tableEnds+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

// BenchmarkObserve is what watching costs a request: the whole of it.
func BenchmarkObserve(b *testing.B) {
	m := whole()
	o := telemetry.NewObserver(m, nil, time.Now)
	r := httptest.NewRequest(http.MethodGet, "/v1/cases/123", nil)
	call := guard.Call{Source: "ga.rest", Department: "GA", Result: "ok", Attempt: 1, Out: time.Unix(1, 0), Back: time.Unix(2, 0)}
	resolution := &exchange.Resolution{Version: 1, OneThing: "S01", Status: exchange.StatusComplete, Materials: make([]exchange.MaterialResult, 20)}
	resolutions, journal := o.Resolutions(&kept{}), o.Journal(&kept{})
	b.Run("request", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			o.End(o.Begin(r, "/v1/cases/:id"), "/v1/cases/:id", "GET", 200, time.Millisecond)
		}
	})
	b.Run("call", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			o.Called(call)
		}
	})
	b.Run("resolution", func(b *testing.B) { // with two commits, five calls and twenty materials
		b.ReportAllocs()
		for b.Loop() {
			ctx := o.Begin(r, "/v1/cases/:id/resolutions")
			_ = journal.AppendIntents(ctx, nil, nil)
			for range 5 {
				o.Called(call)
			}
			_ = resolutions.CommitResolution(ctx, exchange.Commit{Resolution: resolution})
			o.End(ctx, "/v1/cases/:id/resolutions", "POST", 201, time.Millisecond)
		}
	})
	b.Run("scrape", func(b *testing.B) {
		for b.Loop() {
			scrape(b, m)
		}
	})
}
