package snapshot_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/snapshot"
	"mianti/internal/fault"
)

func newLoader(m *memory) *snapshot.Loader {
	return snapshot.NewLoader(snapshot.Options{Rows: m, Key: testKey(), Now: testNow})
}

func load(t *testing.T, l *snapshot.Loader, f snapshot.File) (snapshot.Report, error) {
	t.Helper()
	return l.Load(t.Context(), dataset(), source(), time.Time{}, f)
}

func mustLoad(t *testing.T, l *snapshot.Loader, f snapshot.File) snapshot.Report {
	t.Helper()
	report, err := load(t, l, f)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func query(number string) connectors.Query {
	return connectors.Query{
		Dataset: dataset(), Source: source(), Subject: connectors.Subject{Kind: catalog.KindPerson, Name: "冯涛", Number: number},
		Fields: []string{"title", "years", "member", "works"},
	}
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	if refused := fault.As(err); refused == nil || refused.Code != code {
		t.Errorf("got %v, want %s", err, code)
	}
}

func TestAsk_GivesWhatTheFileSays(t *testing.T) {
	t.Parallel()
	m := newMemory()
	mustLoad(t, newLoader(m), csvFile("名单-20261123T2200.csv", good, "冯涛,"+feng+",是,,,,,,"))
	reply, err := snapshot.New(m, testKey()).Ask(t.Context(), query(feng))
	if err != nil {
		t.Fatal(err)
	}
	first := goodRow()
	delete(first.Fields, "valid_to") // not asked for
	asOf := time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC)
	want := []connectors.Record{
		{Subject: first.Subject, Fields: first.Fields, AsOf: asOf},
		{Subject: first.Subject, Fields: map[string]any{}, AsOf: asOf, Revoked: true},
	}
	if diff := cmp.Diff(want, reply.Records); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	if reply, err = snapshot.New(m, testKey()).Ask(t.Context(), query(mai)); err != nil || len(reply.Records) != 0 {
		t.Errorf("of somebody who is not in the file: %d records, %v", len(reply.Records), err)
	}
}

func TestAsk_NeverTakesAFaultForAnAnswer(t *testing.T) {
	t.Parallel()
	other := query(feng)
	other.Subject.Kind = catalog.KindOrganization
	newField := query(feng)
	newField.Dataset.Fields = append(newField.Dataset.Fields, catalog.Field{Code: "level", Name: "级别", Type: catalog.FieldString})
	newField.Fields = append(newField.Fields, "level")
	newType := query(feng)
	newType.Dataset.Fields[0].Type = catalog.FieldNumber
	unknown := query(feng)
	unknown.Source.Code = "CC.D-CC02.file"
	undescribed := query(feng)
	undescribed.Source.Snapshot = nil
	many := strings.Split(strings.Repeat(good+"\n", 101), "\n")[:101]
	late, cancel := context.WithDeadline(t.Context(), testNow().AddDate(-20, 0, 0))
	defer cancel()
	for _, c := range []struct {
		name string
		ctx  context.Context
		key  []byte
		rows []string
		q    connectors.Query
		want connectors.FaultKind
	}{
		{"no snapshot was loaded", t.Context(), testKey(), nil, unknown, connectors.FaultDown},
		{"another key", t.Context(), []byte(strings.Repeat("k", 32)), nil, query(feng), connectors.FaultMisset},
		{"a key that is too short", t.Context(), []byte("k"), nil, query(feng), connectors.FaultMisset},
		{"another kind of party", t.Context(), testKey(), nil, other, connectors.FaultMisset},
		{"a field that the catalog got later", t.Context(), testKey(), nil, newField, connectors.FaultMisset},
		{"a type that the catalog changed", t.Context(), testKey(), nil, newType, connectors.FaultMisset},
		{"a source without a description", t.Context(), testKey(), nil, undescribed, connectors.FaultMisset},
		{"too many records of one subject", t.Context(), testKey(), many, query(feng), connectors.FaultMalformed},
		{"too late", late, testKey(), nil, query(feng), connectors.FaultTimeout},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := newMemory()
			mustLoad(t, newLoader(m), csvFile("名单-20261123.csv", append([]string{good}, c.rows...)...))
			reply, err := snapshot.New(m, c.key).Ask(c.ctx, c.q)
			var got *connectors.Fault
			if !errors.As(err, &got) || got.Kind != c.want || len(reply.Records) > 0 {
				t.Errorf("got %v with %d records, want %s", err, len(reply.Records), c.want)
			}
		})
	}
}

