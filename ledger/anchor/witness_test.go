package anchor_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"

	"mianti/catalog"
	"mianti/ledger/anchor"
)

func TestWitness_CosignsALogThatGrows(t *testing.T) {
	t.Parallel()
	s := newSetting(t, nil)
	for _, size := range []int{1, 2, 7, 8, 300, 1025} {
		s.log.grow(t, size)
		if err := s.once(t); err != nil {
			t.Fatalf("size %d: %v", size, err)
		}
		if got := s.witness.Size(origin); got != int64(size) {
			t.Errorf("the witness knows %d entries, want %d", got, size)
		}
		if a := s.store.last(t); a.Size != int64(size) || !a.At.Equal(s.clock.now()) || a.Kind != anchor.Witness || a.Name != "witness.example/w1" {
			t.Errorf("kept %+v", a)
		}
	}
}

// Torchwood shares no code with our verifier.
func TestWitness_CosignatureIsVerifiedByAnotherProgram(t *testing.T) {
	t.Parallel()
	s := newSetting(t, nil)
	s.log.grow(t, 5)
	if err := s.once(t); err != nil {
		t.Fatal(err)
	}
	a := s.store.last(t)
	theirs, err := torchwood.NewCosignatureVerifier(s.witness.Key().String())
	if err != nil {
		t.Fatal(err)
	}
	policy := torchwood.ThresholdPolicy(3, torchwood.OriginPolicy(origin), torchwood.SingleVerifierPolicy(s.log.verifier), torchwood.SingleVerifierPolicy(theirs))
	cp, opened, err := torchwood.VerifyCheckpoint(anchor.Cosign(a.Signed, a.Body), policy)
	if err != nil {
		t.Fatal(err)
	}
	if cp.N != 5 || len(opened.Sigs) != 2 {
		t.Errorf("size %d with %d signatures", cp.N, len(opened.Sigs))
	}
	if _, _, err := torchwood.VerifyCheckpoint(a.Signed, policy); err == nil {
		t.Error("a checkpoint without the cosignature satisfies a policy that wants it")
	}
	if twice := anchor.Cosign(anchor.Cosign(a.Signed, a.Body), a.Body); bytes.Count(twice, []byte("witness.example/w1")) != 1 {
		t.Error("the same line is added twice")
	}
}

func TestWitness_BeginsWithWhatTheWitnessKnows(t *testing.T) {
	t.Parallel()
	s := newSetting(t, nil)
	s.log.grow(t, 4)
	if err := s.once(t); err != nil {
		t.Fatal(err)
	}
	s.log.grow(t, 9)
	s.store = newStore() // a restored database
	s.config.Store = s.store
	if err := s.once(t); err != nil {
		t.Fatal(err)
	}
	if s.witness.Size(origin) != 9 {
		t.Errorf("the witness knows %d", s.witness.Size(origin))
	}
}

// The witness is the outsider who sees what the log's owner cannot hide.
func TestWitness_RefusesAForkedLog(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		fork func(l *memoryLog) *memoryLog
	}{
		{"an entry was changed", func(l *memoryLog) *memoryLog {
			f := l.fork(t, 3)
			f.add(t, "changed")
			f.grow(t, 12)
			return f
		}},
		{"an entry was left out", func(l *memoryLog) *memoryLog {
			f := l.fork(t, 3)
			for _, leaf := range l.leaves[4:] {
				f.add(t, string(leaf))
			}
			f.grow(t, 12)
			return f
		}},
		{"the end was cut off", func(l *memoryLog) *memoryLog { return l.fork(t, 6) }},
		{"the last entry is another", func(l *memoryLog) *memoryLog { f := l.fork(t, 9); f.add(t, "changed"); return f }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newSetting(t, nil)
			s.log.grow(t, 10)
			if err := s.once(t); err != nil {
				t.Fatal(err)
			}
			s.config.Log = c.fork(s.log)
			if err := s.once(t); err == nil {
				t.Fatal("the fork was cosigned")
			}
			if got := s.state(t); got.Trouble != anchor.Diverged || got.Size != 10 {
				t.Errorf("state %+v", got)
			}
			// Nor does it help to forget what was anchored.
			s.store = newStore()
			s.config.Store = s.store
			if err := s.once(t); err == nil || s.state(t).Trouble != anchor.Diverged {
				t.Errorf("with an empty store: %v, %+v", err, s.state(t))
			}
			if s.witness.Size(origin) != 10 {
				t.Errorf("the witness knows %d", s.witness.Size(origin))
			}
		})
	}
}

func TestWitness_JudgesEveryAnswer(t *testing.T) {
	t.Parallel()
	other := "— other.example/w AAAAAQ" + strings.Repeat("A", 90) + "AA==\n"
	for _, c := range []struct {
		name   string
		status int
		body   func(right string) string
		want   anchor.Trouble
	}{
		{"right", 200, func(right string) string { return right }, ""},
		{"with a line of a key that is not known", 200, func(right string) string { return other + right }, ""},
		{"none of its own", 200, func(string) string { return other }, anchor.Unverified},
		{"empty", 200, func(string) string { return "" }, anchor.Unverified},
		{"no lines", 200, func(string) string { return "ok" }, anchor.Unverified},
		{"a page", 200, func(string) string { return "<html>" + strings.Repeat("x", 100<<10) }, anchor.Unverified},
		{"not found", 404, func(string) string { return "" }, anchor.Unknown},
		{"forbidden", 403, func(string) string { return "" }, anchor.Unknown},
		{"unprocessable", 422, func(string) string { return "" }, anchor.Diverged},
		{"a longer log", 409, func(string) string { return "99\n" }, anchor.Diverged},
		{"what it was told", 409, func(string) string { return "0\n" }, anchor.Unverified},
		{"no number", 409, func(string) string { return "many" }, anchor.Unverified},
		{"bad request", 400, func(string) string { return "" }, anchor.Unverified},
		{"later", 429, func(string) string { return "" }, anchor.Away},
		{"broken", 503, func(string) string { return "" }, anchor.Away},
		{"elsewhere", 302, func(string) string { return "" }, anchor.Unverified},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var s *setting
			s = newSetting(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				right := httptest.NewRecorder()
				s.witness.ServeHTTP(right, r)
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body(right.Body.String()))
			}))
			s.log.grow(t, 3)
			err := s.once(t)
			if got := s.state(t).Trouble; got != c.want || (err == nil) != (c.want == "") {
				t.Errorf("trouble %q, error %v, want %q", got, err, c.want)
			}
		})
	}
}

