package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"mianti/bench/load"
)

const (
	startCases   = 200
	mostAtOnce   = 400 // requests under way, those that wait to be tried again among them
	answerWithin = 15 * time.Second
	// patience is how long a caller tries again: longer than a key stays with a
	// request whose node was killed, one minute.
	patience = 100 * time.Second
	tokenFor = 4 * time.Minute
	// shortest and longest are the pauses after a refusal, each twice the one before.
	shortest, longest = 100 * time.Millisecond, 3 * time.Second
)

// traffic is the callers, and what they were answered.
type traffic struct {
	bed    *bed
	rate   float64
	client *http.Client
	clerk  *browser
	random *rand.Rand // of the one that decides what is asked next

	mu       sync.Mutex
	cases    []string
	opened   int // the number of the next case
	made     []string
	log      Log
	token    string
	signedIn time.Time
	counts   map[string]int // requests that were answered, by kind
	retries  map[string]int // refusals that were tried again, by what they were
	refused  map[string]int // final refusals, which nothing that is done here explains
	unheard  map[string]int // requests that were given up, by kind
	skipped  int            // not sent, because too many were under way
	active   int
	slowest  time.Duration
}

func newTraffic(ctx context.Context, b *bed, s settings) (*traffic, error) {
	node, _ := b.slots[0].current()
	cases, err := node.OpenCases(ctx)
	if err != nil {
		return nil, err
	}
	clerk, err := b.signIn(ctx)
	if err != nil {
		return nil, err
	}
	t := &traffic{
		clerk: clerk, bed: b, rate: s.Rate, random: rand.New(rand.NewPCG(s.Seed, 1)), cases: cases[0], opened: startCases,
		client: &http.Client{Timeout: answerWithin, Transport: &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: 30 * time.Second}},
		log:    Log{Reads: map[string]int{}, Openings: slices.Clone(cases[0])},
		counts: map[string]int{}, retries: map[string]int{}, refused: map[string]int{}, unheard: map[string]int{},
	}
	return t, nil
}

// warmUp has everything used that the load uses, so that what stays open afterwards
// is in the base, and waits until it is quiet.
func (t *traffic) warmUp(ctx context.Context) error {
	t.run(ctx, 8*time.Second)
	t.hangUp()
	select {
	case <-time.After(6 * time.Second):
	case <-ctx.Done():
	}
	if len(t.log.Answers) == 0 {
		return fmt.Errorf("nothing was answered in the warm-up: %v %v", t.retries, t.refused)
	}
	return ctx.Err()
}

// hangUp closes the connections of callers.
func (t *traffic) hangUp() {
	t.client.CloseIdleConnections()
	t.clerk.client.CloseIdleConnections()
}

// run asks for a time, and waits until every request has its end.
func (t *traffic) run(ctx context.Context, span time.Duration) {
	var group sync.WaitGroup
	begun := time.Now()
	until := begun.Add(span)
	for n := 0; ctx.Err() == nil; n++ {
		at := begun.Add(time.Duration(float64(n) / t.rate * float64(time.Second)))
		if at.After(until) {
			break
		}
		time.Sleep(time.Until(at))
		kind, ask := t.draw()
		if !t.enter() {
			continue
		}
		group.Go(func() {
			defer t.leave()
			t.insist(ctx, kind, ask)
		})
	}
	group.Wait()
}

func (t *traffic) enter() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.active >= mostAtOnce {
		t.skipped++
		return false
	}
	t.active++
	return true
}

func (t *traffic) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.active--
}

// request is what is sent, again and again until it is answered.
type request struct {
	method, path string
	body         []byte
	key          string
	open         bool // asks without a token
	staff        bool // is the clerk's
	// took is told the body of the answer.
	took func(body []byte) error
}

// draw decides what is asked next: of a hundred, seventy resolutions, twelve
// resolutions read, seven pages of everybody and catalog and cases, three of staff,
// eight cases opened.
func (t *traffic) draw() (kind string, ask request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	id := t.cases[t.random.IntN(len(t.cases))]
	switch n := t.random.IntN(100); {
	case n < 70 || len(t.made) == 0:
		return "resolution", t.resolving(id)
	case n < 82:
		return "read", t.reading(t.made[t.random.IntN(len(t.made))])
	case n < 85:
		pages := slices.Sorted(maps.Keys(staffPages()))
		return "staff page", looking(pages[t.random.IntN(len(pages))])
	case n < 92:
		pages := []string{"/", "/guide/T01", "/v1/matters", "/v1/cases/" + id, "/v1/one-things/T01"}
		path := pages[t.random.IntN(len(pages))]
		return "page", request{method: http.MethodGet, path: path, open: !strings.HasPrefix(path, "/v1/"), took: func([]byte) error { return nil }}
	}
	t.opened++
	return "opening", t.opening(t.opened)
}

func (t *traffic) resolving(id string) request {
	key := fmt.Sprintf("soak-%016x%016x", t.random.Uint64(), t.random.Uint64())
	return request{
		method: http.MethodPost, path: "/v1/cases/" + id + "/resolutions", body: []byte("{}"), key: key,
		took: func(body []byte) error {
			a, err := answerOf(body)
			if err != nil {
				return err
			}
			a.Key, a.Case = key, id
			t.mu.Lock()
			defer t.mu.Unlock()
			t.log.Answers = append(t.log.Answers, a)
			t.made = append(t.made, a.Resolution)
			return nil
		},
	}
}