func TestAsk_RefusesRowsThatWereChanged(t *testing.T) {
	t.Parallel()
	const name = "名单-20261122.csv"
	for _, c := range []struct {
		name   string
		change func(m *memory, code string)
	}{
		{"another's content", func(m *memory, code string) { m.rows[code][0].Body = m.rows[code][1].Body }},
		{"a bit", func(m *memory, code string) { m.rows[code][0].Body[20] ^= 1 }},
		{"nothing left", func(m *memory, code string) { m.rows[code][0].Body = nil }},
		{"a younger header", func(m *memory, code string) {
			h := m.headers[code]
			h.AsOf = testNow()
			m.headers[code] = h
		}},
		{"a row of an older file", func(m *memory, code string) {
			old := m.rows[code][0]
			mustLoad(t, newLoader(m), csvFile("名单-20261123.csv", good))
			m.rows[code][0] = old
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := newMemory()
			mustLoad(t, newLoader(m), csvFile(name, good, strings.Replace(good, feng, mai, 1)))
			c.change(m, source().Code)
			if reply, err := snapshot.New(m, testKey()).Ask(t.Context(), query(feng)); connectors.KindOf(err) != connectors.FaultMalformed {
				t.Errorf("got %v with %d records, want malformed", err, len(reply.Records))
			}
		})
	}
}

func TestLoad_StoresNothingThatCanBeRead(t *testing.T) {
	t.Parallel()
	m := newMemory()
	mustLoad(t, newLoader(m), csvFile("名单-20261123.csv", good, good))
	rows := m.rows[source().Code]
	if !bytes.Equal(rows[0].Key, rows[1].Key) || bytes.Equal(rows[0].Body, rows[1].Body) {
		t.Error("rows of one subject want one key, and bodies that do not show that they are alike")
	}
	for _, row := range rows {
		for _, word := range []string{feng, "冯涛", "工程师", "title"} {
			if bytes.Contains(row.Body, []byte(word)) || bytes.Contains(row.Key, []byte(word)) {
				t.Errorf("a stored row holds %q", word)
			}
		}
	}
	again := newMemory()
	mustLoad(t, snapshot.NewLoader(snapshot.Options{Rows: again, Key: []byte(strings.Repeat("k", 32)), Now: testNow}), csvFile("名单-20261123.csv", good))
	if bytes.Equal(rows[0].Key, again.rows[source().Code][0].Key) {
		t.Error("the key of a row does not depend on the exchange's")
	}
}

func TestLoad_KeepsWhatThereIsUnlessAllIsLoaded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		m    func(m *memory)
		rows []string
		want func(error) bool
	}{
		{"a fault in the last row", nil, []string{good, good, "冯涛,1,否,,,,,,"}, func(err error) bool {
			var faults snapshot.RowErrors
			return errors.As(err, &faults)
		}},
		{"the store breaks off", func(m *memory) { m.failAfter = 2 }, []string{good, good, good}, func(err error) bool { return errors.Is(err, errBroken) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := newMemory()
			mustLoad(t, newLoader(m), csvFile("名单-20261122.csv", good))
			before := m.headers[source().Code]
			if c.m != nil {
				c.m(m)
			}
			if _, err := load(t, newLoader(m), csvFile("名单-20261123.csv", c.rows...)); !c.want(err) {
				t.Errorf("got %v", err)
			}
			if diff := cmp.Diff(before, m.headers[source().Code]); diff != "" {
				t.Errorf("header (-before +after):\n%s", diff)
			}
			reply, err := snapshot.New(m, testKey()).Ask(t.Context(), query(feng))
			if err != nil || len(reply.Records) != 1 {
				t.Errorf("afterwards: %d records, %v", len(reply.Records), err)
			}
		})
	}
}