func TestWitness_TakesNoCosignatureThatWasChanged(t *testing.T) {
	t.Parallel()
	var spoil func(string) string
	var s *setting
	s = newSetting(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		right := httptest.NewRecorder()
		s.witness.ServeHTTP(right, r)
		w.WriteHeader(right.Code)
		if right.Code == http.StatusOK {
			right.Body = bytes.NewBufferString(spoil(right.Body.String()))
		}
		_, _ = w.Write(right.Body.Bytes())
	}))
	s.log.grow(t, 3)
	for at := range 40 { // of the base64 of key id, time and signature
		spoil = func(line string) string {
			changed := []byte(line)
			i := len("— witness.example/w1 ") + 2*at
			if changed[i] == 'A' {
				changed[i] = 'B'
			} else {
				changed[i] = 'A'
			}
			return string(changed)
		}
		if err := s.once(t); err == nil || s.state(t).Trouble != anchor.Unverified {
			t.Fatalf("taken with character %d changed", at)
		}
	}
	spoil = func(line string) string { return line }
	if err := s.once(t); err != nil {
		t.Errorf("the right one: %v", err)
	}
}

func TestWitness_TakesNoCosignatureOfTheFuture(t *testing.T) {
	t.Parallel()
	s := newSetting(t, nil)
	s.log.grow(t, 3)
	s.config.Now = func() time.Time { return s.clock.now().Add(-time.Hour) }
	if err := s.once(t); err == nil || s.state(t).Trouble != anchor.Unverified {
		t.Errorf("%v, %+v", err, s.state(t))
	}
}

func TestWitness_IsSentWhatTheProtocolSays(t *testing.T) {
	t.Parallel()
	var sent []string
	var s *setting
	s = newSetting(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		sent = append(sent, fmt.Sprintf("%s %s\n%s", r.Method, r.URL.Path, body))
		r.Body = io.NopCloser(bytes.NewReader(body))
		s.witness.ServeHTTP(w, r)
	}))
	s.config.Witnesses[0].URL = s.config.Witnesses[0].URL.JoinPath("prefix/")
	s.log.grow(t, 2)
	first, _ := s.log.Checkpoint(t.Context())
	if err := s.once(t); err != nil {
		t.Fatal(err)
	}
	s.log.grow(t, 3)
	second, _ := s.log.Checkpoint(t.Context())
	if err := s.once(t); err != nil {
		t.Fatal(err)
	}
	// From a tree of two to one of three the proof is the third leaf's hash alone
	// (RFC 6962 §2.1.2).
	third := s.log.hashes[3]
	want := []string{
		"POST /prefix/add-checkpoint\nold 0\n\n" + string(first),
		"POST /prefix/add-checkpoint\nold 2\n" + third.String() + "\n\n" + string(second),
	}
	if len(sent) != 2 || sent[0] != want[0] || sent[1] != want[1] {
		t.Errorf("sent %q\nwant %q", sent, want)
	}
}

func TestWitness_IsNotReachedOutsideTheNetwork(t *testing.T) {
	t.Parallel()
	s := newSetting(t, nil)
	s.config.Network = catalog.NetworkPublic
	s.log.grow(t, 1)
	if err := s.once(t); err == nil || s.state(t).Trouble != anchor.Forbidden {
		t.Errorf("%v, %+v", err, s.state(t))
	}
}

func TestParseWitnessKey_TakesTheKeyOfTheSpecification(t *testing.T) {
	t.Parallel()
	s := newSetting(t, nil)
	right := s.witness.Key().String()
	key, err := anchor.ParseWitnessKey(right)
	if err != nil || key.String() != right {
		t.Fatalf("%v, %v", key, err)
	}
	ofLog := strings.Replace(right, "+B", "+A", 1) // another type
	for _, bad := range []string{"", "x", "a+b+c", strings.ToUpper(right), right + "A", "w" + right, ofLog, strings.Replace(right, "+", "+0", 1)} {
		if _, err := anchor.ParseWitnessKey(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestParseCheckpoint_TakesOnlyCheckpoints(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	l.grow(t, 6)
	signed, _ := l.Checkpoint(t.Context())
	cp, err := anchor.ParseCheckpoint(signed)
	if err != nil || cp.Origin != origin || cp.Size != 6 || cp.Hash.String() != line(signed, 2) {
		t.Fatalf("%+v, %v", cp, err)
	}
	for _, text := range []string{"", "a\n", "a\n1\n", "a\n01\n" + line(signed, 2) + "\n", "a\n-1\n" + line(signed, 2) + "\n", "a\n1\nAAAA\n", "\n1\n" + line(signed, 2) + "\n"} {
		bad, err := note.Sign(&note.Note{Text: text}, l.signer)
		if err != nil {
			bad = []byte(text)
		}
		if _, err := anchor.ParseCheckpoint(bad); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}
