package bench

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mianti/connectors/standin"
	"mianti/examples/jinan"
	"mianti/internal/identifier"
)

const (
	attempts  = 2000
	intruders = 16 // attempts under way at a time
)

// BenchmarkEnumeration has one system try two thousand identity numbers under
// names that are not theirs, half of them those of people whom the departments
// know, as somebody would who wants to learn whose numbers exist. The departments
// look by number alone, and so tell the two apart: they give a record under
// another name, or none. The statuses and bodies that the system gets must be the
// same for both but for what is new in every answer; of the times it reports the
// probability that two samples of one distribution differ as much as these
// (two-sample Kolmogorov–Smirnov, "ks-p"). Below 0.01 the times tell the two
// apart, as they do with MIANTI_EVEN_TIME=0.
func BenchmarkEnumeration(b *testing.B) {
	p := build(b)
	numbers := triedNumbers(b)
	target, at := newIntruded(b, p, numbers)
	for b.Loop() {
		known, unknown := target.tryAll(b, numbers)
		b.ReportMetric(kolmogorovSmirnov(known, unknown), "ks-p")
		b.ReportMetric(milliseconds(median(known)), "known-p50-ms")
		b.ReportMetric(milliseconds(median(unknown)), "unknown-p50-ms")
	}
	if alarms := p.command(b, "alarm", "list", at); !strings.Contains(alarms, "enumeration") {
		b.Errorf("no alarm has rung:\n%s", alarms)
	}
}

// newIntruded is an exchange whose departments take a while for each answer, and
// where its database is.
func newIntruded(b *testing.B, p *program, numbers []tried) (*target, string) {
	b.Helper()
	at := "--database=sqlite:" + b.TempDir() + "/bench.db"
	p.command(b, "migrate", at)
	p.command(b, "catalog", "load", at)
	p.command(b, "grant", "from-catalog", at)
	secret := secretLine.FindStringSubmatch(p.command(b, "system", "add", "bench", "--department=ZJ", "--name=bench", at))
	if secret == nil {
		b.Fatal("system add printed no secret")
	}
	sources, _ := p.start(b, "simulate", "--listen=127.0.0.1:0", "--listen-database=", "--listen-faults=", "--latency=40ms", "--seed=1", "--people=1200")
	for _, n := range numbers {
		for _, dataset := range []string{"D-GA01", "D-ZJ01"} {
			if n.known {
				setFault(b, http.MethodPost, sources, fmt.Sprintf(`{"dataset":%q,"number":%q,"fault":"mismatch"}`, dataset, n.number))
			}
		}
	}
	t := &target{client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: intruders}, Timeout: time.Minute}}
	t.url, t.pid = p.start(b, "serve", "--listen=127.0.0.1:0", "--issuer=https://mianti.test", "--sources-url="+sources+"/{department}", at, p.key(b))
	t.token = t.signIn(b, url.Values{"grant_type": {"client_credentials"}}, secret[1])
	return t, at
}

// tried is a number that is tried, under a name, and whether the departments
// know it.
type tried struct {
	number, name string
	known        bool
}

