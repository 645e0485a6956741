package main

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// lookup is an intent with what it was for.
type lookup struct {
	dataset string
	at      time.Time
}

// readRecord reads what is on record of everything: the latest versions as the
// exchange gives them out, the rest from the tables.
func readRecord(ctx context.Context, b *bed, t *traffic) (Record, []lookup, error) {
	r := Record{Resolutions: map[string]Stored{}, Keys: map[string]string{}, Trails: map[string]*Trail{}, Opened: map[string]int{}}
	conn, err := pgx.Connect(ctx, b.direct)
	if err != nil {
		return r, nil, err
	}
	defer conn.Close(ctx)
	if err := readTables(ctx, conn, r); err != nil {
		return r, nil, err
	}
	lookups, err := readLedger(ctx, conn, r)
	if err != nil {
		return r, nil, err
	}
	return r, lookups, giveOut(ctx, t, r)
}

func readTables(ctx context.Context, conn *pgx.Conn, r Record) error {
	var id, other string
	var version int
	if err := each(ctx, conn, "SELECT id, case_id, version FROM resolutions", []any{&id, &other, &version}, func() {
		r.Resolutions[id] = Stored{Case: other, Version: version}
	}); err != nil {
		return err
	}
	if err := each(ctx, conn, "SELECT resolution_id, version FROM resolution_versions", []any{&id, &version}, func() {
		s := r.Resolutions[id]
		s.Versions = append(s.Versions, version)
		r.Resolutions[id] = s
	}); err != nil {
		return err
	}
	return each(ctx, conn, "SELECT key, resource FROM idempotency_keys WHERE resource <> ''", []any{&id, &other}, func() { r.Keys[id] = other })
}

// readLedger reads the entries that tell of resolutions, and gives the look-ups.
func readLedger(ctx context.Context, conn *pgx.Conn, r Record) ([]lookup, error) {
	var lookups []lookup
	var n int64
	var kind, of, id, ask, dataset string
	var version int
	var at time.Time
	err := each(ctx, conn, `SELECT id, kind, case_id, resolution_id, COALESCE(body::json->>'ask', ''), COALESCE(body::json->>'dataset', ''),
		COALESCE((body::json->>'version')::int, 0), (body::json->>'at')::timestamptz
		FROM ledger_entries WHERE kind IN ('intent', 'outcome', 'resolved', 'read', 'case_opened') ORDER BY id`,
		[]any{&n, &kind, &of, &id, &ask, &dataset, &version, &at}, func() {
			if kind == "case_opened" {
				r.Opened[of]++
				return
			}
			trail := r.Trails[id]
			if trail == nil {
				trail = &Trail{Resolved: map[int]int64{}, Intents: map[string]int64{}, Outcomes: map[string]int64{}}
				r.Trails[id] = trail
			}
			trail.add(kind, ask, version, n)
			if kind == "intent" {
				lookups = append(lookups, lookup{dataset, at})
			}
		})
	return lookups, err
}

func (t *Trail) add(kind, ask string, version int, n int64) {
	switch {
	case kind == "resolved":
		t.Resolved[max(version, 1)] = n
	case kind == "read":
		t.Reads++
	case ask == "":
		t.Unlabeled++
	case kind == "intent":
		t.Intents[ask] = n
	case kind == "outcome":
		t.Outcomes[ask] = n
	}
}

func each(ctx context.Context, conn *pgx.Conn, query string, to []any, do func()) error {
	rows, err := conn.Query(ctx, query)
	if err != nil {
		return err
	}
	_, err = pgx.ForEachRow(rows, to, func() error { do(); return nil })
	if err != nil {
		return fmt.Errorf("%.60s: %w", query, err)
	}
	return nil
}

// giveOut has the exchange give out every resolution that was answered, by turns at
// both nodes, and puts the digests in.
func giveOut(ctx context.Context, t *traffic, r Record) error {
	const readers = 6
	ids := make(chan string)
	var mu sync.Mutex
	var group sync.WaitGroup
	var first error
	for range readers {
		group.Go(func() {
			for id := range ids {
				a, err := t.giveOut(ctx, id)
				mu.Lock()
				if s, found := r.Resolutions[id]; err == nil && found {
					s.Digest, s.Version = a.Digest, a.Version
					r.Resolutions[id] = s
				} else if first == nil {
					first = err
				}
				mu.Unlock()
			}
		})
	}
	seen := map[string]bool{}
	for _, a := range t.log.Answers {
		if !seen[a.Resolution] && ctx.Err() == nil {
			seen[a.Resolution] = true
			ids <- a.Resolution
		}
	}
	close(ids)
	group.Wait()
	if first != nil {
		t.bed.say("a resolution could not be read: %v", first)
	}
	return ctx.Err()
}

// giveOut reads one resolution; a refusal for the moment is tried again.
func (t *traffic) giveOut(ctx context.Context, id string) (Answer, error) {
	var last error
	for range 20 {
		node, _ := t.bed.pick()
		if node == nil {
			return Answer{}, fmt.Errorf("no node")
		}
		status, body, err := t.send(ctx, node, request{method: http.MethodGet, path: "/v1/resolutions/" + id})
		if err == nil && status == http.StatusOK {
			return answerOf(body)
		}
		last = fmt.Errorf("read %s: status %d, %v: %.200s", id, status, err, body)
		if err == nil && status/100 == 4 && status != http.StatusTooManyRequests {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	return Answer{}, last
}