// answerOf reads what is said of a resolution.
func answerOf(body []byte) (Answer, error) {
	var r struct {
		ID      string
		Version int
		Case    string
	}
	if err := json.Unmarshal(body, &r); err != nil || r.ID == "" {
		return Answer{}, fmt.Errorf("no resolution: %.200s, %w", body, err)
	}
	sum, err := digestOf(body)
	return Answer{Case: r.Case, Resolution: r.ID, Version: r.Version, Digest: sum}, err
}

// digestOf is that of a JSON text, however it is set.
func digestOf(body []byte) (string, error) {
	var all map[string]any
	if err := json.Unmarshal(body, &all); err != nil {
		return "", err
	}
	delete(all, "$schema") // the address of the node that answered
	text, err := json.Marshal(all)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

func (t *traffic) reading(id string) request {
	return request{method: http.MethodGet, path: "/v1/resolutions/" + id, took: func(body []byte) error {
		a, err := answerOf(body)
		if err != nil {
			return err
		}
		if a.Resolution != id {
			return fmt.Errorf("asked for %s, given %s", id, a.Resolution)
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		t.log.Reads[id]++
		return nil
	}}
}

func (t *traffic) opening(n int) request {
	return request{method: http.MethodPost, path: "/v1/cases", body: load.Opening(n, load.MeasuredMatter), took: func(body []byte) error {
		var c struct{ ID string }
		if err := json.Unmarshal(body, &c); err != nil || c.ID == "" {
			return fmt.Errorf("no case: %.200s", body)
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		t.cases = append(t.cases, c.ID)
		t.log.Openings = append(t.log.Openings, c.ID)
		return nil
	}}
}

// insist sends a request until it is answered, to the other node after a refusal.
func (t *traffic) insist(ctx context.Context, kind string, r request) {
	begun, pause := time.Now(), shortest
	for ctx.Err() == nil && time.Since(begun) < patience {
		again, why := t.try(ctx, r)
		if why == "" {
			t.count(t.counts, kind)
			t.slow(time.Since(begun))
			return
		}
		if !again {
			t.count(t.refused, kind+": "+why)
			return
		}
		t.count(t.retries, why)
		wait(ctx, pause)
		pause = min(2*pause, longest)
	}
	t.count(t.unheard, kind)
}

func (t *traffic) slow(took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.slowest = max(t.slowest, took)
}

func (t *traffic) count(in map[string]int, what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	in[what]++
}

// try sends a request once. why is empty when it was answered; again, when it may be
// sent once more.
func (t *traffic) try(ctx context.Context, r request) (again bool, why string) {
	node, _ := t.bed.pick()
	if node == nil {
		return true, "no node"
	}
	status, body, err := t.send(ctx, node, r)
	switch {
	case err != nil:
		return true, "no answer"
	case status/100 == 2:
		if err := r.took(body); err != nil {
			return false, err.Error()
		}
		return false, ""
	case status/100 == 5 || status == http.StatusTooManyRequests || status == http.StatusUnauthorized:
		if status == http.StatusUnauthorized {
			t.forget()
		}
		return true, fmt.Sprintf("%d %s", status, codeOf(body))
	case status == http.StatusConflict && codeOf(body) == "request-in-progress":
		return true, "409 request-in-progress"
	}
	return false, fmt.Sprintf("%s: %d %s", r.path[:min(len(r.path), 11)], status, codeOf(body))
}

// send asks a node.
func (t *traffic) send(ctx context.Context, node *load.Node, r request) (int, []byte, error) {
	ctx, stop := context.WithTimeout(ctx, answerWithin)
	defer stop()
	client, address := t.client, node.URL
	if r.staff {
		client, address = t.clerk.client, load.Issuer
	}
	q, err := http.NewRequestWithContext(ctx, r.method, address+r.path, bytes.NewReader(r.body))
	if err != nil {
		return 0, nil, err
	}
	if !r.open && !r.staff {
		token, err := t.bearer(ctx, node)
		if err != nil {
			return 0, nil, err
		}
		q.Header.Set("Authorization", "Bearer "+token)
	}
	if r.body != nil {
		q.Header.Set("Content-Type", "application/json")
	}
	if r.key != "" {
		q.Header.Set("Idempotency-Key", r.key)
	}
	answer, err := client.Do(q)
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return answer.StatusCode, body, err
}

// bearer gives a token, which is good at every node, and signs in when it has aged.
func (t *traffic) bearer(ctx context.Context, node *load.Node) (string, error) {
	t.mu.Lock()
	token, at := t.token, t.signedIn
	t.mu.Unlock()
	if token != "" && time.Since(at) < tokenFor {
		return token, nil
	}
	fresh, err := node.Token(ctx, 0)
	if err != nil {
		return "", err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.token, t.signedIn = fresh, time.Now()
	return fresh, nil
}

func (t *traffic) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.token = ""
}

// codeOf is the last part of a problem's type.
func codeOf(body []byte) string {
	var problem struct{ Type string }
	if json.Unmarshal(body, &problem) != nil {
		return ""
	}
	return problem.Type[strings.LastIndex(problem.Type, "/")+1:]
}

// state is a line of progress.
func (t *traffic) state() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return fmt.Sprintf("answered: %s; under way %d, tried again %d, given up %d, refused %d",
		counted(t.counts), t.active, total(t.retries), total(t.unheard), total(t.refused))
}

func counted(m map[string]int) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, fmt.Sprintf("%s %d", name, m[name]))
	}
	if parts == nil {
		return "none"
	}
	return strings.Join(parts, ", ")
}

func total(m map[string]int) int {
	sum := 0
	for _, n := range m {
		sum += n
	}
	return sum
}