func TestLoad_RefusesWhatIsOlder(t *testing.T) {
	t.Parallel()
	m := newMemory()
	mustLoad(t, newLoader(m), csvFile("名单-20261123.csv", good))
	_, err := load(t, newLoader(m), csvFile("名单-20261122.csv", good, good))
	wantCode(t, err, "snapshot-older")
	forced := snapshot.NewLoader(snapshot.Options{Rows: m, Key: testKey(), Now: testNow, Force: true})
	if report := mustLoad(t, forced, csvFile("名单-20261122.csv", good, good)); report.Rows != 2 || m.headers[source().Code].Rows != 2 {
		t.Errorf("forced: %+v", report)
	}
}

func TestLoad_ChangesNothingForTheSameFile(t *testing.T) {
	t.Parallel()
	m := newMemory()
	first := mustLoad(t, newLoader(m), csvFile("名单-20261122.csv", good))
	second := mustLoad(t, newLoader(m), csvFile("再送-20261122.csv", good))
	if !second.Unchanged || second.Rows != 1 || second.Digest != first.Digest || m.headers[source().Code].Seq != 1 {
		t.Errorf("the same file again: %+v", second)
	}
	// The same content of a later day says that it is still so.
	if third := mustLoad(t, newLoader(m), csvFile("名单-20261123.csv", good)); third.Unchanged || !m.headers[source().Code].AsOf.Equal(third.AsOf) {
		t.Errorf("the same content a day later: %+v", third)
	}
	described := source()
	described.Snapshot.Columns = map[string]string{"title": "备注"}
	fourth, err := newLoader(m).Load(t.Context(), dataset(), described, time.Time{}, csvFile("名单-20261123.csv", good))
	if err != nil || fourth.Unchanged {
		t.Errorf("the same file under another description: %+v, %v", fourth, err)
	}
}

func TestLoad_TakesTheMomentFromTheName(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, want string }{
		{"名单-20261123.csv", "2026-11-22T16:00:00Z"},
		{"D-1-20261123T2200.csv", "2026-11-23T14:00:00Z"},
		{"名单-20261123.CSV", "2026-11-22T16:00:00Z"},
		{"名单-20261124T0809.csv", "2026-11-24T00:09:00Z"}, // nine minutes from now
		{"名单-20261124T0811.csv", "snapshot-future"},
		{"名单-20361123.csv", "snapshot-future"},
		{"名单.csv", "snapshot-as-of"},
		{"名单20261123.csv", "snapshot-as-of"},
		{"名单-20261323.csv", "snapshot-as-of"},
		{"名单-20261123T2560.csv", "snapshot-as-of"},
	} {
		report, err := load(t, newLoader(newMemory()), csvFile(c.name, good))
		if strings.HasPrefix(c.want, "snapshot-") {
			wantCode(t, err, c.want)
		} else if got := report.AsOf.Format(time.RFC3339); err != nil || got != c.want {
			t.Errorf("%s: %s, %v; want %s", c.name, got, err, c.want)
		}
	}
	at := testNow().Add(-time.Hour)
	report, err := newLoader(newMemory()).Load(t.Context(), dataset(), source(), at, csvFile("名单.csv", good))
	if err != nil || !report.AsOf.Equal(at) {
		t.Errorf("told: %v, %v", report.AsOf, err)
	}
}

