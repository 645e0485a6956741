package snapshot_test

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/conformance"
	"mianti/connectors/snapshot"
	"mianti/connectors/standin"
	"mianti/internal/fault"
	"mianti/store"
)

// sender is a department that sends files, which are loaded as soon as it is
// told how to make them. The files are kept where the connector looks.
type sender struct {
	server *standin.Server
	rows   *slowRows
	format string
	most   int // rows that a file may have
}

// slowRows are rows that can be slow, or gone.
type slowRows struct {
	snapshot.Rows
	asked atomic.Int64
	delay atomic.Bool
	gone  atomic.Bool
	// swapped gives another's rows in the place of the asked ones, added with them.
	swapped, added atomic.Bool
	keys           sync.Map // of string (source) to [][]byte
}

// ReplaceSnapshot notes the keys of the rows.
func (r *slowRows) ReplaceSnapshot(ctx context.Context, h snapshot.Header, rows iter.Seq2[snapshot.Sealed, error]) error {
	var keys [][]byte
	return r.Rows.ReplaceSnapshot(ctx, h, func(yield func(snapshot.Sealed, error) bool) {
		for row, err := range rows {
			keys = append(keys, row.Key)
			if !yield(row, err) {
				return
			}
		}
		r.keys.Store(h.Source, keys)
	})
}

func (r *slowRows) SnapshotRows(ctx context.Context, source string, key []byte, limit int) (*snapshot.Header, [][]byte, error) {
	r.asked.Add(1)
	if r.gone.Load() {
		return nil, nil, errors.New("the database is away: 冯涛")
	}
	if r.delay.Load() {
		<-ctx.Done()
		return nil, nil, ctx.Err()
	}
	h, bodies, err := r.Rows.SnapshotRows(ctx, source, key, limit)
	if err != nil || !r.swapped.Load() && !r.added.Load() {
		return h, bodies, err
	}
	keys, _ := r.keys.Load(source)
	for _, other := range keys.([][]byte) {
		if bytes.Equal(other, key) {
			continue
		}
		_, others, err := r.Rows.SnapshotRows(ctx, source, other, limit)
		if r.swapped.Load() {
			bodies = nil
		}
		return h, append(bodies, others...), err
	}
	return nil, nil, errors.New("the file holds no other subject")
}

func file(dataset string) catalog.Source {
	return catalog.Source{Code: "CC." + dataset + ".file", Kind: catalog.SourceSnapshot, Snapshot: &catalog.Snapshot{
		SubjectKind: catalog.KindPerson, SubjectName: "主体名称", SubjectNumber: "主体号码", Revoked: "是否失效",
	}}
}

// Query asks for a record of the file.
func (s *sender) Query(dataset string, who connectors.Subject) connectors.Query {
	return conformance.Query(dataset, file(dataset), "", who)
}

// SetRules makes the files as the rules say, and loads them. One that is
// refused is not there afterwards.
func (s *sender) SetRules(rules ...standin.Rule) error {
	var kept []standin.Rule
	for _, rule := range rules {
		switch rule.Fault {
		case standin.FaultSlow, standin.FaultHang, standin.FaultDrip:
			s.rows.delay.Store(true)
		case standin.FaultDown, standin.FaultReset, standin.FaultCut:
			s.rows.gone.Store(true)
		case standin.FaultHuge:
			s.most = 1 // the file has three, and need not be made huge for that
		case standin.FaultWrongPerson:
			s.rows.swapped.Store(true)
		case standin.FaultTwoSubjects:
			s.rows.added.Store(true)
		case standin.FaultNotFound: // of the one who is asked about: a file of nobody is refused
			rule.Subject = conformance.People()[0].Number
			kept = append(kept, rule)
		default:
			kept = append(kept, rule)
		}
	}
	if err := s.server.SetRules(kept...); err != nil {
		return err
	}
	for _, code := range []string{conformance.Card, conformance.Sheet} {
		if err := s.send(code); err != nil {
			return err
		}
	}
	return nil
}

