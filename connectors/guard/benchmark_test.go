package guard

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mianti/catalog"
	"mianti/connectors"
)

// BenchmarkGuard compares asking a connector that answers at once with asking it
// through the guard, in turns within one run.
func BenchmarkGuard(b *testing.B) {
	const turn = 1000
	for _, c := range []struct {
		name   string
		caseID string
		atOnce int
	}{{"alone", "", 1}, {"alone, in a case", "c", 1}, {"64 at once", "", 64}, {"64 at once, in cases", "c", 64}} {
		b.Run(c.name, func(b *testing.B) {
			d := &department{answer: answers}
			g := New(Config{
				Connectors: map[catalog.SourceKind]connectors.Connector{catalog.SourceHTTPJSON: d},
				Now:        time.Now, Log: slog.New(slog.DiscardHandler),
			})
			q := newQuery(catalog.Limits{Concurrent: 64})
			ctx, cancel := context.WithTimeout(b.Context(), time.Hour)
			defer cancel()
			var bare, guarded time.Duration
			turns := 0
			for b.Loop() {
				turns++
				bare += timed(b, ctx, d, q, c.caseID, turn, c.atOnce)
				guarded += timed(b, ctx, g, q, c.caseID, turn, c.atOnce)
			}
			asked := float64(turns * turn)
			b.ReportMetric(float64(bare.Nanoseconds())/asked, "bare-ns/question")
			b.ReportMetric(float64(guarded.Nanoseconds())/asked, "guarded-ns/question")
			b.ReportMetric(float64((guarded-bare).Nanoseconds())/asked, "added-ns/question")
			b.ReportMetric(float64(guarded)/float64(bare), "ratio")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// timed asks many questions, some at once, each for a case of its own.
func timed(b *testing.B, ctx context.Context, to connectors.Connector, q connectors.Query, caseID string, questions, atOnce int) time.Duration {
	b.Helper()
	var number atomic.Int64
	var all sync.WaitGroup
	begun := time.Now()
	for range atOnce {
		all.Go(func() {
			q := q
			for {
				n := number.Add(1)
				if n > int64(questions) {
					return
				}
				if caseID != "" {
					q.Case = fmt.Sprint(caseID, n)
				}
				if _, err := to.Ask(ctx, q); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	return time.Since(begun)
}

// BenchmarkIsolation compares how many questions 49 healthy sources answer while
// two more sources are well with how many while one of these hangs and the other
// is dead, in turns within one run that change their order. The ratio should be
// at least 0.95; control is the same for two turns that are both well, and says
// how much the machine itself wavers.
func BenchmarkIsolation(b *testing.B) {
	slow := after(2 * time.Millisecond)
	var well, again, ill int64
	rounds := 0
	for b.Loop() {
		turns := []func(){
			func() { well += answered(b, slow, slow) },
			func() { ill += answered(b, hangs, fails(connectors.FaultDown)) },
			func() { again += answered(b, slow, slow) },
		}
		for i := range turns {
			turns[(i+rounds)%len(turns)]()
		}
		rounds++
	}
	b.ReportMetric(float64(well)/float64(rounds), "well-questions/turn")
	b.ReportMetric(float64(ill)/float64(rounds), "ill-questions/turn")
	b.ReportMetric(float64(again)/float64(well), "control")
	b.ReportMetric(2*float64(ill)/float64(well+again), "ratio")
	b.ReportMetric(0, "ns/op")
}

// answered asks 49 healthy sources and two others for a while, each by two
// askers that wait at least 2 ms between questions, and counts the answers of
// the healthy ones.
func answered(b *testing.B, others ...func(context.Context, int) (connectors.Reply, error)) int64 {
	b.Helper()
	const healthy, askers, turn = 49, 2, 500 * time.Millisecond
	d := crowd{healthy: &department{answer: after(2 * time.Millisecond)}, others: map[string]*department{}}
	var codes []string
	for i := range healthy {
		codes = append(codes, fmt.Sprintf("healthy-%02d", i))
	}
	for i, answer := range others {
		code := fmt.Sprintf("other-%d", i)
		d.others[code] = &department{answer: answer}
		codes = append(codes, code)
	}
	g := New(Config{
		Connectors: map[catalog.SourceKind]connectors.Connector{catalog.SourceHTTPJSON: d},
		Now:        time.Now, Log: slog.New(slog.DiscardHandler),
	})
	ctx, cancel := context.WithTimeout(b.Context(), turn)
	defer cancel()
	var count atomic.Int64
	var all sync.WaitGroup
	for _, code := range codes {
		for range askers {
			all.Go(func() {
				q := newQuery(catalog.Limits{})
				q.Source.Code, q.Source.TimeoutMillis = code, 200
				pace := time.NewTicker(2 * time.Millisecond)
				defer pace.Stop()
				for ctx.Err() == nil {
					<-pace.C
					if _, err := g.Ask(ctx, q); err == nil && d.others[code] == nil {
						count.Add(1)
					}
				}
			})
		}
	}
	all.Wait()
	return count.Load()
}

// crowd is a connector to many departments.
type crowd struct {
	healthy *department
	others  map[string]*department
}

func (c crowd) Ask(ctx context.Context, q connectors.Query) (connectors.Reply, error) {
	if other := c.others[q.Source.Code]; other != nil {
		return other.Ask(ctx, q)
	}
	return c.healthy.Ask(ctx, q)
}
