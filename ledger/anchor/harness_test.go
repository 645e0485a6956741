package anchor_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"mianti/catalog"
	"mianti/ledger/anchor"
	"mianti/ledger/anchor/testwitness"
)

const origin = "mianti.example/ledger"

// testNow is a moment of the tests' clock.
func testNow() time.Time { return time.Date(2026, 11, 27, 4, 30, 0, 0, time.UTC) }

// memoryLog is a log in memory.
type memoryLog struct {
	signer   note.Signer
	verifier note.Verifier

	mu     sync.Mutex
	leaves [][]byte
	hashes []tlog.Hash
	away   bool
}

func newLog(t *testing.T) *memoryLog {
	t.Helper()
	secret, public, err := note.GenerateKey(nil, origin)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := note.NewVerifier(public)
	if err != nil {
		t.Fatal(err)
	}
	return &memoryLog{signer: signer, verifier: verifier}
}

// fork is a log of the same key that has other entries from some point on.
func (l *memoryLog) fork(t *testing.T, keep int) *memoryLog {
	t.Helper()
	other := &memoryLog{signer: l.signer, verifier: l.verifier}
	for _, leaf := range l.leaves[:keep] {
		other.add(t, string(leaf))
	}
	return other
}

func (l *memoryLog) ReadHashes(at []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(at))
	for i, n := range at {
		if n >= int64(len(l.hashes)) {
			return nil, errors.New("no such hash")
		}
		out[i] = l.hashes[n]
	}
	return out, nil
}

func (l *memoryLog) add(t testing.TB, leaves ...string) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, leaf := range leaves {
		more, err := tlog.StoredHashes(int64(len(l.leaves)), []byte(leaf), l)
		if err != nil {
			t.Fatal(err)
		}
		l.leaves, l.hashes = append(l.leaves, []byte(leaf)), append(l.hashes, more...)
	}
}

// grow adds entries until there are n.
func (l *memoryLog) grow(t testing.TB, n int) {
	for i := len(l.leaves); i < n; i++ {
		l.add(t, fmt.Sprintf(`{"entry":{"kind":"intent","case":"c%d"},"links":[]}`, i))
	}
}

func (l *memoryLog) Checkpoint(context.Context) ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.away {
		return nil, errors.New("away")
	}
	size := int64(len(l.leaves))
	if size == 0 {
		return nil, nil
	}
	root, err := tlog.TreeHash(size, l)
	if err != nil {
		return nil, err
	}
	return note.Sign(&note.Note{Text: fmt.Sprintf("%s\n%d\n%s\n", origin, size, root)}, l.signer)
}

func (l *memoryLog) ConsistencyProof(_ context.Context, from int64, to anchor.Checkpoint) ([]tlog.Hash, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return tlog.ProveTree(to.Size, from, l)
}

// memoryStore keeps anchorings in memory.
type memoryStore struct {
	mu       sync.Mutex
	anchored []anchor.Anchored
	states   map[anchor.Place]anchor.State
}

func newStore() *memoryStore { return &memoryStore{states: map[anchor.Place]anchor.State{}} }

func (s *memoryStore) AddAnchored(_ context.Context, a anchor.Anchored) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.anchored = append(s.anchored, a)
	s.states[anchor.Place{Kind: a.Kind, Name: a.Name}] = anchor.State{Kind: a.Kind, Name: a.Name, Size: a.Size, Hash: a.Hash, At: a.At, Kept: a.Kept}
	return nil
}

func (s *memoryStore) NoteTrouble(_ context.Context, kind anchor.Kind, name string, trouble anchor.Trouble, at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	of := anchor.Place{Kind: kind, Name: name}
	state := s.states[of]
	state.Kind, state.Name, state.Trouble, state.Tried = kind, name, trouble, at
	if state.Since.IsZero() {
		state.Since = at
	}
	s.states[of] = state
	return nil
}

func (s *memoryStore) AnchorStates(context.Context) ([]anchor.State, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []anchor.State
	for _, state := range s.states {
		all = append(all, state)
	}
	return all, nil
}

// last gives the last anchoring.
func (s *memoryStore) last(t *testing.T) anchor.Anchored {
	t.Helper()
	if len(s.anchored) == 0 {
		t.Fatal("nothing was anchored")
	}
	return s.anchored[len(s.anchored)-1]
}

// clock is a clock that a test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// setting is a log, a store, and a worker that anchors the one in the other.
type setting struct {
	log     *memoryLog
	store   *memoryStore
	clock   *clock
	witness *testwitness.Witness
	warned  *bytes.Buffer
	config  anchor.Config
	step    time.Duration // between two times
}

// newSetting has a witness that is served by handler, or by itself for nil.
func newSetting(t *testing.T, handler http.Handler) *setting {
	t.Helper()
	s := &setting{log: newLog(t), store: newStore(), clock: &clock{at: testNow()}, warned: &bytes.Buffer{}, step: 2 * time.Hour}
	s.witness = testwitness.New("witness.example/w1", ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32)), s.clock.now, s.log.verifier)
	if handler == nil {
		handler = s.witness
	}
	s.config = anchor.Config{
		Log: s.log, Store: s.store, Now: s.clock.now, Logger: slog.New(slog.NewTextHandler(s.warned, nil)), Network: catalog.NetworkLocal,
		Witnesses: []anchor.WitnessAddress{{Key: s.witness.Key(), URL: serve(t, handler)}},
	}
	return s
}

// once anchors, a while after the last time.
func (s *setting) once(t *testing.T) error {
	t.Helper()
	s.clock.advance(s.step)
	w, err := anchor.New(s.config)
	if err != nil {
		t.Fatal(err)
	}
	return w.Once(t.Context())
}

// state gives the one state that there is.
func (s *setting) state(t *testing.T) anchor.State {
	t.Helper()
	states, _ := s.store.AnchorStates(t.Context())
	if len(states) != 1 {
		t.Fatalf("%d states", len(states))
	}
	return states[0]
}

func serve(t *testing.T, handler http.Handler) *url.URL {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	at, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// line gives the n-th line of a text.
func line(text []byte, n int) string { return strings.Split(string(text), "\n")[n] }
