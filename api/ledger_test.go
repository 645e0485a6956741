package api_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/store"
)

// lateLog is a log that has nothing in it until it is given one.
type lateLog struct {
	*store.Log
	empty ledger.Checkpoint
	vkey  string
}

func logSigner(t testing.TB) *ledger.Signer {
	t.Helper()
	signer, err := ledger.NewSigner("mianti.example/log", bytes.Repeat([]byte{9}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func newLateLog(t testing.TB) *lateLog {
	t.Helper()
	signer := logSigner(t)
	root, err := tlog.TreeHash(0, nil)
	if err != nil {
		t.Fatal(err)
	}
	c, err := signer.Sign(ledger.Tree{Root: root})
	if err != nil {
		t.Fatal(err)
	}
	return &lateLog{empty: c, vkey: signer.VKey()}
}

func (l *lateLog) use(log *store.Log) { l.Log = log }

func (l *lateLog) Checkpoint(ctx context.Context) (ledger.Checkpoint, error) {
	if l.Log == nil {
		return l.empty, nil
	}
	return l.Log.Checkpoint(ctx)
}

func (l *lateLog) VKeys(ctx context.Context) ([]string, error) {
	if l.Log == nil {
		return []string{l.vkey}, nil
	}
	return l.Log.VKeys(ctx)
}

func (l *lateLog) Tile(ctx context.Context, t ledger.Tile) ([]byte, error) {
	if l.Log == nil {
		return nil, fault.New(fault.NotFound, "unknown-tile", "没有")
	}
	return l.Log.Tile(ctx, t)
}

func (l *lateLog) Rows(ctx context.Context, from int64, limit int) ([]ledger.Row, error) {
	if l.Log == nil {
		return nil, nil
	}
	return l.Log.Rows(ctx, from, limit)
}

func (l *lateLog) RowsOfCase(ctx context.Context, id string, after int64, limit int) ([]ledger.Row, error) {
	if l.Log == nil {
		return nil, nil
	}
	return l.Log.RowsOfCase(ctx, id, after, limit)
}

// seal seals what is in the database.
func (s *sharingHarness) seal() {
	s.t.Helper()
	if _, err := store.NewLog(s.db).Seal(s.t.Context(), logSigner(s.t), store.SealBatch); err != nil {
		s.t.Fatal(err)
	}
}

// record records n entries of a case.
func (s *sharingHarness) record(n int, caseID string) {
	s.t.Helper()
	entries := make([]ledger.Entry, n)
	for i := range entries {
		entries[i] = ledger.Entry{Kind: ledger.Intent, At: at(), Case: caseID, Object: strconv.Itoa(i)}
	}
	if err := s.db.Append(s.t.Context(), entries); err != nil {
		s.t.Fatal(err)
	}
}

func (s *sharingHarness) keys() ledger.Keys {
	s.t.Helper()
	var got struct{ Keys []string }
	decode(s.t, s.call(ownSystem, http.MethodGet, "/v1/log/checkpoint", ""), &got)
	keys, err := ledger.ParseKeys(got.Keys)
	if err != nil || len(got.Keys) == 0 {
		s.t.Fatal(got, err)
	}
	return keys
}

// Anybody reads signed states and hashes, as tools of others ask for them, and
// nobody but an auditor what they are of.
func TestLog_IsServedAsTiles(t *testing.T) {
	t.Parallel()
	s := newSharingHarness(t)
	keys := s.keys()
	for _, size := range []int{0, 1, 2, 300} {
		have, err := store.NewLog(s.db).Checkpoint(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if more := size - int(have.Size); more > 0 {
			s.record(more, "c1")
			s.seal()
		}
		fetch := func(_ context.Context, path string) ([]byte, error) {
			w := s.as(auditor, http.MethodGet, "/log/"+path, "")
			if w.Code != http.StatusOK {
				return nil, fmt.Errorf("%s: %d %s", path, w.Code, w.Body)
			}
			return w.Body.Bytes(), nil
		}
		report, err := ledger.Verification{Keys: keys}.Verify(t.Context(), ledger.TileLog{Fetch: fetch})
		if err != nil || len(report.Faults) > 0 || report.Size != int64(size) || report.Unseen {
			t.Errorf("%d entries: %+v, %v", size, report, err)
		}
	}
	checkpoint := s.send(request(http.MethodGet, "/log/checkpoint", ""))
	if kind, cache := checkpoint.Header().Get("Content-Type"), checkpoint.Header().Get("Cache-Control"); kind != "text/plain; charset=utf-8" || cache != "public, max-age=1" {
		t.Errorf("a checkpoint is %q, %q", kind, cache)
	}
	tile := s.send(request(http.MethodGet, "/log/tile/0/000", ""))
	if kind, cache := tile.Header().Get("Content-Type"), tile.Header().Get("Cache-Control"); tile.Code != http.StatusOK || tile.Body.Len() != 8192 || kind != "application/octet-stream" || cache != "public, max-age=31536000, immutable" {
		t.Errorf("a tile is %d, %d bytes, %q, %q", tile.Code, tile.Body.Len(), kind, cache)
	}
	for _, path := range []string{"tile/0/001.p/45", "tile/0/001", "tile/0/002", "tile/1/000.p/2", "tile/x", "tile/", "tile/0/000.p/0"} {
		w := s.send(request(http.MethodGet, "/log/"+path, ""))
		wantProblem(t, w, http.StatusNotFound, "unknown-tile")
		if w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: that there is none yet may be kept", path)
		}
	}
}

func TestLog_GivesEntriesToAuditorsAloneAndRecordsIt(t *testing.T) {
	t.Parallel()
	s := newSharingHarness(t)
	s.record(3, "c1")
	s.seal()
	const bundle = "/log/tile/entries/000.p/3"
	wantProblem(t, s.send(request(http.MethodGet, bundle, "")), http.StatusUnauthorized, "unauthenticated")
	for _, who := range []string{clerk, provider} {
		wantProblem(t, s.as(who, http.MethodGet, bundle, ""), http.StatusForbidden, "not-your-duty")
		wantProblem(t, s.as(who, http.MethodGet, "/v1/log/entries", ""), http.StatusForbidden, "not-your-duty")
	}
	s.memory.change(func(m *memory) { m.appended = nil })
	w := s.as(auditor, http.MethodGet, bundle, "")
	if w.Code != http.StatusOK || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%d, %q", w.Code, w.Header().Get("Cache-Control"))
	}
	var listed struct {
		Items []struct {
			Index int64
			Leaf  string
		}
	}
	decode(t, s.as(auditor, http.MethodGet, "/v1/log/entries?from=1", ""), &listed)
	if len(listed.Items) != 2 || listed.Items[0].Index != 1 {
		t.Fatalf("%+v, want the entries from 1 on", listed)
	}
	text, err := base64.StdEncoding.DecodeString(listed.Items[0].Leaf)
	if err != nil {
		t.Fatal(err)
	}
	if leaf, err := ledger.ParseLeaf(text); err != nil || leaf.Index != 1 {
		t.Errorf("%s is no leaf: %v", text, err)
	}
	s.memory.change(func(m *memory) {
		if len(m.appended) != 2 || m.appended[0].Kind != ledger.LogRead || m.appended[0].Person != "u-auditor" || m.appended[0].Object != "log:0-2" || m.appended[1].Object != "log:1-2" {
			t.Errorf("recorded %+v, want both readings", m.appended)
		}
		m.fail = fmt.Errorf("full")
	})
	if w := s.as(auditor, http.MethodGet, bundle, ""); w.Code != http.StatusServiceUnavailable {
		t.Errorf("a reading that cannot be recorded: %d", w.Code)
	}
}

func TestLog_ProvesOverTheAPI(t *testing.T) {
	t.Parallel()
	s := newSharingHarness(t)
	keys := s.keys()
	s.record(100, "c1")
	s.seal()
	old, err := store.NewLog(s.db).Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.record(200, "c1")
	s.seal()
	var inclusion struct{ Proof string }
	decode(t, s.call(ownSystem, http.MethodGet, "/v1/log/inclusion?index=77", ""), &inclusion)
	proof, err := ledger.ParseProof(inclusion.Proof)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := store.NewLog(s.db).Rows(t.Context(), 77, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := proof.Check(rows[0].Leaf().Hash(), keys); err != nil {
		t.Error(err)
	}
	var consistency struct {
		Hashes     []ledger.Hash
		Checkpoint string
	}
	decode(t, s.call(ownSystem, http.MethodGet, "/v1/log/consistency?from=100", ""), &consistency)
	now, err := keys.Open(consistency.Checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	if err := ledger.CheckConsistency(old.Tree, now.Tree, consistency.Hashes); err != nil {
		t.Error(err)
	}
	for _, target := range []string{"/v1/log/inclusion?index=300", "/v1/log/consistency?from=301"} {
		wantProblem(t, s.call(ownSystem, http.MethodGet, target, ""), http.StatusNotFound, "unknown-ledger-index")
	}
	for _, target := range []string{"/v1/log/inclusion", "/v1/log/inclusion?index=-1", "/v1/log/consistency?from=x"} {
		wantProblem(t, s.call(ownSystem, http.MethodGet, target, ""), http.StatusUnprocessableEntity, "invalid-request")
	}
}

func TestReceipt_IsOfOnesOwnCaseAndTakesASecond(t *testing.T) {
	t.Parallel()
	s := newSharingHarness(t)
	keys := s.keys()
	id := s.open("JN-1")
	s.record(2, id)
	listed := func() (items []struct {
		Number int64
		Index  *int64
		Hash   string
	}) {
		var out struct{ Items json.RawMessage }
		decode(t, s.call(ownSystem, http.MethodGet, "/v1/cases/"+id+"/entries", ""), &out)
		if err := json.Unmarshal(out.Items, &items); err != nil {
			t.Fatal(err)
		}
		return items
	}
	before := listed()
	if len(before) != 2 || before[0].Index != nil {
		t.Fatalf("%+v, want two that have no place yet", before)
	}
	target := fmt.Sprintf("/v1/cases/%s/entries/%d/receipt", id, before[1].Number)
	w := s.call(ownSystem, http.MethodGet, target, "")
	wantProblem(t, w, http.StatusServiceUnavailable, "not-sealed-yet")
	if w.Header().Get("Retry-After") != "1" {
		t.Errorf("Retry-After %q, want a second", w.Header().Get("Retry-After"))
	}
	s.seal()
	if after := listed(); after[1].Index == nil || *after[1].Index != 1 || after[1].Hash == "" {
		t.Errorf("%+v, want a place", after)
	}
	w = s.call(ownSystem, http.MethodGet, target, "")
	receipt, err := ledger.ParseReceipt(w.Body.Bytes())
	if err != nil {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	if got, err := ledger.VerifyReceipt(receipt, keys); err != nil || got.Entry.Case != id || got.Entry.Object != "1" {
		t.Errorf("%+v, %v", got, err)
	}
	wantProblem(t, s.call(other, http.MethodGet, target, ""), http.StatusNotFound, "unknown-case")
	wantProblem(t, s.call(other, http.MethodGet, "/v1/cases/"+id+"/entries", ""), http.StatusNotFound, "unknown-case")
	elsewhere := strings.Replace(target, id, s.open("JN-2"), 1)
	wantProblem(t, s.call(ownSystem, http.MethodGet, elsewhere, ""), http.StatusNotFound, "unknown-entry")
	read := 0
	s.memory.change(func(m *memory) {
		for _, e := range m.appended {
			if e.Kind == ledger.LogRead && e.Case == id && e.System == ownSystem {
				read++
			}
		}
	})
	if read != 4 {
		t.Errorf("%d readings are recorded, want 4", read)
	}
}
