package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// spreadWithin is how soon a stop holds at every node.
const spreadWithin = 2 * time.Second

// settlesWithin is how soon a node that nobody asks gives up what it held: connections
// to sources that are not used are looked for every minute and a half, and closed when
// they are as old.
const settlesWithin = 4 * time.Minute

// line is one demand, and whether it is met.
type line struct {
	demand, found string
	well          bool
	more          []string // what is wrong, one by one
}

// verdict is all of them.
type verdict struct{ lines []line }

func (v *verdict) add(well bool, demand, found string, more ...string) {
	v.lines = append(v.lines, line{demand, found, well, more})
}

func (v *verdict) failed() bool {
	return slices.ContainsFunc(v.lines, func(l line) bool { return !l.well })
}

func (v *verdict) print(w io.Writer, d *diary, t *traffic) {
	fmt.Fprintln(w, "\nWhat was done:")
	for _, e := range d.events {
		fmt.Fprintln(w, "  "+e)
	}
	fmt.Fprintf(w, "\nAnswered: %s; the slowest after %s. Not sent, because %d were under way: %d.\nTried again: %s.\n",
		counted(t.counts), t.slowest.Round(10*time.Millisecond), mostAtOnce, t.skipped, counted(t.retries))
	fmt.Fprintln(w, "\nVerdict:")
	for _, l := range v.lines {
		mark := "ok    "
		if !l.well {
			mark = "FAILED"
		}
		fmt.Fprintf(w, "  %s  %-44s %s\n", mark, l.demand, l.found)
		for i, m := range l.more {
			if i == 8 {
				fmt.Fprintf(w, "            … and %d more\n", len(l.more)-i)
				break
			}
			fmt.Fprintln(w, "            "+m)
		}
	}
}

// judge looks at everything, with both nodes up and nobody asking.
func (v *verdict) judge(ctx context.Context, b *bed, t *traffic, c *chaos, base usage, lives map[string][]sample, s settings) {
	v.add(len(c.troubles) == 0 && c.kills > 0, "every failure was brought about and mended",
		fmt.Sprintf("%d kills, %d connections cut, %d acts of administrators", c.kills, c.cut, c.changed), c.troubles...)
	v.add(total(t.refused) == 0, "no refusal that nothing here explains", fmt.Sprint(total(t.refused)), explained(t.refused)...)
	v.add(total(t.unheard) == 0, fmt.Sprintf("every request is answered within %s", patience), fmt.Sprintf("%d given up", total(t.unheard)), explained(t.unheard)...)
	t.hangUp()
	v.nodes(ctx, b, base)
	v.memory(lives)
	v.answers(ctx, b, t, c, s)
	v.catalog(ctx, b, c)
	v.replica(ctx, b)
	v.ledger(ctx, b)
}

// answers holds the callers' log against the record.
func (v *verdict) answers(ctx context.Context, b *bed, t *traffic, c *chaos, s settings) {
	b.say("%d resolutions are read and held against the record", len(t.log.Answers))
	r, lookups, err := readRecord(ctx, b, t)
	if err != nil {
		v.add(false, "the record can be read", err.Error())
		return
	}
	if s.Log != "" {
		text, err := json.Marshal(map[string]any{"log": t.log, "record": r})
		if err = errors.Join(err, os.WriteFile(s.Log, text, 0o600)); err != nil {
			v.add(false, "the log can be written", err.Error())
		}
	}
	f := check(t.log, r)
	v.add(len(f.Lost) == 0, "0 answers are lost", fmt.Sprintf("%d of %d", len(f.Lost), len(t.log.Answers)), f.Lost...)
	v.add(len(f.Unrecorded) == 0, "0 acts are unrecorded", fmt.Sprintf("%d; %d intents without an outcome of requests that were not answered, %d of resolutions that went on",
		len(f.Unrecorded), f.Orphans, f.Later), f.Unrecorded...)
	v.add(len(f.Doubled) == 0, "each key made one resolution", fmt.Sprintf("%d keys, %d resolutions", len(r.Keys), len(r.Resolutions)), f.Doubled...)
	v.stops(c.windows, lookups)
}

// stops wants no look-up of a stopped dataset once the stop has had its time to spread.
func (v *verdict) stops(windows []stopWindow, lookups []lookup) {
	var wrong []string
	judged := 0
	for _, w := range windows {
		from := w.from.Add(spreadWithin)
		if !from.Before(w.to) {
			continue
		}
		judged++
		for _, l := range lookups {
			if l.dataset == w.dataset && l.at.After(from) && l.at.Before(w.to) {
				wrong = append(wrong, fmt.Sprintf("%s was asked %s after it was stopped", w.dataset, l.at.Sub(w.from).Round(time.Millisecond)))
			}
		}
	}
	v.add(len(wrong) == 0, fmt.Sprintf("a stop holds everywhere after %s", spreadWithin), fmt.Sprintf("%d stops, %d look-ups despite them", judged, len(wrong)), wrong...)
}

