package guard

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"mianti/catalog"
	"mianti/connectors"
)

const asked = "370199198805163323"

// department is a connector that answers as a test wants, and counts.
type department struct {
	answer func(ctx context.Context, number int) (connectors.Reply, error)
	calls  atomic.Int32
	under  atomic.Int32
	most   atomic.Int32 // calls under way at once
}

func (d *department) Ask(ctx context.Context, _ connectors.Query) (connectors.Reply, error) {
	number := int(d.calls.Add(1))
	under := d.under.Add(1)
	defer d.under.Add(-1)
	for most := d.most.Load(); under > most && !d.most.CompareAndSwap(most, under); most = d.most.Load() {
	}
	return d.answer(ctx, number)
}

// fresh forgets what was counted.
func (d *department) fresh() { d.calls.Store(0); d.most.Store(0) }

func (d *department) wantCalls(t *testing.T, want int) {
	t.Helper()
	if got := int(d.calls.Load()); got != want {
		t.Errorf("the source was called %d times, want %d", got, want)
	}
}

// The ways in which a department answers.

func found() connectors.Reply {
	return connectors.Reply{Size: 64, Records: []connectors.Record{{
		Subject: connectors.Subject{Kind: catalog.KindPerson, Name: "王丽", Number: asked},
		Fields:  map[string]any{"name": "王丽", "born": "1988-05-16"},
	}}}
}

func answers(context.Context, int) (connectors.Reply, error) { return found(), nil }

func fails(kind connectors.FaultKind) func(context.Context, int) (connectors.Reply, error) {
	return func(context.Context, int) (connectors.Reply, error) {
		return connectors.Reply{}, fail(kind, "as the test wants")
	}
}

func hangs(ctx context.Context, _ int) (connectors.Reply, error) {
	<-ctx.Done()
	return connectors.Reply{}, &connectors.Fault{Kind: connectors.FaultDown, Cause: ctx.Err()}
}

// after answers when some time is over.
func after(d time.Duration) func(context.Context, int) (connectors.Reply, error) {
	return func(ctx context.Context, n int) (connectors.Reply, error) {
		select {
		case <-time.After(d):
			return found(), nil
		case <-ctx.Done():
			return hangs(ctx, n)
		}
	}
}

func newQuery(limits catalog.Limits) connectors.Query {
	dataset := &catalog.Dataset{Code: "D-GA01", Department: "GA", Fields: []catalog.Field{
		{Code: "name", Name: "姓名", Type: catalog.FieldString},
		{Code: "born", Name: "出生日期", Type: catalog.FieldDate},
		{Code: "income", Name: "收入", Type: catalog.FieldNumber},
		{Code: "married", Name: "已婚", Type: catalog.FieldBool},
		{Code: "tags", Name: "标记", Type: catalog.FieldList},
	}}
	return connectors.Query{
		ID: "q1", Dataset: dataset, Source: &catalog.Source{Code: "GA.D-GA01.query", Kind: catalog.SourceHTTPJSON, Limits: &limits},
		Subject: connectors.Subject{Kind: catalog.KindPerson, Name: "王丽", Number: asked},
		Fields:  []string{"name", "born"}, Receiver: "SPJ",
	}
}

// logbook is where a guard under test logs to.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// newGuard makes a guard before a department. Its jitter is none, so that a
// retry comes after exactly 50 ms.
func newGuard(d connectors.Connector, change ...func(*Config)) (*Guard, *logbook) {
	log := new(logbook)
	cfg := Config{
		Connectors: map[catalog.SourceKind]connectors.Connector{catalog.SourceHTTPJSON: d, catalog.SourceAssist: d},
		Now:        time.Now, Log: slog.New(slog.NewTextHandler(log, nil)), Jitter: func() float64 { return 0 },
	}
	for _, c := range change {
		c(&cfg)
	}
	return New(cfg), log
}

// ask asks with some time, and gives the kind of the fault and how long it took.
func ask(g *Guard, q connectors.Query, patience time.Duration) (connectors.FaultKind, time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	begun := time.Now()
	_, err := g.Ask(ctx, q)
	return kindOf(err), time.Since(begun)
}

// kindOf is empty for no error.
func kindOf(err error) connectors.FaultKind {
	if err == nil {
		return ""
	}
	if fault := new(connectors.Fault); !errors.As(err, &fault) {
		return "no fault"
	}
	return connectors.KindOf(err)
}

func wantKind(t *testing.T, got, want connectors.FaultKind) {
	t.Helper()
	if got != want {
		t.Errorf("fault %q, want %q", got, want)
	}
}

func wantTook(t *testing.T, got, want time.Duration) {
	t.Helper()
	if got != want {
		t.Errorf("took %v, want %v", got, want)
	}
}

// burst asks many times, some at once, and counts what came of it.
func burst(g *Guard, q connectors.Query, questions, atOnce int, patience time.Duration) map[connectors.FaultKind]int {
	return burstOf(g, func(int) connectors.Query { return q }, questions, atOnce, patience)
}

// about is a question about the n-th of many people.
func about(q connectors.Query, n int) connectors.Query {
	q.Subject.Number = fmt.Sprintf("370199%012d", n)
	return q
}

