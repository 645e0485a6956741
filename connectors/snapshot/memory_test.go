package snapshot_test

import (
	"context"
	"errors"
	"iter"
	"strings"
	"sync"
	"testing"
	"time"

	"mianti/catalog"
	"mianti/connectors/snapshot"
	"mianti/internal/fault"
)

// memory keeps snapshots in memory, under the contract of snapshot.Rows.
type memory struct {
	mu      sync.Mutex
	headers map[string]snapshot.Header
	rows    map[string][]snapshot.Sealed
	// failAfter makes a load break off after so many rows; 0 means never.
	failAfter int
	// before, when set, is called when a load begins.
	before func()
}

var errBroken = errors.New("the store broke off")

func newMemory() *memory {
	return &memory{headers: map[string]snapshot.Header{}, rows: map[string][]snapshot.Sealed{}}
}

func (m *memory) Snapshot(ctx context.Context, source string) (*snapshot.Header, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	h, found := m.headers[source]
	if !found {
		return nil, ctx.Err()
	}
	return &h, ctx.Err()
}

func (m *memory) SnapshotRows(ctx context.Context, source string, key []byte, limit int) (*snapshot.Header, [][]byte, error) {
	h, err := m.Snapshot(ctx, source)
	if h == nil || err != nil {
		return nil, nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var bodies [][]byte
	for _, row := range m.rows[source] {
		if string(row.Key) == string(key) && len(bodies) < limit {
			bodies = append(bodies, row.Body)
		}
	}
	return h, bodies, nil
}

func (m *memory) ReplaceSnapshot(_ context.Context, h snapshot.Header, rows iter.Seq2[snapshot.Sealed, error]) error {
	if m.before != nil {
		m.before()
	}
	var all []snapshot.Sealed
	for row, err := range rows {
		if err != nil {
			return err
		}
		if all = append(all, row); len(all) == m.failAfter {
			return errBroken
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.headers[h.Source].Seq != h.Seq-1:
		return fault.New(fault.Conflict, "snapshot-changed", "另一次载入更快")
	case len(all) != h.Rows:
		return errors.New("another number of rows than announced")
	}
	m.headers[h.Source], m.rows[h.Source] = h, all
	return nil
}

// testKey is a key of the right length.
func testKey() []byte { return []byte("0123456789abcdef0123456789abcdef") }

// testNow is eight o'clock in China on 2026-11-24.
func testNow() time.Time { return time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC) }

// The people of the tests; the numbers are of an area that nobody was born in.
const (
	feng = "370199198601121535"
	mai  = "37019919910914262X"
	shop = "91370102MA9X00011G"
)

// dataset has a field of each type.
func dataset() *catalog.Dataset {
	return &catalog.Dataset{Code: "D-CC01", Fields: []catalog.Field{
		{Code: "title", Name: "职称", Type: catalog.FieldString},
		{Code: "years", Name: "年限", Type: catalog.FieldNumber},
		{Code: "member", Name: "会员", Type: catalog.FieldBool},
		{Code: "valid_to", Name: "有效期止", Type: catalog.FieldDate},
		{Code: "works", Name: "作品", Type: catalog.FieldList},
	}}
}

func source() *catalog.Source {
	return &catalog.Source{Code: "CC.D-CC01.file", Kind: catalog.SourceSnapshot, Snapshot: &catalog.Snapshot{
		SubjectKind: catalog.KindPerson, SubjectName: "姓名", SubjectNumber: "公民身份号码", Revoked: "注销",
	}}
}

// heading are the columns of the source, and one that nobody reads.
const heading = "姓名,公民身份号码,注销,职称,年限,会员,有效期止,作品,备注\r\n"

// csvFile is a file with the heading and these rows.
func csvFile(name string, rows ...string) snapshot.File {
	return textFile(name, heading+strings.Join(rows, "\r\n")+"\r\n")
}

func textFile(name, text string) snapshot.File {
	return snapshot.File{Name: name, Content: strings.NewReader(text), Size: int64(len(text))}
}

// readAll reads a file as the source says.
func readAll(t *testing.T, f snapshot.File, s *catalog.Source) ([]snapshot.Row, error) {
	t.Helper()
	var rows []snapshot.Row
	count, err := snapshot.Read(t.Context(), f, dataset(), s, func(r snapshot.Row) error {
		rows = append(rows, r)
		return nil
	})
	if err == nil && count != len(rows) {
		t.Errorf("Read says %d rows and gave %d", count, len(rows))
	}
	return rows, err
}

// wantErrors wants a file to be refused with these codes, in their order.
func wantErrors(t *testing.T, err error, want ...string) snapshot.RowErrors {
	t.Helper()
	var all snapshot.RowErrors
	if !errors.As(err, &all) {
		t.Fatalf("got %v, want errors of rows", err)
	}
	var got []string
	for _, one := range all {
		got = append(got, one.Code)
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("codes %q, want %q\n%v", got, want, all)
	}
	return all
}
