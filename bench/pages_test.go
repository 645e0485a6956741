package bench

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"mianti/internal/demotest"
	"mianti/internal/pgtest"
)

// BenchmarkPages opens the pages that people use all day, at the demonstration, with
// 1 000 000 cases in its PostgreSQL. It reports the slowest page's 99th percentile
// ("ms-p99", measured by the visitor) and the most that a first view transfers, with
// style and script ("KB").
func BenchmarkPages(b *testing.B) {
	database := pgtest.Database(b)
	demo, err := demotest.Start(b.Context(), b.TempDir(), "--database="+database)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(demo.Stop)
	manyCases(b, database, 1_000_000)
	visits := map[string][]string{
		"staff/clerk": {
			"/clerk", "/clerk?state=done", "/clerk?state=closed&order=oldest", "/clerk?number=JN-99", "/clerk?subject=S01", "/clerk/assist", "/clerk/followup",
			"/clerk/lookups", "/batch",
		},
		"staff/sharing": {"/department", "/department/uses", "/department/sharing", "/department/assists", "/department/corrections", "/department/grants", "/department/sources"},
		"staff/editor":  {"/catalog", "/catalog/matters", "/catalog/materials", "/catalog/materials/S01.M1.d", "/catalog/one-things/S04", "/catalog/trial?subject=S07", "/catalog/health", "/overview"},
		"citizen/wang":  {"/", "/?q=孩子", "/guide/S07", "/guide/S04?agent=false", "/my", "/my/accesses"},
	}
	visitors := map[string]*http.Client{}
	for who := range visits {
		visitors[who] = enter(b, demo.Address, who)
	}
	took, most := map[string][]time.Duration{}, 0
	for b.Loop() {
		for who, paths := range visits {
			for _, path := range paths {
				begun := time.Now()
				body := get(b, visitors[who], demo.Address+path)
				took[path] = append(took[path], time.Since(begun))
				if len(took[path]) == 1 {
					most = max(most, len(body)+assetsOf(b, visitors[who], demo.Address, body))
				}
			}
		}
	}
	slowest, worst := time.Duration(0), ""
	for path, all := range took {
		slices.Sort(all)
		if p99 := all[(len(all)*99-1)/100]; p99 > slowest {
			slowest, worst = p99, path
		}
	}
	b.Logf("slowest: %s", worst)
	b.ReportMetric(float64(slowest.Microseconds())/1000, "ms-p99")
	b.ReportMetric(float64(most)/1024, "KB")
}

// manyCases puts cases into the queue of the clerks' department, over three years.
// What is sealed of them is nothing: no list opens it.
func manyCases(b *testing.B, database string, n int) {
	b.Helper()
	db, err := pgx.Connect(b.Context(), database)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close(b.Context())
	statement := fmt.Sprintf(`INSERT INTO cases (id, system, department, number, body_digest, revision, subject, body, facts, created_at, updated_at, version, state, closed_at, closed_for)
		SELECT 'bench-' || i, 'demo-SPJ', 'SPJ', 'JN-' || i, '', 1, 'S' || lpad((1 + i %% 14)::text, 2, '0'), '', '',
			1700000000000000 + i::bigint * 94000000, 1700000000000000 + i::bigint * 94000000, 1, (ARRAY['done', 'waiting', 'needs_input', 'closed'])[1 + i %% 4],
			CASE WHEN i %% 4 = 3 THEN 1700000000000000 + i::bigint * 94000000 END, CASE WHEN i %% 4 = 3 THEN 'finished' ELSE '' END
		FROM generate_series(1, %d) AS n(i)`, n)
	for _, s := range []string{statement, "ANALYZE"} {
		if _, err := db.Exec(b.Context(), s); err != nil {
			b.Fatal(err)
		}
	}
}

// enter signs in as one of the demonstration's people: "staff/clerk".
func enter(b *testing.B, address, who string) *http.Client {
	b.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		b.Fatal(err)
	}
	client := &http.Client{Jar: jar, Timeout: 30 * time.Second}
	kind, subject, _ := strings.Cut(who, "/")
	chooser, err := client.Get(address + "/auth/" + kind + "/login?return=/styleguide")
	if err != nil {
		b.Fatal(err)
	}
	chooser.Body.Close()
	get(b, client, chooser.Request.URL.String()+"&choose="+subject)
	return client
}

func get(b *testing.B, client *http.Client, url string) []byte {
	b.Helper()
	answer, err := client.Get(url)
	if err != nil {
		b.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		b.Fatalf("%s: %d, %v: %.300s", url, answer.StatusCode, err, body)
	}
	return body
}

var assetOfPage = regexp.MustCompile(`"(/assets/[^"]+)"`)

// assetsOf gives the size of what a page loads besides.
func assetsOf(b *testing.B, client *http.Client, address string, page []byte) int {
	b.Helper()
	size := 0
	for _, found := range assetOfPage.FindAllSubmatch(page, -1) {
		size += len(get(b, client, address+string(found[1])))
	}
	return size
}