// nodes wants what nodes hold to come back near what they held before, and both ready.
func (v *verdict) nodes(ctx context.Context, b *bed, base usage) {
	const room = 15 // of each: idle connections of the surveys and probes come and go
	for i, s := range b.slots {
		node, born := s.current()
		if node == nil || !b.probe(i) {
			v.add(false, "node "+s.name+" is ready", "it is not")
			continue
		}
		var u usage
		var err error
		well := false
		for begun := time.Now(); !well && time.Since(begun) < settlesWithin && wait(ctx, 2*time.Second); {
			u, err = usageOf(node)
			well = err == nil && u.goroutines <= base.goroutines+room && u.files <= base.files+room && u.connections <= u.limit && u.busy <= 1
		}
		v.add(well, "node "+s.name+" has no leaks", fmt.Sprintf("%s; before: %s; it lived %s", u, base, time.Since(born).Round(time.Second)))
	}
}

func (v *verdict) memory(lives map[string][]sample) {
	judgedOne := false
	for _, name := range slices.Sorted(maps.Keys(lives)) {
		first, last, judged := growth(lives[name])
		if judged {
			judgedOne = true
			v.add(last <= 1.25*first, "memory is flat: node "+name, fmt.Sprintf("%.0f MiB in the first third, %.0f MiB in the last: %.2f", first/(1<<20), last/(1<<20), last/first))
		}
	}
	if !judgedOne {
		v.add(true, "memory is flat", fmt.Sprintf("not judged: no node lived %s; give a longer DURATION", longEnough))
	}
}

// catalog wants every node to serve the revision that was published last.
func (v *verdict) catalog(ctx context.Context, b *bed, c *chaos) {
	var number int
	err := b.ask(ctx, b.direct, "SELECT max(number) FROM catalog_revisions", &number)
	want, serves := c.published, map[string]int{}
	for begun := time.Now(); time.Since(begun) < 5*time.Second; time.Sleep(200 * time.Millisecond) {
		well := true
		for _, s := range b.slots {
			node, _ := s.current()
			text, failed := get(node.Metrics)
			n, missing := gauge(text, "mianti_catalog_revision")
			serves[s.name] = n
			well = well && failed == nil && missing == nil && n == number
		}
		if well {
			break
		}
	}
	v.add(err == nil && number == want+1 && serves["A"] == number && serves["B"] == number, "the catalog is the one published last",
		fmt.Sprintf("revision %d after %d publications; node A serves %d, B %d", number, want, serves["A"], serves["B"]))
}

func get(url string) ([]byte, error) {
	answer, err := http.Get(url)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	return io.ReadAll(answer.Body)
}

// ask reads one value from a database.
func (b *bed) ask(ctx context.Context, address, query string, to ...any) error {
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	return conn.QueryRow(ctx, query).Scan(to...)
}

// replica wants the replica to have every entry.
func (v *verdict) replica(ctx context.Context, b *bed) {
	const count = "SELECT count(*), COALESCE(max(id), 0) FROM ledger_entries"
	var here, there [2]int64
	var err error
	for range 20 {
		err = errors.Join(b.ask(ctx, b.direct, count, &here[0], &here[1]), b.ask(ctx, b.replica.URL(databaseName), count, &there[0], &there[1]))
		if err == nil && here == there {
			break
		}
		time.Sleep(500 * time.Millisecond)
	}
	var looked int64
	err = errors.Join(err, b.ask(ctx, b.replica.URL(databaseName),
		"SELECT COALESCE(sum(seq_scan + COALESCE(idx_scan, 0)), 0)::bigint FROM pg_stat_user_tables WHERE relname = 'cases'", &looked))
	v.add(err == nil && looked > 0, "pages of staff are read from the replica", fmt.Sprintf("%d looks at its cases", looked))
	v.add(err == nil && here == there, "the replica has every entry", fmt.Sprintf("%d, the primary %d", there[0], here[0]))
}

// ledger wants all entries to be sealed, and the log to be whole.
func (v *verdict) ledger(ctx context.Context, b *bed) {
	waiting := -1
	for range 60 {
		if err := b.ask(ctx, b.direct, "SELECT count(*) FROM ledger_pending", &waiting); err == nil && waiting == 0 {
			break
		}
		time.Sleep(500 * time.Millisecond)
	}
	v.add(waiting == 0, "every entry is sealed", fmt.Sprintf("%d wait", waiting))
	said, err := exec.CommandContext(ctx, b.tools.Mianti, "ledger", "verify", "--database="+b.direct).CombinedOutput()
	lines := strings.Split(string(bytes.TrimSpace(said)), "\n")
	v.add(err == nil, "mianti ledger verify", lines[len(lines)-1])
	if err != nil {
		v.lines[len(v.lines)-1].more = lines
	}
}

func explained(m map[string]int) []string {
	var out []string
	for _, what := range slices.Sorted(maps.Keys(m)) {
		out = append(out, fmt.Sprintf("%d × %s", m[what], what))
	}
	return out
}