// burstOf is burst with questions that differ.
func burstOf(g *Guard, question func(n int) connectors.Query, questions, atOnce int, patience time.Duration) map[connectors.FaultKind]int {
	var mu sync.Mutex
	counts := map[connectors.FaultKind]int{}
	var left atomic.Int32
	left.Store(int32(questions))
	var all sync.WaitGroup
	for range atOnce {
		all.Go(func() {
			for n := left.Add(-1); n >= 0; n = left.Add(-1) {
				kind, _ := ask(g, question(int(n)), patience)
				mu.Lock()
				counts[kind]++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return counts
}

func TestAsk_ReturnsSoonAfterItsDeadlineThoughTheConnectorDoesNot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		end := make(chan struct{})
		d := &department{answer: func(context.Context, int) (connectors.Reply, error) { <-end; return found(), nil }}
		g, log := newGuard(d)
		kind, took := ask(g, newQuery(catalog.Limits{Attempts: 1}), time.Second)
		wantKind(t, kind, connectors.FaultTimeout)
		wantTook(t, took, time.Second+20*time.Millisecond)
		if h := g.Health(); h[0].Stuck != 1 {
			t.Errorf("%d calls are left behind, want 1", h[0].Stuck)
		}
		if !bytes.Contains([]byte(log.String()), []byte("does not keep its deadline")) {
			t.Errorf("nothing was logged: %s", log)
		}
		close(end)
		synctest.Wait()
		if h := g.Health(); h[0].Stuck != 0 {
			t.Errorf("%d calls are left behind after the end, want none", h[0].Stuck)
		}
	})
}

func TestAsk_KeepsFewCallsThatDoNotEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		end := make(chan struct{})
		d := &department{answer: func(context.Context, int) (connectors.Reply, error) { <-end; return found(), nil }}
		g, _ := newGuard(d)
		q := newQuery(catalog.Limits{Failures: 100, Attempts: 1})
		burst(g, q, 64, 64, time.Second)
		d.wantCalls(t, coldWidth)
		kind, took := ask(g, q, time.Second)
		wantKind(t, kind, connectors.FaultBusy)
		wantTook(t, took, 0) // nobody waits for what does not end
		close(end)
		synctest.Wait()
		kind, _ = ask(g, q, time.Second)
		wantKind(t, kind, "")
	})
}

func TestAsk_BeginsNothingWithLittleTimeLeft(t *testing.T) {
	t.Parallel()
	for patience, want := range map[time.Duration]int{19 * time.Millisecond: 0, 20 * time.Millisecond: 1} {
		synctest.Test(t, func(t *testing.T) {
			d := &department{answer: hangs}
			g, _ := newGuard(d)
			kind, _ := ask(g, newQuery(catalog.Limits{}), patience)
			wantKind(t, kind, connectors.FaultTimeout)
			d.wantCalls(t, want)
		})
	}
}

func TestAsk_GivesAnAttemptItsPartOfTheTime(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		patience time.Duration
		timeout  int // of the source
		attempts int
		want     time.Duration
	}{
		{"leaves a quarter for another", 800 * time.Millisecond, 0, 2, 600 * time.Millisecond},
		{"leaves no more than 250 ms", 4 * time.Second, 0, 2, 3750 * time.Millisecond},
		{"all of it when there is no other", 800 * time.Millisecond, 0, 1, 800 * time.Millisecond},
		{"not more than the source's own", 4 * time.Second, 300, 2, 300 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := &department{answer: hangs}
				g, _ := newGuard(d)
				q := newQuery(catalog.Limits{Attempts: c.attempts})
				q.Source.TimeoutMillis = c.timeout
				kind, took := ask(g, q, c.patience)
				wantKind(t, kind, connectors.FaultTimeout)
				wantTook(t, took, c.want)
				d.wantCalls(t, 1)
			})
		})
	}
}

func TestAsk_TurnsAPanicIntoAFaultWithoutItsContent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &department{answer: func(context.Context, int) (connectors.Reply, error) { panic("记录 " + asked) }}
		g, log := newGuard(d)
		_, err := g.Ask(t.Context(), newQuery(catalog.Limits{}))
		wantKind(t, kindOf(err), connectors.FaultMalformed)
		if !bytes.Contains([]byte(log.String()), []byte("connector panicked")) || bytes.Contains([]byte(log.String()+err.Error()), []byte(asked)) {
			t.Errorf("error %v, log: %s", err, log)
		}
	})
}

func TestAsk_PassesOnNoErrorThatIsNoFault(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &department{answer: func(context.Context, int) (connectors.Reply, error) { return found(), errors.New("记录 " + asked) }}
		g, _ := newGuard(d)
		reply, err := g.Ask(t.Context(), newQuery(catalog.Limits{}))
		wantKind(t, kindOf(err), connectors.FaultDown)
		if bytes.Contains([]byte(err.Error()), []byte(asked)) || reply.Records != nil {
			t.Errorf("error %v with %d records", err, len(reply.Records))
		}
	})
}

func TestAsk_RefusesWhatNobodySpeaks(t *testing.T) {
	t.Parallel()
	d := &department{answer: answers}
	g, _ := newGuard(d)
	q := newQuery(catalog.Limits{})
	q.Source.Kind = catalog.SourceXRoad
	kind, _ := ask(g, q, time.Second)
	wantKind(t, kind, connectors.FaultMisset)
	kind, _ = ask(g, connectors.Query{}, time.Second)
	wantKind(t, kind, connectors.FaultMisset)
	d.wantCalls(t, 0)
}

func TestAsk_TakesNewLimitsAndKeepsTheState(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &department{answer: fails(connectors.FaultRefused)}
		g, _ := newGuard(d)
		for range 3 {
			ask(g, newQuery(catalog.Limits{}), time.Second)
		}
		// Three failures are kept: with a limit of four the next one is the last.
		q := newQuery(catalog.Limits{Failures: 4, PauseSeconds: 60})
		for range 2 {
			ask(g, q, time.Second)
		}
		d.wantCalls(t, 4)
		// New limits do not end a pause.
		kind, _ := ask(g, newQuery(catalog.Limits{Failures: 9}), time.Second)
		wantKind(t, kind, connectors.FaultPaused)
	})
}
