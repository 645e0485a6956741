package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"

	"mianti/examples/jinan"
	"mianti/exchange"
	"mianti/internal/pgtest"
	"mianti/telemetry"
)

// TestPrivacy_NoIdentityLiesAnywhere resolves every case with all its faults, has
// people consent and officers answer, is refused and fails, and then searches the
// whole database and everything that was logged for everybody of the population.
func TestPrivacy_NoIdentityLiesAnywhere(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "privacy.db")
		searchEverything(t, "sqlite:"+path, func(t *testing.T) map[string]string {
			texts := tablesOf(t, "sqlite", "file:"+path, "SELECT name FROM sqlite_master WHERE type = 'table'", "SELECT * FROM %s")
			for _, suffix := range []string{"", "-wal"} {
				content, err := os.ReadFile(path + suffix)
				if err != nil {
					t.Fatal(err)
				}
				texts["the file"+suffix] = string(content)
			}
			return texts
		})
	})
	t.Run("postgres", func(t *testing.T) {
		url := pgtest.Database(t)
		searchEverything(t, url, func(t *testing.T) map[string]string {
			return tablesOf(t, "pgx", url, "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'", "SELECT * FROM %s")
		})
	})
}

// searchEverything does everything on a database, and searches what dump gives of
// it. A number that is planted has to be found, or the search proves nothing.
func searchEverything(t *testing.T, database string, dump func(*testing.T) map[string]string) {
	logged, spans := &lockedBuffer{}, &lockedBuffer{}
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(spans, r.Body) }))
	defer collector.Close()
	lines := telemetry.TraceLines(slog.NewJSONHandler(logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	d, err := startDemo(t.Context(), database, "127.0.0.1:0", slog.New(lines), func(s *exchangeSettings) {
		s.MetricsListen, s.TracesURL, s.TracesRatio = "127.0.0.1:0", collector.URL, 1
	})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	doEverything(t, d)
	all, texts := identitiesOf(t), dump(t)
	texts["the log"] = logged.String()
	texts["the metrics"] = textAt(t, "http://"+d.node.watch.listener.Addr().String()+"/metrics")
	texts["readyz"] = textAt(t, d.url+"/readyz")
	if err := d.node.watch.tracer.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	texts["the spans"] = spans.String() // texts stand in them as they are
	if !strings.Contains(texts["the metrics"], "mianti_database_up 1") {
		t.Error("the metrics tell nothing of the database")
	}
	for where, must := range map[string]string{
		"the metrics": `mianti_resolutions_total{one_thing="S01"`, "readyz": `{"ready":true`, "the spans": "commit resolution", "the log": `"trace_id":"`,
	} {
		if !strings.Contains(texts[where], must) {
			t.Errorf("there is no %s in %s: the search would prove nothing", must, where)
		}
	}
	for _, must := range []string{"cases", "resolutions", "assist_tasks", "consents", "ledger_entries", "case_results", "sessions", "jobs"} {
		if len(texts[must]) == 0 {
			t.Errorf("nothing lies in %s: the search would prove nothing", must)
		}
	}
	if !strings.Contains(texts["the log"], "/v1/cases/:id/resolutions") || !strings.Contains(texts["ledger_entries"], `"kind":"outcome"`) {
		t.Error("nothing was recorded or logged: the search would prove nothing")
	}
	for _, where := range slices.Sorted(maps.Keys(texts)) {
		if found := all.in(texts[where]); len(found) > 0 {
			t.Errorf("%s holds %q", where, found)
		}
	}
	plant(t, database, "370199198805163315")
	if found := all.in(dump(t)["jobs"]); len(found) == 0 {
		t.Error("what was planted in the queue was not found")
	}
}

// plant puts a text where an error of a job would stand.
func plant(t *testing.T, database, text string) {
	t.Helper()
	driver, dsn := "pgx", database
	if path, ok := strings.CutPrefix(database, "sqlite:"); ok {
		driver, dsn = "sqlite", "file:"+path
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	statement := "INSERT INTO jobs (id, kind, key, payload, state, run_at, claimable_at, owner, attempts, reason, created_at, ended_at)" +
		" VALUES ('planted', 'nobody', '', '{}', 'failed', 0, 0, '', 1, 'no such person: " + text + "', 0, 1)"
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// doEverything does whatever brings personal data in.
func doEverything(t *testing.T, d *demo) {
	t.Helper()
	cases, err := readCases(jinan.Files, "cases")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range cases {
		r, err := d.resolve(t.Context(), file.caseFile)
		if err != nil {
			t.Fatalf("%s: %v", file.Name, err)
		}
		c, err := d.as(t.Context(), d.handler(file.caseFile))
		if err != nil {
			t.Fatal(err)
		}
		// Asking for consents is refused where nobody needs to be asked.
		_ = c.call(t.Context(), http.MethodPost, "/v1/cases/"+r.Case+"/consents", map[string]any{}, nil)
		if err := c.call(t.Context(), http.MethodGet, "/v1/resolutions/"+r.ID, nil, nil); err != nil {
			t.Fatal(err)
		}
		reportAll(t.Context(), c, r)
	}
	answerAssists(t, d)
	decideConsents(t, d)
	goWrong(t, d)
}

// reportAll reports a result of every matter; those that wait are refused.
func reportAll(ctx context.Context, c *client, r *exchange.Resolution) {
	for _, m := range r.Matters {
		_ = c.call(ctx, http.MethodPost, "/v1/cases/"+r.Case+"/results", map[string]any{"matter": m.Code, "outcome": "granted", "number": "370199198503091176"}, nil)
	}
}

func answerAssists(t *testing.T, d *demo) {
	t.Helper()
	answered := 0
	for _, department := range d.catalog.Departments() {
		c, err := d.as(t.Context(), department.Code)
		if err != nil {
			t.Fatal(err)
		}
		var listed struct {
			Items []exchange.AssistTask `json:"items"`
		}
		if err := c.call(t.Context(), http.MethodGet, "/v1/assist-tasks?limit=200", nil, &listed); err != nil {
			t.Fatal(err)
		}
		for _, task := range listed.Items {
			answer := map[string]any{"result": "not_confirmed", "officer": "王建国", "note": "号码 370199198805163315 与李文博不符"}
			if c.call(t.Context(), http.MethodPost, "/v1/assist-tasks/"+task.ID+"/answer", answer, nil) == nil {
				answered++
			}
		}
	}
	if answered == 0 {
		t.Error("no officer answered anything")
	}
}

func decideConsents(t *testing.T, d *demo) {
	t.Helper()
	decided := 0
	for i, who := range []string{"wang", "zhao", "li", "chen", "zheng", "feng", "huang", "xu", "he"} {
		s := signInAs(t, d, "citizen", who)
		_, body := s.call(http.MethodGet, "/v1/consents", "")
		var listed struct {
			Items []exchange.Consent `json:"items"`
		}
		if err := json.Unmarshal([]byte(body), &listed); err != nil {
			t.Fatal(err)
		}
		for _, consent := range listed.Items {
			_, body := s.call(http.MethodGet, "/v1/consents/"+consent.ID, "")
			if err := json.Unmarshal([]byte(body), &consent); err != nil {
				t.Fatal(err)
			}
			decision := []string{"given", "refused"}[i%2]
			status, _ := s.call(http.MethodPost, "/v1/consents/"+consent.ID+"/decision", fmt.Sprintf(`{"decision":%q,"sheet_digest":%q}`, decision, consent.SheetDigest))
			if status == http.StatusOK {
				decided++
			}
		}
	}
	t.Logf("%d consents decided", decided)
}

// goWrong does what is refused and what fails, with people's data in it.
func goWrong(t *testing.T, d *demo) {
	t.Helper()
	c, err := d.as(t.Context(), "SPJ")
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []struct{ method, path, body string }{
		{http.MethodGet, "/v1/cases/370199198805163315", ""},
		{http.MethodGet, "/v1/resolutions/370199198805163315?name=%E7%8E%8B%E5%BB%BA%E5%9B%BD", ""},
		{http.MethodGet, "/370199198805163315/%E7%8E%8B%E5%BB%BA%E5%9B%BD", ""},
		{http.MethodPost, "/v1/cases", `{"number":"x","matter":"S01.M1","parties":[{"id":"王建国","kind":"person","name":"王建国","number":"370199198805163315","roles":["王建国"]}],"facts":{"王建国":"370199198805163315"}}`},
		{http.MethodPost, "/v1/cases", `{"王建国":"370199198805163315"}`},
	} {
		r, err := http.NewRequestWithContext(t.Context(), wrong.method, d.url+wrong.path, strings.NewReader(wrong.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+c.token)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
		r.Header.Set("Tracestate", "who=370199198805163315")
		r.Header.Set("Baggage", "who=370199198805163315,name=%E7%8E%8B%E5%BB%BA%E5%9B%BD")
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode < 400 {
			t.Errorf("%s %s: %d, want it refused", wrong.method, wrong.path, response.StatusCode)
		}
	}
}

// textAt gives what an address answers.
func textAt(t *testing.T, url string) string {
	t.Helper()
	response, err := http.Get(url) //nolint:noctx // this machine
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %v", url, response.StatusCode, err)
	}
	return string(body)
}

// tablesOf gives the content of every table as text.
func tablesOf(t *testing.T, driver, dsn, names, rows string) map[string]string {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	texts := map[string]string{}
	for _, name := range strings.Fields(allText(t, db, names)) {
		texts[name] = allText(t, db, fmt.Sprintf(rows, name))
	}
	return texts
}

// allText gives all columns of all rows of a query.
func allText(t *testing.T, db *sql.DB, query string) string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for rows.Next() {
		values := make([]sql.RawBytes, len(columns))
		into := make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		for _, value := range values {
			all.Write(value)
			all.WriteByte('\n')
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// lockedBuffer is a buffer that many goroutines may log to.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