func (s *sender) send(code string) error {
	name, content, err := s.server.File(code, s.format)
	if err != nil {
		return err
	}
	if s.format == "csv" { // the stand-in writes a NUL as JSON does
		content = bytes.ReplaceAll(content, []byte(`\u0000`), []byte{0})
	}
	from := file(code)
	from.Snapshot.MaxRows = s.most
	loader := snapshot.NewLoader(snapshot.Options{Rows: s.rows, Key: testKey(), Now: conformance.Today})
	f := snapshot.File{Name: name, Content: bytes.NewReader(content), Size: int64(len(content))}
	_, err = loader.Load(context.Background(), conformance.Dataset(code), &from, time.Time{}, f)
	var faults snapshot.RowErrors
	if errors.As(err, &faults) || isFuture(err) {
		return nil
	}
	return err
}

// Asked says how often the connector has looked.
func (s *sender) Asked() int { return int(s.rows.asked.Load()) }

// Close takes the rows away.
func (s *sender) Close() { s.rows.gone.Store(true) }

func isFuture(err error) bool {
	refused := fault.As(err)
	return refused != nil && refused.Code == "snapshot-future"
}

// apart gives a test snapshots of its own in a store that others use too.
type apart struct {
	snapshot.Rows
	prefix string
}

func (a apart) Snapshot(ctx context.Context, source string) (*snapshot.Header, error) {
	h, err := a.Rows.Snapshot(ctx, a.prefix+source)
	if h != nil {
		h.Source = source
	}
	return h, err
}

func (a apart) SnapshotRows(ctx context.Context, source string, key []byte, limit int) (*snapshot.Header, [][]byte, error) {
	h, bodies, err := a.Rows.SnapshotRows(ctx, a.prefix+source, key, limit)
	if h != nil {
		h.Source = source
	}
	return h, bodies, err
}

func (a apart) ReplaceSnapshot(ctx context.Context, h snapshot.Header, rows iter.Seq2[snapshot.Sealed, error]) error {
	h.Source = a.prefix + h.Source
	return a.Rows.ReplaceSnapshot(ctx, h, rows)
}

// openSQLite opens one store for all cases: one that is closed leaves a
// goroutine of its statement cache behind.
func openSQLite(t *testing.T) snapshot.Rows {
	t.Helper()
	url := "sqlite:" + filepath.Join(t.TempDir(), "mianti.db")
	if err := store.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), store.Config{URL: url, Now: conformance.Today})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestConnector_KeepsTheContract(t *testing.T) {
	sqlite := openSQLite(t)
	inMemory := func(*testing.T) snapshot.Rows { return newMemory() }
	inSQLite := func(t *testing.T) snapshot.Rows { return apart{sqlite, t.Name() + " "} }
	for _, c := range []struct {
		name, format string
		rows         func(t *testing.T) snapshot.Rows
	}{
		{"csv in memory", "csv", inMemory},
		{"xlsx in memory", "xlsx", inMemory},
		{"csv in SQLite", "csv", inSQLite},
	} {
		t.Run(c.name, func(t *testing.T) {
			conformance.Run(t, conformance.Kind{
				Name: catalog.SourceSnapshot,
				New: func(t *testing.T) (connectors.Connector, conformance.Department) {
					server, _ := conformance.StandIn(t)
					rows := &slowRows{Rows: c.rows(t)}
					return snapshot.New(rows, testKey()), &sender{server: server, rows: rows, format: c.format}
				},
				NotFor: notFor(c.format),
				Faults: faults(c.format),
			})
		})
	}
}

// notFor are the cases that no file can come to.
func notFor(format string) map[string]string {
	out := conformance.OverHTTP("a file is not asked over HTTP")
	out["another name"] = "a file is searched by the number; the name in it is given"
	out["busy"] = "the department is not asked"
	out["denied"] = "the department is not asked"
	if format == "csv" {
		out["numbers for texts"] = "all that CSV knows is texts"
		out["line break in a value"] = "in CSV a line ends in one way"
	}
	return out
}

// faults are what a file that is refused comes to: none was loaded, and that is
// no word about the subject. A row that lies under another's key does not open.
func faults(format string) map[string]connectors.FaultKind {
	out := map[string]connectors.FaultKind{"wrong person": connectors.FaultMalformed, "two subjects": connectors.FaultMalformed}
	for _, refused := range []string{
		"as it will be in ten years", "no subject", "malformed", "empty", "huge", "bad UTF-8", "undeclared GB18030", "NUL in a text", "lost character",
	} {
		out[refused] = connectors.FaultDown
	}
	if format == "xlsx" {
		out["numbers for texts"] = connectors.FaultDown
	}
	return out
}
