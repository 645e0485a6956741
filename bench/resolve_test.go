package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mianti/internal/pgtest"
)

// BenchmarkResolve resolves a case of eight materials, over HTTP, against
// stand-in departments in a process of their own that answer at once or after
// 20 ms. Beside the time per resolution at that many callers it reports
// resolutions per second, the latency's p50 and p99, and the processor time of
// the exchange's process for one resolution.
func BenchmarkResolve(b *testing.B) {
	p := build(b)
	for _, database := range []string{"sqlite", "postgres"} {
		for _, latency := range []string{"0s", "20ms"} {
			b.Run(fmt.Sprintf("db=%s/source=%s", database, latency), func(b *testing.B) {
				target := newTarget(b, p, database, latency)
				for _, callers := range []int{1, 8, 32} {
					b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) { target.run(b, callers) })
				}
			})
		}
	}
}

// target is an exchange with an open case.
type target struct {
	url, token, resolutions string
	database                string // its address
	pid                     int
	client                  *http.Client
}

var secretLine = regexp.MustCompile(`：([A-Za-z0-9_-]{43})\s*$`)

func newTarget(b *testing.B, p *program, database, latency string) *target {
	b.Helper()
	at := "--database=sqlite:" + b.TempDir() + "/bench.db"
	if database == "postgres" {
		at = "--database=" + pgtest.Database(b)
	}
	p.command(b, "migrate", at)
	p.command(b, "catalog", "load", at)
	p.command(b, "grant", "from-catalog", at)
	secret := secretLine.FindStringSubmatch(p.command(b, "system", "add", "bench", "--department=BDC", "--name=bench", at))
	if secret == nil {
		b.Fatal("system add printed no secret")
	}
	sources, _ := p.start(b, "simulate", "--listen=127.0.0.1:0", "--listen-database=", "--listen-faults=", "--latency="+latency, "--people=10")
	t := &target{database: strings.TrimPrefix(at, "--database="), client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: time.Minute}}
	t.url, t.pid = p.start(b, "serve", "--listen=127.0.0.1:0", "--issuer=https://mianti.test", "--sources-url="+sources+"/{department}", at, p.key(b))
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {"bench"}}
	t.token = t.signIn(b, form, secret[1])
	var opened struct{ ID string }
	t.post(b, "/v1/cases", eightMaterials(), &opened)
	t.resolutions = "/v1/cases/" + opened.ID + "/resolutions"
	return t
}

// eightMaterials is a first registration of a building by its developer:
// eight materials, of which six are looked up at four departments.
func eightMaterials() map[string]any {
	party := func(id, kind, name, number string, roles ...string) map[string]any {
		return map[string]any{"id": id, "roles": roles, "kind": kind, "name": name, "number": number}
	}
	return map[string]any{
		"number": "BENCH-1", "matter": "S06.M1",
		"facts": map[string]any{"applicant_kind": "company", "accept_commitment": true},
		"parties": []any{
			party("p1", "organization", "泉城示例置业有限公司", "91370102MA9X10033G", "applicant", "developer"),
			party("p2", "project", "泉城示例住宅小区项目", "2401-370199-04-01-100038", "project"),
			party("p3", "property", "济南市示例区新城路20号1号楼1501室", "370199001001GB00006F00000006", "property"),
		},
	}
}

func (t *target) signIn(b *testing.B, form url.Values, secret string) string {
	b.Helper()
	request, err := http.NewRequest(http.MethodPost, t.url+"/oauth/token", strings.NewReader(form.Encode()))
	if err != nil {
		b.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(form.Get("client_id"), secret)
	var answer struct {
		Token string `json:"access_token"`
	}
	t.do(b, request, &answer)
	return answer.Token
}

func (t *target) post(b *testing.B, path string, in, out any) {
	b.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		b.Fatal(err)
	}
	request, err := http.NewRequest(http.MethodPost, t.url+path, bytes.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+t.token)
	t.do(b, request, out)
}

func (t *target) do(b *testing.B, request *http.Request, out any) {
	response, err := t.client.Do(request)
	if err != nil {
		b.Error(err)
		return
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= http.StatusBadRequest {
		b.Errorf("%s: status %d: %s %v", request.URL.Path, response.StatusCode, content, err)
		return
	}
	if err := json.Unmarshal(content, out); err != nil {
		b.Error(err)
	}
}

// run has a number of callers resolve the case, each as soon as it has its
// last answer.
func (t *target) run(b *testing.B, callers int) {
	took := make([]time.Duration, b.N)
	var next atomic.Int64
	before := cpu(b, t.pid)
	begun := time.Now()
	var group sync.WaitGroup
	for range callers {
		group.Go(func() {
			for i := next.Add(1) - 1; i < int64(b.N); i = next.Add(1) - 1 {
				at := time.Now()
				t.resolve(b)
				took[i] = time.Since(at)
			}
		})
	}
	group.Wait()
	elapsed := time.Since(begun)
	used := cpu(b, t.pid) - before
	slices.Sort(took)
	b.ReportMetric(float64(b.N)/elapsed.Seconds(), "resolutions/s")
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(float64(used.Microseconds())/float64(b.N), "cpu-µs/op")
}

// resolve checks that all eight materials came out as they should, so that a
// fast wrong answer is no figure.
func (t *target) resolve(b *testing.B) {
	var r struct {
		Summary struct{ Applicable, Settled int }
	}
	t.post(b, t.resolutions, struct{}{}, &r)
	if r.Summary.Applicable != 8 || r.Summary.Settled != 8 {
		b.Errorf("%d of %d materials settled, want 8 of 8", r.Summary.Settled, r.Summary.Applicable)
	}
}