func TestLoad_LetsOneOfTwoWin(t *testing.T) {
	t.Parallel()
	m := newMemory()
	var both sync.WaitGroup // both have looked before either stores
	both.Add(2)
	var once [2]sync.Once
	var calls sync.Mutex
	n := 0
	m.before = func() {
		calls.Lock()
		at := n
		n++
		calls.Unlock()
		if at < 2 {
			once[at].Do(both.Done)
			both.Wait()
		}
	}
	ended := make(chan error, 2)
	for _, name := range []string{"甲-20261122.csv", "乙-20261123.csv"} {
		go func() {
			_, err := newLoader(m).Load(context.Background(), dataset(), source(), time.Time{}, csvFile(name, good))
			ended <- err
		}()
	}
	for range 2 {
		if err := <-ended; err != nil {
			wantCode(t, err, "snapshot-older")
		}
	}
	if got := m.headers[source().Code].AsOf.Format(time.DateOnly); got != "2026-11-22" { // in UTC
		t.Errorf("served is the one of %s, want the newer", got)
	}
}

func TestLoad_RefusesAFileThatIsWrittenMeanwhile(t *testing.T) {
	t.Parallel()
	m := newMemory()
	text := []byte(heading + good + "\r\n")
	m.before = func() { text[len(text)-3] = 'y' } // the last cell, which nobody reads
	f := snapshot.File{Name: "名单-20261123.csv", Content: bytes.NewReader(text), Size: int64(len(text))}
	_, err := load(t, newLoader(m), f)
	wantCode(t, err, "snapshot-written")
	if len(m.headers) > 0 {
		t.Error("it was loaded all the same")
	}
}

func TestLoad_TellsHowFarItIs(t *testing.T) {
	t.Parallel()
	var got []int
	loader := snapshot.NewLoader(snapshot.Options{Rows: newMemory(), Key: testKey(), Now: testNow, Progress: func(stage snapshot.Stage, rows int) {
		if stage == snapshot.StageStore {
			rows = -rows
		}
		got = append(got, rows)
	}})
	mustLoad(t, loader, csvFile("名单-20261123.csv", strings.Split(strings.Repeat(good+"\n", 2500), "\n")[:2500]...))
	if diff := cmp.Diff([]int{1000, 2000, -1000, -2000}, got); diff != "" {
		t.Errorf("progress (-want +got):\n%s", diff)
	}
}

func TestLoad_RefusesASourceOfAnotherKind(t *testing.T) {
	t.Parallel()
	s := source()
	s.Kind = catalog.SourceHTTPJSON
	_, err := newLoader(newMemory()).Load(t.Context(), dataset(), s, testNow(), csvFile("a.csv", good))
	wantCode(t, err, "snapshot-source")
	short := snapshot.NewLoader(snapshot.Options{Rows: newMemory(), Key: []byte("k"), Now: testNow})
	_, err = short.Load(t.Context(), dataset(), source(), testNow(), csvFile("a.csv", good))
	wantCode(t, err, "snapshot-key")
}

// A file of nobody would make everybody "not found".
func TestLoad_RefusesAFileOfNobody(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]snapshot.File{
		"headings only":    textFile("名单-20261123.csv", heading),
		"blank lines only": textFile("名单-20261123.csv", heading+"\r\n\r\n,,,,,,,,\r\n"),
		"a sheet":          {Name: "名单-20261123.xlsx", Content: bytes.NewReader(book(t, nil)), Size: int64(len(book(t, nil)))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMemory()
			mustLoad(t, newLoader(m), csvFile("名单-20261122.csv", good))
			_, err := load(t, newLoader(m), f)
			if all := wantErrors(t, err, snapshot.CodeNoRows); all[0].Row != 0 {
				t.Errorf("told of row %d, want the file as a whole", all[0].Row)
			}
			reply, err := snapshot.New(m, testKey()).Ask(t.Context(), query(feng))
			if err != nil || len(reply.Records) != 1 {
				t.Errorf("afterwards: %d records, %v", len(reply.Records), err)
			}
		})
	}
}
