package store

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/tlog"

	"mianti/internal/fault"
	"mianti/ledger/anchor"
)

// signedCheckpoint has the form of a signed checkpoint; the store verifies
// nothing.
func signedCheckpoint(size int64, hash tlog.Hash) []byte {
	return fmt.Appendf(nil, "mianti.example\n%d\n%s\n\n— mianti.example AAAAAAAA\n", size, hash)
}

func anchored(kind anchor.Kind, name string, size int64, body string) anchor.Anchored {
	hash := tlog.RecordHash(fmt.Append(nil, size))
	return anchor.Anchored{
		Kind: kind, Name: name, Body: []byte(body), At: testTime.Add(-time.Second).Truncate(time.Second), Kept: testTime,
		Checkpoint: anchor.Checkpoint{Origin: "mianti.example", Size: size, Hash: hash, Signed: signedCheckpoint(size, hash)},
	}
}

func TestAnchors_KeepHowEachOneStands(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		if states, err := s.AnchorStates(t.Context()); err != nil || len(states) != 0 {
			t.Fatalf("at first: %v, %v", states, err)
		}
		for _, a := range []anchor.Anchored{
			anchored(anchor.Witness, "w1", 4, "— w1 AAAAAAAA\n"), anchored(anchor.Timestamp, "tsa", 3, "\x00\xff"), anchored(anchor.Witness, "w1", 9, "— w1 BBBBAAAA\n"),
		} {
			if err := s.AddAnchored(t.Context(), a); err != nil {
				t.Fatal(err)
			}
		}
		for i, trouble := range []anchor.Trouble{anchor.Away, anchor.Diverged} {
			for _, name := range []string{"w1", "w2"} {
				if err := s.NoteTrouble(t.Context(), anchor.Witness, name, trouble, testTime.Add(time.Duration(i)*time.Minute)); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := s.AddAnchored(t.Context(), anchored(anchor.Witness, "w2", 9, "— w2 CCCCAAAA\n")); err != nil {
			t.Fatal(err)
		}
		got, err := s.AnchorStates(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		state := func(a anchor.Anchored) anchor.State {
			return anchor.State{Kind: a.Kind, Name: a.Name, Size: a.Size, Hash: a.Hash, At: a.At, Kept: a.Kept}
		}
		failing := state(anchored(anchor.Witness, "w1", 9, ""))
		failing.Trouble, failing.Since, failing.Tried = anchor.Diverged, testTime, testTime.Add(time.Minute)
		want := []anchor.State{state(anchored(anchor.Timestamp, "tsa", 3, "")), failing, state(anchored(anchor.Witness, "w2", 9, ""))}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestAnchors_RefuseWhatIsNone(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		for _, a := range []anchor.Anchored{anchored("else", "w", 1, "x"), anchored(anchor.Witness, "", 1, "x"), anchored(anchor.Witness, "w", 0, "x")} {
			if err := s.AddAnchored(t.Context(), a); err == nil {
				t.Errorf("%s %q of size %d was kept", a.Kind, a.Name, a.Size)
			}
		}
		if err := s.NoteTrouble(t.Context(), anchor.Witness, "w", "", testTime); err == nil {
			t.Error("no trouble was kept as one")
		}
		if states, err := s.AnchorStates(t.Context()); err != nil || len(states) != 0 {
			t.Errorf("%v, %v", states, err)
		}
	})
}

func TestCosigned_JoinsTheLinesOfOneCheckpoint(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		for _, a := range []anchor.Anchored{
			anchored(anchor.Witness, "w1", 4, "— w1 AAAAAAAA\n"), anchored(anchor.Witness, "w2", 9, "— w2 BBBBAAAA\n"),
			anchored(anchor.Timestamp, "tsa", 12, "x"), anchored(anchor.Witness, "w1", 9, "— w1 CCCCAAAA\n"), anchored(anchor.Witness, "w1", 9, "— w1 CCCCAAAA\n"),
		} {
			if err := s.AddAnchored(t.Context(), a); err != nil {
				t.Fatal(err)
			}
		}
		for _, least := range []int64{1, 9} {
			cp, err := s.Cosigned(t.Context(), least)
			if err != nil {
				t.Fatal(err)
			}
			want := append(signedCheckpoint(9, cp.Hash), "— w2 BBBBAAAA\n— w1 CCCCAAAA\n"...)
			if cp.Size != 9 || !bytes.Equal(cp.Signed, want) {
				t.Errorf("from %d: %s", least, cp.Signed)
			}
		}
		if _, err := s.Cosigned(t.Context(), 10); !errors.Is(err, fault.NotFound) {
			t.Errorf("got %v", err)
		}
	})
}

func TestPurgeAnchors_KeepsTheLastOfEachDay(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		keep := func(kind anchor.Kind, name string, size int64, at time.Time) {
			a := anchored(kind, name, size, "x")
			a.Kept = at
			if err := s.AddAnchored(t.Context(), a); err != nil {
				t.Fatal(err)
			}
		}
		midnight := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
		keep(anchor.Witness, "w1", 1, midnight.Add(-time.Hour)) // the last of its day
		keep(anchor.Witness, "w1", 2, midnight)
		keep(anchor.Timestamp, "tsa", 2, midnight)
		keep(anchor.Witness, "w2", 3, midnight.Add(time.Hour)) // another's last
		keep(anchor.Witness, "w1", 4, midnight.Add(time.Hour))
		keep(anchor.Witness, "w1", 5, midnight.Add(23*time.Hour)) // the last of its day
		keep(anchor.Witness, "w1", 6, midnight.Add(48*time.Hour))
		keep(anchor.Witness, "w1", 7, midnight.Add(49*time.Hour))
		for _, want := range []int{2, 0} {
			if got, err := s.PurgeAnchors(t.Context(), midnight.Add(48*time.Hour)); err != nil || got != want {
				t.Errorf("dropped %d, %v; want %d", got, err, want)
			}
		}
		var left []string
		if err := s.db.WithContext(t.Context()).Raw("SELECT name || ' ' || size FROM anchors ORDER BY id").Scan(&left).Error; err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"w1 1", "tsa 2", "w2 3", "w1 5", "w1 6", "w1 7"}, left); diff != "" {
			t.Errorf("left (-want +got):\n%s", diff)
		}
	})
}