// triedNumbers are numbers of grown-ups, known and unknown by turns.
func triedNumbers(b *testing.B) []tried {
	b.Helper()
	file, err := jinan.Files.Open("population.yaml")
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	base, err := standin.ReadPopulation(file)
	if err != nil {
		b.Fatal(err)
	}
	random := rand.New(rand.NewPCG(7, 7))
	held := map[string]bool{}
	var out []tried
	people := standin.Generate(base, 1, 2*attempts).Persons
	for _, person := range people {
		held[person.Number] = true
	}
	for _, person := range people[:1200] { // those that simulate has too
		if len(out) == attempts || person.Number[6:10] > "2000" {
			continue
		}
		out = append(out, tried{person.Number, person.Name, true})
		for {
			digits := "370199" + fmt.Sprintf("%d%02d%02d%03d", 1960+random.IntN(40), 1+random.IntN(12), 1+random.IntN(28), random.IntN(1000))
			if number := digits + string(identifier.CitizenIDCheck(digits)); !held[number] {
				held[number] = true
				out = append(out, tried{number, person.Name, false})
				break
			}
		}
	}
	random.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// changing is what is new in every answer, whoever it is about.
var changing = regexp.MustCompile(`"(id|case|case_number|resolved_at|started_at|request_id)":"[^"]*"|"millis":\d+`)

// tryAll tries every number in a case of its own, and gives the times that the
// two kinds took.
func (t *target) tryAll(b *testing.B, numbers []tried) (known, unknown []time.Duration) {
	b.Helper()
	var mu sync.Mutex
	bodies := map[string][2]int{}
	queue := make(chan int)
	var all sync.WaitGroup
	for range intruders {
		all.Go(func() {
			for i := range queue {
				status, body, took := t.try(b, i, numbers[i])
				answer := fmt.Sprint(status, changing.ReplaceAllString(body, `"$1"`))
				mu.Lock()
				seen := bodies[answer]
				if numbers[i].known {
					known = append(known, took)
					seen[0]++
				} else {
					unknown = append(unknown, took)
					seen[1]++
				}
				bodies[answer] = seen
				mu.Unlock()
			}
		})
	}
	for i := range numbers {
		queue <- i
	}
	close(queue)
	all.Wait()
	for answer, seen := range bodies {
		if seen[0] == 0 || seen[1] == 0 {
			b.Errorf("an answer to %d known and %d unknown numbers tells them apart: %.2000s", seen[0], seen[1], answer)
		}
	}
	return known, unknown
}

func (t *target) try(b *testing.B, i int, n tried) (status int, body string, took time.Duration) {
	b.Helper()
	var opened struct{ ID string }
	t.post(b, "/v1/cases", map[string]any{
		"number": fmt.Sprintf("TRY-%d", i), "matter": "S06.M3",
		"parties": []any{map[string]any{"id": "p1", "kind": "person", "name": n.name, "number": n.number, "roles": []string{"buyer"}}},
	}, &opened)
	request, err := http.NewRequest(http.MethodPost, t.url+"/v1/cases/"+opened.ID+"/resolutions", strings.NewReader("{}"))
	if err != nil {
		b.Error(err)
		return 0, "", 0
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+t.token)
	begun := time.Now()
	answer, err := t.client.Do(request)
	if err != nil {
		b.Error(err)
		return 0, "", 0
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		b.Error(err)
	}
	return answer.StatusCode, string(text), time.Since(begun)
}

// kolmogorovSmirnov is the two-sided p of the two-sample test, by the limiting
// distribution: 2 Σ (-1)^(k-1) exp(-2 k² λ²), λ = (√n + 0.12 + 0.11/√n) D, with
// n the harmonic size of the samples (Stephens 1970).
func kolmogorovSmirnov(a, b []time.Duration) float64 {
	slices.Sort(a)
	slices.Sort(b)
	distance, i, j := 0.0, 0, 0
	for i < len(a) && j < len(b) {
		at := min(a[i], b[j])
		for i < len(a) && a[i] == at {
			i++
		}
		for j < len(b) && b[j] == at {
			j++
		}
		distance = max(distance, math.Abs(float64(i)/float64(len(a))-float64(j)/float64(len(b))))
	}
	root := math.Sqrt(float64(len(a)) * float64(len(b)) / float64(len(a)+len(b)))
	lambda := (root + 0.12 + 0.11/root) * distance
	if lambda < 0.2 {
		return 1 // where the series does not converge
	}
	p, sign := 0.0, 1.0
	for k := 1.0; k <= 100; k++ {
		p += sign * 2 * math.Exp(-2*k*k*lambda*lambda)
		sign = -sign
	}
	return min(max(p, 0), 1)
}

// TestKolmogorovSmirnov_TellsSamplesApart holds the test against samples whose
// answer is known: the same twice, and one a step later.
func TestKolmogorovSmirnov_TellsSamplesApart(t *testing.T) {
	t.Parallel()
	sample := func(from int) []time.Duration {
		out := make([]time.Duration, 1000)
		for i := range out {
			out[i] = time.Duration(from + i)
		}
		return out
	}
	if p := kolmogorovSmirnov(sample(0), sample(0)); p < 0.99 {
		t.Errorf("the same sample twice: p = %g, want 1", p)
	}
	// D = 0.1 with 1000 of each: λ ≈ 2.25, p ≈ 2·exp(-2·2.25²) ≈ 8e-5.
	if p := kolmogorovSmirnov(sample(0), sample(100)); p < 4e-5 || p > 2e-4 {
		t.Errorf("a tenth apart: p = %g, want about 8e-5", p)
	}
}

func median(sorted []time.Duration) time.Duration { return sorted[len(sorted)/2] }

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
